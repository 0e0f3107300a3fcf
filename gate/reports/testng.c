// TestNG's testng-results.xml: suites, tests, classes, and each run of a method. Methods that only
// prepare (is-config) are no tests, but one that fails is an error of its own: what should have run
// behind it is skipped.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/doc/xml.h"
#include "gate/reports/registry.h"
#include "gate/reports/testng_runs.h"
#include "gate/reports/xml_test.h"

enum verdict {
    PASSED,
    FAILED,
    WITHIN, // failed, within what @Test(successPercentage) allows
    SKIPPED,
    RETRIED, // failed, and was run again: said to be skipped
    VERDICTS,
};

enum saying {
    SAID_TOTAL,
    SAID_PASSED,
    SAID_FAILED,
    SAID_SKIPPED,
    SAID_RETRIED,
    SAID_IGNORED,
    SAYINGS
};
static const char *const saying_names[SAYINGS] = {"total",   "passed",  "failed",
                                                  "skipped", "retried", "ignored"};
enum { VALUE_BYTES = 80 }; // of a parameter in a name

enum kept { NOTHING, MESSAGE, VALUE }; // of the text

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    bool root_seen;
    uint32_t root_line;
    struct text suite, test_name, class_name; // that are open
    struct text path;                         // "suite › test"
    struct xml_test test;                     // the open method
    struct text name;                         // of the open method
    bool in_method, is_config, retried;
    bool started; // without an end
    enum verdict verdict;
    struct text exception;  // its class, for one without a message
    struct text raw;        // all that tells one run from another
    struct text parameters; // as they stand in the name
    struct text value;      // the open one
    enum kept kept;
    unsigned kept_depth;
    struct testng_runs runs;
    uint64_t counts[VERDICTS];
    struct xml_said said[SAYINGS];
};

static int recognise(const struct report_head *head)
{
    return head->is_xml && str_is(head->xml.name, "testng-results") ? 95 : 0;
}

static bool open_root(struct reading *r, const char *name, const char **attributes,
                      struct error *err)
{
    if (!xml_is(name, "testng-results"))
        return error_set(err, ERROR_INPUT, "the root element is <%.60s>, not <testng-results>",
                         name);
    r->root_seen = true;
    r->root_line = xml_position(r->xml).line;
    for (int i = 0; i < SAYINGS; i++)
        r->said[i] = xml_said(xml_attribute(attributes, saying_names[i]));
    return true;
}

static void set_name(struct text *text, const char **attributes)
{
    const char *name = xml_attribute(attributes, "name");
    text_clear(text);
    text_adds(text, name ? name : "");
}

static void set_path(struct reading *r)
{
    text_clear(&r->path);
    text_add(&r->path, text_str(&r->suite));
    text_adds(&r->path, r->test_name.len && r->path.len ? " › " : "");
    text_add(&r->path, text_str(&r->test_name));
}

static bool verdict_of(struct reading *r, const char *status, struct error *err)
{
    static const struct {
        const char *status;
        enum verdict verdict;
    } words[] = {{"PASS", PASSED},    {"FAIL", FAILED},
                 {"SKIP", SKIPPED},   {"SUCCESS_PERCENTAGE_FAILURE", WITHIN},
                 {"STARTED", FAILED}, // it did not come to its end
                 {"CREATED", FAILED}};
    if (!status)
        return error_set(err, ERROR_INPUT, "a <test-method> has no status");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(status, words[i].status) == 0) {
            r->verdict = words[i].verdict;
            r->started = i > 3;
            if (r->verdict == SKIPPED && r->retried)
                r->verdict = RETRIED;
            return true;
        }
    }
    return error_set(err, ERROR_INPUT, "`status=\"%.60s\"` is none that a test can have", status);
}

static bool open_method(struct reading *r, const char **attributes, struct error *err)
{
    const char *status = NULL;
    if (r->in_method)
        return error_set(err, ERROR_INPUT, "a <test-method> stands inside another one");
    xml_test_begin(&r->test, xml_offset(r->xml));
    r->in_method = true;
    r->is_config = r->retried = false;
    text_clear(&r->name);
    text_clear(&r->exception);
    text_clear(&r->parameters);
    text_clear(&r->raw);
    for (; *attributes; attributes += 2) {
        const char *name = attributes[0], *value = attributes[1];
        uint64_t ms;
        if (xml_is(name, "name"))
            text_adds(&r->name, value);
        else if (xml_is(name, "status"))
            status = value;
        else if (xml_is(name, "signature"))
            text_adds(&r->raw, value); // with the instance
        else if (xml_is(name, "is-config"))
            r->is_config = xml_is(value, "true");
        else if (xml_is(name, "retried"))
            r->retried = xml_is(value, "true");
        else if (xml_is(name, "duration-ms") && number_u64(str_of(value), &ms) && ms < 1u << 31)
            r->test.one.time_us = (int64_t)ms * 1000;
    }
    return verdict_of(r, status, err);
}

static void close_value(struct reading *r)
{
    str value = str_trim(text_str(&r->value));
    text_addc(&r->raw, '\n');
    text_add(&r->raw, value);
    text_adds(&r->parameters, r->parameters.len ? ", " : "");
    testng_add_stable(&r->parameters, value, VALUE_BYTES);
}

// "method(1, a)" and, where only an object's address tells runs apart, "method(Order) #2".
static void set_identity(struct reading *r)
{
    struct test_case *one = &r->test.one;
    xml_test_suite(&r->test, text_str(&r->path));
    xml_test_class(&r->test, text_str(&r->class_name));
    if (r->is_config) {
        text_adds(&r->name, " (configuration)");
    } else {
        if (r->parameters.len)
            text_addf(&r->name, "(%s)", text_c(&r->parameters));
        one->name = text_str(&r->name);
        uint32_t nth = testng_run(&r->runs, one, text_str(&r->raw), r->verdict == RETRIED);
        if (nth > 1)
            text_addf(&r->name, " #%u", nth);
    }
    xml_test_name(&r->test, text_str(&r->name));
}

