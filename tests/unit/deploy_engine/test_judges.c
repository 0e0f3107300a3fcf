// The judges beside the plain e-process: bursty traffic, gauges that are compared, error budgets.
#include "stage.h"

#include "deploy/engine/codec.h"
#include "deploy/engine/detect.h"

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

TestSuite(judges, .init = open_stage, .fini = close_stage);

static void compare_latency(void)
{
    struct plan_metric *metric = &stage.plan->metrics[1];
    metric->judge = JUDGE_COMPARE;
    metric->confidence = 0.98;
    metric->slack = 0.25;
    stage.plan->step_bake_ms = 15 * MS_MINUTE;
}

static void guard_budget(void)
{
    struct plan_metric *metric = &stage.plan->metrics[1];
    metric->judge = JUDGE_BURN;
    metric->budget = 0.001;
    metric->min_requests = 200;
    stage.burn = 0.0005;
}

static void ends_held(const char *why)
{
    cr_assert(stage_reach(&stage, PHASE_HELD), "%s", phase_name(stage.state->phase));
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
    cr_expect_not_null(strstr(stage.state->why, why), "%s", stage.state->why);
}

// ---- bursts -------------------------------------------------------------------------------------

// Sixty failures of a hundred, at once or as the plan says that they always come.
static double evidence(const struct dispersion *known)
{
    stage_close(&stage);
    stage_open(&stage);
    stage.plan->metrics[0].known = known;
    stage_begin(&stage);
    stage.now_ms += MS_MINUTE;
    stage_send(&stage, (struct rollout_event){.type = RE_SAMPLE,
                                              .sample = {.has_value = true,
                                                         .counts = {12, 100, 19, 1900},
                                                         .from_ms = stage.now_ms - MS_MINUTE,
                                                         .to_ms = stage.now_ms}});
    return eprocess_log(&stage.state->watches[0].process);
}

Test(judges, bursts_that_were_there_before_weigh_less)
{
    static const struct dispersion calm[2] = {{.sum = 90, .freedom = 90}};
    static const struct dispersion bursty[2] = {{.sum = 360, .freedom = 90}};
    static const struct dispersion nothing[2] = {0};
    double never_asked = evidence(NULL);
    cr_expect_eq(stage.state->watches[0].phi, 1, "it cannot be asked about the time before");
    double after_calm = evidence(calm), after_bursts = evidence(bursty),
           unknown = evidence(nothing);
    cr_expect_gt(never_asked, after_calm);
    cr_expect_gt(after_calm, after_bursts);
    cr_expect_gt(after_calm, unknown);
    cr_expect_gt(after_bursts, 0);
    cr_expect_float_eq(stage.state->watches[0].phi, 3.7, 0.1, "what is used before anything is");
    cr_expect_eq(stage.state->watches[0].dispersion.filled, 1, "and the baseline is learned from");
}

Test(judges, a_source_that_cannot_be_asked_learns_from_a_baseline_that_fails)
{
    stage_begin(&stage);
    for (int i = 0; i < 17; i++) {
        stage.now_ms += MS_MINUTE;
        stage_send(&stage, (struct rollout_event){.type = RE_SAMPLE,
                                                  .sample = {.has_value = true,
                                                             .counts = {1, 100, i % 2 * 40, 1900},
                                                             .from_ms = stage.now_ms - MS_MINUTE,
                                                             .to_ms = stage.now_ms}});
        cr_expect(i == 16 ? stage.state->watches[0].phi > 15 : stage.state->watches[0].phi <= 1,
                  "%d: %g", i, stage.state->watches[0].phi);
    }
}

