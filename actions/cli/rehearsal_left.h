// A rehearsal that no process has brought to its end: killed in one of its halves, or between them,
// it has left the release before on targets where known good belongs. The ledger shows it, and
// whoever comes next (`sluice resume`, `watch`, `rollout`) brings known good forward again; looking
// (`status`) only says so. Found here; brought to its end by rehearsal_finish.h.
//
//     struct rehearsal_left left;
//     bool found;
//     if (rehearsal_left_in(d, environment, &left, &found) && found)
//         rehearsal_left_words(&left, &out);
#ifndef ACTIONS_CLI_REHEARSAL_LEFT_H
#define ACTIONS_CLI_REHEARSAL_LEFT_H

#include "actions/cli/ledger_facts.h"

// Events of the ledger.
#define REHEARSAL_BEGUN "rehearsal.begun"
#define REHEARSAL_DONE "rehearsal.done"

struct rehearsal_left {
    str environment, stage;
    str back, forth;            // its rollouts; the second one may not be planned yet
    struct rollout_record half; // the one that it stands at
    bool open;                  // that one is not over
    bool restored;              // what was live is live again, and only its record is missing
    bool driven;                // by a process that lives, as far as anybody can know
};

// The newest rehearsal of the environment, when it was begun, has touched something, and is not
// over: not recorded as done, and nobody has planned a rollout or adopted anything there since.
// Lives in d->arena. False with call->error set.
bool rehearsal_left_in(struct deployment *d, str environment, struct rehearsal_left *ret,
                       bool *ret_found);

// It stands at its second half, the way forward again.
bool rehearsal_left_forth(const struct rehearsal_left *left);

// "rehearsal v1-production-rehearsal-1 was left half-way: web may be on v1, where v2 belongs"
void rehearsal_left_words(const struct rehearsal_left *left, struct text *out);

#endif
