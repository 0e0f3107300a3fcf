// The configuration of a Cloud Monitoring metric: its field table, and what it means.
#ifndef DEPLOY_METRICS_CLOUD_MONITORING_CONFIG_H
#define DEPLOY_METRICS_CLOUD_MONITORING_CONFIG_H

#include "deploy/metrics/gauge.h"

struct monitoring_query { // PromQL, or a filter of time series
    str query;
    str filter, aligner, reducer;
    bool sparse; // of `bad`: no point beside one of `total` is none
};

struct monitoring_config {
    str project; // in place of that of `google`
    str query;   // as they stand in the section; the check moves them into `value`
    str filter, aligner, reducer;
    struct monitoring_query *bad, *total; // of a rate; else null
    struct monitoring_query value;
    struct gauge bound;
    int64_t every_ms, lag_ms, timeout_ms;
};

extern const struct shape monitoring_shape;

bool monitoring_is_rate(const struct monitoring_config *config);
// The release is told from the baseline: some query names `${revision}`.
bool monitoring_compares(const struct monitoring_config *config);

#endif
