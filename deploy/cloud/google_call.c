#include "deploy/cloud/google_call.h"

#include "deploy/cloud/google_identity.h"
#include "deploy/cloud/google_plan.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <strings.h>

enum { CALL_MS = 120000, TRY_MS = 60000, CALL_TRIES = 8, HEADERS_MOST = 16 };

static const char kind[] = "Google client";

struct google_client {
    struct cloud_part part;
    struct cloud *cloud;
    struct arena arena;
    struct google_account account;
    struct google_identity *identity;
};

struct google_call {
    struct google_client *client;
    struct arena arena;
    struct google_request request;
    struct http_header headers[HEADERS_MOST + 4];
    const char *url, *what; // what: "run GET /v2/…", without the query
    struct tries tries;
    int64_t began_ms, turn_ms;
    bool has_turn, token_renewed;
    size_t bearer; // which of the headers takes the token
    unsigned generation;
    void *job;
    enum progress state;
    struct google_answer answer;
    struct cloud_fault fault;
    struct error error;
};

// How fast one API is asked, by all targets of a run, a bit below what is allowed in a project:
// Cloud Run's admin API 180 writes and 3000 reads a minute, Compute Engine 20 requests a second.
struct rate {
    const char *api, *reads, *writes; // names of its buckets
    double reads_a_second, writes_a_second;
    unsigned reads_at_once, writes_at_once;
};

static const struct rate rates[] = {
    {"run", "run reads", "run writes", 40, 2.8, 40, 10},
    {"compute", "compute", "compute", 12, 12, 20, 20},
    {NULL, NULL, NULL, 10, 10, 20, 20}, // any other
};

static const struct rate *rate_of(const struct google_call *call)
{
    const struct rate *rate = rates;
    while (rate->api && strcmp(rate->api, call->request.api) != 0)
        rate++;
    return rate;
}

static bool reads(const struct google_call *call)
{
    return strcmp(call->request.method, "GET") == 0;
}

static const char *bucket_of(const struct google_call *call)
{
    const struct rate *rate = rate_of(call);
    return !rate->api ? call->request.api : reads(call) ? rate->reads : rate->writes;
}

// The time that a call may take begins when its turn has come.
static void take_turn(struct google_call *call, int64_t now_ms)
{
    const struct rate *rate = rate_of(call);
    call->has_turn = true;
    call->turn_ms = pace_take(call->client->cloud, bucket_of(call), "google",
                              reads(call) ? rate->reads_a_second : rate->writes_a_second,
                              reads(call) ? rate->reads_at_once : rate->writes_at_once);
    if (call->turn_ms > now_ms)
        call->tries.deadline_ms += call->turn_ms - now_ms;
}

// ---- clients ------------------------------------------------------------------------------------

static void close_part(struct cloud_part *part)
{
    struct google_client *client = (struct google_client *)(void *)part;
    arena_done(&client->arena);
    memory_free(client);
}

bool google_client_open(struct cloud *cloud, const struct google_account *account,
                        struct google_client **ret, struct error *err)
{
    struct google_client *client = memory_alloc(sizeof *client);
    (void)err;
    client->cloud = cloud;
    client->account = google_account_copy(&client->arena, account);
    client->part = (struct cloud_part){.kind = kind, .close = close_part};
    for (struct cloud_part *part = cloud->parts; part; part = part->next) {
        struct google_client *known = (struct google_client *)(void *)part;
        if (part->kind == kind && google_account_equal(&known->account, &client->account)) {
            close_part(&client->part);
            *ret = known;
            return true;
        }
    }
    client->identity = google_identity_of(cloud, &client->account);
    cloud_add(cloud, &client->part);
    *ret = client;
    return true;
}

const char *google_client_endpoint(const struct google_client *client, const char *api,
                                   struct arena *arena)
{
    str usual = arena_format(arena, "https://%s.googleapis.com", api);
    const char *place = google_place(client->cloud, client->account.endpoints, usual, arena);
    return str_is(usual, place) ? NULL : place;
}

void google_path_add(struct text *path, str segment)
{
    url_encode(path, segment, URL_SEGMENT);
}

// ---- starting -----------------------------------------------------------------------------------

static bool copy_headers(struct google_call *call, const struct http_header *given,
                         struct error *err)
{
    struct arena *arena = &call->arena;
    bool typed = false, accepts = false;
    size_t count = 0;
    for (const struct http_header *h = given; h && h->name; h++) {
        if (count == HEADERS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d headers for a Google request",
                             HEADERS_MOST);
        typed = typed || strcasecmp(h->name, "Content-Type") == 0;
        accepts = accepts || strcasecmp(h->name, "Accept") == 0;
        call->headers[count++] = (struct http_header){arena_copy(arena, str_of(h->name)),
                                                      arena_copy(arena, str_of(h->value)), NULL};
    }
    if (!typed && call->request.body.len)
        call->headers[count++] = (struct http_header){"Content-Type", "application/json", NULL};
    if (!accepts)
        call->headers[count++] = (struct http_header){"Accept", "application/json", NULL};
    call->bearer = count;
    call->headers[count] = (struct http_header){"Authorization", "Bearer ", NULL};
    return true;
}

