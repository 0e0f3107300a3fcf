#include "bind.h"

static struct arena arena;
static struct world *world;
static struct http_port http;
static struct clock_port wall;
static struct bench server;
static char port_text[16];

static void open_world(void)
{
    struct error err;
    alarm(60); // Criterion's own time limits leak now and then
    cr_assert(world_open(&(struct world_options){0}, &world, &err));
    http = world_http(world);
    wall = world_clock(world);
    server = bench_start("http_server", NULL);
    snprintf(port_text, sizeof port_text, "%ld", bench_number(&server, "port"));
}

static void close_world(void)
{
    world_close(world);
    bench_stop(&server);
    arena_done(&arena);
}

TestSuite(probe, .init = open_world, .fini = close_world);

// One round of a probe over the endpoints.
static struct metric_sample ask(const char *yaml, const struct metric_endpoint *endpoints,
                                size_t count)
{
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample = {0};
    const struct metric_kind *probe = metric_kind_of(STR("probe"));
    const void *config = bind_yaml(&arena, "probe", yaml, &err);
    cr_assert(config, "%s", err.message);
    struct metric_setup setup = {.name = "probe", .http = &http, .clock = &wall};
    cr_assert(probe->open(config, &setup, &metric, &err));
    struct metric_question question = {.target = STR("web"),
                                       .revision = STR("r2"),
                                       .baseline = STR("r1"),
                                       .endpoints = endpoints,
                                       .endpoint_count = count};
    if (probe->start(metric, &question, &reading, &err)) {
        enum progress progress;
        while ((progress = probe->poll(reading, &arena, &sample, &err)) == PROGRESS_PENDING)
            world_wait(world, wall.now_ms(wall.self) + 1000);
        probe->drop(reading);
        if (progress == PROGRESS_FAILED)
            sample.why = arena_copy(&arena, str_of(err.message));
    } else {
        sample.why = arena_copy(&arena, str_of(err.message));
    }
    probe->close(metric);
    return sample;
}

