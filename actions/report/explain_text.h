// Explained findings as text for a terminal, and as JSON (sluice.explanation/1).
#ifndef ACTIONS_REPORT_EXPLAIN_TEXT_H
#define ACTIONS_REPORT_EXPLAIN_TEXT_H

#include "gate/explain.h"

// Why it is red, and what to do, in as few lines as there are findings that stop it.
void explain_summary(const struct decision *decision, const struct explanation *items, size_t count,
                     struct text *out);

// One finding whole. `waiver`: with an entry of waivers.yml to be filled in.
void explain_text(const struct explanation *explanation, bool waiver, struct text *out);
void explain_json(const struct explanation *explanation, struct json_out *out); // one map

#endif
