#include "gate/reports/k6_metrics.h"

#include "gate/base/limits.h"
#include "gate/reports/text_hash.h"

#include <math.h>

void k6_metrics_init(struct k6_metrics *metrics)
{
    *metrics = (struct k6_metrics){.duration_ms = NAN};
}

void k6_metrics_done(struct k6_metrics *metrics)
{
    arena_done(&metrics->arena);
}

struct k6_metric *k6_metrics_add(struct k6_metrics *metrics, str name,
                                 const struct json_event *event, struct error *err)
{
    if (metrics->count == LIMIT_TIMINGS) {
        (void)error_set(err, ERROR_LIMIT, "the report has more than %u metrics", LIMIT_TIMINGS);
        return NULL;
    }
    metrics->items = arena_grow(&metrics->arena, metrics->items, metrics->count, &metrics->room,
                                sizeof *metrics->items);
    struct k6_metric *metric = &metrics->items[metrics->count++];
    str tags = arena_str(&metrics->arena, name);
    *metric = (struct k6_metric){
        .base = str_cut(&tags, '{'), .offset = event->offset, .line = event->line};
    if (tags.len && tags.data[tags.len - 1] == '}')
        metric->tags = str_first(tags, tags.len - 1);
    else
        metric->base = arena_str(&metrics->arena, name);
    for (int i = 0; i < K6_FIGURES; i++)
        metric->figures[i] = NAN;
    return metric;
}

double *k6_metric_figure(struct k6_metric *metric, str name)
{
    static const struct {
        const char *name;
        enum k6_figure figure;
    } names[] = {{"min", K6_LEAST}, {"max", K6_MOST},      {"avg", K6_MEAN},    {"med", K6_P50},
                 {"p(50)", K6_P50}, {"p(75)", K6_P75},     {"p(90)", K6_P90},   {"p(95)", K6_P95},
                 {"p(99)", K6_P99}, {"passes", K6_PASSES}, {"fails", K6_FAILS}, {"count", K6_COUNT},
                 {"rate", K6_RATE}, {"value", K6_VALUE}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(name, names[i].name))
            return &metric->figures[names[i].figure];
    return NULL;
}

static uint32_t *chain_of(const struct k6_metrics *metrics, uint64_t base_hash, str tags)
{
    return &metrics->chains[text_hash_add(base_hash, tags) & (metrics->chain_count - 1)];
}

static void chain(struct k6_metrics *metrics)
{
    metrics->chain_count = 64;
    while (metrics->chain_count < metrics->count * 2)
        metrics->chain_count *= 2;
    metrics->chains = ARENA_ARRAY(&metrics->arena, uint32_t, metrics->chain_count);
    for (size_t i = metrics->count; i-- > 0;) {
        struct k6_metric *metric = &metrics->items[i];
        uint64_t hash = text_hash_add(TEXT_HASH, metric->base);
        uint32_t *first = chain_of(metrics, hash, metric->tags);
        metric->next = *first;
        *first = (uint32_t)i + 1;
        if (metric->tags.len)
            metrics->tagged |= UINT64_C(1) << hash % 64;
    }
}

// The one of that base and these tags; null when there is none.
static const struct k6_metric *find(const struct k6_metrics *metrics, const char *base, str tags)
{
    uint64_t hash = text_hash_add(TEXT_HASH, str_of(base));
    if (tags.len && !(metrics->tagged >> hash % 64 & 1))
        return NULL; // most have tags only where thresholds ask for them
    for (uint32_t i = *chain_of(metrics, hash, tags); i; i = metrics->items[i - 1].next)
        if (str_is(metrics->items[i - 1].base, base) && str_eq(metrics->items[i - 1].tags, tags))
            return &metrics->items[i - 1];
    return NULL;
}

static double figure_of(const struct k6_metric *metric, enum k6_figure figure)
{
    return metric ? metric->figures[figure] : NAN;
}

static str tag_of(str tags, const char *name)
{
    str wanted = str_of(name);
    while (tags.len) {
        str tag = str_trim(str_cut(&tags, ','));
        if (str_starts(tag, wanted) && tag.len > wanted.len && tag.data[wanted.len] == ':')
            return str_trim(str_from(tag, wanted.len + 1));
    }
    return (str){NULL, 0};
}

// "name:GET /x" is "GET /x"; "name:/x,method:GET" too; "group:::login" is "login"; other tags stand
// for themselves.
static str name_of(struct arena *arena, str tags)
{
    str method = tag_of(tags, "method"), name = tag_of(tags, "name");
    if (!name.len)
        name = tag_of(tags, "url");
    if (!name.len) {
        name = tag_of(tags, "group");
        while (str_starts(name, STR(":")))
            name = str_from(name, 1);
        method = (str){NULL, 0};
    }
    if (!name.len)
        return tags;
    if (method.len && !str_starts(name, method))
        return arena_format(arena, STR_FMT " " STR_FMT, STR_ARG(method), STR_ARG(name));
    return name;
}

static bool count_of(const struct k6_metric *metric, enum k6_figure figure, uint64_t *ret,
                     struct error *err)
{
    double value = metric->figures[figure];
    if (!(value >= 0) || value > 9007199254740992.0 || value != floor(value))
        return error_set(err, ERROR_INPUT,
                         "the metric `" STR_FMT "` has no usable number of passes and fails",
                         STR_ARG(str_shorten(metric->base, 60)));
    *ret = (uint64_t)value;
    return true;
}

