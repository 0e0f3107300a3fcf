// What the files of the ledger share. Private to ledger*.c.
#ifndef DEPLOY_RECORD_LEDGER_PARTS_H
#define DEPLOY_RECORD_LEDGER_PARTS_H

#include "deploy/record/ledger.h"

enum exchange_kind { EXCHANGE_NONE, EXCHANGE_FETCH, EXCHANGE_PUSH };

struct exchange { // with the remote
    enum exchange_kind doing;
    struct remote_job job;
    struct work *work; // null while doing it in this thread
    bool want_fetch, fetched;
    bool rewritten; // the remote's branch no longer has what it had
    bool tidied;
    bool lost_race;           // the newest push did: nothing is pushed before a fetch
    unsigned races, failures; // in a row
    int64_t next_ms;          // not before
    int64_t fetch_every_ms, heard_ms;
    struct error trouble; // ERROR_NONE = none
};

struct ledger {
    struct ledger_options options;
    struct store *store;
    struct index *index;
    struct exchange exchange;
    bool batch;
    struct object_id batch_base;
    char place_folder[EVENT_PATH]; // where the last event of place_part went, to find the next room
    unsigned place_part;
};

// Puts an event on top of what the index has, without moving the branch.
enum put { PUT_DONE, PUT_KNOWN, PUT_DENIED, PUT_FAILED };
enum put ledger_put(struct ledger *ledger, const struct event *event, struct ledger_entry *ret,
                    struct error *err);

// Moves the branch to `onto` plus everything of ours that `onto` does not have: our events are
// written again on top, with the same ids. Those that make no sense there any more are left out.
bool ledger_rebase(struct ledger *ledger, const struct object_id *onto, struct error *err);
// The same for a batch that is not on the branch yet, on top of what the branch is now.
bool ledger_rebase_batch(struct ledger *ledger, const struct object_id *batch, struct error *err);

uint64_t ledger_dice(struct ledger *ledger, uint64_t below);

#endif
