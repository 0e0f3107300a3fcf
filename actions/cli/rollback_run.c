#include "actions/cli/rollback_run.h"

#include "actions/cli/rollback_prompt.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/say.h"

enum { NAME_TRIES = 5 };

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

static bool agreed(struct deployment *d, enum rollback_consent consent)
{
    if (consent == ROLLBACK_AGREED)
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
static void ask_reason(struct flow *flow, str given)
{
    struct deployment *d = flow->d;
    struct error err;
    if (!str_is(given, REASON_PENDING))
        return;
    str reason = deployment_interactive(d) && !world_signal(d->ports.world) ? rollback_ask_reason(d)
                                                                            : (str){NULL, 0};
    if (reason.len && rollout_explain(d->ledger, flow->plan->rollout, reason, &err))
        return;
    say_line("The reason is pending: `sluice rollback --explain " STR_FMT " --reason TEXT` fills "
             "it in.",
             STR_ARG(flow->plan->rollout));
}

void rollback_push(struct deployment *d)
{
    struct error late;
    if (!d->offline && !ledger_sync(d->ledger, LEDGER_WAIT_MS, &late))
        say_line("sluice: the record is not pushed yet: %s", late.message);
}

int rollback_run(struct deployment *d, struct rollback_request *request,
                 enum rollback_consent consent, str *ret_name)
{
    struct rollout_record open;
    struct flow flow = {.d = d, .force = true};
    *ret_name = (str){NULL, 0};
    if (!find_open(d, request, &open) || !rollback_plan(d, request, &flow.stage, &flow.plan))
        return command_failed(d->call);
    rollback_show(d, flow.plan, request->open);
    if (!agreed(d, consent))
        return deployment_failed(d);
    int code = drive(&flow);
    *ret_name = flow.plan->rollout;
    if (code == 0 || code == 3)
        ask_reason(&flow, request->reason);
    if (code == 0)
        rollback_push(d);
    flow_done(&flow);
    return code;
}
