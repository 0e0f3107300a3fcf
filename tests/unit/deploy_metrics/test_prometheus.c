#include "bind.h"

#include "gate/base/moment.h"

#include <math.h>

static struct arena arena;
static struct world *world;
static struct http_port http;
static struct bench server;
static long port;

static void open_world(void)
{
    struct error err;
    alarm(60); // Criterion's own time limits leak now and then
    cr_assert(world_open(&(struct world_options){0}, &world, &err));
    http = world_http(world);
    server = bench_start("http_server", NULL);
    port = bench_number(&server, "port");
}

static void close_world(void)
{
    world_close(world);
    bench_stop(&server);
    arena_done(&arena);
}

TestSuite(prometheus, .init = open_world, .fini = close_world);

static str exchange(const char *method, const char *path, const char *body)
{
    struct error err = {0};
    struct http_answer answer;
    struct clock_port wall = world_clock(world);
    void *job;
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%ld%s", port, path);
    struct http_request request = {
        .method = method, .url = url, .body = str_of(body), .timeout_ms = 10000};
    cr_assert(http.start(http.self, &request, &job, &err));
    enum progress p;
    while ((p = http.poll(http.self, job, &answer, &err)) == PROGRESS_PENDING)
        world_wait(world, wall.now_ms(wall.self) + 1000);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    str copy = arena_str(&arena, answer.body);
    http.drop(http.self, job);
    return copy;
}

static struct error failure; // of the newest `ask`

static uint32_t windows; // of the next `ask`

static struct metric_sample ask(const char *rest, const char *baseline)
{
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample = {0};
    struct clock_port wall = world_clock(world);
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/prometheus/", port);
    struct template_value env[] = {
        {"env.PROM_URL", str_of(url)}, {"env.PROM_TOKEN", STR("t0ken\n")}, {0}};
    str yaml = arena_format(&arena, "{url: \"${env.PROM_URL}\", %s}", rest);
    const struct metric_kind *kind = metric_kind_of(STR("prometheus"));
    const void *config = bind_yaml(&arena, "prometheus", yaml.data, &err);
    cr_assert(config, "%s", err.message);
    struct metric_setup setup = {.name = "m", .http = &http, .variables = env};
    cr_assert(kind->open(config, &setup, &metric, &err), "%s", err.message);
    struct metric_question question = {.target = STR("web"),
                                       .revision = STR("r\"2'`\\"),
                                       .baseline = str_of(baseline),
                                       .from_ms = 1700000000250,
                                       .to_ms = 1700000090250,
                                       .windows = windows};
    cr_assert(kind->start(metric, &question, &reading, &err), "%s", err.message);
    enum progress p;
    while ((p = kind->poll(reading, &arena, &sample, &err)) == PROGRESS_PENDING)
        world_wait(world, wall.now_ms(wall.self) + 1000);
    kind->drop(reading);
    kind->close(metric);
    failure = p == PROGRESS_FAILED ? err : (struct error){0};
    return sample;
}

#define ANSWER(number)                                                                             \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"      \
    "\"value\":[1,\"" number "\"]}]}}"
#define EMPTY "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}"
#define RATE "bad: 'b{r=\"${revision}\"}[${window}]', total: 't{r=\"${revision}\",g=\"${target}\"}'"

Test(prometheus, a_rate_asks_for_both_revisions)
{
    (void)exchange("POST", "/answer", ANSWER("12.5"));
    struct metric_sample sample = ask(RATE ", token: \"${env.PROM_TOKEN}\"", "r1");
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.counts.canary_bad, 12.5);
    cr_expect_eq(sample.counts.baseline_total, 12.5);
    str queries = exchange("GET", "/queries", "");
    static const char *const wanted[] = {
        "b{r=\\\"r\\\\x222\\\\x27\\\\x60\\\\\\\\\\\"}[1m30s]",
        "t{r=\\\"r\\\\x222\\\\x27\\\\x60\\\\\\\\\\\",g=\\\"web\\\"}",
        "b{r=\\\"r1\\\"}[1m30s]",
        "t{r=\\\"r1\\\",g=\\\"web\\\"}",
        "\"time\": [\"1700000090.250\"]",
        "\"authorization\": [\"Bearer t0ken\"]",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_neq(str_search(queries, str_of(wanted[i])), STR_NONE, "%s is not in " STR_FMT,
                      wanted[i], STR_ARG(queries));
}

