#include "deploy/engine/detect.h"

#include "gate/base/moment.h"
#include "gate/judge/eprocess.h"

#include <math.h>
#include <stdio.h>

#define RATIO_MOST 1000.0          // worse than this is not looked for
#define BAKE_MOST_MS (30 * MS_DAY) // longer is not recommended to anybody

// No error in n requests: fewer than one in twenty such runs come from a share above 3 / n.
static bool is_bounded(const struct detect_traffic *traffic)
{
    return !(traffic->bad_share > 0) && !(traffic->bad_share < 0) && traffic->seen > 3 &&
           isfinite(traffic->seen);
}

static double bad_share(const struct detect_traffic *traffic)
{
    return is_bounded(traffic) ? 3 / traffic->seen : traffic->bad_share;
}

static bool is_gauge(const struct plan_metric *metric)
{
    return metric->judge == JUDGE_COMPARE;
}

static bool known(const struct plan_metric *metric, const struct detect_traffic *traffic)
{
    if (is_gauge(metric))
        return traffic->noise > 0 && isfinite(traffic->noise);
    if (metric->judge != JUDGE_RATE)
        return false;
    double share = bad_share(traffic);
    return traffic->per_minute > 0 && isfinite(traffic->per_minute) && share > 0 && share < 1;
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

static double dispersion_of(const struct detect_traffic *traffic)
{
    return traffic->dispersion > 1 && isfinite(traffic->dispersion) ? traffic->dispersion : 1;
}

// How far above the good rate the fixed reference of the last step stands: see reference_rate in
// judge_kinds.c. The baseline's bad events are those of the steps before.
static double headroom(const struct plan *plan, const struct plan_metric *metric, uint32_t target,
                       const struct detect_traffic *traffic)
{
    double bad = 0;
    for (uint32_t s = 0; s + 1 < plan->step_count; s++)
        bad += traffic->per_minute * bad_share(traffic) * (1 - share_at(plan, target, s)) *
               minutes(plan_bake_ms(plan, s));
    if (bad > 0)
        return plan->tolerance * eprocess_most(bad, dispersion_of(traffic)) / bad;
    return metric->max > 0 ? metric->max / bad_share(traffic) : INFINITY;
}

// ---- gauges -------------------------------------------------------------------------------------

static double gauge_minutes(const struct plan_metric *metric, uint32_t values)
{
    // One interval more: each value must have been answered, so they come a little more slowly.
    return minutes(metric->lag_ms + (values + 1) * metric->every_ms);
}

static uint32_t values_in(const struct plan *plan, const struct plan_metric *metric, uint32_t step)
{
    int64_t left_ms = plan_bake_ms(plan, step) - metric->lag_ms - metric->every_ms;
    int64_t values = left_ms > 0 ? left_ms / metric->every_ms : 0;
    return values < UINT32_MAX ? (uint32_t)values : UINT32_MAX;
}

// How many values on each side show it; UINT32_MAX where more than are kept would be needed.
static uint32_t values_to_see(const struct plan *plan, const struct plan_metric *metric,
                              const struct detect_traffic *traffic, double ratio, double power)
{
    struct compare rule = plan_compare(plan, metric);
    for (uint32_t values = COMPARE_LEAST; values <= COMPARE_MOST; values++)
        if (compare_visible(&rule, values, traffic->noise, power) <= ratio)
            return values;
    return UINT32_MAX;
}

// The moment at which that many values are looked at: the next one of those that are planned, or
// the end of the bake.
static double look_minutes(const struct plan *plan, const struct plan_metric *metric, uint32_t step,
                           uint32_t values)
{
    static const uint32_t looks[] = {COMPARE_LEAST, 20, COMPARE_MOST};
    uint32_t at_end = values_in(plan, metric, step);
    uint32_t at = at_end >= values ? at_end : UINT32_MAX;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        if (looks[i] >= values && looks[i] < at)
            at = looks[i];
    return at == UINT32_MAX ? INFINITY : gauge_minutes(metric, at);
}

struct detect_gauge detect_compared(const struct plan *plan, uint32_t metric, uint32_t nth_target,
                                    uint32_t step, const struct detect_traffic *traffic)
{
    const struct plan_metric *m = &plan->metrics[metric];
    const struct detect_traffic *of = &traffic[plan_watch(plan, metric, nth_target)];
    struct compare rule = plan_compare(plan, m);
    struct detect_gauge ret = {values_in(plan, m, step), INFINITY};
    if (known(m, of))
        ret.smallest_ratio = compare_visible(&rule, ret.values, of->noise, plan->detect_power);
    return ret;
}

// ---- how long it takes --------------------------------------------------------------------------

static double minutes_to_see(const struct plan *plan, uint32_t m, uint32_t nth, uint32_t step,
                             const struct detect_traffic *traffic, double ratio, double power)
{
    const struct plan_metric *metric = &plan->metrics[m];
    if (is_gauge(metric)) {
        uint32_t values = values_to_see(plan, metric, traffic, ratio, power);
        return values == UINT32_MAX ? INFINITY : gauge_minutes(metric, values);
    }
    uint32_t target = metric->targets[nth];
    double share = share_at(plan, target, step);
    double bad = traffic->per_minute * bad_share(traffic);
    double delay = minutes(metric->lag_ms + metric->every_ms);
    unsigned processes = plan_processes(plan);
    double events = bad / dispersion_of(traffic); // what their sums are divided by
    if (ratio * bad_share(traffic) > 1)
        ratio = 1 / bad_share(traffic); // no more than all of them can be bad
    if (share >= 1)
        return delay + eprocess_minutes_fixed(power, ratio, headroom(plan, metric, target, traffic),
                                              plan_alpha(plan), processes, events);
    return delay + eprocess_minutes_at(power, ratio, plan->tolerance, plan_alpha(plan), processes,
                                       events * (share * ratio + 1 - share), share);
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
            if (metric->targets[n] != target || !known(metric, of))
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

// The minutes after which `detect_ratio` is seen with that power, in this step's bake.
static double seen_after(const struct plan *plan, uint32_t m, uint32_t nth, uint32_t step,
                         const struct detect_traffic *traffic, double power)
{
    const struct plan_metric *metric = &plan->metrics[m];
    if (!is_gauge(metric))
        return minutes_to_see(plan, m, nth, step, traffic, plan->detect_ratio, power);
    uint32_t values = values_to_see(plan, metric, traffic, plan->detect_ratio, power);
    return values == UINT32_MAX ? INFINITY : look_minutes(plan, metric, step, values);
}

// Requests a minute that the watch's target gets. A gauge counts none: a rate of the same target
// says it. 0 when none does.
static double requests_of(const struct plan *plan, const struct detect_traffic *all, uint32_t m,
                          uint32_t nth)
{
    uint32_t target = plan->metrics[m].targets[nth];
    double most = is_gauge(&plan->metrics[m]) ? 0 : all[plan_watch(plan, m, nth)].per_minute;
    for (uint32_t i = 0; is_gauge(&plan->metrics[m]) && i < plan->metric_count; i++)
        for (uint32_t n = 0; n < plan->metrics[i].target_count; n++)
            if (plan->metrics[i].judge == JUDGE_RATE && plan->metrics[i].targets[n] == target)
                most = fmax(most, all[plan_watch(plan, i, n)].per_minute);
    return most;
}

static void fill(const struct plan *plan, const struct detect_traffic *all, uint32_t step,
                 uint32_t m, uint32_t nth, struct detect_step *ret)
{
    const struct detect_traffic *traffic = &all[plan_watch(plan, m, nth)];
    double ratio = plan->detect_ratio;
    double median = seen_after(plan, m, nth, step, traffic, 0.5);
    double share = share_at(plan, plan->metrics[m].targets[nth], step);
    ret->metric = m;
    ret->target = plan->metrics[m].targets[nth];
    ret->smallest_ratio = smallest_ratio(plan, m, nth, step, traffic);
    ret->median_ms = milliseconds(median);
    ret->p95_ms = milliseconds(seen_after(plan, m, nth, step, traffic, 0.95));
    ret->needed_ms =
        milliseconds(minutes_to_see(plan, m, nth, step, traffic, ratio, plan->detect_power));
    ret->blast_requests = share * requests_of(plan, all, m, nth) * median;
    if (is_gauge(&plan->metrics[m]))
        return;
    ret->blast_bad = ret->blast_requests * fmin(1, bad_share(traffic) * ratio);
    if (is_bounded(traffic))
        snprintf(ret->basis, sizeof ret->basis, "no error in %.0f requests: at most %.2g %%",
                 traffic->seen, 100 * bad_share(traffic));
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

// ---- the verdict on a plan ----------------------------------------------------------------------

struct need { // of one step
    int64_t bake_ms;
    const struct plan_metric *counts; // it is `min_requests` of this metric that take so long
    double per_minute;                // requests of it that meet the release
};

// Too few requests for `min_requests` would leave every such bake inconclusive.
static void add_requests(const struct plan *plan, const struct detect_traffic *traffic,
                         uint32_t step, struct need *need)
{
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            const struct detect_traffic *of = &traffic[plan_watch(plan, m, n)];
            double per_minute = share_at(plan, metric->targets[n], step) * of->per_minute;
            if (metric->judge != JUDGE_RATE || !(per_minute > 0))
                continue;
            int64_t bake_ms = milliseconds(metric->min_requests / per_minute +
                                           minutes(metric->lag_ms + metric->every_ms));
            if (bake_ms > need->bake_ms)
                *need = (struct need){bake_ms, metric, per_minute};
        }
    }
}

static struct need need_of(const struct plan *plan, const struct detect_traffic *traffic,
                           const struct detect_step *found, uint32_t step)
{
    struct need need = {found->metric == UINT32_MAX ? 0 : found->needed_ms, NULL, 0};
    add_requests(plan, traffic, step, &need);
    return need;
}

// What is recommended has slack, for traffic is never quite what it was.
static int64_t recommended_ms(int64_t needed_ms)
{
    return (needed_ms + needed_ms / 10 + MS_MINUTE - 1) / MS_MINUTE * MS_MINUTE;
}

// Makes the bakes of `plan` long enough. False when no bake is for the step *ret_step.
static bool lengthen(struct plan *plan, const struct detect_traffic *traffic, uint32_t *ret_step,
                     struct need *ret_need)
{
    struct detect_step found[LIMIT_STEPS];
    int64_t step_bake_ms = plan->step_bake_ms;
    for (uint32_t step = 0; step < plan->step_count; step++) {
        bool last = step + 1 == plan->step_count;
        if (last)
            plan->step_bake_ms = step_bake_ms; // of which the last step has its reference
        if (last || step == 0)
            detect_plan(plan, traffic, found);
        struct need need = need_of(plan, traffic, &found[step], step);
        int64_t *bake_ms = last ? &plan->bake_ms : &step_bake_ms;
        if (need.bake_ms > BAKE_MOST_MS) {
            *ret_step = step;
            *ret_need = need;
            return false;
        }
        if (need.bake_ms > *bake_ms)
            *bake_ms = recommended_ms(need.bake_ms);
    }
    return true;
}

// "Set `step_bake: 12m` and `bake: 30m` or more, or begin with a larger step".
static void say_remedy(const struct plan *plan, const struct plan *longer, uint32_t step,
                       const struct need *need, char out[192])
{
    char each[32];
    char last[32];
    bool steps = longer->step_bake_ms > plan->step_bake_ms;
    bool end = longer->bake_ms > plan->bake_ms;
    const char *other = need->counts                   ? "or a smaller `min_requests`"
                        : step + 1 == plan->step_count ? "or a larger `detect: {ratio}`"
                        : step == 0                    ? "or begin with a larger step"
                                                       : "or make this step larger";
    snprintf(out, 192, "Set %s%s%s%s%s%s%s or more, %s", steps ? "`step_bake: " : "",
             steps ? duration_format(longer->step_bake_ms, each) : "", steps ? "`" : "",
             steps && end ? " and " : "", end ? "`bake: " : "",
             end ? duration_format(longer->bake_ms, last) : "", end ? "`" : "", other);
}

static bool refuse_blind(const struct plan *plan, const struct detect_step *found, uint32_t step,
                         const struct need *need, struct error *err)
{
    double share = plan->steps[step].share_ppm / 1e4;
    const char *ever = need->bake_ms == DETECT_NEVER ? "" : " in any bake of up to 30 days";
    if (need->counts)
        return error_set(err, ERROR_INPUT,
                         "stage " STR_FMT ": step %u (%.4g %%) can never count %.6g requests for "
                         "metric " STR_FMT "%s: about %.2g a minute meet the release. Give a "
                         "smaller `min_requests`",
                         STR_ARG(plan->stage), (unsigned)step + 1, share,
                         need->counts->min_requests, STR_ARG(need->counts->name), ever,
                         need->per_minute);
    return error_set(err, ERROR_INPUT,
                     "stage " STR_FMT ": step %u (%.4g %%) can never see metric " STR_FMT
                     " get %.4g times worse%s%s%s%s: give it a larger `detect: {ratio}`, or `max`",
                     STR_ARG(plan->stage), (unsigned)step + 1, share,
                     STR_ARG(plan->metrics[found->metric].name), plan->detect_ratio, ever,
                     *found->basis ? " (" : "", found->basis, *found->basis ? ")" : "");
}

static bool refuse_short(const struct plan *plan, const struct plan *longer,
                         const struct detect_step *found, uint32_t step, const struct need *need,
                         struct error *err)
{
    char remedy[192];
    char bake[32];
    char takes[32];
    double share = plan->steps[step].share_ppm / 1e4;
    say_remedy(plan, longer, step, need, remedy);
    if (need->counts)
        return error_set(err, ERROR_INPUT,
                         "stage " STR_FMT ": step %u (%.4g %%) sends about %.4g requests a minute "
                         "to the release and metric " STR_FMT " needs %.6g. %s",
                         STR_ARG(plan->stage), (unsigned)step + 1, share, need->per_minute,
                         STR_ARG(need->counts->name), need->counts->min_requests, remedy);
    return error_set(err, ERROR_INPUT,
                     "stage " STR_FMT ": step %u (%.4g %%) cannot see metric " STR_FMT
                     " get %.4g times worse%s%s%s within its bake of %s: that takes %s in %.4g %% "
                     "of all cases. %s",
                     STR_ARG(plan->stage), (unsigned)step + 1, share,
                     STR_ARG(plan->metrics[found->metric].name), plan->detect_ratio,
                     *found->basis ? " (" : "", found->basis, *found->basis ? ")" : "",
                     duration_format(plan_bake_ms(plan, step), bake),
                     duration_words(need->bake_ms, takes), plan->detect_power * 100, remedy);
}

bool detect_check(const struct plan *plan, const struct detect_traffic *traffic,
                  const struct detect_step *steps, struct error *err)
{
    struct plan longer = *plan;
    struct need need = {0};
    uint32_t step = 0;
    if (!lengthen(&longer, traffic, &step, &need))
        return refuse_blind(plan, &steps[step], step, &need, err);
    for (step = 0; step < plan->step_count; step++) {
        need = need_of(plan, traffic, &steps[step], step);
        if (need.bake_ms > plan_bake_ms(plan, step))
            return refuse_short(plan, &longer, &steps[step], step, &need, err);
    }
    return true;
}
