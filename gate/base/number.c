#include "gate/base/number.h"

#include <float.h>
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
    if (s.len < 20) { // fits in any case
        for (size_t i = 0; i < s.len; i++) {
            if (!is_digit(s.data[i]))
                return false;
            value = value * 10 + (uint64_t)(s.data[i] - '0');
        }
        *ret = value;
        return true;
    }
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

// "12.5", with so few digits that they and the power of ten are exact as doubles: then so is
// rounding once, and it is what strtod says.
static bool read_short_double(str s, double *ret)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    enum { DIGITS = 15 };
    int64_t value = 0;
    size_t digits = 0, decimals = 0;
    bool dot = false;
    if (s.len > DIGITS + 1)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.data[i])) {
            value = value * 10 + (s.data[i] - '0');
            digits++;
            decimals += dot;
        } else if (s.data[i] == '.' && !dot) {
            dot = true;
        } else {
            return false;
        }
    }
    if (digits == 0 || digits > DIGITS)
        return false;
    *ret = (double)value / powers[decimals];
    return true;
}

#if LDBL_MANT_DIG == 64
// "312.45678901234567": the same with up to 19 digits, which are exact in the 64 bits of a long
// double. Its quotient is rounded to those first; only where that stands halfway between two
// doubles it may be rounded to the wrong one.
static bool read_long_double(str s, double *ret)
{
    static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                         1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                         1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L};
    enum { DIGITS = 19, BEYOND = 0x7ff, HALF = 0x400 }; // BEYOND: the bits that a double lacks
    size_t dot = str_find(s, '.'), decimals = dot == STR_NONE ? 0 : s.len - dot - 1;
    uint64_t value = 0, mantissa;
    if (s.len == 0 || s.len > DIGITS + (dot != STR_NONE) || dot == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (i == dot)
            continue;
        if (!is_digit(s.data[i]))
            return false;
        value = value * 10 + (uint64_t)(s.data[i] - '0');
    }
    long double quotient = (long double)value / powers[decimals];
    memcpy(&mantissa, &quotient, sizeof mantissa);
    *ret = (double)quotient;
    return (mantissa & BEYOND) != HALF;
}
#else
static bool read_long_double(str s, double *ret)
{
    (void)s, (void)ret;
    return false;
}
#endif

bool number_double(str s, double *ret)
{
    double value;
    if (read_short_double(s, ret))
        return true;
    if (read_long_double(s, &value)) {
        *ret = value;
        return true;
    }
    char copy[512]; // some writers give all digits of a binary fraction
    if (s.len == 0 || s.len >= sizeof copy)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.data[i]) && str_find(STR("+-.eE"), s.data[i]) == STR_NONE)
            return false;
    memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    char *end;
    value = strtod(copy, &end); // the program never leaves the "C" locale
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
