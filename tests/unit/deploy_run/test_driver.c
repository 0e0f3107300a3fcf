// The driver with everything around it faked, on a clock that only the test moves.
#include "rig.h"

static void must_be(struct rig *rig, enum run_status status, enum run_status want,
                    enum rollout_phase phase)
{
    cr_expect_eq(status, want, "status %d, want %d:\n%s", status, want, text_c(&rig->log));
    cr_expect_str_eq(phase_name(driver_state(rig->driver)->phase), phase_name(phase), "%s",
                     text_c(&rig->log));
}

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

// ---- the lease and the record ------------------------------------------------------------------

Test(driver, nothing_begins_before_the_lease_is_held)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig.lease = LEASE_PENDING;
    rig.lease_words = "waiting for the ledger's remote: no answer";
    rig_start(&rig);
    cr_expect_eq(rig_play(&rig, 5 * MS_MINUTE), RUN_GOING);
    cr_expect_eq(rig.start_count + rig.tickets, 0);
    cr_expect_eq(rig.troubles, 1, "said once, not %u times", rig.troubles);
    rig.lease = LEASE_HELD;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}

Test(driver, a_lease_that_another_holds_is_refused)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.lease = LEASE_REFUSED;
    rig.lease_words = "bob works on production now";
    rig_start(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_REFUSED, PHASE_NEW);
    cr_expect_str_eq(driver_words(rig.driver), "bob works on production now");
    rig_close(&rig);
    cr_expect_eq(rig.start_count + rig.tickets + rig.released, 0);
}

Test(driver, who_lost_the_lease_issues_nothing_more)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.target_count = 2, .no_metric = true});
    rig.targets[0].takes_ms = MS_MINUTE;
    rig.targets[1].failing = INTENT_SHIFT; // waits for its next try
    rig.targets[1].failures = 1;
    rig.targets[1].kind = ERROR_TRANSIENT;
    rig_start(&rig);
    rig_play_to(&rig, PHASE_SHIFTING);
    while (rig_count(&rig, INTENT_SHIFT) < 2)
        (void)rig_play(&rig, 1);
    unsigned starts = rig.start_count, tickets = rig.tickets;
    rig.now_ms += MS_MINUTE; // the next try is due, and the slow one is over
    rig.lease = LEASE_LOST;
    rig.lease_words = "a rollback took over";
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_LOST);
    cr_expect_eq(rig.start_count, starts);
    cr_expect_eq(rig.tickets, tickets);
    cr_expect_eq(rig.open_operations, 0, "what was under way is dropped");
    cr_expect_str_eq(driver_words(rig.driver), "a rollback took over");
    rig_close(&rig);
    cr_expect_eq(rig.released, 0, "the lease is another's");
}

Test(driver, a_record_that_is_lost_stops_it)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_PREPARING);
    rig.losing = true;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_LOST);
    cr_expect_eq(rig.start_count, 0);
    cr_expect(driver_words(rig.driver)[0], "it says why");
    rig_close(&rig);
}

Test(driver, without_its_record_nothing_goes_forward)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    unsigned starts = rig.start_count;
    rig.refusing = true;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_LOST);
    cr_expect_eq(rig.start_count, starts);
    cr_expect_not_null(strstr(driver_words(rig.driver), "the disk is full"));
    rig_close(&rig);
}

Test(driver, without_its_record_a_revert_goes_on_and_says_so)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    rig.refusing = true;
    rig.reverting = true; // as far as the fake target is asked
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig.targets[0].share_ppm, 0);
    cr_expect_gt(rig.troubles, 0);
    cr_expect_not_null(strstr(rig.trouble, "the disk is full"), "%s", rig.trouble);
    rig_close(&rig);
}

Test(driver, a_record_that_cannot_be_noted_stops_it)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.no_metric = true});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    unsigned starts = rig.start_count;
    rig.too_large = true;
    cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_LOST);
    cr_expect_eq(rig.start_count, starts);
    cr_expect_not_null(strstr(driver_words(rig.driver), "too large"));
    rig_close(&rig);
}

// Only the way back is committed in haste, once, and the rig sees to it that it is settled.
Test(driver, a_way_back_does_not_wait_for_its_commit)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig_start(&rig);
    rig_play_to(&rig, PHASE_STEP_BAKE);
    cr_expect_eq(rig.hasty, 0);
    rig.value = 1000;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_ROLLED_BACK);
    cr_expect_eq(rig.hasty, 1);
    cr_expect_not(rig.unsettled);
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

Test(driver, suspends_where_only_a_person_can_go_on)
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

Test(driver, two_answers_that_are_there_are_both_taken_before_it_suspends)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.stage_answers = 2});
    rig.answers = 2;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
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

Test(driver, what_is_held_with_traffic_is_left_to_who_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){0});
    rig.watched = true;
    hold_in_a_bake(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_HELD);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    cr_expect_eq(rig.troubles, 0);
    rig_close(&rig);
}

Test(driver, what_is_held_with_traffic_is_not_left_alone)
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
Test(driver, a_cancel_ends_what_stays_because_nobody_is_named)
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
Test(driver, what_was_found_held_is_left_as_it_was_found)
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

Test(driver, what_waits_with_traffic_is_left_to_who_is_named)
{
    struct rig rig;
    rig_open(&rig, (struct rig_plan){.step_answers = 1});
    rig.watched = true;
    rig_start_suspending(&rig);
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_SUSPENDED, PHASE_WAITING);
    cr_expect_eq(rig.targets[0].share_ppm, SHARE_ALL / 2);
    rig_crash(&rig);
    rig_start_suspending(&rig);
    rig.answers = 1;
    must_be(&rig, rig_play(&rig, MS_HOUR), RUN_ENDED, PHASE_DONE);
    rig_close(&rig);
}
