// From the configuration to one stage's plan: what will happen, in full, before anything does.
//
//     struct plan *plan;
//     if (!plan_resolve(&arena, &(struct resolve_request){.settings = &settings, …}, &plan, err)) …
#ifndef DEPLOY_RUN_RESOLVE_H
#define DEPLOY_RUN_RESOLVE_H

#include "deploy/engine/plan.h"
#include "deploy/record/risk_demands.h"
#include "deploy/run/settings.h"
#include "deploy/run/settings_calendar.h"

struct resolve_request {
    const struct deploy_settings *settings;
    const struct stage_settings *stage;
    enum plan_mode mode;
    str rollout, release, commit, reason;
    // For each target of the stage, in its order: where it goes and where it comes back to.
    const struct placement *next, *good;
    // Likewise plan_target.no_return; null where every target has a way back.
    const str *no_return;
    // The calendar at `now_ms` goes into the plan, and decides whose steps these are; null: there
    // is none, and the stage's own are.
    const struct calendar_settings *calendar;
    int64_t now_ms;
    struct plan_emergency emergency; // severity empty: it is none
    // What the gate's decisions since known good say of its risk; null = nothing is asked.
    const struct release_demands *demands;
    // The opened targets, for rounding shares (hosts: whole ones); null: shares as they stand.
    struct target *const *targets;
};

// Steps that come out equal on every target are one step. The names of the stage must be resolved
// (deploy_settings_bind). ERROR_INPUT with the change that mends it. The plan lives in the arena.
bool plan_resolve(struct arena *arena, const struct resolve_request *request, struct plan **ret,
                  struct error *err);

// The metrics of a plan, as settings: index i of plan->metrics is metrics[i].
const struct metric_settings *const *plan_metrics(struct arena *arena,
                                                  const struct deploy_settings *settings,
                                                  const struct stage_settings *stage,
                                                  size_t *ret_count);

#endif
