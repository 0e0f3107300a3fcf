#include "deploy/targets/aws_alb.h"

#include "gate/base/limits.h"
#include "gate/base/sha256.h"
#include "gate/doc/json.h"

struct target {
    struct alb_target alb;
};

struct target_operation {
    struct alb_operation alb;
};

static unsigned alb_capabilities(const void *config)
{
    (void)config;
    return TARGET_WEIGHTS | TARGET_INSTANT_REVERT | TARGET_STAGING;
}

static void alb_close(struct target *target)
{
    arena_done(&target->alb.arena);
    memory_free(target);
}

static bool open_names(struct alb_target *alb, struct error *err)
{
    const struct alb_group *groups = alb->config->groups.items;
    struct aws_forward_place *place = &alb->place;
    *place = alb->config->place;
    if (!target_name_open(&alb->arena, &alb->setup, "listener_rule", &place->rule, err) ||
        !target_name_open(&alb->arena, &alb->setup, "listener", &place->listener, err))
        return false;
    for (size_t i = 0; i < ALB_GROUPS; i++) {
        alb->groups[i] = groups[i];
        if (!target_name_open(&alb->arena, &alb->setup, "groups", &alb->groups[i].arn, err))
            return false;
    }
    return true;
}

static bool alb_open(const void *config, const struct target_setup *setup, struct target **ret,
                     struct error *err)
{
    struct target *target = memory_alloc(sizeof *target);
    target->alb.config = config;
    target->alb.setup = *setup;
    if (!open_names(&target->alb, err) ||
        !aws_section_open(&target->alb.config->at, setup, &target->alb.client, err)) {
        alb_close(target);
        return false;
    }
    *ret = target;
    return true;
}

// There are no bytes to name: whoever deploys to the group has them. Without a digest from there,
// the release's is that of its commit's id.
static bool alb_pack(const struct target *target, const struct target_pack *pack,
                     struct arena *arena, struct target_release *ret, struct error *err)
{
    char hex[SHA256_HEX];
    if (pack->given.len && !sha256_is_named(pack->given))
        return error_set(err, ERROR_INPUT,
                         "`--artifact %s=" STR_FMT "` is no digest, such as `sha256:…`: what is "
                         "deployed to a target group by somebody else is named by its digest",
                         target->alb.setup.name, STR_ARG(str_shorten(pack->given, 120)));
    *ret = (struct target_release){
        .release = pack->release,
        .commit = pack->commit,
        .digest = pack->given.len ? arena_str(arena, pack->given)
                                  : arena_format(arena, "sha256:%s", sha256_of(pack->commit, hex)),
    };
    return true;
}

static uint32_t alb_round_share(const struct target *target, uint32_t share_ppm)
{
    (void)target;
    return aws_forward_round(share_ppm);
}

// ---- looking -----------------------------------------------------------------------------------

static bool is_unknown(const struct alb_operation *op)
{
    return op->next.revision.len == 0 && op->good.revision.len == 0;
}

static void look_at_health(struct alb_operation *op);

static void health_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    int group = op->has_health[0] ? 1 : 0;
    if (!reply->ok && !op->survey) {
        chain_fail_with(chain, reply, "reading the health of group " STR_FMT,
                        STR_ARG(op->target->groups[group].name));
        return;
    }
    if (reply->ok)
        aws_health_read(reply, &op->health[group]);
    else
        target_trouble_of(&op->troubles, reply, "elasticloadbalancing:DescribeTargetHealth");
    op->has_health[group] = true;
    look_at_health(op);
}

static void survey_health(struct alb_operation *op)
{
    int serving = alb_serving(op), idle = 1 - serving;
    const struct aws_health *health = &op->health[serving < 0 ? 0 : idle];
    unsigned all = health->healthy + health->waiting + health->unhealthy;
    if (serving >= 0 && op->troubles.count == 0 && all < alb_needed(op, serving))
        target_trouble_add(&op->troubles, ERROR_REMOTE,
                           "group " STR_FMT " has %u targets where %u must be healthy: deploy the "
                           "release to it first",
                           STR_ARG(op->target->groups[idle].name), all, alb_needed(op, serving));
}

static void look_at_health(struct alb_operation *op)
{
    if (op->has_health[0] && op->has_health[1]) {
        if (op->survey)
            survey_health(op);
        chain_end(&op->chain);
    } else {
        aws_health_ask(&op->chain, op->target->client,
                       op->target->groups[op->has_health[0] ? 1 : 0].arn, health_seen);
    }
}

