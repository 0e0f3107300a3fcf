// The field tables of `rollout`, `analysis` and `rollback`, and the rules inside one of them.
#include "deploy/engine/engine.h"
#include "deploy/run/settings_parts.h"
#include "gate/base/moment.h"

// Says every text of a list that stands there twice.
static void refuse_twice(const struct shape_list *list, const struct node *node, const char *what,
                         struct problems *problems)
{
    const str *items = list->items;
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(items[i], items[k])) {
                problem_at(problems, settings_item_at(node, i), "%s `" STR_FMT "` stands twice",
                           what, STR_ARG(items[i]));
                break;
            }
}

// ---- approval ----------------------------------------------------------------------------------

static const struct shape_field approval_fields[] = {
    {.key = "from",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct approval_settings, from),
     .shape = &shape_of_str,
     .min = 1,
     .max = 100,
     .required = true,
     .doc = "Who may answer: logins."},
    {.key = "count",
     .kind = SHAPE_INT,
     .offset = offsetof(struct approval_settings, count),
     .min = 1,
     .max = ROLLOUT_ANSWERS,
     .fallback = "1",
     .doc = "How many of them must agree."},
    {.key = "prevent_self_review",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct approval_settings, prevent_self_review),
     .fallback = "false",
     .doc = "Refuse an answer from who started the rollout or wrote one of its commits."},
    {.key = "expires_after",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct approval_settings, expires_after_ms),
     .fallback = "48h",
     .doc = "An unanswered question is a denial after this time."},
    {.kind = SHAPE_END},
};

static void check_approval(void *value, const struct node *node, struct problems *problems)
{
    const struct approval_settings *approval = value;
    const struct node *from = node_get(node, "from") ? node_get(node, "from") : node;
    const str *names = approval->from.items;
    bool teams = false;
    for (size_t i = 0; i < approval->from.count; i++) {
        bool marked = str_starts(names[i], STR("@")), team = str_find(names[i], '/') != STR_NONE;
        teams |= team;
        if (marked != team || str_ends(names[i], STR("/")) || str_starts(names[i], STR("@/")))
            problem_at(problems, settings_item_at(from, i),
                       "`" STR_FMT "` is neither a login, as `ada`, nor a team, as `@acme/release`",
                       STR_ARG(names[i]));
    }
    refuse_twice(&approval->from, from, "login", problems);
    if (!teams && (size_t)approval->count > approval->from.count)
        problem_at(problems, settings_at(node, "count"),
                   "`count` asks for %lld approvals, but `from` names only %zu",
                   (long long)approval->count, approval->from.count);
    if (approval->expires_after_ms == 0)
        problem_at(problems, settings_at(node, "expires_after"),
                   "`expires_after` must be longer than nothing: nobody could answer");
}

static const struct shape approval_shape = {
    .name = "approval",
    .size_bytes = sizeof(struct approval_settings),
    .fields = approval_fields,
    .shorthand = "from",
    .check = check_approval,
    .doc = "Who must agree before it goes on.",
};

// ---- stage -------------------------------------------------------------------------------------

static const struct shape_field step_fields[] = {
    {.key = "to",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct step_settings, to),
     .required = true,
     .doc = "Share of the target that this step brings the release to."},
    {.key = "approval",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct step_settings, approval),
     .shape = &approval_shape,
     .doc = "Asked before this step."},
    {.kind = SHAPE_END},
};

const struct shape step_shape = {
    .name = "step",
    .size_bytes = sizeof(struct step_settings),
    .fields = step_fields,
    .shorthand = "to",
    .position_offset = offsetof(struct step_settings, at) + 1,
    .doc = "One step: a share such as `25%`, or a share with an approval of its own.",
};

static const struct shape_field pace_fields[] = {PACE_FIELDS(struct pace_settings, ),
                                                 {.kind = SHAPE_END}};

static void check_pace(void *value, const struct node *node, struct problems *problems)
{
    const struct pace_settings *pace = value;
    (void)node;
    settings_check_steps(&pace->steps, problems);
}

static const struct shape pace_shape = {.name = "by_risk",
                                        .size_bytes = sizeof(struct pace_settings),
                                        .fields = pace_fields,
                                        .check = check_pace,
                                        .doc = "How such a release goes out."};

