#include "actions/cli/config.h"

#include "actions/github/github_config.h"
#include "deploy/notify/notify_config.h"
#include "deploy/run/settings.h"
#include "deploy/run/settings_calendar.h"

static const struct shape_field ledger_fields[] = {
    {.key = "branch",
     .kind = SHAPE_STR,
     .offset = offsetof(struct ledger_section, branch),
     .fallback = "release-ledger",
     .doc = "Branch that holds the record."},
    {.key = "remote",
     .kind = SHAPE_STR,
     .offset = offsetof(struct ledger_section, remote),
     .doc = "Name or URL of the remote; the local repository when absent."},
    {.key = "sign_with",
     .kind = SHAPE_STR,
     .offset = offsetof(struct ledger_section, sign_with),
     .doc = "Private key that signs every entry: a file, or `${env.NAME}` with its text."},
    {.key = "allowed_signers",
     .kind = SHAPE_STR,
     .offset = offsetof(struct ledger_section, allowed_signers),
     .doc = "File with the keys that may sign, for `sluice verify`."},
    {.key = "evidence", .kind = SHAPE_LATER, .doc = "A store for large evidence."},
    {.kind = SHAPE_END},
};

const struct shape ledger_shape = {.name = "ledger",
                                   .size_bytes = sizeof(struct ledger_section),
                                   .fields = ledger_fields,
                                   .doc = "Where the record is kept."};

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
    {.key = "aws",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, aws),
     .shape = &aws_settings_shape,
     .doc = "The AWS account of targets and metrics."},
    {.key = "google",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, google),
     .shape = &google_settings_shape,
     .doc = "The Google Cloud identity of targets and metrics."},
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
    {.key = "watch",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, watch),
     .shape = &watch_shape,
     .doc = "What looks after a rollout that no process drives."},
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
    {.key = "seasons",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, seasons),
     .shape = &season_shape,
     .max = CALENDAR_SEASONS,
     .doc = "Busy weeks: releases go on, in other steps, with other bakes and approvals."},
    {.key = "freezes",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, freezes),
     .shape = &freeze_shape,
     .max = CALENDAR_FREEZES,
     .doc = "When nothing goes forward but the fixes that are allowed. A way back always goes."},
    {.key = "windows",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, windows),
     .shape = &shape_of_str,
     .max = CALENDAR_WINDOWS,
     .doc = "When releases go forward, such as `Mon-Thu 09:00-16:00 Europe/Amsterdam`; at any time "
            "when absent."},
    {.key = "emergency",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, emergency),
     .shape = &emergency_shape,
     .doc = "The steps, bakes and approvals of `sluice rollout --emergency`, and when its review "
            "is due."},
    {.key = "notify",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct config, notify),
     .shape = &notify_channel_shape,
     .min = 1,
     .max = NOTIFY_CHANNELS,
     .doc = "Who is told what becomes of a rollout."},
    {.key = "github",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct config, github),
     .shape = &github_shape,
     .doc = "What a rollout shows of itself on GitHub, and as whom."},
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
    struct calendar_settings calendar;
    (void)deploy_settings_bind(arena, root, &settings, problems);
    (void)calendar_settings_bind(arena, root, &settings, &calendar, problems);
}

static void check_ledger(struct arena *arena, const struct node *root, struct problems *problems)
{
    const struct node *node = node_get(root, "ledger");
    if (node)
        (void)shape_bind(arena, &ledger_shape, node, arena_alloc(arena, ledger_shape.size_bytes),
                         problems);
}

// The entries themselves are bound with the root; here it is whether `env` lists their secrets.
static void check_notify(struct arena *arena, const struct node *root, struct problems *problems)
{
    struct notify_settings settings;
    struct problems said_already = {.arena = arena};
    if (node_get(root, "notify") && !notify_bind(arena, root, &settings, &said_already))
        notify_check_env(&settings, root, problems);
}

// The first team among those who may answer something; null where only people are named.
static const struct node *find_team(const struct node *node, unsigned depth)
{
    bool names = node && (str_is(node->key, "from") || str_is(node->key, "approval"));
    bool list = names && node->kind == NODE_LIST;
    const struct node *name = !names ? NULL : list ? node->first : node;
    for (; name; name = list ? name->next : NULL)
        if (name->kind == NODE_STRING && str_starts(name->text, STR("@")))
            return name;
    bool inside = node && (node->kind == NODE_MAP || node->kind == NODE_LIST) && depth > 0;
    for (const struct node *one = inside ? node->first : NULL; one; one = one->next) {
        const struct node *found = find_team(one, depth - 1);
        if (found)
            return found;
    }
    return NULL;
}

static void check_github(struct arena *arena, const struct node *root, struct problems *problems)
{
    static const char *const places[] = {"rollout", "seasons", "emergency"};
    enum { DEPTH = 6 };
    struct github_settings settings;
    if (!github_settings_bind(arena, root, &settings, problems) || settings.app)
        return;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct node *team = find_team(node_get(root, places[i]), DEPTH);
        if (team)
            problem_at(problems, team->at,
                       "`" STR_FMT "` is a team, and only an app's token sees who belongs to one: "
                       "add `github: {app: {id: …, key: …}}`, or name the people",
                       STR_ARG(team->text));
    }
}

static const struct config_part parts[] = {
    {"rollout", check_rollout},
    {"ledger", check_ledger},
    {"notify", check_notify},
    {"github", check_github},
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
