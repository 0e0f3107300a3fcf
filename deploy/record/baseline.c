#include "deploy/record/baseline.h"

#include "deploy/record/names.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"
#include "gate/rules/scope.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FINDINGS_BYTES = 1 << 20,
    NAMES_BYTES = 512 << 10, // a list of tests or of vulnerabilities beside others
    TIMINGS_BYTES = 1 << 20,
    // An event is read as a tree of at most LIMIT_DOC_NODES: a finding is four, a timing eight.
    FINDINGS_MOST = 10000,
    TIMINGS_MOST = 10000,
    FAILING_MOST = 20000,
    TESTS_MOST = 100000,
    NAMES_MOST = 50000,
    TESTS_BYTES = 5 << 19, // 2.5 MiB
    SEEN_BYTES = 1 << 20,  // of one vulnerability.seen; there may be several
    NAME_BYTES = 4096,     // a longer name is left out
};

// A list with a ceiling.
struct room {
    struct text *text;
    size_t end, items; // bytes, and how many more
    bool cut;
};

static struct room room_of(struct text *text, size_t bytes, size_t items)
{
    return (struct room){.text = text, .end = text->len + bytes, .items = items};
}

// A byte becomes six at most, in JSON.
static bool fits(struct room *room, size_t bytes)
{
    bool ok =
        bytes <= NAME_BYTES && room->items > 0 && room->text->len + 6 * bytes + 256 <= room->end;
    room->items -= ok;
    room->cut |= !ok;
    return ok;
}

static void add_room_str(struct room *room, struct json_out *out, str s)
{
    if (fits(room, s.len))
        json_add_str(out, NULL, s);
}

// What all three begin with.
static void open_body(const struct baseline_run *run, struct json_out *out)
{
    const struct decision *decision = &run->gate->decision;
    char moment[MOMENT_TEXT];
    json_open_map(out, NULL);
    json_add_str(out, "branch", str_of(run->branch));
    json_add_str(out, "commit", str_of(decision->commit));
    json_add_str(out, "decided", str_of(run->decided));
    json_add_str(out, "decision", str_of(verdict_name(decision->would_be)));
    json_add_str(out, "time", str_of(moment_format(decision->time_ms, moment)));
}

static bool append(struct ledger *ledger, enum event_stream stream, str type,
                   const struct text *body, struct error *err)
{
    struct event event = {.stream = stream, .type = type, .body = text_str(body)};
    return ledger_append(ledger, &event, NULL, err);
}

// ---- tests --------------------------------------------------------------------------------------
struct named_test {
    str identity;
    enum test_result result;
};

// Failing first, so that they are the last to be cut: one that is left out counts as new.
static const enum test_result result_order[] = {TEST_FAILED, TEST_ERROR, TEST_FLAKY, TEST_SKIPPED,
                                                TEST_PASSED};
static const char *const result_names[] = {[TEST_PASSED] = "passed",
                                           [TEST_FAILED] = "failed",
                                           [TEST_ERROR] = "error",
                                           [TEST_SKIPPED] = "skipped",
                                           [TEST_FLAKY] = "flaky"};

static struct named_test *name_tests(struct arena *arena, const struct tests *tests)
{
    struct named_test *list = ARENA_ARRAY(arena, struct named_test, tests->count + 1);
    for (size_t i = 0; i < tests->count; i++)
        list[i] = (struct named_test){str_of(test_identity(arena, &tests->cases[i])),
                                      tests->cases[i].result};
    return list;
}

static void add_tests_of(const struct named_test *list, size_t count, enum test_result result,
                         struct room *room, struct json_out *out)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].result == result)
            add_room_str(room, out, list[i].identity);
}

static bool add_tests(const struct evidence *evidence, struct arena *arena, struct json_out *out)
{
    struct test_totals totals = tests_totals(&evidence->tests);
    struct named_test *list = name_tests(arena, &evidence->tests);
    json_open_map(out, "tests");
    json_add_u64(out, "total", totals.total);
    json_add_u64(out, "passed", totals.passed);
    json_add_u64(out, "failed", totals.failed);
    json_add_u64(out, "errors", totals.errors);
    json_add_u64(out, "skipped", totals.skipped);
    json_add_u64(out, "flaky", totals.flaky);
    json_open_map(out, "by_result");
    struct room room = room_of(out->text, TESTS_BYTES, TESTS_MOST);
    for (size_t i = 0; i < sizeof result_order / sizeof *result_order; i++) {
        json_open_list(out, result_names[result_order[i]]);
        add_tests_of(list, evidence->tests.count, result_order[i], &room, out);
        json_close(out);
    }
    json_close(out);
    json_add_bool(out, "cut", room.cut);
    json_close(out);
    return room.cut;
}

