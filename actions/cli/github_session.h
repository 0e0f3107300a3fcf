// GitHub for a command that has no rollout: the world, a client of the repository that the runner
// names, and one row of calls after another, each waited for.
//
//     struct github_session session;
//     if (!github_session_open(call, &session)) …
//     github_session_begin(&session, &check);
//     check_run_begin(&check, &session.chain);
//     ok = github_session_finish(&session);            // call->error
//     github_session_close(&session);                  // also after a failed open
#ifndef ACTIONS_CLI_GITHUB_SESSION_H
#define ACTIONS_CLI_GITHUB_SESSION_H

#include "actions/cli/command.h"
#include "actions/github/github_config.h"
#include "deploy/cloud/chain.h"
#include "deploy/world/world.h"

struct github_session {
    struct invocation *call;
    struct world *world;
    struct http_port http;
    struct clock_port clock;
    struct cloud *cloud;
    struct github_login login;
    struct github_client *github;
    struct chain chain;
};

// With a token of the environment. False with call->error: what is missing.
bool github_session_open(struct invocation *call, struct github_session *ret);
void github_session_begin(struct github_session *session, void *self);
bool github_session_finish(struct github_session *session);
void github_session_close(struct github_session *session);

#endif
