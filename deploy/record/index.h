// What the commits of the ledger's branch say of their events, without reading the events: enough
// to list, to find, and to know a key again. Every commit names its event in its message; `sluice
// verify` checks that the message and the event agree.
//
//     index_follow(index, store, &tip, err);        // also after the branch was moved
//     const struct ledger_entry *e = index_by_key(index, key);
//
// Pointers to entries hold until the next index_follow; the slices in them as long as the index.
#ifndef DEPLOY_RECORD_INDEX_H
#define DEPLOY_RECORD_INDEX_H

#include "deploy/record/event.h"
#include "deploy/record/store.h"

struct ledger_entry {
    struct object_id commit;
    struct object_id blob; // of the event
    enum event_stream stream;
    uint64_t sequence;
    int64_t time_ms; // whole seconds, as the commit has it
    char id[EVENT_ID];
    str type, rollout, key, path; // rollout and key may be empty
};

struct index;

struct index *index_open(void);
void index_close(struct index *index);

// Reads the commits that lead to `tip` and are not known yet; forgets those that no longer do.
// Linear in their number. Commits that are not of the ledger are left out. ERROR_SYSTEM: a damaged
// object. On failure the index is as it was.
bool index_follow(struct index *index, struct store *store, const struct object_id *tip,
                  struct error *err);

size_t index_count(const struct index *index);
const struct ledger_entry *index_at(const struct index *index, size_t position); // 0 = the first
struct object_id index_tip(const struct index *index);
uint64_t index_sequence(const struct index *index, enum event_stream stream); // newest; 0 = none

// Null when there is none.
const struct ledger_entry *index_by_id(const struct index *index, str id);
const struct ledger_entry *index_by_key(const struct index *index, str key);
size_t index_place(const struct index *index, const struct ledger_entry *entry); // its position
bool index_knows(const struct index *index, const struct object_id *commit);
// Number of entries up to and including `commit`: 0 when it is none or unknown.
size_t index_position(const struct index *index, const struct object_id *commit);

// The commit message of an event, and back. `message` false when it is not of the ledger.
void entry_message(const struct event *event, str path, const struct object_id *blob,
                   struct text *out);
bool entry_of_message(struct arena *arena, str message, struct ledger_entry *ret);

#endif
