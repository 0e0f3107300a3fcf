// The section of an `aws-ecs` target.
#include "deploy/cloud/endpoint_settings.h"
#include "deploy/targets/aws_ecs.h"
#include "deploy/targets/target_image.h"

#define ARTIFACT(member) offsetof(struct ecs_artifact, member)
static const struct shape_field artifact_fields[] = {
    {.key = "image",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(image),
     .required = true,
     .doc = "The release's container image: `registry/app:${release}` (also `${commit}`), or "
            "`registry/app@${digest}`, whose digest `--artifact` gives. It is looked up in the "
            "registry and deployed by its digest."},
    {.key = "container",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(container),
     .doc = "Whose image it is; needed where the task definition has several containers."},
    {.kind = SHAPE_END},
};
static const struct shape artifact_shape = {.name = "artifact",
                                            .size_bytes = sizeof(struct ecs_artifact),
                                            .fields = artifact_fields,
                                            .shorthand = "image",
                                            .position_offset = ARTIFACT(at) + 1,
                                            .doc = "What is brought there."};

#define AT(member) offsetof(struct ecs_config, member)
static const struct shape_field fields[] = {
    {.key = "cluster",
     .kind = SHAPE_STR,
     .offset = AT(cluster),
     .fallback = "default",
     .doc = "The cluster's name or ARN; `${env.NAME}` may stand in it."},
    {.key = "service",
     .kind = SHAPE_STR,
     .offset = AT(service),
     .doc = "One service, whose tasks are all replaced: no share below 100 % is possible."},
    {.key = "services",
     .kind = SHAPE_LIST,
     .offset = AT(services),
     .shape = &shape_of_str,
     .doc = "Two services behind one rule, `[web-blue, web-green]`: any share, and the way back "
            "is a switch."},
    {.key = "listener_rule",
     .kind = SHAPE_STR,
     .offset = AT(place.rule),
     .doc = "With `services`: the ARN of the rule that forwards to the target groups of both."},
    {.key = "listener",
     .kind = SHAPE_STR,
     .offset = AT(place.listener),
     .doc = "In place of `listener_rule`: the ARN of a listener whose default action does."},
    {.key = "artifact",
     .kind = SHAPE_STRUCT,
     .offset = AT(artifact),
     .shape = &artifact_shape,
     .required = true,
     .doc = "What is brought there."},
    {.key = "region", .kind = SHAPE_STR, .offset = AT(section.region), .doc = AWS_REGION_DOC},
    {.key = "role", .kind = SHAPE_STR, .offset = AT(section.role), .doc = AWS_ROLE_DOC},
    {.kind = SHAPE_END},
};

static void check_services(const struct ecs_config *config, const struct node *node,
                           struct problems *problems)
{
    const str *names = config->services.items;
    const struct node *list = node_get(node, "services");
    size_t count = config->services.count;
    bool balanced = config->place.rule.len || config->place.listener.len;
    if (config->service.len && list)
        problem_at(problems, list->at, "give `service` or `services`, not both");
    else if (!config->service.len && !list)
        problem_at(problems, node->at,
                   "`service` is missing: one service, or `services: [web-blue, web-green]` with "
                   "`listener_rule`");
    else if (list && count != ECS_SERVICES)
        problem_at(problems, list->at,
                   "`services` are the two that take turns, not %zu; for one alone give `service`",
                   count);
    else if (list && str_eq(names[0], names[1]))
        problem_at(problems, list->at, "`services` are the same service twice");
    else if (list && !balanced)
        problem_at(problems, list->at,
                   "`services` need `listener_rule` (or `listener`): what sends requests to them");
    else if (!list && balanced)
        problem_at(problems,
                   account_position(node, config->place.rule.len ? "listener_rule" : "listener"),
                   "one `service` has no weights to move: give two `services`, or leave `%s` away",
                   config->place.rule.len ? "listener_rule" : "listener");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct ecs_config *config = value;
    const str *names = config->services.items;
    (void)target_name_check("cluster", config->cluster, node, problems);
    (void)target_name_check("service", config->service, node, problems);
    for (size_t i = 0; i < config->services.count; i++)
        if (!target_name_check("services", names[i], node, problems))
            break;
    check_services(config, node, problems);
    if (config->place.rule.len && config->place.listener.len)
        problem_at(problems, account_position(node, "listener"),
                   "give `listener_rule` or `listener`, not both");
    aws_arn_check("listener_rule", config->place.rule, ":listener-rule/", node, problems);
    aws_arn_check("listener", config->place.listener, ":listener/", node, problems);
    target_image_check(config->artifact.image, config->artifact.at, problems);
    aws_section_check(&config->section, node, problems);
}

const struct shape ecs_shape = {
    .name = "aws-ecs",
    .size_bytes = sizeof(struct ecs_config),
    .fields = fields,
    .check = check,
    .doc = "Services of Amazon ECS: one whose tasks are replaced, or two that take turns behind a "
           "load balancer.",
};
