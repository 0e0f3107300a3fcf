// sluice risk score: what speaks against releasing the change at hand.
#include "actions/cli/risk_churn.h"
#include "actions/cli/risk_parts.h"
#include "actions/report/score_text.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"

static bool make_score(struct invocation *call, const struct judgement *judgement,
                       struct risk_score *ret)
{
    const struct decision *decision = &judgement->gate.decision;
    struct risk_churn churn;
    if (!risk_churn_read(call, judgement->repository, decision->commit, decision->time_ms, &churn))
        return false;
    struct file_churn *files = ARENA_ARRAY(call->arena, struct file_churn, churn.churn.count + 1);
    for (size_t i = 0; i < churn.churn.count; i++)
        files[i] = (struct file_churn){churn.churn.items[i].path, churn.churn.items[i].commits};
    struct score_input input = {
        .rules = &judgement->gate.input,
        .churn = files,
        .churn_count = churn.churn.count,
        .churn_unknown = churn.unknown,
        .window_days = churn.window_days,
    };
    risk_score_make(call->arena, &input, ret);
    return true;
}

bool risk_score_print(struct invocation *call)
{
    struct judgement judgement = {.wants_changes = true};
    struct risk_score score;
    struct text out = text_of(LIMIT_DECISION_BYTES);
    bool ok = judgement_make(call, &judgement) && make_score(call, &judgement, &score);
    if (ok) {
        struct score_view view = {&judgement.gate.decision, &score, call->verbose};
        if (call->format == FORMAT_JSON)
            score_json(&view, &out);
        else if (call->format == FORMAT_MARKDOWN)
            score_markdown(&view, &out);
        else
            score_text(&view, &out);
        ok = !text_full(&out) ||
             error_set(&call->error, ERROR_LIMIT, "the score is larger than %u bytes",
                       LIMIT_DECISION_BYTES);
        ok = ok && command_print(call, text_str(&out));
    }
    text_done(&out);
    judgement_done(&judgement);
    return ok;
}
