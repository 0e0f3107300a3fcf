// The metrics of a k6 summary, kept until all are there, and the rows that they make together: a
// metric such as `http_req_duration{name:GET /x}` is its base and its tags, and what has the same
// tags is of the same requests.
#ifndef GATE_REPORTS_K6_METRICS_H
#define GATE_REPORTS_K6_METRICS_H

#include "gate/doc/json_stream.h"
#include "gate/reports/evidence.h"

enum k6_figure { // of a metric; which of them it has tells its kind
    K6_LEAST,
    K6_MOST,
    K6_MEAN,
    K6_P50,
    K6_P75,
    K6_P90,
    K6_P95,
    K6_P99,
    K6_PASSES,
    K6_FAILS,
    K6_COUNT,
    K6_RATE,
    K6_VALUE,
    K6_FIGURES,
};

struct k6_metric {
    str base, tags; // "http_req_duration", "name:GET /x"; tags empty for all of them
    uint64_t offset;
    uint32_t line;
    uint32_t next;              // of its chain
    bool is_time;               // its figures are milliseconds, as handleSummary says
    double figures[K6_FIGURES]; // NaN = not said
};

struct k6_metrics {
    struct arena arena;
    struct k6_metric *items;
    size_t count, room;
    uint32_t *chains; // by base and tags, once all are there: index + 1, 0 = none
    size_t chain_count;
    uint64_t tagged;    // of the bases that have tags a bit each, by their hash
    double duration_ms; // of the run, as it is said; NaN = not said
    double run_s;       // the same, or made of rates, once all are there
};

void k6_metrics_init(struct k6_metrics *metrics);
// Copies the name; the pointer is valid until the next call. Null: ERROR_LIMIT past LIMIT_TIMINGS.
struct k6_metric *k6_metrics_add(struct k6_metrics *metrics, str name,
                                 const struct json_event *event, struct error *err);
// Where a figure of that name ("avg", "p(95)", "count") belongs; null for one that is not wanted.
double *k6_metric_figure(struct k6_metric *metric, str name);
// Rows of the evidence: the whole run, one for each tagged submetric, one for each trend of the
// user's own that is a time.
bool k6_metrics_rows(struct k6_metrics *metrics, struct evidence *evidence, uint32_t report,
                     struct error *err);
// Passes and fails of the metric `checks`, once the rows are made; false when there is none.
bool k6_metrics_checks(const struct k6_metrics *metrics, double *ret_passes, double *ret_fails);
void k6_metrics_done(struct k6_metrics *metrics);

#endif
