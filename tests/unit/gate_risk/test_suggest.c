#include "gate/risk/import.h"
#include "gate/risk/suggest.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(suggest, .fini = done);

Test(suggest, weight_is_churn_times_uncovered_times_incidents)
{
    struct suggestion items[] = {
        {.path = STR("a"), .commits = 3, .covered = 5, .total = 10},                 // 15
        {.path = STR("b"), .commits = 3, .covered = 5, .total = 10, .incidents = 2}, // 45
        {.path = STR("c"), .commits = 99, .covered = 10, .total = 10},               // 0
        {.path = STR("d"), .commits = 1, .covered = 0, .total = 30},                 // 30
    };
    cr_assert_eq(suggest_choose(items, 4, 10), 3);
    cr_expect(str_is(items[0].path, "b"));
    cr_expect(str_is(items[1].path, "d"));
    cr_expect(str_is(items[2].path, "a"));
    cr_expect_eq(suggest_choose(items, 4, 2), 2);
    cr_expect_eq(suggest_choose(items, 0, 2), 0);
}

Test(suggest, likelihood_has_one_reason_for_each_step)
{
    static const struct {
        struct suggestion one;
        unsigned likelihood, impact;
    } rows[] = {
        {{.commits = 1, .covered = 9, .total = 10}, 1, 3},
        {{.commits = 5, .covered = 9, .total = 10, .critical = true}, 2, 4},
        {{.commits = 15, .covered = 9, .total = 10}, 3, 3},
        {{.commits = 15, .covered = 4, .total = 10}, 4, 3},
        {{.commits = 15, .covered = 4, .total = 10, .incidents = 1}, 5, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(suggestion_likelihood(&rows[i].one), rows[i].likelihood, "row %zu", i);
        cr_expect_eq(suggestion_impact(&rows[i].one), rows[i].impact, "row %zu", i);
    }
}

Test(suggest, ids_stay_and_patterns_match_the_file_alone)
{
    char one[SUGGESTION_ID], again[SUGGESTION_ID];
    struct text out = text_of(4096);
    struct suggestion item = {.path = STR("app/[id].tsx"), .commits = 1, .total = 1};
    suggestion_id(STR("a.py"), one);
    suggestion_id(STR("a.py"), again);
    cr_expect_str_eq(one, again);
    suggestion_id(STR("b.py"), again);
    cr_expect_str_neq(one, again);
    suggest_yaml(&item, 1, 90, true, &out);
    cr_expect(strstr(text_c(&out), "\"app/[[]id].tsx\""), "%s", text_c(&out));
    text_done(&out);
}

TestSuite(import, .fini = done);

Test(import, bad_tables_are_refused)
{
    static const struct {
        const char *heads[4], *fields[4];
        size_t count, field_count;
        const char *says;
    } rows[] = {
        {{"title", "likelihood"}, {"a", "1"}, 2, 2, "impact"},
        {{"title", "likelihood", "impact", "Probability"}, {0}, 4, 0, "both stand for"},
        {{"title", "likelihood", "impact"}, {"a", "6", "1"}, 3, 3, "`6` is no likelihood"},
        {{"title", "likelihood", "impact"}, {"a", "0", "1"}, 3, 3, "`0` is no likelihood"},
        {{"title", "likelihood", "impact"}, {"", "1", "1"}, 3, 3, "the title is empty"},
        {{"title", "likelihood", "impact"}, {"a", "1"}, 3, 2, "2 fields stand under 3"},
        {{"title", "likelihood", "impact", "due"}, {"a", "1", "1", "31.1.2027"}, 4, 4, "no date"},
        {{"title", "likelihood", "impact", "due"}, {"a", "1", "1", "2027-02-30"}, 4, 4, "no date"},
        {{"title", "likelihood", "impact", "effort"}, {"a", "1", "1", "-1"}, 4, 4, "no effort"},
        {{"title", "likelihood", "impact", "status"}, {"a", "1", "1", "odd"}, 4, 4, "no status"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = text_of(4096);
        struct risk_import import = {.arena = &arena, .out = &out};
        struct error err = {0};
        str heads[4], fields[4];
        for (size_t k = 0; k < 4; k++) {
            heads[k] = str_of(rows[i].heads[k]);
            fields[k] = str_of(rows[i].fields[k]);
        }
        bool ok = import_header(&import, heads, rows[i].count, &err) &&
                  import_record(&import, fields, rows[i].field_count, 2, &err);
        cr_expect(!ok, "row %zu", i);
        cr_expect(strstr(err.message, rows[i].says), "row %zu: %s", i, err.message);
        text_done(&out);
    }
}

Test(import, twins_are_said_with_the_lines_of_the_table)
{
    const str heads[] = {STR("id"), STR("title"), STR("likelihood"), STR("impact")};
    const str fields[] = {STR("X"), STR("t"), STR("rare"), STR("severe")};
    struct text out = text_of(4096);
    struct risk_import import = {.arena = &arena, .out = &out};
    struct error err = {0};
    cr_assert(import_header(&import, heads, 4, &err));
    cr_assert(import_record(&import, fields, 4, 7, &err));
    cr_assert(import_end(&import, &err));
    cr_assert(import_record(&import, fields, 4, 9, &err));
    cr_expect(!import_end(&import, &err));
    cr_expect_eq(err.at.line, 9);
    cr_expect(strstr(err.message, "first in line 7"), "%s", err.message);
    cr_expect_eq(import_line(&import, 3), 7);
    cr_expect_eq(import_line(&import, 8), 9);
    cr_expect_eq(import_line(&import, 1), 0);
    text_done(&out);
}
