// Samples as they arrive: each is judged at once, in every phase in which the release may have
// traffic.
#include "deploy/engine/turn.h"

#include <math.h>
#include <stdio.h>

#define CLOCK_SLACK_MS MS_SECOND // an interval may end this much after now

bool rollout_watching(const struct rollout_state *state)
{
    switch (state->phase) {
    case PHASE_WAITING:
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_HELD:
        return state->out && !state->fenced;
    case PHASE_NEW:
    case PHASE_PREPARING:
    case PHASE_REVERTING:
    case PHASE_STUCK:
    case PHASE_DONE:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        break;
    }
    return false;
}

void judge_new_step(struct turn *turn)
{
    for (uint32_t i = 0; i < plan_watch_count(turn->plan); i++) {
        struct watch_state *watch = &turn->state->watches[i];
        watch->step_exposure = watch->step_baseline = 0;
        watch->threshold.measured = 0;
        watch->blind_in_row = 0;
    }
}

// The rate that the baseline had at most, with room for tolerance; 0 when nothing says. Three
// standard deviations and three events above what was counted: an upper bound also for small
// counts.
static double reference_rate(const struct plan *plan, const struct plan_metric *metric,
                             const struct watch_state *watch)
{
    if (watch->baseline_total > 0) {
        double most = watch->baseline_bad + 3 * sqrt(watch->baseline_bad) + 3;
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

static bool add_rate(struct turn *turn, const struct plan_metric *metric, uint32_t target,
                     struct watch_state *watch)
{
    const struct counts *counts = &turn->event->sample.counts;
    double reference = reference_rate(turn->plan, metric, watch);
    bool live = counts->baseline_total > 0 && !(reference > 0 && no_baseline_left(turn, target));
    if (!live)
        return eprocess_add_fixed(&watch->process, reference, counts->canary_bad,
                                  counts->canary_total, 1.0);
    if (!eprocess_add(&watch->process, turn->plan->tolerance, *counts, 1.0))
        return false;
    watch->baseline_bad += counts->baseline_bad;
    watch->baseline_total += counts->baseline_total;
    return true;
}

static struct threshold limit_of(const struct plan_metric *metric)
{
    return (struct threshold){metric->max, metric->failure_limit, metric->error_limit};
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

// A count as people write it; it is a fraction where a source interpolates.
static const char *count_words(double count, char out[24])
{
    if (count >= 0 && count < 1e15 && count == floor(count))
        snprintf(out, 24, "%llu", (unsigned long long)count);
    else
        snprintf(out, 24, "%.6g", count);
    return out;
}

// Where a watch stands, for the record: "errors on web: 3 of 1200 bad, 12 of 22000 before; …".
static void watch_words(const struct turn *turn, uint32_t metric, uint32_t nth, char out[200])
{
    const struct plan_metric *m = &turn->plan->metrics[metric];
    const struct watch_state *watch = &turn->state->watches[plan_watch(turn->plan, metric, nth)];
    const struct rollout_sample *sample = &turn->event->sample;
    str target = turn->plan->targets[m->targets[nth]].name;
    if (m->judge == JUDGE_THRESHOLD) {
        snprintf(out, 200, STR_FMT " on " STR_FMT ": %.6g, at most %.6g; %u above it, %u tolerated",
                 STR_ARG(m->name), STR_ARG(target), sample->value, m->max,
                 (unsigned)watch->threshold.bad, (unsigned)m->failure_limit);
        return;
    }
    char counts[4][24];
    snprintf(out, 200,
             STR_FMT " on " STR_FMT ": %s of %s bad, baseline %s of %s; log E %.3g, abort at %.3g",
             STR_ARG(m->name), STR_ARG(target), count_words(sample->counts.canary_bad, counts[0]),
             count_words(sample->counts.canary_total, counts[1]),
             count_words(sample->counts.baseline_bad, counts[2]),
             count_words(sample->counts.baseline_total, counts[3]), eprocess_log(&watch->process),
             eprocess_bound(plan_alpha(turn->plan), plan_processes(turn->plan)));
}

static bool breached(const struct turn *turn, const struct plan_metric *metric,
                     const struct watch_state *watch)
{
    if (metric->judge == JUDGE_RATE)
        return eprocess_log(&watch->process) >=
               eprocess_bound(plan_alpha(turn->plan), plan_processes(turn->plan));
    struct threshold limit = limit_of(metric);
    return threshold_verdict(&limit, &watch->threshold, 0) == JUDGED_ABORT;
}

// Old, overlapping or from a time that has not come: says nothing, and is no sign of blindness
// either.
static bool is_news(const struct turn *turn, const struct watch_state *watch)
{
    const struct rollout_sample *sample = &turn->event->sample;
    return sample->to_ms > sample->from_ms && sample->from_ms >= watch->newest_ms &&
           sample->to_ms <= turn->now_ms + CLOCK_SLACK_MS;
}

void judge_sample(struct turn *turn)
{
    const struct rollout_event *event = turn->event;
    struct rollout_state *state = turn->state;
    if (!rollout_watching(state) || event->metric >= turn->plan->metric_count ||
        event->nth >= turn->plan->metrics[event->metric].target_count)
        return;
    const struct plan_metric *metric = &turn->plan->metrics[event->metric];
    uint32_t target = metric->targets[event->nth];
    struct watch_state *watch = &state->watches[plan_watch(turn->plan, event->metric, event->nth)];
    if (!is_news(turn, watch))
        return;
    bool of_step = event->sample.from_ms >= state->bake_from_ms;
    bool answered = metric->judge == JUDGE_RATE
                        ? event->sample.has_value && add_rate(turn, metric, target, watch)
                        : add_value(turn, metric, watch, of_step);
    if (!answered) {
        if (watch->blind_in_row < UINT32_MAX)
            watch->blind_in_row++;
        bake_go_on(turn);
        return;
    }
    watch->blind_in_row = 0;
    watch->newest_ms = event->sample.to_ms;
    if (of_step && metric->judge == JUDGE_RATE) {
        watch->step_exposure += event->sample.counts.canary_total;
        watch->step_baseline += event->sample.counts.baseline_total;
    }
    if (breached(turn, metric, watch)) {
        char words[200];
        watch_words(turn, event->metric, event->nth, words);
        turn_why(turn, "%s", words);
        revert_breach(turn, event->metric, true);
        return;
    }
    if (state->judged_ms == 0 || turn->now_ms - state->judged_ms >= JUDGED_EVERY_MS) {
        char words[200];
        watch_words(turn, event->metric, event->nth, words);
        struct rollout_command *command = turn_record(turn, RECORD_SAMPLE_JUDGED, "%s", words);
        command->metric = event->metric;
        command->target = target;
        state->judged_ms = turn->now_ms;
    }
    bake_go_on(turn);
}

// ---- the verdict on a step ----------------------------------------------------------------------

// What keeps a watch from letting the step pass; null when nothing does. *ret_late: its next
// reading may mend that, for it tells of moments of the bake that none told of yet.
static const char *lacking(const struct turn *turn, const struct plan_metric *metric,
                           const struct watch_state *watch, bool *ret_late)
{
    struct threshold limit = limit_of(metric);
    bool rate = metric->judge == JUDGE_RATE;
    int64_t told_until_ms = turn->state->bake_until_ms - metric->lag_ms;
    *ret_late = watch->newest_ms < told_until_ms;
    if (watch->blind_in_row > metric->error_limit) {
        *ret_late = false;
        return "gives no usable answer";
    }
    if (rate && (watch->step_exposure < metric->min_requests || !(watch->step_exposure > 0)))
        return "saw too few requests";
    if (!rate && threshold_verdict(&limit, &watch->threshold, 1) != JUDGED_PASS)
        return "was not measured";
    if (watch->newest_ms < told_until_ms - metric->every_ms)
        return "has no figures of the bake's end";
    return NULL;
}

bool judge_step(const struct turn *turn, char why[200], bool *ret_late)
{
    bool passes = true;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            bool late;
            const char *reason =
                lacking(turn, metric, &turn->state->watches[plan_watch(turn->plan, m, n)], &late);
            if (!reason || (!passes && late))
                continue;
            passes = false;
            *ret_late = late;
            snprintf(why, 200, "metric " STR_FMT " %s on target " STR_FMT, STR_ARG(metric->name),
                     reason, STR_ARG(turn->plan->targets[metric->targets[n]].name));
            if (!late)
                return false;
        }
    }
    return passes;
}

bool judge_ratio(const struct turn *turn, char why[200])
{
    double alpha = plan_ratio_alpha(turn->plan);
    if (!(alpha > 0))
        return false;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            uint32_t target = metric->targets[n];
            uint32_t share = turn->state->targets[target].share_ppm;
            const struct watch_state *watch = &turn->state->watches[plan_watch(turn->plan, m, n)];
            if (metric->judge != JUDGE_RATE || !turn->plan->targets[target].weighted ||
                share == SHARE_ALL || !(watch->step_baseline > 0) ||
                share_mismatch_p(watch->step_exposure, watch->step_baseline, share / 1e6) >= alpha)
                continue;
            char words[24];
            snprintf(why, 200,
                     "sample ratio: metric " STR_FMT
                     " saw %.6g requests of %.6g on the release where "
                     "target " STR_FMT " was to send it %s",
                     STR_ARG(metric->name), watch->step_exposure,
                     watch->step_exposure + watch->step_baseline,
                     STR_ARG(turn->plan->targets[target].name), share_words(share, words));
            return true;
        }
    }
    return false;
}
