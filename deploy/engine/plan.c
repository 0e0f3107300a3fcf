#include "deploy/engine/plan.h"

#include "deploy/engine/engine.h"
#include "gate/base/moment.h"

#include <math.h>

#define RATIO_PART 10      // one tenth of alpha is for the sample ratio
#define LEARNED_FREEDOM 12 // sixteen intervals of a baseline with failures

unsigned plan_processes(const struct plan *plan)
{
    unsigned count = 0;
    for (uint32_t m = 0; m < plan->metric_count; m++)
        if (plan->metrics[m].judge == JUDGE_RATE)
            count += plan->metrics[m].target_count;
    return count ? count : 1;
}

uint32_t plan_watch_count(const struct plan *plan)
{
    return plan_watch(plan, plan->metric_count, 0);
}

uint32_t plan_watch(const struct plan *plan, uint32_t metric, uint32_t nth_target)
{
    uint32_t before = 0;
    for (uint32_t m = 0; m < metric; m++)
        before += plan->metrics[m].target_count;
    return before + nth_target;
}

uint32_t plan_share(const struct plan *plan, uint32_t target, uint32_t step)
{
    const uint32_t *shares = plan->targets[target].shares;
    return shares ? shares[step] : plan->steps[step].share_ppm;
}

int64_t plan_bake_ms(const struct plan *plan, uint32_t step)
{
    return step + 1 >= plan->step_count ? plan->bake_ms : plan->step_bake_ms;
}

struct compare plan_compare(const struct plan *plan, const struct plan_metric *metric)
{
    struct compare rule = {.confidence = metric->confidence,
                           .tolerance = metric->slack,
                           .max_ratio = plan->tolerance,
                           .steps = plan->step_count,
                           .extensions = plan->extend};
    for (uint32_t m = 0; m < plan->metric_count; m++)
        if (plan->metrics[m].judge == JUDGE_COMPARE)
            rule.watches += plan->metrics[m].target_count;
    return rule;
}

double plan_phi(const struct plan_metric *metric, uint32_t nth_target, const struct dispersion *own)
{
    struct dispersion all = *own;
    if (!metric->known)
        return own->freedom < LEARNED_FREEDOM ? 1 : dispersion_bound(own);
    dispersion_join(&all, &metric->known[nth_target]);
    return dispersion_bound(&all);
}

double plan_dispersion(const struct plan_metric *metric, uint32_t nth_target)
{
    static const struct dispersion nothing = {0};
    return plan_phi(metric, nth_target, &nothing);
}

int64_t plan_answer_ms(const struct plan_metric *metric)
{
    int64_t intervals = metric->judge == JUDGE_COMPARE ? COMPARE_LEAST + 1 : 1;
    return metric->lag_ms + intervals * metric->every_ms;
}

// The looks at a sample ratio of one stage: one for each rate watched on a weighted target and
// step that leaves a baseline, and one more for each time that its bake may be extended.
static double ratio_looks(const struct plan *plan)
{
    double watches = 0;
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
            if (plan->metrics[m].judge == JUDGE_RATE &&
                plan->targets[plan->metrics[m].targets[n]].weighted)
                watches++;
    return plan->step_count > 1 ? watches * (plan->step_count - 1) * (1.0 + plan->extend) : 0;
}

double plan_alpha(const struct plan *plan)
{
    return ratio_looks(plan) > 0 ? plan->alpha * (RATIO_PART - 1) / RATIO_PART : plan->alpha;
}

double plan_ratio_alpha(const struct plan *plan)
{
    double looks = ratio_looks(plan);
    return looks > 0 ? plan->alpha / RATIO_PART / looks : 0;
}

static bool refuse(struct error *err, const struct plan *plan, const char *what)
{
    return error_set(err, ERROR_INPUT, "stage " STR_FMT ": %s", STR_ARG(plan->stage), what);
}

static bool approval_fits(const struct plan *plan, const struct plan_approval *approval,
                          struct error *err)
{
    if (approval->count > ROLLOUT_ANSWERS)
        return error_set(err, ERROR_INPUT, "stage " STR_FMT ": %u approvals are more than %d",
                         STR_ARG(plan->stage), (unsigned)approval->count, ROLLOUT_ANSWERS);
    if (approval->count > 0 && approval->from_count == 0)
        return refuse(err, plan, "an approval needs `from`: who may give it");
    if (approval->expires_after_ms < 0)
        return refuse(err, plan, "an approval cannot expire before it is asked for");
    return true;
}

