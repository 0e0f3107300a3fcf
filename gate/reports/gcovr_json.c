// gcovr's JSON (`gcovr --json`, format 0.x). A line may be listed once for each function on it, as
// the instances of a template are: it is hit when any of them is, and a branch of it likewise.
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/source_record.h"

enum place {
    ROOT = 1,
    VERSION,
    SUMMARY_VERSION,
    FILES,
    FILE_MAP,
    NAME,
    LINES,
    LINE,
    LINE_NUMBER,
    LINE_COUNT,
    LINE_OUT, // noncode or excluded
    BRANCHES,
    BRANCH,
    BRANCH_COUNT,
    BRANCH_NUMBER,
    BRANCH_SOURCE,
    BRANCH_DESTINATION,
    BRANCH_OUT,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "gcovr/format_version", VERSION | JSON_IS_TEXT | JSON_IS_NUMBER},
    {ROOT, "gcovr/summary_format_version", SUMMARY_VERSION},
    {ROOT, "files", FILES | JSON_IS_LIST},
    {FILES, NULL, FILE_MAP | JSON_IS_MAP},
    {FILE_MAP, "file", NAME | JSON_IS_TEXT},
    {FILE_MAP, "lines", LINES | JSON_IS_LIST},
    {LINES, NULL, LINE | JSON_IS_MAP},
    {LINE, "line_number", LINE_NUMBER | JSON_IS_NUMBER},
    {LINE, "count", LINE_COUNT | JSON_IS_NUMBER},
    {LINE, "gcovr/noncode", LINE_OUT | JSON_IS_BOOL},
    {LINE, "gcovr/excluded", LINE_OUT | JSON_IS_BOOL},
    {LINE, "branches", BRANCHES | JSON_IS_LIST},
    {BRANCHES, NULL, BRANCH | JSON_IS_MAP},
    {BRANCH, "count", BRANCH_COUNT | JSON_IS_NUMBER},
    {BRANCH, "branchno", BRANCH_NUMBER},
    {BRANCH, "source_block_id", BRANCH_SOURCE},
    {BRANCH, "destination_block_id", BRANCH_DESTINATION},
    {BRANCH, "gcovr/excluded", BRANCH_OUT | JSON_IS_BOOL},
    {0}};

enum { NUMBER, SOURCE, DESTINATION, NTH, KEYS }; // by which a branch of a line is known

struct reading {
    struct source_record record;
    struct json_walk *walk;
    uint64_t line, count;
    bool has_line, has_count, out;
    size_t first_arm; // of the line at hand
    uint64_t nth;     // branch of it
    uint64_t key[KEYS];
    bool has_key[KEYS];
    uint64_t taken;
    bool branch_counted, branch_out;
    bool versioned, files_seen, lines_seen;
};

static int recognise(const struct report_head *head)
{
    bool version = report_head_has(head, "gcovr/format_version", NULL) ||
                   report_head_has(head, "gcovr/summary_format_version", NULL);
    bool marked = report_head_has(head, "files", "#", "lines", "#", "gcovr/noncode", NULL) ||
                  report_head_has(head, "files", "#", "lines", "#", "gcovr/md5", NULL) ||
                  report_head_has(head, "files", "#", "lines", "#", "gcovr/excluded", NULL);
    bool lines = report_head_has(head, "files", "#", "lines", "#", "line_number", NULL);
    bool gcov = report_head_has(head, "gcc_version", NULL) ||
                report_head_has(head, "files", "#", "lines", "#", "unexecuted_block", NULL);
    return version || marked ? 95 : lines && !gcov ? 70 : 0;
}

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    switch (place) {
    case FILES:
        r->files_seen = true;
        return true;
    case FILE_MAP:
        r->lines_seen = false;
        source_record_open(&r->record, event->offset);
        return true;
    case LINES:
        r->lines_seen = true;
        return true;
    case LINE:
        r->has_line = r->has_count = r->out = false;
        r->first_arm = r->record.arm_count;
        r->nth = 0;
        return true;
    case BRANCH:
        memset(r->has_key, 0, sizeof r->has_key);
        memset(r->key, 0, sizeof r->key);
        r->branch_counted = r->branch_out = false;
        return true;
    default:
        return true;
    }
}

