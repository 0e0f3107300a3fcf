#include "gate/reports/junit_suite.h"

#include "gate/base/number.h"

#define STAMP_DIGITS 14u // "-20261122000203", as unittest-xml-reporting ends the name of a suite

static str without_stamp(str name)
{
    if (name.len <= STAMP_DIGITS + 1 || name.data[name.len - STAMP_DIGITS - 1] != '-')
        return name;
    for (size_t i = name.len - STAMP_DIGITS; i < name.len; i++)
        if (name.data[i] < '0' || name.data[i] > '9')
            return name;
    return str_first(name, name.len - STAMP_DIGITS - 1);
}

static void say(struct junit_suite *suite, enum junit_saying what, const char *value)
{
    uint64_t number;
    if (!number_u64(str_of(value), &number))
        return;
    suite->said[what] += number; // skipped and disabled tests are said apart by some
    suite->has_said[what] = true;
}

static void read_attribute(struct junit_suite *suite, const char *name, const char *value)
{
    static const struct {
        const char *name;
        enum junit_saying what;
    } sayings[] = {{"tests", JUNIT_TESTS},     {"failures", JUNIT_FAILURES},
                   {"errors", JUNIT_ERRORS},   {"skipped", JUNIT_SKIPPED},
                   {"skip", JUNIT_SKIPPED},    {"skips", JUNIT_SKIPPED},
                   {"ignored", JUNIT_SKIPPED}, {"disabled", JUNIT_SKIPPED}};
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (strcmp(name, sayings[i].name) == 0)
            say(suite, sayings[i].what, value);
}

static void start_over(struct junit_suite *suite)
{
    struct junit_suite fresh = {.name = suite->name, .host = suite->host, .file = suite->file};
    text_clear(&fresh.name);
    text_clear(&fresh.host);
    text_clear(&fresh.file);
    fresh.name.max = (size_t)LIMIT_TOKEN_BYTES * 2;
    fresh.host.max = fresh.file.max = LIMIT_TOKEN_BYTES;
    *suite = fresh;
}

void junit_suite_open(struct junit_suites *suites, const char **attributes, bool named,
                      size_t first_case, uint32_t line)
{
    const struct junit_suite *outer = junit_suite_now(suites);
    struct junit_suite *suite = &suites->open[suites->depth++];
    const char *name = NULL;
    start_over(suite);
    suite->first_case = first_case;
    suite->named = named;
    suite->line = line;
    for (; *attributes; attributes += 2) {
        if (strcmp(attributes[0], "name") == 0)
            name = attributes[1];
        else if (strcmp(attributes[0], "hostname") == 0)
            text_adds(&suite->host, attributes[1]);
        else if (strcmp(attributes[0], "file") == 0 || strcmp(attributes[0], "filepath") == 0)
            text_adds(&suite->file, attributes[1]);
        else
            read_attribute(suite, attributes[0], attributes[1]);
    }
    if (outer) {
        text_add(&suite->name, text_str(&outer->name));
        if (suite->host.len == 0)
            text_add(&suite->host, text_str(&outer->host));
        if (suite->file.len == 0)
            text_add(&suite->file, text_str(&outer->file));
    }
    str own = named ? without_stamp(str_of(name)) : (str){NULL, 0};
    if (own.len && suite->name.len)
        text_adds(&suite->name, " › ");
    text_add(&suite->name, own);
}

void junit_rerun(struct junit_suites *suites)
{
    if (suites->depth)
        suites->open[suites->depth - 1].reruns++;
}

void junit_count(struct junit_suites *suites, enum test_result result, bool expected)
{
    if (suites->depth == 0)
        return;
    struct junit_suite *suite = &suites->open[suites->depth - 1];
    suite->direct++;
    suite->expected += expected;
    suite->counts.total++;
    suite->counts.passed += result == TEST_PASSED;
    suite->counts.failed += result == TEST_FAILED;
    suite->counts.errors += result == TEST_ERROR;
    suite->counts.skipped += result == TEST_SKIPPED;
    suite->counts.flaky += result == TEST_FLAKY;
}

static void add_to_outer(struct junit_suite *outer, const struct junit_suite *inner)
{
    outer->expected += inner->expected;
    outer->reruns += inner->reruns;
    outer->counts.total += inner->counts.total;
    outer->counts.passed += inner->counts.passed;
    outer->counts.failed += inner->counts.failed;
    outer->counts.errors += inner->counts.errors;
    outer->counts.skipped += inner->counts.skipped;
    outer->counts.flaky += inner->counts.flaky;
}

// Counted after tests of one identity were united.
static struct test_totals united(const struct evidence *evidence, size_t first_case)
{
    struct tests some = {.count = evidence->tests.count - first_case};
    some.cases = memory_alloc(some.count * sizeof *some.cases);
    if (some.count)
        memcpy(some.cases, evidence->tests.cases + first_case, some.count * sizeof *some.cases);
    tests_settle(&some);
    struct test_totals totals = tests_totals(&some);
    memory_free(some.cases);
    return totals;
}

