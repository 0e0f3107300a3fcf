// Tests beside the baseline: by identity, never by count.
#include "world.h"

#include <stdlib.h>

static struct baseline baseline;
static struct history history;
static struct history_test before[8];
static str failed_before[4];
static struct quarantine quarantine;
static struct quarantined entries[4];

static void start(void)
{
    world_init();
    baseline = (struct baseline){.commit = "0123456789abcdef", .has_tests = true};
    history = (struct history){.baseline = &baseline};
    quarantine = (struct quarantine){0};
}

TestSuite(tests_history, .init = start, .fini = world_done);

// Names in rising order.
static void knew(const char *name, enum test_result result)
{
    str identity = arena_format(&world.arena, "suite › %s", name);
    before[baseline.test_count++] = (struct history_test){identity, result};
    baseline.tests = before;
    baseline.test_totals.total++;
    world.input.history = &history;
}

static void quarantine_test(const char *name, int64_t until_days)
{
    struct quarantined *one = &entries[quarantine.items.count++];
    *one = (struct quarantined){.test = arena_format(&world.arena, "suite › %s", name),
                                .issue = STR("#1"),
                                .owner = STR("ann"),
                                .until_days = until_days};
    quarantine.items.items = entries;
    world.input.quarantine = &quarantine;
    world.input.quarantine_path = "quarantine.yml";
}

Test(tests_history, one_mended_and_one_newly_broken_is_one_new_failure)
{
    world_demand("tests: {failures: 1, new_failures: 0}");
    knew("a", TEST_FAILED);
    knew("b", TEST_PASSED);
    world_test("a", TEST_PASSED);
    world_test("b", TEST_FAILED);
    world_judge();
    const struct finding *fresh = world_finding("tests.new_failures");
    cr_expect_eq(fresh->verdict, VERDICT_BLOCK);
    cr_expect_str_eq(fresh->have, "1");
    cr_expect_eq(fresh->scope, SCOPE_YOURS);
    cr_expect(strstr(fresh->message, "suite › b"), "%s", fresh->message);
    cr_expect_eq(world_finding("tests.failures")->verdict, VERDICT_PASS, "as many as before");
}

