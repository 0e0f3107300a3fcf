// The branches of one source file: for each line how many there are and how many were taken and,
// where a report names each of them (an arm), which. Arms unite by name; without names the larger
// count of a line stands.
//
// They are packed, mostly into one byte for a line, because a large report has millions:
//
//     struct branch_walk walk = branch_walk_of(&file->branches);
//     for (struct branch_count one; branch_next(&walk, &one);)
//         use(one.line, one.covered, one.total); // by rising line
#ifndef GATE_REPORTS_BRANCHES_H
#define GATE_REPORTS_BRANCHES_H

#include "gate/base/arena.h"

#include <stdint.h>

struct branch_count { // of one line
    uint32_t line;
    uint16_t covered, total; // at most BRANCHES_MAX: a line with more is counted as that many
};
#define BRANCHES_MAX UINT16_MAX

// All zero is none. The memory is an arena's.
struct branches {
    uint8_t *bytes; // see branches.c
    uint32_t size, room;
    uint32_t last_line; // of the last entry
    uint32_t pair;      // where the names of the newest line with two arms stand; 0 = there is none
};

enum { BRANCH_NAMED_MAX = 8 }; // so many arms may be told by reference to an earlier line

struct branch_walk {
    const struct branches *branches;
    uint32_t at, line;                    // behind the entry that was given last
    uint32_t named[BRANCH_NAMED_MAX + 1]; // for each number of arms, where the newest names stand
};

static inline struct branch_walk branch_walk_of(const struct branches *branches)
{
    return (struct branch_walk){.branches = branches};
}
bool branch_next(struct branch_walk *walk, struct branch_count *ret); // false: that were all

// One branch with a name of its own, as LCOV has them.
struct branch_arm {
    uint32_t line, arm; // arm: 31 bits of its name's hash, and in bit 0 whether it was taken
};
uint32_t branch_arm_of(str name, bool taken);

// Adds up all lines.
void branches_sum(const struct branches *branches, uint64_t *covered, uint64_t *total);

// Both make `branches` of all that a report says of one file; lines may repeat, and are sorted in
// place. Room that is there is used again.
void branches_of_arms(struct arena *arena, struct branches *branches, struct branch_arm *arms,
                      size_t count);
void branches_of_counts(struct arena *arena, struct branches *branches, struct branch_count *counts,
                        size_t count);
// What `from` has is added. As small as it can be stored.
void branches_unite(struct arena *arena, struct branches *branches, const struct branches *from);

#endif
