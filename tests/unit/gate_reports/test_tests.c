#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(tests, .fini = done);

static void add(const char *suite, const char *class_name, const char *name,
                enum test_result result)
{
    struct error err = {0};
    struct test_case one = {.time_us = -1, .result = result};
    one.suite = str_of(suite);
    one.class_name = str_of(class_name);
    one.name = str_of(name);
    one.message = result == TEST_FAILED ? STR("broken") : (str){NULL, 0};
    cr_assert(tests_add(&evidence, &one, &err));
}

Test(tests, runs_of_one_identity_are_one_test)
{
    static const struct {
        enum test_result a, b, want;
    } rows[] = {
        {TEST_PASSED, TEST_PASSED, TEST_PASSED},  {TEST_PASSED, TEST_FAILED, TEST_FLAKY},
        {TEST_FAILED, TEST_PASSED, TEST_FLAKY},   {TEST_ERROR, TEST_PASSED, TEST_FLAKY},
        {TEST_FAILED, TEST_FAILED, TEST_FAILED},  {TEST_ERROR, TEST_ERROR, TEST_ERROR},
        {TEST_ERROR, TEST_FAILED, TEST_FAILED},   {TEST_SKIPPED, TEST_PASSED, TEST_PASSED},
        {TEST_FAILED, TEST_SKIPPED, TEST_FAILED}, {TEST_SKIPPED, TEST_SKIPPED, TEST_SKIPPED},
        {TEST_FLAKY, TEST_FAILED, TEST_FLAKY},    {TEST_PASSED, TEST_FLAKY, TEST_FLAKY},
    };
    char name[16];
    size_t count = sizeof rows / sizeof *rows;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "t%zu", i);
        add("s", "c", name, rows[i].a);
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "t%zu", i);
        add("s", "c", name, rows[i].b);
    }
    tests_settle(&evidence.tests);
    cr_assert_eq(evidence.tests.count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(evidence.tests.cases[i].result, rows[i].want, "row %zu: %d", i,
                     (int)evidence.tests.cases[i].result);
}

Test(tests, every_part_of_the_identity_matters)
{
    struct error err = {0};
    add("s", "c", "t", TEST_PASSED);
    add("s2", "c", "t", TEST_FAILED);
    add("s", "c2", "t", TEST_FAILED);
    add("s", "c", "t2", TEST_FAILED);
    add("sc", "", "t", TEST_FAILED); // the same letters, cut elsewhere
    struct test_case one = {.suite = STR("s"), .class_name = STR("c"), .name = STR("t")};
    one.result = TEST_FAILED;
    one.host = STR("other");
    cr_assert(tests_add(&evidence, &one, &err));
    one.host = (str){NULL, 0};
    one.file = STR("t.py");
    cr_assert(tests_add(&evidence, &one, &err));
    cr_expect_str_eq(test_words(&evidence), "7 = 1 passed 6 failed 0 errors 0 skipped 0 flaky");
}

Test(tests, settling_twice_changes_nothing)
{
    for (int i = 0; i < 500; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "t%d", i % 100);
        add("s", "c", name, i < 450 ? TEST_FAILED : TEST_PASSED);
    }
    cr_expect_str_eq(test_words(&evidence), "100 = 0 passed 50 failed 0 errors 0 skipped 50 flaky");
    cr_expect_str_eq(test_words(&evidence), "100 = 0 passed 50 failed 0 errors 0 skipped 50 flaky");
}

Test(tests, the_failure_of_a_flaky_test_keeps_its_message)
{
    add("s", "c", "t", TEST_PASSED);
    add("s", "c", "t", TEST_FAILED);
    tests_settle(&evidence.tests);
    expect_str(evidence.tests.cases[0].message, "broken");
}

