#include "deploy/cloud/github_client.h"
#include "deploy/cloud/github_headers.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum {
    CALL_MS = 90000,
    TRY_MS = 30000,
    TRIES = 6,
    WRITES_AT_ONCE = 60,  // of the contents that it takes in an hour
    SECONDARY_MS = 60000, // first pause after a secondary limit that names none
    SECONDARY_MOST_MS = 900000,
    NOT_FIRST_MS = 100, // how often a write looks whether its turn has come
    REDIRECTS = 3,
};

#define WRITES_A_SECOND (480.0 / 3600)

struct github_call {
    struct github_client *client;
    struct github_call *next_write;
    struct arena arena;
    enum github_kind kind;
    const char *method, *needs, *what;
    str path, body;
    struct tries tries;
    int64_t began_ms;
    bool token_renewed, paced;
    unsigned generation, redirects;
    int64_t pace_ms;
    const char *etag; // of the kept answer that was named
    void *job;
    enum progress state;
    struct github_answer answer;
    struct cloud_fault fault;
    struct error error;
};

// ---- starting -----------------------------------------------------------------------------------

static bool writes(const struct github_call *call)
{
    return call->kind != GITHUB_READ;
}

static void queue_write(struct github_call *call)
{
    struct github_call **end = &call->client->writes;
    while (*end)
        end = &(*end)->next_write;
    *end = call;
}

static void leave_queue(struct github_call *call)
{
    struct github_call **at = &call->client->writes;
    while (*at && *at != call)
        at = &(*at)->next_write;
    if (*at)
        *at = call->next_write;
    call->next_write = NULL;
}

bool github_call_start(struct github_client *client, const struct github_request *request,
                       struct github_call **ret, struct error *err)
{
    if (!str_starts(request->path, STR("/")))
        return error_set(err, ERROR_INPUT, "a call of GitHub without a path");
    struct github_call *call = memory_alloc(sizeof *call);
    struct arena *arena = &call->arena;
    int64_t now = cloud_now(client->cloud);
    str rest = request->path;
    str shown_path = str_shorten(str_cut(&rest, '?'), 200);
    call->client = client;
    call->kind = request->kind;
    call->method = arena_copy(arena, str_of(request->method ? request->method : "GET"));
    call->needs = request->needs ? arena_copy(arena, str_of(request->needs)) : "";
    call->path = arena_str(arena, request->path);
    call->body = arena_str(arena, request->body);
    call->what = arena_format(arena, "GitHub: %s " STR_FMT, call->method, STR_ARG(shown_path)).data;
    call->began_ms = now;
    call->tries = (struct tries){
        .most = TRIES,
        .deadline_ms = now + (request->timeout_ms > 0 ? request->timeout_ms : CALL_MS)};
    if (writes(call))
        queue_write(call);
    *ret = call;
    return true;
}

// ---- ending -------------------------------------------------------------------------------------

static void drop_job(struct github_call *call)
{
    const struct http_port *http = call->client->cloud->ports.http;
    if (call->job)
        http->drop(http->self, call->job);
    call->job = NULL;
}

static void fail(struct github_call *call, const struct error *why)
{
    call->error = *why;
    call->state = PROGRESS_FAILED;
    leave_queue(call);
}

static void give_up(struct github_call *call, struct error *why)
{
    char words[32];
    int64_t took_ms = cloud_now(call->client->cloud) - call->began_ms;
    if (call->tries.made > 1)
        (void)error_wrap(why, "given up after %u tries in %s", call->tries.made,
                         duration_words(took_ms > 0 ? took_ms : 0, words));
    fail(call, why);
}

static bool parse(struct github_call *call, str body, const char *content_type)
{
    struct error why = {0};
    if (!body.len || str_search(str_of(content_type), STR("json")) == STR_NONE)
        return true;
    if (json_parse(&call->arena, NULL, body, &call->answer.tree, &why))
        return true;
    call->fault =
        (struct cloud_fault){.status = call->answer.status, .outcome_unknown = writes(call)};
    why.kind = writes(call) ? ERROR_TRANSIENT : ERROR_REMOTE;
    (void)error_wrap(&why, "%s: the answer cannot be read", call->what);
    fail(call, &why);
    return false;
}

