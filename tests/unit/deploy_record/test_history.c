// What a recorded run leaves behind, and what a later one reads of it.
#include "scene.h"

#include "deploy/record/baseline.h"
#include "deploy/record/history.h"
#include "deploy/record/releases.h"
#include "deploy/record/review_due.h"
#include "deploy/record/verify.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct scene s;
static struct ledger *ledger;
static struct gate gate;
static struct gate_demands demands;
static int64_t at_ms;

static void start(void)
{
    scene_open(&s);
    ledger = scene_ledger(&s, NULL, NULL, NULL);
    at_ms = civil_to_days(2027, 1, 10) * MS_DAY;
}

static void clear(void)
{
    gate_done(&gate);
    gate = (struct gate){0};
    demands = (struct gate_demands){0};
    gate.input.evidence = &gate.evidence;
    gate.input.demands = &demands;
    gate.decision.findings.arena = &s.arena;
    gate.decision.evidence = &gate.evidence;
}

static void done(void)
{
    gate_done(&gate);
    ledger_close(ledger);
    scene_close(&s);
}

TestSuite(history, .init = start, .fini = done);

static void has(enum evidence_kind kind)
{
    uint32_t index;
    evidence_report(&gate.evidence, "report", NULL, &index)->kind = kind;
    gate.evidence.has[kind] = true;
}

static void add_test(const char *name, enum test_result result)
{
    struct test_case one = {.suite = STR("s"), .name = str_of(name), .result = result};
    if (!gate.evidence.has[EVIDENCE_TESTS])
        has(EVIDENCE_TESTS);
    cr_assert(tests_add(&gate.evidence, &one, &s.err));
}

static void add_flaw(const char *id, const char *alias, bool suppressed)
{
    str name = str_of(alias);
    struct vulnerability one = {.id = str_of(id),
                                .aliases = &name,
                                .alias_count = alias != NULL,
                                .cvss = SCORE_UNKNOWN,
                                .epss = SCORE_UNKNOWN,
                                .suppressed = suppressed};
    if (!gate.evidence.has[EVIDENCE_VULNERABILITIES])
        has(EVIDENCE_VULNERABILITIES);
    cr_assert(vulnerability_add(&gate.evidence, &one, &s.err));
}

static void add_timing(const char *name, double p95_ms)
{
    struct timing one = timing_unknown(str_of(name));
    one.p95_ms = p95_ms;
    if (!gate.evidence.has[EVIDENCE_TIMINGS])
        has(EVIDENCE_TIMINGS);
    cr_assert(timing_add(&gate.evidence, &one, &s.err));
}

static void add_file(const char *path, uint32_t covered, uint32_t total)
{
    if (!gate.evidence.has[EVIDENCE_COVERAGE])
        has(EVIDENCE_COVERAGE);
    struct covered_file *file = coverage_file(&gate.evidence, str_of(path));
    for (uint32_t line = 1; line <= total; line++)
        cr_assert(coverage_line(&gate.evidence, file, line, line <= covered, &s.err));
    file->path = file->reported;
}

// Writes the gate as a run of the default branch, a day after the one before.
static struct baseline_written record(const char *commit, enum verdict verdict)
{
    struct ledger_entry entry;
    struct baseline_written written;
    char body[256], id[EVENT_ID];
    gate.decision.commit = commit;
    gate.decision.verdict = gate.decision.would_be = verdict;
    gate.decision.time_ms = at_ms;
    at_ms += MS_DAY;
    tests_settle(&gate.evidence.tests);
    (void)snprintf(body, sizeof body, "{\"decision\":\"%s\",\"commit\":\"%s\"}",
                   verdict_name(verdict), commit);
    cr_assert(gate_record_write(ledger, str_of(body), NULL, 0, &entry, &s.err), "%s",
              s.err.message);
    memcpy(id, entry.id, sizeof id);
    struct baseline_run run = {.gate = &gate, .branch = "main", .decided = id};
    cr_assert(baseline_write(ledger, &run, &written, &s.err), "%s", s.err.message);
    return written;
}

static struct history load(const char *commit)
{
    struct history history;
    struct history_request request = {.commit = commit};
    cr_assert(history_load(ledger, &s.arena, &request, &history, &s.err), "%s", s.err.message);
    return history;
}

static void verify(void)
{
    struct verify_result result;
    struct verify_request request = {.where = {.folder = s.work, .branch = "release-ledger"}};
    cr_assert(ledger_verify(&request, &s.arena, &result, &s.err), "%s", s.err.message);
    cr_expect_null(result.bad, "%s: %s", result.bad, result.why);
}

