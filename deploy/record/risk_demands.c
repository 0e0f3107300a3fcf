#include "deploy/record/risk_demands.h"

#include "gate/base/limits.h"
#include "gate/doc/json.h"
#include "gate/doc/node.h"

#define APPROVALS_MOST 1000u
#define SLOWER_MOST 1000.0

const char *release_risk_name(enum release_risk risk)
{
    static const char *const names[] = {"low", "medium", "high", "not scored"};
    return names[risk];
}

// ---- reading -----------------------------------------------------------------------------------

static bool malformed(const char *what, struct error *err)
{
    return error_set(err, ERROR_INPUT, "the recorded decision is malformed: %s", what);
}

static bool read_risk(const struct node *node, struct release_demands *demands, struct error *err)
{
    uint64_t score;
    str word;
    if (!json_get_u64(node, "score", &score) || score > 100 || !json_get_str(node, "class", &word))
        return malformed("`rollout.risk` is no score from 0 to 100 with a class", err);
    for (int i = RELEASE_LOW; i <= RELEASE_HIGH; i++)
        if (str_is(word, release_risk_name((enum release_risk)i))) {
            demands->risk = (enum release_risk)i;
            demands->score = (uint32_t)score;
            return true;
        }
    return malformed("`rollout.risk.class` is not low, medium or high", err);
}

static bool read_steps(struct arena *arena, const struct node *list,
                       struct release_demands *demands, struct error *err)
{
    const struct fraction whole = {1, 1};
    if (!list || list->kind != NODE_LIST || list->count > LIMIT_STEPS)
        return malformed("`rollout.demands.steps` is no list of steps", err);
    demands->steps = ARENA_ARRAY(arena, struct fraction, list->count + 1);
    for (const struct node *n = list->first; n; n = n->next) {
        struct fraction share;
        if (n->kind != NODE_STRING || !number_percent(n->text, &share) || share.num == 0 ||
            fraction_cmp(share, whole) > 0 ||
            (demands->step_count &&
             fraction_cmp(share, demands->steps[demands->step_count - 1]) <= 0))
            return malformed("`rollout.demands.steps` are no rising shares", err);
        demands->steps[demands->step_count++] = share;
    }
    return true;
}

static bool read_because(struct arena *arena, const struct node *list,
                         struct release_demands *demands, struct error *err)
{
    if (!list || list->kind != NODE_LIST)
        return malformed("`rollout.demands.because` is no list", err);
    demands->because = ARENA_ARRAY(arena, struct release_reason, list->count + 1);
    for (const struct node *n = list->first; n; n = n->next) {
        struct release_reason *reason = &demands->because[demands->because_count++];
        if (!json_get_str(n, "risk", &reason->risk) || !json_get_str(n, "title", &reason->title) ||
            !json_get_str(n, "what", &reason->what))
            return malformed("`rollout.demands.because` has no risk, title or reason", err);
    }
    return true;
}

static bool read_demands(struct arena *arena, const struct node *node,
                         struct release_demands *demands, struct error *err)
{
    uint64_t approvals;
    const struct node *unknown = node_get(node, "unknown");
    if (!json_get_u64(node, "approvals", &approvals) || approvals > APPROVALS_MOST)
        return malformed("`rollout.demands.approvals` is no number of approvals", err);
    if (!json_get_double(node, "slower", &demands->slower) || !(demands->slower >= 1) ||
        demands->slower > SLOWER_MOST)
        return malformed("`rollout.demands.slower` is no factor of 1 or more", err);
    demands->approvals = (uint32_t)approvals;
    if (unknown && unknown->kind == NODE_STRING)
        demands->unknown = unknown->text;
    return read_steps(arena, node_get(node, "steps"), demands, err) &&
           read_because(arena, node_get(node, "because"), demands, err);
}

bool release_demands_read(struct arena *arena, const struct node *decision,
                          struct release_demands *ret, struct error *err)
{
    struct release_demands demands = {.risk = RELEASE_NOT_SCORED, .slower = 1};
    const struct node *rollout = node_get(decision, "rollout");
    if (rollout && (!read_risk(node_get(rollout, "risk"), &demands, err) ||
                    !read_demands(arena, node_get(rollout, "demands"), &demands, err)))
        return false;
    *ret = demands;
    return true;
}

// ---- uniting -----------------------------------------------------------------------------------

static bool unite_steps(struct arena *arena, const struct release_demands *one,
                        const struct release_demands *other, struct release_demands *ret,
                        struct error *err)
{
    size_t a = 0, b = 0, count = 0;
    struct fraction *steps =
        ARENA_ARRAY(arena, struct fraction, one->step_count + other->step_count + 1);
    while (a < one->step_count || b < other->step_count) {
        int order = a == one->step_count     ? 1
                    : b == other->step_count ? -1
                                             : fraction_cmp(one->steps[a], other->steps[b]);
        steps[count++] = order <= 0 ? one->steps[a] : other->steps[b];
        a += order <= 0;
        b += order >= 0;
    }
    if (count > LIMIT_STEPS)
        return error_set(err, ERROR_LIMIT,
                         "the risks of this release demand %zu steps together; a stage has %u at "
                         "most",
                         count, LIMIT_STEPS);
    ret->steps = steps;
    ret->step_count = count;
    return true;
}

static bool has_reason(const struct release_demands *demands, const struct release_reason *reason)
{
    for (size_t i = 0; i < demands->because_count; i++)
        if (str_eq(demands->because[i].risk, reason->risk) &&
            str_eq(demands->because[i].what, reason->what))
            return true;
    return false;
}

bool release_demands_unite(struct arena *arena, const struct release_demands *one,
                           const struct release_demands *other, struct release_demands *ret,
                           struct error *err)
{
    const struct release_demands *worse =
        other->risk > one->risk || (other->risk == one->risk && other->score > one->score) ? other
                                                                                           : one;
    struct release_demands demands = {
        .risk = worse->risk,
        .score = worse->score,
        .approvals = one->approvals > other->approvals ? one->approvals : other->approvals,
        .slower = one->slower > other->slower ? one->slower : other->slower,
        .unknown = one->unknown.len ? one->unknown : other->unknown,
    };
    if (!unite_steps(arena, one, other, &demands, err))
        return false;
    demands.because =
        ARENA_ARRAY(arena, struct release_reason, one->because_count + other->because_count + 1);
    for (size_t i = 0; i < one->because_count; i++)
        demands.because[demands.because_count++] = one->because[i];
    for (size_t i = 0; i < other->because_count; i++)
        if (!has_reason(one, &other->because[i]))
            demands.because[demands.because_count++] = other->because[i];
    *ret = demands;
    return true;
}