// ---- vulnerabilities ----------------------------------------------------------------------------
static str lower(struct arena *arena, str name)
{
    char *copy = arena_alloc(arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        copy[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] - 'A' + 'a'
                                                                    : name.data[i]);
    return str_make(copy, name.len);
}

static int by_str(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

// Every name of every vulnerability that no suppression takes out, in lower case, each once.
static str *vulnerability_names(struct arena *arena, const struct evidence *evidence,
                                size_t *ret_count)
{
    const struct vulnerabilities *all = &evidence->vulnerabilities;
    size_t room = 0, count = 0, kept = 0;
    for (size_t i = 0; i < all->count; i++)
        room += all->items[i].alias_count + 1;
    str *names = ARENA_ARRAY(arena, str, room + 1);
    for (size_t i = 0; i < all->count; i++) {
        const struct vulnerability *one = &all->items[i];
        if (one->suppressed)
            continue;
        names[count++] = lower(arena, one->id);
        for (size_t k = 0; k < one->alias_count; k++)
            names[count++] = lower(arena, one->aliases[k]);
    }
    if (count)
        qsort(names, count, sizeof *names, by_str);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !str_eq(names[i], names[kept - 1]))
            names[kept++] = names[i];
    *ret_count = kept;
    return names;
}

static bool note_seen(struct ledger *ledger, struct names *known, struct error *err)
{
    for (size_t i = 0; i < ledger_count(ledger); i++) {
        struct arena arena = {0};
        struct event event;
        if (!str_is(ledger_at(ledger, i)->type, "vulnerability.seen"))
            continue;
        bool ok = ledger_read(ledger, &arena, ledger_at(ledger, i), &event, err);
        const struct node *names = ok ? node_get(event.fields, "names") : NULL;
        for (const struct node *n = names ? names->first : NULL; n; n = n->next)
            (void)names_put(known, n->text, 1);
        arena_done(&arena);
        if (!ok)
            return false;
    }
    return true;
}

// "cve-2027-1, ghsa-aaaa and 3 more"
static str seen_words(struct arena *arena, const str *names, size_t count)
{
    enum { NAMED = 3 };
    struct text text = text_of(1024);
    for (size_t i = 0; i < count && i < NAMED; i++)
        text_addf(&text, "%s" STR_FMT, i ? ", " : "", STR_ARG(str_shorten(names[i], 200)));
    if (count > NAMED)
        text_addf(&text, " and %zu more", count - NAMED);
    str words = arena_str(arena, text_str(&text));
    text_done(&text);
    return words;
}

// As many events as it takes: a clock that did not start would never end.
static bool append_seen(struct ledger *ledger, const struct baseline_run *run, const str *names,
                        size_t count, struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < count;) {
        struct text body = text_of(LIMIT_EVENT_BYTES / 2);
        struct json_out out = json_out_of(&body, JSON_COMPACT);
        size_t from = i;
        open_body(run, &out);
        json_open_list(&out, "names");
        struct room room = room_of(&body, SEEN_BYTES, NAMES_MOST);
        while (i < count && fits(&room, names[i].len))
            json_add_str(&out, NULL, names[i++]);
        json_close(&out);
        json_add_str(&out, "text", seen_words(arena, names + from, i - from));
        json_close(&out);
        bool ok =
            i == from || append(ledger, STREAM_BASELINE, STR("vulnerability.seen"), &body, err);
        text_done(&body);
        if (!ok)
            return false;
        i += i == from; // a name that no event can hold
    }
    return true;
}

static bool write_seen(struct ledger *ledger, const struct baseline_run *run, const str *names,
                       size_t count, struct arena *arena, struct baseline_written *written,
                       struct error *err)
{
    struct names known = {0};
    str *fresh = ARENA_ARRAY(arena, str, count + 1);
    bool ok = count == 0 || note_seen(ledger, &known, err);
    for (size_t i = 0; ok && i < count; i++)
        if (!names_find(&known, names[i]))
            fresh[written->seen++] = names[i];
    names_done(&known);
    return ok && append_seen(ledger, run, fresh, written->seen, arena, err);
}

