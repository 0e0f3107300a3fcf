// Lighthouse's report: each audit that measures a time is a row, named by the page's path and the
// audit ("/courses largest-contentful-paint"). It is one measurement, so all of its figures are
// that one. Scores are not times: only that they could be told is looked at.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"

enum {
    ROOT = 1,
    VERSION,
    REQUESTED,
    FINAL,
    FETCHED,
    FAILURE,
    FAILURE_CODE,
    FAILURE_MESSAGE,
    AUDITS,
    AUDIT,
    MODE,
    VALUE,
    UNIT,
    ERROR_MESSAGE,
    CATEGORIES,
    CATEGORY,
    SCORE,
};

static const struct json_step steps[] = {{JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
                                         {ROOT, "lighthouseVersion", VERSION | JSON_IS_TEXT},
                                         {ROOT, "requestedUrl", REQUESTED | JSON_IS_TEXT},
                                         {ROOT, "finalDisplayedUrl", FINAL | JSON_IS_TEXT},
                                         {ROOT, "finalUrl", FINAL | JSON_IS_TEXT},
                                         {ROOT, "fetchTime", FETCHED | JSON_IS_TEXT},
                                         {ROOT, "runtimeError", FAILURE | JSON_IS_MAP},
                                         {FAILURE, "code", FAILURE_CODE | JSON_IS_TEXT},
                                         {FAILURE, "message", FAILURE_MESSAGE | JSON_IS_TEXT},
                                         {ROOT, "audits", AUDITS | JSON_IS_MAP},
                                         {AUDITS, "*", AUDIT | JSON_IS_MAP},
                                         {AUDIT, "scoreDisplayMode", MODE | JSON_IS_TEXT},
                                         {AUDIT, "numericValue", VALUE | JSON_IS_NUMBER},
                                         {AUDIT, "numericUnit", UNIT | JSON_IS_TEXT},
                                         {AUDIT, "errorMessage", ERROR_MESSAGE | JSON_IS_TEXT},
                                         {ROOT, "categories", CATEGORIES | JSON_IS_MAP},
                                         {CATEGORIES, "*", CATEGORY | JSON_IS_MAP},
                                         {CATEGORY, "score", SCORE | JSON_IS_NUMBER},
                                         {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct text requested, final, audit, failure, category;
    bool has_value, is_time, is_error, scored;
    double value;
    uint64_t offset;
    bool failed, any_category;
    struct text version;
};

static int recognise(const struct report_head *head)
{
    if (!report_head_has(head, "lighthouseVersion", NULL))
        return 0;
    return report_head_has(head, "audits", NULL) || report_head_has(head, "requestedUrl", NULL) ||
                   report_head_has(head, "fetchTime", NULL) ||
                   report_head_has(head, "categories", NULL)
               ? 90
               : 0;
}

static struct report *report_of(const struct reading *r)
{
    return &r->evidence->reports[r->report];
}

static void set(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (place == AUDIT) {
        set(&r->audit, key);
        r->has_value = r->is_time = r->is_error = false;
        r->offset = event->offset;
    } else if (place == CATEGORY) {
        set(&r->category, key);
        r->scored = false;
        r->any_category = true;
    }
    return true;
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case VERSION:
        set(&r->version, event->text);
        return true;
    case REQUESTED:
        set(&r->requested, event->text);
        return true;
    case FINAL:
        set(&r->final, event->text);
        return true;
    case FETCHED:
        (void)moment_parse(event->text, &report_of(r)->made_ms);
        return true;
    case FAILURE_CODE:
        r->failed = !str_is(event->text, "NO_ERROR");
        return true;
    case FAILURE_MESSAGE:
        set(&r->failure, event->text);
        return true;
    case MODE:
        r->is_error = str_is(event->text, "error");
        return true;
    case VALUE:
        r->has_value = true;
        if (number_double(event->text, &r->value) && r->value >= 0)
            return true;
        return error_set(err, ERROR_INPUT, "`numericValue` is out of range");
    case UNIT:
        r->is_time = str_is(event->text, "millisecond");
        return true;
    case SCORE:
        r->scored = true;
        return true;
    default:
        return true;
    }
}

static bool end_audit(struct reading *r, struct error *err)
{
    if (r->is_error)
        report_suspect(r->evidence, report_of(r), "the audit " STR_FMT " ended in an error",
                       STR_ARG(str_shorten(text_str(&r->audit), 80)));
    if (!r->has_value || !r->is_time || r->is_error)
        return true;
    struct timing row = timing_unknown(text_str(&r->audit)); // the page is known at the end
    row.min_ms = row.mean_ms = row.max_ms = r->value;
    row.p50_ms = row.p75_ms = row.p90_ms = row.p95_ms = row.p99_ms = r->value;
    row.requests = 1;
    row.counted = true;
    row.report = r->report;
    row.offset = r->offset;
    return timing_add(r->evidence, &row, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == AUDIT)
        return end_audit(r, err);
    if (place == CATEGORY && !r->scored)
        report_suspect(r->evidence, report_of(r), "the category " STR_FMT " has no score",
                       STR_ARG(str_shorten(text_str(&r->category), 80)));
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->requested = r->final = r->audit = r->failure = r->category = r->version =
        text_of(LIMIT_TOKEN_BYTES);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

// The path of a URL: the host of a preview is another one each time.
static str path_of(str url)
{
    size_t scheme = str_search(url, STR("://"));
    if (scheme != STR_NONE)
        url = str_from(url, scheme + 3);
    size_t slash = str_find(url, '/');
    if (slash == STR_NONE)
        return STR("/");
    url = str_from(url, slash);
    for (const char *stop = "?#"; *stop; stop++) {
        size_t at = str_find(url, *stop);
        if (at != STR_NONE)
            url = str_first(url, at);
    }
    return url;
}

static bool end(struct reading *r, struct error *err)
{
    struct timings *timings = &r->evidence->timings;
    if (!json_walk_end(r->walk, err))
        return false;
    str path = path_of(text_str(r->requested.len ? &r->requested : &r->final));
    if (!str_is_utf8(path) || path.len > LIMIT_PATH)
        return error_set(err, ERROR_INPUT, "the page's URL is %s",
                         path.len > LIMIT_PATH ? "too long" : "no UTF-8");
    for (size_t i = 0; i < timings->count; i++)
        timings->rows[i].name = arena_format(&r->evidence->arena, STR_FMT " " STR_FMT,
                                             STR_ARG(path), STR_ARG(timings->rows[i].name));
    report_tool(r->evidence, report_of(r), STR("lighthouse"), text_str(&r->version));
    timing_report_end(r->evidence, r->report, false);
    str why = text_str(&r->failure);
    while (str_ends(why, STR("."))) // it stands inside of a sentence of ours
        why.len--;
    if (r->failed)
        report_scanner_failed(r->evidence, report_of(r),
                              why.len ? why : STR("Lighthouse ended in an error"));
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    text_done(&r->requested);
    text_done(&r->final);
    text_done(&r->audit);
    text_done(&r->failure);
    text_done(&r->category);
    text_done(&r->version);
    memory_free(r);
}

const struct report_reader lighthouse_reader = {
    .name = "lighthouse",
    .title = "Lighthouse",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
