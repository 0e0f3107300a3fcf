#include "deploy/cloud/aws_xml.h"
#include "deploy/metrics/cloudwatch_answer.h"

#include <criterion/criterion.h>
#include <math.h>

enum { FIRST = 1800000000, PERIOD = 60, COUNT = 3 }; // 2027-01-15T08:00:00Z

static struct arena arena;

static void clean(void)
{
    arena_done(&arena);
}

TestSuite(cloudwatch_answer, .fini = clean);

static const struct cloudwatch_span span = {FIRST * INT64_C(1000), PERIOD *INT64_C(1000), COUNT};

static const struct node *tree_of(const char *xml)
{
    const struct node *tree;
    struct error err;
    cr_assert(aws_xml_read(&arena, str_of(xml), &tree, &err), "%s", err.message);
    return tree;
}

#define RESULT(id, status, times, values, more)                                                    \
    "<member><Id>" id "</Id><Label>l</Label><StatusCode>" status "</StatusCode><Timestamps>" times \
    "</Timestamps><Values>" values "</Values>" more "</member>"
#define ANSWER(results, more) "<R><MetricDataResults>" results "</MetricDataResults>" more "</R>"
#define AT(minute) "<member>2027-01-15T08:0" minute ":00Z</member>"
#define IS(value) "<member>" value "</member>"

// One series `a`, out of pages; why it cannot be used.
static const char *read(const char *const *pages, struct cloudwatch_series *ret)
{
    struct cloudwatch_series series[] = {{.id = "a"}};
    struct cloudwatch_answer answer;
    str next;
    cloudwatch_answer_begin(&arena, &span, series, 1, &answer);
    for (; *pages; pages++) {
        cloudwatch_answer_page(&answer, tree_of(*pages), &next);
        cr_expect_eq(next.len > 0, pages[1] != NULL, "a token on all pages but the last");
    }
    *ret = series[0];
    return cloudwatch_answer_why(&answer, &series[0]);
}

Test(cloudwatch_answer, puts_each_data_point_into_its_period)
{
    const char *pages[] = {
        ANSWER(RESULT("a", "Complete", AT("2") AT("0"), IS("2.5E1") IS("7.0"), ""), ""), NULL};
    struct cloudwatch_series a;
    cr_assert_null(read(pages, &a));
    cr_expect_eq(a.points, 2);
    cr_expect_eq(a.values[0], 7);
    cr_expect(isnan(a.values[1]), "no data point is no zero");
    cr_expect_eq(a.values[2], 25);
}

Test(cloudwatch_answer, what_lies_outside_of_what_was_asked_for_is_left_out)
{
    const char *pages[] = {
        ANSWER(RESULT("a", "Complete", "<member>2027-01-15T07:59:00Z</member>" AT("1") AT("3"),
                      IS("1") IS("2") IS("3"), ""),
               ""),
        NULL};
    struct cloudwatch_series a;
    cr_assert_null(read(pages, &a));
    cr_expect_eq(a.points, 1);
    cr_expect_eq(a.values[1], 2);
}

Test(cloudwatch_answer, no_data_points_are_no_failure_of_the_answer)
{
    const char *pages[] = {ANSWER(RESULT("a", "Complete", "", "", ""), ""), NULL};
    struct cloudwatch_series a;
    cr_assert_null(read(pages, &a));
    cr_expect_eq(a.points, 0);
}

Test(cloudwatch_answer, pages_are_put_together_and_the_last_status_counts)
{
    const char *pages[] = {
        ANSWER(RESULT("a", "PartialData", AT("0"), IS("1"), ""), "<NextToken>t/1+=</NextToken>"),
        ANSWER("", "<NextToken>t2</NextToken>"),
        ANSWER(RESULT("a", "Complete", AT("1"), IS("2"), ""), ""), NULL};
    struct cloudwatch_series a;
    cr_assert_null(read(pages, &a));
    cr_expect_eq(a.points, 2);
    cr_expect_eq(a.values[0] + a.values[1], 3);
}

Test(cloudwatch_answer, what_cannot_be_used)
{
    static const struct {
        const char *pages[3], *why;
    } rows[] = {
        {{"<R/>"}, "not an answer"},
        {{ANSWER("", "")}, "no series"},
        {{ANSWER(RESULT("b", "Complete", AT("0"), IS("1"), ""), "")}, "no series"},
        {{ANSWER(RESULT("a", "PartialData", AT("0"), IS("1"), ""), "")}, "PartialData"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("1"), ""), "<NextToken>t</NextToken>"),
          ANSWER(RESULT("a", "PartialData", AT("1"), IS("1"), ""), "")},
         "PartialData"},
        {{ANSWER(RESULT("a", "InternalError", "", "", ""), "")}, "InternalError"},
        {{ANSWER(RESULT("a", "Forbidden", "", "", ""), "")}, "may not read it"},
        {{ANSWER(RESULT("a", "", AT("0"), IS("1"), ""), "")}, "could not read it"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("NaN"), ""), "")}, "no number"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("Infinity"), ""), "")}, "no number"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS(""), ""), "")}, "no number"},
        {{ANSWER(RESULT("a", "Complete", "<member>soon</member>", IS("1"), ""), "")},
         "without a time"},
        {{ANSWER(RESULT("a", "Complete", AT("0") AT("1"), IS("1"), ""), "")}, "as many times"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("1") IS("2"), ""), "")}, "as many times"},
        {{ANSWER(RESULT("a", "Complete", AT("0") AT("0"), IS("1") IS("2"), ""), "")},
         "two data points"},
        {{ANSWER(RESULT("a", "Complete", "<member>2027-01-15T08:00:30Z</member>", IS("1"), ""),
                 "")},
         "beside the periods"},
        {{ANSWER(
             RESULT("a", "Complete", AT("0"), IS("1"),
                    "") "<member><Id>a</Id><Label>other</Label><StatusCode>Complete</StatusCode>"
                        "<Timestamps/><Values/></member>",
             "")},
         "more than one series"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("1"),
                        "<Messages><member><Code>ArithmeticError</Code><Value>one or\nmore were "
                        "dropped</Value></member></Messages>"),
                 "")},
         "ArithmeticError: one or more were dropped"},
        {{ANSWER(RESULT("a", "Complete", AT("0"), IS("1"), ""),
                 "<Messages><member><Code>MaxMetricsExceeded</Code><Value>the first 100 of them"
                 "</Value></member></Messages>")},
         "MaxMetricsExceeded"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cloudwatch_series a;
        const char *why = read(rows[i].pages, &a);
        cr_expect(why && strstr(why, rows[i].why), "row %zu: %s, not %s", i, why ? why : "fine",
                  rows[i].why);
    }
}

Test(cloudwatch_answer, intervals_that_meet_share_no_period_and_leave_none_out)
{
    static const int64_t ends[] = {100000, 160001, 220350, 220400, 281000, 340000, 660123};
    int64_t until = 120000;
    for (size_t i = 1; i < sizeof ends / sizeof ends[0]; i++) {
        struct cloudwatch_span s = cloudwatch_span_of(ends[i - 1], ends[i], 60000);
        cr_expect_eq(s.first_ms, until, "interval %zu", i);
        cr_expect_geq(s.first_ms, ends[i - 1], "nothing of before it");
        until = s.first_ms + (int64_t)s.count * 60000;
        cr_expect_lt(until, ends[i] + 60000, "no more than a period late");
    }
    cr_expect_eq(cloudwatch_span_of(220350, 220400, 60000).count, 0);
    cr_expect_eq(cloudwatch_span_of(120000, 180000, 60000).count, 1);
}
