// What every command of the rollout needs: the configuration, the world, the ledger, who runs it.
//
//     struct deployment d;
//     if (deployment_open(call, &d)) { …; deployment_close(&d); }
#ifndef ACTIONS_CLI_DEPLOYMENT_H
#define ACTIONS_CLI_DEPLOYMENT_H

#include "actions/cli/command.h"
#include "actions/cli/stage_run.h"
#include "actions/github/github_config.h"
#include "deploy/record/ledger.h"
#include "deploy/record/sign.h"
#include "gate/base/template.h"
#include "gate/git/repository.h"

enum { LEDGER_WAIT_MS = 10000 }; // for the ledger's remote, before it goes on without

struct deployment {
    struct invocation *call;
    struct arena *arena;
    struct repository *repository;
    const char *root;  // of the working tree
    const char *cache; // made artifacts, by digest
    const struct node *config;
    struct deploy_settings settings;
    struct template_value *variables; // env.*, as far as they are set
    struct stage_ports ports;
    struct ledger *ledger;
    struct sign_key *key;
    struct secret token;
    struct github_client *github; // opened when it is first needed: deployment_github
    struct github_login github_login;
    const char *branch, *remote; // of the ledger; remote null = the local repository
    bool offline;                // the ledger's remote did not answer
    str me;                      // login, or the name of the local user
};

// Reads and checks the configuration, opens world and ledger, and fetches the ledger. A remote that
// does not answer is an error, but for `may_be_offline` (rollback, status), which say it and go on.
// False with call->error set.
bool deployment_open(struct invocation *call, bool may_be_offline, struct deployment *ret);
// The same without asking the ledger's remote: the caller does, with ledger_turn, when it pleases.
bool deployment_open_here(struct invocation *call, struct deployment *ret);
void deployment_close(struct deployment *deployment);

// The client of GitHub, one for all of this run, so that its pauses are kept. `settings` may be
// null. ERROR kinds of github_open.
bool deployment_github(struct deployment *deployment, const struct github_settings *settings,
                       struct github_client **ret, struct error *err);

// The stage named, or the only one. ERROR_INPUT says which there are.
bool deployment_stage(struct deployment *deployment, const char *name,
                      const struct stage_settings **ret);

// "production" of a stage: what its rollout claims.
str stage_environment(const struct stage_settings *stage);

// Where the ledger is, for reading it without the ledger's own code.
struct store_options deployment_store(const struct deployment *deployment);

// The token for the ledger's remote; stays unset when the environment has none. secret_done is due.
void ledger_token(struct secret *ret);

int64_t deployment_now(const struct deployment *deployment);
bool deployment_interactive(const struct deployment *deployment); // a person sits at a terminal

// Asks for one key on the terminal; the question ends with "? ". True for y. Any other key, Ctrl-C
// and a terminal that is gone are ERROR_DENIED with `otherwise` ("nothing was touched").
bool deployment_confirm(struct deployment *deployment, const char *question, const char *otherwise);

// The exit code of call->error, or the signal's when one has ended it.
int deployment_failed(const struct deployment *deployment);

#endif
