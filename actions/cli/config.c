#include "actions/cli/config.h"

#include "actions/cli/deployment.h"
#include "deploy/run/settings.h"

static const struct shape_field fields[] = {
    {.key = "version",
     .kind = SHAPE_INT,
     .offset = offsetof(struct config, version),
     .min = 1,
     .max = 1,
     .required = true,
     .doc = "The version of this format: 1."},
    {.key = "extends",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct config, extends),
     .shape = &shape_of_str,
     .doc = "Policies that this configuration stands on: built-in names, or paths in the "
            "repository."},
    {.key = "enforce",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct config, enforce),
     .fallback = "true",
     .doc = "false: say what would happen, and never block."},
    {.key = "env",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct config, env),
     .shape = &shape_of_str,
     .doc = "The only environment names that ${env.NAME} may reach."},
    {.key = "evidence",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct config, evidence),
     .shape = &evidence_shape,
     .doc = "Reports that must be there."},
    {.key = "gate",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct config, gate),
     .shape = &gate_demands_shape,
     .doc = "What a release must show."},
    {.key = "targets",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, targets),
     .doc = "Where releases run."},
    {.key = "metrics",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, metrics),
     .doc = "What is watched while a release goes out."},
    {.key = "rollout",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, rollout),
     .doc = "Stages and steps."},
    {.key = "analysis",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, analysis),
     .shape = &analysis_shape,
     .doc = "How metrics are judged."},
    {.key = "rollback",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, rollback),
     .shape = &rollback_shape,
     .doc = "How a release is taken back."},
    {.key = "ledger",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, ledger),
     .shape = &ledger_shape,
     .doc = "Where the record is kept."},
    {.key = "incidents",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, incidents),
     .shape = &incidents_shape,
     .doc = "Severities and their clocks."},
    {.key = "seasons", .kind = SHAPE_LATER},
    {.key = "freezes", .kind = SHAPE_LATER},
    {.key = "windows", .kind = SHAPE_LATER},
    {.key = "notify", .kind = SHAPE_LATER},
    {0},
};

const struct shape config_shape = {
    .name = "configuration",
    .size_bytes = sizeof(struct config),
    .fields = fields,
    .position_offset = offsetof(struct config, at) + 1,
    .doc = "The configuration of sluice, .github/sluice.yml.",
};

// Sections of other layers: a row binds what its layer knows of the root, and reports what is
// wrong.
static void check_rollout(struct arena *arena, const struct node *root, struct problems *problems)
{
    struct deploy_settings settings;
    (void)deploy_settings_bind(arena, root, &settings, problems);
}

static void check_ledger(struct arena *arena, const struct node *root, struct problems *problems)
{
    const struct node *node = node_get(root, "ledger");
    if (node)
        (void)shape_bind(arena, &ledger_shape, node, arena_alloc(arena, ledger_shape.size_bytes),
                         problems);
}

static const struct config_part parts[] = {
    {"rollout", check_rollout},
    {"ledger", check_ledger},
    {0},
};

bool config_bind(struct arena *arena, const struct node *root, struct config *ret,
                 struct problems *problems)
{
    static const struct node nothing = {.kind = NODE_MAP};
    size_t before = problems->count + problems->dropped;
    (void)shape_bind(arena, &config_shape, root, ret, problems);
    if (!ret->evidence) {
        ret->evidence = ARENA_NEW(arena, struct evidence_config);
        (void)shape_bind(arena, &evidence_shape, &nothing, ret->evidence, problems);
    }
    if (!ret->gate) {
        ret->gate = ARENA_NEW(arena, struct gate_demands);
        (void)shape_bind(arena, &gate_demands_shape, &nothing, ret->gate, problems);
    }
    for (size_t i = 0; parts[i].name; i++)
        parts[i].check(arena, root, problems);
    return problems->count + problems->dropped == before;
}
