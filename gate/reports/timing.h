// How fast something was: one row for each endpoint, request name or transaction of one load test,
// and the verdicts that the load test gave itself.
//
// All times are milliseconds; NaN = the report does not say. A row's percentiles are those that the
// report states, never interpolated from others. Reports of single requests (JMeter) are summed up
// to a row for each name by the reader, with exact percentiles (nearest rank).
#ifndef GATE_REPORTS_TIMING_H
#define GATE_REPORTS_TIMING_H

#include "gate/base/error.h"
#include "gate/base/str.h"

#include <stdint.h>

struct evidence;

struct timing {
    str name; // "GET /api/courses"; empty = the whole run
    uint64_t requests, failures;
    bool counted; // requests and failures are said
    double min_ms, mean_ms, p50_ms, p75_ms, p90_ms, p95_ms, p99_ms, max_ms;
    double per_second; // requests; NaN
    double queries;    // database queries of one request, the largest; NaN
    int64_t from_ms;   // when it began; 0 = not said
    double duration_s; // of the run; NaN
    uint32_t report;
    uint64_t offset;
};

struct timing timing_unknown(str name); // every figure NaN, nothing counted

// A threshold or assertion inside the report, with the tool's own answer.
struct timing_check {
    str name; // "http_req_duration: p(95)<300"
    bool breached;
    uint32_t report;
    uint64_t offset;
};

struct timings {
    struct timing *rows;
    size_t count, room;
    struct timing_check *checks;
    size_t check_count, check_room;
};

// Copies strings. A negative or infinite figure, more failures than requests: ERROR_INPUT.
// ERROR_LIMIT past LIMIT_TIMINGS.
bool timing_add(struct evidence *evidence, const struct timing *one, struct error *err);
bool timing_check_add(struct evidence *evidence, const struct timing_check *one, struct error *err);

// What every reader of timings does last: a report without row and check is empty, and says so. In
// one that ends with its last line (`cut_short`: that line has no end) more lines may be missing.
void timing_report_end(struct evidence *evidence, uint32_t report, bool cut_short);

struct timing_totals {
    uint64_t rows, requests, failures, checks, breached;
};
// Requests are those of the whole-run row, or of all named rows where a report has none that is
// counted: names may overlap.
struct timing_totals timings_totals(const struct timings *timings);

#endif
