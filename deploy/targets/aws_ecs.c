#include "deploy/targets/aws_ecs.h"

#include "deploy/targets/target_image.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

static void looked(void *self, struct chain *chain, const struct chain_reply *reply);

static unsigned capabilities(const void *value)
{
    const struct ecs_config *config = value;
    return config->services.count ? TARGET_WEIGHTS | TARGET_INSTANT_REVERT | TARGET_STAGING : 0;
}

static void close(struct target *ecs)
{
    arena_done(&ecs->arena);
    memory_free(ecs);
}

static bool open(const void *value, const struct target_setup *setup, struct target **ret,
                 struct error *err)
{
    const struct ecs_config *config = value;
    struct target *ecs = memory_alloc(sizeof *ecs);
    bool weighted = config->services.count > 0;
    *ecs = (struct target){.config = config,
                           .setup = *setup,
                           .cluster = config->cluster,
                           .place = config->place,
                           .count = weighted ? ECS_SERVICES : 1};
    bool ok = target_name_open(&ecs->arena, setup, "cluster", &ecs->cluster, err) &&
              target_name_open(&ecs->arena, setup, "listener_rule", &ecs->place.rule, err) &&
              target_name_open(&ecs->arena, setup, "listener", &ecs->place.listener, err);
    for (size_t i = 0; ok && i < ecs->count; i++) {
        ecs->names[i] = weighted ? ((const str *)config->services.items)[i] : config->service;
        ok = target_name_open(&ecs->arena, setup, weighted ? "services" : "service", &ecs->names[i],
                              err);
    }
    ok = ok && aws_section_open(&config->section, setup, &ecs->client, err);
    if (!ok) {
        close(ecs);
        return false;
    }
    *ret = ecs;
    return true;
}

// Tenths of a per cent by weights; one service knows all or nothing.
static uint32_t round_share(const struct target *ecs, uint32_t share_ppm)
{
    if (ecs->count > 1)
        return aws_forward_round(share_ppm);
    return share_ppm ? ECS_ALL_PPM : 0;
}

static bool pack(const struct target *ecs, const struct target_pack *request, struct arena *arena,
                 struct target_release *ret, struct error *err)
{
    return target_image_pack(&ecs->setup, ecs->config->artifact.image, request, arena, ret, err);
}

// ---- what a survey tells -----------------------------------------------------------------------

static void survey_service(struct target_operation *operation, unsigned index)
{
    const struct target *ecs = operation->ecs;
    const struct ecs_service *service = &operation->seen.services[index];
    struct target_troubles *troubles = &operation->troubles;
    const str name = ecs->names[index];
    bool native = service->strategy.len && !str_is(service->strategy, "ROLLING");
    bool foreign = service->controller.len && !str_is(service->controller, "ECS");
    if (!service->found)
        target_trouble_add(troubles, ERROR_ABSENT,
                           "service " STR_FMT " is not in cluster " STR_FMT
                           ": create it, or correct its name",
                           STR_ARG(name), STR_ARG(ecs->cluster));
    else if (!service->active)
        target_trouble_add(troubles, ERROR_REMOTE,
                           "service " STR_FMT " is being deleted: create it anew", STR_ARG(name));
    else if (foreign)
        target_trouble_add(
            troubles, ERROR_INPUT,
            "service " STR_FMT " is deployed by " STR_FMT
            ", which would undo what is done here: give it the deployment controller ECS",
            STR_ARG(name), STR_ARG(service->controller));
    else if (native)
        target_trouble_add(troubles, ERROR_INPUT,
                           "service " STR_FMT " has the deployment strategy " STR_FMT
                           ", whose steps are its own: set it to ROLLING",
                           STR_ARG(name), STR_ARG(service->strategy));
    else if (service->daemon && ecs->count > 1)
        target_trouble_add(troubles, ERROR_INPUT,
                           "service " STR_FMT
                           " runs a task on each machine, so it cannot take turns: "
                           "make it a REPLICA service, or give it alone, as `service`",
                           STR_ARG(name));
    else if (service->ppm && !ecs_is_settled(operation, index))
        target_trouble_add(troubles, ERROR_REMOTE,
                           STR_FMT
                           ": wait until it is settled, or mend it, before a release goes out",
                           STR_ARG(ecs_unsettled_why(operation->troubles.arena, operation)));
}

