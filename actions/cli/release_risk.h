// What the gate said of the risk of a release: of its own commit, and of those that came between it
// and the releases that it replaces.
#ifndef ACTIONS_CLI_RELEASE_RISK_H
#define ACTIONS_CLI_RELEASE_RISK_H

#include "actions/cli/deployment.h"
#include "deploy/engine/plan.h"
#include "deploy/record/risk_demands.h"

// Unites the demands of every recorded decision from `commit` back, by first parents, to the
// commits of `good` (`count` of them; without one they do not count). In the deployment's arena.
// False with call->error set.
bool release_risk(struct deployment *d, const struct placement *good, size_t count,
                  const char *commit, struct release_demands *ret);

#endif
