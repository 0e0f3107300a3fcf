// Reads the lock files at the base and at the commit that is judged, and the lifecycle tables that
// are built into the program.
//
//     struct lifecycles tables;
//     struct dependencies dependencies;
//     if (!lifecycles_read(&arena, &tables, err) ||
//         !dependencies_read(&arena, &request, &dependencies, err)) ...
#ifndef GATE_DEPENDENCIES_H
#define GATE_DEPENDENCIES_H

#include "gate/intake/intake.h"
#include "gate/risk/dependencies.h"
#include "gate/source.h"

struct dependencies_request {
    const struct evidence_dependencies *config; // null = the usual names in the root folder
    struct source head, base;                   // base.commit null = there is none
    const char *base_unknown;                   // why there is no base to speak of; null = there is
};

// What is wrong with a lock file is a problem in *ret, not an error. ERROR_SYSTEM for a repository
// that cannot be read.
bool dependencies_read(struct arena *arena, const struct dependencies_request *request,
                       struct dependencies *ret, struct error *err);

// The built-in tables, by product.
bool lifecycles_read(struct arena *arena, struct lifecycles *ret, struct error *err);

#endif
