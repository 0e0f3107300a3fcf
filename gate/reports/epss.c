// EPSS: how likely a vulnerability is exploited in the next 30 days, as FIRST publishes it each day
// (comma-separated values after a line about the model), and as its API answers.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/reports/catalogue.h"
#include "gate/reports/registry.h"

enum { ROOT = 1, TOTAL, ROWS, ROW, CVE, EPSS, PERCENTILE, DATE, PLACES };

// Scores are texts in the API's answers.
static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "total", TOTAL | JSON_IS_NUMBER},
    {ROOT, "data", ROWS | JSON_IS_LIST},
    {ROWS, NULL, ROW | JSON_IS_MAP},
    {ROW, "cve", CVE | JSON_IS_TEXT},
    {ROW, "epss", EPSS},
    {ROW, "percentile", PERCENTILE},
    {ROW, "date", DATE | JSON_IS_TEXT},
    {0},
};

struct reading {
    struct catalogue catalogue;
    struct text cve;         // JSON: of the open row
    double epss, percentile; // SCORE_UNKNOWN while it is not said
    int64_t date_ms;         // of the row; 0 = not said
    uint64_t offset;         // of the row
    uint64_t said;
    bool has_said;
    int64_t made_ms; // of the whole
    size_t columns, cve_at, epss_at, percentile_at;
};

static int recognise(const struct report_head *head)
{
    str line;
    if (head->is_json && head->values == 1 && head->seen[0].type == JSON_MAP_OPEN) {
        if (report_head_has(head, "data", "#", "epss", NULL) &&
            report_head_has(head, "data", "#", "cve", NULL))
            return 95;
        return report_head_type(head, "data", NULL) == JSON_LIST_OPEN &&
                       !report_head_has(head, "data", "#", NULL) &&
                       report_head_has(head, "status-code", NULL) &&
                       report_head_has(head, "access", NULL)
                   ? 60
                   : 0;
    }
    if (!catalogue_first_line(head, &line))
        return 0;
    if (str_starts(line, STR("#model_version:")))
        return 95;
    return str_starts(line, STR("cve,epss")) ? 95 : 0;
}

static bool take(struct reading *r, str cve, struct error *err)
{
    struct catalogue *c = &r->catalogue;
    if (r->epss < 0)
        return error_set(err, ERROR_INPUT, "the row of " STR_FMT " has no epss",
                         STR_ARG(str_shorten(cve, 40)));
    const struct statement one = {.kind = STATEMENT_PROBABILITY,
                                  .id = str_trim(cve),
                                  .epss = r->epss,
                                  .at_ms = r->date_ms,
                                  .report = c->report,
                                  .offset = r->offset};
    return statement_add(c->evidence, &one, err);
}

static bool share(str text, const char *what, double *ret, struct error *err)
{
    return (number_double(str_trim(text), ret) && *ret >= 0 && *ret <= 1) ||
           error_set(err, ERROR_INPUT, "%s is not a number from 0 to 1: `" STR_FMT "`", what,
                     STR_ARG(str_shorten(text, 40)));
}

// ---- JSON --------------------------------------------------------------------------------------

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == EPSS || place == PERCENTILE)
        return json_walk_refuse(r->catalogue.json, event, err, "a score is not a number");
    if (place != ROW)
        return true;
    r->offset = event->offset;
    r->epss = SCORE_UNKNOWN;
    r->date_ms = 0;
    text_clear(&r->cve);
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    return place != ROW || take(r, text_str(&r->cve), err);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    struct json_walk *json = r->catalogue.json;
    int64_t days;
    (void)key;
    if (place == ROW)
        return json_walk_refuse(json, event, err, "an element of data is null");
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case TOTAL:
        r->has_said = true;
        return number_u64(event->text, &r->said) ||
               json_walk_refuse(json, event, err, "total is not a number of rows");
    case CVE:
        text_clear(&r->cve);
        text_add(&r->cve, event->text);
        return true;
    case EPSS:
        return share(event->text, "epss", &r->epss, err);
    case PERCENTILE:
        return share(event->text, "percentile", &r->percentile, err);
    case DATE:
        if (!date_parse(event->text, &days))
            return json_walk_refuse(json, event, err, "date is not a date");
        r->date_ms = days * MS_DAY;
        r->made_ms = r->date_ms > r->made_ms ? r->date_ms : r->made_ms;
        return true;
    default:
        return true;
    }
}

