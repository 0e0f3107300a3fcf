#include "deploy/cloud/aws_call.h"

#include "deploy/cloud/aws_client.h"
#include "deploy/cloud/aws_wire.h"
#include "deploy/cloud/aws_xml.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { CALL_MS = 120000, TRY_MS = 60000, CALL_TRIES = 8 };

struct aws_call {
    struct aws_client *client;
    struct arena arena;
    struct aws_request request;
    const char *endpoint, *action; // for messages: never null
    struct aws_bucket bucket;
    struct tries tries;
    int64_t began_ms, turn_ms;
    bool has_turn, token_renewed, clock_corrected;
    unsigned generation;
    int64_t signed_offset_ms; // of AWS's clock, as the try took it to be
    void *job;
    enum progress state;
    struct aws_answer answer;
    struct cloud_fault fault;
    struct error error;
};

// ---- what is asked ------------------------------------------------------------------------------

void aws_form_add(struct text *form, str value, const char *name, ...)
{
    char field[256];
    va_list args;
    va_start(args, name);
    (void)vsnprintf(field, sizeof field, name, args);
    va_end(args);
    text_addc(form, '&');
    url_encode(form, str_of(field), URL_SEGMENT);
    text_addc(form, '=');
    url_encode(form, value, URL_SEGMENT);
}

void aws_path_add(struct text *path, str segment)
{
    url_encode(path, segment, URL_SEGMENT);
}

static const struct http_header *copied_headers(struct arena *arena,
                                                const struct http_header *headers)
{
    size_t count = 0;
    while (headers && headers[count].name)
        count++;
    struct http_header *copy = ARENA_ARRAY(arena, struct http_header, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = arena_copy(arena, str_of(headers[i].name));
        copy[i].value = arena_copy(arena, str_of(headers[i].value));
    }
    return copy;
}

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call **ret, struct error *err)
{
    const struct aws_service *service = request->service;
    bool rest = service->protocol == AWS_REST_JSON || service->protocol == AWS_REST_XML;
    if (rest ? !str_starts(request->path, STR("/")) : !request->action)
        return error_set(err, ERROR_INPUT, "%s: a call without a %s", service->name,
                         rest ? "path" : "name");
    struct aws_call *call = memory_alloc(sizeof *call);
    struct arena *arena = &call->arena;
    int64_t now = cloud_now(client->cloud);
    call->client = client;
    call->request = *request;
    call->request.action = request->action ? arena_copy(arena, str_of(request->action)) : NULL;
    call->request.method = request->method ? arena_copy(arena, str_of(request->method)) : NULL;
    call->request.path = arena_str(arena, request->path);
    call->request.body = arena_str(arena, request->body);
    call->request.headers = copied_headers(arena, request->headers);
    call->action = call->request.action ? call->request.action : call->request.path.data;
    call->endpoint = aws_endpoint_of(client->cloud, &client->account, client->region,
                                     client->of_profile, service, arena);
    call->bucket = aws_bucket_of(service, call->request.action);
    call->began_ms = now;
    call->tries = (struct tries){
        .most = request->tries ? request->tries : CALL_TRIES,
        .deadline_ms = now + (request->timeout_ms > 0 ? request->timeout_ms : CALL_MS)};
    *ret = call;
    return true;
}

// ---- ending -------------------------------------------------------------------------------------

static void fail(struct aws_call *call, const struct error *why)
{
    call->error = *why;
    call->state = PROGRESS_FAILED;
}

// There is no further try for what may pass: says how long it was tried.
static void give_up(struct aws_call *call, struct error *why)
{
    char words[32];
    int64_t took_ms = cloud_now(call->client->cloud) - call->began_ms;
    if (call->tries.made > 1)
        (void)error_wrap(why, "given up after %u tries in %s", call->tries.made,
                         duration_words(took_ms > 0 ? took_ms : 0, words));
    fail(call, why);
}

// Query answers are <XResponse><XResult>…</XResult><ResponseMetadata>: the inner one is meant.
static const struct node *unwrapped(struct aws_call *call, const struct node *tree)
{
    const struct node *metadata = node_get(tree, "ResponseMetadata");
    const struct node *result =
        node_get(tree, arena_format(&call->arena, "%sResult", call->action).data);
    str id = node_text(metadata, "RequestId");
    if (!id.len)
        id = node_text(tree, "RequestId");
    if (!call->answer.request_id.len)
        call->answer.request_id = id;
    return result ? result : tree;
}

