// A hash over texts, eight bytes at once. It is no defence against texts that were made to collide.
//
//     uint64_t hash = text_hash_add(TEXT_HASH, one->suite);
//     hash = text_hash_add(hash, one->name);              // where a text ends matters
#ifndef GATE_REPORTS_TEXT_HASH_H
#define GATE_REPORTS_TEXT_HASH_H

#include "gate/base/str.h"

#include <stdint.h>

#define TEXT_HASH UINT64_C(14695981039346656037) // to begin with

static inline uint64_t text_hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static inline uint64_t text_hash_add(uint64_t hash, str s)
{
    uint64_t word;
    for (; s.len >= sizeof word; s = str_from(s, sizeof word)) {
        memcpy(&word, s.data, sizeof word);
        hash = text_hash_word(hash, word);
    }
    word = 0;
    if (s.len)
        memcpy(&word, s.data, s.len);
    hash = text_hash_word(hash, word | (uint64_t)s.len << 56);
    return text_hash_word(hash, 0); // once more: the highest bytes count in the lowest bits too
}

#endif
