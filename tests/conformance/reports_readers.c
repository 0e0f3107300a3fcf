// What every report reader promises.
#include "fixtures.h"

static struct fixtures all;

static void init(void)
{
    fixtures_init(&all);
}

static void done(void)
{
    arena_done(&all.arena);
}

TestSuite(readers, .init = init, .fini = done, .timeout = 300);

static str findings(struct arena *arena, const struct evidence *evidence, str out)
{
    for (size_t i = 0; i < evidence->vulnerabilities.count; i++) {
        const struct vulnerability *one = &evidence->vulnerabilities.items[i];
        out = arena_format(
            arena,
            STR_FMT "\n" STR_FMT " @%llu %s %g %g " STR_FMT " " STR_FMT " " STR_FMT
                    " fixed " STR_FMT " %d %d%d " STR_FMT " " STR_FMT " " STR_FMT ":%u",
            STR_ARG(out), STR_ARG(one->id), (unsigned long long)one->offset,
            severity_name(one->severity), one->cvss, one->epss, STR_ARG(one->package),
            STR_ARG(one->version), STR_ARG(one->purl), STR_ARG(one->fixed), (int)one->fix,
            one->known_exploited, one->suppressed, STR_ARG(one->suppressed_why),
            STR_ARG(one->title), STR_ARG(one->path), one->line);
        for (size_t k = 0; k < one->alias_count; k++)
            out =
                arena_format(arena, STR_FMT " = " STR_FMT, STR_ARG(out), STR_ARG(one->aliases[k]));
    }
    return out;
}

static str statement_words(struct arena *arena, str before, const struct statement *one)
{
    str out = arena_format(arena, STR_FMT "\n%s " STR_FMT " %.9g %lld %lld @%llu " STR_FMT,
                           STR_ARG(before), statement_kind_name(one->kind), STR_ARG(one->id),
                           one->epss, (long long)one->at_ms, (long long)one->due_days,
                           (unsigned long long)one->offset, STR_ARG(one->justification));
    for (size_t i = 0; i < one->alias_count; i++)
        out = arena_format(arena, STR_FMT " = " STR_FMT, STR_ARG(out), STR_ARG(one->aliases[i]));
    for (size_t i = 0; i < one->product_count; i++)
        out = arena_format(arena, STR_FMT " of " STR_FMT, STR_ARG(out), STR_ARG(one->products[i]));
    return out;
}

static str timings_words(struct arena *arena, const struct evidence *evidence, str out)
{
    for (size_t i = 0; i < evidence->timings.count; i++) {
        const struct timing *one = &evidence->timings.rows[i];
        out = arena_format(
            arena, STR_FMT "\n" STR_FMT " @%llu %d %llu/%llu %g %g %g %g %g %g %g %g %g %g %lld %g",
            STR_ARG(out), STR_ARG(one->name), (unsigned long long)one->offset, one->counted,
            (unsigned long long)one->failures, (unsigned long long)one->requests, one->min_ms,
            one->mean_ms, one->p50_ms, one->p75_ms, one->p90_ms, one->p95_ms, one->p99_ms,
            one->max_ms, one->per_second, one->queries, (long long)one->from_ms, one->duration_s);
    }
    for (size_t i = 0; i < evidence->timings.check_count; i++) {
        const struct timing_check *one = &evidence->timings.checks[i];
        out =
            arena_format(arena, STR_FMT "\n" STR_FMT " @%llu %s", STR_ARG(out), STR_ARG(one->name),
                         (unsigned long long)one->offset, one->breached ? "breached" : "met");
    }
    return out;
}

