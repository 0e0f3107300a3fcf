#include "hostile.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define PAGE "<!DOCTYPE html><html><body><h1>Welcome</h1><p>Please log in.</body></html>"
#define REFUSAL(code, status)                                                                      \
    "{\"__type\":\"" status "\",\"message\":\"no\",\"error\":{\"code\":" code ",\"status\":"       \
    "\"" status "\",\"message\":\"no\"}}"
#define ODD                                                                                        \
    "{\"message\":\"one\\ntwo\\u001b[31m\\u0000\\u0007 three\",\"error\":{\"code\":400,"           \
    "\"status\":\"A\\nB\",\"message\":\"one\\r\\ntwo\\u001b]0;x\\u0007\"}}"
#define ODD_PROM "{\"status\":\"error\",\"errorType\":\"a\\nb\",\"error\":\"one\\ntwo\\u001b[31m\"}"
#define ODD_XML                                                                                    \
    "<ErrorResponse><Error><Code>A&#10;B</Code><Message>one&#10;two&#27;[31m\nthree</Message>"     \
    "</Error></ErrorResponse>"

const struct hostile_answer hostile_answers[] = {
    {.name = "lost", .manner = HOSTILE_LOST},
    {.name = "unsent", .manner = HOSTILE_UNSENT},
    {.name = "an echo", .manner = HOSTILE_ECHO},
    {.name = "cut short", .manner = HOSTILE_CUT},
    {.name = "500", .status = 500, .body = "oops"},
    {.name = "503, later", .status = 503, .body = "", .retry_after_ms = 120000},
    {.name = "503, much later",
     .status = 503,
     .body = "",
     .retry_after_ms = INT64_C(86400000) * 90},
    {.name = "429", .status = 429, .body = REFUSAL("429", "ThrottlingException")},
    {.name = "429, later", .status = 429, .body = "{}", .retry_after_ms = 30000},
    {.name = "401", .status = 401, .body = REFUSAL("401", "UNAUTHENTICATED")},
    {.name = "403", .status = 403, .body = REFUSAL("403", "PERMISSION_DENIED")},
    {.name = "404", .status = 404, .body = REFUSAL("404", "NOT_FOUND")},
    {.name = "409", .status = 409, .body = REFUSAL("409", "ABORTED")},
    {.name = "412", .status = 412, .body = REFUSAL("412", "PreconditionFailedException")},
    {.name = "400 in two lines", .status = 400, .body = ODD},
    {.name = "400 in two lines of XML", .status = 400, .body = ODD_XML},
    {.name = "400 in two lines of Prometheus", .status = 400, .body = ODD_PROM},
    {.name = "301", .status = 301, .body = ""},
    {.name = "empty", .status = 200, .body = ""},
    {.name = "no bytes", .status = 204, .body = ""},
    {.name = "garbage", .status = 200, .body = "\x01\xff\xfe<{[\x80 \x1b[31m\xc3(\r\n\x7f"},
    {.name = "a map", .status = 200, .body = "{}"},
    {.name = "a list", .status = 200, .body = "[]"},
    {.name = "null", .status = 200, .body = "null"},
    {.name = "a number", .status = 200, .body = "-1e400"},
    {.name = "an element", .status = 200, .body = "<a/>"},
    {.name = "a page", .status = 200, .body = PAGE},
    {.name = "a deep list", .status = 200, .body = DEEP, .times = 4096},
    {.name = "a deep element", .status = 200, .body = "<a><a><a><a><a><a><a><a>", .times = 8192},
    {.name = "much", .status = 200, .body = "{\"a\":\"0123456789abcdef\"},\n", .times = 4000},
    {.name = "much of 500", .status = 500, .body = "<p>it is broken</p>\n", .times = 4000},
};
const size_t hostile_answer_count = sizeof hostile_answers / sizeof *hostile_answers;

struct exchange {
    struct hostile *world;
    enum hostile_manner manner;
    long status;
    int64_t retry_after_ms;
    char *body;
    size_t length;
    char place[256]; // URL or host
    bool told;       // it takes a poll before anything comes
};

unsigned hostile_chance(struct hostile *world, unsigned most)
{
    world->random = world->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(world->random >> 33) % most;
}

static int64_t now(void *self)
{
    return ((struct hostile *)self)->now_ms;
}

