// CISA's catalogue of known exploited vulnerabilities, as JSON and as comma-separated values.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/reports/catalogue.h"
#include "gate/reports/registry.h"
#include "gate/reports/statement_draft.h"

enum { ROOT = 1, RELEASED, CATALOGUE, COUNT, VULNS, VULN, CVE, NAME, ADDED, DUE, PLACES };

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "dateReleased", RELEASED | JSON_IS_TEXT},
    {ROOT, "catalogVersion", CATALOGUE | JSON_IS_TEXT},
    {ROOT, "count", COUNT | JSON_IS_NUMBER},
    {ROOT, "vulnerabilities", VULNS | JSON_IS_LIST},
    {VULNS, NULL, VULN | JSON_IS_MAP},
    {VULN, "cveID", CVE | JSON_IS_TEXT},
    {VULN, "vulnerabilityName", NAME | JSON_IS_TEXT},
    {VULN, "dateAdded", ADDED | JSON_IS_TEXT},
    {VULN, "dueDate", DUE | JSON_IS_TEXT},
    {0},
};

struct reading {
    struct catalogue catalogue;
    struct statement_draft draft;
    struct text entry[PLACES]; // JSON: the texts of the open entry
    uint64_t offset;           // of it
    uint64_t said;
    bool has_said;
    size_t columns; // of the header line; 0 until it came
    size_t cve, name, added, due;
};

static int recognise(const struct report_head *head)
{
    str line;
    if (head->is_json && head->values == 1 && head->seen[0].type == JSON_MAP_OPEN)
        return report_head_has(head, "catalogVersion", NULL) &&
                       (report_head_has(head, "vulnerabilities", NULL) ||
                        report_head_has(head, "dateReleased", NULL))
                   ? 95
                   : 0;
    if (!catalogue_first_line(head, &line))
        return 0;
    return (str_starts(line, STR("cveID,")) || str_starts(line, STR("\"cveID\","))) &&
                   str_search(line, STR("dateAdded")) != STR_NONE
               ? 95
               : 0;
}

static bool take(struct reading *r, str cve, str name, str added, str due, struct error *err)
{
    struct catalogue *c = &r->catalogue;
    int64_t days;
    statement_draft_clear(&r->draft);
    r->draft.kind = STATEMENT_EXPLOITED;
    statement_draft_id(&r->draft, cve);
    statement_draft_why(&r->draft, name);
    added = str_trim(added);
    due = str_trim(due);
    if (added.len) {
        if (!date_parse(added, &days))
            return error_set(err, ERROR_INPUT, "dateAdded is not a date: `" STR_FMT "`",
                             STR_ARG(str_shorten(added, 40)));
        r->draft.at_ms = days * MS_DAY;
    }
    if (due.len && !date_parse(due, &r->draft.due_days))
        return error_set(err, ERROR_INPUT, "dueDate is not a date: `" STR_FMT "`",
                         STR_ARG(str_shorten(due, 40)));
    return statement_draft_take(&r->draft, c->evidence, c->report, r->offset, err);
}

// ---- JSON --------------------------------------------------------------------------------------

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place != VULN)
        return true;
    r->offset = event->offset;
    for (int i = CVE; i <= DUE; i++)
        text_clear(&r->entry[i]);
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    return place != VULN || take(r, text_str(&r->entry[CVE]), text_str(&r->entry[NAME]),
                                 text_str(&r->entry[ADDED]), text_str(&r->entry[DUE]), err);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    struct catalogue *c = &r->catalogue;
    (void)key;
    if (place == VULN)
        return json_walk_refuse(c->json, event, err, "an element of vulnerabilities is null");
    if (event->type == JSON_NULL)
        return true;
    if (place >= CVE && place <= DUE) {
        text_clear(&r->entry[place]);
        text_add(&r->entry[place], event->text);
    } else if (place == RELEASED) {
        (void)moment_parse(event->text, &c->evidence->reports[c->report].made_ms);
    } else if (place == CATALOGUE) {
        report_tool(c->evidence, &c->evidence->reports[c->report], STR("KEV"), event->text);
    } else if (place == COUNT) {
        r->has_said = true;
        return number_u64(event->text, &r->said) ||
               json_walk_refuse(c->json, event, err, "count is not a number of entries");
    }
    return true;
}

// ---- comma-separated values ---------------------------------------------------------------------

static bool read_header(struct reading *r, const str *fields, size_t count, struct error *err)
{
    r->columns = count;
    r->cve = catalogue_column(fields, count, "cveID");
    r->name = catalogue_column(fields, count, "vulnerabilityName");
    r->added = catalogue_column(fields, count, "dateAdded");
    r->due = catalogue_column(fields, count, "dueDate");
    return (r->cve != STR_NONE && r->added != STR_NONE) ||
           catalogue_refuse(&r->catalogue, err, "the first line does not name cveID and dateAdded");
}

static str column(const str *fields, size_t at)
{
    return at == STR_NONE ? (str){NULL, 0} : fields[at];
}

static bool on_record(void *context, const str *fields, size_t count, struct error *err)
{
    struct reading *r = context;
    if (!r->columns)
        return read_header(r, fields, count, err);
    if (count != r->columns)
        return catalogue_refuse(&r->catalogue, err,
                                "this row has %zu fields, and the first line has %zu", count,
                                r->columns);
    r->offset = r->catalogue.csv.offset;
    return take(r, fields[r->cve], column(fields, r->name), fields[r->added],
                column(fields, r->due), err);
}

// ---- the reader ---------------------------------------------------------------------------------

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    catalogue_open(&r->catalogue, evidence, report);
    for (int i = 0; i < PLACES; i++)
        r->entry[i] = text_of(LIMIT_TOKEN_BYTES);
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
    report->empty = count == 0;
    if (report->empty)
        report_suspect(c->evidence, report, "the catalogue holds no entry");
    if (r->has_said && r->said != count)
        report_suspect(c->evidence, report, "count says %llu, but the catalogue holds %zu entries",
                       (unsigned long long)r->said, count);
    return true;
}

static void close_reading(struct reading *r)
{
    catalogue_close(&r->catalogue);
    statement_draft_done(&r->draft);
    for (int i = 0; i < PLACES; i++)
        text_done(&r->entry[i]);
    memory_free(r);
}

const struct report_reader kev_reader = {
    .name = "kev",
    .title = "CISA KEV",
    .form = REPORT_JSON,
    .kind = EVIDENCE_STATEMENTS,
    .record_end = "\n", // of comma-separated values
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
