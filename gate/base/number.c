#include "gate/base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Digits only. Returns false on anything else; *over says that the value did not fit.
static bool read_digits(str s, uint64_t *ret, bool *over)
{
    uint64_t value = 0;
    *over = false;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.data[i]))
            return false;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value)) {
            *over = true;
            value = UINT64_MAX;
        }
        if (*over)
            value = UINT64_MAX;
    }
    *ret = value;
    return true;
}

bool number_u64(str s, uint64_t *ret)
{
    uint64_t value;
    bool over;
    if (!read_digits(s, &value, &over) || over)
        return false;
    *ret = value;
    return true;
}

bool number_u64_saturating(str s, uint64_t *ret)
{
    uint64_t value;
    bool over;
    if (!read_digits(s, &value, &over))
        return false;
    *ret = over ? UINT64_MAX : value;
    return true;
}

bool number_u32(str s, uint32_t *ret)
{
    uint64_t value;
    if (!number_u64(s, &value) || value > UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

bool number_i64(str s, int64_t *ret)
{
    bool negative = s.len && s.data[0] == '-';
    uint64_t value;
    if (!number_u64(negative ? str_from(s, 1) : s, &value))
        return false;
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool number_double(str s, double *ret)
{
    char copy[512]; // some writers give all digits of a binary fraction
    if (s.len == 0 || s.len >= sizeof copy)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]) && str_find(STR("+-.eE"), s.data[i]) == STR_NONE)
            return false;
    memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    char *end;
    double value = strtod(copy, &end); // the program never leaves the "C" locale
    if (*end != '\0' || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

// "12.345" with at most six decimals -> num/den with den a power of ten.
static bool read_decimal(str s, struct fraction *ret)
{
    str whole = s, decimals = {NULL, 0};
    size_t dot = str_find(s, '.');
    if (dot != STR_NONE) {
        whole = str_first(s, dot);
        decimals = str_from(s, dot + 1);
        if (decimals.len == 0 || decimals.len > 6)
            return false;
    }
    uint64_t value, more = 0;
    if (!number_u64(whole, &value) || value > 1000000)
        return false;
    int64_t den = 1;
    for (size_t i = 0; i < decimals.len; i++)
        den *= 10;
    if (decimals.len && !number_u64(decimals, &more))
        return false;
    *ret = (struct fraction){(int64_t)value * den + (int64_t)more, den};
    return true;
}

static bool read_with_unit(str s, str unit, struct fraction *ret)
{
    s = str_trim(s);
    struct fraction f;
    if (!str_ends(s, unit) || !read_decimal(str_trim(str_first(s, s.len - unit.len)), &f))
        return false;
    *ret = (struct fraction){f.num, f.den * 100};
    return true;
}

bool number_percent(str s, struct fraction *ret)
{
    return read_with_unit(s, STR("%"), ret);
}

bool number_points(str s, struct fraction *ret)
{
    return read_with_unit(s, STR("pp"), ret);
}

__extension__ typedef unsigned __int128 wide;

bool fraction_at_least(uint64_t covered, uint64_t total, struct fraction limit)
{
    return (wide)covered * (uint64_t)limit.den >= (wide)total * (uint64_t)limit.num;
}

int fraction_cmp(struct fraction a, struct fraction b)
{
    wide left = (wide)(uint64_t)a.num * (uint64_t)b.den;
    wide right = (wide)(uint64_t)b.num * (uint64_t)a.den;
    return (left > right) - (left < right);
}

void text_add_percent(struct text *out, uint64_t part, uint64_t total, unsigned decimals)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    uint64_t value = (uint64_t)((wide)part * 100 * scale / total);
    if (decimals == 0)
        text_addf(out, "%llu", (unsigned long long)value);
    else
        text_addf(out, "%llu.%0*llu", (unsigned long long)(value / scale), (int)decimals,
                  (unsigned long long)(value % scale));
}

void text_add_fraction_percent(struct text *out, struct fraction f)
{
    char digits[32];
    uint64_t value = (uint64_t)((wide)(uint64_t)f.num * 100000000U / (uint64_t)f.den);
    (void)snprintf(digits, sizeof digits, "%06llu", (unsigned long long)(value % 1000000));
    size_t keep = 6;
    while (keep && digits[keep - 1] == '0')
        keep--;
    text_addf(out, "%llu", (unsigned long long)(value / 1000000));
    if (keep)
        text_addf(out, ".%.*s", (int)keep, digits);
    text_addc(out, '%');
}
