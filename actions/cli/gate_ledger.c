#include "actions/cli/gate_ledger.h"

#include "actions/cli/deployment.h"
#include "actions/cli/kept_reports.h"
#include "actions/cli/say.h"
#include "deploy/record/baseline.h"
#include "deploy/record/releases.h"
#include "gate/git/facts.h"

// ---- the default branch -------------------------------------------------------------------------

// Why a run that is recorded is no run of the default branch; null = it is one, and *ret says
// which.
static const char *not_default(struct invocation *call, const struct judgement *judgement,
                               const char *given, const char **ret)
{
    const struct runner *runner = &call->runner;
    struct arena *arena = call->arena;
    struct error ignored = {0};
    str found = {NULL, 0}, branch = {NULL, 0};
    if (runner->is_actions)
        branch = str_of(runner->branch);
    else
        (void)repository_branch(arena, judgement->repository, &branch, &ignored);
    if (branch.len == 0)
        return "HEAD is on no branch";
    if (runner->is_actions && runner->event_sha &&
        strcmp(runner->event_sha, judgement->gate.decision.commit) != 0)
        return "the commit that was judged is not the one that the workflow runs for";
    if (given)
        found = str_of(given);
    else if (runner->default_branch)
        found = str_of(runner->default_branch);
    else
        (void)repository_default_branch(arena, judgement->repository, &found, &ignored);
    if (found.len == 0)
        return "which branch is the default one is not known: name it with --branch";
    if (!str_eq(found, branch))
        return arena_format(arena, "`" STR_FMT "` is not the default branch `" STR_FMT "`",
                            STR_ARG(branch), STR_ARG(found))
            .data;
    *ret = arena_copy(arena, found);
    return NULL;
}

static bool record_run(struct invocation *call, struct ledger *ledger,
                       const struct judgement *judgement, const char *default_branch,
                       const struct ledger_entry *decided, struct text *said)
{
    const char *branch = NULL;
    const char *why = not_default(call, judgement, default_branch, &branch);
    struct baseline_written written;
    char id[EVENT_ID];
    memcpy(id, decided->id, sizeof id);
    if (why) {
        text_addf(said, "recorded; it is no baseline: %s", why);
        return true;
    }
    struct baseline_run run = {.gate = &judgement->gate, .branch = branch, .decided = id};
    if (!baseline_write(ledger, &run, &written, &call->error))
        return false;
    if (written.passed)
        text_addf(said, "recorded; the baseline of `%s` is now %.10s: %s", branch,
                  judgement->gate.decision.commit, written.text);
    else
        text_addf(said, "recorded; the baseline of `%s` stays: this run did not pass", branch);
    if (written.seen)
        text_addf(said, "; %zu new %s of vulnerabilities", written.seen,
                  written.seen == 1 ? "name" : "names");
    if (written.cut)
        text_adds(said, "; some lists were too long and are cut");
    return true;
}

bool gate_ledger_record(struct invocation *call, const struct judgement *judgement,
                        const char *default_branch)
{
    const struct decision *decision = &judgement->gate.decision;
    struct deployment d;
    if (call->runner.is_actions && call->runner.event_name &&
        str_starts(str_of(call->runner.event_name), STR("pull_request")))
        return error_set(&call->error, ERROR_INPUT,
                         "a pull request's decision is not recorded: use --record on the default "
                         "branch");
    if (judgement->gate.input.change)
        return error_set(&call->error, ERROR_INPUT,
                         "--record is for releases: a decision made with --base spares what was "
                         "there before the change");
    if (!decision->commit)
        return error_set(&call->error, ERROR_INPUT, "--record needs a commit to record it for");
    if (!deployment_open(call, false, &d))
        return false;
    struct text json = text_of(LIMIT_DECISION_BYTES), said = text_of(2048);
    struct ledger_entry entry;
    size_t count;
    const struct event_evidence *evidence =
        kept_reports(call->arena, judgement->root, decision->evidence, &count);
    decision_json(decision, &json);
    bool ok = gate_record_write(d.ledger, text_str(&json), evidence, count, &entry, &call->error) &&
              record_run(call, d.ledger, judgement, default_branch, &entry, &said) &&
              ledger_sync(d.ledger, LEDGER_WAIT_MS, &call->error);
    if (ok && !call->quiet)
        say_line("sluice: %s", text_c(&said));
    text_done(&json);
    text_done(&said);
    deployment_close(&d);
    return ok || error_wrap(&call->error, "recording the decision");
}