// Everything that is known after reading, as text: two readings are equal when these are.
static str summary(struct arena *arena, struct evidence *evidence)
{
    const struct report *report = &evidence->reports[0];
    char error[1024] = "";
    if (report->error.kind)
        (void)error_text(&report->error, error, sizeof error);
    tests_settle(&evidence->tests);
    struct coverage_totals c = coverage_totals(&evidence->coverage);
    struct test_totals t = tests_totals(&evidence->tests);
    str out = arena_format(
        arena,
        "%s %d %d%d [%s] lines %llu/%llu branches %llu/%llu files %llu tests %llu %llu %llu "
        "%llu %llu %llu",
        report->format ? report->format : "?", (int)report->kind, (int)evidence->has[0],
        (int)evidence->has[1], error, (unsigned long long)c.lines_covered,
        (unsigned long long)c.lines_total, (unsigned long long)c.branches_covered,
        (unsigned long long)c.branches_total, (unsigned long long)c.files,
        (unsigned long long)t.total, (unsigned long long)t.passed, (unsigned long long)t.failed,
        (unsigned long long)t.errors, (unsigned long long)t.skipped, (unsigned long long)t.flaky);
    for (size_t i = 0; i < report->suspicion_count; i++)
        out = arena_format(arena, STR_FMT "\n%s", STR_ARG(out), report->suspicions[i]);
    for (size_t i = 0; i < evidence->coverage.count; i++) {
        const struct covered_file *file = &evidence->coverage.files[i];
        out =
            arena_format(arena, STR_FMT "\n" STR_FMT " %llu-%llu", STR_ARG(out),
                         STR_ARG(file->reported), (unsigned long long)covered_range(file, 0)->from,
                         (unsigned long long)byte_range_end(covered_range(file, 0)));
    }
    for (size_t i = 0; i < evidence->statements.count; i++)
        out = statement_words(arena, out, &evidence->statements.items[i]);
    for (size_t i = 0; i < evidence->tests.count; i++) {
        const struct test_case *one = &evidence->tests.cases[i];
        out = arena_format(arena, STR_FMT "\n%s %d @%llu " STR_FMT, STR_ARG(out),
                           test_identity(arena, one), (int)one->result,
                           (unsigned long long)one->offset, STR_ARG(one->message));
    }
    return timings_words(arena, evidence, findings(arena, evidence, out));
}

// Reads `bytes` in pieces of at most `piece`; false when it is no report.
static bool read_in(struct evidence *evidence, str bytes, size_t piece)
{
    struct error err;
    struct report_feed *feed = report_feed_open(evidence, "input", NULL, REPORT_ANY);
    while (bytes.len) {
        str part = str_first(bytes, piece);
        report_feed_bytes(feed, part);
        bytes = str_from(bytes, part.len);
    }
    return report_feed_end(feed, NULL, &err);
}

static str read_summary(struct arena *arena, str bytes, size_t piece)
{
    struct evidence evidence = {0};
    (void)read_in(&evidence, bytes, piece);
    str out = summary(arena, &evidence);
    evidence_done(&evidence);
    return out;
}

static const struct report_reader *reader_of(const struct fixture *fixture)
{
    for (size_t i = 0; report_readers[i]; i++)
        if (strcmp(report_readers[i]->name, fixture->reader) == 0)
            return report_readers[i];
    return NULL;
}

Test(readers, each_has_fixtures_and_a_whole_table_entry)
{
    for (size_t i = 0; report_readers[i]; i++) {
        const struct report_reader *reader = report_readers[i];
        size_t good = 0, bad = 0;
        cr_expect(reader->form, "%s: neither XML nor JSON nor lines", reader->name);
        cr_expect(reader->title && reader->recognise && reader->open && reader->feed &&
                  reader->end && reader->close);
        for (size_t k = 0; k < all.count; k++)
            if (strcmp(all.items[k].reader, reader->name) == 0)
                *(all.items[k].good ? &good : &bad) += 1;
        cr_expect(good >= 3 && bad >= 3, "%s: %zu good and %zu bad fixtures", reader->name, good,
                  bad);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(report_readers[k]->name, reader->name);
    }
}

Test(readers, recognise_their_own_and_nobody_elses)
{
    for (size_t i = 0; i < all.count; i++) {
        const struct fixture *fixture = &all.items[i];
        const struct report_reader *own = reader_of(fixture);
        struct report_head head;
        report_head_look(str_first(fixture->input, 64 * 1024), true, &head);
        for (size_t k = 0; report_readers[k]; k++) {
            int score = report_readers[k]->recognise(&head);
            cr_expect(report_readers[k] == own ? score > 0 && score <= 100 : score == 0,
                      "%s gives %d to %s/%s", report_readers[k]->name, score, fixture->reader,
                      fixture->name);
        }
        report_head_done(&head);
    }
}

static uint64_t number(const struct node *totals, const char *kind, const char *group,
                       const char *key)
{
    uint64_t value = 0;
    const struct node *map = totals ? node_get(totals, kind) : NULL;
    if (map && group)
        map = node_get(map, group);
    if (map)
        (void)json_get_u64(map, key, &value);
    return value;
}

static void expect_text(const struct fixture *fixture, const char *key, const char *have)
{
    const struct node *want = node_get(fixture->expected, key);
    bool same = want->kind == NODE_NULL ? !have : have && str_is(want->text, have);
    cr_expect(same, "%s/%s: %s is `%s`, want `" STR_FMT "`", fixture->reader, fixture->name, key,
              have ? have : "null", STR_ARG(want->text));
}

