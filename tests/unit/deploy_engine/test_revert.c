// The way back: what it does when targets resist.
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

TestSuite(revert, .init = open_stage, .fini = close_stage);

static void observed(uint32_t target, uint32_t share_ppm, bool settled)
{
    stage_send(&stage, (struct rollout_event){.type = RE_OBSERVED,
                                              .token = stage.state->targets[target].look_token,
                                              .target = target,
                                              .share_ppm = share_ppm,
                                              .on_good_ppm = SHARE_ALL - share_ppm,
                                              .settled = settled});
}

static void to_reverting(void)
{
    stage_begin(&stage);
    stage.deaf = stage.blind = true;
    stage_steer(&stage, STEER_ABORT);
    cr_assert_eq(stage.state->phase, PHASE_REVERTING);
}

Test(revert, one_that_fails_does_not_stop_the_other)
{
    to_reverting();
    stage_send(&stage, (struct rollout_event){.type = RE_TARGET_FAILED,
                                              .target = 0,
                                              .verb = VERB_REVERT,
                                              .text = STR("throttled")});
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 1, .verb = VERB_REVERT});
    observed(1, 0, true);
    cr_expect(stage.state->targets[1].settled);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    observed(0, 50000, true);
    uint32_t before = stage_sent(&stage, VERB_REVERT);
    stage_play(&stage, 2 * MS_SECOND);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), before + 1, "sent again after a short wait");
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 0, .verb = VERB_REVERT});
    observed(0, 0, true);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(revert, acknowledged_is_not_verified)
{
    to_reverting();
    for (uint32_t i = 0; i < 2; i++)
        stage_send(&stage, (struct rollout_event){
                               .type = RE_TARGET_DONE, .target = i, .verb = VERB_REVERT});
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    observed(0, 0, true);
    observed(1, 0, false);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING, "not settled");
    stage_play(&stage, 4 * MS_SECOND);
    observed(1, 1, true);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING, "one request in a million is not all of it");
    while (stage.state->targets[1].look_token == 0)
        stage_play(&stage, MS_SECOND);
    observed(1, 0, true);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(revert, a_failure_that_had_its_effect_is_seen)
{
    to_reverting();
    uint32_t sent = stage_sent(&stage, VERB_REVERT);
    for (uint32_t i = 0; i < 2; i++) {
        stage_send(&stage, (struct rollout_event){.type = RE_TARGET_FAILED,
                                                  .target = i,
                                                  .verb = VERB_REVERT,
                                                  .text = STR("timeout after sending")});
        observed(i, 0, true);
    }
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), sent);
}

Test(revert, lost_answers_are_asked_for)
{
    to_reverting();
    stage.blind = false;
    stage.served_ppm[0] = stage.served_ppm[1] = 0; // it worked, but nobody said so
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
}

Test(revert, observations_that_never_come_do_not_stop_it)
{
    to_reverting();
    uint32_t sent = stage_sent(&stage, VERB_REVERT);
    stage_play(&stage, 5 * MS_MINUTE);
    cr_expect_geq(stage_sent(&stage, VERB_REVERT), sent + 2 * 4, "each of both every minute");
    cr_expect_leq(stage_sent(&stage, VERB_REVERT), sent + 2 * 5, "and not more often");
    cr_expect_gt(stage.state->targets[0].attempts, 4);
}

Test(revert, a_look_that_is_answered_begins_the_minute_anew)
{
    to_reverting();
    uint32_t sent = stage_sent(&stage, VERB_REVERT);
    stage_play(&stage, 50 * MS_SECOND);
    cr_assert_neq(stage.state->targets[0].look_token, 0);
    observed(0, 25000, false); // it moves
    stage_play(&stage, 30 * MS_SECOND);
    cr_expect_eq(stage.state->targets[1].attempts, 2, "a minute without an answer");
    cr_expect_eq(stage.state->targets[0].attempts, 1);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), sent + 1);
    stage_play(&stage, 45 * MS_SECOND);
    cr_expect_eq(stage.state->targets[0].attempts, 2);
}

Test(revert, what_cannot_be_verified_is_stuck_and_loud)
{
    to_reverting();
    stage_play(&stage, 12 * MS_MINUTE + MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_STUCK);
    cr_expect(stage.ended);
    cr_expect_eq(stage_records(&stage, RECORD_STUCK), 1);
    bool loud = false;
    for (uint32_t i = 0; i < stage.logged; i++)
        loud = loud || (stage.log[i].type == RC_INCIDENT && strcmp(stage.log[i].text, "P1") == 0);
    cr_expect(loud);
    uint32_t before = stage.logged;
    stage_play(&stage, MS_HOUR);
    cr_expect_eq(stage.logged, before);
    stage.deaf = stage.blind = false;
    stage_restart(&stage);
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK), "and resumable");
}

Test(revert, an_abort_tries_a_stuck_one_again)
{
    to_reverting();
    stage_play(&stage, 13 * MS_MINUTE);
    cr_assert_eq(stage.state->phase, PHASE_STUCK);
    stage.deaf = stage.blind = false;
    stage_steer(&stage, STEER_ABORT);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(revert, a_first_deployment_has_nothing_to_go_back_to)
{
    stage.plan->targets[0].good = (struct placement){0};
    to_reverting();
    stage.deaf = false;
    for (uint32_t i = 0; i < 2; i++) {
        stage_send(&stage, (struct rollout_event){
                               .type = RE_TARGET_DONE, .target = i, .verb = VERB_REVERT});
        stage_send(&stage, (struct rollout_event){.type = RE_OBSERVED,
                                                  .token = stage.state->targets[i].look_token,
                                                  .target = i,
                                                  .on_good_ppm = i ? SHARE_ALL : 0,
                                                  .settled = true});
    }
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(revert, untouched_targets_are_left_alone)
{
    stage_begin(&stage);
    stage.state->targets[1].touched = false;
    stage_steer(&stage, STEER_ABORT);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 1);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
}

Test(revert, a_late_forward_answer_means_nothing)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage.blind = true;
    stage_steer(&stage, STEER_ABORT);
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 0, .verb = VERB_STAGE});
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 1, .verb = VERB_STAGE});
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 0);
}

Test(revert, an_intent_that_becomes_durable_late_is_not_carried_out)
{
    stage.offline = true;
    stage_begin(&stage);
    uint64_t token = stage.state->token;
    stage_steer(&stage, STEER_ABORT);
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
}

// ---- rollback by hand ---------------------------------------------------------------------------

Test(revert, a_rollback_waits_for_nothing)
{
    stage.plan->mode = PLAN_ROLLBACK;
    stage.plan->approval.count = 3;
    stage.plan->reason = STR("customers complain");
    stage.offline = true;
    stage.served_ppm[0] = stage.served_ppm[1] = SHARE_ALL;
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_begin(&stage);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
    // The process that it fenced out may still have a command on its way.
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    stage_play(&stage, 4 * MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
    cr_expect_eq(stage_newest(&stage, RECORD_ROLLED_BACK)->durable, false);
    for (uint32_t i = 0; i < stage.logged; i++)
        cr_expect_neq(stage.log[i].type, RC_INCIDENT, "a person's decision is no incident");
}

Test(revert, nobody_steers_a_rollback_away)
{
    stage.plan->mode = PLAN_ROLLBACK;
    stage.deaf = stage.blind = true;
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    stage_steer(&stage, STEER_PROMOTE);
    stage_send(&stage, (struct rollout_event){.type = RE_CANCEL});
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
}