// ---- comma-separated values ---------------------------------------------------------------------

// "#model_version:v2025.03.14,score_date:2026-01-02T00:00:00+0000"
static bool read_model(struct reading *r, const str *fields, size_t count, struct error *err)
{
    struct catalogue *c = &r->catalogue;
    int64_t days;
    for (size_t i = 0; i < count; i++) {
        str value = i == 0 ? str_from(fields[i], 1) : fields[i];
        str key = str_cut(&value, ':');
        if (str_is(key, "model_version"))
            report_tool(c->evidence, &c->evidence->reports[c->report], STR("EPSS"), value);
        if (!str_is(key, "score_date"))
            continue;
        if (!date_parse(str_first(value, 10), &days))
            return catalogue_refuse(c, err, "score_date is not a date");
        r->made_ms = days * MS_DAY;
    }
    return true;
}

static bool read_header(struct reading *r, const str *fields, size_t count, struct error *err)
{
    r->columns = count;
    r->cve_at = catalogue_column(fields, count, "cve");
    r->epss_at = catalogue_column(fields, count, "epss");
    r->percentile_at = catalogue_column(fields, count, "percentile");
    return (r->cve_at != STR_NONE && r->epss_at != STR_NONE) ||
           catalogue_refuse(&r->catalogue, err, "this line does not name cve and epss");
}

static bool on_record(void *context, const str *fields, size_t count, struct error *err)
{
    struct reading *r = context;
    if (!r->columns && str_starts(fields[0], STR("#")))
        return read_model(r, fields, count, err);
    if (!r->columns)
        return read_header(r, fields, count, err);
    if (count != r->columns)
        return catalogue_refuse(&r->catalogue, err,
                                "this row has %zu fields, and the header has %zu", count,
                                r->columns);
    r->offset = r->catalogue.csv.offset;
    r->date_ms = r->made_ms;
    return share(fields[r->epss_at], "epss", &r->epss, err) &&
           (r->percentile_at == STR_NONE ||
            share(fields[r->percentile_at], "percentile", &r->percentile, err)) &&
           take(r, fields[r->cve_at], err);
}

// ---- the reader ---------------------------------------------------------------------------------

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    catalogue_open(&r->catalogue, evidence, report);
    r->cve = text_of(LIMIT_TOKEN_BYTES);
    r->epss = SCORE_UNKNOWN;
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    static const struct catalogue_syntax syntax = {steps, &handler, on_record};
    return catalogue_feed(&r->catalogue, &syntax, r, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    struct catalogue *c = &r->catalogue;
    struct report *report = &c->evidence->reports[c->report];
    if (!catalogue_end(c, err))
        return false;
    size_t count = c->evidence->statements.count;
    report->made_ms = r->made_ms;
    report->empty = count == 0;
    if (report->empty)
        report_suspect(c->evidence, report, "the report holds no score");
    if (r->has_said && r->said != count)
        report_suspect(c->evidence, report,
                       "total says %llu rows, but the answer holds %zu: the rest is missing",
                       (unsigned long long)r->said, count);
    return true;
}

static void close_reading(struct reading *r)
{
    catalogue_close(&r->catalogue);
    text_done(&r->cve);
    memory_free(r);
}

const struct report_reader epss_reader = {
    .name = "epss",
    .title = "EPSS",
    .form = REPORT_LINES,
    .kind = EVIDENCE_STATEMENTS,
    .record_end = "\n", // of comma-separated values
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
