// Pass, abort, inconclusive: what samples do to a rollout.
#include "stage.h"

static struct stage stage;

static void open_stage(void)
{
    stage_open(&stage);
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(judging, .init = open_stage, .fini = close_stage);

Test(judging, a_bad_release_goes_back_at_the_first_step)
{
    stage.bad_share = 0.2;
    stage_begin(&stage);
    int64_t from_ms = stage.now_ms;
    cr_assert(stage_reach(&stage, PHASE_ROLLED_BACK));
    cr_expect_leq(stage.now_ms - from_ms, 3 * MS_MINUTE);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 2, "the first step and no other");
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
    const struct rollout_command *breach = stage_newest(&stage, RECORD_BREACHED);
    cr_assert_not_null(breach);
    cr_expect_eq(breach->metric, 0);
    cr_expect_not(breach->durable, "safety does not wait");
    cr_expect_eq(stage.served_ppm[0] + stage.served_ppm[1], 0);
}

Test(judging, record_and_revert_in_the_same_breath)
{
    stage_begin(&stage);
    stage.offline = true; // the ledger's remote hangs
    stage_send_only(&stage, (struct rollout_event){.type = RE_SAMPLE,
                                                   .sample = {.has_value = true,
                                                              .counts = {100, 100, 10, 1900},
                                                              .from_ms = stage.now_ms - MS_MINUTE,
                                                              .to_ms = stage.now_ms}});
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    uint32_t sent = 0;
    bool recorded = false;
    for (uint32_t i = 0; i < stage.out.count; i++) {
        recorded = recorded || (stage.out.items[i].type == RC_RECORD &&
                                stage.out.items[i].record == RECORD_INTENDED);
        if (stage.out.items[i].type == RC_TARGET) {
            sent++;
            cr_expect(recorded, "written down before it is sent");
        }
        cr_expect_not(stage.out.items[i].durable);
    }
    cr_expect_eq(sent, 2);
}

Test(judging, a_slow_release_goes_back)
{
    stage_begin(&stage);
    stage.value = 900;
    stage_play(&stage, 3 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK, "two are tolerated, the third is not");
    cr_expect_eq(stage_newest(&stage, RECORD_BREACHED)->metric, 1);
}

Test(judging, opens_an_incident_when_it_went_back_by_itself)
{
    stage.bad_share = 0.2;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_ROLLED_BACK));
    int incident = -1;
    int end = -1;
    for (uint32_t i = 0; i < stage.logged; i++) {
        if (stage.log[i].type == RC_INCIDENT)
            incident = (int)i;
        if (stage.log[i].type == RC_RECORD && stage.log[i].record == RECORD_ROLLED_BACK)
            end = (int)i;
    }
    cr_assert_geq(incident, 0);
    cr_expect_str_eq(stage.log[incident].text, "P2");
    cr_expect_lt(incident, end, "so that a crash between the two does not lose it");
}

// No data is not a pass: it extends once, then waits for a person.
static void ends_held(int64_t after_ms)
{
    stage_play(&stage, after_ms);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(stage.state->step, 0);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
    cr_expect_eq(stage_records(&stage, RECORD_HELD), 1);
    cr_expect_eq(stage.state->extended, 1);
    cr_expect_not(stage.ended, "somebody must go on watching");
    cr_expect(rollout_watching(stage.state));
}

Test(judging, no_answers)
{
    stage.silent = true;
    stage_begin(&stage);
    ends_held(25 * MS_MINUTE);
}

Test(judging, no_samples_at_all)
{
    stage.mute = true;
    stage_begin(&stage);
    ends_held(25 * MS_MINUTE);
}

Test(judging, too_little_traffic)
{
    stage.plan->metrics[0].min_requests = 1e6;
    stage_begin(&stage);
    ends_held(25 * MS_MINUTE);
    cr_expect_not_null(strstr(stage.state->why, "too few requests"));
}

Test(judging, metrics_that_stop_in_mid_bake)
{
    stage_begin(&stage);
    stage_play(&stage, 6 * MS_MINUTE);
    stage.mute = true;
    ends_held(20 * MS_MINUTE);
    cr_expect_not_null(strstr(stage.state->why, "end"));
}

