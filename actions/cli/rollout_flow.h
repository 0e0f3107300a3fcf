// One stage's rollout from preflight to its end, as rollout, resume and rollback share it.
//
//     struct flow flow = {.d = &d, .stage = stage, …};
//     if (flow_prepare(&flow, &request)) status = flow_drive(&flow);
//     flow_done(&flow);
#ifndef ACTIONS_CLI_ROLLOUT_FLOW_H
#define ACTIONS_CLI_ROLLOUT_FLOW_H

#include "actions/cli/approval_desk.h"
#include "actions/cli/deployment.h"
#include "actions/cli/queue.h"

struct flow_request {
    str release;
    const char *commit;              // 40 digits
    const char *const *artifacts;    // "TARGET=DIGEST or PATH"; ends with null
    const char *const *first;        // targets whose first deployment is allowed; ends with null
    const char *no_return;           // why a release without a way back may go; null: it may not
    struct plan_emergency emergency; // severity empty: it is none
};

struct flow {
    struct deployment *d;
    const struct stage_settings *stage;
    struct stage_run run;
    struct plan *plan;
    struct rollout_state *state;        // of a resumed one; null starts anew
    const struct placement *placements; // likewise
    bool force;                         // fence out whoever runs
    bool suspend;                       // return instead of waiting for people,
    bool stay;                          // but not while the release has traffic
    bool as_found;                      // what is found held may be left so, whoever watches it
    bool overdue;                       // its own: see rehearsal_is_overdue
    bool leave; // a signal lets go of it instead of cancelling it: another process goes on
    bool deaf;  // a signal does not end it: it brings back what this process has taken away
    struct queue_place *place; // in the queue, left once it has begun; null = none
    // results
    enum rollout_phase phase;
    bool interrupted;
    bool held;    // somebody holds it while it waits for an answer: an approval alone does not do
    bool refused; // it never held the lease
    char why[ROLLOUT_TEXT];
    // It needs nobody and no process until the calendar lets it go on: why, and from when on (it
    // may be ZONE_NEVER). Null: that is not what it waits for.
    const char *thaw;
    int64_t thaw_ms;
    int64_t bakes_ms; // it was left in a bake, which lasts until then; 0 = it was not
};

// Opens targets and metrics, packs artifacts, and makes the plan; refuses before anything is
// touched. False with call->error set.
bool flow_prepare(struct flow *flow, const struct flow_request *request);
// The same for a rollout that the ledger knows: its plan, state and placements are set already.
bool flow_prepare_again(struct flow *flow);
// Runs it to a terminal or resumable state. Returns the exit code; call->error is set when it could
// not be carried out.
int flow_drive(struct flow *flow);
void flow_done(struct flow *flow);

// It waits for the calendar alone: nothing has traffic, and nobody has to say anything any more.
bool flow_is_only_frozen(const struct plan *plan, const struct rollout_state *state);
// Of a rollout that the ledger knows: does it wait for the calendar alone, before it has any
// traffic, and does the newest calendar still say so? Sets flow->thaw. Asks the remote.
bool flow_waits_for_thaw(struct flow *flow);

// The exit code and the outputs of where a rollout stands.
int flow_outcome(const struct flow *flow);

// How long a bake goes on that no process drives, and who wakes it meanwhile.
void flow_bakes(const struct watch_settings *watch, int64_t until_ms, struct text *out);

// What a person does next about a rollout that stands there; nothing where nothing is to be done.
void flow_next(const struct plan *plan, enum rollout_phase phase, struct text *out);

#endif
