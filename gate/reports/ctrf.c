// CTRF, the Common Test Report Format: {"results": {"tool", "summary", "tests": [{"name",
// "status", …}]}}. A test that passed after a retry is flaky, whatever the summary counts it as;
// `other` is a test that neither passed nor was skipped.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum {
    ROOT = 1,
    RESULTS,
    TOOL,
    TOOL_NAME,
    TOOL_VERSION,
    SUMMARY,
    COUNT, // of the summary
    LIST,
    ONE,
    NAME,
    STATUS,
    RAW_STATUS,
    DURATION,
    SUITE, // a text, or a list of them
    SUITE_PART,
    MESSAGE,
    TRACE,
    FILE_PATH,
    LINE,
    BROWSER,
    DEVICE,
    RETRIES,
    FLAKY,
    ATTEMPTS,
    ATTEMPT,
    ATTEMPT_STATUS,
};

static const struct json_step steps[] = {{ROOT, "results", RESULTS | JSON_IS_MAP},
                                         {RESULTS, "tool", TOOL | JSON_IS_MAP},
                                         {TOOL, "name", TOOL_NAME | JSON_IS_TEXT},
                                         {TOOL, "version", TOOL_VERSION | JSON_IS_TEXT},
                                         {RESULTS, "summary", SUMMARY | JSON_IS_MAP},
                                         {SUMMARY, "*", COUNT},
                                         {RESULTS, "tests", LIST | JSON_IS_LIST},
                                         {LIST, NULL, ONE | JSON_IS_MAP},
                                         {ONE, "name", NAME | JSON_IS_TEXT},
                                         {ONE, "status", STATUS | JSON_IS_TEXT},
                                         {ONE, "rawStatus", RAW_STATUS | JSON_IS_TEXT},
                                         {ONE, "duration", DURATION},
                                         {ONE, "suite", SUITE | JSON_IS_TEXT | JSON_IS_LIST},
                                         {SUITE, NULL, SUITE_PART | JSON_IS_TEXT},
                                         {ONE, "message", MESSAGE | JSON_IS_TEXT},
                                         {ONE, "trace", TRACE | JSON_IS_TEXT},
                                         {ONE, "filePath", FILE_PATH | JSON_IS_TEXT},
                                         {ONE, "line", LINE},
                                         {ONE, "browser", BROWSER | JSON_IS_TEXT},
                                         {ONE, "device", DEVICE | JSON_IS_TEXT},
                                         {ONE, "retries", RETRIES | JSON_IS_NUMBER},
                                         {ONE, "flaky", FLAKY | JSON_IS_BOOL},
                                         {ONE, "retryAttempts", ATTEMPTS | JSON_IS_LIST},
                                         {ATTEMPTS, NULL, ATTEMPT | JSON_IS_MAP},
                                         {ATTEMPT, "status", ATTEMPT_STATUS | JSON_IS_TEXT},
                                         {0}};

enum status { NO_STATUS, PASSED, FAILED, SKIPPED, PENDING, OTHER, STATUSES };
static const char *const status_names[STATUSES] = {NULL,      "passed",  "failed",
                                                   "skipped", "pending", "other"};

enum { SAID_TESTS = STATUSES, SAID_FLAKY, SAYINGS }; // after one for each status

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct test_draft draft;
    struct text tool, tool_version, place; // place: browser and device
    enum status status;
    bool flaky, retried, attempt_failed, passed_over;
    struct test_saying sayings[SAYINGS];
    uint64_t counts[SAYINGS];
    uint64_t flagged; // tests that say `flaky` themselves
};

static int recognise(const struct report_head *head)
{
    bool listed = report_head_type(head, "results", "tests", NULL) == JSON_LIST_OPEN;
    bool summed = report_head_type(head, "results", "summary", NULL) == JSON_MAP_OPEN;
    bool tool = report_head_type(head, "results", "tool", NULL) == JSON_MAP_OPEN;
    if (str_is(report_head_text(head, "reportFormat", NULL), "CTRF"))
        return listed || summed || tool || report_head_has(head, "results", NULL) ? 95 : 0;
    return tool && (listed || summed) ? 85 : listed && summed ? 80 : 0;
}

static enum status status_of(str word)
{
    for (int i = PASSED; i < STATUSES; i++)
        if (str_is(word, status_names[i]))
            return (enum status)i;
    return NO_STATUS;
}

static bool begin_test(struct reading *r, const struct json_event *event)
{
    test_draft_clear(&r->draft, event->offset);
    text_clear(&r->place);
    r->status = NO_STATUS;
    r->flaky = r->retried = r->attempt_failed = r->passed_over = false;
    return true;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    return place != ONE || begin_test(r, event);
}

// What a runner calls a test that was not to run, where CTRF has no word for it.
static bool is_passed_over(str raw)
{
    static const char *const words[] = {"todo",   "disabled", "ignored", "skipped",
                                        "skip",   "pending",  "notRun",  "not_run",
                                        "notrun", "excluded", NULL};
    for (size_t i = 0; words[i]; i++)
        if (str_is(raw, words[i]))
            return true;
    return false;
}

