// The way back: absolute, at once, for every touched target and independently of the others. It
// waits for nothing, and it is over only when every target was observed to serve known good, all
// of it.
#include "deploy/engine/turn.h"

#define ANSWER_MS (20 * MS_SECOND) // then it is looked at, answer or not
// A target that is still moving then, or that did not answer one look in all that time, is sent
// back once more. Sending is harmless, for a revert is absolute, but hammering is not.
#define AGAIN_MS (60 * MS_SECOND)
#define BACKOFF_MS MS_SECOND // doubles with every attempt
#define BACKOFF_MAX_MS (30 * MS_SECOND)
#define ATTEMPTS 20u
// A rollback may have fenced out a process whose last command is still on its way to a target.
// What is seen this soon after the revert was sent does not count yet.
#define CONFIRM_MS (3 * MS_SECOND)

static int64_t backoff_ms(uint32_t attempts)
{
    int64_t wait_ms = attempts > 5 ? BACKOFF_MAX_MS : BACKOFF_MS << (attempts ? attempts - 1 : 0);
    return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

static void send(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    target->recorded = true;
    target->failed = false;
    target->attempts++;
    target->since_ms = target->seen_ms = turn->now_ms;
    target->look_ms = turn->now_ms + ANSWER_MS;
    target->look_token = 0;
    target->command_token = ++turn->state->newest_token;
    struct rollout_command *command = turn_command(turn, RC_TARGET);
    command->target = index;
    command->verb = VERB_REVERT;
    command->token = target->command_token;
}

static void nothing_touched(struct turn *turn)
{
    turn_phase(turn, PHASE_CANCELLED);
    struct rollout_command *record = turn_record(turn, RECORD_CANCELLED, "nothing was touched%s%s",
                                                 *turn->state->why ? ": " : "", turn->state->why);
    record->target = TARGET_EVERY;
    record->who = turn->event->who;
    turn_end(turn);
}

void revert_all(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    bool any = turn->plan->mode == PLAN_ROLLBACK;
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        any = any || state->targets[i].touched;
    state->awaiting = state->passed = false;
    if (!any) {
        nothing_touched(turn);
        return;
    }
    turn_phase(turn, PHASE_REVERTING);
    state->reverting_since_ms = turn->now_ms;
    struct rollout_command *record = turn_record(turn, RECORD_INTENDED, "revert: %s", state->why);
    record->target = TARGET_EVERY;
    record->verb = VERB_REVERT;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        if (turn->plan->mode == PLAN_ROLLBACK)
            target->touched = true;
        if (!target->touched)
            continue;
        target->verb = VERB_REVERT;
        target->share_ppm = 0;
        target->settled = target->unknown = false;
        target->attempts = 0;
        send(turn, i);
    }
}

str revert_forbidden_why(const struct turn *turn)
{
    for (uint32_t i = 0; i < turn->plan->target_count && turn->state->out; i++)
        if (turn->state->targets[i].touched && turn->plan->targets[i].no_return.len)
            return turn->plan->targets[i].no_return;
    return (str){NULL, 0};
}

bool revert_forbidden(const struct turn *turn)
{
    return revert_forbidden_why(turn).len > 0;
}

bool revert_told(const struct turn *turn)
{
    return turn->state->phase == PHASE_HELD && turn->state->breach_at_ms > 0 &&
           revert_forbidden(turn);
}

void revert_hold(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        if (target->look_ms > 0 && target->look_ms <= turn->now_ms)
            target->failed = target->failed || !target->settled; // a promote sends it again
    }
    char breach[ROLLOUT_TEXT];
    str changed = revert_forbidden_why(turn);
    memcpy(breach, state->why, sizeof breach);
    turn_why(turn,
             "%.*s; it is not taken back by itself, for known good cannot live with what was "
             "changed: " STR_FMT,
             ROLLOUT_TEXT / 2, breach, STR_ARG(changed));
    if (state->phase == PHASE_WAITING) { // for a step: a promote asks for that one anew
        state->step--;
        turn_phase(turn, PHASE_STEP_BAKE);
    }
    people_hold(turn);
    turn_incident(turn, STR("P1"));
}

void revert_breach(struct turn *turn, uint32_t metric, bool automatic)
{
    if (turn->state->phase == PHASE_REVERTING)
        return;
    if (automatic && revert_forbidden(turn)) {
        turn->state->breach_at_ms = turn->now_ms;
        revert_hold(turn);
        return;
    }
    turn->state->automatic = automatic;
    turn->state->breach_at_ms = turn->now_ms;
    struct rollout_command *record = turn_record(turn, RECORD_BREACHED, "%s", turn->state->why);
    record->metric = metric;
    revert_all(turn);
}

