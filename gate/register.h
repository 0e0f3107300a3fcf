// Finding and reading the risk register for a run of the gate.
#ifndef GATE_REGISTER_H
#define GATE_REGISTER_H

#include "gate/policy.h"
#include "gate/risk/register.h"

// Where a source has the register, and its bytes.
struct register_place {
    bool found;
    const char *path; // where it was found, or where it was looked for first
    str bytes;
};

bool register_find(struct arena *arena, const struct source *source, str named,
                   struct register_place *ret, struct error *err);

// Where the configuration names it; no position when it does not.
struct position register_named_at(const struct policy *policy);

struct register_file {
    bool found;
    bool from_tree;   // the base has none: the working tree's own
    const char *path; // where it was found, or where it was looked for first
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
    struct risk_register risks;
};

// `named` is the path from the configuration, or empty for the usual places. The base's register
// counts; where it has none, the working tree's. ERROR_INPUT, with a position, when a named one
// does not exist or one that exists cannot be used ("and N more").
bool register_read(struct arena *arena, const struct policy *policy, const struct source *tree,
                   str named, struct register_file *ret, struct error *err);

#endif
