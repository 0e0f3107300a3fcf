// A rollback on purpose: every target of a stage goes back to the release before and forward again,
// as fast as it would in need, and the record knows how long each took. What is not needed is not
// done in the dark: a rehearsal is refused where a rollback never is. One that is killed is brought
// to its end by whoever comes next: see rehearsal_finish.h.
//
//     int code = rehearsal_run(d, stage, yes);
#ifndef ACTIONS_CLI_REHEARSAL_H
#define ACTIONS_CLI_REHEARSAL_H

#include "actions/cli/ledger_facts.h"

// Asks unless `yes`. Returns the exit code; call->error is set where it was refused or failed.
int rehearsal_run(struct deployment *d, const struct stage_settings *stage, bool yes);

#endif