// ---- every run ----------------------------------------------------------------------------------
static bool add_findings(const struct decision *decision, struct json_out *out)
{
    struct room room = room_of(out->text, FINDINGS_BYTES, FINDINGS_MOST);
    json_open_list(out, "findings");
    for (size_t i = 0; i < decision->findings.count; i++) {
        const struct finding *finding = &decision->findings.items[i];
        if (finding->judged == VERDICT_PASS)
            continue;
        if (!fits(&room, strlen(finding->id) + strlen(finding->have)))
            continue;
        json_open_map(out, NULL);
        json_add_str(out, "id", str_of(finding->id));
        json_add_str(out, "verdict", str_of(verdict_name(finding->judged)));
        json_add_str(out, "have", str_of(finding->have));
        json_close(out);
    }
    json_close(out);
    return room.cut;
}

static bool add_timings(const struct timings *timings, struct json_out *out)
{
    struct room room = room_of(out->text, TIMINGS_BYTES, TIMINGS_MOST);
    json_open_list(out, "timings");
    for (size_t i = 0; i < timings->count; i++) {
        const struct timing *row = &timings->rows[i];
        if (!fits(&room, row->name.len + 64))
            continue;
        json_open_map(out, NULL);
        json_add_str(out, "name", row->name);
        json_add_u64(out, "requests", row->counted ? row->requests : 0);
        json_add_double(out, "mean_ms", row->mean_ms);
        json_add_double(out, "p50_ms", row->p50_ms);
        json_add_double(out, "p95_ms", row->p95_ms);
        json_add_double(out, "p99_ms", row->p99_ms);
        json_add_double(out, "queries", row->queries);
        json_close(out);
    }
    json_close(out);
    return room.cut;
}

static bool add_failing(const struct evidence *evidence, struct arena *arena, struct json_out *out)
{
    struct named_test *list = name_tests(arena, &evidence->tests);
    size_t count = evidence->tests.count;
    struct room failed = room_of(out->text, NAMES_BYTES, FAILING_MOST);
    json_open_list(out, "failed");
    add_tests_of(list, count, TEST_FAILED, &failed, out);
    add_tests_of(list, count, TEST_ERROR, &failed, out);
    json_close(out);
    struct room flaky = room_of(out->text, NAMES_BYTES, FAILING_MOST);
    json_open_list(out, "flaky");
    add_tests_of(list, count, TEST_FLAKY, &flaky, out);
    json_close(out);
    return failed.cut || flaky.cut;
}

// What the next summaries draw a line of.
static void add_figures(const struct gate *gate, struct json_out *out)
{
    const struct evidence *evidence = &gate->evidence;
    json_open_map(out, "figures");
    if (evidence->has[EVIDENCE_COVERAGE]) {
        struct coverage_totals totals = coverage_totals(&evidence->coverage);
        json_add_u64(out, "lines_covered", totals.lines_covered);
        json_add_u64(out, "lines_total", totals.lines_total);
    }
    if (evidence->has[EVIDENCE_TESTS]) {
        struct test_totals totals = tests_totals(&evidence->tests);
        json_add_u64(out, "failed", totals.failed + totals.errors);
        json_add_u64(out, "flaky", totals.flaky);
    }
    if (gate->decision.has_risks)
        json_add_u64(out, "exposure", gate->decision.risks.exposure);
    json_close(out);
}

static bool write_observed(struct ledger *ledger, const struct baseline_run *run,
                           struct arena *arena, struct baseline_written *written, struct error *err)
{
    const struct evidence *evidence = &run->gate->evidence;
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    open_body(run, &out);
    bool cut = add_findings(&run->gate->decision, &out);
    json_add_bool(&out, "tests", evidence->has[EVIDENCE_TESTS]);
    if (evidence->has[EVIDENCE_TESTS])
        cut |= add_failing(evidence, arena, &out);
    if (evidence->has[EVIDENCE_TIMINGS])
        cut |= add_timings(&evidence->timings, &out);
    add_figures(run->gate, &out);
    json_add_bool(&out, "cut", cut);
    json_close(&out);
    bool ok = append(ledger, STREAM_GATE, STR("gate.observed"), &body, err);
    written->cut |= cut;
    text_done(&body);
    return ok;
}

