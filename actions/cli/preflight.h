// What a new rollout is refused for before anything is recorded or touched; `sluice plan` says the
// same of the plan. A rollout that is under way is never asked again, and a rollback never at all.
//
//     if (preflight_look(d, &run) && plan_resolve(…, &plan, err) &&
//         preflight_plan(d, &run, plan, &found)) …
#ifndef ACTIONS_CLI_PREFLIGHT_H
#define ACTIONS_CLI_PREFLIGHT_H

#include "actions/cli/deployment.h"
#include "deploy/engine/detect.h"

struct preflight {
    struct detect_step steps[LIMIT_STEPS];
    const struct detect_traffic *traffic; // one for each watch, in the order of plan_watch
    int64_t way_back_ms; // the shortest of the newest ways back; 0 = none was measured
};

// Asks the metrics for today's traffic, at most 30 s, and the ledger for how long the way back
// took. False, with call->error set: a step cannot see the regression that `analysis.detect` names,
// or the way back takes longer than `rollback.time_limit` (ERROR_INPUT). Then *ret is filled too.
// Where no metric tells today's traffic, what a step sees is unknown, and refuses nothing.
//
// What the metrics tell of how bursty their traffic was is noted in the plan: the e-process begins
// with it.
bool preflight_plan(struct deployment *d, const struct stage_run *run, struct plan *plan,
                    struct preflight *ret);

// One question, as a rollout will ask it of a revision, with at most 30 s for the answer. That the
// source has no figures is no failure; that it does not answer, or may not be asked, is.
bool preflight_ask(struct deployment *d, const struct run_metric *metric,
                   const struct metric_traits *traits, str target, str revision, struct error *err);

// Looks at every target of the stage at once, at most 30 s each. False, with call->error set, when
// a part of one cannot be looked at or changed. Several are said on standard error, one a line.
// ERROR_REMOTE; ERROR_INPUT when all of it is the configuration's (a key file that is not there).
bool preflight_look(struct deployment *d, const struct stage_run *run);

#endif
