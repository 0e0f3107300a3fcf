// The release risk score of a change, for people and programs.
#ifndef ACTIONS_REPORT_SCORE_TEXT_H
#define ACTIONS_REPORT_SCORE_TEXT_H

#include "gate/decision.h"

struct score_view {
    const struct decision *decision; // with a score
    bool verbose;                    // all evidence of each addend
};

// "risk score 34 of 100 (medium): risks 7 of 35, …" and what the rollout is to do, as lines of the
// gate's own report; nothing when the decision has no score.
void score_lines(const struct decision *decision, struct text *out);
void score_lines_markdown(const struct decision *decision, struct text *out);

void score_text(const struct score_view *view, struct text *out);
void score_markdown(const struct score_view *view, struct text *out);
void score_json(const struct score_view *view, struct text *out); // "sluice.risk-score/1"

#endif
