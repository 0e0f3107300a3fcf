// What an `aws-alb` target does: makes sure that a group can serve, marks it, and moves the
// weights. Weights are absolute, and are read again after every change.
#include "deploy/targets/aws_alb.h"

enum { FORM_MOST = 4096, CHANGES_MOST = 5 };

const char alb_release_tag[] = "sluice:release", alb_digest_tag[] = "sluice:digest";

static const struct alb_group *group_of(const struct alb_operation *op, int index)
{
    return &op->target->groups[index];
}

static const char *place_of(const struct alb_operation *op)
{
    return op->target->place.rule.len ? "the rule" : "the listener";
}

uint32_t alb_ppm(const struct alb_operation *op, int group)
{
    return group < 0 || !op->has_forward ? 0
                                         : aws_forward_ppm(&op->forward, group_of(op, group)->arn);
}

int alb_serving(const struct alb_operation *op)
{
    for (int i = 0; i < ALB_GROUPS; i++)
        if (alb_ppm(op, i) == 1000000)
            return i;
    return -1;
}

unsigned alb_needed(const struct alb_operation *op, int serving)
{
    unsigned given = (unsigned)op->target->config->min_healthy;
    unsigned healthy = op->health[serving].healthy;
    return given ? given : healthy ? healthy : 1;
}

// ---- which release is in a group ---------------------------------------------------------------

void alb_ask_marks(struct alb_operation *op, chain_next next)
{
    struct text body = text_of(FORM_MOST);
    for (int i = 0; i < ALB_GROUPS; i++)
        aws_form_add(&body, group_of(op, i)->arn, "ResourceArns.member.%d", i + 1);
    chain_aws(&op->chain, op->target->client,
              &(struct aws_request){.service = &aws_elbv2,
                                    .action = "DescribeTags",
                                    .body = text_str(&body),
                                    .repeatable = true},
              next);
    text_done(&body);
}

static void read_tag(struct arena *arena, const struct node *tag, struct alb_mark *ret)
{
    str key = node_text(tag, "Key"), value = node_text(tag, "Value");
    if (str_is(key, alb_release_tag))
        ret->release = arena_str(arena, value);
    else if (str_is(key, alb_digest_tag))
        ret->digest = arena_str(arena, value);
}

void alb_read_marks(struct alb_operation *op, const struct chain_reply *reply)
{
    const struct node *list = node_get(reply->tree, "TagDescriptions");
    for (const struct node *n = list ? list->first : NULL; n; n = n->next)
        for (int i = 0; i < ALB_GROUPS; i++) {
            const struct node *tags = node_get(n, "Tags");
            if (!str_eq(node_text(n, "ResourceArn"), group_of(op, i)->arn))
                continue;
            for (const struct node *t = tags ? tags->first : NULL; t; t = t->next)
                read_tag(&op->arena, t, &op->marks[i]);
        }
    op->has_marks = true;
}

static void marked(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "marking group " STR_FMT " with the release",
                        STR_ARG(group_of(op, op->idle)->name));
        return;
    }
    op->staged = group_of(op, op->idle)->name;
    chain_end(chain);
}

static void mark(struct alb_operation *op)
{
    struct text body = text_of(FORM_MOST);
    aws_form_add(&body, group_of(op, op->idle)->arn, "ResourceArns.member.1");
    aws_form_add(&body, str_of(alb_release_tag), "Tags.member.1.Key");
    aws_form_add(&body, op->next.release, "Tags.member.1.Value");
    aws_form_add(&body, str_of(alb_digest_tag), "Tags.member.2.Key");
    aws_form_add(&body, op->next.digest, "Tags.member.2.Value");
    chain_aws(&op->chain, op->target->client,
              &(struct aws_request){.service = &aws_elbv2,
                                    .action = "AddTags",
                                    .body = text_str(&body),
                                    .repeatable = true},
              marked);
    text_done(&body);
}

// ---- staging -----------------------------------------------------------------------------------

static void ask_idle(void *self, struct chain *chain, const struct chain_reply *reply);

static void idle_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    const struct alb_group *idle = group_of(op, op->idle);
    struct aws_health *health = &op->health[op->idle];
    unsigned needed = alb_needed(op, op->of_good);
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the health of group " STR_FMT, STR_ARG(idle->name));
        return;
    }
    aws_health_read(reply, health);
    unsigned all = health->healthy + health->waiting + health->unhealthy;
    bool enough = op->target->config->min_healthy || health->healthy == all;
    if (health->healthy >= needed && enough)
        mark(op);
    else if (all < needed)
        chain_fail(chain, ERROR_REMOTE,
                   "group " STR_FMT " has %u targets where %u must be healthy: deploy " STR_FMT
                   " to it first, then send the release out again",
                   STR_ARG(idle->name), all, needed, STR_ARG(op->next.release));
    else
        chain_pause(chain, target_pause_ms(&op->looks), ask_idle);
}

static void ask_idle(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    struct alb_operation *op = self;
    aws_health_ask(chain, op->target->client, group_of(op, op->idle)->arn, idle_seen);
}

static void serving_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the health of group " STR_FMT,
                        STR_ARG(group_of(op, op->of_good)->name));
        return;
    }
    aws_health_read(reply, &op->health[op->of_good]);
    ask_idle(op, chain, reply);
}

static bool is_forwarded_to(const struct alb_operation *op, int group)
{
    for (size_t i = 0; i < op->forward.count; i++)
        if (str_eq(op->forward.groups[i].arn, group_of(op, group)->arn))
            return true;
    return false;
}

