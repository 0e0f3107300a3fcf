// coverage.py's JSON (`coverage json`), formats 2 and 3 and the one before they had numbers; also
// what slipcover writes. Regions (functions, classes) and contexts repeat the lines and are passed
// over.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/source_record.h"

#include <stdio.h>

enum place {
    ROOT = 1,
    META,
    FORMAT,
    VERSION,
    SOFTWARE,
    FILES,
    FILE_MAP,
    EXECUTED,
    EXECUTED_LINE,
    MISSING,
    MISSING_LINE,
    EXCLUDED,
    EXCLUDED_LINE,
    TAKEN,
    TAKEN_ARC,
    TAKEN_LINE,
    NOT_TAKEN,
    NOT_TAKEN_ARC,
    NOT_TAKEN_LINE,
    SUMMARY,
    SUMMARY_ITEM, // of SAYINGS
    TOTALS = SUMMARY_ITEM + 6,
    TOTALS_ITEM, // of SAYINGS
};

enum { COVERED, STATEMENTS, MISSED, BRANCHES, BRANCHES_COVERED, BRANCHES_MISSED, SAYINGS };
static const char *const saying_names[SAYINGS] = {"covered_lines",    "num_statements",
                                                  "missing_lines",    "num_branches",
                                                  "covered_branches", "missing_branches"};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
    {ROOT, "meta", META | JSON_IS_MAP},
    {META, "format", FORMAT},
    {META, "version", VERSION | JSON_IS_TEXT},
    {META, "software", SOFTWARE | JSON_IS_TEXT},
    {ROOT, "files", FILES | JSON_IS_MAP},
    {FILES, "*", FILE_MAP | JSON_IS_MAP},
    {FILE_MAP, "executed_lines", EXECUTED | JSON_IS_LIST},
    {EXECUTED, NULL, EXECUTED_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "missing_lines", MISSING | JSON_IS_LIST},
    {MISSING, NULL, MISSING_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "excluded_lines", EXCLUDED | JSON_IS_LIST},
    {EXCLUDED, NULL, EXCLUDED_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "executed_branches", TAKEN | JSON_IS_LIST},
    {TAKEN, NULL, TAKEN_ARC | JSON_IS_LIST},
    {TAKEN_ARC, NULL, TAKEN_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "missing_branches", NOT_TAKEN | JSON_IS_LIST},
    {NOT_TAKEN, NULL, NOT_TAKEN_ARC | JSON_IS_LIST},
    {NOT_TAKEN_ARC, NULL, NOT_TAKEN_LINE | JSON_IS_NUMBER},
    {FILE_MAP, "summary", SUMMARY | JSON_IS_MAP},
    {SUMMARY, "covered_lines", SUMMARY_ITEM + COVERED},
    {SUMMARY, "num_statements", SUMMARY_ITEM + STATEMENTS},
    {SUMMARY, "missing_lines", SUMMARY_ITEM + MISSED},
    {SUMMARY, "num_branches", SUMMARY_ITEM + BRANCHES},
    {SUMMARY, "covered_branches", SUMMARY_ITEM + BRANCHES_COVERED},
    {SUMMARY, "missing_branches", SUMMARY_ITEM + BRANCHES_MISSED},
    {ROOT, "totals", TOTALS | JSON_IS_MAP},
    {TOTALS, "covered_lines", TOTALS_ITEM + COVERED},
    {TOTALS, "num_statements", TOTALS_ITEM + STATEMENTS},
    {TOTALS, "missing_lines", TOTALS_ITEM + MISSED},
    {TOTALS, "num_branches", TOTALS_ITEM + BRANCHES},
    {TOTALS, "covered_branches", TOTALS_ITEM + BRANCHES_COVERED},
    {TOTALS, "missing_branches", TOTALS_ITEM + BRANCHES_MISSED},
    {0}};

struct sayings {
    uint64_t number[SAYINGS];
    bool said[SAYINGS];
};

