#include "deploy/cloud/aws_settings.h"

#include "deploy/cloud/aws_services.h"
#include "deploy/cloud/url_parts.h"

static const struct aws_service *const services[] = {
    &aws_sts, &aws_ecs, &aws_elbv2,       &aws_lambda,     &aws_cloudwatch, &aws_s3,
    &aws_ecr, &aws_iam, &aws_autoscaling, &aws_codedeploy, &aws_beanstalk,  &aws_ec2,
};
enum { SERVICES = sizeof services / sizeof services[0] };

static const struct shape_field endpoint_fields[] = {
    {.key = "service",
     .kind = SHAPE_KEY,
     .offset = offsetof(struct aws_endpoint_settings, service)},
    {.key = "url",
     .kind = SHAPE_STR,
     .offset = offsetof(struct aws_endpoint_settings, url),
     .required = true,
     .doc = "Where it is."},
    {.kind = SHAPE_END},
};

// What is sent there holds keys of an account, or gets some: nobody on the way may read it.
static void check_url(str url, struct position at, struct problems *problems)
{
    struct url_parts parts;
    struct error why;
    if (!url_split(url, &parts, &why))
        problem_at(problems, at, "%s", why.message);
    else if (!parts.secure && !url_is_loopback(parts.name))
        problem_at(problems, at, "`" STR_FMT "` is not on this machine: use https", STR_ARG(url));
}

static void check_endpoint(void *value, const struct node *node, struct problems *problems)
{
    const struct aws_endpoint_settings *endpoint = value;
    struct text known = text_of(512);
    bool is_known = false;
    for (size_t i = 0; i < SERVICES; i++) {
        is_known |= str_is(endpoint->service, services[i]->name);
        text_addf(&known, "%s`%s`", i ? ", " : "", services[i]->name);
    }
    if (!is_known)
        problem_at(problems, node->key_at,
                   "`" STR_FMT "` is no service that is called; known are %s",
                   STR_ARG(str_shorten(endpoint->service, 60)), text_c(&known));
    text_done(&known);
    check_url(endpoint->url, node->at, problems);
}

static const struct shape endpoint_shape = {
    .name = "endpoint",
    .size_bytes = sizeof(struct aws_endpoint_settings),
    .fields = endpoint_fields,
    .shorthand = "url",
    .position_offset = offsetof(struct aws_endpoint_settings, at) + 1,
    .check = check_endpoint,
    .doc = "Where a service is.",
};

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

static struct position position_of(const struct node *section, const char *key)
{
    const struct node *node = node_get(section, key);
    return node ? node->at : section->at;
}

void aws_region_check(str region, const struct node *section, struct problems *problems)
{
    size_t good = 0;
    while (good < region.len &&
           ((region.data[good] >= 'a' && region.data[good] <= 'z') || region.data[good] == '-' ||
            (region.data[good] >= '0' && region.data[good] <= '9')))
        good++;
    if (region.len && (good < region.len || region.len >= 64))
        problem_at(problems, position_of(section, "region"),
                   "`" STR_FMT "` is no AWS region, such as `eu-west-1`",
                   STR_ARG(str_shorten(region, 60)));
}

void aws_role_check(str role, const struct node *section, struct problems *problems)
{
    if (role.len && (!str_starts(role, STR("arn:")) || str_search(role, STR(":role/")) == STR_NONE))
        problem_at(problems, position_of(section, "role"),
                   "`role` must be the ARN of a role, such as "
                   "`arn:aws:iam::123456789012:role/release`");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct aws_settings *settings = value;
    aws_region_check(settings->region, node, problems);
    aws_role_check(settings->role, node, problems);
    if (settings->endpoint.len)
        check_url(settings->endpoint, position_of(node, "endpoint"), problems);
}

const struct shape aws_settings_shape = {
    .name = "aws",
    .size_bytes = sizeof(struct aws_settings),
    .fields = fields,
    .check = check,
    .doc = "The AWS account of all targets and metrics.",
};

static const char *text_or_null(struct arena *arena, str s)
{
    return s.len ? arena_copy(arena, s) : NULL;
}

struct aws_account aws_settings_account(struct arena *arena, const struct aws_settings *settings)
{
    const struct aws_endpoint_settings *given = settings->endpoints.items;
    struct cloud_endpoint *endpoints =
        ARENA_ARRAY(arena, struct cloud_endpoint, settings->endpoints.count + 1);
    for (size_t i = 0; i < settings->endpoints.count; i++)
        endpoints[i] = (struct cloud_endpoint){arena_copy(arena, given[i].service),
                                               arena_copy(arena, given[i].url)};
    return (struct aws_account){.region = text_or_null(arena, settings->region),
                                .profile = text_or_null(arena, settings->profile),
                                .role = text_or_null(arena, settings->role),
                                .endpoint = text_or_null(arena, settings->endpoint),
                                .endpoints = settings->endpoints.count ? endpoints : NULL};
}
