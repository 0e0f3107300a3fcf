// Mocha's JSON reporter ({"stats", "tests", "pending", "failures", "passes"}), and mochawesome's,
// which Cypress uses ({"stats", "results": nested suites}). What stands in a list is in that state;
// `tests` repeats it. A pass after a retry is flaky; one that carries an error, as when done() was
// called twice, failed. A hook that failed is a failed test of its own.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum {
    ROOT = 1,
    STATS,
    STAT,
    ALL, // the lists of Mocha
    PASSES,
    FAILURES,
    PENDING,
    AGAIN, // a test in ALL
    PASS,
    FAILURE,
    PENDED,
    RESULTS, // mochawesome
    SUITE,
    SUITES,
    SUITE_FILE,
    RUNS,
    HOOKS,
    RUN,
    HOOK,
    TITLE,
    FULL_TITLE,
    FILE_NAME,
    DURATION,
    RETRY,
    STATE,
    ERR,
    MESSAGE,
    STACK,
};

// The members of a test, wherever it stands.
#define MEMBERS(place)                                                                             \
    {place, "title", TITLE | JSON_IS_TEXT}, {place, "fullTitle", FULL_TITLE | JSON_IS_TEXT},       \
        {place, "file", FILE_NAME | JSON_IS_TEXT}, {place, "duration", DURATION},                  \
        {place, "currentRetry", RETRY | JSON_IS_NUMBER}, {place, "err", ERR},                      \
    {                                                                                              \
        place, "state", STATE | JSON_IS_TEXT                                                       \
    }

static const struct json_step steps[] = {{ROOT, "stats", STATS | JSON_IS_MAP},
                                         {STATS, "*", STAT},
                                         {ROOT, "tests", ALL | JSON_IS_LIST},
                                         {ROOT, "passes", PASSES | JSON_IS_LIST},
                                         {ROOT, "failures", FAILURES | JSON_IS_LIST},
                                         {ROOT, "pending", PENDING | JSON_IS_LIST},
                                         {ALL, NULL, AGAIN | JSON_IS_MAP},
                                         {PASSES, NULL, PASS | JSON_IS_MAP},
                                         {FAILURES, NULL, FAILURE | JSON_IS_MAP},
                                         {PENDING, NULL, PENDED | JSON_IS_MAP},
                                         MEMBERS(PASS),
                                         MEMBERS(FAILURE),
                                         MEMBERS(PENDED),
                                         {ROOT, "results", RESULTS | JSON_IS_LIST},
                                         {RESULTS, NULL, SUITE | JSON_IS_MAP},
                                         {SUITE, "suites", SUITES | JSON_IS_LIST},
                                         {SUITES, NULL, SUITE | JSON_IS_MAP},
                                         {SUITE, "file", SUITE_FILE | JSON_IS_TEXT},
                                         {SUITE, "tests", RUNS | JSON_IS_LIST},
                                         {SUITE, "beforeHooks", HOOKS | JSON_IS_LIST},
                                         {SUITE, "afterHooks", HOOKS | JSON_IS_LIST},
                                         {RUNS, NULL, RUN | JSON_IS_MAP},
                                         {HOOKS, NULL, HOOK | JSON_IS_MAP},
                                         MEMBERS(RUN),
                                         MEMBERS(HOOK),
                                         {ERR, "message", MESSAGE},
                                         {ERR, "stack", STACK},
                                         {ERR, "estack", STACK},
                                         {0}};

enum { SAID_TESTS, SAID_PASSES, SAID_FAILURES, SAID_PENDING, SAYINGS };

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct test_draft draft;
    struct text full_title, suite_file; // suite_file: the last one said of the suites at hand
    bool has_error, retried, awesome;
    enum test_result state;
    bool has_state;
    struct test_saying sayings[SAYINGS];
    uint64_t counts[SAYINGS];
    uint64_t hooks, passes_with_error; // failures that are no tests; passes that are failures too
};

static int recognise(const struct report_head *head)
{
    bool stats = report_head_has(head, "stats", "passes", NULL) &&
                 report_head_has(head, "stats", "pending", NULL) &&
                 report_head_has(head, "stats", "failures", NULL);
    if (!stats)
        return 0;
    if (report_head_type(head, "tests", NULL) == JSON_LIST_OPEN ||
        report_head_type(head, "results", NULL) == JSON_LIST_OPEN)
        return 90;
    return report_head_type(head, "failures", NULL) == JSON_LIST_OPEN ? 80 : 0;
}

static bool is_test(int place)
{
    return place == PASS || place == FAILURE || place == PENDED || place == RUN || place == HOOK;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    r->awesome |= place == RESULTS;
    r->counts[SAID_TESTS] += place == AGAIN;
    if (place == SUITE && event->depth == 2) // an outermost one: what held before is over
        text_clear(&r->suite_file);
    if (!is_test(place))
        return true;
    test_draft_clear(&r->draft, event->offset);
    text_clear(&r->full_title);
    r->has_error = r->retried = r->has_state = false;
    return true;
}

static bool read_stat(struct reading *r, str key, const struct json_event *event, struct error *err)
{
    for (int i = 0; i < SAYINGS; i++)
        if (str_is(key, r->sayings[i].name + sizeof "stats." - 1))
            return test_saying_read(&r->sayings[i], event, err);
    return true;
}

static bool read_state(struct reading *r, const struct json_event *event, struct error *err)
{
    static const struct {
        const char *word;
        enum test_result result;
    } states[] = {{"passed", TEST_PASSED},
                  {"failed", TEST_FAILED},
                  {"pending", TEST_SKIPPED},
                  {"skipped", TEST_SKIPPED}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_is(event->text, states[i].word)) {
            r->state = states[i].result;
            r->has_state = true;
            return true;
        }
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no state of a test",
                     STR_ARG(str_shorten(event->text, 60)));
}

