// Whether somebody has to do something about a rollout now: `sluice resume` and `sluice watch` ask
// it of every unfinished one. Taking a lease only to find that nothing has happened would fill the
// ledger, several times an hour, for as long as a person is waited for.
//
//     struct due due = due_of(d->ledger, &record, now_ms);
//     if (due.state == DUE_NOW) …
#ifndef ACTIONS_CLI_DUE_H
#define ACTIONS_CLI_DUE_H

#include "deploy/record/rollouts.h"

enum due_state {
    DUE_NOW,
    DUE_LIVE,   // a process drives it
    DUE_PEOPLE, // nothing happens before a person answers, promotes or aborts, or at_ms comes
};

struct due {
    enum due_state state;
    // DUE_PEOPLE: when the question expires; 0 = never. DUE_NOW: it waits for the calendar alone,
    // which opens then, if it is as it was planned with; 0 = it does not.
    int64_t at_ms;
};

// A word of a person that the newest state has not counted.
bool due_steered(struct ledger *ledger, const struct rollout_record *record);

struct due due_of(struct ledger *ledger, const struct rollout_record *record, int64_t now_ms);

#endif
