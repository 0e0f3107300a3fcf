// Staging a release on AWS Lambda: its code becomes $LATEST, is published as a version, and the
// version becomes able to serve. Each round looks first and does what is missing, so that it may
// begin anywhere. Nothing of it touches the alias.
#include "deploy/targets/aws_lambda.h"

#include "gate/base/sha256.h"
#include "gate/doc/json.h"

enum { BODY_MOST = 8192, SENT_MOST = 5 };

bool lambda_is_version(str name)
{
    uint64_t number = 0;
    return number_u64(name, &number) && number > 0;
}

bool lambda_is_image(const struct lambda_target *target)
{
    const struct lambda_artifact *artifact = target->config->artifact;
    return artifact && artifact->image.len > 0;
}

// ---- reading -----------------------------------------------------------------------------------

void lambda_ask_code(struct lambda_operation *op, str qualifier, chain_next next)
{
    const struct lambda_target *target = op->target;
    bool image = lambda_is_image(target); // which image it is stands in GetFunction alone
    const char *rest = image           ? qualifier.len ? "?Qualifier=" : ""
                       : qualifier.len ? "/configuration?Qualifier="
                                       : "/configuration";
    chain_aws(
        &op->chain, target->client,
        &(struct aws_request){.service = &aws_lambda,
                              .action = image ? "GetFunction" : "GetFunctionConfiguration",
                              .path = lambda_path(&op->arena, target->function, rest, qualifier),
                              .repeatable = true},
        next);
}

static int digit_of(char c)
{
    static const str digits =
        STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t at = str_find(digits, c);
    return at == STR_NONE ? -1 : (int)at;
}

// "sha256:…" of what AWS writes in base64 of an archive, and in digits of an image.
static str digest_of(struct arena *arena, str base64)
{
    unsigned char digest[SHA256_BYTES + 1];
    char hex[SHA256_HEX];
    uint32_t bits = 0;
    size_t have = 0, count = 0;
    if (str_is_hex(base64, SHA256_HEX - 1))
        return arena_format(arena, "sha256:" STR_FMT, STR_ARG(base64));
    if (base64.len != 44 || base64.data[43] != '=')
        return (str){NULL, 0};
    for (size_t i = 0; i < 43; i++) {
        int digit = digit_of(base64.data[i]);
        if (digit < 0)
            return (str){NULL, 0};
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            digest[count++] = (unsigned char)(bits >> have);
        }
    }
    return arena_format(arena, "sha256:%s", sha256_hex(digest, hex));
}

void lambda_read_code(struct arena *arena, const struct node *tree, struct lambda_code *ret)
{
    const struct node *told = node_get(tree, "Configuration"); // of GetFunction
    const struct node *code = told ? told : tree;
    str image = node_text(node_get(tree, "Code"), "ResolvedImageUri");
    size_t at = str_find_last(image, '@');
    *ret = (struct lambda_code){
        .version = arena_str(arena, node_text(code, "Version")),
        .code_sha256 = arena_str(arena, node_text(code, "CodeSha256")),
        .package = arena_str(arena, node_text(code, "PackageType")),
        .state = arena_str(arena, node_text(code, "State")),
        .state_why = arena_str(arena, node_text(code, "StateReason")),
        .update = arena_str(arena, node_text(code, "LastUpdateStatus")),
        .update_why = arena_str(arena, node_text(code, "LastUpdateStatusReason")),
        .revision_id = arena_str(arena, node_text(code, "RevisionId")),
        .description = arena_str(arena, node_text(code, "Description")),
    };
    ret->digest = at == STR_NONE ? digest_of(arena, ret->code_sha256)
                                 : arena_str(arena, str_from(image, at + 1));
}

// ---- requests ----------------------------------------------------------------------------------

// "s3://BUCKET/KEY?versionId=ID"
static void add_archive(struct arena *arena, struct json_out *out, str archive)
{
    str rest = str_from(archive, sizeof "s3://" - 1), bucket = str_cut(&rest, '/');
    size_t mark = str_search(rest, STR("?versionId="));
    json_add_str(out, "S3Bucket", bucket);
    json_add_str(out, "S3Key", mark == STR_NONE ? rest : str_first(rest, mark));
    if (mark != STR_NONE)
        json_add_str(out, "S3ObjectVersion",
                     arena_str(arena, str_from(rest, mark + sizeof "?versionId=" - 1)));
}

