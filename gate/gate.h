// One run of the gate: reports are read, rules judge them by the policy, a decision comes out.
//
//     struct gate_place place;
//     if (!gate_locate(&arena, repository, "origin/main", &place, err)) ...
//     ... policy_load, shape_bind ...
//     struct gate gate = {0};
//     if (!gate_judge(&arena, &request, &gate, err)) ...
//     decision_json(&gate.decision, &text);
//     gate_done(&gate);
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "gate/companion.h"
#include "gate/decision.h"
#include "gate/dependencies.h"
#include "gate/intake/intake.h"
#include "gate/policy.h"
#include "gate/release_score.h"
#include "gate/rules/rollout_demands.h"
#include "gate/rules/rule.h"

// Which commit is judged, and against which.
struct gate_place {
    const char *commit;       // 40 digits; null = no repository, or nothing committed yet
    const char *base;         // null = there is nothing before it: everything is new
    const char *base_unknown; // why there is no base to speak of; null = there is one, or no past
};

// Without `base` it is the first parent of HEAD; with it, the merge base of the two. `repository`
// may be null. ERROR_ABSENT for a base that does not exist or, with `fetch-depth: 0` in the
// message, that a shallow clone does not hold.
bool gate_locate(struct arena *arena, struct repository *repository, const char *base,
                 struct gate_place *ret, struct error *err);

struct gate_request {
    struct repository *repository; // null = none
    const char *root;              // the working tree, '/' at its end; "" = the current folder
    struct gate_place place;
    const struct policy *policy;
    const struct evidence_config *evidence;
    const struct gate_demands *demands;
    const char *tree_commit; // stands for the working tree; null = the working tree itself
    const struct recorded_reports *recorded; // in place of its reports; null = they are there
    bool enforce;
    bool change;                   // a pull request: only what it causes holds or blocks
    const struct history *history; // null = there is no record at hand
    const char *branch;            // that the change comes from; null = not known
    bool wants_score;              // the release risk score, also when there is no register
    unsigned score_window_days;    // that commits are counted over; 0 = SCORE_WINDOW_DAYS
    const char *const *labels;     // of the pull request, ends with null; null = none
    int64_t now_ms;
};

struct gate { // all zero is empty; everything else lives in the arena that gate_judge was given
    struct evidence evidence;
    struct evidence base_evidence; // of tests run on the base's code
    struct intake intake;
    struct risk_register risks;
    struct companion companions[COMPANIONS];
    struct waivers waivers;
    struct quarantine quarantine;
    struct dependencies dependencies;
    struct lifecycles lifecycles;
    struct changed_file *changed; // computed when a rule asks for it
    size_t changed_count;
    struct rule_input input; // what the rules saw
    struct risk_score score;
    struct rollout_demands rollout;
    struct decision decision;
};

// ERROR_INPUT for a register that cannot be used; what is wrong with a report is a finding.
bool gate_judge(struct arena *arena, const struct gate_request *request, struct gate *gate,
                struct error *err);
void gate_done(struct gate *gate);

#endif
