// A scripted GitHub and a clock that is moved, for the tests of its client.
//
//     struct server s;
//     open_client(&s);
//     answer(&s, (struct answer){.status = 201, .body = "{}"});
//     ask(&s, GITHUB_ONCE, &got, &err, &call);       // s.sent[0] is what left
//     github_call_drop(call);
//     close_server(&s);
#ifndef TESTS_UNIT_DEPLOY_CLOUD_GITHUB_SERVER_H
#define TESTS_UNIT_DEPLOY_CLOUD_GITHUB_SERVER_H

#include "deploy/cloud/github_call.h"
#include "gate/base/moment.h"
#include "gate/doc/node.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define API "https://ghe.example/api/v3"
#define NOW INT64_C(1800000000000)

enum { ANSWERS = 24, SENT_BYTES = 4096 };

struct answer { // one after the other; the last one repeats
    long status;
    const char *body, *headers;
    int64_t retry_after_ms;   // 0 = none
    bool lost, unsent, waits; // waits: it never comes
    int64_t clock_ahead_ms;   // of the server
};

struct sent {
    char method[8], url[512], body[512], etag[64], bearer[4096];
    bool fresh;
    int64_t at_ms;
};

struct server {
    struct answer answers[ANSWERS];
    size_t answer_count, given;
    struct sent sent[64];
    size_t sent_count, dropped;
    int64_t now_ms;
    char said[512];
    struct http_port http;
    struct clock_port clock;
    struct cloud *cloud;
    struct secret token, key;
    struct github_client *github;
};

// ---- the world ----------------------------------------------------------------------------------

static inline int64_t now_of(void *self)
{
    return ((struct server *)self)->now_ms;
}

static inline bool http_start(void *self, const struct http_request *request, void **ret_job,
                              struct error *err)
{
    struct server *s = self;
    struct sent *sent = &s->sent[s->sent_count++];
    (void)err;
    cr_assert(s->sent_count < sizeof s->sent / sizeof *s->sent);
    (void)snprintf(sent->method, sizeof sent->method, "%s", request->method);
    (void)snprintf(sent->url, sizeof sent->url, "%s", request->url);
    (void)snprintf(sent->body, sizeof sent->body, STR_FMT, STR_ARG(request->body));
    sent->fresh = request->fresh_connection;
    sent->at_ms = s->now_ms;
    bool version = false, agent = false;
    for (const struct http_header *h = request->headers; h->name; h++) {
        version |=
            strcmp(h->name, "X-GitHub-Api-Version") == 0 && strcmp(h->value, "2022-11-28") == 0;
        agent |= strcmp(h->name, "User-Agent") == 0;
        if (strcmp(h->name, "If-None-Match") == 0)
            (void)snprintf(sent->etag, sizeof sent->etag, "%s", h->value);
        if (strcmp(h->name, "Authorization") == 0)
            (void)snprintf(sent->bearer, sizeof sent->bearer, STR_FMT,
                           STR_ARG(secret_reveal(h->secret)));
    }
    cr_expect(version && agent);
    size_t at = s->given < s->answer_count ? s->given : s->answer_count - 1;
    s->given++;
    *ret_job = &s->answers[at];
    return true;
}

static inline enum progress http_poll(void *self, void *job, struct http_answer *ret,
                                      struct error *err)
{
    const struct answer *answer = job;
    if (answer->waits)
        return PROGRESS_PENDING;
    if (answer->lost || answer->unsent) {
        *ret = (struct http_answer){.sent = answer->lost};
        (void)error_set(err, ERROR_TRANSIENT, "the connection is gone");
        return PROGRESS_FAILED;
    }
    *ret = (struct http_answer){
        .status = answer->status,
        .body = str_of(answer->body),
        .content_type = STR("application/json; charset=utf-8"),
        .retry_after_ms = answer->retry_after_ms ? answer->retry_after_ms : -1,
        .server_date_ms = ((struct server *)self)->now_ms + answer->clock_ahead_ms,
        .headers = str_of(answer->headers ? answer->headers : ""),
        .sent = true,
    };
    return PROGRESS_DONE;
}

static inline void http_drop(void *self, void *job)
{
    const struct answer *answer = job;
    ((struct server *)self)->dropped += answer->waits;
}

static inline void say(void *self, const char *sentence)
{
    struct server *s = self;
    (void)snprintf(s->said, sizeof s->said, "%s", sentence);
}

static inline void open_server(struct server *s)
{
    *s = (struct server){.now_ms = NOW};
    s->http = (struct http_port){s, http_start, http_poll, http_drop};
    s->clock = (struct clock_port){s, now_of};
    s->cloud = cloud_open(
        &(struct cloud_ports){.http = &s->http, .clock = &s->clock, .say = say, .self = s});
    secret_take(&s->token, STR("ghs_not_to_be_seen"));
}

static inline void open_client(struct server *s)
{
    struct error err;
    open_server(s);
    cr_assert(github_client_open(s->cloud,
                                 &(struct github_account){.api_url = API "/",
                                                          .repository = "acme/learn",
                                                          .token = &s->token},
                                 &s->github, &err),
              "%s", err.message);
}

static inline void close_server(struct server *s)
{
    cloud_close(s->cloud);
    secret_done(&s->token);
    secret_done(&s->key);
}

static inline void answer(struct server *s, struct answer one)
{
    s->answers[s->answer_count++] = one;
}

static inline struct github_call *start(struct server *s, enum github_kind kind, const char *method,
                                        const char *path)
{
    struct github_call *call;
    struct error err;
    cr_assert(github_call_start(s->github,
                                &(struct github_request){.kind = kind,
                                                         .method = method,
                                                         .path = str_of(path),
                                                         .body = method ? STR("{}") : STR(""),
                                                         .needs = "issues: write"},
                                &call, &err));
    return call;
}

// To its end, with the clock moved to when it wants to be called.
static inline enum progress finish(struct server *s, struct github_call *call,
                                   struct github_answer *ret, struct error *err)
{
    enum progress progress;
    for (int i = 0; i < 500; i++) {
        if ((progress = github_call_poll(call, ret, err)) != PROGRESS_PENDING)
            return progress;
        int64_t wake_ms = github_call_wake_ms(call);
        cr_assert(wake_ms < INT64_MAX, "nothing under way, and nobody to wake it");
        s->now_ms = wake_ms > s->now_ms ? wake_ms : s->now_ms + 1;
    }
    cr_assert_fail("it never ends");
    return PROGRESS_FAILED;
}

static inline enum progress ask(struct server *s, enum github_kind kind, struct github_answer *ret,
                                struct error *err, struct github_call **ret_call)
{
    *ret_call = start(s, kind, kind == GITHUB_READ ? NULL : "POST", "/repos/acme/learn/issues");
    *err = (struct error){0};
    return finish(s, *ret_call, ret, err);
}

#endif