static void survey_weights(struct target_operation *operation)
{
    const struct ecs_seen *seen = &operation->seen;
    const struct ecs_service *services = seen->services;
    struct target_troubles *troubles = &operation->troubles;
    bool shared = services[0].group.len && str_eq(services[0].group, services[1].group);
    if (!seen->forward.count) // said already
        return;
    for (unsigned i = 0; i < operation->ecs->count; i++)
        if (services[i].found && !services[i].group.len)
            target_trouble_add(troubles, ERROR_INPUT,
                               "service " STR_FMT
                               " has no target group that the rule forwards to: add "
                               "its target group to the rule, with weight 0",
                               STR_ARG(operation->ecs->names[i]));
    if (shared)
        target_trouble_add(troubles, ERROR_INPUT,
                           "both services are in the target group " STR_FMT
                           ": give each one of its own, and the rule both",
                           STR_ARG(services[0].group));
    else if (services[0].ppm && services[1].ppm)
        target_trouble_add(
            troubles, ERROR_REMOTE,
            "both services get requests, so there is none to bring a release onto: give "
            "one of them all of the weight");
    else if (seen->forward.total == 0)
        target_trouble_add(
            troubles, ERROR_REMOTE,
            "no target group of the rule has any weight: give the one that serves all");
    if (seen->foreign_ppm && services[0].group.len && services[1].group.len)
        target_trouble_add(
            troubles, ERROR_REMOTE,
            "the rule sends requests to other target groups as well: take their weight "
            "away");
}

// What was changed by hand is neither overwritten nor taken back unasked.
static void survey_good(struct target_operation *operation)
{
    const struct target *ecs = operation->ecs;
    str good = operation->good.revision;
    for (unsigned i = 0; i < ecs->count; i++) {
        const struct ecs_service *service = &operation->seen.services[i];
        if (good.len && service->ppm && service->desired == 0)
            target_trouble_add(&operation->troubles, ERROR_REMOTE,
                               "service " STR_FMT
                               " has no tasks, and all requests: scale it up before a release "
                               "goes out",
                               STR_ARG(ecs->names[i]));
        else if (good.len && service->ppm && !str_eq(service->definition, good))
            target_trouble_add(&operation->troubles, ERROR_DENIED,
                               "service " STR_FMT " serves " STR_FMT ", not " STR_FMT
                               ", the known good: somebody else changed it. Record what it serves "
                               "with `sluice adopt`, or take it back with `sluice rollback`",
                               STR_ARG(ecs->names[i]), STR_ARG(service->definition), STR_ARG(good));
    }
}

static void survey_over(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)reply;
    for (unsigned i = 0; i < operation->ecs->count && operation->survey; i++)
        if (operation->looked)
            survey_service(operation, i);
    if (operation->survey && operation->looked && operation->ecs->count > 1)
        survey_weights(operation);
    if (operation->survey && operation->looked)
        survey_good(operation);
    chain_end(chain);
}

// ---- acting ------------------------------------------------------------------------------------

// Whether something moved since the last look: then the next one is soon.
static uint64_t fingerprint(const struct ecs_seen *seen)
{
    uint64_t sum = 1469598103934665603U;
    for (unsigned i = 0; i < ECS_SERVICES; i++) {
        const struct ecs_service *service = &seen->services[i];
        const uint64_t parts[] = {
            (uint64_t)service->desired, (uint64_t)service->running, (uint64_t)service->pending,
            (uint64_t)service->failed,  service->deployments,       service->ppm,
            service->rollout,           service->health.healthy,    service->health.waiting,
        };
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            sum = (sum ^ parts[k]) * 1099511628211U;
        for (size_t k = 0; k < service->definition.len; k++)
            sum = (sum ^ (uint64_t)(unsigned char)service->definition.data[k]) * 1099511628211U;
    }
    return sum;
}

static void look_again(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)chain;
    (void)reply;
    ecs_look(self, looked);
}

static void changed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    const struct ecs_step *step = &operation->step;
    str name = operation->ecs->names[step->service];
    operation->looks = 0;
    if (!reply->ok && reply->fault->outcome_unknown && !step->tidies)
        operation->sent[step->service] = (struct ecs_sent){0};
    // Nobody knows whether it took effect: to look tells.
    if (reply->ok || reply->fault->outcome_unknown || step->tidies)
        chain_pause(chain, reply->ok ? 1 : target_pause_ms(&operation->looks), look_again);
    else if (step->act == ECS_WEIGHTS)
        chain_fail_with(chain, reply, "changing the weights");
    else
        chain_fail_with(chain, reply, "changing service " STR_FMT, STR_ARG(name));
}

