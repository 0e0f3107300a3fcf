// The timings of one name in all reports at hand: each report is a run.
#ifndef GATE_RULES_PERFORMANCE_RUNS_H
#define GATE_RULES_PERFORMANCE_RUNS_H

#include "gate/rules/performance_demands.h"
#include "gate/rules/rule.h"

struct runs {
    str name; // empty = the whole run
    const struct timing *const *rows;
    size_t count;
};

// All names, bytewise, each with its rows in the order of the reports; the whole run first.
struct runs_list {
    struct runs *items;
    size_t count;
};
struct runs_list runs_of(struct arena *arena, const struct timings *timings);

double runs_figure(const struct timing *row, enum timing_figure figure);
// The figures that the runs say, NaN left out; *ret holds `runs->count` at most.
size_t runs_figures(struct arena *arena, const struct runs *runs, enum timing_figure figure,
                    double **ret);

const char *runs_shown(struct findings *out, str name);    // "GET /x", "all requests"
const char *runs_ms(struct findings *out, double ms);      // "312.4 ms": rounded up to 1/1000
const char *runs_where(struct findings *out, size_t runs); // "", " (median of 3 runs)"

// The demands of one endpoint on its runs.
void performance_judge_endpoint(const struct rule_context *context,
                                const struct endpoint_demand *demand, const struct runs *runs,
                                struct findings *out);
// The comparison with the baseline.
void performance_judge_increase(const struct rule_context *context,
                                const struct endpoint_demand *demand, const struct runs *runs,
                                struct findings *out);

#endif
