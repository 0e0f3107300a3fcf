// Rule `performance`: times, increases, queries, failures, checks, the soak test.
#include "world.h"

#include <math.h>
#include <stdio.h>

static struct history history;
static struct baseline baseline;
static struct history_timing before[64];

static void init(void)
{
    world_init();
    history = (struct history){.baseline_unknown = "no run of main was recorded"};
    baseline = (struct baseline){.timings = before};
}

TestSuite(performance, .init = init, .fini = world_done);

static struct timing row(const char *name, double p95)
{
    struct timing one = timing_unknown(str_of(name));
    one.p95_ms = p95;
    return one;
}

// A report of its own for each run.
static void add(struct timing one)
{
    struct error err;
    char path[32];
    (void)snprintf(path, sizeof path, "run-%zu.json", world.evidence.report_count);
    one.report = (uint32_t)world.evidence.report_count;
    (void)world_report(EVIDENCE_TIMINGS, arena_copy(&world.arena, str_of(path)));
    cr_assert(timing_add(&world.evidence, &one, &err), "%s", err.message);
}

static void add_runs(const char *name, const double *p95, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(row(name, p95[i]));
}

static void remember(const char *name, const double *p95, size_t count)
{
    world.input.history = &history;
    history.baseline = &baseline;
    for (size_t i = 0; i < count; i++)
        before[baseline.timing_count++] =
            (struct history_timing){str_of(name), NAN, p95[i], NAN, NAN, NAN, 100};
}

static void expect(const char *id, enum verdict verdict, const char *words)
{
    const struct finding *finding = world_finding(id);
    cr_expect(finding->verdict == verdict, "%s: %s, want %s: %s", id,
              verdict_name(finding->verdict), verdict_name(verdict), finding->message);
    cr_expect(strstr(finding->message, words), "\"%s\" is not in: %s", words, finding->message);
}

Test(performance, a_limit_is_kept_exactly)
{
    static const struct {
        double ms;
        enum verdict want;
        const char *have;
    } rows[] = {{299.9, VERDICT_PASS, "299.9 ms"},
                {300, VERDICT_PASS, "300 ms"},
                {300.0001, VERDICT_BLOCK, "300.001 ms"}, // rounded up: never shown as its limit
                {1e9, VERDICT_BLOCK, "1000000000 ms"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_init();
        world_demand("performance: {endpoints: {\"GET /x\": {p95: 300ms}}}");
        add(row("GET /x", rows[i].ms));
        world_judge();
        expect("performance.endpoint[GET /x].p95", rows[i].want, "300 ms allowed");
        cr_expect_str_eq(world_finding("performance.endpoint[GET /x].p95")->have, rows[i].have);
        if (i + 1 < sizeof rows / sizeof *rows)
            world_done();
    }
}

Test(performance, several_runs_are_judged_by_their_median)
{
    world_demand("performance: {endpoints: {\"GET /x\": {p95: 300ms}}}");
    add_runs("GET /x", (const double[]){250, 900, 280}, 3);
    world_judge();
    expect("performance.endpoint[GET /x].p95", VERDICT_PASS, "280 ms (median of 3 runs)");
}

Test(performance, what_no_report_says_is_missing)
{
    world_demand("performance: {endpoints: {\"GET /x\": {p99: 1s, queries: 3, error_rate: 1%}}}");
    add(row("GET /x", 10));
    world_judge();
    expect("performance.endpoint[GET /x].p99", VERDICT_BLOCK, "No report says `p99`");
    expect("performance.endpoint[GET /x].queries", VERDICT_BLOCK, "No report says `queries`");
    expect("performance.endpoint[GET /x].error_rate", VERDICT_BLOCK, "No report says");
}

Test(performance, an_endpoint_that_is_not_tested_is_missing)
{
    world_demand("performance: {endpoints: {\"GET /gone\": 1s, \"POST /**\": 1s}}");
    add(row("GET /x", 10));
    world_judge();
    expect("performance.endpoint[GET /gone].missing", VERDICT_BLOCK, "there are: GET /x");
    expect("performance.endpoint[POST /**].missing", VERDICT_BLOCK, "POST /**");
}

Test(performance, the_most_specific_demand_wins)
{
    world_demand("performance: {endpoints: {\"GET /**\": 1s, \"GET /a/**\": 50ms, "
                 "\"GET /a/b\": 20ms, all: 9s}}");
    add(row("GET /a/b", 30));
    add(row("GET /a/c", 30));
    add(row("GET /z", 30));
    add(row("", 30));
    world_judge();
    expect("performance.endpoint[GET /a/b].p95", VERDICT_BLOCK, "20 ms allowed");
    expect("performance.endpoint[GET /a/c].p95", VERDICT_PASS, "50 ms allowed");
    expect("performance.endpoint[GET /z].p95", VERDICT_PASS, "1000 ms allowed");
    expect("performance.endpoint[all requests].p95", VERDICT_PASS, "9000 ms allowed");
}

Test(performance, queries_in_a_loop_are_found)
{
    struct timing one = row("GET /x", 10);
    world_demand("performance: {endpoints: {\"GET /x\": {queries: 12}}}");
    one.queries = 12;
    add(one);
    one.queries = 112;
    add(one);
    remember("GET /x", (const double[]){10}, 1);
    before[0].queries = 12;
    world_judge();
    expect("performance.endpoint[GET /x].queries", VERDICT_BLOCK,
           "made 112 database queries, 12 allowed; the baseline had 12");
}

Test(performance, failures_are_compared_exactly)
{
    static const struct {
        uint64_t failures, requests;
        enum verdict want;
    } rows[] = {{10, 1000, VERDICT_PASS},
                {11, 1000, VERDICT_BLOCK},
                {0, 1, VERDICT_PASS},
                {1, 99, VERDICT_BLOCK},
                {100, 10001, VERDICT_PASS}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timing one = row("GET /x", 10);
        world_init();
        world_demand("performance: {endpoints: {\"GET /x\": {error_rate: 1%}}}");
        one.counted = true;
        one.requests = rows[i].requests;
        one.failures = rows[i].failures;
        add(one);
        world_judge();
        expect("performance.endpoint[GET /x].error_rate", rows[i].want, "failed, 1% allowed");
        if (i + 1 < sizeof rows / sizeof *rows)
            world_done();
    }
}

Test(performance, no_baseline_is_said)
{
    world_demand("performance: {endpoints: {\"GET /x\": {max_increase: 10%}}}");
    add(row("GET /x", 10));
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_WARN, "There is no baseline");
}

