// The parts of `sluice risk`: one function for each word after it.
#ifndef ACTIONS_CLI_RISK_PARTS_H
#define ACTIONS_CLI_RISK_PARTS_H

#include "actions/cli/judgement.h"

// Each prints its result; false with call->error set.
bool risk_list(struct invocation *call);
bool risk_roadmap(struct invocation *call);
bool risk_score_print(struct invocation *call);
bool risk_suggest_print(struct invocation *call);
bool risk_import(struct invocation *call);

// --at, or now.
bool risk_moment(struct invocation *call, int64_t *ret_ms);

#endif
