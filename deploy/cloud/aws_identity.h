// Who we are for AWS: found (aws_plan.h), obtained, and renewed before it expires, once for all who
// share it. Belongs to the cloud.
//
//     struct aws_identity *identity = aws_identity_of(cloud, &account, "eu-west-1", NULL);
//     while ((p = aws_identity_keys(identity, &keys, &generation, err)) == PROGRESS_PENDING) …
#ifndef DEPLOY_CLOUD_AWS_IDENTITY_H
#define DEPLOY_CLOUD_AWS_IDENTITY_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/aws_sign.h"
#include "deploy/cloud/renewal.h"

struct aws_identity {
    struct cloud_part part;
    struct cloud *cloud;
    struct arena arena;
    struct aws_account account;
    const char *region, *of_profile; // of STS; the profile's endpoint, may be null
    struct keeper keeper;
    char *access_key;
    struct secret secret_key, session_token;
};

// The one for an equal account and region, or a new one.
struct aws_identity *aws_identity_of(struct cloud *cloud, const struct aws_account *account,
                                     const char *region, const char *of_profile);
// DONE: *ret holds until the next turn of the loop. Call it again whenever it is PENDING.
enum progress aws_identity_keys(struct aws_identity *identity, struct aws_keys *ret,
                                unsigned *ret_generation, struct error *err);

#endif
