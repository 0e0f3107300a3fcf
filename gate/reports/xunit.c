// xUnit.net's own report: version 1 (<assembly> with classes) and versions 2 and 3 (<assemblies>
// with collections). What broke outside of any test stands in <errors>, or in a class of version 1.
#include "gate/base/limits.h"
#include "gate/doc/xml.h"
#include "gate/reports/dotnet_name.h"
#include "gate/reports/registry.h"
#include "gate/reports/xml_test.h"

enum verdict { PASSED, FAILED, SKIPPED, NOT_RUN, BROKEN, VERDICTS }; // BROKEN: an <error>

enum open { NOTHING, TEST, OUTSIDE }; // OUTSIDE: what broke beside the tests

enum saying {
    SAID_TOTAL,
    SAID_PASSED,
    SAID_FAILED,
    SAID_SKIPPED,
    SAID_NOT_RUN,
    SAID_ERRORS,
    SAYINGS
};
static const char *const saying_names[SAYINGS] = {"total",   "passed",  "failed",
                                                  "skipped", "not-run", "errors"};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    bool root_seen, in_assembly;
    struct text path, class_name; // of the open assembly; of the open <class> of version 1
    uint32_t line;                // of the open assembly
    struct xml_said said[SAYINGS];
    uint64_t counts[VERDICTS]; // of the open assembly
    struct xml_test test;      // the open test or error
    enum open open;
    unsigned open_depth;
    enum verdict verdict;
    unsigned text_depth; // the element whose text is the message
};

static bool has(str s, const char *part)
{
    return str_search(s, str_of(part)) != STR_NONE;
}

static int recognise(const struct report_head *head)
{
    str tag = head->xml.tag, after = head->xml.after;
    if (!head->is_xml)
        return 0;
    bool counted = has(tag, "total=") && has(tag, "passed=");
    if (str_is(head->xml.name, "assembly"))
        return counted && (has(tag, "run-date=") || has(tag, "test-framework=")) ? 95 : 0;
    if (!str_is(head->xml.name, "assemblies"))
        return 0;
    bool named = has(tag, "timestamp=") || has(tag, "schema-version=");
    bool runs = has(after, "<assembly") && (has(after, "run-date=") || has(after, "passed="));
    return runs || (named && !has(after, "<assembly")) ? 95 : 0;
}

static bool open_assembly(struct reading *r, const char **attributes, struct error *err)
{
    const char *path = xml_attribute(attributes, "name");
    if (r->in_assembly)
        return error_set(err, ERROR_INPUT, "an <assembly> stands inside another one");
    r->in_assembly = true;
    r->line = xml_position(r->xml).line;
    text_clear(&r->path);
    text_clear(&r->class_name);
    text_adds(&r->path, path ? path : "");
    memset(r->counts, 0, sizeof r->counts);
    for (int i = 0; i < SAYINGS; i++)
        r->said[i] = xml_said(xml_attribute(attributes, saying_names[i]));
    return true;
}

// The text of the element at that depth is the message, or none is.
static void keep_text(struct reading *r, unsigned depth)
{
    if (depth || r->text_depth)
        xml_want_text(r->xml, depth != 0);
    r->text_depth = depth;
}

static void start(struct reading *r, enum open what)
{
    xml_test_begin(&r->test, xml_offset(r->xml));
    str path = text_str(&r->path);
    xml_test_suite(&r->test, dotnet_stem(path));
    xml_test_host(&r->test, dotnet_folder(path));
    r->open = what;
    r->open_depth = xml_depth(r->xml);
    keep_text(r, 0);
}

static bool verdict_of(const char *result, enum verdict *ret, struct error *err)
{
    static const char *const words[] = {"Pass", "Fail", "Skip", "NotRun"};
    if (!result)
        return error_set(err, ERROR_INPUT, "a <test> has no result");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(result, words[i]) == 0) {
            *ret = (enum verdict)i;
            return true;
        }
    }
    return error_set(err, ERROR_INPUT, "`result=\"%.60s\"` is none that a test can have", result);
}

static bool open_test(struct reading *r, const char **attributes, struct error *err)
{
    const char *name = NULL, *type = NULL, *method = NULL, *result = NULL;
    start(r, TEST);
    for (; *attributes; attributes += 2) {
        const char *key = attributes[0], *value = attributes[1];
        if (xml_is(key, "name"))
            name = value;
        else if (xml_is(key, "type"))
            type = value;
        else if (xml_is(key, "method"))
            method = value;
        else if (xml_is(key, "result"))
            result = value;
        else if (xml_is(key, "time"))
            r->test.one.time_us = xml_seconds_us(value);
    }
    str class_name = type && *type ? str_of(type) : text_str(&r->class_name), found;
    str full = str_of(name && *name ? name : method);
    str own = dotnet_split(full, class_name, &found);
    xml_test_class(&r->test, class_name);
    xml_test_name(&r->test, found.len == class_name.len ? own : full);
    return verdict_of(result, &r->verdict, err);
}