static void read_error(struct reading *r, const struct json_event *event)
{
    r->has_error = true;
    if (event->type == JSON_STRING)
        test_draft_message(&r->draft, event->text);
}

static bool read_retry(struct reading *r, const struct json_event *event, struct error *err)
{
    struct test_saying retry = {.name = "`currentRetry`"};
    if (!test_saying_read(&retry, event, err))
        return false;
    r->retried = retry.said > 0;
    return true;
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case STAT:
        return read_stat(r, key, event, err);
    case STATE:
        return read_state(r, event, err);
    case RETRY:
        return read_retry(r, event, err);
    case TITLE:
        test_draft_set(&r->draft, TEST_NAME, event->text);
        break;
    case FULL_TITLE:
        text_clear(&r->full_title);
        text_add(&r->full_title, event->text);
        break;
    case FILE_NAME:
        test_draft_set(&r->draft, TEST_FILE, event->text);
        break;
    case SUITE_FILE:
        if (event->text.len) {
            text_clear(&r->suite_file);
            text_add(&r->suite_file, event->text);
        }
        break;
    case DURATION:
        test_draft_time(&r->draft, event->text, 1e3);
        break;
    case ERR: // an error that is no map: a text was thrown
    case MESSAGE:
    case STACK:
        read_error(r, event);
        break;
    default:
        break;
    }
    return true;
}

// The suite is what stands before the title in the full title. A test that has no title of its own
// is known by the full one.
static void name_suite(struct reading *r)
{
    str full = text_str(&r->full_title), title = test_draft_get(&r->draft, TEST_NAME);
    if (title.len == 0)
        test_draft_set(&r->draft, TEST_NAME, full);
    else if (str_ends(full, title))
        test_draft_set(&r->draft, TEST_SUITE, str_trim(str_first(full, full.len - title.len)));
    else
        test_draft_set(&r->draft, TEST_SUITE, full);
}

static bool is_hook(const struct reading *r)
{
    str name = test_draft_get(&r->draft, TEST_NAME);
    return str_starts(name, STR("\"before ")) || str_starts(name, STR("\"after "));
}

static enum test_result result_of(const struct reading *r, int place)
{
    if (place == PENDED)
        return TEST_SKIPPED;
    bool awesome = place == RUN || place == HOOK;
    if (awesome && !r->has_state) // it did not run, because a hook before it failed
        return r->has_error ? TEST_FAILED : TEST_SKIPPED;
    if (place == FAILURE || r->has_error || (awesome && r->state == TEST_FAILED))
        return TEST_FAILED;
    if (awesome && r->state != TEST_PASSED)
        return r->state;
    return r->retried ? TEST_FLAKY : TEST_PASSED;
}

static void count(struct reading *r, int place, enum test_result result)
{
    bool hook = is_hook(r);
    if (place == RUN) {
        bool ran = r->has_state;
        r->counts[SAID_TESTS] += ran;
        r->counts[SAID_PASSES] += ran && (result == TEST_PASSED || result == TEST_FLAKY);
        r->counts[SAID_FAILURES] += ran && result == TEST_FAILED;
        r->counts[SAID_PENDING] += ran && result == TEST_SKIPPED;
        return;
    }
    r->counts[SAID_PASSES] += place == PASS;
    r->counts[SAID_FAILURES] += place == FAILURE;
    r->counts[SAID_PENDING] += place == PENDED;
    r->hooks += hook && (place == FAILURE || place == HOOK);
    r->passes_with_error += place == PASS && result == TEST_FAILED;
}

static bool end_test(struct reading *r, int place, struct error *err)
{
    enum test_result result = result_of(r, place);
    if (place == HOOK && result != TEST_FAILED)
        return true; // a hook is no test, unless it broke
    name_suite(r);
    if (test_draft_get(&r->draft, TEST_FILE).len == 0 && (place == RUN || place == HOOK))
        test_draft_set(&r->draft, TEST_FILE, text_str(&r->suite_file));
    count(r, place, result);
    return test_draft_take(&r->draft, r->evidence, r->report, result, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    (void)event;
    return !is_test(place) || end_test(context, place, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    static const char *const names[SAYINGS] = {"stats.tests", "stats.passes", "stats.failures",
                                               "stats.pending"};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->full_title = text_of(LIMIT_TOKEN_BYTES);
    r->suite_file = text_of(LIMIT_TOKEN_BYTES);
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

// Every test of `tests` stands in one of the other lists.
static void compare_lists(struct reading *r)
{
    uint64_t twice = r->hooks + r->passes_with_error;
    uint64_t held =
        r->counts[SAID_PASSES] + r->counts[SAID_FAILURES] + r->counts[SAID_PENDING] - twice;
    if (!r->awesome && r->counts[SAID_TESTS] > held)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "`tests` lists %llu tests, but passes, failures and pending hold %llu",
                       (unsigned long long)r->counts[SAID_TESTS], (unsigned long long)held);
}

static bool end(struct reading *r, struct error *err)
{
    if (!json_walk_end(r->walk, err))
        return false;
    compare_lists(r);
    for (int i = 0; i < SAYINGS; i++) {
        uint64_t counted = r->counts[i], other = counted;
        if (i == SAID_FAILURES && r->awesome)
            other += r->hooks;
        test_saying_compare(&r->sayings[i], r->evidence, r->report, counted, other);
    }
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    text_done(&r->full_title);
    text_done(&r->suite_file);
    memory_free(r);
}

const struct report_reader mocha_json_reader = {
    .name = "mocha-json",
    .title = "Mocha JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
