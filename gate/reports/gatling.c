// Gatling's report folder: js/stats.json (the tree of groups and requests), js/global_stats.json
// (its root alone) and js/assertions.json. Percentiles are named by position there: the first to
// the fourth are the 50th, 75th, 95th and 99th, as Gatling has them unless it is told otherwise.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"

#include <math.h>

enum {
    ROOT = 1, // a node of the tree, or the figures themselves
    TYPE,
    NODE_NAME,
    PATH,
    FIGURES,
    CONTENTS,
    NODE,
    NAME,
    REQUESTS,
    LEAST,
    MOST,
    MEAN,
    P50,
    P75,
    P95,
    P99,
    RATE,
    VALUE, // of one of these: total, ok, ko
    START,
    ASSERTIONS,
    ASSERTION,
    RESULT,
    MESSAGE,
};

#define FIGURES_OF(place)                                                                          \
    {place, "numberOfRequests", REQUESTS | JSON_IS_MAP},                                           \
        {place, "minResponseTime", LEAST | JSON_IS_MAP},                                           \
        {place, "maxResponseTime", MOST | JSON_IS_MAP},                                            \
        {place, "meanResponseTime", MEAN | JSON_IS_MAP},                                           \
        {place, "percentiles1", P50 | JSON_IS_MAP}, {place, "percentiles2", P75 | JSON_IS_MAP},    \
        {place, "percentiles3", P95 | JSON_IS_MAP}, {place, "percentiles4", P99 | JSON_IS_MAP},    \
    {                                                                                              \
        place, "meanNumberOfRequestsPerSecond", RATE | JSON_IS_MAP                                 \
    }

static const struct json_step steps[] = {{JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
                                         {ROOT, "type", TYPE | JSON_IS_TEXT},
                                         {ROOT, "name", NODE_NAME | JSON_IS_TEXT},
                                         {ROOT, "path", PATH | JSON_IS_TEXT},
                                         {ROOT, "stats", FIGURES | JSON_IS_MAP},
                                         {ROOT, "contents", CONTENTS | JSON_IS_MAP},
                                         {ROOT, "start", START},
                                         {ROOT, "assertions", ASSERTIONS | JSON_IS_LIST},
                                         FIGURES_OF(ROOT),
                                         {CONTENTS, "*", NODE | JSON_IS_MAP},
                                         {NODE, "type", TYPE | JSON_IS_TEXT},
                                         {NODE, "name", NODE_NAME | JSON_IS_TEXT},
                                         {NODE, "path", PATH | JSON_IS_TEXT},
                                         {NODE, "stats", FIGURES | JSON_IS_MAP},
                                         {NODE, "contents", CONTENTS | JSON_IS_MAP},
                                         FIGURES_OF(FIGURES),
                                         {REQUESTS, "*", VALUE},
                                         {LEAST, "*", VALUE},
                                         {MOST, "*", VALUE},
                                         {MEAN, "*", VALUE},
                                         {P50, "*", VALUE},
                                         {P75, "*", VALUE},
                                         {P95, "*", VALUE},
                                         {P99, "*", VALUE},
                                         {RATE, "*", VALUE},
                                         {ASSERTIONS, NULL, ASSERTION | JSON_IS_MAP},
                                         {ASSERTION, "result", RESULT | JSON_IS_BOOL},
                                         {ASSERTION, "message", MESSAGE | JSON_IS_TEXT},
                                         {0}};

struct branch { // a node of the tree, while it is open
    struct timing row;
    struct text name, path;
    bool is_request;
    uint64_t ok, total, failed; // as numberOfRequests has them
    unsigned counts;            // how many of these three were there
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct branch branches[LIMIT_DOC_DEPTH];
    unsigned depth;              // open branches
    int group;                   // of figures: REQUESTS to RATE
    uint64_t requests, failures; // of the requests of the tree
    bool any_request, is_assertions;
    struct text message;
    enum { NO_RESULT, HOLDS, BREACHED } result;
    uint64_t offset; // of the assertion
    int64_t start_ms;
};

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->values > 1)
        return 0;
    bool tree = report_head_has(head, "stats", "numberOfRequests", "total", NULL);
    bool alone = report_head_has(head, "numberOfRequests", "total", NULL) &&
                 report_head_has(head, "meanNumberOfRequestsPerSecond", NULL);
    bool asserted = report_head_has(head, "simulation", NULL) &&
                    report_head_has(head, "simulationId", NULL) &&
                    report_head_has(head, "assertions", NULL);
    return tree || alone || asserted ? 90 : 0;
}

static struct branch *branch_of(struct reading *r)
{
    return &r->branches[r->depth - 1];
}

static void open_branch(struct reading *r, const struct json_event *event)
{
    struct branch *branch = &r->branches[r->depth++]; // the depth of JSON bounds them
    struct text name = branch->name, path = branch->path;
    text_clear(&name);
    text_clear(&path);
    *branch = (struct branch){.row = timing_unknown((str){"", 0}), .name = name, .path = path};
    branch->name.max = branch->path.max = LIMIT_TOKEN_BYTES;
    branch->row.offset = event->offset;
    branch->row.report = r->report;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == ROOT && event->type == JSON_LIST_OPEN)
        return error_set(err, ERROR_INPUT, "this is a list, and none of Gatling's files");
    if (place == ROOT || place == NODE)
        open_branch(r, event);
    if (place >= REQUESTS && place <= RATE)
        r->group = place;
    if (place == ASSERTIONS)
        r->is_assertions = true;
    if (place == ASSERTION) {
        text_clear(&r->message);
        r->result = NO_RESULT;
        r->offset = event->offset;
    }
    return true;
}

