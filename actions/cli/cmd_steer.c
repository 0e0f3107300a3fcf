// sluice hold, promote, abort: a person steers a rollout. The word goes into the ledger under their
// name; the process that drives the rollout reads it there within seconds, or `sluice resume` does.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "actions/cli/steering_desk.h"
#include "gate/base/number.h"

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

// ---- which step -----------------------------------------------------------------------------

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

// A --step that is not the current one is refused: a promote that is read late never skips the bake
// of a later one.
static bool check_step(const struct deployment *d, const struct rollout_record *fact,
                       struct error *err)
{
    const struct plan *plan = fact->plan;
    const char *given = option_text(&d->call->options, "step");
    struct fraction share;
    if (!given)
        return true;
    if (!number_percent(str_of(given), &share))
        return error_set(err, ERROR_INPUT, "--step takes a share such as 25%%, not `%s`", given);
    uint32_t current = fact->state->step, meant = step_of(plan, share);
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
    return true;
}

// ---- saying it ---------------------------------------------------------------------------------

// A ledger that cannot be pushed now still counts here: the word is on this machine, and is pushed
// by whoever runs next.
static void push(struct deployment *d)
{
    struct error late;
    if (!d->offline && !ledger_sync(d->ledger, LEDGER_WAIT_MS, &late))
        say_line("sluice: it is recorded here, and not pushed yet: %s", late.message);
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
        !steering_check(fact.plan, fact.state, steer, &word.share_ppm, &d->call->error) ||
        (steer == STEER_PROMOTE && !check_step(d, &fact, &d->call->error)) ||
        !steering_write(d->ledger, fact.plan->rollout, &word, STR(""), &d->call->error))
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