static void expect_totals(const struct fixture *fixture, const struct evidence *evidence)
{
    const struct node *totals = node_get(fixture->expected, "totals");
    struct coverage_totals c = coverage_totals(&evidence->coverage);
    struct test_totals t = tests_totals(&evidence->tests);
    struct vulnerability_totals v = {0};
    if (evidence->has[EVIDENCE_VULNERABILITIES])
        v = vulnerabilities_totals(&evidence->vulnerabilities);
    const struct {
        const char *kind, *group, *key;
        uint64_t have;
    } rows[] = {
        {"coverage", "lines", "covered", c.lines_covered},
        {"coverage", "lines", "total", c.lines_total},
        {"coverage", "branches", "covered", c.branches_covered},
        {"coverage", "branches", "total", c.branches_total},
        {"tests", NULL, "total", t.total},
        {"tests", NULL, "passed", t.passed},
        {"tests", NULL, "failed", t.failed},
        {"tests", NULL, "errors", t.errors},
        {"tests", NULL, "skipped", t.skipped},
        {"tests", NULL, "flaky", t.flaky},
        {"vulnerabilities", NULL, "total", v.total},
        {"vulnerabilities", NULL, "groups", v.groups},
        {"vulnerabilities", NULL, "suppressed", v.suppressed},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(rows[i].have, number(totals, rows[i].kind, rows[i].group, rows[i].key),
                     "%s/%s: %s %s", fixture->reader, fixture->name,
                     rows[i].group ? rows[i].group : "", rows[i].key);
}

Test(readers, read_what_is_expected)
{
    for (size_t i = 0; i < all.count; i++) {
        const struct fixture *fixture = &all.items[i];
        struct evidence evidence = {0};
        (void)read_in(&evidence, fixture->input, 65536);
        const struct report *report = &evidence.reports[0];
        const struct node *suspect = node_get(fixture->expected, "suspect");
        bool failed = node_get(fixture->expected, "error")->kind != NODE_NULL;
        tests_settle(&evidence.tests);
        expect_text(fixture, "sha256", report->sha256);
        expect_text(fixture, "format", report->format);
        cr_expect_eq(report->error.kind != ERROR_NONE, failed, "%s/%s: %s", fixture->reader,
                     fixture->name, report->error.message);
        if (failed)
            cr_expect(
                str_ends(node_text(fixture->expected, "error"), str_of(report->error.message)),
                "%s/%s: %s", fixture->reader, fixture->name, report->error.message);
        expect_totals(fixture, &evidence);
        cr_assert_eq(report->suspicion_count, suspect->count, "%s/%s", fixture->reader,
                     fixture->name);
        size_t n = 0;
        for (const struct node *item = suspect->first; item; item = item->next)
            cr_expect(str_is(item->text, report->suspicions[n++]), "%s/%s", fixture->reader,
                      fixture->name);
        evidence_done(&evidence);
    }
}

Test(readers, do_not_care_where_a_piece_ends)
{
    static const size_t pieces[] = {1, 2, 7, 64, 1000};
    for (size_t i = 0; i < all.count; i++) {
        struct arena arena = {0};
        str whole = read_summary(&arena, all.items[i].input, 1 << 20);
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            str parts = read_summary(&arena, all.items[i].input, pieces[k]);
            cr_expect(str_eq(whole, parts), "%s/%s in pieces of %zu:\n" STR_FMT "\n" STR_FMT,
                      all.items[i].reader, all.items[i].name, pieces[k], STR_ARG(parts),
                      STR_ARG(whole));
        }
        arena_done(&arena);
    }
}

// A format without an end mark may end after any of its records. Where that is a line, the last
// one may lack its end.
static bool may_end_here(const struct report_reader *reader, str whole, size_t n)
{
    str bytes = str_first(whole, n), rest = str_from(whole, n);
    if (!reader->record_end)
        return false;
    str end = str_of(reader->record_end);
    if (str_is(end, "\n") && (str_starts(rest, end) || str_starts(rest, STR("\r\n"))))
        return true;
    return str_ends(bytes, end) || str_ends(str_trim(bytes), end);
}

// Near its end a file is cut everywhere, and before at a hundred places. The fuzz targets cut
// further.
static size_t stride(size_t length, size_t at)
{
    return at + 60 > length ? 1 : length / 100 + 1;
}

