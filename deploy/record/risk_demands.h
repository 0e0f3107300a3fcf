// What a recorded decision of the gate says about the risk of a release: the score's class, which
// may choose the ladder of its rollout, and what the risks that it touches demand of it. A pure
// reading of the decision's members `rollout` (gate/decision_risk.h writes them).
//
// A rollout takes a release from the one that is known good, and so answers for every decision in
// between: their demands are united.
//
//     struct gate_record record;
//     struct release_demands demands;
//     if (!gate_decided(ledger, &arena, commit, &record, err) ||
//         !release_demands_read(&arena, record.body, &demands, err)) ...
//     if (demands.approvals > stage.approvals) stage.approvals = demands.approvals;
#ifndef DEPLOY_RECORD_RISK_DEMANDS_H
#define DEPLOY_RECORD_RISK_DEMANDS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/number.h"

struct node;

// Not scored (no risk register, an old decision): nobody can say that it is low.
enum release_risk { RELEASE_LOW, RELEASE_MEDIUM, RELEASE_HIGH, RELEASE_NOT_SCORED };
const char *release_risk_name(enum release_risk risk); // "low", …, "not scored"

struct release_reason {
    str risk, title; // "R-1", "Paid twice"
    str what;        // "2 approvals, bakes 2 times as long, steps at 5%, 25%"
};

struct release_demands {
    enum release_risk risk;
    uint32_t score;         // 0 to 100, when it is scored
    uint32_t approvals;     // at least; 0 = as the stage says
    double slower;          // step bake and bake take so many times as long; 1 = as the stage says
    struct fraction *steps; // shares at which it stops, beside those of the stage; rising
    size_t step_count;
    struct release_reason *because;
    size_t because_count;
    str unknown; // why it is not known what changed, and every open risk counts; empty = it is
};

// `decision` is the body of a gate.decided. One without `rollout` demands nothing and is not
// scored. ERROR_INPUT for one whose member is malformed. Text is the decision's own.
bool release_demands_read(struct arena *arena, const struct node *decision,
                          struct release_demands *ret, struct error *err);

// Both at once: the worse risk, the most approvals, the slowest factor, the steps and reasons of
// both. ERROR_LIMIT past LIMIT_STEPS.
bool release_demands_unite(struct arena *arena, const struct release_demands *one,
                           const struct release_demands *other, struct release_demands *ret,
                           struct error *err);

#endif
