// The alias of an `aws-lambda` target: read, compared with what is wanted, changed with the
// RevisionId that was read, and read again. What is old by then is read once more, and sent again
// only if it still differs.
#include "deploy/targets/aws_lambda.h"

#include "gate/doc/json.h"

enum { BODY_MOST = 4096, CHANGES_MOST = 5 };

str lambda_path(struct arena *arena, str function, const char *rest, str last)
{
    struct text path = text_of(BODY_MOST);
    text_adds(&path, "/2015-03-31/functions/");
    aws_path_add(&path, function);
    text_adds(&path, rest);
    if (last.len)
        aws_path_add(&path, last);
    str made = arena_str(arena, text_str(&path));
    text_done(&path);
    return made;
}

bool lambda_is_stale(const struct chain_reply *reply)
{
    return !reply->ok && (reply->fault->status == 412 || reply->fault->status == 409 ||
                          str_is(reply->fault->code, "PreconditionFailedException") ||
                          str_is(reply->fault->code, "ResourceConflictException"));
}

// ---- reading -----------------------------------------------------------------------------------

void lambda_ask_alias(struct lambda_operation *op, chain_next next)
{
    const struct lambda_target *target = op->target;
    chain_aws(&op->chain, target->client,
              &(struct aws_request){
                  .service = &aws_lambda,
                  .action = "GetAlias",
                  .path = lambda_path(&op->arena, target->function, "/aliases/", target->alias),
                  .repeatable = true},
              next);
}

// Weights are written with six decimals at most, so a part per million is exact.
static uint32_t ppm_of(str weight)
{
    double share = 0;
    if (!number_double(weight, &share) || !(share > 0))
        return 0;
    return share < 1 ? (uint32_t)(share * LAMBDA_ALL + 0.5) : LAMBDA_ALL;
}

static void read_shares(struct arena *arena, const struct node *tree, struct lambda_alias *ret)
{
    const struct node *weights =
        node_get(node_get(tree, "RoutingConfig"), "AdditionalVersionWeights");
    uint32_t rest = LAMBDA_ALL;
    ret->shares[0].version = ret->version;
    ret->count = 1;
    for (const struct node *n = weights ? weights->first : NULL; n; n = n->next) {
        uint32_t ppm = ppm_of(n->text);
        if (ppm == 0 || ret->count == LAMBDA_SHARES)
            continue;
        ret->shares[ret->count++] = (struct lambda_share){arena_str(arena, n->key), ppm};
        rest -= ppm < rest ? ppm : rest;
    }
    ret->shares[0].ppm = rest;
}

bool lambda_read_alias(struct lambda_operation *op, const struct chain_reply *reply)
{
    const struct lambda_target *target = op->target;
    struct lambda_alias alias = {0};
    bool absent = !reply->ok && reply->error->kind == ERROR_ABSENT &&
                  str_search(reply->fault->message, STR("Function not found")) == STR_NONE;
    if (!reply->ok && !absent) {
        chain_fail_with(&op->chain, reply, "reading alias " STR_FMT " of function " STR_FMT,
                        STR_ARG(target->alias), STR_ARG(target->function));
        return false;
    }
    if (reply->ok && !node_text(reply->tree, "FunctionVersion").len) {
        chain_fail(&op->chain, ERROR_REMOTE,
                   "reading alias " STR_FMT " of function " STR_FMT
                   ": the answer is no alias: it has no FunctionVersion",
                   STR_ARG(target->alias), STR_ARG(target->function));
        return false;
    }
    if (!absent) {
        alias.exists = true;
        alias.version = arena_str(&op->arena, node_text(reply->tree, "FunctionVersion"));
        alias.revision_id = arena_str(&op->arena, node_text(reply->tree, "RevisionId"));
        read_shares(&op->arena, reply->tree, &alias);
    }
    op->alias = alias;
    op->has_alias = true;
    return true;
}

uint32_t lambda_share_of(const struct lambda_alias *alias, str version)
{
    uint32_t ppm = 0;
    for (size_t i = 0; i < alias->count && version.len; i++)
        if (str_eq(alias->shares[i].version, version))
            ppm += alias->shares[i].ppm;
    return ppm;
}

bool lambda_is_alone(const struct lambda_operation *op)
{
    return op->good.revision.len == 0 || str_eq(op->good.revision, op->next.revision);
}

// ---- changing ----------------------------------------------------------------------------------

struct wish {
    str version, second; // version empty: there is to be no alias that serves the release
    uint32_t second_ppm;
};

