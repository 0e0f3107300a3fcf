#include "deploy/cloud/aws_settings.h"

#include "deploy/cloud/endpoint_settings.h"

static const char *const services[] = {
    "sts", "ecs",         "elbv2",      "lambda",    "cloudwatch", "s3", "ecr",
    "iam", "autoscaling", "codedeploy", "beanstalk", "ec2",        NULL,
};
enum { SERVICES = sizeof services / sizeof services[0] - 1 };

static void check_endpoint(void *value, const struct node *node, struct problems *problems)
{
    endpoint_settings_check(value, node, services, problems);
}

static const struct shape endpoint_shape = ENDPOINT_SETTINGS(check_endpoint);

#define AT(member) offsetof(struct aws_settings, member)
static const struct shape_field fields[] = {
    {.key = "region",
     .kind = SHAPE_STR,
     .offset = AT(region),
     .doc = "Such as `eu-west-1`; `AWS_REGION` or the profile's when absent."},
    {.key = "profile",
     .kind = SHAPE_STR,
     .offset = AT(profile),
     .doc = "A profile of `~/.aws/config` to use before what the environment holds."},
    {.key = "role",
     .kind = SHAPE_STR,
     .offset = AT(role),
     .doc = "The ARN of a role to take on: with the OIDC token of the runner where there is one."},
    {.key = "endpoint",
     .kind = SHAPE_STR,
     .offset = AT(endpoint),
     .doc = "The URL of all services, in place of their public addresses."},
    {.key = "endpoints",
     .kind = SHAPE_MAP,
     .offset = AT(endpoints),
     .shape = &endpoint_shape,
     .min = 1,
     .max = SERVICES,
     .doc = "The URLs of single services: `{cloudwatch: \"https://vpce-….amazonaws.com\"}`."},
    {.kind = SHAPE_END},
};

void aws_region_check(str region, const struct node *section, struct problems *problems)
{
    size_t good = 0;
    while (good < region.len &&
           ((region.data[good] >= 'a' && region.data[good] <= 'z') || region.data[good] == '-' ||
            (region.data[good] >= '0' && region.data[good] <= '9')))
        good++;
    if (region.len && (good < region.len || region.len >= 64))
        problem_at(problems, account_position(section, "region"),
                   "`" STR_FMT "` is no AWS region, such as `eu-west-1`",
                   STR_ARG(str_shorten(region, 60)));
}

void aws_role_check(str role, const struct node *section, struct problems *problems)
{
    if (role.len && (!str_starts(role, STR("arn:")) || str_search(role, STR(":role/")) == STR_NONE))
        problem_at(problems, account_position(section, "role"),
                   "`role` must be the ARN of a role, such as "
                   "`arn:aws:iam::123456789012:role/release`");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct aws_settings *settings = value;
    aws_region_check(settings->region, node, problems);
    aws_role_check(settings->role, node, problems);
    if (settings->endpoint.len)
        endpoint_url_check(settings->endpoint, account_position(node, "endpoint"), problems);
}

const struct shape aws_settings_shape = {
    .name = "aws",
    .size_bytes = sizeof(struct aws_settings),
    .fields = fields,
    .check = check,
    .doc = "The AWS account of all targets and metrics.",
};

struct aws_account aws_settings_account(struct arena *arena, const struct aws_settings *settings)
{
    return (struct aws_account){.region = account_text(arena, settings->region),
                                .profile = account_text(arena, settings->profile),
                                .role = account_text(arena, settings->role),
                                .endpoint = account_text(arena, settings->endpoint),
                                .endpoints = endpoint_settings_list(arena, &settings->endpoints)};
}
