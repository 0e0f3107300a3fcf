#include "deploy/run/resolve.h"

#include "deploy/run/pace.h"
#include "deploy/run/settings_parts.h"
#include "gate/base/moment.h"

static bool has_name(const struct shape_list *names, str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(((const str *)names->items)[i], name))
            return true;
    return false;
}

// A metric judges a stage when the stage names it, or names none; and when they share a target. The
// probe that a target's `health` implies always does.
static bool judges(const struct metric_settings *metric, const struct stage_settings *stage)
{
    if (stage->metrics.count && !metric->implied && !has_name(&stage->metrics, metric->name))
        return false;
    if (metric->targets.count == 0)
        return true;
    for (size_t i = 0; i < stage->targets.count; i++)
        if (has_name(&metric->targets, ((const str *)stage->targets.items)[i]))
            return true;
    return false;
}

const struct metric_settings *const *plan_metrics(struct arena *arena,
                                                  const struct deploy_settings *settings,
                                                  const struct stage_settings *stage,
                                                  size_t *ret_count)
{
    const struct metric_settings **list =
        ARENA_ARRAY(arena, const struct metric_settings *, settings->metric_count);
    size_t count = 0;
    for (size_t i = 0; i < settings->metric_count; i++)
        if (judges(&settings->metrics[i], stage))
            list[count++] = &settings->metrics[i];
    *ret_count = count;
    return list;
}

static enum judge_kind judge_of(const struct metric_traits *traits)
{
    return traits->is_rate      ? JUDGE_RATE
           : traits->compares   ? JUDGE_COMPARE
           : traits->budget > 0 ? JUDGE_BURN
                                : JUDGE_THRESHOLD;
}

static void fill_metric(struct arena *arena, const struct metric_settings *settings,
                        const struct resolve_request *request, struct plan_metric *ret)
{
    const struct stage_settings *stage = request->stage;
    struct metric_traits traits = {0};
    settings->kind->traits(settings->config, &traits);
    uint32_t errors = (uint32_t)settings->max_errors;
    *ret = (struct plan_metric){
        .name = settings->name,
        .judge = judge_of(&traits),
        .every_ms = traits.every_ms,
        .own = settings->kind->own && !settings->implied, // `health` is looked at with the target
        .lag_ms = traits.lag_ms,
        .max = traits.max,
        .failure_limit = traits.failure_limit,
        .error_limit = errors               ? errors
                       : traits.error_limit ? traits.error_limit
                                            : 5,
        .inconclusive_limit = (uint32_t)settings->max_inconclusive,
        .budget = traits.budget,
        .confidence = traits.compares ? traits.confidence : 0,
        .slack = traits.compares ? traits.tolerance : 0,
        .min_requests = (double)request->settings->analysis.min_requests,
        .targets = ARENA_ARRAY(arena, uint32_t, stage->targets.count),
    };
    for (size_t i = 0; i < stage->targets.count; i++)
        if (settings->targets.count == 0 ||
            has_name(&settings->targets, ((const str *)stage->targets.items)[i]))
            ret->targets[ret->target_count++] = (uint32_t)i;
}

// ---- approvals ----------------------------------------------------------------------------------

static struct plan_approval approval_of(const struct approval_settings *settings,
                                        const struct pace *pace)
{
    if (!settings)
        return (struct plan_approval){0};
    return (struct plan_approval){
        .count = (uint32_t)(pace->approvals ? pace->approvals : settings->count),
        .from = settings->from.items,
        .from_count = (uint32_t)settings->from.count,
        .prevent_self_review = settings->prevent_self_review,
        .expires_after_ms = settings->expires_after_ms,
    };
}

// Who is asked before a step of the pace: whom it names itself, or whom the stage asks before a
// share that this step brings about. Other steps do not take anybody's say away.
static const struct approval_settings *step_approval(const struct stage_settings *stage,
                                                     const struct pace *pace, size_t index)
{
    const struct step_settings *steps = pace->steps.items, *own = stage->steps.items;
    const struct approval_settings *found = steps[index].approval;
    for (size_t i = 0; !found && i < stage->steps.count; i++)
        if (fraction_cmp(own[i].to, steps[index].to) <= 0 &&
            (index == 0 || fraction_cmp(own[i].to, steps[index - 1].to) > 0))
            found = own[i].approval;
    return found;
}

// ---- steps -------------------------------------------------------------------------------------

// What a wish becomes on a target; never nothing, for a step without effect is no step.
static uint32_t rounded(const struct resolve_request *request, uint32_t target, uint32_t share_ppm)
{
    if (!request->targets || !request->targets[target])
        return share_ppm;
    str name = ((const str *)request->stage->targets.items)[target];
    const struct target_settings *settings = target_of(request->settings, name);
    uint32_t share = settings->kind->round_share(request->targets[target], share_ppm);
    return share ? share : share_ppm;
}

