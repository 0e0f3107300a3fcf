// Who made a change, and with which words: authors, committers and co-authors of its commits, and
// their messages. For the rule that nobody approves their own work.
#ifndef GATE_GIT_AUTHORS_H
#define GATE_GIT_AUTHORS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

struct repository;

struct author {
    str name, email;
};

struct authors {
    struct author *items; // each once
    size_t count, room;
    str *messages; // of the commits, newest first
    size_t message_count, message_room;
    bool all; // false: a shallow clone, or more commits than are looked at
};

#define AUTHORS_COMMITS 20000u // commits that are looked at

// Of the commits that lead to `head` and not to `base` (40 digits; null = all). "Co-authored-by"
// trailers count. ERROR_ABSENT when `head` is not in this clone.
bool authors_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, struct authors *ret, struct error *err);

#endif