static struct wish wish_of(const struct lambda_operation *op)
{
    bool back = op->verb == INTENT_REVERT || (op->verb == INTENT_SHIFT && op->share_ppm == 0);
    bool all = op->verb == INTENT_PROMOTE || op->share_ppm >= LAMBDA_ALL || lambda_is_alone(op);
    if (back)
        return (struct wish){.version = op->good.revision};
    if (all)
        return (struct wish){.version = op->next.revision};
    return (struct wish){op->good.revision, op->next.revision, op->share_ppm};
}

static bool is_granted(const struct lambda_operation *op, const struct wish *wish)
{
    const struct lambda_alias *alias = &op->alias;
    if (!wish->version.len) // what is not the release's is not ours to take away
        return lambda_share_of(alias, op->next.revision) == 0;
    return alias->exists && lambda_share_of(alias, wish->second) == wish->second_ppm &&
           lambda_share_of(alias, wish->version) == LAMBDA_ALL - wish->second_ppm;
}

static str alias_request(struct lambda_operation *op, const struct wish *wish)
{
    struct text text = text_of(BODY_MOST), weight = text_of(32);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    if (!op->alias.exists)
        json_add_str(&out, "Name", op->target->alias);
    json_add_str(&out, "FunctionVersion", wish->version);
    if (op->alias.exists || wish->second_ppm) { // an empty map takes weights away
        json_open_map(&out, "RoutingConfig");
        json_open_map(&out, "AdditionalVersionWeights");
        if (wish->second_ppm) {
            text_addf(&weight, "0.%06u", (unsigned)wish->second_ppm);
            json_add_raw(&out, arena_copy(&op->arena, wish->second), text_str(&weight));
        }
        json_close(&out);
        json_close(&out);
    }
    if (op->alias.revision_id.len)
        json_add_str(&out, "RevisionId", op->alias.revision_id);
    json_close(&out);
    str made = arena_str(&op->arena, text_str(&text));
    text_done(&text);
    text_done(&weight);
    return made;
}

static void seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)chain;
    struct lambda_operation *op = self;
    if (lambda_read_alias(op, reply))
        lambda_bring(op);
}

static void look_again(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)chain;
    (void)reply;
    lambda_ask_alias(self, seen);
}

// What became of it is seen in the alias, also where no answer came.
static void changed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    op->sent++;
    if (reply->ok || reply->fault->status == 412) {
        lambda_ask_alias(op, seen);
    } else if (lambda_is_stale(reply) || reply->fault->outcome_unknown) {
        chain_pause(chain, target_pause_ms(&op->looks), look_again);
    } else {
        chain_fail_with(chain, reply, "changing alias " STR_FMT " of function " STR_FMT,
                        STR_ARG(op->target->alias), STR_ARG(op->target->function));
    }
}

static void change(struct lambda_operation *op, const struct wish *wish)
{
    const struct lambda_target *target = op->target;
    bool take = wish->version.len == 0, make = !take && !op->alias.exists;
    str of_alias = lambda_path(&op->arena, target->function, "/aliases/", target->alias);
    str of_all = lambda_path(&op->arena, target->function, "/aliases", (str){NULL, 0});
    struct aws_request request = {
        .service = &aws_lambda,
        .action = take   ? "DeleteAlias"
                  : make ? "CreateAlias"
                         : "UpdateAlias",
        .method = take   ? "DELETE"
                  : make ? "POST"
                         : "PUT",
        .path = make ? of_all : of_alias,
        .body = take ? (str){NULL, 0} : alias_request(op, wish),
        // Twice is refused as old, or does what once does.
        .repeatable = true,
    };
    chain_aws(&op->chain, target->client, &request, changed);
}

void lambda_bring(struct lambda_operation *op)
{
    struct wish wish = wish_of(op);
    bool whole = lambda_share_of(&op->alias, op->next.revision) == LAMBDA_ALL;
    if (is_granted(op, &wish))
        chain_end(&op->chain);
    else if (op->sent == CHANGES_MOST)
        chain_fail(&op->chain, ERROR_TRANSIENT,
                   "alias " STR_FMT " of function " STR_FMT " was changed %d times and does not "
                   "stay so: something else changes it as well",
                   STR_ARG(op->target->alias), STR_ARG(op->target->function), CHANGES_MOST);
    else if (!wish.version.len && !whole)
        chain_fail(&op->chain, ERROR_REMOTE,
                   "alias " STR_FMT " of function " STR_FMT " shares the release's requests with "
                   "version " STR_FMT ", which nobody recorded: point it at the version that is "
                   "to serve, and record that with `sluice adopt`",
                   STR_ARG(op->target->alias), STR_ARG(op->target->function),
                   STR_ARG(op->alias.version));
    else
        change(op, &wish);
}
