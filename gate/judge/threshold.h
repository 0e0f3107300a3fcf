// A value against a bound, with patience: `failure_limit` bad values of a stage are tolerated,
// one more fails. Strictly greater than the bound is bad. An error or a missing value counts
// neither as good nor as bad, but too many of them, in a row or in all, make the judge
// inconclusive, never a pass. (Argo Rollouts' limits, without its "ended early is a success".)
//
//     threshold_add(&limit, &state, true, 812.0);
//     if (threshold_verdict(&limit, &state, 1) == JUDGED_ABORT) abort();
#ifndef GATE_JUDGE_THRESHOLD_H
#define GATE_JUDGE_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

struct threshold {
    double max;                  // values > max are bad
    uint32_t failure_limit;      // bad values tolerated
    uint32_t error_limit;        // consecutive values without an answer tolerated
    uint32_t inconclusive_limit; // values without an answer tolerated in all; 0 = any number
};

struct threshold_state { // all zero at the start
    uint32_t measured, bad, errors_in_row, errors;
};

enum verdict3 { JUDGED_INCONCLUSIVE, JUDGED_PASS, JUDGED_ABORT };

void threshold_add(const struct threshold *limit, struct threshold_state *state, bool has_value,
                   double value);
// PASS needs at least `min_measured` values.
enum verdict3 threshold_verdict(const struct threshold *limit, const struct threshold_state *state,
                                uint32_t min_measured);

#endif
