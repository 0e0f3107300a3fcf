// NUnit's own reports: NUnit 2 (<test-results>, which Pester and others write too) and NUnit 3
// (<test-run>). In both, suites stand in suites: assembly, name spaces, fixtures, test cases.
#include "gate/base/limits.h"
#include "gate/doc/xml.h"
#include "gate/reports/dotnet_name.h"
#include "gate/reports/registry.h"
#include "gate/reports/xml_test.h"

#include <strings.h>

enum verdict { // as the report puts it; its own counts are compared by these
    PASSED,
    FAILED,
    ERROR,     // also what was cancelled
    INVALID,   // a test that cannot run at all: NUnit's own console fails because of it
    UNDECIDED, // inconclusive: neither passed nor failed
    WARNING,
    SKIPPED, // ignored, explicit
    VERDICTS,
};

static const enum test_result results[VERDICTS] = {
    [PASSED] = TEST_PASSED,   [FAILED] = TEST_FAILED,     [ERROR] = TEST_ERROR,
    [INVALID] = TEST_ERROR,   [UNDECIDED] = TEST_SKIPPED, [WARNING] = TEST_SKIPPED,
    [SKIPPED] = TEST_SKIPPED,
};

struct suite {
    struct text name; // in full
    struct text message;
    uint64_t offset, bad; // bad: tests inside that failed
    uint32_t line;
    bool failed, late;           // late: after all of its tests, in its teardown
    bool reasoned;               // it has a <failure> or <reason> of its own
    const struct suite *fixture; // that holds tests by its name: this, or one around it, or null
    const struct text *assembly; // the path of the assembly that it is in
    struct text path;            // its own, when it is an assembly
};

enum saying {
    SAID_TOTAL,
    SAID_PASSED,
    SAID_FAILED,
    SAID_FAILURES,
    SAID_ERRORS,
    SAID_SKIPPED,
    SAID_NOT_RUN,
    SAID_INCONCLUSIVE,
    SAID_WARNINGS,
    SAYINGS,
};
static const char *const saying_names[SAYINGS] = {"total",    "passed",       "failed",
                                                  "failures", "errors",       "skipped",
                                                  "not-run",  "inconclusive", "warnings"};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    unsigned version; // 2 or 3; 0 = the root is still to come
    uint32_t root_line;
    struct text root_path; // NUnit 2: the assembly
    struct suite suites[LIMIT_DOC_DEPTH];
    unsigned depth;
    struct xml_test test; // the open case
    bool in_case;
    enum verdict verdict;
    unsigned reason_depth, text_depth; // <failure> or <reason>; its <message>
    uint64_t counts[VERDICTS], cases;
    struct xml_said said[SAYINGS];
};

static int recognise(const struct report_head *head)
{
    if (!head->is_xml)
        return 0;
    str tag = head->xml.tag, after = head->xml.after;
    bool suites = str_search(after, STR("<test-suite")) != STR_NONE;
    bool total = str_search(tag, STR("total=")) != STR_NONE;
    if (str_is(head->xml.name, "test-results"))
        return suites || (total && str_search(tag, STR("not-run=")) != STR_NONE) ? 95 : 0;
    if (str_is(head->xml.name, "test-run"))
        return suites || (total && str_search(tag, STR("testcasecount=")) != STR_NONE) ? 95 : 0;
    return 0;
}

static bool open_root(struct reading *r, const char *name, const char **attributes,
                      struct error *err)
{
    if (!xml_is(name, "test-run") && !xml_is(name, "test-results"))
        return error_set(err, ERROR_INPUT,
                         "the root element is <%.60s>, not <test-run> or <test-results>", name);
    r->version = xml_is(name, "test-run") ? 3 : 2;
    r->root_line = xml_position(r->xml).line;
    for (int i = 0; i < SAYINGS; i++)
        r->said[i] = xml_said(xml_attribute(attributes, saying_names[i]));
    const char *path = xml_attribute(attributes, "name");
    if (r->version == 2 && path)
        text_adds(&r->root_path, path);
    return true;
}

