// Observing: what a target serves is known only from looking at it. Targets that should stay
// where they are are looked at again and again; one that went back on its own has failed its
// step.
#include "deploy/engine/turn.h"

// Observed shares may differ from intended ones by rounding, but nothing and all are exact.
#define SHARE_SLACK 1000u

void look_at(struct turn *turn, uint32_t target)
{
    struct target_state *state = &turn->state->targets[target];
    state->look_token = ++turn->state->newest_token;
    state->look_ms = turn->now_ms + LOOK_AGAIN_MS;
    struct rollout_command *command = turn_command(turn, RC_OBSERVE);
    command->target = target;
    command->verb = VERB_OBSERVE;
    command->token = state->look_token;
}

void look_all(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        const struct target_state *target = &turn->state->targets[i];
        if (target->touched && target->look_token == 0)
            look_at(turn, i);
    }
}

static uint32_t wanted_share(const struct target_state *target)
{
    if (target->verb == VERB_PROMOTE)
        return SHARE_ALL;
    return target->verb == VERB_SHIFT ? target->share_ppm : 0;
}

bool look_in_place(const struct target_state *target, const struct rollout_event *event)
{
    uint32_t want = wanted_share(target);
    if (!event->settled)
        return false;
    if (want == 0 || want == SHARE_ALL || event->share_ppm == 0)
        return event->share_ppm == want;
    return event->share_ppm + SHARE_SLACK >= want && event->share_ppm <= want + SHARE_SLACK;
}

// It was settled and does no longer serve what it did.
void look_strayed(struct turn *turn, uint32_t target)
{
    if (revert_told(turn))
        return;
    char seen[24];
    char want[24];
    turn_why(turn,
             "target " STR_FMT
             " left the release on its own: it serves %s of it where %s was settled",
             STR_ARG(turn->plan->targets[target].name), share_words(turn->event->share_ppm, seen),
             share_words(wanted_share(&turn->state->targets[target]), want));
    revert_breach(turn, UINT32_MAX, true);
}

// A target that is settled in a forward phase was looked at.
static void settled_observed(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    target->look_ms = turn->now_ms + LOOK_EVERY_MS;
    if (look_in_place(target, turn->event)) {
        target->seen_ms = turn->now_ms;
        if (turn->state->phase == PHASE_VERIFYING)
            forward_verify(turn);
        else
            bake_go_on(turn);
    } else if (turn->event->settled) {
        look_strayed(turn, index);
    } else if (turn->now_ms - target->seen_ms > turn->plan->settle_limit_ms && !revert_told(turn)) {
        char since[32];
        str seen = turn->event->text;
        turn_why(turn, "target " STR_FMT " has not been settled for %s%s" STR_FMT,
                 STR_ARG(turn->plan->targets[index].name),
                 duration_words(turn->now_ms - target->seen_ms, since), seen.len ? ": " : "",
                 STR_ARG(seen));
        revert_breach(turn, UINT32_MAX, true);
    } else {
        target->look_ms = turn->now_ms + LOOK_SOON_MS;
    }
}

// Nobody knows for how long this process stood still: what it has seen, and what answers to a look
// that was asked for before, may be of any time. No bake passes on it.
void look_anew(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        bool watched = target->settled || target->unknown;
        if (!watched || target->verb == VERB_REVERT || target->verb == VERB_STAGE)
            continue;
        target->look_token = 0;
        target->look_ms = turn->now_ms;
        if (target->seen_ms >= state->bake_until_ms)
            target->seen_ms = state->bake_until_ms - 1;
    }
}

void look_answered(struct turn *turn)
{
    const struct rollout_event *event = turn->event;
    if (event->target >= turn->plan->target_count)
        return;
    struct target_state *target = &turn->state->targets[event->target];
    if (target->look_token == 0 || (event->token != 0 && event->token != target->look_token))
        return;
    target->look_token = 0;
    target->look_ms = 0;
    if (target->verb == VERB_REVERT)
        revert_observed(turn, event->target);
    else if (target->unknown)
        resume_observed(turn, event->target);
    else if (target->settled && target->verb != VERB_STAGE)
        settled_observed(turn, event->target);
}

void look_due(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    int64_t limit_ms = turn->plan->settle_limit_ms;
    char limit[32];
    if (target->verb == VERB_REVERT) {
        revert_due(turn, index);
    } else if (revert_told(turn) && !target->settled && !target->unknown) {
        target->look_ms = 0; // it did not get there: sent again by a promote
        target->failed = true;
    } else if (target->unknown && !revert_told(turn) &&
               turn->now_ms - target->since_ms > limit_ms) {
        turn_why(turn, "target " STR_FMT " could not be observed for %s",
                 STR_ARG(turn->plan->targets[index].name), duration_words(limit_ms, limit));
        revert_breach(turn, UINT32_MAX, true);
    } else if (target->unknown || target->settled) {
        look_at(turn, index);
    } else {
        turn_why(turn, "target " STR_FMT " did not settle within %s (%s)",
                 STR_ARG(turn->plan->targets[index].name), duration_words(limit_ms, limit),
                 verb_name(target->verb));
        revert_breach(turn, UINT32_MAX, true);
    }
}
