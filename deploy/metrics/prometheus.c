#include "deploy/metrics/metric.h"
#include "deploy/metrics/names.h"
#include "deploy/metrics/prometheus_answer.h"
#include "deploy/metrics/prometheus_config.h"
#include "gate/base/moment.h"

#include <math.h>
#include <stdlib.h>

enum { QUERY_MAX_BYTES = 65536 };

extern const struct metric_kind prometheus_metric;

struct metric {
    const struct prometheus_config *config;
    struct metric_setup setup;
    struct arena arena;
    const char *url, *range_url; // of the query API: a moment, and a range of them
    struct secret token;
};

enum part {
    CANARY_BAD,
    CANARY_TOTAL,
    BASELINE_BAD,
    BASELINE_TOTAL,
    GAUGE,
    BASELINE_GAUGE,
    BURN_BAD, // one for each window
    BURN_TOTAL = BURN_BAD + BURN_WINDOWS,
    PARTS = BURN_TOTAL + BURN_WINDOWS
};

static const char *const part_names[PARTS] = {
    [CANARY_BAD] = "`bad` of the release",
    [CANARY_TOTAL] = "`total` of the release",
    [BASELINE_BAD] = "`bad` of the baseline",
    [BASELINE_TOTAL] = "`total` of the baseline",
    [GAUGE] = "`query`",
    [BASELINE_GAUGE] = "`query` of the baseline",
    [BURN_BAD] = "`bad` over 1h",
    [BURN_BAD + 1] = "`bad` over 5m",
    [BURN_BAD + 2] = "`bad` over 6h",
    [BURN_BAD + 3] = "`bad` over 30m",
    [BURN_TOTAL] = "`total` over 1h",
    [BURN_TOTAL + 1] = "`total` over 5m",
    [BURN_TOTAL + 2] = "`total` over 6h",
    [BURN_TOTAL + 3] = "`total` over 30m",
};

struct metric_reading {
    const struct metric *metric;
    struct asked {
        void *job; // null once it is answered, or when this part is not asked
        bool is_asked;
        bool usable;
        const char *why; // in `arena`, when it is not usable
        struct prometheus_found found;
        double *values; // in `arena`: of a range, in place of `found`
    } asked[PARTS];
    uint32_t windows; // above 1: ranges are asked for, of so many moments
    int64_t first_ms, step_ms;
    int64_t retry_after_ms; // the longest that an answer asked for; 0 = none did
    struct arena arena;
};

static void traits(const void *value, struct metric_traits *ret)
{
    const struct prometheus_config *config = value;
    bool counts = prometheus_is_rate(config);
    bool rate = counts && !config->burn_rate;
    *ret = (struct metric_traits){
        .is_rate = rate,
        .compares = config->compare,
        .confidence = (double)config->confidence.num / (double)config->confidence.den,
        .tolerance = (double)config->tolerance.num / (double)config->tolerance.den,
        .budget = config->burn_rate
                      ? 1 - (double)config->burn_rate->slo.num / (double)config->burn_rate->slo.den
                      : 0,
        .every_ms = config->every_ms,
        .lag_ms = config->lag_ms,
        .max = config->max,
        .failure_limit = counts || config->compare ? 0 : (uint32_t)config->max_failures,
        .has_baseline = (rate && prometheus_compares(config)) || config->compare,
        .has_history = rate || config->compare,
    };
}

// ---- opening ----------------------------------------------------------------------------------

static void close(struct metric *metric)
{
    secret_done(&metric->token);
    arena_done(&metric->arena);
    free(metric);
}

static bool set_url(struct metric *metric, const struct template_value *env, struct error *err)
{
    struct text url = text_of(QUERY_MAX_BYTES);
    bool ok = template_expand(metric->config->url, env, TEMPLATE_URL, &url, err);
    str base = text_str(&url);
    while (str_ends(base, STR("/")))
        base.len--;
    metric->url = arena_format(&metric->arena, STR_FMT "/api/v1/query", STR_ARG(base)).data;
    metric->range_url =
        arena_format(&metric->arena, STR_FMT "/api/v1/query_range", STR_ARG(base)).data;
    text_done(&url);
    return ok;
}

