// A release that leaves behind what known good cannot live with: nothing but a person takes it
// back.
#include "stage.h"

static struct stage stage;

static void open_stage(void)
{
    stage_open(&stage);
    stage.plan->targets[1].no_return = STR("0007_names.py:14: RemoveField is irreversible");
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(no_return, .init = open_stage, .fini = close_stage);

static uint32_t incidents(const char *severity)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stage.logged; i++)
        count += stage.log[i].type == RC_INCIDENT && strcmp(stage.log[i].text, severity) == 0;
    return count;
}

static void go_bad(void)
{
    stage_begin(&stage);
    stage.bad_share = 0.3;
    cr_assert(stage_reach(&stage, PHASE_HELD));
}

Test(no_return, a_good_release_goes_out_as_ever)
{
    stage_begin(&stage);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(no_return, a_breach_holds_and_calls_somebody)
{
    go_bad();
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
    cr_expect_eq(incidents("P1"), 1);
    cr_expect_not_null(strstr(stage.state->why, "errors on web"), "%s", stage.state->why);
    cr_expect_not_null(strstr(stage.state->why, "not taken back by itself"));
    cr_expect_not_null(strstr(stage.state->why, "0007_names.py:14"));
    stage_play(&stage, MS_HOUR);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(stage_records(&stage, RECORD_HELD), 1, "said once");
    cr_expect_eq(incidents("P1"), 1);
}

Test(no_return, a_person_takes_it_back)
{
    go_bad();
    stage_steer(&stage, STEER_ABORT);
    cr_assert(stage_reach(&stage, PHASE_ROLLED_BACK));
    cr_expect_eq(stage.served_ppm[0], 0);
}

Test(no_return, a_person_goes_forward_step_by_step)
{
    go_bad();
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->step, 1);
    cr_assert(stage_reach(&stage, PHASE_HELD));
    cr_expect_not_null(strstr(stage.state->why, "is worse than it may be"), "%s", stage.state->why);
    stage_steer(&stage, STEER_PROMOTE);
    cr_assert(stage_reach(&stage, PHASE_HELD));
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
}

Test(no_return, a_target_that_fails_is_sent_again_by_a_promote)
{
    stage_begin(&stage);
    cr_assert_eq(stage.state->step, 0);
    stage.deaf = true;
    stage_steer(&stage, STEER_PROMOTE);
    cr_assert_eq(stage.state->phase, PHASE_SHIFTING);
    stage_send(&stage, (struct rollout_event){.type = RE_TARGET_FAILED,
                                              .target = 0,
                                              .verb = VERB_SHIFT,
                                              .text = STR("its disk is full")});
    cr_assert_eq(stage.state->phase, PHASE_HELD);
    cr_expect_not_null(strstr(stage.state->why, "its disk is full"));
    stage.deaf = false;
    uint32_t before = stage_sent(&stage, VERB_SHIFT);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_gt(stage_sent(&stage, VERB_SHIFT), before);
    cr_expect_eq(stage.served_ppm[0], 250000);
}

Test(no_return, what_never_settles_holds_once_and_does_not_spin)
{
    stage_begin(&stage);
    stage.deaf = true;
    stage_steer(&stage, STEER_PROMOTE);
    cr_assert(stage_reach(&stage, PHASE_HELD));
    cr_expect_not_null(strstr(stage.state->why, "did not settle"), "%s", stage.state->why);
    uint32_t before = stage.logged;
    stage_play(&stage, 10 * MS_MINUTE);
    cr_expect_lt(stage.logged - before, 100);
    cr_expect_eq(stage_records(&stage, RECORD_HELD), 1);
}

Test(no_return, nothing_had_traffic_yet_the_old_one_stays)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage_send(&stage, (struct rollout_event){.type = RE_TARGET_FAILED,
                                              .target = 0,
                                              .verb = VERB_STAGE,
                                              .text = STR("its disk is full")});
    cr_expect_eq(stage.state->phase, PHASE_REVERTING, "known good serves: that is so already");
}

Test(no_return, a_cancelled_run_and_a_refusal_hold)
{
    stage_begin(&stage);
    stage_send(&stage, (struct rollout_event){.type = RE_CANCEL});
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect(stage.ended);
    stage_close(&stage);
    open_stage();
    static str names[] = {STR_INIT("alice")};
    stage.plan->steps[1].approval =
        (struct plan_approval){.count = 1, .from = names, .from_count = 1};
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_WAITING));
    stage_answer(&stage, false, "alice");
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
}

Test(no_return, a_new_process_tells_of_it_again)
{
    go_bad();
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(incidents("P1"), 2, "the one who read the state may never have got that far");
    cr_expect(
        str_is(stage.plan->targets[1].no_return, "0007_names.py:14: RemoveField is irreversible"));
}

Test(no_return, a_rollback_by_hand_is_never_refused)
{
    stage.plan->mode = PLAN_ROLLBACK;
    stage_begin(&stage);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
}
