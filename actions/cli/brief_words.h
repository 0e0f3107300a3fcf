// What is decided, for whoever is asked: on a terminal, and as markdown for the issue on GitHub.
// Other people's words in it are escaped.
//
//     brief_ask(plan, step, rule, &brief, now_ms, &out);
#ifndef ACTIONS_CLI_BRIEF_WORDS_H
#define ACTIONS_CLI_BRIEF_WORDS_H

#include "actions/cli/release_brief.h"
#include "deploy/engine/plan.h"

// The question and five lines: gate, risks and migrations, reach, way back, who may answer. `step`
// is STEP_STAGE before the first.
void brief_ask(const struct plan *plan, uint32_t step, const struct plan_approval *rule,
               const struct release_brief *brief, int64_t now_ms, struct text *out);

// "gate **pass**, risk 8 of 100 (low)"; empty of a rollback, which no gate holds up.
void brief_verdict_markdown(const struct plan *plan, const struct release_brief *brief,
                            struct text *out);
// The same things as a list, with the changed files of each risk.
void brief_markdown(const struct plan *plan, const struct release_brief *brief, struct text *out);

#endif
