// The risk register: what may go wrong, how likely and how bad, who sees to it and until when.
//
// A matrix (gate/risk/matrix.h) rates each risk. Exposure = points of the matrix x weight of the
// business flow that the risk threatens; by the usual 5x5 matrix that is likelihood x impact x
// weight. Severity is the matrix' alone. Open and mitigating risks count; an accepted one counts
// again once its due date has passed; a closed one never does.
//
//     version: 1
//     flows: {payments: 5, catalogue: 1}
//     risks:
//       - {id: R-1, title: A payment is taken twice, likelihood: 2, impact: 5, flow: payments,
//          paths: ["payments/**"], owner: payments, due: 2027-03-31,
//          demands: {coverage: 90%, tests: ["payments::*"], approvals: 2, slower: true}}
//
//     struct risk_register risks;
//     if (!risk_register_bind(&arena, root, &matrix, &risks, &problems)) ...
#ifndef GATE_RISK_REGISTER_H
#define GATE_RISK_REGISTER_H

#include "gate/doc/shape.h"
#include "gate/risk/matrix.h"

enum risk_status { RISK_OPEN, RISK_MITIGATING, RISK_ACCEPTED, RISK_CLOSED };

struct risk_flow {
    str name;
    str title;
    int64_t weight; // 1 to 5
};

struct risk_coverage { // den 0 = not demanded
    struct fraction lines, branches;
};

struct risk_demands {
    struct risk_coverage *coverage; // of the files under the risk's paths; null = none
    struct shape_list tests;        // str: patterns of tests that must be there and pass
    // Of the rollout of a release that touches the risk:
    int64_t approvals;       // of so many people, at least; 0 = as the stage says
    const struct node *slow; // `slower`, as it is written; null = not asked
    double slower;           // step bake and bake take so many times as long; 1 = as the stage says
    struct shape_list steps; // struct risk_step: shares at which it stops, rising
    struct position at;
};

struct risk_step {
    struct fraction share;
    struct position at;
};

struct risk_closing {               // what must hold for as long as a risk is called closed
    struct risk_coverage *coverage; // of the files under the risk's paths; null = none
    struct shape_list tests;        // str: patterns of tests that must be there and pass
    str finding;                    // id of a finding that must pass; empty = none
    struct position at;
};

struct risk {
    str id, title, treatment, owner, link;
    str flow;                                           // name of a flow; empty = none
    const struct node *likelihood_given, *impact_given; // null = not beside the rating
    int64_t likelihood, impact;                         // likewise; 0 = not given
    const struct node *inputs;                          // its `rating`; null = it has none
    struct risk_rating rating;                          // what the matrix makes of them
    int64_t weight;                   // of its flow, or its own; 1 when neither is said
    struct shape_list paths;          // str: patterns
    int status;                       // enum risk_status
    int64_t due_days;                 // days since 1970; 0 = none
    double effort_days;               // of a person; 0 = not estimated
    struct risk_demands *demands;     // null = none
    struct risk_closing *closes_when; // null = nothing was said
    struct position at;
};

struct risk_register {
    int64_t version;
    const struct risk_matrix *matrix;
    str matrix_name;         // as it is written; empty = 5x5
    struct shape_list flows; // struct risk_flow
    struct shape_list risks; // struct risk, in the order of the file
};

struct risk_totals {
    uint64_t exposure;              // of all risks that count
    uint64_t open[RISK_SEVERITIES]; // risks that count, by severity
    uint64_t accepted, closed, overdue;
};

extern const struct shape risk_register_shape;

#define RISK_MATRIX_DEFAULT "5x5"

// Binds a register's document, looks up each risk's flow and rates each by the matrix, which must
// outlive it: that which the key `matrix` names (see gate/matrices.h). Ids are unique; an accepted
// risk needs an owner and a due date, because an acceptance without an end is a risk forgotten.
// Everything wrong is added to `problems`; returns false when there was something.
bool risk_register_bind(struct arena *arena, const struct node *root,
                        const struct risk_matrix *matrix, struct risk_register *ret,
                        struct problems *problems);

// Does an open risk ask anything of the rollout of a release that touches it?
bool risk_demands_rollout(const struct risk *risk);

const struct risk *risk_register_at(const struct risk_register *risks, size_t i);
uint64_t risk_exposure(const struct risk *risk); // points of the matrix x business weight
// The most that one risk can have, by this register's matrix: all points at the weight of 5.
uint64_t risk_exposure_most(const struct risk_register *risks);
enum risk_severity risk_severity(const struct risk *risk);
const char *risk_status_name(int status);

// Days are counted in UTC. The due date itself still belongs to the time given.
bool risk_overdue(const struct risk *risk, int64_t today_days);
bool risk_counts(const struct risk *risk, int64_t today_days);
struct risk_totals risk_totals(const struct risk_register *risks, int64_t today_days);

// Does this pattern of `tests` mean that test? `*` stands for any text, and `::` for the ` › ` of
// an identity: "payments::*" means "payments › test_twice".
bool risk_test_fits(str pattern, str identity);

// Does one of the risk's patterns match this path?
bool risk_covers(const struct risk *risk, str path);

#endif
