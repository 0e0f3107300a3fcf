#include "gate/judge/threshold.h"

#include <math.h>

void threshold_add(const struct threshold *limit, struct threshold_state *state, bool has_value,
                   double value)
{
    if (!has_value || isnan(value)) { // NaN is what a source says when it has no data
        if (state->errors_in_row < UINT32_MAX)
            state->errors_in_row++;
        if (state->errors < UINT32_MAX)
            state->errors++;
        return;
    }
    state->errors_in_row = 0;
    if (state->measured < UINT32_MAX)
        state->measured++;
    if (value > limit->max && state->bad < UINT32_MAX)
        state->bad++;
}

enum verdict3 threshold_verdict(const struct threshold *limit, const struct threshold_state *state,
                                uint32_t min_measured)
{
    if (state->bad > limit->failure_limit)
        return JUDGED_ABORT;
    if (state->errors_in_row > limit->error_limit ||
        (limit->inconclusive_limit > 0 && state->errors > limit->inconclusive_limit) ||
        state->measured < min_measured || state->measured == 0)
        return JUDGED_INCONCLUSIVE;
    return JUDGED_PASS;
}