static bool set_token(struct metric *metric, const struct template_value *env, struct error *err)
{
    struct text token = text_of(QUERY_MAX_BYTES);
    bool ok = template_expand(metric->config->token, env, TEMPLATE_PLAIN, &token, err);
    str bytes = str_trim(text_str(&token));
    if (ok && metric->config->token.len && bytes.len == 0)
        ok = error_set(err, ERROR_INPUT, "`token` is empty: the environment name it takes is");
    if (ok && bytes.len)
        secret_take(&metric->token, bytes);
    if (token.data)
        secret_wipe(token.data, token.room);
    text_done(&token);
    return ok;
}

static bool open(const void *config, const struct metric_setup *setup, struct metric **ret,
                 struct error *err)
{
    static const struct template_value none[] = {{0}};
    const struct template_value *env = setup->variables ? setup->variables : none;
    struct metric *metric = memory_alloc(sizeof *metric);
    *metric = (struct metric){.config = config, .setup = *setup};
    bool ok =
        names_open(metric->config->url, env, err) && names_open(metric->config->token, env, err) &&
        names_open(metric->config->bad, env, err) && names_open(metric->config->total, env, err) &&
        names_open(metric->config->query, env, err) && set_url(metric, env, err) &&
        set_token(metric, env, err);
    if (!ok) {
        close(metric);
        return error_wrap(err, "metric %s", setup->name);
    }
    *ret = metric;
    return true;
}

// ---- asking -----------------------------------------------------------------------------------

static void drop(struct metric_reading *reading)
{
    const struct http_port *http = reading->metric->setup.http;
    for (size_t i = 0; i < PARTS; i++)
        if (reading->asked[i].job)
            http->drop(http->self, reading->asked[i].job);
    arena_done(&reading->arena);
    free(reading);
}

static void add_moment(struct text *body, const char *key, int64_t ms)
{
    text_addf(body, "%s=%lld.%03lld&", key, (long long)(ms / 1000), (long long)(ms % 1000));
}

static void add_moments(const struct metric_reading *reading, int64_t to_ms, struct text *body)
{
    if (reading->windows <= 1) {
        add_moment(body, "time", to_ms);
        return;
    }
    add_moment(body, "start", reading->first_ms);
    add_moment(body, "end", to_ms);
    add_moment(body, "step", reading->step_ms);
}

static bool ask(struct metric_reading *reading, enum part part, str source,
                const struct metric_question *question, int64_t window_ms, str revision,
                struct error *err)
{
    const struct metric *metric = reading->metric;
    const struct http_port *http = metric->setup.http;
    char window[32];
    struct template_value own[] = {{"revision", revision},
                                   {"baseline", question->baseline},
                                   {"target", question->target},
                                   {"window", str_of(duration_format(window_ms, window))},
                                   {0}};
    struct template_value form[] = {{"query", {0}}, {0}};
    struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded", NULL},
                                    {"Accept", "application/json", NULL},
                                    {0},
                                    {0}};
    if (secret_is_set(&metric->token))
        headers[2] = (struct http_header){"Authorization", "Bearer ", &metric->token};
    struct text query = text_of(QUERY_MAX_BYTES), body = text_of((size_t)4 * QUERY_MAX_BYTES);
    bool ok = template_expand(source, names_join(&reading->arena, metric->setup.variables, own),
                              TEMPLATE_PROMQL, &query, err);
    form[0].value = text_str(&query);
    add_moments(reading, question->to_ms, &body);
    text_adds(&body, "query=");
    ok = ok && template_expand(STR("${query}"), form, TEMPLATE_URL, &body, err);
    struct http_request request = {.method = "POST",
                                   .url = reading->windows > 1 ? metric->range_url : metric->url,
                                   .headers = headers,
                                   .body = text_str(&body),
                                   .timeout_ms = metric->config->timeout_ms};
    ok = ok && http->start(http->self, &request, &reading->asked[part].job, err);
    reading->asked[part].is_asked = ok;
    text_done(&query);
    text_done(&body);
    return ok || error_wrap(err, "%s", part_names[part]);
}

