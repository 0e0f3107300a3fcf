// Other people's words on their way into markdown, a terminal, or the log that a runner reads.
//
//     markdown_escape(finding->message, &out);
#ifndef ACTIONS_REPORT_ESCAPE_H
#define ACTIONS_REPORT_ESCAPE_H

#include "gate/base/text.h"

// Text as it can stand in a markdown table cell: no mark-up, no link, no mention, no line break,
// and U+FFFD for what is not UTF-8 or is not to be seen (controls, direction marks, zero width).
void markdown_escape(str s, struct text *out);
// The same, with `words between backticks` as code.
void markdown_words(str s, struct text *out);

// Text in one line without control characters, so that a report can steer neither a terminal nor
// the runner that reads a log; '?' for what markdown_escape has U+FFFD for.
void terminal_escape(str s, struct text *out);

#endif
