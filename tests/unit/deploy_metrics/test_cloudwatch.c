// The whole source, with an HTTP port that answers from a list: what it asks, and what it makes of
// the answers.
#include "bind.h"

#include <math.h>

enum { PAGES = 24 };

static struct arena arena;
static struct cloud *cloud;
static const char *pages[PAGES]; // the answers to come
static long statuses[PAGES];     // 0 = 200
static str asked[PAGES];         // the forms that came
static size_t page;
static int64_t now = 1800000200000;

static bool http_start(void *self, const struct http_request *request, void **ret_job,
                       struct error *err)
{
    (void)self;
    (void)err;
    cr_assert_lt(page, PAGES);
    cr_assert(pages[page], "a call too many: " STR_FMT, STR_ARG(request->body));
    asked[page] = arena_str(&arena, request->body);
    *ret_job = &pages[page++];
    return true;
}

static enum progress http_poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    const char **at = job;
    (void)self;
    (void)err;
    long status = statuses[at - pages];
    *ret = (struct http_answer){.status = status ? status : 200,
                                .body = str_of(*at),
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
    return strcmp(name, "AWS_ACCESS_KEY_ID") == 0       ? "AKID"
           : strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "secret"
           : strcmp(name, "AWS_CONFIG_FILE") == 0 ||
                   strcmp(name, "AWS_SHARED_CREDENTIALS_FILE") == 0
               ? "/nowhere/at/all"
               : NULL;
}

static const struct http_port http = {NULL, http_start, http_poll, http_drop};
static const struct clock_port wall = {NULL, now_ms};
static const struct aws_account account = {.region = "eu-west-1"};

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

TestSuite(cloudwatch, .init = open_cloud, .fini = close_cloud);

static struct error failure; // of the newest `ask`
static enum progress ended;

static struct metric_sample ask_of(const char *yaml, struct metric_question question)
{
    static const struct template_value env[] = {{"env.CLUSTER", STR_INIT("blue")}, {0}};
    struct error err = {0};
    struct metric *metric;
    struct metric_reading *reading;
    struct metric_sample sample = {0};
    const struct metric_kind *kind = metric_kind_of(STR("cloudwatch"));
    const void *config = bind_yaml(&arena, "cloudwatch", yaml, &err);
    cr_assert(config, "%s", err.message);
    struct metric_setup setup = {.name = "m",
                                 .http = &http,
                                 .clock = &wall,
                                 .variables = env,
                                 .cloud = cloud,
                                 .aws = &account};
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

// 08:00:30 to 08:01:30 of 2027-01-15: the minute that begins at 08:01 is the one.
static const struct metric_question minute = {.target = STR_INIT("web"),
                                              .revision = STR_INIT("v2-ab"),
                                              .baseline = STR_INIT("v1&=%"),
                                              .from_ms = 1800000030000,
                                              .to_ms = 1800000090000,
                                              .windows = 1};

#define POINT(id, minute, value)                                                                   \
    "<member><Id>" id "</Id><Label>l</Label><StatusCode>Complete</StatusCode>"                     \
    "<Timestamps><member>2027-01-15T08:" minute ":00Z</member></Timestamps>"                       \
    "<Values><member>" value "</member></Values></member>"
#define NOTHING(id)                                                                                \
    "<member><Id>" id "</Id><Label>l</Label><StatusCode>Complete</StatusCode>"                     \
    "<Timestamps/><Values/></member>"
#define ANSWER(results)                                                                            \
    "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults>" results                      \
    "</MetricDataResults></GetMetricDataResult></GetMetricDataResponse>"
#define RATE "{namespace: L, dimensions: {Release: '${revision}'}, bad: E, total: R}"
#define SPARSE                                                                                     \
    "{namespace: L, dimensions: {Release: '${revision}'}, bad: {metric: E, sparse: true}, total: " \
    "R}"

static void expect_asked(size_t n, const char *words)
{
    cr_expect(str_search(asked[n], str_of(words)) != STR_NONE, "%s is not in " STR_FMT, words,
              STR_ARG(asked[n]));
}

Test(cloudwatch, one_call_asks_for_all_of_the_interval)
{
    pages[0] = ANSWER(POINT("canary_bad", "01", "2") POINT("canary_total", "01", "100")
                          POINT("baseline_bad", "01", "1") POINT("baseline_total", "01", "90"));
    struct metric_sample sample = ask_of(RATE, minute);
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.counts.canary_bad, 2);
    cr_expect_eq(sample.counts.canary_total, 100);
    cr_expect_eq(sample.counts.baseline_bad, 1);
    cr_expect_eq(sample.counts.baseline_total, 90);
    cr_expect_eq(page, 1);
    expect_asked(0, "Action=GetMetricData");
    expect_asked(0, "StartTime=2027-01-15T08%3A01%3A00.000Z");
    expect_asked(0, "EndTime=2027-01-15T08%3A02%3A00.000Z");
    expect_asked(0, "MetricDataQueries.member.1.MetricStat.Metric.MetricName=E");
    expect_asked(0, "MetricDataQueries.member.1.MetricStat.Stat=Sum");
    expect_asked(0, "MetricDataQueries.member.2.MetricStat.Metric.Dimensions.member.1.Value=v2-ab");
    expect_asked(0, "MetricDataQueries.member.4.MetricStat.Metric.Dimensions.member.1.Value="
                    "v1%26%3D%25");
    expect_asked(0, "MetricDataQueries.member.4.MetricStat.Period=60");
}