Test(judging, counts_that_say_nothing)
{
    stage_begin(&stage);
    stage_play(&stage, MS_MINUTE);
    stage.mute = true;
    for (int i = 0; i < 24; i++) {
        for (uint32_t n = 0; n < 2; n++) // no request at all: zero exposure is inconclusive
            stage_send(&stage,
                       (struct rollout_event){.type = RE_SAMPLE,
                                              .nth = n,
                                              .sample = {.has_value = true,
                                                         .from_ms = stage.now_ms - MS_MINUTE,
                                                         .to_ms = stage.now_ms}});
        stage_play(&stage, MS_MINUTE);
    }
    cr_expect_eq(stage.state->phase, PHASE_HELD);
}

Test(judging, targets_that_cannot_be_seen)
{
    stage_begin(&stage);
    stage.blind = true;
    ends_held(25 * MS_MINUTE);
    cr_expect_not_null(strstr(stage.state->why, "not observed"));
}

// How long after its end the first bake was found to be inconclusive.
static int64_t waited_ms(void)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_STEP_BAKE));
    int64_t end_ms = stage.state->bake_until_ms;
    while (stage.state->extended == 0 && stage.now_ms < end_ms + MS_HOUR)
        stage_play(&stage, MS_SECOND);
    return stage.now_ms - end_ms;
}

Test(judging, a_bake_that_no_reading_can_mend_is_not_waited_for)
{
    stage.silent = true; // the source answered, again and again, that it knows nothing
    cr_expect_lt(waited_ms(), 2 * MS_SECOND);
}

Test(judging, a_bake_waits_for_the_reading_of_its_last_moments_and_no_longer)
{
    stage.plan->metrics[0].min_requests = 1e6;
    int64_t waited = waited_ms();
    // Samples come at whole minutes; the first after the end tells of the end.
    cr_expect_eq(stage.now_ms % MS_MINUTE, 0, "%lld", (long long)waited);
    cr_expect_gt(waited, 0);
    cr_expect_lt(waited, MS_MINUTE);
}

Test(judging, a_bake_waits_for_one_interval_where_nothing_comes)
{
    stage.mute = true;
    cr_expect_eq(waited_ms(), MS_MINUTE);
}

Test(judging, a_reading_that_comes_a_little_late_still_lets_it_pass)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_STEP_BAKE));
    int64_t end_ms = stage.state->bake_until_ms;
    stage_play(&stage, end_ms - stage.now_ms - 3 * MS_MINUTE);
    stage.mute = true; // the readings of the last minutes are slow
    stage_play(&stage, end_ms - stage.now_ms + 2 * MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.state->extended, 0);
    stage.mute = false;
    stage_play(&stage, MS_MINUTE);
    cr_expect_eq(stage.state->step, 1, "it has passed");
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 1);
}