// <error type="test-class-cleanup" name="…">, or the <failure> of a <class> of version 1.
static void open_outside(struct reading *r, const char **attributes)
{
    const char *name = xml_attribute(attributes, "name"), *type = xml_attribute(attributes, "type");
    start(r, OUTSIDE);
    r->verdict = BROKEN;
    xml_test_class(&r->test, name && *name ? str_of(name) : text_str(&r->class_name));
    bool typed = type && *type;
    xml_test_name(&r->test, arena_format(&r->evidence->arena, "(outside of any test)%s%.100s",
                                         typed ? " " : "", typed ? type : ""));
}

static bool close_open(struct reading *r, struct error *err)
{
    static const enum test_result results[VERDICTS] = {[PASSED] = TEST_PASSED,
                                                       [FAILED] = TEST_FAILED,
                                                       [SKIPPED] = TEST_SKIPPED,
                                                       [NOT_RUN] = TEST_SKIPPED,
                                                       [BROKEN] = TEST_ERROR};
    r->open = NOTHING;
    r->counts[r->verdict]++;
    r->test.one.result = results[r->verdict];
    return xml_test_add(&r->test, err);
}

static void close_assembly(struct reading *r)
{
    const uint64_t *n = r->counts;
    uint64_t run = n[PASSED] + n[FAILED] + n[SKIPPED], all = run + n[NOT_RUN];
    const struct xml_saying sayings[SAYINGS] = {
        {saying_names[SAID_TOTAL], r->said[SAID_TOTAL], all, run, false},
        {saying_names[SAID_PASSED], r->said[SAID_PASSED], n[PASSED], n[PASSED], false},
        {saying_names[SAID_FAILED], r->said[SAID_FAILED], n[FAILED], n[FAILED], false},
        {saying_names[SAID_SKIPPED], r->said[SAID_SKIPPED], n[SKIPPED], n[SKIPPED] + n[NOT_RUN],
         false},
        {saying_names[SAID_NOT_RUN], r->said[SAID_NOT_RUN], n[NOT_RUN], n[NOT_RUN], false},
        {saying_names[SAID_ERRORS], r->said[SAID_ERRORS], n[BROKEN], n[BROKEN], false},
    };
    r->in_assembly = false;
    xml_sayings_compare(r->evidence, r->report, "<assembly>", r->line, sayings, SAYINGS);
}

static void open_inside(struct reading *r, const char *name)
{
    if (xml_is(name, "failure") && r->verdict == PASSED)
        r->verdict = FAILED; // it says so itself
    if (xml_is(name, "message") && xml_message_line(&r->test.message).len == 0)
        keep_text(r, xml_depth(r->xml));
}

static bool on_open(void *context, const char *qualified, const char **attributes,
                    struct error *err)
{
    struct reading *r = context;
    const char *name = xml_local(qualified);
    bool assembly = xml_is(name, "assembly");
    if (!r->root_seen && !assembly && !xml_is(name, "assemblies"))
        return error_set(err, ERROR_INPUT,
                         "the root element is <%.60s>, not <assemblies> or <assembly>", name);
    r->root_seen = true;
    if (assembly)
        return open_assembly(r, attributes, err);
    if (!r->in_assembly)
        return true;
    if (xml_is(name, "test"))
        return r->open == NOTHING
                   ? open_test(r, attributes, err)
                   : error_set(err, ERROR_INPUT, "a <test> stands inside another one");
    if (r->open != NOTHING) {
        open_inside(r, name);
    } else if (xml_is(name, "error") || xml_is(name, "failure")) {
        open_outside(r, attributes);
    } else if (xml_is(name, "class")) {
        const char *class_name = xml_attribute(attributes, "name");
        text_clear(&r->class_name);
        text_adds(&r->class_name, class_name ? class_name : "");
    }
    return true;
}

static bool on_close(void *context, const char *qualified, struct error *err)
{
    struct reading *r = context;
    unsigned depth = xml_depth(r->xml);
    if (depth == r->text_depth)
        keep_text(r, 0);
    if (r->open != NOTHING)
        return depth != r->open_depth || close_open(r, err);
    const char *name = xml_local(qualified);
    if (xml_is(name, "assembly"))
        close_assembly(r);
    else if (xml_is(name, "class"))
        text_clear(&r->class_name);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->text_depth)
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
    r->path = r->class_name = text_of(LIMIT_TOKEN_BYTES);
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
    tests_tell_apart(r->evidence, false); // rows of a test may have one name; none is a repetition
    xml_test_end(&r->test);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    text_done(&r->path);
    text_done(&r->class_name);
    xml_test_done(&r->test);
    memory_free(r);
}

const struct report_reader xunit_reader = {
    .name = "xunit",
    .title = "xUnit.net XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
