// Latencies and other gauges of the canary against those of the baseline, over a window of values
// taken at the same moments: Mann-Whitney's test, after the NetflixACAJudge of Kayenta (confidence
// 0.98, the interval of Hodges and Lehmann's shift, 0.25 of the shift as tolerance), without its
// faults: no value is ever put in place of one that is missing; too few values are inconclusive,
// not a pass; bounds are exact at every scale; and equal values need no noise.
//
// A test of fixed samples must not be repeated at will. It is looked at when a step has 10, 20 and
// 32 values and when its bake ends, and four fifths of the error that `confidence` leaves are
// divided among these looks; the rest is for what is watched longer (while people are waited for),
// at every 32 new values, in ever smaller parts. So all looks of a stage together, at all that it
// compares, abort a good release with at most half of 1 - confidence.
//
//     compare_add(&series, 0.31, 0.29);
//     if (compare_due(&series)) verdict = compare_verdict(&rule, &series, level);
#ifndef GATE_JUDGE_COMPARE_H
#define GATE_JUDGE_COMPARE_H

#include "gate/judge/threshold.h"

struct mann_whitney; // gate/judge/mann_whitney.h

enum { COMPARE_LEAST = 10, COMPARE_MOST = 32 };

struct compare {
    double confidence; // of all looks of a stage together, two-sided
    double tolerance;  // the interval must lie above this share of the shift,
    double max_ratio;  // and above what is still fine: this many times the baseline's median
    uint32_t steps, extensions; // of the stage: how many looks are planned
    uint32_t watches;           // of it that are compared: they share the error
};

struct compare_series { // all zero at the start; the newest values, oldest first
    uint32_t canary_count, baseline_count;
    uint32_t seen;  // canary values since the step began, also those that are kept no more
    uint32_t extra; // looks of the stage that were not planned
    double canary[COMPARE_MOST], baseline[COMPARE_MOST];
};

// Values that are not finite are not added, and it says so.
bool compare_add_canary(struct compare_series *series, double value);
bool compare_add_baseline(struct compare_series *series, double value);
// A new step: the canary begins anew, and so does the baseline where the step leaves one. Where it
// leaves none, what was the baseline before is what there is to compare with.
void compare_new_step(struct compare_series *series, bool leaves_baseline);

// Whether the newest canary value is one at which it is looked.
bool compare_due(const struct compare_series *series);
// The one-sided error that the look now has: of a planned one (also at a bake's end), or of the
// extra one that compare_due asked for, which it counts.
double compare_level(const struct compare *rule, struct compare_series *series, bool at_end);

// PASS: enough values, and the canary's are not shown to be worse. INCONCLUSIVE: fewer than
// COMPARE_LEAST on a side.
enum verdict3 compare_verdict(const struct compare *rule, const struct compare_series *series,
                              double level);
// The figures behind it, for people. False, and *ret untouched, where it is inconclusive.
bool compare_test(const struct compare_series *series, double level, struct mann_whitney *ret);

// The smallest ratio to the baseline that `values` on each side show with probability `power`,
// when they scatter by `noise` (see relative_noise); infinite when they show none.
double compare_visible(const struct compare *rule, uint32_t values, double noise, double power);

double compare_median(const double *values, uint32_t count); // of 1 to COMPARE_MOST values

#endif
