// Mann-Whitney's test (Wilcoxon's rank sum test) of two independent samples, and how far the one
// lies above the other.
//
// Up to 49 values a side and without ties the distribution is exact; otherwise it is the normal
// approximation, corrected for ties and for continuity. The shift is Hodges and Lehmann's. Both are
// those of wilcox.test of R, but that a bound found from the approximation is exact to the last
// digit, not to an absolute 1e-4: figures may be as small as they like.
//
//     struct mann_whitney test;
//     if (!mann_whitney(&arena, now, 8, before, 8, 0.95, &test)) … // says nothing: too few, or NaN
//     if (test.p_greater < 0.05 && test.shift > 0.1 * median) …    // slower, and by enough
#ifndef GATE_JUDGE_MANN_WHITNEY_H
#define GATE_JUDGE_MANN_WHITNEY_H

#include "gate/base/arena.h"

struct mann_whitney {
    double p;         // two-sided: that both come from one distribution
    double p_greater; // one-sided, against: x lies above y
    double p_less;    // one-sided, against: x lies below y
    double shift;     // by how much x lies above y
    double low, high; // confidence interval of the shift
    double u;         // pairs in which x is larger, an equal one counting half
    bool exact;
};

// `confidence` is within (0, 1). False, and *ret untouched, when it says nothing: a side is empty
// or longer than MANN_WHITNEY_MAX, a value is not finite. Where all values are equal, p is 1 and
// the shift 0. The arena holds scratch memory.
#define MANN_WHITNEY_MAX 100000u
bool mann_whitney(struct arena *arena, const double *x, size_t x_count, const double *y,
                  size_t y_count, double confidence, struct mann_whitney *ret);

// The same by the approximation alone, however few values there are and whether they are tied or
// not, as Kayenta's judge has it; allocates nothing. Up to MANN_WHITNEY_SMALL values a side.
#define MANN_WHITNEY_SMALL 32u
bool mann_whitney_small(const double *x, size_t x_count, const double *y, size_t y_count,
                        double confidence, struct mann_whitney *ret);

// Its p_greater alone, a hundred times as fast as with the interval of the shift.
bool mann_whitney_small_greater(const double *x, size_t x_count, const double *y, size_t y_count,
                                double *ret_p);

// The smallest one-sided p that samples of these sizes can have: 1 in (n + m over n). When it is
// not below the level that is asked for, no difference however large can be seen.
double mann_whitney_least_p(size_t x_count, size_t y_count);

// The smallest relative shift that is seen with the probability `power` at the one-sided level
// `alpha`, when the values scatter by `noise` (their standard deviation by their median). Infinite
// when no shift can be seen. From Noether's sample size, for values that scatter normally.
double mann_whitney_visible(size_t x_count, size_t y_count, double noise, double alpha,
                            double power);

// How much values scatter, by their median: 1.4826 times the median deviation from it. Two values
// at least, and a median above 0; NaN otherwise.
double relative_noise(struct arena *arena, const double *values, size_t count);
double median_of(struct arena *arena, const double *values, size_t count); // count > 0

double normal_quantile(double p); // of the standard normal distribution; p within (0, 1)

#endif