Test(prometheus, without_a_baseline_only_the_release_is_asked_for)
{
    (void)exchange("POST", "/answer", ANSWER("3"));
    struct metric_sample sample = ask(RATE, "");
    cr_assert(sample.has_value);
    cr_expect_eq(sample.counts.canary_total, 3);
    cr_expect_eq(sample.counts.baseline_total, 0);
    sample = ask("bad: b, total: t, max: 5%", "r1");
    cr_assert(sample.has_value);
    cr_expect_eq(sample.counts.canary_total, 3);
    cr_expect_eq(sample.counts.baseline_total, 0);
}

Test(prometheus, a_gauge_is_one_value)
{
    (void)exchange("POST", "/answer", ANSWER("0.25"));
    struct metric_sample sample = ask("query: 'q[${window}]', max: 800ms", "r1");
    cr_assert(sample.has_value);
    cr_expect_eq(sample.value, 0.25);
    (void)exchange("POST", "/answer", ANSWER("-0.25"));
    sample = ask("query: q, max: 1", "r1");
    cr_expect(sample.has_value, "a gauge may be negative");
}

#define COMPARED "query: 'q{r=\"${revision}\"}[${window}]', compare: mann-whitney"

Test(prometheus, a_gauge_that_is_compared_is_asked_for_both)
{
    (void)exchange("POST", "/answer", ANSWER("0.25"));
    struct metric_sample sample = ask(COMPARED, "r1");
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.value, 0.25);
    cr_expect_eq(sample.baseline, 0.25);
    str queries = exchange("GET", "/queries", "");
    cr_expect_neq(str_search(queries, STR("q{r=\\\"r1\\\"}[1m30s]")), STR_NONE, STR_FMT,
                  STR_ARG(queries));
    sample = ask(COMPARED, "");
    cr_assert(sample.has_value);
    cr_expect(isnan(sample.baseline), "nothing is left to compare with");
    sample = ask("query: q, max: 1", "r1");
    cr_expect(isnan(sample.baseline));
    (void)exchange("POST", "/answer", ANSWER("NaN"));
    sample = ask(COMPARED, "r1");
    cr_expect_not(sample.has_value, "a quantile of nothing is no value");
}

Test(prometheus, a_burn_rate_asks_for_four_windows)
{
    (void)exchange("POST", "/answer", ANSWER("7"));
    struct metric_sample sample =
        ask("bad: 'b[${window}]', total: 't[${window}]', burn_rate: {slo: 99.9%}", "r1");
    cr_assert(sample.has_value, "%s", sample.why);
    for (int i = 0; i < BURN_WINDOWS; i++)
        cr_expect(fabs(sample.burn[i].bad - 7) < 1e-9 && fabs(sample.burn[i].total - 7) < 1e-9);
    str queries = exchange("GET", "/queries", "");
    static const char *const wanted[] = {"b[1h]", "t[1h]", "b[5m]",  "t[5m]",
                                         "b[6h]", "t[6h]", "b[30m]", "t[30m]"};
    for (size_t i = 0; i < 8; i++)
        cr_expect_neq(str_search(queries, str_of(wanted[i])), STR_NONE, "%s", wanted[i]);
    (void)exchange("POST", "/answer", EMPTY);
    sample = ask("bad: 'b[${window}]', total: 't[${window}]', burn_rate: {slo: 99.9%}", "r1");
    cr_expect_not(sample.has_value);
    cr_expect_not_null(strstr(sample.why, "`bad` over 1h: no series; if that means none"), "%s",
                       sample.why);
}

// Four windows of 90 s: the second is missing, the third is no number.
#define RANGE                                                                                      \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"      \
    "\"values\":[[1699999820.25,\"3\"],[1700000000.25,\"NaN\"],[1700000090.25,\"5.5\"]]}]}}"

