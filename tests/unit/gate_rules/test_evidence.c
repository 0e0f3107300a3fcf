#include "world.h"

#include "gate/base/limits.h"

TestSuite(evidence, .init = world_init, .fini = world_done);

Test(evidence, what_is_missing_does_what_on_missing_says)
{
    static const enum verdict verdicts[] = {VERDICT_BLOCK, VERDICT_HOLD, VERDICT_WARN};
    for (size_t i = 0; i < 3; i++) {
        world_done();
        world_init();
        world_demand("coverage: {total: 50%}");
        world.input.on_missing = verdicts[i];
        world.input.needs[EVIDENCE_COVERAGE].asked = true;
        world.input.needs[EVIDENCE_COVERAGE].looked_for = "coverage.xml, lcov.info";
        world_judge();
        const struct finding *finding = world_finding("evidence.coverage.missing");
        cr_expect_eq(finding->verdict, verdicts[i]);
        cr_expect(strstr(finding->message, "lcov.info"));
        cr_expect_eq(world.findings.count, 1);
    }
}

Test(evidence, what_nobody_asked_for_is_not_missing)
{
    world_demand("coverage: {total: 50%}\ntests: {failures: 0}");
    world_file("a.py", 5, 10);
    world.input.needs[EVIDENCE_COVERAGE].asked = true;
    world_judge();
    cr_expect_eq(world.findings.count, 1);
    cr_expect_eq(world_verdict(), VERDICT_PASS);
}

Test(evidence, each_pattern_without_a_file_is_said)
{
    static const char *missing[] = {"a.xml", "b/*.xml"};
    world_file("a.py", 5, 10);
    world.input.needs[EVIDENCE_COVERAGE] =
        (struct evidence_need){.asked = true, .missing = missing, .missing_count = 2, .shards = 4};
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.missing[a.xml]")->verdict, VERDICT_BLOCK);
    cr_expect_eq(world_finding("evidence.coverage.missing[b/*.xml]")->verdict, VERDICT_BLOCK);
    cr_expect_str_eq(world_finding("evidence.coverage.shards")->have, "1");
    cr_expect_str_eq(world_finding("evidence.coverage.shards")->want, "4");
}

Test(evidence, reports_that_cannot_be_believed)
{
    struct report *broken = world_report(EVIDENCE_COVERAGE, "broken.xml");
    (void)error_set(&broken->error, ERROR_INPUT, "it ends in the middle of a tag");
    world.evidence.has[EVIDENCE_COVERAGE] = false;
    world_file("a.py", 5, 10);
    report_suspect(&world.evidence, world_report(EVIDENCE_TESTS, "junit.xml"), "%s",
                   "it promises 4 tests and holds 3");
    world_report(EVIDENCE_TESTS, "copy.xml")->duplicate = true;
    world_test("one", TEST_PASSED);
    world_judge();
    const struct finding *finding = world_finding("evidence.coverage.unreadable[broken.xml]");
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_expect(strstr(finding->message, "middle of a tag"));
    finding = world_finding("evidence.tests.suspect[junit.xml]");
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_expect(strstr(finding->message, "promises 4"));
    cr_expect_eq(world_finding("evidence.tests.duplicate[copy.xml]")->verdict, VERDICT_WARN);
}

Test(evidence, empty_reports_are_no_clean_pass)
{
    (void)world_report(EVIDENCE_COVERAGE, "coverage.xml");
    (void)world_report(EVIDENCE_TESTS, "junit.xml");
    world_demand("coverage: {total: 0%}\ntests: {failures: 0}");
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.missing")->verdict, VERDICT_BLOCK);
    cr_expect_eq(world_finding("evidence.tests.missing")->verdict, VERDICT_BLOCK);
    cr_expect_null(finding_find(&world.findings, "tests.failures"));
}

Test(evidence, tests_that_were_all_skipped_tested_nothing)
{
    world_demand("tests: {failures: 0}");
    world_test("one", TEST_SKIPPED);
    world_test("two", TEST_SKIPPED);
    world_judge();
    cr_expect_eq(world_finding("evidence.tests.missing")->verdict, VERDICT_BLOCK);
}

Test(evidence, unmatched_paths)
{
    world_demand("coverage: {total: 50%}");
    world_file("a.py", 5, 10);
    world_file("/usr/include/stdio.h", 5, 10);
    world.evidence.coverage.files[1].path = (str){NULL, 0};
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.unmatched")->verdict, VERDICT_WARN);
    world_done();
    world_init();
    world_file("src/a.py", 5, 10);
    world.evidence.coverage.files[0].path = (str){NULL, 0};
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.unmatched")->verdict, VERDICT_BLOCK);
}

Test(evidence, a_register_that_is_asked_for)
{
    world.input.risks_asked = true;
    world.input.risks_path = "risk-register.yml";
    world_judge();
    cr_expect_eq(world_finding("evidence.risks.missing")->verdict, VERDICT_BLOCK);
}

Test(evidence, ids_are_unique)
{
    (void)finding_add(&world.findings, "a", VERDICT_PASS, "same");
    (void)finding_add(&world.findings, "a", VERDICT_PASS, "same");
    (void)finding_add(&world.findings, "a", VERDICT_PASS, "same");
    cr_expect_str_eq(world.findings.items[1].id, "same#2");
    cr_expect_str_eq(world.findings.items[2].id, "same#3");
}

Test(evidence, places_are_bounded_and_counted)
{
    struct finding *finding = finding_add(&world.findings, "a", VERDICT_PASS, "many");
    for (uint32_t i = 1; i <= FINDING_PLACES + 7; i++)
        finding_place(&world.findings, finding, "a.py", i, i);
    cr_expect_eq(finding->where_count, FINDING_PLACES);
    cr_expect_eq(finding->where_more, 7);
}
