// A fix brings a test that fails on the base's code and passes now.
#include "world.h"

static struct evidence base;

static void start(void)
{
    world_init();
    base = (struct evidence){0};
    world_demand("tests: {failures: 9, fix_needs_test: true}");
    world.input.fix_why = "branch fix/cart";
}

static void done(void)
{
    evidence_done(&base);
    world_done();
}

TestSuite(test_fix, .init = start, .fini = done);

static void base_test(const char *name, enum test_result result)
{
    struct test_case one = {
        .suite = STR("suite"), .name = str_of(name), .result = result, .time_us = -1};
    struct error err = {0};
    if (!base.has[EVIDENCE_TESTS]) {
        uint32_t index;
        evidence_report(&base, "base.xml", NULL, &index)->kind = EVIDENCE_TESTS;
        base.has[EVIDENCE_TESTS] = true;
    }
    cr_assert(tests_add(&base, &one, &err));
    world.input.base_evidence = &base;
}

Test(test_fix, what_proves_a_fix)
{
    static const struct {
        int before, now; // enum test_result, -1 = there is no such test
        enum verdict verdict;
    } rows[] = {
        {TEST_FAILED, TEST_PASSED, VERDICT_PASS},   {TEST_ERROR, TEST_PASSED, VERDICT_PASS},
        {TEST_PASSED, TEST_PASSED, VERDICT_BLOCK},  {TEST_FAILED, TEST_FAILED, VERDICT_BLOCK},
        {TEST_FAILED, TEST_SKIPPED, VERDICT_BLOCK}, {TEST_FAILED, TEST_FLAKY, VERDICT_BLOCK},
        {TEST_FLAKY, TEST_PASSED, VERDICT_BLOCK},   {TEST_FAILED, -1, VERDICT_BLOCK},
        {-1, TEST_PASSED, VERDICT_BLOCK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        done();
        start();
        base_test("old", TEST_PASSED);
        world_test("old", TEST_PASSED);
        if (rows[i].before >= 0)
            base_test("fault", (enum test_result)rows[i].before);
        if (rows[i].now >= 0)
            world_test("fault", (enum test_result)rows[i].now);
        tests_settle(&base.tests);
        world_judge();
        const struct finding *finding = world_finding("tests.fix");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu", i);
        cr_expect(strstr(finding->message, "branch fix/cart"), "%s", finding->message);
    }
}

Test(test_fix, no_report_of_the_base_is_no_proof)
{
    world_test("fault", TEST_PASSED);
    world_judge();
    const struct finding *finding = world_finding("tests.fix");
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_expect(strstr(finding->advice, "base_reports"), "%s", finding->advice);
}

Test(test_fix, an_empty_report_of_the_base_is_no_proof)
{
    world.input.base_evidence = &base; // nothing was read
    world_test("fault", TEST_PASSED);
    world_judge();
    cr_expect_eq(world_finding("tests.fix")->verdict, VERDICT_BLOCK);
}

Test(test_fix, what_is_no_fix_needs_none)
{
    world.input.fix_why = NULL;
    world_test("a", TEST_PASSED);
    world_judge();
    cr_expect_null(finding_find(&world.findings, "tests.fix"));
}