// Parts per million, rounded up, so that the smallest share is still one.
static uint32_t ppm_of(struct fraction share)
{
    return (uint32_t)((share.num * SHARE_ALL + share.den - 1) / share.den);
}

// The share of a step as a whole: the mean of what it is on the targets.
static uint32_t mean_share(uint32_t *const *shares, uint32_t target_count, uint32_t step)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < target_count; t++)
        sum += shares[t][step];
    return (uint32_t)(sum / target_count);
}

static bool is_same_step(uint32_t *const *shares, uint32_t target_count, uint32_t a, uint32_t b)
{
    for (uint32_t t = 0; t < target_count; t++)
        if (shares[t][a] != shares[t][b])
            return false;
    return true;
}

// Steps that come out equal on every target merge into one. Who had to approve either of them
// approves that one: where both ask, the later does, whose share was the higher wish.
static void fill_steps(struct arena *arena, const struct resolve_request *request,
                       const struct pace *pace, struct plan *plan)
{
    static const struct step_settings all_at_once = {.to = {1, 1}};
    const struct stage_settings *stage = request->stage;
    const struct shape_list *list = pace->steps.count ? &pace->steps : &stage->steps;
    const struct step_settings *steps = list->count ? list->items : &all_at_once;
    size_t count = list->count ? list->count : 1;
    uint32_t **shares = ARENA_ARRAY(arena, uint32_t *, plan->target_count);
    for (uint32_t t = 0; t < plan->target_count; t++)
        plan->targets[t].shares = shares[t] = ARENA_ARRAY(arena, uint32_t, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = plan->step_count;
        for (uint32_t t = 0; t < plan->target_count; t++)
            shares[t][at] = rounded(request, t, ppm_of(steps[i].to));
        struct plan_approval approval = approval_of(
            pace->steps.count ? step_approval(stage, pace, i) : steps[i].approval, pace);
        if (at > 0 && is_same_step(shares, plan->target_count, at, at - 1)) {
            if (approval.count)
                plan->steps[at - 1].approval = approval;
            continue;
        }
        uint32_t share = mean_share(shares, plan->target_count, at);
        if (at > 0 && share <= plan->steps[at - 1].share_ppm)
            share = plan->steps[at - 1].share_ppm + 1; // it rose by less than the division keeps
        plan->steps[plan->step_count++] = (struct plan_step){share, approval};
    }
}

// What changes all at once knows no share: a step of 5 % there would be all of it, unasked.
static bool shares_fit(const struct resolve_request *request, const struct pace *pace,
                       struct error *err)
{
    const struct stage_settings *stage = request->stage;
    const struct shape_list *list = pace->steps.count ? &pace->steps : &stage->steps;
    const struct step_settings *steps = list->items;
    if (request->mode == PLAN_ROLLBACK || list->count == 0 || steps[0].to.num >= steps[0].to.den)
        return true;
    for (size_t i = 0; i < stage->targets.count; i++) {
        str name = ((const str *)stage->targets.items)[i];
        const struct target_settings *settings = target_of(request->settings, name);
        unsigned can = settings->kind->capabilities(settings->config);
        if (!(can & (TARGET_WEIGHTS | TARGET_INSTANCES)))
            return error_set(err, ERROR_INPUT,
                             "stage " STR_FMT ": target " STR_FMT " (%s) changes all at once, so "
                             "no step below 100 %% is possible on it: bring it out in a stage of "
                             "its own with `steps: [100%%]`, or configure it so that shares are "
                             "possible",
                             STR_ARG(stage->stage), STR_ARG(name), settings->kind->name);
    }
    return true;
}

// A change that takes longer than any way back may take has failed; but the way back may be quick
// (a switch) where starting something new is not.
static int64_t settle_limit(const struct resolve_request *request)
{
    int64_t least_ms = 10 * MS_MINUTE, back_ms = request->settings->rollback.time_limit_ms;
    if (request->stage->settle_limit_ms > 0)
        return request->stage->settle_limit_ms;
    return back_ms > least_ms ? back_ms : least_ms;
}

// ---- the plan ----------------------------------------------------------------------------------

// Those of `order` one after another, all others together behind them.
static uint32_t rank_of(const struct stage_settings *stage, str target)
{
    for (size_t i = 0; i < stage->order.count; i++)
        if (str_eq(((const str *)stage->order.items)[i], target))
            return (uint32_t)i;
    return (uint32_t)stage->order.count;
}

