// Reads every metric for every target that it watches, one interval after another, while the engine
// wants samples. An interval is read once its figures have settled (`lag`); intervals never
// overlap, and none reaches over the moment at which a bake began, so that each belongs to one
// step.
//
// While a target is being changed nothing is asked about it: a host that is being restarted does
// not answer, and that says nothing about the release. Its interval stays open and is read
// afterwards, when it is known again which host serves what. What could not be read becomes part of
// the next interval, so that no figure is lost; but for what ends where a bake began: the release
// had no traffic before, and a source that has no series of that time never will.
//
// A new process goes on where the last one ended, if the source can still tell of that time.
//
// A source that asks to be left alone (Retry-After) is, for a while: without figures no step
// passes.
#include "deploy/run/driver_parts.h"
#include "gate/base/moment.h"

enum { PAUSE_MOST_MS = 300000 };
#define LOOK_BACK_MS (6 * MS_HOUR) // as far as a new process asks at most

void sampling_open(struct driver *driver)
{
    const struct plan *plan = driver->plan;
    driver->samplings = ARENA_ARRAY(&driver->arena, struct sampling, plan_watch_count(plan));
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
            driver->samplings[driver->sampling_count++] =
                (struct sampling){.metric = m, .nth = n, .target = plan->metrics[m].targets[n]};
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
    struct rollout_sample read = {.has_value = sample->has_value,
                                  .counts = sample->counts,
                                  .value = sample->value,
                                  .baseline = sample->baseline,
                                  .from_ms = sampling->from_ms,
                                  .to_ms = sampling->to_ms};
    memcpy(read.burn, sample->burn, sizeof read.burn);
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
                             .sample = read,
                             .text = str_of(sample->why),
                         });
}

// True when the interval that is open ends where the current bake began.
static bool ends_at_bake(const struct driver *driver, const struct sampling *sampling)
{
    return sampling->from_ms < driver->state->bake_from_ms;
}

// Once all of a target is on the release, nothing is left whose gauge could be compared: a quantile
// of no requests is no number, and that would say nothing about the release.
static bool is_alone(const struct driver *driver, const struct sampling *sampling)
{
    const struct target_state *target = &driver->state->targets[sampling->target];
    return driver->plan->metrics[sampling->metric].judge == JUDGE_COMPARE && target->settled &&
           target->share_ppm == SHARE_ALL && !ends_at_bake(driver, sampling);
}

static int64_t due_ms(const struct driver *driver, const struct sampling *sampling)
{
    const struct plan_metric *metric = &driver->plan->metrics[sampling->metric];
    int64_t end = ends_at_bake(driver, sampling) ? driver->state->bake_from_ms
                                                 : sampling->from_ms + metric->every_ms;
    int64_t due = end + metric->lag_ms;
    return due > sampling->again_ms ? due : sampling->again_ms;
}

// `failure`: why there is no value, when the source said that it may be asked again; else null.
static void judge(struct driver *driver, struct sampling *sampling,
                  const struct metric_sample *sample, const struct error *failure)
{
    int64_t now_ms = driver_now(driver);
    bool before_bake = sampling->to_ms == driver->state->bake_from_ms;
    feed(driver, sampling, sample);
    drop(driver, sampling);
    sampling->told_ms = sampling->to_ms;
    sampling->again_ms = sampling->pause_ms = 0;
    if (sample->has_value || before_bake)
        sampling->from_ms = sampling->to_ms;
    else
        sampling->pause_ms = driver->plan->metrics[sampling->metric].every_ms;
    if (failure)
        sampling->pause_ms = driver_pause(sampling->pause_ms, failure, PAUSE_MOST_MS);
    if (sampling->pause_ms)
        sampling->again_ms = now_ms + sampling->pause_ms;
}

