#include "../expect.h"
#include "gate/base/str.h"

Test(str, slices_compare_by_content)
{
    cr_expect(str_eq(STR(""), (str){NULL, 0}));
    cr_expect(str_eq(STR("a\0b"), STR("a\0b")));
    cr_expect_not(str_eq(STR("a\0b"), STR("a\0c")));
    cr_expect(str_is(STR("abc"), "abc"));
    cr_expect_not(str_is(STR("abc"), "ab"));
    cr_expect(str_is((str){NULL, 0}, ""));
    cr_expect(str_of(NULL).len == 0);
    cr_expect(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("b"), STR("a")) > 0);
    cr_expect(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("ab"), STR("a")) > 0);
    cr_expect(str_cmp(STR("\xFF"), STR("a")) > 0, "bytes are unsigned");
    cr_expect(str_cmp((str){NULL, 0}, STR("")) == 0);
}

Test(str, prefixes_and_suffixes)
{
    cr_expect(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
    cr_expect_not(str_starts(STR("ab"), STR("abc")));
    cr_expect(str_ends(STR("abc"), STR("bc")) && str_ends(STR(""), STR("")));
    cr_expect_not(str_ends(STR("bc"), STR("abc")));
    expect_str(str_from(STR("abc"), 1), "bc");
    expect_str(str_from(STR("abc"), 3), "");
    expect_str(str_from(STR("abc"), 99), "");
    expect_str(str_first(STR("abc"), 2), "ab");
    expect_str(str_first(STR("abc"), STR_NONE), "abc");
}

Test(str, shortening_keeps_characters_whole)
{
    expect_str(str_shorten(STR("abc"), 2), "ab");
    expect_str(str_shorten(STR("abc"), 3), "abc");
    expect_str(str_shorten(STR("a\xC3\xA9"), 2), "a");
    expect_str(str_shorten(STR("a\xC3\xA9z"), 3), "a\xC3\xA9");
    expect_str(str_shorten(STR("\xF0\x9F\x98\x80z"), 3), "");
    expect_str(str_shorten((str){NULL, 0}, 3), "");
}

Test(str, finding)
{
    cr_expect(str_find(STR("a/b/c"), '/') == 1 && str_find_last(STR("a/b/c"), '/') == 3);
    cr_expect(str_find(STR("abc"), '/') == STR_NONE && str_find_last(STR("abc"), '/') == STR_NONE);
    cr_expect(str_find((str){NULL, 0}, 'a') == STR_NONE);
    cr_expect(str_find_last((str){NULL, 0}, 'a') == STR_NONE);
    cr_expect(str_search(STR("banana"), STR("nan")) == 2);
    cr_expect(str_search(STR("banana"), STR("")) == 0);
    cr_expect(str_search(STR("ban"), STR("banana")) == STR_NONE);
    cr_expect(str_search((str){NULL, 0}, STR("a")) == STR_NONE);
}

Test(str, trimming)
{
    expect_str(str_trim(STR(" \t\r\n\v\fa b \n")), "a b");
    expect_str(str_trim(STR(" \n ")), "");
    expect_str(str_trim((str){NULL, 0}), "");
}

Test(str, cutting)
{
    str rest = STR("a,,b");
    expect_str(str_cut(&rest, ','), "a");
    expect_str(str_cut(&rest, ','), "");
    expect_str(str_cut(&rest, ','), "b");
    cr_expect(rest.len == 0 && rest.data == NULL, "the end is told from an empty last part");
    rest = STR("a,");
    expect_str(str_cut(&rest, ','), "a");
    cr_expect(rest.len == 0 && rest.data != NULL);
}

Test(str, utf8)
{
    static const str good[] = {STR_INIT(""),
                               STR_INIT("plain\0nul"),
                               STR_INIT("\x7F"),
                               STR_INIT("\xC2\x80"),
                               STR_INIT("\xDF\xBF"),
                               STR_INIT("\xE0\xA0\x80"),
                               STR_INIT("\xED\x9F\xBF"),
                               STR_INIT("\xEE\x80\x80"),
                               STR_INIT("\xEF\xBF\xBF"),
                               STR_INIT("\xF0\x90\x80\x80"),
                               STR_INIT("\xF4\x8F\xBF\xBF")};
    static const str bad[] = {STR_INIT("\x80"),
                              STR_INIT("\xBF"),
                              STR_INIT("\xC0\x80"),
                              STR_INIT("\xC1\xBF"),
                              STR_INIT("\xC2"),
                              STR_INIT("\xC2x"),
                              STR_INIT("\xE0\x9F\xBF"),
                              STR_INIT("\xE1\x80"),
                              STR_INIT("\xED\xA0\x80"),
                              STR_INIT("\xED\xBF\xBF"),
                              STR_INIT("\xF0\x8F\xBF\xBF"),
                              STR_INIT("\xF4\x90\x80\x80"),
                              STR_INIT("\xF5\x80\x80\x80"),
                              STR_INIT("\xFE"),
                              STR_INIT("\xFF"),
                              STR_INIT("ok\xC3\xA9\xC3")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(str_is_utf8(good[i]), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(str_is_utf8(bad[i]), "bad %zu", i);
}

Test(str, distance)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } rows[] = {{"", "", 0},     {"abc", "abc", 0},          {"abc", "", 3},
                {"", "abc", 3},  {"coverge", "coverage", 1}, {"kitten", "sitting", 3},
                {"ab", "ba", 2}, {"flaw", "lawn", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect(str_distance(str_of(rows[i].a), str_of(rows[i].b)) == rows[i].want, "%s, %s",
                  rows[i].a, rows[i].b);
    char wide[65], other[65];
    memset(wide, 'a', sizeof wide);
    memset(other, 'b', sizeof other);
    cr_expect(str_distance(str_make(wide, 64), str_make(other, 64)) == 64);
    cr_expect(str_distance(str_make(wide, 65), STR("a")) >= 1000, "too long to compare");
}
