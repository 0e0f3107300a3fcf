// Looking: the services, the rule's weights, the health of the target groups; and what that comes
// to.
#include "deploy/targets/aws_ecs.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { BODY_MOST = 8192, REASON_MOST = 300 };

// ---- one service -------------------------------------------------------------------------------

static int64_t number_of(const struct node *map, const char *key)
{
    int64_t number = 0;
    return json_get_i64(map, key, &number) ? number : 0;
}

static enum ecs_rollout rollout_of(str state)
{
    if (str_is(state, "COMPLETED"))
        return ECS_COMPLETED;
    if (str_is(state, "FAILED"))
        return ECS_FAILED;
    return state.len ? ECS_IN_PROGRESS : ECS_UNTOLD;
}

static void read_deployment(struct target_operation *operation, const struct node *node,
                            struct ecs_service *ret)
{
    struct arena *arena = &operation->look_arena;
    str status = node_text(node, "status");
    str definition = arena_str(arena, aws_arn_name(node_text(node, "taskDefinition")));
    int64_t running = number_of(node, "runningCount"), pending = number_of(node, "pendingCount");
    bool primary = str_is(status, "PRIMARY");
    // One that has ended is shown for a while.
    if (str_is(status, "INACTIVE") && running == 0 && pending == 0)
        return;
    ret->deployments++;
    if (operation->next.revision.len && str_eq(definition, operation->next.revision))
        ret->on_next += running;
    if (operation->good.revision.len && str_eq(definition, operation->good.revision))
        ret->on_good += running;
    if (!primary && rollout_of(node_text(node, "rolloutState")) == ECS_FAILED)
        ret->failed_reason =
            arena_str(arena, str_shorten(node_text(node, "rolloutStateReason"), REASON_MOST));
    if (!primary)
        return;
    ret->definition = definition;
    ret->deployment = arena_str(arena, node_text(node, "id"));
    ret->reason = arena_str(arena, str_shorten(node_text(node, "rolloutStateReason"), REASON_MOST));
    ret->rollout = rollout_of(node_text(node, "rolloutState"));
    ret->failed = number_of(node, "failedTasks");
    ret->primary_running = running;
}

// The one of its target groups that the rule forwards to; with one service, the first.
static str group_of(struct target_operation *operation, const struct node *service)
{
    const struct aws_forward *forward = &operation->seen.forward;
    const struct node *balancers = node_get(service, "loadBalancers");
    for (const struct node *n = balancers ? balancers->first : NULL; n; n = n->next) {
        str group = node_text(n, "targetGroupArn");
        bool known = operation->ecs->count == 1 && group.len;
        for (size_t i = 0; i < forward->count; i++)
            known = known || str_eq(forward->groups[i].arn, group);
        if (known)
            return arena_str(&operation->look_arena, group);
    }
    return (str){NULL, 0};
}

// One service of an answer.
static void read_service(struct target_operation *operation, const struct node *node,
                         struct ecs_service *ret)
{
    struct arena *arena = &operation->look_arena;
    const struct node *configuration = node_get(node, "deploymentConfiguration");
    const struct node *deployments = node_get(node, "deployments");
    *ret = (struct ecs_service){
        .found = true,
        .active = str_is(node_text(node, "status"), "ACTIVE"),
        .definition = arena_str(arena, aws_arn_name(node_text(node, "taskDefinition"))),
        .desired = number_of(node, "desiredCount"),
        .running = number_of(node, "runningCount"),
        .pending = number_of(node, "pendingCount"),
        .controller = arena_str(arena, node_text(node_get(node, "deploymentController"), "type")),
        .strategy = arena_str(arena, node_text(configuration, "strategy")),
        .daemon = str_is(node_text(node, "schedulingStrategy"), "DAEMON"),
        .group = group_of(operation, node),
    };
    for (const struct node *n = deployments ? deployments->first : NULL; n; n = n->next)
        read_deployment(operation, n, ret);
}

// ---- the look ----------------------------------------------------------------------------------

// True where that is a trouble of a survey, which goes on with what else it can see.
static bool goes_on(struct target_operation *operation, const struct chain_reply *reply,
                    const char *permission)
{
    if (operation->survey)
        target_trouble_of(&operation->troubles, reply, permission);
    else
        chain_fail_with(&operation->chain, reply, "looking at it");
    return operation->survey;
}

static void look_healthy(void *self, struct chain *chain, const struct chain_reply *reply);

static void look_over(struct target_operation *operation)
{
    operation->after(operation, &operation->chain, &(struct chain_reply){.ok = true});
}

