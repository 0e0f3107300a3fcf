#include "deploy/metrics/cloudwatch_config.h"

#include "deploy/cloud/aws_settings.h"
#include "deploy/metrics/cloudwatch_words.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

#include <stdio.h>

static const char *const dimension_names[] = {"revision", "baseline", "target", NULL};

// ---- queries -----------------------------------------------------------------------------------

static const struct shape_field dimension_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct cloudwatch_dimension, name)},
    {.key = "value",
     .kind = SHAPE_STR,
     .offset = offsetof(struct cloudwatch_dimension, value),
     .required = true,
     .doc = "What it is: `${revision}`, `${baseline}`, `${target}`, `${env.NAME}`, or as it is."},
    {.kind = SHAPE_END},
};
static const struct shape dimension_shape = {.name = "dimension",
                                             .size_bytes = sizeof(struct cloudwatch_dimension),
                                             .fields = dimension_fields,
                                             .shorthand = "value"};

#define QUERY(member) offsetof(struct cloudwatch_query, member)
#define QUERY_FIELDS                                                                               \
    {.key = "namespace",                                                                           \
     .kind = SHAPE_STR,                                                                            \
     .offset = QUERY(space),                                                                       \
     .doc = "In place of the `namespace` beside."},                                                \
        {.key = "metric",                                                                          \
         .kind = SHAPE_STR,                                                                        \
         .offset = QUERY(metric),                                                                  \
         .doc = "The metric's name: `RequestCount`."},                                             \
        {.key = "statistic",                                                                       \
         .kind = SHAPE_STR,                                                                        \
         .offset = QUERY(statistic),                                                               \
         .doc =                                                                                    \
             "Sum when absent; SampleCount counts events of a metric that has one value each."},   \
        {.key = "dimensions",                                                                      \
         .kind = SHAPE_MAP,                                                                        \
         .offset = QUERY(dimensions),                                                              \
         .shape = &dimension_shape,                                                                \
         .max = CLOUDWATCH_DIMENSIONS_MOST,                                                        \
         .doc = "In place of the `dimensions` beside."},                                           \
        {.key = "unit",                                                                            \
         .kind = SHAPE_STR,                                                                        \
         .offset = QUERY(unit),                                                                    \
         .doc = "Only data that was published with this unit; any when absent."},                  \
    {                                                                                              \
        .key = "expression", .kind = SHAPE_STR, .offset = QUERY(expression),                       \
        .doc = "Instead of `metric`: metric math over `inputs`, SEARCH, or a Metrics Insights "    \
               "query, that gives one series."                                                     \
    }

static const struct shape_field query_fields[] = {
    QUERY_FIELDS,
    {.key = "sparse",
     .kind = SHAPE_BOOL,
     .offset = QUERY(sparse),
     .fallback = "false",
     .doc =
         "Of `bad`: it is published only where there is any, as HTTPCode_Target_5XX_Count is, so "
         "that no data point of it beside one of `total` is none."},
    {.kind = SHAPE_END},
};
static const struct shape query_shape = {.name = "query",
                                         .size_bytes = sizeof(struct cloudwatch_query),
                                         .fields = query_fields,
                                         .shorthand = "metric"};

static const struct shape_field input_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = QUERY(name)},
    QUERY_FIELDS,
    {.kind = SHAPE_END},
};
static const struct shape input_shape = {.name = "input",
                                         .size_bytes = sizeof(struct cloudwatch_query),
                                         .fields = input_fields,
                                         .shorthand = "metric"};

// ---- the section -------------------------------------------------------------------------------

