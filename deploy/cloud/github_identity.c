// GitHub's documentation, "Generating an installation access token for a GitHub App": a JWT of the
// app, the app's installation in the repository, a token of it for this repository alone.
#include "deploy/cloud/github_identity.h"

#include "deploy/cloud/github_headers.h"
#include "deploy/cloud/rs256.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stddef.h>
#include <stdio.h>

enum { JWT_MOST = 16 * 1024, JWT_BACK_S = 60, JWT_LIFE_S = 540 };

struct github_renewal {
    struct renewal renewal;
    struct github_identity *identity;
    int64_t installation; // 0: not known yet
    bool clock_learnt, clock_corrected;
    struct secret jwt, token;
    int64_t expires_ms;
};

static struct github_renewal *of(struct renewal *renewal)
{
    return (struct github_renewal *)(void *)renewal;
}

// ---- what is asked ------------------------------------------------------------------------------

static bool make_jwt(struct github_renewal *r, struct error *err)
{
    struct text claims = text_of(4096), jwt = text_of(JWT_MOST), signature = text_of(4096);
    struct json_out json = json_out_of(&claims, JSON_COMPACT);
    int64_t now_s = keeper_now(&r->identity->keeper) / 1000;
    json_open_map(&json, NULL);
    json_add_i64(&json, "iat", now_s - JWT_BACK_S);
    json_add_i64(&json, "exp", now_s + JWT_LIFE_S);
    json_add_str(&json, "iss", str_of(r->identity->account.app_id));
    json_close(&json);
    base64url_add(&jwt, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"));
    text_addc(&jwt, '.');
    base64url_add(&jwt, text_str(&claims));
    bool ok = rs256_sign(secret_reveal(r->identity->account.key), text_str(&jwt), &signature, err);
    text_addc(&jwt, '.');
    text_add(&jwt, text_str(&signature));
    secret_done(&r->jwt);
    if (ok)
        secret_take(&r->jwt, text_str(&jwt));
    secret_wipe(jwt.data, jwt.room);
    text_done(&claims);
    text_done(&jwt);
    text_done(&signature);
    return ok || error_wrap(err, "the private key of GitHub App %s", r->identity->account.app_id);
}

static bool ask(struct renewal *renewal, void **ret_job, struct error *err)
{
    struct github_renewal *r = of(renewal);
    const struct github_account *account = &r->identity->account;
    const struct http_port *http = renewal->cloud->ports.http;
    if (!make_jwt(r, err))
        return false;
    struct http_header headers[GITHUB_HEADERS + 2] = {0};
    struct text url = text_of(4096), body = text_of(1024);
    size_t count = github_headers(headers);
    headers[count++] = (struct http_header){"Authorization", "Bearer ", &r->jwt};
    if (r->installation) {
        struct json_out json = json_out_of(&body, JSON_COMPACT);
        text_addf(&url, "%s/app/installations/%lld/access_tokens", account->api_url,
                  (long long)r->installation);
        json_open_map(&json, NULL);
        json_open_list(&json, "repositories");
        json_add_str(&json, NULL, str_of(strchr(account->repository, '/') + 1));
        json_close(&json);
        json_close(&json);
    } else {
        text_addf(&url, "%s/repos/%s/installation", account->api_url, account->repository);
    }
    struct http_request request = {.method = r->installation ? "POST" : "GET",
                                   .url = text_c(&url),
                                   .headers = headers,
                                   .body = text_str(&body),
                                   .timeout_ms = RENEWAL_ANSWER_MS};
    bool ok = http->start(http->self, &request, ret_job, err);
    text_done(&url);
    text_done(&body);
    return ok;
}

// ---- what is answered ---------------------------------------------------------------------------

static enum renewal_next refused(struct github_renewal *r, const struct http_answer *answer,
                                 struct error *err)
{
    const struct github_account *account = &r->identity->account;
    const struct node *tree = NULL;
    struct arena arena = {0};
    struct error unread;
    str message = {NULL, 0};
    if (json_parse(&arena, NULL, answer->body, &tree, &unread))
        message = node_text(tree, "message");
    bool passing = answer->status >= 500 || answer->status == 429;
    (void)error_set(err, passing ? ERROR_TRANSIENT : ERROR_DENIED,
                    "GitHub App %s gets no token for %s: %s" STR_FMT " (status %ld)",
                    account->app_id, account->repository,
                    answer->status == 404 ? "is it installed there? " : "",
                    STR_ARG(cloud_line(&arena, str_shorten(message, 300))), answer->status);
    cloud_hide(str_of(err->message), secret_reveal(&r->jwt));
    arena_done(&arena);
    if (answer->status == 429)
        return RENEWAL_THROTTLED;
    if (passing)
        return RENEWAL_BROKEN;
    if (answer->status == 401 && r->clock_learnt && !r->clock_corrected) {
        r->clock_corrected = true;
        return RENEWAL_AT_ONCE;
    }
    return RENEWAL_FAILED;
}

static bool take_token(struct github_renewal *r, const struct node *tree, struct error *err)
{
    str token = node_text(tree, "token");
    if (!token.len || !moment_parse(node_text(tree, "expires_at"), &r->expires_ms))
        return error_set(err, ERROR_REMOTE, "GitHub's answer has no token with its end");
    secret_done(&r->token);
    secret_take(&r->token, token);
    return true;
}

static enum renewal_next learn_login(struct github_renewal *r, str slug)
{
    char *login = r->identity->login;
    *login = '\0';
    if (slug.len && slug.len + sizeof "[bot]" <= sizeof r->identity->login)
        (void)snprintf(login, sizeof r->identity->login, STR_FMT "[bot]", STR_ARG(slug));
    return RENEWAL_NEXT;
}

static enum renewal_next take(struct renewal *renewal, const struct http_answer *answer,
                              struct error *err)
{
    struct github_renewal *r = of(renewal);
    const struct node *tree = NULL;
    struct arena arena = {0};
    r->clock_learnt = keeper_learn_clock(&r->identity->keeper, answer->server_date_ms);
    if (answer->status < 200 || answer->status >= 300)
        return refused(r, answer, err);
    enum renewal_next next = RENEWAL_FAILED;
    if (!json_parse(&arena, NULL, answer->body, &tree, err))
        (void)error_wrap(err, "the token of GitHub App %s", r->identity->account.app_id);
    else if (r->installation)
        next = take_token(r, tree, err) ? RENEWAL_FINISHED : RENEWAL_FAILED;
    else if (json_get_i64(tree, "id", &r->installation) && r->installation > 0)
        next = learn_login(r, node_text(tree, "app_slug"));
    else
        (void)error_set(err, ERROR_REMOTE, "GitHub's answer names no installation of app %s",
                        r->identity->account.app_id);
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return next;
}

static void unanswered(struct renewal *renewal, struct error *err)
{
    (void)error_wrap(err, "the token of GitHub App %s", of(renewal)->identity->account.app_id);
}

static void close_renewal(struct renewal *renewal)
{
    struct github_renewal *r = of(renewal);
    secret_done(&r->jwt);
    secret_done(&r->token);
    memory_free(r);
}

// ---- keeping ------------------------------------------------------------------------------------

static struct github_identity *of_keeper(struct keeper *keeper)
{
    return (struct github_identity *)(void *)((char *)keeper -
                                              offsetof(struct github_identity, keeper));
}

static bool open_renewal(struct keeper *keeper, struct renewal **ret, struct error *err)
{
    struct github_renewal *r = memory_alloc(sizeof *r);
    (void)err;
    r->identity = of_keeper(keeper);
    r->renewal = (struct renewal){.cloud = keeper->cloud,
                                  .ask = ask,
                                  .take = take,
                                  .unanswered = unanswered,
                                  .close = close_renewal};
    *ret = &r->renewal;
    return true;
}

static bool adopt(struct keeper *keeper, struct renewal *renewal, struct error *err)
{
    struct github_identity *identity = of_keeper(keeper);
    struct github_renewal *r = of(renewal);
    (void)err;
    secret_done(&identity->token);
    identity->token = r->token;
    r->token = (struct secret){0};
    keeper->expires_ms = r->expires_ms;
    return true;
}

void github_identity_open(struct github_identity *identity, struct cloud *cloud,
                          const struct github_account *account)
{
    *identity = (struct github_identity){.cloud = cloud, .account = *account};
    identity->keeper =
        (struct keeper){.cloud = cloud, .whose = "GitHub", .open = open_renewal, .adopt = adopt};
}

void github_identity_close(struct github_identity *identity)
{
    keeper_done(&identity->keeper);
    secret_done(&identity->token);
}

enum progress github_identity_token(struct github_identity *identity,
                                    const struct secret **ret_token, unsigned *ret_generation,
                                    struct error *err)
{
    if (!identity->account.app_id) {
        *ret_token = identity->account.token;
        *ret_generation = 0;
        return PROGRESS_DONE;
    }
    enum progress p = keeper_turn(&identity->keeper, err);
    if (p == PROGRESS_DONE) {
        *ret_token = &identity->token;
        *ret_generation = identity->keeper.generation;
    }
    return p;
}

bool github_identity_refused(struct github_identity *identity, unsigned generation)
{
    if (identity->account.app_id)
        keeper_refused(&identity->keeper, generation);
    return identity->account.app_id != NULL;
}
