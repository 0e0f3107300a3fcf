#include "gate/base/str.h"

#include <stdint.h>

int str_cmp(str a, str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

int str_cmp_any_case(str a, str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < least; i++) {
        unsigned char x = (unsigned char)char_lower(a.data[i]);
        unsigned char y = (unsigned char)char_lower(b.data[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t str_find(str s, char c)
{
    const char *at = s.len ? memchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : STR_NONE;
}

size_t str_find_last(str s, char c)
{
    const char *at = s.len ? memrchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : STR_NONE;
}

size_t str_search(str s, str needle)
{
    if (needle.len == 0)
        return 0;
    const char *at = s.len ? memmem(s.data, s.len, needle.data, needle.len) : NULL;
    return at ? (size_t)(at - s.data) : STR_NONE;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

str str_trim(str s)
{
    while (s.len && is_space(s.data[0]))
        s = str_from(s, 1);
    while (s.len && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

str str_cut(str *s, char sep)
{
    size_t at = str_find(*s, sep);
    str head = *s;
    if (at == STR_NONE) {
        *s = (str){NULL, 0};
        return head;
    }
    head.len = at;
    *s = str_make(s->data + at + 1, s->len - at - 1);
    return head;
}

static size_t utf8_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

bool str_is_utf8(str s)
{
    for (size_t i = 0; i < s.len;) {
        uint64_t eight;
        if (s.len - i >= sizeof eight) { // mostly all of it is ASCII
            memcpy(&eight, s.data + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        unsigned char lead = (unsigned char)s.data[i];
        size_t n = utf8_length(lead);
        if (n == 0 || n > s.len - i)
            return false;
        for (size_t k = 1; k < n; k++)
            if (((unsigned char)s.data[i + k] & 0xC0) != 0x80)
                return false;
        unsigned char second = n > 1 ? (unsigned char)s.data[i + 1] : 0;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
            return false;
        i += n;
    }
    return true;
}

static uint8_t least(uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t m = a < b ? a : b;
    return m < c ? m : c;
}

size_t str_distance(str a, str b)
{
    enum { MOST = 64 };
    if (a.len > MOST || b.len > MOST)
        return 1000;
    uint8_t row[MOST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; i <= a.len; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.len; j++) {
            uint8_t change = (uint8_t)(diagonal + (a.data[i - 1] != b.data[j - 1]));
            diagonal = row[j];
            row[j] = least(change, (uint8_t)(row[j] + 1), (uint8_t)(row[j - 1] + 1));
        }
    }
    return row[b.len];
}
