// The configuration of a Prometheus metric: its field table.
#ifndef DEPLOY_METRICS_PROMETHEUS_CONFIG_H
#define DEPLOY_METRICS_PROMETHEUS_CONFIG_H

#include "deploy/metrics/gauge.h"

struct prometheus_burn {
    struct fraction slo;
};

struct prometheus_config {
    str url, token;
    str bad, total;                    // of a rate
    str query;                         // of a gauge
    struct gauge bound;                // of a gauge; of a rate, only `max`
    struct prometheus_burn *burn_rate; // of a rate; null = it is not judged so
    int64_t every_ms, lag_ms, timeout_ms;
};

extern const struct shape prometheus_shape;

bool prometheus_is_rate(const struct prometheus_config *config);
bool prometheus_compares(const struct prometheus_config *config); // canary with baseline

#endif
