// What the readers of test reports in JSON make of one test: its identity, result and message.
#include "feed.h"

#include "gate/base/text.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(json_tests, .fini = done);

// "format: suite|class|name|file:line|result|time|message" for each test
static const char *cases(void)
{
    const struct report *report = &evidence.reports[evidence.report_count - 1];
    str all = arena_format(&evidence.arena, "%s:", report->format);
    for (size_t i = 0; i < evidence.tests.count; i++) {
        const struct test_case *one = &evidence.tests.cases[i];
        all = arena_format(&evidence.arena,
                           STR_FMT " " STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT
                                   ":%u|%d|%lld|" STR_FMT,
                           STR_ARG(all), STR_ARG(one->suite), STR_ARG(one->class_name),
                           STR_ARG(one->name), STR_ARG(one->file), one->line, (int)one->result,
                           (long long)one->time_us, STR_ARG(one->message));
    }
    return all.data;
}

Test(json_tests, one_test_in_each_format)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"results\":{\"tool\":{},\"tests\":[{\"name\":\"n\",\"status\":\"failed\",\"suite\":"
         "[\"a\",\"b\"],\"browser\":\"firefox\",\"device\":\"phone\",\"filePath\":\"f.ts\","
         "\"line\":7,\"duration\":1.5,\"trace\":\"\\n why\"}]}}",
         "ctrf: a › b|firefox, phone|n|f.ts:7|1|1500|why"},
        {"{\"reportFormat\":\"CTRF\",\"results\":{\"tests\":[{\"name\":\"n\",\"suite\":\"a > b\","
         "\"status\":\"other\"}]}}",
         "ctrf: a > b||n|:0|2|-1|its status is `other`: neither passed nor skipped"},
        {"{\"stats\":{\"passes\":0,\"pending\":0,\"failures\":1},\"failures\":[{\"title\":\"does "
         "b\",\"fullTitle\":\"Outer inner does b\",\"file\":\"/b/t.js\",\"duration\":2,\"err\":"
         "{\"stack\":\"why\"}}]}",
         "mocha-json: Outer inner||does b|/b/t.js:0|1|2000|why"},
        {"{\"stats\":{\"passes\":1,\"pending\":0,\"failures\":0},\"passes\":[{\"title\":\"\","
         "\"fullTitle\":\"all\"}],\"failures\":[]}",
         "mocha-json: ||all|:0|0|-1|"},
        {"{\"stats\":{\"passes\":0,\"pending\":0,\"failures\":1},\"results\":[{\"file\":\"a.cy.js\""
         ",\"suites\":[{\"file\":\"\",\"tests\":[{\"title\":\"t\",\"fullTitle\":\"S t\",\"state\":"
         "\"failed\",\"err\":\"thrown\"}]}]}]}",
         "mocha-json: S||t|a.cy.js:0|1|-1|thrown"},
        {"{\"testResults\":[{\"assertionResults\":[{\"ancestorTitles\":[\"a\",\"b\"],\"title\":"
         "\"n\",\"status\":\"failed\",\"duration\":3,\"location\":{\"line\":9},"
         "\"failureMessages\":[\"why\",\"more\"]}],\"status\":\"failed\",\"name\":\"/b/f.js\"}]}",
         "jest-json: a › b||n|/b/f.js:9|1|3000|why"},
        {"{\"testResults\":[{\"assertionResults\":[],\"status\":\"failed\",\"name\":\"/b/f.js\","
         "\"message\":\"\"}]}",
         "jest-json: ||(outside of any test)|/b/f.js:0|2|-1|the file failed, but none of its tests "
         "did"},
        {"{\"suites\":[{\"title\":\"a.spec.ts\",\"suites\":[{\"title\":\"in\",\"specs\":[{\"title\""
         ":\"n\",\"tests\":[{\"projectName\":\"webkit\",\"results\":[{\"status\":\"timedOut\","
         "\"duration\":5,\"errors\":[{\"message\":\"why\"}]}]}],\"file\":\"a.spec.ts\",\"line\":4}]"
         "}],\"specs\":[]}]}",
         "playwright-json: a.spec.ts › in|webkit|n|a.spec.ts:4|1|5000|why"},
        {"{\"config\":{\"projects\":[],\"rootDir\":\"/b\"},\"suites\":[],\"errors\":[{\"message\":"
         "\"no server\",\"location\":{\"file\":\"/b/a.ts\",\"line\":3}}]}",
         "playwright-json: ||(outside of any test)|/b/a.ts:3|2|-1|no server"},
        {"[{\"elements\":[{\"keyword\":\"Scenario\",\"line\":8,\"name\":\"n\",\"steps\":[{\"result"
         "\":{\"status\":\"passed\",\"duration\":1500000},\"name\":\"x\"},{\"result\":{\"status\":"
         "\"undefined\"},\"name\":\"magic\"},{\"result\":{\"status\":\"skipped\"},\"name\":\"y\"}]}"
         "],\"keyword\":\"Feature\",\"name\":\"F\",\"uri\":\"a.feature\"}]",
         "cucumber-json: F||n|a.feature:8|1|1500|the step `magic` is undefined"},
        {"[{\"elements\":[{\"type\":\"scenario\",\"name\":\"n\",\"steps\":[{\"name\":\"x\","
         "\"result\":{\"status\":\"passed\"},\"after\":[{\"result\":{\"status\":\"failed\","
         "\"error_message\":\"hook\\nat\"}}]}]}],\"uri\":\"a.feature\"}]",
         "cucumber-json: ||n|a.feature:0|1|-1|hook"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "r.json", rows[i].text);
        cr_expect_str_eq(cases(), rows[i].want, "%s", cases());
        evidence_done(&evidence);
    }
}

