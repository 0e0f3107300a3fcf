// A bake: time in which a step must prove itself. It passes when its time is over, every target
// was seen where it should be after that, and every watch says pass. Nothing known is never a
// pass.
//
// A bake that does not pass when its time is over waits a little longer, but only for what may
// still be on its way: the look that was asked for just then, and the reading of a metric whose
// interval held the end. Once a watch says no in a way that neither mends, it is inconclusive.
#include "deploy/engine/turn.h"

#include <stdio.h>

#define GRACE_MS (30 * MS_SECOND) // or the longest interval of a metric

static bool baking(const struct turn *turn)
{
    return turn->state->phase == PHASE_STEP_BAKE || turn->state->phase == PHASE_BAKE;
}

// How long at most a bake waits for what is on its way at its end.
static int64_t grace_ms(const struct turn *turn)
{
    int64_t grace_ms = GRACE_MS;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++)
        if (turn->plan->metrics[m].every_ms > grace_ms)
            grace_ms = turn->plan->metrics[m].every_ms;
    return grace_ms;
}

void bake_begin(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    bool last = state->step + 1 >= turn->plan->step_count;
    turn_phase(turn, last ? PHASE_BAKE : PHASE_STEP_BAKE);
    state->bake_from_ms = turn->now_ms;
    state->bake_until_ms = turn->now_ms + plan_bake_ms(turn->plan, state->step);
    state->extended = 0;
    state->passed = false;
    turn->bake_began = true;
    judge_new_step(turn);
    if (turn_wrote(turn))
        return;
    // Found out by looking, or in need of no command: the ledger is to say that the bake began.
    char share[24];
    turn_record(turn, RECORD_COMMAND_DONE, "every target serves %s",
                share_words(turn->plan->steps[state->step].share_ppm, share))
        ->target = TARGET_EVERY;
}

// The longest time since the newest figures of this bake that the ledger has, of which a source can
// tell nothing any more.
static int64_t unwatched_ms(const struct turn *turn)
{
    const struct rollout_state *state = turn->state;
    int64_t most_ms = 0;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++)
        for (uint32_t n = 0; n < turn->plan->metrics[m].target_count; n++) {
            int64_t from_ms = state->watches[plan_watch(turn->plan, m, n)].newest_ms;
            if (from_ms < state->bake_from_ms)
                from_ms = state->bake_from_ms;
            if (turn->plan->metrics[m].own && turn->now_ms - from_ms > most_ms)
                most_ms = turn->now_ms - from_ms;
        }
    return most_ms;
}

void bake_taken_over(struct turn *turn)
{
    if (baking(turn) && !turn->state->passed)
        turn->state->bake_until_ms += unwatched_ms(turn);
}

void bake_resume(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    int64_t fresh_ms = turn->now_ms;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        int64_t answer_ms = turn->now_ms + metric->lag_ms + metric->every_ms;
        if (answer_ms > fresh_ms)
            fresh_ms = answer_ms;
    }
    if (!state->passed && state->bake_until_ms < fresh_ms)
        state->bake_until_ms = fresh_ms;
    forward_go_on(turn);
}

int64_t bake_due_ms(const struct turn *turn)
{
    const struct rollout_state *state = turn->state;
    if (state->passed || turn_resuming(turn))
        return 0;
    if (turn->now_ms < state->bake_until_ms || turn->bake_began)
        return state->bake_until_ms;
    return state->bake_until_ms + grace_ms(turn);
}

static bool targets_seen(struct turn *turn, char why[200])
{
    bool seen = true;
    for (uint32_t i = 0; i < turn->plan->target_count; i++) {
        const struct target_state *target = &turn->state->targets[i];
        if (target->seen_ms >= turn->state->bake_until_ms)
            continue;
        seen = false;
        snprintf(why, 200, "target " STR_FMT " was not observed",
                 STR_ARG(turn->plan->targets[i].name));
        if (target->look_token == 0 && target->look_ms > turn->now_ms + LOOK_SOON_MS)
            look_at(turn, i);
    }
    return seen;
}

static void pass(struct turn *turn)
{
    char share[24];
    char took[32];
    struct rollout_state *state = turn->state;
    state->passed = true;
    turn_record(turn, RECORD_STEP_PASSED, "step %u of %u (%s) passed after %s",
                (unsigned)state->step + 1, (unsigned)turn->plan->step_count,
                share_words(turn->plan->steps[state->step].share_ppm, share),
                duration_words(turn->now_ms - state->bake_from_ms, took))
        ->target = TARGET_EVERY;
    forward_advance(turn);
}

// Not a pass and not a breach: longer once, then a person's decision. It never advances by
// itself.
static void inconclusive(struct turn *turn, const char *why)
{
    struct rollout_state *state = turn->state;
    if (state->extended < turn->plan->extend) {
        state->extended++;
        judge_extended(turn);
        state->bake_until_ms = turn->now_ms + plan_bake_ms(turn->plan, state->step);
        turn_record(turn, RECORD_SAMPLE_JUDGED, "inconclusive, the bake is extended: %s", why);
        return;
    }
    turn_why(turn, "inconclusive: %s", why);
    if (turn->plan->then == INCONCLUSIVE_ABORT && !revert_forbidden(turn))
        revert_breach(turn, UINT32_MAX, true);
    else
        people_hold(turn);
}

void bake_go_on(struct turn *turn)
{
    struct rollout_state *state = turn->state;
    char why[200];
    if (!baking(turn) || state->passed || turn->bake_began || turn->now_ms < state->bake_until_ms ||
        turn_resuming(turn))
        return;
    bool late = true;
    bool passes = targets_seen(turn, why) && judge_step(turn, why, &late);
    if (!passes && late && turn->now_ms < state->bake_until_ms + grace_ms(turn))
        return;
    char mismatch[200];
    char worse[288];
    uint32_t metric = UINT32_MAX;
    bool ends_worse = judge_end(turn, worse, &metric);
    if (!state->accepted && judge_ratio(turn, mismatch)) {
        turn_why(turn, "%s", mismatch);
        revert_breach(turn, UINT32_MAX, true);
    } else if (!state->accepted && ends_worse) {
        turn_why(turn, "%s", worse);
        revert_breach(turn, metric, true);
    } else if (passes && !ends_worse) {
        pass(turn);
    } else {
        inconclusive(turn, passes ? worse : why);
    }
}
