// One exchange with the ledger's remote: fetch its branch, or push ours. Each blocks and is meant
// for a worker thread: it touches nothing but its job.
//
// A remote that is a path or file:// is opened as a repository, and its branch is compared and
// swapped there: a push over a local path loses updates that it acknowledged when two race. Over
// HTTP and SSH the server compares; its refusal is seen through push_update_reference alone.
//
//     struct remote_job job = {.path = store_path(store), .url = store_url(store), …};
//     remote_fetch(&job);                 // or remote_push
//     if (job.outcome == REMOTE_DONE) use(job.seen);
#ifndef DEPLOY_RECORD_REMOTE_H
#define DEPLOY_RECORD_REMOTE_H

#include "deploy/record/store.h"
#include "gate/base/secret.h"

struct remote_login {           // how to show who we are; all null is allowed
    const struct secret *token; // HTTP: password of user `user`
    const char *user;           // null = "x-access-token"
    const char *key_file;       // SSH: private key, its public half beside it; null = the agent,
                                // then ~/.ssh/id_ed25519, id_ecdsa
    const char *known_hosts;    // file; null = ~/.ssh/known_hosts
};

enum remote_outcome {
    REMOTE_DONE,
    REMOTE_RACED,  // a push: somebody was faster, fetch and try again
    REMOTE_FAILED, // `why` says what happened; ERROR_TRANSIENT where trying again makes sense
};

struct remote_job {
    const char *path; // of our repository
    const char *url;
    const char *branch;     // "refs/heads/release-ledger", there and here
    const char *remote_ref; // where fetched objects are noted
    struct remote_login login;
    struct object_id known; // what the remote was last seen to have; none = nothing yet
    struct object_id tip;   // push: what to put there
    // results
    enum remote_outcome outcome;
    struct object_id seen; // the remote's branch as it now is; none = it has none
    struct error why;
    // private
    unsigned logins, hosts;
    bool refused;
    char words[768]; // as long as an error's message
};

void remote_fetch(struct remote_job *job);
void remote_push(struct remote_job *job);

// The git directory of a URL that is a path or file://; null otherwise.
const char *remote_local_path(const char *url);

#endif
