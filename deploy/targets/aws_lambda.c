#include "deploy/targets/aws_lambda.h"

#include "gate/base/limits.h"
#include "gate/doc/json.h"

struct target {
    struct lambda_target lambda;
};

struct target_operation {
    struct lambda_operation lambda;
};

static unsigned lambda_capabilities(const void *config)
{
    (void)config;
    return TARGET_WEIGHTS | TARGET_INSTANT_REVERT | TARGET_STAGING;
}

static void lambda_close(struct target *target)
{
    arena_done(&target->lambda.arena);
    memory_free(target);
}

static bool lambda_open(const void *config, const struct target_setup *setup, struct target **ret,
                        struct error *err)
{
    struct target *target = memory_alloc(sizeof *target);
    struct lambda_target *lambda = &target->lambda;
    lambda->config = config;
    lambda->setup = *setup;
    lambda->function = lambda->config->function;
    lambda->alias = lambda->config->alias;
    if (!target_name_open(&lambda->arena, setup, "function", &lambda->function, err) ||
        !target_name_open(&lambda->arena, setup, "alias", &lambda->alias, err) ||
        !aws_section_open(&lambda->config->at, setup, &lambda->client, err)) {
        lambda_close(target);
        return false;
    }
    *ret = target;
    return true;
}

static bool pack(const struct target *target, const struct target_pack *pack, struct arena *arena,
                 struct target_release *ret, struct error *err)
{
    return lambda_pack(&target->lambda, pack, arena, ret, err);
}

// Weights have any number of decimals; a part per million is written as it stands.
static uint32_t lambda_round_share(const struct target *target, uint32_t share_ppm)
{
    (void)target;
    return share_ppm;
}

// ---- looking -----------------------------------------------------------------------------------

static bool is_unknown(const struct lambda_operation *op)
{
    return op->next.revision.len == 0 && op->good.revision.len == 0;
}

static void latest_surveyed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    const struct lambda_target *target = op->target;
    const struct lambda_artifact *artifact = target->config->artifact;
    struct lambda_code code;
    chain_end(chain);
    if (!reply->ok) {
        target_trouble_of(&op->troubles, reply,
                          lambda_is_image(target) ? "lambda:GetFunction"
                                                  : "lambda:GetFunctionConfiguration");
        return;
    }
    lambda_read_code(&op->arena, reply->tree, &code);
    bool image = str_is(code.package, "Image");
    if (artifact && image != lambda_is_image(target))
        target_trouble_add(&op->troubles, ERROR_INPUT,
                           "function " STR_FMT " is made of %s: name that in `artifact: {%s: …}`",
                           STR_ARG(target->function), image ? "an image" : "a zip archive",
                           image ? "image" : "archive");
}

static void survey_latest(struct lambda_operation *op)
{
    lambda_ask_code(op, (str){NULL, 0}, latest_surveyed);
}

static void serving_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    if (reply->ok) {
        op->serving = ARENA_NEW(&op->arena, struct lambda_code);
        lambda_read_code(&op->arena, reply->tree, op->serving);
    } else if (op->survey) {
        target_trouble_of(&op->troubles, reply,
                          lambda_is_image(op->target) ? "lambda:GetFunction"
                                                      : "lambda:GetFunctionConfiguration");
    } else {
        chain_fail_with(chain, reply, "reading version " STR_FMT " of function " STR_FMT,
                        STR_ARG(op->alias.version), STR_ARG(op->target->function));
        return;
    }
    if (op->survey && reply->ok)
        survey_latest(op);
    else
        chain_end(chain);
}

// What keeps a release from going out, of the alias itself. True: its version may be looked at.
static bool survey_alias(struct lambda_operation *op)
{
    const struct lambda_target *target = op->target;
    const struct lambda_alias *alias = &op->alias;
    if (alias->exists && !lambda_is_version(alias->version))
        target_trouble_add(
            &op->troubles, ERROR_INPUT,
            "alias " STR_FMT " of function " STR_FMT " points at " STR_FMT
            ", whose code changes as soon as a release is staged: publish a version, "
            "point the alias at it, and record that with `sluice adopt`",
            STR_ARG(target->alias), STR_ARG(target->function), STR_ARG(alias->version));
    else if (alias->count > 1)
        target_trouble_add(&op->troubles, ERROR_REMOTE,
                           "alias " STR_FMT " of function " STR_FMT " shares its requests between "
                           "versions " STR_FMT " and " STR_FMT
                           ": let it point at one of them without weights first",
                           STR_ARG(target->alias), STR_ARG(target->function),
                           STR_ARG(alias->version), STR_ARG(alias->shares[1].version));
    return alias->exists && lambda_is_version(alias->version);
}

static void look_closer(struct lambda_operation *op)
{
    bool version = op->alias.exists && lambda_is_version(op->alias.version);
    if (op->survey && !survey_alias(op))
        survey_latest(op);
    else if (version && (op->survey || is_unknown(op)))
        lambda_ask_code(op, op->alias.version, serving_seen);
    else if (op->alias.exists && is_unknown(op))
        chain_fail(&op->chain, ERROR_DENIED,
                   "alias " STR_FMT " points at " STR_FMT ", which is no release but whatever was "
                   "uploaded last: publish a version and point the alias at it",
                   STR_ARG(op->target->alias), STR_ARG(op->alias.version));
    else
        chain_end(&op->chain);
}

