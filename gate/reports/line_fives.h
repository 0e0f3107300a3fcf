// Five lines of a source file in one byte: each is unknown, known or hit, and 3 to the power of 5
// fits. A gigabyte of LCOV has a hundred thousand files, whose lines are most of what is kept.
//
//     byte = line_fives_pack(known, hit);      // bit n of both: the n-th of the five; hit is known
//     line_fives_unpack(byte, &known, &hit);
#ifndef GATE_REPORTS_LINE_FIVES_H
#define GATE_REPORTS_LINE_FIVES_H

#include <stdint.h>

enum { LINE_FIVE = 5 };

// One digit of base 3 a line: 0 unknown, 1 known, 2 hit. These are the powers of three lines.
static inline unsigned line_fives_powers(unsigned three)
{
    static const uint8_t powers[8] = {0, 1, 3, 4, 9, 10, 12, 13};
    return powers[three];
}

static inline uint8_t line_fives_pack(unsigned known, unsigned hit)
{
    unsigned low = line_fives_powers(known & 7) + line_fives_powers(hit & 7);
    return (uint8_t)(low + 27 * (line_fives_powers(known >> 3) + line_fives_powers(hit >> 3)));
}

static inline void line_fives_unpack(uint8_t byte, unsigned *ret_known, unsigned *ret_hit)
{
    static const uint8_t known[27] = {0, 1, 1, 2, 3, 3, 2, 3, 3, 4, 5, 5, 6, 7,
                                      7, 6, 7, 7, 4, 5, 5, 6, 7, 7, 6, 7, 7};
    static const uint8_t hit[27] = {0, 0, 1, 0, 0, 1, 2, 2, 3, 0, 0, 1, 0, 0,
                                    1, 2, 2, 3, 4, 4, 5, 4, 4, 5, 6, 6, 7};
    unsigned low = byte % 27, high = byte / 27;
    *ret_known = known[low] | (unsigned)known[high] << 3;
    *ret_hit = hit[low] | (unsigned)hit[high] << 3;
}

#endif
