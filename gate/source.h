// Where configuration, register and presets are read from: a commit, or the working tree.
//
//     struct source source = {.repository = repository, .commit = base, .root = root};
//     if (!source_read(&arena, &source, "risk-register.yml", &bytes, &found, err)) ...
#ifndef GATE_SOURCE_H
#define GATE_SOURCE_H

#include "gate/git/repository.h"

struct source {
    struct repository *repository; // null = none
    const char *commit;            // null = the working tree
    const char *root;              // of the working tree, '/' at its end; "" = the current folder
};

// `path` is relative to the root and does not climb out of it (ERROR_INPUT). *ret_found is false
// when there is no such file. ERROR_LIMIT past `max_bytes`.
bool source_read(struct arena *arena, const struct source *source, const char *path,
                 size_t max_bytes, str *ret, bool *ret_found, struct error *err);

// A file of the machine, whatever its path. *ret_found is false when there is none.
bool source_read_file(struct arena *arena, const char *path, size_t max_bytes, str *ret,
                      bool *ret_found, struct error *err);

// Is this a relative path without ".."?
bool source_path_stays(const char *path);

#endif
