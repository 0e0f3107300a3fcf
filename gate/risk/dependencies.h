// What the lock files say before and after a change. Plain data for the rules; the gate fills it.
#ifndef GATE_RISK_DEPENDENCIES_H
#define GATE_RISK_DEPENDENCIES_H

#include "gate/risk/lifecycle.h"
#include "gate/risk/locks.h"

struct lock_problem { // a lock file that could not be used
    const char *path;
    const char *sentence; // with the line where there is one
    uint32_t line;
    bool missing;
};

struct lock_problems {
    const struct lock_problem *items;
    size_t count;
};

struct dependency_change {
    const struct locked *before, *after; // one of them may be null
};

struct dependencies {
    bool named;             // by the configuration; else the usual names were looked for
    const char *looked_for; // all names
    struct locks head, base;
    struct lock_problems problems, base_problems;
    const char *base_unknown;          // why the base cannot be compared with; null = it can
    bool has_base;                     // false: everything is new
    struct dependency_change *changes; // by file, then name
    size_t change_count;
};

#endif
