#include "gate/doc/yaml.h"
#include "gate/risk/waivers.h"

#include <criterion/criterion.h>

Test(waivers, every_field_is_required)
{
    static const char *const keys[] = {"finding", "scope",       "reason",
                                       "owner",   "approved_by", "until"};
    static const char *const values[] = {"CVE-1", "'**'", "r", "o", "bob", "2027-03-31"};
    struct arena arena = {0};
    for (size_t missing = 0; missing <= 6; missing++) {
        str yaml = STR("version: 1\nwaivers:\n  - {");
        for (size_t i = 0; i < 6; i++)
            if (i != missing)
                yaml = arena_format(&arena, STR_FMT "%s: %s, ", STR_ARG(yaml), keys[i], values[i]);
        yaml = arena_format(&arena, STR_FMT "}\n", STR_ARG(yaml));
        const struct node *root;
        struct error err = {0};
        struct waivers waivers;
        struct problems problems = {.arena = &arena};
        cr_assert(yaml_parse(&arena, "waivers.yml", yaml, &root, &err), "%s", err.message);
        bool ok = waivers_bind(&arena, root, &waivers, &problems);
        cr_expect_eq(ok, missing == 6, "%zu", missing);
        if (!ok) {
            cr_assert_eq(problems.count, 1);
            cr_expect(strstr(problems.items[0].message, keys[missing]), "%s",
                      problems.items[0].message);
            cr_expect_eq(problems.items[0].at.line, 3);
        } else {
            cr_expect_eq(((struct waiver *)waivers.items.items)[0].at.line, 3);
        }
    }
    arena_done(&arena);
}

Test(waivers, a_star_is_any_text_and_brackets_are_themselves)
{
    static const struct {
        const char *pattern, *text;
        bool fits;
    } rows[] = {
        {"coverage.critical[payments/**].lines", "coverage.critical[payments/**].lines", true},
        {"coverage.critical[*].lines", "coverage.critical[payments/x].lines", true},
        {"coverage.*", "coverage.total", true},
        {"coverage.*", "tests.failures", false},
        {"cve-2024-1", "CVE-2024-1", true},
        {"CVE-2024-1", "CVE-2024-12", false},
        {"*", "", true},
        {"", "x", false},
        {"*a*b*", "xaybz", true},
        {"*a*b", "xaybz", false},
        {"a**b", "ab", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(waiver_word_fits(str_of(rows[i].pattern), str_of(rows[i].text)), rows[i].fits,
                     "%s %s", rows[i].pattern, rows[i].text);
}

Test(waivers, people_go_by_several_names)
{
    static const struct {
        const char *name, *person, *email;
        bool same;
    } rows[] = {
        {"ada", "Ada", "x@example.org", true},
        {"@ada", "Ada L", "ada@example.org", true},
        {"ada@example.org", "Ada L", "ADA@example.org", true},
        {"ada", "A", "12+ada@users.noreply.forge.example", true},
        {"ada", "A", "12+ada@example.org", false},
        {"ad", "Ada", "ada@example.org", false},
        {"", "", "", false},
        {"bob", "", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(
            waiver_is_person(str_of(rows[i].name), str_of(rows[i].person), str_of(rows[i].email)),
            rows[i].same, "%s %s", rows[i].name, rows[i].person);
}
