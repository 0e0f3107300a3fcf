// Whether the way back of an environment has gone untried for longer than the configuration allows.
//
//     if (rehearsal_is_overdue(d, environment, &words))
//         say_line("sluice: note: %s", text_c(&words));
#ifndef ACTIONS_CLI_REHEARSAL_OVERDUE_H
#define ACTIONS_CLI_REHEARSAL_OVERDUE_H

#include "actions/cli/ledger_facts.h"

// True when `rollback.rehearse_every` is set and no way back of this environment was verified for
// that long; `out` then says so, in one sentence with its remedy.
bool rehearsal_is_overdue(struct deployment *d, str environment, struct text *out);
// Writes rehearsal.overdue beside the rollout that goes out all the same.
bool rehearsal_note_overdue(struct deployment *d, str rollout, str environment, struct error *err);

#endif
