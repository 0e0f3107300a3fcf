// A rollback from where things stand to its end, whoever asked for it: at a prompt, in a workflow,
// in the issue of a rollout that is over.
//
//     struct rollback_request request = {.stage = stage, .reason = reason};
//     str name;
//     int code = rollback_run(d, &request, ROLLBACK_ASKS, &name);
#ifndef ACTIONS_CLI_ROLLBACK_RUN_H
#define ACTIONS_CLI_ROLLBACK_RUN_H

#include "actions/cli/rollback_plan.h"

enum rollback_consent {
    ROLLBACK_AGREED,
    ROLLBACK_ASKS, // the person at the terminal, after showing what will be done
};

// `request` without `open`, which is looked up. The exit code; *ret_name is the rollback's rollout,
// empty when none was begun.
int rollback_run(struct deployment *d, struct rollback_request *request,
                 enum rollback_consent consent, str *ret_name);
void rollback_push(struct deployment *d); // the record; a remote that is away is said

#endif
