// Targets that move one after another.
#include "stage.h"

static struct stage stage;

static void open_stage(void)
{
    stage_open(&stage);
    stage.plan->targets[0].rank = 1; // web after the workers
}

static void close_stage(void)
{
    stage_close(&stage);
}

TestSuite(order, .init = open_stage, .fini = close_stage);

static const struct rollout_command *sent(uint32_t nth, enum target_verb verb)
{
    for (uint32_t i = 0; i < stage.logged; i++)
        if (stage.log[i].type == RC_TARGET && stage.log[i].verb == verb && nth-- == 0)
            return &stage.log[i];
    return NULL;
}

Test(order, each_step_moves_the_lower_rank_first_and_each_is_written_down)
{
    stage_begin(&stage);
    cr_assert(stage_reach(&stage, PHASE_DONE));
    for (uint32_t i = 0; i < 6; i++)
        cr_expect_eq(sent(i, VERB_SHIFT)->target, i % 2 ? 0 : 1, "shift %u", i);
    cr_expect_eq(stage_records(&stage, RECORD_INTENDED), 8, "stage, six shifts, promote");
    cr_expect_not_null(strstr(stage_newest(&stage, RECORD_INTENDED)->text, "promote v7"));
}

Test(order, the_next_rank_waits_until_the_one_before_is_there)
{
    stage.deaf = true;
    stage_begin(&stage);
    for (uint32_t i = 0; i < 2; i++) // staged: there is no order in that
        stage_send(&stage,
                   (struct rollout_event){.type = RE_TARGET_DONE, .target = i, .verb = VERB_STAGE});
    cr_assert_eq(stage_sent(&stage, VERB_SHIFT), 1);
    cr_expect_eq(sent(0, VERB_SHIFT)->target, 1);
    cr_expect_not_null(strstr(stage_newest(&stage, RECORD_INTENDED)->text, "on workers"));
    stage.served_ppm[1] = 50000;
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 1, .verb = VERB_SHIFT});
    cr_assert_eq(stage_sent(&stage, VERB_SHIFT), 2);
    cr_expect_eq(sent(1, VERB_SHIFT)->target, 0);
    cr_expect_eq(stage.state->phase, PHASE_SHIFTING);
}

Test(order, a_freeze_between_two_ranks_keeps_the_second_where_it_is)
{
    stage.deaf = true;
    stage_begin(&stage);
    for (uint32_t i = 0; i < 2; i++)
        stage_send(&stage,
                   (struct rollout_event){.type = RE_TARGET_DONE, .target = i, .verb = VERB_STAGE});
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN, .granted = true});
    stage_send(&stage,
               (struct rollout_event){.type = RE_TARGET_DONE, .target = 1, .verb = VERB_SHIFT});
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 1);
    stage_send(&stage, (struct rollout_event){.type = RE_FROZEN});
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 2);
}

Test(order, a_new_process_goes_on_with_the_rank_that_is_missing)
{
    stage.deaf = true;
    stage_begin(&stage);
    for (uint32_t i = 0; i < 2; i++)
        stage_send(&stage,
                   (struct rollout_event){.type = RE_TARGET_DONE, .target = i, .verb = VERB_STAGE});
    stage.served_ppm[1] = 50000; // it got there, and nobody heard of it
    stage.deaf = false;
    stage_restart(&stage);
    cr_expect_eq(stage_sent(&stage, VERB_SHIFT), 2);
    cr_expect_eq(sent(1, VERB_SHIFT)->target, 0);
    cr_expect_eq(stage.state->phase, PHASE_STEP_BAKE);
}

Test(order, the_way_back_knows_none)
{
    stage_begin(&stage);
    stage_steer(&stage, STEER_ABORT);
    cr_expect_eq(stage_sent(&stage, VERB_REVERT), 2);
    cr_expect_eq(sent(0, VERB_REVERT)->target, 0);
}