void alb_stage(struct alb_operation *op)
{
    struct chain *chain = &op->chain;
    int good = op->of_good, idle = good < 0 ? -1 : 1 - good;
    op->idle = idle;
    if (!op->good.revision.len)
        chain_fail(chain, ERROR_DENIED,
                   "%s sends its requests somewhere already, so there is no first deployment: "
                   "record what it serves with `sluice adopt`",
                   place_of(op));
    else if (good < 0)
        chain_fail(chain, ERROR_INPUT,
                   "known good is in group " STR_FMT ", which is none of `groups`: record what "
                   "serves now with `sluice adopt`",
                   STR_ARG(op->good.revision));
    else if (alb_ppm(op, good) != 1000000)
        chain_fail(chain, ERROR_DENIED,
                   "%s sends group " STR_FMT ", where known good is, not all of its requests: give "
                   "it all of the weight, or record what serves with `sluice adopt`",
                   place_of(op), STR_ARG(group_of(op, good)->name));
    else if (!is_forwarded_to(op, idle))
        chain_fail(chain, ERROR_INPUT,
                   "%s does not forward to group " STR_FMT ": add it there with weight 0, for "
                   "targets of no use to a load balancer are not checked for health",
                   place_of(op), STR_ARG(group_of(op, idle)->name));
    else
        aws_health_ask(chain, op->target->client, group_of(op, good)->arn, serving_seen);
}

// ---- weights -----------------------------------------------------------------------------------

struct wish {
    int group; // gets the share, and the other one the rest
    uint32_t share_ppm;
};

static struct wish wish_of(const struct alb_operation *op)
{
    bool all = op->verb == INTENT_PROMOTE || op->share_ppm >= 1000000;
    if (op->verb == INTENT_REVERT)
        return (struct wish){op->of_good, 1000000};
    return (struct wish){op->of_next, all ? 1000000 : op->share_ppm};
}

static void weights_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    struct error err;
    if (!reply->ok)
        chain_fail_with(chain, reply, "reading the weights");
    else if (!aws_forward_read(&op->arena, &op->target->place, reply, &op->forward, &err))
        chain_fail(chain, err.kind, "%s", err.message);
    else
        alb_bring(op);
}

static void look_again(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    struct alb_operation *op = self;
    aws_forward_ask(chain, op->target->client, &op->target->place, weights_seen);
}

static void weights_sent(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    op->sent++;
    if (reply->ok && op->sent == 1)
        look_again(op, chain, reply);
    else if (reply->ok || reply->fault->outcome_unknown)
        chain_pause(chain, target_pause_ms(&op->looks), look_again);
    else
        chain_fail_with(chain, reply, "changing the weights");
}

static bool split(const struct alb_operation *op, struct aws_forward *forward)
{
    struct wish wish = wish_of(op);
    return aws_forward_split(forward, group_of(op, wish.group)->arn,
                             group_of(op, 1 - wish.group)->arn, wish.share_ppm);
}

static void group_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    struct wish wish = wish_of(op);
    const struct alb_group *group = group_of(op, wish.group);
    struct aws_health *health = &op->health[wish.group];
    struct aws_forward forward = op->forward;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the health of group " STR_FMT, STR_ARG(group->name));
        return;
    }
    aws_health_read(reply, health);
    op->has_health[wish.group] = true;
    if (health->healthy == 0) {
        chain_fail(chain, ERROR_REMOTE,
                   "group " STR_FMT " has no healthy target%s%s: it gets no requests before it has",
                   STR_ARG(group->name), health->why[0] ? ", " : "", health->why);
        return;
    }
    (void)split(op, &forward);
    aws_forward_send(chain, op->target->client, &op->target->place, &forward, weights_sent);
}

static void ask_group(struct alb_operation *op)
{
    aws_health_ask(&op->chain, op->target->client, group_of(op, wish_of(op).group)->arn,
                   group_seen);
}

// A group may hold another release by now: weights would bring that one out.
static void good_marks_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct alb_operation *op = self;
    const struct alb_mark *mark = &op->marks[op->of_good];
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading which release is in group " STR_FMT,
                        STR_ARG(op->good.revision));
        return;
    }
    alb_read_marks(op, reply);
    bool other = mark->release.len && !str_eq(mark->release, op->good.release);
    bool bytes =
        op->good.digest.len && mark->digest.len && !other && !str_eq(mark->digest, op->good.digest);
    if (other || bytes)
        chain_fail(chain, ERROR_REMOTE,
                   "group " STR_FMT " is marked as holding " STR_FMT "%s now, and not " STR_FMT
                   ": deploy that to it again, and set its tag `%s`",
                   STR_ARG(op->good.revision), STR_ARG(mark->release),
                   bytes ? " with another digest" : "", STR_ARG(op->good.release), alb_release_tag);
    else
        ask_group(op);
}

void alb_bring(struct alb_operation *op)
{
    struct wish wish = wish_of(op);
    struct aws_forward forward = op->forward;
    bool nothing = op->verb == INTENT_REVERT && !op->good.revision.len && op->of_next < 0;
    if (wish.group < 0 && !nothing)
        chain_fail(&op->chain, ERROR_INPUT,
                   "group " STR_FMT " is none of `groups`: name it there again",
                   STR_ARG(op->verb == INTENT_REVERT ? op->good.revision : op->next.revision));
    else if (nothing || !split(op, &forward))
        chain_end(&op->chain);
    else if (op->sent == CHANGES_MOST)
        chain_fail(&op->chain, ERROR_TRANSIENT,
                   "the weights were changed %d times and do not stay so: something else changes "
                   "them as well",
                   CHANGES_MOST);
    else if (op->verb == INTENT_REVERT && !op->has_marks)
        alb_ask_marks(op, good_marks_seen);
    else
        ask_group(op);
}
