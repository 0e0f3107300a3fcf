// Inside deploy/cloud: what the calls of one account and region share.
#ifndef DEPLOY_CLOUD_AWS_CLIENT_H
#define DEPLOY_CLOUD_AWS_CLIENT_H

#include "deploy/cloud/aws_call.h"
#include "deploy/cloud/aws_identity.h"

struct aws_client {
    struct cloud_part part;
    struct cloud *cloud;
    struct arena arena;
    struct aws_account account;
    const char *region, *of_profile; // the profile's endpoint, may be null
    struct aws_identity *identity;
};

#endif
