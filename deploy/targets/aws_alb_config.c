// The section of an `aws-alb` target.
#include "deploy/targets/aws_alb.h"

#include "deploy/cloud/endpoint_settings.h"

#define AT(member) offsetof(struct alb_config, member)

static const struct shape_field group_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct alb_group, name)},
    {.key = "arn",
     .kind = SHAPE_STR,
     .offset = offsetof(struct alb_group, arn),
     .required = true,
     .doc = "The ARN of the target group; `${env.NAME}` may stand in it."},
    {.kind = SHAPE_END},
};

static const struct shape group_shape = {
    .name = "group",
    .size_bytes = sizeof(struct alb_group),
    .fields = group_fields,
    .shorthand = "arn",
    .position_offset = offsetof(struct alb_group, at) + 1,
};

static const struct shape_field alb_fields[] = {
    {.key = "region", .kind = SHAPE_STR, .offset = AT(at.region), .doc = AWS_REGION_DOC},
    {.key = "role", .kind = SHAPE_STR, .offset = AT(at.role), .doc = AWS_ROLE_DOC},
    {.key = "listener_rule",
     .kind = SHAPE_STR,
     .offset = AT(place.rule),
     .doc = "The ARN of the rule that forwards to both groups; `${env.NAME}` may stand in it."},
    {.key = "listener",
     .kind = SHAPE_STR,
     .offset = AT(place.listener),
     .doc = "The ARN of the listener whose default action does so, in place of `listener_rule`."},
    {.key = "groups",
     .kind = SHAPE_MAP,
     .offset = AT(groups),
     .shape = &group_shape,
     .min = ALB_GROUPS,
     .max = ALB_GROUPS,
     .required = true,
     .doc = "The two target groups by the names that they go by here, which are the revisions "
            "that metrics ask for: `{blue: ARN, green: ARN}`."},
    {.key = "min_healthy",
     .kind = SHAPE_INT,
     .offset = AT(min_healthy),
     .min = 1,
     .max = 1000,
     .doc = "Healthy targets that a group must have before it gets requests; when absent as many "
            "as the group that serves has, and none that is not healthy."},
    {.kind = SHAPE_END},
};

static bool is_name(str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && str_find(STR("._-/"), c) == STR_NONE)
            return false;
    }
    return name.len > 0 && name.len <= 128;
}

static void check_alb(void *value, const struct node *node, struct problems *problems)
{
    const struct alb_config *config = value;
    const struct aws_forward_place *place = &config->place;
    const struct node *map = node_get(node, "groups");
    const struct alb_group *groups = config->groups.items;
    aws_section_check(&config->at, node, problems);
    aws_arn_check("listener_rule", place->rule, ":listener-rule/", node, problems);
    aws_arn_check("listener", place->listener, ":listener/", node, problems);
    if (!place->rule.len == !place->listener.len)
        problem_at(problems, config->position,
                   "aws-alb needs %s `listener_rule` %s `listener`: what forwards to the groups",
                   place->rule.len ? "only one of" : "either", place->rule.len ? "and" : "or");
    for (size_t i = 0; i < config->groups.count; i++) {
        struct position at = groups[i].at;
        if (!is_name(groups[i].name))
            problem_at(problems, at, "`" STR_FMT "` cannot be the name of a group",
                       STR_ARG(str_shorten(groups[i].name, 80)));
        char key[140];
        str name = str_shorten(groups[i].name, 128);
        memcpy(key, name.data, name.len);
        key[name.len] = '\0';
        aws_arn_check(key, groups[i].arn, ":targetgroup/", map, problems);
    }
    if (config->groups.count == ALB_GROUPS && str_eq(groups[0].arn, groups[1].arn))
        problem_at(problems, groups[1].at, "both groups are the same one");
}

const struct shape alb_shape = {
    .name = "aws-alb",
    .size_bytes = sizeof(struct alb_config),
    .fields = alb_fields,
    .position_offset = AT(position) + 1,
    .check = check_alb,
    .doc = "Weights of a load balancer's two target groups, deployed to by somebody else.",
};
