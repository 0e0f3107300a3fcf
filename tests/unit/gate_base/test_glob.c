#include "../expect.h"
#include "gate/base/glob.h"

#include <stdlib.h>

struct row {
    const char *pattern, *path;
    bool want;
};

static void match(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_expect(glob_match(str_of(rows[i].pattern), str_of(rows[i].path)) == rows[i].want,
                  "`%s` and `%s`: want %s", rows[i].pattern, rows[i].path,
                  rows[i].want ? "a match" : "none");
}

#define MATCH(rows) match((rows), sizeof(rows) / sizeof(rows)[0])

Test(glob, literals_and_one_star)
{
    static const struct row rows[] = {{"", "", true},
                                      {"", "a", false},
                                      {"a", "", false},
                                      {"a/b", "a/b", true},
                                      {"a/b", "a/bc", false},
                                      {"a/bc", "a/b", false},
                                      {"*", "", true},
                                      {"*", "a", true},
                                      {"*", "a/b", false},
                                      {"*.xml", "a.xml", true},
                                      {"*.xml", "a/b.xml", false},
                                      {"*.xml", "a.xml.bak", false},
                                      {"a*", "a", true},
                                      {"a*c", "abbc", true},
                                      {"a*c", "abcbc", true},
                                      {"a*c", "ab", false},
                                      {"a/*/c", "a/b/c", true},
                                      {"a/*/c", "a/c", false},
                                      {"a/*/c", "a/b/b/c", false},
                                      {"k6-*.json", "k6-load.json", true},
                                      {"*a*b*", "xaxbx", true},
                                      {"*a*b*", "xbxax", false},
                                      {".*", ".gitignore", true},
                                      {"*", ".gitignore", true}};
    MATCH(rows);
}

Test(glob, question_marks_and_sets)
{
    static const struct row rows[] = {{"?", "a", true},         {"?", "", false},
                                      {"?", "/", false},        {"a?c", "abc", true},
                                      {"[abc]", "b", true},     {"[abc]", "d", false},
                                      {"[a-c]x", "bx", true},   {"[a-c]x", "dx", false},
                                      {"[!a-c]", "d", true},    {"[!a-c]", "b", false},
                                      {"[^a]", "b", true},      {"[!a]", "/", false},
                                      {"[/]", "/", false},      {"[]]", "]", true},
                                      {"[!]]", "a", true},      {"[a-]", "-", true},
                                      {"[a", "[a", true},       {"[a", "a", false},
                                      {"x[", "x[", true},       {"[\xC3-\xC5]", "\xC4", true},
                                      {"*[0-9]", "run12", true}};
    MATCH(rows);
}

