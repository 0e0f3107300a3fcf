// Approvals, steering, cancelling.
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

TestSuite(people, .init = open_stage, .fini = close_stage);

Test(people, nothing_is_touched_before_the_approval)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_eq(stage_emitted(&stage, RC_ASK), 1);
    cr_expect_eq(stage_records(&stage, RECORD_APPROVAL_ASKED), 1);
    cr_expect_not(rollout_watching(stage.state));
    stage_play(&stage, MS_DAY);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage_answer(&stage, true, "bob");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect(str_is(stage_newest(&stage, RECORD_APPROVAL_GIVEN)->who, "bob"));
}

Test(people, two_approvals_are_two_people)
{
    stage.plan->approval = (struct plan_approval){.count = 2};
    stage_begin(&stage);
    stage_answer(&stage, true, "bob");
    stage_answer(&stage, true, "bob");
    stage_answer(&stage, true, "BOB");
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_eq(stage_records(&stage, RECORD_APPROVAL_GIVEN), 1);
    stage_answer(&stage, true, "alice");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

static void say(enum rollout_event_type type, uint64_t word, const char *who)
{
    stage_send(&stage, (struct rollout_event){.type = type,
                                              .token = stage.state->asked,
                                              .word = word,
                                              .granted = true,
                                              .who = str_of(who)});
}

Test(people, an_approval_is_taken_back_by_who_gave_it_and_given_again)
{
    stage.plan->approval = (struct plan_approval){.count = 2};
    stage_begin(&stage);
    say(RE_ANSWER, 11, "bob");
    say(RE_WITHDRAWN, 11, "alice"); // it is not hers
    say(RE_WITHDRAWN, 12, "bob");   // that is none
    say(RE_WITHDRAWN, 0, "bob");
    cr_expect_eq(stage.state->answers, 1);
    stage_restart(&stage);
    say(RE_WITHDRAWN, 11, "Bob");
    say(RE_WITHDRAWN, 11, "bob"); // read twice
    cr_expect_eq(stage.state->answers, 0);
    cr_expect_eq(stage_records(&stage, RECORD_APPROVAL_WITHDRAWN), 1);
    cr_expect(str_is(stage_newest(&stage, RECORD_APPROVAL_WITHDRAWN)->who, "Bob"));
    say(RE_ANSWER, 21, "alice");
    cr_expect_eq(stage.state->phase, PHASE_WAITING, "one has agreed, and not two");
    say(RE_ANSWER, 13, "bob");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    say(RE_WITHDRAWN, 13, "bob");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE, "too late");
    cr_expect_eq(stage_records(&stage, RECORD_APPROVAL_WITHDRAWN), 1);
}

Test(people, the_first_of_several_approvals_is_the_one_that_is_taken_back)
{
    stage.plan->approval = (struct plan_approval){.count = 3};
    stage_begin(&stage);
    say(RE_ANSWER, 1, "alice");
    say(RE_ANSWER, 2, "bob");
    say(RE_WITHDRAWN, 1, "alice");
    cr_expect_eq(stage.state->answers, 1);
    cr_expect(rollout_answered(stage.state, STR("bob")));
    cr_expect_not(rollout_answered(stage.state, STR("alice")));
}

Test(people, a_refusal_ends_it)
{
    stage.plan->approval = (struct plan_approval){.count = 2};
    stage_begin(&stage);
    stage_answer(&stage, true, "bob");
    stage_answer(&stage, false, "alice");
    cr_expect_eq(stage.state->phase, PHASE_DENIED);
    cr_expect(stage.ended);
    stage_answer(&stage, true, "carol");
    cr_expect_eq(stage.state->phase, PHASE_DENIED);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
}

Test(people, an_approval_expires)
{
    stage.plan->approval = (struct plan_approval){.count = 1, .expires_after_ms = 2 * MS_HOUR};
    stage_begin(&stage);
    stage_play(&stage, 2 * MS_HOUR - MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    stage_play(&stage, 2 * MS_SECOND);
    cr_expect_eq(stage.state->phase, PHASE_DENIED);
}

Test(people, a_step_waits_for_its_own_approval_and_is_watched)
{
    stage.plan->steps[1].approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_WAITING));
    cr_expect_eq(stage.state->step, 1);
    cr_expect_eq(stage.served_ppm[0], 50000);
    cr_expect(rollout_watching(stage.state));
    stage_play(&stage, 3 * MS_HOUR);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    stage.bad_share = 0.2; // after three good hours the evidence for it has a way to go
    stage_play(&stage, 10 * MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK, "an approval does not stop the watching");
}

Test(people, an_approval_after_the_breach_comes_too_late)
{
    stage.plan->steps[1].approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_WAITING));
    stage.deaf = stage.blind = true;
    stage.bad_share = 0.2;
    stage_play(&stage, 5 * MS_MINUTE);
    cr_assert_eq(stage.state->phase, PHASE_REVERTING);
    stage_answer(&stage, true, "bob");
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    cr_expect_eq(stage_records(&stage, RECORD_APPROVAL_GIVEN), 0);
}

Test(people, an_answer_to_another_question_does_not_count)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage.plan->steps[0].approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    uint64_t first = stage.state->asked;
    stage_answer(&stage, true, "bob");
    cr_assert_eq(stage.state->phase, PHASE_WAITING, "now for the first step");
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2);
    stage_send(&stage, (struct rollout_event){
                           .type = RE_ANSWER, .token = first, .granted = true, .who = STR("bob")});
    cr_expect_eq(stage.state->phase, PHASE_WAITING, "the same answer, delivered twice");
    stage_answer(&stage, true, "bob");
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(people, a_refused_step_goes_back)
{
    stage.plan->steps[1].approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_WAITING));
    stage_answer(&stage, false, "bob");
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_not(stage.state->automatic);
}