#define AT(member) offsetof(struct cloudwatch_config, member)
static const struct shape_field cloudwatch_fields[] = {
    {.key = "region",
     .kind = SHAPE_STR,
     .offset = AT(region),
     .doc = "Where the metric is; the region of `aws` when absent."},
    {.key = "role",
     .kind = SHAPE_STR,
     .offset = AT(role),
     .doc = "The ARN of the role that may read it; the `role` of `aws` when absent."},
    {.key = "namespace",
     .kind = SHAPE_STR,
     .offset = AT(space),
     .doc = "Of all metrics here: `AWS/ApplicationELB`, or one's own."},
    {.key = "dimensions",
     .kind = SHAPE_MAP,
     .offset = AT(dimensions),
     .shape = &dimension_shape,
     .max = CLOUDWATCH_DIMENSIONS_MOST,
     .doc = "Of all metrics here, as they were published, all of them: `{Release: "
            "\"${revision}\"}`."},
    {.key = "inputs",
     .kind = SHAPE_MAP,
     .offset = AT(inputs),
     .shape = &input_shape,
     .max = CLOUDWATCH_INPUTS_MOST,
     .doc = "Metrics that expressions name: `${errors}` is the input `errors`."},
    {.key = "bad",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(bad),
     .shape = &query_shape,
     .doc = "What counts bad events of the release: a metric's name, or a metric, or an "
            "expression."},
    {.key = "total",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(total),
     .shape = &query_shape,
     .doc = "What counts all events of the release."},
    {.key = "metric",
     .kind = SHAPE_STR,
     .offset = AT(metric),
     .doc = "Instead of `bad` and `total`: a metric whose statistic is held against `max`."},
    {.key = "statistic",
     .kind = SHAPE_STR,
     .offset = AT(statistic),
     .doc = "With `metric`: `p95`, `Average`, `Maximum`, `tm99`, …"},
    {.key = "unit",
     .kind = SHAPE_STR,
     .offset = AT(unit),
     .doc =
         "With `metric`: only data that was published with this unit. When absent and `max` is a "
         "duration, Seconds; when it is a percentage, Percent; else any."},
    {.key = "expression",
     .kind = SHAPE_STR,
     .offset = AT(expression),
     .doc = "Instead of `metric`: metric math over `inputs`, SEARCH, or a Metrics Insights query, "
            "that gives one series."},
    GAUGE_FIELDS(
        struct cloudwatch_config,
        "With `metric` or `expression`, the highest good value: a number, a duration, or a "
        "percentage. With `bad` and `total`, the highest share of bad events that is accepted "
        "where no baseline is left: a percentage."),
    {.key = "every",
     .kind = SHAPE_DURATION,
     .offset = AT(every_ms),
     .fallback = "60s",
     .doc = "Time between two samples: minutes, or 1s, 5s, 10s, 20s, 30s for metrics of high "
            "resolution."},
    {.key = "lag",
     .kind = SHAPE_DURATION,
     .offset = AT(settled_ms),
     .fallback = "2m",
     .doc = "How late the figures of a moment have settled."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "30s",
     .doc = "Limit of one reading, all tries together."},
    {.kind = SHAPE_END},
};

// ---- one query ---------------------------------------------------------------------------------

// Those that stand in this section itself; what a query has from the section beside is said once.
static void check_dimensions(const struct shape_list *list, const struct node *node,
                             struct problems *problems)
{
    const struct cloudwatch_dimension *dimensions = list->items;
    for (size_t i = 0; node_get(node, "dimensions") && i < list->count; i++)
        names_check(STR("dimensions"), dimensions[i].value, dimension_names, false, node, problems);
}

static void check_metric(const struct cloudwatch_query *query, const struct node *node,
                         const struct node *section, struct problems *problems)
{
    if (!query->space.len)
        problem_at(problems, section->at, "`namespace` is missing, such as `AWS/ApplicationELB`");
    if (!cloudwatch_is_statistic(query->statistic))
        problem_at(problems, gauge_position(node, "statistic"),
                   "`" STR_FMT "` is no statistic of CloudWatch, such as `Sum`, `Average` or `p95`",
                   STR_ARG(str_shorten(query->statistic, 60)));
    if (query->unit.len && !cloudwatch_is_unit(query->unit))
        problem_at(problems, gauge_position(node, "unit"),
                   "`" STR_FMT "` is no unit of CloudWatch, such as `Seconds`, `Milliseconds`, "
                   "`Percent` or `Count`",
                   STR_ARG(str_shorten(query->unit, 60)));
    if (node != section)
        check_dimensions(&query->dimensions, node, problems);
}

static void check_expression(const struct cloudwatch_config *config, str expression,
                             const struct node *node, struct problems *problems)
{
    const char *known[CLOUDWATCH_INPUTS_MOST + 5] = {"revision", "baseline", "target", "period"};
    char names[CLOUDWATCH_INPUTS_MOST][CLOUDWATCH_NAME_ROOM];
    const struct cloudwatch_query *inputs = config->inputs.items;
    str unquoted;
    for (size_t i = 0; i < config->inputs.count; i++) {
        (void)snprintf(names[i], sizeof names[i], STR_FMT, STR_ARG(inputs[i].name));
        known[4 + i] = names[i];
    }
    size_t before = problems->count;
    names_check(STR("expression"), expression, known, false, node, problems);
    if (problems->count == before &&
        cloudwatch_unquoted(expression, &inputs[0], config->inputs.count, &unquoted))
        problem_at(problems, gauge_position(node, "expression"),
                   "`${" STR_FMT "}` must stand in quotes in `expression`: it is a value, not a "
                   "part of the formula",
                   STR_ARG(unquoted));
}