// Rust's test runner and mocha-junit-reporter count skipped tests and do not list them.
static uint64_t unlisted(const struct junit_suite *suite, const struct test_totals *totals)
{
    uint64_t listed = totals->skipped + suite->expected;
    return suite->said[JUNIT_SKIPPED] > listed ? suite->said[JUNIT_SKIPPED] - listed : 0;
}

// What the attributes may say of these tests. Some count an error as a failure as well or (Mocha's
// XUnit reporter) each failure as an error, some each run of a test that was run again, and many do
// not count what was skipped.
static bool fits(const struct junit_suite *suite, int what, const struct test_totals *totals)
{
    uint64_t said = suite->said[what], bad = totals->failed + totals->errors;
    uint64_t again = said >= suite->reruns ? said - suite->reruns : said;
    uint64_t hidden = unlisted(suite, totals);
    bool explained = hidden && suite->said[JUNIT_TESTS] == totals->total + hidden;
    bool as_bad = suite->said[JUNIT_FAILURES] + suite->said[JUNIT_ERRORS] == bad;
    switch (what) {
    case JUNIT_TESTS:
        return said == totals->total || again == totals->total || explained;
    case JUNIT_FAILURES:
        return said == totals->failed || again == totals->failed || as_bad;
    case JUNIT_ERRORS:
        return said == totals->errors || again == totals->errors || as_bad;
    default:
        return hidden == 0 || explained;
    }
}

static void compare(const struct junit_suite *suite, const struct evidence *evidence,
                    bool ret_off[JUNIT_SAYINGS])
{
    bool any = false;
    for (int what = 0; what < JUNIT_SAYINGS; what++) {
        ret_off[what] = suite->has_said[what] && !fits(suite, what, &suite->counts);
        any |= ret_off[what];
    }
    if (!any)
        return;
    struct test_totals after = united(evidence, suite->first_case);
    for (int what = 0; what < JUNIT_SAYINGS; what++)
        ret_off[what] = ret_off[what] && !fits(suite, what, &after);
    if (ret_off[JUNIT_TESTS] && suite->said[JUNIT_TESTS] == suite->direct)
        ret_off[JUNIT_TESTS] = false; // inner suites speak for themselves
}

// mocha-junit-reporter says how many were skipped at <testsuites> alone: whether the tests that an
// inner suite lacks are those is known when the outer one ends.
static bool withhold(struct junit_suites *suites, const struct junit_suite *suite)
{
    unsigned i = suites->depth;
    if (suite->has_said[JUNIT_SKIPPED] || suite->said[JUNIT_TESTS] < suite->counts.total)
        return false;
    while (i && suites->open[i - 1].said[JUNIT_SKIPPED] == 0)
        i--;
    if (i == 0)
        return false;
    struct junit_suite *outer = &suites->open[i - 1];
    outer->withheld += suite->said[JUNIT_TESTS] - suite->counts.total;
    outer->withheld_line = outer->withheld_line ? outer->withheld_line : suite->line;
    return true;
}

void junit_suite_close(struct junit_suites *suites, struct evidence *evidence,
                       struct report *report)
{
    static const char *const names[JUNIT_SAYINGS] = {"tests", "failures", "errors", "skipped"};
    const struct junit_suite *suite = &suites->open[--suites->depth];
    const uint64_t counted[JUNIT_SAYINGS] = {suite->counts.total, suite->counts.failed,
                                             suite->counts.errors, suite->counts.skipped};
    bool off[JUNIT_SAYINGS];
    compare(suite, evidence, off);
    if (off[JUNIT_TESTS] && withhold(suites, suite))
        off[JUNIT_TESTS] = false;
    str name = suite->named ? str_first(text_str(&suite->name), 200) : STR("<testsuites>");
    for (int what = 0; what < JUNIT_SAYINGS; what++)
        if (off[what])
            report_suspect(evidence, report,
                           "line %u: `" STR_FMT "` says %s=\"%llu\", but holds %llu", suite->line,
                           STR_ARG(name), names[what], (unsigned long long)suite->said[what],
                           (unsigned long long)counted[what]);
    if (suite->withheld > unlisted(suite, &suite->counts))
        report_suspect(evidence, report,
                       "line %u: suites inside of `" STR_FMT "` say %llu tests more than they hold",
                       suite->withheld_line, STR_ARG(name), (unsigned long long)suite->withheld);
    if (suites->depth)
        add_to_outer(&suites->open[suites->depth - 1], suite);
}

const struct junit_suite *junit_suite_now(const struct junit_suites *suites)
{
    return suites->depth ? &suites->open[suites->depth - 1] : NULL;
}

void junit_suites_done(struct junit_suites *suites)
{
    for (size_t i = 0; i < LIMIT_DOC_DEPTH; i++) {
        text_done(&suites->open[i].name);
        text_done(&suites->open[i].host);
        text_done(&suites->open[i].file);
    }
}