Test(history, an_empty_ledger_has_no_baseline_and_says_why)
{
    struct history history = load(COMMIT_A);
    cr_expect_null(history.baseline);
    cr_expect_not_null(history.baseline_unknown);
    cr_expect_null(history.before_commit);
    cr_expect_eq(history.seen_count + history.flaky_count + history.review_count, 0);
}

Test(history, a_run_that_passed_comes_back_as_it_was)
{
    clear();
    add_test("good", TEST_PASSED);
    add_test("bad", TEST_FAILED);
    add_test("odd", TEST_ERROR);
    add_test("off", TEST_SKIPPED);
    add_test("maybe", TEST_FLAKY);
    add_file("a.py", 3, 4);
    add_timing("GET /", 12.5);
    struct baseline_written written = record(COMMIT_A, VERDICT_WARN);
    cr_expect(written.passed);
    cr_expect_not(written.cut);
    verify();

    struct history history = load(COMMIT_B);
    const struct baseline *baseline = history.baseline;
    cr_assert_not_null(baseline);
    cr_expect_str_eq(baseline->commit, COMMIT_A);
    cr_expect_eq(baseline->time_ms, at_ms - MS_DAY);
    cr_expect_eq(baseline->lines_covered, 3);
    cr_expect_eq(baseline->lines_total, 4);
    cr_expect_eq(baseline->test_totals.total, 5);
    cr_expect_eq(baseline->test_totals.flaky, 1);
    cr_expect_eq(baseline->test_count, 5);
    cr_expect_not(baseline->tests_cut);
    static const struct {
        const char *identity;
        enum test_result result;
    } rows[] = {{"s › bad", TEST_FAILED},
                {"s › good", TEST_PASSED},
                {"s › maybe", TEST_FLAKY},
                {"s › odd", TEST_ERROR},
                {"s › off", TEST_SKIPPED}};
    for (size_t i = 0; i < 5; i++) {
        const struct history_test *test = history_test(&history, str_of(rows[i].identity));
        cr_assert_not_null(test, "%s", rows[i].identity);
        cr_expect_eq(test->result, rows[i].result, "%s", rows[i].identity);
    }
    cr_assert_eq(baseline->timing_count, 1);
    cr_expect_eq(baseline->timings[0].p95_ms, 12.5);
    cr_expect(isnan(baseline->timings[0].p50_ms), "not said");
    cr_expect(history_failed_before(&history, STR("s › bad")));
    cr_expect(history_failed_before(&history, STR("s › odd")));
    cr_expect_not(history_failed_before(&history, STR("s › good")));
}

Test(history, what_the_policy_ignores_is_not_in_the_baseline)
{
    static str ignore[] = {STR_INIT("generated/**")};
    struct coverage_demands coverage = {.ignore = {ignore, 1}};
    clear();
    demands.coverage = &coverage;
    add_file("a.py", 3, 4);
    add_file("generated/b.py", 0, 100);
    record(COMMIT_A, VERDICT_PASS);
    cr_expect_eq(load(COMMIT_B).baseline->lines_total, 4);
}

Test(history, a_blocked_run_is_no_baseline_but_what_it_found_was_there)
{
    clear();
    add_test("good", TEST_PASSED);
    record(COMMIT_A, VERDICT_PASS);
    clear();
    add_test("good", TEST_FAILED);
    struct finding *finding = finding_add(&gate.decision.findings, "tests", VERDICT_BLOCK, "t.z");
    finding->judged = VERDICT_BLOCK;
    finding->have = "3/4";
    finding = finding_add(&gate.decision.findings, "tests", VERDICT_PASS, "t.a");
    finding->judged = VERDICT_HOLD; // waived
    finding = finding_add(&gate.decision.findings, "tests", VERDICT_PASS, "t.b");
    finding->judged = VERDICT_PASS;
    cr_expect_not(record(COMMIT_B, VERDICT_BLOCK).passed);
    verify();

    struct history history = load("c");
    cr_expect_str_eq(history.baseline->commit, COMMIT_A);
    cr_expect_str_eq(history.before_commit, COMMIT_B);
    cr_assert_eq(history.before_count, 2);
    cr_expect_str_eq(history_before(&history, "t.z")->have, "3/4");
    cr_expect_eq(history_before(&history, "t.a")->verdict, VERDICT_HOLD, "before the waiver");
    cr_expect_null(history_before(&history, "t.b"));
    // The commit that is judged cannot inherit from itself.
    history = load(COMMIT_B);
    cr_expect_str_eq(history.before_commit, COMMIT_A);
    cr_expect_eq(history.before_count, 0);
}

