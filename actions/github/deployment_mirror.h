// A rollout as a deployment of GitHub: created once, its statuses in step with the rollout.
//
// It is found again by the rollout's name in its payload, among those of the commit and the
// environment, before one is created: an answer that was lost may have created it.
//
// What was taken back gets `failure` with the reason, then `inactive`, so that the environment
// shows what serves. When one succeeds, GitHub sets earlier ones inactive by itself, but not those
// of production: what a rollback takes back is told by a mirror of that deployment's `id`.
//
//     struct deployment_mirror mirror = {.github = github, .port = port, .rollout = plan->rollout,
//                                        .commit = plan->commit, .environment = STR("production")};
//     deployment_mirror_open(&mirror, "its deployment");
//     deployment_mirror_want(&mirror, &face);
#ifndef ACTIONS_GITHUB_DEPLOYMENT_MIRROR_H
#define ACTIONS_GITHUB_DEPLOYMENT_MIRROR_H

#include "actions/github/mirror_part.h"
#include "actions/github/rollout_words.h"

struct deployment_mirror {
    struct mirror_part part; // first
    struct github_client *github;
    struct mirror_port port;
    str rollout, commit, environment, release; // live as long as it
    bool production;
    str log_url, environment_url; // may be empty
    // its own
    struct arena arena; // of one row of calls
    struct deployment_face wanted, shown;
    bool any_wanted, looked, lost; // lost: a creation whose outcome is unknown
    unsigned looks, pages;         // since then
    int64_t id;                    // 0 = not known yet
};

// `what` names it in what is said of failures.
void deployment_mirror_open(struct deployment_mirror *mirror, const char *what);
void deployment_mirror_want(struct deployment_mirror *mirror, const struct deployment_face *face);
void deployment_mirror_close(struct deployment_mirror *mirror);

#endif
