#include "gate/base/moment.h"
#include "gate/doc/yaml.h"
#include "gate/risk/register.h"

#include "../matrix_5x5.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(register, .fini = done);

static bool bind(const char *yaml, struct risk_register *ret, struct problems *problems)
{
    const struct node *root;
    struct error err = {0};
    *problems = (struct problems){.arena = &arena};
    cr_assert(yaml_parse(&arena, "risk-register.yml", str_of(yaml), &root, &err), "%s",
              err.message);
    return risk_register_bind(&arena, root, matrix_5x5(&arena), ret, problems);
}

static const char *const good =
    "version: 1\n"
    "flows: {payments: 5, catalogue: {weight: 2, title: The shop window}}\n"
    "risks:\n"
    "  - {id: R-1, title: Paid twice, likelihood: 4, impact: 5, flow: payments,\n"
    "     paths: ['payments/**'], owner: ann, due: 2027-03-31, effort: 2.5,\n"
    "     demands: {coverage: {lines: 90%, branches: 75%}}}\n"
    "  - {id: R-2, title: Slow, likelihood: 2, impact: 5, flow: catalogue, status: mitigating}\n"
    "  - {id: R-3, title: Old, likelihood: 3, impact: 2, status: accepted, owner: bob,\n"
    "     due: 2027-01-31}\n"
    "  - {id: R-4, title: Gone, likelihood: 5, impact: 5, weight: 3, status: closed}\n"
    "  - {id: R-5, title: Small, likelihood: 2, impact: 2}\n";

Test(register, exposure_is_likelihood_times_impact_times_weight)
{
    struct risk_register risks;
    struct problems problems;
    cr_assert(bind(good, &risks, &problems));
    static const uint64_t exposures[] = {100, 20, 6, 75, 4};
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(risk_exposure(risk_register_at(&risks, i)), exposures[i], "risk %zu", i);
}

Test(register, severity_follows_the_matrix)
{
    static const struct {
        int64_t likelihood, impact;
        enum risk_severity severity;
    } rows[] = {{5, 5, RISK_CRITICAL}, {4, 5, RISK_CRITICAL}, {4, 4, RISK_HIGH}, {5, 2, RISK_HIGH},
                {3, 3, RISK_MEDIUM},   {5, 1, RISK_MEDIUM},   {2, 2, RISK_LOW},  {1, 1, RISK_LOW}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_register risks;
        struct problems problems;
        str yaml = arena_format(&arena,
                                "version: 1\nrisks: {id: A, title: t, likelihood: %lld, impact: "
                                "%lld, weight: 5}\n",
                                (long long)rows[i].likelihood, (long long)rows[i].impact);
        cr_assert(bind(yaml.data, &risks, &problems));
        cr_expect_eq(risk_severity(risk_register_at(&risks, 0)), rows[i].severity, "row %zu", i);
    }
}

Test(register, totals_count_what_is_open)
{
    struct risk_register risks;
    struct problems problems;
    int64_t before, after;
    cr_assert(bind(good, &risks, &problems));
    cr_assert(date_parse(STR("2027-01-31"), &before));
    struct risk_totals totals = risk_totals(&risks, before);
    cr_expect_eq(totals.exposure, 124);
    cr_expect_eq(totals.open[RISK_CRITICAL], 1);
    cr_expect_eq(totals.open[RISK_HIGH], 1);
    cr_expect_eq(totals.open[RISK_LOW], 1);
    cr_expect_eq(totals.accepted, 1);
    cr_expect_eq(totals.closed, 1);
    cr_expect_eq(totals.overdue, 0, "the due date itself is not late");
    // an acceptance that has run out counts again
    cr_assert(date_parse(STR("2027-02-01"), &after));
    totals = risk_totals(&risks, after);
    cr_expect_eq(totals.exposure, 130);
    cr_expect_eq(totals.overdue, 1);
    cr_expect_eq(totals.open[RISK_MEDIUM], 1);
}

Test(register, demands_and_paths_are_bound)
{
    struct risk_register risks;
    struct problems problems;
    cr_assert(bind(good, &risks, &problems));
    const struct risk *risk = risk_register_at(&risks, 0);
    cr_assert_not_null(risk->demands);
    cr_assert_not_null(risk->demands->coverage);
    cr_expect(fraction_at_least(90, 100, risk->demands->coverage->lines));
    cr_expect_not(fraction_at_least(74, 100, risk->demands->coverage->branches));
    cr_expect(risk_covers(risk, STR("payments/models.py")));
    cr_expect_not(risk_covers(risk, STR("courses/models.py")));
    cr_expect_eq(risk->at.line, 4);
    cr_expect_null(risk_register_at(&risks, 1)->demands);
}