Test(tests_history, what_counts_as_new)
{
    static const struct {
        int before; // enum test_result, -1 = the baseline does not have it
        enum test_result now;
        const char *fresh;
    } rows[] = {
        {TEST_FAILED, TEST_FAILED, "0"},  {TEST_FAILED, TEST_ERROR, "0"},
        {TEST_ERROR, TEST_FAILED, "0"},   {TEST_PASSED, TEST_FAILED, "1"},
        {TEST_FLAKY, TEST_FAILED, "1"},   {TEST_SKIPPED, TEST_FAILED, "1"},
        {TEST_PASSED, TEST_FLAKY, "0"},   {-1, TEST_FAILED, "1"},
        {TEST_PASSED, TEST_SKIPPED, "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand("tests: {failures: 5, new_failures: 0}");
        knew("always", TEST_PASSED);
        if (rows[i].before >= 0)
            knew("b", (enum test_result)rows[i].before);
        world_test("always", TEST_PASSED);
        world_test("b", rows[i].now);
        world_judge();
        const struct finding *fresh = world_finding("tests.new_failures");
        cr_expect_str_eq(fresh->have, rows[i].fresh, "row %zu", i);
        cr_expect_eq(fresh->verdict, *rows[i].fresh == '0' ? VERDICT_PASS : VERDICT_BLOCK);
    }
}

Test(tests_history, without_a_baseline_every_failure_is_new_and_it_is_said)
{
    static const char *const reasons[] = {NULL, "the only run was blocked"};
    for (size_t i = 0; i < 2; i++) {
        world_done();
        start();
        world_demand("tests: {failures: 5, new_failures: 0}");
        history = (struct history){.baseline_unknown = reasons[i]};
        world.input.history = reasons[i] ? &history : NULL;
        world_test("a", TEST_FAILED);
        world_judge();
        const struct finding *fresh = world_finding("tests.new_failures");
        cr_expect_eq(fresh->verdict, VERDICT_BLOCK);
        cr_expect_eq(fresh->scope, SCOPE_YOURS);
        cr_expect(strstr(fresh->message, reasons[i] ? reasons[i] : "no ledger"), "%s",
                  fresh->message);
    }
}

Test(tests_history, whose_a_failure_is)
{
    static const struct {
        enum test_result baseline;
        bool newest; // did it fail in the newest recorded run?
        enum scope scope;
    } rows[] = {{TEST_PASSED, false, SCOPE_YOURS},
                {TEST_FAILED, false, SCOPE_INHERITED},
                {TEST_PASSED, true, SCOPE_INHERITED},
                {TEST_FAILED, true, SCOPE_INHERITED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand("tests: {failures: 0}");
        knew("b", rows[i].baseline);
        failed_before[0] = STR("suite › b");
        history.failed_before = failed_before;
        history.failed_before_count = rows[i].newest;
        world_test("b", TEST_FAILED);
        world_judge();
        cr_expect_eq(world_finding("tests.failures")->scope, rows[i].scope, "row %zu", i);
        cr_expect_eq(world_finding("tests.failures")->verdict, VERDICT_BLOCK, "always strict");
    }
}

Test(tests_history, one_that_is_yours_makes_all_of_it_yours)
{
    world_demand("tests: {failures: 0}");
    knew("a", TEST_FAILED);
    knew("b", TEST_PASSED);
    world_test("a", TEST_FAILED);
    world_test("b", TEST_FAILED);
    world_judge();
    cr_expect_eq(world_finding("tests.failures")->scope, SCOPE_YOURS);
}

Test(tests_history, a_test_that_vanished_is_a_finding)
{
    static const struct {
        const char *demand;
        enum verdict verdict;
    } rows[] = {{"tests: {failures: 0}", VERDICT_WARN},
                {"tests: {failures: 0, vanished: hold}", VERDICT_HOLD},
                {"tests: {failures: 0, vanished: block}", VERDICT_BLOCK}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand(rows[i].demand);
        knew("a", TEST_PASSED);
        knew("b", TEST_PASSED);
        world_test("a", TEST_PASSED);
        world_test("c", TEST_PASSED); // as many as before, and another one
        world_judge();
        const struct finding *gone = world_finding("tests.vanished");
        cr_expect_eq(gone->verdict, rows[i].verdict);
        cr_expect(strstr(gone->message, "suite › b"), "%s", gone->message);
    }
}

Test(tests_history, a_skipped_test_has_not_vanished)
{
    world_demand("tests: {failures: 0}");
    knew("a", TEST_PASSED);
    knew("b", TEST_PASSED);
    world_test("a", TEST_PASSED);
    world_test("b", TEST_SKIPPED);
    world_judge();
    cr_expect_null(finding_find(&world.findings, "tests.vanished"));
}

Test(tests_history, at_least_counts_what_ran_exactly)
{
    static const struct {
        uint64_t before;
        int ran, skipped;
        enum verdict verdict;
    } rows[] = {
        {4, 3, 0, VERDICT_PASS},  // 75 % is 75 %
        {5, 3, 0, VERDICT_BLOCK}, // 60 %
        {4, 2, 2, VERDICT_BLOCK}, // skipped ones were not run
        {1, 3, 0, VERDICT_PASS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand("tests: {failures: 0}");
        world.input.tests_at_least = (struct fraction){75, 100};
        world.input.history = &history;
        baseline.test_totals.total = rows[i].before;
        for (int k = 0; k < rows[i].ran + rows[i].skipped; k++)
            world_test((const char *[]){"a", "b", "c", "d"}[k],
                       k < rows[i].ran ? TEST_PASSED : TEST_SKIPPED);
        world_judge();
        cr_expect_eq(world_finding("evidence.tests.at_least")->verdict, rows[i].verdict, "row %zu",
                     i);
    }
}

Test(tests_history, at_least_without_a_baseline_is_said)
{
    world_demand("tests: {failures: 0}");
    world.input.tests_at_least = (struct fraction){95, 100};
    world_test("a", TEST_PASSED);
    world_judge();
    const struct finding *finding = world_finding("evidence.tests.at_least");
    cr_expect_eq(finding->verdict, VERDICT_WARN);
    cr_expect(strstr(finding->message, "no ledger"), "%s", finding->message);
}

Test(tests_history, quarantine_counts_until_its_last_day)
{
    int64_t today = civil_to_days(2027, 1, 15);
    static const struct {
        int64_t until; // days from today
        enum verdict verdict;
        bool expired;
    } rows[] = {{0, VERDICT_PASS, false}, {1, VERDICT_PASS, false}, {-1, VERDICT_BLOCK, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand("tests: {failures: 0}");
        quarantine_test("b", today + rows[i].until);
        world_test("a", TEST_PASSED);
        world_test("b", TEST_FAILED);
        world_judge();
        cr_expect_eq(world_finding("tests.failures")->verdict, rows[i].verdict, "row %zu", i);
        cr_expect_eq(finding_find(&world.findings, "tests.quarantine.expired[suite › b]") != NULL,
                     rows[i].expired, "row %zu", i);
    }
}

Test(tests_history, an_unused_quarantine_is_listed)
{
    world_demand("tests: {failures: 0}");
    quarantine_test("gone", civil_to_days(2027, 1, 20));
    world_test("a", TEST_PASSED);
    world_judge();
    const struct finding *unused = world_finding("tests.quarantine.unused[suite › gone]");
    cr_expect_eq(unused->verdict, VERDICT_WARN);
    cr_expect_eq(unused->scope, SCOPE_ENVIRONMENT);
}

Test(tests_history, a_failing_test_that_is_known_as_flaky_says_so)
{
    static struct history_flaky flaky[1];
    flaky[0] = (struct history_flaky){STR("suite › b"), 3, 20};
    world_demand("tests: {failures: 0, new_failures: 0}");
    knew("a", TEST_PASSED);
    knew("b", TEST_PASSED);
    history.flaky = flaky;
    history.flaky_count = 1;
    quarantine_test("other", civil_to_days(2027, 12, 31));
    world_test("a", TEST_PASSED);
    world_test("b", TEST_FAILED);
    world_judge();
    static const char *const ids[] = {"tests.failures", "tests.new_failures"};
    for (size_t i = 0; i < 2; i++) {
        const struct finding *finding = world_finding(ids[i]);
        cr_expect_eq(finding->verdict, VERDICT_BLOCK, "being flaky is no excuse");
        cr_expect(strstr(finding->message, "suite › b (flaky in 3 of 20 recorded runs)"), "%s",
                  finding->message);
        cr_expect_str_eq(finding->advice,
                         "Mend these tests or what they test. suite › b is known to be flaky: "
                         "until it is mended it can stand in the quarantine quarantine.yml, with "
                         "an issue, an owner and a date.");
    }
}

Test(tests_history, a_failing_test_that_is_not_flaky_says_nothing_of_it)
{
    static struct history_flaky flaky[1];
    flaky[0] = (struct history_flaky){STR("suite › c"), 3, 20};
    world_demand("tests: {failures: 0}");
    knew("b", TEST_PASSED);
    history.flaky = flaky;
    history.flaky_count = 1;
    world_test("b", TEST_FAILED);
    world_judge();
    const struct finding *finding = world_finding("tests.failures");
    cr_expect_null(strstr(finding->message, "flaky"));
    cr_expect_str_eq(finding->advice, "Mend these tests or what they test.");
}
