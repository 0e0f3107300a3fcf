// As whom registries and buckets are asked. Null accounts are those of the environment.
#ifndef DEPLOY_ARTIFACT_ARTIFACT_ACCESS_H
#define DEPLOY_ARTIFACT_ARTIFACT_ACCESS_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/google_account.h"

struct artifact_access {
    struct cloud *cloud; // one that may block
    const struct aws_account *aws;
    const struct google_account *google;
};

#endif
