#include "deploy/run/settings.h"

#include "deploy/engine/plan.h"

// ---- field tables ------------------------------------------------------------------------------

static const struct shape_field approval_fields[] = {
    {.key = "from", .kind = SHAPE_LIST, .offset = offsetof(struct approval_settings, from),
     .shape = &shape_of_str, .min = 1, .max = 100, .required = true,
     .doc = "Who may answer: logins."},
    {.key = "count", .kind = SHAPE_INT, .offset = offsetof(struct approval_settings, count),
     .min = 1, .max = 20, .fallback = "1", .doc = "How many of them must agree."},
    {.key = "prevent_self_review", .kind = SHAPE_BOOL,
     .offset = offsetof(struct approval_settings, prevent_self_review), .fallback = "false",
     .doc = "Refuse an answer from who started the rollout or wrote one of its commits."},
    {.key = "expires_after", .kind = SHAPE_DURATION,
     .offset = offsetof(struct approval_settings, expires_after_ms), .fallback = "48h",
     .doc = "An unanswered question is a denial after this time."},
    {.kind = SHAPE_END},
};

static void check_approval(void *value, const struct node *node, struct problems *problems)
{
    const struct approval_settings *approval = value;
    if (approval->from.count && (size_t)approval->count > approval->from.count)
        problem_at(problems, node->at,
                   "`count` asks for %lld approvals, but `from` names only %zu people",
                   (long long)approval->count, approval->from.count);
}

static const struct shape approval_shape = {
    .name = "approval",
    .size_bytes = sizeof(struct approval_settings),
    .fields = approval_fields,
    .shorthand = "from",
    .check = check_approval,
    .doc = "Who must agree before it goes on.",
};

static const struct shape_field step_fields[] = {
    {.key = "to", .kind = SHAPE_PERCENT, .offset = offsetof(struct step_settings, to),
     .required = true, .doc = "Share of the target that this step brings the release to."},
    {.key = "approval", .kind = SHAPE_OPTIONAL, .offset = offsetof(struct step_settings, approval),
     .shape = &approval_shape, .doc = "Asked before this step."},
    {.kind = SHAPE_END},
};

static const struct shape step_shape = {
    .name = "step",
    .size_bytes = sizeof(struct step_settings),
    .fields = step_fields,
    .shorthand = "to",
    .position_offset = offsetof(struct step_settings, at) + 1,
    .doc = "One step: a share such as `25%`, or a share with an approval of its own.",
};

static const struct shape_field stage_fields[] = {
    {.key = "stage", .kind = SHAPE_STR, .offset = offsetof(struct stage_settings, stage),
     .required = true, .doc = "Name of the stage."},
    {.key = "after", .kind = SHAPE_STR, .offset = offsetof(struct stage_settings, after),
     .doc = "The stage that must be done for the same release first."},
    {.key = "environment", .kind = SHAPE_STR,
     .offset = offsetof(struct stage_settings, environment),
     .doc = "What the rollout claims; the stage's name when absent."},
    {.key = "approval", .kind = SHAPE_OPTIONAL, .offset = offsetof(struct stage_settings, approval),
     .shape = &approval_shape, .doc = "Asked before anything is touched."},
    {.key = "targets", .kind = SHAPE_LIST, .offset = offsetof(struct stage_settings, targets),
     .shape = &shape_of_str, .min = 1, .max = LIMIT_TARGETS, .required = true,
     .doc = "Targets that move together."},
    {.key = "steps", .kind = SHAPE_LIST, .offset = offsetof(struct stage_settings, steps),
     .shape = &step_shape, .min = 1, .max = LIMIT_STEPS,
     .doc = "Rising shares; the last is 100%, which is also the only step when there are none."},
    {.key = "step_bake", .kind = SHAPE_DURATION,
     .offset = offsetof(struct stage_settings, step_bake_ms), .fallback = "10m",
     .doc = "How long each step but the last is watched."},
    {.key = "bake", .kind = SHAPE_DURATION, .offset = offsetof(struct stage_settings, bake_ms),
     .fallback = "30m", .doc = "How long it is watched after all of it is out."},
    {.key = "metrics", .kind = SHAPE_LIST, .offset = offsetof(struct stage_settings, metrics),
     .shape = &shape_of_str, .doc = "Metrics that judge it; all when absent."},
    {.kind = SHAPE_END},
};

const struct shape stage_shape = {
    .name = "stage",
    .size_bytes = sizeof(struct stage_settings),
    .fields = stage_fields,
    .position_offset = offsetof(struct stage_settings, at) + 1,
    .doc = "One stage of the rollout.",
};

