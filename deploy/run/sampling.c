// Reads every metric for every target that it watches, one interval after another, while the engine
// wants samples. An interval is read once its figures have settled (`lag`); intervals never overlap.
#include "deploy/run/driver_parts.h"

void sampling_open(struct driver *driver)
{
    const struct plan *plan = driver->plan;
    driver->samplings = ARENA_ARRAY(&driver->arena, struct sampling, plan_watch_count(plan));
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
            driver->samplings[driver->sampling_count++] = (struct sampling){
                .metric = m, .nth = n, .target = plan->metrics[m].targets[n]};
}

static void drop(struct driver *driver, struct sampling *sampling)
{
    if (sampling->reading)
        driver->setup.metrics[sampling->metric].kind->drop(sampling->reading);
    sampling->reading = NULL;
}

static void feed(struct driver *driver, struct sampling *sampling,
                 const struct metric_sample *sample)
{
    struct run_news news = {.type = NEWS_SAMPLE,
                            .plan = driver->plan,
                            .state = driver->state,
                            .sample = sample,
                            .target = sampling->target,
                            .metric = sampling->metric,
                            .text = sample->why,
                            .now_ms = driver_now(driver)};
    driver->setup.observer.tell(driver->setup.observer.self, &news);
    driver_event(driver, &(struct rollout_event){
                             .type = RE_SAMPLE,
                             .target = sampling->target,
                             .metric = sampling->metric,
                             .nth = sampling->nth,
                             .sample = {.has_value = sample->has_value,
                                        .counts = sample->counts,
                                        .value = sample->value,
                                        .from_ms = sampling->from_ms,
                                        .to_ms = sampling->to_ms},
                             .text = str_of(sample->why),
                         });
}

static void next_interval(struct driver *driver, struct sampling *sampling)
{
    sampling->from_ms = sampling->to_ms;
    sampling->next_ms = sampling->from_ms + driver->plan->metrics[sampling->metric].every_ms +
                        driver->plan->metrics[sampling->metric].lag_ms;
}

static void start(struct driver *driver, struct sampling *sampling, int64_t now_ms)
{
    const struct plan_metric *metric = &driver->plan->metrics[sampling->metric];
    const struct run_metric *run = &driver->setup.metrics[sampling->metric];
    const struct endpoints *endpoints = &driver->endpoints[sampling->target];
    sampling->to_ms = now_ms - metric->lag_ms;
    struct metric_question question = {
        .target = driver->plan->targets[sampling->target].name,
        .revision = driver->placements[sampling->target].revision,
        .baseline = driver->plan->targets[sampling->target].good.revision,
        .endpoints = endpoints->items,
        .endpoint_count = endpoints->count,
        .from_ms = sampling->from_ms,
        .to_ms = sampling->to_ms,
    };
    struct error err;
    if (!run->kind->start(run->metric, &question, &sampling->reading, &err)) {
        sampling->reading = NULL;
        struct metric_sample none = {.why = err.message};
        feed(driver, sampling, &none);
        next_interval(driver, sampling);
    }
}

static void poll(struct driver *driver, struct sampling *sampling)
{
    struct arena arena = {0};
    struct metric_sample sample = {0};
    struct error err;
    const struct metric_kind *kind = driver->setup.metrics[sampling->metric].kind;
    enum progress progress = kind->poll(sampling->reading, &arena, &sample, &err);
    if (progress != PROGRESS_PENDING) {
        if (progress == PROGRESS_FAILED)
            sample = (struct metric_sample){.why = err.message};
        feed(driver, sampling, &sample);
        drop(driver, sampling);
        next_interval(driver, sampling);
    }
    arena_done(&arena);
}

void sampling_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    bool watching = rollout_watching(driver->state);
    for (uint32_t i = 0; i < driver->sampling_count; i++) {
        struct sampling *sampling = &driver->samplings[i];
        if (!watching) {
            drop(driver, sampling);
            sampling->from_ms = 0;
            continue;
        }
        if (sampling->from_ms == 0 || now_ms < sampling->from_ms) { // begins, or the clock went back
            drop(driver, sampling);
            sampling->to_ms = now_ms;
            next_interval(driver, sampling);
        }
        if (!sampling->reading && now_ms >= sampling->next_ms)
            start(driver, sampling, now_ms);
        if (sampling->reading)
            poll(driver, sampling);
        if (!sampling->reading && sampling->next_ms < *wake_ms)
            *wake_ms = sampling->next_ms;
    }
}

void sampling_done(struct driver *driver)
{
    for (uint32_t i = 0; i < driver->sampling_count; i++)
        drop(driver, &driver->samplings[i]);
}
