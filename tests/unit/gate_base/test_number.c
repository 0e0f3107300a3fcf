#include "../expect.h"
#include "gate/base/number.h"

#include <stdio.h>
#include <stdlib.h>

static bool is(struct fraction f, int64_t num, int64_t den)
{
    return f.num == num && f.den == den;
}

Test(number, whole_numbers_have_bounds)
{
    uint64_t u = 42;
    uint32_t w = 42;
    int64_t i = 42;
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "one", "--1"};
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        cr_expect_not(number_u64(str_of(bad[n]), &u), "%s", bad[n]);
        cr_expect_not(number_u32(str_of(bad[n]), &w), "%s", bad[n]);
        cr_expect_not(number_i64(str_of(bad[n]), &i), "%s", bad[n]);
        cr_expect_not(number_u64_saturating(str_of(bad[n]), &u), "%s", bad[n]);
    }
    cr_expect(u == 42 && w == 42 && i == 42, "untouched on failure");
    cr_expect(number_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    cr_expect_not(number_u64(STR("18446744073709551616"), &u));
    cr_expect_not(number_u64(STR("99999999999999999999999"), &u));
    cr_expect_not(number_u64(STR("-1"), &u));
    cr_expect(number_u32(STR("4294967295"), &w) && w == UINT32_MAX);
    cr_expect_not(number_u32(STR("4294967296"), &w));
    cr_expect(number_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    cr_expect_not(number_i64(STR("9223372036854775808"), &i));
    cr_expect(number_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    cr_expect_not(number_i64(STR("-9223372036854775809"), &i));
    cr_expect(number_i64(STR("-0"), &i) && i == 0);
    cr_expect(number_u64(STR("007"), &u) && u == 7);
}

Test(number, saturation_only_where_asked_for)
{
    uint64_t u;
    cr_expect(number_u64_saturating(STR("18446744073709551616"), &u) && u == UINT64_MAX);
    cr_expect(number_u64_saturating(STR("99999999999999999999999999999990"), &u) &&
              u == UINT64_MAX);
    cr_expect(number_u64_saturating(STR("12"), &u) && u == 12);
    cr_expect_not(number_u64_saturating(STR("99999999999999999999999x"), &u));
    cr_expect_not(number_u64_saturating(STR("-1"), &u));
}

Test(number, doubles)
{
    static const struct {
        const char *text;
        double low, high;
    } rows[] = {{"0", 0, 0},
                {"1.5", 1.5, 1.5},
                {"-2.5e3", -2500, -2500},
                {"1E-2", 0.009, 0.011},
                {"123456789.25", 123456789.25, 123456789.25}};
    static const char *const bad[] = {"",   "abc", "1.5x", "inf", "nan", "1e999", "0x10",
                                      "1 ", " 1",  "1,5",  "--1", "1e",  "."};
    double d = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(number_double(str_of(bad[i]), &d), "%s", bad[i]);
    cr_expect(d > 41 && d < 43, "untouched on failure");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect(number_double(str_of(rows[i].text), &d) && d >= rows[i].low && d <= rows[i].high,
                  "%s", rows[i].text);
    cr_expect(number_double(
                  STR("0.1000000000000000055511151231257827021181583404541015625000000000"), &d) &&
                  d > 0.0999 && d < 0.1001,
              "all digits of a binary fraction");
}

Test(number, percent_is_exact)
{
    struct fraction f;
    cr_assert(number_percent(STR("43.95%"), &f));
    cr_expect(fraction_at_least(31582, 71846, f));
    cr_assert(number_percent(STR("43.96%"), &f));
    cr_expect_not(fraction_at_least(31582, 71846, f));
}

Test(number, percentages_and_points_need_their_unit)
{
    struct fraction f = {7, 7};
    static const char *const bad[] = {"",         "%",     "80",        "0.8",
                                      ".5%",      "5.%",   "-5%",       "+5%",
                                      "5 5%",     "5%%",   "1e2%",      "0.1234567%",
                                      "1000001%", "0.2pp", "5 percent", "99999999999999999999%"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(number_percent(str_of(bad[i]), &f), "%s", bad[i]);
    cr_expect_not(number_points(STR("5%"), &f));
    cr_expect_not(number_points(STR("pp"), &f));
    cr_expect(is(f, 7, 7), "untouched on failure");
    cr_expect(number_percent(STR("43.95%"), &f) && is(f, 4395, 10000));
    cr_expect(number_percent(STR(" 80 % "), &f) && is(f, 80, 100));
    cr_expect(number_percent(STR("0%"), &f) && f.num == 0);
    cr_expect(number_percent(STR("0.123456%"), &f) && is(f, 123456, 100000000));
    cr_expect(number_percent(STR("1000000%"), &f) && is(f, 1000000, 100));
    cr_expect(number_points(STR("0.2pp"), &f) && is(f, 2, 1000));
    cr_expect(number_points(STR("1 pp"), &f) && is(f, 1, 100));
}

Test(number, fractions_compare_without_rounding)
{
    struct fraction eighty = {80, 100};
    cr_expect(fraction_at_least(8, 10, eighty));
    cr_expect_not(fraction_at_least(7999, 10000, eighty), "79.99 %% is not 80 %%");
    cr_expect_not(fraction_at_least(UINT64_MAX / 5 * 4 - 1, UINT64_MAX / 5 * 5, eighty));
    cr_expect(fraction_at_least(UINT64_MAX / 5 * 4, UINT64_MAX / 5 * 5, eighty));
    cr_expect(fraction_cmp((struct fraction){1, 3}, (struct fraction){2, 6}) == 0);
    cr_expect(fraction_cmp((struct fraction){1, 3}, (struct fraction){3333, 10000}) > 0);
    cr_expect(fraction_cmp((struct fraction){INT64_MAX - 1, INT64_MAX}, (struct fraction){1, 1}) <
              0);
}

static void percent(uint64_t part, uint64_t total, unsigned decimals, const char *want)
{
    struct text text = text_of(100);
    text_add_percent(&text, part, total, decimals);
    expect_str(text_str(&text), want);
    text_done(&text);
}

Test(number, shares_are_rounded_towards_failing)
{
    percent(32847, 32848, 2, "99.99");
    percent(32848, 32848, 2, "100.00");
    percent(1, 3, 0, "33");
    percent(2, 3, 1, "66.6");
    percent(0, 7, 2, "0.00");
    percent(1, 100000, 2, "0.00");
    percent(7, 100000, 4, "0.0070");
    percent(UINT64_MAX, UINT64_MAX, 2, "100.00");
    percent(3, 2, 1, "150.0");
}

Test(number, limits_are_shown_as_written)
{
    static const char *const rows[] = {"43.95%",    "80%",      "0%",   "0.5%",
                                       "0.123456%", "1000000%", "0.1%", "99.999999%"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fraction f;
        struct text text = text_of(100);
        cr_assert(number_percent(str_of(rows[i]), &f));
        text_add_fraction_percent(&text, f);
        expect_str(text_str(&text), rows[i]);
        text_done(&text);
    }
}

// Short numbers are read by themselves, the others by strtod: nobody may see a difference.
Test(number, short_doubles_are_those_of_strtod)
{
    unsigned long long state = 7;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        double ours, theirs;
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        unsigned long long value = state >> (i % 2 ? 14 : 2);
        for (unsigned cut = (unsigned)(state >> 5) % 16; cut; cut--)
            value /= 10;
        int size = snprintf(text, sizeof text, "%llu", value);
        if (i % 3) { // a point somewhere, at its ends too
            int at = (int)((state >> 9) % (unsigned long long)(size + 1));
            memmove(text + at + 1, text + at, (size_t)(size - at + 1));
            text[at] = '.';
        }
        theirs = strtod(text, NULL);
        cr_assert(number_double(str_of(text), &ours), "%s", text);
        cr_assert(memcmp(&ours, &theirs, sizeof ours) == 0, "%s: %.17g, not %.17g", text, ours,
                  theirs);
    }
}
