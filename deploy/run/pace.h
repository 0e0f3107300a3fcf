// At what pace a release goes through a stage: the stage's own steps, bakes and approvals, and what
// replaces or adds to them. An emergency has its own, and nothing else counts but the approvals
// that risks demand. Otherwise the most careful of season, `by_risk` and the risks' own demands
// holds: all of their steps, the longest bakes, the most approvals.
//
//     struct pace pace;
//     if (!pace_resolve(&arena, request, &pace, err)) ...
#ifndef DEPLOY_RUN_PACE_H
#define DEPLOY_RUN_PACE_H

#include "deploy/run/resolve.h"

struct pace {
    struct shape_list steps; // of struct step_settings; none = the stage's own
    int64_t step_bake_ms, bake_ms;
    int64_t approvals; // wherever people are asked; 0 = as the stage says
    str risk_why;      // what the release's risk changed, and why; empty = nothing
};

// ERROR_DENIED: more approvals are demanded than the stage has people for. In the arena.
bool pace_resolve(struct arena *arena, const struct resolve_request *request, struct pace *ret,
                  struct error *err);

#endif
