// How fast the error budget of a service level objective burns, over several windows (Google's SRE
// workbook, "Alerting on SLOs", multi-window multi-burn-rate): 14.4 times over an hour and over the
// last 5 minutes, or 6 times over 6 hours and over the last 30 minutes. The long window shows that
// it matters, the short one that it still goes on.
//
//     struct burn_counts counts[BURN_WINDOWS] = {…}; // in the order of burn_windows
//     if (burn_rate_verdict(0.001, 200, counts, burns) == JUDGED_ABORT) abort();
#ifndef GATE_JUDGE_BURN_RATE_H
#define GATE_JUDGE_BURN_RATE_H

#include "gate/judge/threshold.h"

enum { BURN_PAIRS = 2, BURN_WINDOWS = 2 * BURN_PAIRS };

struct burn_pair {
    int64_t long_ms, short_ms;
    double factor; // more than this many times the budget is too fast; strictly
};
extern const struct burn_pair burn_pairs[BURN_PAIRS];

int64_t burn_window_ms(int index); // long, short, long, short

struct burn_counts { // of one window
    double bad, total;
};

// `budget` is the share that may be bad: 1 - SLO, within (0, 1). A long window with fewer than
// `least` events, a short one with none, and counts that are no counts (negative, not finite, more
// bad than all) say nothing: INCONCLUSIVE, unless the other pair already shows an ABORT. ret_burns
// gets for each pair the slower of its two burns, in budgets; NaN where it is not known.
enum verdict3 burn_rate_verdict(double budget, double least,
                                const struct burn_counts counts[BURN_WINDOWS],
                                double ret_burns[BURN_PAIRS]);

#endif
