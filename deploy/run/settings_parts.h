// What settings*.c and resolve.c share: of settings_fields.c the field tables, of settings_checks.c
// the checks. Not for others.
#ifndef DEPLOY_RUN_SETTINGS_PARTS_H
#define DEPLOY_RUN_SETTINGS_PARTS_H

#include "deploy/engine/engine.h"
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
    int64_t max_errors, max_inconclusive; // 0 = not given
};

extern const struct shape rollout_shape, metric_common_shape, step_shape;
extern const char *const severity_names[]; // by incident_settings.on_rollback; ends with null

// A view of a map: only the listed keys, or only the others. The children are copies; what they
// hold is not.
const struct node *settings_part(struct arena *arena, const struct node *map,
                                 const char *const *keys, bool listed);

// The fields of struct pace_settings; `within` is how they are reached from `type`: `pace.`, or
// nothing.
#define PACE_FIELDS(type, within)                                                                  \
    {.key = "steps",                                                                               \
     .kind = SHAPE_LIST,                                                                           \
     .offset = offsetof(type, within steps),                                                       \
     .shape = &step_shape,                                                                         \
     .min = 1,                                                                                     \
     .max = LIMIT_STEPS,                                                                           \
     .doc = "In place of the steps of the stage; approvals before steps stay."},                   \
        {.key = "step_bake",                                                                       \
         .kind = SHAPE_DURATION,                                                                   \
         .offset = offsetof(type, within step_bake_ms),                                            \
         .given = offsetof(type, within has_step_bake) + 1,                                        \
         .doc = "In place of the `step_bake` of the stage."},                                      \
        {.key = "bake",                                                                            \
         .kind = SHAPE_DURATION,                                                                   \
         .offset = offsetof(type, within bake_ms),                                                 \
         .given = offsetof(type, within has_bake) + 1,                                             \
         .doc = "In place of the `bake` of the stage."},                                           \
    {                                                                                              \
        .key = "approvals", .kind = SHAPE_INT, .offset = offsetof(type, within approvals),         \
        .min = 1, .max = ROLLOUT_ANSWERS,                                                          \
        .doc = "How many must agree, wherever a stage asks people: in place of `count`."           \
    }

// Steps (of struct step_settings) rise, and the last is 100 %. None are fine.
void settings_check_steps(const struct shape_list *steps, struct problems *problems);

// Says it when what people call a thing (`what`: "stage") could be read as something else.
void settings_check_name(const char *what, str name, struct position at, struct problems *problems);
// The same of a field of a map; one that is not there is fine.
void settings_check_name_of(const char *what, const struct node *map, const char *key,
                            struct problems *problems);

// Where `key` of a map stands, or the map itself.
struct position settings_at(const struct node *map, const char *key);
// Where the n-th item of a list stands, or the list itself.
struct position settings_item_at(const struct node *list, size_t n);

#endif
