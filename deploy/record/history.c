#include "deploy/record/history.h"

#include "deploy/record/names.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

struct reading {
    struct ledger *ledger;
    struct arena *arena;
    const struct history_request *request;
    struct history history;
    struct baseline baseline;
    struct history_timing *timings;
    size_t timing_room;
    size_t timed_runs, runs, flaky_runs;
    struct names flaky;     // how often
    struct names endpoints; // of the newest run that has timings
    struct error *err;
    struct history_figures trend[HISTORY_TREND]; // filled from its end
    size_t trend_count;
};

static size_t known_entries(const struct reading *r)
{
    size_t all = ledger_count(r->ledger), most = r->request->entries;
    return most && most < all ? most : all;
}

static bool malformed(struct reading *r, const struct ledger_entry *entry)
{
    return error_set(r->err, ERROR_INPUT,
                     "the ledger's entry " STR_FMT " is malformed: `sluice verify` says more",
                     STR_ARG(entry->path));
}

static int64_t judged_ms(const struct event *event)
{
    int64_t ms;
    return moment_parse(node_text(event->fields, "time"), &ms) ? ms : event->time_ms;
}

static size_t items_of(const struct node *map, const char *key, const struct node **ret)
{
    const struct node *list = node_get(map, key);
    bool is_list = list && list->kind == NODE_LIST;
    *ret = is_list ? list->first : NULL;
    return is_list ? list->count : 0;
}

// ---- the baseline -------------------------------------------------------------------------------
static const struct {
    const char *key;
    enum test_result result;
} results[] = {{"failed", TEST_FAILED},
               {"error", TEST_ERROR},
               {"flaky", TEST_FLAKY},
               {"skipped", TEST_SKIPPED},
               {"passed", TEST_PASSED}};

static int by_identity(const void *a, const void *b)
{
    const struct history_test *x = a, *y = b;
    return str_cmp(x->identity, y->identity);
}

// Two that share an identity are one; the list of results begins with the worst.
static void take_tests(struct reading *r, const struct node *by_result)
{
    const struct node *first;
    size_t room = 0, count = 0;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        room += items_of(by_result, results[i].key, &first);
    struct history_test *tests = ARENA_ARRAY(r->arena, struct history_test, room + 1);
    struct names known = {0};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        (void)items_of(by_result, results[i].key, &first);
        for (const struct node *n = first; n; n = n->next)
            if (names_put(&known, n->text, 1))
                tests[count++] = (struct history_test){n->text, results[i].result};
    }
    names_done(&known);
    if (count)
        qsort(tests, count, sizeof *tests, by_identity);
    r->baseline.tests = tests;
    r->baseline.test_count = count;
}

static bool take_test_totals(struct reading *r, const struct node *tests)
{
    struct test_totals *totals = &r->baseline.test_totals;
    const struct node *by_result = node_get(tests, "by_result");
    if (!by_result || !json_get_u64(tests, "total", &totals->total) ||
        !json_get_u64(tests, "passed", &totals->passed) ||
        !json_get_u64(tests, "failed", &totals->failed) ||
        !json_get_u64(tests, "errors", &totals->errors) ||
        !json_get_u64(tests, "skipped", &totals->skipped) ||
        !json_get_u64(tests, "flaky", &totals->flaky) ||
        !json_get_bool(tests, "cut", &r->baseline.tests_cut))
        return false;
    r->baseline.has_tests = true;
    take_tests(r, by_result);
    return true;
}

static bool take_baseline(struct reading *r, const struct event *event)
{
    struct baseline *baseline = &r->baseline;
    const struct node *coverage = node_get(event->fields, "coverage");
    const struct node *tests = node_get(event->fields, "tests");
    str commit;
    if (!json_get_str(event->fields, "commit", &commit))
        return false;
    baseline->commit = arena_copy(r->arena, commit);
    baseline->time_ms = judged_ms(event);
    baseline->has_coverage = coverage != NULL;
    if (coverage && (!json_get_u64(coverage, "covered", &baseline->lines_covered) ||
                     !json_get_u64(coverage, "total", &baseline->lines_total)))
        return false;
    if (tests && !take_test_totals(r, tests))
        return false;
    r->history.baseline = baseline;
    return true;
}

static bool load_baseline(struct reading *r)
{
    for (size_t i = known_entries(r); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(r->ledger, i);
        struct event event;
        if (!str_is(entry->type, "baseline.recorded"))
            continue;
        if (!ledger_read(r->ledger, r->arena, entry, &event, r->err))
            return false;
        return take_baseline(r, &event) || malformed(r, entry);
    }
    r->history.baseline_unknown = "no run of the default branch that passed is recorded";
    return true;
}

