// Starts a workflow by its file's name and finds the run that it became: GitHub's answer does not
// name it. Started once: after a lost answer it is looked whether there is a new run before it is
// started again.
//
//     struct workflow_dispatch dispatch = {.github = github, .file = "sluice-rollback.yml",
//                                          .ref = STR("main"), .inputs = inputs};
//     chain_begin(&chain, cloud, &dispatch);
//     workflow_dispatch_begin(&dispatch, &chain);
//     if (!chain_finish(&chain, err)) …                  // dispatch.run_url; empty: it is not seen
//     yet workflow_dispatch_done(&dispatch);
#ifndef ACTIONS_GITHUB_WORKFLOW_DISPATCH_H
#define ACTIONS_GITHUB_WORKFLOW_DISPATCH_H

#include "deploy/cloud/chain.h"
#include "gate/base/arena.h"

struct dispatch_input {
    const char *name; // null ends a list
    str value;
};

struct workflow_dispatch {
    struct github_client *github;
    const char *file; // "sluice-rollback.yml"
    str ref;          // branch; empty: the repository's own
    const struct dispatch_input *inputs;
    // results
    str run_url;
    // its own
    struct arena arena;
    int64_t newest; // id of the newest run before
    unsigned looks;
    bool sent, lost;
};

void workflow_dispatch_begin(struct workflow_dispatch *dispatch, struct chain *chain);
void workflow_dispatch_done(struct workflow_dispatch *dispatch);

#endif
