// One watch by the way its metric is judged: what a sample adds to it, whether it says abort, what
// it lacks to let a step pass, and where it stands in words. The arithmetic is gate/judge's.
#include "deploy/engine/turn.h"
#include "gate/judge/mann_whitney.h"

#include <math.h>
#include <stdio.h>

// ---- rates --------------------------------------------------------------------------------------

// The rate that the baseline had at most, with room for tolerance; 0 when nothing says.
static double reference_rate(const struct plan *plan, const struct plan_metric *metric,
                             const struct watch_state *watch)
{
    if (watch->baseline_total > 0) {
        double most = eprocess_most(watch->baseline_bad, watch->phi);
        double rate = plan->tolerance * most / watch->baseline_total;
        if (rate < 1)
            return rate;
    }
    return metric->max > 0 ? metric->max : 0;
}

// Whether all of the target's traffic is meant to be on the release: what is then still counted
// for a baseline is leftovers, and too little to compare with.
static bool no_baseline_left(const struct turn *turn, uint32_t target)
{
    const struct target_state *state = &turn->state->targets[target];
    return state->settled && state->share_ppm == SHARE_ALL &&
           turn->event->sample.from_ms >= turn->state->bake_from_ms;
}

// What counts are divided by is known before they are looked at: the baseline of this interval
// counts from the next one on.
static bool add_rate(struct turn *turn, const struct plan_metric *metric, uint32_t target,
                     struct watch_state *watch, bool of_step)
{
    const struct counts *counts = &turn->event->sample.counts;
    if (!turn->event->sample.has_value)
        return false;
    watch->phi = plan_phi(metric, turn->event->nth, &watch->dispersion);
    double reference = reference_rate(turn->plan, metric, watch);
    bool live = counts->baseline_total > 0 && !(reference > 0 && no_baseline_left(turn, target));
    if (!live) {
        if (!eprocess_add_fixed(&watch->process, reference, counts->canary_bad,
                                counts->canary_total, watch->phi))
            return false;
    } else {
        if (!eprocess_add(&watch->process, turn->plan->tolerance, *counts, watch->phi))
            return false;
        watch->baseline_bad += counts->baseline_bad;
        watch->baseline_total += counts->baseline_total;
        (void)dispersion_add(&watch->dispersion, counts->baseline_bad, counts->baseline_total);
    }
    if (of_step) {
        watch->step_exposure += counts->canary_total;
        watch->step_baseline += counts->baseline_total;
    }
    return true;
}

// ---- gauges -------------------------------------------------------------------------------------

static struct threshold limit_of(const struct plan_metric *metric)
{
    return (struct threshold){metric->max, metric->failure_limit, metric->error_limit,
                              metric->inconclusive_limit};
}

static bool add_value(struct turn *turn, const struct plan_metric *metric,
                      struct watch_state *watch, bool of_step)
{
    const struct rollout_sample *sample = &turn->event->sample;
    struct threshold limit = limit_of(metric);
    uint32_t measured = watch->threshold.measured;
    bool has_value = sample->has_value && !isnan(sample->value);
    threshold_add(&limit, &watch->threshold, has_value, sample->value);
    if (!of_step)
        watch->threshold.measured = measured;
    return has_value;
}

static bool add_pair(struct turn *turn, const struct plan_metric *metric, uint32_t target,
                     struct watch_state *watch, bool of_step)
{
    const struct rollout_sample *sample = &turn->event->sample;
    bool alone = no_baseline_left(turn, target);
    if (!sample->has_value || !isfinite(sample->value) || (!alone && !isfinite(sample->baseline)))
        return false;
    if (!of_step) // the release is only just coming up
        return true;
    (void)compare_add_canary(&watch->series, sample->value);
    if (!alone)
        (void)compare_add_baseline(&watch->series, sample->baseline);
    if (compare_due(&watch->series)) {
        struct compare rule = plan_compare(turn->plan, metric);
        double level = compare_level(&rule, &watch->series, false);
        watch->worse = compare_verdict(&rule, &watch->series, level) == JUDGED_ABORT;
    }
    return true;
}

