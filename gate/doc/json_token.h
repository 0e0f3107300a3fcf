// What the tokens of JSON look like: shared by the streaming reader and the writer.
//
//     size_t n = json_plain_run(rest, &high);   // copy n bytes as they are, look at the next one
#ifndef GATE_DOC_JSON_TOKEN_H
#define GATE_DOC_JSON_TOKEN_H

#include "gate/base/text.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// How many bytes at the start of s need no escape: no quote, backslash or control character. Sets
// *high when one of them is not ASCII, and leaves it alone otherwise. Inline, because reports are
// made of short texts.
static inline size_t json_plain_run(str s, bool *high)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8('"'), slashes = _mm_set1_epi8('\\');
    const __m128i controls = _mm_set1_epi8(0x1f);
    for (; s.len - i >= 16; i += 16) {
        __m128i at = _mm_loadu_si128((const __m128i *)(const void *)(s.data + i));
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(at, quotes), _mm_cmpeq_epi8(at, slashes));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(_mm_min_epu8(at, controls), at));
        unsigned ends = (unsigned)_mm_movemask_epi8(special),
                 tops = (unsigned)_mm_movemask_epi8(at);
        if (ends) {
            *high = *high || (tops & (ends ^ (ends - 1)));
            return i + (unsigned)__builtin_ctz(ends);
        }
        *high = *high || tops;
    }
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    // Eight bytes at a time: the usual tricks with the top bit of each byte. What they say of the
    // first byte that is meant is right, of those behind it perhaps not.
    const uint64_t ones = UINT64_C(0x0101010101010101), each_top = ones << 7;
    for (; s.len - i >= 8; i += 8) {
        uint64_t at;
        memcpy(&at, s.data + i, 8);
        uint64_t quote = at ^ (ones * '"'), slash = at ^ (ones * '\\');
        uint64_t ends = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & each_top;
        ends |= (at - ones * 0x20) & ~at & each_top;
        if (ends) {
            *high = *high || (at & each_top & (ends ^ (ends - 1)));
            return i + (unsigned)__builtin_ctzll(ends) / 8;
        }
        *high = *high || (at & each_top);
    }
#endif
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        *high = *high || c >= 0x80;
    }
    return i;
}

// Past the spaces at the start of what lies between `from` and `end`: indentation.
static inline const char *json_past_spaces(const char *from, const char *end)
{
#ifdef __SSE2__
    for (; end - from >= 16; from += 16) {
        __m128i at = _mm_loadu_si128((const __m128i *)(const void *)from);
        unsigned spaces = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(at, _mm_set1_epi8(' ')));
        if (spaces != 0xffff)
            return from + __builtin_ctz(~spaces);
    }
#endif
    while (from < end && *from == ' ')
        from++;
    return from;
}

// RFC 8259, section 6: all of s is one number.
bool json_is_number(str s);

// The value of at most JSON_DIGITS digits; JSON_NOT_DIGITS for anything else.
#define JSON_DIGITS 18
#define JSON_NOT_DIGITS UINT64_MAX
uint64_t json_digits(str s);

// The end of the number that begins at `from`, by the same rule; null when it is none, or when no
// byte before `end` ends it.
const char *json_number_end(const char *from, const char *end);

// The value of a short whole number that begins at `from`, where it ends before `end` with what may
// follow one: then *ret_to is its end. Null: look at it more closely.
static inline uint64_t json_short_number(const char *from, const char *end, const char **ret_to)
{
    const char *to = from;
    uint64_t value = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    // Up to seven digits at once: how many they are is no branch, which would often be
    // mispredicted.
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t at, other = 0;
    if (end - from > 8) {
        memcpy(&at, from, 8);
        at ^= ones * '0';                                  // digits are below 10 now
        other = (at | (at + ones * 0x76)) & (ones * 0x80); // right of the first one that is none
    }
    if (other) {
        unsigned bits = (unsigned)__builtin_ctzll(other) & ~7U; // 8 for each digit
        to += bits / 8;
        at = bits ? at << (64 - bits) : 0; // "123" is "00000123"
        at = at * 10 + (at >> 8);          // pairs of digits, then of pairs, then of those
        value = ((at & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
                 (at >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
                32;
    }
    for (; !other && to < end && *to >= '0' && *to <= '9'; to++)
        value = value * 10 + (uint64_t)(*to - '0');
#else
    for (; to < end && *to >= '0' && *to <= '9'; to++)
        value = value * 10 + (uint64_t)(*to - '0');
#endif
    bool ends = to < end && (*to == ',' || *to == ']' || *to == '}' || (unsigned char)*to <= ' ');
    bool plain = ends && to > from && to - from <= JSON_DIGITS && (*from != '0' || to == from + 1);
    *ret_to = plain ? to : NULL;
    return value;
}

// A code point, which must not be a surrogate, as UTF-8.
void json_add_utf8(struct text *out, unsigned code);

#endif