struct detect_settings {
    double ratio;
    struct fraction power;
};

static const char *const then_choices[] = {"hold", "abort", NULL};
static const char *const cancel_choices[] = {"rollback", "hold", NULL};

static const struct shape_field detect_fields[] = {
    {.key = "ratio", .kind = SHAPE_NUMBER, .offset = offsetof(struct detect_settings, ratio),
     .fallback = "5", .doc = "A regression this many times worse must be seen in every step."},
    {.key = "power", .kind = SHAPE_PERCENT, .offset = offsetof(struct detect_settings, power),
     .fallback = "95%", .doc = "With this probability."},
    {.kind = SHAPE_END},
};
static const struct shape detect_shape = {
    .name = "detect", .size_bytes = sizeof(struct detect_settings), .fields = detect_fields};

struct inconclusive_settings {
    int64_t extend;
    int then;
};

static const struct shape_field inconclusive_fields[] = {
    {.key = "extend", .kind = SHAPE_INT, .offset = offsetof(struct inconclusive_settings, extend),
     .min = 0, .max = 10, .fallback = "1", .doc = "How often a bake that shows nothing is extended."},
    {.key = "then", .kind = SHAPE_CHOICE, .offset = offsetof(struct inconclusive_settings, then),
     .choices = then_choices, .fallback = "hold", .doc = "And then."},
    {.kind = SHAPE_END},
};
static const struct shape inconclusive_shape = {.name = "inconclusive",
                                                .size_bytes = sizeof(struct inconclusive_settings),
                                                .fields = inconclusive_fields};

struct analysis_section {
    struct fraction false_positive_rate;
    double max_ratio;
    struct detect_settings detect;
    int64_t min_requests;
    struct inconclusive_settings inconclusive;
};

static void check_analysis(void *value, const struct node *node, struct problems *problems)
{
    const struct analysis_section *analysis = value;
    if (analysis->max_ratio < 1)
        problem_at(problems, node->at, "`max_ratio` must be at least 1: the canary may be this many "
                                       "times worse before it counts");
    if (analysis->false_positive_rate.num <= 0 ||
        fraction_cmp(analysis->false_positive_rate, (struct fraction){1, 2}) > 0)
        problem_at(problems, node->at,
                   "`false_positive_rate` must be above 0%% and at most 50%%, such as `1%%`");
    if (analysis->detect.ratio <= analysis->max_ratio)
        problem_at(problems, node->at, "`detect.ratio` must be greater than `max_ratio`");
}

static const struct shape_field analysis_fields[] = {
    {.key = "false_positive_rate", .kind = SHAPE_PERCENT,
     .offset = offsetof(struct analysis_section, false_positive_rate), .fallback = "1%",
     .doc = "How often a good release may be aborted."},
    {.key = "max_ratio", .kind = SHAPE_NUMBER, .offset = offsetof(struct analysis_section, max_ratio),
     .fallback = "1.2", .doc = "How many times worse than the baseline is still fine."},
    {.key = "detect", .kind = SHAPE_STRUCT, .offset = offsetof(struct analysis_section, detect),
     .shape = &detect_shape, .doc = "The regression that every step must be able to see."},
    {.key = "min_requests", .kind = SHAPE_INT,
     .offset = offsetof(struct analysis_section, min_requests), .min = 1, .max = 1000000000,
     .fallback = "200", .doc = "Requests that the canary must have served before a step can pass."},
    {.key = "inconclusive", .kind = SHAPE_STRUCT,
     .offset = offsetof(struct analysis_section, inconclusive), .shape = &inconclusive_shape,
     .doc = "What happens when the figures say nothing."},
    {.kind = SHAPE_END},
};
const struct shape analysis_shape = {.name = "analysis",
                                     .size_bytes = sizeof(struct analysis_section),
                                     .fields = analysis_fields,
                                     .check = check_analysis,
                                     .doc = "How figures are judged."};

static const struct shape_field rollback_fields[] = {
    {.key = "time_limit", .kind = SHAPE_DURATION,
     .offset = offsetof(struct rollback_settings, time_limit_ms), .fallback = "12m",
     .doc = "A rollback that is not verified by then is stuck, loudly."},
    {.key = "on_cancel", .kind = SHAPE_CHOICE, .offset = offsetof(struct rollback_settings, on_cancel),
     .choices = cancel_choices, .fallback = "rollback", .doc = "What a cancelled run does."},
    {.key = "rehearse_every", .kind = SHAPE_LATER, .doc = "How often a rollback is rehearsed."},
    {.kind = SHAPE_END},
};
const struct shape rollback_shape = {.name = "rollback",
                                     .size_bytes = sizeof(struct rollback_settings),
                                     .fields = rollback_fields,
                                     .doc = "The way back."};

