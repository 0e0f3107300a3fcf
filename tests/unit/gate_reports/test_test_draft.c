#include "feed.h"

#include "gate/reports/playwright_outcome.h"
#include "gate/reports/test_draft.h"

static struct evidence evidence;
static struct test_draft draft;

static void done(void)
{
    test_draft_done(&draft);
    evidence_done(&evidence);
}

TestSuite(test_draft, .fini = done);

Test(test_draft, messages_are_one_plain_line)
{
    static const struct {
        const char *first, *second, *want;
    } rows[] = {
        {"one", "two", "one"},
        {"", "two", "two"},
        {"\n  \n\x1b[31m\x1b[1mred\x1b[0m and more  \nnext", "two", "red and more"},
        {"\x1b[31m\x1b[0m", "two", "two"},
        {"a\tb\x07"
         "c",
         NULL, "a b c"},
        {"cut \x1b[3", NULL, "cut"},
        {"\x1b]0;title", NULL, "]0;title"},
        {NULL, NULL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_draft_clear(&draft, 0);
        test_draft_message(&draft, str_of(rows[i].first));
        test_draft_message(&draft, str_of(rows[i].second));
        str have = str_trim(test_draft_get(&draft, TEST_MESSAGE));
        cr_expect(str_is(have, rows[i].want), "row %zu: " STR_FMT, i, STR_ARG(have));
    }
}

Test(test_draft, a_long_message_is_cut_between_characters)
{
    for (int lead = 0; lead < 3; lead++) {
        struct text text = text_of(4096);
        text_add(&text, str_make("xx", (size_t)lead));
        for (int i = 0; i < 400; i++)
            text_adds(&text, "€");
        test_draft_clear(&draft, 0);
        test_draft_message(&draft, text_str(&text));
        str have = test_draft_get(&draft, TEST_MESSAGE);
        cr_expect(have.len > 296 && have.len <= TEST_MESSAGE_BYTES, "%zu", have.len);
        cr_expect(str_is_utf8(have));
        text_done(&text);
    }
}

Test(test_draft, times_and_lines)
{
    static const struct {
        const char *text;
        double unit;
        int64_t want;
    } times[] = {{"1.5", 1e3, 1500}, {"0", 1e6, 0},      {"-1", 1e3, -1},    {"x", 1e3, -1},
                 {"", 1e3, -1},      {"1e300", 1e6, -1}, {"2", 1e6, 2000000}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        test_draft_clear(&draft, 0);
        test_draft_time(&draft, str_of(times[i].text), times[i].unit);
        cr_expect_eq(draft.time_us, times[i].want, "`%s`", times[i].text);
    }
    static const struct {
        const char *text;
        uint32_t want;
    } lines[] = {{"7", 7}, {"-7", 0}, {"4294967296", 0}, {"16777217", 0}, {"7.5", 0}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        test_draft_clear(&draft, 0);
        test_draft_line(&draft, str_of(lines[i].text));
        cr_expect_eq(draft.line, lines[i].want, "`%s`", lines[i].text);
    }
}

// One that failed says why; one that passed does not.
Test(test_draft, what_arrives_in_the_evidence)
{
    struct error err = {0};
    uint32_t report;
    (void)evidence_report(&evidence, "r", NULL, &report);
    for (int result = TEST_PASSED; result <= TEST_FLAKY; result++) {
        test_draft_clear(&draft, 17);
        test_draft_suite(&draft, STR("outer"));
        test_draft_suite(&draft, STR(""));
        test_draft_suite(&draft, STR("inner"));
        test_draft_set(&draft, TEST_NAME, result == TEST_ERROR ? STR(" ") : STR("n"));
        test_draft_set(&draft, TEST_CLASS, STR("c"));
        test_draft_set(&draft, TEST_FILE, STR("f"));
        test_draft_message(&draft, STR("why"));
        cr_assert(test_draft_take(&draft, &evidence, report, (enum test_result)result, &err));
        const struct test_case *one = &evidence.tests.cases[result];
        expect_str(one->suite, "outer › inner");
        expect_str(one->class_name, "c");
        expect_str(one->name, result == TEST_ERROR ? "(unnamed 1)" : "n");
        expect_str(one->file, "f");
        expect_str(one->message, result == TEST_PASSED || result == TEST_SKIPPED ? "" : "why");
        cr_expect_eq(one->offset, 17);
        cr_expect_eq(one->time_us, -1);
    }
    test_draft_end(&draft, &evidence, report);
    cr_expect_str_eq(suspicions(&evidence), "1 tests have no name");
    cr_expect_eq(test_draft_united(&evidence), 2);
}

Test(test_draft, a_name_past_the_limit_is_refused)
{
    struct error err = {0};
    uint32_t report;
    char *bytes = memory_alloc(2 << 20);
    memset(bytes, 'x', 2 << 20);
    (void)evidence_report(&evidence, "r", NULL, &report);
    test_draft_clear(&draft, 0);
    test_draft_set(&draft, TEST_NAME, STR("n"));
    test_draft_suite(&draft, str_make(bytes, 1 << 20));
    test_draft_suite(&draft, STR("more"));
    cr_assert_not(test_draft_take(&draft, &evidence, report, TEST_PASSED, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_expect_eq(evidence.tests.count, 0);
    memory_free(bytes);
}

Test(test_draft, sums)
{
    static const struct {
        enum json_event_type type;
        const char *text;
        bool ok, has;
        uint64_t said;
    } rows[] = {{JSON_NUMBER, "3", true, true, 3},
                {JSON_NULL, "", true, false, 0},
                {JSON_NUMBER, "-3", false, false, 0},
                {JSON_NUMBER, "3.5", false, false, 0},
                {JSON_STRING, "3", false, false, 0},
                {JSON_MAP_OPEN, "", false, false, 0},
                {JSON_NUMBER, "18446744073709551616", false, false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_saying saying = {.name = "stats.tests"};
        struct json_event event = {.type = rows[i].type, .text = str_of(rows[i].text)};
        struct error err = {0};
        cr_expect_eq(test_saying_read(&saying, &event, &err), rows[i].ok, "row %zu", i);
        cr_expect_eq(saying.has, rows[i].has, "row %zu", i);
        cr_expect_eq(saying.said, rows[i].said, "row %zu", i);
        if (!rows[i].ok)
            cr_expect_str_eq(err.message, "stats.tests is no count");
    }
}

// p: passed, f: failed, t: timed out, i: interrupted, s: skipped
Test(playwright_outcome, tries)
{
    static const struct {
        const char *tries, *expected, *said, *want;
        bool contradicts;
    } rows[] = {
        {"p", NULL, "expected", "expected", false},
        {"f", NULL, "unexpected", "unexpected", false},
        {"fp", NULL, "flaky", "flaky", false},
        {"tp", NULL, "flaky", "flaky", false},
        {"ff", NULL, "unexpected", "unexpected", false},
        {"f", "failed", "expected", "expected", false},
        {"p", "failed", "unexpected", "unexpected", false},
        {"t", "failed", "unexpected", "unexpected", false},
        {"s", "skipped", "skipped", "skipped", false},
        {"", NULL, "skipped", "skipped", false},
        {"i", NULL, "skipped", "skipped", false},
        {"fi", NULL, "unexpected", "unexpected", false},
        {"fs", "skipped", "flaky", "unexpected", false},
        {"p", NULL, NULL, "expected", false},
        {"f", NULL, "expected", "unexpected", true},
        {"fp", NULL, "expected", "flaky", true},
        {"p", NULL, "unexpected", "unexpected", true},
        {"", NULL, "expected", "skipped", true},
    };
    static const char *const words[] = {"passed", "failed", "timedOut", "interrupted", "skipped"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct playwright_runs runs = {.said = PLAYWRIGHT_UNSAID};
        struct error err = {0};
        for (const char *c = rows[i].tries; *c; c++)
            cr_assert(
                playwright_ran(&runs, str_of(words[strcspn("pftis", (char[]){*c, 0})]), &err));
        if (rows[i].expected)
            cr_assert(playwright_expects(&runs, str_of(rows[i].expected), &err));
        if (rows[i].said)
            cr_assert(playwright_says(&runs, str_of(rows[i].said), &err));
        cr_expect_str_eq(playwright_outcome_names[playwright_outcome(&runs)], rows[i].want,
                         "row %zu", i);
        cr_expect_eq(playwright_contradicts(&runs), rows[i].contradicts, "row %zu", i);
    }
}

Test(playwright_outcome, unknown_words)
{
    struct playwright_runs runs = {.said = PLAYWRIGHT_UNSAID};
    struct error err = {0};
    cr_expect_not(playwright_ran(&runs, STR("PASSED"), &err));
    expect_contains(str_of(err.message), "`PASSED` is no status of Playwright");
    cr_expect_not(playwright_says(&runs, STR("passed"), &err));
    expect_contains(str_of(err.message), "`passed` is no outcome of Playwright");
}
