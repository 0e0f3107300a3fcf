#include "deploy/targets/aws_forward.h"

#include "gate/base/number.h"

#include <stdio.h>

enum { FORM_MOST = 16384, DEPTH_MOST = 6, PERMILLE_PPM = 1000, SHARE_PPM = 1000000 };

static bool is_rule(const struct aws_forward_place *place)
{
    return place->rule.len > 0;
}

static const char *place_words(const struct aws_forward_place *place)
{
    return is_rule(place) ? "rule" : "default action of listener";
}

void aws_forward_ask(struct chain *chain, struct aws_client *client,
                     const struct aws_forward_place *place, chain_next next)
{
    struct text body = text_of(FORM_MOST);
    aws_form_add(&body, is_rule(place) ? place->rule : place->listener, "%s.member.1",
                 is_rule(place) ? "RuleArns" : "ListenerArns");
    chain_aws(
        chain, client,
        &(struct aws_request){.service = &aws_elbv2,
                              .action = is_rule(place) ? "DescribeRules" : "DescribeListeners",
                              .body = text_str(&body),
                              .repeatable = true},
        next);
    text_done(&body);
}

// ---- reading -----------------------------------------------------------------------------------

// One level of an action at a time; what a document nests deeper than any action does is left out.
struct place_in_form {
    const struct node *node;
    char name[160];
};

// An action as it is asked for: what DescribeRules says, under the names that ModifyRule knows.
static void add_action(struct text *form, const struct node *action, const char *name)
{
    struct place_in_form stack[DEPTH_MOST] = {{.node = action->first}};
    size_t depth = 1;
    (void)snprintf(stack[0].name, sizeof stack[0].name, "%s", name);
    while (depth) {
        struct place_in_form *top = &stack[depth - 1];
        const struct node *node = top->node;
        if (!node) {
            depth--;
            continue;
        }
        top->node = node->next;
        if (node->first && depth < DEPTH_MOST) {
            char above[sizeof stack[0].name]; // a copy: both are of one array
            memcpy(above, top->name, sizeof above);
            stack[depth].node = node->first;
            (void)snprintf(stack[depth].name, sizeof stack[depth].name, "%.100s." STR_FMT, above,
                           STR_ARG(str_first(node->key, 50)));
            depth++;
        } else if (!node->first && node->text.len) {
            aws_form_add(form, node->text, "%s." STR_FMT, top->name, STR_ARG(node->key));
        }
    }
    // The secret is not told, and is kept without being sent.
    if (node_get(action, "AuthenticateOidcConfig"))
        aws_form_add(form, STR("true"), "%s.AuthenticateOidcConfig.UseExistingClientSecret", name);
}

static void read_group(struct arena *arena, const struct node *node, struct aws_forward *ret)
{
    uint32_t weight = 1; // where one group stands alone, none is told
    str arn = node_text(node, "TargetGroupArn"), told = node_text(node, "Weight");
    if (told.len && !number_u32(told, &weight))
        weight = 0;
    if (!arn.len || ret->count == AWS_GROUPS)
        return;
    ret->groups[ret->count++] = (struct aws_forward_group){arena_str(arena, arn), weight};
    ret->total += weight;
}

static void read_forward(struct arena *arena, const struct node *action, struct aws_forward *ret)
{
    const struct node *config = node_get(action, "ForwardConfig");
    const struct node *groups = node_get(config, "TargetGroups");
    for (const struct node *n = groups ? groups->first : NULL; n; n = n->next)
        read_group(arena, n, ret);
    if (ret->count == 0)
        read_group(arena, action, ret);
    const struct node *sticky = node_get(config, "TargetGroupStickinessConfig");
    ret->sticky = str_is(node_text(sticky, "Enabled"), "true");
}