static void succeed(struct github_call *call, const struct http_answer *answer)
{
    struct github_client *client = call->client;
    struct error why = {0};
    str next = {NULL, 0};
    client->limited = 0;
    call->answer = (struct github_answer){
        .status = answer->status, .body = answer->body, .headers = answer->headers};
    char *type = arena_alloc(&call->arena, answer->content_type.len + 1);
    memcpy(type, answer->content_type.len ? answer->content_type.data : "",
           answer->content_type.len);
    if (!github_next_page(client->account.api_url, answer->headers, &call->arena, &next, &why)) {
        fail(call, &why);
        return;
    }
    call->answer.next = next;
    if (!parse(call, answer->body, type))
        return;
    if (call->kind == GITHUB_READ)
        github_keep(client, call->path, cloud_header(answer->headers, "ETag"), answer->body, next);
    call->state = PROGRESS_DONE;
    leave_queue(call);
}

// 304: as it was, with the bytes that it had then.
static void unchanged(struct github_call *call, const struct http_answer *answer)
{
    struct github_client *client = call->client;
    struct github_kept *kept = github_kept_of(client, call->path);
    struct error why = {0};
    if (!kept) {
        (void)error_set(&why, ERROR_REMOTE, "%s: unchanged, of what was not asked for (status 304)",
                        call->what);
        fail(call, &why);
        return;
    }
    kept->used = ++client->uses;
    client->limited = 0;
    call->answer = (struct github_answer){.status = 200,
                                          .body = arena_str(&call->arena, kept->body),
                                          .headers = answer->headers,
                                          .next = arena_str(&call->arena, kept->next)};
    if (parse(call, call->answer.body, "json"))
        call->state = PROGRESS_DONE;
}

// ---- what an answer means -----------------------------------------------------------------------

static str shown(struct github_call *call, str s, size_t most)
{
    str words = cloud_line(&call->arena, str_shorten(str_trim(s), most));
    const struct github_identity *identity = &call->client->identity;
    cloud_hide(words, secret_reveal(identity->account.app_id ? &identity->token
                                                             : identity->account.token));
    return words;
}

// {"message": "Validation Failed", "errors": [{"resource", "field", "code", "message"} or "words"]}
static void read_fault(struct github_call *call, const struct http_answer *answer)
{
    const struct node *tree = NULL;
    struct error unread;
    struct text words = text_of(2048);
    struct cloud_fault *fault = &call->fault;
    *fault = (struct cloud_fault){
        .status = answer->status,
        .request_id = shown(call, cloud_header(answer->headers, "X-GitHub-Request-Id"), 80)};
    if (json_parse(&call->arena, NULL, answer->body, &tree, &unread))
        text_add(&words, node_text(tree, "message"));
    const struct node *errors = node_get(tree, "errors");
    const struct node *first = errors && errors->kind == NODE_LIST ? errors->first : NULL;
    if (first && first->kind == NODE_MAP) {
        str said = node_text(first, "message");
        if (said.len)
            text_addf(&words, ": " STR_FMT, STR_ARG(said));
        else
            text_addf(&words, ": " STR_FMT " " STR_FMT, STR_ARG(node_text(first, "field")),
                      STR_ARG(node_text(first, "code")));
    } else if (first && first->kind == NODE_STRING) {
        text_addf(&words, ": " STR_FMT, STR_ARG(first->text));
    }
    fault->message = shown(call, text_str(&words), 400);
    text_done(&words);
}

static enum error_kind kind_of(long status)
{
    if (status == 401 || status == 403)
        return ERROR_DENIED;
    if (status == 404 || status == 410)
        return ERROR_ABSENT;
    return status == 422 ? ERROR_INPUT : ERROR_REMOTE;
}

static void refused(struct github_call *call, const struct http_answer *answer)
{
    struct error why = {0};
    str told = github_needs(answer->headers, &call->arena);
    const char *needs = *call->needs ? call->needs : told.len ? told.data : "";
    const char *lacks = "";
    if (answer->status == 403)
        lacks = github_is_app(call->client) ? ": the app needs the permission "
                                            : ": the workflow needs `permissions:` with ";
    else if (answer->status == 404)
        lacks = ": it is not there, or not to be seen without ";
    else if (answer->status == 401)
        lacks = ": the token is not valid, or not any more";
    bool named = answer->status != 401 && *lacks && *needs;
    bool token = named && answer->status == 403 && !github_is_app(call->client);
    (void)error_set(&why, kind_of(answer->status), "%s: " STR_FMT "%s%s%s (status %ld)", call->what,
                    STR_ARG(call->fault.message.len ? call->fault.message : STR("refused")),
                    *needs || answer->status == 401 ? lacks : "", named ? needs : "",
                    token ? ", and a token of one's own the same right" : "", answer->status);
    fail(call, &why);
}

