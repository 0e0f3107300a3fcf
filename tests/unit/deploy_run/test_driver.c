// The driver with everything around it faked, on a clock that only the test moves.
#include "rig.h"

// ---- order -------------------------------------------------------------------------------------

Test(driver, brings_a_release_out)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.target_count = 2});
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL);
    cr_expect_eq(rig.targets[1].share_ppm, SHARE_ALL);
    cr_expect_eq(rig_count(&rig, INTENT_STAGE), 2);
    cr_expect_eq(rig_count(&rig, INTENT_SHIFT), 4, "two targets, two steps");
    cr_expect_eq(rig_count(&rig, INTENT_REVERT), 0);
    cr_expect_eq(rig.troubles, 0, "%s", rig.trouble);
    rig_close(&rig);
    cr_expect_eq(rig.released, 1);
    cr_expect_not(rig.kept_claim, "a rollout that is over frees its environment");
}

// The fakes check that nothing forward leaves before its record is durable; here the push is slow.
Test(driver, a_slow_ledger_delays_what_goes_forward)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.push_ms = 20 * MS_SECOND;
    rig_start(&rig);
    int64_t began = rig.now_ms;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_geq(rig_first(&rig, INTENT_STAGE)->at_ms, began + 20 * MS_SECOND);
    cr_expect_lt(rig_where(&rig, "command.intended stage"), rig_where(&rig, "start stage 0"));
    cr_expect_lt(rig_where(&rig, "command.intended shift"), rig_where(&rig, "start shift 0"));
    cr_expect_lt(rig_where(&rig, "command.intended promote"), rig_where(&rig, "start promote 0"));
    rig_close(&rig);
}

Test(driver, a_revert_is_written_and_sent_at_once)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.target_count = 2});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.offline = true; // safety does not wait for the ledger's remote
    rig.value = 1000;
    int64_t bad_from = rig.now_ms;
    rig_play_to(&rig, PHASE_REVERTING);
    cr_expect_eq(rig_first(&rig, INTENT_REVERT)->at_ms, rig.now_ms, "in the very same turn");
    cr_expect_leq(rig.now_ms - bad_from, 10 * MS_SECOND, "the next sample decides");
    cr_expect_lt(rig_where(&rig, "command.intended revert"), rig_where(&rig, "start revert 0"));
    cr_expect_eq(rig_count(&rig, INTENT_REVERT), 2);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig.targets[0].share_ppm + rig.targets[1].share_ppm, 0);
    cr_expect(rig_said(&rig, "incident P2"));
    rig_close(&rig);
}

// ---- cancelling --------------------------------------------------------------------------------

Test(driver, cancelled_it_goes_back_and_ends)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    int64_t at = rig.now_ms;
    driver_cancel(rig.driver);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig_first(&rig, INTENT_REVERT)->at_ms, at, "sent at once");
    rig_close(&rig);
}

Test(driver, cancelled_it_holds_where_the_plan_says_so)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.hold_on_cancel = true});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    driver_cancel(rig.driver);
    must_be(&rig, rig_play(&rig, MS_MINUTE), RUN_ENDED, PHASE_HELD);
    rig_close(&rig);
    cr_expect(rig.kept_claim);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
}

Test(driver, cancelled_before_anything_was_touched)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 1});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_WAITING);
    driver_cancel(rig.driver);
    must_be(&rig, rig_play(&rig, MS_MINUTE), RUN_ENDED, PHASE_CANCELLED);
    cr_expect_eq(rig.start_count, 0);
    cr_expect_eq(rig.withdrawn, 1);
    rig_close(&rig);
}

Test(driver, cancelled_before_it_has_the_lease_it_just_ends)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.lease = LEASE_PENDING;
    rig_start(&rig);
    cr_expect_eq(rig_play(&rig, MS_SECOND), RUN_GOING);
    driver_cancel(rig.driver);
    must_be(&rig, rig_play(&rig, MS_SECOND), RUN_ENDED, PHASE_NEW);
    rig_close(&rig);
    cr_expect_eq(rig.released, 1, "what was asked for is given back");
}

// ---- people ------------------------------------------------------------------------------------

Test(driver, waits_for_every_answer)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 2, .step_answers = 1});
    rig_start(&rig);
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_GOING);
    cr_expect_eq(rig.start_count, 0);
    rig.answers = 1;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_GOING);
    cr_expect_eq(rig.start_count, 0, "one of two");
    rig.answers = 2; // bob, and alice once more
    rig_play_to(&rig, PHASE_STEP_BAKE);
    cr_expect_eq(rig.withdrawn, 1);
    rig_play_to(&rig, PHASE_WAITING);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    unsigned readings = rig.reading_count;
    (void)rig_play(&rig, MS_MINUTE);
    cr_expect_gt(rig.reading_count, readings, "watched while it waits");
    rig.answers = 1;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    cr_expect_eq(rig.asked, 2);
    cr_expect_eq(rig.withdrawn, 2);
    rig_close(&rig);
}

