// SimpleCov: .resultset.json (each command, such as "RSpec", with its own coverage) and what its
// JSON formatter writes. The commands of one file unite like the shards of a run.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/source_record.h"

enum { COVERED, LINES_TOTAL, BRANCHES_COVERED, BRANCHES_TOTAL, SAYINGS };

enum place {
    ROOT = 1,
    COMMAND, // of a result set; any other member of what the formatter writes
    META,
    META_VERSION,
    COVERAGE,
    FILE_MAP, // before SimpleCov 0.18 the list of its lines
    LINES,
    LINE,
    BRANCHES,
    CONDITION, // of a result set, with its arms
    ARM,
    BRANCH, // of the formatter: an arm alone
    BRANCH_TYPE,
    BRANCH_START,
    BRANCH_END,
    BRANCH_REPORTED,
    BRANCH_COUNT,
    FILE_SAID, // of SAYINGS
    TOTAL = FILE_SAID + SAYINGS,
    TOTAL_LINES,
    TOTAL_BRANCHES,
    TOTAL_SAID, // of SAYINGS
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "*", COMMAND},
    {COMMAND, "coverage", COVERAGE | JSON_IS_MAP},
    {ROOT, "coverage", COVERAGE | JSON_IS_MAP},
    {ROOT, "meta", META | JSON_IS_MAP},
    {META, "simplecov_version", META_VERSION | JSON_IS_TEXT},
    {COVERAGE, "*", FILE_MAP | JSON_IS_MAP | JSON_IS_LIST},
    {FILE_MAP, NULL, LINE},
    {FILE_MAP, "lines", LINES | JSON_IS_LIST},
    {LINES, NULL, LINE},
    {FILE_MAP, "branches", BRANCHES | JSON_IS_MAP | JSON_IS_LIST},
    {BRANCHES, "*", CONDITION | JSON_IS_MAP},
    {CONDITION, "*", ARM | JSON_IS_NUMBER},
    {BRANCHES, NULL, BRANCH | JSON_IS_MAP},
    {BRANCH, "type", BRANCH_TYPE | JSON_IS_TEXT},
    {BRANCH, "start_line", BRANCH_START | JSON_IS_NUMBER},
    {BRANCH, "end_line", BRANCH_END | JSON_IS_NUMBER},
    {BRANCH, "report_line", BRANCH_REPORTED | JSON_IS_NUMBER},
    {BRANCH, "coverage", BRANCH_COUNT},
    {FILE_MAP, "covered_lines", FILE_SAID + COVERED},
    {FILE_MAP, "total_lines", FILE_SAID + LINES_TOTAL},
    {FILE_MAP, "covered_branches", FILE_SAID + BRANCHES_COVERED},
    {FILE_MAP, "total_branches", FILE_SAID + BRANCHES_TOTAL},
    {ROOT, "total", TOTAL | JSON_IS_MAP},
    {TOTAL, "lines", TOTAL_LINES | JSON_IS_MAP},
    {TOTAL_LINES, "covered", TOTAL_SAID + COVERED},
    {TOTAL_LINES, "total", TOTAL_SAID + LINES_TOTAL},
    {TOTAL, "branches", TOTAL_BRANCHES | JSON_IS_MAP},
    {TOTAL_BRANCHES, "covered", TOTAL_SAID + BRANCHES_COVERED},
    {TOTAL_BRANCHES, "total", TOTAL_SAID + BRANCHES_TOTAL},
    {0}};

enum { START, END, NTH, KEYS }; // by which a branch of the formatter is known, beside its type

struct sayings {
    uint64_t number[SAYINGS];
    bool said[SAYINGS];
};

struct reading {
    struct source_record record;
    struct json_walk *walk;
    uint64_t line; // of the element at hand
    struct text condition;
    size_t condition_size; // of its key in `condition`: the arm's follows
    uint64_t condition_line;
    struct text type;
    uint64_t key[KEYS], reported, taken;
    bool counted, is_reported;
    struct sayings file, all;
    bool formatter, covered, lines_seen, any_coverage; // `covered`: this command has coverage
};

static int recognise(const struct report_head *head)
{
    if (report_head_has(head, "meta", "simplecov_version", NULL))
        return 95;
    if (report_head_has(head, "*", "coverage", "*", "lines", NULL))
        return 85;
    // The form before 0.18: lists of numbers and nulls.
    enum json_event_type line = report_head_type(head, "*", "coverage", "*", "#", NULL);
    return line == JSON_NUMBER || line == JSON_NULL ? 80 : 0;
}

// "[:if, 0, 12, 4, 20, 29]": what it is, a number, and where it stands. Its line is the third.
static bool line_of_condition(str key, uint64_t *ret)
{
    str_cut(&key, ',');
    str_cut(&key, ',');
    return number_u64(str_trim(str_cut(&key, ',')), ret);
}

static void begin_file(struct reading *r, const struct json_event *event)
{
    r->line = 0;
    r->lines_seen = event->type == JSON_LIST_OPEN;
    r->file = (struct sayings){0};
    source_record_open(&r->record, event->offset);
}

static bool begin_condition(struct reading *r, str key, const struct json_event *event,
                            struct error *err)
{
    if (!line_of_condition(key, &r->condition_line) || r->condition_line == 0)
        return json_walk_refuse(r->walk, event, err,
                                "a branch is not named like `[:if, 0, LINE, …]`: `" STR_FMT "`",
                                STR_ARG(str_shorten(key, 60)));
    text_clear(&r->condition);
    text_add(&r->condition, key);
    r->condition_size = key.len;
    return true;
}

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case META:
        r->formatter = true;
        return true;
    case COMMAND:
        r->covered = false;
        return true;
    case COVERAGE:
        r->covered = r->any_coverage = true;
        return true;
    case FILE_MAP:
        begin_file(r, event);
        return source_record_name(&r->record, key, err);
    case LINES:
        r->lines_seen = true;
        return true;
    case BRANCHES:
        r->key[NTH] = 0;
        return true;
    case CONDITION:
        return begin_condition(r, key, event, err);
    case BRANCH:
        r->key[START] = r->key[END] = 0;
        r->key[NTH]++;
        r->counted = r->is_reported = false;
        text_clear(&r->type);
        return true;
    default:
        return true;
    }
}

