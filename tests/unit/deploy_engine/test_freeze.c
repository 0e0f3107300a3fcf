// A calendar that closes and opens while a rollout is under way.
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

TestSuite(freeze, .init = open_stage, .fini = close_stage);

static void freeze(bool frozen)
{
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN,
                                              .granted = frozen,
                                              .text = STR("freeze `exams`, until Monday")});
}

Test(freeze, a_passed_step_waits_and_goes_on_by_itself)
{
    stage_begin(&stage);
    freeze(true);
    const struct rollout_command *record = stage_newest(&stage, RECORD_FROZEN);
    cr_assert_not_null(record);
    cr_expect_str_eq(record->text, "forward steps wait: freeze `exams`, until Monday");
    cr_expect_not(record->durable);
    stage_play(&stage, 2 * MS_HOUR);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
    cr_expect_eq(stage.state->step, 0);
    cr_expect_eq(stage_records(&stage, RECORD_STEP_PASSED), 1, "it is watched and passes");
    cr_expect(rollout_watching(stage.state));
    uint32_t shifts = stage_sent(&stage, VERB_SHIFT);
    freeze(false);
    cr_expect_eq(stage_records(&stage, RECORD_THAWED), 1);
    stage_play(&stage, MS_MINUTE);
    cr_expect_eq(stage.state->step, 1);
    cr_expect_gt(stage_sent(&stage, VERB_SHIFT), shifts);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(freeze, said_twice_it_is_written_down_once)
{
    stage_begin(&stage);
    freeze(true);
    freeze(true);
    freeze(false);
    freeze(false);
    cr_expect_eq(stage_records(&stage, RECORD_FROZEN), 1);
    cr_expect_eq(stage_records(&stage, RECORD_THAWED), 1);
}

Test(freeze, a_breach_goes_back_all_the_same)
{
    stage_begin(&stage);
    freeze(true);
    stage.bad_share = 0.3;
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
    cr_expect_gt(stage_sent(&stage, VERB_REVERT), 0);
}

Test(freeze, what_is_approved_in_it_waits)
{
    stage.plan->approval = (struct plan_approval){.count = 1};
    stage_begin(&stage);
    freeze(true);
    stage_answer(&stage, true, "bob");
    stage_play(&stage, MS_HOUR);
    cr_expect_eq(stage.state->phase, PHASE_WAITING);
    cr_expect_eq(stage_sent(&stage, VERB_STAGE), 0);
    freeze(false);
    stage_play(&stage, MS_MINUTE);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(freeze, one_that_ends_while_nobody_drives_does_not_hold_for_ever)
{
    stage_begin(&stage);
    freeze(true);
    stage_play(&stage, MS_HOUR);
    stage_restart(&stage);
    cr_expect(stage.state->frozen, "so it was when it was written down");
    freeze(false);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(freeze, the_last_step_waits_before_the_old_is_scaled_away)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_BAKE));
    freeze(true);
    stage_play(&stage, 2 * MS_HOUR);
    cr_expect_eq(stage.state->phase, PHASE_BAKE);
    cr_expect_eq(stage_sent(&stage, VERB_PROMOTE), 0);
    freeze(false);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(freeze, an_intent_that_became_durable_in_it_is_not_sent)
{
    stage_begin(&stage);
    stage.offline = true; // the record of the next step is on its way
    stage_play(&stage, 11 * MS_MINUTE);
    cr_assert_eq(stage.state->phase, PHASE_SHIFTING);
    cr_assert(stage.state->awaiting);
    uint32_t shifts = stage_sent(&stage, VERB_SHIFT);
    freeze(true);
    stage.offline = false;
    stage_send(&stage, (struct rollout_event){.type = RE_RECORDED, .token = stage.state->token});
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), shifts);
    freeze(false);
    stage_play(&stage, MS_MINUTE);
    cr_expect_gt(stage_sent(&stage, VERB_SHIFT), shifts);
    cr_expect(stage_reach(&stage, PHASE_DONE));
}

Test(freeze, a_rollback_hears_of_none)
{
    stage.plan->mode = PLAN_ROLLBACK;
    stage.plan->reason = STR("because");
    freeze(true);
    stage_begin(&stage);
    cr_expect(stage_reach(&stage, PHASE_ROLLED_BACK));
    cr_expect_eq(stage_records(&stage, RECORD_FROZEN), 0);
}
