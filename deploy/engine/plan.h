// The resolved plan of one stage of a rollout: what the engine needs and nothing else. It is
// frozen in the record `rollout.planned` before anything is touched.
//
// A release goes through the stages of the configuration one after another; each is a rollout of
// its own, with its own plan, claim and record. Shares are parts per million of the target.
#ifndef DEPLOY_ENGINE_PLAN_H
#define DEPLOY_ENGINE_PLAN_H

#include "deploy/engine/calendar.h"
#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/limits.h"
#include "gate/judge/compare.h"
#include "gate/judge/dispersion.h"

#include <stdint.h>

#define SHARE_ALL 1000000u // 100 %
// What judges a stage at most: the metrics of the configuration, and of each target the probe that
// its `health` implies.
#define PLAN_METRICS (LIMIT_METRICS + LIMIT_TARGETS)

enum plan_mode {
    PLAN_FORWARD,  // bring a release out, in steps
    PLAN_ROLLBACK, // bring all targets back to `good` (or to the release named), at full speed
};

// A release as one target knows it.
struct placement {
    str release; // "v812"; empty = nothing
    str commit;
    str digest;   // of the artifact on this target: "sha256:…"
    str revision; // what the target itself calls it, as observed
    str memory;   // the target's own opaque state (JSON) when it was known good
};

struct plan_target {
    str name;
    struct placement good; // where a revert goes; release empty = first deployment, allowed by name
    struct placement next; // what is brought out; revision filled once staged
    // What each step becomes on this target, rounded as its kind does (hosts: up to whole ones);
    // step_count long. Null: the shares of the steps as they stand.
    const uint32_t *shares;
    // In each step the lower ranks move, and settle, before the higher ones begin. A revert knows
    // no order: every target goes back at once.
    uint32_t rank;
    // The release changes what this target stores in a way that known good cannot live with, once
    // it is staged: one sentence of what. Empty = nothing does. No breach then sends it back by
    // itself: the rollout is held, loudly, and a person decides.
    str no_return;
    // The share is one of requests, not of hosts: exposures must match it, else the step is
    // aborted (sample-ratio mismatch).
    bool weighted;
};

enum judge_kind {
    JUDGE_RATE,      // bad of total, canary against baseline: the e-process
    JUDGE_THRESHOLD, // a value against a bound, with patience
    JUDGE_COMPARE,   // values of the canary against those of the baseline: Mann-Whitney's test
    JUDGE_BURN,      // how fast the error budget burns, over several windows
};

struct plan_metric {
    str name;
    enum judge_kind judge;
    int64_t every_ms; // interval between samples
    int64_t lag_ms;   // how late figures settle
    bool own;         // its source can tell only of the time in which it is asked
    double max;       // THRESHOLD: values above are bad. RATE: the highest share of bad that is
                      // accepted where no baseline exists; < 0 = not given
    uint32_t failure_limit;      // THRESHOLD: bad values tolerated
    uint32_t error_limit;        // consecutive samples without an answer before the metric is blind
    uint32_t inconclusive_limit; // likewise all those of a bake; 0 = any number
    double min_requests; // RATE: canary exposures that a step needs before it may pass. BURN:
                         // events that a long window needs before it says anything
    double budget;       // BURN: the share that may be bad, 1 - SLO
    double confidence;   // COMPARE: two-sided, of all looks of the stage together
    double slack;        // COMPARE: the interval must lie above this share of the shift
    // RATE: for each target, how bursty it was before the rollout; null = it could not be asked.
    const struct dispersion *known;
    uint32_t *targets; // indexes into plan.targets that it watches
    uint32_t target_count;
};

struct plan_approval {
    uint32_t count; // answers needed; 0 = no approval
    str *from;      // logins; who of them may not answer is decided before the engine sees it
    uint32_t from_count;
    bool prevent_self_review;
    int64_t expires_after_ms; // 0 = never
};

struct plan_step {
    uint32_t share_ppm;            // rising; the last is SHARE_ALL
    struct plan_approval approval; // before this step
};