static void send_update(struct target_operation *operation)
{
    const struct ecs_step *step = &operation->step;
    struct target *ecs = operation->ecs;
    struct text body = text_of(LIMIT_PATH);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "cluster", ecs->cluster);
    json_add_str(&out, "service", ecs->names[step->service]);
    if (step->definition.len)
        json_add_str(&out, "taskDefinition", step->definition);
    if (step->desired >= 0)
        json_add_i64(&out, "desiredCount", step->desired);
    if (step->force)
        json_add_bool(&out, "forceNewDeployment", true);
    json_close(&out);
    chain_aws(&operation->chain, ecs->client,
              &(struct aws_request){.service = &aws_ecs,
                                    .action = "UpdateService",
                                    .body = text_str(&body),
                                    .repeatable = !step->force},
              changed);
    text_done(&body);
}

static void send_weights(struct target_operation *operation)
{
    struct target *ecs = operation->ecs;
    const struct ecs_step *step = &operation->step;
    const struct ecs_service *services = operation->seen.services;
    struct aws_forward forward = operation->seen.forward;
    (void)aws_forward_split(&forward, services[step->service].group,
                            services[1 - step->service].group, step->share);
    aws_forward_send(&operation->chain, ecs->client, &ecs->place, &forward, changed);
}

static void looked(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error error = {0};
    (void)reply;
    uint64_t moved = fingerprint(&operation->seen);
    if (moved != operation->moved)
        operation->looks = 0;
    operation->moved = moved;
    operation->looked = true;
    ecs_decide(operation, &operation->step, &error);
    switch (operation->step.act) {
    case ECS_DONE:
        // Who adopts what serves learns its release's name.
        if (operation->survey || (operation->verb == INTENT_OBSERVE &&
                                  !operation->next.release.len && !operation->good.release.len))
            ecs_inspect(operation, survey_over);
        else
            chain_end(chain);
        break;
    case ECS_WAIT:
        chain_pause(chain, target_pause_ms(&operation->looks), look_again);
        break;
    case ECS_FAIL:
        chain_fail(chain, error.kind, "%s", error.message);
        break;
    case ECS_DEFINE:
        ecs_define(operation, look_again);
        break;
    case ECS_UPDATE:
        send_update(operation);
        break;
    case ECS_WEIGHTS:
        send_weights(operation);
        break;
    }
}

// ---- what it needs -----------------------------------------------------------------------------

// Of "ACCOUNT.dkr.ecr.REGION.amazonaws.com/learn/web@${digest}"; empty of any other registry.
static str repository_arn(struct arena *arena, str image)
{
    static const str word = STR_INIT(".dkr.ecr.");
    str host = str_first(image, str_find(image, '/'));
    size_t at = str_search(host, word), slash = str_find(image, '/');
    if (at == STR_NONE || slash == STR_NONE)
        return (str){NULL, 0};
    str rest = str_from(host, at + word.len), region = str_cut(&rest, '.');
    str name = str_from(image, slash + 1);
    size_t end = 0;
    while (end < name.len && name.data[end] != '@' && name.data[end] != ':')
        end++;
    return arena_format(arena, "arn:aws:ecr:" STR_FMT ":" STR_FMT ":repository/" STR_FMT,
                        STR_ARG(region), STR_ARG(str_first(host, at)),
                        STR_ARG(str_first(name, end)));
}

static void permissions(const struct target *ecs, struct arena *arena,
                        struct target_permissions *ret)
{
    static const struct permission once[] = {
        {.action = "ecs:DescribeTaskDefinition"},
        {.action = "ecs:RegisterTaskDefinition"},
        {.action = "ecs:TagResource"},
        {.action = "ecr:GetAuthorizationToken"},
        {.action = "elasticloadbalancing:DescribeTargetHealth"},
    };
    enum { ONCE = sizeof once / sizeof *once, MOST = ONCE + 2 * ECS_SERVICES + ECS_ROLES + 3 };
    struct permission *wanted = ARENA_ARRAY(arena, struct permission, MOST);
    str place = ecs->place.rule.len ? ecs->place.rule : ecs->place.listener;
    size_t count = 0;
    for (size_t i = 0; i < ONCE; i++)
        wanted[count++] = once[i];
    for (size_t i = 0; i < ecs->count; i++) {
        str arn =
            arena_format(arena, "arn:aws:ecs:{region}:{account}:service/" STR_FMT "/" STR_FMT,
                         STR_ARG(aws_arn_name(ecs->cluster)), STR_ARG(aws_arn_name(ecs->names[i])));
        wanted[count++] =
            (struct permission){.action = "ecs:DescribeServices", .resource = arn.data};
        wanted[count++] = (struct permission){.action = "ecs:UpdateService", .resource = arn.data};
    }
    if (ecs->count > 1) {
        bool rule = ecs->place.rule.len > 0;
        wanted[count++].action =
            rule ? "elasticloadbalancing:DescribeRules" : "elasticloadbalancing:DescribeListeners";
        wanted[count++] =
            (struct permission){.action = rule ? "elasticloadbalancing:ModifyRule"
                                               : "elasticloadbalancing:ModifyListener",
                                .resource = arena_copy(arena, place)};
    }
    str repository = repository_arn(arena, ecs->config->artifact.image);
    if (repository.len)
        wanted[count++] =
            (struct permission){.action = "ecr:BatchGetImage", .resource = repository.data};
    for (size_t i = 0; i < ecs->role_count; i++)
        wanted[count++] = (struct permission){.action = "iam:PassRole",
                                              .resource = arena_copy(arena, ecs->roles[i]),
                                              .passed_to = "ecs-tasks.amazonaws.com"};
    *ret = (struct target_permissions){.aws = ecs->client, .wanted = wanted, .count = count};
}

