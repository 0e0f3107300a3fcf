// When a process may leave a rollout that is not over, and what the next one makes of it.
#include "rig.h"

Test(suspend, suspends_where_only_a_person_can_go_on)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 1});
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_WAITING);
    rig_crash(&rig); // another process goes on, with what the ledger says
    cr_expect(rig.kept_claim, "the environment stays claimed");
    rig_start_suspending(&rig);
    rig.answers = 1; // meanwhile somebody has answered
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig.asked, 2, "asked again by the second process");
    rig_close(&rig);
}

Test(suspend, two_answers_that_are_there_are_both_taken_before_it_suspends)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 2});
    rig.answers = 2;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

static void say_in_a_second(struct rig *rig, enum rollout_steer steer, uint64_t token)
{
    rig->word = (struct steering){.steer = steer, .token = token, .who = STR("ada")};
    rig->word_at_ms = rig->now_ms + MS_SECOND;
}

// Half of the traffic is on the release.
static void hold_in_a_bake(struct rig *rig)
{
    rig_start_suspending(rig);
    rig_play_to(rig, PHASE_STEP_BAKE);
    say_in_a_second(rig, STEER_HOLD, 8);
}

Test(suspend, what_is_held_with_traffic_is_left_to_who_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.woken_ms = MS_HOUR;
    hold_in_a_bake(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_HELD);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    cr_expect_eq(rig.troubles, 0);
    rig_close(&rig);
}

Test(suspend, what_is_held_with_traffic_is_not_left_alone)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    hold_in_a_bake(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_GOING, PHASE_HELD);
    cr_expect_eq(rig.troubles, 1, "said once");
    cr_expect_not_null(strstr(rig.trouble, "this process stays"), "%s", rig.trouble);
    say_in_a_second(&rig, STEER_PROMOTE, 9);
    rig_play_to(&rig, PHASE_BAKE);
    say_in_a_second(&rig, STEER_HOLD, 10);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_GOING, PHASE_HELD);
    cr_expect_eq(rig.troubles, 2, "and of the next hold again");
    rig.value = 1000; // which is seen, because it stayed
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    rig_close(&rig);
}

// The runner's time limit ends what stays, as it ends everything.
Test(suspend, a_cancel_ends_what_stays_because_nobody_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    hold_in_a_bake(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_GOING, PHASE_HELD);
    driver_cancel(rig.driver);
    must_be(&rig, rig_play(&rig, MS_MINUTE), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig.troubles, 1);
    rig_close(&rig);
}

// A `resume` that only comes by does not stay with what somebody else left so; with what it holds
// itself it does.
Test(suspend, what_was_found_held_is_left_as_it_was_found)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    hold_in_a_bake(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_GOING, PHASE_HELD);
    rig_crash(&rig);
    rig.as_found = true;
    rig.troubles = 0;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_HELD);
    cr_expect_eq(rig.troubles, 1);
    cr_expect_not_null(strstr(rig.trouble, "no regression is seen"), "%s", rig.trouble);
    rig_crash(&rig);
    rig_start_suspending(&rig);
    rig.word = (struct steering){.steer = STEER_PROMOTE, .token = 11, .who = STR("ada")};
    rig.word_at_ms = rig.now_ms;
    rig_play_to(&rig, PHASE_BAKE);
    say_in_a_second(&rig, STEER_HOLD, 12);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_GOING, PHASE_HELD);
    rig_close(&rig);
}

Test(suspend, what_waits_with_traffic_is_left_to_who_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.step_answers = 1});
    rig.woken_ms = MS_HOUR;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_WAITING);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    rig_crash(&rig);
    rig_start_suspending(&rig);
    rig.answers = 1;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

// ---- a bake that nobody sits through ------------------------------------------------------------

// The reading at the moment of leaving, and where the one after the next wake began.
static const struct rig_reading *woken(struct rig *rig, int64_t after_ms)
{
    const struct rig_reading *last = &rig->readings[rig->reading_count - 1];
    int64_t ended_ms = last->to_ms;
    unsigned before = rig->reading_count;
    rig_crash(rig); // it is over; the next process has what the ledger says
    cr_expect(rig->kept_claim, "the environment stays claimed");
    rig->now_ms += after_ms;
    rig_start_suspending(rig);
    must_be(rig, rig_play(rig, MS_HOUR), RUN_SUSPENDED, PHASE_BAKE);
    cr_assert_eq(rig->reading_count, before + 1, "one look, one reading");
    last = &rig->readings[before];
    cr_expect_leq(last->from_ms, ended_ms, "nothing in between is left out");
    return last;
}

Test(suspend, a_long_bake_holds_no_process)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.woken_ms = MS_MINUTE;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_STEP_BAKE);
    int64_t until_ms = driver_state(rig.driver)->bake_until_ms;
    cr_expect_gt(until_ms - rig.now_ms, MS_MINUTE, "only while there is time to be woken");
    rig_crash(&rig);
    rig.now_ms = until_ms - 30 * MS_SECOND; // woken in its last part: it stays to the end
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_BAKE);
    cr_expect_geq(rig.now_ms, until_ms);
    for (int i = 0; i < 3; i++) {
        const struct rig_reading *reading = woken(&rig, MS_MINUTE);
        cr_expect_geq(reading->to_ms - reading->from_ms, MS_MINUTE);
    }
    rig_crash(&rig);
    rig.now_ms += MS_HOUR; // long after it was over
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig.troubles, 0, "%s", rig.trouble);
    rig_close(&rig);
}

Test(suspend, a_breach_while_nobody_was_there_is_seen_by_the_next_look)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.woken_ms = MS_MINUTE;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_STEP_BAKE);
    rig_crash(&rig);
    rig.now_ms += MS_MINUTE;
    rig.value = 1000;
    int64_t woken_ms = rig.now_ms;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_leq(rig_first(&rig, INTENT_REVERT)->at_ms, woken_ms + 10 * MS_SECOND);
    rig_close(&rig);
}

// The engine lets a bake last until figures that a new process has read are there.
Test(suspend, looks_that_come_often_do_not_put_the_end_off)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.lag_ms = 20 * MS_SECOND});
    rig.woken_ms = 2 * MS_SECOND;
    enum run_status status = RUN_SUSPENDED;
    for (int looks = 0; looks < 1000 && status == RUN_SUSPENDED; looks++) {
        rig_start_suspending(&rig);
        status = rig_play(&rig, MS_HOUR);
        if (status == RUN_SUSPENDED)
            rig_crash(&rig);
        rig.now_ms += 10 * MS_SECOND;
    }
    must_be(&rig, status, RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

// A probe can tell only of the time in which it is asked.
Test(suspend, a_bake_whose_source_could_not_tell_afterwards_keeps_its_process)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.plan->metrics[0].own = true;
    rig.woken_ms = MS_MINUTE;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

// Nothing may be missed where nobody is named, and nobody is kept waiting who asked to.
Test(suspend, a_long_bake_keeps_its_process_where_nobody_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
    rig_open(&rig, (struct rig_plan){0});
    rig.woken_ms = MS_MINUTE;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}
