// Whose decisions a rollout accepts: `github.decided_by` of the configuration names the workflow,
// and only its runs on the default branch count.
#ifndef ACTIONS_CLI_DECIDED_BY_H
#define ACTIONS_CLI_DECIDED_BY_H

#include "actions/cli/deployment.h"
#include "deploy/record/releases.h"

// ERROR_DENIED: it was recorded by somebody else, or on another branch.
bool decided_by_check(struct deployment *d, const struct gate_record *record, struct error *err);

#endif
