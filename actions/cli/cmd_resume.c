// sluice resume: goes on with every rollout that is suspended or whose process is gone.
#include "actions/cli/commands.h"
#include "actions/cli/due.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/notices.h"
#include "actions/cli/rollout_flow.h"

#include <stdio.h>
#include <string.h>

static const char *const wait_choices[] = {"block", "suspend", "watch", NULL};

static const struct option options[] = {
    {.name = "wait",
     .argument = "HOW",
     .choices = wait_choices,
     .help = "`suspend` (the default) ends where only a person can go on; `block` waits here;\n"
             "                               `watch` ends only where the release has no traffic."},
    {.name = "leave",
     .help = "A signal lets go of the rollout instead of cancelling it: another process goes on."},
    {0},
};

static const struct stage_settings *stage_of_plan(const struct deployment *d,
                                                  const struct plan *plan)
{
    return stage_of(&d->settings, plan->stage);
}

static bool waits_here(const struct deployment *d)
{
    const char *wait = option_text(&d->call->options, "wait");
    return wait && strcmp(wait, "block") == 0;
}

static int resume_one(struct deployment *d, const struct rollout_record *fact)
{
    const char *wait = option_text(&d->call->options, "wait");
    struct flow flow = {
        .d = d,
        .stage = stage_of_plan(d, fact->plan),
        .plan = fact->plan,
        .state = fact->state,
        .placements = fact->placements,
        .suspend = !waits_here(d),
        .stay = wait && strcmp(wait, "watch") == 0,
        .leave = option_given(&d->call->options, "leave"),
    };
    if (!flow.stage) {
        (void)error_set(&d->call->error, ERROR_INPUT,
                        "rollout " STR_FMT " is of stage " STR_FMT
                        ", which the configuration does not have any more",
                        STR_ARG(fact->plan->rollout), STR_ARG(fact->plan->stage));
        return command_failed(d->call);
    }
    int code = flow_prepare_again(&flow) ? flow_drive(&flow) : command_failed(d->call);
    flow_done(&flow);
    return code;
}

// Says what kept one rollout from going on, and goes to the next; a live process elsewhere is no
// failure.
static int worse(struct deployment *d, const struct rollout_record *fact, int worst, int code)
{
    struct error *err = &d->call->error;
    if (err->kind == ERROR_NONE)
        return code > worst ? code : worst;
    (void)fprintf(stderr, "sluice: rollout " STR_FMT ": %s\n", STR_ARG(fact->plan->rollout),
                  err->message);
    bool elsewhere = err->kind == ERROR_DENIED;
    *err = (struct error){0};
    return elsewhere || code < worst ? worst : code;
}

// What waits for a person goes on waiting, without a process and without an entry in the ledger.
static int leave_alone(struct deployment *d, const struct rollout_record *fact)
{
    struct flow flow = {.d = d, .plan = fact->plan, .phase = fact->state->phase};
    (void)snprintf(flow.why, sizeof flow.why, "%s", fact->state->why);
    return flow_outcome(&flow);
}

static int wake(struct deployment *d, const struct rollout_record *fact)
{
    struct due due = due_of(d->ledger, fact, deployment_now(d));
    switch (due.state) {
    case DUE_NOW:
        return resume_one(d, fact);
    case DUE_LIVE:
        (void)error_set(&d->call->error, ERROR_DENIED, "a process of " STR_FMT " drives it",
                        STR_ARG(fact->standing.lease.who));
        return 0;
    case DUE_PEOPLE:
        return waits_here(d) ? resume_one(d, fact) : leave_alone(d, fact);
    }
    return 0;
}

static bool is_meant(const struct invocation *call, const struct plan *plan)
{
    for (size_t i = 0; i < call->options.operand_count; i++)
        if (str_is(plan->rollout, call->options.operands[i]))
            return true;
    return call->options.operand_count == 0;
}

static bool check_operands(struct invocation *call, const struct rollout_record *open, size_t count)
{
    for (size_t i = 0; i < call->options.operand_count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= str_is(open[k].plan->rollout, call->options.operands[i]);
        if (!known)
            return error_set(&call->error, ERROR_ABSENT,
                             "no rollout %s is unfinished: `sluice status` lists those that are",
                             call->options.operands[i]);
    }
    return true;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct rollout_record *open = NULL;
    size_t count = 0;
    int worst = 0;
    if (!deployment_open(call, false, &d))
        return command_failed(call);
    if (!facts_all_open(&d, &open, &count) || !check_operands(call, open, count))
        worst = command_failed(call);
    bool refused = worst != 0;
    if (!refused && count == 0 && !call->quiet)
        (void)command_print(call, STR("Nothing waits: no rollout is unfinished.\n"));
    for (size_t i = 0; !refused && i < count; i++) {
        if (!is_meant(call, open[i].plan))
            continue;
        int code = wake(&d, &open[i]);
        worst = worse(&d, &open[i], worst, code);
        if (world_signal(d.ports.world))
            break;
    }
    if (!refused && call->options.operand_count == 0 && !world_signal(d.ports.world))
        notices_missed(&d, open, count);
    deployment_close(&d);
    return worst;
}

const struct command command_resume = {
    .name = "resume",
    .operands = "[ROLLOUT…]",
    .operands_max = 256,
    .summary = "go on with rollouts that wait or whose process is gone",
    .description =
        "Wakes every unfinished rollout, or those named: reads its state from the ledger, "
        "looks at its targets, and goes on\nor back. May be called at any time and from "
        "several places: a rollout that a live process drives is left alone,\nand so is "
        "one that waits for a person who has not answered.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