static bool read_tree(struct aws_call *call, str type, struct error *err)
{
    str body = call->answer.body;
    if (call->request.bytes)
        return true;
    switch (call->request.service->protocol) {
    case AWS_JSON:
    case AWS_REST_JSON:
        return !body.len || json_parse(&call->arena, NULL, body, &call->answer.tree, err);
    case AWS_QUERY:
        if (!aws_xml_read(&call->arena, body, &call->answer.tree, err))
            return false;
        call->answer.tree = unwrapped(call, call->answer.tree);
        return true;
    case AWS_REST_XML:
        return !body.len || str_search(type, STR("xml")) == STR_NONE ||
               aws_xml_read(&call->arena, body, &call->answer.tree, err);
    }
    return true;
}

static void succeed(struct aws_call *call, const struct http_answer *answer)
{
    struct error why = {0};
    call->answer = (struct aws_answer){.status = answer->status,
                                       .body = answer->body,
                                       .headers = answer->headers,
                                       .request_id = aws_request_id(answer, &call->arena),
                                       .tries = call->tries.made};
    pace_went_well(call->client->cloud, call->bucket.name, call->endpoint);
    call->state = PROGRESS_DONE;
    if (!read_tree(call, answer->content_type, &why)) {
        call->fault =
            (struct cloud_fault){.status = answer->status, .request_id = call->answer.request_id};
        why.kind = ERROR_REMOTE;
        (void)error_wrap(&why, "%s %s: the answer cannot be read", call->request.service->name,
                         call->action);
        fail(call, &why);
    }
}

static void drop_job(struct aws_call *call)
{
    const struct http_port *http = call->client->cloud->ports.http;
    if (call->job)
        http->drop(http->self, call->job);
    call->job = NULL;
}

// ---- one try ------------------------------------------------------------------------------------

static void unanswered(struct aws_call *call, const struct http_answer *answer, struct error *why)
{
    bool sent = answer->sent;
    call->fault = (struct cloud_fault){.outcome_unknown = sent && why->kind == ERROR_TRANSIENT};
    (void)error_wrap(why, "%s %s", call->request.service->name, call->action);
    // The words of an exchange that was sent say that the outcome is unknown.
    if (why->kind != ERROR_TRANSIENT || (sent && !call->request.repeatable))
        fail(call, why);
    else if (!tries_again(&call->tries, call->client->cloud, AGAIN_BROKEN, 0))
        give_up(call, why);
}

static bool renewed(struct aws_call *call)
{
    if (call->token_renewed)
        return false;
    call->token_renewed = true;
    keeper_refused(&call->client->identity->keeper, call->generation);
    return true;
}

// Another call may have learnt it first, while this one was on its way with the wrong time.
static bool corrected(struct aws_call *call, int64_t server_date_ms)
{
    struct keeper *keeper = &call->client->identity->keeper;
    (void)keeper_learn_clock(keeper, server_date_ms);
    if (call->clock_corrected || keeper->offset_ms == call->signed_offset_ms)
        return false;
    call->clock_corrected = true;
    return true;
}

// The provider's words may be the request's own.
static void hide_secrets(const struct aws_call *call)
{
    const struct aws_identity *identity = call->client->identity;
    const struct secret *const secrets[] = {&identity->secret_key, &identity->session_token};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        str secret = secret_reveal(secrets[i]);
        cloud_hide(call->fault.code, secret);
        cloud_hide(call->fault.message, secret);
        cloud_hide(call->fault.request_id, secret);
    }
}

static void answered(struct aws_call *call, const struct http_answer *answer)
{
    const struct aws_service *service = call->request.service;
    struct cloud *cloud = call->client->cloud;
    struct error why = {0};
    enum aws_meaning meaning = aws_understand(service, answer, &call->arena, &call->fault);
    if (meaning == AWS_FINE) {
        succeed(call, answer);
        return;
    }
    hide_secrets(call);
    (void)aws_fault_error(service, call->action, &call->fault, meaning, &why);
    if (answer->retry_after_ms > 0)
        why.retry_after_ms = answer->retry_after_ms;
    if (meaning == AWS_THROTTLED) {
        pace_throttled(cloud, call->bucket.name, call->endpoint);
        if (!tries_again(&call->tries, cloud, AGAIN_THROTTLED, answer->retry_after_ms))
            give_up(call, &why);
    } else if (meaning == AWS_BROKEN) {
        call->fault.outcome_unknown = true;
        if (!call->request.repeatable) {
            (void)error_wrap(&why, "the outcome is unknown");
            fail(call, &why);
        } else if (!tries_again(&call->tries, cloud, AGAIN_BROKEN, answer->retry_after_ms)) {
            give_up(call, &why);
        }
    } else if (meaning == AWS_EXPIRED ? !renewed(call)
               : meaning == AWS_CLOCK ? !corrected(call, answer->server_date_ms)
                                      : true) {
        fail(call, &why);
    }
}

