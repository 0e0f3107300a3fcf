// Commits that touch each file, over the window of --window, for the parts of `sluice risk`.
#ifndef ACTIONS_CLI_RISK_CHURN_H
#define ACTIONS_CLI_RISK_CHURN_H

#include "actions/cli/command.h"
#include "gate/release_score.h"

struct risk_churn {
    struct churn churn;
    const char *unknown; // why it is not known in full; null = it is
    unsigned window_days;
};

// --window, or 90 days. False with call->error set.
bool risk_window(struct invocation *call, unsigned *ret_days);

// `commit` may be null: nothing is committed yet. False with call->error set.
bool risk_churn_read(struct invocation *call, struct repository *repository, const char *commit,
                     int64_t now_ms, struct risk_churn *ret);

#endif
