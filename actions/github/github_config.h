// The section `github` of the configuration: what a rollout shows of itself there, and as whom.
//
//     github:
//       approvals: true
//       app: {id: "123456", key: "${env.SLUICE_APP_KEY}"}
//
// Without the section nothing of a rollout is written to GitHub.
#ifndef ACTIONS_GITHUB_GITHUB_CONFIG_H
#define ACTIONS_GITHUB_GITHUB_CONFIG_H

#include "actions/github/github_place.h"
#include "deploy/cloud/github_call.h"
#include "gate/base/template.h"
#include "gate/doc/shape.h"

struct github_app_settings {
    str id, key;
};

struct github_settings {
    bool deployments; // a deployment with its statuses
    bool approvals;   // an issue for each rollout that needs a person
    bool incidents;   // an issue for each release that was taken back
    int64_t poll_ms;
    str api, environment_url;
    str decided_by;                  // file of the workflow whose decisions count; empty = any
    struct github_app_settings *app; // null: the token at hand
    bool given;                      // is there such a section?
};

extern const struct shape github_shape;

// All false without the section. False when it added to `problems`.
bool github_settings_bind(struct arena *arena, const struct node *root, struct github_settings *ret,
                          struct problems *problems);

struct github_login { // what the client holds on to; must outlive the cloud
    struct secret token, key;
};
void github_login_done(struct github_login *login);

// The client of that repository, at that API unless `settings` (may be null) name another: as the
// app that they name, else with the token of SLUICE_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN.
// ERROR_INPUT: what is missing, and how it is given.
bool github_open(struct cloud *cloud, const struct github_place *place,
                 const struct github_settings *settings, const struct template_value *variables,
                 struct github_login *ret_login, struct github_client **ret, struct error *err);

#endif
