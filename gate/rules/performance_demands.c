#include "gate/rules/performance_demands.h"

#include "gate/base/glob.h"

const char *timing_figure_name(enum timing_figure figure)
{
    static const char *const names[TIMING_FIGURES] = {"p50", "p90", "p95", "p99", "mean", "max"};
    return names[figure];
}

static const char *const compare_words[] = {"medians", "mann-whitney", NULL};

static bool demands_time(const struct node *node)
{
    for (int i = 0; i < TIMING_FIGURES; i++)
        if (node_get(node, timing_figure_name((enum timing_figure)i)))
            return true;
    return false;
}

static void check_zero(const struct node *node, struct problems *problems,
                       const struct endpoint_demand *demand)
{
    for (int i = 0; i < TIMING_FIGURES; i++) {
        const char *name = timing_figure_name((enum timing_figure)i);
        const struct node *value = node_get(node, name);
        if (value && demand->most_ms[i] == 0)
            problem_at(problems, value->at, "`%s`: no request takes no time", name);
    }
}

static void check_rate(struct fraction rate, const struct node *node, struct problems *problems)
{
    const struct node *value = node_get(node, "error_rate");
    if (value && rate.num > rate.den)
        problem_at(problems, value->at, "`error_rate`: no more than 100%% can fail");
}

static void check_endpoint(void *item, const struct node *node, struct problems *problems)
{
    const struct endpoint_demand *demand = item;
    check_zero(node, problems, demand);
    check_rate(demand->error_rate, node, problems);
    if (node->kind == NODE_MAP && !demands_time(node) && !demand->max_increase.den &&
        !demand->queries_given && !demand->error_rate.den)
        problem_at(problems, node->at,
                   "the endpoint `" STR_FMT "` demands nothing: give a time such as `p95`, "
                   "`max_increase`, `queries` or `error_rate`",
                   STR_ARG(str_shorten(demand->pattern, 80)));
    if (demand->compare_given && !demand->max_increase.den)
        problem_at(problems, node_get(node, "compare")->at,
                   "`compare` says how `max_increase` is judged, which is not given");
    if (demand->min_runs_given && demand->compare != COMPARE_MANN_WHITNEY)
        problem_at(problems, node_get(node, "min_runs")->at,
                   "`min_runs` is what `compare: mann-whitney` needs; without it the medians of "
                   "any number of runs are compared");
}

static void check_soak(void *item, const struct node *node, struct problems *problems)
{
    const struct soak_demand *soak = item;
    check_rate(soak->error_rate, node, problems);
    if (soak->duration_ms == 0)
        problem_at(problems, node_get(node, "duration")->at,
                   "`duration`: a soak test lasts longer than that");
}

#define MOST(field_key, figure, what)                                                              \
    {                                                                                              \
        .key = (field_key), .kind = SHAPE_DURATION,                                                \
        .offset = offsetof(struct endpoint_demand, most_ms) + (figure) * sizeof(int64_t),          \
        .doc = (what)                                                                              \
    }

static const struct shape_field endpoint_fields[] = {
    {.key = "pattern", .kind = SHAPE_KEY, .offset = offsetof(struct endpoint_demand, pattern)},
    MOST("p50", FIGURE_P50, "The median, at most; of several runs their median is judged."),
    MOST("p90", FIGURE_P90, "The 90th percentile, at most."),
    MOST("p95", FIGURE_P95, "The 95th percentile, at most."),
    MOST("p99", FIGURE_P99, "The 99th percentile, at most."),
    MOST("mean", FIGURE_MEAN, "The mean, at most."),
    MOST("max", FIGURE_MAX, "The slowest request, at most."),
    {.key = "max_increase",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct endpoint_demand, max_increase),
     .doc = "How much slower than the baseline, at most: the first of p95, p99, p50 and mean that "
            "is demanded here, else that is reported."},
    {.key = "compare",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct endpoint_demand, compare),
     .choices = compare_words,
     .fallback = "medians",
     .given = offsetof(struct endpoint_demand, compare_given) + 1,
     .doc = "medians: of the runs of both sides. mann-whitney: an increase counts only when it is "
            "significant (p < 0.05, one-sided)."},
    {.key = "min_runs",
     .kind = SHAPE_INT,
     .offset = offsetof(struct endpoint_demand, min_runs),
     .min = 3,
     .max = 10000,
     .fallback = "8",
     .given = offsetof(struct endpoint_demand, min_runs_given) + 1,
     .doc = "Runs (reports) that mann-whitney needs on each side."},
    {.key = "queries",
     .kind = SHAPE_INT,
     .offset = offsetof(struct endpoint_demand, queries),
     .given = offsetof(struct endpoint_demand, queries_given) + 1,
     .doc = "Database queries of one request, at most: finds queries in loops."},
    {.key = "error_rate",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct endpoint_demand, error_rate),
     .doc = "Requests that failed, at most; all runs together, compared exactly."},
    {0},
};
static const struct shape endpoint_shape = {
    .name = "endpoint",
    .size_bytes = sizeof(struct endpoint_demand),
    .fields = endpoint_fields,
    .shorthand = "p95",
    .position_offset = offsetof(struct endpoint_demand, at) + 1,
    .check = check_endpoint,
};

static const struct shape_field soak_fields[] = {
    {.key = "duration",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct soak_demand, duration_ms),
     .required = true,
     .doc = "How long a run must have lasted, at least."},
    {.key = "error_rate",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct soak_demand, error_rate),
     .doc = "Requests of that run that failed, at most; compared exactly."},
    {0},
};
static const struct shape soak_shape = {
    .name = "soak test",
    .size_bytes = sizeof(struct soak_demand),
    .fields = soak_fields,
    .shorthand = "duration",
    .position_offset = offsetof(struct soak_demand, at) + 1,
    .check = check_soak,
};

static const struct shape_field fields[] = {
    {.key = "endpoints",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct performance_demands, endpoints),
     .shape = &endpoint_shape,
     .doc = "Names of requests as the reports have them, patterns of such names, or `all` for the "
            "whole run; and what is demanded of them."},
    {.key = "soak_test",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct performance_demands, soak),
     .shape = &soak_shape,
     .doc = "A long run under load that must have been made."},
    {0},
};
const struct shape performance_demands_shape = {
    .name = "performance",
    .size_bytes = sizeof(struct performance_demands),
    .fields = fields,
    .position_offset = offsetof(struct performance_demands, at) + 1,
    .doc = "What load tests must show.",
};

// How well a pattern fits: 0 = not at all.
static size_t fit_of(str pattern, str name)
{
    if (name.len == 0)
        return str_is(pattern, ENDPOINT_ALL) ? SIZE_MAX : 0;
    if (str_eq(pattern, name))
        return SIZE_MAX;
    if (!glob_is_pattern(pattern) || !glob_match(pattern, name))
        return 0;
    return glob_literal(pattern) * 65536 + (pattern.len < 65535 ? pattern.len : 65535);
}

const struct endpoint_demand *endpoint_demand_of(const struct performance_demands *demands,
                                                 str name)
{
    const struct endpoint_demand *items = demands->endpoints.items, *best = NULL;
    size_t best_fit = 0;
    for (size_t i = 0; i < demands->endpoints.count; i++) {
        size_t fit = fit_of(items[i].pattern, name);
        if (fit > best_fit) {
            best = &items[i];
            best_fit = fit;
        }
    }
    return best;
}