// Every call of this client waits: who goes on asking is blocked for longer.
static void limited(struct github_call *call, int64_t wait_ms)
{
    struct github_client *client = call->client;
    int64_t now = cloud_now(client->cloud);
    if (wait_ms <= 0) {
        wait_ms = SECONDARY_MS;
        for (unsigned i = 0; i < client->limited && wait_ms < SECONDARY_MOST_MS; i++)
            wait_ms *= 2;
        if (wait_ms > SECONDARY_MOST_MS)
            wait_ms = SECONDARY_MOST_MS;
        client->limited++;
    }
    wait_ms += (int64_t)(cloud_random(client->cloud) * 1000);
    if (now + wait_ms > client->not_before_ms)
        client->not_before_ms = now + wait_ms;
    call->fault.throttled = true;
}

static void redirected(struct github_call *call, const struct http_answer *answer)
{
    struct github_client *client = call->client;
    str place = cloud_header(answer->headers, "Location"), api = str_of(client->account.api_url);
    struct error why = {0};
    bool here = str_starts(place, api) && place.len > api.len && place.data[api.len] == '/';
    if (here && call->redirects++ < REDIRECTS) {
        call->path = arena_str(&call->arena, str_from(place, api.len));
        return;
    }
    (void)error_set(&why, ERROR_REMOTE, "%s: it is said to be elsewhere (status %ld)", call->what,
                    answer->status);
    fail(call, &why);
}

static void broken(struct github_call *call, struct error *why, int64_t retry_after_ms, bool sent)
{
    struct cloud *cloud = call->client->cloud;
    call->fault.outcome_unknown = sent && writes(call);
    if (call->kind == GITHUB_ONCE && sent) {
        (void)error_wrap(why, "the outcome is unknown");
        fail(call, why);
    } else if (!tries_again(&call->tries, cloud, AGAIN_BROKEN, retry_after_ms)) {
        give_up(call, why);
    }
}

static void answered(struct github_call *call, const struct http_answer *answer)
{
    struct github_client *client = call->client;
    struct error why = {0};
    long status = answer->status;
    int64_t wait_ms = 0;
    str version = cloud_header(answer->headers, "X-GitHub-Enterprise-Version");
    if (version.len && !client->enterprise)
        client->enterprise = cloud_line(&client->arena, str_first(version, 32)).data;
    if ((status >= 200 && status < 300) || (status == 302 && !writes(call))) {
        succeed(call, answer);
        return;
    }
    if (status == 304) {
        unchanged(call, answer);
        return;
    }
    if (status == 301 || status == 307 || status == 308) {
        redirected(call, answer);
        return;
    }
    read_fault(call, answer);
    if (github_limited(status, answer->headers, call->fault.message, answer->server_date_ms,
                       cloud_now(client->cloud), answer->retry_after_ms, &wait_ms)) {
        limited(call, wait_ms);
    } else if (status >= 500 || status == 408) {
        (void)error_set(&why, ERROR_TRANSIENT, "%s: " STR_FMT " (status %ld)", call->what,
                        STR_ARG(call->fault.message.len ? call->fault.message : STR("it failed")),
                        status);
        broken(call, &why, answer->retry_after_ms, true);
    } else if (status == 401 && !call->token_renewed &&
               github_identity_refused(&client->identity, call->generation)) {
        call->token_renewed = true;
    } else {
        refused(call, answer);
    }
}

// ---- one try ------------------------------------------------------------------------------------

// Enterprise Server has GraphQL beside its REST API: /api/v3, /api/graphql.
static void add_url(const struct github_call *call, struct text *url)
{
    str api = str_of(call->client->account.api_url);
    if (str_is(call->path, GITHUB_GRAPHQL) && str_ends(api, STR("/v3")))
        api = str_first(api, api.len - 3);
    text_add(url, api);
    text_add(url, call->path);
}

