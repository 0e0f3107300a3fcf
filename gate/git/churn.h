// How often files were changed: commits that touch each of them, over a window of time. Merges do
// not count, for what they bring was counted where it was written.
//
//     struct churn churn;
//     if (!churn_read(&arena, repository, head, since_ms, NULL, &churn, err)) ...
//     churn_of(&churn, STR("payments/card.py"))    // commits
#ifndef GATE_GIT_CHURN_H
#define GATE_GIT_CHURN_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct repository;

struct churned_file {
    str path;
    uint32_t commits;
};

struct churn {
    struct churned_file *items; // by path
    size_t count, room;
    uint32_t commits; // that were looked at
    bool cut_off;     // a shallow clone, or CHURN_COMMITS: there may be more
};

struct churn_paths { // of files, sorted bytewise
    const str *items;
    size_t count;
};

#define CHURN_COMMITS 20000u

// The commits that `head` (40 digits) comes from, itself included, made at `since_ms` or later. A
// file that was renamed counts under both names. `only`: of these files, which is much faster where
// they are few; null = of all. ERROR_ABSENT when `head` is not here.
bool churn_read(struct arena *arena, struct repository *repository, const char *head,
                int64_t since_ms, const struct churn_paths *only, struct churn *ret,
                struct error *err);

uint32_t churn_of(const struct churn *churn, str path);

#endif
