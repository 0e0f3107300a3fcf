#include "deploy/metrics/metric.h"
#include "deploy/metrics/names.h"
#include "deploy/metrics/probe_config.h"
#include "gate/base/moment.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    AT_ONCE = 4,          // requests under way to one endpoint
    AT_ONCE_ALL = 256,    // and to all of them
    URL_MAX_BYTES = 8192, // of one expanded URL
    FAILURES = 3,         // bad rounds tolerated where the configuration does not say
};

extern const struct metric_kind probe_metric;

struct metric {
    const struct probe_config *config;
    struct metric_setup setup;
};

struct asked { // one endpoint in one round
    const char *url;
    bool canary;
    int64_t left, under_way; // requests not started, started
    int64_t good, bad;
    void *jobs[AT_ONCE];
};

struct metric_reading {
    const struct metric *metric;
    struct arena arena;
    struct asked *asked;
    size_t count;
    int64_t under_way;
    struct text first_failure; // of the canary
};

static void traits(const void *value, struct metric_traits *ret)
{
    const struct probe_config *config = value;
    bool threshold = probe_is_threshold(config);
    bool has_max = config->max.den != 0;
    *ret = (struct metric_traits){
        .is_rate = !threshold,
        .every_ms = config->every_ms,
        .max = threshold ? 0
               : has_max ? (double)config->max.num / (double)config->max.den
                         : -1,
        .failure_limit = !threshold             ? 0
                         : config->max_failures ? (uint32_t)config->max_failures
                                                : FAILURES,
        .has_baseline = !probe_is_fixed(config),
        .expected_per_minute =
            (double)config->requests * (double)MS_MINUTE / (double)config->every_ms,
    };
}

static bool open(const void *config, const struct metric_setup *setup, struct metric **ret,
                 struct error *err)
{
    const struct probe_config *probe = config;
    if (!names_open(probe->url, setup->variables, err))
        return error_wrap(err, "metric %s", setup->name);
    struct metric *metric = memory_alloc(sizeof *metric);
    *metric = (struct metric){probe, *setup};
    *ret = metric;
    return true;
}

static void close(struct metric *metric)
{
    free(metric);
}

// ---- the round --------------------------------------------------------------------------------

static bool add_endpoint(struct metric_reading *reading, const struct metric_question *question,
                         const struct metric_endpoint *endpoint, struct error *err)
{
    const struct metric *metric = reading->metric;
    struct asked *asked = &reading->asked[reading->count];
    size_t count = 4;
    for (const struct exec_variable *v = endpoint->variables; v && v->name; v++)
        count++;
    struct template_value *own = ARENA_ARRAY(&reading->arena, struct template_value, count + 1);
    own[0] = (struct template_value){"host", endpoint->host};
    own[1] = (struct template_value){"target", question->target};
    own[2] = (struct template_value){"revision", question->revision};
    own[3] = (struct template_value){"baseline", question->baseline};
    count = 4;
    for (const struct exec_variable *v = endpoint->variables; v && v->name; v++)
        own[count++] = (struct template_value){v->name, v->value};
    struct text url = text_of(URL_MAX_BYTES);
    bool ok = template_expand(metric->config->url,
                              names_join(&reading->arena, metric->setup.variables, own),
                              TEMPLATE_URL, &url, err);
    if (ok) {
        *asked = (struct asked){.url = arena_copy(&reading->arena, text_str(&url)),
                                .canary = endpoint->canary,
                                .left = metric->config->requests};
        reading->count++;
    } else {
        (void)error_wrap(err, "the URL of host " STR_FMT, STR_ARG(endpoint->host));
    }
    text_done(&url);
    return ok;
}

static void drop(struct metric_reading *reading)
{
    const struct http_port *http = reading->metric->setup.http;
    for (size_t i = 0; i < reading->count; i++)
        for (size_t n = 0; n < AT_ONCE; n++)
            if (reading->asked[i].jobs[n])
                http->drop(http->self, reading->asked[i].jobs[n]);
    text_done(&reading->first_failure);
    arena_done(&reading->arena);
    free(reading);
}

static bool start(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err)
{
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    *reading = (struct metric_reading){.metric = metric, .first_failure = text_of(512)};
    static const struct metric_endpoint front = {.canary = true};
    bool fixed = probe_is_fixed(metric->config); // one URL for all: asked once, not for each host
    const struct metric_endpoint *endpoints = fixed ? &front : question->endpoints;
    size_t count = fixed ? 1 : question->endpoint_count;
    reading->asked = ARENA_ARRAY(&reading->arena, struct asked, count);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_endpoint(reading, question, &endpoints[i], err);
    if (!ok) {
        drop(reading);
        return false;
    }
    *ret = reading;
    return true;
}

