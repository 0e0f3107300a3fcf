// The way forward, and what must not happen on it.
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

TestSuite(forward, .init = open_stage, .fini = close_stage);

Test(forward, a_good_release_goes_out_in_steps)
{
    stage_begin(&stage);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.served_ppm[0], 50000);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    cr_expect(stage.ended);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 6);
    cr_expect_eq(stage_sent(&stage, VERB_PROMOTE), 2);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 3);
    cr_expect_eq(stage_records(&stage, RECORD_INTENDED), 5);
    cr_expect_eq(stage_records(&stage, RECORD_COMMAND_DONE), 10);
    cr_expect_eq(stage_records(&stage, RECORD_DONE), 1);
    cr_expect_eq(stage.served_ppm[0], SHARE_ALL);
    cr_expect_eq(stage.served_ppm[1], SHARE_ALL);
}

Test(forward, takes_as_long_as_its_bakes)
{
    int64_t from_ms = stage.now_ms;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    int64_t took_ms = stage.now_ms - from_ms;
    cr_expect_geq(took_ms, 40 * MS_MINUTE);
    cr_expect_leq(took_ms, 42 * MS_MINUTE);
}

Test(forward, nothing_leaves_before_its_intent_is_durable)
{
    stage.offline = true;
    stage_begin(&stage);
    cr_expect_eq(stage.state->phase, PHASE_PREPARING);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    const struct rollout_command *intent = stage_newest(&stage, RECORD_INTENDED);
    cr_assert_not_null(intent);
    cr_expect(intent->durable);
    cr_expect_eq(intent->target, TARGET_EVERY);
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = intent->token + 1});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0, "a token that nobody gave out");
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = intent->token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2);
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = intent->token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2, "twice is once");
}

Test(forward, a_remote_that_is_down_ends_in_a_hold)
{
    stage.offline = true;
    stage_begin(&stage);
    stage_play(&stage, 6 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage.offline = false;
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(forward, targets_move_together)
{
    stage.deaf = true;
    stage_begin(&stage);
    const struct rollout_command *sent[2] = {NULL, NULL};
    for (uint32_t i = 0; i < stage.logged; i++)
        if (stage.log[i].type == RC_TARGET)
            sent[stage.log[i].target] = &stage.log[i];
    cr_assert(sent[0] && sent[1]);
    struct rollout_event done = {
        .type = RE_TARGET_DONE, .target = 0, .verb = VERB_STAGE, .token = sent[0]->token};
    stage_send(&stage, done);
    cr_expect_eq(stage.state->phase, PHASE_PREPARING, "one of two is staged");
    stage_send(&stage, done);
    cr_expect_eq(stage.state->phase, PHASE_PREPARING, "the same one again is still one");
    stage.deaf = false;
    done.target = 1;
    done.token = sent[1]->token;
    stage_send(&stage, done);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(forward, settled_is_observed_not_acknowledged)
{
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_MINUTE);
    stage.served_ppm[1] = 0; // went back to the old revision on its own, and is stable there
    stage_play(&stage, 2 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect(stage.state->automatic);
    cr_expect_not_null(strstr(stage.state->why, "workers"));
}

// Observed again and again, and each time not settled: until it has been so for the limit.
static void stay_unsettled(const char *seen)
{
    for (int i = 0; i < 400 && stage.state->phase == PHASE_STEP_BAKE; i++) {
        for (uint32_t t = 0; t < STAGE_TARGETS; t++)
            if (stage.state->targets[t].look_token)
                stage_send_only(&stage, (struct rollout_event){
                                            .type = RE_OBSERVED,
                                            .token = stage.state->targets[t].look_token,
                                            .target = t,
                                            .share_ppm = stage.served_ppm[t],
                                            .on_good_ppm = SHARE_ALL - stage.served_ppm[t],
                                            .settled = t == 1,
                                            .text = t == 1 ? STR("all is well") : str_of(seen)});
        stage_play(&stage, MS_SECOND);
    }
}

Test(forward, a_target_that_stays_unsettled_is_named_with_what_was_seen)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_STEP_BAKE));
    stage.blind = stage.deaf = true;
    stay_unsettled("{\"app2\":{\"error\":\"Connection refused\"}}");
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    cr_expect_eq(stage_records(&stage, RECORD_BREACHED), 1, "said once");
    const char *said = stage_newest(&stage, RECORD_BREACHED)->text;
    cr_expect(strncmp(said, "target web has not been settled for 5 min", 41) == 0, "%s", said);
    cr_expect_not_null(strstr(said, ": {\"app2\":{\"error\":\"Connection refused\"}}"), "%s", said);
}