static bool branch_key(struct reading *r, const struct json_event *event, int which,
                       struct error *err)
{
    if (event->type == JSON_NULL)
        return true;
    r->has_key[which] = true;
    return json_walk_count(r->walk, event, "a number of a branch", &r->key[which], err);
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    (void)key;
    switch (place) {
    case VERSION:
        r->versioned = true;
        if (str_starts(event->text, STR("0.")))
            return true;
        return json_walk_refuse(r->walk, event, err,
                                "gcovr's format is " STR_FMT "; 0.x is known here",
                                STR_ARG(str_shorten(event->text, 40)));
    case SUMMARY_VERSION:
        return json_walk_refuse(r->walk, event, err,
                                "this is gcovr's summary, which holds sums only: give the file "
                                "that `gcovr --json` writes");
    case NAME:
        return source_record_name(&r->record, event->text, err);
    case LINE_NUMBER:
        r->has_line = true;
        return json_walk_count(r->walk, event, "a line number", &r->line, err);
    case LINE_COUNT:
        r->has_count = true;
        return json_walk_count(r->walk, event, "the count of a line", &r->count, err);
    case LINE_OUT:
        r->out = r->out || event->type == JSON_TRUE;
        return true;
    case BRANCH_COUNT:
        r->branch_counted = true;
        return json_walk_count(r->walk, event, "the count of a branch", &r->taken, err);
    case BRANCH_NUMBER:
        return branch_key(r, event, NUMBER, err);
    case BRANCH_SOURCE:
        return branch_key(r, event, SOURCE, err);
    case BRANCH_DESTINATION:
        return branch_key(r, event, DESTINATION, err);
    case BRANCH_OUT:
        r->branch_out = event->type == JSON_TRUE;
        return true;
    default:
        return true;
    }
}

static bool end_branch(struct reading *r, const struct json_event *event, struct error *err)
{
    uint64_t nth = ++r->nth;
    if (!r->branch_counted)
        return json_walk_refuse(r->walk, event, err, "a branch has no `count`");
    if (r->branch_out)
        return true;
    if (!r->has_key[NUMBER] && !r->has_key[DESTINATION])
        r->key[NTH] = nth; // it has no name but its place in the list
    return source_record_arm(&r->record, 0, str_make((const char *)r->key, sizeof r->key),
                             r->taken > 0, err);
}

static bool end_line(struct reading *r, const struct json_event *event, struct error *err)
{
    if (!r->has_line || !r->has_count)
        return json_walk_refuse(r->walk, event, err, "a line has no `%s`",
                                r->has_line ? "count" : "line_number");
    if (r->out) {
        r->record.arm_count = r->first_arm;
        return true;
    }
    return source_record_line(&r->record, r->line, r->count, err) &&
           source_record_arms_at(&r->record, r->first_arm, r->line, err);
}

static bool end_place(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    struct coverage_totals totals;
    switch (place) {
    case BRANCH:
        return end_branch(r, event, err);
    case LINE:
        return end_line(r, event, err);
    case FILE_MAP:
        if (!r->lines_seen)
            return json_walk_refuse(r->walk, event, err, "a file has no `lines`");
        return source_record_close(&r->record, event->offset + 1, &totals, err);
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
    if (!r->versioned || !r->files_seen)
        return error_set(err, ERROR_INPUT, "%s: there is no `%s` in it",
                         r->record.evidence->reports[r->record.report].path,
                         r->versioned ? "files" : "gcovr/format_version");
    source_record_finish(&r->record);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    source_record_done(&r->record);
    memory_free(r);
}

const struct report_reader gcovr_json_reader = {
    .name = "gcovr-json",
    .title = "gcovr JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
