#include "stage.h"

static const char *const names[] = {"new",   "waiting",   "preparing",   "shifting",  "step bake",
                                    "bake",  "promoting", "verifying",   "reverting", "held",
                                    "stuck", "done",      "rolled back", "denied",    "cancelled"};

// One row a phase, one column a phase that follows: x where it may.
static const char *const legal[] = {
    //              N W P S B A O V R H T D K E C
    /* new       */ "xxx.....xx....x",
    /* waiting   */ ".xxxxx..xx...xx",
    /* preparing */ ".xxx....xx....x",
    /* shifting  */ "...xxx..xx....x",
    /* step bake */ ".x.xxx..xx....x",
    /* bake      */ ".....xx.xx....x",
    /* promoting */ "......xxxx.x..x",
    /* verifying */ ".......xxx.x..x",
    /* reverting */ "........x.x.x.x",
    /* held      */ ".xxxxxxxxx....x",
    /* stuck     */ "........x.x.x.x",
    /* done      */ "...........x...",
    /* rolled b. */ "............x..",
    /* denied    */ ".............x.",
    /* cancelled */ "..............x",
};

Test(phases, legal_table)
{
    for (int from = 0; from <= PHASE_CANCELLED; from++)
        for (int to = 0; to <= PHASE_CANCELLED; to++)
            cr_expect_eq(phase_legal((enum rollout_phase)from, (enum rollout_phase)to),
                         legal[from][to] == 'x', "%s -> %s", names[from], names[to]);
    cr_expect_not(phase_legal((enum rollout_phase)99, PHASE_DONE));
    cr_expect_not(phase_legal(PHASE_BAKE, (enum rollout_phase)99));
}

Test(phases, names_both_ways)
{
    for (int i = 0; i <= PHASE_CANCELLED; i++) {
        enum rollout_phase phase;
        cr_expect_str_eq(phase_name((enum rollout_phase)i), names[i]);
        cr_assert(phase_of(str_of(names[i]), &phase));
        cr_expect_eq(phase, (enum rollout_phase)i);
    }
    enum rollout_phase untouched = PHASE_BAKE;
    cr_expect_not(phase_of(STR("nonsense"), &untouched));
    cr_expect_not(phase_of(STR(""), &untouched));
    cr_expect_eq(untouched, PHASE_BAKE);
    cr_expect_str_eq(phase_name((enum rollout_phase)99), "unknown");
}

Test(phases, ends)
{
    for (int i = 0; i <= PHASE_CANCELLED; i++) {
        enum rollout_phase phase = (enum rollout_phase)i;
        cr_expect_eq(phase_terminal(phase), phase >= PHASE_DONE);
        cr_expect_eq(phase_resumable(phase),
                     phase == PHASE_WAITING || phase == PHASE_HELD || phase == PHASE_STUCK);
    }
}

Test(phases, names_of_records_and_verbs)
{
    static const char *const records[] = {
        "approval.asked",   "approval.given",   "approval.withdrawn", "approval.refused",
        "command.intended", "command.done",     "command.failed",     "sample.judged",
        "step.passed",      "rollout.breached", "rollout.held",       "rollout.steered",
        "rollout.frozen",   "rollout.thawed",   "rollout.done",       "rollout.rolled-back",
        "rollout.stuck",    "rollout.denied",   "rollout.cancelled"};
    for (int i = 0; i <= RECORD_CANCELLED; i++)
        cr_expect_str_eq(record_name((enum record_type)i), records[i]);
    cr_expect_str_eq(record_name((enum record_type)99), "unknown");
    for (int i = 0; i <= VERB_OBSERVE; i++) {
        enum target_verb verb;
        cr_assert(verb_of(str_of(verb_name((enum target_verb)i)), &verb));
        cr_expect_eq(verb, (enum target_verb)i);
    }
}
