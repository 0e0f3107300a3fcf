// Lines moved as a block: removed at one place of a change and added, unaltered, at another.
#ifndef GATE_GIT_MOVED_H
#define GATE_GIT_MOVED_H

#include "gate/base/arena.h"

#include <stdint.h>

struct moved_line {
    uint64_t hash;    // of the bytes, without the line end
    uint32_t file;    // index of the change
    uint32_t line;    // in its file
    uint32_t letters; // letters and digits: what tells code from braces
    bool blank;       // for the caller's use
    bool moved;       // set by moved_mark on added lines
};

#define MOVED_LETTERS 20u // as git's --color-moved

struct moved_line moved_line(str content, uint32_t file, uint32_t line);

// Marks the added lines that stand, in the same order and without a gap, among the removed ones.
// Both arrays are in the order of the diff.
void moved_mark(struct arena *arena, struct moved_line *added, size_t added_count,
                const struct moved_line *removed, size_t removed_count);

#endif