static bool ask_burn(struct metric_reading *reading, const struct metric_question *question,
                     struct error *err)
{
    const struct prometheus_config *config = reading->metric->config;
    for (int i = 0; i < BURN_WINDOWS; i++)
        if (!ask(reading, (enum part)(BURN_BAD + i), config->bad, question, burn_window_ms(i),
                 question->revision, err) ||
            !ask(reading, (enum part)(BURN_TOTAL + i), config->total, question, burn_window_ms(i),
                 question->revision, err))
            return false;
    return true;
}

// Of the release; and of the baseline, where the question is one of now and the two can be told
// apart. Two names for one revision (a release again on the same commit) would count it twice.
static bool ask_both(struct metric_reading *reading, enum part part, str source,
                     const struct metric_question *question, struct error *err)
{
    static const enum part of_baseline[] = {
        [CANARY_BAD] = BASELINE_BAD, [CANARY_TOTAL] = BASELINE_TOTAL, [GAUGE] = BASELINE_GAUGE};
    const struct prometheus_config *config = reading->metric->config;
    int64_t window_ms = question->to_ms - question->from_ms;
    bool both = (prometheus_compares(config) || config->compare) && reading->windows <= 1 &&
                question->baseline.len && !str_eq(question->baseline, question->revision);
    return ask(reading, part, source, question, window_ms, question->revision, err) &&
           (!both ||
            ask(reading, of_baseline[part], source, question, window_ms, question->baseline, err));
}

static bool start(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err)
{
    const struct prometheus_config *config = metric->config;
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    int64_t window_ms = question->to_ms - question->from_ms;
    *reading = (struct metric_reading){
        .metric = metric, .windows = question->windows, .step_ms = window_ms};
    if (reading->windows > 1)
        reading->first_ms = question->to_ms - (int64_t)(reading->windows - 1) * window_ms;
    bool ok;
    if (window_ms <= 0)
        ok = error_set(err, ERROR_INPUT, "the interval asked for is empty");
    else if (config->burn_rate)
        ok = ask_burn(reading, question, err);
    else if (prometheus_is_rate(config))
        ok = ask_both(reading, CANARY_BAD, config->bad, question, err) &&
             ask_both(reading, CANARY_TOTAL, config->total, question, err);
    else
        ok = ask_both(reading, GAUGE, config->query, question, err);
    if (!ok) {
        drop(reading);
        return false;
    }
    *ret = reading;
    return true;
}

// ---- what came back ---------------------------------------------------------------------------

// The first part that has no usable number, in words; null when all have one.
static const char *missing(const struct metric_reading *reading, struct arena *arena)
{
    for (size_t i = 0; i < PARTS; i++) {
        const struct asked *asked = &reading->asked[i];
        bool no_baseline = (i == BASELINE_BAD || i == BASELINE_TOTAL) &&
                           reading->asked[BASELINE_TOTAL].usable &&
                           reading->asked[BASELINE_TOTAL].found.empty;
        if (!asked->is_asked || no_baseline)
            continue;
        if (!asked->usable)
            return arena_format(arena, "%s: %s", part_names[i], asked->why).data;
        if (asked->values || (i == BASELINE_GAUGE && asked->found.empty))
            continue;
        if (asked->found.empty)
            return arena_format(arena, "%s: no series%s", part_names[i],
                                i == CANARY_BAD || i == BASELINE_BAD ||
                                        (i >= BURN_BAD && i < BURN_TOTAL)
                                    ? "; if that means none, end the query with `or vector(0)`"
                                    : "")
                .data;
        if (i != GAUGE && i != BASELINE_GAUGE && asked->found.number < 0)
            return arena_format(arena, "%s: a negative count", part_names[i]).data;
    }
    return NULL;
}

// Prometheus extrapolates each series by itself, so that with all requests bad `bad` may come out a
// little above `total`. More than a little means that the queries do not count the same thing.
static bool fit(double *bad, double total)
{
    bool close_by = *bad <= total * 1.1 + 1;
    if (*bad > total && close_by)
        *bad = total;
    return close_by;
}

static const double *kept(const struct metric_reading *reading, enum part part, struct arena *arena)
{
    const double *values = reading->asked[part].values;
    double *copy = ARENA_ARRAY(arena, double, reading->windows);
    for (uint32_t i = 0; i < reading->windows; i++)
        copy[i] = values ? values[i] : NAN;
    return copy;
}