static const char *url_of(struct google_call *call, const struct google_request *request)
{
    struct arena *arena = &call->arena;
    if (request->origin)
        return arena_format(arena, "%s" STR_FMT, request->origin, STR_ARG(request->path)).data;
    str url = arena_format(arena, "https://%s.googleapis.com" STR_FMT, request->api,
                           STR_ARG(request->path));
    return google_place(call->client->cloud, call->client->account.endpoints, url, arena);
}

bool google_call_start(struct google_client *client, const struct google_request *request,
                       struct google_call **ret, struct error *err)
{
    if (!request->api || !str_starts(request->path, STR("/")))
        return error_set(err, ERROR_INPUT, "a Google call without an API or a path");
    struct google_call *call = memory_alloc(sizeof *call);
    struct arena *arena = &call->arena;
    int64_t now = cloud_now(client->cloud);
    str rest = request->path;
    str path = str_shorten(str_cut(&rest, '?'), 200);
    call->client = client;
    call->request = *request;
    call->request.api = arena_copy(arena, str_of(request->api));
    call->request.method = arena_copy(arena, str_of(request->method ? request->method : "GET"));
    call->request.body = arena_str(arena, request->body);
    call->url = url_of(call, request);
    call->what =
        arena_format(arena, "%s %s " STR_FMT, request->api, call->request.method, STR_ARG(path))
            .data;
    call->began_ms = now;
    call->tries = (struct tries){
        .most = request->tries ? request->tries : CALL_TRIES,
        .deadline_ms = now + (request->timeout_ms > 0 ? request->timeout_ms : CALL_MS)};
    if (!copy_headers(call, request->headers, err)) {
        google_call_drop(call);
        return false;
    }
    *ret = call;
    return true;
}

// ---- ending -------------------------------------------------------------------------------------

static void fail(struct google_call *call, const struct error *why)
{
    call->error = *why;
    call->state = PROGRESS_FAILED;
}

static void give_up(struct google_call *call, struct error *why)
{
    char words[32];
    int64_t took_ms = cloud_now(call->client->cloud) - call->began_ms;
    if (call->tries.made > 1)
        (void)error_wrap(why, "given up after %u tries in %s", call->tries.made,
                         duration_words(took_ms > 0 ? took_ms : 0, words));
    fail(call, why);
}

static void succeed(struct google_call *call, const struct http_answer *answer)
{
    struct error why = {0};
    bool json = !call->request.bytes && str_search(answer->content_type, STR("json")) != STR_NONE;
    call->answer = (struct google_answer){.status = answer->status,
                                          .body = answer->body,
                                          .headers = answer->headers,
                                          .tries = call->tries.made};
    pace_went_well(call->client->cloud, bucket_of(call), "google");
    call->state = PROGRESS_DONE;
    if (json && answer->body.len &&
        !json_parse(&call->arena, NULL, answer->body, &call->answer.tree, &why)) {
        call->fault = (struct cloud_fault){.status = answer->status};
        why.kind = ERROR_REMOTE;
        (void)error_wrap(&why, "%s: the answer cannot be read", call->what);
        fail(call, &why);
    }
}

static void drop_job(struct google_call *call)
{
    const struct http_port *http = call->client->cloud->ports.http;
    if (call->job)
        http->drop(http->self, call->job);
    call->job = NULL;
}

// ---- what an answer means -----------------------------------------------------------------------

static str kept(struct google_call *call, str s, size_t most)
{
    return cloud_line(&call->arena, str_shorten(str_trim(s), most));
}

// {"error": {"code": 409, "status": "ABORTED", "message": "…", "details": […]}}; Compute Engine
// has no status, but {"errors": [{"reason": "conditionNotMet"}]}.
static void read_fault(struct google_call *call, const struct http_answer *answer)
{
    const struct node *tree = NULL;
    struct error unread;
    struct cloud_fault *fault = &call->fault;
    *fault = (struct cloud_fault){.status = answer->status};
    if (!json_parse(&call->arena, NULL, answer->body, &tree, &unread))
        return;
    const struct node *error = node_get(tree, "error"), *errors = node_get(error, "errors");
    str code = node_text(error, "status");
    if (!code.len && errors && errors->first)
        code = node_text(errors->first, "reason");
    fault->code = kept(call, code, 120);
    fault->message = kept(call, node_text(error, "message"), 400);
    str token = secret_reveal(&call->client->identity->token);
    cloud_hide(fault->code, token);
    cloud_hide(fault->message, token);
    fault->throttled = answer->status == 429 || str_is(code, "RESOURCE_EXHAUSTED") ||
                       str_is(code, "rateLimitExceeded") || str_is(code, "userRateLimitExceeded");
}

static enum error_kind kind_of(long status, bool passing)
{
    if (passing)
        return ERROR_TRANSIENT;
    if (status == 401 || status == 403)
        return ERROR_DENIED;
    return status == 404 ? ERROR_ABSENT : ERROR_REMOTE;
}

