// `sluice rollback --via github`: starts the rollback workflow of this repository, from a machine
// that has no credentials of the cloud: the workflow has them.
#ifndef ACTIONS_CLI_ROLLBACK_GITHUB_H
#define ACTIONS_CLI_ROLLBACK_GITHUB_H

#include "actions/cli/command.h"

#define ROLLBACK_WORKFLOW "sluice-rollback.yml" // as `sluice init --rollout` writes it

int rollback_by_github(struct invocation *call);

#endif
