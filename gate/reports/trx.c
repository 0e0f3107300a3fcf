// Visual Studio's TRX, as VSTest (`dotnet test --logger trx`) and the older MSTest write it.
// Results of a data-driven or ordered test stand inside its own result, which is then no test but
// their sum.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/doc/xml.h"
#include "gate/reports/dotnet_name.h"
#include "gate/reports/registry.h"
#include "gate/reports/trx_definition.h"
#include "gate/reports/xml_test.h"

enum outcome {
    PASSED,
    FAILED,
    ERROR,
    TIMEOUT,
    ABORTED,
    INCONCLUSIVE,
    PASSED_BUT_RUN_ABORTED,
    NOT_RUNNABLE,
    NOT_EXECUTED,
    DISCONNECTED,
    WARNING,
    COMPLETED,
    IN_PROGRESS,
    PENDING,
    OUTCOMES,
};

// What did not come to its own end is an error, never a pass; what ran without a verdict is no pass
// either. `lenient`: VSTest leaves that counter at 0.
static const struct {
    const char *name, *counter;
    enum test_result result;
    bool lenient;
} outcomes[OUTCOMES] = {
    [PASSED] = {"Passed", "passed", TEST_PASSED, false},
    [FAILED] = {"Failed", "failed", TEST_FAILED, false},
    [ERROR] = {"Error", "error", TEST_ERROR, false},
    [TIMEOUT] = {"Timeout", "timeout", TEST_ERROR, false},
    [ABORTED] = {"Aborted", "aborted", TEST_ERROR, false},
    [INCONCLUSIVE] = {"Inconclusive", "inconclusive", TEST_SKIPPED, true},
    [PASSED_BUT_RUN_ABORTED] = {"PassedButRunAborted", "passedButRunAborted", TEST_ERROR, false},
    [NOT_RUNNABLE] = {"NotRunnable", "notRunnable", TEST_ERROR, true},
    [NOT_EXECUTED] = {"NotExecuted", "notExecuted", TEST_SKIPPED, true},
    [DISCONNECTED] = {"Disconnected", "disconnected", TEST_ERROR, false},
    [WARNING] = {"Warning", "warning", TEST_SKIPPED, false},
    [COMPLETED] = {"Completed", "completed", TEST_SKIPPED, false},
    [IN_PROGRESS] = {"InProgress", "inProgress", TEST_ERROR, false},
    [PENDING] = {"Pending", "pending", TEST_ERROR, false},
};

struct result { // one that is open; an inner one stands two elements deeper
    struct xml_test test;
    struct trx_id id;
    enum outcome outcome;
    uint64_t inner, inner_bad;
};
#define RESULTS_OPEN (LIMIT_DOC_DEPTH / 2)

struct counts { // tools count an inner result, the result around it, or both
    uint64_t of[OUTCOMES], total;
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    bool root_seen, in_definitions;
    struct result open[RESULTS_OPEN];
    unsigned depth; // open results
    struct counts outermost, innermost, all;
    uint64_t unnamed, bad;
    unsigned error_depth, text_depth; // <ErrorInfo>; the element whose text is kept
    struct trx_definitions definitions;
    struct trx_id defined;
    struct text class_name, assembly; // of the open definition
    unsigned defined_depth;
    struct xml_test run_info; // its message
    char run_info_outcome[24], outcome[24];
    uint32_t run_info_line, outcome_line, counters_line;
    struct xml_said said[OUTCOMES], said_total;
};

static int recognise(const struct report_head *head)
{
    if (!head->is_xml || !str_is(head->xml.name, "TestRun"))
        return 0;
    bool typical =
        str_search(head->xml.tag, STR("microsoft.com/schemas/VisualStudio/")) != STR_NONE ||
        str_search(head->xml.after, STR("<ResultSummary")) != STR_NONE ||
        str_search(head->xml.after, STR("<TestDefinitions")) != STR_NONE ||
        str_search(head->xml.after, STR("<UnitTestResult")) != STR_NONE;
    return typical ? 95 : 0;
}

static bool is_result(const char *name)
{
    return xml_is(name, "UnitTestResult") || str_ends(str_of(name), STR("TestResult")) ||
           xml_is(name, "TestResultAggregation");
}

