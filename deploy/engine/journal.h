// What the driver needs of a record keeper, as a port: the ledger implements it over git, the
// simulation in memory. Records are noted one by one and committed together; that is local and
// immediate. Becoming durable (pushed under a valid lease) takes time and is polled.
#ifndef DEPLOY_ENGINE_JOURNAL_H
#define DEPLOY_ENGINE_JOURNAL_H

#include "deploy/engine/engine.h"

enum lease_state {
    LEASE_NONE,
    LEASE_PENDING, // being taken
    LEASE_HELD,
    LEASE_REFUSED, // another live process holds it, or another rollout the claim: text says who
    LEASE_LOST,    // it was ours; fenced out or expired
};

enum append_state { APPEND_PENDING, APPEND_DURABLE, APPEND_LOST };

struct journal_record {
    const struct plan *plan;
    const struct rollout_state *state;     // as it is after the step that wrote this
    const struct rollout_command *command; // RC_RECORD, or RC_INCIDENT (an incident.opened event)
    const struct placement *placements; // plan->target_count: `next` of each target as it is known
                                        // now (revision, memory); kept with the state for resume
    int64_t now_ms;
};

// ORDINARY: on the local branch when the call returns. URGENT: a way back leaves with the next
// turn and must not wait for git; the records are kept where a crash of this process does not lose
// them, and `settle` brings them to the branch.
enum journal_haste { JOURNAL_ORDINARY, JOURNAL_URGENT };

struct journal_port {
    void *self;
    // Takes claim and lease of the plan's environment for the plan's rollout. `force` fences out
    // a live holder (rollback). Answered by `lease`.
    bool (*take)(void *self, const struct plan *plan, bool force, int64_t now_ms,
                 struct error *err);
    enum lease_state (*lease)(void *self, int64_t now_ms, char text[256]);
    // Notes a record, in this process alone. *ret_ticket answers `state`.
    bool (*note)(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                 struct error *err);
    // Commits what was noted, with the state as it is after the last of it: whoever goes on after a
    // crash reads that state, or the one before all of this. False: some of it, or all, is lost;
    // tickets of the durable ones say which.
    bool (*commit)(void *self, const struct plan *plan, const struct rollout_state *state,
                   const struct placement *placements, enum journal_haste haste, int64_t now_ms,
                   struct error *err);
    // False as for `commit`.
    bool (*settle)(void *self, int64_t now_ms, struct error *err);
    enum append_state (*state)(void *self, uint64_t ticket);
    // Moves pushes and lease renewals on. Returns the moment at which it wants to be called
    // again.
    int64_t (*turn)(void *self, int64_t now_ms);
    // Gives the lease back; `keep_claim` while the rollout is suspended. Pushes what is left, as
    // far as the remote answers within its limit.
    void (*release)(void *self, bool keep_claim, int64_t now_ms);
};

#endif