// What stands in the section goes for all its queries.
static void settle(const struct cloudwatch_config *config, struct cloudwatch_query *query,
                   const char *statistic)
{
    if (query->expression.len)
        return;
    if (!query->space.len)
        query->space = config->space;
    if (!query->statistic.len)
        query->statistic = str_of(statistic);
    if (!query->dimensions.count)
        query->dimensions = config->dimensions;
}

static void check_query(const struct cloudwatch_config *config, const char *what,
                        struct cloudwatch_query *query, const struct node *node,
                        const struct node *section, struct problems *problems)
{
    bool has_metric = query->metric.len > 0, has_expression = query->expression.len > 0;
    if (has_metric == has_expression) {
        problem_at(problems, node->at, "%s needs a `metric` or an `expression`%s", what,
                   has_metric ? ", not both" : "");
        return;
    }
    if (has_expression) {
        check_expression(config, query->expression, node, problems);
        if (query->statistic.len || query->unit.len)
            problem_at(problems, gauge_position(node, "expression"),
                       "`statistic` and `unit` say nothing beside `expression`");
        return;
    }
    settle(config, query, "Sum");
    check_metric(query, node, section, problems);
}

static void check_inputs(struct cloudwatch_config *config, const struct node *section,
                         struct problems *problems)
{
    struct cloudwatch_query *inputs = (void *)config->inputs.items;
    const struct node *map = node_get(section, "inputs");
    const struct node *node = map ? map->first : NULL;
    for (size_t i = 0; i < config->inputs.count && node; i++, node = node->next) {
        if (!cloudwatch_is_name(inputs[i].name))
            problem_at(problems, node->key_at,
                       "`" STR_FMT "` cannot name an input: use up to 30 small letters, digits and "
                       "`_`, and none of `revision`, `baseline`, `target` and `period`",
                       STR_ARG(str_shorten(inputs[i].name, 60)));
        else if (inputs[i].expression.len)
            problem_at(problems, node->at, "an input is a metric: it cannot have an `expression`");
        else
            check_query(config, "an input", &inputs[i], node->kind == NODE_MAP ? node : map,
                        section, problems);
    }
}

// ---- the bound ---------------------------------------------------------------------------------

static void check_max(struct cloudwatch_config *config, const struct node *node,
                      struct problems *problems)
{
    if (cloudwatch_read_max(config))
        return;
    if (cloudwatch_is_rate(config))
        problem_at(problems, gauge_position(node, "max"),
                   "`max` must be a share below 100%%, such as `1%%`, not `" STR_FMT "`",
                   STR_ARG(config->bound.max_text));
    else
        problem_at(problems, gauge_position(node, "max"),
                   "`max` must be a number in the unit of the metric, a duration (of Seconds, "
                   "Milliseconds, Microseconds) or a percentage (of Percent), not `" STR_FMT "`",
                   STR_ARG(config->bound.max_text));
}

// ---- all of it ---------------------------------------------------------------------------------

static bool selects(const struct cloudwatch_query *query)
{
    const struct cloudwatch_dimension *dimensions = query->dimensions.items;
    bool found = names_has(query->expression, "revision");
    for (size_t i = 0; i < query->dimensions.count; i++)
        found |= names_has(dimensions[i].value, "revision");
    return found;
}

// Itself, or an input that its expression names.
static bool has_revision(const struct cloudwatch_config *config,
                         const struct cloudwatch_query *query)
{
    const struct cloudwatch_query *inputs = config->inputs.items;
    bool found = selects(query);
    for (size_t i = 0; i < config->inputs.count; i++) {
        char name[CLOUDWATCH_NAME_ROOM];
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(inputs[i].name));
        found |= names_has(query->expression, name) && selects(&inputs[i]);
    }
    return found;
}

static void check_comparing(const struct cloudwatch_config *config, const struct node *node,
                            struct problems *problems)
{
    gauge_check(
        &config->bound,
        &(struct gauge_context){
            .is_rate = cloudwatch_is_rate(config),
            .with = "`metric` or `expression`",
            .unselected = has_revision(config, &config->gauge)
                              ? NULL
                              : "nothing names `${revision}`, so the release cannot be told "
                                "from the baseline: select on it in `dimensions`",
            .at = "compare"},
        node, problems);
}

