// The repository's paths, to be found by the whole path or by its end.
#ifndef GATE_INTAKE_PATH_INDEX_H
#define GATE_INTAKE_PATH_INDEX_H

#include "gate/base/arena.h"

struct path_index {
    const str *paths; // sorted bytewise
    size_t count;
    const str **by_end; // the same, sorted by their bytes read backwards
};

// `paths` stays where it is and outlives the index.
void path_index_init(struct path_index *index, struct arena *arena, const str *paths, size_t count);

const str *path_index_find(const struct path_index *index, str path); // null when absent

// How many paths end with whole folders and name `end`: 0, 1, or 2 for more. *ret is the first.
size_t path_index_ending(const struct path_index *index, str end, const str **ret);

#endif
