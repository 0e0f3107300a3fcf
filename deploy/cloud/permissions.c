#include "deploy/cloud/permissions.h"

#include "deploy/cloud/chain.h"
#include "deploy/cloud/cloud_parts.h"
#include "gate/doc/json.h"

struct asking {
    struct aws_client *aws;
    const struct permission *wanted;
    size_t count, from, upto; // of one question: those of one resource
    struct arena *arena;
    struct permissions_found found;
    str account, source; // the principal whose policies count
};

static void miss(struct asking *asking, const struct permission *permission)
{
    asking->found.missing[asking->found.missing_count++] = permission;
}

static struct asking begin(const struct permission *wanted, size_t count, struct arena *arena)
{
    return (struct asking){
        .wanted = wanted,
        .count = count,
        .arena = arena,
        .found = {.missing = ARENA_ARRAY(arena, const struct permission *, count + 1)}};
}

// ---- AWS ----------------------------------------------------------------------------------------

static void simulate(struct asking *asking, struct chain *chain);

// One question can be about both.
static bool asks_alike(const struct permission *a, const struct permission *b)
{
    return cloud_same(a->resource, b->resource) && cloud_same(a->passed_to, b->passed_to);
}

// "arn:aws:sts::123456789012:assumed-role/release/sluice" acts by the policies of
// "arn:aws:iam::123456789012:role/release".
static str principal_of(struct arena *arena, str caller, str account)
{
    static const str assumed = STR_INIT(":assumed-role/");
    size_t at = str_search(caller, assumed), colon = str_find(str_from(caller, 4), ':');
    if (at == STR_NONE || colon == STR_NONE)
        return arena_str(arena, caller);
    str name = str_from(caller, at + assumed.len);
    size_t slash = str_find(name, '/');
    return arena_format(arena, "arn:" STR_FMT ":iam::" STR_FMT ":role/" STR_FMT,
                        STR_ARG(str_first(str_from(caller, 4), colon)), STR_ARG(account),
                        STR_ARG(slash == STR_NONE ? name : str_first(name, slash)));
}

static str resource_of(const struct asking *asking, const char *resource)
{
    struct text out = text_of(2048);
    str rest = str_of(resource ? resource : "*");
    for (size_t at; (at = str_find(rest, '{')) != STR_NONE;) {
        text_add(&out, str_first(rest, at));
        rest = str_from(rest, at);
        bool account = str_starts(rest, STR("{account}"));
        text_add(&out, account ? asking->account : str_of(aws_client_region(asking->aws)));
        size_t end = str_find(rest, '}');
        rest = str_from(rest, end == STR_NONE ? rest.len : end + 1);
    }
    text_add(&out, rest);
    str copy = arena_str(asking->arena, text_str(&out));
    text_done(&out);
    return copy;
}

static const struct permission *wanted_of(const struct asking *asking, str action)
{
    for (size_t i = asking->from; i < asking->upto; i++)
        if (str_is(action, asking->wanted[i].action))
            return &asking->wanted[i];
    return NULL;
}

static void simulated(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct asking *asking = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply,
                        "which permissions are missing cannot be told without "
                        "iam:SimulatePrincipalPolicy");
        return;
    }
    const struct node *results = node_get(reply->tree, "EvaluationResults");
    for (const struct node *one = results ? results->first : NULL; one; one = one->next) {
        const struct permission *wanted = wanted_of(asking, node_text(one, "EvalActionName"));
        if (wanted && !str_is(node_text(one, "EvalDecision"), "allowed"))
            miss(asking, wanted);
    }
    asking->from = asking->upto;
    simulate(asking, chain);
}

static void simulate(struct asking *asking, struct chain *chain)
{
    if (asking->from == asking->count) {
        chain_end(chain);
        return;
    }
    const struct permission *first = &asking->wanted[asking->from];
    struct text form = text_of(16384);
    aws_form_add(&form, asking->source, "PolicySourceArn");
    aws_form_add(&form, resource_of(asking, first->resource), "ResourceArns.member.1");
    if (first->passed_to) {
        aws_form_add(&form, STR("iam:PassedToService"), "ContextEntries.member.1.ContextKeyName");
        aws_form_add(&form, STR("string"), "ContextEntries.member.1.ContextKeyType");
        aws_form_add(&form, str_of(first->passed_to),
                     "ContextEntries.member.1.ContextKeyValues.member.1");
    }
    for (asking->upto = asking->from; asking->upto < asking->count; asking->upto++) {
        const struct permission *one = &asking->wanted[asking->upto];
        if (!asks_alike(one, first))
            break;
        aws_form_add(&form, str_of(one->action), "ActionNames.member.%zu",
                     asking->upto - asking->from + 1);
    }
    chain_aws(chain, asking->aws,
              &(struct aws_request){.service = &aws_iam,
                                    .action = "SimulatePrincipalPolicy",
                                    .body = text_str(&form),
                                    .repeatable = true},
              simulated);
    text_done(&form);
}

static void identified(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct asking *asking = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who is calling");
        return;
    }
    asking->found.caller = arena_str(asking->arena, node_text(reply->tree, "Arn"));
    asking->account = arena_str(asking->arena, node_text(reply->tree, "Account"));
    asking->source = principal_of(asking->arena, asking->found.caller, asking->account);
    simulate(asking, chain);
}

bool permissions_aws(struct cloud *cloud, struct aws_client *client,
                     const struct permission *wanted, size_t count, struct arena *arena,
                     struct permissions_found *ret, struct error *err)
{
    struct asking asking = begin(wanted, count, arena);
    struct chain chain;
    asking.aws = client;
    chain_begin(&chain, cloud, &asking);
    chain_aws(&chain, client,
              &(struct aws_request){
                  .service = &aws_sts, .action = "GetCallerIdentity", .repeatable = true},
              identified);
    bool ok = chain_finish(&chain, err);
    chain_drop(&chain);
    if (ok)
        *ret = asking.found;
    return ok;
}

// ---- Google Cloud -------------------------------------------------------------------------------

static bool holds(const struct node *list, const char *name)
{
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        if (str_is(one->text, name))
            return true;
    return false;
}

static void tested(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct asking *asking = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "which permissions are missing cannot be told");
        return;
    }
    const struct node *has = node_get(reply->tree, "permissions");
    for (size_t i = 0; i < asking->count; i++)
        if (!holds(has, asking->wanted[i].action))
            miss(asking, &asking->wanted[i]);
    chain_end(chain);
}

bool permissions_google(struct cloud *cloud, struct google_client *client, str project,
                        const struct permission *wanted, size_t count, struct arena *arena,
                        struct permissions_found *ret, struct error *err)
{
    struct asking asking = begin(wanted, count, arena);
    struct text path = text_of(1024), body = text_of(16384);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct chain chain;
    json_open_map(&json, NULL);
    json_open_list(&json, "permissions");
    for (size_t i = 0; i < count; i++)
        json_add_str(&json, NULL, str_of(wanted[i].action));
    json_close(&json);
    json_close(&json);
    text_adds(&path, "/v1/projects/");
    google_path_add(&path, project);
    text_adds(&path, ":testIamPermissions");
    chain_begin(&chain, cloud, &asking);
    chain_google(&chain, client,
                 &(struct google_request){.api = "cloudresourcemanager",
                                          .method = "POST",
                                          .path = text_str(&path),
                                          .body = text_str(&body),
                                          .repeatable = true},
                 tested);
    bool ok = chain_finish(&chain, err);
    chain_drop(&chain);
    text_done(&path);
    text_done(&body);
    if (ok)
        *ret = asking.found;
    return ok;
}
