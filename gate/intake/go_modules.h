// The Go modules of a repository: what its go.mod files say. Go's cover profiles name a file by its
// module, not by its folder.
//
//     struct go_modules modules;
//     go_modules_find(&arena, root, paths, &modules);
//     map.modules = modules.items, map.module_count = modules.count;
#ifndef GATE_INTAKE_GO_MODULES_H
#define GATE_INTAKE_GO_MODULES_H

#include "gate/git/repository.h"
#include "gate/intake/path_map.h"

#define GO_MODULES_MAX 256u // of one repository: paths of more are matched by their end

struct go_modules {
    struct path_module *items; // in the arena
    size_t count, room;
};

// Looks into the working tree below `root` for each go.mod among `paths`. One that cannot be read
// or names no module is passed over.
void go_modules_find(struct arena *arena, int root, const struct repository_paths *paths,
                     struct go_modules *ret);

// The path in the `module` directive; null data when there is none.
str go_module_of(str go_mod);

#endif
