#include "actions/cli/gate_ledger.h"

#include "actions/cli/deployment.h"
#include "deploy/record/releases.h"

static const struct event_evidence *evidence_of(struct arena *arena,
                                                const struct decision *decision, size_t *ret_count)
{
    const struct evidence *evidence = decision->evidence;
    struct event_evidence *list =
        ARENA_ARRAY(arena, struct event_evidence, evidence->report_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < evidence->report_count && count < EVENT_EVIDENCE_MAX; i++) {
        const struct report *report = &evidence->reports[i];
        if (report->error.kind != ERROR_NONE || report->duplicate)
            continue;
        struct event_evidence *one = &list[count++];
        one->path = str_of(report_shown(arena, report));
        memcpy(one->sha256, report->sha256, sizeof one->sha256);
        one->size_bytes = report->size_bytes;
    }
    *ret_count = count;
    return list;
}

bool gate_ledger_record(struct invocation *call, const struct decision *decision)
{
    struct deployment d;
    if (call->runner.is_actions && call->runner.event_name &&
        str_starts(str_of(call->runner.event_name), STR("pull_request")))
        return error_set(&call->error, ERROR_INPUT,
                         "a pull request's decision is not recorded: use --record on the default "
                         "branch");
    if (!decision->commit)
        return error_set(&call->error, ERROR_INPUT, "--record needs a commit to record it for");
    if (!deployment_open(call, false, &d))
        return false;
    struct text json = text_of(LIMIT_DECISION_BYTES);
    size_t count;
    const struct event_evidence *evidence = evidence_of(call->arena, decision, &count);
    decision_json(decision, &json);
    bool ok = gate_record_write(d.ledger, text_str(&json), evidence, count, NULL, &call->error) &&
              ledger_sync(d.ledger, LEDGER_WAIT_MS, &call->error);
    text_done(&json);
    deployment_close(&d);
    return ok || error_wrap(&call->error, "recording the decision");
}
