#include "deploy/cloud/runner_token.h"

#include "deploy/cloud/renewal.h"
#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

bool runner_token_ask(struct cloud *cloud, str audience, void **ret_job, struct error *err)
{
    const char *url = cloud_variable(cloud, "ACTIONS_ID_TOKEN_REQUEST_URL");
    const char *bearer = cloud_variable(cloud, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    const struct http_port *http = cloud->ports.http;
    struct url_parts parts;
    struct secret token;
    if (!url || !bearer)
        return error_set(err, ERROR_ABSENT,
                         "the runner gives no OIDC token: the job needs `permissions: id-token: "
                         "write`");
    if (!url_split(str_of(url), &parts, err))
        return error_wrap(err, "ACTIONS_ID_TOKEN_REQUEST_URL");
    if (!parts.secure && !url_is_loopback(parts.name))
        return error_set(err, ERROR_DENIED,
                         "ACTIONS_ID_TOKEN_REQUEST_URL is not https: the token is not asked there");
    struct text full = text_of(8192);
    text_addf(&full, "%s%caudience=", url, strchr(url, '?') ? '&' : '?');
    url_encode(&full, audience, URL_SEGMENT);
    secret_take(&token, str_of(bearer));
    struct http_header headers[] = {
        {"Authorization", "Bearer ", &token}, {"Accept", "application/json", NULL}, {0}};
    struct http_request request = {
        .method = "GET", .url = text_c(&full), .headers = headers, .timeout_ms = RENEWAL_ANSWER_MS};
    bool ok = http->start(http->self, &request, ret_job, err);
    secret_done(&token);
    text_done(&full);
    return ok;
}

bool runner_token_read(const struct http_answer *answer, struct secret *ret, struct error *err)
{
    struct arena arena = {0};
    const struct node *tree = NULL;
    str value = {NULL, 0};
    bool ok = json_parse(&arena, NULL, answer->body, &tree, err) &&
              ((json_get_str(tree, "value", &value) && value.len) ||
               error_set(err, ERROR_REMOTE, "the answer has no token in `value`"));
    if (ok)
        secret_take(ret, value);
    cloud_wipe_tree(tree);
    arena_done(&arena);
    return ok || error_wrap(err, "the runner's OIDC token");
}