static void marks_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    if (!reply->ok && !op->survey) {
        chain_fail_with(chain, reply, "reading the tags of the groups");
        return;
    }
    if (reply->ok)
        alb_read_marks(op, reply);
    else
        target_trouble_of(&op->troubles, reply, "elasticloadbalancing:DescribeTags");
    look_at_health(op);
}

static bool is_ours(const struct alb_target *target, str arn)
{
    return str_eq(arn, target->groups[0].arn) || str_eq(arn, target->groups[1].arn);
}

static void survey_forward(struct alb_operation *op)
{
    const struct aws_forward *forward = &op->forward;
    size_t ours = 0;
    for (size_t i = 0; i < forward->count; i++) {
        ours += is_ours(op->target, forward->groups[i].arn);
        if (!is_ours(op->target, forward->groups[i].arn) && forward->groups[i].weight)
            target_trouble_add(&op->troubles, ERROR_INPUT,
                               "requests go to target group " STR_FMT " as well, which is none of "
                               "`groups`: set its weight to 0",
                               STR_ARG(forward->groups[i].arn));
    }
    if (ours < ALB_GROUPS)
        target_trouble_add(
            &op->troubles, ERROR_INPUT,
            "the weights name %zu of the two `groups`: add the idle one with weight 0", ours);
    else if (alb_serving(op) < 0)
        target_trouble_add(
            &op->troubles, ERROR_REMOTE,
            "neither of the groups has all of the weight: give it to the one that serves");
}

static void go_on(struct alb_operation *op)
{
    if (op->verb == INTENT_STAGE) {
        alb_stage(op);
    } else if (op->verb != INTENT_OBSERVE) {
        alb_bring(op);
    } else if (op->survey || is_unknown(op)) {
        if (op->survey)
            survey_forward(op);
        alb_ask_marks(op, marks_seen);
    } else {
        chain_end(&op->chain);
    }
}

static void forward_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    const struct aws_forward_place *place = &op->target->place;
    struct error err;
    op->has_forward = reply->ok && aws_forward_read(&op->arena, place, reply, &op->forward, &err);
    if (op->has_forward) {
        go_on(op);
    } else if (op->survey) {
        if (reply->ok)
            target_trouble_add(&op->troubles, err.kind, "%s", err.message);
        else
            target_trouble_of(&op->troubles, reply,
                              place->rule.len ? "elasticloadbalancing:DescribeRules"
                                              : "elasticloadbalancing:DescribeListeners");
        chain_end(chain);
    } else if (reply->ok) {
        chain_fail(chain, err.kind, "%s", err.message);
    } else {
        chain_fail_with(chain, reply, "reading the weights");
    }
}

// ---- operations --------------------------------------------------------------------------------

static int group_named(const struct alb_target *target, str name)
{
    for (int i = 0; i < ALB_GROUPS; i++)
        if (name.len && str_eq(target->groups[i].name, name))
            return i;
    return -1;
}

static bool alb_start(struct target *target, const struct target_intent *intent,
                      struct target_operation **ret, struct error *err)
{
    bool out = intent->verb == INTENT_SHIFT || intent->verb == INTENT_PROMOTE;
    if (out && intent->next.revision.len == 0)
        return error_set(err, ERROR_INPUT, "release " STR_FMT " was not staged on target %s",
                         STR_ARG(intent->next.release), target->alb.setup.name);
    struct target_operation *operation = memory_alloc(sizeof *operation);
    struct alb_operation *op = &operation->alb;
    op->target = &target->alb;
    op->verb = intent->verb;
    op->share_ppm = intent->share_ppm;
    op->survey = intent->survey;
    op->next = target_release_copy(&op->arena, &intent->next);
    op->good = target_release_copy(&op->arena, &intent->good);
    op->of_next = group_named(&target->alb, op->next.revision);
    op->of_good = group_named(&target->alb, op->good.revision);
    op->troubles.arena = &op->arena;
    chain_begin(&op->chain, target->alb.setup.cloud, op);
    aws_forward_ask(&op->chain, target->alb.client, &target->alb.place, forward_seen);
    *ret = operation;
    return true;
}

static void alb_drop(struct target_operation *operation)
{
    chain_drop(&operation->alb.chain);
    arena_done(&operation->alb.arena);
    memory_free(operation);
}

