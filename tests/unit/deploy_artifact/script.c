#include "script.h"

#include "gate/base/arena.h"

#include <stdio.h>

struct exchange {
    const struct line *line;
};

static int64_t now(void *self)
{
    return ((struct script *)self)->now_ms;
}

static const char *variable(void *self, const char *name)
{
    const struct script *script = self;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return "AKIDSTATIC";
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
        return "secret";
    if (strcmp(name, "DOCKER_CONFIG") == 0)
        return script->docker;
    if (strcmp(name, "CLOUDSDK_API_ENDPOINT_OVERRIDES_REGISTRY") == 0)
        return "http://127.0.0.1:7001/registry";
    if (strcmp(name, "AWS_ENDPOINT_URL_ECR") == 0)
        return "http://127.0.0.1:7002";
    return strcmp(name, "AWS_REGION") == 0 ? "eu-west-1" : NULL;
}

static void wait_until(void *self, int64_t until_ms)
{
    struct script *script = self;
    script->now_ms = until_ms > script->now_ms ? until_ms : script->now_ms + 1;
}

static void check_header(const struct script *script, const struct http_request *request,
                         const char *wanted)
{
    char told[4096] = "";
    size_t len = 0;
    for (const struct http_header *h = request->headers; h && h->name; h++) {
        str secret = h->secret ? secret_reveal(h->secret) : STR("");
        len += (size_t)snprintf(told + len, sizeof told - len, "%s: %s" STR_FMT "\n", h->name,
                                h->value, STR_ARG(secret));
        cr_assert_lt(len, sizeof told);
    }
    if (wanted[0] == '-')
        cr_assert_null(strstr(told, wanted + 1), "request %zu has %s: %s", script->at + 1,
                       wanted + 1, told);
    else
        cr_assert_not_null(strstr(told, wanted), "request %zu has no %s: %s", script->at + 1,
                           wanted, told);
}

static const struct line machine = {.answer =
                                        "{\"access_token\": \"ya29.x\", \"expires_in\": 3600}",
                                    .headers = "Metadata-Flavor: Google\n"};
static const struct line no_machine = {.status = 404};

static bool start(void *self, const struct http_request *request, void **ret_job, struct error *err)
{
    struct script *script = self;
    const struct line *line = &script->lines[script->at];
    char told[2048];
    struct exchange *exchange = memory_alloc(sizeof *exchange);
    (void)err;
    *ret_job = exchange;
    if (strstr(request->url, "/computeMetadata/")) { // Google's keys: of the machine
        exchange->line = script->google ? &machine : &no_machine;
        return true;
    }
    (void)snprintf(told, sizeof told, "%s %s", request->method, request->url);
    cr_assert_not_null(line->request, "request %zu is one too many: %s", script->at + 1, told);
    cr_assert_eq(strncmp(told, line->request, strlen(line->request)), 0, "request %zu: %s, not %s",
                 script->at + 1, told, line->request);
    if (line->header)
        check_header(script, request, line->header);
    script->at++;
    exchange->line = line;
    return true;
}

static enum progress poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    const struct line *line = ((const struct exchange *)job)->line;
    str body = str_of(line->answer ? line->answer : "");
    (void)self;
    *ret = (struct http_answer){.status = line->status ? line->status : 200,
                                .body = body,
                                .headers = str_of(line->headers ? line->headers : ""),
                                .content_type = str_starts(body, STR("{"))
                                                    ? STR("application/json")
                                                    : STR("application/octet-stream"),
                                .retry_after_ms = -1,
                                .server_date_ms = -1,
                                .sent = true};
    if (line->status >= 0)
        return PROGRESS_DONE;
    (void)error_set(err, ERROR_TRANSIENT, "the connection was cut");
    return PROGRESS_FAILED;
}

static void drop(void *self, void *job)
{
    (void)self;
    memory_free(job);
}

void script_open(struct script *script)
{
    *script = (struct script){.now_ms = INT64_C(1800000000000), .docker = "/nowhere at all"};
    script->http = (struct http_port){script, start, poll, drop};
    script->clock = (struct clock_port){script, now};
    script->cloud = cloud_open(&(struct cloud_ports){.http = &script->http,
                                                     .clock = &script->clock,
                                                     .variable = variable,
                                                     .wait = wait_until,
                                                     .self = script});
    script->access = (struct artifact_access){.cloud = script->cloud};
}

void script_plays(struct script *script, const struct line *lines)
{
    script->lines = lines;
    script->at = 0;
}

void script_ended(const struct script *script)
{
    cr_assert_null(script->lines[script->at].request, "request %zu was never made: %s",
                   script->at + 1, script->lines[script->at].request);
}

void script_close(struct script *script)
{
    cloud_close(script->cloud);
    arena_done(&script->arena);
}
