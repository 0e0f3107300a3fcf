// Playwright's JSON reporter: suites in suites, specs in them, one test for each project and its
// results, one for each try. The outcome is made of the results and compared with what is said. A
// test that was to fail and did has passed; a run that was interrupted is an error; an error that
// stands in no test is a test of its own.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/playwright_outcome.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum {
    ROOT = 1,
    CONFIG,
    VERSION,
    SUITES,
    SUITE,
    SUITE_TITLE,
    SPECS,
    SPEC,
    SPEC_TITLE,
    SPEC_FILE,
    SPEC_LINE,
    TESTS,
    TEST,
    PROJECT,
    EXPECTED,
    STATUS,
    RESULTS,
    RESULT,
    RESULT_STATUS,
    DURATION,
    ERRORS,
    ERR,
    MESSAGE,
    TOP_ERRORS,
    TOP_ERROR,
    TOP_MESSAGE,
    LOCATION,
    LOCATION_FILE,
    LOCATION_LINE,
    STATS,
    STAT,
};

static const struct json_step steps[] = {{ROOT, "config", CONFIG | JSON_IS_MAP},
                                         {CONFIG, "version", VERSION | JSON_IS_TEXT},
                                         {ROOT, "suites", SUITES | JSON_IS_LIST},
                                         {SUITES, NULL, SUITE | JSON_IS_MAP},
                                         {SUITE, "title", SUITE_TITLE | JSON_IS_TEXT},
                                         {SUITE, "suites", SUITES | JSON_IS_LIST},
                                         {SUITE, "specs", SPECS | JSON_IS_LIST},
                                         {SPECS, NULL, SPEC | JSON_IS_MAP},
                                         {SPEC, "title", SPEC_TITLE | JSON_IS_TEXT},
                                         {SPEC, "file", SPEC_FILE | JSON_IS_TEXT},
                                         {SPEC, "line", SPEC_LINE},
                                         {SPEC, "tests", TESTS | JSON_IS_LIST},
                                         {TESTS, NULL, TEST | JSON_IS_MAP},
                                         {TEST, "projectName", PROJECT | JSON_IS_TEXT},
                                         {TEST, "expectedStatus", EXPECTED | JSON_IS_TEXT},
                                         {TEST, "status", STATUS | JSON_IS_TEXT},
                                         {TEST, "results", RESULTS | JSON_IS_LIST},
                                         {RESULTS, NULL, RESULT | JSON_IS_MAP},
                                         {RESULT, "status", RESULT_STATUS | JSON_IS_TEXT},
                                         {RESULT, "duration", DURATION},
                                         {RESULT, "error", ERR | JSON_IS_MAP},
                                         {RESULT, "errors", ERRORS | JSON_IS_LIST},
                                         {ERRORS, NULL, ERR | JSON_IS_MAP},
                                         {ERR, "message", MESSAGE | JSON_IS_TEXT},
                                         {ROOT, "errors", TOP_ERRORS | JSON_IS_LIST},
                                         {TOP_ERRORS, NULL, TOP_ERROR | JSON_IS_MAP},
                                         {TOP_ERROR, "message", TOP_MESSAGE | JSON_IS_TEXT},
                                         {TOP_ERROR, "location", LOCATION | JSON_IS_MAP},
                                         {LOCATION, "file", LOCATION_FILE | JSON_IS_TEXT},
                                         {LOCATION, "line", LOCATION_LINE},
                                         {ROOT, "stats", STATS | JSON_IS_MAP},
                                         {STATS, "*", STAT},
                                         {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct test_draft draft;
    struct text path; // titles of the suites at hand
    size_t path_before[LIMIT_DOC_DEPTH], cases_before[LIMIT_DOC_DEPTH];
    unsigned depth;          // of the suites
    struct text title, file; // of the spec
    uint32_t line;
    size_t first_case;
    struct playwright_runs runs; // of the test
    struct test_saying sayings[PLAYWRIGHT_OUTCOMES];
    uint64_t counts[PLAYWRIGHT_OUTCOMES];
    uint64_t bad, not_run;
};

static int recognise(const struct report_head *head)
{
    bool config = report_head_has(head, "config", "projects", NULL) &&
                  report_head_has(head, "config", "rootDir", NULL);
    bool suites = report_head_type(head, "suites", NULL) == JSON_LIST_OPEN;
    if (suites && report_head_has(head, "suites", "#", "specs", NULL))
        return 90;
    return config && (suites || report_head_has(head, "config", "reporter", NULL)) ? 85 : 0;
}

static bool begin_suite(struct reading *r)
{
    r->path_before[r->depth] = r->path.len;
    r->cases_before[r->depth] = r->evidence->tests.count;
    r->depth++; // JSON's own limit keeps it in its bounds
    return true;
}

static void begin_spec(struct reading *r)
{
    text_clear(&r->title);
    text_clear(&r->file);
    r->line = 0;
    r->first_case = r->evidence->tests.count;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == SUITE)
        return begin_suite(r);
    if (place == SPEC)
        begin_spec(r);
    if (place == TEST || place == TOP_ERROR) {
        test_draft_clear(&r->draft, event->offset);
        r->runs = (struct playwright_runs){.said = PLAYWRIGHT_UNSAID};
    }
    return true;
}

