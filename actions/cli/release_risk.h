// What the gate said of the risk of a release: of its own commit, and of those that came between it
// and the releases that it replaces.
#ifndef ACTIONS_CLI_RELEASE_RISK_H
#define ACTIONS_CLI_RELEASE_RISK_H

#include "actions/cli/deployment.h"
#include "deploy/engine/plan.h"
#include "deploy/record/releases.h"
#include "deploy/record/risk_demands.h"

struct decision_visitor {
    void *self;
    bool (*visit)(void *self, const struct gate_record *record, struct error *err);
};
// Every recorded decision that a release answers for, newest first: from `commit` (40 digits) back,
// by first parents, to the commits of `good` (`count` of them; without one that of `commit` alone).
// In the deployment's arena. False with call->error set, also where a visit was false.
bool release_decisions(struct deployment *d, const struct placement *good, size_t count,
                       const char *commit, const struct decision_visitor *visitor);

// The demands of all these united.
bool release_risk(struct deployment *d, const struct placement *good, size_t count,
                  const char *commit, struct release_demands *ret);

#endif
