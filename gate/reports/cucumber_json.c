// Cucumber JSON: a list of features, each with its scenarios, each with its steps. A scenario
// passed when every step and hook of it did: an undefined, pending or ambiguous step is none, and
// neither is a step without a result. A background that stands before a scenario is a part of it.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum {
    ROOT = 1,
    FEATURE,
    FEATURE_NAME,
    FEATURE_URI,
    ELEMENTS,
    ELEMENT,
    NAME,
    LINE,
    TYPE,
    KEYWORD,
    STEPS,
    STEP,
    STEP_NAME,
    HOOKS,
    HOOK,
    RESULT,
    STATUS,
    DURATION,
    MESSAGE,
};

static const struct json_step steps[] = {{ROOT, NULL, FEATURE | JSON_IS_MAP},
                                         {FEATURE, "name", FEATURE_NAME | JSON_IS_TEXT},
                                         {FEATURE, "uri", FEATURE_URI | JSON_IS_TEXT},
                                         {FEATURE, "elements", ELEMENTS | JSON_IS_LIST},
                                         {ELEMENTS, NULL, ELEMENT | JSON_IS_MAP},
                                         {ELEMENT, "name", NAME | JSON_IS_TEXT},
                                         {ELEMENT, "line", LINE},
                                         {ELEMENT, "type", TYPE | JSON_IS_TEXT},
                                         {ELEMENT, "keyword", KEYWORD | JSON_IS_TEXT},
                                         {ELEMENT, "steps", STEPS | JSON_IS_LIST},
                                         {ELEMENT, "before", HOOKS | JSON_IS_LIST},
                                         {ELEMENT, "after", HOOKS | JSON_IS_LIST},
                                         {STEPS, NULL, STEP | JSON_IS_MAP},
                                         {STEP, "name", STEP_NAME | JSON_IS_TEXT},
                                         {STEP, "result", RESULT | JSON_IS_MAP},
                                         {STEP, "before", HOOKS | JSON_IS_LIST},
                                         {STEP, "after", HOOKS | JSON_IS_LIST},
                                         {HOOKS, NULL, HOOK | JSON_IS_MAP},
                                         {HOOK, "result", RESULT | JSON_IS_MAP},
                                         {RESULT, "status", STATUS | JSON_IS_TEXT},
                                         {RESULT, "duration", DURATION},
                                         {RESULT, "error_message", MESSAGE | JSON_IS_TEXT},
                                         {0}};

// By rising weight: the heaviest of its steps is a scenario's own.
enum status { NOTHING, PASSED, SKIPPED, UNKNOWN, UNDEFINED, PENDING, AMBIGUOUS, FAILED, STATUSES };
static const char *const status_names[STATUSES] = {"",          "passed",  "skipped",   "unknown",
                                                   "undefined", "pending", "ambiguous", "failed"};

struct verdict {
    enum status worst;
    uint64_t nanoseconds;
    bool timed;
    struct text message; // of the first step that is as bad
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct test_draft draft;
    struct verdict scenario, background; // background: of those whose scenario has not come
    uint64_t background_offset;
    bool is_background, has_background;
    size_t first_case; // of the feature
    struct text feature, uri;
    struct text step; // the name of the step at hand
    bool in_hook;
    struct part { // a step, and a hook, which may stand inside of one
        enum status status;
        struct text error;
    } parts[2];
};

static int recognise(const struct report_head *head)
{
    bool step = report_head_has(head, "#", "elements", "#", "steps", NULL);
    bool kind = report_head_has(head, "#", "elements", "#", "keyword", NULL) ||
                report_head_has(head, "#", "elements", "#", "type", NULL);
    bool feature =
        report_head_has(head, "#", "uri", NULL) || report_head_has(head, "#", "keyword", NULL);
    if (report_head_type(head, "#", "elements", NULL) != JSON_LIST_OPEN)
        return 0;
    return step && kind ? 90 : feature ? 85 : 0;
}

static void verdict_clear(struct verdict *verdict)
{
    text_clear(&verdict->message);
    verdict->worst = NOTHING;
    verdict->nanoseconds = 0;
    verdict->timed = false;
}

// One more part; the message of the worst one stays.
static void verdict_add(struct verdict *verdict, enum status status, str step, str error)
{
    if (status <= verdict->worst)
        return;
    verdict->worst = status;
    text_clear(&verdict->message);
    if (str_trim(error).len)
        text_add(&verdict->message, str_shorten(error, LIMIT_PATH));
    else if (status >= UNKNOWN)
        text_addf(&verdict->message, "the step `" STR_FMT "` is %s",
                  STR_ARG(str_shorten(step, 200)), status_names[status]);
}

static void begin_feature(struct reading *r)
{
    text_clear(&r->feature);
    text_clear(&r->uri);
    r->first_case = r->evidence->tests.count;
    r->has_background = false;
    verdict_clear(&r->background);
}

static void begin_element(struct reading *r, const struct json_event *event)
{
    test_draft_clear(&r->draft, event->offset);
    verdict_clear(&r->scenario);
    r->is_background = false;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == ROOT && event->type != JSON_LIST_OPEN)
        return error_set(err, ERROR_INPUT, "Cucumber JSON is a list of features");
    if (place == FEATURE) {
        begin_feature(r);
    } else if (place == ELEMENT) {
        begin_element(r, event);
    } else if (place == STEP || place == HOOK) {
        r->in_hook = place == HOOK;
        text_clear(&r->parts[r->in_hook].error);
        r->parts[r->in_hook].status = NOTHING;
    }
    if (place == STEP)
        text_clear(&r->step);
    return true;
}

