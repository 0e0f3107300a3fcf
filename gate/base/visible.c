#include "gate/base/visible.h"

#include <stdint.h>

struct range {
    uint32_t from, to; // both included
};

// Length of the character at the start of `s`, with its code point; 0 when it is ill-formed.
static size_t character(str s, uint32_t *code)
{
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    for (size_t n = 1; n <= 4 && n <= s.len; n++) {
        if (!str_is_utf8(str_first(s, n)))
            continue;
        *code = (unsigned char)s.data[0] & lead[n];
        for (size_t i = 1; i < n; i++)
            *code = *code << 6 | ((unsigned char)s.data[i] & 0x3fU);
        return n;
    }
    return 0;
}

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].from && code <= ranges[i].to)
            return true;
    return false;
}

// Controls, what turns the direction of text around, and what is not seen at all: with it, a name
// can look like another.
static bool is_hidden(uint32_t code)
{
    static const struct range ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},
        {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180e},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
        {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
    return is_in(ranges, sizeof ranges / sizeof ranges[0], code);
}

static bool is_blank(uint32_t code)
{
    static const struct range ranges[] = {{' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                                          {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f},
                                          {0x2800, 0x2800}, {0x3000, 0x3000}};
    return is_in(ranges, sizeof ranges / sizeof ranges[0], code);
}

static bool is_joiner(uint32_t code) // joins letters of Persian, and parts of an emoji
{
    return code == 0x200c || code == 0x200d;
}

static bool look(str s, size_t at, size_t *ret_len, uint32_t *code)
{
    str rest = str_from(s, at);
    size_t n = character(rest, code);
    *ret_len = n ? n : 1;
    if (n == 0)
        return false;
    if (is_joiner(*code) && at > 0 && rest.len > n)
        return ((unsigned char)s.data[at - 1] & (unsigned char)rest.data[n]) >= 0x80;
    return !is_hidden(*code);
}

bool visible_at(str s, size_t at, size_t *ret_len)
{
    uint32_t code;
    return look(s, at, ret_len, &code);
}

bool visible_name(str s)
{
    uint32_t code;
    size_t n;
    if (s.len == 0 || s.len > VISIBLE_NAME_MAX || str_search(s, STR("::")) != STR_NONE ||
        str_search(s, STR("##[")) != STR_NONE)
        return false;
    for (size_t i = 0; i < s.len; i += n) {
        bool seen = look(s, i, &n, &code);
        if (!seen || (is_blank(code) && (i == 0 || i + n == s.len)))
            return false;
    }
    return true;
}
