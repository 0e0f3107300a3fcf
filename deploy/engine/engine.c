// rollout_step: takes an event to whoever knows about it, then says when to be woken.
#include "deploy/engine/turn.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct rollout_state *rollout_state_new(struct arena *arena, const struct plan *plan)
{
    struct rollout_state *state = ARENA_NEW(arena, struct rollout_state);
    state->targets = ARENA_ARRAY(arena, struct target_state, plan->target_count);
    state->watches = ARENA_ARRAY(arena, struct watch_state, plan_watch_count(plan));
    return state;
}

void rollout_state_reset(const struct plan *plan, struct rollout_state *state)
{
    struct target_state *targets = state->targets;
    struct watch_state *watches = state->watches;
    *state = (struct rollout_state){.targets = targets, .watches = watches};
    for (uint32_t i = 0; i < plan->target_count; i++)
        targets[i] = (struct target_state){0};
    for (uint32_t i = 0; i < plan_watch_count(plan); i++)
        watches[i] = (struct watch_state){0};
}

// ---- commands -----------------------------------------------------------------------------------

struct rollout_command *turn_command(struct turn *turn, enum rollout_command_type type)
{
    assert(turn->out->count < ROLLOUT_COMMANDS);
    struct rollout_command *command = &turn->out->items[turn->out->count++];
    // Field by field: the text is long, and clearing it would cost more than all the rest.
    command->type = type;
    command->record = RECORD_INTENDED;
    command->token = 0;
    command->durable = false;
    command->target = UINT32_MAX;
    command->metric = UINT32_MAX;
    command->verb = VERB_NONE;
    command->share_ppm = 0;
    command->step = turn->state->step;
    command->at_ms = 0;
    command->who = (str){NULL, 0};
    command->text[0] = 0;
    return command;
}

struct rollout_command *turn_record(struct turn *turn, enum record_type record, const char *format,
                                    ...)
{
    struct rollout_command *command = turn_command(turn, RC_RECORD);
    command->record = record;
    va_list args;
    va_start(args, format);
    vsnprintf(command->text, sizeof command->text, format, args);
    va_end(args);
    return command;
}

void turn_phase(struct turn *turn, enum rollout_phase phase)
{
    turn->state->phase = phase;
    turn->state->phase_since_ms = turn->now_ms;
}

void turn_end(struct turn *turn)
{
    turn_command(turn, RC_END);
}

void turn_incident(struct turn *turn, str severity)
{
    struct rollout_command *command = turn_command(turn, RC_INCIDENT);
    snprintf(command->text, sizeof command->text, STR_FMT, STR_ARG(severity));
}

void turn_why(struct turn *turn, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(turn->state->why, sizeof turn->state->why, format, args);
    va_end(args);
}

bool turn_wrote(const struct turn *turn)
{
    for (uint32_t i = 0; i < turn->out->count; i++)
        if (turn->out->items[i].type == RC_RECORD)
            return true;
    return false;
}

bool turn_resuming(const struct turn *turn)
{
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (turn->state->targets[i].unknown)
            return true;
    return false;
}

const char *share_words(uint32_t share_ppm, char out[24])
{
    snprintf(out, 24, "%.4g %%", share_ppm / 1e4);
    return out;
}

// ---- time ---------------------------------------------------------------------------------------

static void move_back(int64_t *moment_ms, int64_t by_ms)
{
    if (*moment_ms != 0)
        *moment_ms -= by_ms;
}

// The clock went back: every moment goes with it, so that what was left to wait is still left. A
// bake is then neither cut short nor made longer by the jump. It may hide that the process stood
// still.
static void clock_back(struct turn *turn, int64_t by_ms)
{
    struct rollout_state *state = turn->state;
    int64_t *moments[] = {&state->phase_since_ms,    &state->bake_from_ms,
                          &state->bake_until_ms,     &state->reverting_since_ms,
                          &state->awaiting_since_ms, &state->judged_ms};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        move_back(moments[i], by_ms);
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        move_back(&state->targets[i].since_ms, by_ms);
        move_back(&state->targets[i].seen_ms, by_ms);
        move_back(&state->targets[i].look_ms, by_ms);
    }
    for (uint32_t i = 0; i < plan_watch_count(turn->plan); i++)
        move_back(&state->watches[i].newest_ms, by_ms);
    look_anew(turn);
    state->wake_ms = 0;
}

