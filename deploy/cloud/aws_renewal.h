// Inside deploy/cloud: getting AWS credentials, stage by stage, as aws_plan.h found them.
#ifndef DEPLOY_CLOUD_AWS_RENEWAL_H
#define DEPLOY_CLOUD_AWS_RENEWAL_H

#include "deploy/cloud/aws_identity.h"

struct aws_granted {
    str access_key;
    struct secret secret_key, session_token;
    int64_t expires_ms;
    const char *found_in;
};

bool aws_renewal_open(struct aws_identity *identity, struct renewal **ret, struct error *err);
struct aws_granted *aws_renewal_granted(struct renewal *renewal); // of a finished one

#endif
