// The root of the configuration: every section of .github/sluice.yml. The sections of the gate are
// bound here; those of other layers are taken as nodes and bound by the parts that config.c lists.
//
//     struct config config;
//     if (!config_bind(&arena, policy.tree, &config, &problems)) ...
#ifndef ACTIONS_CLI_CONFIG_H
#define ACTIONS_CLI_CONFIG_H

#include "gate/intake/intake.h"
#include "gate/rules/demands.h"

struct config {
    int64_t version;
    bool enforce;
    struct shape_list extends; // str
    struct shape_list env;     // str: names that ${env.X} may reach
    struct shape_list notify;  // struct notify_channel
    struct evidence_config *evidence;
    struct gate_demands *gate;
    const struct node *targets, *metrics, *rollout, *analysis, *rollback, *watch, *ledger,
        *incidents, *aws, *google, *github;
    const struct node *seasons, *freezes, *windows, *emergency;
    struct position at;
};

extern const struct shape config_shape;

struct ledger_section { // `ledger` of the configuration
    str branch, remote, sign_with, allowed_signers;
};
extern const struct shape ledger_shape;

// A section of another layer: checked together with the rest of the configuration.
struct config_part {
    const char *name;
    void (*check)(struct arena *arena, const struct node *root, struct problems *problems);
};

// Binds the whole tree: unknown keys anywhere, then what each part has to say. `evidence` and
// `gate` are never null afterwards. False when something was added to `problems`.
bool config_bind(struct arena *arena, const struct node *root, struct config *ret,
                 struct problems *problems);

#endif
