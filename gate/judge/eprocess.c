#include "gate/judge/eprocess.h"

#include <math.h>

const double eprocess_ratio[EPROCESS_RATIOS] = {1.5, 2, 3, 5, 10, 30};
const double eprocess_weight[EPROCESS_RATIOS] = {.1, .2, .25, .2, .15, .1};
// Their logarithms, which every sample needs.
static const double log_ratio[EPROCESS_RATIOS] = {0.4054651081081644, 0.6931471805599453,
                                                  1.0986122886681098, 1.6094379124341003,
                                                  2.302585092994046,  3.4011973816621555};
static const double log_weight[EPROCESS_RATIOS] = {-2.3025850929940455, -1.6094379124341003,
                                                   -1.3862943611198906, -1.6094379124341003,
                                                   -1.8971199848858813, -2.3025850929940455};

// A count that can be used: finite, not negative. Written so that NaN fails.
static bool usable(double count)
{
    return count >= 0 && isfinite(count);
}

static bool says_something(struct counts c, double tolerance, double dispersion)
{
    return usable(c.canary_bad) && usable(c.canary_total) && usable(c.baseline_bad) &&
           usable(c.baseline_total) && c.canary_total > 0 && c.baseline_total > 0 &&
           c.canary_bad <= c.canary_total && c.baseline_bad <= c.baseline_total && tolerance >= 1 &&
           isfinite(tolerance) && dispersion >= 1 && isfinite(dispersion);
}

// The logarithms by which a bad event of the canary and one of the baseline move the sum of ratio
// r.
static void steps_of(int i, double tolerance, double canary, double baseline, double *ret_canary,
                     double *ret_baseline)
{
    double null = tolerance * canary;
    double other = null * eprocess_ratio[i];
    // log(p1/p0) and log((1-p1)/(1-p0)) share this term.
    double shared = log((null + baseline) / (other + baseline));
    *ret_canary = log_ratio[i] + shared;
    *ret_baseline = shared;
}

bool eprocess_add(struct eprocess *process, double tolerance, struct counts counts,
                  double dispersion)
{
    if (!says_something(counts, tolerance, dispersion))
        return false;
    double canary_bad = counts.canary_bad / dispersion;
    double baseline_bad = counts.baseline_bad / dispersion;
    for (int i = 0; i < EPROCESS_RATIOS; i++) {
        double canary_step;
        double baseline_step;
        steps_of(i, tolerance, counts.canary_total, counts.baseline_total, &canary_step,
                 &baseline_step);
        process->sum[i] += canary_bad * canary_step + baseline_bad * baseline_step;
    }
    return true;
}

bool eprocess_add_fixed(struct eprocess *process, double rate0, double bad, double total,
                        double dispersion)
{
    if (!usable(bad) || !usable(total) || !(total > 0) || bad > total || !(rate0 > 0) ||
        !(rate0 < 1) || !(dispersion >= 1) || !isfinite(dispersion))
        return false;
    for (int i = 0; i < EPROCESS_RATIOS; i++) {
        double r = eprocess_ratio[i];
        process->sum[i] += (bad * log_ratio[i] - (r - 1) * rate0 * total) / dispersion;
    }
    return true;
}

double eprocess_most(double bad, double dispersion)
{
    return bad + 3 * sqrt(bad * dispersion) + 3 * dispersion;
}

double eprocess_log(const struct eprocess *process)
{
    double terms[EPROCESS_RATIOS];
    double most = -INFINITY;
    for (int i = 0; i < EPROCESS_RATIOS; i++) {
        terms[i] = log_weight[i] + process->sum[i];
        if (terms[i] > most)
            most = terms[i];
    }
    double sum = 0;
    for (int i = 0; i < EPROCESS_RATIOS; i++)
        sum += exp(terms[i] - most);
    return most + log(sum);
}

double eprocess_bound(double alpha, unsigned processes)
{
    return log((processes ? processes : 1) / alpha);
}

