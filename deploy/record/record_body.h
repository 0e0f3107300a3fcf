// The bodies of the events that the journal writes: what each record says beside the common parts
// of an event. rollouts.h reads them back.
//
// All of them hold "release", "commit", "environment", "stage" and "mode"; those of records also
// "phase", and "reverting_since_ms" on the way back; those that end a rollout "serving", by target.
// The last record of those that are committed together holds "state" (the engine's) and
// "placements" (the next release on each target, as it is known then).
#ifndef DEPLOY_RECORD_RECORD_BODY_H
#define DEPLOY_RECORD_RECORD_BODY_H

#include "deploy/engine/journal.h"
#include "deploy/record/ledger.h"
#include "gate/doc/json.h"

void body_of_plan(const struct plan *plan, struct text *out);
void body_of_record(const struct journal_record *record, struct text *out);
// Adds state and placements (may be null) to the body of a record.
void body_add_state(const struct plan *plan, const struct rollout_state *state,
                    const struct placement *placements, struct text *body);
void body_of_incident(const struct journal_record *record, struct text *out);
void body_of_bad(str release, str commit, str environment, str why, struct text *out);
// rollout.cancelled of `rollout`, which `by` fences out: its newest state, in the phase cancelled.
bool body_of_superseded(struct ledger *ledger, struct arena *arena, str rollout, str by,
                        struct text *out, struct error *err);

void placement_write(const struct placement *placement, const char *key, struct json_out *out);
bool placement_read(const struct node *node, struct placement *ret, struct error *err);

#endif
