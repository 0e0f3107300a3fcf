// What the kinds of AWS share, beside target_parts.h: the client of a section that may name a
// region and a role of its own, and ARNs.
//
//     {.key = "region", .kind = SHAPE_STR, .offset = AT(at.region), .doc = AWS_REGION_DOC},
//     {.key = "role", .kind = SHAPE_STR, .offset = AT(at.role), .doc = AWS_ROLE_DOC},
//     aws_section_check(&config->at, node, problems);
//     aws_arn_check("listener", config->listener, ":listener/", node, problems);
//
//     if (!aws_section_open(&config->at, setup, &client, err)) …
#ifndef DEPLOY_TARGETS_AWS_PARTS_H
#define DEPLOY_TARGETS_AWS_PARTS_H

#include "deploy/targets/target_parts.h"

#define AWS_REGION_DOC "Where it is; the `region` of `aws` when absent."
#define AWS_ROLE_DOC "The ARN of the role that may change it; the `role` of `aws` when absent."

struct aws_section { // in place of those of `aws`
    str region, role;
};

void aws_section_check(const struct aws_section *section, const struct node *node,
                       struct problems *problems);
// The client belongs to the cloud of the setup.
bool aws_section_open(const struct aws_section *section, const struct target_setup *setup,
                      struct aws_client **ret, struct error *err);

// An ARN that holds `part` (":listener-rule/"); not looked at where it comes from the environment.
void aws_arn_check(const char *key, str value, const char *part, const struct node *node,
                   struct problems *problems);
// "learn:17" of "arn:aws:ecs:…:task-definition/learn:17"; what has no slash is taken as it stands.
str aws_arn_name(str arn);

#endif
