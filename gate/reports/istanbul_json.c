// Istanbul's JSON (coverage-final.json), as nyc, c8, Jest and Vitest write it. A line is the first
// one of a statement, hit when any statement that begins there was.
#include "gate/reports/istanbul_parts.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"

enum place {
    ROOT = 1,
    FILE_MAP,
    STATEMENTS,
    STATEMENT,
    STATEMENT_START,
    STATEMENT_LINE,
    HITS,
    HIT,
    BRANCHES,
    BRANCH,
    BRANCH_LINE,
    BRANCH_LOC,
    LOC_START,
    LOC_START_LINE,
    ARMS,
    ARM_LIST,
    ARM,
    SUMMARY_LINES,
    SUMMARY_PERCENT,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "*", FILE_MAP | JSON_IS_MAP},
    {FILE_MAP, "statementMap", STATEMENTS | JSON_IS_MAP},
    {STATEMENTS, "*", STATEMENT | JSON_IS_MAP},
    {STATEMENT, "start", STATEMENT_START | JSON_IS_MAP},
    {STATEMENT_START, "line", STATEMENT_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "s", HITS | JSON_IS_MAP},
    {HITS, "*", HIT | JSON_IS_NUMBER},
    {FILE_MAP, "branchMap", BRANCHES | JSON_IS_MAP},
    {BRANCHES, "*", BRANCH | JSON_IS_MAP},
    {BRANCH, "line", BRANCH_LINE | JSON_IS_NUMBER},
    {BRANCH, "loc", BRANCH_LOC | JSON_IS_MAP},
    {BRANCH_LOC, "start", LOC_START | JSON_IS_MAP},
    {LOC_START, "line", LOC_START_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "b", ARMS | JSON_IS_MAP},
    {ARMS, "*", ARM_LIST | JSON_IS_LIST},
    {ARM_LIST, NULL, ARM | JSON_IS_NUMBER},
    {FILE_MAP, "lines", SUMMARY_LINES | JSON_IS_MAP}, // of a summary, which has no statements
    {SUMMARY_LINES, "pct", SUMMARY_PERCENT},
    {0}};

struct reading {
    struct source_record record;
    struct json_walk *walk;
    struct istanbul_parts statements, hits, branches, arms;
    struct istanbul_part part; // the statement or branch at hand
    uint32_t loc_line;         // of a branch: where its `loc` begins
    unsigned seen;             // bits of STATEMENTS and HITS in this file
    bool any_file;
};

static int recognise(const struct report_head *head)
{
    static const char *const members[] = {"statementMap", "branchMap", "fnMap", "s", "b", "f"};
    int count = 0;
    if (report_head_has(head, "total", "statements", "pct", NULL) &&
        report_head_has(head, "total", "lines", "pct", NULL))
        return 90; // the summary: to say which file to give instead
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        count += report_head_type(head, "*", members[i], NULL) == JSON_MAP_OPEN;
    bool path = report_head_text(head, "*", "path", NULL).data != NULL;
    return count >= 2 || (count && path) ? 95 : 0;
}

static void begin_part(struct reading *r, str key)
{
    r->part = (struct istanbul_part){.id = istanbul_id(key)};
    r->loc_line = 0;
}

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case FILE_MAP:
        r->statements.count = r->hits.count = r->branches.count = r->arms.count = 0;
        r->seen = 0;
        r->any_file = true;
        source_record_open(&r->record, event->offset);
        return source_record_name(&r->record, key, err);
    case STATEMENTS:
    case HITS:
        r->seen |= 1u << place;
        return true;
    case STATEMENT:
    case BRANCH:
    case ARM_LIST:
        begin_part(r, key);
        return true;
    default:
        return true;
    }
}

// The line of a place, which may be null or missing: 0.
static bool place_number(struct reading *r, const struct json_event *event, uint32_t *ret,
                         struct error *err)
{
    uint64_t number = 0;
    if (event->type == JSON_NULL)
        return true;
    if (!json_walk_count(r->walk, event, "a place in the source", &number, err))
        return false;
    *ret = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
    return true;
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    struct istanbul_part count = {0};
    uint64_t hits = 0;
    switch (place) {
    case STATEMENT_LINE:
    case BRANCH_LINE:
        return place_number(r, event, &r->part.number, err);
    case LOC_START_LINE:
        return place_number(r, event, &r->loc_line, err);
    case HIT:
    case ARM: // null: it was never counted
        if (event->type != JSON_NULL && !json_walk_count(r->walk, event, "a count", &hits, err))
            return false;
        count.id = place == HIT ? istanbul_id(key) : r->part.id;
        count.number = place == HIT ? 0 : r->part.number++;
        count.taken = hits > 0;
        return istanbul_parts_add(place == HIT ? &r->hits : &r->arms, &r->record.arena, count, err);
    case SUMMARY_PERCENT:
        return json_walk_refuse(r->walk, event, err,
                                "this is Istanbul's summary, which holds sums only: give "
                                "coverage-final.json (the reporter `json`)");
    default:
        return true;
    }
}

static bool end_branch(struct reading *r, struct error *err)
{
    if (r->loc_line)
        r->part.number = r->loc_line;
    return istanbul_parts_add(&r->branches, &r->record.arena, r->part, err);
}

static void say_odd(struct reading *r, size_t count, const char *what)
{
    if (count)
        report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                       "%zu %s of " STR_FMT " have a place but no count, or a count but no place",
                       count, what, STR_ARG(str_shorten(text_str(&r->record.name), 200)));
}

static bool end_file(struct reading *r, const struct json_event *event, struct error *err)
{
    struct coverage_totals totals;
    size_t odd_statements = 0, odd_branches = 0;
    if (r->seen != (1u << STATEMENTS | 1u << HITS))
        return json_walk_refuse(r->walk, event, err, STR_FMT " has no `statementMap` or no `s`",
                                STR_ARG(str_shorten(text_str(&r->record.name), 200)));
    if (!istanbul_statements(&r->record, &r->statements, &r->hits, &odd_statements, err) ||
        !istanbul_branches(&r->record, &r->branches, &r->arms, &odd_branches, err))
        return false;
    say_odd(r, odd_statements, "statements");
    say_odd(r, odd_branches, "branches");
    return source_record_close(&r->record, event->offset + 1, &totals, err);
}

static bool end_place(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case STATEMENT:
        return istanbul_parts_add(&r->statements, &r->record.arena, r->part, err);
    case BRANCH:
        return end_branch(r, err);
    case FILE_MAP:
        return end_file(r, event, err);
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
    source_record_finish(&r->record);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    source_record_done(&r->record);
    memory_free(r);
}

const struct report_reader istanbul_json_reader = {
    .name = "istanbul-json",
    .title = "Istanbul JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
