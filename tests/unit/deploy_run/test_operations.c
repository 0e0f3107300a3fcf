// Commands and looks under way on targets: tried again, left alone, replaced, and told of.
#include "rig.h"

Test(operations, transient_failures_are_tried_again_after_a_growing_pause)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.targets[0].failing = INTENT_STAGE;
    rig.targets[0].failures = 3;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig_count(&rig, INTENT_STAGE), 4);
    static const int64_t steps[] = {500, 1000, 2000};
    for (unsigned i = 0; i < 3; i++) {
        int64_t pause = rig.starts[i + 1].at_ms - rig.starts[i].at_ms;
        cr_expect(pause >= steps[i] / 2 && pause <= steps[i], "pause %u is %lld ms", i,
                  (long long)pause);
    }
    rig_close(&rig);
}

// How long after its first attempt at `verb` the second one came.
static int64_t pause_of(enum intent_verb verb, int64_t retry_after_ms)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.targets[0].failing = verb;
    rig.targets[0].failures = 1;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig.targets[0].retry_after_ms = retry_after_ms;
    rig_start(&rig);
    if (verb == INTENT_REVERT) {
        rig_play_to(&rig, PHASE_STEP_BAKE);
        driver_cancel(rig.driver);
    }
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED,
            verb == INTENT_REVERT ? PHASE_ROLLED_BACK : PHASE_DONE);
    cr_assert_geq(rig_count(&rig, verb), 2);
    const struct rig_start *first = rig_first(&rig, verb);
    int64_t pause = first[1].at_ms - first->at_ms;
    rig_close(&rig);
    return pause;
}

Test(operations, a_target_that_asks_to_be_left_alone_is)
{
    cr_expect_leq(pause_of(INTENT_STAGE, 0), 500);
    cr_expect_leq(pause_of(INTENT_STAGE, 10), 500, "no sooner than by itself");
    cr_expect_eq(pause_of(INTENT_STAGE, 90 * MS_SECOND), 90 * MS_SECOND);
    cr_expect_eq(pause_of(INTENT_REVERT, 25 * MS_SECOND), 25 * MS_SECOND);
    cr_expect_eq(pause_of(INTENT_REVERT, MS_HOUR), MS_MINUTE, "a way back does not wait that long");
}

Test(operations, no_target_is_left_alone_beyond_the_limit)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.targets[0].failing = INTENT_STAGE;
    rig.targets[0].failures = 1;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig.targets[0].retry_after_ms = MS_DAY;
    rig_start(&rig);
    int64_t from_ms = rig.now_ms;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_leq(rig.now_ms - from_ms, 11 * MS_MINUTE, "it has not settled within its limit");
    rig_close(&rig);
}

Test(operations, what_is_wrong_with_a_target_is_said_once_for_each_change)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.plan->step_bake_ms = MS_HOUR;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    unsigned said = rig.target_news;
    rig.targets[0].unsettled = "{\"b\":{\"healthy\":false}}";
    (void)rig_play(&rig, 2 * MS_MINUTE);
    cr_expect_eq(rig.target_news, said + 1, "%u times", rig.target_news - said);
    cr_expect_str_eq(rig.told, "not settled: {\"b\":{\"healthy\":false}}");
    rig.targets[0].note = "b: Connection refused";
    (void)rig_play(&rig, MS_MINUTE);
    cr_expect_eq(rig.target_news, said + 2);
    cr_expect_str_eq(rig.told, "not settled: b: Connection refused");
    rig.targets[0].unsettled = NULL;
    (void)rig_play(&rig, MS_MINUTE);
    rig.targets[0].unsettled = "{}";
    (void)rig_play(&rig, MS_MINUTE);
    cr_expect_eq(rig.target_news, said + 3, "again: it had been well meanwhile");
    rig_play_to(&rig, PHASE_REVERTING);
    rig.targets[0].unsettled = NULL;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    const char *why = driver_state(rig.driver)->why;
    cr_expect_not_null(strstr(why, "has not been settled for 10 min"), "%s", why);
    cr_expect_not_null(strstr(why, "b: Connection refused"), "%s", why);
    rig_close(&rig);
}

Test(operations, forward_gives_up_after_four_times_and_goes_back)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.targets[0].failing = INTENT_SHIFT;
    rig.targets[0].failures = 100;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig_count(&rig, INTENT_SHIFT), 4);
    rig_close(&rig);
}

Test(operations, other_failures_are_not_tried_again)
{
    static const enum error_kind kinds[] = {ERROR_REMOTE, ERROR_DENIED, ERROR_INPUT, ERROR_SYSTEM};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct rig rig;
        rig_open(&rig, (struct rig_plan){.target_count = 2, .no_metric = true});
        rig.targets[1].failing = INTENT_SHIFT;
        rig.targets[1].failures = 100;
        rig.targets[1].kind = kinds[i];
        rig_start(&rig);
        must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
        cr_expect_eq(rig_count(&rig, INTENT_SHIFT), 2, "once on each target");
        cr_expect_eq(rig.targets[0].share_ppm, 0);
        cr_expect_str_eq(rig.trouble, "it says no");
        rig_close(&rig);
    }
}

Test(operations, a_revert_is_tried_more_often)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.targets[0].failing = INTENT_REVERT;
    rig.targets[0].failures = 7;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_geq(rig_count(&rig, INTENT_REVERT), 8);
    rig_close(&rig);
}

// The engine asks for a revert again when it takes long; what runs is not started afresh for that.
Test(operations, the_same_command_again_does_not_restart_what_runs)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.targets[0].takes_ms = 5 * MS_MINUTE;
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig_count(&rig, INTENT_REVERT), 1);
    rig_close(&rig);
}

// What began to look before a change was over says nothing about what the change came to.
Test(operations, an_observation_from_before_a_change_is_made_again)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.targets[0].takes_ms = 24 * MS_SECOND; // the engine looks after 20 s
    rig.targets[0].looking_takes_ms = 8 * MS_SECOND;
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig_count(&rig, INTENT_REVERT), 1);
    rig_close(&rig);
}

Test(operations, a_revert_replaces_what_goes_forward)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.target_count = 2, .no_metric = true});
    rig.targets[0].takes_ms = 3 * MS_MINUTE;
    rig.targets[1].failing = INTENT_SHIFT;
    rig.targets[1].failures = 1;
    rig.targets[1].kind = ERROR_REMOTE;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_REVERTING);
    cr_expect_eq(rig.open_operations, 2, "two reverts, and the slow shift is dropped");
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_not(rig_said(&rig, "done shift 0"));
    rig_close(&rig);
}

Test(operations, a_clock_that_goes_back_delays_nothing)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.targets[0].failing = INTENT_STAGE;
    rig.targets[0].failures = 1;
    rig.targets[0].kind = ERROR_TRANSIENT;
    rig_start(&rig);
    while (rig.start_count == 0)
        (void)rig_play(&rig, 1);
    rig.now_ms -= MS_DAY;
    int64_t from = rig.now_ms;
    while (rig.start_count == 1 && rig.now_ms < from + MS_HOUR)
        (void)rig_play(&rig, 1);
    cr_expect_leq(rig.now_ms - from, MS_MINUTE, "waited %lld ms", (long long)(rig.now_ms - from));
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}