static bool read_status(struct reading *r, const struct json_event *event, struct error *err)
{
    r->status = status_of(event->text);
    if (r->status != NO_STATUS)
        return true;
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no status of CTRF",
                     STR_ARG(str_shorten(event->text, 60)));
}

static bool read_summary(struct reading *r, str key, const struct json_event *event,
                         struct error *err)
{
    for (int i = PASSED; i < SAYINGS; i++) {
        const char *name = r->sayings[i].name; // "summary.passed"
        if (str_is(key, name + sizeof "summary." - 1))
            return test_saying_read(&r->sayings[i], event, err);
    }
    return true;
}

static void add_place(struct reading *r, str part)
{
    if (part.len && r->place.len)
        text_adds(&r->place, ", ");
    text_add(&r->place, part);
}

static void read_field(struct reading *r, int place, const struct json_event *event)
{
    switch (place) {
    case NAME:
        test_draft_set(&r->draft, TEST_NAME, event->text);
        break;
    case SUITE:
    case SUITE_PART:
        test_draft_suite(&r->draft, event->text);
        break;
    case FILE_PATH:
        test_draft_set(&r->draft, TEST_FILE, event->text);
        break;
    case MESSAGE:
    case TRACE:
        test_draft_message(&r->draft, event->text);
        break;
    case LINE:
        test_draft_line(&r->draft, event->text);
        break;
    case DURATION:
        test_draft_time(&r->draft, event->text, 1e3);
        break;
    case BROWSER:
    case DEVICE:
        add_place(r, event->text);
        break;
    case RAW_STATUS:
        r->passed_over = is_passed_over(event->text);
        break;
    case TOOL_NAME:
        text_clear(&r->tool);
        text_add(&r->tool, event->text);
        break;
    case TOOL_VERSION:
        text_clear(&r->tool_version);
        text_add(&r->tool_version, event->text);
        break;
    default:
        break;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    struct test_saying retries = {.name = "`retries`"};
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case COUNT:
        return read_summary(r, key, event, err);
    case STATUS:
        return read_status(r, event, err);
    case ATTEMPT_STATUS:
        r->attempt_failed |= !str_is(event->text, "passed") && !str_is(event->text, "skipped");
        return true;
    case RETRIES:
        if (!test_saying_read(&retries, event, err))
            return false;
        r->retried = retries.said > 0;
        return true;
    case FLAKY:
        r->flaky = event->type == JSON_TRUE;
        return true;
    default:
        read_field(r, place, event);
        return true;
    }
}

static enum test_result result_of(const struct reading *r)
{
    switch (r->status) {
    case PASSED:
        return r->flaky || r->retried || r->attempt_failed ? TEST_FLAKY : TEST_PASSED;
    case FAILED:
        return TEST_FAILED;
    case SKIPPED:
    case PENDING:
        return TEST_SKIPPED;
    case NO_STATUS:
    case OTHER:
    case STATUSES:
        break;
    }
    return r->passed_over ? TEST_SKIPPED : TEST_ERROR;
}

static bool end_test(struct reading *r, struct error *err)
{
    if (r->status == NO_STATUS)
        return error_set(err, ERROR_INPUT, "a test ends here that has no `status`");
    enum test_result result = result_of(r);
    r->counts[r->status]++;
    r->counts[SAID_TESTS]++;
    r->counts[SAID_FLAKY] += result == TEST_FLAKY;
    r->flagged += r->flaky;
    test_draft_set(&r->draft, TEST_CLASS, text_str(&r->place));
    if (result == TEST_ERROR)
        test_draft_message(&r->draft, STR("its status is `other`: neither passed nor skipped"));
    return test_draft_take(&r->draft, r->evidence, r->report, result, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    (void)event;
    return place != ONE || end_test(context, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    static const char *const names[SAYINGS] = {
        [PASSED] = "summary.passed",   [FAILED] = "summary.failed", [SKIPPED] = "summary.skipped",
        [PENDING] = "summary.pending", [OTHER] = "summary.other",   [SAID_TESTS] = "summary.tests",
        [SAID_FLAKY] = "summary.flaky"};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->tool = r->tool_version = text_of(LIMIT_PATH);
    r->place = text_of((size_t)LIMIT_TOKEN_BYTES * 2 + 8);
    for (int i = PASSED; i < SAYINGS; i++)
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
    uint64_t others[SAYINGS];
    memcpy(others, r->counts, sizeof others);
    others[SAID_FLAKY] = r->flagged;
    others[SAID_TESTS] = test_draft_united(r->evidence);
    for (int i = PASSED; i < SAYINGS; i++)
        test_saying_compare(&r->sayings[i], r->evidence, r->report, r->counts[i], others[i]);
    if (r->tool.len)
        report_tool(r->evidence, &r->evidence->reports[r->report], text_str(&r->tool),
                    text_str(&r->tool_version));
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    text_done(&r->tool);
    text_done(&r->tool_version);
    text_done(&r->place);
    memory_free(r);
}

const struct report_reader ctrf_reader = {
    .name = "ctrf",
    .title = "CTRF",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
