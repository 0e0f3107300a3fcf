#include "aws_script.h"

#include "deploy/cloud/cloud.h"
#include "gate/base/template.h"
#include "gate/doc/yaml.h"

#include <stdio.h>

struct exchange {
    struct script *script;
    const struct line *line;
};

static int64_t now(void *self)
{
    return ((struct script *)self)->now_ms;
}

static const char *variable(void *self, const char *name)
{
    (void)self;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return "AKIDSTATIC";
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
        return "secret";
    return strcmp(name, "AWS_REGION") == 0 ? "eu-west-1" : NULL;
}

static void wait_until(void *self, int64_t until_ms)
{
    struct script *script = self;
    if (until_ms > script->now_ms)
        script->now_ms = until_ms;
}

// "https://lambda.eu-west-1.amazonaws.com/x" -> "/x"
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : "/";
}

static const struct line token = {
    .answer = "{\"access_token\": \"ya29.script\", \"expires_in\": 3600}",
    .headers = "Metadata-Flavor: Google\n",
};

static bool start(void *self, const struct http_request *request, void **ret_job, struct error *err)
{
    struct script *script = self;
    const struct line *line = &script->lines[script->at];
    char told[2048];
    struct exchange *exchange = memory_alloc(sizeof *exchange);
    (void)err;
    *ret_job = exchange;
    if (strstr(request->url, "/computeMetadata/")) { // Google's keys: of the machine
        *exchange = (struct exchange){script, &token};
        return true;
    }
    (void)snprintf(told, sizeof told, "%s %s", request->method, path_of(request->url));
    cr_assert_not_null(line->request, "request %zu is one too many: %s " STR_FMT, script->at + 1,
                       told, STR_ARG(request->body));
    cr_assert_eq(strncmp(told, line->request, strlen(line->request)), 0,
                 "request %zu: %s, not %s (" STR_FMT ")", script->at + 1, told, line->request,
                 STR_ARG(request->body));
    if (line->body)
        cr_assert_neq(str_search(request->body, str_of(line->body)), STR_NONE,
                      "request %zu: " STR_FMT " does not hold %s", script->at + 1,
                      STR_ARG(request->body), line->body);
    script->at++;
    *exchange = (struct exchange){script, line};
    return true;
}

static str type_of(const char *answer)
{
    char first = answer ? answer[0] : '\0';
    return first == '{'   ? STR("application/json")
           : first == '<' ? STR("text/xml")
                          : STR("application/octet-stream");
}

static enum progress poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    const struct exchange *exchange = job;
    const struct line *line = exchange->line;
    (void)self;
    *ret = (struct http_answer){.status = line->status ? line->status : 200,
                                .body = str_of(line->answer ? line->answer : ""),
                                .headers = str_of(line->headers ? line->headers : ""),
                                .content_type = type_of(line->answer),
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

static void *bind(struct script *script, const char *yaml, struct problems *problems)
{
    struct error err = {0};
    const struct node *node;
    cr_assert(yaml_parse(&script->arena, "test.yml", str_of(yaml), &node, &err), "%s", err.message);
    void *config = arena_alloc(&script->arena, script->kind->shape->size_bytes);
    (void)shape_bind(&script->arena, script->kind->shape, node, config, problems);
    return config;
}

const char *script_check(struct script *script, const char *kind, const char *yaml)
{
    struct error err = {0};
    struct problems problems = {.arena = &script->arena};
    script->kind = target_kind_of(str_of(kind));
    (void)bind(script, yaml, &problems);
    if (problems_none(&problems, &err))
        return "";
    return arena_format(&script->arena, "%u:%u: %s", err.at.line, err.at.column, err.message).data;
}

void script_open(struct script *script, const char *kind, const char *yaml)
{
    static const struct template_value variables[] = {{"env.STAGE", STR_INIT("prod")},
                                                      {NULL, {NULL, 0}}};
    struct error err = {0};
    *script = (struct script){.now_ms = INT64_C(1800000000000)};
    struct problems problems = {.arena = &script->arena};
    script->http = (struct http_port){script, start, poll, drop};
    script->clock = (struct clock_port){script, now};
    script->cloud = cloud_open(&(struct cloud_ports){.http = &script->http,
                                                     .clock = &script->clock,
                                                     .variable = variable,
                                                     .wait = wait_until,
                                                     .self = script});
    script->kind = target_kind_of(str_of(kind));
    cr_assert_not_null(script->kind);
    void *config = bind(script, yaml, &problems);
    cr_assert(problems_none(&problems, &err), "%u:%u: %s", err.at.line, err.at.column, err.message);
    struct target_setup setup = {.name = "web",
                                 .http = &script->http,
                                 .clock = &script->clock,
                                 .variables = variables,
                                 .cloud = script->cloud};
    cr_assert(script->kind->open(config, &setup, &script->target, &err), "%s", err.message);
}

void script_close(struct script *script)
{
    script->kind->close(script->target);
    cloud_close(script->cloud);
    arena_done(&script->arena);
}

static void all_used(const struct script *script)
{
    cr_assert_null(script->lines[script->at].request, "request %zu was never made: %s",
                   script->at + 1, script->lines[script->at].request);
}

enum progress script_run(struct script *script, const struct target_intent *intent,
                         const struct line *lines, struct target_outcome *ret, struct error *err)
{
    struct target_operation *operation;
    enum progress progress;
    script->lines = lines;
    script->at = 0;
    if (!script->kind->start(script->target, intent, &operation, err))
        return PROGRESS_FAILED;
    while ((progress = script->kind->poll(operation, &script->arena, ret, err)) == PROGRESS_PENDING)
        script->now_ms += 100;
    script->kind->drop(operation);
    all_used(script);
    return progress;
}

bool script_pack(struct script *script, const char *given, const struct line *lines,
                 struct target_release *ret, struct error *err)
{
    script->lines = lines;
    script->at = 0;
    struct target_pack pack = {.repository = ".",
                               .commit = STR("0123456789abcdef0123456789abcdef01234567"),
                               .release = STR("v2"),
                               .given = str_of(given),
                               .cache_folder = "cache"};
    bool ok = script->kind->pack(script->target, &pack, &script->arena, ret, err);
    all_used(script);
    return ok;
}
