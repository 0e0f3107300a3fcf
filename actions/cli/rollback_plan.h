// Where each target of a stage goes back to, and the plan of that. Never refuses the whole for a
// part: a target without a release to return to is said and left out.
//
//     struct rollback_request request = {.stage = stage, .reason = reason, .open = open};
//     if (rollback_plan(d, &request, &narrow, &plan)) …
#ifndef ACTIONS_CLI_ROLLBACK_PLAN_H
#define ACTIONS_CLI_ROLLBACK_PLAN_H

#include "actions/cli/ledger_facts.h"

struct rollback_request {
    const struct stage_settings *stage;
    const char **targets; // the names that were given; none = all of the stage
    size_t target_count;
    const char *to; // a release; null = the last known good one
    str reason;
    const struct rollout_record *open; // under way in this environment; null = none
    bool open_unreadable;              // one is, and its record cannot be read
};

// *ret_stage has only the targets that go back. ERROR_INPUT: a name that is no target of the stage;
// no target has a release to return to; `to` is none of those that one could return to, which the
// message names. ERROR_DENIED: `to` is marked bad.
bool rollback_plan(struct deployment *d, const struct rollback_request *request,
                   const struct stage_settings **ret_stage, struct plan **ret);

// A name for it that no other rollout has: "v1-production-rollback-1".
str rollback_name(struct deployment *d, str release, str environment, const char *what);

#endif