static const struct shape_field by_risk_fields[] = {
    {.key = "low",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct by_risk_settings, low),
     .shape = &pace_shape,
     .doc = "Where the gate's release risk score is low; as the stage says when absent."},
    {.key = "medium",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct by_risk_settings, medium),
     .shape = &pace_shape,
     .doc = "Likewise for a medium one."},
    {.key = "high",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct by_risk_settings, high),
     .shape = &pace_shape,
     .doc = "Likewise for a high one, and where nothing was scored."},
    {.kind = SHAPE_END},
};

static const struct shape by_risk_shape = {.name = "by_risk",
                                           .size_bytes = sizeof(struct by_risk_settings),
                                           .fields = by_risk_fields,
                                           .doc = "Steps, bakes and approvals by the class of the "
                                                  "release risk."};

static const struct shape_field stage_fields[] = {
    {.key = "stage",
     .kind = SHAPE_STR,
     .offset = offsetof(struct stage_settings, stage),
     .required = true,
     .doc = "Name of the stage."},
    {.key = "after",
     .kind = SHAPE_STR,
     .offset = offsetof(struct stage_settings, after),
     .doc = "The stage that must be done for the same release first."},
    {.key = "environment",
     .kind = SHAPE_STR,
     .offset = offsetof(struct stage_settings, environment),
     .doc = "What the rollout claims; the stage's name when absent."},
    {.key = "approval",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct stage_settings, approval),
     .shape = &approval_shape,
     .doc = "Asked before anything is touched."},
    {.key = "targets",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct stage_settings, targets),
     .shape = &shape_of_str,
     .min = 1,
     .max = LIMIT_TARGETS,
     .required = true,
     .doc = "Targets that move together."},
    {.key = "order",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct stage_settings, order),
     .shape = &shape_of_str,
     .min = 1,
     .max = LIMIT_TARGETS,
     .doc = "Targets that move before the others in each step, one after another: `[workers]` has "
            "the workers on the release before anything else is. A rollback knows no order."},
    {.key = "independent",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct stage_settings, independent),
     .fallback = "false",
     .doc = "Stages next to each other that are independent do not stop each other: where one is "
            "taken back, the next goes out all the same."},
    {.key = "by_risk",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct stage_settings, by_risk),
     .shape = &by_risk_shape,
     .doc =
         "How the release risk score of the gate chooses steps, bakes and approvals. In a season "
         "the more careful of both holds."},
    {.key = "steps",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct stage_settings, steps),
     .shape = &step_shape,
     .min = 1,
     .max = LIMIT_STEPS,
     .doc = "Rising shares; the last is 100%, which is also the only step when there are none."},
    {.key = "step_bake",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct stage_settings, step_bake_ms),
     .fallback = "10m",
     .doc = "How long each step but the last is watched."},
    {.key = "bake",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct stage_settings, bake_ms),
     .fallback = "30m",
     .doc = "How long it is watched after all of it is out."},
    {.key = "settle_limit",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct stage_settings, settle_limit_ms),
     .doc = "How long a target may take to settle after each change before the step has failed; "
            "when absent 10m, or `rollback.time_limit` where that is longer."},
    {.key = "metrics",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct stage_settings, metrics),
     .shape = &shape_of_str,
     .min = 1,
     .max = LIMIT_METRICS,
     .doc = "Metrics that judge it, beside the `health` of its targets; all when absent."},
    {.kind = SHAPE_END},
};

// Where nobody is asked, no number of approvals can be had.
static void check_by_risk(const struct stage_settings *stage, const struct node *node,
                          struct problems *problems)
{
    const struct by_risk_settings *by = stage->by_risk;
    size_t have = stage->approval ? stage->approval->from.count : 0;
    const struct {
        const char *name;
        const struct pace_settings *pace;
    } classes[] = {{"low", by ? by->low : NULL},
                   {"medium", by ? by->medium : NULL},
                   {"high", by ? by->high : NULL}};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        const struct node *at = node_get(node_get(node, "by_risk"), classes[i].name);
        if (classes[i].pace && (size_t)classes[i].pace->approvals > have)
            problem_at(problems, settings_at(at, "approvals"),
                       "`by_risk` asks for %lld approvals, but `approval: {from}` of the stage "
                       "names %zu",
                       (long long)classes[i].pace->approvals, have);
    }
}

