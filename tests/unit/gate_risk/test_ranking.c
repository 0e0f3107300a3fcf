#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/doc/yaml.h"
#include "gate/risk/ranking.h"
#include "gate/risk/risk_paths.h"

#include "../matrix_5x5.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(ranking, .fini = done);

static void bind(const char *yaml, struct risk_register *ret)
{
    const struct node *root;
    struct error err = {0};
    struct problems problems = {.arena = &arena};
    cr_assert(yaml_parse(&arena, "r.yml", str_of(yaml), &root, &err), "%s", err.message);
    cr_assert(risk_register_bind(&arena, root, matrix_5x5(&arena), ret, &problems), "%s",
              problems.count ? problems.items[0].message : "");
}

static const char *const five =
    "version: 1\nflows: {pay: 5}\nrisks:\n"
    "  - {id: A, title: a, likelihood: 1, impact: 4, effort: 1}\n"             // 4, 4 a day
    "  - {id: B, title: b, likelihood: 4, impact: 5, flow: pay, effort: 50}\n" // 100, 2 a day
    "  - {id: C, title: c, likelihood: 5, impact: 5}\n"                        // 25, nobody knows
    "  - {id: D, title: d, likelihood: 5, impact: 5, status: closed, effort: 1}\n"
    "  - {id: E, title: e, likelihood: 2, impact: 2, effort: 1, status: accepted, owner: o,\n"
    "     due: 2027-01-31}\n"; // 4, counts once its date has passed

static void expect_ids(const struct risk *const *items, size_t count, const char *ids)
{
    cr_assert_eq(count, strlen(ids));
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(items[i]->id.data[0], ids[i], "place %zu is " STR_FMT, i,
                     STR_ARG(items[i]->id));
}

Test(ranking, filters_and_falling_exposure)
{
    static const struct {
        struct risk_filter filter;
        const char *ids;
    } rows[] = {
        {{RISK_ANY, RISK_ANY, {NULL, 0}}, "BCDAE"},
        {{RISK_NOT_CLOSED, RISK_ANY, {NULL, 0}}, "BCAE"},
        {{RISK_CLOSED, RISK_ANY, {NULL, 0}}, "D"},
        {{RISK_ANY, RISK_CRITICAL, {NULL, 0}}, "BCD"},
        {{RISK_ANY, RISK_ANY, STR_INIT("pay")}, "B"},
        {{RISK_MITIGATING, RISK_ANY, {NULL, 0}}, ""},
    };
    struct risk_register risks;
    bind(five, &risks);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct risk **items;
        size_t count = risk_select(&arena, &risks, &rows[i].filter, &items);
        risk_sort_by_exposure(items, count);
        expect_ids(items, count, rows[i].ids);
    }
}

Test(ranking, roadmap_is_exposure_per_effort_and_what_is_not_estimated_comes_last)
{
    struct risk_register risks;
    struct roadmap roadmap;
    bind(five, &risks);
    roadmap_make(&arena, &risks, civil_to_days(2027, 1, 31), &roadmap);
    cr_assert_eq(roadmap.count, 3);
    cr_expect_eq(roadmap.exposure, 129);
    cr_expect_eq(roadmap.estimated, 2);
    cr_expect(str_is(roadmap.steps[0].risk->id, "A"));
    cr_expect(str_is(roadmap.steps[1].risk->id, "B"));
    cr_expect(str_is(roadmap.steps[2].risk->id, "C"));
    cr_expect_eq(roadmap.steps[0].exposure_left, 125);
    cr_expect_eq(roadmap.steps[1].exposure_left, 25);
    cr_expect_eq(roadmap.steps[2].exposure_left, 0);
    cr_expect_float_eq(roadmap.steps[1].effort_so_far, 51, 1e-9);
    roadmap_make(&arena, &risks, civil_to_days(2027, 2, 1), &roadmap);
    cr_expect_eq(roadmap.count, 4, "an acceptance that has ended counts again");
}

