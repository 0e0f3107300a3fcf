// The whole source, with an HTTP port that answers from a list: what it asks, and what it makes of
// the answers.
#include "bind.h"

#include <math.h>

enum { PAGES = 24 };

static struct arena arena;
static struct cloud *cloud;
static const char *pages[PAGES]; // the answers to come, after the token
static long statuses[PAGES];     // 0 = 200
static str asked[PAGES];         // URL, a blank and the body
static size_t page;
static int64_t now = 1800000200000;
static const char token[] = "{\"access_token\": \"t\", \"expires_in\": 3600}";

static bool http_start(void *self, const struct http_request *request, void **ret_job,
                       struct error *err)
{
    static const char *granted = token;
    (void)self;
    (void)err;
    if (strstr(request->url, "/computeMetadata/")) {
        *ret_job = &granted;
        return true;
    }
    cr_assert_lt(page, PAGES);
    cr_assert(pages[page], "a call too many: %s", request->url);
    asked[page] = arena_format(&arena, "%s " STR_FMT, request->url, STR_ARG(request->body));
    *ret_job = &pages[page++];
    return true;
}

static enum progress http_poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    const char **at = job;
    (void)self;
    (void)err;
    long status = *at == token ? 0 : statuses[at - pages];
    *ret = (struct http_answer){.status = status ? status : 200,
                                .body = str_of(*at),
                                .content_type = STR("application/json"),
                                .headers = STR("Metadata-Flavor: Google\n"),
                                .retry_after_ms = -1,
                                .server_date_ms = -1,
                                .sent = true};
    return PROGRESS_DONE;
}

static void http_drop(void *self, void *job)
{
    (void)self;
    (void)job;
}

static int64_t now_ms(void *self)
{
    (void)self;
    return now;
}

static const char *variable(void *self, const char *name)
{
    (void)self;
    return strcmp(name, "CLOUDSDK_CONFIG") == 0     ? "/nowhere/at/all"
           : strcmp(name, "GCE_METADATA_HOST") == 0 ? "127.0.0.1:9"
                                                    : NULL;
}

static const struct http_port http = {NULL, http_start, http_poll, http_drop};
static const struct clock_port wall = {NULL, now_ms};
static const struct google_account account = {.project = "learn"};

static void open_cloud(void)
{
    alarm(60);
    memset(pages, 0, sizeof pages);
    memset(statuses, 0, sizeof statuses);
    page = 0;
    cloud = cloud_open(&(struct cloud_ports){.http = &http, .clock = &wall, .variable = variable});
}

static void close_cloud(void)
{
    cloud_close(cloud);
    arena_done(&arena);
}

TestSuite(cloud_monitoring, .init = open_cloud, .fini = close_cloud);

static struct error failure; // of the newest `ask`
static enum progress ended;

static struct metric_sample ask_of(const char *yaml, struct metric_question question)
{
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample = {0};
    const struct metric_kind *kind = metric_kind_of(STR("cloud-monitoring"));
    const void *config = bind_yaml(&arena, "cloud-monitoring", yaml, &err);
    cr_assert(config, "%s", err.message);
    struct metric_setup setup = {
        .name = "m", .http = &http, .clock = &wall, .cloud = cloud, .google = &account};
    cr_assert(kind->open(config, &setup, &metric, &err), "%s", err.message);
    failure = (struct error){0};
    ended = PROGRESS_FAILED;
    if (kind->start(metric, &question, &reading, &failure)) {
        while ((ended = kind->poll(reading, &arena, &sample, &failure)) == PROGRESS_PENDING) {
            int64_t wake = kind->wake_ms(reading);
            now = wake > now && wake < INT64_MAX ? wake : now;
        }
        kind->drop(reading);
    }
    kind->close(metric);
    return sample;
}

// 08:00:30 to 08:01:30 of 2027-01-15.
static const struct metric_question minute = {.target = STR_INIT("web"),
                                              .revision = STR_INIT("v2\"x"),
                                              .baseline = STR_INIT("v1"),
                                              .from_ms = 1800000030000,
                                              .to_ms = 1800000090000,
                                              .windows = 1};

#define NUMBER(value)                                                                              \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"      \
    "\"value\":[1,\"" value "\"]}]}}"
#define POINT(time, value)                                                                         \
    "{\"interval\":{\"endTime\":\"2027-01-15T08:" time "Z\"},\"value\":{" value "}}"
#define SERIES(points) "{\"timeSeries\":[{\"points\":[" points "]}],\"unit\":\"1\"}"
#define COUNT(value) SERIES(POINT("01:30", "\"int64Value\":\"" value "\""))
#define PROMQL "{bad: 'b{r=\"${revision}\"}[${window}]', total: 't{r=\"${revision}\"}[${window}]'}"
#define FILTER "metric.type = \"run/count\" AND resource.labels.revision_name = \"${revision}\""
#define RATE "{bad: {filter: '" FILTER "'}, total: {filter: '" FILTER "'}}"
#define SPARSE "{bad: {filter: '" FILTER "', sparse: true}, total: {filter: '" FILTER "'}}"
#define VALUE "{filter: '" FILTER "', aligner: ALIGN_PERCENTILE_95, max: 800}"

