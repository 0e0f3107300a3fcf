// JUnit XML in its dialects: Ant, surefire, pytest, Jest, gotestsum, nextest, GoogleTest, PHPUnit …
// A suite may stand in a suite. <error> counts like <failure>; <flakyFailure> and <flakyError> are
// a pass after a retry; <rerunFailure> and <rerunError> are one more failure of a test that failed.
// What unittest and pytest write as skipped, though it ran and failed as expected, is a pass.
#include "gate/base/number.h"
#include "gate/doc/xml.h"
#include "gate/reports/junit_suite.h"
#include "gate/reports/registry.h"
#include "gate/reports/xml_test.h"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    struct junit_suites suites;
    struct xml_test test; // the open case
    bool in_case;         // or in a failure that stands in a suite, but in no case
    bool failed, error, skipped, flaky, disabled, expected;
    unsigned case_depth;    // of the open case
    unsigned message_depth; // of the element whose text is kept; 0 = none
};

static int recognise(const struct report_head *head)
{
    if (!head->is_xml)
        return 0;
    str root = head->xml.name;
    return str_is(root, "testsuites") || str_is(root, "testsuite") ? 95 : 0;
}

// GoogleTest, CTest, JBoss and others say with an attribute how a test ended.
static void read_status(struct reading *r, const char *status)
{
    static const char *const disabled[] = {"disabled", "notrun", "suppressed", NULL};
    static const char *const skipped[] = {"skipped", "ignored", "pending", NULL};
    static const char *const failed[] = {"fail", "failed", "failure", NULL};
    static const char *const errors[] = {"error",   "errored", "broken",   "aborted",
                                         "crashed", "timeout", "timedout", NULL};
    const struct {
        const char *const *words;
        bool *flag;
    } meanings[] = {{disabled, &r->disabled},
                    {skipped, &r->skipped},
                    {failed, &r->failed},
                    {errors, &r->error}};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        for (const char *const *word = meanings[i].words; *word; word++)
            if (strcmp(status, *word) == 0)
                *meanings[i].flag = true;
}

// The text of the element at that depth is the message, or none is.
static void keep_text(struct reading *r, unsigned depth)
{
    if (depth || r->message_depth)
        xml_want_text(r->xml, depth != 0);
    r->message_depth = depth;
}

static void start_case(struct reading *r)
{
    xml_test_begin(&r->test, xml_offset(r->xml));
    r->in_case = true;
    r->case_depth = xml_depth(r->xml);
    r->failed = r->error = r->skipped = r->flaky = false;
    r->disabled = r->expected = false;
    keep_text(r, 0);
}

static bool open_case(struct reading *r, const char **attributes, struct error *err)
{
    if (r->in_case)
        return error_set(err, ERROR_INPUT, "a <testcase> stands inside another one");
    start_case(r);
    for (; *attributes; attributes += 2) {
        const char *name = attributes[0], *value = attributes[1];
        if (xml_is(name, "name"))
            xml_test_name(&r->test, str_of(value));
        else if (xml_is(name, "classname") || xml_is(name, "class"))
            xml_test_class(&r->test, str_of(value));
        else if (xml_is(name, "file"))
            xml_test_file(&r->test, str_of(value));
        else if (xml_is(name, "line"))
            (void)number_u32(str_of(value), &r->test.one.line);
        else if (xml_is(name, "time"))
            r->test.one.time_us = xml_seconds_us(value);
        else if (xml_is(name, "status") || xml_is(name, "result"))
            read_status(r, value);
    }
    return true;
}

// A test that is disabled was not asked to pass, even when it carries a failure.
static enum test_result result_of(const struct reading *r)
{
    if (r->disabled)
        return TEST_SKIPPED;
    if (r->failed)
        return TEST_FAILED;
    if (r->error)
        return TEST_ERROR;
    if (r->skipped)
        return TEST_SKIPPED;
    return r->flaky ? TEST_FLAKY : TEST_PASSED;
}