// "Failed", and "Failed(Child)" or "Failed:Error" as Unity writes it of suites.
static bool is_failure(const char *result)
{
    return result && (strncasecmp(result, "Fail", 4) == 0 || strncasecmp(result, "Error", 5) == 0 ||
                      strcasecmp(result, "NotRunnable") == 0);
}

static void start_over(struct suite *suite)
{
    text_clear(&suite->name);
    text_clear(&suite->message);
    text_clear(&suite->path);
    suite->name.max = suite->path.max = LIMIT_TOKEN_BYTES;
    suite->message.max = XML_MESSAGE_ROOM;
    suite->offset = suite->bad = 0;
    suite->failed = suite->late = suite->reasoned = false;
}

// Suites of one method's rows are no classes.
static bool is_fixture(const char *type)
{
    static const char *const others[] = {"ParameterizedMethod", "ParameterizedTest",
                                         "GenericMethod", "Theory"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(type, others[i]) == 0)
            return false;
    return true;
}

static void open_suite(struct reading *r, const char **attributes)
{
    const struct suite *outer = r->depth ? &r->suites[r->depth - 1] : NULL;
    struct suite *suite = &r->suites[r->depth++];
    const char *name = NULL, *full = NULL, *result = NULL, *success = NULL, *type = "";
    start_over(suite);
    suite->offset = xml_offset(r->xml);
    suite->line = xml_position(r->xml).line;
    for (; *attributes; attributes += 2) {
        const char *key = attributes[0], *value = attributes[1];
        if (xml_is(key, "name"))
            name = value;
        else if (xml_is(key, "fullname"))
            full = value;
        else if (xml_is(key, "result"))
            result = value;
        else if (xml_is(key, "success"))
            success = value;
        else if (xml_is(key, "site"))
            suite->late = xml_is(value, "TearDown");
        else if (xml_is(key, "type"))
            type = value;
    }
    suite->failed = result ? is_failure(result) : success && strcasecmp(success, "False") == 0;
    text_adds(&suite->name, full ? full : name ? name : "");
    suite->fixture = is_fixture(type) ? suite : outer ? outer->fixture : NULL;
    suite->assembly = outer ? outer->assembly : &r->root_path;
    if (xml_is(type, "Assembly")) {
        text_adds(&suite->path, full ? full : name ? name : "");
        suite->assembly = &suite->path;
    }
}

// The assembly is the suite of an identity; its folder only keeps several builds of it apart.
static void set_suite(struct reading *r)
{
    str path = text_str(r->depth ? r->suites[r->depth - 1].assembly : &r->root_path);
    xml_test_suite(&r->test, dotnet_stem(path));
    xml_test_host(&r->test, dotnet_folder(path));
}

struct word {
    const char *word;
    enum verdict verdict;
};

static const struct word *find_word(const struct word *words, const char *looked_for)
{
    while (words->word && strcmp(words->word, looked_for) != 0)
        words++;
    return words->word ? words : NULL;
}

static bool verdict_of(const char *result, const char *label, enum verdict *ret, struct error *err)
{
    static const struct word words[] = {
        {"Passed", PASSED},    {"Success", PASSED},  {"Failed", FAILED},
        {"Failure", FAILED},   {"Error", ERROR},     {"Cancelled", ERROR},
        {"Skipped", SKIPPED},  {"Ignored", SKIPPED}, {"NotRunnable", INVALID},
        {"Explicit", SKIPPED}, {"Warning", WARNING}, {"Inconclusive", UNDECIDED},
        {NULL, FAILED}};
    static const struct word labels[] = {
        {"Error", ERROR}, {"Cancelled", ERROR}, {"Invalid", INVALID}, {NULL, FAILED}};
    const struct word *word = find_word(words, result);
    if (!word)
        return error_set(err, ERROR_INPUT, "`result=\"%.60s\"` is none that a test can have",
                         result);
    const struct word *why = word->verdict == FAILED && label ? find_word(labels, label) : NULL;
    *ret = why ? why->verdict : word->verdict;
    return true;
}