// ---- recorded runs ------------------------------------------------------------------------------
static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct history_finding *)a)->id, ((const struct history_finding *)b)->id);
}

static bool verdict_of(str name, enum verdict *ret)
{
    for (int v = VERDICT_PASS; v <= VERDICT_BLOCK; v++)
        if (str_is(name, verdict_name((enum verdict)v))) {
            *ret = (enum verdict)v;
            return true;
        }
    return false;
}

static int by_str(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void take_failed(struct reading *r, const struct node *fields)
{
    const struct node *first;
    size_t room = items_of(fields, "failed", &first), count = 0;
    str *names = ARENA_ARRAY(r->arena, str, room + 1);
    for (const struct node *n = first; n; n = n->next)
        names[count++] = arena_str(r->arena, n->text);
    if (count)
        qsort(names, count, sizeof *names, by_str);
    r->history.failed_before = names;
    r->history.failed_before_count = count;
}

// What is wrong on the default branch. Not what an earlier run found in the very commit that is
// judged: that is no inheritance.
static bool take_before(struct reading *r, const struct event *event)
{
    const struct node *first;
    size_t room = items_of(event->fields, "findings", &first), count = 0;
    struct history_finding *list = ARENA_ARRAY(r->arena, struct history_finding, room + 1);
    for (const struct node *n = first; n; n = n->next) {
        struct history_finding *one = &list[count++];
        str id, have;
        if (!json_get_str(n, "id", &id) || !json_get_str(n, "have", &have) ||
            !verdict_of(node_text(n, "verdict"), &one->verdict))
            return false;
        one->id = arena_copy(r->arena, id);
        one->have = arena_copy(r->arena, have);
    }
    if (count)
        qsort(list, count, sizeof *list, by_id);
    r->history.before_commit = arena_copy(r->arena, node_text(event->fields, "commit"));
    r->history.before_ms = judged_ms(event);
    r->history.before = list;
    r->history.before_count = count;
    take_failed(r, event->fields);
    return true;
}

static double figure(const struct node *row, const char *key)
{
    double value;
    return json_get_double(row, key, &value) ? value : (double)NAN;
}

// Of older runs only what the newest still has: an endpoint that was taken out is missed once.
static void take_timings(struct reading *r, const struct node *fields)
{
    const struct node *first;
    if (items_of(fields, "timings", &first) == 0)
        return;
    for (const struct node *n = first; n; n = n->next) {
        struct history_timing row = {.name = node_text(n, "name"),
                                     .p50_ms = figure(n, "p50_ms"),
                                     .p95_ms = figure(n, "p95_ms"),
                                     .p99_ms = figure(n, "p99_ms"),
                                     .mean_ms = figure(n, "mean_ms"),
                                     .queries = figure(n, "queries")};
        (void)json_get_u64(n, "requests", &row.requests);
        if (r->timed_runs == 0)
            (void)names_put(&r->endpoints, row.name, 1);
        else if (!names_find(&r->endpoints, row.name))
            continue;
        row.name = arena_str(r->arena, row.name);
        r->timings = arena_grow(r->arena, r->timings, r->baseline.timing_count, &r->timing_room,
                                sizeof *r->timings);
        r->timings[r->baseline.timing_count++] = row;
    }
    r->timed_runs++;
}

static void take_flaky(struct reading *r, const struct node *fields)
{
    const struct node *first;
    bool tests = false;
    if (!json_get_bool(fields, "tests", &tests) || !tests)
        return;
    r->flaky_runs++;
    (void)items_of(fields, "flaky", &first);
    for (const struct node *n = first; n; n = n->next)
        if (!names_put(&r->flaky, n->text, 1))
            ++*names_find(&r->flaky, n->text);
}

// Runs come newest first. Those that were recorded before there were figures have none.
static void take_figures(struct reading *r, const struct node *fields)
{
    const struct node *map = node_get(fields, "figures");
    struct history_figures one = {0};
    if (!map || r->trend_count == HISTORY_TREND)
        return;
    one.has_coverage = json_get_u64(map, "lines_covered", &one.lines_covered) &&
                       json_get_u64(map, "lines_total", &one.lines_total) &&
                       one.lines_covered <= one.lines_total;
    one.has_tests =
        json_get_u64(map, "failed", &one.failed) && json_get_u64(map, "flaky", &one.flaky);
    one.has_risks = json_get_u64(map, "exposure", &one.exposure);
    r->trend[HISTORY_TREND - ++r->trend_count] = one;
}

static bool take_run(struct reading *r, const struct ledger_entry *entry)
{
    struct arena arena = {0};
    struct event event;
    enum verdict verdict = VERDICT_BLOCK;
    bool ok = ledger_read(r->ledger, &arena, entry, &event, r->err);
    if (ok && !verdict_of(node_text(event.fields, "decision"), &verdict))
        ok = malformed(r, entry);
    if (ok) {
        str commit = node_text(event.fields, "commit");
        bool same = r->request->commit && str_is(commit, r->request->commit);
        if (!r->history.before_commit && !same && !take_before(r, &event))
            ok = malformed(r, entry);
        if (!same)
            take_figures(r, event.fields);
        if (r->flaky_runs < HISTORY_RUNS)
            take_flaky(r, event.fields);
        if (verdict <= VERDICT_WARN && r->timed_runs < HISTORY_RUNS)
            take_timings(r, event.fields);
    }
    arena_done(&arena);
    return ok;
}

static int by_flaky(const void *a, const void *b)
{
    const struct history_flaky *x = a, *y = b;
    return str_cmp(x->identity, y->identity);
}

static void keep_flaky(struct reading *r)
{
    struct history_flaky *list = ARENA_ARRAY(r->arena, struct history_flaky, r->flaky.used + 1);
    size_t count = 0;
    for (size_t i = 0; i < r->flaky.size; i++)
        if (r->flaky.slots[i].text.data)
            list[count++] =
                (struct history_flaky){arena_str(r->arena, r->flaky.slots[i].text),
                                       (unsigned)r->flaky.slots[i].number, (unsigned)r->flaky_runs};
    if (count)
        qsort(list, count, sizeof *list, by_flaky);
    r->history.flaky = list;
    r->history.flaky_count = count;
}

static bool enough(const struct reading *r)
{
    return r->runs >= HISTORY_RUNS_READ ||
           (r->flaky_runs >= HISTORY_RUNS && r->timed_runs >= HISTORY_RUNS &&
            r->history.before_commit);
}

static bool load_runs(struct reading *r)
{
    for (size_t i = known_entries(r); i-- > 0 && !enough(r);) {
        const struct ledger_entry *entry = ledger_at(r->ledger, i);
        if (!str_is(entry->type, "gate.observed"))
            continue;
        if (!take_run(r, entry))
            return false;
        r->runs++;
    }
    r->baseline.timings = r->timings;
    r->history.trend = &r->trend[HISTORY_TREND - r->trend_count];
    r->history.trend_count = r->trend_count;
    keep_flaky(r);
    return true;
}

// ---- vulnerabilities ----------------------------------------------------------------------------
static int by_name(const void *a, const void *b)
{
    const struct history_seen *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

static bool load_seen(struct reading *r)
{
    struct history_seen *list = NULL;
    size_t count = 0, room = 0, kept = 0;
    for (size_t i = 0; i < known_entries(r); i++) {
        const struct ledger_entry *entry = ledger_at(r->ledger, i);
        const struct node *first;
        struct event event;
        if (!str_is(entry->type, "vulnerability.seen"))
            continue;
        if (!ledger_read(r->ledger, r->arena, entry, &event, r->err))
            return false;
        (void)items_of(event.fields, "names", &first);
        for (const struct node *n = first; n; n = n->next) {
            list = arena_grow(r->arena, list, count, &room, sizeof *list);
            list[count++] = (struct history_seen){n->text, judged_ms(&event)};
        }
    }
    if (count)
        qsort(list, count, sizeof *list, by_name);
    for (size_t i = 0; i < count; i++) // two runs at once may both have been the first
        if (kept == 0 || !str_eq(list[i].name, list[kept - 1].name))
            list[kept++] = list[i];
    r->history.seen = list;
    r->history.seen_count = kept;
    return true;
}

// ---- incidents ----------------------------------------------------------------------------------
static bool has_heading(str line, const char *heading)
{
    size_t level = 0;
    while (level < line.len && line.data[level] == '#')
        level++;
    if (level == 0 || level > 6)
        return false;
    str words = str_trim(str_from(line, level));
    while (words.len && words.data[words.len - 1] == '#') // "## Timeline ##"
        words = str_trim(str_first(words, words.len - 1));
    if (words.len && words.data[words.len - 1] == ':')
        words.len--;
    return words.len == strlen(heading) && strncasecmp(words.data, heading, words.len) == 0;
}

bool history_review_done(str markdown)
{
    static const char *const headings[] = {"Root cause", "Timeline", "Prevention"};
    unsigned found = 0;
    while (markdown.len) {
        str line = str_trim(str_cut(&markdown, '\n'));
        for (unsigned i = 0; i < sizeof headings / sizeof *headings; i++)
            if (has_heading(line, headings[i]))
                found |= 1U << i;
    }
    return found == 7;
}

static bool is_written(struct reading *r, const char *path, bool *ret)
{
    const struct history_request *request = r->request;
    str text;
    *ret = false;
    if (!request->repository || !request->commit)
        return true;
    bool there;
    if (!repository_file(r->arena, request->repository, request->commit, path, LIMIT_CONFIG_BYTES,
                         &text, &there, r->err))
        return error_wrap(r->err, "the review %s", path);
    *ret = there && history_review_done(text);
    return true;
}

static bool take_incident(struct reading *r, const struct ledger_entry *entry,
                          struct history_incident *incidents, struct history_review *reviews)
{
    struct event event;
    int64_t opened;
    if (!ledger_read(r->ledger, r->arena, entry, &event, r->err))
        return false;
    str severity = node_text(event.fields, "severity");
    bool known = severity.len == 2 && severity.data[0] == 'P' && severity.data[1] >= '1' &&
                 severity.data[1] < '1' + HISTORY_SEVERITIES;
    if (!known)
        return malformed(r, entry);
    if (!moment_parse(node_text(event.fields, "opened"), &opened))
        opened = event.time_ms;
    incidents[r->history.incident_count++] = (struct history_incident){
        .incident = arena_format(r->arena, "INC-%llu", (unsigned long long)event.sequence),
        .commit = node_text(event.fields, "commit"),
        .opened_ms = opened,
    };
    int64_t within = r->request->review_within_ms[severity.data[1] - '1'];
    if (within == 0)
        return true;
    struct history_review *review = &reviews[r->history.review_count++];
    review->incident = arena_format(r->arena, "INC-%llu", (unsigned long long)event.sequence);
    review->severity = severity;
    review->path = arena_format(r->arena, STR_FMT "/" STR_FMT ".md", STR_ARG(r->request->reviews),
                                STR_ARG(review->incident));
    review->due_ms = opened + within;
    return is_written(r, review->path.data, &review->done);
}

// The review that an emergency release owes: of an incident that may be kept elsewhere. Its file
// has the name of that incident, so that one review does for all releases that mended it.
static bool take_review_due(struct reading *r, const struct ledger_entry *entry,
                            struct history_review *reviews)
{
    struct event event;
    struct history_review review = {0};
    if (!ledger_read(r->ledger, r->arena, entry, &event, r->err))
        return false;
    review.incident = node_text(event.fields, "incident");
    review.severity = node_text(event.fields, "severity");
    if (!review.incident.len || str_find(review.incident, '/') != STR_NONE ||
        !moment_parse(node_text(event.fields, "due"), &review.due_ms))
        return malformed(r, entry);
    for (size_t i = 0; i < r->history.review_count; i++)
        if (str_eq(reviews[i].incident, review.incident))
            return true; // owed already, and earlier
    review.path = arena_format(r->arena, STR_FMT "/" STR_FMT ".md", STR_ARG(r->request->reviews),
                               STR_ARG(review.incident));
    reviews[r->history.review_count++] = review;
    return is_written(r, review.path.data, &reviews[r->history.review_count - 1].done);
}

static bool load_reviews(struct reading *r)
{
    size_t room = 0;
    for (size_t i = 0; i < known_entries(r); i++)
        room += ledger_at(r->ledger, i)->stream == STREAM_INCIDENT;
    struct history_review *reviews = ARENA_ARRAY(r->arena, struct history_review, room + 1);
    struct history_incident *incidents = ARENA_ARRAY(r->arena, struct history_incident, room + 1);
    r->history.reviews = reviews;
    r->history.incidents = incidents;
    for (size_t i = 0; i < known_entries(r); i++) {
        const struct ledger_entry *entry = ledger_at(r->ledger, i);
        if (str_is(entry->type, "incident.opened") && !take_incident(r, entry, incidents, reviews))
            return false;
        if (str_is(entry->type, "incident.review-due") && !take_review_due(r, entry, reviews))
            return false;
    }
    return true;
}

bool history_load(struct ledger *ledger, struct arena *arena, const struct history_request *request,
                  struct history *ret, struct error *err)
{
    struct reading *r = ARENA_NEW(arena, struct reading);
    *r = (struct reading){.ledger = ledger, .arena = arena, .request = request, .err = err};
    bool ok = load_baseline(r) && load_runs(r) && load_seen(r) && load_reviews(r);
    names_done(&r->flaky);
    names_done(&r->endpoints);
    if (ok)
        *ret = r->history;
    return ok || error_wrap(err, "the history in the ledger");
}