static void add_forward(struct text *form, const struct node *action, const char *name)
{
    const struct node *sticky =
        node_get(node_get(action, "ForwardConfig"), "TargetGroupStickinessConfig");
    str order = node_text(action, "Order");
    aws_form_add(form, STR("forward"), "%s.Type", name);
    if (order.len)
        aws_form_add(form, order, "%s.Order", name);
    for (const struct node *n = sticky ? sticky->first : NULL; n; n = n->next)
        if (n->text.len)
            aws_form_add(form, n->text, "%s.ForwardConfig.TargetGroupStickinessConfig." STR_FMT,
                         name, STR_ARG(n->key));
}

static bool has_parameters(const struct node *action)
{
    const struct node *oidc = node_get(action, "AuthenticateOidcConfig");
    const struct node *cognito = node_get(action, "AuthenticateCognitoConfig");
    const struct node *extra = node_get(oidc ? oidc : cognito, "AuthenticationRequestExtraParams");
    return extra && extra->first;
}

bool aws_forward_read(struct arena *arena, const struct aws_forward_place *place,
                      const struct chain_reply *reply, struct aws_forward *ret, struct error *err)
{
    const struct node *found = node_get(reply->tree, is_rule(place) ? "Rules" : "Listeners");
    const struct node *owner = found ? found->first : NULL;
    const struct node *actions = node_get(owner, is_rule(place) ? "Actions" : "DefaultActions");
    struct aws_forward forward = {0};
    struct text form = text_of(FORM_MOST);
    const char *key = is_rule(place) ? "Actions" : "DefaultActions";
    unsigned nth = 0;
    bool written = true;
    if (is_rule(place))
        aws_form_add(&form, place->rule, "RuleArn");
    else
        aws_form_add(&form, place->listener, "ListenerArn");
    for (const struct node *n = actions ? actions->first : NULL; n; n = n->next) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.member.%u", key, ++nth);
        written = written && !has_parameters(n);
        if (str_is(node_text(n, "Type"), "forward") && !forward.nth) {
            forward.nth = nth;
            read_forward(arena, n, &forward);
            add_forward(&form, n, name);
        } else {
            add_action(&form, n, name);
        }
    }
    forward.form = arena_str(arena, text_str(&form));
    bool full = text_full(&form);
    text_done(&form);
    str arn = is_rule(place) ? place->rule : place->listener;
    if (!forward.nth || !forward.count)
        return error_set(err, ERROR_INPUT,
                         "the %s " STR_FMT " forwards to no target group: let it forward to both "
                         "groups, with all of the weight on the one that serves",
                         place_words(place), STR_ARG(arn));
    if (!written || full)
        return error_set(err, ERROR_INPUT,
                         "the %s " STR_FMT " signs users in with extra parameters, which cannot "
                         "be kept when the weights change: take them out of it",
                         place_words(place), STR_ARG(arn));
    *ret = forward;
    return true;
}

// ---- weights -----------------------------------------------------------------------------------

static struct aws_forward_group *group_of(struct aws_forward *forward, str arn)
{
    for (size_t i = 0; i < forward->count; i++)
        if (str_eq(forward->groups[i].arn, arn))
            return &forward->groups[i];
    return NULL;
}

uint32_t aws_forward_weight(const struct aws_forward *forward, str group)
{
    for (size_t i = 0; i < forward->count; i++)
        if (str_eq(forward->groups[i].arn, group))
            return forward->groups[i].weight;
    return 0;
}

uint32_t aws_forward_ppm(const struct aws_forward *forward, str group)
{
    uint64_t weight = aws_forward_weight(forward, group);
    return forward->total ? (uint32_t)(weight * SHARE_PPM / forward->total) : 0;
}

uint32_t aws_forward_round(uint32_t share_ppm)
{
    if (share_ppm == 0 || share_ppm >= SHARE_PPM)
        return share_ppm ? SHARE_PPM : 0;
    uint32_t part = (share_ppm + PERMILLE_PPM / 2) / PERMILLE_PPM;
    if (part == 0)
        part = 1;
    if (part == AWS_WEIGHT_PARTS)
        part = AWS_WEIGHT_PARTS - 1;
    return part * PERMILLE_PPM;
}