static void fill_targets(struct arena *arena, const struct resolve_request *request,
                         struct plan *plan)
{
    const struct stage_settings *stage = request->stage;
    plan->target_count = (uint32_t)stage->targets.count;
    plan->targets = ARENA_ARRAY(arena, struct plan_target, plan->target_count);
    for (uint32_t i = 0; i < plan->target_count; i++) {
        str name = ((const str *)stage->targets.items)[i];
        const struct target_settings *settings = target_of(request->settings, name);
        plan->targets[i] = (struct plan_target){
            .name = name,
            .good = request->good[i],
            .next = request->next[i],
            .rank = rank_of(stage, name),
            .no_return = request->no_return ? request->no_return[i] : (str){NULL, 0},
            .weighted = settings->kind->capabilities(settings->config) & TARGET_WEIGHTS,
        };
    }
}

// The record says whose steps these are, and why.
static void fill_calendar(struct arena *arena, const struct resolve_request *request,
                          struct plan *plan)
{
    const struct calendar_settings *calendar = request->calendar;
    const struct season_settings *season;
    if (!calendar || request->mode == PLAN_ROLLBACK)
        return;
    plan->calendar = calendar->calendar;
    plan->emergency = request->emergency;
    if (plan->emergency.severity.len) {
        plan->emergency.review_within_ms = calendar->emergency.review_within_ms;
        return;
    }
    season = season_at(calendar, request->now_ms);
    if (!season)
        return;
    const struct pace_settings *pace = &season->pace;
    const struct {
        const char *name;
        bool given;
    } keys[] = {{"steps", pace->steps.count > 0},
                {"step_bake", pace->has_step_bake},
                {"bake", pace->has_bake},
                {"approvals", pace->approvals > 0}};
    char today[ZONE_TEXT];
    plan->season = season->name;
    plan->season_why = arena_format(
        arena, "planned on %s; from " STR_FMT " to " STR_FMT " (" STR_FMT ") the season's own are",
        zone_format(season->zone, request->now_ms, today), STR_ARG(season->from),
        STR_ARG(season->to), STR_ARG(season->timezone));
    const char *comma = " ";
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].given) {
            plan->season_why =
                arena_format(arena, STR_FMT "%s%s", STR_ARG(plan->season_why), comma, keys[i].name);
            comma = ", ";
        }
}

bool plan_resolve(struct arena *arena, const struct resolve_request *request, struct plan **ret,
                  struct error *err)
{
    const struct stage_settings *stage = request->stage;
    const struct analysis_settings *analysis = &request->settings->analysis;
    struct pace pace;
    if (!pace_resolve(arena, request, &pace, err) || !shares_fit(request, &pace, err))
        return false;
    struct plan *plan = ARENA_NEW(arena, struct plan);
    *plan = (struct plan){
        .mode = request->mode,
        .rollout = request->rollout,
        .release = request->release,
        .commit = request->commit,
        .environment = stage->environment.len ? stage->environment : stage->stage,
        .stage = stage->stage,
        .approval = approval_of(stage->approval, &pace),
        .step_bake_ms = pace.step_bake_ms,
        .bake_ms = pace.bake_ms,
        .risk_why = pace.risk_why,
        .settle_limit_ms = settle_limit(request),
        .rollback_limit_ms = request->settings->rollback.time_limit_ms,
        .alpha =
            (double)analysis->false_positive_rate.num / (double)analysis->false_positive_rate.den,
        .tolerance = analysis->max_ratio,
        .detect_ratio = analysis->detect_ratio,
        .detect_power = (double)analysis->power.num / (double)analysis->power.den,
        .extend = (uint32_t)analysis->extend,
        .then = analysis->then == 0 ? INCONCLUSIVE_HOLD : INCONCLUSIVE_ABORT,
        .rollback_on_cancel = request->settings->rollback.on_cancel == 0,
        .reason = request->reason,
        .incident = str_of(severity_names[request->settings->incidents.on_rollback]),
    };
    fill_calendar(arena, request, plan);
    fill_targets(arena, request, plan);
    size_t metric_count;
    const struct metric_settings *const *metrics =
        plan_metrics(arena, request->settings, stage, &metric_count);
    plan->metrics = ARENA_ARRAY(arena, struct plan_metric, metric_count);
    plan->metric_count = (uint32_t)metric_count;
    for (size_t i = 0; i < metric_count; i++)
        fill_metric(arena, metrics[i], request, &plan->metrics[i]);
    fill_steps(arena, request, &pace, plan);
    if (!plan_check(plan, err))
        return false;
    *ret = plan;
    return true;
}