void revert_finish(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (state->targets[i].touched && !state->targets[i].settled)
            return;
    turn_phase(turn, PHASE_ROLLED_BACK);
    // The incident before the end: a crash between the two asks for it again, and never loses it.
    if (state->automatic)
        turn_incident(turn, turn->plan->incident.len ? turn->plan->incident : STR("P2"));
    turn_record(turn, RECORD_ROLLED_BACK, "every target serves known good again%s%s",
                *state->why ? ": " : "", state->why)
        ->target = TARGET_EVERY;
    turn_end(turn);
}

// On its way back or given up for now: only then do answers about reverts mean anything.
static bool reverting(const struct turn *turn, uint32_t target)
{
    return (turn->state->phase == PHASE_REVERTING || turn->state->phase == PHASE_STUCK) &&
           turn->state->targets[target].verb == VERB_REVERT &&
           !turn->state->targets[target].settled;
}

void revert_answered(struct turn *turn, uint32_t index, bool done)
{
    struct target_state *target = &turn->state->targets[index];
    uint64_t token = turn->event->token;
    if (!reverting(turn, index) || target->command_token == 0 ||
        (token != 0 && token != target->command_token))
        return;
    target->command_token = 0;
    if (!done) {
        target->failed = true;
        struct rollout_command *record =
            turn_record(turn, RECORD_COMMAND_FAILED, STR_FMT ": revert, attempt %u: " STR_FMT,
                        STR_ARG(turn->plan->targets[index].name), (unsigned)target->attempts,
                        STR_ARG(turn->event->text));
        record->target = index;
        record->verb = VERB_REVERT;
    }
    // Accepted or refused: where it is now is known only from looking.
    look_at(turn, index);
}

static bool is_back(const struct turn *turn, uint32_t index)
{
    const struct rollout_event *event = turn->event;
    if (!event->settled)
        return false;
    if (turn->plan->targets[index].good.release.len == 0)
        return event->share_ppm == 0; // a first deployment: there is nothing to go back to
    return event->on_good_ppm == SHARE_ALL;
}

void revert_observed(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    if (!reverting(turn, index))
        return;
    target->seen_ms = turn->now_ms;
    int64_t counts_ms = turn->state->reverting_since_ms + CONFIRM_MS;
    if (is_back(turn, index) && turn->plan->mode == PLAN_ROLLBACK && turn->now_ms < counts_ms) {
        target->look_ms = counts_ms;
    } else if (is_back(turn, index)) {
        target->settled = true;
        target->look_ms = 0;
        target->command_token = 0;
        struct rollout_command *record =
            turn_record(turn, RECORD_COMMAND_DONE, STR_FMT ": reverted",
                        STR_ARG(turn->plan->targets[index].name));
        record->target = index;
        record->verb = VERB_REVERT;
        revert_finish(turn);
    } else if (turn->state->phase == PHASE_STUCK) {
        target->look_ms = 0;
    } else if (target->attempts == 0) {
        send(turn, index); // a new process found it elsewhere
    } else if (target->failed || turn->event->settled ||
               turn->now_ms - target->since_ms > AGAIN_MS) {
        int64_t again_ms = target->since_ms + backoff_ms(target->attempts);
        target->failed = true;
        target->look_ms = again_ms > turn->now_ms ? again_ms : turn->now_ms + 1;
    } else {
        target->look_ms = turn->now_ms + LOOK_SOON_MS;
    }
}

void revert_due(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    if (!reverting(turn, index)) {
        target->look_ms = 0;
        return;
    }
    bool blind = target->look_token != 0 && turn->now_ms - target->seen_ms >= AGAIN_MS;
    if ((target->failed || blind || target->attempts == 0) && target->attempts < ATTEMPTS)
        send(turn, index);
    else
        look_at(turn, index);
}

void revert_limit(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    uint32_t missing = 0;
    uint32_t first = 0;
    for (uint32_t i = turn->plan->target_count; i-- > 0;) {
        if (!state->targets[i].touched || state->targets[i].settled)
            continue;
        missing++;
        first = i;
    }
    bool over = turn->now_ms >= state->reverting_since_ms + turn->plan->rollback_limit_ms;
    if (missing == 0 || !over)
        return;
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        state->targets[i].look_ms = 0;
    turn_phase(turn, PHASE_STUCK);
    turn_incident(turn, STR("P1"));
    struct rollout_command *record =
        turn_record(turn, RECORD_STUCK,
                    "%u targets could not be verified to be back on known good, first " STR_FMT,
                    (unsigned)missing, STR_ARG(turn->plan->targets[first].name));
    record->target = first;
    turn_end(turn);
}

void revert_resume(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    // Also where the other process had written it down: it may have died before it got that far.
    struct rollout_command *record =
        turn_record(turn, RECORD_INTENDED, "revert, once more: %s", state->why);
    record->target = TARGET_EVERY;
    record->verb = VERB_REVERT;
    turn_phase(turn, PHASE_REVERTING);
    state->reverting_since_ms = turn->now_ms;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        if (!target->touched)
            continue;
        target->settled = target->failed = target->unknown = false;
        target->attempts = 0;
        target->command_token = 0;
        look_at(turn, i);
    }
}