str lambda_code_request(struct arena *arena, str revision, str revision_id, bool dry_run)
{
    struct text text = text_of(BODY_MOST);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    if (str_starts(revision, STR("s3://")))
        add_archive(arena, &out, revision);
    else
        json_add_str(&out, "ImageUri", revision);
    if (revision_id.len)
        json_add_str(&out, "RevisionId", revision_id);
    if (dry_run)
        json_add_bool(&out, "DryRun", true);
    json_close(&out);
    str made = arena_str(arena, text_str(&text));
    text_done(&text);
    return made;
}

// A version says itself which release it is.
static const str by_us = STR_INIT(" (sluice)");

static str described_as(struct arena *arena, str release)
{
    return arena_format(arena, STR_FMT STR_FMT, STR_ARG(str_shorten(release, 200)), STR_ARG(by_us));
}

str lambda_release_of(str description)
{
    bool ours = str_ends(description, by_us);
    return ours ? str_first(description, description.len - by_us.len) : (str){NULL, 0};
}

static str version_request(struct lambda_operation *op, const struct lambda_code *code)
{
    struct text text = text_of(BODY_MOST);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "CodeSha256", code->code_sha256);
    json_add_str(&out, "Description", described_as(&op->arena, op->next.release));
    json_close(&out);
    str made = arena_str(&op->arena, text_str(&text));
    text_done(&text);
    return made;
}

// ---- the version -------------------------------------------------------------------------------

static void look_at_version(void *self, struct chain *chain, const struct chain_reply *reply);

static void version_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    struct lambda_code code;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading version " STR_FMT " of function " STR_FMT,
                        STR_ARG(op->staged), STR_ARG(op->target->function));
        return;
    }
    lambda_read_code(&op->arena, reply->tree, &code);
    if (!str_eq(code.digest, op->next.digest))
        chain_fail(chain, ERROR_REMOTE,
                   "version " STR_FMT " of function " STR_FMT " is " STR_FMT
                   ", not the release's " STR_FMT,
                   STR_ARG(op->staged), STR_ARG(op->target->function), STR_ARG(code.digest),
                   STR_ARG(op->next.digest));
    else if (str_is(code.state, "Failed") || str_is(code.update, "Failed"))
        chain_fail(chain, ERROR_REMOTE,
                   "version " STR_FMT " of function " STR_FMT " cannot serve: " STR_FMT,
                   STR_ARG(op->staged), STR_ARG(op->target->function),
                   STR_ARG(code.state_why.len ? code.state_why : code.update_why));
    else if (str_is(code.state, "Pending") || str_is(code.update, "InProgress"))
        chain_pause(chain, target_pause_ms(&op->looks), look_at_version);
    else // Inactive: it has not been called for long, and wakes up when it is
        chain_end(chain);
}

static void look_at_version(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)chain;
    (void)reply;
    struct lambda_operation *op = self;
    lambda_ask_code(op, op->staged, version_seen);
}

// ---- the code ----------------------------------------------------------------------------------

static void look_at_latest(void *self, struct chain *chain, const struct chain_reply *reply);

// What was read is old, or another change of the function is under way: it is looked at again.
static void again(struct lambda_operation *op)
{
    chain_pause(&op->chain, target_pause_ms(&op->looks), look_at_latest);
}

static void published(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    struct lambda_code code;
    bool moved = !reply->ok && str_is(reply->fault->code, "InvalidParameterValueException") &&
                 str_search(reply->fault->message, STR("CodeSHA256")) != STR_NONE;
    if (moved || lambda_is_stale(reply)) {
        again(op);
    } else if (!reply->ok) {
        chain_fail_with(chain, reply, "publishing a version of function " STR_FMT,
                        STR_ARG(op->target->function));
    } else {
        lambda_read_code(&op->arena, reply->tree, &code);
        op->staged = code.version;
        op->looks = 0;
        look_at_version(op, chain, reply);
    }
}

