#include "deploy/metrics/prometheus_config.h"

#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

static const char *const query_names[] = {"revision", "baseline", "window", "target", NULL};
static const char *const no_names[] = {NULL};

static const struct shape_field burn_fields[] = {
    {.key = "slo",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct prometheus_burn, slo),
     .required = true,
     .doc = "The share of events that must be good: `99.9%`."},
    {.kind = SHAPE_END},
};

static void check_burn(void *value, const struct node *node, struct problems *problems)
{
    const struct prometheus_burn *burn = value;
    if (burn->slo.num <= 0 || fraction_cmp(burn->slo, (struct fraction){1, 1}) >= 0)
        problem_at(problems, node->at, "`slo` must be above 0%% and below 100%%, such as `99.9%%`");
}

static const struct shape burn_shape = {
    .name = "burn_rate",
    .size_bytes = sizeof(struct prometheus_burn),
    .fields = burn_fields,
    .shorthand = "slo",
    .check = check_burn,
    .doc = "A service level objective: 14.4 times its error budget over 1h and 5m, or 6 times over "
           "6h and 30m, abort.",
};

#define AT(member) offsetof(struct prometheus_config, member)
static const struct shape_field prometheus_fields[] = {
    {.key = "url",
     .kind = SHAPE_STR,
     .offset = AT(url),
     .required = true,
     .doc = "Where the server is, without `/api/v1/query`; also Mimir, Thanos, and Grafana's "
            "data-source proxy."},
    {.key = "token",
     .kind = SHAPE_STR,
     .offset = AT(token),
     .doc = "Sent as `Authorization: Bearer …`; from the environment: `${env.PROM_TOKEN}`."},
    {.key = "bad",
     .kind = SHAPE_STR,
     .offset = AT(bad),
     .doc = "PromQL: bad events in `${window}` of the release `${revision}`."},
    {.key = "total",
     .kind = SHAPE_STR,
     .offset = AT(total),
     .doc = "PromQL: all events in `${window}` of the release `${revision}`."},
    {.key = "query",
     .kind = SHAPE_STR,
     .offset = AT(query),
     .doc = "Instead of `bad` and `total`: PromQL that gives one number, held against `max`."},
    GAUGE_FIELDS(struct prometheus_config,
                 "With `query`, the highest good value: a number, a percentage, or a duration (in "
                 "seconds, as Prometheus counts). With `bad` and `total`, the highest share of bad "
                 "events that is accepted where no baseline is left: a percentage."),
    {.key = "burn_rate",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(burn_rate),
     .shape = &burn_shape,
     .doc = "With `bad` and `total`: judged by how fast the error budget of an objective burns, "
            "not against the baseline. `${window}` is then 1h, 5m, 6h and 30m."},
    {.key = "every",
     .kind = SHAPE_DURATION,
     .offset = AT(every_ms),
     .fallback = "60s",
     .doc = "Time between two samples, and the length of `${window}`: better ten scrapes, at least "
            "two."},
    {.key = "lag",
     .kind = SHAPE_DURATION,
     .offset = AT(lag_ms),
     .fallback = "30s",
     .doc = "How late the figures of a moment are complete: scrape interval and ingestion."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "10s",
     .doc = "Limit of one query."},
    {.kind = SHAPE_END},
};

static void check_burning(const struct prometheus_config *config, const struct node *node,
                          struct problems *problems)
{
    if (!prometheus_is_rate(config))
        problem_at(problems, gauge_position(node, "burn_rate"),
                   "`burn_rate` needs `bad` and `total`: it counts events");
    else if (config->bound.max_text.len)
        problem_at(problems, gauge_position(node, "max"),
                   "`max` says nothing beside `burn_rate`: the objective is the bound");
    else if (!names_has(config->bad, "window") || !names_has(config->total, "window"))
        problem_at(problems, gauge_position(node, "burn_rate"),
                   "`bad` and `total` must both name `${window}`: `burn_rate` asks for four of "
                   "them");
}

static void check_comparing(const struct prometheus_config *config, const struct node *node,
                            struct problems *problems)
{
    bool selects = !config->query.len || names_has(config->query, "revision");
    gauge_check(&config->bound,
                &(struct gauge_context){
                    .is_rate = prometheus_is_rate(config),
                    .with = "`query`",
                    .unselected = selects ? NULL
                                          : "`query` does not name `${revision}`, so the release "
                                            "cannot be told from the baseline: select on it",
                    .at = "query"},
                node, problems);
}

static void check_queries(const struct prometheus_config *config, const struct node *node,
                          struct problems *problems)
{
    bool rate = prometheus_is_rate(config);
    if (rate && config->query.len)
        problem_at(problems, gauge_position(node, "query"),
                   "give `bad` and `total` (a rate) or `query` (a value), not both");
    else if (rate && (!config->bad.len || !config->total.len))
        problem_at(problems, node->at, "`%s` is missing: a rate needs `bad` and `total`",
                   config->bad.len ? "total" : "bad");
    else if (!rate && !config->query.len)
        problem_at(problems, node->at, "give `bad` and `total` (a rate), or `query` and `max`");
    else if (!rate && !config->bound.compare && !config->bound.max_text.len)
        problem_at(problems, node->at,
                   "`query` needs `max`: the highest good value, or `compare: mann-whitney`");
    else if (config->burn_rate)
        check_burning(config, node, problems);
    else if (rate && !prometheus_compares(config) && !config->bound.max_text.len)
        problem_at(problems, node->at,
                   "neither query names `${revision}`, so the release cannot be told from the "
                   "baseline: select on it, or give `max`");
    else if (rate && names_has(config->bad, "revision") != names_has(config->total, "revision"))
        problem_at(problems, node->at,
                   "only one of `bad` and `total` names `${revision}`: they "
                   "must count the same requests");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    struct prometheus_config *config = value;
    size_t before = problems->count;
    names_check(STR("url"), config->url, no_names, false, node, problems);
    names_check(STR("token"), config->token, no_names, false, node, problems);
    names_check(STR("bad"), config->bad, query_names, false, node, problems);
    names_check(STR("total"), config->total, query_names, false, node, problems);
    names_check(STR("query"), config->query, query_names, false, node, problems);
    if (problems->count == before) // a misspelt name would only be said a second time
        check_queries(config, node, problems);
    if (problems->count == before)
        check_comparing(config, node, problems);
    gauge_check_max(&config->bound, prometheus_is_rate(config), node, problems);
    if (config->token.len && str_search(config->token, STR("${env.")) == STR_NONE)
        problem_at(problems, gauge_position(node, "token"),
                   "`token` must not stand in a file: take it from the environment, as in "
                   "`${env.PROM_TOKEN}`");
    if (config->every_ms < 1000)
        problem_at(problems, gauge_position(node, "every"), "`every` must be 1s or more");
    if (config->timeout_ms < 100 || config->timeout_ms > 120000)
        problem_at(problems, gauge_position(node, "timeout"),
                   "`timeout` must be between 100ms and 2m");
}

const struct shape prometheus_shape = {
    .name = "prometheus",
    .size_bytes = sizeof(struct prometheus_config),
    .fields = prometheus_fields,
    .check = check,
    .doc = "Asks a Prometheus server, or one that speaks its query API.",
};

bool prometheus_is_rate(const struct prometheus_config *config)
{
    return config->bad.len || config->total.len;
}

bool prometheus_compares(const struct prometheus_config *config)
{
    return names_has(config->bad, "revision") || names_has(config->total, "revision");
}