static void check_stage(void *value, const struct node *node, struct problems *problems)
{
    const struct stage_settings *stage = value;
    settings_check_name_of("stage", node, "stage", problems);
    settings_check_name_of("environment", node, "environment", problems);
    settings_check_steps(&stage->steps, problems);
    check_by_risk(stage, node, problems);
    if (node_get(node, "settle_limit") && stage->settle_limit_ms < MS_SECOND)
        problem_at(problems, settings_at(node, "settle_limit"),
                   "`settle_limit` must be a second or more, such as `10m`");
    refuse_twice(&stage->targets, node_get(node, "targets"), "target", problems);
    if (stage->order.count)
        refuse_twice(&stage->order, node_get(node, "order"), "target", problems);
    if (stage->metrics.count)
        refuse_twice(&stage->metrics, node_get(node, "metrics"), "metric", problems);
}

const struct shape stage_shape = {
    .name = "stage",
    .size_bytes = sizeof(struct stage_settings),
    .fields = stage_fields,
    .position_offset = offsetof(struct stage_settings, at) + 1,
    .check = check_stage,
    .doc = "One stage of the rollout.",
};

static const struct shape_field rollout_fields[] = {
    {.key = "rollout",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct rollout_section, stages),
     .shape = &stage_shape,
     .min = 1,
     .max = LIMIT_STAGES},
    {.kind = SHAPE_END},
};
const struct shape rollout_shape = {
    .name = "rollout", .size_bytes = sizeof(struct rollout_section), .fields = rollout_fields};

// ---- analysis ----------------------------------------------------------------------------------

static const char *const then_choices[] = {"hold", "abort", NULL};

static const struct shape_field detect_fields[] = {
    {.key = "ratio",
     .kind = SHAPE_NUMBER,
     .offset = offsetof(struct detect_settings, ratio),
     .fallback = "5",
     .doc = "A regression this many times worse must be seen in every step."},
    {.key = "power",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct detect_settings, power),
     .fallback = "95%",
     .doc = "With this probability."},
    {.kind = SHAPE_END},
};

static void check_detect(void *value, const struct node *node, struct problems *problems)
{
    const struct detect_settings *detect = value;
    if (detect->power.num <= 0 || fraction_cmp(detect->power, (struct fraction){1, 1}) >= 0)
        problem_at(problems, settings_at(node, "power"),
                   "`power` must be above 0%% and below 100%%, such as `95%%`");
}

static const struct shape detect_shape = {.name = "detect",
                                          .size_bytes = sizeof(struct detect_settings),
                                          .fields = detect_fields,
                                          .check = check_detect};

static const struct shape_field inconclusive_fields[] = {
    {.key = "extend",
     .kind = SHAPE_INT,
     .offset = offsetof(struct inconclusive_settings, extend),
     .min = 0,
     .max = 10,
     .fallback = "1",
     .doc = "How often a bake that shows nothing is extended."},
    {.key = "then",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct inconclusive_settings, then),
     .choices = then_choices,
     .fallback = "hold",
     .doc = "What happens after that."},
    {.kind = SHAPE_END},
};
static const struct shape inconclusive_shape = {.name = "inconclusive",
                                                .size_bytes = sizeof(struct inconclusive_settings),
                                                .fields = inconclusive_fields};

static void check_analysis(void *value, const struct node *node, struct problems *problems)
{
    const struct analysis_section *analysis = value;
    const struct node *detect = node_get(node, "detect");
    if (analysis->max_ratio < 1)
        problem_at(problems, settings_at(node, "max_ratio"),
                   "`max_ratio` must be at least 1: the canary may be this many times worse before "
                   "it counts");
    if (analysis->false_positive_rate.num <= 0 ||
        fraction_cmp(analysis->false_positive_rate, (struct fraction){1, 2}) > 0)
        problem_at(problems, settings_at(node, "false_positive_rate"),
                   "`false_positive_rate` must be above 0%% and at most 50%%, such as `1%%`");
    if (analysis->detect.ratio <= analysis->max_ratio)
        problem_at(problems, detect ? settings_at(detect, "ratio") : settings_at(node, "max_ratio"),
                   "`ratio` of `detect` must be greater than `max_ratio`");
}