static void expect_asked(size_t n, const char *words)
{
    cr_expect(str_search(asked[n], str_of(words)) != STR_NONE, "%s is not in " STR_FMT, words,
              STR_ARG(asked[n]));
}

static void expect_counts(const struct metric_sample *sample, struct counts counts)
{
    cr_assert(sample->has_value, "%s %s", sample->why, failure.message);
    cr_expect_eq(sample->counts.canary_bad, counts.canary_bad);
    cr_expect_eq(sample->counts.canary_total, counts.canary_total);
    cr_expect_eq(sample->counts.baseline_bad, counts.baseline_bad);
    cr_expect_eq(sample->counts.baseline_total, counts.baseline_total);
}

Test(cloud_monitoring, promql_of_the_release_and_of_the_baseline)
{
    pages[0] = NUMBER("2");
    pages[1] = NUMBER("100");
    pages[2] = NUMBER("1");
    pages[3] = NUMBER("90");
    struct metric_sample sample = ask_of(PROMQL, minute);
    expect_counts(&sample, (struct counts){2, 100, 1, 90});
    cr_expect_eq(page, 4);
    expect_asked(0, "https://monitoring.googleapis.com/v1/projects/learn/location/global/"
                    "prometheus/api/v1/query time=1800000090.000&query=");
    expect_asked(0, "r%3D%22v2%5Cx22x%22%7D%5B1m%5D");
    expect_asked(2, "r%3D%22v1%22");
}

Test(cloud_monitoring, time_series_are_aligned_over_the_interval)
{
    pages[0] = COUNT("2");
    pages[1] = COUNT("100");
    pages[2] = COUNT("1");
    pages[3] = COUNT("90");
    struct metric_sample sample = ask_of(RATE, minute);
    expect_counts(&sample, (struct counts){2, 100, 1, 90});
    expect_asked(0, "https://monitoring.googleapis.com/v3/projects/learn/timeSeries?filter="
                    "metric.type%20%3D%20%22run%2Fcount%22%20AND%20");
    expect_asked(0, "revision_name%20%3D%20%22v2%5C%22x%22&");
    expect_asked(0, "&interval.startTime=2027-01-15T08%3A00%3A30.000Z"
                    "&interval.endTime=2027-01-15T08%3A01%3A30.000Z"
                    "&aggregation.alignmentPeriod=60s"
                    "&aggregation.perSeriesAligner=ALIGN_DELTA"
                    "&aggregation.crossSeriesReducer=REDUCE_SUM");
}

Test(cloud_monitoring, missing_is_never_zero)
{
    static const struct {
        const char *yaml, *first, *second, *why;
    } rows[] = {
        {RATE, "{}", COUNT("9"), "`bad` of the release: no series; if that means none, say"},
        {RATE, "{}", "{}", "no series"},
        {SPARSE, "{}", "{}", "no series"},
        {SPARSE, COUNT("1"), "{}", "`total` of the release: no series"},
        {RATE, COUNT("50"), COUNT("9"), "larger than `total`"},
        {RATE, COUNT("-1"), COUNT("9"), "a negative count"},
        {RATE, "[]", COUNT("9"), "not an answer of timeSeries.list"},
        {RATE, "{\"timeSeries\":[{},{}]}", COUNT("9"), "2 series, not one: give a `reducer`"},
        {RATE, "{\"nextPageToken\":\"n\"}", COUNT("9"), "a further page"},
        {RATE, "{\"executionErrors\":[{\"message\":\"late\"}]}", COUNT("9"), "late"},
        {RATE, SERIES(POINT("01:30", "\"distributionValue\":{}")), COUNT("9"), "a distribution"},
        {RATE, SERIES("{}"), COUNT("9"), "a point without a time"},
        {RATE, SERIES(POINT("00:30", "\"int64Value\":\"1\"")), COUNT("9"), "no series"},
        {PROMQL, NUMBER("NaN"), NUMBER("9"), "the value is NaN"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct metric_question alone = minute;
        alone.baseline = (str){NULL, 0};
        page = 0;
        pages[0] = rows[i].first;
        pages[1] = rows[i].second;
        struct metric_sample sample = ask_of(rows[i].yaml, alone);
        const char *why = ended == PROGRESS_FAILED ? failure.message : sample.why;
        cr_expect_not(sample.has_value, "row %zu", i);
        cr_expect(why && strstr(why, rows[i].why), "row %zu: %s", i, why);
    }
}

Test(cloud_monitoring, what_has_no_series_before_there_is_any)
{
    pages[0] = "{}";
    pages[1] = COUNT("100");
    pages[2] = "{}";
    pages[3] = COUNT("90");
    struct metric_sample sample = ask_of(SPARSE, minute);
    expect_counts(&sample, (struct counts){0, 100, 0, 90});
}

Test(cloud_monitoring, a_value_of_time_series)
{
    pages[0] = SERIES(POINT("01:30", "\"doubleValue\":640.5"));
    struct metric_sample sample = ask_of(VALUE, minute);
    cr_assert(sample.has_value, "%s %s", sample.why, failure.message);
    cr_expect_eq(sample.value, 640.5);
    cr_expect(isnan(sample.baseline));
    cr_expect_eq(page, 1);
}

Test(cloud_monitoring, what_was_before)
{
    static const double bad[] = {0, 2}, total[] = {50, 60};
    struct metric_question history = minute;
    history.windows = 3;
    pages[0] = COUNT("2");
    pages[1] =
        SERIES(POINT("01:30", "\"int64Value\":\"60\"") "," POINT("00:30", "\"int64Value\":\"50\""));
    struct metric_sample sample = ask_of(SPARSE, history);
    cr_assert(sample.has_value, "%s %s", sample.why, failure.message);
    cr_assert_eq(sample.history.count, 3);
    cr_expect(isnan(sample.history.bad[0]) && isnan(sample.history.total[0]));
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(sample.history.bad[i + 1], bad[i]);
        cr_expect_eq(sample.history.total[i + 1], total[i]);
    }
    expect_asked(0, "startTime=2027-01-15T07%3A58%3A30.000Z");
}