double share_mismatch_p(double canary_total, double baseline_total, double share)
{
    double all = canary_total + baseline_total;
    if (!usable(canary_total) || !usable(baseline_total) || !(all > 0) || !(share > 0) ||
        !(share < 1))
        return 1;
    double off = canary_total - all * share;
    double chi_square = off * off / (all * share * (1 - share));
    return erfc(sqrt(chi_square / 2)); // the tail of chi-square with one degree of freedom
}

// ---- how long it takes to see a regression ------------------------------------------------------

// A walk: what one minute adds to the sum on average, and that sum's variance.
struct walk {
    double drift, variance, bound;
};

// Probability that the walk has crossed its bound after `minutes`: inverse Gaussian.
static double crossed(const struct walk *walk, double minutes)
{
    double mean = walk->bound / walk->drift;
    double shape = walk->bound * walk->bound / walk->variance;
    double root = sqrt(shape / minutes);
    double first = erfc(-root * (minutes / mean - 1) / sqrt(2)) / 2;
    double second = erfc(root * (minutes / mean + 1) / sqrt(2)) / 2;
    double exponent = 2 * shape / mean;
    return exponent < 700 ? first + exp(exponent) * second : first;
}

// The minutes by which a share `power` of such walks has crossed; < 0: the mean.
static double minutes_of(const struct walk *walk, double power)
{
    if (!(walk->drift > 0) || !(walk->bound > 0))
        return INFINITY;
    double mean = walk->bound / walk->drift;
    if (power < 0)
        return mean;
    double low = mean * 1e-4;
    double high = mean * 1e4;
    for (int i = 0; i < 50; i++) { // bisection on the logarithm: to one part in 10^14
        double middle = sqrt(low * high);
        if (crossed(walk, middle) < power)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double live_minutes(double power, double ratio, double tolerance, double alpha,
                           unsigned processes, double bad_per_minute, double share)
{
    if (!(ratio > 0) || !(tolerance >= 1) || !(bad_per_minute > 0) || !(share > 0) || !(share < 1))
        return INFINITY;
    double canary_bad = bad_per_minute * ratio * share / (ratio * share + 1 - share);
    double baseline_bad = bad_per_minute - canary_bad;
    double best = INFINITY;
    for (int i = 0; i < EPROCESS_RATIOS; i++) {
        double canary_step;
        double baseline_step;
        steps_of(i, tolerance, share, 1 - share, &canary_step, &baseline_step);
        struct walk walk = {
            .drift = canary_bad * canary_step + baseline_bad * baseline_step,
            .variance = canary_bad * canary_step * canary_step +
                        baseline_bad * baseline_step * baseline_step,
            .bound = eprocess_bound(alpha, processes) - log_weight[i],
        };
        best = fmin(best, minutes_of(&walk, power));
    }
    return best;
}

double eprocess_minutes(double ratio, double tolerance, double alpha, unsigned processes,
                        double bad_per_minute, double canary_share)
{
    return live_minutes(-1, ratio, tolerance, alpha, processes, bad_per_minute, canary_share);
}

double eprocess_minutes_at(double power, double ratio, double tolerance, double alpha,
                           unsigned processes, double bad_per_minute, double canary_share)
{
    return live_minutes(power, ratio, tolerance, alpha, processes, bad_per_minute, canary_share);
}

double eprocess_minutes_fixed(double power, double ratio, double headroom, double alpha,
                              unsigned processes, double good_bad_per_minute)
{
    if (!(ratio > 0) || !(headroom > 0) || !(good_bad_per_minute > 0))
        return INFINITY;
    double bad = good_bad_per_minute * ratio;
    double best = INFINITY;
    for (int i = 0; i < EPROCESS_RATIOS; i++) {
        double r = eprocess_ratio[i];
        struct walk walk = {
            .drift = bad * log_ratio[i] - (r - 1) * headroom * good_bad_per_minute,
            .variance = bad * log_ratio[i] * log_ratio[i],
            .bound = eprocess_bound(alpha, processes) - log_weight[i],
        };
        best = fmin(best, minutes_of(&walk, power));
    }
    return best;
}
