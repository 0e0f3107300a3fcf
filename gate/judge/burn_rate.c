#include "gate/judge/burn_rate.h"

#include "gate/base/moment.h"

#include <math.h>

const struct burn_pair burn_pairs[BURN_PAIRS] = {
    {MS_HOUR, 5 * MS_MINUTE, 14.4},
    {6 * MS_HOUR, 30 * MS_MINUTE, 6},
};

int64_t burn_window_ms(int index)
{
    const struct burn_pair *pair = &burn_pairs[index / 2];
    return index % 2 ? pair->short_ms : pair->long_ms;
}

// In budgets; NaN when the counts say nothing.
static double burn_of(const struct burn_counts *counts, double budget, double least)
{
    if (!(counts->total > 0) || !isfinite(counts->total) || !(counts->total >= least) ||
        !(counts->bad >= 0) || counts->bad > counts->total)
        return NAN;
    return counts->bad / counts->total / budget;
}

enum verdict3 burn_rate_verdict(double budget, double least,
                                const struct burn_counts counts[BURN_WINDOWS],
                                double ret_burns[BURN_PAIRS])
{
    enum verdict3 verdict = JUDGED_PASS;
    bool fast = false;
    bool sane = budget > 0 && budget < 1;
    for (int i = 0; i < BURN_PAIRS; i++) {
        const struct burn_counts *pair = &counts[(size_t)i * 2];
        double over_long = burn_of(&pair[0], budget, least);
        double over_short = burn_of(&pair[1], budget, 0);
        bool known = sane && !isnan(over_long) && !isnan(over_short);
        ret_burns[i] = known ? fmin(over_long, over_short) : NAN;
        if (!known)
            verdict = JUDGED_INCONCLUSIVE;
        else if (ret_burns[i] > burn_pairs[i].factor)
            fast = true;
    }
    return fast ? JUDGED_ABORT : verdict;
}