static bool steps_fit(const struct plan *plan, struct error *err)
{
    if (plan->step_count == 0 || plan->step_count > LIMIT_STEPS)
        return error_set(err, ERROR_INPUT, "stage " STR_FMT ": 1 to %u steps, not %u",
                         STR_ARG(plan->stage), LIMIT_STEPS, (unsigned)plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        uint32_t before = i ? plan->steps[i - 1].share_ppm : 0;
        if (plan->steps[i].share_ppm <= before || plan->steps[i].share_ppm > SHARE_ALL)
            return error_set(err, ERROR_INPUT,
                             "stage " STR_FMT ": step %u is not above the step before it",
                             STR_ARG(plan->stage), (unsigned)i + 1);
        if (!approval_fits(plan, &plan->steps[i].approval, err))
            return false;
    }
    if (plan->steps[plan->step_count - 1].share_ppm != SHARE_ALL)
        return refuse(err, plan, "the last step must be 100%");
    for (uint32_t t = 0; t < plan->target_count; t++)
        for (uint32_t i = 0; i < plan->step_count; i++) {
            uint32_t share = plan_share(plan, t, i);
            bool falls = i > 0 && share < plan_share(plan, t, i - 1);
            bool last = i + 1 == plan->step_count;
            if (share == 0 || share > SHARE_ALL || falls || (last && share != SHARE_ALL))
                return error_set(err, ERROR_INPUT,
                                 "stage " STR_FMT ": the shares of target " STR_FMT
                                 " must rise to 100%%",
                                 STR_ARG(plan->stage), STR_ARG(plan->targets[t].name));
        }
    return true;
}

static bool metric_shaped(const struct plan *plan, const struct plan_metric *metric,
                          struct error *err)
{
    if (metric->every_ms <= 0 || metric->lag_ms < 0)
        return error_set(err, ERROR_INPUT,
                         "metric " STR_FMT ": `every` must be above 0 and `lag` not below it",
                         STR_ARG(metric->name));
    if (metric->target_count == 0)
        return error_set(err, ERROR_INPUT, "metric " STR_FMT " watches no target of stage " STR_FMT,
                         STR_ARG(metric->name), STR_ARG(plan->stage));
    for (uint32_t n = 0; n < metric->target_count; n++)
        if (metric->targets[n] >= plan->target_count)
            return error_set(err, ERROR_INPUT,
                             "metric " STR_FMT " watches a target that the stage does not have",
                             STR_ARG(metric->name));
    if (isnan(metric->max) || (metric->judge == JUDGE_RATE && metric->max >= 1))
        return error_set(err, ERROR_INPUT, "metric " STR_FMT ": `max` must be a share below 100%%",
                         STR_ARG(metric->name));
    if (!(metric->min_requests >= 0) || isinf(metric->min_requests))
        return error_set(err, ERROR_INPUT, "metric " STR_FMT ": `min_requests` must not be below 0",
                         STR_ARG(metric->name));
    if (metric->judge == JUDGE_BURN && !(metric->budget > 0 && metric->budget < 1))
        return error_set(err, ERROR_INPUT,
                         "metric " STR_FMT ": `slo` must be above 0%% and below 100%%",
                         STR_ARG(metric->name));
    if (metric->judge == JUDGE_COMPARE && (!(metric->confidence > 0 && metric->confidence < 1) ||
                                           !(metric->slack >= 0 && metric->slack < 1)))
        return error_set(err, ERROR_INPUT,
                         "metric " STR_FMT ": `confidence` must be above 0%% and below 100%%, "
                         "`tolerance` below 100%%",
                         STR_ARG(metric->name));
    return true;
}

// A bake that ends before the figures of its own time have arrived proves nothing.
static bool bake_covers(const struct plan *plan, const struct plan_metric *metric, const char *key,
                        int64_t bake_ms, struct error *err)
{
    char needed[32];
    char given[32];
    char every[32];
    if (bake_ms >= plan_answer_ms(metric))
        return true;
    duration_format(plan_answer_ms(metric), needed);
    if (metric->judge == JUDGE_COMPARE)
        return error_set(err, ERROR_INPUT,
                         "stage " STR_FMT ": %s %s is too short for metric " STR_FMT
                         ", which compares %d values of each side or more, one every %s: set `%s: "
                         "%s` or more, or a smaller `every`",
                         STR_ARG(plan->stage), key, duration_format(bake_ms, given),
                         STR_ARG(metric->name), COMPARE_LEAST,
                         duration_format(metric->every_ms, every), key, needed);
    return error_set(err, ERROR_INPUT,
                     "stage " STR_FMT ": %s %s is shorter than metric " STR_FMT
                     " needs to answer (lag and interval): set `%s: %s` or more",
                     STR_ARG(plan->stage), key, duration_format(bake_ms, given),
                     STR_ARG(metric->name), key, needed);
}

