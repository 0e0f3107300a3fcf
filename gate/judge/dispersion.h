// How bursty traffic is: the variance of counts of bad events by their mean (phi). 1 is Poisson's
// law, which the e-process rests on; failures that come in bursts have more, and its sums are then
// divided by it. It is never given, always estimated, from what the baseline counts.
//
// Intervals are taken four at a time, and each is held against the rate of its own four (Pearson's
// chi-square with three degrees of freedom): a rate that changes slowly adds nothing. One outage
// among many intervals must not make the judge blind, so no four count for more than sixteen times
// what the others lead one to expect.
//
// What is used is an upper bound: a good release must not be aborted because little was seen yet.
// With nothing seen at all the bound is what a few calm intervals would leave possible.
//
//     dispersion_add(&dispersion, bad, total);                 // an interval of the baseline
//     eprocess_add(&process, 1.2, counts, dispersion_bound(&dispersion));
#ifndef GATE_JUDGE_DISPERSION_H
#define GATE_JUDGE_DISPERSION_H

#include <stdbool.h>
#include <stdint.h>

#define DISPERSION_BLOCK 4

struct dispersion {  // all zero at the start
    double sum;      // of the squared distances, each by what Poisson's law expects
    double freedom;  // the degrees of freedom that are in it
    uint32_t filled; // intervals of the four that are being gathered
    double bad[DISPERSION_BLOCK], total[DISPERSION_BLOCK];
};

// One interval of the baseline. False, and nothing added, when it says nothing: no exposure, a
// figure that is negative or not finite, more bad than exposed.
bool dispersion_add(struct dispersion *dispersion, double bad, double total);

// What another one has learned; the four that it was gathering are left out.
void dispersion_join(struct dispersion *dispersion, const struct dispersion *other);

// The upper bound of phi, at least 1: with 95 % confidence where failures come in bursts of like
// size. 3.7 before anything was seen, 1.3 after 120 calm intervals. The chi-square quantile is
// Wilson and Hilferty's.
double dispersion_bound(const struct dispersion *dispersion);

#endif