Test(judging, inconclusive_may_mean_abort)
{
    stage.plan->then = INCONCLUSIVE_ABORT;
    stage.plan->extend = 0;
    stage.silent = true;
    stage_begin(&stage);
    stage_play(&stage, 12 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(judging, an_extension_that_brings_answers_passes)
{
    stage.silent = true;
    stage_begin(&stage);
    stage_play(&stage, 12 * MS_MINUTE);
    cr_expect_eq(stage.state->extended, 1);
    stage.silent = false;
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(judging, watching_goes_on_while_held)
{
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    stage_play(&stage, 30 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    stage.bad_share = 0.3;
    stage_play(&stage, 5 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(judging, the_bake_at_all_of_it_has_a_reference)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_BAKE));
    cr_expect_gt(stage.state->watches[0].baseline_total, 0);
    stage.bad_share = 0.06;
    stage_play(&stage, 5 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK,
                 "no baseline is left, and still it is seen");
}

Test(judging, without_any_baseline_the_bound_of_the_metric_counts)
{
    stage.plan->steps[0].share_ppm = SHARE_ALL;
    stage.plan->step_count = 1;
    stage.plan->metrics[0].max = 0.02;
    stage.bad_share = 0.01;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    stage_close(&stage);
    stage_open(&stage);
    stage.plan->steps[0].share_ppm = SHARE_ALL;
    stage.plan->step_count = 1;
    stage.plan->metrics[0].max = 0.02;
    stage.bad_share = 0.2;
    stage_begin(&stage);
    stage_play(&stage, 4 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(judging, samples_of_before_the_step_do_not_count_for_it)
{
    stage_begin(&stage);
    struct rollout_event event = {.type = RE_SAMPLE,
                                  .sample = {.has_value = true,
                                             .counts = {1, 100, 19, 1900},
                                             .from_ms = stage.now_ms - MS_MINUTE,
                                             .to_ms = stage.now_ms}};
    stage_send(&stage, event);
    cr_expect_eq(stage.state->watches[0].step_exposure, 0);
    cr_expect_neq(stage.state->watches[0].process.sum[0], 0, "but they are judged");
    stage.now_ms += MS_MINUTE;
    event.sample.from_ms += MS_MINUTE;
    event.sample.to_ms += MS_MINUTE;
    stage_send(&stage, event);
    cr_expect_eq(stage.state->watches[0].step_exposure, 100);
}

Test(judging, the_same_interval_counts_once)
{
    stage_begin(&stage);
    stage.now_ms += MS_MINUTE;
    struct rollout_event event = {.type = RE_SAMPLE,
                                  .sample = {.has_value = true,
                                             .counts = {2, 100, 19, 1900},
                                             .from_ms = stage.now_ms - MS_MINUTE,
                                             .to_ms = stage.now_ms}};
    stage_send(&stage, event);
    struct watch_state once = stage.state->watches[0];
    for (int i = 0; i < 50; i++)
        stage_send(&stage, event);
    event.sample.from_ms += 30 * MS_SECOND; // overlaps
    event.sample.to_ms += 30 * MS_SECOND;
    stage_send(&stage, event);
    event.sample.from_ms = stage.now_ms + MS_HOUR; // has not happened yet
    event.sample.to_ms = stage.now_ms + 2 * MS_HOUR;
    stage_send(&stage, event);
    cr_expect_arr_eq(&once, &stage.state->watches[0], sizeof once);
}

Test(judging, state_of_the_judges_is_recorded_every_half_minute_at_most)
{
    stage_begin(&stage);
    for (int i = 0; i < 60; i++) {
        stage.now_ms += MS_SECOND;
        stage_send(&stage, (struct rollout_event){.type = RE_SAMPLE,
                                                  .sample = {.has_value = true,
                                                             .counts = {0, 10, 2, 190},
                                                             .from_ms = stage.now_ms - MS_SECOND,
                                                             .to_ms = stage.now_ms}});
    }
    cr_expect_eq(stage_records(&stage, RECORD_SAMPLE_JUDGED), 2);
}

Test(judging, exposures_far_from_the_share)
{
    stage.plan->targets[0].weighted = true;
    stage_begin(&stage);
    stage.mute = true;
    for (int i = 0; i < 11; i++) {
        stage_play(&stage, MS_MINUTE);
        for (uint32_t m = 0; m < 2; m++)
            for (uint32_t n = 0; n < stage.plan->metrics[m].target_count; n++)
                stage_send(&stage, (struct rollout_event){
                                       .type = RE_SAMPLE,
                                       .metric = m,
                                       .nth = n,
                                       .sample = {.has_value = true,
                                                  .counts = {2, 200, 18, 1800}, // 10 %, not 5 %
                                                  .value = 300,
                                                  .from_ms = stage.now_ms - MS_MINUTE,
                                                  .to_ms = stage.now_ms}});
    }
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_not_null(strstr(stage.state->why, "sample ratio"));
}

Test(judging, a_bake_shorter_than_the_lag_does_not_pass_on_old_figures)
{
    stage.plan->metrics[0].lag_ms = 5 * MS_MINUTE;
    stage.plan->step_bake_ms =
        2 * MS_MINUTE; // plan_check refuses this; the engine does not trust it
    stage_begin(&stage);
    stage_play(&stage, 4 * MS_MINUTE);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
}
