// An explained finding as text for a terminal, and as JSON (sluice.explanation/1).
#ifndef ACTIONS_REPORT_EXPLAIN_TEXT_H
#define ACTIONS_REPORT_EXPLAIN_TEXT_H

#include "gate/explain.h"

void explain_text(const struct explanation *explanation, struct text *out);
void explain_json(const struct explanation *explanation, struct json_out *out); // one map

#endif
