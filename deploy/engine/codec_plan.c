// Plans as JSON.
#include "deploy/engine/codec.h"
#include "deploy/engine/codec_parts.h"
#include "deploy/engine/fields.h"

#include <stddef.h>

static const char *const mode_words[] = {"forward", "rollback", NULL};
static const char *const judge_words[] = {"rate", "threshold", "mann-whitney", "burn-rate", NULL};
static const char *const then_words[] = {"hold", "abort", NULL};

#define PLAN(key, kind)                                                                            \
    {                                                                                              \
#key, kind, offsetof(struct plan, key), NULL                                               \
    }
static const struct field plan_fields[] = {
    {"mode", FIELD_WORD, offsetof(struct plan, mode), mode_words},
    PLAN(rollout, FIELD_STR),
    PLAN(release, FIELD_STR),
    PLAN(commit, FIELD_STR),
    PLAN(environment, FIELD_STR),
    PLAN(stage, FIELD_STR),
    PLAN(step_bake_ms, FIELD_I64),
    PLAN(bake_ms, FIELD_I64),
    PLAN(settle_limit_ms, FIELD_I64),
    PLAN(rollback_limit_ms, FIELD_I64),
    PLAN(alpha, FIELD_DOUBLE),
    PLAN(tolerance, FIELD_DOUBLE),
    PLAN(detect_ratio, FIELD_DOUBLE),
    PLAN(detect_power, FIELD_DOUBLE),
    PLAN(extend, FIELD_U32),
    {"then", FIELD_WORD, offsetof(struct plan, then), then_words},
    PLAN(rollback_on_cancel, FIELD_BOOL),
    PLAN(reason, FIELD_STR),
    PLAN(rehearsal, FIELD_BOOL),
    PLAN(incident, FIELD_STR),
    PLAN(risk_why, FIELD_STR),
    {0}};

#define PLACEMENT(key)                                                                             \
    {                                                                                              \
#key, FIELD_STR, offsetof(struct placement, key), NULL                                     \
    }
static const struct field placement_fields[] = {PLACEMENT(release), PLACEMENT(commit),
                                                PLACEMENT(digest),  PLACEMENT(revision),
                                                PLACEMENT(memory),  {0}};

static const struct field target_fields[] = {
    {"name", FIELD_STR, offsetof(struct plan_target, name), NULL},
    {"weighted", FIELD_BOOL, offsetof(struct plan_target, weighted), NULL},
    {"rank", FIELD_U32, offsetof(struct plan_target, rank), NULL},
    {"no_return", FIELD_STR, offsetof(struct plan_target, no_return), NULL},
    {0}};

#define METRIC(key, kind)                                                                          \
    {                                                                                              \
#key, kind, offsetof(struct plan_metric, key), NULL                                        \
    }
static const struct field metric_fields[] = {
    METRIC(name, FIELD_STR),
    {"judge", FIELD_WORD, offsetof(struct plan_metric, judge), judge_words},
    METRIC(every_ms, FIELD_I64),
    METRIC(own, FIELD_BOOL),
    METRIC(lag_ms, FIELD_I64),
    METRIC(max, FIELD_DOUBLE),
    METRIC(failure_limit, FIELD_U32),
    METRIC(error_limit, FIELD_U32),
    METRIC(inconclusive_limit, FIELD_U32),
    METRIC(min_requests, FIELD_DOUBLE),
    METRIC(budget, FIELD_DOUBLE),
    METRIC(confidence, FIELD_DOUBLE),
    METRIC(slack, FIELD_DOUBLE),
    {0}};

static const struct field known_fields[] = {
    {"sum", FIELD_DOUBLE, offsetof(struct dispersion, sum), NULL},
    {"freedom", FIELD_DOUBLE, offsetof(struct dispersion, freedom), NULL},
    {0}};

#define APPROVAL(key, kind)                                                                        \
    {                                                                                              \
#key, kind, offsetof(struct plan_approval, key), NULL                                      \
    }
static const struct field approval_fields[] = {APPROVAL(count, FIELD_U32),
                                               APPROVAL(prevent_self_review, FIELD_BOOL),
                                               APPROVAL(expires_after_ms, FIELD_I64),
                                               {0}};

// ---- writing ------------------------------------------------------------------------------------

