// `go test -json` and test2json: one event a line. A test that ran and has no result is an error
// (but a benchmark, which has none in this format when it is well: it has figures, or its package
// passed), and so is a package that failed without a failed test (it did not build, TestMain,
// os.Exit), and one without a result. Lines that are no JSON come from the tool chain:
// `FAIL\tpackage [build failed]` is read, the rest is a suspicion.
//
// An event is nearly always a flat map on its line; one that is not, or has a mistake, goes through
// the general reader, which says the same of it or what is wrong.
#include "gate/base/limits.h"
#include "gate/doc/json_flat.h"
#include "gate/reports/go_run.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"
#include "gate/reports/test_draft.h"

enum { ROOT = 1, ACTION, PACKAGE, TEST, OUTPUT, ELAPSED, IMPORT_PATH, FAILED_BUILD, PLACES };

static const struct json_step steps[] = {{ROOT, "Action", ACTION | JSON_IS_TEXT},
                                         {ROOT, "Package", PACKAGE | JSON_IS_TEXT},
                                         {ROOT, "Test", TEST | JSON_IS_TEXT},
                                         {ROOT, "Output", OUTPUT | JSON_IS_TEXT},
                                         {ROOT, "Elapsed", ELAPSED},
                                         {ROOT, "ImportPath", IMPORT_PATH | JSON_IS_TEXT},
                                         {ROOT, "FailedBuild", FAILED_BUILD | JSON_IS_TEXT},
                                         {0}};

#define PACKAGE_TEST "(the package)"
#define BUILD_TEST "(the build)"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct lines input;
    struct json_flat flat;
    struct json_walk *walk; // of the other events, each fed as one line
    uint32_t walked;        // lines that it knows of
    bool in_event;
    str fields[PLACES];       // of the event at hand
    struct text kept[PLACES]; // those that the walk told
    struct test_draft draft;
    struct go_run run;
    uint64_t strange; // lines that are no event
    uint32_t first_strange;
    char strange_text[80];
    uint64_t cut; // packages without a result
};

static const char *const actions[] = {"start",        "run",        "pause",  "cont", "pass",
                                      "bench",        "fail",       "output", "skip", "attr",
                                      "build-output", "build-fail", NULL};

static bool is_action(str word)
{
    for (size_t i = 0; actions[i]; i++)
        if (str_is(word, actions[i]))
            return true;
    return false;
}

// Is this line, which may be cut off, an event? Go writes them without white space.
static bool is_event(str line)
{
    static const str before = STR_INIT("\"Action\":\"");
    static const char *const others[] = {"\"Package\":\"", "\"ImportPath\":\"", "\"Test\":\"",
                                         "\"Output\":\"", NULL};
    size_t at = str_search(line, before);
    if (line.len == 0 || line.data[0] != '{' || at == STR_NONE)
        return false;
    str rest = str_from(line, at + before.len);
    if (!is_action(str_cut(&rest, '"')))
        return false;
    for (size_t i = 0; others[i]; i++)
        if (str_search(line, str_of(others[i])) != STR_NONE)
            return true;
    return str_starts(line, STR("{\"Time\":")) || str_starts(line, STR("{\"Action\":\"start\""));
}

static int recognise(const struct report_head *head)
{
    str rest = head->bytes, line;
    if (head->is_xml)
        return 0;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    for (int seen = 0; seen < 500 && report_head_line(&rest, &line); seen++) {
        if (is_event(line))
            return 95;
        if (line.len && memchr("{[<", line.data[0], 3))
            return 0;
    }
    return 0;
}

static bool add(struct reading *r, str package, str name, uint64_t offset, str message,
                enum test_result result, struct error *err)
{
    int64_t time_us = r->draft.time_us;
    test_draft_clear(&r->draft, offset);
    r->draft.time_us = time_us;
    test_draft_set(&r->draft, TEST_SUITE, package);
    test_draft_set(&r->draft, TEST_NAME, name);
    test_draft_message(&r->draft, message);
    return test_draft_take(&r->draft, r->evidence, r->report, result, err);
}

