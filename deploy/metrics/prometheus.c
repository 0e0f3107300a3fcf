#include "deploy/metrics/figures.h"
#include "deploy/metrics/names.h"
#include "deploy/metrics/prometheus_config.h"

#include <stdlib.h>

enum { QUERY_MAX_BYTES = FIGURES_PROMQL_MOST };

extern const struct metric_kind prometheus_metric;

struct metric {
    const struct prometheus_config *config;
    struct metric_setup setup;
    struct arena arena;
    const char *url, *range_url; // of the query API: a moment, and a range of them
    struct secret token;
};

struct metric_reading {
    const struct metric *metric;
    struct figures figures;
    void *jobs[FIGURES];    // null once it is answered, or when it is not asked
    int64_t retry_after_ms; // the longest that an answer asked for; 0 = none did
};

static void traits(const void *value, struct metric_traits *ret)
{
    const struct prometheus_config *config = value;
    bool counts = prometheus_is_rate(config);
    bool rate = counts && !config->burn_rate;
    *ret = (struct metric_traits){
        .is_rate = rate,
        .compares = config->bound.compare,
        .confidence = (double)config->bound.confidence.num / (double)config->bound.confidence.den,
        .tolerance = (double)config->bound.tolerance.num / (double)config->bound.tolerance.den,
        .budget = config->burn_rate
                      ? 1 - (double)config->burn_rate->slo.num / (double)config->burn_rate->slo.den
                      : 0,
        .every_ms = config->every_ms,
        .lag_ms = config->lag_ms,
        .max = config->bound.max,
        .failure_limit = counts || config->bound.compare ? 0 : (uint32_t)config->bound.max_failures,
        .has_baseline = (rate && prometheus_compares(config)) || config->bound.compare,
        .has_history = rate || config->bound.compare,
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
    for (size_t i = 0; i < FIGURES; i++)
        if (reading->jobs[i])
            http->drop(http->self, reading->jobs[i]);
    figures_done(&reading->figures);
    free(reading);
}

static bool ask(void *self, enum figure figure, const struct metric_question *question,
                int64_t window_ms, str revision, struct error *err)
{
    struct metric_reading *reading = self;
    const struct metric *metric = reading->metric;
    const struct prometheus_config *config = metric->config;
    const struct http_port *http = metric->setup.http;
    struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded", NULL},
                                    {"Accept", "application/json", NULL},
                                    {0},
                                    {0}};
    if (secret_is_set(&metric->token))
        headers[2] = (struct http_header){"Authorization", "Bearer ", &metric->token};
    str query = figure_is_value(figure) ? config->query
                : figure_is_bad(figure) ? config->bad
                                        : config->total;
    struct text body = text_of(FIGURES_FORM_MOST);
    bool ok = figures_promql(&reading->figures, query, metric->setup.variables, question, window_ms,
                             revision, &body, err);
    struct http_request request = {.method = "POST",
                                   .url = reading->figures.windows > 1 ? metric->range_url
                                                                       : metric->url,
                                   .headers = headers,
                                   .body = text_str(&body),
                                   .timeout_ms = config->timeout_ms};
    ok = ok && http->start(http->self, &request, &reading->jobs[figure], err);
    text_done(&body);
    return ok;
}

static bool start(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err)
{
    const struct prometheus_config *config = metric->config;
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    struct figures_wanted wanted = {.is_rate = prometheus_is_rate(config),
                                    .burns = config->burn_rate != NULL,
                                    .of_baseline =
                                        prometheus_compares(config) || config->bound.compare};
    *reading = (struct metric_reading){.metric = metric};
    figures_begin(&reading->figures, question);
    reading->figures.none_hint = "; if that means none, end the query with `or vector(0)`";
    if (!figures_ask(&reading->figures, &wanted, question, ask, reading, err)) {
        drop(reading);
        return false;
    }
    *ret = reading;
    return true;
}

// ---- what came back ---------------------------------------------------------------------------

// Too many requests, or out of order for now: it may say how long it wants to be left alone.
static void note_retry(struct metric_reading *reading, const struct http_answer *answer)
{
    bool for_now = answer->status == 429 || answer->status == 503;
    if (for_now && answer->retry_after_ms > reading->retry_after_ms)
        reading->retry_after_ms = answer->retry_after_ms;
}

static enum progress poll(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err)
{
    const struct http_port *http = reading->metric->setup.http;
    bool pending = false;
    for (size_t i = 0; i < FIGURES; i++) {
        struct http_answer answer;
        struct error failure;
        if (!reading->jobs[i])
            continue;
        enum progress progress = http->poll(http->self, reading->jobs[i], &answer, &failure);
        if (progress == PROGRESS_PENDING) {
            pending = true;
            continue;
        }
        if (progress == PROGRESS_DONE) {
            figures_answer(&reading->figures, (enum figure)i, answer.status, answer.body);
            cloud_hide(str_of(reading->figures.of[i].why), secret_reveal(&reading->metric->token));
            note_retry(reading, &answer);
        } else {
            reading->figures.of[i].why =
                arena_copy(&reading->figures.arena, str_of(failure.message));
        }
        http->drop(http->self, reading->jobs[i]);
        reading->jobs[i] = NULL;
    }
    if (pending)
        return PROGRESS_PENDING;
    struct metric_sample sample;
    figures_sum(&reading->figures, arena, &sample);
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
