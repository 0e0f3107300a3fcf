// The rollout half of the configuration: `targets`, `metrics`, `rollout`, `analysis`, `rollback`.
// Names are resolved here: a stage names targets and metrics, a target or metric names its kind.
#ifndef DEPLOY_RUN_SETTINGS_H
#define DEPLOY_RUN_SETTINGS_H

#include "deploy/cloud/aws_settings.h"
#include "deploy/cloud/google_settings.h"
#include "deploy/metrics/metric.h"
#include "deploy/targets/target.h"

struct target_settings {
    str name;
    const struct target_kind *kind;
    const void *config; // the struct of kind->shape
    struct position at;
};

struct metric_settings {
    str name;
    const struct metric_kind *kind;
    const void *config;
    struct shape_list targets; // of str: those that it watches; none = all of the stage
    str runbook;
    int64_t max_errors, max_inconclusive; // 0 = not given
    bool implied; // made from the `health` of its one target: judges every stage of that target
    struct position at;
};

struct approval_settings {
    struct shape_list from; // of str
    int64_t count;
    bool prevent_self_review;
    int64_t expires_after_ms;
};

struct step_settings {
    struct fraction to;
    struct approval_settings *approval;
    struct position at;
};

// What replaces a stage's own for a while, or for a class of risk.
struct pace_settings {
    struct shape_list steps; // of struct step_settings; none = the stage's own
    int64_t step_bake_ms, bake_ms;
    bool has_step_bake, has_bake;
    int64_t approvals; // how many must agree, wherever people are asked; 0 = as the stage says
};

struct by_risk_settings { // by the class of the release risk score; null = as the stage says
    struct pace_settings *low, *medium, *high; // high also where nothing is scored
};

struct stage_settings {
    str stage, after, environment;
    struct approval_settings *approval;
    struct shape_list targets; // of str
    struct shape_list order;   // of str: those of them that move before the others
    bool independent;
    struct by_risk_settings *by_risk; // null = risk chooses nothing
    struct shape_list steps;          // of struct step_settings
    struct shape_list metrics;        // of str; none = all
    int64_t step_bake_ms, bake_ms;
    int64_t settle_limit_ms; // 0 = not given
    struct position at;
};

struct analysis_settings {
    struct fraction false_positive_rate, power;
    double max_ratio, detect_ratio;
    int64_t min_requests, extend;
    int then; // enum inconclusive_then
};

struct rollback_settings {
    int64_t time_limit_ms;
    int on_cancel;             // 0 rollback, 1 hold
    int64_t rehearse_every_ms; // 0 = not given
};

struct watch_settings {
    str by;           // for people
    int64_t every_ms; // 0 = nothing is named
    int64_t late_ms;
};

struct severity_settings {
    int64_t acknowledge_ms, resolve_ms; // how long until it is taken, and over; 0 = not said
    int64_t review_within_ms;           // 0 = needs no review
};

enum { SEVERITY_COUNT = 4 };

struct incident_settings {
    int on_rollback;                                   // severity - 1
    struct severity_settings severity[SEVERITY_COUNT]; // of P1 to P4
    str reviews;                                       // folder, without a '/' at its end
};

struct deploy_settings {
    struct target_settings *targets;
    size_t target_count;
    struct metric_settings *metrics;
    size_t metric_count;
    const struct stage_settings *stages;
    size_t stage_count;
    struct analysis_settings analysis;
    struct rollback_settings rollback;
    struct watch_settings watch;
    struct incident_settings incidents;
    struct aws_account aws; // of all targets and metrics, unless they say otherwise
    struct google_account google;
};

extern const struct shape stage_shape, analysis_shape, rollback_shape, incidents_shape,
    watch_shape; // for the JSON schema

// Binds `targets`, `metrics`, `rollout`, `analysis` and `rollback` of the configuration's root,
// each target and metric by its kind, and resolves names. A target's `health` implies a probe,
// unless a metric of one's own probes the same URL. A target in two environments is refused. False
// when it added to `problems`; *ret is then usable only for looking further.
//
//     struct deploy_settings settings;
//     if (!deploy_settings_bind(&arena, root, &settings, &problems)) say(&problems);
//     const struct stage_settings *stage = stage_of(&settings, STR("production"));
bool deploy_settings_bind(struct arena *arena, const struct node *root, struct deploy_settings *ret,
                          struct problems *problems);

// Within what time what is suspended is woken; 0 = nobody is named who would.
int64_t watch_wakes_ms(const struct watch_settings *watch);
const struct stage_settings *stage_of(const struct deploy_settings *settings, str name);
const struct target_settings *target_of(const struct deploy_settings *settings, str name);

#endif
