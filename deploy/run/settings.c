// Binds the rollout half of a configuration and resolves the names in it.
#include "deploy/run/settings.h"

#include "deploy/run/settings_parts.h"
#include "gate/base/limits.h"

struct binding {
    struct arena *arena;
    const struct node *targets, *metrics; // the sections; null when there is none that can be read
    struct deploy_settings settings;
    struct problems *problems;
};

// ---- parts of a map ----------------------------------------------------------------------------

static bool is_listed(const char *const *keys, str key)
{
    while (*keys && !str_is(key, *keys))
        keys++;
    return *keys != NULL;
}

// The entries of a map whose keys are listed, or (not `listed`) all the others, as a map of its
// own: what every kind has is bound apart from what one kind has.
const struct node *settings_part(struct arena *arena, const struct node *map,
                                 const char *const *keys, bool listed)
{
    struct node *part = ARENA_NEW(arena, struct node);
    *part = *map;
    part->first = NULL;
    part->count = 0;
    struct node **link = &part->first;
    for (const struct node *child = map->first; child; child = child->next) {
        if (is_listed(keys, child->key) != listed)
            continue;
        struct node *copy = ARENA_NEW(arena, struct node);
        *copy = *child;
        copy->next = NULL;
        *link = copy;
        link = &copy->next;
        part->count++;
    }
    return part;
}

static const struct node *section_of(const struct node *root, const char *name, size_t most,
                                     struct problems *problems)
{
    const struct node *section = node_get(root, name);
    if (!section ||
        section->kind == NODE_NULL) // one without a value is refused with the root's keys
        return NULL;
    if (section->kind != NODE_MAP)
        problem_at(problems, section->at, "`%s` must be a map of names, not %s", name,
                   node_kind_name(section->kind));
    else if (section->count > most)
        problem_at(problems, section->at, "`%s` has %zu entries; at most %zu are accepted", name,
                   section->count, most);
    else
        return section;
    return NULL;
}

// ---- targets and metrics by their kind ---------------------------------------------------------

struct kinds {                         // a registry
    const char *entry, *key;           // "target", "kind"
    const char *noun;                  // "a kind of target"
    const char *(*name)(size_t index); // null past the end
};

static const char *target_kind_name(size_t index)
{
    return target_kinds[index] ? target_kinds[index]->name : NULL;
}

static const char *metric_kind_name(size_t index)
{
    return metric_kinds[index] ? metric_kinds[index]->name : NULL;
}

static const struct kinds target_registry = {"target", "kind", "a kind of target",
                                             target_kind_name};
static const struct kinds metric_registry = {"metric", "source", "a metric source",
                                             metric_kind_name};

static bool find_kind(const struct kinds *kinds, const struct node *node, size_t *ret,
                      struct problems *problems)
{
    struct text known = text_of(512);
    str name = node_text(node, kinds->key);
    bool found = false;
    for (size_t i = 0; kinds->name(i); i++) {
        text_addf(&known, "%s`%s`", i ? ", " : "", kinds->name(i));
        if (str_is(name, kinds->name(i))) {
            *ret = i;
            found = true;
        }
    }
    if (!found && name.len)
        problem_at(problems, node_get(node, kinds->key)->at,
                   "`" STR_FMT "` is not %s in this version of sluice; built are %s",
                   STR_ARG(str_first(name, 120)), kinds->noun, text_c(&known));
    else if (!found)
        problem_at(problems, node->kind == NODE_NULL ? node->key_at : node->at,
                   "%s `" STR_FMT "` needs a `%s`, one of %s", kinds->entry, STR_ARG(node->key),
                   kinds->key, text_c(&known));
    text_done(&known);
    return found;
}

// A `health` of a target is watched as well, unless a probe of one's own asks the same.
static bool is_probed(const struct binding *b, str target, str url)
{
    for (const struct node *n = b->metrics ? b->metrics->first : NULL; n; n = n->next) {
        const struct node *targets = node_get(n, "targets");
        bool watches = !targets || str_eq(targets->text, target);
        for (const struct node *t = targets ? targets->first : NULL; t; t = t->next)
            watches |= str_eq(t->text, target);
        if (watches && str_is(node_text(n, "source"), "probe") && str_eq(node_text(n, "url"), url))
            return true;
    }
    return false;
}

