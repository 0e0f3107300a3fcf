// The policy: the configuration as it stands on the base commit, on top of the policies that it
// extends. The change that is judged cannot alter what it is judged by.
//
// Where the base has no configuration yet, the working tree's own is used, and `tighten` asks the
// gate to judge by the built-in `default` as well. A configuration that extends nothing extends
// `default`.
//
//     struct policy policy;
//     if (!policy_load(&arena, &request, &policy, err)) ...
//     shape_bind(&arena, &root_shape, policy.tree, &config, &problems);
#ifndef GATE_POLICY_H
#define GATE_POLICY_H

#include "gate/base/sha256.h"
#include "gate/doc/node.h"
#include "gate/reports/evidence.h"
#include "gate/source.h"

#define POLICY_PATH ".github/sluice.yml"

struct policy_request {
    struct source base; // base.commit null = there is no base
    struct source tree; // the working tree
    const char *path;   // relative to the root; when `outside`, any file of the machine
    bool outside;       // not in the repository: no change can alter it, so it is taken as it is
};

struct policy {
    const char *path;
    struct source source;       // where it was found, and where its register is looked for first
    bool tighten;               // by the built-in `default`
    bool outside;               // see policy_request
    bool differs;               // the working tree's own is not the same text
    const struct node *tree;    // merged with everything that it extends
    const struct node *floor;   // the built-in `default`
    bool asked[EVIDENCE_KINDS]; // kinds that its own words (not the implied `default`) ask for
    bool risks_asked;
    char sha256[SHA256_HEX]; // of the merged tree as compact JSON
};

// ERROR_INPUT with a position for what is wrong in it, ERROR_ABSENT when there is none anywhere.
bool policy_load(struct arena *arena, const struct policy_request *request, struct policy *ret,
                 struct error *err);

// The configuration of one source alone, merged with everything that it extends; *ret null when it
// has none. ERROR_INPUT with a position.
bool policy_tree(struct arena *arena, const struct source *source, const char *path,
                 const struct node **ret, struct error *err);

// A document on top of everything that its `extends` names: presets by name, files of `source` by
// path. `extends` itself stays that of the document.
bool policy_extend(struct arena *arena, const struct source *source, const struct node *document,
                   const struct node **ret, struct error *err);

// One of the policies built into the program, as a tree; null when there is none of that name.
const struct node *policy_preset(struct arena *arena, str name, struct error *err);

#endif