static void ask_health(struct target_operation *operation)
{
    for (; operation->asking < operation->ecs->count; operation->asking++) {
        struct ecs_service *service = &operation->seen.services[operation->asking];
        bool serves = service->desired > 0 || service->running > 0 || service->ppm > 0;
        if (!service->group.len || !serves)
            continue;
        aws_health_ask(&operation->chain, operation->ecs->client, service->group, look_healthy);
        return;
    }
    look_over(operation);
}

static void look_healthy(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct ecs_service *service = &operation->seen.services[operation->asking++];
    (void)chain;
    if (!reply->ok && !goes_on(operation, reply, "elasticloadbalancing:DescribeTargetHealth"))
        return;
    if (reply->ok)
        aws_health_read(reply, &service->health);
    service->health_known = reply->ok;
    ask_health(operation);
}

static const struct node *service_named(const struct node *tree, str name)
{
    const struct node *services = node_get(tree, "services");
    for (const struct node *n = services ? services->first : NULL; n; n = n->next)
        if (str_eq(node_text(n, "serviceName"), aws_arn_name(name)))
            return n;
    return NULL;
}

// Rounding leaves nothing over: where the two have all of it, so do their shares.
static void share_out(struct target_operation *operation)
{
    struct ecs_service *services = operation->seen.services;
    struct ecs_seen *seen = &operation->seen;
    const struct aws_forward *forward = &seen->forward;
    if (operation->ecs->count == 1) {
        services[0].ppm = ECS_ALL_PPM;
        return;
    }
    uint64_t weights[ECS_SERVICES];
    for (size_t i = 0; i < ECS_SERVICES; i++)
        weights[i] = aws_forward_weight(forward, services[i].group);
    uint64_t known = weights[0] + weights[1];
    if (forward->total == 0)
        return;
    services[0].ppm = aws_forward_ppm(forward, services[0].group);
    services[1].ppm = aws_forward_ppm(forward, services[1].group);
    if (known == forward->total && weights[1])
        services[1].ppm = ECS_ALL_PPM - services[0].ppm;
    seen->foreign_ppm = (uint32_t)((forward->total - known) * ECS_ALL_PPM / forward->total);
}

static void look_serviced(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct target *ecs = operation->ecs;
    struct ecs_seen *seen = &operation->seen;
    if (!reply->ok) {
        if (goes_on(operation, reply, "ecs:DescribeServices"))
            look_over(operation);
        return;
    }
    if (!node_get(reply->tree, "services") && !operation->survey) {
        chain_fail(chain, ERROR_REMOTE,
                   "ecs DescribeServices: the answer cannot be read: it has no services in it");
        return;
    }
    for (size_t i = 0; i < ecs->count; i++) {
        const struct node *node = service_named(reply->tree, ecs->names[i]);
        if (!node && !operation->survey) {
            chain_fail(chain, ERROR_ABSENT,
                       "service " STR_FMT " is not in cluster " STR_FMT
                       ": create it, or correct its name",
                       STR_ARG(ecs->names[i]), STR_ARG(ecs->cluster));
            return;
        }
        if (!node)
            continue;
        read_service(operation, node, &seen->services[i]);
    }
    share_out(operation);
    operation->asking = 0;
    ask_health(operation);
}

static void ask_services(struct target_operation *operation)
{
    struct target *ecs = operation->ecs;
    struct text body = text_of(BODY_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "cluster", ecs->cluster);
    json_open_list(&out, "services");
    for (size_t i = 0; i < ecs->count; i++)
        json_add_str(&out, NULL, ecs->names[i]);
    json_close(&out);
    json_close(&out);
    chain_aws(&operation->chain, ecs->client,
              &(struct aws_request){.service = &aws_ecs,
                                    .action = "DescribeServices",
                                    .body = text_str(&body),
                                    .repeatable = true},
              look_serviced);
    text_done(&body);
}

static void look_forwarded(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct target *ecs = operation->ecs;
    const char *permission = ecs->place.rule.len ? "elasticloadbalancing:DescribeRules"
                                                 : "elasticloadbalancing:DescribeListeners";
    struct error error;
    if (!reply->ok && !goes_on(operation, reply, permission))
        return;
    if (reply->ok && !aws_forward_read(&operation->look_arena, &ecs->place, reply,
                                       &operation->seen.forward, &error)) {
        if (!operation->survey) {
            chain_fail(chain, error.kind, "%s", error.message);
            return;
        }
        target_trouble_add(&operation->troubles, error.kind, "%s", error.message);
    }
    ask_services(operation);
}