static struct metric_history history_of(const struct metric_reading *reading, struct arena *arena)
{
    return (struct metric_history){.count = reading->windows,
                                   .bad = kept(reading, CANARY_BAD, arena),
                                   .total = kept(reading, CANARY_TOTAL, arena),
                                   .value = kept(reading, GAUGE, arena)};
}

static void sum_up(const struct metric_reading *reading, struct arena *arena,
                   struct metric_sample *ret)
{
    const struct asked *asked = reading->asked;
    struct metric_sample sample = {.why = missing(reading, arena)};
    for (size_t i = 0; i < PARTS; i++)
        sample.unanswered |= asked[i].is_asked && !asked[i].usable;
    if (!sample.why) {
        sample.has_value = true;
        sample.value = asked[GAUGE].found.number;
        bool compared = asked[BASELINE_GAUGE].usable && !asked[BASELINE_GAUGE].found.empty;
        sample.baseline = compared ? asked[BASELINE_GAUGE].found.number : NAN;
        sample.counts =
            (struct counts){asked[CANARY_BAD].found.number, asked[CANARY_TOTAL].found.number,
                            asked[BASELINE_BAD].found.number, asked[BASELINE_TOTAL].found.number};
        bool fits = fit(&sample.counts.canary_bad, sample.counts.canary_total) &&
                    fit(&sample.counts.baseline_bad, sample.counts.baseline_total);
        for (int i = 0; i < BURN_WINDOWS; i++) {
            sample.burn[i] = (struct burn_counts){asked[BURN_BAD + i].found.number,
                                                  asked[BURN_TOTAL + i].found.number};
            fits = fit(&sample.burn[i].bad, sample.burn[i].total) && fits;
        }
        if (!fits)
            sample = (struct metric_sample){
                .why = "`bad` is larger than `total`: they do not count the same requests"};
    }
    if (sample.has_value && reading->windows > 1)
        sample.history = history_of(reading, arena);
    *ret = sample;
}

// Too many requests, or out of order for now: it may say how long it wants to be left alone.
static void note_retry(struct metric_reading *reading, const struct http_answer *answer)
{
    bool for_now = answer->status == 429 || answer->status == 503;
    if (for_now && answer->retry_after_ms > reading->retry_after_ms)
        reading->retry_after_ms = answer->retry_after_ms;
}

static void take(struct metric_reading *reading, struct asked *asked,
                 const struct http_answer *answer)
{
    struct arena *arena = &reading->arena;
    if (reading->windows <= 1) {
        asked->usable =
            prometheus_number(arena, answer->status, answer->body, &asked->found, &asked->why);
        return;
    }
    asked->values = ARENA_ARRAY(arena, double, reading->windows);
    asked->usable =
        prometheus_range(arena, answer->status, answer->body, reading->first_ms, reading->step_ms,
                         reading->windows, asked->values, &asked->why);
}

static enum progress poll(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err)
{
    const struct http_port *http = reading->metric->setup.http;
    bool pending = false;
    for (size_t i = 0; i < PARTS; i++) {
        struct asked *asked = &reading->asked[i];
        struct http_answer answer;
        struct error failure;
        if (!asked->job)
            continue;
        enum progress progress = http->poll(http->self, asked->job, &answer, &failure);
        if (progress == PROGRESS_PENDING) {
            pending = true;
            continue;
        }
        if (progress == PROGRESS_DONE) {
            take(reading, asked, &answer);
            note_retry(reading, &answer);
        } else {
            asked->why = arena_copy(&reading->arena, str_of(failure.message));
        }
        http->drop(http->self, asked->job);
        asked->job = NULL;
    }
    if (pending)
        return PROGRESS_PENDING;
    struct metric_sample sample;
    sum_up(reading, arena, &sample);
    if (!sample.has_value && reading->retry_after_ms > 0) {
        (void)error_set(err, ERROR_TRANSIENT, "%s", sample.why);
        err->retry_after_ms = reading->retry_after_ms;
        return PROGRESS_FAILED;
    }
    *ret = sample;
    return PROGRESS_DONE;
}

const struct metric_kind prometheus_metric = {
    .name = "prometheus",
    .shape = &prometheus_shape,
    .traits = traits,
    .open = open,
    .start = start,
    .poll = poll,
    .drop = drop,
    .close = close,
};
