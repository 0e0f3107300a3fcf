// What a change touches: the added and modified lines of each file between two commits.
//
// Not among them: deleted lines, blank lines, files that were only renamed, lines moved as a block
// (as git's --color-moved=blocks sees it: identical lines in a row with at least 20 letters or
// digits), binary files, links and submodules. Attributes (`-diff`, `binary`) are not asked: they
// are the change's own.
//
// Most of the cost is comparing contents, and most files of a large change are none that anybody
// asks about. So a caller names the kinds of files whose lines it needs; of the others only the
// paths are told.
//
//     struct file_kinds kinds = {0};
//     file_kinds_add(&arena, &kinds, STR("src/cart.py"));        // all of *.py
//     struct changes changes;
//     if (!changes_between(&arena, repository, base, head, &kinds, &changes, err)) ...
//     for (size_t i = 0; i < changes.count; i++) use(changes.items[i].path);
#ifndef GATE_GIT_CHANGES_H
#define GATE_GIT_CHANGES_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct repository;

struct change_range {
    uint32_t from, to; // lines of the head's file, both included
};

// What a file is called after the last dot of its name; its whole name when there is none.
struct file_kinds {
    str *items; // rising, each once
    size_t count, room;
};

void file_kinds_add(struct arena *arena, struct file_kinds *kinds, str path); // copies
bool file_kinds_has(const struct file_kinds *kinds, str path);

struct change {
    str path;                    // in the head
    str old_path;                // in the base, when it was renamed; else empty
    struct change_range *ranges; // rising, apart from each other
    size_t range_count, range_room;
};

struct changes {
    struct change *items; // by path
    size_t count, room;
};

// `base` and `head` are commits of 40 digits; a null base is the empty tree: everything is new.
// Lines are told of files of these kinds, which are taken for text whatever they hold (a NUL in a
// comment is no way around the gate), or of all files but binary ones when `kinds` is null.
// ERROR_ABSENT when a commit or the content of a file is not here, as in a partial clone;
// ERROR_LIMIT for a change of more lines than can be held.
bool changes_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, const struct file_kinds *kinds, struct changes *ret,
                     struct error *err);

#endif