struct reading {
    struct source_record record;
    struct json_walk *walk;
    struct covered_file excluded;
    struct sayings file, all;  // as the report says
    uint64_t counted[SAYINGS]; // of all files
    unsigned seen;             // bits of EXECUTED, MISSING, TAKEN and NOT_TAKEN in this file
    uint64_t arc_from;         // the first number of a branch; 0 = it has not come
    unsigned arc_numbers;
    bool files_seen, branches_unlisted; // before 7.0, branches were only counted
    uint64_t more_files, more_lines;    // that list executed lines which are no statements
    str software, version;
};

static int recognise(const struct report_head *head)
{
    bool meta = report_head_has(head, "meta", "branch_coverage", NULL) ||
                report_head_has(head, "meta", "show_contexts", NULL);
    bool file = report_head_has(head, "files", "*", "executed_lines", NULL);
    if (report_head_type(head, "files", NULL) != JSON_MAP_OPEN)
        return 0;
    return (meta ? 50 : 0) + (file ? 45 : 0);
}

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    switch (place) {
    case FILES:
        r->files_seen = true;
        return true;
    case FILE_MAP:
        covered_clear(&r->excluded);
        r->file = (struct sayings){0};
        r->seen = 0;
        source_record_open(&r->record, event->offset);
        return source_record_name(&r->record, key, err);
    case EXECUTED:
    case MISSING:
    case TAKEN:
    case NOT_TAKEN:
        r->seen |= 1u << place;
        return true;
    case TAKEN_ARC:
    case NOT_TAKEN_ARC:
        r->arc_numbers = 0;
        return true;
    default:
        return true;
    }
}

// [from, to]: a branch of line `from`, known by where it leads, which is negative for an exit.
static bool arc_number(struct reading *r, const struct json_event *event, bool taken,
                       struct error *err)
{
    if (r->arc_numbers++ == 0)
        return json_walk_count(r->walk, event, "the line of a branch", &r->arc_from, err);
    if (r->arc_from == 0)
        return json_walk_refuse(r->walk, event, err, "a branch begins at line 0");
    return source_record_arm(&r->record, r->arc_from, event->text, taken, err);
}

static bool note_format(struct reading *r, const struct json_event *event, struct error *err)
{
    uint64_t format;
    if (!json_walk_count(r->walk, event, "`format`", &format, err))
        return false;
    if (format != 2 && format != 3)
        report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                       "line %u: the format is %llu; 2 and 3 are known here", event->line,
                       (unsigned long long)format);
    return true;
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct reading *r = context;
    uint64_t number;
    (void)key;
    switch (place) {
    case EXECUTED_LINE:
    case MISSING_LINE:
        return json_walk_count(r->walk, event, "a line number", &number, err) &&
               source_record_line(&r->record, number, place == EXECUTED_LINE, err);
    case EXCLUDED_LINE:
        if (!json_walk_count(r->walk, event, "a line number", &number, err))
            return false;
        number = number < UINT32_MAX ? number : UINT32_MAX;
        return covered_line(&r->record.arena, &r->excluded, (uint32_t)number, 0, err);
    case TAKEN_LINE:
    case NOT_TAKEN_LINE:
        return arc_number(r, event, place == TAKEN_LINE, err);
    case FORMAT:
        return note_format(r, event, err);
    case VERSION:
        r->version = arena_str(&r->record.arena, event->text);
        return true;
    case SOFTWARE:
        r->software = arena_str(&r->record.arena, event->text);
        return true;
    default:
        break;
    }
    bool of_file = place >= SUMMARY_ITEM && place < SUMMARY_ITEM + SAYINGS;
    bool of_all = place >= TOTALS_ITEM && place < TOTALS_ITEM + SAYINGS;
    if (!of_file && !of_all)
        return true;
    struct sayings *sayings = of_file ? &r->file : &r->all;
    int what = place - (of_file ? SUMMARY_ITEM : TOTALS_ITEM);
    sayings->said[what] = true;
    return json_walk_count(r->walk, event, saying_names[what], &sayings->number[what], err);
}

// What is excluded is no statement, although it may have been executed.
static void take_out_excluded(struct reading *r)
{
    struct covered_file *stage = &r->record.stage;
    if (stage->last_line == 0 || r->excluded.last_line == 0)
        return;
    uint32_t last =
        stage->last_line < r->excluded.last_line ? stage->last_line : r->excluded.last_line;
    uint64_t *hit = covered_hit(stage);
    for (uint32_t i = 0; i <= last / 64; i++) {
        stage->known[i] &= ~r->excluded.known[i];
        hit[i] &= ~r->excluded.known[i];
    }
}