// The heaviest step decides; a step that says nothing was not run.
Test(json_tests, a_scenario_is_as_bad_as_its_worst_step)
{
    static const struct {
        const char *statuses[3];
        enum test_result want;
    } rows[] = {
        {{"passed", "passed", "passed"}, TEST_PASSED},
        {{"passed", "skipped", "passed"}, TEST_SKIPPED},
        {{"skipped", "skipped", "failed"}, TEST_FAILED},
        {{"undefined", "skipped", "skipped"}, TEST_FAILED},
        {{"passed", "pending", "skipped"}, TEST_FAILED},
        {{"passed", "ambiguous", "skipped"}, TEST_FAILED},
        {{"passed", "unknown", "passed"}, TEST_FAILED},
        {{"passed", NULL, "passed"}, TEST_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text text = text_of(4096);
        text_adds(&text, "[{\"uri\":\"a\",\"elements\":[{\"name\":\"n\",\"steps\":[");
        for (int k = 0; k < 3; k++) {
            text_addf(&text, "%s{\"name\":\"s\"", k ? "," : "");
            if (rows[i].statuses[k])
                text_addf(&text, ",\"result\":{\"status\":\"%s\"}", rows[i].statuses[k]);
            text_adds(&text, "}");
        }
        text_adds(&text, "]}]}]");
        feed_good(&evidence, "c.json", text_c(&text));
        cr_assert_eq(evidence.tests.count, 1);
        cr_expect_eq(evidence.tests.cases[0].result, rows[i].want, "row %zu", i);
        text_done(&text);
        evidence_done(&evidence);
    }
}

// A background belongs to the scenario behind it, and to no other.
Test(json_tests, backgrounds)
{
    feed_good(&evidence, "c.json",
              "[{\"uri\":\"a\",\"elements\":["
              "{\"type\":\"background\",\"steps\":[{\"result\":{\"status\":\"failed\"}}]},"
              "{\"name\":\"one\",\"steps\":[{\"result\":{\"status\":\"skipped\"}}]},"
              "{\"name\":\"two\",\"steps\":[{\"result\":{\"status\":\"passed\"}}]},"
              "{\"type\":\"background\",\"steps\":[{\"result\":{\"status\":\"passed\"}}]}]},"
              "{\"uri\":\"b\",\"elements\":[{\"name\":\"three\",\"steps\":[{\"result\":{\"status\":"
              "\"passed\"}}]}]}]");
    cr_expect_str_eq(test_words(&evidence), "3 = 2 passed 1 failed 0 errors 0 skipped 0 flaky");
    expect_str(evidence.tests.cases[0].name, "one");
    cr_expect_eq(evidence.tests.cases[0].result, TEST_FAILED);
}

// Members come in another order than usual, and the head ends before the tests begin.
Test(json_tests, are_known_by_any_of_their_heads)
{
    static const struct {
        const char *head, *want;
    } rows[] = {
        {"{\"reportFormat\":\"CTRF\",\"results\":{\"tool\":{\"name\":\"x\"},", "CTRF"},
        {"{\"results\":{\"summary\":{\"tests\":1},\"tests\":[", "CTRF"},
        {"{\"stats\":{\"suites\":1,\"passes\":1,\"pending\":0,\"failures\":0},\"tests\":[",
         "Mocha JSON"},
        {"{\"tests\":[],\"stats\":{\"failures\":0,\"passes\":1,\"pending\":0}", "Mocha JSON"},
        {"{\"numFailedTests\":0,\"numPassedTests\":1,\"numTotalTests\":1,\"snapshot\":{",
         "Jest JSON"},
        {"{\"config\":{\"projects\":[{}],\"rootDir\":\"/b\",\"reporter\":[[", "Playwright JSON"},
        {"{\"suites\":[{\"specs\":[", "Playwright JSON"},
        {"[{\"description\":\"\",\"elements\":[{\"keyword\":\"Scenario\",\"steps\":[{",
         "Cucumber JSON"},
        {"{\"Time\":\"2026-11-22T10:00:00Z\",\"Action\":\"start\",\"Package\":\"p\"}\n",
         "go test -json"},
        {"go: downloading x\n{\"Action\":\"run\",\"Test\":\"T\"}\n", "go test -json"},
        {"\xef\xbb\xbfTAP version 14\n", "TAP"},
        {"> x@1 test\n\n1..2\nok 1 - a\n", "TAP"},
        {"ok 1 - a\nok 2 - b\n", "TAP"},
        {"{\"tests\":[],\"summary\":{}}", NULL},
        {"{\"stats\":{\"passes\":1}}", NULL},
        {"{\"results\":{}}", NULL},
        {"[]", NULL},
        {"[{\"elements\":1}]", NULL},
        {"{\"Action\":\"deny\",\"Package\":\"p\"}\n", NULL},
        {"{\"suites\":[]}", NULL},
        {"ok, this is a log\n1..2..3\n", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report_reader *reader = NULL;
        struct error err = {0};
        bool known = report_recognise(str_of(rows[i].head), false, &reader, &err);
        cr_expect_eq(known, rows[i].want != NULL, "%s: %s", rows[i].head,
                     known ? reader->title : err.message);
        if (known && rows[i].want)
            cr_expect_str_eq(reader->title, rows[i].want, "%s", rows[i].head);
    }
}

Test(json_tests, what_is_wrong_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"results\":{\"tool\":{},\"tests\":[{\"status\":\"passed\",\"retries\":-1}]}}",
         "`retries` is no count"},
        {"{\"results\":{\"tool\":{},\"tests\":[{\"name\":{}}]}}", "`name` is a map, not text"},
        {"{\"results\":{\"tool\":{},\"tests\":[7]}}", "r.json:1:"},
        {"{\"stats\":{\"passes\":1,\"pending\":0,\"failures\":0},\"tests\":[],\"passes\":[{"
         "\"currentRetry\":1.5}]}",
         "`currentRetry` is no count"},
        {"{\"testResults\":[{\"assertionResults\":[{\"status\":\"passed\",\"invocations\":-2}]}]}",
         "`invocations` is no count"},
        {"{\"suites\":[{\"specs\":[{\"tests\":[{\"expectedStatus\":\"fine\"}]}]}]}",
         "`fine` is no status of Playwright"},
        {"[{\"uri\":\"a\",\"elements\":[{\"name\":[]}]}]", "`name` is a list, not text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char line[1024];
        cr_expect_not(feed(&evidence, "r.json", rows[i].text, &err), "%s", rows[i].text);
        expect_contains(str_of(error_text(&err, line, sizeof line)), rows[i].want);
        expect_contains(str_of(line), "r.json:1");
        cr_expect_eq(evidence.tests.count, 0);
        cr_expect_not(evidence.has[EVIDENCE_TESTS]);
    }
}

Test(json_tests, offsets_are_those_of_the_tests)
{
    const char *text = "\xef\xbb\xbf{\"results\": {\"tool\": {},\n \"tests\": [ {\"status\":\n"
                       "\"passed\", \"name\": \"a\"}, {\"name\": \"b\", \"status\": \"failed\"}]}}";
    feed_good(&evidence, "r.json", text);
    cr_assert_eq(evidence.tests.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const char *at = text + evidence.tests.cases[i].offset;
        cr_expect_eq(*at, '{');
        cr_expect_eq(strncmp(at + 2, i ? "name" : "status", 4), 0);
    }
}
