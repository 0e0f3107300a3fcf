#include "deploy/metrics/cloud_monitoring_config.h"

#include "deploy/cloud/google_settings.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

static const char *const query_names[] = {"revision", "baseline", "window", "target", NULL};
static const char *const filter_names[] = {"revision", "baseline", "target", NULL};

// ---- the fields --------------------------------------------------------------------------------

#define QUERY(member) offsetof(struct monitoring_query, member)
static const struct shape_field query_fields[] = {
    {.key = "query",
     .kind = SHAPE_STR,
     .offset = QUERY(query),
     .doc = "PromQL: events in `${window}` of the release `${revision}`."},
    {.key = "filter",
     .kind = SHAPE_STR,
     .offset = QUERY(filter),
     .doc = "Instead: which time series count them, `metric.type = \"…\" AND …`."},
    {.key = "aligner",
     .kind = SHAPE_STR,
     .offset = QUERY(aligner),
     .doc = "With `filter`: ALIGN_DELTA when absent; ALIGN_SUM or ALIGN_COUNT for gauges."},
    {.key = "reducer",
     .kind = SHAPE_STR,
     .offset = QUERY(reducer),
     .doc = "With `filter`: REDUCE_SUM when absent."},
    {.key = "sparse",
     .kind = SHAPE_BOOL,
     .offset = QUERY(sparse),
     .fallback = "false",
     .doc = "Of `bad` with a `filter`: it has no series before there is any, as the requests of "
            "the class 5xx, so that no point of it beside one of `total` is none."},
    {.kind = SHAPE_END},
};
static const struct shape query_shape = {.name = "query",
                                         .size_bytes = sizeof(struct monitoring_query),
                                         .fields = query_fields,
                                         .shorthand = "query"};

#define AT(member) offsetof(struct monitoring_config, member)
static const struct shape_field fields[] = {
    {.key = "project",
     .kind = SHAPE_STR,
     .offset = AT(project),
     .doc = "Where the metric is; the project of `google` when absent."},
    {.key = "bad",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(bad),
     .shape = &query_shape,
     .doc = "What counts bad events of the release: PromQL, or `{filter: …}` of time series."},
    {.key = "total",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(total),
     .shape = &query_shape,
     .doc = "What counts all events of the release, in the same way."},
    {.key = "query",
     .kind = SHAPE_STR,
     .offset = AT(query),
     .doc = "Instead of `bad` and `total`: PromQL that gives one number, held against `max`."},
    {.key = "filter",
     .kind = SHAPE_STR,
     .offset = AT(filter),
     .doc = "Instead of `query`: the time series whose aligned value is held against `max`."},
    {.key = "aligner",
     .kind = SHAPE_STR,
     .offset = AT(aligner),
     .doc = "With `filter`: `ALIGN_PERCENTILE_95`, `ALIGN_MEAN`, `ALIGN_MAX`, …"},
    {.key = "reducer",
     .kind = SHAPE_STR,
     .offset = AT(reducer),
     .doc = "With `filter`, where it gives several series: `REDUCE_MAX`, `REDUCE_MEAN`, …"},
    GAUGE_FIELDS(struct monitoring_config,
                 "The highest good value. With `query` a number, a percentage, or a duration (in "
                 "seconds); with `filter` a number in the metric's unit. With `bad` and `total`, "
                 "the highest share of bad events that is accepted where no baseline is left."),
    {.key = "every",
     .kind = SHAPE_DURATION,
     .offset = AT(every_ms),
     .fallback = "60s",
     .doc = "Time between two samples, and the length of `${window}`; with `filter` the period "
            "of alignment, 60s at least."},
    {.key = "lag",
     .kind = SHAPE_DURATION,
     .offset = AT(lag_ms),
     .fallback = "3m",
     .doc = "How late the figures of a moment have settled."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "30s",
     .doc = "Limit of one reading, all tries together."},
    {.kind = SHAPE_END},
};

// ---- one query ---------------------------------------------------------------------------------

static bool among(str s, const char *const *words)
{
    while (*words && !str_is(s, *words))
        words++;
    return *words != NULL;
}

static bool is_aligner(str s, bool counts)
{
    static const char *const of_counts[] = {"ALIGN_DELTA", "ALIGN_SUM", "ALIGN_COUNT", NULL};
    static const char *const of_values[] = {
        "ALIGN_RATE",          "ALIGN_MIN",           "ALIGN_MAX",
        "ALIGN_MEAN",          "ALIGN_STDDEV",        "ALIGN_NEXT_OLDER",
        "ALIGN_INTERPOLATE",   "ALIGN_COUNT_TRUE",    "ALIGN_COUNT_FALSE",
        "ALIGN_FRACTION_TRUE", "ALIGN_PERCENTILE_99", "ALIGN_PERCENTILE_95",
        "ALIGN_PERCENTILE_50", "ALIGN_PERCENTILE_05", NULL};
    return among(s, of_counts) || (!counts && among(s, of_values));
}