static void start(struct driver *driver, struct sampling *sampling, int64_t now_ms)
{
    const struct plan_metric *metric = &driver->plan->metrics[sampling->metric];
    const struct run_metric *run = &driver->setup.metrics[sampling->metric];
    const struct endpoints *endpoints = &driver->endpoints[sampling->target];
    sampling->to_ms = now_ms - metric->lag_ms;
    if (ends_at_bake(driver, sampling) && driver->state->bake_from_ms < sampling->to_ms)
        sampling->to_ms = driver->state->bake_from_ms;
    struct metric_question question = {
        .target = driver->plan->targets[sampling->target].name,
        .revision = driver->placements[sampling->target].revision,
        .baseline = is_alone(driver, sampling)
                        ? (str){NULL, 0}
                        : driver->plan->targets[sampling->target].good.revision,
        .endpoints = endpoints->items,
        .endpoint_count = endpoints->count,
        .from_ms = sampling->from_ms,
        .to_ms = sampling->to_ms,
    };
    struct error err;
    if (!run->kind->start(run->metric, &question, &sampling->reading, &err)) {
        sampling->reading = NULL;
        judge(driver, sampling, &(struct metric_sample){.why = err.message}, &err);
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
        judge(driver, sampling, &sample, progress == PROGRESS_FAILED ? &err : NULL);
    }
    arena_done(&arena);
}

// Where the first interval of this process begins: while a step stands, where the newest interval
// that was judged ended, or with the step's bake.
static int64_t first_ms(const struct driver *driver, const struct sampling *sampling,
                        int64_t now_ms)
{
    const struct rollout_state *state = driver->state;
    bool stands = state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE ||
                  state->phase == PHASE_WAITING || state->phase == PHASE_HELD;
    uint32_t watch = plan_watch(driver->plan, sampling->metric, sampling->nth);
    int64_t from_ms = state->watches[watch].newest_ms;
    if (!stands || sampling->told_ms || driver->setup.metrics[sampling->metric].kind->own)
        return now_ms;
    if (from_ms < state->bake_from_ms)
        from_ms = state->bake_from_ms;
    if (from_ms < now_ms - LOOK_BACK_MS)
        from_ms = now_ms - LOOK_BACK_MS;
    return from_ms < now_ms ? from_ms : now_ms;
}

static void turn_one(struct driver *driver, struct sampling *sampling, int64_t now_ms,
                     int64_t *wake_ms)
{
    if (sampling->from_ms == 0 || now_ms < sampling->from_ms) { // begins, or the clock went back
        drop(driver, sampling);
        sampling->from_ms = first_ms(driver, sampling, now_ms);
        sampling->again_ms = 0;
    }
    if (sampling->again_ms > now_ms + sampling->pause_ms)
        sampling->again_ms = now_ms + sampling->pause_ms;
    bool moving = driver->commands[sampling->target].verb != VERB_NONE;
    if (moving || !driver->endpoints[sampling->target].known) {
        drop(driver, sampling);
        return; // what ends this wakes the driver
    }
    if (!sampling->reading && now_ms >= due_ms(driver, sampling))
        start(driver, sampling, now_ms);
    if (sampling->reading)
        poll(driver, sampling);
    const struct metric_kind *kind = driver->setup.metrics[sampling->metric].kind;
    int64_t wake = !sampling->reading ? due_ms(driver, sampling)
                   : kind->wake_ms    ? kind->wake_ms(sampling->reading)
                                      : INT64_MAX;
    if (wake < *wake_ms)
        *wake_ms = wake;
}

void sampling_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    bool watching = rollout_watching(driver->state);
    for (uint32_t i = 0; i < driver->sampling_count; i++) {
        struct sampling *sampling = &driver->samplings[i];
        if (watching) {
            turn_one(driver, sampling, now_ms, wake_ms);
        } else {
            drop(driver, sampling);
            sampling->from_ms = 0;
        }
    }
}

bool sampling_told(const struct driver *driver)
{
    for (uint32_t i = 0; i < driver->sampling_count; i++)
        if (driver->samplings[i].told_ms <= driver->state->bake_from_ms)
            return false;
    return true;
}

void sampling_done(struct driver *driver)
{
    for (uint32_t i = 0; i < driver->sampling_count; i++)
        drop(driver, &driver->samplings[i]);
}