static const struct shape_field analysis_fields[] = {
    {.key = "false_positive_rate",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct analysis_section, false_positive_rate),
     .fallback = "1%",
     .doc = "How often a good release may be aborted."},
    {.key = "max_ratio",
     .kind = SHAPE_NUMBER,
     .offset = offsetof(struct analysis_section, max_ratio),
     .fallback = "1.2",
     .doc = "How many times worse than the baseline is still fine."},
    {.key = "detect",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct analysis_section, detect),
     .shape = &detect_shape,
     .doc = "The regression that every step must be able to see."},
    {.key = "min_requests",
     .kind = SHAPE_INT,
     .offset = offsetof(struct analysis_section, min_requests),
     .min = 1,
     .max = 1000000000,
     .fallback = "200",
     .doc = "Requests that the canary must have served before a step can pass."},
    {.key = "inconclusive",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct analysis_section, inconclusive),
     .shape = &inconclusive_shape,
     .doc = "What happens when the figures say nothing."},
    {.kind = SHAPE_END},
};
const struct shape analysis_shape = {.name = "analysis",
                                     .size_bytes = sizeof(struct analysis_section),
                                     .fields = analysis_fields,
                                     .check = check_analysis,
                                     .doc = "How figures are judged."};

// ---- rollback, and what every metric has -------------------------------------------------------

static const char *const cancel_choices[] = {"rollback", "hold", NULL};

static const struct shape_field rollback_fields[] = {
    {.key = "time_limit",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct rollback_settings, time_limit_ms),
     .fallback = "12m",
     .doc = "A rollback that is not verified by then is stuck, loudly."},
    {.key = "on_cancel",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct rollback_settings, on_cancel),
     .choices = cancel_choices,
     .fallback = "rollback",
     .doc = "What a cancelled run does."},
    {.key = "rehearse_every",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct rollback_settings, rehearse_every_ms),
     .doc = "How old the newest verified way back may be, rehearsed or in need, before `plan`, "
            "`status` and `rollout` warn; `sluice rollback --rehearse` rehearses one."},
    {.kind = SHAPE_END},
};

static void check_rollback(void *value, const struct node *node, struct problems *problems)
{
    const struct rollback_settings *rollback = value;
    if (rollback->time_limit_ms < MS_SECOND)
        problem_at(problems, settings_at(node, "time_limit"),
                   "`time_limit` must be a second or more, such as `12m`");
    if (node_get(node, "rehearse_every") && rollback->rehearse_every_ms < MS_HOUR)
        problem_at(problems, settings_at(node, "rehearse_every"),
                   "`rehearse_every` must be an hour or more, such as `30d`");
}

const struct shape rollback_shape = {.name = "rollback",
                                     .size_bytes = sizeof(struct rollback_settings),
                                     .fields = rollback_fields,
                                     .check = check_rollback,
                                     .doc = "The way back."};

const char *const severity_names[] = {"P1", "P2", "P3", "P4", NULL};

static const struct shape_field metric_common_fields[] = {
    {.key = "targets",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct metric_common, targets),
     .shape = &shape_of_str,
     .min = 1,
     .max = LIMIT_TARGETS,
     .doc = "Targets that it watches; all of the stage when absent."},
    {.key = "runbook",
     .kind = SHAPE_STR,
     .offset = offsetof(struct metric_common, runbook),
     .doc = "What a person does when it fires: a path or an address."},
    {.key = "max_errors",
     .kind = SHAPE_INT,
     .offset = offsetof(struct metric_common, max_errors),
     .min = 1,
     .max = 1000,
     .doc = "How many readings in a row may give no usable answer before no step passes; 5 when "
            "absent."},
    {.key = "max_inconclusive",
     .kind = SHAPE_INT,
     .offset = offsetof(struct metric_common, max_inconclusive),
     .min = 1,
     .max = 100000,
     .doc = "Likewise of all readings of a bake, in a row or not; any number when absent."},
    {.kind = SHAPE_END},
};
const struct shape metric_common_shape = {
    .name = "metric", .size_bytes = sizeof(struct metric_common), .fields = metric_common_fields};