static void answered(struct google_call *call, const struct http_answer *answer)
{
    struct cloud *cloud = call->client->cloud;
    struct cloud_fault *fault = &call->fault;
    struct error why = {0};
    if (answer->status >= 200 && answer->status < 300) {
        succeed(call, answer);
        return;
    }
    read_fault(call, answer);
    fault->throttled = fault->throttled || answer->status == 429;
    bool broken = answer->status >= 500 || answer->status == 408;
    (void)error_set(&why, kind_of(answer->status, broken || fault->throttled),
                    "%s: " STR_FMT "%s" STR_FMT " (status %ld)", call->what,
                    STR_ARG(fault->code.len ? fault->code : STR("refused")),
                    fault->message.len ? ": " : "", STR_ARG(fault->message), answer->status);
    if (answer->retry_after_ms > 0)
        why.retry_after_ms = answer->retry_after_ms;
    if (fault->throttled) {
        pace_throttled(cloud, bucket_of(call), "google");
        if (!tries_again(&call->tries, cloud, AGAIN_THROTTLED, answer->retry_after_ms))
            give_up(call, &why);
    } else if (broken) {
        fault->outcome_unknown = true;
        if (!call->request.repeatable) {
            (void)error_wrap(&why, "the outcome is unknown");
            fail(call, &why);
        } else if (!tries_again(&call->tries, cloud, AGAIN_BROKEN, answer->retry_after_ms)) {
            give_up(call, &why);
        }
    } else if (answer->status == 401 && !call->token_renewed) {
        call->token_renewed = true;
        keeper_refused(&call->client->identity->keeper, call->generation);
    } else {
        fail(call, &why);
    }
}

static void unanswered(struct google_call *call, bool sent, struct error *why)
{
    call->fault = (struct cloud_fault){.outcome_unknown = sent && why->kind == ERROR_TRANSIENT};
    (void)error_wrap(why, "%s", call->request.api);
    if (why->kind != ERROR_TRANSIENT || (sent && !call->request.repeatable))
        fail(call, why);
    else if (!tries_again(&call->tries, call->client->cloud, AGAIN_BROKEN, 0))
        give_up(call, why);
}

// ---- one try ------------------------------------------------------------------------------------

static bool send_try(struct google_call *call, const struct secret *token, struct error *err)
{
    struct cloud *cloud = call->client->cloud;
    int64_t left_ms = call->tries.deadline_ms - cloud_now(cloud);
    call->headers[call->bearer].secret = token;
    struct http_request request = {.method = call->request.method,
                                   .url = call->url,
                                   .headers = call->headers,
                                   .body = call->request.body,
                                   .timeout_ms = left_ms < TRY_MS ? left_ms : TRY_MS,
                                   .fresh_connection = !call->request.repeatable};
    call->has_turn = false;
    call->tries.made++;
    bool ok = cloud->ports.http->start(cloud->ports.http->self, &request, &call->job, err);
    call->headers[call->bearer].secret = NULL;
    return ok || error_wrap(err, "%s", call->what);
}

static bool begin_try(struct google_call *call)
{
    struct cloud *cloud = call->client->cloud;
    const struct secret *token;
    struct error why = {0};
    int64_t now = cloud_now(cloud);
    if (now >= call->tries.deadline_ms) {
        (void)error_set(&why, ERROR_TRANSIENT, "%s: its time is over before it could be sent",
                        call->what);
        fail(call, &why);
        return false;
    }
    if (now < call->tries.next_ms)
        return false;
    enum progress p =
        google_identity_token(call->client->identity, &token, &call->generation, &why);
    if (p == PROGRESS_FAILED)
        fail(call, &why);
    if (p != PROGRESS_DONE)
        return false;
    if (!call->has_turn)
        take_turn(call, now);
    if (now < call->turn_ms)
        return false;
    if (!send_try(call, token, &why))
        fail(call, &why);
    return call->state == PROGRESS_PENDING;
}

enum progress google_call_poll(struct google_call *call, struct google_answer *ret,
                               struct error *err)
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
            unanswered(call, answer.sent, &why);
        if (call->state != PROGRESS_DONE) // a good answer lives in its job
            drop_job(call);
    }
    if (call->state == PROGRESS_DONE)
        *ret = call->answer;
    if (call->state == PROGRESS_FAILED)
        *err = call->error;
    return call->state;
}

int64_t google_call_wake_ms(const struct google_call *call)
{
    if (call->state != PROGRESS_PENDING)
        return 0;
    if (call->job)
        return INT64_MAX;
    if (call->has_turn)
        return call->turn_ms;
    int64_t token_ms = keeper_wake_ms(&call->client->identity->keeper);
    return call->tries.next_ms > cloud_now(call->client->cloud) ? call->tries.next_ms : token_ms;
}

const struct cloud_fault *google_call_fault(const struct google_call *call)
{
    return &call->fault;
}

void google_call_drop(struct google_call *call)
{
    if (!call)
        return;
    drop_job(call);
    arena_done(&call->arena);
    memory_free(call);
}
