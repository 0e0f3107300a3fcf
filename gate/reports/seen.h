// Which names came already, for formats that repeat what they say. Kept as 64-bit hashes.
//
//     const str names[] = {id, package};
//     if (seen_first_time(&seen, names, 2)) ...
//     seen_done(&seen);
#ifndef GATE_REPORTS_SEEN_H
#define GATE_REPORTS_SEEN_H

#include "gate/base/arena.h"

#include <stdint.h>

struct seen { // all zero is valid and empty
    struct arena arena;
    uint64_t *hashes; // a table with room for twice as many; 0 = free
    size_t count, room;
};

bool seen_first_time(struct seen *seen, const str *names, size_t count);
void seen_done(struct seen *seen);

#endif