static bool name_suite(struct reading *r, str title, struct error *err)
{
    unsigned own = r->depth - 1;
    if (r->evidence->tests.count > r->cases_before[own])
        return error_set(err, ERROR_INPUT, "the title of a suite stands behind its tests");
    r->path.len = r->path_before[own];
    if (title.len && r->path.len)
        text_adds(&r->path, " › ");
    text_add(&r->path, title);
    if (text_full(&r->path))
        return error_set(err, ERROR_LIMIT, "the titles of the suites are longer than 1 MiB");
    return true;
}

static bool read_stat(struct reading *r, str key, const struct json_event *event, struct error *err)
{
    for (int i = 0; i < PLAYWRIGHT_OUTCOMES; i++)
        if (str_is(key, playwright_outcome_names[i]))
            return test_saying_read(&r->sayings[i], event, err);
    return true;
}

static void keep(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static void read_field(struct reading *r, int place, const struct json_event *event)
{
    switch (place) {
    case VERSION:
        report_tool(r->evidence, &r->evidence->reports[r->report], STR("Playwright"), event->text);
        break;
    case SPEC_TITLE:
        keep(&r->title, event->text);
        break;
    case SPEC_FILE:
        keep(&r->file, event->text);
        break;
    case PROJECT:
        test_draft_set(&r->draft, TEST_CLASS, event->text);
        break;
    case LOCATION_FILE:
        test_draft_set(&r->draft, TEST_FILE, event->text);
        break;
    case SPEC_LINE:
    case LOCATION_LINE:
        r->draft.line = 0;
        test_draft_line(&r->draft, event->text);
        r->line = r->draft.line;
        break;
    case DURATION:
        test_draft_time(&r->draft, event->text, 1e3);
        break;
    case MESSAGE:
    case TOP_MESSAGE:
        test_draft_message(&r->draft, event->text);
        break;
    default:
        break;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case SUITE_TITLE:
        return name_suite(r, event->text, err);
    case STAT:
        return read_stat(r, key, event, err);
    case EXPECTED:
        return playwright_expects(&r->runs, event->text, err);
    case STATUS:
        return playwright_says(&r->runs, event->text, err);
    case RESULT_STATUS:
        return playwright_ran(&r->runs, event->text, err);
    default:
        read_field(r, place, event);
        return true;
    }
}

static enum test_result result_of(struct reading *r, enum playwright_outcome outcome)
{
    switch (outcome) {
    case PLAYWRIGHT_EXPECTED:
        return TEST_PASSED;
    case PLAYWRIGHT_FLAKY:
        return TEST_FLAKY;
    case PLAYWRIGHT_SKIPPED:
        if (r->runs.results[PLAYWRIGHT_INTERRUPTED]) {
            test_draft_message(&r->draft, STR("the run of this test was interrupted"));
            return TEST_ERROR;
        }
        r->not_run += r->runs.expected != PLAYWRIGHT_WAS_SKIPPED;
        return TEST_SKIPPED;
    case PLAYWRIGHT_UNEXPECTED:
    case PLAYWRIGHT_OUTCOMES:
    case PLAYWRIGHT_UNSAID:
        break;
    }
    if (r->runs.expected == PLAYWRIGHT_FAILED && !r->runs.results[PLAYWRIGHT_TIMED_OUT])
        test_draft_message(&r->draft, STR("it was to fail, and did not"));
    return TEST_FAILED;
}

// The spec's title, file and line may stand behind its tests.
static bool end_test(struct reading *r, const struct json_event *event, struct error *err)
{
    enum playwright_outcome outcome = playwright_outcome(&r->runs);
    if (playwright_contradicts(&r->runs))
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "line %u: a test says that it is `%s`, but its results make it `%s`",
                       event->line, playwright_outcome_names[r->runs.said],
                       playwright_outcome_names[playwright_outcome_of(&r->runs)]);
    r->counts[r->runs.said == PLAYWRIGHT_UNSAID ? outcome : r->runs.said]++;
    enum test_result result = result_of(r, outcome);
    r->bad += result == TEST_FAILED || result == TEST_ERROR;
    test_draft_set(&r->draft, TEST_SUITE, text_str(&r->path));
    test_draft_set(&r->draft, TEST_NAME, STR("?"));
    return test_draft_take(&r->draft, r->evidence, r->report, result, err);
}

