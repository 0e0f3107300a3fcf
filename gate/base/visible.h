// Which characters a person sees: what has none of the others can stand on a terminal, in a log and
// on a page without turning into something else.
//
//     if (!visible_name(stage->stage))
//         problem_at(problems, at, "... is no name: %s", VISIBLE_NAME);
#ifndef GATE_BASE_VISIBLE_H
#define GATE_BASE_VISIBLE_H

#include "gate/base/str.h"

// True when the character that begins at `at` (less than s.len) is well-formed UTF-8 and can be
// seen: no control, no direction mark, nothing of zero width but what joins two letters. `*ret_len`
// is its length in bytes, at least 1.
bool visible_at(str s, size_t at, size_t *ret_len);

enum { VISIBLE_NAME_MAX = 100 }; // bytes; keys of the record join several of them

// True for what people may call a thing of theirs: 1 to VISIBLE_NAME_MAX bytes in one line, all of
// it visible, with no blank of any script at its ends, and nothing in it by which a CI runner knows
// a command (`::` at the beginning of a line, `##[` anywhere).
bool visible_name(str s);
#define VISIBLE_NAME                                                                               \
    "a name is 1 to 100 bytes in one line, all of it visible, without blanks at its ends and "     \
    "without what a runner takes for a command (`::`, or a `[` behind two `#`)"

#endif