struct rollout_section {
    struct shape_list stages;
};
static const struct shape_field rollout_fields[] = {
    {.key = "rollout", .kind = SHAPE_LIST, .offset = offsetof(struct rollout_section, stages),
     .shape = &stage_shape, .min = 1, .max = LIMIT_STAGES},
    {.kind = SHAPE_END},
};
static const struct shape rollout_shape = {
    .name = "rollout", .size_bytes = sizeof(struct rollout_section), .fields = rollout_fields};

// ---- binding -----------------------------------------------------------------------------------

// The map without some of its keys, so that what is common to all kinds is read here.
static const struct node *without(struct arena *arena, const struct node *map,
                                  const char *const *keys)
{
    struct node *copy = ARENA_NEW(arena, struct node);
    *copy = *map;
    copy->first = NULL;
    copy->count = 0;
    struct node **link = &copy->first;
    for (const struct node *child = map->first; child; child = child->next) {
        size_t k = 0;
        while (keys[k] && !str_is(child->key, keys[k]))
            k++;
        if (keys[k])
            continue;
        struct node *kept = ARENA_NEW(arena, struct node);
        *kept = *child;
        kept->next = NULL;
        *link = kept;
        link = &kept->next;
        copy->count++;
    }
    return copy;
}

static const char *known_targets(struct arena *arena)
{
    struct text names = text_of(512);
    for (size_t i = 0; target_kinds[i]; i++)
        text_addf(&names, "%s`%s`", i ? ", " : "", target_kinds[i]->name);
    const char *list = arena_copy(arena, text_str(&names));
    text_done(&names);
    return list;
}

static const char *known_metrics(struct arena *arena)
{
    struct text names = text_of(512);
    for (size_t i = 0; metric_kinds[i]; i++)
        text_addf(&names, "%s`%s`", i ? ", " : "", metric_kinds[i]->name);
    const char *list = arena_copy(arena, text_str(&names));
    text_done(&names);
    return list;
}

// True when `section` is a map with at most `most` entries; absent is true with none.
static bool is_section(const struct node *section, const char *name, size_t most,
                       struct problems *problems)
{
    if (!section || section->kind == NODE_NULL)
        return false;
    if (section->kind != NODE_MAP) {
        problem_at(problems, section->at, "`%s` must be a map of names, not %s", name,
                   node_kind_name(section->kind));
        return false;
    }
    if (section->count > most) {
        problem_at(problems, section->at, "`%s` has %zu entries; at most %zu are accepted", name,
                   section->count, most);
        return false;
    }
    return true;
}

static void bind_target(struct arena *arena, const struct node *node, struct deploy_settings *ret,
                        struct problems *problems)
{
    static const char *const mine[] = {"kind", NULL};
    struct target_settings *target = &ret->targets[ret->target_count];
    const struct node *kind = node_get(node, "kind");
    if (node->kind != NODE_MAP || !kind) {
        problem_at(problems, node->at, "target `" STR_FMT "` needs a `kind`, one of %s",
                   STR_ARG(node->key), known_targets(arena));
        return;
    }
    target->kind = target_kind_of(kind->text);
    if (!target->kind) {
        problem_at(problems, kind->at,
                   "`" STR_FMT "` is not a kind of target in this version of sluice; built are %s",
                   STR_ARG(kind->text), known_targets(arena));
        return;
    }
    target->name = node->key;
    target->at = node->key_at;
    void *config = arena_alloc(arena, target->kind->shape->size_bytes);
    (void)shape_bind(arena, target->kind->shape, without(arena, node, mine), config, problems);
    target->config = config;
    ret->target_count++;
}

struct metric_common {
    struct shape_list targets;
    str runbook;
};

static void bind_metric(struct arena *arena, const struct node *node, struct deploy_settings *ret,
                        struct problems *problems)
{
    static const char *const mine[] = {"source", "targets", "runbook", NULL};
    static const struct shape_field fields[] = {
        {.key = "targets", .kind = SHAPE_LIST, .offset = offsetof(struct metric_common, targets),
         .shape = &shape_of_str},
        {.key = "runbook", .kind = SHAPE_STR, .offset = offsetof(struct metric_common, runbook)},
        {.kind = SHAPE_END}};
    static const struct shape common_shape = {
        .name = "metric", .size_bytes = sizeof(struct metric_common), .fields = fields};
    static const char *const rest[] = {"targets", "runbook", NULL};