Test(performance, why_there_is_no_baseline_is_said)
{
    world_demand("performance: {endpoints: {\"GET /x\": {max_increase: 10%}}}");
    add(row("GET /x", 10));
    world.input.history = &history;
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_WARN, "no run of main was recorded");
}

Test(performance, a_new_endpoint_has_no_baseline)
{
    world_demand("performance: {endpoints: {\"GET /x\": {max_increase: 10%}}}");
    add(row("GET /x", 10));
    add(row("GET /old", 10));
    remember("GET /old", (const double[]){10}, 1);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_WARN, "it is new");
}

Test(performance, medians_are_compared_strictly)
{
    static const struct {
        double now;
        enum verdict want;
        const char *words;
    } rows[] = {{110, VERDICT_PASS, "a change of 10.0 %"},
                {110.001, VERDICT_BLOCK, "a change of 10.1 %, 10% allowed"},
                {90, VERDICT_PASS, "a change of -10.0 %"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        init();
        world_demand("performance: {endpoints: {\"GET /x\": {max_increase: 10%}}}");
        add(row("GET /x", rows[i].now));
        remember("GET /x", (const double[]){80, 100, 130}, 3);
        world_judge();
        expect("performance.endpoint[GET /x].increase", rows[i].want, rows[i].words);
        if (i + 1 < sizeof rows / sizeof *rows)
            world_done();
    }
}

static const double quiet[] = {100, 101, 99, 100.5, 99.5, 101.5, 98.5, 100.2};
static const double slower[] = {121, 119, 120, 120.5, 119.5, 121.5, 118.5, 120.2};
static const double noisy[] = {60, 140, 100, 85, 115, 75, 125, 95};
static const char tested[] = "performance: {endpoints: {\"GET /x\": {max_increase: 10%, compare: "
                             "mann-whitney}}}";

Test(performance, a_proven_increase_blocks)
{
    world_demand(tested);
    add_runs("GET /x", slower, 8);
    remember("GET /x", quiet, 8);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_BLOCK, "p95 of GET /x changed by 20.");
}

Test(performance, no_increase_that_could_be_seen_passes)
{
    world_demand(tested);
    add_runs("GET /x", quiet, 8);
    remember("GET /x", quiet, 8);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_PASS, "8 runs can see 10%");
}

Test(performance, noise_that_hides_an_increase_is_said)
{
    world_demand(tested);
    add_runs("GET /x", noisy, 8);
    remember("GET /x", noisy, 8);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_WARN, "8 runs cannot see 10%");
}

Test(performance, too_few_runs_hold)
{
    world_demand(tested);
    add_runs("GET /x", slower, 3);
    remember("GET /x", quiet, 8);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_HOLD,
           "there are 3 runs of this commit and 8 of the baseline, 8 of each are asked for");
}