static void add_field(struct arena *arena, struct node *map, const char *key, str text,
                      struct position at)
{
    struct node **link = &map->first;
    while (*link)
        link = &(*link)->next;
    *link = ARENA_NEW(arena, struct node);
    **link = (struct node){
        .kind = NODE_STRING, .at = at, .text = text, .key = str_of(key), .key_at = at};
    map->count++;
}

static void add_health_probe(struct binding *b, const struct node *target)
{
    const struct node *health = node_get(target, "health");
    const struct metric_kind *probe = metric_kind_of(STR("probe"));
    str url = !health                    ? (str){NULL, 0}
              : health->kind == NODE_MAP ? node_text(health, "url")
                                         : health->text;
    if (url.len == 0 || is_probed(b, target->key, url))
        return;
    struct node map = {.kind = NODE_MAP, .at = health->at};
    str status = node_text(health, "status"), contains = node_text(health, "contains");
    add_field(b->arena, &map, "url", url, health->at);
    add_field(b->arena, &map, "max_failures", STR("3"), health->at);
    if (status.len)
        add_field(b->arena, &map, "status", status, health->at);
    if (contains.len && str_search(contains, STR("${")) == STR_NONE)
        add_field(b->arena, &map, "contains", contains, health->at);
    void *config = arena_alloc(b->arena, probe->shape->size_bytes);
    (void)shape_bind(b->arena, probe->shape, &map, config, b->problems);
    str *only = ARENA_NEW(b->arena, str);
    *only = target->key;
    b->settings.metrics[b->settings.metric_count++] = (struct metric_settings){
        .name = arena_format(b->arena, "health of " STR_FMT, STR_ARG(target->key)),
        .kind = probe,
        .config = config,
        .targets = {only, 1},
        .implied = true,
        .at = health->at,
    };
}

static void bind_target(struct binding *b, const struct node *node)
{
    static const char *const common[] = {"kind", NULL};
    size_t index;
    settings_check_name("target", node->key, node->key_at, b->problems);
    if (!find_kind(&target_registry, node, &index, b->problems))
        return;
    const struct target_kind *kind = target_kinds[index];
    void *config = arena_alloc(b->arena, kind->shape->size_bytes);
    bool ok = shape_bind(b->arena, kind->shape, settings_part(b->arena, node, common, false),
                         config, b->problems);
    b->settings.targets[b->settings.target_count++] = (struct target_settings){
        .name = node->key, .kind = kind, .config = config, .at = node->key_at};
    if (ok)
        add_health_probe(b, node);
}

static void bind_metric(struct binding *b, const struct node *node)
{
    static const char *const common[] = {"targets", "runbook", "max_errors", "max_inconclusive",
                                         NULL};
    static const char *const apart[] = {"source",     "targets",          "runbook",
                                        "max_errors", "max_inconclusive", NULL};
    struct metric_common shared;
    size_t index;
    settings_check_name("metric", node->key, node->key_at, b->problems);
    if (!find_kind(&metric_registry, node, &index, b->problems))
        return;
    const struct metric_kind *kind = metric_kinds[index];
    void *config = arena_alloc(b->arena, kind->shape->size_bytes);
    (void)shape_bind(b->arena, &metric_common_shape, settings_part(b->arena, node, common, true),
                     &shared, b->problems);
    (void)shape_bind(b->arena, kind->shape, settings_part(b->arena, node, apart, false), config,
                     b->problems);
    b->settings.metrics[b->settings.metric_count++] = (struct metric_settings){
        .name = node->key,
        .kind = kind,
        .config = config,
        .targets = shared.targets,
        .runbook = shared.runbook,
        .max_errors = shared.max_errors,
        .max_inconclusive = shared.max_inconclusive,
        .at = node->key_at,
    };
}

// ---- names -------------------------------------------------------------------------------------

static bool has_name(const struct shape_list *names, str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(((const str *)names->items)[i], name))
            return true;
    return false;
}

static const struct node *entry_of(const struct node *section, str name)
{
    const struct node *n = section ? section->first : NULL;
    while (n && !str_eq(n->key, name))
        n = n->next;
    return n;
}