static void judge(struct metric_reading *reading, struct asked *asked,
                  const struct http_answer *answer, const char *failure)
{
    const struct probe_config *config = reading->metric->config;
    char why[256] = "";
    if (failure)
        (void)snprintf(why, sizeof why, "%.200s", failure);
    else if (!probe_expects(config, answer->status))
        (void)snprintf(why, sizeof why, "status %ld", answer->status);
    else if (config->contains.len && str_search(answer->body, config->contains) == STR_NONE)
        (void)snprintf(why, sizeof why, "the answer does not hold the words of `contains`");
    else if (config->max_latency_ms && answer->took_ms > config->max_latency_ms)
        (void)snprintf(why, sizeof why, "took %lld ms", (long long)answer->took_ms);
    if (!why[0]) {
        asked->good++;
        return;
    }
    asked->bad++;
    if (asked->canary && !reading->first_failure.len)
        text_addf(&reading->first_failure, "%s%s%.200s", failure ? "" : asked->url,
                  failure ? "" : ": ", why);
}

// Starts or polls one of the places of an endpoint. False when the fault is this machine's own and
// says nothing about the release.
static bool turn(struct metric_reading *reading, struct asked *asked, void **job, struct error *err)
{
    const struct http_port *http = reading->metric->setup.http;
    struct http_answer answer;
    struct http_request request = {.method = "GET",
                                   .url = asked->url,
                                   .timeout_ms = reading->metric->config->timeout_ms,
                                   .fresh_connection = true};
    if (!*job && asked->left > 0 && reading->under_way < AT_ONCE_ALL) {
        if (!http->start(http->self, &request, job, err))
            return false;
        asked->left--;
        asked->under_way++;
        reading->under_way++;
    }
    if (!*job)
        return true;
    enum progress progress = http->poll(http->self, *job, &answer, err);
    if (progress == PROGRESS_PENDING)
        return true;
    bool own_fault = progress == PROGRESS_FAILED && err->kind == ERROR_SYSTEM;
    if (!own_fault)
        judge(reading, asked, &answer, progress == PROGRESS_FAILED ? err->message : NULL);
    http->drop(http->self, *job);
    *job = NULL;
    asked->under_way--;
    reading->under_way--;
    return !own_fault;
}

static void sum_up(const struct metric_reading *reading, struct arena *arena,
                   struct metric_sample *ret)
{
    struct metric_sample sample = {0};
    for (size_t i = 0; i < reading->count; i++) {
        const struct asked *asked = &reading->asked[i];
        double all = (double)(asked->good + asked->bad), bad = (double)asked->bad;
        *(asked->canary ? &sample.counts.canary_total : &sample.counts.baseline_total) += all;
        *(asked->canary ? &sample.counts.canary_bad : &sample.counts.baseline_bad) += bad;
    }
    sample.value = sample.counts.canary_bad;
    sample.has_value = probe_is_threshold(reading->metric->config) ? sample.counts.canary_total > 0
                                                                   : reading->count > 0;
    if (reading->first_failure.len)
        sample.why =
            arena_format(arena, "%.0f of %.0f requests failed, first %s", sample.counts.canary_bad,
                         sample.counts.canary_total, text_c(&reading->first_failure))
                .data;
    else if (!sample.has_value)
        sample.why = reading->count ? "no host serves the release yet"
                                    : "the target names no host that could be asked";
    *ret = sample;
}

// Every place of every endpoint once; *ret: something is left to do.
static bool turn_all(struct metric_reading *reading, bool *ret, struct error *err)
{
    bool pending = false;
    for (size_t i = 0; i < reading->count; i++) {
        struct asked *asked = &reading->asked[i];
        for (size_t n = 0; n < AT_ONCE; n++)
            if (!turn(reading, asked, &asked->jobs[n], err))
                return false;
        pending = pending || asked->left > 0 || asked->under_way > 0;
    }
    *ret = pending;
    return true;
}

static enum progress poll(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err)
{
    bool pending = false;
    do { // nobody wakes a reading that has nothing under way
        struct error fault;
        if (!turn_all(reading, &pending, &fault)) {
            *err = fault;
            return PROGRESS_FAILED;
        }
    } while (pending && reading->under_way == 0);
    if (pending)
        return PROGRESS_PENDING;
    sum_up(reading, arena, ret);
    return PROGRESS_DONE;
}

const struct metric_kind probe_metric = {
    .name = "probe",
    .own = true,
    .shape = &probe_shape,
    .traits = traits,
    .open = open,
    .start = start,
    .poll = poll,
    .drop = drop,
    .close = close,
};
