// Which AWS account is used, as which identity, and where its services are. Null members come from
// the environment and the profile files, as with the provider's own tools.
#ifndef DEPLOY_CLOUD_AWS_ACCOUNT_H
#define DEPLOY_CLOUD_AWS_ACCOUNT_H

#include "deploy/cloud/cloud.h"

struct aws_account {     // copied; two equal ones share one identity
    const char *region;  // null: AWS_REGION, AWS_DEFAULT_REGION, the profile
    const char *profile; // null: AWS_PROFILE, "default"
    // The ARN of a role to take on: by the runner's OIDC token where there is one, else from the
    // identity that is found, by sts:AssumeRole. Null: AWS_ROLE_ARN with an OIDC token, or none.
    const char *role;
    const char *session;                    // its name in CloudTrail; null: AWS_ROLE_SESSION_NAME,
                                            // "sluice"
    const char *endpoint;                   // of all services; null: AWS_ENDPOINT_URL, the profile
    const struct cloud_endpoint *endpoints; // of single ones; null: AWS_ENDPOINT_URL_ECS, …
};

struct arena;
struct aws_account aws_account_copy(struct arena *arena, const struct aws_account *account);

#endif
