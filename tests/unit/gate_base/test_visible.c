#include "../expect.h"
#include "gate/base/visible.h"

Test(visible, what_a_person_sees_and_how_long_it_is)
{
    static const struct {
        const char *text;
        size_t at, len;
        bool seen;
    } rows[] = {
        {"a", 0, 1, true},
        {" ", 0, 1, true},
        {"\xC3\xA9", 0, 2, true},
        {"\xF0\x9F\x98\x80", 0, 4, true},
        {"\n", 0, 1, false},
        {"\x1b", 0, 1, false},
        {"\x7f", 0, 1, false},
        {"\xC2\x85", 0, 2, false},         // next line
        {"\xE2\x80\xA8", 0, 3, false},     // line separator
        {"\xE2\x80\xAE", 0, 3, false},     // the other direction
        {"\xF3\xA0\x81\x81", 0, 4, false}, // a tag
        {"\xC3", 0, 1, false},
        {"\xC3(", 0, 1, false},
        {"\xC0\x80", 0, 1, false},
        {"\xD9\x85\xE2\x80\x8C\xD9\x85", 2, 3, true}, // between two letters of Persian
        {"a\xE2\x80\x8C"
         "b",
         1, 3, false},
        {"\xD9\x85\xE2\x80\x8C", 2, 3, false},
        {"\xE2\x80\x8C\xD9\x85", 0, 3, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = 99;
        cr_expect_eq(visible_at(str_of(rows[i].text), rows[i].at, &len), rows[i].seen, "row %zu",
                     i);
        cr_expect_eq(len, rows[i].len, "row %zu: %zu", i, len);
    }
}

Test(visible, names_are_what_they_look_like)
{
    static const char *const names[] = {
        "production",
        "a",
        "eu west 1",
        "caf\xC3\xA9",
        "\xE6\x9C\xAC\xE7\x95\xAA",
        "50% (a|b) <c> @d",
        "\xF0\x9F\x98\x80",
        "a:b",
        "#[a",
        "-rf",
    };
    static const char *const others[] = {
        "",
        " ",
        " a",
        "a ",
        "a\n",
        "a\nb",
        "a\tb",
        "a\rb",
        "\x1b[2Ja",
        "a::b",
        "::a",
        "a##[b]",
        "\xC2\xA0"
        "a",
        "a\xE3\x80\x80",
        "\xE2\xA0\x80",
        "a\xE2\x80\x8B"
        "b",
        "a\xC2\xAD"
        "b",
        "a\xE2\x80\xAE"
        "b",
        "caf\xE9",
        "\xEF\xBB\xBF"
        "a",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect(visible_name(str_of(names[i])), "%s", names[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_not(visible_name(str_of(others[i])), "row %zu", i);
    cr_expect_not(visible_name(str_make("a\0b", 3)));
}

Test(visible, names_have_an_end)
{
    char name[VISIBLE_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    cr_expect(visible_name(str_make(name, VISIBLE_NAME_MAX)));
    cr_expect_not(visible_name(str_make(name, VISIBLE_NAME_MAX + 1)));
}