// "[days.]hh:mm:ss[.fraction]", in microseconds.
static int64_t duration_us(const char *text)
{
    str rest = str_of(text);
    uint32_t days = 0, hours, minutes;
    size_t dot = str_find(rest, '.'), colon = str_find(rest, ':');
    if (colon != STR_NONE && dot < colon && !number_u32(str_cut(&rest, '.'), &days))
        return -1;
    if (!number_u32(str_cut(&rest, ':'), &hours) || !number_u32(str_cut(&rest, ':'), &minutes) ||
        days > 1000 || hours > 23 || minutes > 59)
        return -1;
    while (rest.len > 1 && rest.data[0] == '0' && rest.data[1] != '.')
        rest = str_from(rest, 1);
    double seconds;
    if (!number_double(rest, &seconds) || seconds < 0 || seconds >= 61)
        return -1;
    int64_t whole = (((int64_t)days * 24 + hours) * 60 + minutes) * 60;
    return whole * 1000000 + (int64_t)(seconds * 1e6 + 0.5);
}

static bool outcome_of(const char *text, enum outcome *ret, struct error *err)
{
    if (!text) {
        *ret = ERROR; // no verdict, where there must be one
        return true;
    }
    for (int i = 0; i < OUTCOMES; i++) {
        if (strcmp(text, outcomes[i].name) == 0) {
            *ret = (enum outcome)i;
            return true;
        }
    }
    return error_set(err, ERROR_INPUT, "`outcome=\"%.60s\"` is none that a test can have", text);
}

static bool open_result(struct reading *r, const char **attributes, struct error *err)
{
    if (r->depth == RESULTS_OPEN)
        return error_set(err, ERROR_LIMIT, "results are nested more than %u deep", RESULTS_OPEN);
    struct result *result = &r->open[r->depth];
    const char *outcome = NULL, *row = NULL;
    xml_test_begin(&result->test, xml_offset(r->xml));
    result->id = trx_id("");
    result->inner = result->inner_bad = 0;
    for (; *attributes; attributes += 2) {
        const char *name = attributes[0], *value = attributes[1];
        if (xml_is(name, "testName"))
            xml_test_name(&result->test, str_of(value));
        else if (xml_is(name, "testId"))
            result->id = trx_id(value);
        else if (xml_is(name, "outcome"))
            outcome = value;
        else if (xml_is(name, "duration"))
            result->test.one.time_us = duration_us(value);
        else if (xml_is(name, "dataRowInfo"))
            row = value;
    }
    str own = result->test.one.name;
    bool like_outer = r->depth && str_eq(own, r->open[r->depth - 1].test.one.name);
    if (row && like_outer) // else all rows were one and the same test
        result->test.one.name =
            arena_format(&r->evidence->arena, STR_FMT " (row %.100s)", STR_ARG(own), row);
    r->depth++;
    return outcome_of(outcome, &result->outcome, err);
}

static bool is_bad(enum test_result result)
{
    return result == TEST_FAILED || result == TEST_ERROR;
}

static void count(struct counts *counts, enum outcome outcome)
{
    counts->of[outcome]++;
    counts->total++;
}

// A sum of inner results is no test, unless it failed for a reason of its own.
static bool close_result(struct reading *r, struct error *err)
{
    struct result *result = &r->open[--r->depth];
    enum test_result verdict = outcomes[result->outcome].result;
    bool own = result->inner == 0 || (is_bad(verdict) && result->inner_bad == 0);
    count(&r->all, result->outcome);
    if (r->depth == 0)
        count(&r->outermost, result->outcome);
    if (result->inner == 0)
        count(&r->innermost, result->outcome);
    uint64_t bad = result->inner_bad + (own && is_bad(verdict));
    if (r->depth) {
        r->open[r->depth - 1].inner++;
        r->open[r->depth - 1].inner_bad += bad;
    } else {
        r->bad += bad;
    }
    if (!own)
        return true;
    result->test.one.result = verdict;
    result->test.unnamed = r->unnamed;
    trx_case(&r->definitions, result->id);
    bool ok = xml_test_add(&result->test, err);
    r->unnamed = result->test.unnamed;
    return ok;
}

