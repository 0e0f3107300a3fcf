// llvm-cov's JSON (`llvm-cov export -format=text`). Lines come from the segments of a file by
// LLVM's own rule; the branches of what a macro expands to belong to the line that names it.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/source_record.h"

enum place {
    ROOT = 1,
    TYPE,
    VERSION,
    DATA,
    EXPORT,
    FILES,
    FILE_MAP,
    NAME,
    SEGMENTS,
    SEGMENT,
    SEGMENT_FIELD,
    BRANCHES,
    BRANCH,
    BRANCH_FIELD,
    EXPANSIONS,
    EXPANSION,
    INNER_BRANCHES,
    INNER_BRANCH,
    INNER_FIELD,
    REGION,
    REGION_FIELD,
    SUMMARY,
    SUMMARY_LINES,
    SUMMARY_COUNT,
    SUMMARY_COVERED,
    TOTALS,
    TOTALS_LINES,
    TOTALS_COUNT,
    TOTALS_COVERED,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "type", TYPE | JSON_IS_TEXT},
    {ROOT, "version", VERSION | JSON_IS_TEXT},
    {ROOT, "data", DATA | JSON_IS_LIST},
    {DATA, NULL, EXPORT | JSON_IS_MAP},
    {EXPORT, "files", FILES | JSON_IS_LIST},
    {FILES, NULL, FILE_MAP | JSON_IS_MAP},
    {FILE_MAP, "filename", NAME | JSON_IS_TEXT},
    {FILE_MAP, "segments", SEGMENTS | JSON_IS_LIST},
    {SEGMENTS, NULL, SEGMENT | JSON_IS_LIST},
    {SEGMENT, NULL, SEGMENT_FIELD | JSON_IS_NUMBER | JSON_IS_BOOL},
    {FILE_MAP, "branches", BRANCHES | JSON_IS_LIST},
    {BRANCHES, NULL, BRANCH | JSON_IS_LIST},
    {BRANCH, NULL, BRANCH_FIELD | JSON_IS_NUMBER},
    {FILE_MAP, "expansions", EXPANSIONS | JSON_IS_LIST},
    {EXPANSIONS, NULL, EXPANSION | JSON_IS_MAP},
    {EXPANSION, "branches", INNER_BRANCHES | JSON_IS_LIST},
    {INNER_BRANCHES, NULL, INNER_BRANCH | JSON_IS_LIST},
    {INNER_BRANCH, NULL, INNER_FIELD | JSON_IS_NUMBER},
    {EXPANSION, "source_region", REGION | JSON_IS_LIST},
    {REGION, NULL, REGION_FIELD | JSON_IS_NUMBER},
    {FILE_MAP, "summary", SUMMARY | JSON_IS_MAP},
    {SUMMARY, "lines", SUMMARY_LINES | JSON_IS_MAP},
    {SUMMARY_LINES, "count", SUMMARY_COUNT | JSON_IS_NUMBER},
    {SUMMARY_LINES, "covered", SUMMARY_COVERED | JSON_IS_NUMBER},
    {EXPORT, "totals", TOTALS | JSON_IS_MAP},
    {TOTALS, "lines", TOTALS_LINES | JSON_IS_MAP},
    {TOTALS_LINES, "count", TOTALS_COUNT | JSON_IS_NUMBER},
    {TOTALS_LINES, "covered", TOTALS_COVERED | JSON_IS_NUMBER},
    {0}};

enum { FIELDS = 6 }; // the first ones of a segment, a branch or a region; the rest is not needed
enum { LINE, COLUMN, COUNT, HAS_COUNT, IS_ENTRY, IS_GAP };  // of a segment
enum { LINE_END = 2, COLUMN_END, COUNT_TRUE, COUNT_FALSE }; // of a branch, after its start

struct lines_said {
    uint64_t count, covered;
    bool said;
};

struct reading {
    struct source_record record;
    struct json_walk *walk;
    uint64_t fields[FIELDS];
    unsigned field_count;
    // The line at hand, of its segments so far, and the segment that reaches into it from before.
    uint64_t line, count;
    unsigned starts;
    bool any_segment, skipped, entered;
    uint64_t wrapped_count, last_count;
    bool wraps, wrapped, last; // has there been one; has it, and the last one here, a count
    uint64_t region[FIELDS];
    bool has_region, segments_seen, data_seen, typed;
    size_t first_arm; // of the expansion at hand
    struct lines_said file, all, sum;
};

static int recognise(const struct report_head *head)
{
    static const char *const members[] = {"segments", "branches", "expansions", "mcdc_records",
                                          "summary"};
    str type = report_head_text(head, "type", NULL);
    bool named = str_is(type, "llvm.coverage.json.export");
    if (type.data && !named)
        return 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (report_head_has(head, "data", "#", "files", "#", members[i], NULL))
            return named ? 98 : 90;
    return named ? 95 : report_head_has(head, "data", "#", "files", "#", "filename", NULL) ? 80 : 0;
}