static bool read_count(struct reading *r, str key, const struct json_event *event,
                       struct error *err)
{
    struct branch *branch = branch_of(r);
    uint64_t *to = str_is(key, "total") ? &branch->total
                   : str_is(key, "ok")  ? &branch->ok
                   : str_is(key, "ko")  ? &branch->failed
                                        : NULL;
    if (!to)
        return true;
    branch->counts++;
    if (str_is(event->text, "-")) // version 2 writes so what is none
        return true;
    // Version 2 writes numbers as text.
    return number_u64_saturating(event->text, to) ||
           error_set(err, ERROR_INPUT, "this is no number of requests: `" STR_FMT "`",
                     STR_ARG(str_shorten(event->text, 40)));
}

static bool read_figure(struct reading *r, str key, const struct json_event *event,
                        struct error *err)
{
    struct timing *row = &branch_of(r)->row;
    double *const to[] = {&row->min_ms, &row->max_ms, &row->mean_ms, &row->p50_ms,
                          &row->p75_ms, &row->p95_ms, &row->p99_ms,  &row->per_second};
    if (r->group == REQUESTS)
        return read_count(r, key, event, err);
    if (!str_is(key, "total") || str_is(event->text, "-"))
        return true;
    if (!number_double(event->text, to[r->group - LEAST]) || *to[r->group - LEAST] < 0)
        return error_set(err, ERROR_INPUT, "this is no figure that can be: `" STR_FMT "`",
                         STR_ARG(str_shorten(event->text, 40)));
    return true;
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case TYPE:
        branch_of(r)->is_request = str_is(event->text, "REQUEST");
        return true;
    case NODE_NAME:
        text_clear(&branch_of(r)->name);
        text_add(&branch_of(r)->name, event->text);
        return true;
    case PATH:
        text_clear(&branch_of(r)->path);
        text_add(&branch_of(r)->path, event->text);
        return true;
    case VALUE:
        if (event->type != JSON_NUMBER && event->type != JSON_STRING)
            return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no number",
                             STR_ARG(str_shorten(key, 40)));
        return read_figure(r, key, event, err);
    case START:
        if (!number_i64(event->text, &r->start_ms) || r->start_ms < 0)
            return error_set(err, ERROR_INPUT, "`start` is no time in milliseconds");
        return true;
    case RESULT:
        r->result = event->type == JSON_TRUE ? HOLDS : BREACHED;
        return true;
    case MESSAGE:
        text_clear(&r->message);
        text_add(&r->message, event->text);
        return true;
    default:
        return true;
    }
}

// The root is the whole run; of the rest only requests count: a group is the sum of its requests.
static bool close_branch(struct reading *r, struct error *err)
{
    struct branch *branch = branch_of(r);
    struct timing *row = &branch->row;
    bool root = --r->depth == 0;
    if ((root && r->is_assertions) || (!root && !branch->is_request))
        return true;
    str name = text_str(branch->path.len ? &branch->path : &branch->name);
    if (branch->counts != 3)
        return error_set(err, ERROR_INPUT,
                         "`numberOfRequests` of `" STR_FMT
                         "` has not each of total, ok and ko once",
                         STR_ARG(str_shorten(name, 80)));
    if (branch->total - branch->failed != branch->ok || branch->failed > branch->total)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "`" STR_FMT "` has %llu requests, and %llu that went well and %llu that "
                       "failed",
                       STR_ARG(str_shorten(name, 80)), (unsigned long long)branch->total,
                       (unsigned long long)branch->ok, (unsigned long long)branch->failed);
    row->name = root ? (str){"", 0} : name;
    row->requests = branch->total;
    row->failures = branch->failed;
    row->counted = true;
    if (root && row->per_second > 0) // the rate is the requests by the duration
        row->duration_s = (double)row->requests / row->per_second;
    if (branch->total == 0) // zeros that nothing was measured for
        row->min_ms = row->max_ms = row->mean_ms = row->p50_ms = row->p75_ms = row->p95_ms =
            row->p99_ms = NAN;
    if (!root) {
        r->any_request = true;
        r->requests += branch->total;
        r->failures += branch->failed;
    } else if (r->any_request && (r->requests != branch->total || r->failures != branch->failed)) {
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "its root has %llu requests of which %llu failed, and its requests add up "
                       "to %llu of which %llu failed",
                       (unsigned long long)branch->total, (unsigned long long)branch->failed,
                       (unsigned long long)r->requests, (unsigned long long)r->failures);
    }
    return timing_add(r->evidence, row, err);
}

static bool end_assertion(struct reading *r, struct error *err)
{
    struct timing_check check = {text_str(&r->message), r->result == BREACHED, r->report,
                                 r->offset};
    if (r->result == NO_RESULT || r->message.len == 0)
        return error_set(err, ERROR_INPUT, "an assertion ends here that has no `%s`",
                         r->result == NO_RESULT ? "result" : "message");
    return timing_check_add(r->evidence, &check, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == ASSERTION)
        return end_assertion(r, err);
    return (place != ROOT && place != NODE) || close_branch(r, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->message = text_of(LIMIT_TOKEN_BYTES);
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
    if (!json_walk_end(r->walk, err))
        return false;
    r->evidence->reports[r->report].made_ms = r->start_ms;
    timing_report_end(r->evidence, r->report, false);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    for (size_t i = 0; i < LIMIT_DOC_DEPTH; i++) {
        text_done(&r->branches[i].name);
        text_done(&r->branches[i].path);
    }
    text_done(&r->message);
    memory_free(r);
}

const struct report_reader gatling_reader = {
    .name = "gatling",
    .title = "Gatling's statistics",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