Test(glob, two_stars_go_over_folders)
{
    static const struct row rows[] = {
        {"**", "", true},
        {"**", "a/b/c", true},
        {"payments/**", "payments/models/card.py", true},
        {"payments/**", "payments/x", true},
        {"payments/**", "payments", false},
        {"payments/**", "payments2/x", false},
        {"payments/**", "other/payments/x", false},
        {"**/x.py", "x.py", true},
        {"**/x.py", "a/x.py", true},
        {"**/x.py", "a/b/x.py", true},
        {"**/x.py", "ax.py", false},
        {"**/x.py", "a/bx.py", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/xb", false},
        {"a/**/b", "ab", false},
        {"a/**/b", "a/b/c", false},
        {"**/migrations/**", "a/migrations/0001.py", true},
        {"**/migrations/**", "migrations/0001.py", true},
        {"**/migrations/**", "a/b/migrations/c/0001.py", true},
        {"**/migrations/**", "a/mymigrations/0001.py", false},
        {"**/migrations/**", "a/migrations2/0001.py", false},
        {"**/*.py", "a/b/c.py", true},
        {"**/*.py", "c.py", true},
        {"**/*.py", "c.pyc", false},
        {"reports/**/*.xml", "reports/a.xml", true},
        {"reports/**/*.xml", "reports/j/unit/a.xml", true},
        {"reports/**/*.xml", "reports2/a.xml", false},
        {"**/a/**/b", "a/a/x/b", true},
        {"**/a/**/b", "x/a/b/c/b", true},
        {"**/a/**/b", "x/b/a", false},
        {"**/a*b", "x/a1/y/azb", true},
        {"a**", "a/b/c", true},
        {"a**c", "ab/bc", true},
        {"x**/y", "xa/b/y", true},
        {"x**/y", "x/y", true},
        {"x**/y", "xy", false},
        {"***", "a/b", true},
        {"**/**", "a", true},
        {"**/**/a", "a", true},
    };
    MATCH(rows);
}

// The plain meaning, by trying everything: slow, and therefore plainly right.
static bool slow(str p, str s, bool at_start)
{
    if (p.len == 0)
        return s.len == 0;
    if (str_starts(p, STR("**/")) && at_start) {
        for (size_t i = 0; i <= s.len; i++)
            if ((i == 0 || s.data[i - 1] == '/') && slow(str_from(p, 3), str_from(s, i), true))
                return true;
        return false;
    }
    if (str_starts(p, STR("**"))) {
        for (size_t i = 0; i <= s.len; i++)
            if (slow(str_from(p, 2), str_from(s, i), i ? s.data[i - 1] == '/' : at_start))
                return true;
        return false;
    }
    if (p.data[0] == '*') {
        for (size_t i = 0; i <= s.len; i++) {
            if (slow(str_from(p, 1), str_from(s, i), i == 0 && at_start))
                return true;
            if (i < s.len && s.data[i] == '/')
                return false;
        }
        return false;
    }
    bool one = s.len && (p.data[0] == '?' ? s.data[0] != '/' : p.data[0] == s.data[0]);
    return one && slow(str_from(p, 1), str_from(s, 1), s.data[0] == '/');
}

Test(glob, agrees_with_the_plain_meaning, .timeout = 60)
{
    static const char pattern_letters[] = "ab/**?", path_letters[] = "ab/";
    unsigned seed = 7;
    for (int round = 0; round < 200000; round++) {
        char pattern[9], path[9];
        size_t p = 0, s = 0;
        for (size_t n = (size_t)rand_r(&seed) % 9; p < n; p++)
            pattern[p] = pattern_letters[(size_t)rand_r(&seed) % 6];
        for (size_t n = (size_t)rand_r(&seed) % 9; s < n; s++)
            path[s] = path_letters[(size_t)rand_r(&seed) % 3];
        str a = str_make(pattern, p), b = str_make(path, s);
        cr_assert(glob_match(a, b) == slow(a, b, true), "`" STR_FMT "` and `" STR_FMT "`",
                  STR_ARG(a), STR_ARG(b));
    }
}

Test(glob, many_stars_take_no_ages, .timeout = 10)
{
    char path[4096], pattern[200];
    memset(path, 'a', sizeof path);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[199] = 'b';
    cr_expect_not(glob_match(str_make(pattern, sizeof pattern), str_make(path, sizeof path)));
    for (size_t i = 0; i < sizeof path; i += 2)
        path[i] = '/';
    for (size_t i = 0; i + 4 <= sizeof pattern; i += 4)
        memcpy(pattern + i, "**/a", 4);
    pattern[199] = 'b';
    cr_expect_not(glob_match(str_make(pattern, sizeof pattern), str_make(path, sizeof path)));
}

Test(glob, literal_prefix_and_kind)
{
    cr_expect(glob_literal(STR("payments/**")) == 9);
    cr_expect(glob_literal(STR("payments")) == 8);
    cr_expect(glob_literal(STR("**/x")) == 0);
    cr_expect(glob_literal(STR("a?b")) == 1 && glob_literal(STR("a[b]")) == 1);
    cr_expect(glob_is_pattern(STR("a*")) && glob_is_pattern(STR("?")) && glob_is_pattern(STR("[")));
    cr_expect_not(glob_is_pattern(STR("a/b.xml")));
    cr_expect_not(glob_is_pattern(STR("")));
}
