// sluice hold, promote, abort: a person steers a rollout. The word goes into the ledger under their
// name; the process that drives the rollout reads it there within seconds, or `sluice resume` does.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/steering_desk.h"
#include "gate/base/number.h"

#include <stdio.h>

#define REASON                                                                                     \
    {                                                                                              \
        .name = "reason", .argument = "TEXT", .help = "Why; it goes into the record."              \
    }
static const struct option options[] = {REASON, {0}};
static const struct option promote_options[] = {
    REASON,
    {.name = "step",
     .argument = "SHARE",
     .help = "The step that is meant, such as 25%; the one it stands at when absent."},
    {0},
};

// ---- what makes sense now ----------------------------------------------------------------------

static bool is_baking(const struct rollout_state *state)
{
    return state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE;
}

// Shares are shown, and typed, with a few digits only.
static uint32_t step_of(const struct plan *plan, struct fraction share)
{
    enum { NEAR_PPM = 500 };
    int64_t ppm = (int64_t)((double)share.num / (double)share.den * SHARE_ALL + 0.5);
    uint32_t step = 0;
    while (step < plan->step_count && (plan->steps[step].share_ppm > ppm + NEAR_PPM ||
                                       plan->steps[step].share_ppm + NEAR_PPM < ppm))
        step++;
    return step;
}

// The step that --step names, or the current one: a promote that is read late never skips the bake
// of a later one.
static bool find_step(struct deployment *d, const struct rollout_record *fact, uint32_t *ret_ppm,
                      struct error *err)
{
    const struct plan *plan = fact->plan;
    const char *given = option_text(&d->call->options, "step");
    struct fraction share;
    uint32_t current = fact->state->step, meant = current;
    if (given) {
        if (!number_percent(str_of(given), &share))
            return error_set(err, ERROR_INPUT, "--step takes a share such as 25%%, not `%s`",
                             given);
        meant = step_of(plan, share);
    }
    if (meant == plan->step_count)
        return error_set(err, ERROR_INPUT,
                         "rollout " STR_FMT " has no step of %s: `sluice status " STR_FMT
                         "` shows its steps",
                         STR_ARG(plan->rollout), given, STR_ARG(plan->rollout));
    if (meant != current)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " stands at its step of %g%%: the one of %g%% is %s",
                         STR_ARG(plan->rollout), plan->steps[current].share_ppm / 10000.0,
                         plan->steps[meant].share_ppm / 10000.0,
                         meant < current ? "over" : "not reached yet");
    *ret_ppm = plan->steps[current].share_ppm;
    return true;
}

static bool check_promote(struct deployment *d, const struct rollout_record *fact,
                          uint32_t *ret_ppm, struct error *err)
{
    const struct rollout_state *state = fact->state;
    if (state && state->phase == PHASE_WAITING && !state->hold)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " waits for an approval, which nothing skips: `sluice "
                         "approve " STR_FMT "`",
                         STR_ARG(fact->plan->rollout), STR_ARG(fact->plan->rollout));
    bool held = state && (state->phase == PHASE_HELD || state->phase == PHASE_WAITING);
    if (!held && !(state && is_baking(state)))
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is %s: there is no bake to skip and no hold to end",
                         STR_ARG(fact->plan->rollout),
                         phase_name(state ? state->phase : PHASE_NEW));
    return find_step(d, fact, ret_ppm, err);
}

static bool check(struct deployment *d, const struct rollout_record *fact, enum rollout_steer steer,
                  uint32_t *ret_ppm)
{
    struct error *err = &d->call->error;
    str rollout = fact->plan->rollout;
    const struct rollout_state *state = fact->state;
    if (fact->plan->mode == PLAN_ROLLBACK)
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is a way back, and nobody stops one: `sluice "
                         "rollback --to RELEASE` takes over from it",
                         STR_ARG(rollout));
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
                         "rollout " STR_FMT " was steered %u times already: `sluice abort " STR_FMT
                         "` ends it",
                         STR_ARG(rollout), (unsigned)state->heard_count, STR_ARG(rollout));
    bool held = state && (state->phase == PHASE_HELD || state->hold);
    if (steer == STEER_HOLD && held)
        return error_set(err, ERROR_DENIED, "rollout " STR_FMT " is held already: %s",
                         STR_ARG(rollout), state->why);
    return steer != STEER_PROMOTE || check_promote(d, fact, ret_ppm, err);
}

