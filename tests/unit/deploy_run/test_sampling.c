// Which intervals of a metric are read, when, and what becomes of those that could not be.
#include "rig.h"

// ---- order -------------------------------------------------------------------------------------

static void check_intervals(const struct rig *rig, uint32_t target, int64_t lag_ms)
{
    int64_t last_ms = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < rig->reading_count; i++) {
        const struct rig_reading *reading = &rig->readings[i];
        if (reading->target != target || !reading->judged)
            continue;
        cr_expect_geq(reading->from_ms, last_ms, "interval %u overlaps the one before", i);
        cr_expect_gt(reading->to_ms, reading->from_ms);
        cr_expect_leq(reading->to_ms, reading->at_ms - lag_ms, "read before it has settled");
        last_ms = reading->to_ms;
        count++;
    }
    cr_expect_gt(count, 10);
}

Test(sampling, intervals_do_not_overlap_and_respect_the_lag)
{
    static const int64_t lags[] = {0, 7 * MS_SECOND, 45 * MS_SECOND};
    for (size_t i = 0; i < sizeof lags / sizeof lags[0]; i++) {
        struct rig rig;
        rig_open(&rig, (struct rig_plan){.target_count = 2, .lag_ms = lags[i]});
        rig.targets[1].takes_ms = 40 * MS_SECOND; // while the other is out already
        rig.reading_takes_ms = 1500;
        rig_start(&rig);
        must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
        check_intervals(&rig, 0, lags[i]);
        check_intervals(&rig, 1, lags[i]);
        rig_close(&rig);
    }
}

Test(sampling, no_interval_reaches_over_the_begin_of_a_bake)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.lag_ms = 25 * MS_SECOND});
    rig.targets[0].takes_ms = 37 * MS_SECOND;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    int64_t first = driver_state(rig.driver)->bake_from_ms;
    rig_play_to(&rig, PHASE_BAKE);
    int64_t second = driver_state(rig.driver)->bake_from_ms;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    unsigned ends = 0;
    for (unsigned i = 0; i < rig.reading_count; i++) {
        const struct rig_reading *reading = &rig.readings[i];
        cr_expect_not(reading->from_ms < first && reading->to_ms > first);
        cr_expect_not(reading->from_ms < second && reading->to_ms > second);
        ends += reading->to_ms == first || reading->to_ms == second;
    }
    cr_expect_eq(ends, 2, "what was before belongs to the time before");
    rig_close(&rig);
}

// The fake metric fails the test when it is asked about a target that is being changed.
Test(sampling, hosts_are_known_anew_after_each_change)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.targets[0].takes_ms = MS_MINUTE;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    const struct rig_start *shift = rig_first(&rig, INTENT_SHIFT);
    bool half = false, all = false;
    for (unsigned i = 0; i < rig.reading_count; i++) {
        const struct rig_reading *reading = &rig.readings[i];
        cr_expect(reading->canary[0], "reading %u", i);
        half |= !reading->canary[1];
        all |= reading->canary[1];
        cr_expect_not(half && all && !reading->canary[1], "it goes back in reading %u", i);
        cr_expect_geq(reading->at_ms, shift->at_ms + MS_MINUTE);
    }
    cr_expect(half && all);
    rig_close(&rig);
}

