// The gate's decision as a person reads it: on a terminal, and as markdown for a step summary.
//
//     struct text out = text_of(LIMIT_SUMMARY_BYTES);
//     gate_text(&decision, &style, &out);
#ifndef ACTIONS_REPORT_GATE_TEXT_H
#define ACTIONS_REPORT_GATE_TEXT_H

#include "gate/decision.h"

struct gate_text_style {
    bool color;
    bool verbose; // passes with their figures, every place, every report
};

// The verdict in one line, then the findings worst first: what is, where, what to do.
void gate_text(const struct decision *decision, const struct gate_text_style *style,
               struct text *out);

// Tables. Text from reports and configuration is escaped so that it stays text; what does not fit
// into `max_bytes` is counted at the end.
void gate_markdown(const struct decision *decision, size_t max_bytes, struct text *out);

// "2 blocking, 1 warning"; false and nothing where all has passed.
bool gate_counts(const struct decision *decision, struct text *out);

#endif