// k6 counts a failed request as a *pass* of the rate http_req_failed.
static bool fill_counts(const struct k6_metrics *metrics, const struct k6_metric *metric,
                        struct evidence *evidence, struct timing *row, struct error *err)
{
    const struct k6_metric *failed = find(metrics, "http_req_failed", metric->tags);
    const struct k6_metric *requests = find(metrics, "http_reqs", metric->tags);
    double count = figure_of(requests, K6_COUNT);
    uint64_t good = 0;
    row->per_second = figure_of(requests, K6_RATE);
    if (!failed || isnan(failed->figures[K6_PASSES]) || isnan(failed->figures[K6_FAILS]))
        return true;
    if (!count_of(failed, K6_PASSES, &row->failures, err) ||
        !count_of(failed, K6_FAILS, &good, err))
        return false;
    row->requests = row->failures + good;
    row->counted = true;
    if (!isnan(count) && count != (double)row->requests)
        report_suspect(evidence, &evidence->reports[row->report],
                       "`http_reqs%s" STR_FMT "%s` counts %.0f requests, and `http_req_failed` "
                       "%llu",
                       metric->tags.len ? "{" : "", STR_ARG(str_shorten(metric->tags, 80)),
                       metric->tags.len ? "}" : "", count, (unsigned long long)row->requests);
    return true;
}

// A trend of the user's own counts the database queries of each request.
static double queries_of(const struct k6_metrics *metrics, str tags)
{
    static const char *const names[] = {"queries", "db_queries", NULL};
    for (size_t i = 0; names[i]; i++) {
        const struct k6_metric *metric = find(metrics, names[i], tags);
        double most = figure_of(metric, K6_MOST);
        if (metric)
            return isnan(most) ? figure_of(metric, K6_VALUE) : most;
    }
    return NAN;
}

static double duration_of(const struct k6_metrics *metrics)
{
    static const char *const rates[] = {"http_reqs", "iterations", NULL};
    if (!isnan(metrics->duration_ms))
        return metrics->duration_ms / 1e3;
    for (size_t i = 0; rates[i]; i++) { // a rate is its count by the duration of the run
        const struct k6_metric *metric = find(metrics, rates[i], (str){NULL, 0});
        double count = figure_of(metric, K6_COUNT), rate = figure_of(metric, K6_RATE);
        if (count > 0 && rate > 0)
            return count / rate;
    }
    return NAN;
}

static bool add_row(struct k6_metrics *metrics, const struct k6_metric *metric, str name,
                    struct evidence *evidence, uint32_t report, bool requests, struct error *err)
{
    const double *figures = metric->figures;
    struct timing row = timing_unknown(name);
    row.report = report;
    row.offset = metric->offset;
    row.min_ms = figures[K6_LEAST];
    row.max_ms = figures[K6_MOST];
    row.mean_ms = figures[K6_MEAN];
    row.p50_ms = figures[K6_P50];
    row.p75_ms = figures[K6_P75];
    row.p90_ms = figures[K6_P90];
    row.p95_ms = figures[K6_P95];
    row.p99_ms = figures[K6_P99];
    row.duration_s = metrics->run_s;
    row.queries = queries_of(metrics, metric->tags);
    if (requests && !fill_counts(metrics, metric, evidence, &row, err))
        return false;
    if (row.counted && row.requests == 0) // zeros that nothing was measured for
        row.min_ms = row.max_ms = row.mean_ms = row.p50_ms = row.p75_ms = row.p90_ms = row.p95_ms =
            row.p99_ms = NAN;
    return timing_add(evidence, &row, err);
}

// Parts of a request, and what is no request at all.
static bool is_builtin(str base)
{
    static const char *const names[] = {
        "http_req_", "iteration_duration", "group_duration", "ws_", "grpc_", "browser_http_req_",
        NULL};
    for (size_t i = 0; names[i]; i++)
        if (str_starts(base, str_of(names[i])))
            return true;
    return false;
}

bool k6_metrics_rows(struct k6_metrics *metrics, struct evidence *evidence, uint32_t report,
                     struct error *err)
{
    chain(metrics);
    metrics->run_s = duration_of(metrics);
    for (size_t i = 0; i < metrics->count; i++) {
        const struct k6_metric *metric = &metrics->items[i];
        bool http = str_is(metric->base, "http_req_duration");
        bool grpc = str_is(metric->base, "grpc_req_duration");
        str name = name_of(&metrics->arena, metric->tags);
        if (str_is(metric->tags, "expected_response:true"))
            continue; // k6 adds it to every summary: the same requests without the failed ones
        if (!http && !grpc) {
            if (!metric->is_time || is_builtin(metric->base) || isnan(metric->figures[K6_MEAN]))
                continue;
            name = metric->tags.len ? arena_format(&metrics->arena, STR_FMT "{" STR_FMT "}",
                                                   STR_ARG(metric->base), STR_ARG(metric->tags))
                                    : metric->base;
        }
        if (grpc && !metric->tags.len)
            name = STR("grpc_req_duration");
        if (!add_row(metrics, metric, name, evidence, report, http, err)) {
            err->at = (struct position){evidence->reports[report].path, metric->line, 0};
            return false;
        }
    }
    return true;
}

bool k6_metrics_checks(const struct k6_metrics *metrics, double *ret_passes, double *ret_fails)
{
    const struct k6_metric *checks = find(metrics, "checks", (str){NULL, 0});
    *ret_passes = figure_of(checks, K6_PASSES);
    *ret_fails = figure_of(checks, K6_FAILS);
    return !isnan(*ret_passes) && !isnan(*ret_fails);
}
