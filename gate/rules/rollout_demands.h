// What the risks that a release touches demand of its rollout: approvals, slower bakes, steps.
// Nothing here is judged; it goes into the recorded decision, where the rollout reads it
// (deploy/record/risk_demands.h), with the risks that are the reason.
//
// Several risks are united: the most approvals, the slowest factor, the steps of all of them. A
// risk counts when it is open today and the change touches a file under its paths; one without
// paths counts for every release. Where nobody knows what changed, all open ones count.
//
//     struct rollout_demands demands;
//     rollout_demands_make(&arena, &gate.input, &demands);
//     if (demands.because_count) use(demands.approvals, demands.slower);
#ifndef GATE_RULES_ROLLOUT_DEMANDS_H
#define GATE_RULES_ROLLOUT_DEMANDS_H

#include "gate/rules/rule.h"

struct rollout_reason {
    const struct risk *risk;
    const char *what; // "2 approvals, bakes 2 times as long, steps at 5%, 25%"
};

struct rollout_demands {
    int64_t approvals;            // 0 = as the stage says
    double slower;                // 1 = as the stage says
    const struct fraction *steps; // rising, each once
    size_t step_count;
    const struct rollout_reason *because; // in the order of the register
    size_t because_count;
    const char *unknown; // why what changed is not known; null = it is
};

void rollout_demands_make(struct arena *arena, const struct rule_input *input,
                          struct rollout_demands *ret);

#endif
