// The configuration of a probe: its field table, and how it is judged.
#ifndef DEPLOY_METRICS_PROBE_CONFIG_H
#define DEPLOY_METRICS_PROBE_CONFIG_H

#include "gate/doc/shape.h"

struct probe_config {
    str url, contains;
    int64_t every_ms, timeout_ms;
    int64_t max_latency_ms; // 0 = any
    int64_t requests;
    struct shape_list status; // of str; none = 200
    int64_t max_failures;     // 0 = not given
    struct fraction max;      // den 0 = not given
};

extern const struct shape probe_shape;

// A threshold over rounds, else a rate of bad requests.
bool probe_is_threshold(const struct probe_config *config);
// The URL is the same for every host: canary and baseline cannot be told apart.
bool probe_is_fixed(const struct probe_config *config);
bool probe_expects(const struct probe_config *config, long status);

#endif
