// What the configuration demands under `gate: performance:`.
//
//     endpoints:
//       "GET /api/courses": {p95: 300ms, max_increase: 10%, compare: mann-whitney, min_runs: 8}
//       all: {error_rate: 1%}
//     soak_test: {duration: 2h, error_rate: 0.1%}
//
// The key of an endpoint is the name that a report has for it, a pattern of names, or `all` for the
// whole run.
#ifndef GATE_RULES_PERFORMANCE_DEMANDS_H
#define GATE_RULES_PERFORMANCE_DEMANDS_H

#include "gate/doc/shape.h"

// Which figure of a row: of these, the record of earlier runs has p50, p95, p99 and the mean.
enum timing_figure {
    FIGURE_P50,
    FIGURE_P90,
    FIGURE_P95,
    FIGURE_P99,
    FIGURE_MEAN,
    FIGURE_MAX,
    TIMING_FIGURES
};
const char *timing_figure_name(enum timing_figure figure); // "p50", …, "mean", "max"

enum timing_compare { COMPARE_MEDIANS, COMPARE_MANN_WHITNEY };

struct endpoint_demand {
    str pattern;
    int64_t most_ms[TIMING_FIGURES]; // 0 = not demanded
    struct fraction max_increase;    // den 0 = not demanded
    int compare;                     // enum timing_compare
    int64_t min_runs;                // on each side, for mann-whitney
    int64_t queries;                 // of one request, at most
    struct fraction error_rate;      // den 0 = not demanded
    bool compare_given, min_runs_given, queries_given;
    struct position at;
};

struct soak_demand {
    int64_t duration_ms;
    struct fraction error_rate; // den 0 = not demanded
    struct position at;
};

struct performance_demands {
    struct shape_list endpoints; // struct endpoint_demand
    struct soak_demand *soak;    // null = none
    struct position at;
};

extern const struct shape performance_demands_shape;

#define ENDPOINT_ALL "all"
// The demand on requests of that name (empty: the whole run), or null. A name itself wins over
// patterns; of these the longest literal prefix wins, then the longer pattern, then the first.
const struct endpoint_demand *endpoint_demand_of(const struct performance_demands *demands,
                                                 str name);

#endif