// ---- saying it ---------------------------------------------------------------------------------

// A ledger that cannot be pushed now still counts here: the word is on this machine, and is pushed
// by whoever runs next.
static void push(struct deployment *d)
{
    struct error late;
    if (!d->offline && !ledger_sync(d->ledger, LEDGER_WAIT_MS, &late))
        (void)fprintf(stderr, "sluice: it is recorded here, and not pushed yet: %s\n",
                      late.message);
}

static bool say(struct deployment *d, const struct rollout_record *fact, enum rollout_steer steer)
{
    static const char *const done[] = {"Hold", "Promote", "Abort"};
    bool live = lease_is_live(&fact->standing.lease, deployment_now(d)) &&
                !process_is_gone(fact->standing.lease.process);
    struct text out = text_of(4096);
    text_addf(&out, "%s of " STR_FMT " recorded for " STR_FMT ". %s\n", done[steer],
              STR_ARG(fact->plan->rollout), STR_ARG(d->me),
              live ? "The process that drives it reads that within seconds."
                   : "No process drives it now: `sluice resume` carries it out.");
    bool ok = command_print(d->call, text_str(&out));
    text_done(&out);
    return ok;
}

static bool steer_one(struct deployment *d, enum rollout_steer steer)
{
    struct rollout_record fact = {0};
    const char *reason = option_text(&d->call->options, "reason");
    struct steering word = {.steer = steer};
    if (!reason && steer != STEER_ABORT)
        return error_set(&d->call->error, ERROR_INPUT,
                         "say why with --reason: it goes into the "
                         "record");
    word.text = reason ? str_of(reason) : STR("pending");
    if (!facts_find_named(d, d->call->options.operands[0],
                          "is under way: `sluice status` lists those that are", &fact) ||
        !check(d, &fact, steer, &word.share_ppm) ||
        !steering_write(d->ledger, fact.plan->rollout, &word, &d->call->error))
        return false;
    push(d);
    return say(d, &fact, steer);
}

static int run_steer(struct invocation *call, enum rollout_steer steer)
{
    struct deployment d;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    int code = steer_one(&d, steer) ? 0 : deployment_failed(&d);
    deployment_close(&d);
    return code;
}

static int run_hold(struct invocation *call)
{
    return run_steer(call, STEER_HOLD);
}

static int run_promote(struct invocation *call)
{
    return run_steer(call, STEER_PROMOTE);
}

static int run_abort(struct invocation *call)
{
    return run_steer(call, STEER_ABORT);
}

const struct command command_hold = {
    .name = "hold",
    .operands = "ROLLOUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "stop a rollout where it stands until somebody promotes or aborts it",
    .description = "The release keeps the traffic that it has, and goes on being watched: a breach "
                   "still takes it back.\nROLLOUT is its name, or that of its release.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run_hold,
};

const struct command command_promote = {
    .name = "promote",
    .operands = "ROLLOUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "end a hold, or skip the rest of the bake of one step",
    .description =
        "Means the step that the rollout stands at, and no other: read too late, it does "
        "nothing. Never skips an\napproval, and never ends an abort.",
    .options = promote_options,
    .formats = 1U << FORMAT_TEXT,
    .run = run_promote,
};

const struct command command_abort = {
    .name = "abort",
    .operands = "ROLLOUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "take back a rollout that is under way",
    .description = "The process that drives it sends every touched target back, within seconds; "
                   "without one, `sluice resume` does.\n`sluice rollback` does it from here, at "
                   "once.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run_abort,
};