    struct metric_settings *metric = &ret->metrics[ret->metric_count];
    const struct node *source = node_get(node, "source");
    if (node->kind != NODE_MAP || !source) {
        problem_at(problems, node->at, "metric `" STR_FMT "` needs a `source`, one of %s",
                   STR_ARG(node->key), known_metrics(arena));
        return;
    }
    metric->kind = metric_kind_of(source->text);
    if (!metric->kind) {
        problem_at(problems, source->at,
                   "`" STR_FMT "` is not a metric source in this version of sluice; built are %s",
                   STR_ARG(source->text), known_metrics(arena));
        return;
    }
    struct metric_common common;
    struct node *shared = ARENA_NEW(arena, struct node);
    *shared = *node;
    shared->first = NULL;
    shared->count = 0;
    struct node **link = &shared->first;
    for (const char *const *key = rest; *key; key++) {
        const struct node *child = node_get(node, *key);
        if (child) {
            struct node *copy = ARENA_NEW(arena, struct node);
            *copy = *child;
            copy->next = NULL;
            *link = copy;
            link = &copy->next;
            shared->count++;
        }
    }
    (void)shape_bind(arena, &common_shape, shared, &common, problems);
    metric->name = node->key;
    metric->at = node->key_at;
    metric->targets = common.targets;
    metric->runbook = common.runbook;
    void *config = arena_alloc(arena, metric->kind->shape->size_bytes);
    (void)shape_bind(arena, metric->kind->shape, without(arena, node, mine), config, problems);
    metric->config = config;
    ret->metric_count++;
}

static struct node *scalar(struct arena *arena, const char *key, str text, struct position at)
{
    struct node *node = ARENA_NEW(arena, struct node);
    *node = (struct node){
        .kind = NODE_STRING, .at = at, .text = text, .key = str_of(key), .key_at = at};
    return node;
}

// `health: URL` of a target is also watched: a probe with the usual patience.
static void add_health_probe(struct arena *arena, const struct node *target,
                             const struct node *metrics, struct deploy_settings *ret,
                             struct problems *problems)
{
    const struct node *health = node_get(target, "health");
    const struct metric_kind *probe = metric_kind_of(STR("probe"));
    if (!health || !probe)
        return;
    str url = health->kind == NODE_MAP ? node_text(health, "url") : health->text;
    if (url.len == 0)
        return;
    for (const struct node *n = metrics ? metrics->first : NULL; n; n = n->next)
        if (str_eq(node_text(n, "url"), url))
            return; // a metric of one's own watches it already
    struct node *fields[] = {scalar(arena, "url", url, health->at),
                             scalar(arena, "max_failures", STR("3"), health->at)};
    fields[0]->next = fields[1];
    struct node map = {.kind = NODE_MAP, .at = health->at, .first = fields[0], .count = 2};
    struct metric_settings *metric = &ret->metrics[ret->metric_count++];
    void *config = arena_alloc(arena, probe->shape->size_bytes);
    (void)shape_bind(arena, probe->shape, &map, config, problems);
    str *only = ARENA_NEW(arena, str);
    *only = target->key;
    *metric = (struct metric_settings){
        .name = arena_format(arena, "health of " STR_FMT, STR_ARG(target->key)),
        .kind = probe,
        .config = config,
        .targets = {only, 1},
        .at = health->at,
    };
}

static void check_names(const struct deploy_settings *settings, const struct shape_list *names,
                        bool metrics, struct position at, struct problems *problems)
{
    for (size_t i = 0; i < names->count; i++) {
        str name = ((const str *)names->items)[i];
        bool known = false;
        for (size_t k = 0; metrics && k < settings->metric_count; k++)
            known |= str_eq(settings->metrics[k].name, name);
        if (!metrics)
            known = target_of(settings, name) != NULL;
        if (!known)
            problem_at(problems, at, "`" STR_FMT "` is not one of the `%s` of this configuration",
                       STR_ARG(name), metrics ? "metrics" : "targets");
    }
}