static void end_spec(struct reading *r)
{
    struct arena *arena = &r->evidence->arena;
    struct tests *tests = &r->evidence->tests;
    if (tests->count == r->first_case)
        return;
    str file = arena_str(arena, text_str(&r->file)), name = arena_str(arena, text_str(&r->title));
    if (str_trim(name).len == 0)
        name = arena_format(arena, "(unnamed %llu)", (unsigned long long)++r->draft.unnamed);
    for (size_t i = r->first_case; i < tests->count; i++) {
        tests->cases[i].name = name;
        tests->cases[i].file = file;
        tests->cases[i].line = r->line;
    }
}

static bool end_top_error(struct reading *r, struct error *err)
{
    r->bad++;
    test_draft_set(&r->draft, TEST_NAME, STR(TEST_OUTSIDE));
    return test_draft_take(&r->draft, r->evidence, r->report, TEST_ERROR, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    if (place == SUITE)
        r->path.len = r->path_before[--r->depth];
    if (place == SPEC)
        end_spec(r);
    if (place == TEST)
        return end_test(r, event, err);
    return place != TOP_ERROR || end_top_error(r, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    static const char *const names[PLAYWRIGHT_OUTCOMES] = {"stats.expected", "stats.unexpected",
                                                           "stats.flaky", "stats.skipped"};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->path = r->title = r->file = text_of(LIMIT_TOKEN_BYTES);
    for (int i = 0; i < PLAYWRIGHT_OUTCOMES; i++)
        r->sayings[i].name = names[i];
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
    for (int i = 0; i < PLAYWRIGHT_OUTCOMES; i++)
        test_saying_compare(&r->sayings[i], r->evidence, r->report, r->counts[i], r->counts[i]);
    if (r->not_run && !r->bad)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "%llu tests were to run and did not, and nothing in the report says why",
                       (unsigned long long)r->not_run);
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    text_done(&r->path);
    text_done(&r->title);
    text_done(&r->file);
    memory_free(r);
}

const struct report_reader playwright_json_reader = {
    .name = "playwright-json",
    .title = "Playwright JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
