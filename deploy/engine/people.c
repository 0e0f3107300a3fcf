// What people do to a rollout: approve, refuse, hold, promote, abort, cancel.
#include "deploy/engine/turn.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

// A login as a number, so that the state has a fixed size; logins differ not by case.
static uint64_t login_digest(str login)
{
    uint64_t digest = FNV_OFFSET;
    for (size_t i = 0; i < login.len; i++) {
        unsigned char c = (unsigned char)login.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + 'a' - 'A');
        digest = (digest ^ c) * FNV_PRIME;
    }
    return digest;
}

static bool is_touched(const struct turn *turn)
{
    for (uint32_t i = 0; i < turn->plan->target_count; i++)
        if (turn->state->targets[i].touched)
            return true;
    return false;
}

// ---- approvals ----------------------------------------------------------------------------------

static const struct plan_approval *open_question(const struct turn *turn)
{
    if (turn->state->held_from == PHASE_SHIFTING)
        return &turn->plan->steps[turn->state->step].approval;
    return &turn->plan->approval;
}

const struct plan_approval *rollout_question(const struct plan *plan,
                                             const struct rollout_state *state, uint32_t *ret_step)
{
    if (state->phase != PHASE_WAITING)
        return NULL;
    bool step = state->held_from == PHASE_SHIFTING;
    *ret_step = step ? state->step : STEP_STAGE;
    return step ? &plan->steps[state->step].approval : &plan->approval;
}

uint32_t people_needed(const struct turn *turn)
{
    return open_question(turn)->count;
}

static uint32_t question_step(const struct turn *turn)
{
    return turn->state->held_from == PHASE_SHIFTING ? turn->state->step : STEP_STAGE;
}

static void ask(struct turn *turn)
{
    const struct rollout_state *state = turn->state;
    struct rollout_command *command = turn_command(turn, RC_ASK);
    command->token = state->asked;
    command->step = question_step(turn);
}

void people_ask(struct turn *turn, uint32_t step)
{
    struct rollout_state *state = turn->state;
    char share[24];
    turn_phase(turn, PHASE_WAITING);
    state->held_from = step == STEP_STAGE ? PHASE_PREPARING : PHASE_SHIFTING;
    state->step = step == STEP_STAGE ? 0 : step;
    state->passed = false;
    state->answers = 0;
    state->hold = false;
    memset(state->answered, 0, sizeof state->answered);
    memset(state->answers_by_word, 0, sizeof state->answers_by_word);
    state->asked = ++state->newest_token;
    struct rollout_command *record =
        step == STEP_STAGE
            ? turn_record(turn, RECORD_APPROVAL_ASKED, "to bring " STR_FMT " to " STR_FMT,
                          STR_ARG(turn->plan->release), STR_ARG(turn->plan->stage))
            : turn_record(turn, RECORD_APPROVAL_ASKED, "to bring " STR_FMT " to %s of " STR_FMT,
                          STR_ARG(turn->plan->release),
                          share_words(turn->plan->steps[step].share_ppm, share),
                          STR_ARG(turn->plan->stage));
    record->step = step;
    ask(turn);
}

void people_ask_again(struct turn *turn)
{
    ask(turn);
}

static bool answered_before(const struct rollout_state *state, uint64_t digest)
{
    for (uint32_t i = 0; i < state->answers; i++)
        if (state->answered[i] == digest)
            return true;
    return false;
}

bool rollout_answered(const struct rollout_state *state, str who)
{
    return answered_before(state, login_digest(who));
}

// state->why says by whom, or that nobody answered.
static void refused(struct turn *turn)
{
    bool touched = is_touched(turn);
    uint32_t step = question_step(turn);
    if (touched && revert_forbidden(turn)) {
        turn->state->breach_at_ms = turn->now_ms;
        revert_hold(turn);
        return;
    }
    if (!touched)
        turn_phase(turn, PHASE_DENIED);
    struct rollout_command *record = turn_record(
        turn, touched ? RECORD_APPROVAL_REFUSED : RECORD_DENIED, "%s", turn->state->why);
    record->step = step;
    record->who = turn->event->who;
    if (touched)
        revert_all(turn);
    else
        turn_end(turn);
}

void people_answer(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    const struct rollout_event *event = turn->event;
    if (state->phase != PHASE_WAITING || state->answers >= people_needed(turn) ||
        (event->token != 0 && event->token != state->asked))
        return;
    uint64_t digest = login_digest(event->who);
    if (event->granted && answered_before(state, digest))
        return; // one person is one approval
    if (!event->granted) {
        turn_why(turn, "refused by " STR_FMT "%s" STR_FMT, STR_ARG(event->who),
                 event->text.len ? ": " : "", STR_ARG(event->text));
        refused(turn);
        return;
    }
    struct rollout_command *record =
        turn_record(turn, RECORD_APPROVAL_GIVEN, STR_FMT, STR_ARG(event->text));
    record->who = event->who;
    record->step = question_step(turn);
    state->answers_by_word[state->answers] = event->word;
    state->answered[state->answers++] = digest;
    forward_go_on(turn);
}

void people_withdraw(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    const struct rollout_event *event = turn->event;
    uint32_t i = 0;
    if (state->phase != PHASE_WAITING || state->answers >= people_needed(turn) || !event->word)
        return;
    while (i < state->answers && state->answers_by_word[i] != event->word)
        i++;
    if (i == state->answers || state->answered[i] != login_digest(event->who))
        return; // it was not counted, or is somebody else's
    state->answers--;
    for (; i < state->answers; i++) {
        state->answered[i] = state->answered[i + 1];
        state->answers_by_word[i] = state->answers_by_word[i + 1];
    }
    struct rollout_command *record =
        turn_record(turn, RECORD_APPROVAL_WITHDRAWN, STR_FMT, STR_ARG(event->text));
    record->who = event->who;
    record->step = question_step(turn);
}

