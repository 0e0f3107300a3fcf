// Another policy over a recorded decision: what the gate would have said. Judged from the reports
// that the ledger keeps; where some are not at hand, from the figures that the decision has, and
// what neither can tell is named.
//
//     struct replay replay = {.call = call, .ledger = d.ledger, .repository = d.repository, …};
//     if (!replay_policy(&replay, "strict.yml")) ...
//     if (!replay_decision(&replay, position, &run)) ...
#ifndef ACTIONS_CLI_REPLAY_H
#define ACTIONS_CLI_REPLAY_H

#include "actions/cli/command.h"
#include "actions/cli/config.h"
#include "deploy/record/ledger.h"
#include "gate/policy.h"

struct replay {
    struct invocation *call; // everything that results lives in its arena
    struct ledger *ledger;
    struct repository *repository;
    const char *root;
    struct policy policy;
    struct config config;
};

struct replayed_finding {
    const char *id, *message;
    enum verdict verdict;
    bool by_figure; // not from the report, but from the figure that was recorded of it
};

struct unjudged { // what could not be judged again
    const char *id;
    const char *why;
    enum verdict recorded; // what it was then, which stands
};

struct replayed {
    char id[EVENT_ID];
    int64_t time_ms;
    const char *commit;
    enum verdict was, would;
    struct replayed_finding *stops; // held or blocked by the other policy
    size_t stop_count, stop_room;
    struct unjudged *unjudged;
    size_t unjudged_count, unjudged_room;
    size_t reports, reports_at_hand;
};

// False with call->error set.
bool replay_policy(struct replay *replay, const char *path);
// The gate.decided at that place of the ledger.
bool replay_decision(struct replay *replay, size_t position, struct replayed *ret);

#endif
