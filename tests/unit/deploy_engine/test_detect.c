#include "stage.h"

#include "deploy/engine/detect.h"

#include <math.h>

static struct stage stage;
static struct detect_traffic traffic[3];
static struct detect_step steps[LIMIT_STEPS];

static void open_stage(void)
{
    stage_open(&stage);
    for (int i = 0; i < 3; i++)
        traffic[i] = (struct detect_traffic){2000, 0.01};
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

Test(detect, a_plan_that_cannot_says_what_could)
{
    struct error err = {0};
    stage.plan->detect_ratio = 2;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect_not_null(strstr(err.message, "step 1 (5 %)"), "%s", err.message);
    const char *says = strstr(err.message, "`step_bake: ");
    cr_assert_not_null(says, "%s", err.message);
    // What it says does work.
    str rest = str_of(says + strlen("`step_bake: "));
    int64_t bake_ms;
    cr_assert(duration_parse(str_first(rest, str_find(rest, '`')), &bake_ms));
    stage.plan->step_bake_ms = bake_ms;
    stage.plan->bake_ms = 3 * MS_HOUR;
    detect_plan(stage.plan, traffic, steps);
    cr_expect(detect_check(stage.plan, traffic, steps, &err), "%s", err.message);
    stage.plan->step_bake_ms = bake_ms - 2 * MS_SECOND;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err), "and two seconds less do not");
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
        traffic[i] = (struct detect_traffic){0, 0};
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].metric, UINT32_MAX);
    cr_expect_eq(steps[0].median_ms, DETECT_NEVER);
    cr_expect(isinf(steps[0].smallest_ratio));
    cr_expect(detect_check(stage.plan, traffic, steps, &err));
    traffic[0] = (struct detect_traffic){NAN, NAN};
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
    cr_expect_not_null(strstr(err.message, "`step_bake: 50m"), "%s", err.message);
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