Test(history, enforcement_that_is_off_makes_no_baseline)
{
    clear();
    add_test("bad", TEST_FAILED);
    gate.decision.commit = COMMIT_A;
    gate.decision.verdict = VERDICT_WARN;
    gate.decision.would_be = VERDICT_BLOCK;
    struct baseline_run run = {
        .gate = &gate, .branch = "main", .decided = "00000000000000000000000000000000"};
    struct baseline_written written;
    cr_assert(baseline_write(ledger, &run, &written, &s.err));
    cr_expect_not(written.passed);
    cr_expect_null(load(COMMIT_B).baseline);
}

Test(history, a_vulnerability_is_seen_first_once_under_every_name)
{
    clear();
    add_flaw("GHSA-AAAA", "CVE-2027-1", false);
    add_flaw("CVE-2027-9", NULL, true);
    cr_expect_eq(record(COMMIT_A, VERDICT_BLOCK).seen, 2);
    int64_t first = at_ms - MS_DAY;
    clear();
    add_flaw("CVE-2027-1", "PYSEC-2027-1", false);
    add_flaw("CVE-2027-2", NULL, false);
    cr_expect_eq(record(COMMIT_B, VERDICT_PASS).seen, 2);
    cr_expect_eq(record(COMMIT_B, VERDICT_PASS).seen, 0, "nothing is new: nothing is written");
    verify();
    struct history history = load("c");
    cr_expect_eq(history.seen_count, 4);
    cr_expect_eq(history_first_seen(&history, STR("cve-2027-1")), first);
    cr_expect_eq(history_first_seen(&history, STR("ghsa-AAAA")), first);
    cr_expect_eq(history_first_seen(&history, STR("PYSEC-2027-1")), first + MS_DAY);
    cr_expect_eq(history_first_seen(&history, STR("CVE-2027-2")), first + MS_DAY);
    cr_expect_eq(history_first_seen(&history, STR("CVE-2027-9")), 0, "suppressed");
}