// A person's decision to go out in a hurry: fewer steps, and past windows and the freezes that
// allow it.
struct plan_emergency {
    str severity; // "P1" to "P4"; empty = it is none
    str incident; // what it mends: "INC-7", "PD-1234"
    str reason;
    str overrides;            // what forbade it: "freeze enrolment night"; empty = nothing did
    int64_t review_within_ms; // after it went out
};

enum inconclusive_then { INCONCLUSIVE_HOLD, INCONCLUSIVE_ABORT };

struct plan {
    enum plan_mode mode;
    str rollout; // id: "v812-production-1"
    str release;
    str commit;
    str environment; // what the claim holds: by default the stage's name
    str stage;
    struct plan_approval approval; // before anything is touched
    struct plan_target *targets;
    uint32_t target_count;
    struct plan_metric *metrics;
    uint32_t metric_count;
    struct plan_step steps[LIMIT_STEPS];
    uint32_t step_count;
    int64_t step_bake_ms, bake_ms;
    int64_t settle_limit_ms;   // a command that has not settled by then has failed
    int64_t rollback_limit_ms; // a revert that has not been verified by then is stuck
    double alpha;              // false aborts of a good release, of all processes together
    double tolerance;          // r0: how much worse is still fine
    double detect_ratio;       // the regression that every step must be able to see
    double detect_power;
    uint32_t extend; // how often an inconclusive bake is extended
    enum inconclusive_then then;
    bool rollback_on_cancel; // a cancelled run reverts (else it holds)
    str reason;              // of a rollback by hand
    bool rehearsal;          // of a rollback: on purpose, nothing is wrong with what is left
    str incident;            // severity that an abort of its own opens: "P2"; empty is P2
    // What the calendar said when this was planned. Freezes are read again while it runs.
    struct calendar calendar;
    str risk_why;           // what the release's risk changed in it, and why; empty = nothing
    str season, season_why; // whose steps, bakes and approvals these are; empty = none
    struct plan_emergency emergency;
};

// Number of e-processes: one per rate metric and target that it watches, at least 1 (K).
unsigned plan_processes(const struct plan *plan);

// The rule by which a JUDGE_COMPARE metric judges.
struct compare plan_compare(const struct plan *plan, const struct plan_metric *metric);
// The upper bound of phi (gate/judge/dispersion.h) once the rollout itself has seen `own`. A source
// that could be asked about the time before begins with what it told, or with the caution of having
// been told nothing. One that cannot be asked, as it makes its own few requests, begins with 1,
// until a baseline that fails now and then has told better.
double plan_phi(const struct plan_metric *metric, uint32_t nth_target,
                const struct dispersion *own);
// The phi with which the rollout begins.
double plan_dispersion(const struct plan_metric *metric, uint32_t nth_target);

// How long a bake must be for the metric to answer at all: its lag and one interval; for
// JUDGE_COMPARE as many intervals as it needs values, and one more.
int64_t plan_answer_ms(const struct plan_metric *metric);

// Index of the (metric, target) pair in rollout_state.watches, in the order metrics × their
// targets.
uint32_t plan_watch_count(const struct plan *plan);
uint32_t plan_watch(const struct plan *plan, uint32_t metric, uint32_t nth_target);

// The share of `step` on `target`: plan_target.shares where given.
uint32_t plan_share(const struct plan *plan, uint32_t target, uint32_t step);
// How long the bake after `step` lasts: bake_ms after the last one, else step_bake_ms.
int64_t plan_bake_ms(const struct plan *plan, uint32_t step);
// The part of alpha that the e-processes share: all of it, or nine tenths when a weighted target
// leaves one tenth to the check of the sample ratio.
double plan_alpha(const struct plan *plan);
double plan_ratio_alpha(const struct plan *plan); // that tenth for one look; 0 = not checked

// Checks that hold for every plan: rising steps that end at 100 %, a bake not shorter than a
// metric's lag plus its interval, sane numbers. ERROR_INPUT says the change that mends it.
bool plan_check(const struct plan *plan, struct error *err);

#endif
