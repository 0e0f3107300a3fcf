// Whose decisions a rollout accepts. Of a workflow's, only those that were recorded on the default
// branch; where `github.decided_by` of the configuration names the workflow, only that one's.
#ifndef ACTIONS_CLI_DECIDED_BY_H
#define ACTIONS_CLI_DECIDED_BY_H

#include "actions/cli/deployment.h"
#include "deploy/record/releases.h"

// ERROR_DENIED: it was recorded by somebody else, or on another branch.
bool decided_by_check(struct deployment *d, const struct gate_record *record, struct error *err);

#endif