Test(performance, a_single_run_sees_nothing)
{
    world_demand(tested);
    add_runs("GET /x", slower, 1);
    remember("GET /x", quiet, 8);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_HOLD,
           "1 run cannot tell an increase however large from chance");
}

// A hold here would be for ever: the baseline grows only with what passes.
Test(performance, a_short_record_warns)
{
    world_demand(tested);
    add_runs("GET /x", slower, 8);
    remember("GET /x", quiet, 4);
    world_judge();
    expect("performance.endpoint[GET /x].increase", VERDICT_WARN, "8 runs of this commit and 4");
}

Test(performance, what_vanished_is_said)
{
    world_demand("performance: {endpoints: {\"GET /a/**\": 1s}}");
    add(row("GET /a/1", 10));
    remember("GET /a/1", (const double[]){10}, 1);
    remember("GET /a/2", (const double[]){10, 11}, 2);
    remember("GET /z", (const double[]){10}, 1);
    world_judge();
    expect("performance.vanished[GET /a/2]", VERDICT_BLOCK, "the policy asks for it (`GET /a/**`)");
    expect("performance.vanished[GET /z]", VERDICT_WARN, "no load test has it any more");
    cr_expect_null(finding_find(&world.findings, "performance.vanished[GET /a/1]"));
}

Test(performance, thresholds_of_the_tool_count)
{
    struct error err;
    world_demand("performance: {}");
    add(row("", 10));
    add(row("", 10));
    for (uint32_t i = 0; i < 2; i++) {
        struct timing_check met = {STR("p(99)<1000"), false, i, 1};
        struct timing_check one = {STR("p(95)<300"), i == 1, i, 1};
        cr_assert(timing_check_add(&world.evidence, &met, &err));
        cr_assert(timing_check_add(&world.evidence, &one, &err));
    }
    world_judge();
    expect("performance.check[p(95)<300]", VERDICT_BLOCK, "does not hold, in run-1.json");
    expect("performance.check[p(99)<1000]", VERDICT_PASS, "holds");
}

Test(performance, the_soak_test_must_last)
{
    static const struct {
        double seconds;
        uint64_t failures;
        enum verdict lasted, failed;
    } rows[] = {{7200, 0, VERDICT_PASS, VERDICT_PASS},
                {7199.9999, 10, VERDICT_PASS, VERDICT_PASS}, // the tools round to a millisecond
                {7199.99, 11, VERDICT_BLOCK, VERDICT_BLOCK}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timing one = row("", 10), short_one = row("", 10);
        world_init();
        world_demand("performance: {soak_test: {duration: 2h, error_rate: 0.1%}}");
        short_one.duration_s = 60;
        one.duration_s = rows[i].seconds;
        one.counted = true;
        one.requests = 10000;
        one.failures = rows[i].failures;
        add(short_one);
        add(one);
        world_judge();
        expect("performance.soak.duration", rows[i].lasted, "2 h are asked for");
        expect("performance.soak.error_rate", rows[i].failed, "of 10000 requests");
        if (i + 1 < sizeof rows / sizeof *rows)
            world_done();
    }
}

Test(performance, a_soak_test_of_unknown_length_is_missing)
{
    world_demand("performance: {soak_test: 2h}");
    add(row("", 10));
    world_judge();
    expect("performance.soak.duration", VERDICT_BLOCK, "says how long it ran");
}

Test(performance, nothing_is_said_that_was_not_asked_for)
{
    add(row("GET /x", 10));
    world_judge();
    cr_expect(world.findings.count == 0);
}

static void expect_problem(const char *yaml, const char *words)
{
    struct problems problems = {.arena = &world.arena};
    cr_expect(
        !shape_bind(&world.arena, &gate_demands_shape, world_yaml(yaml), &world.demands, &problems),
        "%s is taken", yaml);
    cr_assert(problems.count, "%s", yaml);
    cr_expect(strstr(problems.items[0].message, words), "%s", problems.items[0].message);
    cr_expect(problems.items[0].at.line == 1);
}

Test(performance, bad_demands_are_refused)
{
    expect_problem("performance: {endpoints: {a: {}}}", "demands nothing");
    expect_problem("performance: {endpoints: {a: {p95: 0s}}}", "no request takes no time");
    expect_problem("performance: {endpoints: {a: {p95: 1s, compare: medians}}}", "`max_increase`");
    expect_problem("performance: {endpoints: {a: {max_increase: 1%, min_runs: 5}}}", "`min_runs`");
    expect_problem("performance: {endpoints: {a: {error_rate: 101%}}}", "100%");
    expect_problem("performance: {soak_test: {duration: 0s}}", "lasts longer");
    expect_problem("performance: {soak_test: {error_rate: 1%}}", "duration");
    expect_problem("performance: {endpoints: {a: {p96: 1s}}}", "p96");
}
