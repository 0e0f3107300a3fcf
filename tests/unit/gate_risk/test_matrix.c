#include "gate/doc/yaml.h"
#include "gate/risk/matrix.h"
#include "gate/risk/register.h"

#include "../matrix_5x5.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(matrix, .fini = done);

static const char *const averages = "version: 1\n"
                                    "title: averages\n"
                                    "axes:\n"
                                    "  likelihood:\n"
                                    "    from: 0\n"
                                    "    to: 9\n"
                                    "    factors: {skill: how skilled, motive: how keen}\n"
                                    "    levels: {low: 0, medium: 3, high: 6}\n"
                                    "  impact:\n"
                                    "    from: 0\n"
                                    "    to: 9\n"
                                    "    factors: {money: what it costs}\n"
                                    "    instead: {data: what is lost, uptime: for how long}\n"
                                    "    levels: {low: 0, high: 4.5}\n"
                                    "outcomes:\n"
                                    "  note: {severity: low, points: 1}\n"
                                    "  grave: {severity: high, points: 16}\n"
                                    "table:\n"
                                    "  - [high, high, grave]\n"
                                    "  - [medium, high, grave]\n"
                                    "  - ['*', '*', note]\n";
static const char *const words = "version: 1\n"
                                 "title: words\n"
                                 "axes:\n"
                                 "  exploitation: {words: [none, poc, active]}\n"
                                 "  automatable: {words: [\"no\", \"yes\"]}\n"
                                 "outcomes:\n"
                                 "  defer: {severity: low, points: 1}\n"
                                 "  immediate: {severity: critical, points: 25}\n"
                                 "table:\n"
                                 "  - [active, yes, immediate]\n"
                                 "  - ['*', '*', defer]\n";
static const char *const product = "version: 1\n"
                                   "title: averages multiplied\n"
                                   "axes:\n"
                                   "  chance: {from: 1, to: 10, factors: {a: one, b: two}}\n"
                                   "  cost: {from: 1, to: 10}\n"
                                   "severities: {medium: 10, high: 40, critical: 90}\n";

static const struct node *read(const char *yaml)
{
    const struct node *root;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, "r.yml", str_of(yaml), &root, &err), "%s", err.message);
    return root;
}