// Before NUnit 2.5 there is no `result`.
static bool old_verdict(const char *executed, const char *success, enum verdict *ret,
                        struct error *err)
{
    if (executed && strcasecmp(executed, "False") == 0)
        *ret = SKIPPED;
    else if (success)
        *ret = strcasecmp(success, "True") == 0 ? PASSED : FAILED;
    else if (executed)
        *ret = PASSED; // a <failure> inside would say otherwise
    else
        return error_set(err, ERROR_INPUT, "a <test-case> has no result");
    return true;
}

static void name_case(struct reading *r, const char *name, const char *full, const char *class_name)
{
    const struct suite *fixture = r->depth ? r->suites[r->depth - 1].fixture : NULL;
    str of_fixture = fixture ? text_str(&fixture->name) : (str){NULL, 0};
    str found = of_fixture, method = str_of(name);
    if (full && *full)
        method = dotnet_split(str_of(full), of_fixture, &found);
    else if (r->version == 2)
        method = dotnet_split(method, of_fixture, &found);
    else if (class_name && *class_name)
        found = str_of(class_name);
    xml_test_class(&r->test, found);
    xml_test_name(&r->test, method);
}

static bool open_case(struct reading *r, const char **attributes, struct error *err)
{
    const char *name = NULL, *full = NULL, *class_name = NULL, *result = NULL, *label = NULL;
    const char *executed = NULL, *success = NULL;
    if (r->in_case)
        return error_set(err, ERROR_INPUT, "a <test-case> stands inside another one");
    xml_test_begin(&r->test, xml_offset(r->xml));
    r->in_case = true;
    for (; *attributes; attributes += 2) {
        const char *key = attributes[0], *value = attributes[1];
        if (xml_is(key, "name"))
            name = value;
        else if (xml_is(key, "fullname"))
            full = value;
        else if (xml_is(key, "classname"))
            class_name = value;
        else if (xml_is(key, "result"))
            result = value;
        else if (xml_is(key, "label"))
            label = value;
        else if (xml_is(key, "executed"))
            executed = value;
        else if (xml_is(key, "success"))
            success = value;
        else if (xml_is(key, "duration") || xml_is(key, "time"))
            r->test.one.time_us = xml_seconds_us(value);
    }
    name_case(r, name, full, class_name);
    set_suite(r);
    return result ? verdict_of(result, label, &r->verdict, err)
                  : old_verdict(executed, success, &r->verdict, err);
}

static bool add(struct reading *r, enum test_result result, struct error *err)
{
    if ((result == TEST_FAILED || result == TEST_ERROR) && r->depth)
        r->suites[r->depth - 1].bad++;
    r->test.one.result = result;
    return xml_test_add(&r->test, err);
}

static bool close_case(struct reading *r, struct error *err)
{
    r->in_case = false;
    r->counts[r->verdict]++;
    r->cases++;
    return add(r, results[r->verdict], err);
}

// A setup or teardown that failed: an error of its own, unless tests inside carry it already. A
// suite that says no more than that it failed is only as bad as what is in it.
static bool close_suite(struct reading *r, struct error *err)
{
    struct suite *suite = &r->suites[r->depth - 1];
    bool alone = suite->failed && suite->bad == 0;
    if (suite->failed && suite->reasoned && (alone || suite->late)) {
        xml_test_begin(&r->test, suite->offset);
        xml_test_class(&r->test, text_str(&suite->name));
        xml_test_name(&r->test, STR("(outside of any test)"));
        xml_message_add(&r->test.message, text_str(&suite->message));
        set_suite(r);
        if (!add(r, TEST_ERROR, err))
            return false;
    } else if (alone) {
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "line %u: suite `" STR_FMT "` says that it failed, but no test in it did",
                       suite->line, STR_ARG(str_shorten(text_str(&suite->name), 200)));
        suite->bad = 1; // the suites around it say the same
    }
    r->depth--;
    if (r->depth)
        r->suites[r->depth - 1].bad += suite->bad;
    return true;
}