Test(judges, what_counts_are_divided_by_was_known_before_them)
{
    static const struct dispersion nothing[2] = {0};
    stage.plan->metrics[0].known = nothing;
    stage_begin(&stage);
    double phi = 0;
    for (int i = 0; i < 12; i++) {
        stage.now_ms += MS_MINUTE;
        stage_send(&stage, (struct rollout_event){.type = RE_SAMPLE,
                                                  .sample = {.has_value = true,
                                                             .counts = {1, 100, i % 2 * 40, 1900},
                                                             .from_ms = stage.now_ms - MS_MINUTE,
                                                             .to_ms = stage.now_ms}});
        if (i == 3)
            phi = stage.state->watches[0].phi;
    }
    cr_expect_float_eq(phi, 3.7, 0.1,
                       "the fourth closes the first block, and counts from the next");
    cr_expect_gt(stage.state->watches[0].phi, 15, "%g", stage.state->watches[0].phi);
    cr_expect_eq(stage.state->watches[0].dispersion.freedom, 9);
}

Test(judges, the_record_says_how_bursty)
{
    stage_begin(&stage);
    stage_play(&stage, 3 * MS_MINUTE);
    const struct rollout_command *record = stage_newest(&stage, RECORD_SAMPLE_JUDGED);
    cr_assert_not_null(record);
    cr_expect_not_null(strstr(record->text, "variance at most 1 of the mean"), "%s", record->text);
}

