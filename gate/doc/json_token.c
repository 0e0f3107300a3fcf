#include "gate/doc/json_token.h"

// Eight bytes at a time: the usual tricks with the top bit of each byte.
size_t json_plain_run(str s, bool *high)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    uint64_t any = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t w;
        memcpy(&w, s.data + i, 8);
        uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
        uint64_t control = (w - ones * 0x20) & ~w;
        if (((((quote - ones) & ~quote) | ((slash - ones) & ~slash)) | control) & tops)
            break;
        any |= w & tops;
    }
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        any |= c & 0x80U;
    }
    *high = *high || any;
    return i;
}

void json_add_utf8(struct text *out, unsigned code)
{
    if (code < 0x80) {
        text_addc(out, (char)code);
    } else if (code < 0x800) {
        text_addc(out, (char)(0xC0 | code >> 6));
        text_addc(out, (char)(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        text_addc(out, (char)(0xE0 | code >> 12));
        text_addc(out, (char)(0x80 | (code >> 6 & 0x3F)));
        text_addc(out, (char)(0x80 | (code & 0x3F)));
    } else {
        text_addc(out, (char)(0xF0 | code >> 18));
        text_addc(out, (char)(0x80 | (code >> 12 & 0x3F)));
        text_addc(out, (char)(0x80 | (code >> 6 & 0x3F)));
        text_addc(out, (char)(0x80 | (code & 0x3F)));
    }
}

static size_t digits(str s)
{
    size_t n = 0;
    while (n < s.len && s.data[n] >= '0' && s.data[n] <= '9')
        n++;
    return n;
}

bool json_is_number(str s)
{
    if (s.len && s.data[0] == '-')
        s = str_from(s, 1);
    size_t n = digits(s);
    if (n == 0 || (n > 1 && s.data[0] == '0'))
        return false;
    s = str_from(s, n);
    if (s.len && s.data[0] == '.') {
        n = digits(str_from(s, 1));
        if (n == 0)
            return false;
        s = str_from(s, 1 + n);
    }
    if (s.len && (s.data[0] | 0x20) == 'e') {
        s = str_from(s, 1);
        if (s.len && (s.data[0] == '+' || s.data[0] == '-'))
            s = str_from(s, 1);
        n = digits(s);
        return n > 0 && n == s.len;
    }
    return s.len == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

uint64_t json_digits(str s)
{
    uint64_t value = 0;
    if (s.len == 0 || s.len > JSON_DIGITS)
        return JSON_NOT_DIGITS;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.data[i]))
            return JSON_NOT_DIGITS;
        value = value * 10 + (uint64_t)(s.data[i] - '0');
    }
    return value;
}

uint64_t json_short_number(const char *from, const char *end, const char **ret_to)
{
    const char *to = from;
    uint64_t value = 0;
    for (; to < end && is_digit(*to); to++)
        value = value * 10 + (uint64_t)(*to - '0');
    bool ends = to < end && (*to == ',' || *to == ']' || *to == '}' || *to <= ' ');
    bool plain = ends && to > from && to - from <= JSON_DIGITS && (*from != '0' || to == from + 1);
    *ret_to = plain ? to : NULL;
    return value;
}
