// The OIDC token that a GitHub Actions runner gives a job with `permissions: id-token: write`.
//
//     runner_token_ask(cloud, STR("sts.amazonaws.com"), &job, err);
//     … runner_token_read(&answer, &token, err);        // secret_done(&token)
#ifndef DEPLOY_CLOUD_RUNNER_TOKEN_H
#define DEPLOY_CLOUD_RUNNER_TOKEN_H

#include "deploy/cloud/cloud_parts.h"

// From ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN. ERROR_ABSENT with the remedy when there are none.
bool runner_token_ask(struct cloud *cloud, str audience, void **ret_job, struct error *err);
bool runner_token_read(const struct http_answer *answer, struct secret *ret, struct error *err);

#endif
