// Starting again from what the ledger says: read, observe, go on or go back.
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

TestSuite(resume, .init = open_stage, .fini = close_stage);

Test(resume, in_every_phase_it_ends_as_it_would_have)
{
    static const enum rollout_phase phases[] = {PHASE_NEW,       PHASE_PREPARING, PHASE_SHIFTING,
                                                PHASE_STEP_BAKE, PHASE_BAKE,      PHASE_PROMOTING,
                                                PHASE_VERIFYING};
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        stage_close(&stage);
        stage_open(&stage);
        stage.deaf = phases[i] == PHASE_PREPARING;
        if (phases[i] != PHASE_NEW)
            stage_begin(&stage);
        if (phases[i] == PHASE_SHIFTING || phases[i] == PHASE_PROMOTING) {
            stage_reach(&stage, phases[i] == PHASE_SHIFTING ? PHASE_STEP_BAKE : PHASE_BAKE);
            stage.deaf = true;
        }
        if (phases[i] == PHASE_VERIFYING) {
            stage_reach(&stage, PHASE_BAKE);
            stage_play(&stage, 20 * MS_MINUTE - MS_SECOND);
            for (int s = 0; s < 120 && stage.state->phase == PHASE_BAKE; s++) {
                stage.blind = stage.now_ms >= stage.state->bake_until_ms + 5 * MS_SECOND;
                stage_play(&stage, MS_SECOND);
            }
        }
        if (phases[i] != PHASE_VERIFYING)
            cr_assert(stage_reach(&stage, phases[i]), "%s", phase_name(phases[i]));
        stage.deaf = stage.blind = false;
        stage_restart(&stage);
        cr_expect(stage_reach(&stage, PHASE_DONE), "from %s: %s, %s", phase_name(phases[i]),
                  phase_name(stage.state->phase), stage.state->why);
        cr_expect_eq(stage.served_ppm[0], SHARE_ALL);
    }
}

Test(resume, it_looks_before_it_acts)
{
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_MINUTE);
    stage.blind = stage.deaf = true;
    uint32_t sent = stage_sent(&stage, VERB_SHIFT);
    stage_restart(&stage);
    cr_expect_eq(stage_emitted(&stage, RC_OBSERVE), 2);
    cr_expect_eq(stage_emitted(&stage, RC_TARGET), 0);
    cr_expect_eq(stage_emitted(&stage, RC_RECORD), 0);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), sent);
}

Test(resume, what_was_read_sleeps_until_then)
{
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_MINUTE);
    stage.state->asleep = true; // as rollout_state_read leaves it
    stage.now_ms += MS_DAY;
    stage_send(&stage, (struct rollout_event){.type = RE_TIMER});
    stage_send(&stage, (struct rollout_event){.type = RE_CANCEL});
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    cr_expect_eq(stage.out.count, 0);
    cr_expect(stage.state->frozen);
    stage_send(&stage, (struct rollout_event){.type = RE_RESUMED});
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(resume, twice_or_ten_times_is_once)
{
    stage_begin(&stage);
    for (int i = 0; i < 10; i++) {
        stage_play(&stage, 30 * MS_SECOND);
        stage_restart(&stage);
    }
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 2, "all is where it was left");
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(resume, a_shift_that_was_never_sent_is_written_down_anew)
{
    stage_begin(&stage);
    stage.offline = true;
    cr_assert(stage_reach(&stage, PHASE_SHIFTING));
    uint32_t intents = stage_records(&stage, RECORD_INTENDED);
    stage.offline = false;
    stage_restart(&stage);
    cr_expect_eq(stage_records(&stage, RECORD_INTENDED), intents + 1);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.served_ppm[0], 250000);
}

Test(resume, a_shift_that_had_its_effect_is_not_sent_again)
{
    stage_begin(&stage);
    stage.deaf = true;
    cr_assert(stage_reach(&stage, PHASE_SHIFTING));
    stage.served_ppm[0] = stage.served_ppm[1] = 250000;
    uint32_t sent = stage_sent(&stage, VERB_SHIFT);
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), sent);
}

