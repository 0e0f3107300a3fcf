// What a plan can see, before it is carried out: for each step the smallest regression that its
// bake shows, how long the regression named by `detect` stays unseen, and how many requests that
// costs. A plan that cannot see it within the bake of a step is refused, with the bake that
// could.
//
// Times count from the moment at which the step has settled to the abort, and hold the metric's
// interval and lag. They are those of the e-process (gate/judge/eprocess.h: Wald's first
// passage), whose counts are divided by how bursty the traffic is, and those of the comparison of
// gauges (gate/judge/compare.h: Noether's sample sizes, at the moments at which it is looked).
// Thresholds and burn rates have nothing to reckon with and are left out.
//
//     struct detect_step steps[LIMIT_STEPS];
//     detect_plan(plan, traffic, steps);
//     if (!detect_check(plan, traffic, steps, err)) return false;
#ifndef DEPLOY_ENGINE_DETECT_H
#define DEPLOY_ENGINE_DETECT_H

#include "deploy/engine/plan.h"

#define DETECT_NEVER INT64_MAX

// One for each watch, in the order of plan_watch: what the metric counts for the whole target in
// ordinary times. What is not above 0 is unknown, but for no error among many requests: that bounds
// the share of errors by the rule of three (3 / seen, with 95 % confidence), and a regression is
// then one of that bound. It is seen no later where the true share is smaller.
struct detect_traffic {
    double per_minute; // requests, or whatever it counts
    double bad_share;  // of them bad, within [0,1)
    double seen;       // how many requests say so; 0 = unknown
    double dispersion; // variance by mean of its bad events, at most; below 1 = 1
    double noise;      // of a gauge: how it scatters (relative_noise); not above 0 = unknown
};

struct detect_step {
    uint32_t metric,
        target;            // whose figures these are: the target that takes longest, by the metric
                           // that sees it first; UINT32_MAX = no traffic is known, nothing is
                           // said
    double smallest_ratio; // the smallest regression seen within the bake; infinite when none is
    int64_t median_ms;     // until `detect_ratio` is seen, half of the time
    int64_t p95_ms;        // likewise, 19 of 20 times
    int64_t needed_ms;     // the shortest bake that sees it with `detect_power`
    double blast_requests; // answered by the release until then: share x traffic x median
    double blast_bad;      // of these, bad; 0 where a gauge sees it
    char basis[80];        // "no error in 20000 requests: at most 0.015 %"; empty where some were
                           // counted
};

// What a gauge that is compared shows in the bake of a step: how many values of each side there
// will be, and the smallest ratio to the baseline that they show with `detect_power` (infinite:
// none, whatever the canary does).
struct detect_gauge {
    uint32_t values;
    double smallest_ratio;
};
struct detect_gauge detect_compared(const struct plan *plan, uint32_t metric, uint32_t nth_target,
                                    uint32_t step, const struct detect_traffic *traffic);

// Fills plan->step_count steps.
void detect_plan(const struct plan *plan, const struct detect_traffic *traffic,
                 struct detect_step *ret);

// ERROR_INPUT when a step cannot see `detect_ratio` with `detect_power` within its bake, or when
// the bake is too short for `min_requests`. The message says the bakes that would do, for all steps
// at once: a tenth more than is needed, in whole minutes. Set to those, the plan passes.
bool detect_check(const struct plan *plan, const struct detect_traffic *traffic,
                  const struct detect_step *steps, struct error *err);

#endif
