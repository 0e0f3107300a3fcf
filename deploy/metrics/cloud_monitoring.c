// Google Cloud Monitoring: PromQL through its Prometheus API, or time series. Each figure of a
// reading is a call of its own.
#include "deploy/cloud/google_call.h"
#include "deploy/metrics/cloud_monitoring_series.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

extern const struct metric_kind cloud_monitoring_metric;

struct metric {
    const struct monitoring_config *config;
    struct metric_setup setup;
    struct arena arena;
    str project;
    struct google_client *client; // of the cloud
};

struct metric_reading {
    const struct metric *metric;
    struct figures figures;
    struct google_call *calls[FIGURES]; // null once it is answered, or when it is not asked
    bool too_short;
};

static void traits(const void *value, struct metric_traits *ret)
{
    const struct monitoring_config *config = value;
    const struct gauge *bound = &config->bound;
    bool rate = monitoring_is_rate(config);
    *ret = (struct metric_traits){
        .is_rate = rate,
        .compares = bound->compare,
        .confidence = (double)bound->confidence.num / (double)bound->confidence.den,
        .tolerance = (double)bound->tolerance.num / (double)bound->tolerance.den,
        .every_ms = config->every_ms,
        .lag_ms = config->lag_ms,
        .max = bound->max,
        .failure_limit = rate || bound->compare ? 0 : (uint32_t)bound->max_failures,
        .has_baseline = (rate && monitoring_compares(config)) || bound->compare,
        .has_history = rate || bound->compare,
        .has_identity = true,
    };
}

// ---- opening -----------------------------------------------------------------------------------

static bool reach(const struct metric_setup *setup, const struct monitoring_query *query,
                  struct error *err)
{
    static const struct template_value none[] = {{0}};
    const struct template_value *env = setup->variables ? setup->variables : none;
    return !query || (names_open(query->query, env, err) && names_open(query->filter, env, err));
}

static void close(struct metric *metric)
{
    arena_done(&metric->arena);
    memory_free(metric);
}

static bool open(const void *value, const struct metric_setup *setup, struct metric **ret,
                 struct error *err)
{
    const struct monitoring_config *config = value;
    struct metric *metric = memory_alloc(sizeof *metric);
    struct google_account account = setup->google ? *setup->google : (struct google_account){0};
    *metric = (struct metric){.config = config, .setup = *setup};
    metric->project =
        arena_str(&metric->arena, config->project.len ? config->project : str_of(account.project));
    bool ok = reach(setup, &config->value, err) && reach(setup, config->bad, err) &&
              reach(setup, config->total, err);
    if (ok && !metric->project.len)
        ok = error_set(err, ERROR_INPUT,
                       "no Google Cloud project: give `project` here or in `google`");
    ok = ok && google_client_open(setup->cloud, &account, &metric->client, err);
    if (!ok) {
        close(metric);
        return error_wrap(err, "metric %s", setup->name);
    }
    *ret = metric;
    return true;
}

// ---- asking ------------------------------------------------------------------------------------

static void drop(struct metric_reading *reading)
{
    for (size_t i = 0; i < FIGURES; i++)
        google_call_drop(reading->calls[i]);
    figures_done(&reading->figures);
    memory_free(reading);
}

static const struct monitoring_query *query_of(const struct monitoring_config *config,
                                               enum figure figure)
{
    return figure_is_value(figure) ? &config->value
           : figure_is_bad(figure) ? config->bad
                                   : config->total;
}

static bool has_series(const struct monitoring_config *config)
{
    return query_of(config, config->total ? FIGURE_CANARY_TOTAL : FIGURE_VALUE)->filter.len > 0;
}

static bool ask_promql(struct metric_reading *reading, enum figure figure,
                       const struct metric_question *question, int64_t window_ms, str revision,
                       struct error *err)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded", NULL}, {0}};
    const struct metric *metric = reading->metric;
    struct text path = text_of(MONITORING_PATH_MOST), body = text_of(FIGURES_FORM_MOST);
    text_adds(&path, "/v1/projects/");
    google_path_add(&path, metric->project);
    text_addf(&path, "/location/global/prometheus/api/v1/query%s",
              reading->figures.windows > 1 ? "_range" : "");
    struct google_request request = {.api = "monitoring",
                                     .method = "POST",
                                     .path = text_str(&path),
                                     .headers = headers,
                                     .repeatable = true,
                                     .timeout_ms = metric->config->timeout_ms};
    bool ok = figures_promql(&reading->figures, query_of(metric->config, figure)->query,
                             metric->setup.variables, question, window_ms, revision, &body, err);
    request.body = text_str(&body);
    ok = ok && google_call_start(metric->client, &request, &reading->calls[figure], err);
    text_done(&path);
    text_done(&body);
    return ok;
}

