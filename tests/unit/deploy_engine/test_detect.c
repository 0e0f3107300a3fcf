#include "stage.h"

#include "deploy/engine/detect.h"

#include <math.h>

static struct stage stage;
static struct detect_traffic traffic[3];
static struct detect_step steps[LIMIT_STEPS];

static struct detect_traffic counted(double per_minute, double bad_share, double seen)
{
    return (struct detect_traffic){.per_minute = per_minute, .bad_share = bad_share, .seen = seen};
}

static void open_stage(void)
{
    stage_open(&stage);
    for (int i = 0; i < 3; i++)
        traffic[i] = counted(2000, 0.01, 20000);
    stage.plan->metrics[0].lag_ms = 0;
    stage.plan->metrics[0].every_ms = MS_SECOND;
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(detect, .init = open_stage, .fini = close_stage);

Test(detect, figures_of_the_reference_line)
{
    stage.plan->metrics[0].target_count = 1; // K = 1
    stage.plan->tolerance = 1;
    stage.plan->detect_ratio = 3;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_float_eq((double)steps[0].median_ms / MS_MINUTE, 4.11 + 1. / 60, 0.02);
    cr_expect_float_eq((double)steps[0].p95_ms / MS_MINUTE, 11.48 + 1. / 60, 0.02);
    cr_expect_eq(steps[0].p95_ms, steps[0].needed_ms, "power is 95 %%");
    cr_expect_eq(steps[0].metric, 0);
    cr_expect_eq(steps[0].target, 0);
    cr_expect_float_eq(steps[0].blast_requests, 0.05 * 2000 * 4.13, 3);
    cr_expect_float_eq(steps[0].blast_bad, steps[0].blast_requests * 0.03, 1e-9);
    cr_expect_gt(steps[0].smallest_ratio, 3, "11.5 min do not fit into 10");
    cr_expect_lt(steps[0].smallest_ratio, 3.5);
    cr_expect_lt(steps[1].needed_ms, steps[0].needed_ms, "a larger share sees sooner");
    cr_expect_lt(steps[2].needed_ms, 5 * MS_MINUTE,
                 "all of it has a reference from the steps before");
}

Test(detect, a_plan_that_can_see_it)
{
    struct error err;
    detect_plan(stage.plan, traffic, steps);
    cr_expect(detect_check(stage.plan, traffic, steps, &err), "%s", err.message);
}

// Sets the bake that the message names to what it says; false when it names none.
static bool follow(const char *message, const char *key, int64_t *bake_ms)
{
    const char *says = strstr(message, key);
    if (!says)
        return false;
    str rest = str_of(says + strlen(key));
    cr_assert(duration_parse(str_first(rest, str_find(rest, '`')), bake_ms), "%s", message);
    return true;
}

static bool check(struct error *err)
{
    detect_plan(stage.plan, traffic, steps);
    return detect_check(stage.plan, traffic, steps, err);
}

Test(detect, a_plan_that_cannot_says_what_could)
{
    struct error err = {0};
    stage.plan->detect_ratio = 2;
    stage.plan->bake_ms = 3 * MS_HOUR;
    cr_expect_not(check(&err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect_not_null(strstr(err.message, "step 1 (5 %)"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "or begin with a larger step"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "95 % of all cases. Set `step_bake: "), "%s",
                       err.message);
    int64_t needed_ms = steps[0].needed_ms;
    cr_assert(follow(err.message, "`step_bake: ", &stage.plan->step_bake_ms));
    cr_expect_eq(stage.plan->step_bake_ms % MS_MINUTE, 0);
    cr_expect_geq(stage.plan->step_bake_ms, needed_ms + needed_ms / 10);
    cr_expect_lt(stage.plan->step_bake_ms, needed_ms + needed_ms / 10 + MS_MINUTE);
    cr_expect(check(&err), "%s", err.message);
    stage.plan->step_bake_ms = needed_ms;
    cr_expect(check(&err), "just enough is not refused");
    stage.plan->step_bake_ms = needed_ms - 1;
    cr_expect_not(check(&err));
}

// One plan of the grid: if a bake is named, the plan with it passes, at the first attempt.
static void check_remedy(unsigned *refused, unsigned *never)
{
    struct error err = {0};
    if (check(&err))
        return;
    bool each = follow(err.message, "`step_bake: ", &stage.plan->step_bake_ms);
    bool last = follow(err.message, "`bake: ", &stage.plan->bake_ms);
    if (!each && !last) {
        cr_expect_not_null(strstr(err.message, "can never"), "%s", err.message);
        (*never)++;
        return;
    }
    (*refused)++;
    char said[sizeof err.message];
    memcpy(said, err.message, sizeof said);
    cr_expect(check(&err), "%s\nand then\n%s", said, err.message);
    cr_expect_leq(strlen(said), 500, "%s", said);
}

Test(detect, what_it_says_works_in_every_plan)
{
    static const uint32_t ladders[][4] = {{SHARE_ALL},
                                          {500000, SHARE_ALL},
                                          {990000, SHARE_ALL},
                                          {10000, 100000, SHARE_ALL},
                                          {50000, 500000, 950000, SHARE_ALL}};
    static const double rates[] = {0, 0.0001, 0.01, 0.3}, ratios[] = {1.3, 2, 5, 50};
    static const double counts[] = {0.5, 30, 2000}, requests[] = {1, 200, 5000};
    struct plan plain = *stage.plan;
    unsigned refused = 0, never = 0;
    for (unsigned i = 0; i < 5 * 4 * 4 * 3 * 3 * 2; i++) {
        unsigned n = i;
        *stage.plan = plain;
        const uint32_t *ladder = ladders[n % 5];
        n /= 5;
        for (stage.plan->step_count = 0;;) {
            uint32_t share = ladder[stage.plan->step_count];
            stage.plan->steps[stage.plan->step_count++].share_ppm = share;
            if (share == SHARE_ALL)
                break;
        }
        double rate = rates[n % 4], count = counts[n / 4 % 3];
        for (int t = 0; t < 3; t++)
            traffic[t] = counted(count * (t + 1), rate, count * 10);
        n /= 12;
        stage.plan->detect_ratio = ratios[n % 4];
        stage.plan->metrics[0].min_requests = requests[n / 4 % 3];
        stage.plan->metrics[0].max = 0.5;
        stage.plan->metrics[0].lag_ms = n / 12 ? 3 * MS_MINUTE : 0;
        check_remedy(&refused, &never);
    }
    cr_expect_gt(refused, 100, "%u", refused);
    cr_expect_gt(never, 20, "%u", never);
}

Test(detect, the_last_step_cannot_be_made_larger)
{
    struct error err = {0};
    stage.plan->bake_ms = 2 * MS_SECOND;
    cr_expect_not(check(&err));
    cr_expect_null(strstr(err.message, "larger step"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "` or more, or a larger `detect: {ratio}`"), "%s",
                       err.message);
    cr_expect_null(strstr(err.message, "step_bake"), "%s", err.message);
}

Test(detect, both_bakes_are_named_at_once)
{
    struct error err = {0};
    stage.plan->step_bake_ms = stage.plan->bake_ms = 2 * MS_SECOND;
    cr_expect_not(check(&err));
    cr_expect_not_null(strstr(err.message, "` and `bake: "), "%s", err.message);
}

Test(detect, no_error_at_all_is_a_bound_and_not_nothing)
{
    struct error err = {0};
    for (int i = 0; i < 3; i++)
        traffic[i] = counted(2000, 0, 20000);
    cr_expect_not(check(&err));
    cr_expect_str_eq(steps[0].basis, "no error in 20000 requests: at most 0.015 %");
    cr_expect_not_null(strstr(err.message, steps[0].basis), "%s", err.message);
    int64_t bounded_ms = steps[0].needed_ms;
    for (int i = 0; i < 3; i++)
        traffic[i].bad_share = 0.00015;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].needed_ms, bounded_ms, "as if that were the share");
    cr_expect_str_empty(steps[0].basis);
    // Without traffic, or with next to none, nothing is known.
    for (double seen = 0; seen < 4; seen++) {
        for (int i = 0; i < 3; i++)
            traffic[i] = counted(2000, 0, seen);
        detect_plan(stage.plan, traffic, steps);
        cr_expect_eq(steps[0].metric, UINT32_MAX, "%g", seen);
    }
}

// The bound is not a promise that hangs on the errors being there: a release that is that much
// worse than the bound is seen no later where the baseline has none at all.
Test(detect, a_baseline_without_errors_sees_the_bound_as_soon)
{
    double share = 0.05, bound = 3.0 / 20000, minute = 2000;
    struct eprocess there = {0}, none = {0};
    for (int i = 0; i < 600; i++) {
        double bad = 5 * bound * share * minute, rest = bound * (1 - share) * minute;
        cr_assert(eprocess_add(
            &there, 1.2, (struct counts){bad, share * minute, rest, (1 - share) * minute}, 1));
        cr_assert(eprocess_add(&none, 1.2,
                               (struct counts){bad, share * minute, 0, (1 - share) * minute}, 1));
        cr_expect_geq(eprocess_log(&none), eprocess_log(&there));
    }
}

Test(detect, the_bake_of_the_last_step_has_its_own_name)
{
    struct error err = {0};
    stage.plan->bake_ms = 2 * MS_SECOND;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err));
    cr_expect_not_null(strstr(err.message, "`bake: "), "%s", err.message);
}

