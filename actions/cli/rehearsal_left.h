// A rehearsal that no process has brought to its end: killed in one of its halves, or between them,
// it has left the release before on targets where known good belongs. The ledger shows it, and
// whoever comes next (`sluice resume`, `watch`, `rollout`) brings known good forward again; looking
// (`status`) only says so.
//
//     struct rehearsal_left left;
//     bool found;
//     if (rehearsal_left_in(d, environment, &left, &found) && found && !left.driven)
//         code = rehearsal_finish(d, &left, false);
#ifndef ACTIONS_CLI_REHEARSAL_LEFT_H
#define ACTIONS_CLI_REHEARSAL_LEFT_H

#include "actions/cli/ledger_facts.h"

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

// "rehearsal v1-production-rehearsal-1 was left half-way: web may be on v1, where v2 belongs"
void rehearsal_left_words(const struct rehearsal_left *left, struct text *out);

// Says so, and goes on with it until what was live is live again. Safe to call from several places:
// the claim lets one of them. `leave`: as struct flow has it. Returns the exit code; call->error is
// set where it was refused or failed.
int rehearsal_finish(struct deployment *d, const struct rehearsal_left *left, bool leave);

#endif
