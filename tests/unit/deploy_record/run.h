// One process of a rollout in a scene: its ledger, its journal, and the engine's state.
#ifndef TESTS_UNIT_DEPLOY_RECORD_RUN_H
#define TESTS_UNIT_DEPLOY_RECORD_RUN_H

#include "scene.h"

struct run {
    struct ledger *ledger;
    struct journal *journal;
    struct journal_port port;
    struct rollout_state *state;
    const struct plan *plan;
    uint64_t token; // of the newest record
};

struct run run_open(struct scene *s, const char *remote, const struct plan *plan);
void run_close(struct run *run);
bool run_take(struct scene *s, struct run *run, bool force); // true: the lease is held
enum lease_state run_lease(struct scene *s, struct run *run);

// A record of the phase that the state is then in; durable where a ticket is wanted (or null).
bool run_note(struct scene *s, struct run *run, enum record_type type, enum rollout_phase phase,
              enum target_verb verb, uint64_t *ret_ticket);
bool run_commit(struct scene *s, struct run *run, enum journal_haste haste);
bool run_record(struct scene *s, struct run *run, enum record_type type, enum rollout_phase phase,
                enum target_verb verb, uint64_t *ret_ticket); // noted and committed
enum append_state run_settle(struct scene *s, struct run *run, uint64_t ticket);

#endif
