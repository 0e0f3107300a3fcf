// Task definitions. The one of a release is that of known good with another image, marked with
// tags: who stages the same release again finds it by them, and makes no second one.
#include "deploy/targets/aws_ecs.h"
#include "deploy/targets/target_image.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { BODY_MOST = 256 * 1024, REQUEST_MOST = 1024, TAG_MOST = 200, TAGS_MOST = 50, REGISTERS = 3 };

#define TAG_RELEASE "sluice:release"
#define TAG_DIGEST "sluice:digest"
#define TAG_BASE "sluice:from"
enum { TAGS_OURS = 3 };

// ---- what one says -----------------------------------------------------------------------------

static str tag_of(const struct node *answer, const char *key)
{
    const struct node *tags = node_get(answer, "tags");
    for (const struct node *n = tags ? tags->first : NULL; n; n = n->next)
        if (str_is(node_text(n, "key"), key))
            return node_text(n, "value");
    return (str){NULL, 0};
}

static str revision_of(const struct node *definition)
{
    return aws_arn_name(node_text(definition, "taskDefinitionArn"));
}

static size_t containers_of(const struct node *definition)
{
    const struct node *list = node_get(definition, "containerDefinitions");
    return list ? list->count : 0;
}

// The container that has the release's image. ERROR_INPUT when it is not plain which.
static const struct node *container_of(const struct target *ecs, const struct node *definition,
                                       struct error *err)
{
    const struct node *list = node_get(definition, "containerDefinitions");
    str wanted = ecs->config->artifact.container;
    struct text names = text_of(300);
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        if (wanted.len ? str_eq(node_text(n, "name"), wanted) : containers_of(definition) == 1) {
            text_done(&names);
            return n;
        }
        text_addf(&names, "%s`" STR_FMT "`", names.len ? ", " : "",
                  STR_ARG(str_first(node_text(n, "name"), 60)));
    }
    if (wanted.len)
        (void)error_set(err, ERROR_INPUT,
                        "task definition " STR_FMT " has no container `" STR_FMT
                        "`; `container` may be %s",
                        STR_ARG(revision_of(definition)), STR_ARG(wanted),
                        names.len ? text_c(&names) : "none, for it has none");
    else
        (void)error_set(err, ERROR_INPUT,
                        "task definition " STR_FMT
                        " has several containers: say by `artifact: {container: …}` which has the "
                        "release's image; there are %s",
                        STR_ARG(revision_of(definition)), text_c(&names));
    text_done(&names);
    return NULL;
}

static void describe(struct target_operation *operation, str name, chain_next next)
{
    struct text body = text_of(REQUEST_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "taskDefinition", name);
    json_open_list(&out, "include");
    json_add_str(&out, NULL, STR("TAGS"));
    json_close(&out);
    json_close(&out);
    chain_aws(&operation->chain, operation->ecs->client,
              &(struct aws_request){.service = &aws_ecs,
                                    .action = "DescribeTaskDefinition",
                                    .body = text_str(&body),
                                    .repeatable = true},
              next);
    text_done(&body);
}

// ---- the next one ------------------------------------------------------------------------------

// What the provider adds to what it was given.
static bool is_output(str key)
{
    static const char *const names[] = {
        "taskDefinitionArn",  "revision",        "status",
        "requiresAttributes", "compatibilities", "registeredAt",
        "registeredBy",       "deregisteredAt",  "deleteRequestedAt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(key, names[i]))
            return true;
    return false;
}

static void add_container(struct json_out *out, const struct node *container, str image)
{
    json_open_map(out, NULL);
    for (const struct node *n = container->first; n; n = n->next) {
        char key[128];
        (void)snprintf(key, sizeof key, STR_FMT, STR_ARG(n->key));
        if (str_is(n->key, "image"))
            json_add_str(out, key, image);
        else
            json_add_node(out, key, n);
    }
    json_close(out);
}

// What a tag may not hold becomes `_`.
static str tag_value(struct arena *arena, str value)
{
    static const str allowed = STR_INIT("+-=._:/@ ");
    char copy[TAG_MOST];
    value = str_shorten(value, TAG_MOST);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i], lower = char_lower(c);
        bool plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                     str_find(allowed, c) != STR_NONE;
        copy[i] = c;
        if (!plain)
            copy[i] = '_';
    }
    return arena_str(arena, str_make(copy, value.len));
}

static void add_tag(struct json_out *out, const char *key, str value)
{
    json_open_map(out, NULL);
    json_add_str(out, "key", str_of(key));
    json_add_str(out, "value", value);
    json_close(out);
}

static void add_tags(struct target_operation *operation, struct json_out *out,
                     const struct node *tags)
{
    size_t count = 0;
    json_open_list(out, "tags");
    for (const struct node *n = tags ? tags->first : NULL; n; n = n->next) {
        str key = node_text(n, "key");
        bool kept = !str_starts(key, STR("sluice:")) && !str_starts(key, STR("aws:"));
        if (kept && count < TAGS_MOST - TAGS_OURS) {
            json_add_node(out, NULL, n);
            count++;
        }
    }
    add_tag(out, TAG_RELEASE, tag_value(&operation->arena, operation->next.release));
    add_tag(out, TAG_DIGEST, operation->next.digest);
    add_tag(out, TAG_BASE, operation->base);
    json_close(out);
}