static bool close_method(struct reading *r, struct error *err)
{
    static const enum test_result results[VERDICTS] = {[PASSED] = TEST_PASSED,
                                                       [FAILED] = TEST_FAILED,
                                                       [WITHIN] = TEST_FLAKY,
                                                       [SKIPPED] = TEST_SKIPPED,
                                                       [RETRIED] = TEST_FAILED};
    r->in_method = false;
    bool failed = r->verdict == FAILED || r->verdict == WITHIN;
    if (!r->is_config)
        r->counts[r->verdict]++;
    else if (!failed)
        return true;
    if (text_full(&r->raw) || text_full(&r->parameters))
        return error_set(err, ERROR_LIMIT, "the parameters of one run are longer than %u bytes",
                         LIMIT_TOKEN_BYTES);
    set_identity(r);
    r->test.one.result = r->is_config || r->started ? TEST_ERROR : results[r->verdict];
    if (r->test.one.result == TEST_PASSED) // an exception that was expected
        text_clear(&r->test.message);
    else if (xml_message_line(&r->test.message).len == 0)
        xml_message_add(&r->test.message, text_str(&r->exception));
    return xml_test_add(&r->test, err);
}

// The text of the element at that depth, or none.
static void keep_text(struct reading *r, enum kept kept)
{
    r->kept = kept;
    r->kept_depth = xml_depth(r->xml);
    xml_want_text(r->xml, kept != NOTHING);
}

static void open_inside(struct reading *r, const char *name, const char **attributes)
{
    if (xml_is(name, "exception")) {
        const char *class_name = xml_attribute(attributes, "class");
        text_adds(&r->exception, class_name ? class_name : "");
    } else if (xml_is(name, "message")) {
        keep_text(r, MESSAGE);
    } else if (xml_is(name, "value")) {
        keep_text(r, VALUE);
        text_clear(&r->value);
        if (xml_attribute(attributes, "is-null"))
            text_adds(&r->value, "null");
    }
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (!r->root_seen)
        return open_root(r, name, attributes, err);
    if (xml_is(name, "test-method"))
        return open_method(r, attributes, err);
    if (r->in_method)
        open_inside(r, name, attributes);
    else if (xml_is(name, "suite") || xml_is(name, "test")) {
        set_name(xml_is(name, "suite") ? &r->suite : &r->test_name, attributes);
        set_path(r);
    } else if (xml_is(name, "class"))
        set_name(&r->class_name, attributes);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    if (r->kept != NOTHING && xml_depth(r->xml) == r->kept_depth) {
        if (r->kept == VALUE)
            close_value(r);
        keep_text(r, NOTHING);
    }
    return !xml_is(name, "test-method") || close_method(r, err);
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->kept == MESSAGE)
        xml_message_add(&r->test.message, text);
    else if (r->kept == VALUE)
        text_add(&r->value, text);
    if (r->value.full)
        return error_set(err, ERROR_LIMIT, "a parameter is longer than %u bytes",
                         LIMIT_TOKEN_BYTES);
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
    r->suite = r->test_name = r->class_name = text_of(LIMIT_TOKEN_BYTES);
    r->name = r->path = text_of(2 * (size_t)LIMIT_TOKEN_BYTES + 64);
    r->exception = text_of(LIMIT_TOKEN_BYTES);
    r->raw = r->parameters = r->value = text_of(LIMIT_TOKEN_BYTES);
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

// Versions differ in whether runs that were repeated are skipped, ignored or neither, and in
// whether ignored tests, which are not listed, are part of the total.
static void compare(struct reading *r)
{
    const uint64_t *n = r->counts;
    uint64_t ignored = r->said[SAID_IGNORED].is ? r->said[SAID_IGNORED].number : 0;
    uint64_t once = n[PASSED] + n[FAILED] + n[WITHIN] + n[SKIPPED], all = once + n[RETRIED];
    uint64_t total = r->said[SAID_TOTAL].number;
    bool with_ignored = total == all + ignored || total == once + ignored;
    const struct xml_saying sayings[] = {
        {saying_names[SAID_TOTAL], r->said[SAID_TOTAL], all, with_ignored ? total : once, false},
        {saying_names[SAID_PASSED], r->said[SAID_PASSED], n[PASSED], n[PASSED] + n[WITHIN], false},
        {saying_names[SAID_FAILED], r->said[SAID_FAILED], n[FAILED], n[FAILED] + n[WITHIN], false},
        {saying_names[SAID_SKIPPED], r->said[SAID_SKIPPED], n[SKIPPED], n[SKIPPED] + n[RETRIED],
         false},
        {saying_names[SAID_RETRIED], r->said[SAID_RETRIED], n[RETRIED], n[RETRIED], true},
    };
    xml_sayings_compare(r->evidence, r->report, "<testng-results>", r->root_line, sayings,
                        sizeof sayings / sizeof *sayings);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    compare(r);
    xml_test_end(&r->test);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    testng_runs_done(&r->runs);
    text_done(&r->suite);
    text_done(&r->test_name);
    text_done(&r->class_name);
    text_done(&r->path);
    text_done(&r->name);
    text_done(&r->exception);
    text_done(&r->raw);
    text_done(&r->parameters);
    text_done(&r->value);
    xml_test_done(&r->test);
    memory_free(r);
}

const struct report_reader testng_reader = {
    .name = "testng",
    .title = "TestNG XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
