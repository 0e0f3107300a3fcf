// Writes the gate's decision to the ledger, where `sluice rollout` looks for it.
#ifndef ACTIONS_CLI_GATE_LEDGER_H
#define ACTIONS_CLI_GATE_LEDGER_H

#include "actions/cli/command.h"
#include "gate/decision.h"

// Appends gate.decided with the evidence's digests, and pushes it. ERROR_INPUT for a pull request:
// a rollout takes no decision that a change could have written for itself.
bool gate_ledger_record(struct invocation *call, const struct decision *decision);

#endif