Test(resume, what_went_back_meanwhile_is_a_failed_step)
{
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_MINUTE);
    stage.served_ppm[0] = 0;
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(resume, a_revert_goes_on)
{
    stage_begin(&stage);
    stage.deaf = stage.blind = true;
    stage_steer(&stage, STEER_ABORT);
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    stage_play(&stage, 15 * MS_SECOND);
    cr_expect_geq(stage_sent(&stage, VERB_REVERT), 4, "sent again though nothing could be seen");
    stage.deaf = stage.blind = false;
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
}

Test(resume, a_waiting_one_asks_again)
{
    stage.plan->approval = (struct plan_approval){.count = 2};
    stage_begin(&stage);
    stage_answer(&stage, true, "bob");
    stage_restart(&stage);
    cr_expect_eq(stage_emitted(&stage, RC_ASK), 1);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    stage_answer(&stage, true, "bob");
    cr_expect_eq(stage.state->phase, PHASE_WAITING, "he has answered before");
    stage_answer(&stage, true, "alice");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(resume, the_judges_keep_their_memory)
{
    stage_begin(&stage);
    stage_play(&stage, 3 * MS_MINUTE);
    struct watch_state before = stage.state->watches[0];
    stage_restart(&stage);
    cr_expect_arr_eq(&before, &stage.state->watches[0], sizeof before);
}

Test(resume, a_bake_that_ended_meanwhile_needs_fresh_figures)
{
    stage_begin(&stage);
    stage_play(&stage, 8 * MS_MINUTE);
    stage.now_ms += 2 * MS_HOUR;
    stage.mute = true;
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    stage_play(&stage, MS_MINUTE);
    cr_expect_eq(stage.state->step, 0);
    stage.mute = false;
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(resume, a_person_may_decide_before_everything_was_seen)
{
    stage.silent = true;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_HELD));
    stage.silent = false;
    stage.blind = true;
    stage_restart(&stage);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.served_ppm[0], 50000, "not before it was observed");
    stage.blind = false;
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(resume, a_target_that_cannot_be_seen_goes_back)
{
    stage_begin(&stage);
    stage.blind = true;
    stage_restart(&stage);
    stage_play(&stage, 6 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
}

Test(resume, a_terminal_one_just_ends)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    stage_restart(&stage);
    cr_expect_eq(stage.out.count, 1);
    cr_expect_eq(stage.out.items[0].type, RC_END);
}

// ---- the clock ----------------------------------------------------------------------------------