// An error of what is still open.
static bool add_open(struct reading *r, const struct go_open *open, str name, const char *otherwise,
                     struct error *err)
{
    str reason = go_open_reason(open);
    r->draft.time_us = -1;
    return add(r, go_open_package_name(open), name, open->offset,
               reason.len ? reason : str_of(otherwise), TEST_ERROR, err);
}

// `well`: its package passed.
static bool add_unfinished(struct reading *r, const struct go_open *test, bool well,
                           struct error *err)
{
    bool benchmark = str_starts(go_open_test_name(test), STR("Benchmark"));
    r->draft.time_us = -1;
    if (benchmark && (well || test->measured))
        return add(r, go_open_package_name(test), go_open_test_name(test), test->offset,
                   (str){NULL, 0}, TEST_PASSED, err);
    return add_open(r, test, go_open_test_name(test), "it ran, and has no result", err);
}

// A package begins, or something of it comes.
static struct go_open *package_of(struct reading *r, bool begins)
{
    struct go_open *package = go_open_find(&r->run, r->fields[PACKAGE], (str){NULL, 0}, false);
    bool fresh = !package;
    if (fresh)
        package = go_open_find(&r->run, r->fields[PACKAGE], (str){NULL, 0}, true);
    if (fresh || (begins && package->ended)) {
        package->offset = r->input.offset;
        package->ended = package->failed = false;
        text_clear(&package->message);
        text_clear(&package->last_resort);
    }
    return package;
}

static bool end_test(struct reading *r, enum test_result result, struct error *err)
{
    (void)package_of(r, true);
    struct go_open *test = go_open_find(&r->run, r->fields[PACKAGE], r->fields[TEST], false);
    str reason = test && result == TEST_FAILED ? go_open_reason(test) : (str){NULL, 0};
    if (!add(r, r->fields[PACKAGE], r->fields[TEST], r->input.offset, reason, result, err))
        return false;
    if (test)
        go_open_close(&r->run, test);
    if (result == TEST_FAILED)
        package_of(r, true)->failed = true;
    return true;
}

static bool add_failed_package(struct reading *r, const struct go_open *package, struct error *err)
{
    str reason = go_open_reason(package);
    struct go_open *build = NULL;
    if (r->fields[FAILED_BUILD].len)
        build = go_open_build(&r->run, r->fields[FAILED_BUILD], false);
    if (build) {
        build->ended = true; // its failure is said here
        if (build->message.len)
            reason = text_str(&build->message);
    }
    if (reason.len == 0)
        reason = STR("the package failed, but none of its tests did");
    return add(r, go_open_package_name(package), STR(PACKAGE_TEST), r->input.offset, reason,
               TEST_ERROR, err);
}

static bool end_package(struct reading *r, bool failed, struct error *err)
{
    struct go_open *package = package_of(r, true), *test;
    while ((test = go_open_first(&r->run, package))) {
        if (!add_unfinished(r, test, !failed, err))
            return false;
        const struct tests *tests = &r->evidence->tests;
        package->failed |= tests->cases[tests->count - 1].result == TEST_ERROR;
        go_open_close(&r->run, test);
    }
    if (failed && !package->failed && !add_failed_package(r, package, err))
        return false;
    package->ended = true;
    return true;
}

static void take_output(struct reading *r)
{
    struct go_open *open = go_open_find(&r->run, r->fields[PACKAGE], r->fields[TEST], false);
    if (!open && r->fields[TEST].len == 0)
        open = package_of(r, false);
    if (open)
        go_open_message(open, r->fields[OUTPUT]);
    if (str_starts(r->fields[TEST], STR("Benchmark")) &&
        str_search(r->fields[OUTPUT], STR(" ns/op")) != STR_NONE)
        go_open_measured(&r->run, r->fields[PACKAGE], r->fields[TEST]);
}

