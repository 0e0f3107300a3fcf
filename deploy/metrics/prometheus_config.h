// The configuration of a Prometheus metric: its field table.
#ifndef DEPLOY_METRICS_PROMETHEUS_CONFIG_H
#define DEPLOY_METRICS_PROMETHEUS_CONFIG_H

#include "gate/doc/shape.h"

struct prometheus_burn {
    struct fraction slo;
};

struct prometheus_config {
    str url, token;
    str bad, total; // of a rate
    str query;      // of a gauge
    str max_text;
    double max; // from max_text; < 0 = not given
    int64_t max_failures;
    int compare;                           // 0: with `max`; 1: with the baseline, Mann-Whitney
    struct fraction confidence, tolerance; // of that
    bool confidence_given, tolerance_given;
    struct prometheus_burn *burn_rate; // of a rate; null = it is not judged so
    int64_t every_ms, lag_ms, timeout_ms;
};

extern const struct shape prometheus_shape;

bool prometheus_is_rate(const struct prometheus_config *config);
bool prometheus_compares(const struct prometheus_config *config); // canary with baseline

#endif