#define ENDPOINT(page_, canary_)                                                                   \
    {                                                                                              \
        .host = STR_INIT("127.0.0.1"), .canary = canary_,                                          \
        .variables = (const struct exec_variable[])                                                \
        {                                                                                          \
            {"port", {port_text, strlen(port_text)}}, {"page", STR_INIT(page_)},                   \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define URL "url: \"http://${host}:${port}/${page}/5\", "

Test(probe, counts_of_canary_and_baseline)
{
    const struct metric_endpoint endpoints[] = {ENDPOINT("fail-every", true), ENDPOINT("ok", false),
                                                ENDPOINT("ok", false)};
    struct metric_sample sample = ask("{" URL "requests: 20}", endpoints, 3);
    cr_expect(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.counts.canary_bad, 4);
    cr_expect_eq(sample.counts.canary_total, 20);
    cr_expect_eq(sample.counts.baseline_bad, 0);
    cr_expect_eq(sample.counts.baseline_total, 40);
    cr_expect(sample.why && strstr(sample.why, "status 500"), "%s", sample.why);
}

Test(probe, values_of_a_threshold)
{
    const struct metric_endpoint endpoints[] = {ENDPOINT("fail-every", true),
                                                ENDPOINT("no-such", false)};
    struct metric_sample sample = ask("{" URL "requests: 10, max_failures: 3}", endpoints, 2);
    cr_expect(sample.has_value);
    cr_expect_eq(sample.value, 2, "the baseline's failures do not count: %g", sample.value);
    sample = ask("{" URL "max_failures: 3}", endpoints + 1, 1);
    cr_expect_not(sample.has_value, "nothing serves the release");
    cr_expect_str_eq(sample.why, "no host serves the release yet");
    sample = ask("{" URL "requests: 5}", NULL, 0);
    cr_expect_not(sample.has_value);
    cr_expect(sample.why && *sample.why);
}

Test(probe, what_makes_an_answer_bad)
{
    static const struct {
        const char *yaml, *page, *words;
        double bad;
    } rows[] = {
        {"{" URL "requests: 2}", "ok", NULL, 0},
        {"{" URL "requests: 2, status: [404, 500]}", "ok", "status 200", 2},
        {"{" URL "requests: 2, status: [404, 200]}", "ok", NULL, 0},
        {"{" URL "requests: 2, contains: fine}", "ok", NULL, 0},
        {"{" URL "requests: 2, contains: superb}", "ok", "contains", 2},
        {"{url: \"http://${host}:${port}/slow/300\", requests: 2, max_latency: 5s}", "ok", NULL, 0},
        {"{url: \"http://${host}:${port}/slow/300\", requests: 2, max_latency: 100ms}", "ok",
         "took ", 2},
        {"{url: \"http://${host}:${port}/slow/3000\", requests: 2, timeout: 200ms}", "ok",
         "/slow/3000", 2},
        {"{url: \"http://${host}:${port}/cut\", requests: 2}", "ok", "/cut", 2},
        {"{url: \"http://${host}:${port}/redirect\", requests: 2}", "ok", "status 302", 2},
        {"{url: \"http://${host}:1/\", requests: 2}", "ok", "port 1", 2}, // refuses connections
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct metric_endpoint endpoints[] = {ENDPOINT("ok", true)};
        struct metric_sample sample = ask(rows[i].yaml, endpoints, 1);
        cr_expect(sample.has_value, "%s: %s", rows[i].yaml, sample.why);
        cr_expect_eq(sample.counts.canary_total, 2);
        cr_expect_eq(sample.counts.canary_bad, rows[i].bad, "%s: %g", rows[i].yaml,
                     sample.counts.canary_bad);
        cr_expect(!rows[i].words || (sample.why && strstr(sample.why, rows[i].words)), "%s: %s",
                  rows[i].yaml, sample.why ? sample.why : "no words");
    }
}

Test(probe, a_fixed_url_is_asked_once_for_all)
{
    char yaml[128];
    const struct metric_endpoint endpoints[] = {ENDPOINT("ok", true), ENDPOINT("ok", false)};
    snprintf(yaml, sizeof yaml, "{url: \"http://127.0.0.1:%s/ok\", requests: 6, max: 10%%}",
             port_text);
    struct metric_sample sample = ask(yaml, endpoints, 2);
    cr_expect(sample.has_value);
    cr_expect_eq(sample.counts.canary_total, 6);
    cr_expect_eq(sample.counts.baseline_total, 0);
}

Test(probe, a_variable_that_a_host_lacks_is_named)
{
    const struct metric_endpoint endpoints[] = {ENDPOINT("ok", true)};
    struct metric_sample sample = ask("{url: \"http://${host}:${no_port}/\"}", endpoints, 1);
    cr_expect_not(sample.has_value);
    cr_expect(strstr(sample.why, "${no_port}"), "%s", sample.why);
    cr_expect(strstr(sample.why, "host 127.0.0.1"), "%s", sample.why);
}

Test(probe, values_are_escaped)
{
    const struct metric_endpoint endpoints[] = {ENDPOINT("ok?x=/../status/500", true)};
    struct metric_sample sample = ask("{" URL "requests: 1}", endpoints, 1);
    cr_expect(strstr(sample.why, "ok%3Fx%3D%2F..%2Fstatus%2F500"), "%s", sample.why);
}

Test(probe, many_endpoints_many_requests)
{
    static struct metric_endpoint endpoints[100];
    const struct metric_endpoint one = ENDPOINT("ok", true);
    for (size_t i = 0; i < 100; i++) {
        endpoints[i] = one;
        endpoints[i].canary = i < 5;
    }
    struct metric_sample sample = ask("{" URL "requests: 10}", endpoints, 100);
    cr_expect_eq(sample.counts.canary_total, 50);
    cr_expect_eq(sample.counts.baseline_total, 950);
    cr_expect_eq(sample.counts.canary_bad + sample.counts.baseline_bad, 0, "%s",
                 sample.why ? sample.why : "");
}

Test(probe, a_reading_can_be_dropped_at_any_time)
{
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample;
    const struct metric_endpoint endpoints[] = {ENDPOINT("slow", true)};
    const struct metric_kind *probe = metric_kind_of(STR("probe"));
    struct metric_setup setup = {.name = "probe", .http = &http, .clock = &wall};
    const void *config = bind_yaml(&arena, "probe", "{" URL "requests: 50}", &err);
    cr_assert(probe->open(config, &setup, &metric, &err));
    for (int turns = 0; turns < 8; turns++) {
        struct metric_question question = {.endpoints = endpoints, .endpoint_count = 1};
        cr_assert(probe->start(metric, &question, &reading, &err));
        for (int i = 0; i < turns; i++) {
            (void)probe->poll(reading, &arena, &sample, &err);
            world_wait(world, wall.now_ms(wall.self) + 2);
        }
        probe->drop(reading);
    }
    probe->close(metric);
}
