#include "deploy/engine/detect.h"

#include "gate/base/moment.h"
#include "gate/judge/eprocess.h"

#include <math.h>

#define RATIO_MOST 1000.0 // worse than this is not looked for

static bool known(const struct detect_traffic *traffic)
{
    return traffic->per_minute > 0 && isfinite(traffic->per_minute) && traffic->bad_share > 0 &&
           traffic->bad_share < 1;
}

static double share_at(const struct plan *plan, uint32_t target, uint32_t step)
{
    return plan_share(plan, target, step) / 1e6;
}

static double minutes(int64_t ms)
{
    return (double)ms / (double)MS_MINUTE;
}

static int64_t milliseconds(double of_minutes)
{
    double ms = ceil(of_minutes * (double)MS_MINUTE);
    return ms < 9e15 ? (int64_t)ms : DETECT_NEVER;
}

// How far above the good rate the fixed reference of the last step stands: see reference_rate in
// judge_samples.c. The baseline's bad events are those of the steps before.
static double headroom(const struct plan *plan, const struct plan_metric *metric, uint32_t target,
                       const struct detect_traffic *traffic)
{
    double bad = 0;
    for (uint32_t s = 0; s + 1 < plan->step_count; s++)
        bad += traffic->per_minute * traffic->bad_share * (1 - share_at(plan, target, s)) *
               minutes(plan_bake_ms(plan, s));
    if (bad > 0)
        return plan->tolerance * (bad + 3 * sqrt(bad) + 3) / bad;
    return metric->max > 0 ? metric->max / traffic->bad_share : INFINITY;
}

static double minutes_to_see(const struct plan *plan, uint32_t m, uint32_t nth, uint32_t step,
                             const struct detect_traffic *traffic, double ratio, double power)
{
    const struct plan_metric *metric = &plan->metrics[m];
    uint32_t target = metric->targets[nth];
    double share = share_at(plan, target, step);
    double bad = traffic->per_minute * traffic->bad_share;
    double delay = minutes(metric->lag_ms + metric->every_ms);
    unsigned processes = plan_processes(plan);
    if (ratio * traffic->bad_share > 1)
        ratio = 1 / traffic->bad_share; // no more than all of them can be bad
    if (share >= 1)
        return delay + eprocess_minutes_fixed(power, ratio, headroom(plan, metric, target, traffic),
                                              plan_alpha(plan), processes, bad);
    return delay + eprocess_minutes_at(power, ratio, plan->tolerance, plan_alpha(plan), processes,
                                       bad * (share * ratio + 1 - share), share);
}

// The watch that sees the regression of a target first. False when none of its traffic is known.
static bool best_watch(const struct plan *plan, const struct detect_traffic *traffic,
                       uint32_t target, uint32_t step, uint32_t *ret_metric, uint32_t *ret_nth,
                       double *ret_minutes)
{
    bool any = false;
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            const struct detect_traffic *of = &traffic[plan_watch(plan, m, n)];
            if (metric->judge != JUDGE_RATE || metric->targets[n] != target || !known(of))
                continue;
            double takes =
                minutes_to_see(plan, m, n, step, of, plan->detect_ratio, plan->detect_power);
            if (any && takes >= *ret_minutes)
                continue;
            any = true;
            *ret_metric = m;
            *ret_nth = n;
            *ret_minutes = takes;
        }
    }
    return any;
}

