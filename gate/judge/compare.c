#include "gate/judge/compare.h"

#include "gate/judge/mann_whitney.h"

#include <math.h>

#define PLANNED_PART 0.8 // of the error; the rest is for extra looks
#define LOOKS_OF_STEP 4  // at three counts of values, and at the end of the bake

_Static_assert(COMPARE_MOST <= MANN_WHITNEY_SMALL, "all that is kept can be compared");

static const uint32_t looks_at[] = {COMPARE_LEAST, 20, COMPARE_MOST};

static bool add(double values[COMPARE_MOST], uint32_t *count, double value)
{
    if (!isfinite(value))
        return false;
    if (*count >= COMPARE_MOST) {
        memmove(values, values + 1, (COMPARE_MOST - 1) * sizeof *values);
        *count = COMPARE_MOST - 1;
    }
    values[(*count)++] = value;
    return true;
}

bool compare_add_canary(struct compare_series *series, double value)
{
    if (!add(series->canary, &series->canary_count, value))
        return false;
    if (series->seen < UINT32_MAX)
        series->seen++;
    return true;
}

bool compare_add_baseline(struct compare_series *series, double value)
{
    return add(series->baseline, &series->baseline_count, value);
}

void compare_new_step(struct compare_series *series, bool leaves_baseline)
{
    series->canary_count = series->seen = 0;
    memset(series->canary, 0, sizeof series->canary);
    if (!leaves_baseline)
        return;
    series->baseline_count = 0;
    memset(series->baseline, 0, sizeof series->baseline);
}

bool compare_due(const struct compare_series *series)
{
    for (size_t i = 0; i < sizeof looks_at / sizeof looks_at[0]; i++)
        if (series->seen == looks_at[i])
            return true;
    return series->seen > COMPARE_MOST && series->seen % COMPARE_MOST == 0;
}

// The one-sided error of one watch in the whole stage.
static double error_of(const struct compare *rule)
{
    return (1 - rule->confidence) / 2 / (rule->watches ? rule->watches : 1);
}

static double planned_level(const struct compare *rule)
{
    double looks = (double)(rule->steps ? rule->steps : 1) * (LOOKS_OF_STEP + rule->extensions);
    return PLANNED_PART * error_of(rule) / looks;
}

double compare_level(const struct compare *rule, struct compare_series *series, bool at_end)
{
    if (at_end || series->seen <= COMPARE_MOST)
        return planned_level(rule);
    if (series->extra < UINT32_MAX)
        series->extra++;
    double n = series->extra; // 1/2 + 1/6 + 1/12 + … is 1
    return (1 - PLANNED_PART) * error_of(rule) / (n * (n + 1));
}

double compare_median(const double *values, uint32_t count)
{
    double sorted[COMPARE_MOST] = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = values[i];
    }
    double high = sorted[count / 2];
    return count % 2 ? high : sorted[count / 2 - 1] / 2 + high / 2;
}

bool compare_test(const struct compare_series *series, double level, struct mann_whitney *ret)
{
    return series->canary_count >= COMPARE_LEAST && series->baseline_count >= COMPARE_LEAST &&
           mann_whitney_small(series->canary, series->canary_count, series->baseline,
                              series->baseline_count, 1 - 2 * level, ret);
}

enum verdict3 compare_verdict(const struct compare *rule, const struct compare_series *series,
                              double level)
{
    struct mann_whitney test;
    double p;
    if (series->canary_count < COMPARE_LEAST || series->baseline_count < COMPARE_LEAST ||
        !mann_whitney_small_greater(series->canary, series->canary_count, series->baseline,
                                    series->baseline_count, &p))
        return JUDGED_INCONCLUSIVE;
    if (p > level)
        return JUDGED_PASS;
    if (!compare_test(series, level, &test))
        return JUDGED_INCONCLUSIVE;
    double median = compare_median(series->baseline, series->baseline_count);
    double fine = fmax(rule->tolerance * fabs(test.shift), (rule->max_ratio - 1) * fabs(median));
    return test.low > fine ? JUDGED_ABORT : JUDGED_PASS;
}

// All of the canary's values above all of the baseline's: no difference is larger. Its p by the
// approximation.
static double least_p(double n)
{
    return erfc((n * n / 2 - 0.5) / sqrt(n * n * (2 * n + 1) / 12) / sqrt(2)) / 2;
}

double compare_visible(const struct compare *rule, uint32_t values, double noise, double power)
{
    double level = planned_level(rule);
    uint32_t kept = values < COMPARE_MOST ? values : COMPARE_MOST;
    if (kept < COMPARE_LEAST || !isfinite(noise) || noise < 0 || least_p(kept) > level)
        return INFINITY;
    double shift = mann_whitney_visible(kept, kept, noise, level, power);
    // Shifted down by what is fine it is the same test.
    return 1 + fmax(rule->max_ratio - 1 + shift, shift / (1 - rule->tolerance));
}
