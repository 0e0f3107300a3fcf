// What a change touches: the added and modified lines of each file between two commits.
//
// Not among them: deleted lines, blank lines, files that were only renamed, lines moved as a block
// (as git's --color-moved=blocks sees it: identical lines in a row with at least 20 letters or
// digits), binary files, links and submodules.
//
//     struct changes changes;
//     if (!changes_between(&arena, repository, base, head, NULL, 0, &changes, err)) ...
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
// Only files that one of `paths` (patterns as in glob.h) matches when there are any. ERROR_ABSENT
// when a commit is not here.
bool changes_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, const str *paths, size_t path_count, struct changes *ret,
                     struct error *err);

#endif
