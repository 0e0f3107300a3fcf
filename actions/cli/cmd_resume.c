// sluice resume: goes on with every rollout that is suspended or whose process is gone.
#include "actions/cli/closed_issue.h"
#include "actions/cli/commands.h"
#include "actions/cli/due.h"
#include "actions/cli/github_desk.h"
#include "actions/cli/github_incident.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/notices.h"
#include "actions/cli/rehearsal_finish.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/say.h"

#include <stdio.h>
#include <string.h>

static const char *const wait_choices[] = {"block", "suspend", "watch", NULL};

static const struct option options[] = {
    {.name = "wait",
     .argument = "HOW",
     .choices = wait_choices,
     .help = "`suspend` (the default) ends where only a person can go on, or in a long bake,\n"
             "                               as `rollout` does, and leaves what it finds held; "
             "`block` waits here; "
             "`watch`\n"
             "                               ends only where the release has no traffic."},
    {.name = "stage", .argument = "NAME", .help = "Only rollouts and rehearsals of this stage."},
    {.name = "leave",
     .help = "A signal lets go of the rollout instead of cancelling it: another process goes on."},
    {.name = "comment",
     .argument = "URL",
     .help = "The comment that woke it: heard also where the rollout is over by now."},
    {.name = "tell-only",
     .help = "Goes on with nothing: only sends the notices that nobody has sent (see `notify`)."},
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
        .as_found = true,
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
    say_line("sluice: rollout " STR_FMT ": %s", STR_ARG(fact->plan->rollout), err->message);
    bool elsewhere = err->kind == ERROR_DENIED;
    *err = (struct error){0};
    return elsewhere || code < worst ? worst : code;
}

// What waits for a person, or for the calendar, goes on waiting, without a process and without an
// entry in the ledger.
static int leave_alone(struct flow *flow)
{
    flow->phase = flow->state->phase;
    flow->held = flow->state->hold;
    (void)snprintf(flow->why, sizeof flow->why, "%s", flow->state->why);
    return flow_outcome(flow);
}

// Taking the lease only to find the freeze still there would fill the ledger.
static bool is_frozen_still(struct flow *flow, const struct rollout_record *fact)
{
    return !waits_here(flow->d) && !due_steered(flow->d->ledger, fact) && flow_waits_for_thaw(flow);
}

// While others were driven this one may have gone on elsewhere: what a lapsed lease is taken over
// from must be how things stand now. True with *ret_over where nothing is left to do.
static bool read_anew(struct deployment *d, struct rollout_record *fact, bool *ret_over)
{
    struct rollout_record now;
    *ret_over = false;
    if (!ledger_refresh(d->ledger, &d->call->error) ||
        !rollout_load(d->ledger, d->arena, fact->plan->rollout, &now, &d->call->error))
        return false;
    *fact = now;
    *ret_over = now.state && phase_terminal(now.state->phase);
    return true;
}

static int wake(struct deployment *d, struct rollout_record *fact)
{
    bool over;
    if (!read_anew(d, fact, &over))
        return command_failed(d->call);
    if (over)
        return 0;
    struct due due = due_of(d->ledger, fact, deployment_now(d));
    struct flow rests = {.d = d, .plan = fact->plan, .state = fact->state};
    switch (due.state) {
    case DUE_NOW:
        return is_frozen_still(&rests, fact) ? leave_alone(&rests) : resume_one(d, fact);
    case DUE_LIVE:
        (void)error_set(&d->call->error, ERROR_DENIED, "a process of " STR_FMT " drives it",
                        STR_ARG(fact->standing.lease.who));
        return 0;
    case DUE_PEOPLE:
        return waits_here(d) ? resume_one(d, fact) : leave_alone(&rests);
    }
    return 0;
}

static bool is_meant(const struct invocation *call, str stage, str rollout)
{
    const char *only = option_text(&call->options, "stage");
    if (only && !str_is(stage, only))
        return false;
    for (size_t i = 0; i < call->options.operand_count; i++)
        if (str_is(rollout, call->options.operands[i]))
            return true;
    return call->options.operand_count == 0;
}

// ---- rehearsals ---------------------------------------------------------------------------------

// Those that were left half-way, at most one in each environment.
static bool find_rehearsals(struct deployment *d, struct rehearsal_left **ret, size_t *ret_count)
{
    size_t count = 0;
    struct rehearsal_left *list =
        ARENA_ARRAY(d->arena, struct rehearsal_left, d->settings.stage_count + 1);
    for (size_t i = 0; i < d->settings.stage_count; i++) {
        str environment = stage_environment(&d->settings.stages[i]);
        bool found = false, twice = false;
        for (size_t k = 0; k < count; k++)
            twice |= str_eq(list[k].environment, environment);
        if (!twice && !rehearsal_left_in(d, environment, &list[count], &found))
            return false;
        count += found;
    }
    *ret = list;
    *ret_count = count;
    return true;
}