static bool is_reducer(str s, bool counts)
{
    static const char *const of_counts[] = {"REDUCE_NONE", "REDUCE_SUM", "REDUCE_COUNT", NULL};
    static const char *const of_values[] = {
        "REDUCE_MEAN",          "REDUCE_MIN",           "REDUCE_MAX",           "REDUCE_STDDEV",
        "REDUCE_FRACTION_TRUE", "REDUCE_PERCENTILE_99", "REDUCE_PERCENTILE_95", "REDUCE_COUNT_TRUE",
        "REDUCE_COUNT_FALSE",   "REDUCE_PERCENTILE_50", "REDUCE_PERCENTILE_05", NULL};
    return among(s, of_counts) || (!counts && among(s, of_values));
}

// The first `${name}` outside of double quotes: it would be read as a part of the filter.
static bool find_unquoted(str filter, str *ret)
{
    bool quoted = false;
    for (size_t i = 0; i < filter.len; i++) {
        if (filter.data[i] == '"')
            quoted = !quoted;
        else if (filter.data[i] == '\\' && quoted)
            i++;
        else if (!quoted && str_starts(str_from(filter, i), STR("${"))) {
            str rest = str_from(filter, i + 2);
            *ret = str_cut(&rest, '}');
            return true;
        }
    }
    return false;
}

static void check_filter(const struct monitoring_query *query, bool counts, const struct node *node,
                         struct problems *problems)
{
    str unquoted;
    size_t before = problems->count;
    names_check(STR("filter"), query->filter, filter_names, false, node, problems);
    if (problems->count == before && find_unquoted(query->filter, &unquoted))
        problem_at(problems, gauge_position(node, "filter"),
                   "`${" STR_FMT "}` must stand in double quotes in `filter`: it is a value, not a "
                   "part of it",
                   STR_ARG(unquoted));
    if (str_search(query->filter, STR("metric.type")) == STR_NONE)
        problem_at(problems, gauge_position(node, "filter"),
                   "`filter` must name one `metric.type`, as in `metric.type = "
                   "\"run.googleapis.com/request_count\"`");
    if (!is_aligner(query->aligner, counts))
        problem_at(problems, gauge_position(node, "aligner"),
                   counts ? "`" STR_FMT
                            "` counts nothing: use ALIGN_DELTA, ALIGN_SUM or ALIGN_COUNT"
                          : "`" STR_FMT "` is no aligner, such as `ALIGN_PERCENTILE_95` or "
                            "`ALIGN_MEAN`",
                   STR_ARG(str_shorten(query->aligner, 60)));
    if (query->reducer.len && !is_reducer(query->reducer, counts))
        problem_at(problems, gauge_position(node, "reducer"),
                   "`" STR_FMT "` is no reducer%s, such as `%s`",
                   STR_ARG(str_shorten(query->reducer, 60)), counts ? " of counts" : "",
                   counts ? "REDUCE_SUM" : "REDUCE_MAX");
}

static void check_query(struct monitoring_query *query, bool counts, const struct node *node,
                        struct problems *problems)
{
    if ((query->query.len > 0) == (query->filter.len > 0)) {
        problem_at(problems, node->at, "give a `query` (PromQL) or a `filter` (time series)%s",
                   query->query.len ? ", not both" : "");
    } else if (query->query.len) {
        names_check(STR("query"), query->query, query_names, false, node, problems);
        if (query->aligner.len || query->reducer.len || query->sparse)
            problem_at(problems, node->at,
                       "`aligner`, `reducer` and `sparse` say nothing without `filter`");
    } else if (!counts && !query->aligner.len) {
        problem_at(problems, node->at,
                   "`filter` needs an `aligner`, such as `ALIGN_PERCENTILE_95`");
    } else {
        if (!query->aligner.len)
            query->aligner = STR("ALIGN_DELTA");
        if (counts && !query->reducer.len)
            query->reducer = STR("REDUCE_SUM");
        check_filter(query, counts, node, problems);
    }
}

// ---- all of it ---------------------------------------------------------------------------------

static bool selects(const struct monitoring_query *query)
{
    return names_has(query->query, "revision") || names_has(query->filter, "revision");
}

