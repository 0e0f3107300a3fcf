// Which file of the repository a reported path is. Reports carry the paths of the machine that made
// them, relative to who knows what; a wrong guess would charge one file with another's lines, and a
// missed one makes changed files vanish. So: exact when a prefix is known, else the longest suffix
// that fits one file only, else unmatched and said.
//
//     struct path_map map = {.paths = paths.items, .path_count = paths.count, .root = "/srv/x"};
//     struct unmatched unmatched;
//     if (!path_map_apply(&map, &evidence, &unmatched, err)) ...
#ifndef GATE_INTAKE_PATH_MAP_H
#define GATE_INTAKE_PATH_MAP_H

#include "gate/reports/evidence.h"

// A Go module: Go reports its files as PREFIX/…, and they lie in `folder` (empty = the root).
struct path_module {
    str prefix, folder;
};

struct path_map {
    const str *paths; // of the repository, sorted bytewise; null = there is no repository
    size_t path_count;
    const str *strip; // prefixes that reported paths may have, as configured
    size_t strip_count;
    const struct path_module *modules; // of the repository
    size_t module_count;
    const char *root; // absolute path of the working tree; null = unknown
};

struct unmatched_path {
    str reported;
    bool ambiguous; // several files fit; else none does
};

#define UNMATCHED_NAMED 1000u
struct unmatched {
    struct unmatched_path *items; // sorted by `reported`, in the evidence's arena
    size_t named;                 // of them: at most UNMATCHED_NAMED
    size_t count;                 // how many paths do not match
};

// Sets `path` of every file that has one, and unites files that turn out to be the same. Without a
// repository the reported paths stand as they are. ERROR_LIMIT past the evidence's limits.
bool path_map_apply(const struct path_map *map, struct evidence *evidence, struct unmatched *ret,
                    struct error *err);

// A path with '/' between folders, without "." and "..", and without anything doubled; a leading
// '/' or drive letter stays.
str path_tidy(struct arena *arena, str path);

#endif
