// Brings a rehearsal to its end that was left half-way: goes on with the half that is open, then
// forward again, and writes its record.
//
//     if (rehearsal_left_in(d, environment, &left, &found) && found && !left.driven)
//         code = rehearsal_finish(d, &left, false);
#ifndef ACTIONS_CLI_REHEARSAL_FINISH_H
#define ACTIONS_CLI_REHEARSAL_FINISH_H

#include "actions/cli/rehearsal_left.h"

// Says so, and goes on with it until what was live is live again. Safe to call from several places:
// the claim lets one of them. `leave`: as struct flow has it. Returns the exit code; call->error is
// set where it was refused or failed.
int rehearsal_finish(struct deployment *d, const struct rehearsal_left *left, bool leave);

#endif
