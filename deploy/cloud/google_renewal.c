#include "deploy/cloud/google_identity.h"
#include "deploy/cloud/google_plan.h"
#include "deploy/cloud/rs256.h"
#include "deploy/cloud/runner_token.h"
#include "deploy/cloud/url_parts.h"
#include "deploy/world/files.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/doc/json.h"

enum stage {
    STAGE_RUNNER_TOKEN,
    STAGE_SUBJECT_URL,
    STAGE_EXCHANGE, // ours for theirs, at the token URL
    STAGE_METADATA,
    STAGE_IMPERSONATE,
};

enum {
    FORM_MOST = 128 * 1024,
    TOKEN_FILE_MOST = 64 * 1024,
    TOKEN_S = 3600,
    METADATA_ANSWER_MS = 3000,
    METADATA_TRIES = 2,
};

#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

struct google_renewal {
    struct renewal renewal;
    struct google_identity *identity;
    struct google_plan plan;
    struct arena arena;
    enum stage stage;
    bool clock_learnt, clock_corrected; // by the answer at hand; once
    struct secret subject;              // the token that is exchanged
    struct secret token;                // access token
    int64_t expires_ms;
};

static struct google_renewal *of(struct renewal *renewal)
{
    return (struct google_renewal *)(void *)renewal;
}

static const char *scope_of(const struct google_renewal *r)
{
    const char *given = r->identity->account.scope;
    return given ? given : SCOPE;
}

// ---- what is asked ------------------------------------------------------------------------------

static void add_field(struct text *form, const char *name, str value)
{
    text_addf(form, "%s%s=", form->len ? "&" : "", name);
    url_encode(form, value, URL_SEGMENT);
}

static const char *place_of(struct google_renewal *r, const char *url)
{
    return google_place(r->identity->cloud, r->identity->account.endpoints, str_of(url), &r->arena);
}

// Sends and releases the body.
static bool post(struct google_renewal *r, const char *url, const char *type, struct text *body,
                 const struct secret *bearer, void **ret_job, struct error *err)
{
    const struct http_port *http = r->identity->cloud->ports.http;
    struct http_header headers[] = {{"Content-Type", type, NULL},
                                    {"Accept", "application/json", NULL},
                                    {bearer ? "Authorization" : NULL, "Bearer ", bearer},
                                    {0}};
    struct http_request request = {.method = "POST",
                                   .url = place_of(r, url),
                                   .headers = headers,
                                   .body = text_str(body),
                                   .timeout_ms = RENEWAL_ANSWER_MS};
    bool ok = !text_full(body)
                  ? http->start(http->self, &request, ret_job, err)
                  : error_set(err, ERROR_LIMIT, "a token is larger than %d bytes", FORM_MOST);
    if (body->data)
        secret_wipe(body->data, body->room);
    text_done(body);
    return ok;
}

static bool post_form(struct google_renewal *r, struct text *form, void **ret_job,
                      struct error *err)
{
    return post(r, r->plan.token_url, "application/x-www-form-urlencoded", form, NULL, ret_job,
                err);
}

// RFC 7523: a JWT that the service account's key signs.
static bool add_jwt(struct google_renewal *r, struct text *out, struct error *err)
{
    struct text head = text_of(4096), claims = text_of(8192);
    struct json_out json = json_out_of(&head, JSON_COMPACT);
    int64_t now_s = keeper_now(&r->identity->keeper) / 1000;
    json_open_map(&json, NULL);
    json_add_str(&json, "alg", STR("RS256"));
    json_add_str(&json, "typ", STR("JWT"));
    if (*r->plan.key_id)
        json_add_str(&json, "kid", str_of(r->plan.key_id));
    json_close(&json);
    json = json_out_of(&claims, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "iss", str_of(r->plan.email));
    json_add_str(&json, "scope", str_of(scope_of(r)));
    json_add_str(&json, "aud", str_of(r->plan.token_url));
    json_add_i64(&json, "iat", now_s);
    json_add_i64(&json, "exp", now_s + TOKEN_S);
    json_close(&json);
    size_t from = out->len;
    base64url_add(out, text_str(&head));
    text_addc(out, '.');
    base64url_add(out, text_str(&claims));
    struct text signature = text_of(4096);
    bool ok =
        rs256_sign(secret_reveal(&r->plan.secret), str_from(text_str(out), from), &signature, err);
    text_addc(out, '.');
    text_add(out, text_str(&signature));
    text_done(&signature);
    text_done(&head);
    text_done(&claims);
    return ok || error_wrap(err, "the Google credentials of %s", r->plan.found_in);
}

