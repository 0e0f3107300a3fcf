// The documents that stand beside the configuration and judge with it: risk register, waivers,
// quarantine. They are read from where the configuration is read: the base. Where the base has no
// risk register yet, the working tree's own counts, and the decision says so; waivers and a
// quarantine count once they are on the base.
//
//     struct companion file;
//     if (!companion_read(&arena, COMPANION_WAIVERS, policy, &tree, config.waivers, &file, err))
//     ... if (file.found) waivers_bind(&arena, file.root, &waivers, &problems);
#ifndef GATE_COMPANION_H
#define GATE_COMPANION_H

#include "gate/policy.h"

enum companion_kind { COMPANION_RISKS, COMPANION_WAIVERS, COMPANION_QUARANTINE, COMPANIONS };

const char *companion_key(enum companion_kind kind);   // under `evidence:`: "risks"
const char *companion_title(enum companion_kind kind); // "the risk register"

struct companion {
    bool found;
    bool from_tree;   // the base has no risk register: the working tree's own
    const char *path; // where it was found, or where it was looked for first
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
    str bytes;
    const struct node *root; // null when not found
};

// In one source alone. `named` is the path from the configuration, or empty for the usual places.
// root is not set. ERROR_INPUT for a path that leads out of the repository.
bool companion_find(struct arena *arena, enum companion_kind kind, const struct source *source,
                    str named, struct companion *ret, struct error *err);

// Where the configuration names it; no position when it does not.
struct position companion_named_at(enum companion_kind kind, const struct policy *policy);

// The text of one that was found, as a tree. ERROR_INPUT with a position.
bool companion_parse(struct arena *arena, enum companion_kind kind, const struct companion *file,
                     const struct node **ret, struct error *err);

// ERROR_INPUT, with a position, when a named one does not exist (waivers and quarantine may be
// missing on the base as yet) or is no YAML.
bool companion_read(struct arena *arena, enum companion_kind kind, const struct policy *policy,
                    const struct source *tree, str named, struct companion *ret, struct error *err);

#endif
