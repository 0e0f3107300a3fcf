// A set of names, each with a number: for "have I seen this before?" over a whole ledger.
//
//     struct names ids = {0};
//     if (!names_put(&ids, id, 1)) ...      // it was there already
//     uint64_t *number = names_find(&ids, id);
//     names_done(&ids);
#ifndef DEPLOY_RECORD_NAMES_H
#define DEPLOY_RECORD_NAMES_H

#include "gate/base/arena.h"

#include <stdint.h>

struct name {
    str text; // a copy
    uint64_t number;
};

struct names { // all zero is a valid empty set
    struct arena arena;
    struct name *slots;
    size_t size, used;
};

bool names_put(struct names *names, str text, uint64_t number); // false: it is there, unchanged
uint64_t *names_find(const struct names *names, str text);      // null: it is not there
void names_done(struct names *names);

#endif