static bool ask(void *self, enum figure figure, const struct metric_question *question,
                int64_t window_ms, str revision, struct error *err)
{
    struct metric_reading *reading = self;
    const struct metric *metric = reading->metric;
    const struct monitoring_query *query = query_of(metric->config, figure);
    if (!query->filter.len)
        return ask_promql(reading, figure, question, window_ms, revision, err);
    struct text path = text_of(MONITORING_PATH_MOST);
    bool ok = monitoring_series_path(&reading->figures, metric->project, query,
                                     metric->setup.variables, question, revision, &path, err);
    struct google_request request = {.api = "monitoring",
                                     .path = text_str(&path),
                                     .repeatable = true,
                                     .timeout_ms = metric->config->timeout_ms};
    ok = ok && google_call_start(metric->client, &request, &reading->calls[figure], err);
    text_done(&path);
    return ok;
}

static bool start(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err)
{
    const struct monitoring_config *config = metric->config;
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    struct figures_wanted wanted = {
        .is_rate = monitoring_is_rate(config),
        .of_baseline =
            config->bound.compare || (monitoring_is_rate(config) && monitoring_compares(config))};
    bool series = has_series(config);
    *reading = (struct metric_reading){.metric = metric};
    figures_begin(&reading->figures, question);
    reading->figures.none_hint = series ? "; if that means none, say `sparse: true`"
                                        : "; if that means none, end the query with `or vector(0)`";
    // An interval that a bake's begin has cut short cannot be aligned over: nothing is asked.
    reading->too_short = series && reading->figures.step_ms < MS_MINUTE;
    if (!reading->too_short &&
        !figures_ask(&reading->figures, &wanted, question, ask, reading, err)) {
        drop(reading);
        return false;
    }
    *ret = reading;
    return true;
}

// ---- what came back ----------------------------------------------------------------------------

static enum progress poll(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err)
{
    const struct monitoring_config *config = reading->metric->config;
    bool pending = false;
    for (size_t i = 0; i < FIGURES; i++) {
        struct google_answer answer;
        enum figure figure = (enum figure)i;
        if (!reading->calls[i])
            continue;
        enum progress progress = google_call_poll(reading->calls[i], &answer, err);
        if (progress == PROGRESS_FAILED) {
            (void)error_wrap(err, "%s", figure_words(figure));
            return PROGRESS_FAILED;
        }
        if (progress == PROGRESS_PENDING) {
            pending = true;
            continue;
        }
        if (has_series(config))
            monitoring_series_answer(&reading->figures, figure, answer.tree);
        else
            figures_answer(&reading->figures, figure, answer.status, answer.body);
        google_call_drop(reading->calls[i]);
        reading->calls[i] = NULL;
    }
    if (pending)
        return PROGRESS_PENDING;
    if (reading->too_short) {
        *ret = (struct metric_sample){.why = "the interval is shorter than a minute, over which "
                                             "Cloud Monitoring aligns at least"};
        return PROGRESS_DONE;
    }
    monitoring_series_settle(&reading->figures, config->bad && config->bad->sparse);
    figures_sum(&reading->figures, arena, ret);
    return PROGRESS_DONE;
}

static int64_t wake_ms(const struct metric_reading *reading)
{
    int64_t wake = 0;
    for (size_t i = 0; i < FIGURES; i++) {
        int64_t at = reading->calls[i] ? google_call_wake_ms(reading->calls[i]) : 0;
        if (at > 0 && (wake == 0 || at < wake))
            wake = at;
    }
    return wake;
}

const struct metric_kind cloud_monitoring_metric = {
    .name = "cloud-monitoring",
    .shape = &monitoring_shape,
    .traits = traits,
    .open = open,
    .start = start,
    .poll = poll,
    .wake_ms = wake_ms,
    .drop = drop,
    .close = close,
};
