#include "gate/doc/json_token.h"

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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Past the digits at `from`; null when there is none.
static const char *past_digits(const char *from, const char *end)
{
    const char *at = from;
    while (at < end && is_digit(*at))
        at++;
    return at == from ? NULL : at;
}

static const char *past_number(const char *at, const char *end)
{
    at += at < end && *at == '-';
    bool zero = at < end && *at == '0';
    const char *first = at;
    at = past_digits(at, end);
    if (!at || (zero && at - first > 1))
        return NULL;
    if (at < end && *at == '.' && !(at = past_digits(at + 1, end)))
        return NULL;
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        at = past_digits(at, end);
    }
    return at;
}

bool json_is_number(str s)
{
    return s.len && past_number(s.data, s.data + s.len) == s.data + s.len;
}

const char *json_number_end(const char *from, const char *end)
{
    const char *at = past_number(from, end);
    bool more = at && at < end && (*at == '-' || *at == '+' || *at == '.' || (*at | 0x20) == 'e');
    return at == end || more ? NULL : at;
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