static void refuse_name(struct binding *b, const struct node *section, const char *section_name,
                        str name, struct position at)
{
    str nearest = {NULL, 0};
    size_t best = name.len / 3 > 2 ? name.len / 3 : 2;
    for (const struct node *n = section ? section->first : NULL; n; n = n->next)
        if (str_distance(n->key, name) <= best && str_distance(n->key, name) < name.len) {
            best = str_distance(n->key, name);
            nearest = n->key;
        }
    if (nearest.len)
        problem_at(b->problems, at, "`" STR_FMT "` is not one of `%s`; did you mean `" STR_FMT "`?",
                   STR_ARG(str_first(name, 120)), section_name, STR_ARG(nearest));
    else
        problem_at(b->problems, at, "`" STR_FMT "` is not one of `%s` of this configuration",
                   STR_ARG(str_first(name, 120)), section_name);
}

static void check_names(struct binding *b, const struct shape_list *names, const struct node *list,
                        const struct node *section, const char *section_name)
{
    for (size_t i = 0; i < names->count; i++) {
        str name = ((const str *)names->items)[i];
        if (name.len && !entry_of(section, name))
            refuse_name(b, section, section_name, name, settings_item_at(list, i));
    }
}

// A metric that a stage names, but that watches none of its targets, would never be read there.
static void check_watches(struct binding *b, const struct stage_settings *stage,
                          const struct node *list)
{
    for (size_t i = 0; i < stage->metrics.count; i++) {
        str name = ((const str *)stage->metrics.items)[i];
        for (size_t m = 0; m < b->settings.metric_count; m++) {
            const struct metric_settings *metric = &b->settings.metrics[m];
            bool watches = metric->targets.count == 0;
            for (size_t t = 0; t < stage->targets.count; t++)
                watches |= has_name(&metric->targets, ((const str *)stage->targets.items)[t]);
            if (!metric->implied && str_eq(metric->name, name) && !watches)
                problem_at(b->problems, settings_item_at(list, i),
                           "metric `" STR_FMT "` watches none of the targets of stage `" STR_FMT
                           "`: see its `targets`",
                           STR_ARG(name), STR_ARG(stage->stage));
        }
    }
}

static void check_order(struct binding *b, const struct stage_settings *stage,
                        const struct node *list)
{
    for (size_t i = 0; i < stage->order.count; i++) {
        str name = ((const str *)stage->order.items)[i];
        if (!has_name(&stage->targets, name))
            problem_at(b->problems, settings_item_at(list, i),
                       "`order` names `" STR_FMT "`, which is not a target of stage `" STR_FMT "`",
                       STR_ARG(str_first(name, 120)), STR_ARG(stage->stage));
    }
}

static str environment_of(const struct stage_settings *stage)
{
    return stage->environment.len ? stage->environment : stage->stage;
}

// Two rollouts would move it at the same time, each under a claim of its own.
static void check_environments(struct binding *b, size_t index, const struct node *list)
{
    const struct stage_settings *stages = b->settings.stages, *stage = &stages[index];
    for (size_t i = 0; i < stage->targets.count; i++) {
        str target = ((const str *)stage->targets.items)[i];
        for (size_t k = 0; k < index; k++)
            if (has_name(&stages[k].targets, target) &&
                !str_eq(environment_of(&stages[k]), environment_of(stage))) {
                problem_at(b->problems, settings_item_at(list, i),
                           "target `" STR_FMT "` is in two environments, `" STR_FMT
                           "` and `" STR_FMT "`: give both stages the same `environment`",
                           STR_ARG(target), STR_ARG(environment_of(&stages[k])),
                           STR_ARG(environment_of(stage)));
                break;
            }
    }
}

static void check_stage(struct binding *b, size_t index, const struct node *node)
{
    const struct stage_settings *stages = b->settings.stages, *stage = &stages[index];
    const struct node *targets = node_get(node, "targets"), *metrics = node_get(node, "metrics");
    check_names(b, &stage->targets, targets, b->targets, "targets");
    check_names(b, &stage->metrics, metrics, b->metrics, "metrics");
    check_order(b, stage, node_get(node, "order"));
    check_watches(b, stage, metrics);
    check_environments(b, index, targets);
    bool after = false;
    for (size_t k = 0; k < index; k++) {
        after |= str_eq(stages[k].stage, stage->after);
        if (stage->stage.len && str_eq(stages[k].stage, stage->stage))
            problem_at(b->problems, settings_at(node, "stage"), "stage `" STR_FMT "` stands twice",
                       STR_ARG(stage->stage));
    }
    if (stage->after.len && !after)
        problem_at(b->problems, settings_at(node, "after"),
                   "`after: " STR_FMT "` names no stage that stands before this one",
                   STR_ARG(stage->after));
}