static bool add_burn(struct turn *turn, const struct plan_metric *metric, struct watch_state *watch,
                     bool of_step)
{
    double burns[BURN_PAIRS];
    if (!turn->event->sample.has_value)
        return false;
    enum verdict3 verdict =
        burn_rate_verdict(metric->budget, metric->min_requests, turn->event->sample.burn, burns);
    watch->worse = verdict == JUDGED_ABORT;
    if (verdict != JUDGED_INCONCLUSIVE && of_step && watch->threshold.measured < UINT32_MAX)
        watch->threshold.measured++;
    return verdict != JUDGED_INCONCLUSIVE;
}

bool watch_add(struct turn *turn, const struct plan_metric *metric, struct watch_state *watch,
               bool of_step)
{
    uint32_t target = metric->targets[turn->event->nth];
    uint32_t errors = watch->threshold.errors;
    bool answered = false;
    switch (metric->judge) {
    case JUDGE_RATE:
        answered = add_rate(turn, metric, target, watch, of_step);
        break;
    case JUDGE_THRESHOLD:
        answered = add_value(turn, metric, watch, of_step);
        break;
    case JUDGE_COMPARE:
        answered = add_pair(turn, metric, target, watch, of_step);
        break;
    case JUDGE_BURN:
        answered = add_burn(turn, metric, watch, of_step);
        break;
    }
    bool counts = !answered && of_step && errors < UINT32_MAX;
    watch->threshold.errors = counts ? errors + 1 : errors;
    return answered;
}

// ---- what it says -------------------------------------------------------------------------------

bool watch_breached(const struct turn *turn, const struct plan_metric *metric,
                    const struct watch_state *watch)
{
    struct threshold limit = limit_of(metric);
    switch (metric->judge) {
    case JUDGE_RATE:
        return eprocess_log(&watch->process) >=
               eprocess_bound(plan_alpha(turn->plan), plan_processes(turn->plan));
    case JUDGE_THRESHOLD:
        return threshold_verdict(&limit, &watch->threshold, 0) == JUDGED_ABORT;
    case JUDGE_COMPARE:
    case JUDGE_BURN:
        return watch->worse;
    }
    return false;
}

static const char *too_little(const struct plan_metric *metric, const struct watch_state *watch)
{
    struct threshold limit = limit_of(metric);
    switch (metric->judge) {
    case JUDGE_RATE:
        if (watch->step_exposure < metric->min_requests || !(watch->step_exposure > 0))
            return "saw too few requests";
        break;
    case JUDGE_THRESHOLD:
        if (threshold_verdict(&limit, &watch->threshold, 1) != JUDGED_PASS)
            return "was not measured";
        break;
    case JUDGE_COMPARE:
        if (watch->series.canary_count < COMPARE_LEAST)
            return "has too few values of the release to compare";
        if (watch->series.baseline_count < COMPARE_LEAST)
            return "has too few values of the baseline to compare with";
        break;
    case JUDGE_BURN:
        if (watch->threshold.measured == 0)
            return "was not measured";
        break;
    }
    return NULL;
}

const char *watch_lacking(const struct turn *turn, const struct plan_metric *metric,
                          const struct watch_state *watch, bool *ret_late)
{
    int64_t told_until_ms = turn->state->bake_until_ms - metric->lag_ms;
    *ret_late = watch->newest_ms < told_until_ms;
    const char *final = NULL; // no reading to come mends these
    if (watch->blind_in_row > metric->error_limit)
        final = "gives no usable answer";
    else if (metric->inconclusive_limit > 0 && watch->threshold.errors > metric->inconclusive_limit)
        final = "gave no usable answer too often";
    else if (watch_breached(turn, metric, watch)) // a person let it go on all the same
        final = "is worse than it may be";
    if (final) {
        *ret_late = false;
        return final;
    }
    const char *little = too_little(metric, watch);
    if (little)
        return little;
    if (watch->newest_ms < told_until_ms - metric->every_ms)
        return "has no figures of the bake's end";
    return NULL;
}

