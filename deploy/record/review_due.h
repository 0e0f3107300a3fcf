// What an emergency release owes afterwards: the review of the incident that it mended, as the
// event `incident.review-due` {incident, severity, why, overrides, due}. Its file has the name of
// the incident, which may be kept elsewhere; history.c reads it for the gate.
#ifndef DEPLOY_RECORD_REVIEW_DUE_H
#define DEPLOY_RECORD_REVIEW_DUE_H

#include "deploy/engine/plan.h"
#include "deploy/record/ledger.h"

// Nothing for a plan that is no emergency's.
bool review_due_append(struct ledger *ledger, struct arena *arena, const struct plan *plan,
                       int64_t now_ms, struct error *err);

#endif