Test(ranking, an_empty_register_has_an_empty_roadmap)
{
    struct risk_register risks;
    struct roadmap roadmap;
    bind("version: 1\nrisks: []\n", &risks);
    roadmap_make(&arena, &risks, 0, &roadmap);
    cr_expect_eq(roadmap.count, 0);
    cr_expect_eq(roadmap.exposure, 0);
}

static void count_risk(void *context, uint32_t risk)
{
    ((unsigned *)context)[risk]++;
}

Test(ranking, paths_are_found_by_their_literal_beginning_as_one_by_one)
{
    static const char *const yaml =
        "version: 1\nrisks:\n"
        "  - {id: A, title: a, likelihood: 1, impact: 1, paths: ['payments/**', 'payments/*.py']}\n"
        "  - {id: B, title: b, likelihood: 1, impact: 1, paths: ['**/*.sql']}\n"
        "  - {id: C, title: c, likelihood: 1, impact: 1, paths: ['payments/card.py']}\n"
        "  - {id: D, title: d, likelihood: 1, impact: 1, paths: ['pay?ents/[a-c]*.py']}\n"
        "  - {id: E, title: e, likelihood: 1, impact: 1}\n";
    static const char *const paths[] = {"payments/card.py", "payments/x/y.sql", "z.sql",
                                        "payments",         "shop/card.py",     "",
                                        "payments/z.py"};
    struct risk_register risks;
    struct risk_paths index;
    bind(yaml, &risks);
    risk_paths_make(&arena, &risks, &index);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        unsigned seen[5] = {0};
        risk_paths_each(&index, str_of(paths[i]), count_risk, seen);
        for (size_t k = 0; k < 5; k++)
            cr_expect_eq(seen[k] > 0, risk_covers(risk_register_at(&risks, k), str_of(paths[i])),
                         "path `%s`, risk %zu", paths[i], k);
    }
}

Test(ranking, a_register_of_many_is_bound_and_twins_are_found)
{
    struct text yaml = text_of(16u << 20);
    struct error err = {0};
    const struct node *root;
    struct risk_register risks;
    struct problems problems = {.arena = &arena};
    text_adds(&yaml, "version: 1\nrisks:\n");
    for (unsigned i = 0; i < 20000; i++)
        text_addf(&yaml, "  - {id: R-%u, title: t, likelihood: 1, impact: 1}\n", i);
    text_adds(&yaml, "  - {id: R-77, title: t, likelihood: 1, impact: 1}\n");
    cr_assert(yaml_parse_large(&arena, "r.yml", text_str(&yaml), LIMIT_REGISTER_BYTES,
                               LIMIT_REGISTER_NODES, &root, &err));
    cr_expect(!risk_register_bind(&arena, root, matrix_5x5(&arena), &risks, &problems));
    cr_assert_eq(problems.count, 1);
    cr_expect_str_eq(problems.items[0].message, "risk `R-77` stands twice: first in line 80");
    cr_expect(!yaml_parse_large(&arena, "r.yml", text_str(&yaml), 1000, LIMIT_REGISTER_NODES, &root,
                                &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_expect(!yaml_parse_large(&arena, "r.yml", text_str(&yaml), LIMIT_REGISTER_BYTES, 1000, &root,
                                &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    text_done(&yaml);
}

Test(ranking, tests_are_meant_by_suite_and_name)
{
    static const struct {
        const char *pattern, *identity;
        bool fits;
    } rows[] = {{"payments::*", "payments › test_twice", true},
                {"payments › *", "payments › test_twice", true},
                {"payments::Card::test_a", "payments › Card › test_a", true},
                {"payments::*", "payments2 › test_a", false},
                {"*twice", "payments › test_twice", true},
                {"a::b", "a::b", true},
                {"payments::*", "payments", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(risk_test_fits(str_of(rows[i].pattern), str_of(rows[i].identity)),
                     rows[i].fits, "row %zu", i);
}
