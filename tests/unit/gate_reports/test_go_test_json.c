#include "feed.h"

#include "gate/base/text.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(go_test_json, .fini = done);

#define RUN(test) "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"" test "\"}\n"
#define SAYS(test, output)                                                                         \
    "{\"Action\":\"output\",\"Package\":\"p\",\"Test\":\"" test "\",\"Output\":\"" output "\"}\n"
#define ENDS(action, test)                                                                         \
    "{\"Action\":\"" action "\",\"Package\":\"p\",\"Test\":\"" test "\",\"Elapsed\":0.25}\n"
#define START "{\"Action\":\"start\",\"Package\":\"p\"}\n"
#define PACKAGE(action) "{\"Action\":\"" action "\",\"Package\":\"p\",\"Elapsed\":1}\n"
#define PACKAGE_SAYS(output) "{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"" output "\"}\n"

static const char *cases(void)
{
    str all = {"", 0};
    for (size_t i = 0; i < evidence.tests.count; i++) {
        const struct test_case *one = &evidence.tests.cases[i];
        all = arena_format(&evidence.arena, STR_FMT STR_FMT "|" STR_FMT "|%d|" STR_FMT "\n",
                           STR_ARG(all), STR_ARG(one->suite), STR_ARG(one->name), (int)one->result,
                           STR_ARG(one->message));
    }
    return all.data;
}

Test(go_test_json, what_a_stream_says)
{
    static const struct {
        const char *name, *text, *want, *suspicions;
    } rows[] = {
        {"the first line that says something is the message",
         START RUN("A") SAYS("A", "=== RUN   A\\n") SAYS("A", "    a_test.go:3: dry\\n")
             SAYS("A", "    a_test.go:4: very\\n") SAYS("A", "--- FAIL: A (0.25s)\\n")
                 ENDS("fail", "A") PACKAGE_SAYS("FAIL\\tp\\t0.3s\\n") PACKAGE("fail"),
         "p|A|1|a_test.go:3: dry\n", ""},
        {"a test that ran and did not end",
         START RUN("A") RUN("B") ENDS("pass", "B") PACKAGE("pass"),
         "p|B|0|\np|A|2|it ran, and has no result\n", ""},
        {"two tests that did not end explain their package",
         START RUN("A") RUN("B") SAYS("B", "panic: test timed out after 2s\\n") PACKAGE("fail"),
         "p|B|2|panic: test timed out after 2s\np|A|2|it ran, and has no result\n", ""},
        {"a package that failed with nothing to say", START PACKAGE("fail"),
         "p|(the package)|2|the package failed, but none of its tests did\n", ""},
        {"a package that says why",
         START RUN("A") ENDS("pass", "A") PACKAGE_SAYS("panic: in init\\n")
             PACKAGE_SAYS("exit status 2\\n") PACKAGE("fail"),
         "p|A|0|\np|(the package)|2|panic: in init\n", ""},
        {"a package without a result", START RUN("A") ENDS("pass", "A"),
         "p|A|0|\np|(the package)|2|it has no result\n",
         "the package p has no result: the output is cut, or the run was"},
        {"run again by another run of the package",
         START RUN("A") ENDS("fail", "A") PACKAGE("fail") START RUN("A") ENDS("pass", "A")
             PACKAGE("pass"),
         "p|A|1|\np|A|0|\n", ""},
        {"the second run of a package fails by itself",
         START RUN("A") ENDS("fail", "A") PACKAGE("fail") START RUN("A") ENDS("pass", "A")
             PACKAGE("fail"),
         "p|A|1|\np|A|0|\np|(the package)|2|the package failed, but none of its tests did\n", ""},
        {"a result without a run, as without -v", START ENDS("fail", "A") PACKAGE("fail"),
         "p|A|1|\n", ""},
        {"a benchmark in a package that failed",
         START RUN("BenchmarkA") RUN("BenchmarkA/b") SAYS("BenchmarkA/b", "10\\t 44.3 ns/op\\n")
             RUN("BenchmarkC") PACKAGE("fail"),
         "p|BenchmarkC|2|it ran, and has no result\np|BenchmarkA/b|0|\np|BenchmarkA|0|\n", ""},
        {"test2json without a package",
         "{\"Action\":\"run\",\"Test\":\"A\"}\n{\"Action\":\"pass\",\"Test\":\"A\"}\n"
         "{\"Action\":\"pass\"}\n",
         "|A|0|\n", ""},
        {"a build that failed for no package",
         "{\"ImportPath\":\"q\",\"Action\":\"build-output\",\"Output\":\"# q\\n\"}\n"
         "{\"ImportPath\":\"q\",\"Action\":\"build-output\",\"Output\":\"q.go:1: no\\n\"}\n"
         "{\"ImportPath\":\"q\",\"Action\":\"build-fail\"}\n",
         "q|(the build)|2|q.go:1: no\n", ""},
        {"actions of the future",
         START "{\"Action\":\"dance\",\"Package\":\"p\"}\n" RUN("A") ENDS("skip", "A")
             PACKAGE("pass"),
         "p|A|3|\n", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "go.json", rows[i].text);
        cr_expect_str_eq(cases(), rows[i].want, "%s:\n%s", rows[i].name, cases());
        cr_expect_str_eq(suspicions(&evidence), rows[i].suspicions, "%s: %s", rows[i].name,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(go_test_json, places_and_times)
{
    const char *text = START RUN("A") ENDS("pass", "A") PACKAGE("pass");
    feed_good(&evidence, "go.json", text);
    cr_assert_eq(evidence.tests.count, 1);
    cr_expect_eq(evidence.tests.cases[0].time_us, 250000);
    cr_expect_eq(strncmp(text + evidence.tests.cases[0].offset, "{\"Action\":\"pass\"", 16), 0);
}

// As many open at one time as it takes for the table to grow, closed in another order.
Test(go_test_json, many_tests_at_one_time)
{
    struct text text = text_of(1 << 20);
    text_adds(&text, START);
    for (int i = 0; i < 1000; i++)
        text_addf(&text, "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T%d\"}\n", i);
    for (int i = 0; i < 1000; i += 2)
        text_addf(&text, "{\"Action\":\"%s\",\"Package\":\"p\",\"Test\":\"T%d\"}\n",
                  i % 10 ? "pass" : "fail", (i * 7) % 1000);
    text_adds(&text, PACKAGE("fail"));
    feed_good(&evidence, "go.json", text_c(&text));
    cr_expect_str_eq(test_words(&evidence),
                     "1000 = 400 passed 100 failed 500 errors 0 skipped 0 flaky");
    text_done(&text);
}

Test(go_test_json, what_is_wrong_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {START RUN("A") "{\"Action\":\"pass\",\"Package\":\"p\"",
         "go.json:3:1: this event does not "
         "end in its line"},
        {START "{\"Action\":\"pass\",}\n", "go.json:2:"},
        {START "{\"Package\":\"p\"}\n", "go.json:2: this event has no `Action`"},
        {START "{\"Action\":{},\"Package\":\"p\"}\n", "`Action` is a map, not text"},
        {START "\xff\n", "go.json:2:1: this line is neither an event nor text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char line[1024];
        cr_expect_not(feed(&evidence, "go.json", rows[i].text, &err), "%s", rows[i].text);
        expect_contains(str_of(error_text(&err, line, sizeof line)), rows[i].want);
        cr_expect_eq(evidence.tests.count, 0);
    }
}