static void go_on(struct lambda_operation *op)
{
    if (op->verb == INTENT_STAGE)
        lambda_stage(op);
    else if (op->verb == INTENT_OBSERVE)
        look_closer(op);
    else
        lambda_bring(op);
}

static void alias_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct lambda_operation *op = self;
    bool absent = !reply->ok && reply->error->kind == ERROR_ABSENT;
    if (!reply->ok && !absent && op->survey) {
        target_trouble_of(&op->troubles, reply, "lambda:GetAlias");
        chain_end(chain);
    } else if (lambda_read_alias(op, reply)) {
        go_on(op);
    } else if (op->survey) {
        target_trouble_add(&op->troubles, ERROR_ABSENT,
                           "there is no function " STR_FMT " in region %s: make it, or correct "
                           "`function` or `region`",
                           STR_ARG(op->target->function), aws_client_region(op->target->client));
        chain_end(chain);
    }
}

// ---- operations --------------------------------------------------------------------------------

static void read_memory(struct lambda_operation *op, str memory)
{
    const struct node *tree = NULL;
    struct error ignored;
    uint64_t share = 0;
    if (memory.len && json_parse(&op->arena, NULL, memory, &tree, &ignored) &&
        json_get_u64(tree, "share", &share) && share <= LAMBDA_ALL)
        op->kept_ppm = (uint32_t)share;
}

static bool lambda_start(struct target *target, const struct target_intent *intent,
                         struct target_operation **ret, struct error *err)
{
    bool forward = intent->verb == INTENT_STAGE || intent->verb == INTENT_SHIFT ||
                   intent->verb == INTENT_PROMOTE;
    if (forward && intent->next.revision.len == 0)
        return error_set(err, ERROR_INPUT, "there is no code to bring to target %s",
                         target->lambda.setup.name);
    if (forward && intent->verb != INTENT_STAGE && !lambda_is_version(intent->next.revision))
        return error_set(err, ERROR_INPUT, "release " STR_FMT " was not staged on target %s",
                         STR_ARG(intent->next.release), target->lambda.setup.name);
    struct target_operation *operation = memory_alloc(sizeof *operation);
    struct lambda_operation *op = &operation->lambda;
    op->target = &target->lambda;
    op->verb = intent->verb;
    op->share_ppm = intent->share_ppm;
    op->survey = intent->survey;
    op->next = target_release_copy(&op->arena, &intent->next);
    op->good = target_release_copy(&op->arena, &intent->good);
    op->troubles.arena = &op->arena;
    read_memory(op, intent->memory);
    chain_begin(&op->chain, target->lambda.setup.cloud, op);
    lambda_ask_alias(op, alias_seen);
    *ret = operation;
    return true;
}

static void lambda_drop(struct target_operation *operation)
{
    chain_drop(&operation->lambda.chain);
    arena_done(&operation->lambda.arena);
    memory_free(operation);
}

// ---- what was seen -----------------------------------------------------------------------------

static const char *evidence_of(struct arena *arena, const struct lambda_operation *op)
{
    const struct lambda_alias *alias = &op->alias;
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "alias", op->target->alias);
    if (alias->exists) {
        json_add_str(&out, "FunctionVersion", alias->version);
        json_open_map(&out, "AdditionalVersionWeights");
        for (size_t i = 1; i < alias->count; i++)
            json_add_double(&out, arena_copy(arena, alias->shares[i].version),
                            (double)alias->shares[i].ppm / LAMBDA_ALL);
        json_close(&out);
        json_add_str(&out, "RevisionId", alias->revision_id);
    } else {
        json_add_null(&out, "FunctionVersion");
    }
    if (op->serving) {
        json_add_str(&out, "State", op->serving->state);
        json_add_str(&out, "LastUpdateStatus", op->serving->update);
        json_add_str(&out, "CodeSha256", op->serving->code_sha256);
    }
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

static void see(struct arena *arena, const struct lambda_operation *op,
                struct target_observation *ret)
{
    const struct lambda_alias *alias = &op->alias;
    const struct lambda_code *serving = op->serving;
    bool one = alias->count == 1 && lambda_is_version(alias->version);
    ret->next_ppm = lambda_share_of(alias, op->next.revision);
    ret->good_ppm = lambda_share_of(alias, op->good.revision);
    if (lambda_is_alone(op) && ret->next_ppm == LAMBDA_ALL)
        ret->next_ppm = op->kept_ppm;
    ret->settled = op->has_alias && (!serving || str_is(serving->state, "Active") ||
                                     str_is(serving->state, "Inactive") || !serving->state.len);
    if (one)
        ret->revision = arena_str(arena, alias->version);
    if (one && serving)
        ret->release = arena_str(arena, lambda_release_of(serving->description));
    ret->evidence = evidence_of(arena, op);
    ret->troubles = ARENA_ARRAY(arena, struct target_trouble, op->troubles.count);
    ret->trouble_count = op->troubles.count;
    for (size_t i = 0; i < op->troubles.count; i++)
        ret->troubles[i] = (struct target_trouble){op->troubles.items[i].kind,
                                                   arena_str(arena, op->troubles.items[i].words)};
}