Test(register, demands_of_the_rollout_are_bound)
{
    static const struct {
        const char *demands;
        int64_t approvals;
        double slower;
        size_t steps;
        bool any;
    } rows[] = {{"{approvals: 2}", 2, 1, 0, true},
                {"{slower: true}", 0, 2, 0, true},
                {"{slower: 1.5, steps: [5%, 25%]}", 0, 1.5, 2, true},
                {"{steps: 1%}", 0, 1, 1, true},
                {"{tests: [a]}", 0, 1, 0, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_register risks;
        struct problems problems;
        str yaml = arena_format(&arena,
                                "version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: "
                                "1, demands: %s}\n",
                                rows[i].demands);
        cr_assert(bind(yaml.data, &risks, &problems), "row %zu", i);
        const struct risk *risk = risk_register_at(&risks, 0);
        cr_expect_eq(risk->demands->approvals, rows[i].approvals, "row %zu", i);
        cr_expect_eq(risk->demands->slower, rows[i].slower, "row %zu", i);
        cr_expect_eq(risk->demands->steps.count, rows[i].steps, "row %zu", i);
        cr_expect_eq(risk_demands_rollout(risk), rows[i].any, "row %zu", i);
    }
}

Test(register, more_steps_than_a_rollout_has_are_refused)
{
    struct text yaml = text_of(1u << 16);
    struct risk_register risks;
    struct problems problems;
    text_adds(&yaml, "version: 1\nrisks:\n");
    for (unsigned i = 1; i <= 33; i++)
        text_addf(&yaml,
                  "  - {id: R-%u, title: t, likelihood: 1, impact: 1, demands: {steps: [%u%%, "
                  "50%%]}}\n",
                  i, i);
    cr_assert_not(bind(text_c(&yaml), &risks, &problems));
    cr_expect_str_eq(problems.items[0].message,
                     "the risks demand more than 32 different steps together, and a rollout has "
                     "no more");
    text_done(&yaml);
}

Test(register, what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *yaml, *says;
        uint32_t line;
    } rows[] = {
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 6, impact: 1}\n", "likelihood", 3},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 0, impact: 1}\n", "likelihood", 3},
        {"version: 1\nrisks:\n  - {title: t, likelihood: 1, impact: 1}\n", "id", 3},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1}\n"
         "  - {id: A, title: t, likelihood: 1, impact: 1}\n",
         "twice", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1, flow: pay}\n", "flow",
         3},
        {"version: 1\nflows: {pay: 2}\nrisks:\n"
         "  - {id: A, title: t, likelihood: 1, impact: 1, flow: pay, weight: 3}\n",
         "weight", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1, status: accepted}\n",
         "accepted", 3},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1, due: 2027-02-30}\n",
         "due", 3},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     demands: {coverage: 90%}}\n",
         "paths", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     paths: [a], demands: {coverage: 101%}}\n",
         "100%", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     paths: [a], demands: {approvals: 17}}\n",
         "approvals", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     demands: {slower: 1}}\n",
         "`slower` must be true (twice as long) or a factor above 1, such as 1.5, and at most 100",
         4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     demands: {slower: false}}\n",
         "`slower` must be", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     demands: {steps: [25%, 5%]}}\n",
         "steps must rise", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     demands: {steps: [0%]}}\n",
         "a step is a share above 0% and at most 100%", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     closes_when: {}}\n",
         "says nothing", 4},
        {"version: 1\nrisks:\n  - {id: A, title: t, likelihood: 1, impact: 1,\n"
         "     closes_when: {coverage: 90%}}\n",
         "paths", 4},
        {"version: 2\nrisks: []\n", "version", 1},
        {"risks: []\n", "version", 1},
        {"version: 1\nrisk: []\n", "risk", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct risk_register risks;
        struct problems problems;
        cr_assert_not(bind(rows[i].yaml, &risks, &problems), "row %zu", i);
        cr_assert_geq(problems.count, 1, "row %zu", i);
        bool said = false;
        for (size_t k = 0; k < problems.count; k++)
            said |= strstr(problems.items[k].message, rows[i].says) &&
                    problems.items[k].at.line == rows[i].line;
        cr_expect(said, "row %zu: %s (line %u)", i, problems.items[0].message,
                  problems.items[0].at.line);
    }
}
