// One thing that people are told about a rollout: what happened, where, why, from which release to
// which, who is asked, and what to do about it. Made from the plan and the state alone, so that
// another process that reads them from the ledger makes the same; everything in it is copied, so
// that it may be sent later.
//
//     struct notice notice;
//     notice_make(&arena, &(struct notice_source){.plan = plan, .state = state,
//                                                 .event = NOTICE_HELD, .time_ms = now}, &notice);
//     format->render(&notice, &out);
#ifndef DEPLOY_NOTIFY_NOTICE_H
#define DEPLOY_NOTIFY_NOTICE_H

#include "deploy/engine/engine.h"

enum notice_event {
    NOTICE_STARTED,     // a release begins to go out; a rollback by hand does not start twice
    NOTICE_WAITING,     // for an approval
    NOTICE_HELD,        // a person must decide
    NOTICE_ROLLED_BACK, // by itself or by hand, and seen to be back
    NOTICE_STUCK,       // the way back could not be verified
    NOTICE_DONE,
    NOTICE_DENIED,
    NOTICE_CANCELLED,
    NOTICE_COUNT,
};

struct notice_runbook { // of a metric
    str metric, runbook;
};

struct notice_source { // only read
    const struct plan *plan;
    const struct rollout_state *state;
    enum notice_event event;
    int64_t time_ms;
    bool late;                // another process should have told it
    const char *const *steps; // command lines that answer it; ends with null; may be null
    const struct notice_runbook *runbooks;
    size_t runbook_count;
    str link; // of the run, https; may be empty
};

struct notice_target {
    str name, from, to; // releases; from is empty where there was none
};

struct notice {
    enum notice_event event;
    // "v812-production-1/waiting/17": the same for the same event, whichever process tells it.
    str id;
    str thread; // the same for all notices of one rollout, unlike any other repository's
    int64_t time_ms;
    bool late;
    str title; // one line
    str why;   // one sentence, may be empty
    str rollout, release, commit, environment, stage, phase;
    str where; // "25 % (step 1 of 3)"; empty when it is about no step
    const struct notice_target *targets;
    size_t target_count;
    const str *asked; // who may answer
    size_t asked_count;
    uint32_t answers_needed; // of them
    const str *commands;
    size_t command_count;
    const str *runbooks;
    size_t runbook_count;
    str link;
};

void notice_make(struct arena *arena, const struct notice_source *source, struct notice *ret);
// The same id without the rest.
str notice_id(struct arena *arena, const struct plan *plan, const struct rollout_state *state,
              enum notice_event event);

// "rolled_back", as the configuration calls it.
const char *notice_event_name(enum notice_event event);
extern const char *const notice_event_names[]; // by notice_event; ends with null
bool notice_ends(enum notice_event event);     // nothing follows it

// What the phase of a rollout has to tell, if anything: HELD is NOTICE_HELD; anything between the
// beginning and the end is that it started.
bool notice_of_state(const struct plan *plan, const struct rollout_state *state,
                     enum notice_event *ret);

#endif