static bool close_case(struct reading *r, struct error *err)
{
    const struct junit_suite *suite = junit_suite_now(&r->suites);
    r->in_case = false;
    if (suite) {
        xml_test_suite(&r->test, text_str(&suite->name));
        xml_test_host(&r->test, text_str(&suite->host));
        if (r->test.one.file.len == 0)
            xml_test_file(&r->test, text_str(&suite->file));
    }
    enum test_result result = result_of(r);
    r->test.one.result = result;
    junit_count(&r->suites, result, r->expected && result == TEST_PASSED);
    return xml_test_add(&r->test, err);
}

// The flag that a child of <testcase> sets; null when it is no result.
static bool *flag_of(struct reading *r, const char *name)
{
    if (xml_is(name, "failure") || xml_is(name, "rerunFailure"))
        return &r->failed;
    if (xml_is(name, "error") || xml_is(name, "rerunError"))
        return &r->error;
    if (xml_is(name, "flakyFailure") || xml_is(name, "flakyError"))
        return &r->flaky;
    return xml_is(name, "skipped") || xml_is(name, "ignored") ? &r->skipped : NULL;
}

static bool is_expected_failure(const char **attributes)
{
    const char *type = xml_attribute(attributes, "type");
    return type && (strcmp(type, "XFAIL") == 0 || strcmp(type, "pytest.xfail") == 0);
}

static void open_result(struct reading *r, const char *name, const char **attributes)
{
    bool *flag = flag_of(r, name);
    if (!flag || (!r->in_case && flag == &r->skipped))
        return;
    if (!r->in_case) { // a suite that broke before or after its tests: a failure like any other
        start_case(r);
        xml_test_name(&r->test, STR("(outside of any test)"));
    }
    if (flag == &r->skipped && is_expected_failure(attributes))
        flag = &r->expected;
    *flag = true;
    if (name[0] == 'r' || flag == &r->flaky)
        junit_rerun(&r->suites);
    const char *message = xml_attribute(attributes, "message");
    if (flag == &r->skipped || flag == &r->expected || r->test.message.len)
        return;
    if (message && str_trim(str_of(message)).len)
        xml_message_add(&r->test.message, str_of(message));
    else
        keep_text(r, xml_depth(r->xml));
}

static bool is_suite(const char *name)
{
    return xml_is(name, "testsuite") || xml_is(name, "testsuites");
}

static bool on_open(void *context, const char *qualified, const char **attributes,
                    struct error *err)
{
    struct reading *r = context;
    const char *name = xml_local(qualified);
    if (r->suites.depth && xml_is(name, "testcase"))
        return open_case(r, attributes, err);
    if (is_suite(name)) {
        if (r->in_case)
            return error_set(err, ERROR_INPUT, "a <%s> stands inside a <testcase>", name);
        junit_suite_open(&r->suites, attributes, strcmp(name, "testsuite") == 0,
                         r->evidence->tests.count, xml_position(r->xml).line);
        return true;
    }
    if (r->suites.depth == 0)
        return error_set(err, ERROR_INPUT, "the root element is <%s>, not <testsuites>", name);
    open_result(r, name, attributes);
    return true;
}

static bool on_close(void *context, const char *qualified, struct error *err)
{
    struct reading *r = context;
    unsigned depth = xml_depth(r->xml);
    if (depth == r->message_depth)
        keep_text(r, 0);
    if (r->in_case)
        return depth != r->case_depth || close_case(r, err);
    if (is_suite(xml_local(qualified)))
        junit_suite_close(&r->suites, r->evidence, &r->evidence->reports[r->report]);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->message_depth)
        xml_message_add(&r->test.message, text);
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
    xml_test_open(&r->test, evidence, report);
    r->xml = xml_open(evidence->reports[report].path, &handler);
    xml_want_text(r->xml, false);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return xml_feed(r->xml, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    xml_test_end(&r->test);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    junit_suites_done(&r->suites);
    xml_test_done(&r->test);
    memory_free(r);
}

const struct report_reader junit_reader = {
    .name = "junit",
    .title = "JUnit XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
