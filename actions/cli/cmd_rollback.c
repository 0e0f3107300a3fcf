// sluice rollback: back to known good, at full speed. Never refused: no gate, approval, freeze or
// running rollout stops it, and a ledger whose remote is down only delays the record.
#include "actions/cli/commands.h"
#include "actions/cli/rehearsal.h"
#include "actions/cli/rollback_github.h"
#include "actions/cli/rollback_plan.h"
#include "actions/cli/rollback_prompt.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/say.h"

#include <stdio.h>

enum { NAME_TRIES = 5 };

static const char *const via_choices[] = {"github", NULL};

static const struct option options[] = {
    {.name = "stage", .argument = "NAME", .help = "Which stage; needed when there are several."},
    {.name = "to",
     .argument = "RELEASE",
     .help = "This release instead of the last known good one."},
    {.name = "reason", .argument = "TEXT", .help = "Why; `pending` in the record when absent."},
    {.name = "yes", .help = "Do not ask."},
    {.name = "rehearse",
     .help =
         "On purpose: back to the release before and forward again, to know how long it takes."},
    {.name = "explain",
     .argument = "ROLLOUT",
     .help = "Fill in with --reason why that one was taken back; touches nothing."},
    {.name = "via",
     .argument = "WHERE",
     .choices = via_choices,
     .help = "`github`: start the rollback workflow there, which has the credentials."},
    {.name = "workflow",
     .argument = "FILE",
     .help = "With --via: its file, in place of " ROLLBACK_WORKFLOW "."},
    {0},
};

// ---- what is under way --------------------------------------------------------------------------

// A record that cannot be read stops nothing: where the targets stand is then not known.
static bool find_open(struct deployment *d, struct rollback_request *request,
                      struct rollout_record *open)
{
    bool found = false;
    struct standing standing;
    str environment = stage_environment(request->stage);
    if (!ledger_standing(d->ledger, d->arena, environment, &standing, &d->call->error))
        return false;
    str rollout = standing.claim.rollout;
    if (rollout.len == 0)
        return true;
    struct error why;
    found = rollout_load(d->ledger, d->arena, rollout, open, &why);
    if (found)
        request->open = open;
    else
        say_line("sluice: the record of rollout " STR_FMT ", which is under way, cannot be "
                 "read (%s): going back all the same",
                 STR_ARG(rollout), why.message);
    request->open_unreadable = !found;
    return true;
}

// ---- going back ---------------------------------------------------------------------------------

static bool agreed(struct deployment *d)
{
    if (option_given(&d->call->options, "yes"))
        return true;
    if (!deployment_interactive(d))
        return error_set(&d->call->error, ERROR_INPUT,
                         "nobody can answer here: add --yes to roll back without a question");
    return deployment_confirm(d, "Go? ", "nothing was touched");
}

// The question may have stood for long, and somebody else may have begun a rollback meanwhile.
static void name_anew(struct flow *flow)
{
    struct error ignored;
    (void)ledger_refresh(flow->d->ledger, &ignored);
    flow->plan->rollout =
        rollback_name(flow->d, flow->plan->release, flow->plan->environment, "rollback");
}

static int drive(struct flow *flow)
{
    struct deployment *d = flow->d;
    int code = 3;
    for (int i = 0; i < NAME_TRIES; i++) {
        name_anew(flow);
        if (!stage_run_open(d->arena, &d->settings, flow->stage, PLAN_ROLLBACK, &d->ports,
                            &flow->run, &d->call->error))
            return deployment_failed(d);
        code = flow_drive(flow);
        if (!flow->refused || i + 1 == NAME_TRIES)
            break;
        d->call->error = (struct error){0};
        flow_done(flow);
        flow->refused = false;
    }
    return code;
}

// Asked for when it is over: nothing waits for a sentence.
static void ask_reason(struct flow *flow)
{
    struct deployment *d = flow->d;
    struct error err;
    if (option_given(&d->call->options, "reason"))
        return;
    str reason = deployment_interactive(d) && !world_signal(d->ports.world) ? rollback_ask_reason(d)
                                                                            : (str){NULL, 0};
    if (reason.len && rollout_explain(d->ledger, flow->plan->rollout, reason, &err))
        return;
    (void)fprintf(stderr,
                  "The reason is pending: `sluice rollback --explain " STR_FMT " --reason TEXT` "
                  "fills it in.\n",
                  STR_ARG(flow->plan->rollout));
}