Test(judges, what_was_learned_survives_a_restart)
{
    static const struct dispersion known[2] = {{.sum = 9, .freedom = 6}, {.sum = 3, .freedom = 3}};
    stage.plan->metrics[0].known = known;
    stage_begin(&stage);
    stage_play(&stage, 6 * MS_MINUTE);
    struct dispersion before = stage.state->watches[0].dispersion;
    double phi = stage.state->watches[0].phi;
    stage_restart(&stage);
    cr_expect_arr_eq(&before, &stage.state->watches[0].dispersion, sizeof before);
    cr_expect_eq(phi, stage.state->watches[0].phi);
    cr_expect_eq(stage.plan->metrics[0].known[1].sum, 3);
    cr_expect_eq(stage.plan->metrics[0].known[0].freedom, 6);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(judges, a_plan_of_an_older_sluice_knows_nothing_of_bursts)
{
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    struct error err;
    const struct node *root;
    struct plan *plan;
    plan_write(stage.plan, NULL, &out);
    cr_expect_eq(str_search(text_str(&text), STR("dispersion")), STR_NONE);
    cr_assert(json_parse(&stage.arena, "plan", text_str(&text), &root, &err));
    cr_assert(plan_read(&stage.arena, root, &plan, &err), "%s", err.message);
    cr_expect_null(plan->metrics[0].known);
    cr_expect_eq(plan_dispersion(&plan->metrics[0], 1), 1);
    text_done(&text);
}

// ---- gauges -------------------------------------------------------------------------------------

Test(judges, a_slow_release_goes_back_once_enough_values_show_it)
{
    compare_latency();
    stage.value = 900;
    stage_begin(&stage);
    int64_t from_ms = stage.now_ms;
    cr_assert(stage_reach(&stage, PHASE_ROLLED_BACK));
    cr_expect_leq(stage.now_ms - from_ms, 12 * MS_MINUTE);
    cr_expect_geq(stage.now_ms - from_ms, 10 * MS_MINUTE);
    const struct rollout_command *breach = stage_newest(&stage, RECORD_BREACHED);
    cr_assert_not_null(breach);
    cr_expect_eq(breach->metric, 1);
    cr_expect_not_null(strstr(breach->text, "median 900, baseline 300; higher by 600"), "%s",
                       breach->text);
}

Test(judges, a_release_as_quick_as_the_rest_goes_out)
{
    compare_latency();
    stage.value = 330; // a tenth more is less than `max_ratio` accepts
    stage_begin(&stage);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(judges, at_all_of_it_it_is_held_against_the_baseline_that_was)
{
    compare_latency();
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_BAKE));
    stage.value = 900;
    stage.baseline = NAN; // nothing is left to be measured
    stage_play(&stage, 12 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(judges, without_a_baseline_before_the_end_it_is_inconclusive)
{
    compare_latency();
    stage.baseline = NAN;
    stage_begin(&stage);
    ends_held("gives no usable answer");
}

Test(judges, a_gauge_that_is_no_number_is_inconclusive)
{
    compare_latency();
    stage.value = NAN;
    stage_begin(&stage);
    ends_held("gives no usable answer");
}

Test(judges, a_source_that_errors_is_inconclusive_and_not_left_out)
{
    compare_latency();
    stage.silent = true;
    stage_begin(&stage);
    ends_held("gives no usable answer");
}

Test(judges, too_few_values_are_inconclusive)
{
    compare_latency();
    stage.plan->step_bake_ms = 5 * MS_MINUTE; // plan_check refuses this; the engine does not trust
    stage.plan->extend = 0;
    stage_begin(&stage);
    ends_held("too few values of the release");
}

Test(judges, values_survive_a_restart)
{
    compare_latency();
    stage.value = 900;
    stage_begin(&stage);
    stage_play(&stage, 8 * MS_MINUTE);
    uint32_t seen = stage.state->watches[2].series.seen;
    cr_assert_geq(seen, 7);
    stage_restart(&stage);
    cr_expect_eq(stage.state->watches[2].series.seen, seen);
    cr_expect_eq(stage.state->watches[2].series.canary[3], 900);
    stage_play(&stage, 4 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK, "%s", phase_name(stage.state->phase));
}

Test(judges, gauges_are_compared_on_while_people_are_waited_for)
{
    compare_latency();
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    stage_play(&stage, 70 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    stage.value = 900;
    stage_play(&stage, 70 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(judges, what_only_the_end_of_the_bake_shows_does_not_pass)
{
    compare_latency();
    stage_begin(&stage);
    stage_play(&stage, 13 * MS_MINUTE); // its first ten values were well, and were looked at
    struct compare_series *series = &stage.state->watches[2].series;
    cr_assert_gt(series->seen, 10);
    for (uint32_t i = 0; i < series->canary_count; i++)
        series->canary[i] = 900;
    stage.value = 900;
    stage_play(&stage, MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE, "nobody has looked");
    stage_play(&stage, 3 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK, "%s", phase_name(stage.state->phase));
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
}

// ---- error budgets ------------------------------------------------------------------------------

Test(judges, a_budget_that_burns_too_fast)
{
    guard_budget();
    stage_begin(&stage);
    stage_play(&stage, 3 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    stage.burn = 0.007;
    stage_play(&stage, 2 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    const struct rollout_command *breach = stage_newest(&stage, RECORD_BREACHED);
    cr_assert_not_null(breach);
    cr_expect_not_null(
        strstr(breach->text, "burns 7 budgets over 1h, abort above 14.4; 7 over 6h, abort above 6"),
        "%s", breach->text);
}

Test(judges, a_budget_that_does_not)
{
    guard_budget();
    stage_begin(&stage);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(judges, a_budget_of_which_nothing_is_known)
{
    guard_budget();
    stage.burn = NAN;
    stage_begin(&stage);
    ends_held("gives no usable answer");
}

Test(judges, a_budget_with_too_few_events)
{
    guard_budget();
    stage.plan->metrics[1].min_requests = 1e6;
    stage_begin(&stage);
    ends_held("gives no usable answer");
}

// ---- silence now and then -----------------------------------------------------------------------

static void every_other_answer(int64_t for_ms)
{
    for (int64_t until_ms = stage.now_ms + for_ms; stage.now_ms < until_ms;) {
        stage.silent = !stage.silent;
        stage_play(&stage, MS_MINUTE);
    }
    stage.silent = false;
}

Test(judges, too_many_silences_in_a_bake_though_never_in_a_row)
{
    stage.plan->metrics[1].inconclusive_limit = 3;
    stage_begin(&stage);
    every_other_answer(11 * MS_MINUTE);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
    cr_expect_eq(stage.state->extended, 1);
    cr_expect_leq(stage.state->watches[2].threshold.errors, 1, "the extension begins anew");
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(judges, as_many_silences_as_one_likes_where_no_limit_says_otherwise)
{
    stage_begin(&stage);
    every_other_answer(12 * MS_MINUTE);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 1);
}

// ---- the plan -----------------------------------------------------------------------------------

Test(judges, plans_that_cannot_work_are_refused)
{
    struct error err = {0};
    compare_latency();
    cr_assert(plan_check(stage.plan, &err), "%s", err.message);
    stage.plan->step_bake_ms = 10 * MS_MINUTE;
    cr_expect_not(plan_check(stage.plan, &err));
    cr_expect_not_null(strstr(err.message, "compares 10 values of each side or more, one every 1m: "
                                           "set `step_bake: 11m` or more"),
                       "%s", err.message);
    compare_latency();
    stage.plan->metrics[1].confidence = 1;
    cr_expect_not(plan_check(stage.plan, &err));
    compare_latency();
    stage.plan->steps[0].share_ppm = SHARE_ALL;
    stage.plan->step_count = 1;
    stage.plan->metrics[0].max = 0.5;
    cr_expect_not(plan_check(stage.plan, &err));
    cr_expect_not_null(strstr(err.message, "has nothing to compare with"), "%s", err.message);
    guard_budget();
    cr_expect(plan_check(stage.plan, &err), "a budget needs no baseline: %s", err.message);
    stage.plan->metrics[1].budget = 1;
    cr_expect_not(plan_check(stage.plan, &err));
    cr_expect_not_null(strstr(err.message, "`slo`"), "%s", err.message);
}

// ---- what a plan says it can see ----------------------------------------------------------------

static struct detect_traffic traffic[3];
static struct detect_step steps[LIMIT_STEPS];

static void ordinary_traffic(void)
{
    for (int i = 0; i < 3; i++)
        traffic[i] = (struct detect_traffic){
            .per_minute = 2000, .bad_share = 0.01, .seen = 20000, .dispersion = 1, .noise = 0.1};
    stage.plan->metrics[0].lag_ms = 0;
    stage.plan->metrics[0].every_ms = MS_SECOND;
}

Test(judges, bursts_take_as_many_times_longer_to_see)
{
    ordinary_traffic();
    detect_plan(stage.plan, traffic, steps);
    double once = (double)steps[0].median_ms - MS_SECOND;
    for (int i = 0; i < 3; i++)
        traffic[i].dispersion = 3;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_float_eq(((double)steps[0].median_ms - MS_SECOND) / once, 3, 0.01);
    for (int i = 0; i < 3; i++)
        traffic[i].dispersion = NAN;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_float_eq((double)steps[0].median_ms - MS_SECOND, once, 2, "not known");
}

Test(judges, a_gauge_alone_says_what_it_can_see)
{
    struct error err = {0};
    ordinary_traffic();
    compare_latency();
    stage.plan->detect_ratio = 2;
    stage.plan->metrics[1].target_count = 2;
    static uint32_t both[] = {0, 1};
    stage.plan->metrics[1].targets = both;
    stage.plan->metrics++;
    stage.plan->metric_count = 1;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].metric, 0);
    cr_expect_eq(steps[0].median_ms, 11 * MS_MINUTE, "the first look");
    cr_expect_gt(steps[0].smallest_ratio, 1.2);
    cr_expect_lt(steps[0].smallest_ratio, 1.7, "%g", steps[0].smallest_ratio);
    cr_expect_eq(steps[0].blast_requests, 0, "a gauge counts none");
    cr_expect(detect_check(stage.plan, traffic, steps, &err), "%s", err.message);
    struct detect_gauge gauge = detect_compared(stage.plan, 0, 0, 0, traffic);
    cr_expect_eq(gauge.values, 14);
    cr_expect_float_eq(gauge.smallest_ratio, steps[0].smallest_ratio, 1e-3);
    for (int i = 0; i < 3; i++)
        traffic[i].noise = 2; // it scatters so much that nothing shows
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].needed_ms, DETECT_NEVER);
    cr_expect_not(detect_check(stage.plan, traffic, steps, &err));
    cr_expect_not_null(strstr(err.message, "can never see metric latency"), "%s", err.message);
    for (int i = 0; i < 3; i++)
        traffic[i].noise = 0;
    detect_plan(stage.plan, traffic, steps);
    cr_expect_eq(steps[0].metric, UINT32_MAX, "not known");
    cr_expect(isinf(detect_compared(stage.plan, 0, 0, 0, traffic).smallest_ratio));
    stage.plan->metrics--;
}
