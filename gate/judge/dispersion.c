#include "gate/judge/dispersion.h"

#include <math.h>
#include <string.h>

#define PRIOR_FREEDOM 6.0               // calm degrees of freedom that are taken for seen
#define CONFIDENCE_Z 1.6448536269514722 // of the normal distribution: 95 %, one-sided
#define MOST_OF_ONE 16.0

// The value that a chi-square variable is below once in twenty times.
static double lower_quantile(double freedom)
{
    double part = 2 / (9 * freedom);
    double root = 1 - part - CONFIDENCE_Z * sqrt(part);
    return freedom * root * root * root;
}

static double expected(const struct dispersion *d)
{
    return (d->sum + PRIOR_FREEDOM) / (d->freedom + PRIOR_FREEDOM);
}

static void close_block(struct dispersion *d)
{
    double bad = 0;
    double total = 0;
    double distance = 0;
    for (int i = 0; i < DISPERSION_BLOCK; i++) {
        bad += d->bad[i];
        total += d->total[i];
    }
    for (int i = 0; bad > 0 && i < DISPERSION_BLOCK; i++) {
        double mean = bad * d->total[i] / total;
        distance += (d->bad[i] - mean) * (d->bad[i] - mean) / mean;
    }
    d->filled = 0;
    memset(d->bad, 0, sizeof d->bad);
    memset(d->total, 0, sizeof d->total);
    if (!(bad > 0)) // no failure tells nothing of how failures come
        return;
    double freedom = DISPERSION_BLOCK - 1;
    d->sum += fmin(distance, MOST_OF_ONE * freedom * fmax(1, expected(d)));
    d->freedom += freedom;
}

bool dispersion_add(struct dispersion *dispersion, double bad, double total)
{
    if (!(bad >= 0) || !(total > 0) || !isfinite(total) || bad > total)
        return false;
    if (dispersion->filled >= DISPERSION_BLOCK) // never, but where a state was made by hand
        dispersion->filled = 0;
    dispersion->bad[dispersion->filled] = bad;
    dispersion->total[dispersion->filled] = total;
    if (++dispersion->filled == DISPERSION_BLOCK)
        close_block(dispersion);
    return true;
}

void dispersion_join(struct dispersion *dispersion, const struct dispersion *other)
{
    dispersion->sum += other->sum;
    dispersion->freedom += other->freedom;
}

double dispersion_bound(const struct dispersion *dispersion)
{
    double freedom = dispersion->freedom + PRIOR_FREEDOM;
    double bound = (dispersion->sum + PRIOR_FREEDOM) / lower_quantile(freedom);
    return bound > 1 ? bound : 1;
}