Test(detect, lag_and_interval_are_part_of_the_time)
{
    detect_plan(stage.plan, traffic, steps);
    int64_t before_ms = steps[0].median_ms;
    stage.plan->metrics[0].lag_ms = 2 * MS_MINUTE;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_float_eq((double)(steps[0].median_ms - before_ms), (double)(2 * MS_MINUTE), 2);
}

Test(detect, the_slowest_target_counts)
{
    traffic[1].per_minute = 200;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].target, 1);
}

Test(detect, unknown_traffic_says_nothing)
{
    struct error err;
    for (int i = 0; i < 3; i++)
        traffic[i] = counted(0, 0, 0);
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].metric, UINT32_MAX);
    cr_expect_eq(steps[0].median_ms, DETECT_NEVER);
    cr_expect(isinf(steps[0].smallest_ratio));
    cr_expect(detect_check(stage.plan, traffic, steps, &err));
    traffic[0] = counted(NAN, NAN, NAN);
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].metric, UINT32_MAX);
}

Test(detect, too_few_requests_for_a_step)
{
    struct error err = {0};
    stage.plan->metrics[0].min_requests = 5000;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err));
    cr_expect_not_null(strstr(err.message, "min_requests"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "`step_bake: 56m`"), "%s", err.message);
}

Test(detect, a_regression_within_tolerance_is_never_seen)
{
    struct error err = {0};
    stage.plan->detect_ratio = 1.21;
    stage.plan->steps[0].share_ppm = SHARE_ALL;
    stage.plan->step_count = 1;
    stage.plan->metrics[0].max = 0.05; // five times the ordinary rate
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].needed_ms, DETECT_NEVER);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err));
    cr_expect_not_null(strstr(err.message, "never"), "%s", err.message);
}
