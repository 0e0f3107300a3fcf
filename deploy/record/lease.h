// Claim and lease of an environment, as pure functions of the ledger's events.
//
// A claim holds an environment for one rollout, from plan to end, also while it is suspended. A
// lease marks one live process of that rollout: holder, expiry, and a fencing number that only
// rises. Both are files beside the events (claims/<environment>.json, leases/<environment>.json),
// and both are nothing but a consequence of the events: standing_apply says what an event does to
// them, whether it is appended, re-applied after a lost race, or checked by `sluice verify`.
// A lease is never deleted; it is given back, or taken over when it has expired, when its process
// is known to be gone, or by force (rollback).
//
//     struct standing standing;
//     standing_read(&arena, environment, claim_json, lease_json, &standing, err);
//     if (!standing_apply(&standing, &event, err)) ...   // ERROR_DENIED: says who is in the way
#ifndef DEPLOY_RECORD_LEASE_H
#define DEPLOY_RECORD_LEASE_H

#include "deploy/record/event.h"

#define LEASE_TTL_MS (90 * INT64_C(1000))   // a lease that nobody renews ends after this
#define LEASE_RENEW_MS (30 * INT64_C(1000)) // its holder renews it this often
#define LEASE_SKEW_MS (10 * INT64_C(1000))  // clocks of two machines may differ by this

struct claim {
    str rollout; // empty = free
    int64_t since_ms;
};

struct lease {
    str holder; // empty = nobody ever
    str rollout;
    str process; // see process_self
    str who;     // for people: login or user
    uint64_t fence;
    int64_t taken_ms, heartbeat_ms, expires_ms;
    bool released;
};

struct standing {
    str environment;
    struct claim claim;
    struct lease lease;
    bool claim_changed, lease_changed; // by standing_apply: the file must be written
};

// `claim` and `lease` are the files' bytes; empty = there is none yet. ERROR_INPUT: malformed.
bool standing_read(struct arena *arena, str environment, str claim, str lease, struct standing *ret,
                   struct error *err);

// What `event` does to the standing of its environment. Fills event->lease.fence, and sets
// event->lease.late on a fact whose writer has lost the lease. ERROR_DENIED when the event makes no
// sense any more: the environment is claimed by another rollout, the lease is held by a live
// process, or the writer has lost it.
bool standing_apply(struct standing *standing, struct event *event, struct error *err);

// True while nobody may take the lease without force.
bool lease_is_live(const struct lease *lease, int64_t now_ms);

void claim_write(const struct standing *standing, struct text *out);
void lease_write(const struct standing *standing, struct text *out);

// "claims/production.json", "leases/production.json"; what is no letter, digit, '-' or '_' of the
// name is written as %XX. Lives in the arena.
const char *claim_path(struct arena *arena, str environment);
const char *lease_path(struct arena *arena, str environment);

// Facts have happened, whoever holds the lease now: reverts, what a command came to, samples. They
// are kept as late entries. Everything else needs the lease.
bool event_is_fact(const struct event *event);
// The rollout is over for good: its claim is free.
bool event_is_terminal(str type);

// This process as other processes of the same machine can look for it: boot, process namespace,
// number and start. Lives in the arena.
str process_self(struct arena *arena);
// True when `process` ran on this machine and does so no more. False also when nobody can know.
bool process_is_gone(str process);

#endif
