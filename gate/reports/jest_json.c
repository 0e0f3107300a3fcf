// `jest --json`, and Vitest's JSON reporter in the same shape: {"numTotalTests", …, "testResults":
// [{"name": file, "assertionResults": [{"ancestorTitles", "title", "status"}]}]}. A file that
// failed without a failed test (it did not load) is an error of its own.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum {
    ROOT = 1,
    TOTAL,
    SUCCESS,
    INTERRUPTED,
    LIST,
    SUITE, // one file
    SUITE_NAME,
    SUITE_STATUS,
    SUITE_MESSAGE,
    TESTS,
    ONE,
    ANCESTORS,
    ANCESTOR,
    TITLE,
    STATUS,
    DURATION,
    MESSAGES,
    MESSAGE,
    INVOCATIONS,
    REASONS,
    REASON,
    LOCATION,
    LINE,
};

static const struct json_step steps[] = {{ROOT, "success", SUCCESS | JSON_IS_BOOL},
                                         {ROOT, "wasInterrupted", INTERRUPTED | JSON_IS_BOOL},
                                         {ROOT, "testResults", LIST | JSON_IS_LIST},
                                         {ROOT, "*", TOTAL},
                                         {LIST, NULL, SUITE | JSON_IS_MAP},
                                         {SUITE, "name", SUITE_NAME | JSON_IS_TEXT},
                                         {SUITE, "status", SUITE_STATUS | JSON_IS_TEXT},
                                         {SUITE, "message", SUITE_MESSAGE | JSON_IS_TEXT},
                                         {SUITE, "assertionResults", TESTS | JSON_IS_LIST},
                                         {TESTS, NULL, ONE | JSON_IS_MAP},
                                         {ONE, "ancestorTitles", ANCESTORS | JSON_IS_LIST},
                                         {ANCESTORS, NULL, ANCESTOR | JSON_IS_TEXT},
                                         {ONE, "title", TITLE | JSON_IS_TEXT},
                                         {ONE, "status", STATUS | JSON_IS_TEXT},
                                         {ONE, "duration", DURATION},
                                         {ONE, "failureMessages", MESSAGES | JSON_IS_LIST},
                                         {MESSAGES, NULL, MESSAGE | JSON_IS_TEXT},
                                         {ONE, "invocations", INVOCATIONS | JSON_IS_NUMBER},
                                         {ONE, "retryReasons", REASONS | JSON_IS_LIST},
                                         {REASONS, NULL, REASON},
                                         {ONE, "location", LOCATION | JSON_IS_MAP},
                                         {LOCATION, "line", LINE},
                                         {0}};

enum { SAID_TOTAL, SAID_PASSED, SAID_FAILED, SAID_PENDING, SAID_TODO, SAYINGS };

// What a test's status means, and which of the sums it stands in.
static const struct {
    const char *word;
    enum test_result result;
    int sum;
} statuses[] = {{"passed", TEST_PASSED, SAID_PASSED},     {"failed", TEST_FAILED, SAID_FAILED},
                {"pending", TEST_SKIPPED, SAID_PENDING},  {"skipped", TEST_SKIPPED, SAID_PENDING},
                {"disabled", TEST_SKIPPED, SAID_PENDING}, {"todo", TEST_SKIPPED, SAID_TODO},
                {"focused", TEST_SKIPPED, SAID_PENDING}};
enum { STATUSES = sizeof statuses / sizeof *statuses };

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct test_draft draft; // of the test; then of what broke outside of tests
    struct text file, suite_message;
    bool suite_failed; // the file says so
    uint64_t suite_offset;
    size_t first_case, bad_before; // of the file
    int status;                    // of the test; STATUSES = none was said
    bool retried, messages;
    bool unsuccessful, interrupted;
    size_t bad; // failures and errors so far
    struct test_saying sayings[SAYINGS];
    uint64_t counts[SAYINGS];
};

static int recognise(const struct report_head *head)
{
    bool totals = report_head_has(head, "numTotalTests", NULL) &&
                  report_head_has(head, "numPassedTests", NULL);
    if (report_head_type(head, "testResults", NULL) == JSON_LIST_OPEN &&
        (totals || report_head_has(head, "testResults", "#", "assertionResults", NULL)))
        return 90;
    return totals && report_head_has(head, "numFailedTests", NULL) ? 80 : 0;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == SUITE) {
        text_clear(&r->file);
        text_clear(&r->suite_message);
        r->suite_failed = false;
        r->suite_offset = event->offset;
        r->first_case = r->evidence->tests.count;
        r->bad_before = r->bad;
    } else if (place == ONE) {
        test_draft_clear(&r->draft, event->offset);
        r->status = STATUSES;
        r->retried = r->messages = false;
    }
    return true;
}

static bool read_status(struct reading *r, const struct json_event *event, struct error *err)
{
    for (int i = 0; i < STATUSES; i++)
        if (str_is(event->text, statuses[i].word)) {
            r->status = i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no status of a test",
                     STR_ARG(str_shorten(event->text, 60)));
}

