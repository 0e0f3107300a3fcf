// sluice approve, sluice deny: the release manager's answer, from a terminal.
#include "actions/cli/approval_desk.h"
#include "actions/cli/brief_words.h"
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"

#include <assert.h>
#include <stdio.h>

static const struct option approve_options[] = {
    {.name = "comment", .argument = "TEXT", .help = "Goes into the record."},
    {.name = "yes", .help = "Do not ask again."},
    {.name = "withdraw", .help = "Take your approval back, as long as not enough have agreed."},
    {0},
};

static const struct option deny_options[] = {
    {.name = "comment", .argument = "TEXT", .help = "Goes into the record."},
    {.name = "yes", .help = "Do not ask again."},
    {0},
};

static bool record(struct deployment *d, const struct plan *plan, uint32_t step, bool granted)
{
    struct approval_word word = {.granted = granted,
                                 .comment = str_of(option_text(&d->call->options, "comment"))};
    return approval_write(d->ledger, plan, step, &word, &d->call->error) &&
           ledger_sync(d->ledger, LEDGER_WAIT_MS, &d->call->error);
}

static bool answer(struct deployment *d, bool granted)
{
    struct rollout_record fact = {0};
    uint32_t step = 0;
    struct release_people people;
    struct error *err = &d->call->error;
    if (!facts_find_named(d, d->call->options.operands[0], "is waiting: `sluice status` lists them",
                          &fact))
        return false;
    assert(fact.plan);
    const struct plan_approval *rule =
        fact.state ? rollout_question(fact.plan, fact.state, &step) : NULL;
    if (!rule)
        return error_set(
            err, ERROR_INPUT, "rollout " STR_FMT " is not waiting for an answer: it is %s",
            STR_ARG(fact.plan->rollout), phase_name(fact.state ? fact.state->phase : PHASE_NEW));
    facts_authors(d, fact.plan, &people);
    const char *why =
        approval_refusal(d->arena, rule, &(struct approval_person){.who = d->me}, &people);
    if (why)
        return error_set(err, ERROR_DENIED, "%s", why);
    struct text words = text_of(65536);
    struct release_brief brief;
    release_brief(d, fact.plan, &brief);
    brief_ask(fact.plan, step, rule, &brief, deployment_now(d), &words);
    (void)fputs(text_c(&words), stderr);
    text_done(&words);
    if (!option_given(&d->call->options, "yes")) {
        if (!deployment_interactive(d))
            return error_set(err, ERROR_INPUT,
                             "nobody can answer here: add --yes to %s without a question",
                             granted ? "approve" : "deny");
        if (!deployment_confirm(d, granted ? "Approve? " : "Deny? ", "nothing was recorded"))
            return false;
    }
    if (!record(d, fact.plan, step, granted))
        return false;
    struct text out = text_of(4096);
    text_addf(&out, "%s by " STR_FMT "; it goes on with `sluice resume`, or where it is waiting.\n",
              granted ? "Approved" : "Denied", STR_ARG(d->me));
    bool ok = command_print(d->call, text_str(&out));
    text_done(&out);
    return ok;
}

static bool take_back(struct deployment *d)
{
    struct rollout_record fact = {0};
    struct error *err = &d->call->error;
    struct approval_word word = {.person = {.who = d->me},
                                 .comment = str_of(option_text(&d->call->options, "comment"))};
    if (!facts_find_named(d, d->call->options.operands[0], "is waiting: `sluice status` lists them",
                          &fact) ||
        !approval_withdraw(d->ledger, fact.plan, fact.state, &word, err) ||
        !ledger_sync(d->ledger, LEDGER_WAIT_MS, err))
        return false;
    struct text out = text_of(4096);
    text_addf(&out, "Taken back by " STR_FMT ".\n", STR_ARG(d->me));
    bool ok = command_print(d->call, text_str(&out));
    text_done(&out);
    return ok;
}

static int run_answer(struct invocation *call, bool granted)
{
    struct deployment d;
    if (!deployment_open(call, false, &d))
        return command_failed(call);
    bool ok = option_given(&call->options, "withdraw") ? take_back(&d) : answer(&d, granted);
    int code = ok ? 0 : deployment_failed(&d);
    deployment_close(&d);
    return code;
}

static int run_approve(struct invocation *call)
{
    return run_answer(call, true);
}

static int run_deny(struct invocation *call)
{
    return run_answer(call, false);
}

const struct command command_approve = {
    .name = "approve",
    .operands = "ROLLOUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "agree that a waiting rollout goes on",
    .description = "Shows what is decided and records the answer under your name. Only those whom "
                   "the configuration names count.\n--withdraw takes it back before enough "
                   "have agreed; after that `sluice hold` stops it.",
    .options = approve_options,
    .formats = 1U << FORMAT_TEXT,
    .run = run_approve,
};

const struct command command_deny = {
    .name = "deny",
    .operands = "ROLLOUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "refuse that a waiting rollout goes on",
    .description = "Shows what is decided and records the answer under your name.",
    .options = deny_options,
    .formats = 1U << FORMAT_TEXT,
    .run = run_deny,
};