static bool send_try(struct github_call *call, const struct secret *token, struct error *err)
{
    struct github_client *client = call->client;
    const struct http_port *http = client->cloud->ports.http;
    int64_t left_ms = call->tries.deadline_ms - cloud_now(client->cloud);
    struct http_header headers[GITHUB_HEADERS + 3] = {0};
    size_t count = github_headers(headers);
    struct github_kept *kept = writes(call) ? NULL : github_kept_of(client, call->path);
    headers[count++] = (struct http_header){"Authorization", "Bearer ", token};
    if (kept)
        headers[count++] = (struct http_header){"If-None-Match", kept->etag.data, NULL};
    struct text url = text_of(16384);
    add_url(call, &url);
    struct http_request request = {.method = call->method,
                                   .url = text_c(&url),
                                   .headers = headers,
                                   .body = call->body,
                                   .timeout_ms = left_ms < TRY_MS ? left_ms : TRY_MS,
                                   // Else one that has died is replaced, and the
                                   // request sent again, behind our back.
                                   .fresh_connection = writes(call)};
    call->tries.made++;
    bool ok = http->start(http->self, &request, &call->job, err);
    text_done(&url);
    return ok || error_wrap(err, "%s", call->what);
}

static void too_late(struct github_call *call)
{
    struct github_client *client = call->client;
    struct error why = {0};
    char words[32];
    int64_t wait_ms = github_waits_until(client) - cloud_now(client->cloud);
    if (wait_ms > 0) {
        (void)error_set(&why, ERROR_TRANSIENT, "%s: GitHub's limit is reached, for another %s",
                        call->what, duration_words(wait_ms, words));
        why.retry_after_ms = wait_ms;
    } else {
        (void)error_set(&why, ERROR_TRANSIENT, "%s: its time is over before it could be sent",
                        call->what);
    }
    fail(call, &why);
}

// When it may leave; INT64_MAX: that is not known.
static int64_t leaves_ms(const struct github_call *call)
{
    const struct github_client *client = call->client;
    int64_t at_ms = call->tries.next_ms;
    if (client->not_before_ms > at_ms)
        at_ms = client->not_before_ms;
    if (writes(call) && client->write_after_ms > at_ms)
        at_ms = client->write_after_ms;
    if (call->paced && call->pace_ms > at_ms)
        at_ms = call->pace_ms;
    return at_ms;
}

static bool may_leave(struct github_call *call, int64_t now)
{
    struct github_client *client = call->client;
    if (writes(call) && client->writes != call) {
        if (now >= call->tries.deadline_ms)
            too_late(call);
        return false;
    }
    if (writes(call) && !call->paced) {
        call->pace_ms = pace_take(client->cloud, "github contents", client->account.api_url,
                                  WRITES_A_SECOND, WRITES_AT_ONCE);
        call->paced = true;
    }
    int64_t at_ms = leaves_ms(call);
    if (at_ms >= call->tries.deadline_ms || now >= call->tries.deadline_ms) {
        too_late(call);
        return false;
    }
    return now >= at_ms;
}

static bool begin_try(struct github_call *call)
{
    struct github_client *client = call->client;
    const struct secret *token;
    struct error why = {0};
    if (!may_leave(call, cloud_now(client->cloud)))
        return false;
    enum progress p = github_identity_token(&client->identity, &token, &call->generation, &why);
    if (p == PROGRESS_FAILED)
        fail(call, &why);
    if (p != PROGRESS_DONE)
        return false;
    if (!send_try(call, token, &why))
        fail(call, &why);
    return call->state == PROGRESS_PENDING;
}

static void unanswered(struct github_call *call, bool sent, struct error *why)
{
    call->fault = (struct cloud_fault){0};
    (void)error_wrap(why, "%s", call->what);
    if (why->kind != ERROR_TRANSIENT)
        fail(call, why);
    else
        broken(call, why, 0, sent);
}

enum progress github_call_poll(struct github_call *call, struct github_answer *ret,
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
        if (writes(call))
            call->client->write_after_ms = cloud_now(call->client->cloud) + GITHUB_GAP_MS;
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

int64_t github_call_wake_ms(const struct github_call *call)
{
    const struct github_client *client = call->client;
    int64_t now = cloud_now(client->cloud);
    if (call->state != PROGRESS_PENDING)
        return 0;
    if (call->job)
        return INT64_MAX;
    if (writes(call) && client->writes != call)
        return now + NOT_FIRST_MS;
    int64_t at_ms = leaves_ms(call);
    if (at_ms > now)
        return at_ms;
    return client->account.app_id ? keeper_wake_ms(&client->identity.keeper) : now;
}

const struct cloud_fault *github_call_fault(const struct github_call *call)
{
    return &call->fault;
}

void github_call_drop(struct github_call *call)
{
    if (!call)
        return;
    if (call->job && writes(call)) // it may have arrived
        call->client->write_after_ms = cloud_now(call->client->cloud) + GITHUB_GAP_MS;
    drop_job(call);
    leave_queue(call);
    arena_done(&call->arena);
    memory_free(call);
}