Test(cloudwatch, missing_is_never_zero)
{
    static const struct {
        const char *yaml, *answer, *why;
    } rows[] = {
        {RATE, ANSWER(NOTHING("canary_bad") NOTHING("canary_total")), "no data point"},
        {RATE, ANSWER(NOTHING("canary_bad") POINT("canary_total", "01", "9")), "`sparse: true`"},
        {SPARSE, ANSWER(NOTHING("canary_bad") NOTHING("canary_total")), "no data point"},
        {SPARSE, ANSWER(POINT("canary_bad", "01", "1") NOTHING("canary_total")),
         "a data point beside none of `total`"},
        {RATE, ANSWER(POINT("canary_bad", "01", "1")), "`total` of the release: no series"},
        {RATE, ANSWER(POINT("canary_bad", "01", "50") POINT("canary_total", "01", "9")),
         "larger than `total`"},
        {RATE, ANSWER(POINT("canary_bad", "01", "-1") POINT("canary_total", "01", "9")),
         "a negative count"},
        {"{namespace: L, metric: T, statistic: p95, max: 800ms}", ANSWER(NOTHING("canary_gauge")),
         "no data point with the unit Seconds"},
        {"{namespace: L, metric: T, statistic: p95, max: 1}", "<a", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct metric_question alone = minute;
        alone.baseline = (str){NULL, 0};
        page = 0;
        pages[0] = rows[i].answer;
        struct metric_sample sample = ask_of(rows[i].yaml, alone);
        const char *why = ended == PROGRESS_FAILED ? failure.message : sample.why;
        cr_expect_not(sample.has_value, "row %zu", i);
        cr_expect(why && strstr(why, rows[i].why), "row %zu: %s", i, why);
    }
}

Test(cloudwatch, what_is_published_only_where_there_is_any)
{
    pages[0] = ANSWER(NOTHING("canary_bad") POINT("canary_total", "01", "100")
                          NOTHING("baseline_bad") NOTHING("baseline_total"));
    struct metric_sample sample = ask_of(SPARSE, minute);
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.counts.canary_bad, 0);
    cr_expect_eq(sample.counts.canary_total, 100);
    cr_expect_eq(sample.counts.baseline_total, 0, "a baseline without traffic");
}

Test(cloudwatch, of_several_periods_the_worst_counts_against_a_bound)
{
    struct metric_question three = minute;
    three.to_ms += 120000;
    pages[0] = ANSWER("<member><Id>canary_gauge</Id><Label>l</Label><StatusCode>Complete"
                      "</StatusCode><Timestamps><member>2027-01-15T08:01:00Z</member><member>"
                      "2027-01-15T08:03:00Z</member></Timestamps><Values><member>0.9</member>"
                      "<member>0.2</member></Values></member>");
    struct metric_sample sample =
        ask_of("{namespace: L, metric: T, statistic: p95, max: 800ms}", three);
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_float_eq(sample.value, 0.9, 1e-12);
    cr_expect(isnan(sample.baseline));
    expect_asked(0, "MetricStat.Unit=Seconds");
}

Test(cloudwatch, a_gauge_that_is_compared)
{
    pages[0] = ANSWER(POINT("canary_gauge", "01", "3") POINT("baseline_gauge", "01", "4"));
    struct metric_sample sample = ask_of("{inputs: {t: {namespace: L, metric: T, statistic: p95, "
                                         "dimensions: {R: '${revision}', C: '${env.CLUSTER}'}}}, "
                                         "expression: '${t} * ${period}', compare: mann-whitney}",
                                         minute);
    cr_assert(sample.has_value, "%s", sample.why);
    cr_expect_eq(sample.value, 3);
    cr_expect_eq(sample.baseline, 4);
    expect_asked(0, "MetricDataQueries.member.1.Id=canary_in_t");
    expect_asked(0, "MetricDataQueries.member.1.ReturnData=false");
    expect_asked(0, "Dimensions.member.2.Value=blue");
    expect_asked(0, "MetricDataQueries.member.2.Expression=canary_in_t%20%2A%2060");
    expect_asked(0, "MetricDataQueries.member.4.Expression=baseline_in_t%20%2A%2060");
}

Test(cloudwatch, a_value_that_could_end_its_quotes_is_not_asked)
{
    struct metric_question odd = minute;
    odd.revision = STR("v2' OR 'a' = 'a");
    struct metric_sample sample =
        ask_of("{expression: \"SELECT AVG(T) FROM L WHERE R = '${revision}'\", max: 1}", odd);
    cr_expect_not(sample.has_value);
    cr_expect_eq(ended, PROGRESS_FAILED);
    cr_expect(strstr(failure.message, "cannot stand in an expression"), "%s", failure.message);
    cr_expect_eq(page, 0);
}

