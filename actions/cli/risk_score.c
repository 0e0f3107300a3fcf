// sluice risk score: what speaks against releasing the change at hand.
#include "actions/cli/risk_churn.h"
#include "actions/cli/risk_parts.h"
#include "actions/report/score_text.h"
#include "gate/base/limits.h"

bool risk_score_print(struct invocation *call)
{
    struct judgement judgement = {.wants_score = true};
    struct text out = text_of(LIMIT_DECISION_BYTES);
    bool ok = risk_window(call, &judgement.score_window_days) && judgement_make(call, &judgement);
    if (ok) {
        struct score_view view = {&judgement.gate.decision, call->verbose};
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
