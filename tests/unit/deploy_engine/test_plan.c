#include "stage.h"

#include <math.h>

static struct stage stage;

static void open_stage(void)
{
    stage_open(&stage);
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(plan, .init = open_stage, .fini = close_stage);

Test(plan, watches_are_counted_in_order)
{
    cr_expect_eq(plan_processes(stage.plan), 2);
    cr_expect_eq(plan_watch_count(stage.plan), 3);
    cr_expect_eq(plan_watch(stage.plan, 0, 1), 1);
    cr_expect_eq(plan_watch(stage.plan, 1, 0), 2);
    stage.plan->metric_count = 0;
    cr_expect_eq(plan_processes(stage.plan), 1);
    cr_expect_eq(plan_watch_count(stage.plan), 0);
}

Test(plan, alpha_is_shared_with_the_sample_ratio)
{
    cr_expect_eq(plan_alpha(stage.plan), 0.01);
    cr_expect_eq(plan_ratio_alpha(stage.plan), 0);
    stage.plan->targets[0].weighted = true;
    cr_expect_float_eq(plan_alpha(stage.plan), 0.009, 1e-12);
    cr_expect_float_eq(plan_ratio_alpha(stage.plan), 0.001 / 4, 1e-12, "two steps, once extended");
}

static struct plan *plan;

static void no_targets(void)
{
    plan->target_count = 0;
}
static void no_steps(void)
{
    plan->step_count = 0;
}
static void many_steps(void)
{
    plan->step_count = LIMIT_STEPS + 1;
}
static void falling(void)
{
    plan->steps[1].share_ppm = 50000;
}
static void zero(void)
{
    plan->steps[0].share_ppm = 0;
}
static void past_all(void)
{
    plan->steps[2].share_ppm = SHARE_ALL + 1;
}
static void not_all(void)
{
    plan->step_count = 2;
}
static void short_bake(void)
{
    plan->step_bake_ms = 89 * MS_SECOND;
}
static void short_last_bake(void)
{
    plan->bake_ms = MS_SECOND;
}
static void no_interval(void)
{
    plan->metrics[0].every_ms = 0;
}
static void negative_lag(void)
{
    plan->metrics[0].lag_ms = -1;
}
static void watches_nothing(void)
{
    plan->metrics[1].target_count = 0;
}
static void share_above_one(void)
{
    plan->metrics[0].max = 1;
}
static void no_number(void)
{
    plan->metrics[1].max = NAN;
}
static void negative_requests(void)
{
    plan->metrics[0].min_requests = -1;
}
static void no_alpha(void)
{
    plan->alpha = 0;
}
static void alpha_nan(void)
{
    plan->alpha = NAN;
}
static void low_tolerance(void)
{
    plan->tolerance = 0.9;
}
static void low_detect(void)
{
    plan->detect_ratio = 1.2;
}
static void sure(void)
{
    plan->detect_power = 1;
}
static void no_settle(void)
{
    plan->settle_limit_ms = 0;
}
static void no_rollback(void)
{
    plan->rollback_limit_ms = 0;
}
static void empty_freeze(void)
{
    static struct calendar_freeze freeze = {.from_ms = 5, .to_ms = 5};
    plan->calendar.freezes = &freeze;
    plan->calendar.freeze_count = 1;
}
static void odd_severity(void)
{
    plan->emergency = (struct plan_emergency){.severity = STR("P5")};
}
static void emergency_without_reason(void)
{
    plan->emergency = (struct plan_emergency){.severity = STR("P1"), .incident = STR("INC-1")};
}
static void override_without_approval(void)
{
    plan->emergency = (struct plan_emergency){.severity = STR("P1"),
                                              .incident = STR("INC-1"),
                                              .reason = STR("x"),
                                              .overrides = STR("freeze")};
}
static void crowd(void)
{
    plan->approval.count = ROLLOUT_ANSWERS + 1;
}
static void nobody(void)
{
    plan->approval.count = 1;
}
static void before_asked(void)
{
    static str names[] = {STR_INIT("alice")};
    plan->steps[1].approval =
        (struct plan_approval){.count = 1, .from = names, .from_count = 1, .expires_after_ms = -1};
}
static void at_once_without_bound(void)
{
    plan->steps[0].share_ppm = SHARE_ALL;
    plan->step_count = 1;
}
static void falling_target(void)
{
    static const uint32_t shares[] = {500000, 400000, SHARE_ALL};
    plan->targets[1].shares = shares;
}
static void target_short_of_all(void)
{
    static const uint32_t shares[] = {500000, 500000, 999999};
    plan->targets[1].shares = shares;
}

Test(plan, what_cannot_work_is_refused_with_what_would)
{
    static const struct {
        void (*spoil)(void);
        const char *says;
    } rows[] = {
        {no_targets, "at least one target"},
        {no_steps, "1 to 32 steps"},
        {many_steps, "1 to 32 steps"},
        {falling, "step 2 is not above"},
        {zero, "step 1 is not above"},
        {past_all, "step 3"},
        {not_all, "must be 100%"},
        {short_bake, "`step_bake: 1m30s` or more"},
        {short_last_bake, "`bake: 1m30s` or more"},
        {no_interval, "`every`"},
        {negative_lag, "`lag`"},
        {watches_nothing, "watches no target"},
        {share_above_one, "`max`"},
        {no_number, "`max`"},
        {negative_requests, "`min_requests`"},
        {no_alpha, "`false_positive_rate`"},
        {alpha_nan, "`false_positive_rate`"},
        {low_tolerance, "`max_ratio`"},
        {low_detect, "above `max_ratio`"},
        {sure, "power"},
        {no_settle, "settle"},
        {no_rollback, "time_limit"},
        {empty_freeze, "must end after it begins"},
        {odd_severity, "P1, P2, P3 or P4"},
        {emergency_without_reason, "an incident and a reason"},
        {override_without_approval, "needs somebody who approves"},
        {crowd, "17 approvals"},
        {nobody, "`from`"},
        {before_asked, "expire"},
        {at_once_without_bound, "`max`"},
        {falling_target, "target workers must rise"},
        {target_short_of_all, "target workers must rise"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        stage_close(&stage);
        stage_open(&stage);
        plan = stage.plan;
        rows[i].spoil();
        cr_expect_not(plan_check(plan, &err), "row %zu", i);
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect_not_null(strstr(err.message, rows[i].says), "row %zu: %s", i, err.message);
    }
}

Test(plan, what_works_is_let_through)
{
    struct error err;
    cr_expect(plan_check(stage.plan, &err));
    stage.plan->mode = PLAN_ROLLBACK;
    stage.plan->step_count = 0;
    stage.plan->alpha = 0;
    cr_expect(plan_check(stage.plan, &err), "a rollback is refused for nothing of this");
}

// Of a thousand targets each may have a `health` beside the metrics of the configuration.
Test(plan, there_is_a_probe_for_each_target_beside_the_metrics)
{
    static struct plan_metric metrics[PLAN_METRICS + 1];
    struct error err;
    for (uint32_t i = 0; i <= PLAN_METRICS; i++)
        metrics[i] = stage.plan->metrics[0];
    stage.plan->metrics = metrics;
    stage.plan->metric_count = PLAN_METRICS;
    cr_expect(plan_check(stage.plan, &err));
    stage.plan->metric_count++;
    cr_expect_not(plan_check(stage.plan, &err));
    cr_expect_not_null(strstr(err.message, "1089 metrics are more than 1088"), "%s", err.message);
}
