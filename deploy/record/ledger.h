// The ledger: an append-only branch, one commit and one JSON file an event, claims and leases
// beside.
//
//     struct ledger *ledger;
//     ledger_open(&(struct ledger_options){.folder = ".", .branch = "release-ledger", …}, &ledger,
//                 err);
//     ledger_append(ledger, &event, &entry, err);      // local, at once
//     ledger_sync(ledger, 10 * MS_SECOND, err);        // with the remote, when there is one
//     for (size_t i = ledger_count(ledger); i-- > 0;)  // newest first
//         print(ledger_at(ledger, i));
//     ledger_close(ledger);
//
// Not for several threads. Several processes may share one repository.
#ifndef DEPLOY_RECORD_LEDGER_H
#define DEPLOY_RECORD_LEDGER_H

#include "deploy/record/index.h"
#include "deploy/record/lease.h"
#include "deploy/record/remote.h"
#include "deploy/world/world.h"

struct ledger;

struct ledger_options { // what it points to must outlive the ledger
    const char *folder; // in the repository
    const char *branch; // null = "release-ledger"
    const char *remote; // name of a remote, URL or path; null = the repository at hand keeps it
    const struct sign_key *key; // null = unsigned
    struct event_actor actor;   // of events that name none
    struct clock_port clock;
    struct entropy_port entropy;
    struct world *world; // null = remote work blocks the caller
    struct remote_login login;
    bool flush; // to the disk before an append returns; for a ledger without remote
};

// ERROR_ABSENT: no repository, no such remote. Reads nothing of the remote yet: see ledger_sync.
bool ledger_open(const struct ledger_options *options, struct ledger **ret, struct error *err);
void ledger_close(struct ledger *ledger);

// ---- writing -----------------------------------------------------------------------------------
// Fills id, sequence, time and actor where they are missing, applies the event to claim and lease
// of its environment, and commits. When an event with the same key or id exists, *ret (may be null)
// is that one and nothing is written. The event's slices are only read. ERROR_DENIED: it makes no
// sense (lease.h). ERROR_INPUT: malformed.
bool ledger_append(struct ledger *ledger, const struct event *event, struct ledger_entry *ret,
                   struct error *err);

// Several events at once; they have ids. After a crash all of them are on the branch or none; of
// more than 64, the first so many times 64. What is ERROR_DENIED is left out: its ret[i] has no id,
// *ret_denied counts it, and *err is that of the first. False: those without an id in `ret` were
// not written.
bool ledger_append_all(struct ledger *ledger, const struct event *events, size_t count,
                       struct ledger_entry *ret, size_t *ret_denied, struct error *err);

// Many appends as one pack. Between the two the events are in this process alone.
bool ledger_batch_begin(struct ledger *ledger, struct error *err);
bool ledger_batch_end(struct ledger *ledger, struct error *err);

// ---- reading -----------------------------------------------------------------------------------
// Follows the branch as it is now in the local repository; the functions below tell what was read
// by the newest refresh or append. Linear in what is new.
bool ledger_refresh(struct ledger *ledger, struct error *err);
size_t ledger_count(const struct ledger *ledger);
// Holds until the next append, refresh, turn or sync. 0 = the first ever.
const struct ledger_entry *ledger_at(const struct ledger *ledger, size_t position);
const struct ledger_entry *ledger_by_id(const struct ledger *ledger, str id); // null = none
const struct ledger_entry *ledger_by_key(const struct ledger *ledger, str key);
// By id or a beginning of one (4 digits or more), "rollout/42", or a commit. ERROR_ABSENT,
// or ERROR_INPUT when several begin so.
bool ledger_find(const struct ledger *ledger, str name, const struct ledger_entry **ret,
                 struct error *err);
bool ledger_read(struct ledger *ledger, struct arena *arena, const struct ledger_entry *entry,
                 struct event *ret, struct error *err);
// Claim and lease of an environment as they are now.
bool ledger_standing(struct ledger *ledger, struct arena *arena, str environment,
                     struct standing *ret, struct error *err);
// The environments that ever had a claim, as their names in claims/.
bool ledger_claims(struct ledger *ledger, struct arena *arena, struct standing **ret,
                   size_t *ret_count, struct error *err);

struct store *ledger_store(struct ledger *ledger);
int64_t ledger_now(const struct ledger *ledger);
const struct event_actor *ledger_actor(const struct ledger *ledger);
bool ledger_is_signed(const struct ledger *ledger); // what it appends
struct world *ledger_world(const struct ledger *ledger);
bool ledger_has_remote(const struct ledger *ledger);
void ledger_random(struct ledger *ledger, char out[EVENT_ID]); // 32 hex digits

// ---- the remote --------------------------------------------------------------------------------
// Moves fetching and pushing on, in a worker thread; never waits when there is a world. Returns the
// moment at which it wants to be called again. Without a remote it does nothing.
int64_t ledger_turn(struct ledger *ledger, int64_t now_ms);
// True when `id` is on the remote (without one: on the branch). *ret_lost: it is nowhere any more,
// because it made no sense on top of what others wrote.
bool ledger_is_durable(const struct ledger *ledger, str id, bool *ret_lost);
// What stands between the ledger and its remote now: null = nothing, all is pushed.
const struct error *ledger_trouble(const struct ledger *ledger);
// The remote's branch has lost entries that it had: somebody forced it. Nothing is taken from it.
bool ledger_was_rewritten(const struct ledger *ledger);
bool ledger_unpushed(const struct ledger *ledger);
// The next turn fetches. `every_ms` > 0: fetches again so long after the last time it heard of it.
void ledger_want_fetch(struct ledger *ledger, int64_t every_ms);
// Fetches, and pushes what is not there yet; returns when both are done. ERROR_TRANSIENT after
// timeout_ms; what is unpushed stays and is pushed next time. Without a remote it only refreshes.
bool ledger_sync(struct ledger *ledger, int64_t timeout_ms, struct error *err);

#endif
