#include "metric_rows.h"

// ---- PromQL ------------------------------------------------------------------------------------

#define VECTOR                                                                                     \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"      \
    "\"value\":[1800000090,\"#\"]}]}}"
static const struct hostile_line prometheus_lines[] = {{"/api/v1/query", VECTOR, 0}, {0}};

#define PROM "url: \"https://prom.example\"\ntoken: \"${env.TOKEN}\"\n"
#define BAD "bad: 'sum(increase(e{rev=\"${revision}\"}[${window}]))'\n"
#define TOTAL "total: 'sum(increase(t{rev=\"${revision}\"}[${window}]))'\n"
#define QUERY "query: 'max(q{rev=\"${revision}\"})'\nmax: 5\n"
// rev="v2\x22b\\c}{\x27\x60&x=1#"}
#define PROM_EVIL "rev%3D%22v2%5Cx22b%5C%5Cc%7D%7B%5Cx27%5Cx60%26x%3D1%23%22%7D"

// ---- CloudWatch --------------------------------------------------------------------------------

#define FIGURE(id)                                                                                 \
    "<member><Id>" id "</Id><Label>l</Label><StatusCode>Complete</StatusCode>"                     \
    "<Timestamps><member>2027-01-15T08:01:00Z</member></Timestamps>"                               \
    "<Values><member>#</member></Values></member>"
#define DATA(figures)                                                                              \
    "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults>" figures                      \
    "</MetricDataResults></GetMetricDataResult></GetMetricDataResponse>"
static const struct hostile_line cloudwatch_lines[] = {
    {"Action=GetMetricData",
     DATA(FIGURE("canary_bad") FIGURE("canary_total") FIGURE("baseline_bad")
              FIGURE("baseline_total")),
     0},
    {0},
};
static const struct hostile_line gauge_lines[] = {
    {"Action=GetMetricData", DATA(FIGURE("canary_gauge")), 0},
    {0},
};

// ---- Cloud Monitoring --------------------------------------------------------------------------

static const struct hostile_line series_lines[] = {
    {"/timeSeries?",
     "{\"timeSeries\":[{\"points\":[{\"interval\":{\"endTime\":\"2027-01-15T08:01:30Z\"},"
     "\"value\":{\"doubleValue\":\"#\"}}]}],\"unit\":\"1\"}",
     0},
    {0},
};
#define FILTER "'metric.type = \"run/count\" AND resource.labels.revision_name = \"${revision}\"'"

static const struct hostile_line probe_lines[] = {{"GET http://app", "it is well", 0}, {0}};

static const char *const prometheus_calls[] = {"bad", "total", "query", "release", NULL};
static const char *const cloudwatch_calls[] = {
    "cloudwatch ", "CloudWatch", "AWS", "sts ", "OIDC", "total", "bad", "release", "metric", NULL};
static const char *const monitoring_calls[] = {"monitoring", "Google", "OIDC",    "bad",
                                               "total",      "query",  "release", NULL};
static const char *const probe_calls[] = {"app", NULL};

const struct metric_row metric_rows[] = {
    {
        .kind = "probe",
        .name = "probe of a rate",
        .yaml = "url: \"http://${host}:80/${revision}/\"\nrequests: 20\n",
        .lines = probe_lines,
        .calls = probe_calls,
        .escaped = "/v2%22b%5Cc%7D%7B%27%60%26x%3D1%23/",
    },
    {
        .kind = "probe",
        .name = "probe with a threshold",
        .yaml = "url: \"http://${host}:80/?r=${revision}&s\"\nmax_failures: 3\n",
        .lines = probe_lines,
        .calls = probe_calls,
        .escaped = "?r=v2%22b%5Cc%7D%7B%27%60%26x%3D1%23&s",
    },
    {
        .kind = "prometheus",
        .name = "prometheus of a rate",
        .yaml = PROM BAD TOTAL,
        .lines = prometheus_lines,
        .calls = prometheus_calls,
        .escaped = PROM_EVIL,
    },
    {
        .kind = "prometheus",
        .name = "prometheus of a gauge",
        .yaml = PROM QUERY,
        .lines = prometheus_lines,
        .negative = true,
        .calls = prometheus_calls,
        .escaped = PROM_EVIL,
    },
    {
        .kind = "prometheus",
        .name = "prometheus of a budget",
        .yaml = PROM BAD TOTAL "burn_rate: {slo: 99.9%}\n",
        .lines = prometheus_lines,
        .calls = prometheus_calls,
        .escaped = PROM_EVIL,
    },
    {
        .kind = "cloudwatch",
        .name = "cloudwatch of a rate",
        .yaml = "namespace: L\ndimensions: {Release: \"${revision}\"}\nbad: E\ntotal: R\n",
        .lines = cloudwatch_lines,
        .calls = cloudwatch_calls,
        .escaped = "Value=v2%22b%5Cc%7D%7B%27%60%26x%3D1%23&",
    },
    {
        .kind = "cloudwatch",
        .name = "cloudwatch of a gauge",
        .yaml = "namespace: L\nmetric: T\nstatistic: p95\nmax: 1\n"
                "dimensions: {Release: \"${revision}\"}\n",
        .lines = gauge_lines,
        .negative = true,
        .calls = cloudwatch_calls,
        .escaped = "Value=v2%22b%5Cc%7D%7B%27%60%26x%3D1%23",
    },
    {
        .kind = "cloudwatch",
        .name = "cloudwatch of an expression",
        .yaml = "expression: 'SELECT AVG(T) FROM L WHERE Release = ''${revision}'''\nmax: 1\n",
        .lines = gauge_lines,
        .negative = true,
        .calls = cloudwatch_calls,
    },
    {
        .kind = "cloud-monitoring",
        .name = "cloud-monitoring in PromQL",
        .yaml = "project: p\n" BAD TOTAL,
        .lines = prometheus_lines,
        .calls = monitoring_calls,
        .escaped = PROM_EVIL,
    },
    {
        .kind = "cloud-monitoring",
        .name = "cloud-monitoring of time series",
        .yaml = "project: p\nbad: {filter: " FILTER "}\ntotal: {filter: " FILTER "}\n",
        .lines = series_lines,
        .calls = monitoring_calls,
        .escaped = "%22v2%5C%22b%5C%5Cc%7D%7B%27%60%26x%3D1%23%22&",
    },
    {0},
};