static void take_build(struct reading *r, bool failed)
{
    struct go_open *build = go_open_build(&r->run, r->fields[IMPORT_PATH], false);
    if (!build) {
        build = go_open_build(&r->run, r->fields[IMPORT_PATH], true);
        build->offset = r->input.offset;
    }
    build->failed |= failed;
    go_open_message(build, r->fields[OUTPUT]);
}

static void begin_test(struct reading *r)
{
    (void)package_of(r, true);
    struct go_open *test = go_open_find(&r->run, r->fields[PACKAGE], r->fields[TEST], true);
    test->offset = r->input.offset;
    text_clear(&test->message);
    text_clear(&test->last_resort);
}

static bool end_event(struct reading *r, struct error *err)
{
    str action = r->fields[ACTION];
    bool of_test = r->fields[TEST].len > 0;
    if (action.len == 0)
        return error_set(err, ERROR_INPUT, "this event has no `Action`");
    if (str_is(action, "pass") || str_is(action, "fail") || str_is(action, "skip")) {
        enum test_result result = str_is(action, "pass")   ? TEST_PASSED
                                  : str_is(action, "fail") ? TEST_FAILED
                                                           : TEST_SKIPPED;
        return of_test ? end_test(r, result, err) : end_package(r, result == TEST_FAILED, err);
    }
    if (str_is(action, "output"))
        take_output(r);
    else if (str_is(action, "run") && of_test)
        begin_test(r);
    else if (str_is(action, "start"))
        (void)package_of(r, true);
    else if (str_is(action, "build-output") || str_is(action, "build-fail"))
        take_build(r, str_is(action, "build-fail"));
    return true;
}

static void begin_event(struct reading *r)
{
    memset(r->fields, 0, sizeof r->fields);
    r->draft.time_us = -1;
}

static void take_field(struct reading *r, int place, str text)
{
    if (place == ELAPSED)
        test_draft_time(&r->draft, text, 1e6);
    else
        r->fields[place] = place == OUTPUT ? str_shorten(text, GO_MESSAGE_BYTES) : text;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (place != ROOT)
        return true;
    if (event->type != JSON_MAP_OPEN)
        return error_set(err, ERROR_INPUT, "this is no event of `go test -json`");
    begin_event(r);
    r->in_event = true;
    return true;
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == ROOT)
        return error_set(err, ERROR_INPUT, "this is no event of `go test -json`");
    if (event->type == JSON_NULL)
        return true;
    text_clear(&r->kept[place]); // the event ends later than what the walk tells
    text_add(&r->kept[place], event->text);
    take_field(r, place, text_str(&r->kept[place]));
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place != ROOT)
        return true;
    r->in_event = false;
    return end_event(r, err);
}