int64_t people_expiry_ms(const struct turn *turn)
{
    const struct plan_approval *approval = open_question(turn);
    if (approval->expires_after_ms == 0 || turn->state->answers >= approval->count)
        return 0;
    return turn->state->phase_since_ms + approval->expires_after_ms;
}

void people_expire(struct turn *turn)
{
    if (turn->state->phase != PHASE_WAITING)
        return;
    int64_t expiry_ms = people_expiry_ms(turn);
    if (expiry_ms == 0 || turn->now_ms < expiry_ms)
        return;
    char after[32];
    turn_why(turn, "nobody approved within %s",
             duration_words(open_question(turn)->expires_after_ms, after));
    refused(turn);
}

// ---- steering -----------------------------------------------------------------------------------

void people_hold(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    state->held_from = state->phase;
    turn_phase(turn, PHASE_HELD);
    turn_record(turn, RECORD_HELD, "%s", state->why)->who = turn->event->who;
}

static void steered(struct turn *turn, const char *what)
{
    struct rollout_command *record =
        turn_record(turn, RECORD_STEERED, "%s: " STR_FMT, what, STR_ARG(turn->event->text));
    record->who = turn->event->who;
    record->target = TARGET_EVERY;
}

static bool is_forward(enum rollout_phase phase)
{
    return phase == PHASE_PREPARING || phase == PHASE_SHIFTING || phase == PHASE_STEP_BAKE ||
           phase == PHASE_BAKE || phase == PHASE_PROMOTING || phase == PHASE_VERIFYING;
}

// What waits for an approval goes no further by itself, but an answer may be on its way already:
// it counts, and what it allows waits for a promote.
static void steer_hold(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    bool waits = state->phase == PHASE_WAITING && !state->hold;
    if (!is_forward(state->phase) && !waits)
        return;
    turn_why(turn, "held by " STR_FMT "%s" STR_FMT, STR_ARG(turn->event->who),
             turn->event->text.len ? ": " : "", STR_ARG(turn->event->text));
    if (waits) {
        state->hold = true;
        steered(turn, "hold");
    } else {
        people_hold(turn);
    }
}

// Goes on by a person's decision: skips what is left of a bake, or ends a hold. Never an
// approval, never an abort.
static void steer_promote(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->phase == PHASE_WAITING && state->hold) {
        state->hold = false;
        state->why[0] = '\0';
        steered(turn, "may go on once it is approved"); // it passes no step
        forward_go_on(turn);
        return;
    }
    enum rollout_phase phase = state->phase == PHASE_HELD ? state->held_from : state->phase;
    bool bakes = phase == PHASE_STEP_BAKE || phase == PHASE_BAKE;
    uint32_t meant_ppm = turn->event->share_ppm;
    if ((state->phase != PHASE_HELD && (!bakes || state->passed)) ||
        (meant_ppm != 0 && meant_ppm != turn->plan->steps[state->step].share_ppm))
        return;
    steered(turn, "promote");
    if (state->phase == PHASE_HELD) {
        turn_phase(turn, phase);
        state->accepted = state->accepted || (state->breach_at_ms && revert_forbidden(turn));
        state->awaiting = false; // whatever was not carried out is written down anew
    }
    state->passed = bakes;
    forward_go_on(turn);
}

static void steer_abort(struct turn *turn)
{
    if (turn->state->phase == PHASE_STUCK) {
        steered(turn, "abort");
        revert_resume(turn);
        return;
    }
    if (is_touched(turn))
        steered(turn, "abort");
    turn_why(turn, "aborted by " STR_FMT "%s" STR_FMT, STR_ARG(turn->event->who),
             turn->event->text.len ? ": " : "", STR_ARG(turn->event->text));
    revert_all(turn);
}

bool rollout_heard(const struct rollout_state *state, uint64_t token)
{
    if (token == 0)
        return false;
    for (uint32_t i = 0; i < state->heard_count; i++)
        if (state->heard[i] == token)
            return true;
    return token == state->steered;
}

// True when it was heard before; else it is remembered.
static bool heard_before(struct rollout_state *state, uint64_t token)
{
    if (token == 0 || rollout_heard(state, token))
        return token != 0;
    if (state->heard_count == ROLLOUT_STEERS) {
        memmove(state->heard, state->heard + 1, sizeof state->heard - sizeof state->heard[0]);
        state->heard_count--;
    }
    state->heard[state->heard_count++] = token;
    return false;
}

void people_steer(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->phase == PHASE_REVERTING || turn->plan->mode == PLAN_ROLLBACK ||
        heard_before(state, turn->event->token))
        return;
    state->steered = turn->event->token;
    switch (turn->event->steer) {
    case STEER_HOLD:
        steer_hold(turn);
        break;
    case STEER_PROMOTE:
        steer_promote(turn);
        break;
    case STEER_ABORT:
        steer_abort(turn);
        break;
    }
}

void people_cancel(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    state->cancelled = true;
    if (state->phase == PHASE_REVERTING || state->phase == PHASE_STUCK)
        return; // a revert that is under way is what a cancelled run leaves behind
    turn_why(turn, "cancelled");
    bool way_back = turn->plan->rollback_on_cancel && !revert_forbidden(turn);
    if (!is_touched(turn) || way_back) {
        revert_all(turn);
        return;
    }
    if (is_forward(state->phase)) // else it is waiting or held already
        people_hold(turn);
    turn_end(turn);
}