static bool read_status(struct reading *r, const struct json_event *event, struct error *err)
{
    char word[16] = "";
    for (size_t i = 0; i < event->text.len && i + 1 < sizeof word; i++)
        word[i] = (char)(event->text.data[i] >= 'A' && event->text.data[i] <= 'Z'
                             ? event->text.data[i] + 'a' - 'A'
                             : event->text.data[i]);
    for (int i = PASSED; i < STATUSES; i++)
        if (strlen(status_names[i]) == event->text.len && strcmp(word, status_names[i]) == 0) {
            r->parts[r->in_hook].status = (enum status)i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no status of a step",
                     STR_ARG(str_shorten(event->text, 60)));
}

static void read_duration(struct reading *r, const struct json_event *event)
{
    int64_t before = r->draft.time_us;
    r->draft.time_us = -1;
    test_draft_time(&r->draft, event->text, 1); // nanoseconds here, only for its checks
    if (r->draft.time_us >= 0) {
        r->scenario.nanoseconds += (uint64_t)r->draft.time_us;
        r->scenario.timed = true;
    }
    r->draft.time_us = before;
}

static void keep(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place == ROOT)
        return error_set(err, ERROR_INPUT, "Cucumber JSON is a list of features");
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case FEATURE_NAME:
        keep(&r->feature, event->text);
        break;
    case FEATURE_URI:
        keep(&r->uri, event->text);
        break;
    case NAME:
        test_draft_set(&r->draft, TEST_NAME, event->text);
        break;
    case LINE:
        test_draft_line(&r->draft, event->text);
        break;
    case TYPE:
        r->is_background = str_is(event->text, "background");
        break;
    case KEYWORD:
        r->is_background |= str_is(str_trim(event->text), "Background");
        break;
    case STEP_NAME:
        keep(&r->step, event->text);
        break;
    case STATUS:
        return read_status(r, event, err);
    case DURATION:
        read_duration(r, event);
        break;
    case MESSAGE:
        keep(&r->parts[r->in_hook].error, event->text);
        break;
    default:
        break;
    }
    return true;
}

// A hook that says nothing of itself is none; a step without a result was not run.
static void end_part(struct reading *r, bool is_step)
{
    const struct part *part = &r->parts[!is_step];
    enum status status = is_step && part->status == NOTHING ? UNKNOWN : part->status;
    str name = is_step && r->step.len ? text_str(&r->step) : STR("(hook)");
    verdict_add(&r->scenario, status, name, text_str(&part->error));
    r->in_hook = false;
}

static void verdict_take(struct verdict *into, struct verdict *from)
{
    verdict_add(into, from->worst, (str){NULL, 0}, text_str(&from->message));
    into->nanoseconds += from->nanoseconds;
    into->timed |= from->timed;
    verdict_clear(from);
}

static enum test_result result_of(enum status worst)
{
    switch (worst) {
    case PASSED:
        return TEST_PASSED;
    case NOTHING: // a scenario without a step has shown nothing
    case SKIPPED:
        return TEST_SKIPPED;
    case UNKNOWN:
    case UNDEFINED:
    case PENDING:
    case AMBIGUOUS:
    case FAILED:
    case STATUSES:
        break;
    }
    return TEST_FAILED;
}

static bool take_scenario(struct reading *r, struct error *err)
{
    struct verdict *verdict = &r->scenario;
    r->has_background = false;
    verdict_take(verdict, &r->background);
    if (verdict->timed)
        r->draft.time_us = (int64_t)(verdict->nanoseconds / 1000);
    test_draft_message(&r->draft, text_str(&verdict->message));
    return test_draft_take(&r->draft, r->evidence, r->report, result_of(verdict->worst), err);
}

static bool end_element(struct reading *r, struct error *err)
{
    if (!r->is_background)
        return take_scenario(r, err);
    if (!r->has_background)
        r->background_offset = r->draft.offset;
    r->has_background = true;
    verdict_take(&r->background, &r->scenario);
    return true;
}

// The name and the file of a feature may stand behind its scenarios.
static bool end_feature(struct reading *r, struct error *err)
{
    struct tests *tests = &r->evidence->tests;
    struct arena *arena = &r->evidence->arena;
    if (r->has_background && result_of(r->background.worst) == TEST_FAILED) {
        test_draft_clear(&r->draft, r->background_offset); // no scenario came after it
        verdict_clear(&r->scenario);
        test_draft_set(&r->draft, TEST_NAME, STR("(background)"));
        if (!take_scenario(r, err))
            return false;
    }
    if (tests->count == r->first_case)
        return true;
    str suite = arena_str(arena, text_str(&r->feature));
    str file = arena_str(arena, text_str(&r->uri));
    for (size_t i = r->first_case; i < tests->count; i++) {
        tests->cases[i].suite = suite;
        tests->cases[i].file = file;
    }
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == STEP || place == HOOK)
        end_part(r, place == STEP);
    if (place == ELEMENT)
        return end_element(r, err);
    return place != FEATURE || end_feature(r, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->scenario.message = r->background.message = text_of((size_t)LIMIT_PATH * 2);
    r->feature = r->uri = r->step = text_of(LIMIT_TOKEN_BYTES);
    r->parts[0].error = r->parts[1].error = r->feature;
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
    // The rows of an outline bear one name; a scenario that was run again stands on one line.
    tests_tell_apart(r->evidence, true);
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    text_done(&r->scenario.message);
    text_done(&r->background.message);
    text_done(&r->feature);
    text_done(&r->uri);
    text_done(&r->step);
    text_done(&r->parts[0].error);
    text_done(&r->parts[1].error);
    memory_free(r);
}

const struct report_reader cucumber_json_reader = {
    .name = "cucumber-json",
    .title = "Cucumber JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