Test(forward, a_command_that_does_not_settle_fails_the_step)
{
    stage_begin(&stage);
    stage_play(&stage, 10 * MS_MINUTE);
    stage.deaf = true;
    cr_assert(stage_reach(&stage, PHASE_SHIFTING));
    stage_play(&stage, 5 * MS_MINUTE - MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_SHIFTING);
    stage_play(&stage, 2 * MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    stage.deaf = false;
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
}

Test(forward, a_failed_target_takes_the_others_back)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage.deaf = false;
    stage_send(&stage, (struct rollout_event){.type = RE_TARGET_FAILED,
                                              .target = 1,
                                              .verb = VERB_STAGE,
                                              .text = STR("image not found")});
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
    cr_expect_eq(stage_records(&stage, RECORD_COMMAND_FAILED), 1);
    cr_expect_not_null(strstr(stage.state->why, "image not found"));
}

Test(forward, a_freeze_delays_steps_and_nothing_else)
{
    stage_begin(&stage);
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_play(&stage, 60 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect(stage.state->passed);
    cr_expect_eq(stage.state->step, 0);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 1);
    cr_expect(rollout_watching(stage.state));
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = false});
    cr_expect_eq(stage.state->step, 1);
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage.bad_share = 0.5;
    stage_play(&stage, 5 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK, "no freeze stops a rollback");
}

Test(forward, a_freeze_from_the_start_and_between_intent_and_command)
{
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_begin(&stage);
    stage_play(&stage, MS_HOUR);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage.offline = true;
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = false});
    uint64_t token = stage.state->token;
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0, "the freeze came before the command");
    stage.offline = false;
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = false});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(forward, steps_that_come_out_equal_need_no_command)
{
    static const uint32_t shares[] = {500000, 500000, SHARE_ALL};
    stage.plan->targets[0].shares = stage.plan->targets[1].shares = shares;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 4);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 3, "each is baked all the same");
}

Test(forward, hosts_are_rounded_and_still_in_place)
{
    static const uint32_t thirds[] = {333334, 666667, SHARE_ALL};
    stage.plan->targets[0].shares = thirds;
    stage_begin(&stage);
    cr_expect_eq(stage.served_ppm[0], 333334);
    cr_expect_eq(stage.served_ppm[1], 50000);
    stage.served_ppm[0] = 333333; // as the target counts it
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(forward, a_lost_lease_or_record_silences_it)
{
    stage_begin(&stage);
    stage_play(&stage, 3 * MS_MINUTE);
    struct stage other = stage;
    (void)other;
    stage_send(&stage, (struct rollout_event){.type = RE_LEASE_LOST});
    cr_expect(stage.ended);
    cr_expect(stage.state->fenced);
    cr_expect_not(rollout_watching(stage.state));
    uint32_t before = stage.logged;
    stage.bad_share = 0.9;
    stage_play(&stage, MS_HOUR);
    stage_steer(&stage, STEER_ABORT);
    stage_send(&stage, (struct rollout_event){.type = RE_CANCEL});
    cr_expect_eq(stage.logged, before, "not even a revert: another writer owns it");
}

Test(forward, a_record_that_cannot_be_kept_silences_it)
{
    stage.offline = true;
    stage_begin(&stage);
    uint64_t token = stage.state->token;
    stage_send(&stage, (struct rollout_event){.type = RE_RECORD_LOST, .token = token + 9});
    cr_expect_not(stage.state->fenced, "some other token");
    stage_send(&stage, (struct rollout_event){.type = RE_RECORD_LOST, .token = token});
    cr_expect(stage.state->fenced);
    cr_expect(stage.ended);
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
}

Test(forward, a_fenced_revert_stops_too)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage_steer(&stage, STEER_ABORT);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    uint32_t sent = stage_sent(&stage, VERB_REVERT);
    stage_send(&stage, (struct rollout_event){.type = RE_LEASE_LOST});
    stage_play(&stage, MS_HOUR);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), sent);
}

// Every event in every phase, with tokens and targets that do not exist: nothing breaks, nothing
// moves.
Test(forward, odd_events_do_no_harm)
{
    static const enum rollout_phase phases[] = {PHASE_STEP_BAKE, PHASE_BAKE, PHASE_DONE};
    stage_begin(&stage);
    for (size_t p = 0; p < sizeof phases / sizeof phases[0]; p++) {
        cr_assert(stage_reach(&stage, phases[p]));
        for (int type = RE_TARGET_DONE; type <= RE_SAMPLE; type++) {
            struct rollout_event event = {.type = (enum rollout_event_type)type,
                                          .token = UINT64_C(1) << 60,
                                          .target = UINT32_MAX,
                                          .metric = UINT32_MAX,
                                          .nth = UINT32_MAX,
                                          .verb = VERB_SHIFT,
                                          .share_ppm = 50000};
            uint32_t before = stage.logged;
            stage_send(&stage, event);
            event.target = event.metric = event.nth = 0;
            stage_send(&stage, event);
            cr_expect_eq(stage.logged, before, "event %d in %s", type, phase_name(phases[p]));
        }
        stage_send(&stage, (struct rollout_event){.type = RE_BEGIN});
        stage_send(&stage, (struct rollout_event){.type = RE_TIMER});
        cr_expect_eq(stage.state->phase, phases[p]);
    }
}
