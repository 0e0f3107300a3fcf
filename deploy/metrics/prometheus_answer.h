// One number out of an answer of Prometheus' query API (also Mimir, Thanos, Cloud Monitoring).
//
//     if (!prometheus_number(&arena, 200, body, &found, &why)) say(why);
#ifndef DEPLOY_METRICS_PROMETHEUS_ANSWER_H
#define DEPLOY_METRICS_PROMETHEUS_ANSWER_H

#include "gate/base/arena.h"

#include <stdint.h>

struct prometheus_found {
    bool empty; // the query is well but has no series: there is no number
    double number;
};

// False when the answer cannot be used: an error, a warning (the figure may be partial), several
// series, NaN, an infinity, or not the shape of an answer; *why then says it, in the arena.
bool prometheus_number(struct arena *arena, long status, str body, struct prometheus_found *ret,
                       const char **why);

// The same of a range query, whose steps are `count` moments from `start_ms` on, `step_ms` apart:
// ret_values[i] is the value at the i-th, NaN where there is none that can be used. An answer
// without any series gives NaN everywhere.
bool prometheus_range(struct arena *arena, long status, str body, int64_t start_ms, int64_t step_ms,
                      size_t count, double *ret_values, const char **why);

#endif