// ---- all of it ---------------------------------------------------------------------------------

static void bind_analysis(struct binding *b, const struct node *root)
{
    struct analysis_section analysis;
    (void)shape_bind(b->arena, &analysis_shape, node_get(root, "analysis"), &analysis, b->problems);
    b->settings.analysis = (struct analysis_settings){
        .false_positive_rate = analysis.false_positive_rate,
        .power = analysis.detect.power,
        .max_ratio = analysis.max_ratio,
        .detect_ratio = analysis.detect.ratio,
        .min_requests = analysis.min_requests,
        .extend = analysis.inconclusive.extend,
        .then = analysis.inconclusive.then,
    };
}

static void bind_clouds(struct binding *b, const struct node *root)
{
    struct aws_settings aws = {0};
    struct google_settings google = {0};
    const struct node *section = node_get(root, "aws");
    if (section)
        (void)shape_bind(b->arena, &aws_settings_shape, section, &aws, b->problems);
    b->settings.aws = aws_settings_account(b->arena, &aws);
    section = node_get(root, "google");
    if (section)
        (void)shape_bind(b->arena, &google_settings_shape, section, &google, b->problems);
    b->settings.google = google_settings_account(b->arena, &google);
}

static void bind_stages(struct binding *b, const struct node *root)
{
    static const char *const keys[] = {"rollout", NULL};
    const struct node *rollout = node_get(root, "rollout");
    struct rollout_section section;
    if (!rollout)
        return;
    (void)shape_bind(b->arena, &rollout_shape, settings_part(b->arena, root, keys, true), &section,
                     b->problems);
    b->settings.stages = section.stages.items;
    b->settings.stage_count = section.stages.count;
    const struct node *node = rollout->kind == NODE_LIST ? rollout->first : rollout;
    for (size_t i = 0; i < section.stages.count; i++, node = node->next)
        check_stage(b, i, node);
}

bool deploy_settings_bind(struct arena *arena, const struct node *root, struct deploy_settings *ret,
                          struct problems *problems)
{
    size_t before = problems->count + problems->dropped;
    struct binding b = {
        .arena = arena,
        .targets = section_of(root, "targets", LIMIT_TARGETS, problems),
        .metrics = section_of(root, "metrics", LIMIT_METRICS, problems),
        .problems = problems,
    };
    size_t targets = b.targets ? b.targets->count : 0, metrics = b.metrics ? b.metrics->count : 0;
    b.settings.targets = ARENA_ARRAY(arena, struct target_settings, targets);
    b.settings.metrics = ARENA_ARRAY(arena, struct metric_settings, metrics + targets);
    for (const struct node *n = b.metrics ? b.metrics->first : NULL; n; n = n->next)
        bind_metric(&b, n);
    for (const struct node *n = b.targets ? b.targets->first : NULL; n; n = n->next)
        bind_target(&b, n);
    for (size_t i = 0; i < b.settings.metric_count; i++) {
        const struct metric_settings *metric = &b.settings.metrics[i];
        if (!metric->implied)
            check_names(&b, &metric->targets,
                        node_get(entry_of(b.metrics, metric->name), "targets"), b.targets,
                        "targets");
    }
    bind_analysis(&b, root);
    (void)shape_bind(arena, &rollback_shape, node_get(root, "rollback"), &b.settings.rollback,
                     problems);
    if (node_get(root, "watch"))
        (void)shape_bind(arena, &watch_shape, node_get(root, "watch"), &b.settings.watch, problems);
    (void)shape_bind(arena, &incidents_shape, node_get(root, "incidents"), &b.settings.incidents,
                     problems);
    bind_clouds(&b, root);
    bind_stages(&b, root);
    *ret = b.settings;
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
