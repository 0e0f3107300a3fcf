// Numbers out of text, with bounds, and exact fractions.
//
//     uint64_t hits;
//     if (!number_u64(text, &hits)) ...            // overflow saturates only where asked for
//     fraction_at_least(31582, 71846, limit)       // 31582/71846 >= limit, exactly
#ifndef GATE_BASE_NUMBER_H
#define GATE_BASE_NUMBER_H

#include "gate/base/str.h"
#include "gate/base/text.h"

#include <stdint.h>

bool number_i64(str s, int64_t *ret); // decimal, whole of s, optional '-'
bool number_u64(str s, uint64_t *ret);
bool number_u32(str s, uint32_t *ret);
bool number_u64_saturating(str s, uint64_t *ret); // digits only; past 64 bits gives UINT64_MAX
bool number_double(str s, double *ret); // finite, JSON-like syntax, '.' whatever the locale

// A non-negative exact fraction. den is never 0.
struct fraction {
    int64_t num, den;
};

// "43.95%" -> 4395/10000, "80 %" -> 80/100, "0.2pp" is refused: see number_points. At most six
// decimals, at most 1,000,000 %.
bool number_percent(str s, struct fraction *ret);
bool number_points(str s, struct fraction *ret); // "0.2pp" -> 2/1000: percentage points

// covered/total compared with limit, in whole numbers (128 bits inside): no rounding anywhere.
bool fraction_at_least(uint64_t covered, uint64_t total, struct fraction limit);
int fraction_cmp(struct fraction a, struct fraction b);

// A share as a person reads it: percent with `decimals`, rounded towards zero, so that a failing
// figure never looks like its threshold: 32847/32848 -> "99.99". total must not be 0.
void text_add_percent(struct text *out, uint64_t part, uint64_t total, unsigned decimals);

// A limit as the user wrote it: 4395/10000 -> "43.95%".
void text_add_fraction_percent(struct text *out, struct fraction f);

#endif
