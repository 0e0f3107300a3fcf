// What a person may say to a rollout as it stands.
#include "actions/cli/steering_desk.h"

static bool check_promote(const struct plan *plan, const struct rollout_state *state,
                          uint32_t *ret_ppm, struct error *err)
{
    enum rollout_phase phase = state ? state->phase : PHASE_NEW;
    if (phase == PHASE_WAITING && !state->hold)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT
                         " waits for an approval, which nothing skips: `/approve` "
                         "in its issue, or `sluice approve " STR_FMT "`",
                         STR_ARG(plan->rollout), STR_ARG(plan->rollout));
    bool bakes = phase == PHASE_STEP_BAKE || phase == PHASE_BAKE;
    if (phase != PHASE_HELD && phase != PHASE_WAITING && !bakes)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is %s: there is no bake to skip and no hold to end",
                         STR_ARG(plan->rollout), phase_name(phase));
    *ret_ppm = plan->steps[state->step].share_ppm;
    return true;
}

bool steering_check(const struct plan *plan, const struct rollout_state *state,
                    enum rollout_steer steer, uint32_t *ret_ppm, struct error *err)
{
    str rollout = plan->rollout;
    if (plan->mode == PLAN_ROLLBACK)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is a way back, and nobody stops one: `sluice "
                         "rollback --to RELEASE` takes over from it",
                         STR_ARG(rollout));
    if (state && phase_terminal(state->phase))
        return error_set(err, ERROR_DENIED, "rollout " STR_FMT " is over: it is %s",
                         STR_ARG(rollout), phase_name(state->phase));
    if (state && state->phase == PHASE_REVERTING)
        return error_set(err, ERROR_DENIED, "rollout " STR_FMT " is on its way back already",
                         STR_ARG(rollout));
    if (steer != STEER_ABORT && state && state->phase == PHASE_STUCK)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is stuck on its way back: mend the targets, then "
                         "`sluice resume`",
                         STR_ARG(rollout));
    if (steer != STEER_ABORT && state && state->heard_count >= ROLLOUT_STEERS - 2)
        return error_set(err, ERROR_LIMIT,
                         "rollout " STR_FMT " was steered %u times already: `/rollback` in its "
                         "issue or `sluice abort " STR_FMT "` ends it",
                         STR_ARG(rollout), (unsigned)state->heard_count, STR_ARG(rollout));
    bool held = state && (state->phase == PHASE_HELD || state->hold);
    if (steer == STEER_HOLD && held)
        return error_set(err, ERROR_DENIED, "rollout " STR_FMT " is held already: %s",
                         STR_ARG(rollout), state->why);
    return steer != STEER_PROMOTE || check_promote(plan, state, ret_ppm, err);
}