void hostile_turn(struct hostile *world)
{
    world->now_ms += 1000;
}

static void wait_until(void *self, int64_t until_ms)
{
    struct hostile *world = self;
    if (until_ms > world->now_ms)
        world->now_ms = until_ms;
}

static void say(void *self, const char *sentence)
{
    struct hostile *world = self;
    if (hostile_blemish(sentence))
        world->told_secret = true;
}

const char *hostile_blemish(const char *sentence)
{
    if (!sentence || !sentence[0])
        return "it says nothing";
    if (strstr(sentence, HOSTILE_SECRET))
        return "a secret stands in it";
    if (!str_is_utf8(str_of(sentence)))
        return "it is no UTF-8";
    for (const char *c = sentence; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "a control character stands in it";
    return NULL;
}

// ---- who asks ----------------------------------------------------------------------------------

static const char *variable(void *self, const char *name)
{
    static const struct {
        const char *name, *value;
        int as; // -1 = both
    } all[] = {
        {"AWS_REGION", "eu-west-1", -1},
        {"AWS_CONFIG_FILE", "/nowhere/at/all", -1},
        {"AWS_SHARED_CREDENTIALS_FILE", "/nowhere/at/all", -1},
        {"CLOUDSDK_CONFIG", "/nowhere/at/all", -1},
        {"AWS_ACCESS_KEY_ID", "AKIDSTATIC", IDENTITY_KEYS},
        {"AWS_SECRET_ACCESS_KEY", HOSTILE_SECRET "/of+AWS", IDENTITY_KEYS},
        {"AWS_SESSION_TOKEN", HOSTILE_SECRET "//of+this+session==", IDENTITY_KEYS},
        {"GCE_METADATA_HOST", "127.0.0.1:9", IDENTITY_KEYS},
        {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/release", IDENTITY_RUNNER},
        {"ACTIONS_ID_TOKEN_REQUEST_URL", "https://runner.example/token?a=1", IDENTITY_RUNNER},
        {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", HOSTILE_SECRET ".of.the.runner", IDENTITY_RUNNER},
    };
    const struct hostile *world = self;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0 && (all[i].as < 0 || all[i].as == (int)world->as))
            return all[i].value;
    return NULL;
}

static const struct hostile_line identity[] = {
    {"/computeMetadata/", "{\"access_token\":\"ya29." HOSTILE_SECRET "\",\"expires_in\":3600}", 0},
    {"https://runner.example/", "{\"value\":\"" HOSTILE_SECRET ".jwt.x\"}", 0},
    {"https://sts.googleapis.com/",
     "{\"access_token\":\"ya29." HOSTILE_SECRET "\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
     0},
    {"Action=AssumeRoleWithWebIdentity",
     "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
     "<AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>" HOSTILE_SECRET "/key</SecretAccessKey>"
     "<SessionToken>" HOSTILE_SECRET
     "/session</SessionToken><Expiration>2027-06-01T00:00:00Z</Expiration>"
     "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
     0},
    {0},
};

static const struct hostile_line *line_of(const struct hostile_line *lines, str told)
{
    for (; lines && lines->holds; lines++)
        if (str_search(told, str_of(lines->holds)) != STR_NONE)
            return lines;
    return NULL;
}

// ---- what is answered --------------------------------------------------------------------------

static void say_body(struct exchange *exchange, str once, size_t times)
{
    times = times ? times : 1;
    exchange->length = once.len * times;
    exchange->body = memory_alloc(exchange->length + 1);
    for (size_t i = 0; i < times && once.len; i++)
        memcpy(exchange->body + i * once.len, once.data, once.len);
}

static void echo(struct exchange *exchange, const struct http_request *request)
{
    struct text words = text_of(1 << 16), body = text_of(1 << 18);
    str sent = request ? request->body : str_of(NULL);
    for (const struct http_header *h = request ? request->headers : NULL; h && h->name; h++) {
        text_addf(&words, "%s: %s", h->name, h->value ? h->value : "");
        if (h->secret)
            text_add(&words, secret_reveal(h->secret));
        text_addc(&words, ' ');
    }
    text_add(&words, sent);
    for (size_t i = 0; i < words.len; i++) // as a part of JSON and of XML
        if (strchr("\"\\<>&\n\r", words.data[i]))
            words.data[i] = ' ';
    if (str_starts(sent, STR("Action=")))
        text_addf(&body,
                  "<ErrorResponse><Error><Code>Odd</Code><Message>%s</Message></Error>"
                  "</ErrorResponse>",
                  text_c(&words));
    else if (request && strstr(request->url, "/api/v1/"))
        text_addf(&body, "{\"status\":\"error\",\"errorType\":\"odd\",\"error\":\"%s\"}",
                  text_c(&words));
    else
        text_addf(&body,
                  "{\"__type\":\"Odd\",\"message\":\"%s\",\"error\":{\"code\":400,"
                  "\"status\":\"ODD\",\"message\":\"%s\"},\"error_description\":\"%s\"}",
                  text_c(&words), text_c(&words), text_c(&words));
    exchange->status = 400;
    say_body(exchange, text_str(&body), 1);
    text_done(&words);
    text_done(&body);
}

static void answer_by(struct exchange *exchange, const struct hostile_answer *answer,
                      const struct hostile_line *right, const struct http_request *request)
{
    struct hostile *world = exchange->world;
    str body = str_of(right ? right->answer : "{}");
    exchange->manner = answer->manner;
    exchange->status = 200;
    switch (answer->manner) {
    case HOSTILE_SAYS:
        exchange->status = answer->status;
        exchange->retry_after_ms = answer->retry_after_ms ? answer->retry_after_ms : -1;
        say_body(exchange, str_of(answer->body), answer->times);
        break;
    case HOSTILE_ECHO:
        echo(exchange, request);
        break;
    case HOSTILE_CUT:
        say_body(exchange,
                 str_first(body, body.len ? hostile_chance(world, (unsigned)body.len) : 0), 1);
        break;
    case HOSTILE_CHANGE:
        world->changed = true;
        say_body(exchange, body, 1);
        for (int i = 0; i < 3 && body.len; i++)
            exchange->body[hostile_chance(world, (unsigned)body.len)] =
                (char)hostile_chance(world, 256);
        break;
    case HOSTILE_SILENT:
    case HOSTILE_LOST:
    case HOSTILE_UNSENT:
        break;
    }
}

static struct exchange *exchange_make(struct hostile *world, str told,
                                      const struct http_request *request)
{
    static const struct hostile_answer change = {.manner = HOSTILE_CHANGE};
    struct exchange *exchange = memory_alloc(sizeof *exchange);
    const struct hostile_line *who = line_of(identity, told), *right = who;
    const struct hostile_answer *answer = world->always;
    *exchange = (struct exchange){.world = world, .retry_after_ms = -1};
    if (!who) {
        right = line_of(world->lines, told);
        text_add(&world->log, told);
        text_addc(&world->log, '\n');
        if (!right && !world->unknown)
            world->unknown = arena_copy(&world->arena, told);
    }
    if (!answer && hostile_chance(world, 100) >= world->good_percent) {
        unsigned which = hostile_chance(world, (unsigned)hostile_answer_count + 4);
        answer = which < hostile_answer_count ? &hostile_answers[which] : &change;
    }
    world->open++;
    world->asked++;
    if (answer && (!who || world->suspects_identity)) {
        answer_by(exchange, answer, right, request);
        return exchange;
    }
    exchange->status = !right ? 404 : right->status ? right->status : 200;
    say_body(exchange, str_of(right ? right->answer : "{}"), 1);
    return exchange;
}

static void exchange_drop(void *self, void *job)
{
    struct exchange *exchange = job;
    struct hostile *world = self;
    world->open--;
    memory_free(exchange->body);
    memory_free(exchange);
}

// ---- the ports ---------------------------------------------------------------------------------

static bool http_start(void *self, const struct http_request *request, void **ret_job,
                       struct error *err)
{
    struct hostile *world = self;
    struct text told = text_of(1 << 20);
    (void)err;
    cr_expect(request->timeout_ms > 0 && request->timeout_ms <= 600000, "%s may take %lld ms",
              request->url, (long long)request->timeout_ms);
    if (strstr(request->url, HOSTILE_SECRET))
        world->told_secret = true;
    text_addf(&told, "%s %s\n", request->method, request->url);
    for (const struct http_header *h = request->headers; h && h->name; h++)
        if (str_cmp_any_case(str_of(h->name), STR("X-Amz-Target")) == 0)
            text_addf(&told, "%s\n", h->value);
    text_add(&told, request->body);
    struct exchange *exchange = exchange_make(world, text_str(&told), request);
    (void)snprintf(exchange->place, sizeof exchange->place, "%s", request->url);
    *ret_job = exchange;
    text_done(&told);
    return true;
}

static str type_of(const struct exchange *exchange)
{
    char first = exchange->length ? exchange->body[0] : '\0';
    return first == '{'   ? STR("application/json")
           : first == '<' ? STR("text/xml")
                          : STR("application/octet-stream");
}

static enum progress http_poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    struct exchange *exchange = job;
    (void)self;
    if (exchange->manner == HOSTILE_SILENT || !exchange->told) {
        exchange->told = true;
        return PROGRESS_PENDING;
    }
    if (exchange->manner == HOSTILE_LOST || exchange->manner == HOSTILE_UNSENT) {
        *ret = (struct http_answer){.sent = exchange->manner == HOSTILE_LOST};
        (void)error_set(err, ERROR_TRANSIENT, "%s: there is no answer", exchange->place);
        return PROGRESS_FAILED;
    }
    *ret = (struct http_answer){.status = exchange->status,
                                .body = str_make(exchange->body, exchange->length),
                                .content_type = type_of(exchange),
                                .headers = STR("Metadata-Flavor: Google\n"),
                                .retry_after_ms = exchange->retry_after_ms,
                                .server_date_ms = -1,
                                .sent = true};
    return PROGRESS_DONE;
}

static bool exec_start(void *self, const struct exec_request *request, void **ret_job,
                       struct error *err)
{
    struct hostile *world = self;
    struct text told = text_of(1 << 20);
    (void)err;
    cr_expect_gt(request->timeout_ms, 0);
    text_addf(&told, "sh %s\n%s\n", request->login.host ? request->login.host : "",
              request->script);
    for (const struct exec_variable *v = request->variables; v && v->name; v++)
        text_addf(&told, "%s=" STR_FMT "\n", v->name, STR_ARG(v->value));
    struct exchange *exchange = exchange_make(world, text_str(&told), NULL);
    (void)snprintf(exchange->place, sizeof exchange->place, "%s",
                   request->login.host ? request->login.host : "the command");
    *ret_job = exchange;
    text_done(&told);
    return true;
}

// What would be a refusal of a server is that of a login, or the exit status of a command.
static enum progress exec_poll(void *self, void *job, struct exec_result *ret, struct error *err)
{
    struct exchange *exchange = job;
    struct http_answer answer;
    enum progress progress = http_poll(self, job, &answer, err);
    if (progress != PROGRESS_DONE)
        return progress;
    if (exchange->status == 401) {
        (void)error_set(err, ERROR_DENIED, "the login was refused");
        return PROGRESS_FAILED;
    }
    bool fine = exchange->status >= 200 && exchange->status < 300;
    *ret = (struct exec_result){.status = fine ? 0
                                          : exchange->status == 503
                                              ? 75
                                              : (int)(exchange->status % 100) + 1,
                                .output = fine ? answer.body : (str){NULL, 0},
                                .errors = fine ? (str){NULL, 0} : answer.body};
    return PROGRESS_DONE;
}

void hostile_open(struct hostile *world, const struct hostile_line *lines)
{
    *world = (struct hostile){.now_ms = INT64_C(1800000000000), .lines = lines, .random = 1};
    world->log = text_of(1 << 22);
    world->http = (struct http_port){world, http_start, http_poll, exchange_drop};
    world->exec = (struct exec_port){world, exec_start, exec_poll, exchange_drop};
    world->clock = (struct clock_port){world, now};
    world->cloud = cloud_open(&(struct cloud_ports){.http = &world->http,
                                                    .clock = &world->clock,
                                                    .variable = variable,
                                                    .say = say,
                                                    .wait = wait_until,
                                                    .self = world});
}

void hostile_close(struct hostile *world)
{
    cloud_close(world->cloud);
    cr_expect_eq(world->open, 0, "%zu exchanges were left behind", world->open);
    text_done(&world->log);
    arena_done(&world->arena);
}
