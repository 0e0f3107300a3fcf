// Where AWS credentials come from on this machine, and by which roles they go: decided anew before
// every refresh, so that rotated keys and tokens are noticed. Asks nobody.
//
// The order: the account's role with the runner's OIDC token; keys of the environment; web identity
// (a token file, or the runner's token with AWS_ROLE_ARN); the profile; the container; the
// instance. A profile that is named in the configuration goes before the environment.
#ifndef DEPLOY_CLOUD_AWS_PLAN_H
#define DEPLOY_CLOUD_AWS_PLAN_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/cloud_parts.h"

enum aws_base {
    AWS_BASE_KEYS,
    AWS_BASE_RUNNER,     // OIDC token of the runner -> sts:AssumeRoleWithWebIdentity
    AWS_BASE_TOKEN_FILE, // token in a file -> the same
    AWS_BASE_CONTAINER,
    AWS_BASE_METADATA,
};

enum { AWS_HOPS_MOST = 4 };

struct aws_hop { // of sts:AssumeRole
    const char *role, *session, *external_id;
    int64_t duration_s; // 0 = the role's own
};

struct aws_plan {
    struct arena arena;
    enum aws_base base;
    const char *found_in; // "the environment", "profile `x`": for messages
    const char *access_key;
    struct secret secret_key, session_token; // of AWS_BASE_KEYS
    const char *role, *session;              // of the two web identities
    const char *token_file;
    const char *url; // of AWS_BASE_CONTAINER
    struct secret authorization;
    struct aws_hop hops[AWS_HOPS_MOST];
    size_t hop_count;
};

// ERROR_ABSENT: there are none, with where was looked. ERROR_INPUT: half of them, a profile that
// is not there or cannot be used here, with the remedy.
bool aws_plan_make(struct cloud *cloud, const struct aws_account *account, struct aws_plan *ret,
                   struct error *err);
void aws_plan_done(struct aws_plan *plan);

#endif
