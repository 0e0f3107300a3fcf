#include "deploy/cloud/aws_renewal.h"

#include "deploy/cloud/aws_plan.h"
#include "deploy/cloud/aws_wire.h"
#include "deploy/cloud/aws_xml.h"
#include "deploy/cloud/runner_token.h"
#include "deploy/cloud/url_parts.h"
#include "deploy/world/files.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum stage {
    STAGE_RUNNER_TOKEN,
    STAGE_WEB_IDENTITY,
    STAGE_CONTAINER,
    STAGE_METADATA_TOKEN,
    STAGE_METADATA_ROLE,
    STAGE_METADATA_KEYS,
    STAGE_HOP,
    STAGE_NOTHING, // keys that were lying there
};

enum {
    FORM_MOST = 64 * 1024,
    TOKEN_FILE_MOST = 64 * 1024,
    METADATA_ANSWER_MS = 2000, // elsewhere than on an instance nobody answers
    METADATA_TRIES = 2,
};

#define METADATA_PATH "/latest/meta-data/iam/security-credentials/"

struct aws_renewal {
    struct renewal renewal;
    struct aws_identity *identity;
    struct aws_plan plan;
    struct arena arena;
    enum stage stage;
    size_t hop;
    bool clock_learnt, clock_corrected; // by the answer at hand; once
    struct secret token;                // OIDC, or of the instance metadata
    const char *role;                   // of the instance
    struct aws_granted granted;
};

static struct aws_renewal *of(struct renewal *renewal)
{
    return (struct aws_renewal *)(void *)renewal;
}

// ---- what is asked ------------------------------------------------------------------------------

static void add_field(struct text *form, const char *name, str value)
{
    text_addf(form, "&%s=", name);
    url_encode(form, value, URL_SEGMENT);
}

static bool ask_sts(struct aws_renewal *r, const char *action, struct text *form,
                    const struct aws_keys *keys, void **ret_job, struct error *err)
{
    struct aws_identity *identity = r->identity;
    struct arena arena = {0};
    struct aws_sending sending = {
        .service = &aws_sts,
        .region = identity->region,
        .endpoint = aws_endpoint_of(identity->cloud, &identity->account, identity->region,
                                    identity->of_profile, &aws_sts, &arena),
        .action = action,
        .body = text_str(form),
        .secret_body = true,
        .keys = keys,
        .now_ms = keeper_now(&identity->keeper),
        .timeout_ms = RENEWAL_ANSWER_MS};
    bool ok = !text_full(form)
                  ? aws_send(identity->cloud, &sending, ret_job, err)
                  : error_set(err, ERROR_LIMIT, "a token is larger than %d bytes", FORM_MOST);
    arena_done(&arena);
    if (form->data)
        secret_wipe(form->data, form->room);
    text_done(form);
    return ok;
}

static bool ask_web_identity(struct aws_renewal *r, void **ret_job, struct error *err)
{
    struct text form = text_of(FORM_MOST);
    struct arena arena = {0};
    str token = secret_reveal(&r->token);
    if (r->plan.base == AWS_BASE_TOKEN_FILE &&
        !file_read(&arena, r->plan.token_file, TOKEN_FILE_MOST, &token, err)) {
        arena_done(&arena);
        return error_wrap(err, "the AWS web identity token");
    }
    add_field(&form, "RoleArn", str_of(r->plan.role));
    add_field(&form, "RoleSessionName", str_of(r->plan.session));
    add_field(&form, "WebIdentityToken", str_trim(token));
    if (r->plan.base == AWS_BASE_TOKEN_FILE)
        cloud_wipe(token);
    arena_done(&arena);
    return ask_sts(r, "AssumeRoleWithWebIdentity", &form, NULL, ret_job, err);
}

static bool ask_hop(struct aws_renewal *r, void **ret_job, struct error *err)
{
    const struct aws_hop *hop = &r->plan.hops[r->hop];
    struct aws_keys keys = {r->granted.access_key, &r->granted.secret_key,
                            &r->granted.session_token};
    struct text form = text_of(FORM_MOST);
    char seconds[24];
    add_field(&form, "RoleArn", str_of(hop->role));
    add_field(&form, "RoleSessionName", str_of(hop->session));
    if (hop->external_id)
        add_field(&form, "ExternalId", str_of(hop->external_id));
    if (hop->duration_s) {
        (void)snprintf(seconds, sizeof seconds, "%lld", (long long)hop->duration_s);
        add_field(&form, "DurationSeconds", str_of(seconds));
    }
    return ask_sts(r, "AssumeRole", &form, &keys, ret_job, err);
}

