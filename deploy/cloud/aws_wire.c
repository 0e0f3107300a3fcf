#include "deploy/cloud/aws_wire.h"

#include "deploy/cloud/url_parts.h"
#include "gate/base/limits.h"

#include <stdio.h>

enum { WIRE_HEADERS_MOST = 24, FORM_MOST = 4 << 20 };

// ---- where --------------------------------------------------------------------------------------

static const char *trimmed(struct arena *arena, str url)
{
    while (str_ends(url, STR("/")))
        url.len--;
    return arena_copy(arena, url);
}

static bool ignores_configured(struct cloud *cloud)
{
    const char *value = cloud_variable(cloud, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    return value && str_cmp_any_case(str_of(value), STR("true")) == 0;
}

const char *aws_endpoint_of(struct cloud *cloud, const struct aws_account *account,
                            const char *region, const char *of_profile,
                            const struct aws_service *service, struct arena *arena)
{
    char name[64];
    const char *url = cloud_endpoint_of(account->endpoints, service->name);
    (void)snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", service->variable);
    if (!url)
        url = account->endpoint;
    if (!url && !ignores_configured(cloud)) {
        url = cloud_variable(cloud, name);
        if (!url)
            url = cloud_variable(cloud, "AWS_ENDPOINT_URL");
        if (!url && of_profile && *of_profile)
            url = of_profile;
    }
    if (url)
        return trimmed(arena, str_of(url));
    if (service == &aws_iam) // one for the whole partition
        return str_starts(str_of(region), STR("cn-")) ? "https://iam.cn-north-1.amazonaws.com.cn"
                                                      : "https://iam.amazonaws.com";
    return arena_format(arena, "https://%s.%s.amazonaws.com%s", service->host, region,
                        str_starts(str_of(region), STR("cn-")) ? ".cn" : "")
        .data;
}

// ---- sending ------------------------------------------------------------------------------------

struct wire {
    struct arena arena;
    struct http_header headers[WIRE_HEADERS_MOST + 8];
    size_t count;
    struct text form;
};

static void put(struct wire *wire, const char *name, const char *value, const struct secret *secret)
{
    wire->headers[wire->count++] = (struct http_header){name, value, secret};
}

static bool put_given(struct wire *wire, const struct http_header *given, struct error *err)
{
    for (const struct http_header *h = given; h && h->name; h++) {
        if (wire->count == WIRE_HEADERS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d headers for an AWS request",
                             WIRE_HEADERS_MOST);
        put(wire, h->name, h->value, h->secret);
    }
    return true;
}

// The protocol's own headers and body.
static bool put_protocol(struct wire *wire, const struct aws_sending *sending, str *ret_body,
                         struct error *err)
{
    const struct aws_service *service = sending->service;
    *ret_body = sending->body;
    switch (service->protocol) {
    case AWS_QUERY:
        put(wire, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", NULL);
        text_addf(&wire->form, "Action=%s&Version=%s", sending->action, service->version);
        text_add(&wire->form, sending->body);
        *ret_body = text_str(&wire->form);
        return !text_full(&wire->form) ||
               error_set(err, ERROR_LIMIT, "%s: the form is larger than %d bytes", sending->action,
                         FORM_MOST);
    case AWS_JSON:
        put(wire, "Content-Type",
            arena_format(&wire->arena, "application/x-amz-json-%s", service->version).data, NULL);
        put(wire, "X-Amz-Target",
            arena_format(&wire->arena, "%s.%s", service->target, sending->action).data, NULL);
        if (!ret_body->len)
            *ret_body = STR("{}");
        return true;
    case AWS_REST_JSON:
        if (ret_body->len)
            put(wire, "Content-Type", "application/json", NULL);
        return true;
    case AWS_REST_XML:
        return true;
    }
    return true;
}

static bool put_signature(struct wire *wire, const struct aws_sending *sending, const char *method,
                          const char *url, str body, struct error *err)
{
    const struct aws_service *service = sending->service;
    bool is_s3 = service->protocol == AWS_REST_XML;
    struct aws_signature signature;
    struct aws_signing signing = {.method = method,
                                  .url = url,
                                  .headers = wire->headers,
                                  .body = body,
                                  .payload_hash =
                                      sending->unsigned_body ? AWS_UNSIGNED_PAYLOAD : NULL,
                                  .signs_payload_hash = is_s3 || sending->unsigned_body,
                                  .path = is_s3 ? AWS_PATH_AS_IS : AWS_PATH_NORMALIZED,
                                  .keys = *sending->keys,
                                  .region = str_of(sending->region),
                                  .service = str_of(service->signs_as),
                                  .now_ms = sending->now_ms};
    if (!aws_sign(&signing, &wire->arena, &signature, err))
        return false;
    put(wire, "X-Amz-Date", arena_copy(&wire->arena, str_of(signature.date)), NULL);
    if (signing.signs_payload_hash)
        put(wire, "X-Amz-Content-Sha256", arena_copy(&wire->arena, str_of(signature.payload_hash)),
            NULL);
    if (sending->keys->session_token && secret_is_set(sending->keys->session_token))
        put(wire, "X-Amz-Security-Token", "", sending->keys->session_token);
    put(wire, "Authorization", signature.authorization.data, NULL);
    return true;
}

static bool may_be_unsigned(const struct aws_sending *sending, const char *url, struct error *err)
{
    struct url_parts parts;
    if (!url_split(str_of(url), &parts, err))
        return error_wrap(err, "the endpoint of %s", sending->service->name);
    if (sending->unsigned_body && !parts.secure && !url_is_loopback(parts.name))
        return error_set(err, ERROR_DENIED, "a body that is not signed goes over https only");
    return true;
}

bool aws_send(struct cloud *cloud, const struct aws_sending *sending, void **ret_job,
              struct error *err)
{
    const struct http_port *http = cloud->ports.http;
    struct wire wire = {.form = text_of(FORM_MOST)};
    bool rest =
        sending->service->protocol == AWS_REST_JSON || sending->service->protocol == AWS_REST_XML;
    const char *method = !rest ? "POST" : sending->method ? sending->method : "GET";
    str path = rest ? sending->path : STR("/"), body = sending->body;
    const char *url =
        arena_format(&wire.arena, "%s" STR_FMT, sending->endpoint, STR_ARG(path)).data;
    bool ok = may_be_unsigned(sending, url, err) && put_given(&wire, sending->headers, err) &&
              put_protocol(&wire, sending, &body, err) &&
              (!sending->keys || put_signature(&wire, sending, method, url, body, err));
    struct http_request request = {.method = method,
                                   .url = url,
                                   .headers = wire.headers,
                                   .body = body,
                                   .timeout_ms = sending->timeout_ms,
                                   .fresh_connection = sending->once};
    ok = ok && http->start(http->self, &request, ret_job, err);
    if (wire.form.data && sending->secret_body)
        secret_wipe(wire.form.data, wire.form.room);
    text_done(&wire.form);
    arena_done(&wire.arena);
    return ok;
}