Test(cloudwatch, pages_are_asked_for_until_there_is_none)
{
    pages[0] = "<GetMetricDataResponse><GetMetricDataResult><NextToken>a/b=</NextToken>"
               "<MetricDataResults>" POINT("canary_bad", "01", "2") NOTHING("baseline_bad")
                   NOTHING("baseline_total") "</MetricDataResults></GetMetricDataResult>"
                                             "</GetMetricDataResponse>";
    pages[1] = ANSWER(POINT("canary_total", "01", "100"));
    struct metric_sample sample = ask_of(RATE, minute);
    cr_assert(sample.has_value, "%s %s", sample.why, failure.message);
    cr_expect_eq(sample.counts.canary_bad, 2);
    cr_expect_eq(sample.counts.canary_total, 100);
    cr_expect_eq(page, 2);
    expect_asked(1, "NextToken=a%2Fb%3D");
    expect_asked(1, "MetricDataQueries.member.4.Id=baseline_total");
}

Test(cloudwatch, an_answer_without_an_end_is_given_up)
{
    for (size_t i = 0; i < PAGES; i++)
        pages[i] = i % 2 ? "<R><GetMetricDataResult><NextToken>a</NextToken><MetricDataResults/>"
                           "</GetMetricDataResult></R>"
                         : "<R><GetMetricDataResult><NextToken>b</NextToken><MetricDataResults/>"
                           "</GetMetricDataResult></R>";
    (void)ask_of(RATE, minute);
    cr_expect_eq(ended, PROGRESS_FAILED);
    cr_expect(strstr(failure.message, "has no end"), "%s", failure.message);
    cr_expect_lt(page, PAGES);
}

Test(cloudwatch, throttling_is_waited_out_and_a_refusal_is_told)
{
    statuses[0] = 400;
    pages[0] = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message>"
               "</Error></ErrorResponse>";
    pages[1] = ANSWER(POINT("canary_gauge", "01", "3"));
    struct metric_sample sample =
        ask_of("{namespace: L, metric: T, statistic: p95, max: 5}", minute);
    cr_assert(sample.has_value, "%s", failure.message);
    cr_expect_eq(page, 2);
    statuses[2] = 403;
    pages[2] = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: "
               "cloudwatch:GetMetricData</Message></Error></ErrorResponse>";
    (void)ask_of("{namespace: L, metric: T, statistic: p95, max: 5}", minute);
    cr_expect_eq(ended, PROGRESS_FAILED);
    cr_expect_eq(failure.kind, ERROR_DENIED);
    cr_expect(strstr(failure.message, "cloudwatch:GetMetricData"), "%s", failure.message);
}

Test(cloudwatch, what_was_before_in_its_periods)
{
    struct metric_question history = minute;
    history.windows = 4;
    history.baseline = (str){NULL, 0};
    pages[0] = ANSWER(
        POINT("canary_bad", "00",
              "2") "<member><Id>canary_total</Id><Label>l</Label>"
                   "<StatusCode>Complete</StatusCode><Timestamps><member>2027-01-15T08:00:00Z"
                   "</member><member>2027-01-15T08:01:00Z</member></Timestamps><Values><member>"
                   "50</member><member>60</member></Values></member>");
    struct metric_sample sample = ask_of(SPARSE, history);
    cr_assert(sample.has_value, "%s", sample.why);
    cr_assert_eq(sample.history.count, 4);
    static const double bad[] = {NAN, NAN, 2, 0}, total[] = {NAN, NAN, 50, 60};
    for (size_t i = 0; i < 4; i++) {
        cr_expect(isnan(bad[i]) ? isnan(sample.history.bad[i]) : sample.history.bad[i] == bad[i],
                  "%zu: %g", i, sample.history.bad[i]);
        cr_expect(isnan(total[i]) ? isnan(sample.history.total[i])
                                  : sample.history.total[i] == total[i],
                  "%zu: %g", i, sample.history.total[i]);
        cr_expect(isnan(sample.history.value[i]));
    }
    expect_asked(0, "StartTime=2027-01-15T07%3A58%3A00.000Z");
}

Test(cloudwatch, an_interval_in_which_no_period_begins_asks_nothing)
{
    struct metric_question cut = minute;
    cut.to_ms = cut.from_ms + 5000;
    struct metric_sample sample = ask_of(RATE, cut);
    cr_expect_not(sample.has_value);
    cr_expect_eq(ended, PROGRESS_DONE);
    cr_expect(strstr(sample.why, "shorter than a period"), "%s", sample.why);
    cr_expect_eq(page, 0);
}

Test(cloudwatch, without_a_region_it_does_not_open)
{
    struct error err = {0};
    struct metric *metric = NULL;
    const struct metric_kind *kind = metric_kind_of(STR("cloudwatch"));
    const void *config = bind_yaml(&arena, "cloudwatch", RATE, &err);
    struct metric_setup setup = {.name = "m", .http = &http, .clock = &wall, .cloud = cloud};
    cr_assert_not(kind->open(config, &setup, &metric, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect(strstr(err.message, "no AWS region"), "%s", err.message);
}