// ---- a run that passed --------------------------------------------------------------------------
// Of the files that count, as rule coverage.total has them.
static struct coverage_totals counted_coverage(struct arena *arena, const struct gate *gate)
{
    struct coverage_totals totals = {0};
    struct coverage_scope scope = scope_make(arena, &gate->input);
    for (size_t i = 0; i < gate->evidence.coverage.count; i++)
        if (!scope.ignored[i])
            covered_file_totals(&gate->evidence.coverage.files[i], &totals);
    return totals;
}

static void describe(const struct evidence *evidence, const struct coverage_totals *coverage,
                     size_t names, char *out, size_t size)
{
    struct text text = text_of(200);
    if (evidence->has[EVIDENCE_COVERAGE])
        text_addf(&text, ", %llu of %llu lines covered",
                  (unsigned long long)coverage->lines_covered,
                  (unsigned long long)coverage->lines_total);
    if (evidence->has[EVIDENCE_TESTS]) {
        struct test_totals tests = tests_totals(&evidence->tests);
        unsigned long long failed = tests.failed + tests.errors;
        text_addf(&text, ", %llu of %llu tests failed", failed, (unsigned long long)tests.total);
    }
    if (evidence->has[EVIDENCE_VULNERABILITIES])
        text_addf(&text, ", %zu %s of vulnerabilities", names, names == 1 ? "name" : "names");
    str words = text.len ? str_from(text_str(&text), 2) : STR("no figures");
    (void)snprintf(out, size, STR_FMT, STR_ARG(words));
    text_done(&text);
}

static bool write_baseline(struct ledger *ledger, const struct baseline_run *run, const str *names,
                           size_t name_count, struct arena *arena, struct baseline_written *written,
                           struct error *err)
{
    const struct evidence *evidence = &run->gate->evidence;
    struct coverage_totals coverage = counted_coverage(arena, run->gate);
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    open_body(run, &out);
    describe(evidence, &coverage, name_count, written->text, sizeof written->text);
    str text = arena_format(arena, "%.12s on %s: %s", run->gate->decision.commit, run->branch,
                            written->text);
    json_add_str(&out, "text", text);
    if (evidence->has[EVIDENCE_COVERAGE]) {
        json_open_map(&out, "coverage");
        json_add_u64(&out, "covered", coverage.lines_covered);
        json_add_u64(&out, "total", coverage.lines_total);
        json_close(&out);
    }
    if (evidence->has[EVIDENCE_TESTS])
        written->cut |= add_tests(evidence, arena, &out);
    struct room room = room_of(&body, NAMES_BYTES, NAMES_MOST);
    json_open_list(&out, "vulnerabilities");
    for (size_t i = 0; i < name_count; i++)
        add_room_str(&room, &out, names[i]);
    json_close(&out);
    written->cut |= room.cut;
    json_add_bool(&out, "cut", room.cut);
    json_close(&out);
    bool ok = append(ledger, STREAM_BASELINE, STR("baseline.recorded"), &body, err);
    text_done(&body);
    return ok;
}

bool baseline_write(struct ledger *ledger, const struct baseline_run *run,
                    struct baseline_written *ret, struct error *err)
{
    struct baseline_written written = {.passed = run->gate->decision.would_be <= VERDICT_WARN};
    struct arena arena = {0};
    size_t count;
    str *names = vulnerability_names(&arena, &run->gate->evidence, &count);
    bool ok = write_observed(ledger, run, &arena, &written, err) &&
              write_seen(ledger, run, names, count, &arena, &written, err) &&
              (!written.passed || write_baseline(ledger, run, names, count, &arena, &written, err));
    arena_done(&arena);
    if (ok)
        *ret = written;
    return ok;
}

// ---- what it rests on ---------------------------------------------------------------------------
bool baseline_is(const struct event *event)
{
    return str_is(event->type, "gate.observed") || str_is(event->type, "baseline.recorded") ||
           str_is(event->type, "vulnerability.seen");
}

bool baseline_basis(const struct event *event, struct baseline_basis *ret, struct error *err)
{
    struct baseline_basis basis;
    if (!json_get_str(event->fields, "decided", &basis.decided) ||
        !json_get_str(event->fields, "commit", &basis.commit))
        return error_set(err, ERROR_INPUT, "it does not say on which decision it rests");
    *ret = basis;
    return true;
}
