// What settings.c and resolve.c need of settings_fields.c (field tables). Not for others.
#ifndef DEPLOY_RUN_SETTINGS_PARTS_H
#define DEPLOY_RUN_SETTINGS_PARTS_H

#include "deploy/run/settings.h"

struct detect_settings {
    double ratio;
    struct fraction power;
};

struct inconclusive_settings {
    int64_t extend;
    int then;
};

struct analysis_section { // of analysis_shape
    struct fraction false_positive_rate;
    double max_ratio;
    struct detect_settings detect;
    int64_t min_requests;
    struct inconclusive_settings inconclusive;
};

struct rollout_section { // of rollout_shape
    struct shape_list stages;
};

struct metric_common { // of metric_common_shape: what every source has
    struct shape_list targets;
    str runbook;
};

extern const struct shape rollout_shape, metric_common_shape;
extern const char *const severity_names[]; // by incident_settings.on_rollback; ends with null

// Where `key` of a map stands, or the map itself.
struct position settings_at(const struct node *map, const char *key);
// Where the n-th item of a list stands, or the list itself.
struct position settings_item_at(const struct node *list, size_t n);

#endif