Test(cloud_monitoring, less_than_a_minute_is_not_asked)
{
    struct metric_question cut = minute;
    cut.from_ms = cut.to_ms - 59999;
    struct metric_sample sample = ask_of(RATE, cut);
    cr_expect_not(sample.has_value);
    cr_expect_eq(ended, PROGRESS_DONE);
    cr_expect_eq(page, 0);
    cr_expect(strstr(sample.why, "shorter than a minute"), "%s", sample.why);
}

Test(cloud_monitoring, a_quota_is_waited_out_and_a_refusal_is_told)
{
    statuses[0] = 429;
    pages[0] = "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"q\"}}";
    pages[1] = NUMBER("3");
    struct metric_sample sample = ask_of("{query: 'q', max: 5}", minute);
    cr_assert(sample.has_value, "%s", failure.message);
    cr_expect_eq(page, 2);
    statuses[2] = 403;
    pages[2] = "{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\",\"message\":"
               "\"monitoring.timeSeries.list is missing\"}}";
    (void)ask_of("{query: 'q', max: 5}", minute);
    cr_expect_eq(ended, PROGRESS_FAILED);
    cr_expect_eq(failure.kind, ERROR_DENIED);
    cr_expect(strstr(failure.message, "monitoring.timeSeries.list"), "%s", failure.message);
}

Test(cloud_monitoring, without_a_project_it_does_not_open)
{
    struct error err = {0};
    struct metric *metric = NULL;
    const struct metric_kind *kind = metric_kind_of(STR("cloud-monitoring"));
    const void *config = bind_yaml(&arena, "cloud-monitoring", RATE, &err);
    struct metric_setup setup = {.name = "m", .http = &http, .clock = &wall, .cloud = cloud};
    cr_assert_not(kind->open(config, &setup, &metric, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect(strstr(err.message, "no Google Cloud project"), "%s", err.message);
}

Test(cloud_monitoring, what_is_refused_when_it_is_read)
{
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {"{max: 1}", "give `bad` and `total` (a rate), or `query` or `filter`"},
        {"{bad: q}", "`total` is missing"},
        {"{query: q}", "`query` needs `max`"},
        {"{filter: 'metric.type = \"a\"', max: 1}", "needs an `aligner`"},
        {"{filter: 'metric.type = \"a\"', aligner: p95, max: 1}", "`p95` is no aligner"},
        {"{filter: 'metric.type = \"a\"', aligner: ALIGN_MEAN, max: 1s}", "in the unit of the"},
        {"{filter: 'metric.type = \"a\"', aligner: ALIGN_MEAN, max: 1, every: 30s}", "60s or more"},
        {"{filter: 'a = ${revision}', aligner: ALIGN_MEAN, max: 1}", "in double quotes"},
        {"{query: q, filter: f, aligner: ALIGN_MEAN, max: 1}", "not both"},
        {"{query: q, aligner: ALIGN_MEAN, max: 1}", "say nothing without `filter`"},
        {"{bad: q, total: {filter: '" FILTER "'}, max: 1%}", "both be PromQL"},
        {"{bad: q, total: q}", "neither `bad` nor `total` names"},
        {"{query: q, compare: mann-whitney}", "nothing names `${revision}`"},
        {"{query: q, max: lots}", "not `lots`"},
        {"{query: q, max: 1, project: No Id}", "is no project id"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        cr_expect_not(bind_yaml(&arena, "cloud-monitoring", rows[i].yaml, &err), "row %zu", i);
        cr_expect(strstr(err.message, rows[i].words), "row %zu: %s", i, err.message);
    }
}
