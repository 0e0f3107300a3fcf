#include "../../bench/bench.h"
#include "deploy/world/world.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>
#include <time.h>

static struct world *world;
static struct http_port port;
static struct bench server;
static long server_port;

static void open_world(void)
{
    struct error err;
    alarm(60);                                     // Criterion's own time limits leak now and then
    setenv("http_proxy", "http://127.0.0.1:9", 1); // must not be asked for loopback
    cr_assert(world_open(&(struct world_options){.user_agent = "sluice/test"}, &world, &err), "%s",
              err.message);
    port = world_http(world);
    server = bench_start("http_server", NULL);
    server_port = bench_number(&server, "port");
    cr_assert_gt(server_port, 0);
}

static void close_world(void)
{
    world_close(world);
    bench_stop(&server);
}

TestSuite(http, .init = open_world, .fini = close_world);

static int64_t now_ms(void)
{
    struct clock_port clock = world_clock(world);
    return clock.now_ms(clock.self);
}

static const char *url_of(const char *path)
{
    static char url[512];
    snprintf(url, sizeof url, "http://127.0.0.1:%ld%s", server_port, path);
    return url;
}

static void *begin(const char *method, const char *path, int64_t timeout_ms)
{
    struct error err;
    void *job = NULL;
    struct http_request request = {.method = method, .url = url_of(path), .timeout_ms = timeout_ms};
    cr_assert(port.start(port.self, &request, &job, &err), "%s", err.message);
    return job;
}

static enum progress finish(void *job, struct http_answer *answer, struct error *err)
{
    enum progress p;
    while ((p = port.poll(port.self, job, answer, err)) == PROGRESS_PENDING)
        world_wait(world, now_ms() + 1000);
    return p;
}

Test(http, statuses_are_answers)
{
    static const struct {
        const char *method, *path, *body;
        long status;
    } rows[] = {
        {"GET", "/ok", "fine", 200},
        {"GET", "/status/404", "", 404},
        {"GET", "/status/500", "", 500},
        {"GET", "/status/429", "", 429},
        {"GET", "/redirect", "", 302}, // not followed
        {"HEAD", "/ok", "", 200},
        {"DELETE", "/ok", "fine", 200},
        {"GET", "/big/10", "xxxxxxxxxx", 200},
        {"GET", "/no/such", "no such path", 404},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_answer answer;
        struct error err;
        void *job = begin(rows[i].method, rows[i].path, 10000);
        cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE, "%s", rows[i].path);
        cr_expect_eq(answer.status, rows[i].status, "%s", rows[i].path);
        cr_expect(str_is(answer.body, rows[i].body), "%s", rows[i].path);
        cr_expect_lt(llabs(answer.server_date_ms - now_ms()), 5000);
        cr_expect_eq(answer.retry_after_ms, -1);
        port.drop(port.self, job);
    }
}

