// A metric source is a table entry: one sample is started and polled. It says what it saw for the
// release that goes out (canary) and for the one that serves the rest (baseline), over one
// interval.
#ifndef DEPLOY_METRICS_METRIC_H
#define DEPLOY_METRICS_METRIC_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/google_account.h"
#include "gate/base/arena.h"
#include "gate/base/ports.h"
#include "gate/base/template.h"
#include "gate/doc/shape.h"
#include "gate/judge/burn_rate.h"
#include "gate/judge/eprocess.h"

struct metric_endpoint {
    str host;
    const struct exec_variable *variables; // ends with a null name
    bool canary;                           // serves the release that goes out
};

struct metric_question {
    str target;
    str revision, baseline;                  // as the target calls them
    const struct metric_endpoint *endpoints; // of targets that have any
    size_t endpoint_count;
    int64_t from_ms, to_ms;
    // More than 1: of how many intervals of this length, one after another and the last one being
    // this, it is to tell of `revision` alone (metric_traits.has_history).
    uint32_t windows;
};

struct metric_history { // oldest first, in the arena; NaN where nothing is known
    size_t count;
    const double *bad, *total; // of a rate
    const double *value;       // of a gauge
};

struct metric_sample {
    bool has_value; // false: nothing usable (no series, NaN, a source that errors); `why` says
    struct counts counts; // of rate metrics
    double value;         // of gauges
    double baseline;      // of gauges that are compared; NaN where there is no baseline
    struct burn_counts burn[BURN_WINDOWS]; // of burn rates
    struct metric_history history;         // what was asked for with `windows`
    const char *why;                       // in the arena
    bool unanswered; // there is no value because the source did not answer, or refused
};

struct metric;
struct metric_reading;

struct metric_setup {
    const char *name;
    const struct http_port *http;
    const struct clock_port *clock;
    const struct template_value *variables; // env.*
    struct cloud *cloud;                    // of sources that are a cloud's
    const struct aws_account *aws;       // unless their section says otherwise; null = none given
    const struct google_account *google; // likewise
};

struct metric_traits {            // what the plan needs to know
    bool is_rate;                 // counts of bad and total; else a gauge with a bound, but for
    bool compares;                // a gauge whose values are compared with those of the baseline,
    double confidence, tolerance; // by these two; see gate/judge/compare.h
    double budget; // above 0: counts that burn an error budget; see gate/judge/burn_rate.h
    int64_t every_ms, lag_ms;
    double max; // bound of a gauge, or the highest accepted share; < 0 = none
    uint32_t failure_limit, error_limit;
    bool has_baseline;          // can tell canary from baseline
    bool has_history;           // can tell of what was before
    bool has_identity;          // asks as somebody: whether it may is seen before a rollout
    double expected_per_minute; // exposures of one endpoint, when the source itself makes them; 0 =
                                // unknown
};

struct metric_kind {
    const char *name;          // "probe"
    const struct shape *shape; // of its section in `metrics:`, without `source`
    bool own; // it makes its figures when it is asked: of the time before it can tell nothing
    void (*traits)(const void *config, struct metric_traits *ret);
    bool (*open)(const void *config, const struct metric_setup *setup, struct metric **ret,
                 struct error *err);
    bool (*start)(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err);
    // FAILED: a sample without a value, and *err says why; its retry_after_ms, how long the source
    // asked to be left alone.
    enum progress (*poll)(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err);
    // When to poll again at the latest, though nothing has come for the reading: a pause before it
    // is tried again. Null: it only ever waits for answers.
    int64_t (*wake_ms)(const struct metric_reading *reading);
    void (*drop)(struct metric_reading *reading);
    void (*close)(struct metric *metric);
};

extern const struct metric_kind *const metric_kinds[]; // ends with null
const struct metric_kind *metric_kind_of(str name);

#endif
