#include "../expect.h"
#include "gate/doc/yaml.h"
#include "gate/risk/lifecycle.h"

static struct arena arena;
static void done(void)
{
    arena_done(&arena);
}

TestSuite(lifecycle, .fini = done);

#define HEAD                                                                                       \
    "product: django\ntitle: Django\nlocked_as: [\"pypi:django\"]\nsource: x\nas_of: 2026-01-01\n"
#define SERIES                                                                                     \
    "series:\n  - {name: \"3.2\", lts: true}\n  - {name: \"4.0\"}\n  - {name: \"4.1\"}\n"          \
    "  - {name: \"4.2\", lts: true}\n  - {name: \"5.0\"}\n  - {name: \"5.1\"}\n"                   \
    "  - {name: \"5.2\", lts: true}\n  - {name: \"6.0\"}\n"

static bool bind(const char *yaml, struct lifecycle *ret, struct problems *problems)
{
    const struct node *root;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, "t.yml", str_of(yaml), &root, &err), "%s", err.message);
    return lifecycle_bind(&arena, root, ret, problems);
}

static struct version version(const char *text)
{
    struct version one;
    cr_assert(version_parse(str_of(text), &one), "%s", text);
    return one;
}

Test(lifecycle, how_many_steps_lie_between)
{
    static const struct {
        const char *from, *to;
        enum step_unit unit;
        uint32_t want;
        const char *rungs;
    } cases[] = {
        {"4.2.11", "5.2.1", STEP_LTS, 1, "5.2 "},
        {"3.2.25", "5.2", STEP_LTS, 2, "4.2 5.2 "},
        {"4.2", "6.0", STEP_LTS, 2, "5.2 6.0 "}, // past a long-term series
        {"4.2", "5.0", STEP_LTS, 1, "5.0 "},
        {"4.2.1", "4.2.11", STEP_LTS, 0, ""},
        {"3.2", "4.2", STEP_SERIES, 3, "4.0 4.1 4.2 "},
        {"3.2", "5.2", STEP_MAJOR, 2, "4.2 5.2 "},
        {"4.0", "4.2", STEP_MAJOR, 0, "4.2 "},
        {"4.0", "4.2", STEP_MINOR, 2, "4.1 4.2 "},
        {"4.2", "5.0", STEP_MINOR, STEP_TOO_FAR, "5.0 "},
        {"4.2.1", "4.2.11", STEP_PATCH, 10, ""},
        {"4.2.1", "4.3.0", STEP_PATCH, STEP_TOO_FAR, ""},
        {"4.2", "7.0", STEP_LTS, STEP_TOO_FAR, ""},
        {"4.2", "7.0", STEP_MAJOR, 3, ""},
        {"5.2", "4.2", STEP_LTS, 0, ""},
    };
    struct problems problems = {.arena = &arena};
    struct lifecycle table;
    cr_assert(bind(HEAD SERIES, &table, &problems), "%s", problems.items[0].message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version from = version(cases[i].from), to = version(cases[i].to);
        const struct lifecycle_series **rungs;
        uint32_t count = lifecycle_steps(&arena, &table, cases[i].unit, &from, &to, &rungs);
        str shown = {0};
        for (; *rungs; rungs++)
            shown =
                arena_format(&arena, STR_FMT STR_FMT " ", STR_ARG(shown), STR_ARG((*rungs)->name));
        cr_expect_eq(count, cases[i].want, "%s to %s in %s: %u", cases[i].from, cases[i].to,
                     step_unit_name(cases[i].unit), count);
        cr_expect(str_is(shown, cases[i].rungs), "%s to %s in %s: " STR_FMT, cases[i].from,
                  cases[i].to, step_unit_name(cases[i].unit), STR_ARG(shown));
    }
}

Test(lifecycle, a_version_belongs_to_its_series_by_whole_numbers)
{
    struct problems problems = {.arena = &arena};
    struct lifecycle table;
    cr_assert(bind("product: p\ntitle: P\nlocked_as: [\"image:p\"]\nsource: x\nas_of: 2026-01-01\n"
                   "series: [\"3.1\", \"3.9\", \"3.10\", \"10\"]\n",
                   &table, &problems),
              "%s", problems.items[0].message);
    static const struct {
        const char *text, *want;
    } cases[] = {{"3.10.4", "3.10"}, {"3.1.9", "3.1"}, {"v3.9-slim", "3.9"},
                 {"10.3", "10"},     {"3", ""},        {"3.11", ""},
                 {"1", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version one = version(cases[i].text);
        const struct lifecycle_series *series = lifecycle_series(&table, &one);
        cr_expect(str_is(series ? series->name : (str){0}, cases[i].want), "%s", cases[i].text);
    }
}

Test(lifecycle, tables_are_sorted_and_their_dates_in_order)
{
    static const struct {
        const char *series, *want;
    } cases[] = {
        {"series: [\"2\", \"1\"]\n", "`1` stands after a later series"},
        {"series: [\"1\", \"1\"]\n", "`1` stands after a later series"},
        {"series: [\"3.x\"]\n", "`3.x` is no series: numbers with dots"},
        {"series: [{name: \"1\", released: 2020-01-01, end_of_life: 2019-01-01}]\n",
         "the dates of `1` are in the wrong order"},
        {"series: [{name: \"1\", needs: {python: {from: \"3.9\", to: \"3.8\"}}}]\n",
         "what `1` needs is no range of versions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problems problems = {.arena = &arena};
        struct lifecycle table;
        cr_expect_not(
            bind(arena_format(&arena, HEAD "%s", cases[i].series).data, &table, &problems));
        cr_assert_gt(problems.count, 0, "%s", cases[i].want);
        cr_expect_str_eq(problems.items[0].message, cases[i].want);
    }
}