Test(people, an_approval_during_a_freeze_waits_for_its_end)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_answer(&stage, true, "bob");
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = false});
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

// ---- steering -----------------------------------------------------------------------------------

Test(people, promote_skips_the_rest_of_a_bake)
{
    stage_begin(&stage);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->step, 1);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    const struct rollout_command *steered = stage_newest(&stage, RECORD_STEERED);
    cr_assert_not_null(steered);
    cr_expect(str_is(steered->who, "alice"));
    cr_expect_not_null(strstr(steered->text, "because"));
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 0, "it did not pass, somebody decided");
}

Test(people, the_same_promote_counts_once)
{
    stage_begin(&stage);
    struct rollout_event promote = {
        .type = RE_STEER, .token = 77, .steer = STEER_PROMOTE, .who = STR("alice")};
    stage_send(&stage, promote);
    stage_send(&stage, promote);
    cr_expect_eq(stage.state->step, 1);
    promote.token = 78;
    promote.share_ppm = 50000; // meant for the step that is over
    stage_send(&stage, promote);
    cr_expect_eq(stage.state->step, 1);
}

static void steer_as(enum rollout_steer steer, uint64_t token)
{
    stage_send(&stage, (struct rollout_event){.type = RE_STEER,
                                              .token = token,
                                              .steer = steer,
                                              .who = STR("alice"),
                                              .text = STR("because")});
}

// Another process reads every word of the ledger again.
Test(people, no_word_counts_twice_whoever_reads_it)
{
    stage_begin(&stage);
    steer_as(STEER_HOLD, 101);
    steer_as(STEER_PROMOTE, 102);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.state->step, 1);
    stage_restart(&stage);
    steer_as(STEER_HOLD, 101);
    steer_as(STEER_PROMOTE, 102);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.state->step, 1);
    cr_expect(rollout_heard(stage.state, 101) && rollout_heard(stage.state, 102));
    cr_expect_not(rollout_heard(stage.state, 103));
    cr_expect_not(rollout_heard(stage.state, 0), "what has no name is never known again");
    for (uint64_t token = 200; token < 200 + 2 * ROLLOUT_STEERS; token++)
        steer_as(STEER_PROMOTE, token);
    cr_expect_leq(stage.state->heard_count, ROLLOUT_STEERS);
}

Test(people, a_hold_outlasts_the_approval_that_is_waited_for)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_not_null(strstr(stage.state->why, "held by alice"));
    cr_expect_not(rollout_answered(stage.state, STR("bob")));
    stage_answer(&stage, true, "bob");
    cr_expect(rollout_answered(stage.state, STR("Bob")));
    cr_expect_eq(stage.state->phase, PHASE_WAITING, "approved, and held");
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
    cr_expect_str_empty(stage.state->why);
}

Test(people, a_promote_that_ends_a_hold_is_no_approval)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage_answer(&stage, true, "bob");
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(people, promote_is_no_approval_and_no_abort)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    stage_answer(&stage, true, "bob");
    stage.deaf = stage.blind = true;
    stage_steer(&stage, STEER_ABORT);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
}

Test(people, promote_ends_a_hold)
{
    stage.silent = true;
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_HELD));
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect_eq(stage.state->step, 1);
    stage.silent = false;
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(people, a_hold_while_commands_are_under_way)
{
    stage.deaf = true;
    stage_begin(&stage);
    stage_steer(&stage, STEER_HOLD);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    stage.deaf = false;
    for (uint32_t i = 0; i < 2; i++)
        stage_send(&stage,
                   (struct rollout_event){.type = RE_TARGET_DONE, .target = i, .verb = VERB_STAGE});
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 0);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 2);
}

Test(people, a_hold_between_intent_and_command)
{
    stage.offline = true;
    stage_begin(&stage);
    uint64_t token = stage.state->token;
    stage_steer(&stage, STEER_HOLD);
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = token});
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    stage.offline = false;
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(people, abort_before_anything_is_touched)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    stage_steer(&stage, STEER_ABORT);
    cr_expect_eq(stage.state->phase, PHASE_CANCELLED);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
}

// ---- cancelling ---------------------------------------------------------------------------------

static void cancel(void)
{
    stage_send(&stage, (struct rollout_event){.type = RE_CANCEL});
}

Test(people, cancel_reverts_what_was_touched)
{
    stage_begin(&stage);
    cancel();
    cr_expect_eq(stage.state->phase, PHASE_ROLLED_BACK);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
}

Test(people, cancel_holds_when_the_policy_says_so)
{
    stage.plan->rollback_on_cancel = false;
    stage_begin(&stage);
    cancel();
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    cr_expect(stage.ended);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 0);
    stage_restart(&stage);
    cr_expect_eq(stage.state->phase, PHASE_HELD);
    stage_steer(&stage, STEER_PROMOTE);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(people, cancel_before_anything_is_touched)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    cancel();
    cr_expect_eq(stage.state->phase, PHASE_CANCELLED);
    cr_expect(stage.ended);
}

Test(people, cancel_does_not_stop_a_revert)
{
    stage_begin(&stage);
    stage.deaf = stage.blind = true;
    stage_steer(&stage, STEER_ABORT);
    cancel();
    cr_expect_eq(stage.state->phase, PHASE_REVERTING);
    stage.deaf = stage.blind = false;
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
}
