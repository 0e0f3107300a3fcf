// The release risk score of a change, for people and programs.
#ifndef ACTIONS_REPORT_SCORE_TEXT_H
#define ACTIONS_REPORT_SCORE_TEXT_H

#include "gate/decision.h"
#include "gate/rules/score.h"

struct score_view {
    const struct decision *decision; // of the same commit: what was judged, against which base
    const struct risk_score *score;
    bool verbose; // all evidence of each addend
};

void score_text(const struct score_view *view, struct text *out);
void score_markdown(const struct score_view *view, struct text *out);
void score_json(const struct score_view *view, struct text *out); // "sluice.risk-score/1"

#endif
