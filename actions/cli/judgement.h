// What `gate` and `explain` have in common: where we stand, by which policy, and what it says.
//
//     struct judgement judgement = {0};
//     if (judgement_make(call, &judgement)) print(&judgement.gate.decision);
//     judgement_done(&judgement);
#ifndef ACTIONS_CLI_JUDGEMENT_H
#define ACTIONS_CLI_JUDGEMENT_H

#include "actions/cli/command.h"
#include "actions/cli/config.h"
#include "gate/gate.h"

struct judgement {
    bool wants_score;           // set before: the release risk score, register or not
    unsigned score_window_days; // set before: that commits are counted over; 0 = as the gate does
    struct repository *repository; // null = none
    const char *root;              // of the working tree, '/' at its end; "" = current folder
    struct policy policy;
    struct config config;
    struct gate gate;
};

// The options that both commands take: --base, --at.
#define JUDGEMENT_OPTIONS                                                                          \
    {.name = "base",                                                                               \
     .argument = "REV",                                                                            \
     .help = "Judge the change since the merge base with REV (default: first parent)."},           \
    {                                                                                              \
        .name = "at", .argument = "TIME", .help = "Judge as of this moment (RFC 3339)."            \
    }

// False with call->error set. judgement_done is due in either case.
bool judgement_make(struct invocation *call, struct judgement *judgement);
void judgement_done(struct judgement *judgement);

// The working tree and the path of the configuration in it.
bool judgement_open_tree(struct invocation *call, struct judgement *judgement,
                         struct policy_request *request);

#endif