static void open_definition(struct reading *r, const char *name, const char **attributes)
{
    const char *id = xml_attribute(attributes, "id"), *path;
    if (xml_depth(r->xml) == 3 && id) { // <TestRun><TestDefinitions><UnitTest>
        r->defined_depth = 3;
        r->defined = trx_id(id);
        text_clear(&r->class_name);
        text_clear(&r->assembly);
        path = xml_attribute(attributes, "storage");
        text_adds(&r->assembly, path ? path : "");
    } else if (r->defined_depth && xml_is(name, "TestMethod")) {
        const char *class_name = xml_attribute(attributes, "className");
        path = xml_attribute(attributes, "codeBase"); // `storage` is the same in lower case
        text_clear(&r->class_name);
        text_adds(&r->class_name, class_name ? class_name : "");
        if (path && *path) {
            text_clear(&r->assembly);
            text_adds(&r->assembly, path);
        }
    }
}

static bool close_definition(struct reading *r, struct error *err)
{
    r->defined_depth = 0;
    return trx_define(&r->definitions, r->defined, dotnet_class(text_str(&r->class_name)),
                      text_str(&r->assembly), err);
}

static void keep_outcome(char out[24], const char *outcome)
{
    str kept = str_shorten(str_of(outcome), 23);
    if (kept.len)
        memcpy(out, kept.data, kept.len);
    out[kept.len] = '\0';
}

// The text of the element at that depth is kept, or none is.
static void keep_text(struct reading *r, unsigned depth)
{
    xml_want_text(r->xml, depth != 0);
    r->text_depth = depth;
}

static void open_summary(struct reading *r, const char *name, const char **attributes)
{
    uint32_t line = xml_position(r->xml).line;
    if (xml_is(name, "ResultSummary")) {
        keep_outcome(r->outcome, xml_attribute(attributes, "outcome"));
        r->outcome_line = line;
    } else if (xml_is(name, "Counters")) {
        r->counters_line = line;
        r->said_total = xml_said(xml_attribute(attributes, "total"));
        for (int i = 0; i < OUTCOMES; i++)
            r->said[i] = xml_said(xml_attribute(attributes, outcomes[i].counter));
    } else if (xml_is(name, "RunInfo")) {
        keep_outcome(r->run_info_outcome, xml_attribute(attributes, "outcome"));
        xml_test_begin(&r->run_info, 0);
        r->run_info_line = line;
    } else if (r->run_info_line && xml_is(name, "Text")) {
        keep_text(r, xml_depth(r->xml));
    }
}

static bool is_broken(const char *outcome)
{
    static const char *const broken[] = {"Aborted",    "Timeout", "Disconnected",
                                         "InProgress", "Pending", "PassedButRunAborted"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (strcmp(outcome, broken[i]) == 0)
            return true;
    return false;
}

// What went wrong with the run itself. xUnit's adapter says every failed test again in this place.
static void close_run_info(struct reading *r)
{
    str text = xml_message_line(&r->run_info.message);
    const char *outcome = r->run_info_outcome;
    bool bad = is_broken(outcome) || xml_is(outcome, "Error") || xml_is(outcome, "Failed");
    if (bad && !(str_starts(text, STR("[xUnit.net ")) && str_ends(text, STR(" [FAIL]"))))
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "line %u: the run reports an error: " STR_FMT, r->run_info_line,
                       STR_ARG(text));
    r->run_info_line = 0;
}

static bool on_open(void *context, const char *qualified, const char **attributes,
                    struct error *err)
{
    struct reading *r = context;
    const char *name = xml_local(qualified);
    if (!r->root_seen) {
        if (!xml_is(name, "TestRun"))
            return error_set(err, ERROR_INPUT, "the root element is <%.60s>, not <TestRun>", name);
        r->root_seen = true;
    } else if (xml_depth(r->xml) == 2 && xml_is(name, "TestDefinitions")) {
        r->in_definitions = true;
    } else if (r->in_definitions) {
        open_definition(r, name, attributes);
    } else if (is_result(name)) {
        return open_result(r, attributes, err);
    } else if (r->depth == 0) {
        open_summary(r, name, attributes);
    } else if (xml_is(name, "ErrorInfo")) {
        r->error_depth = xml_depth(r->xml);
    } else if (r->error_depth && xml_is(name, "Message")) {
        keep_text(r, xml_depth(r->xml));
    }
    return true;
}

