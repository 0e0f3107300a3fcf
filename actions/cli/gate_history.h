// What the ledger knows from before, for the gate to judge beside. Reads only; the gate works
// without any of it, and then says what it cannot judge.
//
//     struct gate_history_request request = {.repository = …, .tree = policy.tree, …};
//     gate_request.history = gate_history(call, &request);
#ifndef ACTIONS_CLI_GATE_HISTORY_H
#define ACTIONS_CLI_GATE_HISTORY_H

#include "actions/cli/command.h"
#include "gate/doc/node.h"
#include "gate/git/repository.h"
#include "gate/rules/history.h"

enum { GATE_HISTORY_WAIT_MS = 5000 }; // for the ledger's remote, before the local copy must do

struct gate_history_request {
    struct repository *repository; // null = none
    const char *root;              // of the working tree
    const char *commit;            // that is judged; null = none
    const struct node *tree;       // the configuration, as it stands on the base
};

// Null when there is no ledger. One that cannot be read gives a history that says why; that and a
// remote that does not answer are said on standard error. Lives in the call's arena.
const struct history *gate_history(struct invocation *call,
                                   const struct gate_history_request *request);

#endif