// ---- what was seen -----------------------------------------------------------------------------

static const char *evidence_of(struct arena *arena, const struct alb_operation *op)
{
    const struct aws_forward *forward = &op->forward;
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_open_map(&out, "weights");
    for (size_t i = 0; op->has_forward && i < forward->count; i++)
        json_add_u64(&out, arena_copy(arena, forward->groups[i].arn), forward->groups[i].weight);
    json_close(&out);
    for (int i = 0; i < ALB_GROUPS; i++) {
        const struct aws_health *health = &op->health[i];
        json_open_map(&out, arena_copy(arena, op->target->groups[i].name));
        if (op->has_health[i]) {
            json_add_u64(&out, "healthy", health->healthy);
            json_add_u64(&out, "initial", health->waiting);
            json_add_u64(&out, "unhealthy", health->unhealthy);
        }
        if (op->has_marks)
            json_add_str(&out, alb_release_tag, op->marks[i].release);
        json_close(&out);
    }
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

static void see(struct arena *arena, const struct alb_operation *op, struct target_observation *ret)
{
    int serving = op->has_forward ? alb_serving(op) : -1;
    ret->next_ppm = alb_ppm(op, op->of_next);
    ret->good_ppm = alb_ppm(op, op->of_good);
    ret->settled = op->has_forward;
    if (serving >= 0) {
        ret->revision = arena_str(arena, op->target->groups[serving].name);
        ret->settled = !op->has_health[serving] || op->health[serving].healthy > 0;
        ret->release = arena_str(arena, op->marks[serving].release);
    }
    ret->evidence = evidence_of(arena, op);
    ret->troubles = ARENA_ARRAY(arena, struct target_trouble, op->troubles.count);
    ret->trouble_count = op->troubles.count;
    for (size_t i = 0; i < op->troubles.count; i++)
        ret->troubles[i] = (struct target_trouble){op->troubles.items[i].kind,
                                                   arena_str(arena, op->troubles.items[i].words)};
}

static enum progress alb_poll(struct target_operation *operation, struct arena *arena,
                              struct target_outcome *ret, struct error *err)
{
    struct alb_operation *op = &operation->alb;
    enum progress progress = chain_poll(&op->chain, err);
    if (progress != PROGRESS_DONE)
        return progress;
    struct target_outcome outcome = {.memory = STR("{}")};
    see(arena, op, &outcome.seen);
    outcome.revision = arena_str(arena, op->staged);
    if (op->verb == INTENT_OBSERVE && !op->survey && !is_unknown(op) &&
        outcome.seen.next_ppm + outcome.seen.good_ppm < 1000000)
        outcome.note = "some requests go to neither the release nor known good";
    *ret = outcome;
    return PROGRESS_DONE;
}

// ---- what it needs -----------------------------------------------------------------------------

static void permissions(const struct target *target, struct arena *arena,
                        struct target_permissions *ret)
{
    const struct alb_target *alb = &target->alb;
    const struct aws_forward_place *place = &alb->place;
    bool rule = place->rule.len > 0;
    const struct permission all[] = {
        {.action = rule ? "elasticloadbalancing:DescribeRules"
                        : "elasticloadbalancing:DescribeListeners"},
        {.action = "elasticloadbalancing:DescribeTargetHealth"},
        {.action = "elasticloadbalancing:DescribeTags"},
        {.action = rule ? "elasticloadbalancing:ModifyRule" : "elasticloadbalancing:ModifyListener",
         .resource = arena_copy(arena, rule ? place->rule : place->listener)},
        {.action = "elasticloadbalancing:AddTags",
         .resource = arena_copy(arena, alb->groups[0].arn)},
        {.action = "elasticloadbalancing:AddTags",
         .resource = arena_copy(arena, alb->groups[1].arn)},
    };
    size_t count = sizeof all / sizeof *all;
    struct permission *wanted = ARENA_ARRAY(arena, struct permission, count);
    memcpy(wanted, all, sizeof all);
    *ret = (struct target_permissions){.aws = alb->client, .wanted = wanted, .count = count};
}

const struct target_kind aws_alb_kind = {
    .name = "aws-alb",
    .shape = &alb_shape,
    .capabilities = alb_capabilities,
    .open = alb_open,
    .pack = alb_pack,
    .round_share = alb_round_share,
    .start = alb_start,
    .poll = alb_poll,
    .drop = alb_drop,
    .permissions = permissions,
    .close = alb_close,
};
