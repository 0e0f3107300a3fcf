// Rollouts as the ledger has them: to resume one, to list what is open.
//
//     struct rollout_record record;
//     if (rollout_load(ledger, &arena, STR("v812-production-1"), &record, err))
//         resume(record.plan, record.state, record.placements);
#ifndef DEPLOY_RECORD_ROLLOUTS_H
#define DEPLOY_RECORD_ROLLOUTS_H

#include "deploy/engine/engine.h"
#include "deploy/record/ledger.h"

struct rollout_record {
    struct plan *plan;            // as it was frozen in rollout.planned
    struct rollout_state *state;  // the newest; null when nothing was recorded after the plan
    struct placement *placements; // of plan->target_count targets; null likewise
    struct standing standing;     // claim and lease of its environment now
    struct event_actor planned_by;
    int64_t planned_ms, newest_ms;
    str newest_type;        // of the newest record with a state; empty when there is none
    size_t newest_position; // in the ledger, of the newest event of the rollout
};

// Everything lives in the arena. ERROR_ABSENT: there is no such rollout.
bool rollout_load(struct ledger *ledger, struct arena *arena, str rollout,
                  struct rollout_record *ret, struct error *err);

// Since when the rollout was on its way back when the record was written; false where it was not.
bool record_reverting_since(const struct event *event, int64_t *ret_ms);

#define REASON_TYPE "reason.given"
#define REASON_PENDING "pending" // stands where nobody has said why yet

// Why a person took it back or ended it: what was said then, or filled in since. *ret_pending:
// nobody has said it yet. Empty where no person did. ERROR_ABSENT: there is no such rollout.
bool rollout_reason(struct ledger *ledger, struct arena *arena, str rollout, str *ret,
                    bool *ret_pending, struct error *err);
// Fills it in under the name of who runs this; what was said before stays in the record.
bool rollout_explain(struct ledger *ledger, str rollout, str reason, struct error *err);

// The rollouts that hold a claim: planned and not over, with or without a live process.
bool rollouts_open(struct ledger *ledger, struct arena *arena, str **ret, size_t *ret_count,
                   struct error *err);

// The newest rollouts, over or not, newest first; at most `most`.
bool rollouts_newest(struct ledger *ledger, struct arena *arena, size_t most, str **ret,
                     size_t *ret_count, struct error *err);

#endif