static bool read_total(struct reading *r, str key, const struct json_event *event,
                       struct error *err)
{
    for (int i = 0; i < SAYINGS; i++)
        if (str_is(key, r->sayings[i].name))
            return test_saying_read(&r->sayings[i], event, err);
    return true;
}

static void read_suite(struct reading *r, int place, const struct json_event *event)
{
    if (place == SUITE_STATUS) {
        r->suite_failed = str_is(event->text, "failed");
        return;
    }
    struct text *text = place == SUITE_NAME ? &r->file : &r->suite_message;
    text_clear(text);
    text_add(text, event->text);
}

static void read_field(struct reading *r, int place, const struct json_event *event)
{
    switch (place) {
    case SUITE_NAME:
    case SUITE_STATUS:
    case SUITE_MESSAGE:
        read_suite(r, place, event);
        break;
    case ANCESTOR:
        test_draft_suite(&r->draft, event->text);
        break;
    case TITLE:
        test_draft_set(&r->draft, TEST_NAME, event->text);
        break;
    case DURATION:
        test_draft_time(&r->draft, event->text, 1e3);
        break;
    case MESSAGE:
        r->messages = true;
        test_draft_message(&r->draft, event->text);
        break;
    case REASON:
        r->retried = true;
        break;
    case LINE:
        test_draft_line(&r->draft, event->text);
        break;
    case SUCCESS:
        r->unsuccessful = event->type == JSON_FALSE;
        break;
    case INTERRUPTED:
        r->interrupted = event->type == JSON_TRUE;
        break;
    default:
        break;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    struct test_saying invocations = {.name = "`invocations`"};
    if (event->type == JSON_NULL)
        return true;
    if (place == TOTAL)
        return read_total(r, key, event, err);
    if (place == STATUS)
        return read_status(r, event, err);
    if (place == INVOCATIONS) {
        if (!test_saying_read(&invocations, event, err))
            return false;
        r->retried |= invocations.said > 1;
        return true;
    }
    read_field(r, place, event);
    return true;
}

// Vitest keeps the failures of the runs before a pass, and has no other sign of them.
static bool end_test(struct reading *r, struct error *err)
{
    if (r->status == STATUSES)
        return error_set(err, ERROR_INPUT, "a test ends here that has no `status`");
    enum test_result result = statuses[r->status].result;
    if (result == TEST_PASSED && (r->retried || r->messages))
        result = TEST_FLAKY;
    r->counts[statuses[r->status].sum]++;
    r->counts[SAID_TOTAL]++;
    r->bad += result == TEST_FAILED;
    return test_draft_take(&r->draft, r->evidence, r->report, result, err);
}

// The file's name stands behind its tests.
static bool end_suite(struct reading *r, struct error *err)
{
    struct tests *tests = &r->evidence->tests;
    str file = text_str(&r->file);
    if (r->suite_failed && r->bad == r->bad_before) {
        test_draft_clear(&r->draft, r->suite_offset);
        test_draft_set(&r->draft, TEST_NAME, STR(TEST_OUTSIDE));
        test_draft_message(&r->draft, text_str(&r->suite_message));
        test_draft_message(&r->draft, STR("the file failed, but none of its tests did"));
        if (!test_draft_take(&r->draft, r->evidence, r->report, TEST_ERROR, err))
            return false;
        r->bad++;
    }
    if (file.len && tests->count > r->first_case)
        file = arena_str(&r->evidence->arena, file);
    for (size_t i = r->first_case; i < tests->count; i++)
        tests->cases[i].file = file;
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    (void)event;
    if (place == SUITE)
        return end_suite(context, err);
    return place != ONE || end_test(context, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    static const char *const names[SAYINGS] = {"numTotalTests", "numPassedTests", "numFailedTests",
                                               "numPendingTests", "numTodoTests"};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->file = text_of(LIMIT_TOKEN_BYTES);
    r->suite_message = text_of(LIMIT_TOKEN_BYTES);
    for (int i = 0; i < SAYINGS; i++)
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
    struct report *report = &r->evidence->reports[r->report];
    if (!json_walk_end(r->walk, err))
        return false;
    for (int i = 0; i < SAYINGS; i++)
        test_saying_compare(&r->sayings[i], r->evidence, r->report, r->counts[i],
                            i == SAID_TOTAL ? test_draft_united(r->evidence) : r->counts[i]);
    if (r->interrupted)
        report_suspect(r->evidence, report, "the run was interrupted (`wasInterrupted`)");
    else if (r->unsuccessful && r->bad == 0)
        report_suspect(r->evidence, report, "`success` is false, but nothing in the report failed");
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    text_done(&r->file);
    text_done(&r->suite_message);
    memory_free(r);
}

const struct report_reader jest_json_reader = {
    .name = "jest-json",
    .title = "Jest JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
