// k6's summary, in both layouts: that of `--summary-export`, where a metric holds its figures and a
// threshold is true when it was *breached*; and that of handleSummary, where a metric has `values`
// and a threshold is {"ok": …}. Rows are made of http_req_duration (or grpc_req_duration) and of
// each of its submetrics, joined with the http_reqs and http_req_failed of the same tags.
#include "gate/reports/json_walk.h"
#include "gate/reports/k6_metrics.h"
#include "gate/reports/registry.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"

enum {
    ROOT = 1,
    METRICS,
    METRIC,
    CONTAINS,
    VALUES,
    FIGURE,
    THRESHOLDS,
    THRESHOLD, // true or false, or a map
    OK,
    STATE,
    DURATION,
    GROUPS,
    GROUP,
    CHECKS,
    CHECK,
    CHECK_PATH,
    CHECK_NAME,
    CHECK_PASSES,
    CHECK_FAILS,
};

static const struct json_step steps[] = {{JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
                                         {ROOT, "metrics", METRICS | JSON_IS_MAP},
                                         {METRICS, "*", METRIC | JSON_IS_MAP},
                                         {METRIC, "contains", CONTAINS | JSON_IS_TEXT},
                                         {METRIC, "values", VALUES | JSON_IS_MAP},
                                         {METRIC, "thresholds", THRESHOLDS | JSON_IS_MAP},
                                         {METRIC, "*", FIGURE},
                                         {VALUES, "*", FIGURE},
                                         {THRESHOLDS, "*", THRESHOLD | JSON_IS_MAP | JSON_IS_BOOL},
                                         {THRESHOLD, "ok", OK | JSON_IS_BOOL},
                                         {ROOT, "state", STATE | JSON_IS_MAP},
                                         {STATE, "testRunDurationMs", DURATION | JSON_IS_NUMBER},
                                         {ROOT, "root_group", GROUP | JSON_IS_MAP},
                                         {GROUP, "groups", GROUPS | JSON_IS_MAP | JSON_IS_LIST},
                                         {GROUPS, "*", GROUP | JSON_IS_MAP},
                                         {GROUPS, NULL, GROUP | JSON_IS_MAP},
                                         {GROUP, "checks", CHECKS | JSON_IS_MAP | JSON_IS_LIST},
                                         {CHECKS, "*", CHECK | JSON_IS_MAP},
                                         {CHECKS, NULL, CHECK | JSON_IS_MAP},
                                         {CHECK, "path", CHECK_PATH | JSON_IS_TEXT},
                                         {CHECK, "name", CHECK_NAME | JSON_IS_TEXT},
                                         {CHECK, "passes", CHECK_PASSES | JSON_IS_NUMBER},
                                         {CHECK, "fails", CHECK_FAILS | JSON_IS_NUMBER},
                                         {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct k6_metrics metrics;
    struct k6_metric *metric; // the one that is open
    struct text metric_name, threshold, path, check;
    struct text name;       // that is being put together
    bool breached, decided; // the threshold at hand
    uint64_t offset;        // of it
    uint64_t passes, fails; // of the check at hand, and of all of them
    uint64_t all_passes, all_fails;
    uint64_t check_offset;
    unsigned counts; // of passes and fails, how many the check at hand has said
    bool any_check;
};

static int recognise(const struct report_head *head)
{
    static const char *const builtin[] = {
        "http_req_duration", "http_reqs",        "iterations",        "vus",
        "data_received",     "http_req_waiting", "iteration_duration"};
    unsigned known = 0;
    if (report_head_type(head, "metrics", NULL) != JSON_MAP_OPEN)
        return 0;
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        known += report_head_type(head, "metrics", builtin[i], NULL) == JSON_MAP_OPEN;
    if (known >= 2)
        return 90;
    bool state = report_head_has(head, "state", "testRunDurationMs", NULL);
    bool group = report_head_has(head, "root_group", "checks", NULL) &&
                 report_head_has(head, "root_group", "groups", NULL);
    return (state && group) || (known && (state || group)) ? 85 : 0;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case METRIC:
        text_clear(&r->metric_name);
        text_add(&r->metric_name, key);
        r->metric = k6_metrics_add(&r->metrics, key, event, err);
        return r->metric != NULL;
    case THRESHOLD:
        text_clear(&r->threshold);
        text_add(&r->threshold, key);
        r->decided = false;
        r->offset = event->offset;
        return true;
    case CHECK:
        text_clear(&r->path);
        text_clear(&r->check);
        r->passes = r->fails = 0;
        r->counts = 0;
        r->check_offset = event->offset;
        return true;
    default:
        return true;
    }
}

static bool add_threshold(struct reading *r, str threshold, struct error *err)
{
    text_clear(&r->name);
    text_add(&r->name, text_str(&r->metric_name));
    text_adds(&r->name, ": ");
    text_add(&r->name, threshold);
    struct timing_check check = {text_str(&r->name), r->breached, r->report, r->offset};
    return timing_check_add(r->evidence, &check, err);
}

static bool read_figure(struct reading *r, str key, const struct json_event *event,
                        struct error *err)
{
    double *to = k6_metric_figure(r->metric, key);
    if (!to || event->type != JSON_NUMBER)
        return !to || error_set(err, ERROR_INPUT, "`" STR_FMT "` of the metric is no number",
                                STR_ARG(str_shorten(key, 40)));
    if (number_double(event->text, to))
        return true;
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` of the metric is out of range",
                     STR_ARG(str_shorten(key, 40)));
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case CONTAINS:
        r->metric->is_time = str_is(event->text, "time");
        return true;
    case FIGURE:
        return read_figure(r, key, event, err);
    case THRESHOLD: // summary export: the flag says that it was breached
        r->breached = event->type == JSON_TRUE;
        r->offset = event->offset;
        return add_threshold(r, key, err);
    case OK:
        r->breached = event->type == JSON_FALSE;
        r->decided = true;
        return true;
    case DURATION:
        if (!number_double(event->text, &r->metrics.duration_ms) || r->metrics.duration_ms < 0)
            return error_set(err, ERROR_INPUT, "`testRunDurationMs` is no duration");
        return true;
    case CHECK_PATH:
    case CHECK_NAME:
        text_clear(place == CHECK_PATH ? &r->path : &r->check);
        text_add(place == CHECK_PATH ? &r->path : &r->check, event->text);
        return true;
    case CHECK_PASSES:
    case CHECK_FAILS:
        r->counts++;
        return json_walk_count(r->walk, event, "a number of checks",
                               place == CHECK_PASSES ? &r->passes : &r->fails, err);
    default:
        return true;
    }
}

// A check is a row without times: what failed of how many.
static bool end_check(struct reading *r, struct error *err)
{
    str path = text_str(r->path.len ? &r->path : &r->check);
    struct timing row;
    if (r->counts != 2 || path.len == 0)
        return error_set(err, ERROR_INPUT,
                         "a check ends here that has not each of a name, passes and fails");
    if (str_starts(path, STR("::")))
        path = str_from(path, 2);
    text_clear(&r->name);
    text_adds(&r->name, "check: ");
    text_add(&r->name, path);
    row = timing_unknown(text_str(&r->name));
    row.counted = true;
    row.failures = r->fails;
    row.report = r->report;
    row.offset = r->check_offset;
    bool ok = !__builtin_add_overflow(r->passes, r->fails, &row.requests) &&
              !__builtin_add_overflow(r->all_passes, r->passes, &r->all_passes) &&
              !__builtin_add_overflow(r->all_fails, r->fails, &r->all_fails);
    ok = ok ? timing_add(r->evidence, &row, err)
            : error_set(err, ERROR_INPUT, "the checks do not fit into 64 bits");
    r->any_check = true;
    return ok;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == CHECK)
        return end_check(r, err);
    if (place == THRESHOLD && !r->decided)
        return error_set(err, ERROR_INPUT, "a threshold ends here that does not say `ok`");
    return place != THRESHOLD || add_threshold(r, text_str(&r->threshold), err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->metric_name = r->threshold = r->path = r->check = text_of(LIMIT_TOKEN_BYTES);
    r->name = text_of((size_t)LIMIT_TOKEN_BYTES * 2 + 8);
    k6_metrics_init(&r->metrics);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    double passes, fails;
    if (!json_walk_end(r->walk, err) || !k6_metrics_rows(&r->metrics, r->evidence, r->report, err))
        return false;
    if (r->any_check && k6_metrics_checks(&r->metrics, &passes, &fails) &&
        (passes != (double)r->all_passes || fails != (double)r->all_fails))
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "its metric `checks` has %.0f that passed and %.0f that failed, and the "
                       "checks that it lists add up to %llu and %llu",
                       passes, fails, (unsigned long long)r->all_passes,
                       (unsigned long long)r->all_fails);
    timing_report_end(r->evidence, r->report, false);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    k6_metrics_done(&r->metrics);
    text_done(&r->metric_name);
    text_done(&r->threshold);
    text_done(&r->path);
    text_done(&r->check);
    text_done(&r->name);
    memory_free(r);
}

const struct report_reader k6_reader = {
    .name = "k6",
    .title = "k6's summary",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