static void begin_file(struct reading *r, uint64_t offset)
{
    source_record_open(&r->record, offset);
    r->line = r->count = r->wrapped_count = r->last_count = 0;
    r->starts = 0;
    r->any_segment = r->skipped = r->entered = r->wraps = r->wrapped = r->last = false;
    r->segments_seen = false;
    r->file = (struct lines_said){0};
}

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    switch (place) {
    case DATA:
        r->data_seen = true;
        return true;
    case EXPORT:
        r->all = r->sum = (struct lines_said){0};
        return true;
    case FILE_MAP:
        begin_file(r, event->offset);
        return true;
    case SEGMENTS:
        r->segments_seen = true;
        return true;
    case SEGMENT:
    case BRANCH:
    case INNER_BRANCH:
    case REGION:
        memset(r->fields, 0, sizeof r->fields);
        r->field_count = 0;
        return true;
    case EXPANSION:
        r->first_arm = r->record.arm_count;
        r->has_region = false;
        return true;
    case SUMMARY_LINES:
        r->file.said = true;
        return true;
    case TOTALS_LINES:
        r->all.said = true;
        return true;
    default:
        return true;
    }
}

static bool field(struct reading *r, const struct json_event *event, struct error *err)
{
    uint64_t *to = r->field_count < FIELDS ? &r->fields[r->field_count] : NULL;
    uint64_t ignored;
    r->field_count++;
    if (!to && event->type != JSON_NUMBER)
        to = &ignored;
    if (event->type == JSON_TRUE || event->type == JSON_FALSE) {
        *to = event->type == JSON_TRUE;
        return true;
    }
    return !to || json_walk_count(r->walk, event, "a number of a region", to, err);
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    (void)key;
    switch (place) {
    case TYPE:
        r->typed = str_is(event->text, "llvm.coverage.json.export");
        return true;
    case VERSION:
        if (str_starts(event->text, STR("2.")) || str_starts(event->text, STR("3.")))
            return true;
        return json_walk_refuse(r->walk, event, err,
                                "the format of llvm-cov is " STR_FMT "; 2 and 3 are known here",
                                STR_ARG(str_shorten(event->text, 40)));
    case NAME:
        return source_record_name(&r->record, event->text, err);
    case SEGMENT_FIELD:
    case BRANCH_FIELD:
    case INNER_FIELD:
    case REGION_FIELD:
        return field(r, event, err);
    case SUMMARY_COUNT:
        return json_walk_count(r->walk, event, "a count of lines", &r->file.count, err);
    case SUMMARY_COVERED:
        return json_walk_count(r->walk, event, "a count of lines", &r->file.covered, err);
    case TOTALS_COUNT:
        return json_walk_count(r->walk, event, "a count of lines", &r->all.count, err);
    case TOTALS_COVERED:
        return json_walk_count(r->walk, event, "a count of lines", &r->all.covered, err);
    default:
        return true;
    }
}

// LLVM's rule: a line has code when a counted region begins on it, or one from before reaches into
// it and no skipped region begins here first. Its count is the largest of those. Gaps between
// regions only reach on.
static bool end_line(struct reading *r, struct error *err)
{
    bool mapped = (!r->skipped && (r->wrapped || r->starts)) || r->entered;
    uint64_t count = r->wraps && r->wrapped_count > r->count ? r->wrapped_count : r->count;
    if (mapped && !source_record_line(&r->record, r->line, count, err))
        return false;
    if (r->any_segment) {
        r->wraps = true;
        r->wrapped = r->last;
        r->wrapped_count = r->last_count;
    }
    r->any_segment = r->skipped = r->entered = false;
    r->starts = 0;
    r->count = 0;
    r->line++;
    return true;
}

static bool end_segment(struct reading *r, const struct json_event *event, struct error *err)
{
    const uint64_t *f = r->fields;
    if (r->field_count < IS_GAP) // the sixth came with version 2.0.1
        return json_walk_refuse(r->walk, event, err,
                                "a segment is not [LINE, COLUMN, COUNT, …]: it is too short");
    if (f[LINE] == 0 || f[LINE] > LIMIT_SOURCE_LINE)
        return json_walk_refuse(r->walk, event, err, "line number %llu is out of range (1 to %u)",
                                (unsigned long long)f[LINE], LIMIT_SOURCE_LINE);
    if (f[LINE] < r->line)
        return json_walk_refuse(r->walk, event, err, "the segments of a file are not in order");
    if (r->line == 0)
        r->line = f[LINE];
    while (r->line < f[LINE])
        if (!end_line(r, err))
            return false;
    bool counted = f[HAS_COUNT], entry = f[IS_ENTRY];
    if (!r->any_segment)
        r->skipped = !counted && entry;
    r->any_segment = true;
    r->entered |= counted && entry;
    if (counted && entry && !f[IS_GAP]) {
        r->starts++;
        r->count = f[COUNT] > r->count ? f[COUNT] : r->count;
    }
    r->last = counted;
    r->last_count = f[COUNT];
    return true;
}