bool watch_ends_worse(const struct turn *turn, const struct plan_metric *metric,
                      struct watch_state *watch)
{
    struct compare rule = plan_compare(turn->plan, metric);
    if (metric->judge != JUDGE_COMPARE)
        return false;
    double level = compare_level(&rule, &watch->series, true);
    watch->worse = compare_verdict(&rule, &watch->series, level) == JUDGED_ABORT;
    return watch->worse;
}

// ---- in words -----------------------------------------------------------------------------------

// A count as people write it; it is a fraction where a source interpolates.
static const char *count_words(double count, char out[24])
{
    if (count >= 0 && count < 1e15 && count == floor(count))
        snprintf(out, 24, "%llu", (unsigned long long)count);
    else
        snprintf(out, 24, "%.6g", count);
    return out;
}

static void rate_words(const struct turn *turn, const struct watch_state *watch, char out[192])
{
    const struct counts *have = &turn->event->sample.counts;
    char counts[4][24];
    snprintf(out, 192,
             "%s of %s bad, baseline %s of %s; log E %.3g, abort at %.3g; variance at most %.3g of "
             "the mean",
             count_words(have->canary_bad, counts[0]), count_words(have->canary_total, counts[1]),
             count_words(have->baseline_bad, counts[2]),
             count_words(have->baseline_total, counts[3]), eprocess_log(&watch->process),
             eprocess_bound(plan_alpha(turn->plan), plan_processes(turn->plan)), watch->phi);
}

static void compare_words(const struct turn *turn, const struct plan_metric *metric,
                          const struct watch_state *watch, char out[192])
{
    const struct compare_series *series = &watch->series;
    struct compare rule = plan_compare(turn->plan, metric);
    struct compare_series copy = *series; // a level that is only asked for is not spent
    struct mann_whitney test;
    double level = compare_level(&rule, &copy, true);
    if (!compare_test(series, level, &test)) {
        snprintf(out, 192, "%u values, baseline %u, of %d that are needed",
                 (unsigned)series->canary_count, (unsigned)series->baseline_count, COMPARE_LEAST);
        return;
    }
    snprintf(out, 192, "median %.4g, baseline %.4g; higher by %.3g (%.3g to %.3g), p %.2g of %.2g",
             compare_median(series->canary, series->canary_count),
             compare_median(series->baseline, series->baseline_count), test.shift, test.low,
             test.high, test.p_greater, level);
}

static void burn_words(const struct turn *turn, const struct plan_metric *metric, char out[192])
{
    double burns[BURN_PAIRS];
    char windows[BURN_PAIRS][32];
    (void)burn_rate_verdict(metric->budget, metric->min_requests, turn->event->sample.burn, burns);
    for (int i = 0; i < BURN_PAIRS; i++)
        duration_format(burn_pairs[i].long_ms, windows[i]);
    snprintf(out, 192, "burns %.3g budgets over %s, abort above %g; %.3g over %s, abort above %g",
             burns[0], windows[0], burn_pairs[0].factor, burns[1], windows[1],
             burn_pairs[1].factor);
}

void watch_words(const struct turn *turn, uint32_t metric, uint32_t nth, char out[288])
{
    const struct plan_metric *m = &turn->plan->metrics[metric];
    const struct watch_state *watch = &turn->state->watches[plan_watch(turn->plan, metric, nth)];
    str target = turn->plan->targets[m->targets[nth]].name;
    char figures[192];
    switch (m->judge) {
    case JUDGE_RATE:
        rate_words(turn, watch, figures);
        break;
    case JUDGE_THRESHOLD:
        snprintf(figures, sizeof figures, "%.6g, at most %.6g; %u above it, %u tolerated",
                 turn->event->sample.value, m->max, (unsigned)watch->threshold.bad,
                 (unsigned)m->failure_limit);
        break;
    case JUDGE_COMPARE:
        compare_words(turn, m, watch, figures);
        break;
    case JUDGE_BURN:
        burn_words(turn, m, figures);
        break;
    }
    snprintf(out, 288, STR_FMT " on " STR_FMT ": %s", STR_ARG(str_first(m->name, 40)),
             STR_ARG(str_first(target, 40)), figures);
}
