#include "deploy/metrics/prometheus_answer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define VECTOR(result)                                                                             \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" result "]}}"
#define SERIES(value) "{\"metric\":{},\"value\":[1700000000.123,\"" value "\"]}"

Test(prometheus_answer, numbers)
{
    static const struct {
        const char *body;
        bool empty;
        double number;
    } rows[] = {
        {VECTOR(SERIES("12.5")), false, 12.5},
        {VECTOR(SERIES("0")), false, 0},
        {VECTOR(SERIES("1.2e+06")), false, 1.2e6},
        {VECTOR(SERIES("-3")), false, -3},
        {VECTOR(""), true, 0},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"7\"]}}",
         false, 7},
        {"{\"status\":\"success\",\"infos\":[\"not a counter\"],\"data\":{\"resultType\":"
         "\"vector\",\"result\":[" SERIES("4") "]}}",
         false, 4},
        {"{\"status\":\"success\",\"warnings\":[],\"data\":{\"resultType\":\"vector\",\"result\":["
         "]}}",
         true, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct prometheus_found found = {0};
        const char *why = "";
        cr_expect(prometheus_number(&arena, 200, str_of(rows[i].body), &found, &why), "%s: %s",
                  rows[i].body, why);
        cr_expect_eq(found.empty, rows[i].empty, "%s", rows[i].body);
        cr_expect_float_eq(found.number, rows[i].number, 1e-9, "%s", rows[i].body);
        arena_done(&arena);
    }
}

Test(prometheus_answer, what_is_no_number_says_why)
{
    static const struct {
        long status;
        const char *body, *words;
    } rows[] = {
        {200, VECTOR(SERIES("NaN")), "the value is NaN"},
        {200, VECTOR(SERIES("+Inf")), "the value is +Inf"},
        {200, VECTOR(SERIES("")), "the value is "},
        {200, VECTOR(SERIES("1") "," SERIES("2")), "2 series, not one"},
        {200, VECTOR("{\"metric\":{},\"value\":[1]}"), "no value"},
        {200, VECTOR("{\"metric\":{},\"value\":[1,2]}"), "no value"},
        {200, VECTOR("{\"metric\":{},\"histogram\":[1,{}]}"), "no value"},
        {200, VECTOR("7"), "no value"},
        {200,
         "{\"status\":\"success\",\"warnings\":[\"store down\"],\"data\":{\"resultType\":"
         "\"vector\",\"result\":[" SERIES("4") "]}}",
         "partial: store down"},
        {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
         "matrix"},
        {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":{}}}",
         "vector"},
        {200, "{\"status\":\"success\"}", "no single number"},
        {200, "{}", "status 200"},
        {200, "[]", "status 200"},
        {200, "", "not JSON"},
        {200, "<html>", "not JSON"},
        {200, "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"too slow\"}",
         "timeout: too slow"},
        {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}",
         "bad_data: parse error"},
        {422, "{\"status\":\"error\",\"error\":\"no\"}", "refused the query: no"},
        {401, "no", "token"},
        {403, "{}", "token"},
        {404, "page not found", "no query API"},
        {503, "", "status 503"},
        {500, VECTOR(SERIES("1")), "status 500"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct prometheus_found found = {.number = 42};
        const char *why = "";
        cr_expect_not(prometheus_number(&arena, rows[i].status, str_of(rows[i].body), &found, &why),
                      "%s", rows[i].body);
        cr_expect(strstr(why, rows[i].words), "%s\n  says: %s\n  want: %s", rows[i].body, why,
                  rows[i].words);
        cr_expect_eq(found.number, 42, "untouched");
        arena_done(&arena);
    }
}

Test(prometheus_answer, every_cut_of_an_answer_is_refused)
{
    static const char whole[] = VECTOR(SERIES("12.5"));
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct arena arena = {0};
        struct prometheus_found found;
        const char *why = NULL;
        cr_expect_not(prometheus_number(&arena, 200, str_make(whole, n), &found, &why));
        cr_expect(why && *why);
        arena_done(&arena);
    }
}

#define MATRIX(result)                                                                             \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result "]}}"

Test(prometheus_answer, ranges)
{
    static const struct {
        const char *body;
        double want[3]; // at 100, 160 and 220 s; -1 = none
    } rows[] = {
        {MATRIX(""), {-1, -1, -1}},
        {MATRIX("{\"values\":[[100,\"1\"],[160,\"2\"],[220,\"3\"]]}"), {1, 2, 3}},
        {MATRIX("{\"values\":[[160.001,\"2\"]]}"), {-1, 2, -1}},
        {MATRIX("{\"values\":[[40,\"9\"],[220,\"3\"],[280,\"9\"],[1e300,\"9\"],[-5,\"9\"]]}"),
         {-1, -1, 3}},
        {MATRIX("{\"values\":[[100,\"NaN\"],[160,\"+Inf\"],[220]]}"), {-1, -1, -1}},
        {MATRIX("{\"values\":[\"x\",7,[],[\"100\",\"1\"],[220,\"0\"]]}"), {-1, -1, 0}},
        {MATRIX("{\"histograms\":[]}"), {-1, -1, -1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        double have[3];
        const char *why = "";
        cr_expect(prometheus_range(&arena, 200, str_of(rows[i].body), 100000, 60000, 3, have, &why),
                  "%s: %s", rows[i].body, why);
        for (int k = 0; k < 3; k++)
            cr_expect(rows[i].want[k] < 0 ? isnan(have[k])
                                          : fabs(have[k] - rows[i].want[k]) < 1e-12,
                      "%s: %d is %g", rows[i].body, k, have[k]);
        arena_done(&arena);
    }
}

Test(prometheus_answer, what_is_no_range_says_why)
{
    static const struct {
        long status;
        const char *body, *words;
    } rows[] = {
        {200, VECTOR(SERIES("1")), "gives no range but a vector"},
        {200, MATRIX("{},{}"), "2 series, not one"},
        {503, "", "status 503"},
        {200, "[", "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        double have[3] = {1, 2, 3};
        const char *why = "";
        cr_expect_not(prometheus_range(&arena, rows[i].status, str_of(rows[i].body), 100000, 60000,
                                       3, have, &why));
        cr_expect(strstr(why, rows[i].words), "%s: %s", rows[i].words, why);
        cr_expect_eq(have[2], 3, "untouched");
        arena_done(&arena);
    }
}