// Two arms: the condition was true, and it was false.
static bool end_branch(struct reading *r, const struct json_event *event, bool inner,
                       struct error *err)
{
    const uint64_t *f = r->fields;
    uint64_t name[] = {f[LINE], f[COLUMN], f[LINE_END], f[COLUMN_END], 1};
    if (r->field_count < FIELDS)
        return json_walk_refuse(r->walk, event, err,
                                "a branch is not [LINE, COLUMN, LINE, COLUMN, TRUE, FALSE, …]: it "
                                "is too short");
    if (f[LINE] == 0)
        return json_walk_refuse(r->walk, event, err, "a branch begins at line 0");
    uint64_t line = inner ? 0 : f[LINE];
    str arm = str_make((const char *)name, sizeof name);
    if (!source_record_arm(&r->record, line, arm, f[COUNT_TRUE] > 0, err))
        return false;
    name[4] = 0;
    return source_record_arm(&r->record, line, arm, f[COUNT_FALSE] > 0, err);
}

// The branches inside of a macro are others at each of its uses.
static bool end_expansion(struct reading *r, const struct json_event *event, struct error *err)
{
    if (r->record.arm_count == r->first_arm)
        return true;
    if (!r->has_region)
        return json_walk_refuse(r->walk, event, err, "an expansion has no `source_region`");
    for (size_t i = r->first_arm; i < r->record.arm_count; i++) {
        uint32_t *arm = &r->record.arms[i].arm;
        const uint64_t name[] = {r->region[0], r->region[1], r->region[2], r->region[3], *arm >> 1};
        *arm = branch_arm_of(str_make((const char *)name, sizeof name), *arm & 1);
    }
    return source_record_arms_at(&r->record, r->first_arm, r->region[0], err);
}

static bool end_file(struct reading *r, const struct json_event *event, struct error *err)
{
    struct coverage_totals totals;
    if (!r->segments_seen)
        return json_walk_refuse(r->walk, event, err,
                                "a file has no `segments`: export without -summary-only");
    if ((r->line && !end_line(r, err)) ||
        !source_record_close(&r->record, event->offset + 1, &totals, err))
        return false;
    // LLVM sums its lines by function: those of a closure count in the function around it, too.
    bool differ = (r->file.count > 0) != (totals.lines_total > 0) ||
                  (r->file.covered > 0) != (totals.lines_covered > 0);
    if (r->file.said && differ)
        report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                       "the summary of " STR_FMT " says %llu of %llu lines, but its segments hold "
                       "%llu of %llu",
                       STR_ARG(str_shorten(text_str(&r->record.name), 200)),
                       (unsigned long long)r->file.covered, (unsigned long long)r->file.count,
                       (unsigned long long)totals.lines_covered,
                       (unsigned long long)totals.lines_total);
    r->sum.count += r->file.count;
    r->sum.covered += r->file.covered;
    return true;
}

static void end_export(struct reading *r)
{
    if (r->all.said && (r->all.count != r->sum.count || r->all.covered != r->sum.covered))
        report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                       "`totals` says %llu of %llu lines, but the summaries of the files add up "
                       "to %llu of %llu",
                       (unsigned long long)r->all.covered, (unsigned long long)r->all.count,
                       (unsigned long long)r->sum.covered, (unsigned long long)r->sum.count);
}

static bool end_place(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case SEGMENT:
        return end_segment(r, event, err);
    case BRANCH:
        return end_branch(r, event, false, err);
    case INNER_BRANCH:
        return end_branch(r, event, true, err);
    case REGION:
        if (r->field_count < 4)
            return json_walk_refuse(r->walk, event, err, "a region is too short");
        memcpy(r->region, r->fields, sizeof r->region);
        r->has_region = true;
        return true;
    case EXPANSION:
        return end_expansion(r, event, err);
    case FILE_MAP:
        return end_file(r, event, err);
    case EXPORT:
        end_export(r);
        return true;
    default:
        return true;
    }
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {begin, value, end_place};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->record = source_record_of(evidence, report);
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
    if (!r->data_seen || !r->typed)
        return error_set(err, ERROR_INPUT, "%s: there is no %s in it",
                         r->record.evidence->reports[r->record.report].path,
                         r->typed ? "`data`" : "`type` llvm.coverage.json.export");
    source_record_finish(&r->record);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    source_record_done(&r->record);
    memory_free(r);
}

const struct report_reader llvm_cov_json_reader = {
    .name = "llvm-cov-json",
    .title = "llvm-cov JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