Test(resume, a_clock_that_goes_back_neither_skips_nor_stretches_a_bake)
{
    stage_begin(&stage);
    stage_play(&stage, 4 * MS_MINUTE);
    stage.now_ms -= 3 * MS_HOUR;
    stage_send(&stage, (struct rollout_event){.type = RE_TIMER});
    int64_t left_ms = stage.state->bake_until_ms - stage.now_ms;
    cr_expect_geq(left_ms, 5 * MS_MINUTE);
    cr_expect_leq(left_ms, 7 * MS_MINUTE);
    cr_expect_leq(stage.wake_ms, stage.now_ms + 7 * MS_MINUTE);
    int64_t from_ms = stage.now_ms;
    while (stage.state->step == 0 && stage.now_ms < from_ms + MS_HOUR)
        stage_play(&stage, MS_SECOND);
    cr_expect_geq(stage.now_ms - from_ms, 5 * MS_MINUTE);
    cr_expect_leq(stage.now_ms - from_ms, 8 * MS_MINUTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

static void observed(uint32_t target, uint64_t token)
{
    stage_send_only(&stage,
                    (struct rollout_event){.type = RE_OBSERVED,
                                           .token = token,
                                           .target = target,
                                           .share_ppm = stage.served_ppm[target],
                                           .on_good_ppm = SHARE_ALL - stage.served_ppm[target],
                                           .settled = true});
}

// Both targets are asked at the end of the bake; one answer is there, the other lies unread while
// the process stands still, for nobody knows how long. Neither lets the bake pass.
static void passes_on_nothing_from_before(int64_t leap_ms)
{
    stage_begin(&stage);
    stage_play(&stage, 9 * MS_MINUTE);
    stage.blind = true;
    stage_play(&stage, stage.state->bake_until_ms + MS_SECOND - stage.now_ms);
    uint64_t unread = stage.state->targets[1].look_token;
    cr_assert_neq(unread, 0);
    cr_assert_neq(stage.state->targets[0].look_token, 0);
    observed(0, stage.state->targets[0].look_token);
    cr_assert_geq(stage.state->targets[0].seen_ms, stage.state->bake_until_ms);
    stage.now_ms += leap_ms;
    observed(1, unread);
    stage_play(&stage, 5 * MS_SECOND);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
    for (uint32_t i = 0; i < STAGE_TARGETS; i++)
        cr_expect_gt(stage.state->targets[i].look_token, unread, "target %u is asked anew", i);
    stage.blind = false;
    while (stage.state->step == 0 && stage.now_ms < stage.state->bake_until_ms + MS_HOUR)
        stage_play(&stage, MS_SECOND);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 1);
}

Test(resume, no_bake_passes_on_what_was_seen_before_the_clock_went_back)
{
    passes_on_nothing_from_before(-MS_HOUR);
}

Test(resume, no_bake_passes_on_what_was_seen_before_a_standstill)
{
    passes_on_nothing_from_before(5 * MS_MINUTE);
}

Test(resume, what_stood_still_bakes_for_as_long_as_was_left)
{
    stage_begin(&stage);
    stage_play(&stage, 4 * MS_MINUTE);
    int64_t left_ms = stage.state->bake_until_ms - stage.now_ms;
    stage.now_ms += 2 * MS_HOUR;
    stage_send(&stage, (struct rollout_event){.type = RE_TIMER});
    cr_expect_leq(stage.state->bake_until_ms - stage.now_ms, left_ms);
    cr_expect_geq(stage.state->bake_until_ms - stage.now_ms, left_ms - MS_MINUTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(resume, what_stood_still_gives_a_command_its_time)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage.now_ms += 2 * MS_HOUR;
    stage_send(&stage, (struct rollout_event){.type = RE_TIMER});
    cr_expect_eq(stage.state->phase, PHASE_PREPARING, "its answer may lie unread");
    stage_play(&stage, 5 * MS_MINUTE + MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
}

Test(resume, a_clock_that_leaps_forward_passes_nothing_without_figures)
{
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_MINUTE);
    stage.now_ms += 2 * MS_HOUR;
    stage.mute = true;
    stage_play(&stage, 10 * MS_SECOND);
    cr_expect_eq(stage.state->step, 0);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0);
}

// ---- what nobody watched ------------------------------------------------------------------------

// How much longer the bake lasts after a minute without a process.
static int64_t baked_again_ms(bool own)
{
    stage_begin(&stage);
    stage_play(&stage, 5 * MS_MINUTE);
    for (uint32_t m = 0; m < stage.plan->metric_count; m++)
        stage.plan->metrics[m].own = own;
    int64_t until_ms = stage.state->bake_until_ms, newest_ms = stage.state->watches[0].newest_ms;
    for (uint32_t i = 1; i < plan_watch_count(stage.plan); i++)
        if (stage.state->watches[i].newest_ms < newest_ms)
            newest_ms = stage.state->watches[i].newest_ms;
    stage.now_ms += MS_MINUTE; // within the bake: what a fresh figure takes is there anyway
    int64_t gap_ms = stage.now_ms - newest_ms;
    stage_restart(&stage);
    cr_expect_gt(gap_ms, MS_MINUTE);
    int64_t longer_ms = stage.state->bake_until_ms - until_ms;
    cr_expect(longer_ms == 0 || longer_ms == gap_ms, "%lld of %lld", (long long)longer_ms,
              (long long)gap_ms);
    cr_expect(stage_reach(&stage, PHASE_DONE));
    return longer_ms;
}

Test(resume, what_a_source_cannot_tell_afterwards_is_baked_again)
{
    cr_expect_gt(baked_again_ms(true), MS_MINUTE);
}

Test(resume, what_a_source_can_still_tell_is_not_baked_again)
{
    cr_expect_eq(baked_again_ms(false), 0);
}
