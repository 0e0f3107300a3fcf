// How figures went over the last recorded runs of the default branch, as a line of blocks that a
// summary can hold: "coverage ▁▃▅▇ 84.1 % → 88.3 %".
#ifndef ACTIONS_REPORT_TREND_H
#define ACTIONS_REPORT_TREND_H

#include "gate/decision.h"

// One block for each value, from the lowest of them to the highest; all in the middle where they
// are the same.
void trend_blocks(const double *values, size_t count, struct text *out);

// A paragraph with the runs that the decision was judged beside, and itself last; nothing where
// there are fewer than two of a figure.
void trend_markdown(const struct decision *decision, struct text *out);

#endif