static double smallest_ratio(const struct plan *plan, uint32_t metric, uint32_t nth, uint32_t step,
                             const struct detect_traffic *traffic)
{
    double bake = minutes(plan_bake_ms(plan, step));
    double low = plan->tolerance;
    double high = RATIO_MOST;
    if (minutes_to_see(plan, metric, nth, step, traffic, high, plan->detect_power) > bake)
        return INFINITY;
    for (int i = 0; i < 30; i++) {
        double middle = sqrt(low * high);
        if (minutes_to_see(plan, metric, nth, step, traffic, middle, plan->detect_power) > bake)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void fill(const struct plan *plan, const struct detect_traffic *all, uint32_t step,
                 uint32_t m, uint32_t nth, struct detect_step *ret)
{
    const struct detect_traffic *traffic = &all[plan_watch(plan, m, nth)];
    double ratio = plan->detect_ratio;
    double median = minutes_to_see(plan, m, nth, step, traffic, ratio, 0.5);
    double requests = share_at(plan, plan->metrics[m].targets[nth], step) * traffic->per_minute;
    ret->metric = m;
    ret->target = plan->metrics[m].targets[nth];
    ret->smallest_ratio = smallest_ratio(plan, m, nth, step, traffic);
    ret->median_ms = milliseconds(median);
    ret->p95_ms = milliseconds(minutes_to_see(plan, m, nth, step, traffic, ratio, 0.95));
    ret->needed_ms =
        milliseconds(minutes_to_see(plan, m, nth, step, traffic, ratio, plan->detect_power));
    ret->blast_requests = requests * median;
    ret->blast_bad = ret->blast_requests * fmin(1, traffic->bad_share * ratio);
}

void detect_plan(const struct plan *plan, const struct detect_traffic *traffic,
                 struct detect_step *ret)
{
    for (uint32_t step = 0; step < plan->step_count; step++) {
        double slowest = -1;
        ret[step] = (struct detect_step){.metric = UINT32_MAX,
                                         .target = UINT32_MAX,
                                         .smallest_ratio = INFINITY,
                                         .median_ms = DETECT_NEVER,
                                         .p95_ms = DETECT_NEVER,
                                         .needed_ms = DETECT_NEVER};
        for (uint32_t target = 0; target < plan->target_count; target++) {
            uint32_t metric = 0;
            uint32_t nth = 0;
            double takes = 0;
            if (!best_watch(plan, traffic, target, step, &metric, &nth, &takes) || takes <= slowest)
                continue;
            slowest = takes;
            fill(plan, traffic, step, metric, nth, &ret[step]);
        }
    }
}

static bool sees(const struct plan *plan, const struct detect_step *found, uint32_t step,
                 struct error *err)
{
    char bake[32];
    char needed[32];
    char takes[32];
    int64_t bake_ms = plan_bake_ms(plan, step);
    const char *key = step + 1 < plan->step_count ? "step_bake" : "bake";
    double share = plan->steps[step].share_ppm / 1e4;
    if (found->metric == UINT32_MAX || found->needed_ms <= bake_ms)
        return true;
    const struct plan_metric *metric = &plan->metrics[found->metric];
    if (found->needed_ms == DETECT_NEVER)
        return error_set(err, ERROR_INPUT,
                         "stage " STR_FMT ": step %u (%.4g %%) can never see metric " STR_FMT
                         " get %.4g times worse: give it a larger `detect: {ratio}`, or `max`",
                         STR_ARG(plan->stage), (unsigned)step + 1, share, STR_ARG(metric->name),
                         plan->detect_ratio);
    int64_t whole_ms = (found->needed_ms + MS_SECOND - 1) / MS_SECOND * MS_SECOND;
    return error_set(err, ERROR_INPUT,
                     "stage " STR_FMT ": step %u (%.4g %%) cannot see metric " STR_FMT
                     " get %.4g times worse within its bake of %s: that takes %s in %.4g %% of all "
                     "cases. Set `%s: %s` or more, or begin with a larger step",
                     STR_ARG(plan->stage), (unsigned)step + 1, share, STR_ARG(metric->name),
                     plan->detect_ratio, duration_format(bake_ms, bake),
                     duration_words(whole_ms, takes), plan->detect_power * 100, key,
                     duration_format(whole_ms, needed));
}

// Too few requests for `min_requests` would leave every such bake inconclusive.
static bool reaches(const struct plan *plan, const struct detect_traffic *traffic, uint32_t m,
                    uint32_t nth, uint32_t step, struct error *err)
{
    const struct plan_metric *metric = &plan->metrics[m];
    const struct detect_traffic *of = &traffic[plan_watch(plan, m, nth)];
    if (metric->judge != JUDGE_RATE || !(of->per_minute > 0))
        return true;
    double share = share_at(plan, metric->targets[nth], step);
    int64_t needed_ms = milliseconds(metric->min_requests / (share * of->per_minute)) +
                        metric->lag_ms + metric->every_ms;
    if (needed_ms <= plan_bake_ms(plan, step))
        return true;
    char needed[32];
    int64_t whole_ms = (needed_ms + MS_SECOND - 1) / MS_SECOND * MS_SECOND;
    return error_set(
        err, ERROR_INPUT,
        "stage " STR_FMT ": step %u (%.4g %%) sends about %.4g requests a minute to the "
        "release and metric " STR_FMT " needs %.6g: set `%s: %s` or more, or a smaller "
        "`min_requests`",
        STR_ARG(plan->stage), (unsigned)step + 1, plan->steps[step].share_ppm / 1e4,
        share * of->per_minute, STR_ARG(metric->name), metric->min_requests,
        step + 1 < plan->step_count ? "step_bake" : "bake", duration_format(whole_ms, needed));
}

bool detect_check(const struct plan *plan, const struct detect_traffic *traffic,
                  const struct detect_step *steps, struct error *err)
{
    for (uint32_t step = 0; step < plan->step_count; step++) {
        if (!sees(plan, &steps[step], step, err))
            return false;
        for (uint32_t m = 0; m < plan->metric_count; m++)
            for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
                if (!reaches(plan, traffic, m, n, step, err))
                    return false;
    }
    return true;
}