// The text of the element at that depth is the message, or none is.
static void keep_text(struct reading *r, unsigned depth)
{
    xml_want_text(r->xml, depth != 0);
    r->text_depth = depth;
}

static bool on_open(void *context, const char *qualified, const char **attributes,
                    struct error *err)
{
    struct reading *r = context;
    const char *name = xml_local(qualified);
    if (r->version == 0)
        return open_root(r, name, attributes, err);
    if (xml_is(name, "test-case"))
        return open_case(r, attributes, err);
    if (xml_is(name, "test-suite")) {
        if (r->in_case)
            return error_set(err, ERROR_INPUT, "a <test-suite> stands inside a <test-case>");
        open_suite(r, attributes);
    } else if (xml_is(name, "failure") || xml_is(name, "reason")) {
        r->reason_depth = xml_depth(r->xml);
        if (r->in_case && name[0] == 'f' && r->verdict == PASSED)
            r->verdict = FAILED; // it says so itself
        else if (!r->in_case && r->depth)
            r->suites[r->depth - 1].reasoned = true;
    } else if (r->reason_depth && xml_is(name, "message")) {
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
    if (depth == r->reason_depth)
        r->reason_depth = 0;
    if (xml_is(name, "test-case"))
        return close_case(r, err);
    return !xml_is(name, "test-suite") || close_suite(r, err);
}

static bool on_text(void *context, str text, struct error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->text_depth && r->in_case)
        xml_message_add(&r->test.message, text);
    else if (r->text_depth && r->depth)
        xml_message_add(&r->suites[r->depth - 1].message, text);
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
    r->root_path = text_of(LIMIT_TOKEN_BYTES);
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

// NUnit 2 leaves tests that were not run out of its total, and counts errors apart since 2.5.
static void compare(struct reading *r)
{
    const uint64_t *n = r->counts;
    uint64_t bad = n[FAILED] + n[ERROR] + n[INVALID];
    uint64_t run = r->cases - n[SKIPPED] - (r->version == 2 ? n[INVALID] : 0);
    bool errors_apart = r->said[SAID_ERRORS].is;
    const struct {
        uint64_t counted, or_counted;
        bool at_most;
    } rows[SAYINGS] = {
        [SAID_TOTAL] = {r->cases, run, false},
        [SAID_PASSED] = {n[PASSED], n[PASSED], false},
        [SAID_FAILED] = {bad, bad - n[INVALID], false},
        [SAID_FAILURES] = {n[FAILED], errors_apart ? n[FAILED] : n[FAILED] + n[ERROR], false},
        [SAID_ERRORS] = {n[ERROR], n[ERROR] + n[INVALID], false},
        [SAID_SKIPPED] = {n[SKIPPED], n[SKIPPED], true},
        [SAID_NOT_RUN] = {n[SKIPPED] + n[INVALID], n[SKIPPED] + n[INVALID], true},
        [SAID_INCONCLUSIVE] = {n[UNDECIDED], n[UNDECIDED], true},
        [SAID_WARNINGS] = {n[WARNING], n[WARNING], true},
    };
    struct xml_saying sayings[SAYINGS];
    for (int i = 0; i < SAYINGS; i++)
        sayings[i] = (struct xml_saying){saying_names[i], r->said[i], rows[i].counted,
                                         rows[i].or_counted, rows[i].at_most};
    xml_sayings_compare(r->evidence, r->report, r->version == 2 ? "<test-results>" : "<test-run>",
                        r->root_line, sayings, SAYINGS);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err))
        return false;
    compare(r);
    tests_tell_apart(r->evidence, false); // rows of a test may have one name; none is a repetition
    xml_test_end(&r->test);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    for (size_t i = 0; i < LIMIT_DOC_DEPTH; i++) {
        text_done(&r->suites[i].name);
        text_done(&r->suites[i].message);
        text_done(&r->suites[i].path);
    }
    text_done(&r->root_path);
    xml_test_done(&r->test);
    memory_free(r);
}

const struct report_reader nunit_reader = {
    .name = "nunit",
    .title = "NUnit XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