// null: no code there; "ignored": between `:nocov:` marks.
static bool take_line(struct reading *r, const struct json_event *event, struct error *err)
{
    uint64_t hits;
    r->line++;
    if (event->type == JSON_NULL || (event->type == JSON_STRING && str_is(event->text, "ignored")))
        return true;
    return json_walk_count(r->walk, event, "the count of a line", &hits, err) &&
           source_record_line(&r->record, r->line, hits, err);
}

static bool take_arm(struct reading *r, str key, const struct json_event *event, struct error *err)
{
    uint64_t taken = 0;
    if (event->type != JSON_NULL &&
        !json_walk_count(r->walk, event, "the count of a branch", &taken, err))
        return false;
    r->condition.len = r->condition_size;
    text_addc(&r->condition, '\n');
    text_add(&r->condition, key);
    return source_record_arm(&r->record, r->condition_line, text_str(&r->condition), taken > 0,
                             err);
}

static bool note(struct reading *r, const struct json_event *event, struct sayings *sayings,
                 int what, struct error *err)
{
    sayings->said[what] = true;
    return json_walk_count(r->walk, event, "a total", &sayings->number[what], err);
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    if (place == LINE) // as nearly all of them
        return take_line(r, event, err);
    if (place >= FILE_SAID && place < FILE_SAID + SAYINGS)
        return note(r, event, &r->file, place - FILE_SAID, err);
    if (place >= TOTAL_SAID && place < TOTAL_SAID + SAYINGS)
        return note(r, event, &r->all, place - TOTAL_SAID, err);
    switch (place) {
    case META_VERSION:
        report_tool(r->record.evidence, &r->record.evidence->reports[r->record.report],
                    STR("SimpleCov"), event->text);
        return true;
    case ARM:
        return take_arm(r, key, event, err);
    case BRANCH_TYPE:
        text_add(&r->type, str_first(event->text, 64));
        return true;
    case BRANCH_START:
        return json_walk_count(r->walk, event, "a line number", &r->key[START], err);
    case BRANCH_END:
        return json_walk_count(r->walk, event, "a line number", &r->key[END], err);
    case BRANCH_REPORTED:
        r->is_reported = true;
        return json_walk_count(r->walk, event, "a line number", &r->reported, err);
    case BRANCH_COUNT:
        if (event->type == JSON_NULL || str_is(event->text, "ignored"))
            return true;
        r->counted = true;
        return json_walk_count(r->walk, event, "the count of a branch", &r->taken, err);
    default:
        return true;
    }
}

static bool end_branch(struct reading *r, const struct json_event *event, struct error *err)
{
    uint64_t line = r->is_reported ? r->reported : r->key[START];
    if (!r->counted)
        return true;
    if (line == 0)
        return json_walk_refuse(r->walk, event, err, "a branch has no usable `start_line`");
    text_add(&r->type, str_make((const char *)r->key, sizeof r->key));
    return source_record_arm(&r->record, line, text_str(&r->type), r->taken > 0, err);
}

static void compare(struct reading *r, const struct sayings *sayings, struct coverage_totals totals,
                    str whose)
{
    static const char *const names[SAYINGS] = {"covered lines", "lines", "covered branches",
                                               "branches"};
    const uint64_t counted[SAYINGS] = {totals.lines_covered, totals.lines_total,
                                       totals.branches_covered, totals.branches_total};
    for (int i = 0; i < SAYINGS; i++)
        if (sayings->said[i] && sayings->number[i] != counted[i])
            report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                           STR_FMT " says %llu %s, but the report lists %llu", STR_ARG(whose),
                           (unsigned long long)sayings->number[i], names[i],
                           (unsigned long long)counted[i]);
}

static bool end_file(struct reading *r, const struct json_event *event, struct error *err)
{
    struct coverage_totals totals;
    str name = str_shorten(text_str(&r->record.name), 200);
    if (!r->lines_seen)
        return json_walk_refuse(r->walk, event, err,
                                STR_FMT " has no list `lines`: switch line coverage on",
                                STR_ARG(name));
    if (!source_record_close(&r->record, event->offset + 1, &totals, err))
        return false;
    compare(r, &r->file, totals, name);
    return true;
}

static bool end_place(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case BRANCH:
        return end_branch(r, event, err);
    case FILE_MAP:
        return end_file(r, event, err);
    case COMMAND:
        if (!r->covered && !r->formatter)
            return json_walk_refuse(r->walk, event, err, "a command has no `coverage`");
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
    r->condition = text_of(2 * LIMIT_TOKEN_BYTES + 1);
    r->type = text_of(64 + sizeof r->key);
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
    if (!r->any_coverage)
        return error_set(err, ERROR_INPUT, "%s: there is no `coverage` in it",
                         r->record.evidence->reports[r->record.report].path);
    compare(r, &r->all, coverage_totals(&r->record.evidence->coverage), STR("`total`"));
    source_record_finish(&r->record);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    text_done(&r->condition);
    text_done(&r->type);
    source_record_done(&r->record);
    memory_free(r);
}

const struct report_reader simplecov_reader = {
    .name = "simplecov",
    .title = "SimpleCov",
    .form = REPORT_JSON,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