// ---- an operation ------------------------------------------------------------------------------

// {"desired": 4}: how many tasks known good had before it was scaled away.
static int64_t read_memory(str memory)
{
    struct arena arena = {0};
    const struct node *tree = NULL;
    struct error ignored;
    int64_t desired = 0;
    if (!memory.len || !json_parse(&arena, NULL, memory, &tree, &ignored) ||
        !json_get_i64(tree, "desired", &desired) || desired < 0)
        desired = 0;
    arena_done(&arena);
    return desired;
}

static bool check_intent(const struct target *ecs, const struct target_intent *intent,
                         struct error *err)
{
    bool forward = intent->verb == INTENT_SHIFT || intent->verb == INTENT_PROMOTE;
    if (intent->verb == INTENT_STAGE && !intent->next.digest.len)
        return error_set(err, ERROR_INPUT, "there is no image to bring to target %s",
                         ecs->setup.name);
    if (forward && !intent->next.revision.len)
        return error_set(err, ERROR_INPUT,
                         "release " STR_FMT " was not staged on target %s: there is no task "
                         "definition of it",
                         STR_ARG(intent->next.release), ecs->setup.name);
    if (intent->verb == INTENT_SHIFT && ecs->count == 1 && intent->share_ppm < ECS_ALL_PPM)
        return error_set(err, ERROR_INPUT,
                         "target %s is one ECS service, whose tasks are all replaced: a share "
                         "below 100 %% is not possible",
                         ecs->setup.name);
    return true;
}

static bool start(struct target *ecs, const struct target_intent *intent,
                  struct target_operation **ret, struct error *err)
{
    if (!check_intent(ecs, intent, err))
        return false;
    struct target_operation *operation = memory_alloc(sizeof *operation);
    *operation = (struct target_operation){
        .ecs = ecs,
        .verb = intent->verb,
        .share_ppm = intent->share_ppm,
        .survey = intent->survey,
        .kept_desired = read_memory(intent->memory),
    };
    operation->troubles.arena = &operation->arena;
    operation->next = target_release_copy(&operation->arena, &intent->next);
    operation->good = target_release_copy(&operation->arena, &intent->good);
    chain_begin(&operation->chain, ecs->setup.cloud, operation);
    ecs_look(operation, looked);
    *ret = operation;
    return true;
}

static const char *note_of(struct arena *arena, const struct target_operation *operation,
                           const struct target_observation *seen)
{
    if (operation->verb == INTENT_REVERT && !operation->good.revision.len)
        return "nothing was there before this release: its tasks are taken away";
    if (seen->settled)
        return NULL;
    str why = ecs_unsettled_why(arena, operation);
    return why.len ? arena_copy(arena, why) : NULL;
}

static enum progress poll(struct target_operation *operation, struct arena *arena,
                          struct target_outcome *ret, struct error *err)
{
    enum progress progress = chain_poll(&operation->chain, err);
    if (progress != PROGRESS_DONE)
        return progress;
    struct target_outcome outcome = {.memory = STR("{}")};
    if (operation->kept_desired)
        outcome.memory =
            arena_format(arena, "{\"desired\":%lld}", (long long)operation->kept_desired);
    if (operation->verb == INTENT_STAGE)
        outcome.revision = arena_str(arena, operation->next.revision);
    ecs_observation(operation, arena, &outcome.seen);
    outcome.note = note_of(arena, operation, &outcome.seen);
    *ret = outcome;
    return PROGRESS_DONE;
}

static void drop(struct target_operation *operation)
{
    chain_drop(&operation->chain);
    arena_done(&operation->look_arena);
    arena_done(&operation->arena);
    memory_free(operation);
}

const struct target_kind aws_ecs_kind = {
    .name = "aws-ecs",
    .shape = &ecs_shape,
    .capabilities = capabilities,
    .open = open,
    .pack = pack,
    .round_share = round_share,
    .start = start,
    .poll = poll,
    .drop = drop,
    .permissions = permissions,
    .close = close,
};