// A timer this late means that the process stood still, or that the clock leapt.
#define LATE_MS (30 * MS_SECOND)

// Nobody watched meanwhile, and answers may lie unread: time that a bake, a command or a record had
// left is still left. What should be looked at, sent again or expires is due all the same.
static void stood_still(struct turn *turn, int64_t for_ms)
{
    struct rollout_state *state = turn->state;
    if (state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE)
        state->bake_until_ms += for_ms;
    if (state->awaiting)
        state->awaiting_since_ms += for_ms;
    if (state->phase == PHASE_REVERTING)
        state->reverting_since_ms += for_ms;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        struct target_state *target = &state->targets[i];
        bool on_its_way = target->verb != VERB_REVERT && target->recorded && !target->settled;
        if (on_its_way && target->look_ms > 0)
            target->look_ms += for_ms;
    }
    look_anew(turn);
}

static void sooner(int64_t *wake_ms, int64_t moment_ms)
{
    if (moment_ms > 0 && (*wake_ms == 0 || moment_ms < *wake_ms))
        *wake_ms = moment_ms;
}

static int64_t next_due_ms(const struct turn *turn)
{
    const struct rollout_state *state = turn->state;
    int64_t wake_ms = 0;
    if (phase_terminal(state->phase) || state->phase == PHASE_STUCK || state->phase == PHASE_NEW)
        return 0;
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        sooner(&wake_ms, state->targets[i].look_ms);
    if (state->awaiting && state->phase != PHASE_HELD)
        sooner(&wake_ms, state->awaiting_since_ms + turn->plan->settle_limit_ms);
    if (state->phase == PHASE_REVERTING)
        sooner(&wake_ms, state->reverting_since_ms + turn->plan->rollback_limit_ms);
    if (state->phase == PHASE_WAITING)
        sooner(&wake_ms, people_expiry_ms(turn));
    if (state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE)
        sooner(&wake_ms, bake_due_ms(turn));
    return wake_ms;
}

// Everything whose moment has come. The engine asks no clock: any event may be the one that is
// late.
static void carry_out_due(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->phase == PHASE_REVERTING)
        revert_limit(turn);
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        int64_t look_ms = state->targets[i].look_ms;
        if (look_ms > 0 && look_ms <= turn->now_ms && !phase_terminal(state->phase) &&
            state->phase != PHASE_STUCK)
            look_due(turn, i);
    }
    if (state->awaiting && state->phase != PHASE_HELD && state->phase != PHASE_REVERTING &&
        turn->now_ms >= state->awaiting_since_ms + turn->plan->settle_limit_ms) {
        turn_why(turn,
                 "the ledger's remote does not take records: what was intended is not carried "
                 "out");
        people_hold(turn);
    }
    if (turn->event->type == RE_TIMER) // answers that are there already come before it
        people_expire(turn);
    bake_go_on(turn);
}

// ---- the step -----------------------------------------------------------------------------------

// Another writer owns the environment now. Whatever is under way here, nothing more leaves: not a
// revert either, for the other one decides.
static void fence(struct turn *turn)
{
    if (phase_terminal(turn->state->phase))
        return;
    turn->state->fenced = true;
    turn_end(turn);
}

static void begin(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->phase != PHASE_NEW)
        return;
    if (turn->plan->mode == PLAN_ROLLBACK) {
        turn_why(turn, STR_FMT, STR_ARG(turn->plan->reason));
        revert_all(turn);
    } else {
        forward_begin(turn);
    }
}

// Something is still to be sent forward from there.
static bool goes_forward(enum rollout_phase phase)
{
    return phase == PHASE_WAITING || phase == PHASE_PREPARING || phase == PHASE_SHIFTING ||
           phase == PHASE_STEP_BAKE || phase == PHASE_BAKE || phase == PHASE_PROMOTING ||
           phase == PHASE_HELD;
}