static void check_stage(const struct deploy_settings *settings, size_t index,
                        struct problems *problems)
{
    const struct stage_settings *stage = &settings->stages[index];
    check_names(settings, &stage->targets, false, stage->at, problems);
    check_names(settings, &stage->metrics, true, stage->at, problems);
    for (size_t i = 0; i < index; i++)
        if (str_eq(settings->stages[i].stage, stage->stage))
            problem_at(problems, stage->at, "stage `" STR_FMT "` stands twice",
                       STR_ARG(stage->stage));
    if (stage->after.len) {
        size_t k = 0;
        while (k < index && !str_eq(settings->stages[k].stage, stage->after))
            k++;
        if (k == index)
            problem_at(problems, stage->at,
                       "`after: " STR_FMT "` names no stage that stands before this one",
                       STR_ARG(stage->after));
    }
    struct fraction last = {0, 1};
    const struct step_settings *steps = stage->steps.items;
    for (size_t i = 0; i < stage->steps.count; i++) {
        if (fraction_cmp(steps[i].to, last) <= 0)
            problem_at(problems, steps[i].at, "steps must rise: each share is above the one before");
        last = steps[i].to;
    }
    if (stage->steps.count && fraction_cmp(last, (struct fraction){1, 1}) != 0)
        problem_at(problems, steps[stage->steps.count - 1].at, "the last step must be `100%%`");
}

static void bind_sections(struct arena *arena, const struct node *root,
                          struct deploy_settings *ret, struct problems *problems)
{
    struct analysis_section analysis;
    static const struct node nothing = {.kind = NODE_MAP};
    const struct node *node = node_get(root, "analysis");
    (void)shape_bind(arena, &analysis_shape, node ? node : &nothing, &analysis, problems);
    ret->analysis = (struct analysis_settings){
        .false_positive_rate = analysis.false_positive_rate,
        .power = analysis.detect.power,
        .max_ratio = analysis.max_ratio,
        .detect_ratio = analysis.detect.ratio,
        .min_requests = analysis.min_requests,
        .extend = analysis.inconclusive.extend,
        .then = analysis.inconclusive.then,
    };
    node = node_get(root, "rollback");
    (void)shape_bind(arena, &rollback_shape, node ? node : &nothing, &ret->rollback, problems);

    struct rollout_section rollout = {0};
    node = node_get(root, "rollout");
    if (node) {
        struct node *copy = ARENA_NEW(arena, struct node);
        *copy = *node;
        copy->next = NULL;
        struct node map = {.kind = NODE_MAP, .at = node->at, .first = copy, .count = 1};
        (void)shape_bind(arena, &rollout_shape, &map, &rollout, problems);
    }
    ret->stages = rollout.stages.items;
    ret->stage_count = rollout.stages.count;
}

bool deploy_settings_bind(struct arena *arena, const struct node *root, struct deploy_settings *ret,
                          struct problems *problems)
{
    size_t before = problems->count + problems->dropped;
    struct deploy_settings settings = {0};
    const struct node *targets = node_get(root, "targets");
    const struct node *metrics = node_get(root, "metrics");
    bool has_targets = is_section(targets, "targets", LIMIT_TARGETS, problems);
    bool has_metrics = is_section(metrics, "metrics", LIMIT_METRICS, problems);
    size_t target_room = has_targets ? targets->count : 0;
    size_t metric_room = (has_metrics ? metrics->count : 0) + target_room;
    settings.targets = ARENA_ARRAY(arena, struct target_settings, target_room);
    settings.metrics = ARENA_ARRAY(arena, struct metric_settings, metric_room);
    for (const struct node *n = has_targets ? targets->first : NULL; n; n = n->next)
        bind_target(arena, n, &settings, problems);
    for (const struct node *n = has_metrics ? metrics->first : NULL; n; n = n->next)
        bind_metric(arena, n, &settings, problems);
    for (const struct node *n = has_targets ? targets->first : NULL; n; n = n->next)
        add_health_probe(arena, n, has_metrics ? metrics : NULL, &settings, problems);
    bind_sections(arena, root, &settings, problems);
    for (size_t i = 0; i < settings.metric_count; i++)
        check_names(&settings, &settings.metrics[i].targets, false, settings.metrics[i].at,
                    problems);
    for (size_t i = 0; i < settings.stage_count; i++)
        check_stage(&settings, i, problems);
    *ret = settings;
    return problems->count + problems->dropped == before;
}

const struct stage_settings *stage_of(const struct deploy_settings *settings, str name)
{
    for (size_t i = 0; i < settings->stage_count; i++)
        if (str_eq(settings->stages[i].stage, name))
            return &settings->stages[i];
    return NULL;
}

const struct target_settings *target_of(const struct deploy_settings *settings, str name)
{
    for (size_t i = 0; i < settings->target_count; i++)
        if (str_eq(settings->targets[i].name, name))
            return &settings->targets[i];
    return NULL;
}