static int place_of(str key)
{
    static const struct {
        str key;
        int place;
    } places[] = {
        {STR_INIT("Time"), 0},
        {STR_INIT("Action"), ACTION},
        {STR_INIT("Package"), PACKAGE},
        {STR_INIT("Test"), TEST},
        {STR_INIT("Output"), OUTPUT},
        {STR_INIT("Elapsed"), ELAPSED},
        {STR_INIT("ImportPath"), IMPORT_PATH},
        {STR_INIT("FailedBuild"), FAILED_BUILD},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (str_eq(places[i].key, key))
            return places[i].place;
    return 0;
}

// What the walk would tell of the line, at once. False: it is one for the walk.
static bool read_flat(struct reading *r, str line)
{
    if (!json_flat_read(&r->flat, line))
        return false;
    begin_event(r);
    for (size_t i = 0; i < r->flat.count; i++) {
        const struct json_member *member = &r->flat.members[i];
        int place = place_of(member->key);
        if (!place || member->type == JSON_NULL)
            continue;
        if (place != ELAPSED && member->type != JSON_STRING)
            return false;
        take_field(r, place, member->text);
    }
    return true;
}

static bool walk_line(struct reading *r, str line, struct error *err)
{
    for (; r->walked + 1 < r->input.number; r->walked++) // it counts lines for its errors
        if (!json_walk_feed(r->walk, STR("\n"), err))
            return false;
    return json_walk_feed(r->walk, line, err);
}

// "FAIL\texample.com/x [build failed]": before Go 1.20 such a line was no event.
static bool take_plain_failure(struct reading *r, str line, struct error *err)
{
    str rest = str_from(line, 5);
    str package = str_trim(str_cut(&rest, '['));
    r->draft.time_us = -1;
    return add(r, package, STR(PACKAGE_TEST), r->input.offset, line, TEST_ERROR, err);
}

static bool take_strange(struct reading *r, str line, struct error *err)
{
    if (!str_is_utf8(line))
        return lines_refuse(&r->input, line, err, "this line is neither an event nor text");
    if (str_starts(line, STR("FAIL\t")) && str_find(line, '[') != STR_NONE)
        return take_plain_failure(r, line, err);
    if (line.len == 0 || str_is(line, "FAIL") || str_starts(line, STR("go: downloading ")))
        return true;
    if (r->strange++ == 0) {
        str shown = str_shorten(line, sizeof r->strange_text - 1);
        memcpy(r->strange_text, shown.data, shown.len);
        r->first_strange = r->input.number;
    }
    return true;
}

static bool on_line(void *context, str line, struct error *err)
{
    struct reading *r = context;
    str trimmed = str_trim(line);
    if (trimmed.len == 0 || trimmed.data[0] != '{')
        return take_strange(r, trimmed, err);
    if (read_flat(r, line)) {
        if (end_event(r, err))
            return true;
        if (!err->at.file)
            err->at = (struct position){r->input.path, r->input.number, 0};
        return false;
    }
    if (!walk_line(r, line, err))
        return false;
    return !r->in_event ||
           lines_refuse(&r->input, line, err, "this event does not end in its line");
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->input = lines_of(evidence->reports[report].path, on_line, r);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    json_walk_allow_many(r->walk);
    for (int i = 0; i < PLACES; i++)
        r->kept[i] = text_of(LIMIT_TOKEN_BYTES);
    r->flat = json_flat_of();
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return lines_feed(&r->input, bytes, err);
}

// What is open where the output ends.
static bool add_rest(struct reading *r, const struct go_open *open, struct error *err)
{
    if (open->name.max == 0)
        return true; // nothing is
    if (open->build)
        return !open->failed || open->ended || add_open(r, open, STR(BUILD_TEST), "it failed", err);
    if (go_open_test_name(open).len)
        return add_unfinished(r, open, false, err);
    if (open->ended)
        return true;
    struct report *report = &r->evidence->reports[r->report];
    if (r->cut++ == 0)
        report_suspect(r->evidence, report,
                       "the package " STR_FMT " has no result: the output is cut, or the run was",
                       STR_ARG(str_shorten(go_open_package_name(open), 200)));
    return add_open(r, open, STR(PACKAGE_TEST), "it has no result", err);
}

static bool end(struct reading *r, struct error *err)
{
    struct report *report = &r->evidence->reports[r->report];
    if (!lines_end(&r->input, err) || !json_walk_end(r->walk, err))
        return false;
    for (size_t i = 0; i < r->run.count; i++)
        if (!add_rest(r, &r->run.items[i], err))
            return false;
    if (r->cut > 1)
        report_suspect(r->evidence, report, "%llu packages in all have no result",
                       (unsigned long long)r->cut);
    if (r->strange)
        report_suspect(r->evidence, report, "%llu lines are no events; the first is line %u: `%s`",
                       (unsigned long long)r->strange, r->first_strange, r->strange_text);
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    lines_done(&r->input);
    json_walk_close(r->walk);
    test_draft_done(&r->draft);
    go_run_done(&r->run);
    for (int i = 0; i < PLACES; i++)
        text_done(&r->kept[i]);
    json_flat_done(&r->flat);
    memory_free(r);
}

const struct report_reader go_test_json_reader = {
    .name = "go-test-json",
    .title = "go test -json",
    .form = REPORT_JSON,
    .kind = EVIDENCE_TESTS,
    .record_end = "}",
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
