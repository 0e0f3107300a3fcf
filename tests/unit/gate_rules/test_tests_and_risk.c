#include "world.h"

TestSuite(tests_rule, .init = world_init, .fini = world_done);
TestSuite(risk_rule, .init = world_init, .fini = world_done);

Test(tests_rule, failures_and_errors_count)
{
    static const struct {
        const char *demand;
        enum test_result other;
        enum verdict verdict;
        const char *have;
    } rows[] = {
        {"tests: {failures: 0}", TEST_PASSED, VERDICT_PASS, "0/2"},
        {"tests: {failures: 0}", TEST_FAILED, VERDICT_BLOCK, "1/2"},
        {"tests: {failures: 0}", TEST_ERROR, VERDICT_BLOCK, "1/2"},
        {"tests: {}", TEST_FAILED, VERDICT_BLOCK, "1/2"},
        {"tests: {failures: 1}", TEST_FAILED, VERDICT_PASS, "1/2"},
        {"tests: {failures: 0}", TEST_SKIPPED, VERDICT_PASS, "0/2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand(rows[i].demand);
        world_test("first", TEST_PASSED);
        world_test("second", rows[i].other);
        world_judge();
        const struct finding *finding = world_finding("tests.failures");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu", i);
        cr_expect_str_eq(finding->have, rows[i].have, "row %zu", i);
    }
}

Test(tests_rule, a_retry_that_passes_is_not_a_failure)
{
    world_demand("tests: {failures: 0}");
    world_test("first", TEST_FAILED);
    world_test("first", TEST_PASSED);
    world_judge();
    cr_expect_eq(world_finding("tests.failures")->verdict, VERDICT_PASS);
}

Test(tests_rule, the_first_failures_are_named)
{
    world_demand("tests: {failures: 0}");
    for (int i = 0; i < 5; i++)
        world_test((const char *[]){"a", "b", "c", "d", "e"}[i], TEST_FAILED);
    world_judge();
    const struct finding *finding = world_finding("tests.failures");
    cr_expect(strstr(finding->message, "and 2 more"), "%s", finding->message);
    cr_expect_eq(finding->where_count, 5);
}

static const char *const risks =
    "version: 1\n"
    "flows: {payments: 4}\n"
    "risks:\n"
    "  - {id: R-1, title: Paid twice, likelihood: 4, impact: 5, flow: payments, owner: ann,\n"
    "     due: 2027-01-14, paths: ['payments/**'], demands: {coverage: 80%}}\n"
    "  - {id: R-2, title: Slow, likelihood: 2, impact: 5, due: 2027-01-15}\n";

Test(risk_rule, limits)
{
    static const struct {
        const char *demand, *id;
        enum verdict verdict;
        const char *have, *want;
    } rows[] = {
        {"risk: {max_exposure: 90}", "risk.exposure", VERDICT_PASS, "90", "90"},
        {"risk: {max_exposure: 89}", "risk.exposure", VERDICT_BLOCK, "90", "89"},
        {"risk: {max_open: {critical: 0}}", "risk.open.critical", VERDICT_BLOCK, "1", "0"},
        {"risk: {max_open: {high: 1}}", "risk.open.high", VERDICT_PASS, "1", "1"},
        {"risk: {overdue: block}", "risk.overdue[R-1]", VERDICT_BLOCK, "1 day late", "2027-01-14"},
        {"risk: {overdue: hold}", "risk.overdue[R-1]", VERDICT_HOLD, "1 day late", "2027-01-14"},
        {"risk: {}", "risk.overdue[R-1]", VERDICT_WARN, "1 day late", "2027-01-14"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand(rows[i].demand);
        world_register(risks);
        world_file("payments/a.py", 8, 10);
        world_judge();
        const struct finding *finding = world_finding(rows[i].id);
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu", i);
        cr_expect_str_eq(finding->have, rows[i].have, "row %zu: %s", i, finding->have);
        cr_expect_str_eq(finding->want, rows[i].want, "row %zu", i);
        cr_expect_null(finding_find(&world.findings, "risk.overdue[R-2]"), "due today");
    }
}

Test(risk_rule, a_risk_demands_coverage)
{
    static const struct {
        uint32_t covered;
        enum verdict verdict;
    } rows[] = {{8, VERDICT_PASS}, {7, VERDICT_BLOCK}};
    for (size_t i = 0; i < 2; i++) {
        world_done();
        world_init();
        world_register(risks);
        world_file("payments/a.py", rows[i].covered, 10);
        world_file("other/b.py", 0, 100);
        world_judge();
        cr_expect_eq(world_finding("risk.coverage[R-1].lines")->verdict, rows[i].verdict);
    }
}

Test(risk_rule, demanded_coverage_of_nothing_is_missing)
{
    world_register(risks);
    world_file("other/b.py", 10, 10);
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.missing[R-1]")->verdict, VERDICT_BLOCK);
}