static void check_counts(const struct monitoring_config *config, const struct node *node,
                         struct problems *problems)
{
    bool bad = selects(config->bad), total = selects(config->total);
    if ((config->bad->filter.len > 0) != (config->total->filter.len > 0))
        problem_at(problems, node->at,
                   "`bad` and `total` must both be PromQL, or both have a `filter`");
    else if (config->total->sparse)
        problem_at(problems, gauge_position(node, "total"),
                   "`sparse` is for `bad`: where `total` has no point, nothing is known");
    else if (bad != total)
        problem_at(problems, node->at,
                   "only one of `bad` and `total` names `${revision}`: they must count the same "
                   "requests");
    else if (!bad && !config->bound.max_text.len)
        problem_at(problems, node->at,
                   "neither `bad` nor `total` names `${revision}`, so the release cannot be told "
                   "from the baseline: select on it, or give `max`");
}

static void check_queries(struct monitoring_config *config, const struct node *node,
                          struct problems *problems)
{
    size_t before = problems->count;
    bool value = config->query.len || config->filter.len;
    if (monitoring_is_rate(config) && (value || config->aligner.len || config->reducer.len)) {
        problem_at(problems, node->at,
                   "give `bad` and `total` (a rate), or `query` or `filter` (a value), not both");
    } else if (monitoring_is_rate(config) && (!config->bad || !config->total)) {
        problem_at(problems, node->at, "`%s` is missing: a rate needs `bad` and `total`",
                   config->bad ? "total" : "bad");
    } else if (monitoring_is_rate(config)) {
        const struct node *bad = node_get(node, "bad"), *total = node_get(node, "total");
        check_query(config->bad, true, bad->kind == NODE_MAP ? bad : node, problems);
        check_query(config->total, true, total->kind == NODE_MAP ? total : node, problems);
        if (problems->count == before)
            check_counts(config, node, problems);
    } else if (!value) {
        problem_at(problems, node->at,
                   "give `bad` and `total` (a rate), or `query` or `filter`, and `max`");
    } else if (!config->bound.compare && !config->bound.max_text.len) {
        problem_at(problems, node->at,
                   "`%s` needs `max`: the highest good value, or `compare: mann-whitney`",
                   config->query.len ? "query" : "filter");
    } else {
        check_query(&config->value, false, node, problems);
    }
}

// Time series come in the unit of their metric: a duration or a percentage would be a guess.
static void check_max(struct monitoring_config *config, const struct node *node,
                      struct problems *problems)
{
    if (!config->value.filter.len || monitoring_is_rate(config)) {
        gauge_check_max(&config->bound, monitoring_is_rate(config), node, problems);
        return;
    }
    config->bound.max = -1;
    if (config->bound.max_text.len &&
        (!number_double(config->bound.max_text, &config->bound.max) || config->bound.max < 0))
        problem_at(problems, gauge_position(node, "max"),
                   "`max` of a `filter` must be a number in the unit of the metric, not `" STR_FMT
                   "`",
                   STR_ARG(config->bound.max_text));
}

static void check_times(const struct monitoring_config *config, const struct node *node,
                        struct problems *problems)
{
    bool series = config->value.filter.len || (config->bad && config->bad->filter.len);
    if (series && (config->every_ms < MS_MINUTE || config->every_ms % MS_SECOND != 0))
        problem_at(problems, gauge_position(node, "every"),
                   "`every` must be whole seconds, 60s or more, with `filter`: Cloud Monitoring "
                   "aligns over no less");
    else if (config->every_ms < MS_SECOND)
        problem_at(problems, gauge_position(node, "every"), "`every` must be 1s or more");
    if (config->timeout_ms < 1000 || config->timeout_ms > 120000)
        problem_at(problems, gauge_position(node, "timeout"),
                   "`timeout` must be between 1s and 2m");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    struct monitoring_config *config = value;
    size_t before = problems->count;
    config->value = (struct monitoring_query){.query = config->query,
                                              .filter = config->filter,
                                              .aligner = config->aligner,
                                              .reducer = config->reducer};
    google_project_check(config->project, node, problems);
    check_queries(config, node, problems);
    if (problems->count == before)
        gauge_check(&config->bound,
                    &(struct gauge_context){
                        .is_rate = monitoring_is_rate(config),
                        .with = "`query` or `filter`",
                        .unselected = selects(&config->value)
                                          ? NULL
                                          : "nothing names `${revision}`, so the release cannot be "
                                            "told from the baseline: select on it",
                        .at = "compare"},
                    node, problems);
    check_max(config, node, problems);
    check_times(config, node, problems);
}

const struct shape monitoring_shape = {
    .name = "cloud-monitoring",
    .size_bytes = sizeof(struct monitoring_config),
    .fields = fields,
    .check = check,
    .doc = "Asks Google Cloud Monitoring, in PromQL or for time series.",
};

bool monitoring_is_rate(const struct monitoring_config *config)
{
    return config->bad || config->total;
}

bool monitoring_compares(const struct monitoring_config *config)
{
    return selects(monitoring_is_rate(config) ? config->total : &config->value);
}
