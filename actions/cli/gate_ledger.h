// Writes the gate's decision to the ledger, where `sluice rollout` looks for it, and, for a run of
// the default branch, what later runs are judged beside.
#ifndef ACTIONS_CLI_GATE_LEDGER_H
#define ACTIONS_CLI_GATE_LEDGER_H

#include "actions/cli/command.h"
#include "actions/cli/judgement.h"

// Appends gate.decided with the evidence's digests, and pushes it. ERROR_INPUT for a pull request:
// a rollout takes no decision that a change could have written for itself. On the default branch,
// which `default_branch` (--branch, may be null), the event's payload, origin's HEAD or the name
// `main` or `master` tells, baseline.h's events follow; elsewhere standard error says why not.
bool gate_ledger_record(struct invocation *call, const struct judgement *judgement,
                        const char *default_branch);

#endif
