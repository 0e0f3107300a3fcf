// A new process goes on with a state that another one left. What was in flight is unknown: every
// touched target is looked at before anything is decided.
#include "deploy/engine/turn.h"

static void decide(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (!state->targets[i].settled)
            state->targets[i].recorded = false; // written down and sent again: intents are absolute
    switch (state->phase) {
    case PHASE_WAITING:
        if (state->answers < people_needed(turn))
            people_ask_again(turn);
        else
            forward_go_on(turn);
        break;
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
        bake_resume(turn);
        break;
    case PHASE_HELD:
        if (state->breach_at_ms && revert_forbidden(turn))
            turn_incident(turn, STR("P1")); // the other process may have died before it did
        break;                              // a person decides
    case PHASE_NEW:
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_REVERTING:
    case PHASE_STUCK:
    case PHASE_DONE:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        forward_go_on(turn);
        break;
    }
}

static void begin_anew(struct turn *turn)
{
    if (turn->plan->mode == PLAN_ROLLBACK) {
        turn_why(turn, STR_FMT, STR_ARG(turn->plan->reason));
        revert_all(turn);
    } else {
        forward_begin(turn);
    }
}

void resume_begin(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    state->fenced = state->cancelled = state->awaiting = false;
    state->asleep = false;
    state->wake_ms = 0;
    if (state->phase == PHASE_NEW) {
        begin_anew(turn);
        return;
    }
    if (state->phase == PHASE_REVERTING || state->phase == PHASE_STUCK) {
        revert_resume(turn);
        return;
    }
    bake_taken_over(turn);
    bool any = false;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        target->look_token = target->command_token = 0;
        target->look_ms = 0;
        if (!target->touched)
            continue;
        any = true;
        target->unknown = true;
        target->since_ms = turn->now_ms;
        if (target->verb == VERB_SHIFT || target->verb == VERB_PROMOTE)
            state->out = true; // sent or not: it may be there
        look_at(turn, i);
    }
    if (!any)
        decide(turn);
}

// What the other process had begun has come about: written down, so that the ledger tells how the
// rollout got from there to where it goes on.
static void found_settled(struct turn *turn, uint32_t index)
{
    const struct target_state *target = &turn->state->targets[index];
    char share[24];
    struct rollout_command *record =
        turn_record(turn, RECORD_COMMAND_DONE, STR_FMT ": %s to %s, as observed",
                    STR_ARG(turn->plan->targets[index].name), verb_name(target->verb),
                    share_words(target->share_ppm, share));
    record->target = index;
    record->verb = target->verb;
    record->share_ppm = target->share_ppm;
}

void resume_observed(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    bool serves = target->verb == VERB_SHIFT || target->verb == VERB_PROMOTE;
    // That the old was scaled away cannot be seen from shares: unless it was recorded, it is done
    // again.
    bool proves = target->verb == VERB_SHIFT || target->settled;
    if (serves && proves && look_in_place(target, turn->event)) {
        if (!target->settled)
            found_settled(turn, index);
        target->settled = true;
        target->recorded = true;
        target->seen_ms = turn->now_ms;
        target->look_ms = turn->now_ms + LOOK_EVERY_MS;
    } else if (serves && target->settled && !turn->event->settled) {
        target->look_ms = turn->now_ms + LOOK_SOON_MS; // moving: where to is seen soon
        return;
    } else if (serves && target->settled && !revert_told(turn)) {
        target->look_ms = turn->now_ms + LOOK_SOON_MS; // held for that, it must still become known
        look_strayed(turn, index);
        return;
    } else if (serves && target->settled) {
        target->look_ms = turn->now_ms + LOOK_EVERY_MS; // left where it strayed to, but watched
    }
    target->unknown = false;
    if (!turn_resuming(turn))
        decide(turn);
}
