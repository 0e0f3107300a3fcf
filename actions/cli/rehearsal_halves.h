// The two halves of a rehearsal, back and forward again, and what the record says of it. Shared by
// `sluice rollback --rehearse` (rehearsal.c) and by whoever brings one to its end that was left
// half-way (rehearsal_finish.c).
//
//     rehearsal_begin(&r);
//     code = rehearsal_half(&r, REHEARSAL_BACK);
//     code = code ? code : rehearsal_half(&r, REHEARSAL_FORTH);
//     rehearsal_record(&r, code == 0);
#ifndef ACTIONS_CLI_REHEARSAL_HALVES_H
#define ACTIONS_CLI_REHEARSAL_HALVES_H

#include "actions/cli/ledger_facts.h"

enum rehearsal_half { REHEARSAL_BACK, REHEARSAL_FORTH };

struct rehearsal {
    struct deployment *d;
    const struct stage_settings *stage; // with the targets that it moves, and no others
    struct placement *live, *before;    // of each target
    str back, forth;                    // its rollouts
    bool leave; // a signal lets go of it instead of waiting for its end: another process goes on
};

// Names both halves and writes rehearsal.begun: from then on whoever looks knows that what is live
// has to come back. ERROR_DENIED: somebody else has begun one at this moment.
bool rehearsal_begin(struct rehearsal *r);
// Drives one half. Returns the exit code, 0 when every target was seen where it belongs;
// call->error is set where it was refused or failed.
int rehearsal_half(struct rehearsal *r, enum rehearsal_half half);
// Writes rehearsal.done, once. `ok`: what was live is live again.
bool rehearsal_record(const struct rehearsal *r, bool ok);

// How long a target took in a half, from the decision to when it was seen there; 0 = it is not
// known.
int64_t rehearsal_took_ms(struct deployment *d, str rollout, str target);

str rehearsal_target(const struct rehearsal *r, size_t index);

#endif