Test(readers, never_take_a_cut_file_for_a_whole_one)
{
    for (size_t i = 0; i < all.count; i++) {
        const struct fixture *fixture = &all.items[i];
        if (!fixture->good)
            continue;
        struct arena arena = {0};
        str whole = read_summary(&arena, fixture->input, 1 << 20);
        for (size_t n = 0; n < fixture->input.len; n += stride(fixture->input.len, n)) {
            struct arena scratch = {0};
            struct evidence evidence = {0};
            str cut = str_first(fixture->input, n);
            bool ok = read_in(&evidence, cut, 1 << 20);
            bool doubted = !ok || evidence.reports[0].suspicion_count;
            bool same = ok && str_eq(summary(&scratch, &evidence), whole);
            cr_expect(doubted || same || may_end_here(reader_of(fixture), fixture->input, n),
                      "%s/%s cut after %zu bytes of %zu passes", fixture->reader, fixture->name, n,
                      fixture->input.len);
            evidence_done(&evidence);
            arena_done(&scratch);
        }
        arena_done(&arena);
    }
}

Test(readers, refuse_what_belongs_to_others)
{
    for (size_t i = 0; i < all.count; i++) {
        for (size_t k = 0; report_readers[k]; k++) {
            const struct report_reader *reader = report_readers[k];
            struct evidence evidence = {0};
            struct reading *reading;
            struct error err = {0};
            uint32_t index;
            if (reader == reader_of(&all.items[i]))
                continue;
            (void)evidence_report(&evidence, "input", NULL, &index);
            cr_assert(reader->open(&evidence, index, &reading, &err));
            bool ok =
                (all.items[i].input.len == 0 || reader->feed(reading, all.items[i].input, &err)) &&
                reader->end(reading, &err);
            reader->close(reading);
            cr_expect(!ok || evidence.reports[0].suspicion_count, "%s reads %s/%s", reader->name,
                      all.items[i].reader, all.items[i].name);
            cr_expect(ok || err.message[0]);
            evidence_done(&evidence);
        }
    }
}

// Any byte changed: an answer or an error with a sentence, never a crash, and nothing left behind.
Test(readers, survive_any_changed_byte)
{
    unsigned random = 20261122;
    for (size_t i = 0; i < all.count; i++) {
        struct arena arena = {0};
        char *copy = arena_alloc(&arena, all.items[i].input.len + 1);
        for (int round = 0; round < 60 && all.items[i].input.len; round++) {
            struct evidence evidence = {0};
            memcpy(copy, all.items[i].input.data, all.items[i].input.len);
            for (int k = 0; k <= round % 4; k++) {
                random = random * 1103515245U + 12345U;
                copy[(random >> 8) % all.items[i].input.len] = (char)(random >> 24);
            }
            if (!read_in(&evidence, str_make(copy, all.items[i].input.len), 100)) {
                cr_expect(evidence.reports[0].error.message[0]);
                cr_expect_eq(evidence.coverage.count, 0);
                cr_expect_eq(evidence.tests.count, 0);
                cr_expect_eq(evidence.vulnerabilities.count, 0);
                cr_expect_not(evidence.has[EVIDENCE_VULNERABILITIES]);
                cr_expect_not(evidence.has[EVIDENCE_COVERAGE] || evidence.has[EVIDENCE_TESTS]);
            }
            evidence_done(&evidence);
        }
        arena_done(&arena);
    }
}

// The same report twice, then a copy that differs in a byte that means nothing: sums stay.
Test(readers, count_the_same_evidence_once)
{
    for (size_t i = 0; i < all.count; i++) {
        struct arena arena = {0};
        struct evidence evidence = {0}, once = {0};
        if (!all.items[i].good)
            continue;
        str again = arena_format(&arena, STR_FMT "\n", STR_ARG(all.items[i].input));
        cr_assert(read_in(&once, all.items[i].input, 1 << 20));
        cr_assert(read_in(&evidence, all.items[i].input, 1 << 20));
        cr_assert(read_in(&evidence, all.items[i].input, 1 << 20));
        cr_expect(evidence.reports[1].duplicate);
        cr_assert(read_in(&evidence, again, 1 << 20));
        cr_expect_not(evidence.reports[2].duplicate);
        tests_settle(&once.tests);
        tests_settle(&evidence.tests);
        struct coverage_totals a = coverage_totals(&once.coverage);
        struct coverage_totals b = coverage_totals(&evidence.coverage);
        struct test_totals c = tests_totals(&once.tests), d = tests_totals(&evidence.tests);
        cr_expect(memcmp(&a, &b, sizeof a) == 0 && memcmp(&c, &d, sizeof c) == 0, "%s/%s",
                  all.items[i].reader, all.items[i].name);
        evidence_done(&evidence);
        evidence_done(&once);
        arena_done(&arena);
    }
}