static bool ask_key(struct google_renewal *r, void **ret_job, struct error *err)
{
    struct text form = text_of(FORM_MOST);
    add_field(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    text_adds(&form, "&assertion=");
    if (!add_jwt(r, &form, err)) {
        text_done(&form);
        return false;
    }
    return post_form(r, &form, ret_job, err);
}

static bool ask_refresh(struct google_renewal *r, void **ret_job, struct error *err)
{
    struct text form = text_of(FORM_MOST);
    add_field(&form, "grant_type", STR("refresh_token"));
    add_field(&form, "client_id", str_of(r->plan.client_id));
    add_field(&form, "client_secret", secret_reveal(&r->plan.secret));
    add_field(&form, "refresh_token", secret_reveal(&r->plan.refresh));
    return post_form(r, &form, ret_job, err);
}

// The token of a file or an answer: all of it, or one field of a JSON document.
static bool keep_subject(struct google_renewal *r, str bytes, struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    str token = str_trim(bytes);
    bool ok = true;
    if (r->plan.subject_field) {
        ok = json_parse(&arena, NULL, bytes, &tree, err);
        token = ok ? node_text(tree, r->plan.subject_field) : (str){NULL, 0};
    }
    if (ok && !token.len)
        ok = error_set(err, ERROR_INPUT, "there is no token in it");
    secret_done(&r->subject);
    if (ok)
        secret_take(&r->subject, token);
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok || error_wrap(err, "the token that %s names", r->plan.found_in);
}

static bool read_subject(struct google_renewal *r, struct error *err)
{
    struct arena arena = {0};
    str bytes = {NULL, 0};
    bool ok = file_read(&arena, r->plan.subject_place, TOKEN_FILE_MOST, &bytes, err) &&
              keep_subject(r, bytes, err);
    cloud_wipe(bytes);
    arena_done(&arena);
    return ok;
}

static bool ask_exchange(struct google_renewal *r, void **ret_job, struct error *err)
{
    struct text form = text_of(FORM_MOST);
    if (r->plan.base == GOOGLE_BASE_KEY)
        return ask_key(r, ret_job, err);
    if (r->plan.base == GOOGLE_BASE_REFRESH)
        return ask_refresh(r, ret_job, err);
    if (r->plan.base == GOOGLE_BASE_SUBJECT_FILE && !read_subject(r, err))
        return false;
    add_field(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:token-exchange"));
    add_field(&form, "audience", str_of(r->plan.audience));
    add_field(&form, "scope", str_of(r->plan.impersonate_url ? SCOPE : scope_of(r)));
    add_field(&form, "requested_token_type", STR("urn:ietf:params:oauth:token-type:access_token"));
    add_field(&form, "subject_token_type", str_of(r->plan.subject_type));
    add_field(&form, "subject_token", secret_reveal(&r->subject));
    return post_form(r, &form, ret_job, err);
}

static bool ask_impersonate(struct google_renewal *r, void **ret_job, struct error *err)
{
    struct text body = text_of(4096);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_open_list(&json, "scope");
    json_add_str(&json, NULL, str_of(scope_of(r)));
    json_close(&json);
    json_add_str(&json, "lifetime", STR("3600s"));
    json_close(&json);
    return post(r, r->plan.impersonate_url, "application/json", &body, &r->token, ret_job, err);
}

static bool get(struct google_renewal *r, const char *url, const struct http_header *headers,
                int64_t timeout_ms, void **ret_job, struct error *err)
{
    const struct http_port *http = r->identity->cloud->ports.http;
    struct http_request request = {
        .method = "GET", .url = url, .headers = headers, .timeout_ms = timeout_ms};
    return http->start(http->self, &request, ret_job, err);
}

static bool ask_subject_url(struct google_renewal *r, void **ret_job, struct error *err)
{
    for (size_t i = 0; r->plan.subject_headers[i].name; i++)
        r->plan.subject_headers[i].secret = &r->plan.subject_secrets[i];
    return get(r, r->plan.subject_place, r->plan.subject_headers, RENEWAL_ANSWER_MS, ret_job, err);
}

static bool ask_metadata(struct google_renewal *r, void **ret_job, struct error *err)
{
    struct http_header headers[] = {{"Metadata-Flavor", "Google", NULL}, {0}};
    const char *host = cloud_variable(r->identity->cloud, "GCE_METADATA_HOST");
    struct text url = text_of(4096);
    text_addf(&url, "http://%s/computeMetadata/v1/instance/service-accounts/default/token?scopes=",
              host ? host : "metadata.google.internal");
    url_encode(&url, str_of(r->plan.impersonate_url ? SCOPE : scope_of(r)), URL_SEGMENT);
    if (r->renewal.tries.most > METADATA_TRIES)
        r->renewal.tries.most = METADATA_TRIES;
    bool ok = get(r, text_c(&url), headers, METADATA_ANSWER_MS, ret_job, err);
    text_done(&url);
    return ok;
}

static bool ask(struct renewal *renewal, void **ret_job, struct error *err)
{
    struct google_renewal *r = of(renewal);
    switch (r->stage) {
    case STAGE_RUNNER_TOKEN:
        return runner_token_ask(r->identity->cloud, str_of(r->plan.runner_audience), ret_job, err);
    case STAGE_SUBJECT_URL:
        return ask_subject_url(r, ret_job, err);
    case STAGE_EXCHANGE:
        return ask_exchange(r, ret_job, err);
    case STAGE_METADATA:
        return ask_metadata(r, ret_job, err);
    case STAGE_IMPERSONATE:
        return ask_impersonate(r, ret_job, err);
    }
    return false;
}

// ---- what is answered ---------------------------------------------------------------------------

static const char *stage_name(const struct google_renewal *r)
{
    switch (r->stage) {
    case STAGE_RUNNER_TOKEN:
        return "the runner's OIDC token";
    case STAGE_SUBJECT_URL:
        return "the token that the credentials file points to";
    case STAGE_EXCHANGE:
        return "the exchange for an access token";
    case STAGE_METADATA:
        return "the metadata server's token";
    case STAGE_IMPERSONATE:
        return "impersonating the service account";
    }
    return "";
}

// Who refuses may repeat what was sent.
static void hide_secrets(const struct google_renewal *r, struct error *err)
{
    const char *runner = cloud_variable(r->identity->cloud, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    const struct google_plan *plan = &r->plan;
    str words = str_of(err->message);
    cloud_hide(words, str_of(runner));
    cloud_hide(words, secret_reveal(&r->subject));
    cloud_hide(words, secret_reveal(&r->token));
    cloud_hide(words, secret_reveal(&plan->secret));
    cloud_hide(words, secret_reveal(&plan->refresh));
    for (size_t i = 0; i < sizeof plan->subject_secrets / sizeof *plan->subject_secrets; i++)
        cloud_hide(words, secret_reveal(&plan->subject_secrets[i]));
}

static enum renewal_next refused(struct google_renewal *r, const struct http_answer *answer,
                                 struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    struct error unread;
    str word = {NULL, 0}, message = {NULL, 0};
    if (json_parse(&arena, NULL, answer->body, &tree, &unread)) {
        const struct node *inner = node_get(tree, "error");
        bool nested = inner && inner->kind == NODE_MAP;
        word = nested ? node_text(inner, "status") : node_text(tree, "error");
        message = nested ? node_text(inner, "message") : node_text(tree, "error_description");
    }
    bool passing = answer->status >= 500 || answer->status == 429;
    bool clock = str_search(message, STR("reasonable timeframe")) != STR_NONE ||
                 str_search(message, STR("Invalid JWT")) != STR_NONE;
    (void)error_set(err, passing ? ERROR_TRANSIENT : ERROR_DENIED,
                    "%s was refused: " STR_FMT "%s" STR_FMT " (status %ld)", stage_name(r),
                    STR_ARG(cloud_line(&arena, str_shorten(word, 80))), message.len ? ": " : "",
                    STR_ARG(cloud_line(&arena, str_shorten(message, 300))), answer->status);
    hide_secrets(r, err);
    arena_done(&arena);
    if (answer->status == 429)
        return RENEWAL_THROTTLED;
    if (passing)
        return RENEWAL_BROKEN;
    if (clock && r->clock_learnt && !r->clock_corrected) {
        r->clock_corrected = true;
        return RENEWAL_AT_ONCE;
    }
    return RENEWAL_FAILED;
}

static bool take_token(struct google_renewal *r, const struct http_answer *answer,
                       struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    int64_t seconds = 0, expires_ms = 0;
    bool ok = json_parse(&arena, NULL, answer->body, &tree, err);
    str token = {NULL, 0};
    if (ok && r->stage == STAGE_IMPERSONATE) {
        token = node_text(tree, "accessToken");
        ok = moment_parse(node_text(tree, "expireTime"), &expires_ms);
    } else if (ok) {
        token = node_text(tree, "access_token");
        ok = number_i64(node_text(tree, "expires_in"), &seconds) && seconds > 0 &&
             seconds < INT64_C(1000000000);
        expires_ms = keeper_now(&r->identity->keeper) + seconds * MS_SECOND;
    }
    if (!tree)
        ok = error_wrap(err, "%s", stage_name(r));
    else if (!ok || !token.len)
        ok = error_set(err, ERROR_REMOTE, "%s: the answer has no access token with its life",
                       stage_name(r));
    if (ok) {
        secret_done(&r->token);
        secret_take(&r->token, token);
        r->expires_ms = expires_ms;
    }
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok;
}

static enum renewal_next take(struct renewal *renewal, const struct http_answer *answer,
                              struct error *err)
{
    struct google_renewal *r = of(renewal);
    // Told by a good answer as well: what expires in an hour must not seem to have expired.
    r->clock_learnt = r->stage != STAGE_RUNNER_TOKEN && r->stage != STAGE_SUBJECT_URL &&
                      keeper_learn_clock(&r->identity->keeper, answer->server_date_ms);
    if (answer->status < 200 || answer->status >= 300)
        return refused(r, answer, err);
    switch (r->stage) {
    case STAGE_RUNNER_TOKEN:
        secret_done(&r->subject);
        r->stage = STAGE_EXCHANGE;
        return runner_token_read(answer, &r->subject, err) ? RENEWAL_NEXT : RENEWAL_FAILED;
    case STAGE_SUBJECT_URL:
        r->stage = STAGE_EXCHANGE;
        return keep_subject(r, answer->body, err) ? RENEWAL_NEXT : RENEWAL_FAILED;
    case STAGE_METADATA:
        if (!str_is(cloud_header(answer->headers, "Metadata-Flavor"), "Google")) {
            (void)error_set(err, ERROR_DENIED, "what answered as the metadata server is none");
            return RENEWAL_FAILED;
        }
        break;
    case STAGE_EXCHANGE:
    case STAGE_IMPERSONATE:
        break;
    }
    if (!take_token(r, answer, err))
        return RENEWAL_FAILED;
    if (r->stage == STAGE_IMPERSONATE || !r->plan.impersonate_url)
        return RENEWAL_FINISHED;
    r->stage = STAGE_IMPERSONATE;
    return RENEWAL_NEXT;
}

static void unanswered(struct renewal *renewal, struct error *err)
{
    struct google_renewal *r = of(renewal);
    if (r->stage == STAGE_METADATA)
        (void)error_set(err, ERROR_TRANSIENT,
                        "no Google credentials were found: no `workload_identity_provider` with "
                        "the runner's OIDC token, no credentials file, neither "
                        "GOOGLE_APPLICATION_CREDENTIALS nor gcloud's application default file, "
                        "and no metadata server answers");
    else
        (void)error_wrap(err, "%s", stage_name(r));
}

// ---- opening and closing ------------------------------------------------------------------------

static void close(struct renewal *renewal)
{
    struct google_renewal *r = of(renewal);
    secret_done(&r->subject);
    secret_done(&r->token);
    google_plan_done(&r->plan);
    arena_done(&r->arena);
    memory_free(r);
}

static enum stage first_stage(const struct google_plan *plan)
{
    switch (plan->base) {
    case GOOGLE_BASE_RUNNER:
        return STAGE_RUNNER_TOKEN;
    case GOOGLE_BASE_SUBJECT_URL:
        return STAGE_SUBJECT_URL;
    case GOOGLE_BASE_METADATA:
        return STAGE_METADATA;
    case GOOGLE_BASE_SUBJECT_FILE:
    case GOOGLE_BASE_KEY:
    case GOOGLE_BASE_REFRESH:
        break;
    }
    return STAGE_EXCHANGE;
}

bool google_renewal_open(struct google_identity *identity, struct renewal **ret, struct error *err)
{
    struct google_renewal *r = memory_alloc(sizeof *r);
    *r = (struct google_renewal){.identity = identity};
    if (!google_plan_make(identity->cloud, &identity->account, &r->plan, err)) {
        memory_free(r);
        return false;
    }
    r->renewal = (struct renewal){.cloud = identity->cloud,
                                  .ask = ask,
                                  .take = take,
                                  .unanswered = unanswered,
                                  .close = close};
    r->stage = first_stage(&r->plan);
    *ret = &r->renewal;
    return true;
}

void google_renewal_take(struct renewal *renewal, struct secret *ret_token, int64_t *ret_expires_ms)
{
    struct google_renewal *r = of(renewal);
    *ret_token = r->token;
    *ret_expires_ms = r->expires_ms;
    r->token = (struct secret){0};
}
