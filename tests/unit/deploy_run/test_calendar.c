// The driver and the calendar: when the engine hears of it, and that freezes are read again before
// each forward step.
#include "rig.h"

Test(calendar, an_open_one_changes_nothing)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.target_count = 2});
    rig.has_calendar = true;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig.troubles, 0, "%s", rig.trouble);
    cr_expect_gt(rig.looks, 0);
    cr_expect_not(rig_said(&rig, "rollout.frozen"));
    rig_close(&rig);
}

Test(calendar, one_that_closes_makes_it_wait_and_is_said_once)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.has_calendar = true;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.frozen = true;
    (void)rig_play(&rig, 3 * MS_HOUR);
    cr_expect_eq(driver_state(rig.driver)->phase, PHASE_STEP_BAKE);
    cr_expect(driver_state(rig.driver)->frozen);
    cr_expect_str_eq(rig.trouble, "forward steps wait: freeze `exams`");
    cr_expect_eq(rig.troubles, 1);
    unsigned readings = rig.reading_count;
    (void)rig_play(&rig, MS_HOUR);
    cr_expect_gt(rig.reading_count, readings, "it goes on being watched");
    rig.frozen = false;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(calendar, a_breach_in_a_freeze_goes_back)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.has_calendar = true;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.frozen = true;
    (void)rig_play(&rig, MS_MINUTE);
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    rig_close(&rig);
}

// The record of the next step is durable, but nobody has looked at the calendar since.
Test(calendar, a_forward_step_waits_for_the_freezes_to_be_read_again)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.has_calendar = true;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.stale = true;
    rig_play_to(&rig, PHASE_SHIFTING);
    unsigned shifts = rig_count(&rig, INTENT_SHIFT);
    (void)rig_play(&rig, 5 * MS_SECOND);
    cr_expect_eq(rig_count(&rig, INTENT_SHIFT), shifts);
    rig.stale = false;
    rig.frozen = true; // and what is read forbids it
    (void)rig_play(&rig, MS_HOUR);
    cr_expect_eq(rig_count(&rig, INTENT_SHIFT), shifts);
    cr_expect_eq(driver_state(rig.driver)->phase, PHASE_SHIFTING);
    rig.frozen = false;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(calendar, one_that_cannot_be_read_holds_nobody_up_for_long)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.has_calendar = rig.stale = true;
    rig.calendar_trouble = "freezes are not read again";
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_str_eq(rig.trouble, "freezes are not read again");
    cr_expect_eq(rig.troubles, 1, "said once");
    rig_close(&rig);
}

Test(calendar, a_process_that_takes_over_hears_of_it_before_it_goes_on)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.has_calendar = true;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig_crash(&rig);
    rig.frozen = true;
    unsigned shifts = rig_count(&rig, INTENT_SHIFT);
    rig_start(&rig);
    (void)rig_play(&rig, 3 * MS_HOUR);
    cr_expect_eq(rig_count(&rig, INTENT_SHIFT), shifts);
    cr_expect(driver_state(rig.driver)->frozen);
    rig_crash(&rig);
    rig.frozen = false; // it ended while nobody drove
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(calendar, a_driver_without_one_is_not_held_by_what_the_ledger_says)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.has_calendar = true;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.frozen = true;
    (void)rig_play(&rig, MS_HOUR);
    rig_crash(&rig);
    rig.has_calendar = false;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

// Frozen between the answer and the first command, or between preparing and the first traffic.
Test(calendar, what_is_frozen_before_it_has_traffic_needs_no_process)
{
    for (int prepared = 0; prepared < 2; prepared++) {
        struct rig rig;
        rig_open(&rig, (struct rig_plan){.stage_answers = 1});
        rig.has_calendar = true;
        rig.answers = 1;
        rig_start_suspending(&rig);
        rig_play_to(&rig, prepared ? PHASE_SHIFTING : PHASE_PREPARING);
        rig.frozen = true;
        cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_SUSPENDED);
        cr_expect_not(driver_state(rig.driver)->out);
        cr_expect_eq(rig.targets[0].share_ppm, 0);
        rig_crash(&rig);
        cr_expect(rig.kept_claim, "the environment stays claimed");
        rig_start_suspending(&rig);
        // An intent of traffic may have been sent, for all that this process knows: it is watched.
        cr_expect_eq(rig_play(&rig, MS_HOUR), prepared ? RUN_GOING : RUN_SUSPENDED);
        rig_crash(&rig);
        rig.frozen = false;
        rig.answers = 0; // what was answered is known
        rig_start_suspending(&rig);
        cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_ENDED);
        cr_expect_eq(driver_state(rig.driver)->phase, PHASE_DONE);
        rig_close(&rig);
    }
}

Test(calendar, what_is_frozen_with_traffic_is_watched)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.has_calendar = true;
    rig_start_suspending(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.frozen = true;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_GOING);
    cr_expect(driver_state(rig.driver)->out);
    rig.frozen = false;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_ENDED);
    rig_close(&rig);
}
