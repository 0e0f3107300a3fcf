// Sequential test on counts: stops early when the canary's rate of bad events is worse than the
// baseline's by more than a tolerance, with a false-abort probability of at most alpha however
// often one looks (Ville's inequality). Conditional-binomial mixture e-process; source: Lindon &
// Malek, arXiv 2011.03567, generalised to changing weights and a tolerance r0. The state is one
// double per rate ratio of the grid and survives a restart.
//
//     eprocess_add(&process, 1.2, (struct counts){xc, nc, xb, nb}, 1.0);
//     if (eprocess_log(&process) >= eprocess_bound(0.01, tests)) abort();
#ifndef GATE_JUDGE_EPROCESS_H
#define GATE_JUDGE_EPROCESS_H

#include <stdbool.h>

#define EPROCESS_RATIOS 6

extern const double eprocess_ratio[EPROCESS_RATIOS];  // 1.5 2 3 5 10 30
extern const double eprocess_weight[EPROCESS_RATIOS]; // .1 .2 .25 .2 .15 .1

struct counts { // one interval: bad events and exposures, as the metric counted them
    double canary_bad, canary_total;
    double baseline_bad, baseline_total;
};

struct eprocess {                // all zero at the start
    double sum[EPROCESS_RATIOS]; // log likelihood ratio of each alternative
};

// Adds one interval. `tolerance` is r0 >= 1, `dispersion` is phi >= 1 (variance/mean of the
// baseline's history): counts are divided by it. False, and nothing added, when the interval says
// nothing: an exposure is zero, a figure is negative, not finite, or more bad than exposed.
bool eprocess_add(struct eprocess *process, double tolerance, struct counts counts,
                  double dispersion);

// The same against a reference rate, for when no live baseline is left (all of the traffic is on
// the release). A Poisson mixture whose sums go on from eprocess_add's: for each ratio r it adds
// bad*log(r) - (r - 1)*rate0*total, a supermartingale while the canary's rate is at most `rate0`
// (also for binomial counts, as (1 + q(r-1))^n <= exp(nq(r-1))). `rate0` is in (0,1): the
// tolerance times an upper bound of the rate that the baseline had. False, and nothing added, as
// above.
bool eprocess_add_fixed(struct eprocess *process, double rate0, double bad, double total,
                        double dispersion);

// The most bad events that lay behind the `bad` that were counted: an upper bound also for small
// counts, three standard deviations and three bursts above them. Divided by the exposures, it is
// the rate for eprocess_add_fixed.
double eprocess_most(double bad, double dispersion);

double eprocess_log(const struct eprocess *process);     // logE
double eprocess_bound(double alpha, unsigned processes); // log(K/alpha)

// Expected minutes until a canary that is truly `ratio` times worse than the baseline is seen:
// log(K/(alpha*w_r)) over the drift per minute of the log likelihood ratio, for the alternative
// of the grid that sees it first (Wald's identity). With tolerance 1 and a ratio of the grid
// this is log(K/(alpha*w_r)) / (bad_per_minute * KL(p1||p0)). Infinite when no alternative ever
// sees it. bad_per_minute: expected bad events of both sides together, the canary being that
// much worse; canary_share in (0,1). Where traffic is bursty, here and below, give the events
// divided by phi: that is what the sums do.
double eprocess_minutes(double ratio, double tolerance, double alpha, unsigned processes,
                        double bad_per_minute, double canary_share);
// Likewise the minutes within which it is seen with probability `power` (0.5: the median). The
// time at which a walk with that drift first crosses the bound is taken as inverse Gaussian
// (Wald); it meets the reference line of the tests within a few per cent.
double eprocess_minutes_at(double power, double ratio, double tolerance, double alpha,
                           unsigned processes, double bad_per_minute, double canary_share);
// Likewise against a fixed reference rate that is `headroom` >= 1 times the canary's good rate.
double eprocess_minutes_fixed(double power, double ratio, double headroom, double alpha,
                              unsigned processes, double good_bad_per_minute);

// Pearson chi-square tail probability (1 degree of freedom) that exposures nc, nb come from a
// canary share of `share`. For the sample-ratio check.
double share_mismatch_p(double canary_total, double baseline_total, double share);

#endif
