// The way forward: staging, shifting, promoting, verifying. Nothing of it leaves before its
// intent is durable in the record.
#include "deploy/engine/turn.h"

#include <stdio.h>

static uint32_t share_of(const struct turn *turn, enum target_verb verb, uint32_t target)
{
    if (verb == VERB_SHIFT)
        return plan_share(turn->plan, target, turn->state->step);
    return verb == VERB_PROMOTE ? SHARE_ALL : 0;
}

static bool is_settled_at(const struct turn *turn, uint32_t index, enum target_verb verb)
{
    const struct target_state *target = &turn->state->targets[index];
    return target->settled && target->verb == verb &&
           target->share_ppm == share_of(turn, verb, index);
}

// Some targets move before the others in each step. What brings no traffic knows no order.
static uint32_t rank_of(const struct turn *turn, enum target_verb verb, uint32_t index)
{
    return verb == VERB_SHIFT ? turn->plan->targets[index].rank : 0;
}

// The lowest rank of which a target is not there yet; UINT32_MAX when all are.
static uint32_t moving_rank(const struct turn *turn, enum target_verb verb)
{
    uint32_t moving = UINT32_MAX;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        uint32_t rank = rank_of(turn, verb, i);
        if (!is_settled_at(turn, i, verb) && rank < moving)
            moving = rank;
    }
    return moving;
}

// `only` is the one target that is meant, or TARGET_EVERY.
static void record_intent(struct turn *turn, enum target_verb verb, uint32_t only)
{
    char share[24] = "";
    struct rollout_state *state = turn->state;
    str name = only == TARGET_EVERY ? (str){NULL, 0} : turn->plan->targets[only].name;
    if (verb == VERB_SHIFT)
        share_words(turn->plan->steps[state->step].share_ppm, share);
    struct rollout_command *command =
        turn_record(turn, RECORD_INTENDED, "%s " STR_FMT "%s%s%s" STR_FMT, verb_name(verb),
                    STR_ARG(turn->plan->release), *share ? " to " : "", share,
                    name.len ? " on " : "", STR_ARG(name));
    command->target = TARGET_EVERY;
    command->verb = verb;
    command->share_ppm =
        verb == VERB_SHIFT ? turn->plan->steps[state->step].share_ppm : share_of(turn, verb, 0);
    command->durable = true;
    command->token = ++state->newest_token;
    state->token = command->token;
    state->awaiting = true;
    state->awaiting_since_ms = turn->now_ms;
}

// Writes down that every target whose turn it is is to be brought there. Those that are there
// already stay as they are.
static bool intend(struct turn *turn, enum target_verb verb)
{
    uint32_t rank = moving_rank(turn, verb), meant = 0, last = 0;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &turn->state->targets[i];
        if (is_settled_at(turn, i, verb) || rank_of(turn, verb, i) != rank)
            continue;
        meant++;
        last = i;
        target->verb = verb;
        target->share_ppm = share_of(turn, verb, i);
        target->recorded = target->settled = target->failed = false;
        target->touched = true;
        target->attempts = 0;
        target->look_ms = 0;
        target->look_token = target->command_token = 0;
    }
    if (meant > 0)
        record_intent(turn, verb, meant == 1 ? last : TARGET_EVERY);
    return meant > 0;
}

static void send_intended(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        if (target->recorded || target->settled || target->verb == VERB_NONE)
            continue;
        target->recorded = true;
        target->attempts++;
        target->since_ms = turn->now_ms;
        target->look_ms = turn->now_ms + turn->plan->settle_limit_ms;
        target->command_token = ++state->newest_token;
        if (target->verb != VERB_STAGE)
            state->out = true;
        struct rollout_command *command = turn_command(turn, RC_TARGET);
        command->target = i;
        command->verb = target->verb;
        command->share_ppm = target->share_ppm;
        command->token = target->command_token;
    }
}

void forward_recorded(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (!state->awaiting || turn->event->token != state->token)
        return;
    state->awaiting = false;
    bool moving = state->phase == PHASE_PREPARING || state->phase == PHASE_SHIFTING ||
                  state->phase == PHASE_PROMOTING;
    // Frozen or held since it was written: it is written again when the way is free.
    if (moving && !state->frozen)
        send_intended(turn);
}

// ---- going on -----------------------------------------------------------------------------------

static bool all_settled(const struct turn *turn, enum target_verb verb)
{
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (!is_settled_at(turn, i, verb))
            return false;
    return true;
}

static bool on_its_way(const struct turn *turn, uint32_t index, enum target_verb verb)
{
    const struct target_state *target = &turn->state->targets[index];
    return target->recorded && !target->settled && !target->failed && target->verb == verb &&
           target->share_ppm == share_of(turn, verb, index);
}

// Something was intended, or is to be, and no command of it is on its way.
static bool to_intend(const struct turn *turn, enum target_verb verb)
{
    if (turn->state->awaiting || turn->state->frozen)
        return false;
    uint32_t rank = moving_rank(turn, verb);
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (rank_of(turn, verb, i) == rank && !is_settled_at(turn, i, verb) &&
            !on_its_way(turn, i, verb))
            return true;
    return false;
}