static void write_numbers(const char *key, const uint32_t *numbers, uint32_t count,
                          struct json_out *out)
{
    json_open_list(out, key);
    for (uint32_t i = 0; i < count; i++)
        json_add_u64(out, NULL, numbers[i]);
    json_close(out);
}

static void write_approval(const struct plan_approval *approval, struct json_out *out)
{
    if (approval->count == 0)
        return;
    json_open_map(out, "approval");
    fields_write(approval_fields, approval, out);
    json_open_list(out, "from");
    for (uint32_t i = 0; i < approval->from_count; i++)
        json_add_str(out, NULL, approval->from[i]);
    json_close(out);
    json_close(out);
}

static void write_placement(const char *key, const struct placement *placement,
                            struct json_out *out)
{
    json_open_map(out, key);
    fields_write(placement_fields, placement, out);
    json_close(out);
}

static void write_targets(const struct plan *plan, struct json_out *out)
{
    json_open_list(out, "targets");
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        json_open_map(out, NULL);
        fields_write(target_fields, target, out);
        write_placement("good", &target->good, out);
        write_placement("next", &target->next, out);
        if (target->shares)
            write_numbers("shares", target->shares, plan->step_count, out);
        json_close(out);
    }
    json_close(out);
}

static void write_known(const struct plan_metric *metric, struct json_out *out)
{
    if (!metric->known)
        return;
    json_open_list(out, "dispersion");
    for (uint32_t i = 0; i < metric->target_count; i++) {
        json_open_map(out, NULL);
        fields_write(known_fields, &metric->known[i], out);
        json_close(out);
    }
    json_close(out);
}