static void push(struct deployment *d)
{
    struct error late;
    if (!d->offline && !ledger_sync(d->ledger, LEDGER_WAIT_MS, &late))
        say_line("sluice: the record is not pushed yet: %s", late.message);
}

static int roll_back(struct deployment *d)
{
    const struct options *given = &d->call->options;
    const char *reason = option_text(given, "reason");
    struct rollout_record open;
    struct rollback_request request = {
        .targets = given->operands,
        .target_count = given->operand_count,
        .to = option_text(given, "to"),
        .reason = reason ? str_of(reason) : STR(REASON_PENDING),
    };
    struct flow flow = {.d = d, .force = true};
    if (!deployment_stage(d, option_text(given, "stage"), &request.stage) ||
        !find_open(d, &request, &open) || !rollback_plan(d, &request, &flow.stage, &flow.plan))
        return command_failed(d->call);
    rollback_show(d, flow.plan, request.open);
    if (!agreed(d))
        return deployment_failed(d);
    int code = drive(&flow);
    if (code == 0 || code == 3)
        ask_reason(&flow);
    if (code == 0)
        push(d);
    flow_done(&flow);
    return code;
}

// ---- why, afterwards ----------------------------------------------------------------------------

static bool explain(struct deployment *d, const char *rollout)
{
    const char *reason = option_text(&d->call->options, "reason");
    struct error *err = &d->call->error;
    bool pending = false;
    str before;
    if (!reason)
        return error_set(err, ERROR_INPUT, "say why with --reason TEXT");
    if (!rollout_reason(d->ledger, d->arena, str_of(rollout), &before, &pending, err) ||
        !rollout_explain(d->ledger, str_of(rollout), str_of(reason), err))
        return false;
    push(d);
    struct text out = text_of(4096);
    text_addf(&out, "Recorded for %s%s.\n", rollout,
              pending ? "" : "; it had a reason already, and the record keeps both");
    bool ok = command_print(d->call, text_str(&out));
    text_done(&out);
    return ok;
}

static int rehearse(struct deployment *d)
{
    const struct stage_settings *stage = NULL;
    struct error *err = &d->call->error;
    const struct options *given = &d->call->options;
    if (given->operand_count || option_given(given, "to")) {
        (void)error_set(err, ERROR_INPUT,
                        "--rehearse takes the targets of a stage together, to "
                        "the release before and forward again");
        return command_failed(d->call);
    }
    if (!deployment_stage(d, option_text(given, "stage"), &stage))
        return command_failed(d->call);
    return rehearsal_run(d, stage, option_given(given, "yes"));
}

static int run(struct invocation *call)
{
    struct deployment d;
    const char *rollout = option_text(&call->options, "explain");
    bool rehearses = option_given(&call->options, "rehearse");
    if (option_given(&call->options, "via"))
        return rollback_by_github(call);
    if (!deployment_open(call, !rehearses, &d))
        return command_failed(call);
    int code;
    if (rollout)
        code = explain(&d, rollout) ? 0 : deployment_failed(&d);
    else
        code = rehearses ? rehearse(&d) : roll_back(&d);
    deployment_close(&d);
    return code;
}

const struct command command_rollback = {
    .name = "rollback",
    .operands = "[TARGET…]",
    .operands_max = 256,
    .summary = "go back to the last known-good release, now",
    .description =
        "Sends every target of the stage, or those named, back to the release that was known good "
        "before, at full speed, and\nverifies it. A rollout that is under way is fenced out. "
        "Never refused: no gate, approval or freeze stops it, and a\nledger whose remote does not "
        "answer in 10 s is written locally and pushed later. What is left is marked bad.\n\n"
        "--rehearse does it with nothing wrong, and undoes it at once: the record then knows how "
        "long it takes.\n\n"
        "--via github starts the workflow " ROLLBACK_WORKFLOW " there, with --to, --reason and "
        "--stage as its inputs, for who\nhas no credentials of the cloud at hand: it needs a token "
        "of yours with `actions: write` in GH_TOKEN.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