static bool is_meant_rehearsal(const struct invocation *call, const struct rehearsal_left *left)
{
    return is_meant(call, left->stage, left->back) || is_meant(call, left->stage, left->forth);
}

// Looked for again: a half of it may have come to its end just now.
static int finish_rehearsals(struct deployment *d, int worst)
{
    struct rehearsal_left *list;
    size_t count;
    if (!find_rehearsals(d, &list, &count))
        return command_failed(d->call);
    for (size_t i = 0; i < count && !world_signal(d->ports.world); i++) {
        if (list[i].driven || !is_meant_rehearsal(d->call, &list[i]))
            continue;
        int code = rehearsal_finish(d, &list[i], option_given(&d->call->options, "leave"));
        worst = worse(d, &list[i].half, worst, code);
    }
    return worst;
}

// What people have said of those that are meant.
static void catch_up(struct deployment *d, const struct rollout_record *open, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_meant(d->call, open[i].plan->stage, open[i].plan->rollout))
            github_desk_catch_up(d, &open[i], 1);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool check_operands(struct invocation *call, const struct rollout_record *open, size_t count,
                           const struct rehearsal_left *rehearsals, size_t rehearsal_count)
{
    for (size_t i = 0; i < call->options.operand_count; i++) {
        bool known = false;
        for (size_t k = 0; k < rehearsal_count; k++)
            known |= str_is(rehearsals[k].back, call->options.operands[i]);
        for (size_t k = 0; k < count; k++)
            known |= str_is(open[k].plan->rollout, call->options.operands[i]);
        if (!known)
            return error_set(&call->error, ERROR_ABSENT,
                             "no rollout %s is unfinished: `sluice status` lists those that are",
                             call->options.operands[i]);
    }
    return true;
}

static void tell_missed(struct deployment *d)
{
    notices_missed(d);
    github_desk_finish_ended(d);
    github_incidents(d, GITHUB_LIMIT_MS);
}

// Before anything else: it may ask for a way back. What it fails at keeps no rollout waiting.
static int hear_comment(struct deployment *d)
{
    const char *comment = option_text(&d->call->options, "comment");
    int code = comment ? closed_issue_hear(d, comment) : 0;
    if (d->call->error.kind != ERROR_NONE)
        say_line("sluice: %s", d->call->error.message);
    d->call->error = (struct error){0};
    return code;
}

static bool knows_stage(struct deployment *d)
{
    const struct stage_settings *stage;
    const char *only = option_text(&d->call->options, "stage");
    return !only || deployment_stage(d, only, &stage);
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct rollout_record *open = NULL;
    struct rehearsal_left *rehearsals = NULL;
    size_t count = 0, rehearsal_count = 0;
    int worst = 0;
    if (!deployment_open(call, false, &d))
        return command_failed(call);
    if (!knows_stage(&d)) {
        deployment_close(&d);
        return command_failed(call);
    }
    if (option_given(&call->options, "tell-only")) {
        tell_missed(&d);
        deployment_close(&d);
        return 0;
    }
    int heard = hear_comment(&d);
    if (!facts_all_open(&d, &open, &count) || !find_rehearsals(&d, &rehearsals, &rehearsal_count) ||
        !check_operands(call, open, count, rehearsals, rehearsal_count))
        worst = command_failed(call);
    bool refused = worst != 0;
    if (!refused)
        catch_up(&d, open, count);
    if (!refused && count == 0 && rehearsal_count == 0 && !call->quiet)
        (void)command_print(call, STR("Nothing waits: no rollout is unfinished.\n"));
    for (size_t i = 0; !refused && i < count; i++) {
        if (!is_meant(call, open[i].plan->stage, open[i].plan->rollout))
            continue;
        int code = wake(&d, &open[i]);
        worst = worse(&d, &open[i], worst, code);
        if (world_signal(d.ports.world))
            break;
    }
    if (!refused)
        worst = finish_rehearsals(&d, worst);
    if (!refused && call->options.operand_count == 0 && !world_signal(d.ports.world))
        tell_missed(&d);
    deployment_close(&d);
    return heard > worst ? heard : worst;
}

const struct command command_resume = {
    .name = "resume",
    .operands = "[ROLLOUT…]",
    .operands_max = 256,
    .summary = "go on with rollouts that wait or whose process is gone",
    .description = "Wakes every unfinished rollout, or those named or of one stage: reads its "
                   "state from the ledger, "
                   "looks at its targets, and goes on\nor back. May be called at any time and from "
                   "several places: a rollout that a live process drives is left alone,\nand so is "
                   "one that waits for a person who has not answered.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