static void check_counts(const struct cloudwatch_config *config, const struct node *node,
                         struct problems *problems)
{
    const struct cloudwatch_query *both[] = {config->bad, config->total};
    for (size_t i = 0; i < 2; i++)
        if (both[i]->metric.len && !str_is(both[i]->statistic, "Sum") &&
            !str_is(both[i]->statistic, "SampleCount"))
            problem_at(problems, gauge_position(node, i ? "total" : "bad"),
                       "`" STR_FMT "` is no count: `bad` and `total` are counted with Sum or "
                       "SampleCount",
                       STR_ARG(both[i]->statistic));
    if (config->total->sparse)
        problem_at(problems, gauge_position(node, "total"),
                   "`sparse` is for `bad`: where `total` has no data point, nothing is known");
    bool bad = has_revision(config, config->bad), total = has_revision(config, config->total);
    if (bad != total)
        problem_at(problems, node->at,
                   "only one of `bad` and `total` names `${revision}`: they must count the same "
                   "requests");
    else if (!bad && !config->bound.max_text.len)
        problem_at(problems, node->at,
                   "neither `bad` nor `total` names `${revision}`, so the release cannot be told "
                   "from the baseline: select on it in `dimensions`, or give `max`");
}

static void check_queries(struct cloudwatch_config *config, const struct node *node,
                          struct problems *problems)
{
    size_t before = problems->count;
    bool gauge = config->metric.len || config->expression.len;
    if (cloudwatch_is_rate(config) && gauge) {
        problem_at(problems, gauge_position(node, config->metric.len ? "metric" : "expression"),
                   "give `bad` and `total` (a rate), or `metric` or `expression` (a value), not "
                   "both");
    } else if (cloudwatch_is_rate(config) && (!config->bad || !config->total)) {
        problem_at(problems, node->at, "`%s` is missing: a rate needs `bad` and `total`",
                   config->bad ? "total" : "bad");
    } else if (cloudwatch_is_rate(config)) {
        const struct node *bad = node_get(node, "bad"), *total = node_get(node, "total");
        check_query(config, "`bad`", config->bad, bad, node, problems);
        check_query(config, "`total`", config->total, total, node, problems);
        if (problems->count == before)
            check_counts(config, node, problems);
    } else if (!gauge) {
        problem_at(problems, node->at,
                   "give `bad` and `total` (a rate), or `metric` or `expression` and `max`");
    } else if (!config->bound.compare && !config->bound.max_text.len) {
        problem_at(problems, node->at,
                   "`%s` needs `max`: the highest good value, or `compare: mann-whitney`",
                   config->metric.len ? "metric" : "expression");
    } else if (config->metric.len && !config->statistic.len) {
        problem_at(problems, node->at, "`metric` needs a `statistic`, such as `p95`");
    } else {
        check_query(config, "it", &config->gauge, node, node, problems);
    }
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    struct cloudwatch_config *config = value;
    size_t before = problems->count;
    config->gauge = (struct cloudwatch_query){.space = config->space,
                                              .metric = config->metric,
                                              .statistic = config->statistic,
                                              .dimensions = config->dimensions,
                                              .unit = config->unit,
                                              .expression = config->expression};
    aws_region_check(config->region, node, problems);
    aws_role_check(config->role, node, problems);
    check_dimensions(&config->dimensions, node, problems);
    check_inputs(config, node, problems);
    if (problems->count == before) // a misspelt name would only be said a second time
        check_queries(config, node, problems);
    if (problems->count == before)
        check_comparing(config, node, problems);
    check_max(config, node, problems);
    if (!cloudwatch_is_period(config->every_ms))
        problem_at(problems, gauge_position(node, "every"),
                   "`every` must be 1s, 5s, 10s, 20s, 30s, or whole minutes up to 1h");
    if (config->timeout_ms < 1000 || config->timeout_ms > 120000)
        problem_at(problems, gauge_position(node, "timeout"),
                   "`timeout` must be between 1s and 2m");
}

const struct shape cloudwatch_shape = {
    .name = "cloudwatch",
    .size_bytes = sizeof(struct cloudwatch_config),
    .fields = cloudwatch_fields,
    .check = check,
    .doc = "Asks Amazon CloudWatch.",
};

bool cloudwatch_is_rate(const struct cloudwatch_config *config)
{
    return config->bad || config->total;
}

bool cloudwatch_compares(const struct cloudwatch_config *config)
{
    return has_revision(config, cloudwatch_is_rate(config) ? config->total : &config->gauge);
}

int64_t cloudwatch_period_ms(const struct cloudwatch_config *config)
{
    bool adds_up = cloudwatch_is_rate(config) && config->every_ms > MS_MINUTE;
    return adds_up ? MS_MINUTE : config->every_ms;
}
