// The lease and the record, as the driver minds them: nothing goes forward without either.
#include "rig.h"

Test(lease, nothing_begins_before_the_lease_is_held)
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

Test(lease, a_lease_that_another_holds_is_refused)
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

Test(lease, who_lost_the_lease_issues_nothing_more)
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

Test(lease, a_record_that_is_lost_stops_it)
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

Test(lease, without_its_record_nothing_goes_forward)
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

Test(lease, without_its_record_a_revert_goes_on_and_says_so)
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

Test(lease, a_record_that_cannot_be_noted_stops_it)
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
Test(lease, a_way_back_does_not_wait_for_its_commit)
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
