// Which permissions an identity lacks, as the provider itself judges: nothing is changed by asking.
// On AWS by iam:SimulatePrincipalPolicy (which the identity must be allowed for itself), on Google
// Cloud by testIamPermissions of the project.
//
//     struct permission wanted[] = {{.action = "ecs:UpdateService", .resource =
//     "arn:…:{account}:…"}}; struct permissions_found found; if (!permissions_aws(cloud, client,
//     wanted, 1, &arena, &found, err)) … // it cannot be told for (size_t i = 0; i <
//     found.missing_count; i++) say(found.missing[i]->action);
#ifndef DEPLOY_CLOUD_PERMISSIONS_H
#define DEPLOY_CLOUD_PERMISSIONS_H

#include "deploy/cloud/aws_call.h"
#include "deploy/cloud/google_call.h"

struct permission {
    const char *action;    // "ecs:UpdateService"; "run.services.update"
    const char *resource;  // an ARN, in which {account} and {region} may stand; null: any
    const char *passed_to; // of iam:PassRole: the service, "ecs-tasks.amazonaws.com"; else null
};

struct permissions_found {
    str caller; // who asked: an ARN; empty on Google Cloud
    const struct permission **missing;
    size_t missing_count;
};

// Both wait for the answers (chain_finish). False: it cannot be told, and *err says why. What is
// found lives in the arena.
bool permissions_aws(struct cloud *cloud, struct aws_client *client,
                     const struct permission *wanted, size_t count, struct arena *arena,
                     struct permissions_found *ret, struct error *err);
bool permissions_google(struct cloud *cloud, struct google_client *client, str project,
                        const struct permission *wanted, size_t count, struct arena *arena,
                        struct permissions_found *ret, struct error *err);

#endif