static void set(struct aws_forward *forward, str arn, uint32_t weight)
{
    struct aws_forward_group *group = group_of(forward, arn);
    if (!arn.len)
        return;
    if (!group && forward->count < AWS_GROUPS) {
        group = &forward->groups[forward->count++];
        group->arn = arn;
    }
    if (group)
        group->weight = weight;
    forward->total += weight;
}

bool aws_forward_split(struct aws_forward *forward, str group, str rest, uint32_t share_ppm)
{
    struct aws_forward before = *forward;
    uint32_t share = aws_forward_round(share_ppm), part = share / PERMILLE_PPM;
    bool whole = share == 0 || share == SHARE_PPM;
    for (size_t i = 0; i < forward->count; i++)
        forward->groups[i].weight = 0;
    forward->total = 0;
    if (whole) {
        set(forward, group, share ? AWS_WEIGHT_WHOLE : 0);
        set(forward, rest, share ? 0 : AWS_WEIGHT_WHOLE);
    } else {
        set(forward, group, part);
        set(forward, rest, AWS_WEIGHT_PARTS - part);
    }
    // 5 of 100 is the same as 50 of 1000.
    for (size_t i = 0; i < forward->count; i++) {
        str arn = forward->groups[i].arn;
        if (aws_forward_weight(&before, arn) * forward->total !=
            forward->groups[i].weight * before.total)
            return true;
    }
    return before.total == 0;
}

void aws_forward_send(struct chain *chain, struct aws_client *client,
                      const struct aws_forward_place *place, const struct aws_forward *forward,
                      chain_next next)
{
    struct text body = text_of((size_t)2 * FORM_MOST);
    const char *key = is_rule(place) ? "Actions" : "DefaultActions";
    text_add(&body, forward->form);
    for (size_t i = 0; i < forward->count; i++) {
        char weight[16];
        (void)snprintf(weight, sizeof weight, "%u", (unsigned)forward->groups[i].weight);
        aws_form_add(&body, forward->groups[i].arn,
                     "%s.member.%u.ForwardConfig.TargetGroups.member.%zu.TargetGroupArn", key,
                     forward->nth, i + 1);
        aws_form_add(&body, str_of(weight),
                     "%s.member.%u.ForwardConfig.TargetGroups.member.%zu.Weight", key, forward->nth,
                     i + 1);
    }
    chain_aws(chain, client,
              &(struct aws_request){.service = &aws_elbv2,
                                    .action = is_rule(place) ? "ModifyRule" : "ModifyListener",
                                    .body = text_str(&body),
                                    .repeatable = true},
              next);
    text_done(&body);
}

// ---- health ------------------------------------------------------------------------------------

void aws_health_ask(struct chain *chain, struct aws_client *client, str group, chain_next next)
{
    struct text body = text_of(FORM_MOST);
    aws_form_add(&body, group, "TargetGroupArn");
    chain_aws(chain, client,
              &(struct aws_request){.service = &aws_elbv2,
                                    .action = "DescribeTargetHealth",
                                    .body = text_str(&body),
                                    .repeatable = true},
              next);
    text_done(&body);
}

void aws_health_read(const struct chain_reply *reply, struct aws_health *ret)
{
    const struct node *list = node_get(reply->tree, "TargetHealthDescriptions");
    struct aws_health health = {0};
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        const struct node *target = node_get(n, "TargetHealth");
        str state = node_text(target, "State"), why = node_text(target, "Description");
        if (str_is(state, "healthy"))
            health.healthy++;
        else if (str_is(state, "draining"))
            health.draining++;
        else if (str_is(state, "initial"))
            health.waiting++;
        else
            health.unhealthy++;
        if (!why.len)
            why = node_text(target, "Reason");
        bool ill = !str_is(state, "healthy") && !str_is(state, "draining");
        if (ill && !health.why[0])
            (void)snprintf(health.why, sizeof health.why, STR_FMT "%s" STR_FMT,
                           STR_ARG(str_shorten(state, 30)), why.len ? ": " : "",
                           STR_ARG(str_shorten(why, 110)));
    }
    *ret = health;
}
