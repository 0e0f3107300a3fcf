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

// Text as it can stand in a markdown table cell: no mark-up, no link, no mention, no line break,
// and U+FFFD for what is not UTF-8 or is not to be seen (controls, direction marks, zero width).
void markdown_escape(str s, struct text *out);
// The same, with `words between backticks` as code.
void markdown_words(str s, struct text *out);

// Text in one line without control characters, so that a report can steer neither a terminal nor
// the runner that reads a log; '?' for what markdown_escape has U+FFFD for.
void terminal_escape(str s, struct text *out);

#endif
