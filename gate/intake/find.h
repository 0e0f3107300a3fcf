// Files of the working tree by pattern. Folders are opened one by one and links to folders are not
// followed, so the walk never leaves the workspace.
//
//     struct found found = {0};
//     if (!files_find(&arena, root, &pattern, 1, FIND_NAMED, &found, err)) ...
//     for (size_t i = 0; i < found.count; i++) use(found.items[i]);
#ifndef GATE_INTAKE_FIND_H
#define GATE_INTAKE_FIND_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

struct found {
    const char **items; // relative to the workspace, sorted, each once
    size_t count, room;
};

enum find_where {
    FIND_NAMED, // everywhere but .git and node_modules, unless the pattern names them
    FIND_USUAL, // nor in folders of tools and builds, unless the pattern names them
};

// Adds what any of the patterns matches: files, and links (file_open decides about those).
// ERROR_SYSTEM when a folder cannot be listed, ERROR_LIMIT past LIMIT_DOC_DEPTH folders or too many
// entries.
bool files_find(struct arena *arena, int root, const str *patterns, size_t count,
                enum find_where where, struct found *found, struct error *err);

// Opens a file below `root` for reading. ERROR_DENIED when a link on the way leads out of it.
bool file_open(int root, const char *path, int *ret, struct error *err);

#endif