Test(history, timings_are_of_passed_runs_newest_first_and_only_what_the_newest_has)
{
    clear();
    add_timing("GET /", 1);
    add_timing("GET /old", 1);
    record(COMMIT_A, VERDICT_PASS);
    clear();
    add_timing("GET /", 99);
    record(COMMIT_A, VERDICT_BLOCK);
    clear();
    add_timing("GET /", 2);
    add_timing("GET /", 3);
    record(COMMIT_B, VERDICT_PASS);
    clear();
    record(COMMIT_B, VERDICT_PASS); // without a load test
    struct history history = load("c");
    static const double want[] = {2, 3, 1};
    cr_assert_eq(history.baseline->timing_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(history.baseline->timings[i].p95_ms, want[i]);
}

Test(history, flaky_tests_are_counted_over_twenty_runs)
{
    for (int i = 0; i < 25; i++) {
        clear();
        add_test("a", i % 2 ? TEST_FLAKY : TEST_PASSED);
        add_test("b", i < 5 ? TEST_FLAKY : TEST_PASSED); // too long ago
        record(COMMIT_A, VERDICT_PASS);
    }
    struct history history = load(COMMIT_B);
    cr_assert_eq(history.flaky_count, 1);
    cr_expect(str_is(history.flaky[0].identity, "s › a"));
    cr_expect_eq(history.flaky[0].flaky, 10);
    cr_expect_eq(history.flaky[0].runs, 20);
}

Test(history, very_many_tests_are_cut_and_failing_ones_stay)
{
    char name[256];
    clear();
    for (int i = 0; i < 40000; i++) {
        (void)snprintf(name, sizeof name, "%05d %0100d", i, i);
        add_test(name, i == 39999 ? TEST_FAILED : TEST_PASSED);
    }
    struct baseline_written written = record(COMMIT_A, VERDICT_WARN);
    cr_expect(written.cut);
    struct history history = load(COMMIT_B);
    cr_expect(history.baseline->tests_cut);
    cr_expect_eq(history.baseline->test_totals.total, 40000);
    cr_expect_lt(history.baseline->test_count, 40000);
    (void)snprintf(name, sizeof name, "s › %05d %0100d", 39999, 39999);
    cr_assert_not_null(history_test(&history, str_of(name)), "failing ones are kept first");
    verify();
}

// What is written can be read: a tree has fewer nodes than short names fit into its bytes.
Test(history, very_many_short_names_stay_readable)
{
    static const enum test_result kinds[] = {TEST_FAILED, TEST_FLAKY, TEST_PASSED};
    char name[16];
    clear();
    for (int i = 0; i < 120000; i++) {
        (void)snprintf(name, sizeof name, "%x", (unsigned)i);
        add_test(name, kinds[i % 3]);
    }
    for (int i = 0; i < 15000; i++) {
        (void)snprintf(name, sizeof name, "%x", (unsigned)i);
        add_timing(name, i);
        struct finding *one =
            finding_add(&gate.decision.findings, "tests", VERDICT_WARN, "f.%d", i);
        one->judged = VERDICT_WARN;
    }
    cr_expect(record(COMMIT_A, VERDICT_WARN).cut);
    struct history history = load(COMMIT_B);
    cr_expect(history.baseline->tests_cut);
    cr_expect_gt(history.baseline->test_count, 50000);
    cr_expect_gt(history.before_count, 5000);
    cr_expect_gt(history.failed_before_count, 5000);
    cr_expect_gt(history.baseline->timing_count, 5000);
    verify();
}

static void open_incident(const char *severity, int64_t opened_ms)
{
    char moment[MOMENT_TEXT], body[256];
    (void)snprintf(body, sizeof body, "{\"severity\":\"%s\",\"opened\":\"%s\",\"commit\":\"abc\"}",
                   severity, moment_format(opened_ms, moment));
    struct event event = {
        .stream = STREAM_INCIDENT, .type = STR("incident.opened"), .body = str_of(body)};
    cr_assert(ledger_append(ledger, &event, NULL, &s.err), "%s", s.err.message);
}

Test(history, incidents_whose_severity_needs_a_review)
{
    open_incident("P3", at_ms);
    open_incident("P2", at_ms);
    open_incident("P1", at_ms + 1);
    struct history history;
    struct history_request request = {.review_within_ms = {5 * MS_DAY, 10 * MS_DAY},
                                      .reviews = STR("docs/incidents")};
    cr_assert(history_load(ledger, &s.arena, &request, &history, &s.err), "%s", s.err.message);
    cr_assert_eq(history.review_count, 2);
    cr_expect(str_is(history.reviews[0].incident, "INC-2"));
    cr_expect(str_is(history.reviews[0].path, "docs/incidents/INC-2.md"));
    cr_expect_eq(history.reviews[0].due_ms, at_ms + 10 * MS_DAY);
    cr_expect(str_is(history.reviews[1].severity, "P1"));
    cr_expect_eq(history.reviews[1].due_ms, at_ms + 1 + 5 * MS_DAY);
    cr_expect_not(history.reviews[0].done);
    cr_assert_eq(history.incident_count, 3, "also those that need no review");
    cr_expect(str_is(history.incidents[0].incident, "INC-1"));
    cr_expect(str_is(history.incidents[2].commit, "abc"));
    cr_expect_eq(history.incidents[2].opened_ms, at_ms + 1);
}

static void release_in_emergency(const char *severity, const char *incident, int64_t within_ms)
{
    struct plan plan = {.release = STR("v2"),
                        .commit = STR("abc"),
                        .rollout =
                            arena_format(&s.arena, "v2-%s-%lld", incident, (long long)within_ms),
                        .emergency = {.severity = str_of(severity),
                                      .incident = str_of(incident),
                                      .reason = STR("fire"),
                                      .review_within_ms = within_ms}};
    cr_assert(review_due_append(ledger, &s.arena, &plan, at_ms, &s.err), "%s", s.err.message);
}

Test(history, an_emergency_release_owes_a_review)
{
    struct history history;
    struct history_request request = {.review_within_ms = {5 * MS_DAY},
                                      .reviews = STR("docs/incidents")};
    open_incident("P1", at_ms);
    size_t before = ledger_count(ledger);
    release_in_emergency("", "nothing", MS_DAY); // an ordinary one owes nothing
    cr_expect_eq(ledger_count(ledger), before);
    release_in_emergency("P4", "PD-1234", 3 * MS_DAY); // of any severity
    release_in_emergency("P1", "PD-1234", 4 * MS_DAY); // the same incident: one review
    release_in_emergency("P1", "INC-1", MS_DAY);       // which the ledger knows
    cr_assert(history_load(ledger, &s.arena, &request, &history, &s.err), "%s", s.err.message);
    cr_assert_eq(history.review_count, 2);
    cr_expect_eq(history.incident_count, 1, "it opens none");
    cr_expect(str_is(history.reviews[0].incident, "INC-1"));
    cr_expect_eq(history.reviews[0].due_ms, at_ms + 5 * MS_DAY);
    cr_expect(str_is(history.reviews[1].incident, "PD-1234"));
    cr_expect(str_is(history.reviews[1].path, "docs/incidents/PD-1234.md"));
    cr_expect(str_is(history.reviews[1].severity, "P4"));
    cr_expect_eq(history.reviews[1].due_ms, at_ms + 3 * MS_DAY);
    cr_expect_not(history.reviews[1].done);
}

Test(history, when_a_review_is_done)
{
    static const struct {
        const char *text;
        bool done;
    } rows[] = {
        {"# Root cause\n# Timeline\n# Prevention\n", true},
        {"###### prevention ######\r\n## TIMELINE:\r\n# root CAUSE\r\n", true},
        {"#Root cause\n#Timeline\n#Prevention", true},
        {"# Root cause\n# Timeline\n", false},
        {"Root cause\nTimeline\nPrevention\n", false},
        {"# Root cause of it\n# Timeline\n# Prevention\n", false},
        {"####### Root cause\n# Timeline\n# Prevention\n", false},
        {"# Root cause Timeline Prevention\n", false},
        {"", false},
        {"#\n##\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(history_review_done(str_of(rows[i].text)), rows[i].done, "row %zu", i);
}

Test(history, figures_of_the_newest_runs_oldest_first)
{
    char body[256];
    struct arena own = {0};
    for (int i = 0; i < HISTORY_TREND + 3; i++) {
        (void)snprintf(body, sizeof body,
                       "{\"commit\":\"c%d\",\"decision\":\"pass\",\"findings\":[],\"figures\":"
                       "{\"lines_covered\":%d,\"lines_total\":100,\"failed\":0}}",
                       i, i);
        struct event event = {
            .stream = STREAM_GATE, .type = STR("gate.observed"), .body = str_of(body)};
        struct error err;
        cr_assert(ledger_append(ledger, &event, NULL, &err), "%s", err.message);
    }
    struct history history;
    struct error err;
    cr_assert(
        history_load(ledger, &own, &(struct history_request){.commit = "c14"}, &history, &err),
        "%s", err.message);
    cr_assert_eq(history.trend_count, HISTORY_TREND);
    cr_expect_eq(history.trend[0].lines_covered, 2);
    cr_expect_eq(history.trend[HISTORY_TREND - 1].lines_covered, 13, "that of the commit itself");
    cr_expect(history.trend[0].has_coverage && !history.trend[0].has_tests &&
              !history.trend[0].has_risks);
    arena_done(&own);
}

Test(history, what_makes_no_sense_is_an_error_and_not_an_empty_history)
{
    static const struct {
        enum event_stream stream;
        const char *type, *body;
    } rows[] = {
        {STREAM_BASELINE, "baseline.recorded", "{}"},
        {STREAM_BASELINE, "baseline.recorded", "{\"commit\":\"a\",\"coverage\":{\"covered\":1}}"},
        {STREAM_BASELINE, "baseline.recorded", "{\"commit\":\"a\",\"tests\":{\"total\":1}}"},
        {STREAM_GATE, "gate.observed", "{}"},
        {STREAM_GATE, "gate.observed", "{\"decision\":\"maybe\"}"},
        {STREAM_GATE, "gate.observed", "{\"decision\":\"pass\",\"findings\":[{\"id\":\"a\"}]}"},
        {STREAM_INCIDENT, "incident.opened", "{\"severity\":\"P9\"}"},
        {STREAM_INCIDENT, "incident.opened", "{}"},
        {STREAM_INCIDENT, "incident.review-due", "{}"},
        {STREAM_INCIDENT, "incident.review-due", "{\"incident\":\"a\",\"due\":\"soon\"}"},
        {STREAM_INCIDENT, "incident.review-due",
         "{\"incident\":\"../a\",\"due\":\"2027-01-01T00:00:00Z\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        done();
        start();
        struct event event = {
            .stream = rows[i].stream, .type = str_of(rows[i].type), .body = str_of(rows[i].body)};
        struct history history;
        struct history_request request = {.review_within_ms = {MS_DAY, MS_DAY, MS_DAY, MS_DAY}};
        cr_assert(ledger_append(ledger, &event, NULL, &s.err));
        cr_expect_not(history_load(ledger, &s.arena, &request, &history, &s.err), "row %zu", i);
        cr_expect_eq(s.err.kind, ERROR_INPUT, "row %zu: %s", i, s.err.message);
        clear();
    }
}
