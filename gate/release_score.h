// The release risk score of the commit that is judged, with the churn that it needs from the
// history of commits; and what the risks demand of the rollout.
//
//     struct risk_score score;
//     if (!release_score(&arena, &request, &input, &score, err)) ...
#ifndef GATE_RELEASE_SCORE_H
#define GATE_RELEASE_SCORE_H

#include "gate/git/churn.h"
#include "gate/rules/score.h"

#define SCORE_WINDOW_DAYS 90u // that commits are counted over, unless somebody asks otherwise

struct release_score_request {
    struct repository *repository; // null = none
    const char *commit;            // 40 digits; null = nothing is committed
    const char *base;              // null = everything is new
    int64_t now_ms;
    unsigned window_days;
};

// Commits that touch each file, over the window. *ret_unknown is why they are not all known, as the
// end of a sentence; null = they are. False for a repository that cannot be read.
bool release_churn(struct arena *arena, const struct release_score_request *request,
                   struct churn *ret, const char **ret_unknown, struct error *err);

bool release_score(struct arena *arena, const struct release_score_request *request,
                   const struct rule_input *input, struct risk_score *ret, struct error *err);

#endif