Test(driver, a_no_ends_it)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 1});
    rig.refuses = true;
    rig.answers = 1;
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DENIED);
    cr_expect_eq(rig.start_count, 0);
    cr_expect_not_null(strstr(driver_state(rig.driver)->why, "refused by alice: because"));
    rig_close(&rig);
}

Test(driver, a_breach_while_it_waits_takes_it_back)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.step_answers = 1});
    rig_start_suspending(&rig);
    rig_play_to(&rig, PHASE_WAITING);
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_GOING, "half of the traffic is not left alone");
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig.withdrawn, 1, "the question is taken back");
    rig_close(&rig);
}

// ---- faults ------------------------------------------------------------------------------------

static void check_end(struct rig *rig, enum run_status status, unsigned n)
{
    enum rollout_phase phase = driver_state(rig->driver)->phase;
    uint32_t share = rig->targets[0].share_ppm;
    if (status == RUN_LOST)
        return; // stopped where it was; the next process goes on
    cr_expect_eq(status, RUN_ENDED, "fault %u:\n%s", n, text_c(&rig->log));
    cr_expect(phase == PHASE_DONE || phase == PHASE_ROLLED_BACK, "fault %u: %s", n,
              phase_name(phase));
    cr_expect_eq(share, phase == PHASE_DONE ? SHARE_ALL : 0, "fault %u: %s with %u ppm", n,
                 phase_name(phase), (unsigned)share);
}

// Fails the n-th effect (a start, an answer, a record), for every n.
Test(driver, any_one_fault_leaves_a_defined_state)
{
    for (int bad = 0; bad < 2; bad++)
        for (unsigned n = 1; n < 400; n++) {
            struct rig rig;
            rig_open(&rig, (struct rig_plan){0});
            rig.fail_at = n;
            rig.reverting = bad; // the record of the revert may be what fails
            rig_start(&rig);
            rig.value = bad ? 1000 : 10;
            enum run_status status = rig_play(&rig, 2 * MS_HOUR);
            check_end(&rig, status, n);
            bool over = rig.effects < n;
            rig_close(&rig);
            if (over)
                break;
        }
}

// Kills the process after its n-th turn; another one goes on from what the ledger holds.
Test(driver, a_crash_at_any_turn_is_gone_on_from)
{
    for (int bad = 0; bad < 2; bad++)
        for (unsigned n = 1; n < 4000; n++) {
            struct rig rig;
            enum run_status status = RUN_GOING;
            rig_open(&rig, (struct rig_plan){.step_answers = 1});
            rig.answers = 1;
            rig_start(&rig);
            for (unsigned i = 0; i < n && status == RUN_GOING; i++) {
                int64_t wake_ms;
                rig.value = bad && driver_state(rig.driver)->phase == PHASE_BAKE ? 1000 : 10;
                status = driver_turn(rig.driver, &wake_ms);
                rig.now_ms = wake_ms > rig.now_ms ? wake_ms : rig.now_ms;
            }
            bool over = status != RUN_GOING;
            if (!over) {
                rig_crash(&rig);
                rig.intended = VERB_NONE; // every intent is written down anew
                rig.answers = 1;
                rig_start(&rig);
                status = rig_play(&rig, 3 * MS_HOUR);
            }
            check_end(&rig, status, n);
            cr_expect_neq(status, RUN_LOST);
            rig_close(&rig);
            if (over)
                break;
            n += n / 8; // denser at the beginning, where most happens
        }
}

Test(driver, a_word_of_a_person_is_heard_within_a_second)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.word = (struct steering){
        .steer = STEER_ABORT, .token = 7, .who = STR("ada"), .text = STR("wrong build")};
    rig.word_at_ms = rig.now_ms + 500;
    int64_t said_ms = rig.word_at_ms;
    cr_assert_eq(rig_play(&rig, MS_HOUR), RUN_ENDED);
    cr_expect_eq(driver_state(rig.driver)->phase, PHASE_ROLLED_BACK);
    cr_expect_not_null(strstr(driver_state(rig.driver)->why, "aborted by ada: wrong build"));
    cr_expect_leq(rig_first(&rig, INTENT_REVERT)->at_ms, said_ms + 1000);
    rig_close(&rig);
}