Test(http, retry_after_in_both_writings)
{
    static const struct {
        const char *path;
        int64_t ms;
    } rows[] = {
        {"/status/429?retry_after=7", 7000},
        {"/status/503?retry_after=0", 0},
        {"/status/503?retry_after=-1", -1},
        {"/status/503?retry_after=soon", -1},
        {"/status/503?retry_after=999999999", 86400000},
        {"/status/503?retry_after=Thu,%2001%20Jan%201998%2000:00:00%20GMT", 0},
        {"/status/503?retry_after=Thu,%2001%20Jan%202099%2000:00:00%20GMT", 86400000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_answer answer;
        struct error err;
        void *job = begin("GET", rows[i].path, 10000);
        cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
        cr_expect_eq(answer.retry_after_ms, rows[i].ms, "%s", rows[i].path);
        port.drop(port.self, job);
    }
}

Test(http, retry_after_as_a_date_is_held_against_the_servers_clock)
{
    char date[64], path[128];
    struct http_answer answer;
    struct error err;
    time_t at = (time_t)(now_ms() / 1000 + 40);
    struct tm utc;
    strftime(date, sizeof date, "%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT", gmtime_r(&at, &utc));
    snprintf(path, sizeof path, "/status/429?retry_after=%s", date);
    void *job = begin("GET", path, 10000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
    cr_expect(answer.retry_after_ms > 30000 && answer.retry_after_ms <= 40000, "%lld",
              (long long)answer.retry_after_ms);
    port.drop(port.self, job);
}

Test(http, headers_body_and_secret_are_sent)
{
    struct http_answer answer;
    struct error err;
    void *job;
    struct secret token;
    secret_take(&token, STR("s3cret"));
    struct http_header headers[] = {{"Authorization", "Bearer ", &token},
                                    {"Content-Type", "application/json", NULL},
                                    {"X-Empty", "", NULL},
                                    {0}};
    struct http_request request = {.method = "POST",
                                   .url = url_of("/echo"),
                                   .headers = headers,
                                   .body = STR("{\"a\": 1}"),
                                   .timeout_ms = 10000};
    cr_assert(port.start(port.self, &request, &job, &err));
    secret_done(&token); // copied
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
    cr_expect_neq(str_search(answer.headers, STR("Content-Type: application/json\n")), STR_NONE);
    cr_expect(answer.sent);
    static const char *const wanted[] = {"\"method\": \"POST\"",
                                         "\"authorization\": \"Bearer s3cret\"",
                                         "\"content-type\": \"application/json\"",
                                         "\"user-agent\": \"sluice/test\"",
                                         "\"x-empty\": \"\"",
                                         "{\\\"a\\\": 1}"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_neq(str_search(answer.body, str_of(wanted[i])), STR_NONE, "%s", wanted[i]);
    cr_expect_eq(str_search(answer.body, STR("expect")), STR_NONE);
    cr_expect(str_is(answer.content_type, "application/json"));
    port.drop(port.self, job);

    request.method = "PUT";
    request.headers = NULL;
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
    cr_expect_neq(str_search(answer.body, STR("\"method\": \"PUT\"")), STR_NONE);
    cr_expect_eq(str_search(answer.body, STR("content-type")), STR_NONE);
    port.drop(port.self, job);
}

Test(http, refuses_what_it_will_not_send)
{
    static const char *const urls[] = {
        "", "nonsense", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://a b/"};
    struct error err;
    void *job;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_request request = {.method = "GET", .url = urls[i], .timeout_ms = 1000};
        cr_expect_not(port.start(port.self, &request, &job, &err), "%s", urls[i]);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
    struct http_header split[] = {{"X-A", "b\r\nX-Injected: 1", NULL}, {0}};
    struct http_request request = {
        .method = "GET", .url = url_of("/ok"), .headers = split, .timeout_ms = 1000};
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
}

Test(http, a_secret_address_is_named_by_its_host_alone)
{
    struct http_answer answer;
    struct error err;
    void *job;
    struct http_request request = {.method = "POST",
                                   .url = "http://127.0.0.1:1/services/hidden?token=hidden",
                                   .timeout_ms = 2000,
                                   .secret_url = true};
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect(strstr(err.message, "POST http://127.0.0.1:1/…"), "%s", err.message);
    cr_expect_not(strstr(err.message, "hidden"), "%s", err.message);
    port.drop(port.self, job);
    request.url = "http://hidden hidden/";
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_not(strstr(err.message, "hidden"), "%s", err.message);
}

Test(http, no_answer_is_transient)
{
    struct http_answer answer;
    struct error err;
    void *job = begin("GET", "/slow/5000?token=hidden", 200);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect_not(strstr(err.message, "hidden"), "a query is not repeated: %s", err.message);
    port.drop(port.self, job);
    job = begin("POST", "/slow/5000", 200);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect(strstr(err.message, "the outcome is unknown"), "%s", err.message);
    cr_expect(answer.sent);
    port.drop(port.self, job);
    job = begin("GET", "/cut", 5000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    port.drop(port.self, job);
    struct http_request request = {
        .method = "GET", .url = "http://127.0.0.1:1/", .timeout_ms = 2000};
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT, "%s", err.message);
    cr_expect_not(answer.sent, "nobody was there to send it to");
    port.drop(port.self, job);
}

Test(http, a_path_is_sent_as_it_is_written)
{
    struct http_answer answer;
    struct error err;
    void *job = begin("GET", "/echo/../status/404", 5000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
    cr_expect_eq(answer.status, 200, "/echo answered, not /status");
    port.drop(port.self, job);
}

Test(http, a_body_past_the_limit_is_an_error)
{
    struct http_answer answer;
    struct error err;
    char path[64];
    snprintf(path, sizeof path, "/big/%u", LIMIT_HTTP_BODY);
    void *job = begin("GET", path, 30000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(answer.body.len, LIMIT_HTTP_BODY);
    port.drop(port.self, job);
    snprintf(path, sizeof path, "/big/%u", LIMIT_HTTP_BODY + 1);
    job = begin("GET", path, 30000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_LIMIT, "%s", err.message);
    port.drop(port.self, job);
}

static long connections(void)
{
    struct http_answer answer;
    struct error err;
    void *job = begin("GET", "/connections", 10000);
    cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
    long n = strtol(answer.body.data, NULL, 10);
    port.drop(port.self, job);
    return n;
}

Test(http, connections_are_reused_unless_fresh_ones_are_asked_for)
{
    struct http_answer answer;
    struct error err;
    void *job;
    long before = connections();
    for (int i = 0; i < 5; i++)
        cr_expect_eq(connections(), before);
    struct http_request request = {
        .method = "GET", .url = url_of("/ok"), .timeout_ms = 5000, .fresh_connection = true};
    for (int i = 0; i < 5; i++) {
        cr_assert(port.start(port.self, &request, &job, &err));
        cr_assert_eq(finish(job, &answer, &err), PROGRESS_DONE);
        port.drop(port.self, job);
    }
    cr_expect_eq(connections(), before + 5);
}

Test(http, two_hundred_at_once)
{
    static void *jobs[200];
    int64_t started = now_ms();
    for (int i = 0; i < 200; i++)
        jobs[i] = begin("GET", "/slow/500", 20000);
    for (int i = 0; i < 200; i++) {
        struct http_answer answer;
        struct error err;
        cr_assert_eq(finish(jobs[i], &answer, &err), PROGRESS_DONE);
        cr_expect(str_is(answer.body, "late"));
        port.drop(port.self, jobs[i]);
    }
    cr_expect_lt(now_ms() - started, 10000, "%ld ms", (long)(now_ms() - started));
}

Test(http, certificates_are_checked)
{
    struct bench secure = bench_start("http_server", "--tls");
    char ca[512], url[64];
    struct http_answer answer;
    struct error err = {0};
    void *job;
    struct http_request request = {.method = "GET", .url = url, .timeout_ms = 10000};
    bench_text(&secure, "ca", ca, sizeof ca);
    snprintf(url, sizeof url, "https://127.0.0.1:%ld/ok", bench_number(&secure, "port"));
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_expect_eq(finish(job, &answer, &err), PROGRESS_FAILED, "an unknown certificate");
    cr_expect_eq(err.kind, ERROR_DENIED, "%s", err.message);
    port.drop(port.self, job);
    world_close(world);
    cr_assert(world_open(&(struct world_options){.ca_file = ca}, &world, &err));
    port = world_http(world);
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_expect_eq(finish(job, &answer, &err), PROGRESS_DONE, "%s", err.message);
    port.drop(port.self, job);
    snprintf(url, sizeof url, "https://localhost:%ld/ok", bench_number(&secure, "port"));
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_expect_eq(finish(job, &answer, &err), PROGRESS_FAILED, "another name");
    cr_expect_eq(err.kind, ERROR_DENIED, "%s", err.message);
    port.drop(port.self, job);
    bench_stop(&secure);
}

Test(http, its_sockets_are_not_handed_to_commands)
{
    struct exec_port exec = world_exec(world);
    struct exec_request request = {.script = "ls /proc/self/fd", .timeout_ms = 10000};
    struct exec_result result;
    struct error err = {0};
    void *command, *job = begin("GET", "/slow/3000", 20000);
    (void)connections(); // one that is kept, besides the one that waits
    cr_assert(exec.start(exec.self, &request, &command, &err));
    enum progress p;
    while ((p = exec.poll(exec.self, command, &result, &err)) == PROGRESS_PENDING)
        world_wait(world, now_ms() + 1000);
    cr_assert_eq(p, PROGRESS_DONE);
    cr_expect(str_is(result.output, "0\n1\n2\n3\n"), STR_FMT, STR_ARG(result.output));
    exec.drop(exec.self, command);
    port.drop(port.self, job);
}

Test(http, a_dropped_exchange_leaves_nothing)
{
    void *job = begin("GET", "/slow/5000", 20000);
    world_wait(world, now_ms() + 50);
    port.drop(port.self, job);
    cr_expect_gt(connections(), 0);
}