void ecs_look(struct target_operation *operation, chain_next next)
{
    struct target *ecs = operation->ecs;
    arena_done(&operation->look_arena);
    operation->seen = (struct ecs_seen){0};
    operation->after = next;
    if (ecs->count > 1)
        aws_forward_ask(&operation->chain, ecs->client, &ecs->place, look_forwarded);
    else
        ask_services(operation);
}

// ---- what that comes to ------------------------------------------------------------------------

static const char *const rollouts[] = {
    [ECS_UNTOLD] = "",
    [ECS_IN_PROGRESS] = "IN_PROGRESS",
    [ECS_COMPLETED] = "COMPLETED",
    [ECS_FAILED] = "FAILED",
};

static void add_service(const struct ecs_service *service, bool weighted, struct json_out *out)
{
    json_add_str(out, "taskDefinition", service->definition);
    if (weighted)
        json_add_u64(out, "sharePpm", service->ppm);
    json_add_i64(out, "desiredCount", service->desired);
    json_add_i64(out, "runningCount", service->running);
    json_add_i64(out, "pendingCount", service->pending);
    json_add_u64(out, "deployments", service->deployments);
    if (service->rollout != ECS_UNTOLD)
        json_add_str(out, "rolloutState", str_of(rollouts[service->rollout]));
    if (service->reason.len && service->rollout != ECS_COMPLETED)
        json_add_str(out, "rolloutStateReason", service->reason);
    if (service->failed_reason.len)
        json_add_str(out, "failedDeployment", service->failed_reason);
    if (service->failed)
        json_add_i64(out, "failedTasks", service->failed);
    if (service->health_known) {
        json_add_u64(out, "healthy", service->health.healthy);
        json_add_u64(out, "notHealthy", service->health.waiting + service->health.unhealthy);
        if (service->health.why[0])
            json_add_str(out, "targetHealth", str_of(service->health.why));
    }
}

static const char *evidence_of(struct arena *arena, const struct target_operation *operation)
{
    const struct target *ecs = operation->ecs;
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (size_t i = 0; i < ecs->count; i++) {
        const struct ecs_service *service = &operation->seen.services[i];
        json_open_map(&out, arena_copy(arena, ecs->names[i]));
        if (service->found)
            add_service(service, ecs->count > 1, &out);
        json_close(&out);
    }
    if (operation->seen.foreign_ppm)
        json_add_u64(&out, "otherGroupsPpm", operation->seen.foreign_ppm);
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

static uint32_t part_of(uint32_t ppm, int64_t part, int64_t all)
{
    return all > 0 ? (uint32_t)((uint64_t)ppm * (uint64_t)part / (uint64_t)all) : 0;
}

static int64_t all_running(const struct ecs_service *service)
{
    int64_t told = service->on_next > service->on_good ? service->on_next : service->on_good;
    return service->running > told ? service->running : told;
}

void ecs_observation(struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret)
{
    const struct target *ecs = operation->ecs;
    const struct ecs_seen *seen = &operation->seen;
    struct target_observation observation = {.settled = ecs->count == 1 || seen->forward.count > 0};
    str revision = {NULL, 0};
    uint32_t together = 0;
    for (unsigned i = 0; i < ecs->count; i++) {
        const struct ecs_service *service = &seen->services[i];
        observation.settled = observation.settled && service->found;
        if (service->ppm == 0)
            continue;
        observation.next_ppm += part_of(service->ppm, service->on_next, all_running(service));
        observation.good_ppm += part_of(service->ppm, service->on_good, all_running(service));
        observation.settled = observation.settled && ecs_is_settled(operation, i);
        bool one = service->deployments == 1 && service->running > 0;
        if (one && (!revision.len || str_eq(revision, service->definition))) {
            revision = service->definition;
            together += service->ppm;
        }
    }
    if (together == ECS_ALL_PPM) {
        observation.revision = arena_str(arena, revision);
        observation.release = arena_str(arena, operation->release);
    }
    observation.evidence = evidence_of(arena, operation);
    observation.troubles = ARENA_ARRAY(arena, struct target_trouble, operation->troubles.count);
    for (size_t i = 0; i < operation->troubles.count; i++)
        observation.troubles[i] =
            (struct target_trouble){operation->troubles.items[i].kind,
                                    arena_str(arena, operation->troubles.items[i].words)};
    observation.trouble_count = operation->troubles.count;
    *ret = observation;
}