Test(prometheus, history_is_one_range_of_the_release_alone)
{
    (void)exchange("POST", "/answer", RANGE);
    windows = 4;
    struct metric_sample sample = ask(RATE, "r1");
    cr_assert(sample.has_value, "%s", sample.why);
    cr_assert_eq(sample.history.count, 4);
    cr_expect_eq(sample.history.bad[0], 3);
    cr_expect(isnan(sample.history.bad[1]) && isnan(sample.history.bad[2]));
    cr_expect_eq(sample.history.total[3], 5.5);
    cr_expect(isnan(sample.history.value[0]), "it is no gauge");
    str queries = exchange("GET", "/queries", "");
    cr_expect_neq(str_search(queries, STR("\"start\": [\"1699999820.250\"], \"end\": "
                                          "[\"1700000090.250\"], \"step\": [\"90.000\"]")),
                  STR_NONE, STR_FMT, STR_ARG(queries));
    cr_expect_eq(str_search(queries, STR("r1")), STR_NONE, "the baseline is not asked for");
    sample = ask(COMPARED, "r1");
    cr_assert(sample.has_value);
    cr_expect_eq(sample.history.value[3], 5.5);
    (void)exchange("POST", "/answer", ANSWER("1"));
    sample = ask(RATE, "r1");
    cr_expect_not(sample.has_value);
    cr_expect_not_null(strstr(sample.why, "gives no range but a vector"), "%s", sample.why);
}

Test(prometheus, what_is_missing_is_said)
{
    static const struct {
        const char *status, *answer, *rest, *words;
    } rows[] = {
        {"200", EMPTY, RATE, "`bad` of the release: no series; if that means none"},
        {"200", EMPTY, "query: q, max: 1", "`query`: no series"},
        {"200", ANSWER("NaN"), "query: q, max: 1", "the value is NaN"},
        {"200", ANSWER("-1"), RATE, "a negative count"},
        {"400", "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"oh\"}", RATE,
         "bad_data: oh"},
        {"401", "", RATE, "token"},
        {"503", "", RATE, "status 503"},
        {"200", "nonsense", RATE, "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[64];
        snprintf(path, sizeof path, "/answer?status=%s", rows[i].status);
        (void)exchange("POST", path, rows[i].answer);
        struct metric_sample sample = ask(rows[i].rest, "r1");
        cr_expect_not(sample.has_value, "%s", rows[i].answer);
        cr_assert(sample.why, "%s", rows[i].answer);
        cr_expect(strstr(sample.why, rows[i].words), "%s: %s", rows[i].words, sample.why);
    }
}

Test(prometheus, a_server_may_ask_to_be_left_alone)
{
    static const struct {
        const char *path;
        int64_t least_ms, most_ms;
    } rows[] = {
        {"/answer?status=429&retry_after=7", 7000, 7000},
        {"/answer?status=503&retry_after=Thu,%2001%20Jan%202099%2000:00:00%20GMT", 3600000,
         86400000},
        {"/answer?status=503", 0, 0},
        {"/answer?status=500&retry_after=7", 0, 0}, // not one that says "for now"
        {"/answer?status=200&retry_after=7", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)exchange("POST", rows[i].path, EMPTY);
        struct metric_sample sample = ask(RATE, "r1");
        cr_expect_not(sample.has_value);
        cr_expect_geq(failure.retry_after_ms, rows[i].least_ms, "%s", rows[i].path);
        cr_expect_leq(failure.retry_after_ms, rows[i].most_ms, "%s", rows[i].path);
        cr_expect_eq(failure.kind, rows[i].least_ms ? ERROR_TRANSIENT : ERROR_NONE);
        if (rows[i].least_ms)
            cr_expect_not_null(strstr(failure.message, "answered with status"), "%s",
                               failure.message);
    }
}

Test(prometheus, nobody_there_is_no_value)
{
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample = {0};
    struct clock_port wall = world_clock(world);
    const struct metric_kind *kind = metric_kind_of(STR("prometheus"));
    const void *config =
        bind_yaml(&arena, "prometheus", "{url: \"http://127.0.0.1:1\", query: q, max: 1}", &err);
    struct metric_setup setup = {.name = "m", .http = &http};
    cr_assert(kind->open(config, &setup, &metric, &err), "%s", err.message);
    struct metric_question question = {.from_ms = 1000, .to_ms = 2000};
    cr_assert(kind->start(metric, &question, &reading, &err));
    kind->drop(reading); // at once
    cr_assert(kind->start(metric, &question, &reading, &err));
    enum progress p;
    while ((p = kind->poll(reading, &arena, &sample, &err)) == PROGRESS_PENDING)
        world_wait(world, wall.now_ms(wall.self) + 1000);
    cr_expect_eq(p, PROGRESS_DONE);
    cr_expect_not(sample.has_value);
    cr_expect(strstr(sample.why, "127.0.0.1"), "%s", sample.why);
    kind->drop(reading);
    question.to_ms = question.from_ms;
    cr_expect_not(kind->start(metric, &question, &reading, &err), "an empty interval");
    kind->close(metric);
}
