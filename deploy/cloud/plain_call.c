#include "deploy/cloud/plain_call.h"

#include "deploy/cloud/cloud_parts.h"
#include "deploy/cloud/url_parts.h"

enum { CALL_MS = 90000, TRY_MS = 30000, TRIES = 5, HEADERS_MOST = 8, PER_SECOND = 10, BURST = 20 };

static const char bucket[] = "plain";

struct plain_call {
    struct cloud *cloud;
    struct arena arena;
    const char *method, *url, *host;
    struct http_header headers[HEADERS_MOST + 1];
    struct tries tries;
    int64_t turn_ms;
    bool has_turn;
    void *job;
    enum progress state;
    struct plain_answer answer;
    struct cloud_fault fault;
    struct error error;
};

static bool read_request(struct plain_call *call, const struct plain_request *request,
                         struct error *err)
{
    struct url_parts parts;
    struct arena *arena = &call->arena;
    size_t count = 0;
    if (!url_split(request->url, &parts, err))
        return false;
    if (!parts.secure && !url_is_loopback(parts.name))
        return error_set(err, ERROR_DENIED,
                         STR_FMT " is not asked without TLS: only this machine may be",
                         STR_ARG(str_shorten(parts.host, 200)));
    call->method = arena_copy(arena, str_of(request->method));
    call->url = arena_copy(arena, request->url);
    call->host = arena_copy(arena, parts.host);
    for (const struct http_header *h = request->headers; h && h->name; h++) {
        if (count == HEADERS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d headers for %s", HEADERS_MOST,
                             call->host);
        call->headers[count++] = (struct http_header){
            arena_copy(arena, str_of(h->name)), arena_copy(arena, str_of(h->value)), h->secret};
    }
    return true;
}

bool plain_call_start(struct cloud *cloud, const struct plain_request *request,
                      struct plain_call **ret, struct error *err)
{
    struct plain_call *call = memory_alloc(sizeof *call);
    call->cloud = cloud;
    call->tries = (struct tries){.most = TRIES, .deadline_ms = cloud_now(cloud) + CALL_MS};
    if (!read_request(call, request, err)) {
        plain_call_drop(call);
        return false;
    }
    *ret = call;
    return true;
}

static void drop_job(struct plain_call *call)
{
    const struct http_port *http = call->cloud->ports.http;
    if (call->job)
        http->drop(http->self, call->job);
    call->job = NULL;
}

static void fail_or_again(struct plain_call *call, enum again why, int64_t retry_after_ms,
                          struct error *error)
{
    if (tries_again(&call->tries, call->cloud, why, retry_after_ms))
        return;
    if (call->tries.made > 1)
        (void)error_wrap(error, "given up after %u tries", call->tries.made);
    call->error = *error;
    call->state = PROGRESS_FAILED;
}

static void answered(struct plain_call *call, const struct http_answer *answer)
{
    struct error why = {0};
    bool throttled = answer->status == 429;
    if (!throttled && answer->status < 500) {
        call->answer = (struct plain_answer){answer->status, answer->body, answer->headers};
        call->state = PROGRESS_DONE;
        pace_went_well(call->cloud, bucket, call->host);
        return;
    }
    (void)error_set(&why, ERROR_TRANSIENT, "%s %s (status %ld)", call->host,
                    throttled ? "says that it is asked too often" : "has failed", answer->status);
    call->fault = (struct cloud_fault){.status = answer->status, .throttled = throttled};
    if (throttled)
        pace_throttled(call->cloud, bucket, call->host);
    if (answer->retry_after_ms > 0)
        why.retry_after_ms = answer->retry_after_ms;
    fail_or_again(call, throttled ? AGAIN_THROTTLED : AGAIN_BROKEN, answer->retry_after_ms, &why);
}

static bool begin_try(struct plain_call *call)
{
    struct error why = {0};
    const struct http_port *http = call->cloud->ports.http;
    int64_t now = cloud_now(call->cloud), left_ms = call->tries.deadline_ms - now;
    if (now < call->tries.next_ms)
        return false;
    if (!call->has_turn) {
        call->has_turn = true;
        call->turn_ms = pace_take(call->cloud, bucket, call->host, PER_SECOND, BURST);
    }
    if (now < call->turn_ms)
        return false;
    struct http_request request = {.method = call->method,
                                   .url = call->url,
                                   .headers = call->headers,
                                   .timeout_ms = left_ms < 1        ? 1
                                                 : left_ms < TRY_MS ? left_ms
                                                                    : TRY_MS};
    call->has_turn = false;
    call->tries.made++;
    if (!http->start(http->self, &request, &call->job, &why)) {
        call->error = why;
        call->state = PROGRESS_FAILED;
    }
    return call->state == PROGRESS_PENDING;
}

enum progress plain_call_poll(struct plain_call *call, struct plain_answer *ret, struct error *err)
{
    const struct http_port *http = call->cloud->ports.http;
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
            fail_or_again(call, AGAIN_BROKEN, 0, &why);
        if (call->state != PROGRESS_DONE) // a good answer lives in its job
            drop_job(call);
    }
    if (call->state == PROGRESS_DONE)
        *ret = call->answer;
    if (call->state == PROGRESS_FAILED)
        *err = call->error;
    return call->state;
}

int64_t plain_call_wake_ms(const struct plain_call *call)
{
    if (call->state != PROGRESS_PENDING)
        return 0;
    if (call->job)
        return INT64_MAX;
    return call->has_turn ? call->turn_ms : call->tries.next_ms;
}

const struct cloud_fault *plain_call_fault(const struct plain_call *call)
{
    return &call->fault;
}

void plain_call_drop(struct plain_call *call)
{
    if (!call)
        return;
    drop_job(call);
    arena_done(&call->arena);
    memory_free(call);
}