static bool metrics_fit(const struct plan *plan, struct error *err)
{
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        if (!metric_shaped(plan, metric, err))
            return false;
        if (plan->step_count > 1 &&
            !bake_covers(plan, metric, "step_bake", plan->step_bake_ms, err))
            return false;
        if (!bake_covers(plan, metric, "bake", plan->bake_ms, err))
            return false;
        if (metric->judge == JUDGE_RATE && plan->step_count == 1 && metric->max < 0)
            return error_set(
                err, ERROR_INPUT,
                "metric " STR_FMT " has nothing to compare with: stage " STR_FMT
                " goes to 100%% at once and leaves no baseline. Give the metric `max`, "
                "or the stage a step before 100%%",
                STR_ARG(metric->name), STR_ARG(plan->stage));
        if (metric->judge == JUDGE_COMPARE && plan->step_count == 1)
            return error_set(err, ERROR_INPUT,
                             "metric " STR_FMT " has nothing to compare with: stage " STR_FMT
                             " goes to 100%% at once and leaves no baseline. Give the stage a step "
                             "before 100%%, or the metric `max` in place of `compare`",
                             STR_ARG(metric->name), STR_ARG(plan->stage));
    }
    return true;
}

static bool analysis_fits(const struct plan *plan, struct error *err)
{
    if (!(plan->alpha > 0) || !(plan->alpha < 1))
        return refuse(err, plan, "`false_positive_rate` must be between 0% and 100%");
    if (!(plan->tolerance >= 1) || isinf(plan->tolerance))
        return refuse(err, plan, "`max_ratio` must be 1 or more");
    if (!(plan->detect_ratio > plan->tolerance) || isinf(plan->detect_ratio))
        return refuse(err, plan, "`detect: {ratio}` must be above `max_ratio`");
    if (!(plan->detect_power > 0) || !(plan->detect_power < 1))
        return refuse(err, plan, "`detect: {power}` must be between 0% and 100%");
    return true;
}

static bool calendar_fits(const struct plan *plan, struct error *err)
{
    const struct plan_emergency *emergency = &plan->emergency;
    for (uint32_t i = 0; i < plan->calendar.freeze_count; i++)
        if (plan->calendar.freezes[i].to_ms <= plan->calendar.freezes[i].from_ms)
            return refuse(err, plan, "a freeze must end after it begins");
    if (emergency->severity.len == 0)
        return true;
    if (!calendar_severity(emergency->severity))
        return refuse(err, plan, "an emergency is of severity P1, P2, P3 or P4");
    if (emergency->incident.len == 0 || emergency->reason.len == 0)
        return refuse(err, plan, "an emergency needs an incident and a reason");
    if (emergency->overrides.len && plan->approval.count == 0)
        return refuse(err, plan,
                      "what goes out past a freeze or window needs somebody who approves it: give "
                      "the stage an `approval`");
    return true;
}

bool plan_check(const struct plan *plan, struct error *err)
{
    if (plan->target_count == 0 || plan->target_count > LIMIT_TARGETS)
        return refuse(err, plan, "a stage needs at least one target");
    if (plan->rollback_limit_ms <= 0)
        return refuse(err, plan, "`rollback: {time_limit}` must be above 0");
    if (plan->mode == PLAN_ROLLBACK)
        return true; // never refused for more than not saying where to
    if (plan->settle_limit_ms <= 0)
        return refuse(err, plan, "the time in which a command must settle must be above 0");
    if (plan->step_bake_ms < 0 || plan->bake_ms < 0)
        return refuse(err, plan, "a bake cannot be shorter than nothing");
    if (plan->metric_count > PLAN_METRICS)
        return error_set(err, ERROR_INPUT, "stage " STR_FMT ": %u metrics are more than %u",
                         STR_ARG(plan->stage), (unsigned)plan->metric_count, PLAN_METRICS);
    return calendar_fits(plan, err) && approval_fits(plan, &plan->approval, err) &&
           steps_fit(plan, err) && analysis_fits(plan, err) && metrics_fit(plan, err);
}
