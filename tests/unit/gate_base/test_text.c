#include "../expect.h"
#include "gate/base/text.h"

Test(text, grows_to_its_ceiling_and_not_past_it)
{
    struct text text = text_of(1000);
    cr_expect_str_eq(text_c(&text), "");
    expect_str(text_str(&text), "");
    for (int i = 0; i < 1000; i++)
        text_addc(&text, 'x');
    cr_expect(text.len == 1000 && !text_full(&text), "the ceiling itself fits");
    text_addc(&text, 'x');
    cr_expect(text.len == 1000 && text_full(&text));
    cr_expect(strlen(text_c(&text)) == 1000);
    text_add(&text, (str){NULL, 0});
    cr_expect(text_full(&text), "it stays full");
    text_clear(&text);
    cr_expect(!text_full(&text) && text.len == 0);
    cr_expect_str_eq(text_c(&text), "");
    text_adds(&text, "again");
    expect_str(text_str(&text), "again");
    text_done(&text);
    cr_expect(text.max == 1000 && text.data == NULL, "done leaves an empty text");
    text_adds(&text, "and again");
    expect_str(text_str(&text), "and again");
    text_done(&text);
}

Test(text, what_does_not_fit_is_not_added_in_part)
{
    struct text text = text_of(5);
    text_adds(&text, "abc");
    text_adds(&text, "def");
    cr_expect(text_full(&text));
    expect_str(text_str(&text), "abc");
    text_adds(&text, "d");
    expect_str(text_str(&text), "abc");
    text_done(&text);
    text_addf(&text, "%d", 123456);
    cr_expect(text_full(&text) && text.len == 0);
    text_done(&text);
}

Test(text, formats)
{
    struct text text = text_of(100000);
    text_addf(&text, "%d of " STR_FMT, 3, STR_ARG(STR("four")));
    expect_str(text_str(&text), "3 of four");
    text_addf(&text, "%09000d", 0);
    cr_expect(text.len == 9009);
    text_add(&text, STR("a\0b"));
    cr_expect(text.len == 9012 && text.data[text.len] == '\0');
    text_addf(&text, "%s", "");
    cr_expect(text.len == 9012);
    text_done(&text);
}

Test(text, a_ceiling_of_nothing)
{
    struct text text = text_of(0);
    text_adds(&text, "");
    cr_expect_not(text_full(&text));
    text_addc(&text, 'x');
    cr_expect(text_full(&text));
    text_done(&text);
}