static const char *note_of(struct arena *arena, const struct lambda_operation *op)
{
    const struct lambda_alias *alias = &op->alias;
    bool same = op->staged.len && str_eq(op->staged, op->good.revision);
    if (same)
        return arena_format(arena,
                            "version " STR_FMT ", which serves already, has this very code: "
                            "there is nothing to share between",
                            STR_ARG(op->staged))
            .data;
    if (op->verb == INTENT_SHIFT && op->good.revision.len == 0)
        return "nothing served before this release: whoever calls the alias gets it";
    if (op->verb == INTENT_REVERT && op->good.revision.len == 0)
        return "nothing served before this release: the alias is taken away";
    for (size_t i = 0; i < alias->count && op->verb == INTENT_OBSERVE && !is_unknown(op); i++) {
        str version = alias->shares[i].version;
        if (alias->shares[i].ppm && !str_eq(version, op->next.revision) &&
            !str_eq(version, op->good.revision))
            return arena_format(arena,
                                "alias " STR_FMT " serves version " STR_FMT
                                ", which is neither the release nor known good",
                                STR_ARG(op->target->alias), STR_ARG(version))
                .data;
    }
    return NULL;
}

static void keep(struct lambda_operation *op)
{
    if (op->verb == INTENT_SHIFT)
        op->kept_ppm = op->share_ppm;
    else if (op->verb != INTENT_OBSERVE)
        op->kept_ppm = op->verb == INTENT_PROMOTE ? LAMBDA_ALL : 0;
}

static enum progress lambda_poll(struct target_operation *operation, struct arena *arena,
                                 struct target_outcome *ret, struct error *err)
{
    struct lambda_operation *op = &operation->lambda;
    enum progress progress = chain_poll(&op->chain, err);
    if (progress != PROGRESS_DONE)
        return progress;
    struct target_outcome outcome = {0};
    keep(op);
    see(arena, op, &outcome.seen);
    outcome.memory = arena_format(arena, "{\"share\":%u}", (unsigned)op->kept_ppm);
    outcome.revision = arena_str(arena, op->staged);
    outcome.note = note_of(arena, op);
    *ret = outcome;
    return PROGRESS_DONE;
}

// ---- what it needs -----------------------------------------------------------------------------

// Nothing is said of an object whose bucket the environment or the release names.
static const char *objects_of(struct arena *arena, const struct lambda_target *target)
{
    const struct lambda_artifact *artifact = target->config->artifact;
    str rest = artifact ? str_from(artifact->archive, sizeof "s3://" - 1) : (str){NULL, 0};
    str bucket = str_cut(&rest, '/');
    if (!bucket.len || str_find(bucket, '$') != STR_NONE)
        return NULL;
    return arena_format(arena, "arn:aws:s3:::" STR_FMT "/*", STR_ARG(bucket)).data;
}

// CreateAlias and DeleteAlias are left out: only a first deployment needs them.
static void permissions(const struct target *target, struct arena *arena,
                        struct target_permissions *ret)
{
    const struct lambda_target *lambda = &target->lambda;
    const char *const actions[] = {
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        lambda_is_image(lambda) ? "lambda:GetFunction" : "lambda:GetFunctionConfiguration",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
    };
    enum { ACTIONS = sizeof actions / sizeof *actions };
    struct permission *wanted = ARENA_ARRAY(arena, struct permission, ACTIONS + 2);
    bool arn = str_starts(lambda->function, STR("arn:"));
    const char *function =
        arn ? arena_copy(arena, lambda->function)
            : arena_format(arena, "arn:aws:lambda:{region}:{account}:function:" STR_FMT,
                           STR_ARG(lambda->function))
                  .data;
    const char *objects = objects_of(arena, lambda);
    size_t count = 0;
    for (size_t i = 0; i < ACTIONS; i++)
        wanted[count++] = (struct permission){.action = actions[i], .resource = function};
    if (objects) {
        wanted[count++] = (struct permission){.action = "s3:GetObject", .resource = objects};
        wanted[count++] = (struct permission){.action = "s3:GetObjectVersion", .resource = objects};
    }
    *ret = (struct target_permissions){.aws = lambda->client, .wanted = wanted, .count = count};
}

const struct target_kind aws_lambda_kind = {
    .name = "aws-lambda",
    .shape = &lambda_shape,
    .capabilities = lambda_capabilities,
    .open = lambda_open,
    .pack = pack,
    .round_share = lambda_round_share,
    .start = lambda_start,
    .poll = lambda_poll,
    .drop = lambda_drop,
    .permissions = permissions,
    .close = lambda_close,
};
