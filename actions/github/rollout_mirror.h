// What GitHub shows of one rollout, and what people say to it there: a deployment with its
// statuses, an issue, its comments. Told how the rollout stands, it brings GitHub there between the
// turns of whoever drives the rollout; it never blocks, and is not turned while a way back is under
// way.
//
//     rollout_mirror_open(&setup, &mirror);
//     rollout_mirror_tell(mirror, state);                 // whenever it changes; copies what it
//     needs rollout_mirror_turn(mirror, now_ms, &wake_ms);      // after each turn of the driver …
//     at the end: while (rollout_mirror_busy(mirror) && !late) world_wait(…), …turn(…);
//     rollout_mirror_close(mirror);
#ifndef ACTIONS_GITHUB_ROLLOUT_MIRROR_H
#define ACTIONS_GITHUB_ROLLOUT_MIRROR_H

#include "actions/github/comment_desk.h"
#include "actions/github/deployment_mirror.h"
#include "actions/github/issue_thread.h"
#include "actions/github/mirror_run.h"
#include "actions/github/release_authors.h"
#include "actions/github/rollout_words.h"

struct mirror_setup { // what it points to must outlive the mirror
    struct cloud *cloud;
    struct github_client *github;
    const struct plan *plan;
    bool deployments, issues; // which of them
    bool production;          // of GitHub's environment
    str run_url, environment_url, deployments_url, judged, facts;
    struct mirror_port port;
    struct comment_port comments; // of which `status` and `authors` are the mirror's own
    int64_t poll_ms;
    void *self;
    int64_t (*live)(void *self); // the deployment of what a rollback has taken back; 0 = none
    void (*say)(void *self, const char *words); // to the person at hand
};

struct rollout_mirror;

void rollout_mirror_open(const struct mirror_setup *setup, struct rollout_mirror **ret);
void rollout_mirror_close(struct rollout_mirror *mirror); // drops what is under way; null is fine

void rollout_mirror_tell(struct rollout_mirror *mirror, const struct rollout_state *state);
// Begins, polls, and sets *wake_ms lower when it wants to be turned by then.
void rollout_mirror_turn(struct rollout_mirror *mirror, int64_t now_ms, int64_t *wake_ms);
// Something is to be written that is not there yet, or was not read since it was opened, and it is
// not refused.
bool rollout_mirror_busy(const struct rollout_mirror *mirror);

#endif
