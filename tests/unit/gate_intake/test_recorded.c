#include "gate/intake/intake.h"

#include <criterion/criterion.h>

#define JUNIT "<testsuite name=\"s\" tests=\"1\"><testcase classname=\"c\" name=\"a\"/></testsuite>"

static struct evidence evidence;
static struct intake intake;
static struct error err;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(recorded, .fini = done);

static void run(const struct recorded_report *items, size_t count, str pattern)
{
    struct recorded_reports recorded = {items, count};
    struct evidence_tests tests = {.reports = {.items = &pattern, .count = pattern.len > 0}};
    struct evidence_config config = {.tests = &tests};
    struct intake_request request = {.root = ".", .config = &config, .recorded = &recorded};
    cr_assert(intake_run(&request, &evidence, &intake, &err), "%s", err.message);
}

Test(recorded, reports_are_taken_in_place_of_files)
{
    const struct recorded_report items[] = {{"no/such/folder/junit.xml", NULL, STR_INIT(JUNIT)},
                                            {"other.txt", NULL, STR_INIT("what?")}};
    run(items, 2, STR("no/**/*.xml"));
    cr_expect_eq(evidence.report_count, 1u);
    cr_expect_eq(evidence.tests.count, 1u);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].missing_count, 0u);
}

Test(recorded, usual_names_are_found_when_nothing_is_named)
{
    const struct recorded_report items[] = {{"junit.xml", NULL, STR_INIT(JUNIT)}};
    run(items, 1, STR(""));
    cr_expect_eq(evidence.tests.count, 1u);
}

Test(recorded, entries_of_archives_keep_both_names)
{
    const struct recorded_report items[] = {{"all.zip", "a/junit.xml", STR_INIT(JUNIT)},
                                            {"all.zip", "b/else.xml", STR_INIT("x")}};
    run(items, 2, STR("*.zip!**/junit.xml"));
    cr_assert_eq(evidence.report_count, 1u);
    cr_expect_str_eq(evidence.reports[0].entry, "a/junit.xml");
    cr_expect_eq(evidence.tests.count, 1u);
}

Test(recorded, one_that_is_not_at_hand_is_not_missing_and_not_read)
{
    const struct recorded_report items[] = {{"junit.xml", NULL, {NULL, 0}}};
    run(items, 1, STR("junit.xml"));
    cr_expect_eq(evidence.report_count, 0u);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].missing_count, 0u);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].usable, 0u);
}

Test(recorded, what_no_pattern_matches_is_missing)
{
    const struct recorded_report items[] = {{"junit.xml", NULL, STR_INIT(JUNIT)}};
    run(items, 1, STR("reports/*.xml"));
    cr_expect_eq(evidence.report_count, 0u);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].missing_count, 1u);
}

Test(recorded, an_unusable_one_is_noted_with_its_error)
{
    const struct recorded_report items[] = {{"junit.xml", NULL, STR_INIT("<testsuite>")}};
    run(items, 1, STR("junit.xml"));
    cr_assert_eq(evidence.report_count, 1u);
    cr_expect_neq(evidence.reports[0].error.kind, ERROR_NONE);
}
