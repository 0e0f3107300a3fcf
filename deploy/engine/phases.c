// Names of phases, records and verbs, and which phase may follow which.
#include "deploy/engine/engine.h"

static const char *const phase_names[] = {
    [PHASE_NEW] = "new",
    [PHASE_WAITING] = "waiting",
    [PHASE_PREPARING] = "preparing",
    [PHASE_SHIFTING] = "shifting",
    [PHASE_STEP_BAKE] = "step bake",
    [PHASE_BAKE] = "bake",
    [PHASE_PROMOTING] = "promoting",
    [PHASE_VERIFYING] = "verifying",
    [PHASE_REVERTING] = "reverting",
    [PHASE_HELD] = "held",
    [PHASE_STUCK] = "stuck",
    [PHASE_DONE] = "done",
    [PHASE_ROLLED_BACK] = "rolled back",
    [PHASE_DENIED] = "denied",
    [PHASE_CANCELLED] = "cancelled",
};

static const char *const record_names[] = {
    [RECORD_APPROVAL_ASKED] = "approval.asked",
    [RECORD_APPROVAL_GIVEN] = "approval.given",
    [RECORD_APPROVAL_WITHDRAWN] = "approval.withdrawn",
    [RECORD_APPROVAL_REFUSED] = "approval.refused",
    [RECORD_INTENDED] = "command.intended",
    [RECORD_COMMAND_DONE] = "command.done",
    [RECORD_COMMAND_FAILED] = "command.failed",
    [RECORD_SAMPLE_JUDGED] = "sample.judged",
    [RECORD_STEP_PASSED] = "step.passed",
    [RECORD_BREACHED] = "rollout.breached",
    [RECORD_HELD] = "rollout.held",
    [RECORD_STEERED] = "rollout.steered",
    [RECORD_FROZEN] = "rollout.frozen",
    [RECORD_THAWED] = "rollout.thawed",
    [RECORD_DONE] = "rollout.done",
    [RECORD_ROLLED_BACK] = "rollout.rolled-back",
    [RECORD_STUCK] = "rollout.stuck",
    [RECORD_DENIED] = "rollout.denied",
    [RECORD_CANCELLED] = "rollout.cancelled",
};

static const char *const verb_names[] = {
    [VERB_NONE] = "none",       [VERB_STAGE] = "stage",   [VERB_SHIFT] = "shift",
    [VERB_PROMOTE] = "promote", [VERB_REVERT] = "revert", [VERB_OBSERVE] = "observe",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(phase) (1u << (phase))
#define ENDS_EARLY (BIT(PHASE_HELD) | BIT(PHASE_REVERTING) | BIT(PHASE_CANCELLED))

// A step that comes out equal to the one before it needs no shift.
#define EQUAL_STEP (BIT(PHASE_STEP_BAKE) | BIT(PHASE_BAKE))

// Cancelled may follow whatever is not terminal: a rollback fences a running rollout out,
// wherever it stands, and closes its record.
static const uint32_t followers[] = {
    [PHASE_NEW] = BIT(PHASE_WAITING) | BIT(PHASE_PREPARING) | ENDS_EARLY,
    [PHASE_WAITING] =
        BIT(PHASE_PREPARING) | BIT(PHASE_SHIFTING) | EQUAL_STEP | BIT(PHASE_DENIED) | ENDS_EARLY,
    [PHASE_PREPARING] = BIT(PHASE_WAITING) | BIT(PHASE_SHIFTING) | ENDS_EARLY,
    [PHASE_SHIFTING] = BIT(PHASE_STEP_BAKE) | BIT(PHASE_BAKE) | ENDS_EARLY,
    [PHASE_STEP_BAKE] = BIT(PHASE_WAITING) | BIT(PHASE_SHIFTING) | EQUAL_STEP | ENDS_EARLY,
    [PHASE_BAKE] = BIT(PHASE_PROMOTING) | ENDS_EARLY,
    // A rollout that is looked at again may find everything promoted: nothing is then recorded of
    // the verifying in between.
    [PHASE_PROMOTING] = BIT(PHASE_VERIFYING) | BIT(PHASE_DONE) | ENDS_EARLY,
    [PHASE_VERIFYING] = BIT(PHASE_DONE) | ENDS_EARLY,
    [PHASE_REVERTING] = BIT(PHASE_ROLLED_BACK) | BIT(PHASE_STUCK) | BIT(PHASE_CANCELLED),
    [PHASE_HELD] = BIT(PHASE_WAITING) | BIT(PHASE_PREPARING) | BIT(PHASE_SHIFTING) |
                   BIT(PHASE_STEP_BAKE) | BIT(PHASE_BAKE) | BIT(PHASE_PROMOTING) |
                   BIT(PHASE_VERIFYING) | BIT(PHASE_REVERTING) | BIT(PHASE_CANCELLED),
    [PHASE_STUCK] = BIT(PHASE_REVERTING) | BIT(PHASE_ROLLED_BACK) | BIT(PHASE_CANCELLED),
    [PHASE_DONE] = 0,
    [PHASE_ROLLED_BACK] = 0,
    [PHASE_DENIED] = 0,
    [PHASE_CANCELLED] = 0,
};

bool phase_terminal(enum rollout_phase phase)
{
    return phase == PHASE_DONE || phase == PHASE_ROLLED_BACK || phase == PHASE_DENIED ||
           phase == PHASE_CANCELLED;
}

bool phase_resumable(enum rollout_phase phase)
{
    return phase == PHASE_WAITING || phase == PHASE_HELD || phase == PHASE_STUCK;
}

bool phase_legal(enum rollout_phase from, enum rollout_phase to)
{
    if ((size_t)from >= COUNT_OF(followers) || (size_t)to >= COUNT_OF(followers))
        return false;
    return from == to || (followers[from] & BIT(to)) != 0;
}

const char *phase_name(enum rollout_phase phase)
{
    return (size_t)phase < COUNT_OF(phase_names) ? phase_names[phase] : "unknown";
}

bool phase_of(str name, enum rollout_phase *ret)
{
    for (unsigned i = 0; i < COUNT_OF(phase_names); i++) {
        if (str_is(name, phase_names[i])) {
            *ret = (enum rollout_phase)i;
            return true;
        }
    }
    return false;
}

const char *record_name(enum record_type type)
{
    return (size_t)type < COUNT_OF(record_names) ? record_names[type] : "unknown";
}

const char *verb_name(enum target_verb verb)
{
    return (size_t)verb < COUNT_OF(verb_names) ? verb_names[verb] : "unknown";
}

bool verb_of(str name, enum target_verb *ret)
{
    for (unsigned i = 0; i < COUNT_OF(verb_names); i++) {
        if (str_is(name, verb_names[i])) {
            *ret = (enum target_verb)i;
            return true;
        }
    }
    return false;
}