static void compare(struct reading *r, const struct sayings *sayings, const uint64_t *counted,
                    uint64_t more, bool branches, const char *whose)
{
    for (int i = 0; i < SAYINGS; i++) {
        uint64_t without = i == COVERED || i == STATEMENTS ? counted[i] - more : counted[i];
        bool compared = sayings->said[i] && (i < BRANCHES || branches);
        if (compared && sayings->number[i] != counted[i] && sayings->number[i] != without)
            report_suspect(r->record.evidence, &r->record.evidence->reports[r->record.report],
                           "`%s` of %s says %llu, but the report lists %llu", saying_names[i],
                           whose, (unsigned long long)sayings->number[i],
                           (unsigned long long)counted[i]);
    }
}

// Up to 7.13, coverage.py lists executed lines that it counts as no statement: docstrings.
static uint64_t lines_beyond_statements(const struct sayings *said, const uint64_t *counted)
{
    bool missed_fit = said->said[MISSED] && said->number[MISSED] == counted[MISSED];
    bool fewer = said->said[COVERED] && said->number[COVERED] < counted[COVERED];
    bool sum_fits = said->said[STATEMENTS] &&
                    said->number[STATEMENTS] == said->number[COVERED] + said->number[MISSED];
    return missed_fit && fewer && sum_fits ? counted[COVERED] - said->number[COVERED] : 0;
}

static bool end_file(struct reading *r, const struct json_event *event, struct error *err)
{
    struct coverage_totals totals;
    str name = str_shorten(text_str(&r->record.name), 200);
    bool lines = (r->seen >> EXECUTED & 1) && (r->seen >> MISSING & 1);
    if (!lines)
        return json_walk_refuse(r->walk, event, err,
                                STR_FMT " has no `executed_lines` or no `missing_lines`",
                                STR_ARG(name));
    bool branches = (r->seen >> TAKEN & 1) && (r->seen >> NOT_TAKEN & 1);
    r->branches_unlisted |= !branches;
    take_out_excluded(r);
    if (!source_record_close(&r->record, event->offset + 1, &totals, err))
        return false;
    uint64_t counted[SAYINGS] = {totals.lines_covered,
                                 totals.lines_total,
                                 totals.lines_total - totals.lines_covered,
                                 totals.branches_total,
                                 totals.branches_covered,
                                 totals.branches_total - totals.branches_covered};
    uint64_t more = lines_beyond_statements(&r->file, counted);
    char whose[256];
    (void)snprintf(whose, sizeof whose, STR_FMT, STR_ARG(name));
    compare(r, &r->file, counted, more, branches, whose);
    for (int i = 0; i < SAYINGS; i++)
        r->counted[i] += counted[i];
    r->more_files += more > 0;
    r->more_lines += more;
    return true;
}

static bool end_place(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    if ((place == TAKEN_ARC || place == NOT_TAKEN_ARC) && r->arc_numbers != 2)
        return json_walk_refuse(r->walk, event, err, "a branch is not [FROM, TO]");
    return place != FILE_MAP || end_file(r, event, err);
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
    struct evidence *evidence = r->record.evidence;
    struct report *report = &evidence->reports[r->record.report];
    if (!json_walk_end(r->walk, err))
        return false;
    if (!r->files_seen)
        return error_set(err, ERROR_INPUT, "%s: there is no map `files` in it", report->path);
    report_tool(evidence, report, r->software.len ? r->software : STR("coverage.py"), r->version);
    compare(r, &r->all, r->counted, r->more_lines, !r->branches_unlisted, "`totals`");
    if (r->more_lines)
        report_suspect(evidence, report,
                       "%llu executed lines of %llu files are listed, but not counted as covered: "
                       "coverage.py before 7.14 lists docstrings, its Cobertura report does not",
                       (unsigned long long)r->more_lines, (unsigned long long)r->more_files);
    source_record_finish(&r->record);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    source_record_done(&r->record);
    memory_free(r);
}

const struct report_reader coveragepy_reader = {
    .name = "coveragepy",
    .title = "coverage.py JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_COVERAGE,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