Test(sampling, a_reading_is_dropped_when_its_target_begins_to_move)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.reading_takes_ms = 9 * MS_SECOND;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(sampling, what_could_not_be_read_is_part_of_the_next_interval)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_BAKE);
    (void)rig_play(&rig, 15 * MS_SECOND);
    unsigned from = rig.reading_count;
    rig.unreadable = 3;
    (void)rig_play(&rig, MS_MINUTE);
    cr_assert_geq(rig.reading_count, from + 5);
    const struct rig_reading *r = &rig.readings[from];
    cr_expect_eq(r[1].from_ms, r[0].from_ms);
    cr_expect_eq(r[2].from_ms, r[0].from_ms);
    cr_expect_eq(r[3].from_ms, r[0].from_ms, "nothing is left out");
    cr_expect_eq(r[4].from_ms, r[3].to_ms);
    cr_expect_geq(r[1].at_ms - r[0].at_ms, 10 * MS_SECOND, "and the source is not hammered");
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(sampling, what_could_not_be_read_before_a_bake_does_not_reach_into_it)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.lag_ms = 20 * MS_SECOND});
    rig.targets[0].takes_ms = 33 * MS_SECOND;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    int64_t bake = driver_state(rig.driver)->bake_from_ms;
    unsigned from = rig.reading_count;
    rig.unreadable = 1;
    (void)rig_play(&rig, MS_MINUTE);
    cr_assert_geq(rig.reading_count, from + 2);
    cr_expect_eq(rig.readings[from].to_ms, bake);
    cr_expect_not(rig.readings[from].judged);
    cr_expect_eq(rig.readings[from + 1].from_ms, bake);
    rig_close(&rig);
}

// The fake metric fails the test when it is asked without knowing any host.
Test(sampling, a_new_process_looks_before_it_asks)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_BAKE);
    rig_crash(&rig);
    rig.targets[0].looking_takes_ms = 25 * MS_SECOND;
    rig.intended = VERB_NONE;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(sampling, a_source_that_stays_silent_holds_it)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.unreadable = 100000;
    rig.woken_ms = MS_HOUR;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_HELD);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    rig_close(&rig);
}

// A source that has nothing to say about the time before a bake does not keep the bake itself from
// being read: what ends where the bake began is given up, and the next interval begins there.
Test(sampling, each_bake_has_its_own_first_interval_whatever_was_missing_before)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.lag_ms = 20 * MS_SECOND});
    rig.targets[0].takes_ms = 33 * MS_SECOND;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_SHIFTING);
    for (unsigned bake = 0; bake < 2; bake++) {
        rig_play_to(&rig, bake ? PHASE_BAKE : PHASE_STEP_BAKE);
        int64_t began = driver_state(rig.driver)->bake_from_ms;
        unsigned from = rig.reading_count;
        rig.unreadable = 1;
        (void)rig_play(&rig, MS_MINUTE);
        cr_assert_geq(rig.reading_count, from + 3);
        cr_expect_eq(rig.readings[from].to_ms, began);
        cr_expect_not(rig.readings[from].judged);
        for (unsigned i = from + 1; i < rig.reading_count; i++) {
            cr_expect_geq(rig.readings[i].from_ms, began, "reading %u", i);
            cr_expect(rig.readings[i].judged, "reading %u", i);
        }
    }
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

// ---- a source that asks to be left alone --------------------------------------------------------

static int64_t pause_after(int64_t retry_after_ms)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_BAKE);
    (void)rig_play(&rig, 15 * MS_SECOND);
    unsigned from = rig.reading_count;
    rig.unreadable = 1;
    rig.retry_after_ms = retry_after_ms;
    (void)rig_play(&rig, 10 * MS_MINUTE);
    cr_assert_geq(rig.reading_count, from + 2);
    cr_expect_not(rig.readings[from].judged);
    cr_expect_eq(rig.readings[from + 1].from_ms, rig.readings[from].from_ms, "nothing is left out");
    int64_t pause_ms = rig.readings[from + 1].at_ms - rig.readings[from].at_ms;
    rig_close(&rig);
    return pause_ms;
}

Test(sampling, a_source_that_asks_to_be_left_alone_is)
{
    cr_expect_eq(pause_after(0), 10 * MS_SECOND, "its interval");
    cr_expect_eq(pause_after(3 * MS_SECOND), 10 * MS_SECOND, "no sooner than its interval");
    cr_expect_eq(pause_after(42 * MS_SECOND), 42 * MS_SECOND);
    cr_expect_eq(pause_after(MS_DAY), 5 * MS_MINUTE, "but not for ever");
}
