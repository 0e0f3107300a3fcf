// One number out of an answer of Prometheus' query API (also Mimir, Thanos, Cloud Monitoring).
//
//     if (!prometheus_number(&arena, 200, body, &found, &why)) say(why);
#ifndef DEPLOY_METRICS_PROMETHEUS_ANSWER_H
#define DEPLOY_METRICS_PROMETHEUS_ANSWER_H

#include "gate/base/arena.h"

struct prometheus_found {
    bool empty; // the query is well but has no series: there is no number
    double number;
};

// False when the answer cannot be used: an error, a warning (the figure may be partial), several
// series, NaN, an infinity, or not the shape of an answer; *why then says it, in the arena.
bool prometheus_number(struct arena *arena, long status, str body, struct prometheus_found *ret,
                       const char **why);

#endif