Test(tests, names_for_people)
{
    static const struct {
        const char *suite, *class_name, *name, *want;
    } rows[] = {
        {"suite", "class", "name", "suite › class › name"},
        {"a.B", "a.B", "name", "a.B › name"},
        {"", "", "name", "name"},
        {"", "class", "name", "class › name"},
        {"suite", "", "name", "suite › name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_case one = {.host = STR("runner-1")};
        one.suite = str_of(rows[i].suite);
        one.class_name = str_of(rows[i].class_name);
        one.name = str_of(rows[i].name);
        cr_expect_str_eq(test_identity(&evidence.arena, &one), rows[i].want);
    }
}

Test(tests, of_one_name_can_be_told_apart)
{
    static const struct {
        const char *suite, *name;
        uint32_t line;
        const char *by_order, *by_line;
    } rows[] = {
        {"s", "a", 3, "a", "a"},         {"s", "a", 3, "a (2)", "a"},
        {"s", "a", 4, "a (3)", "a (2)"}, {"t", "a", 5, "a", "a"},
        {"s", "b", 3, "b", "b"},         {"s", "a", 4, "a (4)", "a (2)"},
        {"s", "a", 9, "a (5)", "a (3)"}, {"t", "a", 5, "a (2)", "a"},
    };
    for (int by_line = 0; by_line < 2; by_line++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            add(rows[i].suite, "", rows[i].name, TEST_PASSED);
            evidence.tests.cases[i].line = rows[i].line;
        }
        tests_tell_apart(&evidence, by_line);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            expect_str(evidence.tests.cases[i].name, by_line ? rows[i].by_line : rows[i].by_order);
        evidence_done(&evidence);
    }
    tests_tell_apart(&evidence, true); // nothing to tell
    cr_expect_eq(evidence.tests.count, 0);
}

Test(tests, totals_are_those_of_all_cases_at_any_time)
{
    add("s", "c", "a", TEST_PASSED);
    tests_settle(&evidence.tests);
    cr_expect_eq(tests_totals(&evidence.tests).total, 1);
    add("s", "c", "a", TEST_FAILED); // after they were counted
    struct test_totals open = tests_totals(&evidence.tests);
    cr_expect(open.total == 2 && open.passed == 1 && open.failed == 1 && open.flaky == 0);
    tests_settle(&evidence.tests);
    struct test_totals united = tests_totals(&evidence.tests);
    cr_expect(united.total == 1 && united.flaky == 1 && united.passed + united.failed == 0);
}

Test(tests, a_name_that_is_made_may_be_there_already)
{
    static const char *const names[] = {"a", "a (2)", "a", "b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add("s", "c", names[i], TEST_PASSED);
    tests_tell_apart(&evidence, false);
    expect_str(evidence.tests.cases[2].name, "a (2)");
    cr_expect_str_eq(test_words(&evidence), "3 = 3 passed 0 failed 0 errors 0 skipped 0 flaky");
}

Test(tests, what_was_told_apart_unites_with_what_comes_later)
{
    add("s", "c", "a", TEST_PASSED);
    add("s", "c", "b", TEST_PASSED);
    tests_tell_apart(&evidence, false);
    cr_expect_str_eq(test_words(&evidence), "2 = 2 passed 0 failed 0 errors 0 skipped 0 flaky");
    add("s", "c", "a", TEST_FAILED);
    cr_expect_str_eq(test_words(&evidence), "2 = 1 passed 0 failed 0 errors 0 skipped 1 flaky");
}

// Twice as many as hashes are made ahead, and more than a table has at first.
Test(tests, many_in_changing_surroundings)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5000; i++) {
            char suite[16], class_name[16], name[40];
            (void)snprintf(suite, sizeof suite, "s%d", i % 3);
            (void)snprintf(class_name, sizeof class_name, "c%d", i / 7);
            (void)snprintf(name, sizeof name, "%.*s%d", i % 20, "a_rather_long_name_it_is", i);
            add(suite, class_name, name, round == 1 && i % 5 == 0 ? TEST_FAILED : TEST_PASSED);
        }
    }
    cr_expect_str_eq(test_words(&evidence),
                     "5000 = 4000 passed 0 failed 0 errors 0 skipped 1000 flaky");
    for (int i = 0; i < 5000; i++) // at the place of the first
        cr_expect_eq(evidence.tests.cases[i].result, i % 5 ? TEST_PASSED : TEST_FLAKY, "%d", i);
}

Test(tests, neighbours_share_their_texts)
{
    add("suite", "class", "a", TEST_PASSED);
    add("suite", "class", "b", TEST_PASSED);
    add("suite", "other", "c", TEST_PASSED);
    const struct test_case *cases = evidence.tests.cases;
    cr_expect(cases[0].suite.data == cases[1].suite.data);
    cr_expect(cases[1].suite.data == cases[2].suite.data);
    cr_expect(cases[0].class_name.data == cases[1].class_name.data);
    expect_str(cases[2].class_name, "other");
}