// What waited for a freeze to end.
static void go_on(struct turn *turn)
{
    enum rollout_phase phase = turn->state->phase;
    if (phase == PHASE_WAITING || phase == PHASE_PREPARING || phase == PHASE_SHIFTING ||
        phase == PHASE_PROMOTING || turn->state->passed)
        forward_go_on(turn);
    else
        bake_go_on(turn);
}

// Watching goes on meanwhile, and so does a revert.
static void freeze(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    bool frozen = turn->event->granted;
    bool news = frozen != state->frozen && goes_forward(state->phase);
    state->frozen = frozen;
    if (news && frozen)
        turn_record(turn, RECORD_FROZEN, "forward steps wait%s" STR_FMT,
                    turn->event->text.len ? ": " : "", STR_ARG(turn->event->text));
    else if (news)
        turn_record(turn, RECORD_THAWED, "forward steps may go on");
    if (news && !frozen)
        go_on(turn);
}

static void target_answered(struct turn *turn)
{
    const struct rollout_event *event = turn->event;
    if (event->target >= turn->plan->target_count)
        return;
    if (event->verb == VERB_REVERT)
        revert_answered(turn, event->target, event->type == RE_TARGET_DONE);
    else
        forward_answered(turn);
}

static void dispatch(struct turn *turn)
{
    switch (turn->event->type) {
    case RE_BEGIN:
        begin(turn);
        break;
    case RE_RESUMED:
        resume_begin(turn);
        break;
    case RE_TIMER:
        turn->state->wake_ms = 0; // used up, also when it came early
        break;
    case RE_RECORDED:
        forward_recorded(turn);
        break;
    case RE_RECORD_LOST:
        if (turn->event->token == turn->state->token)
            fence(turn);
        break;
    case RE_TARGET_DONE:
    case RE_TARGET_FAILED:
        target_answered(turn);
        break;
    case RE_OBSERVED:
        look_answered(turn);
        break;
    case RE_SAMPLE:
        judge_sample(turn);
        break;
    case RE_ANSWER:
        people_answer(turn);
        break;
    case RE_WITHDRAWN:
        people_withdraw(turn);
        break;
    case RE_STEER:
        people_steer(turn);
        break;
    case RE_FROZEN:
        freeze(turn);
        break;
    case RE_LEASE_LOST:
        fence(turn);
        break;
    case RE_CANCEL:
        people_cancel(turn);
        break;
    }
}

void rollout_step(const struct plan *plan, struct rollout_state *state,
                  const struct rollout_event *event, struct rollout_commands *out)
{
    struct turn turn = {plan, state, event, out, event->now_ms, false};
    out->count = 0;
    bool taken_over = event->type == RE_RESUMED;
    if (phase_terminal(state->phase)) {
        if (taken_over)
            turn_end(&turn);
        return;
    }
    if (state->fenced && !taken_over)
        return;
    if (state->asleep && !taken_over) {
        // Nothing is known about the world yet. Only that a freeze holds is kept.
        if (event->type == RE_FROZEN)
            state->frozen = event->granted;
        return;
    }
    if (state->last_ms > turn.now_ms)
        clock_back(&turn, state->last_ms - turn.now_ms);
    if (!taken_over && state->wake_ms > 0 && turn.now_ms - state->wake_ms > LATE_MS) {
        stood_still(&turn, turn.now_ms - state->last_ms);
        state->wake_ms = turn.now_ms;
    }
    state->last_ms = turn.now_ms;
    bool due = event->type == RE_TIMER || (state->wake_ms > 0 && turn.now_ms >= state->wake_ms);
    dispatch(&turn);
    if (due && !state->fenced && !phase_terminal(state->phase))
        carry_out_due(&turn);
    if (state->fenced || phase_terminal(state->phase))
        return;
    int64_t wake_ms = next_due_ms(&turn);
    if (wake_ms != state->wake_ms) {
        state->wake_ms = wake_ms;
        if (wake_ms > 0)
            turn_command(&turn, RC_WAKE)->at_ms = wake_ms;
    }
}
