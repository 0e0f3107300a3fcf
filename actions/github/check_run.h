// One check run on a commit, with all annotations of a decision: the runner itself takes ten of
// each level, a check run takes any number, fifty at a time. Created once: after a lost answer it
// is looked for, by its name and external id, before it is created again.
//
//     struct check_run check = {.github = github, .name = "sluice", .head_sha = sha, …};
//     chain_begin(&chain, cloud, &check);
//     check_run_begin(&check, &chain);
//     if (!chain_finish(&chain, err)) …
//     check_run_done(&check);
#ifndef ACTIONS_GITHUB_CHECK_RUN_H
#define ACTIONS_GITHUB_CHECK_RUN_H

#include "actions/github/runner.h"
#include "deploy/cloud/chain.h"

struct check_run {
    struct github_client *github;
    const char *name;                     // "sluice"
    str head_sha;                         // 40 digits
    str external_id;                      // of this very decision
    const char *conclusion;               // "success", "neutral", "failure"
    str title, summary;                   // markdown; cut to what GitHub takes
    str details_url;                      // may be empty
    const struct annotation *annotations; // those without a path are left out
    size_t annotation_count;
    // its own
    struct arena arena;
    int64_t id;
    size_t sent; // annotations
    unsigned looks;
    bool lost;
};

void check_run_begin(struct check_run *check, struct chain *chain);
void check_run_done(struct check_run *check);

#endif
