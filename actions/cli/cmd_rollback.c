// sluice rollback: back to known good, at full speed. Never refused: no gate, approval, freeze or
// running rollout stops it, and a ledger whose remote is down only delays the record.
#include "actions/cli/closed_issue.h"
#include "actions/cli/commands.h"
#include "actions/cli/rehearsal.h"
#include "actions/cli/rollback_github.h"
#include "actions/cli/rollback_run.h"

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
    {.name = "comment",
     .argument = "URL",
     .help = "Only if this comment, in the issue of a rollout that is over, asks for it."},
    {.name = "workflow",
     .argument = "FILE",
     .help = "With --via: its file, in place of " ROLLBACK_WORKFLOW "."},
    {0},
};

// ---- going back ---------------------------------------------------------------------------------

static enum rollback_consent consent(const struct deployment *d)
{
    return option_given(&d->call->options, "yes") ? ROLLBACK_AGREED : ROLLBACK_ASKS;
}

static int roll_back(struct deployment *d)
{
    const struct options *given = &d->call->options;
    const char *reason = option_text(given, "reason");
    str name;
    struct rollback_request request = {
        .targets = given->operands,
        .target_count = given->operand_count,
        .to = option_text(given, "to"),
        .reason = reason ? str_of(reason) : STR(REASON_PENDING),
    };
    if (!deployment_stage(d, option_text(given, "stage"), &request.stage))
        return command_failed(d->call);
    return rollback_run(d, &request, consent(d), &name);
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
    rollback_push(d);
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

// What goes back, where to and why is the comment's alone.
static bool check_comment(struct invocation *call)
{
    static const char *const others[] = {"to", "reason", "explain", "rehearse", "via"};
    bool alone = call->options.operand_count == 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        alone &= !option_given(&call->options, others[i]);
    return alone || !option_given(&call->options, "comment") ||
           error_set(&call->error, ERROR_INPUT,
                     "--comment says what goes back and why: it goes without targets, --to, "
                     "--reason, --explain, --rehearse and --via");
}

static int run(struct invocation *call)
{
    struct deployment d;
    const char *rollout = option_text(&call->options, "explain");
    bool rehearses = option_given(&call->options, "rehearse");
    if (!check_comment(call))
        return command_failed(call);
    if (option_given(&call->options, "via"))
        return rollback_by_github(call);
    if (!deployment_open(call, !rehearses, &d))
        return command_failed(call);
    const char *comment = option_text(&call->options, "comment");
    int code;
    if (comment)
        code = closed_issue_hear(&d, comment);
    else if (rollout)
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
        "--comment hears what is said in the issue of a rollout that is over, and goes back where "
        "that comment says /rollback\nand what the rollout brought out is still what runs.\n\n"
        "--via github starts the workflow " ROLLBACK_WORKFLOW " there, with --to, --reason and "
        "--stage as its inputs, for who\nhas no credentials of the cloud at hand: it needs a token "
        "of yours with `actions: write` in GH_TOKEN.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
