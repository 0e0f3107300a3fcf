// sluice resume: goes on with every rollout that is suspended or whose process is gone.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/rollout_flow.h"

#include <stdio.h>
#include <string.h>

static const char *const wait_choices[] = {"block", "suspend", NULL};

static const struct option options[] = {
    {.name = "wait",
     .argument = "HOW",
     .choices = wait_choices,
     .help = "`suspend` (the default) ends where only a person can go on; `block` waits here."},
    {0},
};

static const struct stage_settings *stage_of_plan(const struct deployment *d,
                                                  const struct plan *plan)
{
    return stage_of(&d->settings, plan->stage);
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
        .suspend = !wait || strcmp(wait, "suspend") == 0,
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

static int run(struct invocation *call)
{
    struct deployment d;
    struct rollout_record *open;
    size_t count = 0;
    int worst = 0;
    if (!deployment_open(call, false, &d))
        return command_failed(call);
    if (!facts_all_open(&d, &open, &count))
        worst = command_failed(call);
    if (worst == 0 && count == 0 && !call->quiet)
        (void)command_print(call, STR("Nothing waits: no rollout is unfinished.\n"));
    for (size_t i = 0; i < count; i++) {
        int code = resume_one(&d, &open[i]);
        worst = worse(&d, &open[i], worst, code);
        if (world_signal(d.ports.world))
            break;
    }
    deployment_close(&d);
    return worst;
}

const struct command command_resume = {
    .name = "resume",
    .operands = "",
    .summary = "go on with rollouts that wait or whose process is gone",
    .description = "Wakes every unfinished rollout: reads its state from the ledger, looks at its "
                   "targets, and goes on or back.\nMay be called at any time and from several "
                   "places: a rollout that a live process drives is left alone.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