void forward_begin(struct turn *turn)
{
    if (turn->plan->approval.count > 0) {
        people_ask(turn, STEP_STAGE);
        return;
    }
    turn_phase(turn, PHASE_PREPARING);
    forward_go_on(turn);
}

void forward_shift(struct turn *turn, uint32_t step)
{
    struct rollout_state *state = turn->state;
    state->step = step;
    state->passed = false;
    turn_phase(turn, PHASE_SHIFTING);
    if (!intend(turn, VERB_SHIFT))
        bake_begin(turn); // on these targets the step comes out equal to the one before it
}

static void to_step(struct turn *turn, uint32_t step)
{
    if (turn->plan->steps[step].approval.count > 0)
        people_ask(turn, step);
    else if (!turn->state->frozen)
        forward_shift(turn, step);
}

void forward_advance(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->step + 1 < turn->plan->step_count) {
        to_step(turn, state->step + 1);
    } else if (!state->frozen) {
        state->passed = false;
        turn_phase(turn, PHASE_PROMOTING);
        intend(turn, VERB_PROMOTE);
    }
}

static void verify_begin(struct turn *turn)
{
    turn_phase(turn, PHASE_VERIFYING);
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        turn->state->targets[i].seen_ms = 0;
        look_at(turn, i);
    }
}

void forward_verify(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (turn->state->targets[i].seen_ms == 0)
            return;
    turn_phase(turn, PHASE_DONE);
    turn_record(turn, RECORD_DONE, STR_FMT " serves all of stage " STR_FMT,
                STR_ARG(turn->plan->release), STR_ARG(turn->plan->stage))
        ->target = TARGET_EVERY;
    turn_end(turn);
}

static void go_on_with(struct turn *turn, enum target_verb verb)
{
    if (to_intend(turn, verb)) {
        intend(turn, verb);
    } else if (all_settled(turn, verb)) {
        if (verb == VERB_STAGE)
            to_step(turn, 0);
        else if (verb == VERB_SHIFT)
            bake_begin(turn);
        else
            verify_begin(turn);
    }
}

void forward_go_on(struct turn *turn)
{
    if (turn_resuming(turn))
        return;
    switch (turn->state->phase) {
    case PHASE_WAITING:
        if (turn->state->frozen || turn->state->hold || turn->state->answers < people_needed(turn))
            break;
        if (turn->state->held_from == PHASE_SHIFTING) {
            forward_shift(turn, turn->state->step);
        } else {
            turn_phase(turn, PHASE_PREPARING);
            go_on_with(turn, VERB_STAGE);
        }
        break;
    case PHASE_PREPARING:
        go_on_with(turn, VERB_STAGE);
        break;
    case PHASE_SHIFTING:
        go_on_with(turn, VERB_SHIFT);
        break;
    case PHASE_PROMOTING:
        go_on_with(turn, VERB_PROMOTE);
        break;
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
        if (turn->state->passed)
            forward_advance(turn);
        break;
    case PHASE_VERIFYING:
        verify_begin(turn);
        break;
    case PHASE_NEW:
    case PHASE_REVERTING:
    case PHASE_HELD:
    case PHASE_STUCK:
    case PHASE_DONE:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        break;
    }
}

// ---- answers ------------------------------------------------------------------------------------

static void command_done(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    target->settled = true;
    target->seen_ms = turn->now_ms;
    target->look_ms = target->verb == VERB_STAGE ? 0 : turn->now_ms + LOOK_EVERY_MS;
    target->command_token = 0;
    char share[24];
    struct rollout_command *command = turn_record(
        turn, RECORD_COMMAND_DONE, STR_FMT ": %s%s%s", STR_ARG(turn->plan->targets[index].name),
        verb_name(target->verb), target->verb == VERB_SHIFT ? " to " : "",
        target->verb == VERB_SHIFT ? share_words(target->share_ppm, share) : "");
    command->target = index;
    command->verb = target->verb;
    command->share_ppm = target->share_ppm;
    forward_go_on(turn);
}

static void command_failed(struct turn *turn, uint32_t index)
{
    struct target_state *target = &turn->state->targets[index];
    target->failed = true;
    turn_why(turn, "target " STR_FMT " failed to %s: " STR_FMT,
             STR_ARG(turn->plan->targets[index].name), verb_name(target->verb),
             STR_ARG(turn->event->text));
    if (!revert_forbidden(turn)) { // a hold is the first record of its step, and says as much
        struct rollout_command *command =
            turn_record(turn, RECORD_COMMAND_FAILED, "%s", turn->state->why);
        command->target = index;
        command->verb = target->verb;
        command->share_ppm = target->share_ppm;
    }
    revert_breach(turn, UINT32_MAX, true);
}

void forward_answered(struct turn *turn)
{
    const struct rollout_event *event = turn->event;
    struct target_state *target = &turn->state->targets[event->target];
    bool share_fits =
        event->verb != VERB_SHIFT || event->share_ppm == 0 || event->share_ppm == target->share_ppm;
    bool asked = target->recorded && !target->settled && target->verb == event->verb &&
                 share_fits && (event->token == 0 || event->token == target->command_token);
    if (!asked || target->unknown)
        return;
    if (event->type == RE_TARGET_DONE)
        command_done(turn, event->target);
    else
        command_failed(turn, event->target);
}
