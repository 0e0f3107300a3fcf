// What people wrote to the ledger about one rollout: each word once, in the ledger's order. Words
// of others may come to stand before what this process wrote meanwhile, so that a place in the
// ledger does not tell what was read; their ids do.
//
//     struct mailbox box = {.ledger = ledger, .rollout = plan->rollout};
//     while (mailbox_next(&box, STR("approval.answered"), &arena, &event)) …
//     mailbox_done(&box);
#ifndef ACTIONS_CLI_MAILBOX_H
#define ACTIONS_CLI_MAILBOX_H

#include "deploy/record/ledger.h"
#include "deploy/record/names.h"

struct mailbox {
    struct ledger *ledger; // must outlive the box, like the rollout's name
    str rollout;
    // its own
    struct names read;
    struct object_id tip; // of the ledger when nothing was left to read
};

// The next event of this type that was not given yet; its slices live in the arena. What cannot be
// read is passed over. Costs next to nothing while the ledger has not grown.
bool mailbox_next(struct mailbox *box, str type, struct arena *arena, struct event *ret);
void mailbox_done(struct mailbox *box);

// A number for the id of such an event: half of it, enough to tell the words about one rollout
// apart; never 0.
uint64_t mailbox_token(str id);

#endif