Test(matrix, rates_by_product_average_and_words)
{
    static const struct {
        const char *const *matrix;
        const char *risk, *outcome;
        uint64_t points;
        enum risk_severity severity;
    } rows[] = {
        {&averages, "rating: {skill: 6, motive: 6, money: 5}", "grave", 16, RISK_HIGH},
        // 2.5 is low, not rounded to 3
        {&averages, "rating: {skill: 2, motive: 3, money: 9}", "note", 1, RISK_LOW},
        {&averages, "rating: {skill: 3, motive: 3, money: 5}", "grave", 16, RISK_HIGH},
        {&averages, "rating: {skill: 9, motive: 9, money: 4}", "note", 1, RISK_LOW},
        // 4.5 is the first value of its level
        {&averages, "rating: {skill: 9, motive: 9, data: 4, uptime: 5}", "grave", 16, RISK_HIGH},
        // what stands under `instead` counts when a risk has both
        {&averages, "rating: {skill: 9, motive: 9, money: 9, data: 0, uptime: 0}", "note", 1,
         RISK_LOW},
        {&words, "rating: {exploitation: active, automatable: yes}", "immediate", 25,
         RISK_CRITICAL},
        {&words, "rating: {exploitation: active, automatable: no}", "defer", 1, RISK_LOW},
        {&words, "rating: {exploitation: none, automatable: yes}", "defer", 1, RISK_LOW},
        // 4.5 x 2 = 9; 4.5 x 9 = 40.5, rounded up
        {&product, "rating: {a: 4, b: 5, cost: 2}", "low", 9, RISK_LOW},
        {&product, "rating: {a: 4, b: 5, cost: 9}", "high", 41, RISK_HIGH},
        {&product, "rating: {a: 10, b: 10, cost: 10}", "critical", 100, RISK_CRITICAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_rating rating = {0};
        struct problems problems = {.arena = &arena};
        const struct risk_matrix *matrix = matrix_read(&arena, "m", *rows[i].matrix);
        cr_assert(matrix_rate(matrix, read(rows[i].risk), &rating, &problems), "row %zu: %s", i,
                  problems.count ? problems.items[0].message : "");
        cr_expect(str_is(rating.outcome, rows[i].outcome), "row %zu: " STR_FMT, i,
                  STR_ARG(rating.outcome));
        cr_expect_eq(rating.points, rows[i].points, "row %zu: %llu", i,
                     (unsigned long long)rating.points);
        cr_expect_eq(rating.severity, rows[i].severity, "row %zu", i);
    }
    cr_expect_eq(matrix_read(&arena, "m", averages)->most, 16);
    cr_expect_eq(matrix_read(&arena, "m", product)->most, 100);
    cr_expect_eq(matrix_5x5(&arena)->most, 25);
}

Test(matrix, one_may_stand_beside_the_rating)
{
    struct risk_rating rating;
    struct problems problems = {.arena = &arena};
    const struct risk_matrix *matrix = matrix_5x5(&arena);
    cr_assert(
        matrix_rate(matrix, read("{likelihood: 2, rating: {impact: 5}}"), &rating, &problems));
    cr_expect_eq(rating.points, 10);
    cr_expect(matrix_has_number(matrix, "likelihood"));
    cr_expect_not(matrix_has_number(matrix_read(&arena, "m", averages), "likelihood"));
    cr_expect_not(matrix_has_number(matrix_read(&arena, "m", words), "exploitation"));
}

Test(matrix, inputs_that_are_wrong_are_named)
{
    static const struct {
        const char *const *matrix;
        const char *risk, *says;
    } rows[] = {
        {&words, "{id: A}",
         "the matrix `m` needs `exploitation`, `automatable` in the `rating` of risk `A`"},
        {&words, "rating: {exploitation: activ, automatable: yes}",
         "`exploitation` must be `none`, `poc` or `active`, not `activ`; did you mean `active`?"},
        {&words, "rating: {exploitation: [active], automatable: yes}",
         "`exploitation` must be `none`, `poc` or `active`, not a list"},
        {&words, "rating: {exploitation: active, automatable: yes, exposure: open}",
         "`exposure` is no input of the matrix `m`, which takes `exploitation` (`none`, `poc` or "
         "`active`), `automatable` (`no` or `yes`)"},
        {&words, "rating: {exploitation: active, automatabel: yes}",
         "`automatabel` is no input of the matrix `m`; did you mean `automatable`?"},
        {&words, "{likelihood: 3, rating: {exploitation: active, automatable: yes}}",
         "the matrix `m` does not take `likelihood` as a number: give the risk a `rating`"},
        {&averages, "{id: A, rating: {skill: 3, money: 3}}",
         "the matrix `m` needs `motive` in the `rating` of risk `A`"},
        {&averages, "{id: A, rating: {skill: 3, motive: 3, data: 3}}",
         "the matrix `m` needs `uptime` in the `rating` of risk `A`"},
        {&averages, "rating: {skill: 10, motive: 3, money: 3}",
         "`skill` must be between 0 and 9, not `10`"},
        {&averages, "rating: {skill: 2.5, motive: 3, money: 3}",
         "`skill` must be a whole number between 0 and 9, not `2.5`"},
        {&averages, "rating: 5", "`rating` must be a map of inputs and values, not a number"},
        {&product, "{impact: 5, rating: {a: 1, b: 1, cost: 1}}",
         "the matrix `m` does not take `impact` as a number: give the risk a `rating`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_rating rating;
        struct problems problems = {.arena = &arena};
        const struct risk_matrix *matrix = matrix_read(&arena, "m", *rows[i].matrix);
        cr_assert_not(matrix_rate(matrix, read(rows[i].risk), &rating, &problems), "row %zu", i);
        cr_expect_str_eq(problems.items[0].message, rows[i].says, "row %zu", i);
    }
    struct risk_rating rating;
    struct problems problems = {.arena = &arena};
    cr_expect_not(matrix_rate(matrix_5x5(&arena),
                              read("{likelihood: 2, impact: 2, rating: {impact: 5}}"), &rating,
                              &problems));
    cr_expect_str_eq(problems.items[0].message,
                     "`impact` stands here and under `rating`: keep one");
}

#define HEAD "version: 1\ntitle: t\n"
#define AXES HEAD "axes:\n  a: {words: [x, y]}\n  b: {from: 0, to: 9, levels: {low: 0, high: 5}}\n"
#define OUTCOMES "outcomes: {mild: {severity: low, points: 1}, bad: {severity: high, points: 9}}\n"

Test(matrix, a_matrix_that_leaves_a_case_open_is_refused)
{
    static const struct {
        const char *yaml, *says;
        uint32_t line;
    } rows[] = {
        {AXES OUTCOMES "table:\n  - [x, '*', mild]\n  - [y, low, bad]\n",
         "the table does not decide [y, high]: add a row", 8},
        {AXES OUTCOMES "table:\n  - ['*', '*', mild]\n  - [y, low, bad]\n",
         "this row decides nothing: rows before it take its cases", 9},
        {AXES OUTCOMES "table:\n  - [z, '*', mild]\n", "`z` is no level of `a`", 8},
        {AXES OUTCOMES "table:\n  - ['*', '*', worse]\n", "`worse` is none of `outcomes`", 8},
        {AXES OUTCOMES "table:\n  - ['*', mild]\n",
         "a row of the table is a list of 3: the level of each axis, and the outcome", 8},
        {AXES OUTCOMES "table: x\n", "`table` must be a list of rows, not a text", 7},
        {AXES OUTCOMES "table: [a, b, c, d, e]\n", "the table has 5 rows for 4 cases", 7},
        {AXES OUTCOMES,
         "a matrix needs `severities` of the product of its axes, or `outcomes` "
         "and a `table`",
         1},
        {AXES "severities: {medium: 2, high: 5, critical: 9}\n",
         "the words of `a` cannot be multiplied: give `outcomes` and a `table` in place of "
         "`severities`",
         4},
        {AXES "outcomes: {bad: {severity: high, points: 9}, mild: {severity: low, points: 1}}\n"
              "table: [['*', '*', bad]]\n",
         "outcomes stand mildest first: `mild` has less than `bad`", 6},
        {HEAD "axes: {a: {from: 1, to: 5}}\nseverities: {medium: 2, high: 4, critical: 6}\n",
         "no product reaches 6: the largest is 5", 4},
        {HEAD "axes: {a: {from: 1, to: 5}}\nseverities: {medium: 2, high: 2, critical: 5}\n",
         "`severities` must rise: medium, high, critical", 4},
        {HEAD "axes: {a: {from: 5, to: 5}}\nseverities: {medium: 2, high: 3, critical: 5}\n",
         "the axis `a` needs `words`, or numbers `from` and `to` of which `to` is the larger", 3},
        {HEAD "axes: {a: {from: 1, to: 5, factors: {b: x}}, b: {from: 1, to: 5}}\n"
              "severities: {medium: 2, high: 3, critical: 5}\n",
         "`b` stands twice: a risk could not tell which is meant", 3},
        {HEAD "axes: {a: {from: 0, to: 9, levels: {low: 1, high: 5}}}\n" OUTCOMES
              "table: [['*', mild]]\n",
         "the first level of `a` must begin at 0, where the axis does", 3},
        {HEAD "axes: {a: {from: 0, to: 9, levels: {low: 0, high: 5, top: 5}}}\n" OUTCOMES
              "table: [['*', mild]]\n",
         "the levels of `a` must rise: `top` begins no higher than the one before", 3},
        {HEAD "axes: {a: {from: 0, to: 9}}\n" OUTCOMES "table: [['*', mild]]\n",
         "the axis `a` needs `levels`, which the table speaks of", 3},
        {HEAD "axes: {a: {words: [x, x]}}\n" OUTCOMES "table: [['*', mild]]\n",
         "the axis `a` has `x` twice", 3},
        {HEAD "axes: {a: {words: [x, y], to: 9}}\n" OUTCOMES "table: [['*', mild]]\n",
         "the axis `a` has `words`: `from`, `to`, `factors`, `instead` and `levels` are for an "
         "axis of numbers",
         3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_matrix matrix;
        struct problems problems = {.arena = &arena};
        cr_assert_not(matrix_bind(&arena, read(rows[i].yaml), &matrix, &problems), "row %zu", i);
        cr_expect_str_eq(problems.items[0].message, rows[i].says, "row %zu", i);
        cr_expect_eq(problems.items[0].at.line, rows[i].line, "row %zu: line %u", i,
                     problems.items[0].at.line);
    }
}

Test(matrix, too_many_cases_are_a_limit)
{
    struct risk_matrix matrix;
    struct problems problems = {.arena = &arena};
    struct text yaml = text_of(1u << 16);
    text_adds(&yaml, HEAD "axes:\n");
    for (char axis = 'a'; axis < 'g'; axis++)
        text_addf(&yaml, "  %c: {words: [a, b, c, d, e]}\n", axis);
    text_adds(&yaml, OUTCOMES "table: [['*', '*', '*', '*', '*', '*', mild]]\n");
    cr_assert_not(matrix_bind(&arena, read(text_c(&yaml)), &matrix, &problems));
    cr_expect_str_eq(problems.items[0].message, "the table has more than 4096 cases");
    text_done(&yaml);
}