// The same code and settings give the version that there is already, so this may be sent twice.
static void publish(struct lambda_operation *op, const struct lambda_code *code)
{
    const struct lambda_target *target = op->target;
    chain_aws(&op->chain, target->client,
              &(struct aws_request){
                  .service = &aws_lambda,
                  .action = "PublishVersion",
                  .method = "POST",
                  .path = lambda_path(&op->arena, target->function, "/versions", (str){NULL, 0}),
                  .body = version_request(op, code),
                  .repeatable = true},
              published);
}

static void updated(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    struct lambda_code code;
    if (lambda_is_stale(reply) || (!reply->ok && reply->fault->outcome_unknown)) {
        again(op);
        return;
    }
    if (!reply->ok) {
        chain_fail_with(chain, reply, "sending " STR_FMT " to function " STR_FMT,
                        STR_ARG(op->next.revision), STR_ARG(op->target->function));
        return;
    }
    lambda_read_code(&op->arena, reply->tree, &code);
    if (code.digest.len && !lambda_is_image(op->target) && !str_eq(code.digest, op->next.digest)) {
        chain_fail(chain, ERROR_REMOTE,
                   STR_FMT " is " STR_FMT " now, not " STR_FMT " as when this was planned: it was "
                           "replaced in between. Nothing was published; plan the release again",
                   STR_ARG(op->next.revision), STR_ARG(code.digest), STR_ARG(op->next.digest));
        return;
    }
    op->updated = true;
    op->looks = 0;
    chain_pause(chain, target_pause_ms(&op->looks), look_at_latest);
}

static void update(struct lambda_operation *op, const struct lambda_code *code)
{
    const struct lambda_target *target = op->target;
    op->updated = false;
    if (op->sent++ == SENT_MOST) {
        chain_fail(&op->chain, ERROR_TRANSIENT,
                   "the code of function " STR_FMT " was sent %d times while this release was "
                   "staged, and does not stay: something else changes it as well",
                   STR_ARG(target->function), SENT_MOST);
        return;
    }
    chain_aws(
        &op->chain, target->client,
        &(struct aws_request){
            .service = &aws_lambda,
            .action = "UpdateFunctionCode",
            .method = "PUT",
            .path = lambda_path(&op->arena, target->function, "/code", (str){NULL, 0}),
            .body = lambda_code_request(&op->arena, op->next.revision, code->revision_id, false),
            .repeatable = true},
        updated);
}

static void latest_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    struct lambda_code code;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading function " STR_FMT, STR_ARG(op->target->function));
        return;
    }
    lambda_read_code(&op->arena, reply->tree, &code);
    bool ours = str_eq(code.digest, op->next.digest);
    if (str_is(code.update, "InProgress") || str_is(code.state, "Pending"))
        chain_pause(chain, target_pause_ms(&op->looks), look_at_latest);
    else if (op->updated && str_is(code.update, "Failed"))
        chain_fail(chain, ERROR_REMOTE, "function " STR_FMT " did not take the code: " STR_FMT,
                   STR_ARG(op->target->function), STR_ARG(code.update_why));
    else if (ours && !str_is(code.update, "Failed"))
        publish(op, &code);
    else
        update(op, &code);
}

static void look_at_latest(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)chain;
    (void)reply;
    lambda_ask_code(self, (str){NULL, 0}, latest_seen);
}

// ---- from the start ----------------------------------------------------------------------------

void lambda_stage(struct lambda_operation *op)
{
    const struct lambda_target *target = op->target;
    if (op->alias.exists && !lambda_is_version(op->alias.version))
        chain_fail(&op->chain, ERROR_DENIED,
                   "alias " STR_FMT " points at " STR_FMT ", which would serve the new code at "
                   "once: publish a version, point the alias at it, and record that with `sluice "
                   "adopt`",
                   STR_ARG(target->alias), STR_ARG(op->alias.version));
    else if (op->alias.exists && !op->good.revision.len)
        chain_fail(&op->chain, ERROR_DENIED,
                   "alias " STR_FMT " serves version " STR_FMT " already, so this is no first "
                   "deployment: record what it serves with `sluice adopt`",
                   STR_ARG(target->alias), STR_ARG(op->alias.version));
    else if (lambda_is_version(op->next.revision)) {
        op->staged = op->next.revision;
        lambda_ask_code(op, op->staged, version_seen);
    } else
        lambda_ask_code(op, (str){NULL, 0}, latest_seen);
}
