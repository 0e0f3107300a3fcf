// Traffic, and the metrics that count it.
#include "world.h"

#include <math.h>

// What the windows would count if the release had always been as it is.
static void fill_burn(const struct world *world, double share, double rate,
                      struct rollout_sample *sample)
{
    for (int i = 0; i < BURN_WINDOWS; i++) {
        double all = world->per_minute * share * (double)burn_window_ms(i) / (double)MS_MINUTE;
        sample->burn[i] = (struct burn_counts){all * (rate < 1 ? rate : 1), all};
    }
}

// Scattered by a twentieth; where nothing is served, a quantile of nothing.
static double gauge(struct world *world, double value, double share)
{
    return share > 0 ? value * (0.95 + world_uniform(world) / 10) : NAN;
}

static void fill(struct world *world, const struct plan_metric *metric, uint32_t target,
                 struct rollout_sample *sample)
{
    double minutes = (double)(sample->to_ms - sample->from_ms) / (double)MS_MINUTE;
    double share = world->targets[target].served_ppm / 1e6;
    double all = world->per_minute * minutes;
    sample->has_value = !world_chance(world, world->faults.no_value);
    if (metric->judge == JUDGE_THRESHOLD) {
        sample->value = world->latency;
        return;
    }
    if (metric->judge == JUDGE_COMPARE) {
        sample->value = gauge(world, world->latency, share);
        sample->baseline = gauge(world, 300, 1 - share);
        return;
    }
    double rate = world->base_rate * world->ratio;
    if (metric->judge == JUDGE_BURN) {
        fill_burn(world, share, rate, sample);
        return;
    }
    if (world_chance(world, world->faults.no_traffic))
        return;
    struct counts *counts = &sample->counts;
    counts->canary_total = all * share;
    counts->baseline_total = all - counts->canary_total;
    counts->canary_bad =
        world_failures(world, counts->canary_total * (rate < 1 ? rate : 1), counts->canary_total);
    counts->baseline_bad =
        world_failures(world, counts->baseline_total * world->base_rate, counts->baseline_total);
}

static void sample_one(struct world *world, struct process *process, uint32_t m, uint32_t nth)
{
    const struct plan_metric *metric = &world->plans[process->kind].metrics[m];
    int64_t *from_ms = &process->sampled_ms[plan_watch(&world->plans[process->kind], m, nth)];
    int64_t now_ms = wall_ms(world, process);
    if (*from_ms == 0 || now_ms < *from_ms) { // begins, or the clock went back
        *from_ms = now_ms;
        return;
    }
    struct rollout_event event = {.type = RE_SAMPLE, .metric = m, .nth = nth};
    event.sample.from_ms = *from_ms;
    event.sample.to_ms = now_ms - metric->lag_ms;
    if (event.sample.to_ms - *from_ms < metric->every_ms)
        return;
    *from_ms = event.sample.to_ms;
    fill(world, metric, metric->targets[nth], &event.sample);
    if (world_chance(world, world->faults.gap))
        return;
    int64_t after_ms = world->outcome.bare ? 1 : world_between(world, 10, 300);
    if (world_chance(world, world->faults.late_sample))
        after_ms += world_between(world, 0, 60 * MS_SECOND);
    process_deliver(world, process->id, after_ms, &event);
    if (world_chance(world, world->faults.doubled_sample))
        process_deliver(world, process->id, after_ms + world_between(world, 0, 60 * MS_SECOND),
                        &event);
}

void samples_take(struct world *world, struct process *process)
{
    const struct plan *plan = &world->plans[process->kind];
    bool watching = rollout_watching(&process->snapshot.state);
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++) {
            if (watching)
                sample_one(world, process, m, n);
            else
                process->sampled_ms[plan_watch(plan, m, n)] = 0;
        }
    }
    world_later(world, 5 * MS_SECOND, H_SAMPLE)->process = process->id;
}