static const char *metadata_host(struct aws_renewal *r)
{
    struct cloud *cloud = r->identity->cloud;
    const char *given = cloud_variable(cloud, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = cloud_variable(cloud, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    str host = str_of(given);
    while (str_ends(host, STR("/")))
        host.len--;
    if (host.len)
        return arena_copy(&r->arena, host);
    bool six = mode && str_cmp_any_case(str_of(mode), STR("ipv6")) == 0;
    return six ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

static bool ask_plainly(struct aws_renewal *r, const char *method, const char *url,
                        struct http_header header, int64_t timeout_ms, void **ret_job,
                        struct error *err)
{
    const struct http_port *http = r->identity->cloud->ports.http;
    struct http_header headers[] = {header, {0}};
    struct http_request request = {
        .method = method, .url = url, .headers = headers, .timeout_ms = timeout_ms};
    return http->start(http->self, &request, ret_job, err);
}

static bool ask_metadata(struct aws_renewal *r, void **ret_job, struct error *err)
{
    struct http_header token = {"X-aws-ec2-metadata-token", "", &r->token};
    struct http_header lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "21600", NULL};
    bool first = r->stage == STAGE_METADATA_TOKEN;
    const char *url = arena_format(&r->arena, "%s%s%s", metadata_host(r),
                                   first ? "/latest/api/token" : METADATA_PATH,
                                   r->stage == STAGE_METADATA_KEYS ? r->role : "")
                          .data;
    if (first && r->renewal.tries.most > METADATA_TRIES)
        r->renewal.tries.most = METADATA_TRIES;
    return ask_plainly(r, first ? "PUT" : "GET", url, first ? lifetime : token, METADATA_ANSWER_MS,
                       ret_job, err);
}

static bool ask(struct renewal *renewal, void **ret_job, struct error *err)
{
    struct aws_renewal *r = of(renewal);
    struct http_header authorization = {"Authorization", "", &r->plan.authorization};
    if (!secret_is_set(&r->plan.authorization))
        authorization = (struct http_header){0};
    switch (r->stage) {
    case STAGE_RUNNER_TOKEN:
        return runner_token_ask(r->identity->cloud, STR("sts.amazonaws.com"), ret_job, err);
    case STAGE_WEB_IDENTITY:
        return ask_web_identity(r, ret_job, err);
    case STAGE_CONTAINER:
        return ask_plainly(r, "GET", r->plan.url, authorization, RENEWAL_ANSWER_MS, ret_job, err);
    case STAGE_METADATA_TOKEN:
    case STAGE_METADATA_ROLE:
    case STAGE_METADATA_KEYS:
        return ask_metadata(r, ret_job, err);
    case STAGE_HOP:
        return ask_hop(r, ret_job, err);
    case STAGE_NOTHING:
        break;
    }
    return error_set(err, ERROR_SYSTEM, "there is nothing to ask");
}

// ---- what is answered ---------------------------------------------------------------------------

static bool grant(struct aws_renewal *r, str key, str secret, str token, str expires,
                  struct error *err)
{
    int64_t expires_ms = NEVER_EXPIRES;
    if (!key.len || !secret.len)
        return error_set(err, ERROR_REMOTE, "the answer has no credentials in it");
    if (expires.len && !moment_parse(expires, &expires_ms))
        return error_set(err, ERROR_REMOTE, "`" STR_FMT "` is no moment of expiry",
                         STR_ARG(str_shorten(expires, 60)));
    secret_done(&r->granted.secret_key);
    secret_done(&r->granted.session_token);
    r->granted.access_key = arena_str(&r->arena, key);
    secret_take(&r->granted.secret_key, secret);
    if (token.len)
        secret_take(&r->granted.session_token, token);
    r->granted.expires_ms = expires_ms;
    return true;
}

static bool take_sts(struct aws_renewal *r, const char *action, const struct http_answer *answer,
                     struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    bool ok = aws_xml_read(&arena, answer->body, &tree, err);
    if (ok) {
        const struct node *found =
            node_get(node_get(tree, arena_format(&arena, "%sResult", action).data), "Credentials");
        ok = grant(r, node_text(found, "AccessKeyId"), node_text(found, "SecretAccessKey"),
                   node_text(found, "SessionToken"), node_text(found, "Expiration"), err);
    }
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok || error_wrap(err, "sts %s", action);
}

static bool take_json(struct aws_renewal *r, const struct http_answer *answer, struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    bool ok = json_parse(&arena, NULL, answer->body, &tree, err);
    str code = ok ? node_text(tree, "Code") : (str){NULL, 0};
    if (ok && code.len && !str_is(code, "Success"))
        ok = error_set(err, ERROR_REMOTE, STR_FMT ": " STR_FMT,
                       STR_ARG(cloud_line(&arena, str_shorten(code, 60))),
                       STR_ARG(cloud_line(&arena, str_shorten(node_text(tree, "Message"), 200))));
    ok = ok && grant(r, node_text(tree, "AccessKeyId"), node_text(tree, "SecretAccessKey"),
                     node_text(tree, "Token"), node_text(tree, "Expiration"), err);
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok || error_wrap(err, "%s", r->plan.found_in);
}

// Who refuses may repeat what was sent.
static void hide_secrets(const struct aws_renewal *r, const struct cloud_fault *fault)
{
    const struct secret *const secrets[] = {&r->token, &r->granted.secret_key,
                                            &r->granted.session_token};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        str secret = secret_reveal(secrets[i]);
        cloud_hide(fault->code, secret);
        cloud_hide(fault->message, secret);
        cloud_hide(fault->request_id, secret);
    }
}

static enum renewal_next refused(struct aws_renewal *r, const struct http_answer *answer,
                                 struct error *err)
{
    struct arena arena = {0};
    struct cloud_fault fault = {0};
    bool sts = r->stage == STAGE_WEB_IDENTITY || r->stage == STAGE_HOP;
    enum renewal_next next = RENEWAL_FAILED;
    if (!sts) {
        bool again = answer->status >= 500 || answer->status == 429;
        const char *whose =
            r->stage == STAGE_RUNNER_TOKEN ? "the runner's OIDC token" : r->plan.found_in;
        (void)error_set(err, again ? ERROR_TRANSIENT : ERROR_DENIED,
                        "%s: the answer was status %ld%s", whose, answer->status,
                        r->stage == STAGE_METADATA_ROLE && answer->status == 404
                            ? ", the instance has no role"
                            : "");
        return !again ? RENEWAL_FAILED : answer->status == 429 ? RENEWAL_THROTTLED : RENEWAL_BROKEN;
    }
    enum aws_meaning meaning = aws_understand(&aws_sts, answer, &arena, &fault);
    const char *action = r->stage == STAGE_HOP ? "AssumeRole" : "AssumeRoleWithWebIdentity";
    const char *role = r->stage == STAGE_HOP ? r->plan.hops[r->hop].role : r->plan.role;
    hide_secrets(r, &fault);
    (void)aws_fault_error(&aws_sts, action, &fault, meaning, err);
    (void)error_wrap(err, "taking on %s", role);
    if (meaning == AWS_THROTTLED)
        next = RENEWAL_THROTTLED;
    else if (meaning == AWS_BROKEN || str_is(fault.code, "IDPCommunicationError"))
        next = RENEWAL_BROKEN;
    else if (meaning == AWS_CLOCK && r->clock_learnt && !r->clock_corrected)
        next = RENEWAL_AT_ONCE;
    if (next == RENEWAL_AT_ONCE)
        r->clock_corrected = true;
    arena_done(&arena);
    return next;
}

static enum renewal_next next_hop(struct aws_renewal *r)
{
    if (r->stage == STAGE_HOP)
        r->hop++;
    r->stage = STAGE_HOP;
    return r->hop < r->plan.hop_count ? RENEWAL_NEXT : RENEWAL_FINISHED;
}

static enum renewal_next take_metadata(struct aws_renewal *r, const struct http_answer *answer,
                                       struct error *err)
{
    str body = str_trim(answer->body);
    str line = str_trim(str_cut(&body, '\n'));
    if (!line.len || line.len > 4096 || str_find(line, ' ') != STR_NONE) {
        (void)error_set(err, ERROR_REMOTE, "the instance metadata answer without a %s",
                        r->stage == STAGE_METADATA_TOKEN ? "token" : "role");
        return RENEWAL_FAILED;
    }
    if (r->stage == STAGE_METADATA_TOKEN) {
        secret_take(&r->token, line);
        r->stage = STAGE_METADATA_ROLE;
    } else {
        struct text path = text_of(3 * line.len + 1);
        url_encode(&path, line, URL_SEGMENT);
        r->role = arena_copy(&r->arena, text_str(&path));
        text_done(&path);
        r->stage = STAGE_METADATA_KEYS;
    }
    return RENEWAL_NEXT;
}

static enum renewal_next take(struct renewal *renewal, const struct http_answer *answer,
                              struct error *err)
{
    struct aws_renewal *r = of(renewal);
    bool ok = true;
    // Told by a good answer as well: what expires in an hour must not seem to have expired.
    r->clock_learnt = r->stage != STAGE_RUNNER_TOKEN &&
                      keeper_learn_clock(&r->identity->keeper, answer->server_date_ms);
    if (answer->status < 200 || answer->status >= 300)
        return refused(r, answer, err);
    switch (r->stage) {
    case STAGE_RUNNER_TOKEN:
        secret_done(&r->token);
        if (!runner_token_read(answer, &r->token, err))
            return RENEWAL_FAILED;
        r->stage = STAGE_WEB_IDENTITY;
        return RENEWAL_NEXT;
    case STAGE_WEB_IDENTITY:
        ok = take_sts(r, "AssumeRoleWithWebIdentity", answer, err);
        break;
    case STAGE_HOP:
        ok = take_sts(r, "AssumeRole", answer, err);
        break;
    case STAGE_METADATA_TOKEN:
    case STAGE_METADATA_ROLE:
        return take_metadata(r, answer, err);
    case STAGE_CONTAINER:
    case STAGE_METADATA_KEYS:
        ok = take_json(r, answer, err);
        break;
    case STAGE_NOTHING:
        break;
    }
    return ok ? next_hop(r) : RENEWAL_FAILED;
}

static void unanswered(struct renewal *renewal, struct error *err)
{
    struct aws_renewal *r = of(renewal);
    if (r->stage == STAGE_METADATA_TOKEN)
        (void)error_set(err, ERROR_TRANSIENT,
                        "no AWS credentials were found: not in the environment, the profile files "
                        "or the container's, the runner gives no OIDC token (AWS_ROLE_ARN, and "
                        "permissions: id-token: write), and no instance metadata answer");
    else
        (void)error_wrap(err, "AWS credentials of %s", r->plan.found_in);
}

// ---- opening and closing ------------------------------------------------------------------------

static void close(struct renewal *renewal)
{
    struct aws_renewal *r = of(renewal);
    secret_done(&r->token);
    secret_done(&r->granted.secret_key);
    secret_done(&r->granted.session_token);
    aws_plan_done(&r->plan);
    arena_done(&r->arena);
    memory_free(r);
}

static enum stage first_stage(const struct aws_plan *plan)
{
    switch (plan->base) {
    case AWS_BASE_RUNNER:
        return STAGE_RUNNER_TOKEN;
    case AWS_BASE_TOKEN_FILE:
        return STAGE_WEB_IDENTITY;
    case AWS_BASE_CONTAINER:
        return STAGE_CONTAINER;
    case AWS_BASE_METADATA:
        return STAGE_METADATA_TOKEN;
    case AWS_BASE_KEYS:
        break;
    }
    return plan->hop_count ? STAGE_HOP : STAGE_NOTHING;
}

bool aws_renewal_open(struct aws_identity *identity, struct renewal **ret, struct error *err)
{
    struct aws_renewal *r = memory_alloc(sizeof *r);
    *r = (struct aws_renewal){.identity = identity};
    if (!aws_plan_make(identity->cloud, &identity->account, &r->plan, err)) {
        memory_free(r);
        return false;
    }
    r->renewal = (struct renewal){.cloud = identity->cloud,
                                  .ask = ask,
                                  .take = take,
                                  .unanswered = unanswered,
                                  .close = close};
    r->stage = first_stage(&r->plan);
    r->granted.found_in = r->plan.found_in;
    if (r->plan.base == AWS_BASE_KEYS) {
        r->granted.access_key = arena_str(&r->arena, str_of(r->plan.access_key));
        r->granted.secret_key = r->plan.secret_key;
        r->granted.session_token = r->plan.session_token;
        r->granted.expires_ms = NEVER_EXPIRES;
        r->plan.secret_key = r->plan.session_token = (struct secret){0};
        r->renewal.finished = r->stage == STAGE_NOTHING;
    }
    *ret = &r->renewal;
    return true;
}

struct aws_granted *aws_renewal_granted(struct renewal *renewal)
{
    return &of(renewal)->granted;
}