static bool on_close(void *context, const char *qualified, struct error *err)
{
    struct reading *r = context;
    const char *name = xml_local(qualified);
    unsigned depth = xml_depth(r->xml);
    if (depth == r->text_depth)
        keep_text(r, 0);
    if (depth == r->error_depth)
        r->error_depth = 0;
    if (r->in_definitions) {
        if (depth == 2)
            r->in_definitions = false;
        return depth != r->defined_depth || close_definition(r, err);
    }
    if (is_result(name))
        return close_result(r, err);
    if (r->run_info_line && xml_is(name, "RunInfo"))
        close_run_info(r);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->text_depth)
        xml_message_add(r->depth ? &r->open[r->depth - 1].test.message : &r->run_info.message,
                        text);
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct xml_handler handler = {
        .open = on_open, .close = on_close, .text = on_text, .context = r};
    r->evidence = evidence;
    r->report = report;
    r->definitions.arena = &evidence->arena;
    r->class_name = r->assembly = text_of(LIMIT_TOKEN_BYTES);
    for (size_t i = 0; i < RESULTS_OPEN; i++)
        xml_test_open(&r->open[i].test, evidence, report);
    xml_test_open(&r->run_info, evidence, report);
    r->xml = xml_open(evidence->reports[report].path, &handler);
    xml_want_text(r->xml, false);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return xml_feed(r->xml, bytes, err);
}

static bool fits(struct xml_said said, uint64_t all, uint64_t outermost, uint64_t innermost,
                 bool lenient)
{
    uint64_t n = said.number;
    return !said.is || n == all || n == outermost || n == innermost || (lenient && n < all);
}

static void compare(struct reading *r)
{
    struct report *report = &r->evidence->reports[r->report];
    if (!fits(r->said_total, r->all.total, r->outermost.total, r->innermost.total, false))
        report_suspect(r->evidence, report,
                       "line %u: <Counters> says total=\"%llu\", but holds %llu", r->counters_line,
                       (unsigned long long)r->said_total.number,
                       (unsigned long long)r->innermost.total);
    for (int i = 0; i < OUTCOMES; i++)
        if (!fits(r->said[i], r->all.of[i], r->outermost.of[i], r->innermost.of[i],
                  outcomes[i].lenient))
            report_suspect(r->evidence, report,
                           "line %u: <Counters> says %s=\"%llu\", but holds %llu", r->counters_line,
                           outcomes[i].counter, (unsigned long long)r->said[i].number,
                           (unsigned long long)r->innermost.of[i]);
    bool failed = strcmp(r->outcome, "Failed") == 0 || strcmp(r->outcome, "Error") == 0;
    if (is_broken(r->outcome))
        report_suspect(r->evidence, report, "line %u: the run did not come to its end: %s",
                       r->outcome_line, r->outcome);
    else if (failed && r->bad == 0)
        report_suspect(r->evidence, report, "line %u: the run is said to be %s, but no test failed",
                       r->outcome_line, r->outcome);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    struct evidence *evidence = r->evidence;
    size_t first = evidence->tests.count - r->definitions.id_count;
    if (r->definitions.id_count)
        trx_resolve(&r->definitions, evidence->tests.cases + first);
    compare(r);
    tests_tell_apart(evidence, false); // rows of a test may have one name; none is a repetition
    r->open[0].test.unnamed = r->unnamed;
    xml_test_end(&r->open[0].test);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    trx_definitions_done(&r->definitions);
    for (size_t i = 0; i < RESULTS_OPEN; i++)
        xml_test_done(&r->open[i].test);
    xml_test_done(&r->run_info);
    text_done(&r->class_name);
    text_done(&r->assembly);
    memory_free(r);
}

const struct report_reader trx_reader = {
    .name = "trx",
    .title = "Visual Studio TRX",
    .form = REPORT_XML,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
