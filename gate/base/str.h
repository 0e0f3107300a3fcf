// A slice of bytes: pointer and length, passed by value, never owning. Not NUL-terminated.
// An empty slice may have a null pointer.
//
//     str key = STR("coverage");
//     if (str_starts(path, STR("django/"))) path = str_from(path, 7);
//     printf(STR_FMT "\n", STR_ARG(path));
#ifndef GATE_BASE_STR_H
#define GATE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct str {
    const char *data;
    size_t len;
} str;

#define STR(literal) ((str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    } // for static initialisers
#define STR_FMT "%.*s"
#define STR_ARG(s) ((int)(s).len), ((s).data ? (s).data : "")

static inline str str_of(const char *c_string) // null gives an empty slice
{
    return (str){c_string, c_string ? strlen(c_string) : 0};
}

static inline str str_make(const char *data, size_t len)
{
    return (str){data, len};
}

static inline bool str_eq(str a, str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_is(str a, const char *c_string)
{
    return str_eq(a, str_of(c_string));
}

static inline bool str_starts(str s, str prefix)
{
    return s.len >= prefix.len && str_eq(str_make(s.data, prefix.len), prefix);
}

static inline bool str_ends(str s, str suffix)
{
    return s.len >= suffix.len &&
           str_eq(str_make(s.data + (s.len - suffix.len), suffix.len), suffix);
}

// The rest of s after the first n bytes; empty when s is shorter.
static inline str str_from(str s, size_t n)
{
    return n >= s.len ? (str){NULL, 0} : str_make(s.data + n, s.len - n);
}

// The first n bytes of s, or all of it when it is shorter.
static inline str str_first(str s, size_t n)
{
    return n >= s.len ? s : str_make(s.data, n);
}

// The same, but never a part of a UTF-8 character: for showing names in messages.
static inline str str_shorten(str s, size_t n)
{
    if (n >= s.len)
        return s;
    while (n && ((unsigned char)s.data[n] & 0xC0) == 0x80)
        n--;
    return str_make(s.data, n);
}

// So many digits of a digest or a commit's id, and nothing else.
static inline bool str_is_hex(str s, size_t digits)
{
    bool is = s.len == digits;
    for (size_t i = 0; is && i < s.len; i++)
        is = (s.data[i] >= '0' && s.data[i] <= '9') || (s.data[i] >= 'a' && s.data[i] <= 'f');
    return is;
}

#define STR_NONE ((size_t)-1)

static inline char char_lower(char c) // letters of ASCII only
{
    int lower = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    return (char)lower;
}

int str_cmp(str a, str b);            // bytewise order: < 0, 0, > 0
int str_cmp_any_case(str a, str b);   // the same, letters of ASCII in any case
size_t str_find(str s, char c);       // index of the first c, or STR_NONE
size_t str_find_last(str s, char c);  // index of the last c, or STR_NONE
size_t str_search(str s, str needle); // index of the first occurrence, or STR_NONE
str str_trim(str s);                  // without ASCII white space at both ends

// Cuts s at the first `sep`: returns what stands before it and leaves the rest in *s.
// Without `sep` it returns all of s and leaves *s empty with a null pointer.
str str_cut(str *s, char sep);

bool str_is_utf8(str s); // well-formed UTF-8: no overlong forms, no surrogates

// Levenshtein distance, for "did you mean". Both at most 64 bytes, else a large number.
size_t str_distance(str a, str b);

#endif