static bool send_try(struct aws_call *call, const struct aws_keys *keys, struct error *err)
{
    const struct aws_request *request = &call->request;
    struct cloud *cloud = call->client->cloud;
    int64_t left_ms = call->tries.deadline_ms - cloud_now(cloud);
    struct aws_sending sending = {.service = request->service,
                                  .region = call->client->region,
                                  .endpoint = call->endpoint,
                                  .action = request->action,
                                  .method = request->method,
                                  .path = request->path,
                                  .headers = request->headers,
                                  .body = request->body,
                                  .unsigned_body = request->unsigned_body,
                                  .keys = keys,
                                  .now_ms = keeper_now(&call->client->identity->keeper),
                                  .timeout_ms = left_ms < TRY_MS ? left_ms : TRY_MS,
                                  .once = !request->repeatable};
    call->has_turn = false;
    call->tries.made++;
    call->signed_offset_ms = call->client->identity->keeper.offset_ms;
    return aws_send(cloud, &sending, &call->job, err) ||
           error_wrap(err, "%s %s", request->service->name, call->action);
}

// False: it waits for something, or failed.
static bool begin_try(struct aws_call *call)
{
    struct cloud *cloud = call->client->cloud;
    struct aws_keys keys;
    struct error why = {0};
    int64_t now = cloud_now(cloud);
    if (now >= call->tries.deadline_ms) {
        (void)error_set(&why, ERROR_TRANSIENT, "%s %s: its time is over before it could be sent",
                        call->request.service->name, call->action);
        fail(call, &why);
        return false;
    }
    if (now < call->tries.next_ms)
        return false;
    enum progress p = aws_identity_keys(call->client->identity, &keys, &call->generation, &why);
    if (p == PROGRESS_FAILED)
        fail(call, &why);
    if (p != PROGRESS_DONE)
        return false;
    if (!call->has_turn) {
        call->has_turn = true;
        call->turn_ms = pace_take(cloud, call->bucket.name, call->endpoint,
                                  call->bucket.calls_per_second, call->bucket.burst);
        if (call->turn_ms > now) // the time that it may take begins when its turn has come
            call->tries.deadline_ms += call->turn_ms - now;
    }
    if (now < call->turn_ms)
        return false;
    if (!send_try(call, &keys, &why))
        fail(call, &why);
    return call->state == PROGRESS_PENDING;
}

enum progress aws_call_poll(struct aws_call *call, struct aws_answer *ret, struct error *err)
{
    const struct http_port *http = call->client->cloud->ports.http;
    while (call->state == PROGRESS_PENDING) {
        struct http_answer answer = {0};
        struct error why = {0};
        if (!call->job && !begin_try(call))
            break;
        enum progress p = http->poll(http->self, call->job, &answer, &why);
        if (p == PROGRESS_PENDING)
            break;
        if (p == PROGRESS_DONE)
            answered(call, &answer);
        else
            unanswered(call, &answer, &why);
        if (call->state != PROGRESS_DONE) // a good answer lives in its job
            drop_job(call);
    }
    if (call->state == PROGRESS_DONE)
        *ret = call->answer;
    if (call->state == PROGRESS_FAILED)
        *err = call->error;
    return call->state;
}

int64_t aws_call_wake_ms(const struct aws_call *call)
{
    if (call->state != PROGRESS_PENDING)
        return 0;
    if (call->job)
        return INT64_MAX;
    if (call->has_turn)
        return call->turn_ms;
    int64_t keys_ms = keeper_wake_ms(&call->client->identity->keeper);
    return call->tries.next_ms > cloud_now(call->client->cloud) ? call->tries.next_ms : keys_ms;
}

const struct cloud_fault *aws_call_fault(const struct aws_call *call)
{
    return &call->fault;
}

void aws_call_drop(struct aws_call *call)
{
    if (!call)
        return;
    drop_job(call);
    arena_done(&call->arena);
    memory_free(call);
}
