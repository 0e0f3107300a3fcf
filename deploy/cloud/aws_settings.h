// The section `aws` of the configuration: which account all its targets and metrics use.
//
//     struct aws_settings settings;
//     shape_bind(&arena, &aws_settings_shape, node_get(root, "aws"), &settings, &problems);
//     struct aws_account account = aws_settings_account(&arena, &settings);
#ifndef DEPLOY_CLOUD_AWS_SETTINGS_H
#define DEPLOY_CLOUD_AWS_SETTINGS_H

#include "deploy/cloud/aws_account.h"
#include "gate/base/arena.h"
#include "gate/doc/shape.h"

struct aws_settings { // what is empty comes from the environment and the profile files
    str region, profile, role, endpoint;
    struct shape_list endpoints; // of struct endpoint_settings
};

extern const struct shape aws_settings_shape;

struct aws_account aws_settings_account(struct arena *arena, const struct aws_settings *settings);

// The rules of single keys, for those who have them in a section of their own.
void aws_region_check(str region, const struct node *section, struct problems *problems);
void aws_role_check(str role, const struct node *section, struct problems *problems);

#endif