void plan_write(const struct plan *plan, const char *key, struct json_out *out)
{
    json_open_map(out, key);
    fields_write(plan_fields, plan, out);
    plan_calendar_write(plan, out);
    write_approval(&plan->approval, out);
    write_targets(plan, out);
    json_open_list(out, "metrics");
    for (uint32_t i = 0; i < plan->metric_count; i++) {
        json_open_map(out, NULL);
        fields_write(metric_fields, &plan->metrics[i], out);
        write_numbers("targets", plan->metrics[i].targets, plan->metrics[i].target_count, out);
        write_known(&plan->metrics[i], out);
        json_close(out);
    }
    json_close(out);
    json_open_list(out, "steps");
    for (uint32_t i = 0; i < plan->step_count; i++) {
        json_open_map(out, NULL);
        json_add_u64(out, "share_ppm", plan->steps[i].share_ppm);
        write_approval(&plan->steps[i].approval, out);
        json_close(out);
    }
    json_close(out);
    json_close(out);
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_numbers(struct arena *arena, const struct node *map, const char *key,
                         uint32_t most, uint32_t **ret, uint32_t *ret_count, struct error *err)
{
    const struct node *item = NULL;
    uint32_t count = 0;
    if (!fields_list(map, key, 0, most, &item, &count, err))
        return false;
    uint32_t *numbers = count ? ARENA_ARRAY(arena, uint32_t, count) : NULL;
    for (uint32_t i = 0; item && i < count; i++, item = item->next)
        if (!field_number(FIELD_U32, item, &numbers[i]))
            return error_at(err, ERROR_INPUT, item->at, "`%s` holds what is not a count", key);
    *ret = numbers;
    *ret_count = count;
    return true;
}

static bool read_approval(struct arena *arena, const struct node *map, struct plan_approval *ret,
                          struct error *err)
{
    const struct node *approval = node_get(map, "approval");
    const struct node *item = NULL;
    if (!approval)
        return true;
    if (!fields_read(arena, approval_fields, approval, ret, err) ||
        !fields_list(approval, "from", 0, LIMIT_PROBLEMS, &item, &ret->from_count, err))
        return false;
    ret->from = ARENA_ARRAY(arena, str, ret->from_count ? ret->from_count : 1);
    for (uint32_t i = 0; item && i < ret->from_count; i++, item = item->next) {
        if (item->kind != NODE_STRING)
            return error_at(err, ERROR_INPUT, item->at, "`from` holds what is not a name");
        ret->from[i] = arena_str(arena, item->text);
    }
    return ret->count <= ROLLOUT_ANSWERS ||
           error_at(err, ERROR_LIMIT, approval->at, "more than %d approvals", ROLLOUT_ANSWERS);
}

static bool read_target(struct arena *arena, const struct plan *plan, const struct node *node,
                        struct plan_target *ret, struct error *err)
{
    uint32_t *shares = NULL;
    uint32_t count = 0;
    const struct node *good = node_get(node, "good");
    const struct node *next = node_get(node, "next");
    if (!fields_read(arena, target_fields, node, ret, err) ||
        (good && !fields_read(arena, placement_fields, good, &ret->good, err)) ||
        (next && !fields_read(arena, placement_fields, next, &ret->next, err)) ||
        !read_numbers(arena, node, "shares", LIMIT_STEPS, &shares, &count, err))
        return false;
    if (count != 0 && count != plan->step_count)
        return error_at(err, ERROR_INPUT, node->at, "`shares` are not one for each step");
    ret->shares = shares;
    return true;
}

static bool read_known(struct arena *arena, const struct node *node, struct plan_metric *metric,
                       struct error *err)
{
    const struct node *item = NULL;
    uint32_t count = 0;
    if (!node_get(node, "dispersion"))
        return true; // of an older sluice, or nothing was known
    if (!fields_list(node, "dispersion", metric->target_count, metric->target_count, &item, &count,
                     err))
        return false;
    struct dispersion *known = ARENA_ARRAY(arena, struct dispersion, count ? count : 1);
    for (uint32_t i = 0; item && i < count; i++, item = item->next)
        if (!fields_read(arena, known_fields, item, &known[i], err))
            return false;
    metric->known = known;
    return true;
}

static bool read_metric(struct arena *arena, const struct plan *plan, const struct node *node,
                        struct plan_metric *ret, struct error *err)
{
    if (!fields_read(arena, metric_fields, node, ret, err) ||
        !read_numbers(arena, node, "targets", LIMIT_TARGETS, &ret->targets, &ret->target_count,
                      err))
        return false;
    for (uint32_t i = 0; i < ret->target_count; i++)
        if (ret->targets[i] >= plan->target_count)
            return error_at(err, ERROR_INPUT, node->at, "a metric watches a target out of range");
    return read_known(arena, node, ret, err);
}

static bool read_steps(struct arena *arena, const struct node *node, struct plan *plan,
                       struct error *err)
{
    static const struct field step_fields[] = {
        {"share_ppm", FIELD_U32, offsetof(struct plan_step, share_ppm), NULL}, {0}};
    const struct node *item = NULL;
    if (!fields_list(node, "steps", 0, LIMIT_STEPS, &item, &plan->step_count, err))
        return false;
    for (uint32_t i = 0; item && i < plan->step_count; i++, item = item->next)
        if (!fields_read(arena, step_fields, item, &plan->steps[i], err) ||
            !read_approval(arena, item, &plan->steps[i].approval, err))
            return false;
    return true;
}

static bool read_all(struct arena *arena, const struct node *node, struct plan *plan,
                     struct error *err)
{
    const struct node *item = NULL;
    if (!fields_read(arena, plan_fields, node, plan, err) ||
        !plan_calendar_read(arena, node, plan, err) ||
        !read_approval(arena, node, &plan->approval, err) || !read_steps(arena, node, plan, err) ||
        !fields_list(node, "targets", 0, LIMIT_TARGETS, &item, &plan->target_count, err))
        return false;
    if (plan->target_count == 0 || (plan->mode == PLAN_FORWARD && plan->step_count == 0))
        return error_set(err, ERROR_INPUT, "a plan without targets or steps");
    plan->targets = ARENA_ARRAY(arena, struct plan_target, plan->target_count);
    for (uint32_t i = 0; item && i < plan->target_count; i++, item = item->next)
        if (!read_target(arena, plan, item, &plan->targets[i], err))
            return false;
    if (!fields_list(node, "metrics", 0, PLAN_METRICS, &item, &plan->metric_count, err))
        return false;
    plan->metrics =
        ARENA_ARRAY(arena, struct plan_metric, plan->metric_count ? plan->metric_count : 1);
    for (uint32_t i = 0; item && i < plan->metric_count; i++, item = item->next)
        if (!read_metric(arena, plan, item, &plan->metrics[i], err))
            return false;
    return true;
}

bool plan_read(struct arena *arena, const struct node *node, struct plan **ret, struct error *err)
{
    struct plan *plan = ARENA_NEW(arena, struct plan);
    if (!read_all(arena, node, plan, err))
        return error_wrap(err, "reading the plan of a rollout");
    *ret = plan;
    return true;
}