static bool write_body(struct target_operation *operation, const struct node *answer,
                       struct error *err)
{
    const struct node *definition = node_get(answer, "taskDefinition");
    const struct node *container = container_of(operation->ecs, definition, err);
    if (!container)
        return false;
    struct text body = text_of(BODY_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (const struct node *n = definition->first; n; n = n->next) {
        char key[128];
        (void)snprintf(key, sizeof key, STR_FMT, STR_ARG(n->key));
        if (is_output(n->key))
            continue;
        if (!str_is(n->key, "containerDefinitions")) {
            json_add_node(&out, key, n);
            continue;
        }
        json_open_list(&out, key);
        for (const struct node *c = n->first; c; c = c->next)
            if (c == container)
                add_container(&out, c, operation->image);
            else
                json_add_node(&out, NULL, c);
        json_close(&out);
    }
    add_tags(operation, &out, node_get(answer, "tags"));
    json_close(&out);
    bool ok = !text_full(&body) ||
              error_set(err, ERROR_LIMIT, "task definition " STR_FMT " is larger than %d bytes",
                        STR_ARG(operation->base), BODY_MOST);
    if (ok)
        operation->body = arena_str(&operation->arena, text_str(&body));
    text_done(&body);
    return ok;
}

static void found(struct target_operation *operation, str revision)
{
    operation->next.revision = arena_str(&operation->arena, revision);
    operation->after(operation, &operation->chain, &(struct chain_reply){.ok = true});
}

static void newest_described(void *self, struct chain *chain, const struct chain_reply *reply);

static void registered(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (reply->ok)
        found(operation, revision_of(node_get(reply->tree, "taskDefinition")));
    else if (reply->fault->outcome_unknown && ++operation->registers < REGISTERS)
        describe(operation, operation->family, newest_described);
    else
        chain_fail_with(chain, reply, "registering the task definition");
}

static bool is_of_release(struct target_operation *operation, const struct node *answer)
{
    const struct node *definition = node_get(answer, "taskDefinition");
    struct error ignored;
    const struct node *container = container_of(operation->ecs, definition, &ignored);
    return container && str_eq(node_text(container, "image"), operation->image) &&
           str_eq(tag_of(answer, TAG_DIGEST), operation->next.digest) &&
           str_eq(tag_of(answer, TAG_BASE), operation->base) &&
           str_eq(tag_of(answer, TAG_RELEASE),
                  tag_value(&operation->arena, operation->next.release));
}

static void newest_described(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for the release's task definition");
        return;
    }
    if (is_of_release(operation, reply->tree)) {
        found(operation, revision_of(node_get(reply->tree, "taskDefinition")));
        return;
    }
    chain_aws(chain, operation->ecs->client,
              &(struct aws_request){
                  .service = &aws_ecs, .action = "RegisterTaskDefinition", .body = operation->body},
              registered);
}

static void base_described(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error error;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading task definition " STR_FMT, STR_ARG(operation->base));
        return;
    }
    if (!write_body(operation, reply->tree, &error)) {
        chain_fail(chain, error.kind, "%s", error.message);
        return;
    }
    str family = node_text(node_get(reply->tree, "taskDefinition"), "family");
    operation->family = arena_str(&operation->arena, family);
    describe(operation, operation->family, newest_described);
}

// What serves now, where nobody recorded a known good.
static str serving(const struct target_operation *operation)
{
    const struct ecs_service *best = &operation->seen.services[0];
    for (size_t i = 1; i < operation->ecs->count; i++)
        if (operation->seen.services[i].ppm > best->ppm)
            best = &operation->seen.services[i];
    return best->definition;
}

void ecs_define(struct target_operation *operation, chain_next next)
{
    struct error error;
    str good = operation->good.revision;
    operation->after = next;
    operation->base = arena_str(&operation->arena, good.len ? good : serving(operation));
    if (!target_image_of(&operation->arena, &operation->ecs->setup,
                         operation->ecs->config->artifact.image, &operation->next,
                         &operation->image, &error)) {
        chain_fail(&operation->chain, error.kind, "%s", error.message);
        return;
    }
    describe(operation, operation->base, base_described);
}

// ---- what serves -------------------------------------------------------------------------------

static void learn_roles(struct target *ecs, const struct node *definition)
{
    static const char *const names[ECS_ROLES] = {"taskRoleArn", "executionRoleArn"};
    ecs->role_count = 0;
    for (size_t i = 0; i < ECS_ROLES; i++) {
        str role = node_text(definition, names[i]);
        if (role.len)
            ecs->roles[ecs->role_count++] = arena_str(&ecs->arena, role);
    }
}

static void inspected(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error error;
    (void)chain;
    if (!reply->ok) {
        if (operation->survey)
            target_trouble_of(&operation->troubles, reply, "ecs:DescribeTaskDefinition");
    } else {
        const struct node *definition = node_get(reply->tree, "taskDefinition");
        operation->release = arena_str(&operation->arena, tag_of(reply->tree, TAG_RELEASE));
        if (operation->survey)
            learn_roles(operation->ecs, definition);
        if (operation->survey && str_is(node_text(definition, "status"), "INACTIVE"))
            target_trouble_add(
                &operation->troubles, ERROR_REMOTE,
                "task definition " STR_FMT
                " is deregistered, so there is no way back to it: bring the same image out "
                "under a new one, and record that with `sluice adopt`",
                STR_ARG(revision_of(definition)));
        if (operation->survey && !container_of(operation->ecs, definition, &error))
            target_trouble_add(&operation->troubles, error.kind, "%s", error.message);
    }
    operation->after(operation, &operation->chain, &(struct chain_reply){.ok = true});
}

void ecs_inspect(struct target_operation *operation, chain_next next)
{
    str definition = serving(operation);
    operation->after = next;
    if (definition.len)
        describe(operation, definition, inspected);
    else
        next(operation, &operation->chain, &(struct chain_reply){.ok = true});
}
