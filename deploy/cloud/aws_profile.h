// The two profile files of AWS (`~/.aws/config`, `~/.aws/credentials`, or where
// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE point).
//
//     aws_profiles_read(cloud, &profiles, err);
//     str role = aws_profile_get(&profiles, STR("production"), "role_arn");
//     aws_profiles_done(&profiles);
#ifndef DEPLOY_CLOUD_AWS_PROFILE_H
#define DEPLOY_CLOUD_AWS_PROFILE_H

#include "deploy/cloud/cloud_parts.h"

struct aws_setting {
    str profile, key, value;
};

struct aws_profiles { // wiped by aws_profiles_done: values may be keys
    struct arena arena;
    struct aws_setting *settings;
    size_t count, room;
    str bytes[2]; // of the files
};

// A file that is not there is empty. ERROR_INPUT with file and line.
bool aws_profiles_read(struct cloud *cloud, struct aws_profiles *ret, struct error *err);
// What the credentials file says counts before the other; empty when absent.
str aws_profile_get(const struct aws_profiles *profiles, str profile, const char *key);
bool aws_profile_exists(const struct aws_profiles *profiles, str profile);
void aws_profiles_done(struct aws_profiles *profiles);

#endif
