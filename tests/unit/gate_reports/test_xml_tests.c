// The test reports in XML besides JUnit's: TRX, NUnit, xUnit.net, TestNG.
#include "feed.h"
#include "gate/reports/xml_test.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(xml_tests, .fini = done);

// Every test as "suite › class › name = result: message" and its time, one a line.
static const char *told(void)
{
    static const char *const results[] = {"passed", "failed", "error", "skipped", "flaky"};
    str all = {"", 0};
    tests_settle(&evidence.tests);
    for (size_t i = 0; i < evidence.tests.count; i++) {
        const struct test_case *one = &evidence.tests.cases[i];
        all = arena_format(&evidence.arena, STR_FMT "%s%s = %s%s" STR_FMT, STR_ARG(all),
                           i ? "\n" : "", test_identity(&evidence.arena, one), results[one->result],
                           one->message.len ? ": " : "", STR_ARG(one->message));
    }
    return all.data;
}

struct row {
    const char *name, *text, *want, *suspicions;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        feed_good(&evidence, "r.xml", rows[i].text);
        cr_expect_str_eq(told(), rows[i].want, "%s:\n%s", rows[i].name, told());
        cr_expect_str_eq(suspicions(&evidence), rows[i].suspicions, "%s: %s", rows[i].name,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

#define TRX(inside)                                                                                \
    "<TestRun xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\">" inside           \
    "</TestRun>"

Test(xml_tests, trx)
{
    static const struct row rows[] = {
        {"a class that is known before or after its results",
         TRX("<TestDefinitions><UnitTest id=\"A1\" storage=\"/w/net8.0/shop.dll\"><TestMethod "
             "className=\"N.C, Shop\"/></UnitTest></TestDefinitions><Results><UnitTestResult "
             "testId=\"a1\" testName=\"N.C.m(1)\" outcome=\"Passed\"/><UnitTestResult "
             "testId=\"b2\" testName=\"m\" outcome=\"Passed\"/><UnitTestResult testId=\"c3\" "
             "testName=\"other\" outcome=\"Passed\"/></Results>"
             "<TestDefinitions><UnitTest id=\"b2\"><TestMethod codeBase=\"D:\\w\\Store.exe\" "
             "className=\"N.D\"/></UnitTest></TestDefinitions>"),
         "shop › N.C › m(1) = passed\nStore › N.D › m = passed\nother = passed", ""},
        {"a result without an outcome is no pass",
         TRX("<Results><UnitTestResult testName=\"m\"/></Results>"), "m = error", ""},
        {"an ordered test",
         TRX("<Results><TestResultAggregation testName=\"all\" outcome=\"Failed\"><InnerResults>"
             "<UnitTestResult testName=\"a\" outcome=\"Passed\"/><UnitTestResult testName=\"b\" "
             "outcome=\"Failed\"><Output><ErrorInfo><Message>\n no\nmore</Message></ErrorInfo>"
             "</Output></UnitTestResult></InnerResults></TestResultAggregation></Results>"
             "<ResultSummary outcome=\"Failed\"><Counters total=\"3\" passed=\"1\" "
             "failed=\"2\"/></ResultSummary>"),
         "a = passed\nb = failed: no", ""},
        {"the run's own errors, but not what xUnit's adapter repeats",
         TRX("<Results><UnitTestResult testName=\"a\" outcome=\"Failed\"/></Results>"
             "<ResultSummary outcome=\"Failed\"><RunInfos><RunInfo outcome=\"Error\"><Text>"
             "[xUnit.net 00:00:00.10]     a [FAIL]</Text></RunInfo><RunInfo outcome=\"Warning\">"
             "<Text>w</Text></RunInfo><RunInfo outcome=\"Aborted\"><Text>x</Text></RunInfo>"
             "</RunInfos></ResultSummary>"),
         "a = failed", "line 1: the run reports an error: x"},
        {"counters that fit no way of counting",
         TRX("<Results><UnitTestResult testName=\"a\" outcome=\"NotExecuted\"/></Results>"
             "<ResultSummary><Counters total=\"1\" passed=\"0\" failed=\"1\" notExecuted=\"0\" "
             "aborted=\"1\"/></ResultSummary>"),
         "a = skipped",
         "line 1: <Counters> says failed=\"1\", but holds 0\nline 1: <Counters> says "
         "aborted=\"1\", but holds 0"},
        {"tests without a name",
         TRX("<Results><UnitTestResult outcome=\"Failed\"/>"
             "<UnitTestResult outcome=\"Passed\"/></Results>"),
         "(unnamed 1) = failed\n(unnamed 2) = passed", "2 tests have no name"},
    };
    check(rows, sizeof rows / sizeof *rows);
}

Test(xml_tests, times_and_places_of_trx)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {{"00:00:00.1084258", 108426},
                {"00:01:02", 62000000},
                {"1.02:00:00.5", 93600500000},
                {"00:00:07.25", 7250000},
                {"7 s", -1},
                {"00:61:00", -1},
                {"-00:00:01", -1},
                {"", -1},
                {"99999.00:00:00", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        str text = arena_format(&arena,
                                TRX("<Results><UnitTestResult duration=\"%s\" testName=\"a\" "
                                    "outcome=\"Passed\"/></Results>"),
                                rows[i].text);
        feed_good(&evidence, "r.trx", text.data);
        const struct test_case *one = &evidence.tests.cases[0];
        cr_expect_eq(one->time_us, rows[i].want, "%s: %lld", rows[i].text, (long long)one->time_us);
        cr_expect_eq(strncmp(text.data + one->offset, "<UnitTestResult", 15), 0);
        evidence_done(&evidence);
        arena_done(&arena);
    }
}

Test(xml_tests, nunit)
{
    static const struct row rows[] = {
        {"suites of rows are no classes, fixtures with arguments are",
         "<test-run total=\"2\" testcasecount=\"2\"><test-suite type=\"Assembly\" "
         "name=\"S.dll\" fullname=\"/w/S.dll\"><test-suite type=\"TestFixture\" name=\"F(1)\" "
         "fullname=\"N.F(1)\"><test-suite type=\"ParameterizedMethod\" name=\"m\" "
         "fullname=\"N.F(1).m\"><test-case name=\"m(2.5)\" fullname=\"N.F(1).m(2.5)\" "
         "classname=\"N.F\" result=\"Passed\"/></test-suite></test-suite>"
         "<test-case name=\"lone\" classname=\"N.G\" result=\"Failed\" label=\"my own\"/>"
         "</test-suite></test-run>",
         "S › N.F(1) › m(2.5) = passed\nS › N.G › lone = failed", ""},
        {"NUnit 2: a name that does not hold its fixture",
         "<test-results name=\"p\" total=\"2\" not-run=\"0\"><test-suite name=\"A\"><results>"
         "<test-case name=\"works\" executed=\"True\" success=\"True\"/></results></test-suite>"
         "<test-suite name=\"B\"><results><test-case name=\"works\" executed=\"True\" "
         "success=\"False\"/></results></test-suite></test-results>",
         "p › A › works = passed\np › B › works = failed", ""},
        {"NUnit 2: executed, and no word of success",
         "<test-results name=\"p\" total=\"2\" not-run=\"0\"><test-suite name=\"A\">"
         "<test-case name=\"a\" executed=\"True\"/><test-case name=\"b\" executed=\"True\">"
         "<failure><message>no</message></failure></test-case></test-suite></test-results>",
         "p › A › a = passed\np › A › b = failed: no", ""},
        {"a pass with a failure in it",
         "<test-run total=\"1\" testcasecount=\"1\"><test-suite name=\"A\"><test-case name=\"a\" "
         "result=\"Passed\"><failure><message>no</message></failure></test-case></test-suite>"
         "</test-run>",
         "A › a = failed: no", ""},
        {"the setup of a name space broke",
         "<test-run total=\"0\" testcasecount=\"1\"><test-suite type=\"Assembly\" name=\"S.dll\" "
         "result=\"Failed\"><test-suite type=\"SetUpFixture\" fullname=\"N.Setup\" "
         "result=\"Failed\" site=\"SetUp\"><failure><message>\n\n no base\nat x</message>"
         "</failure></test-suite></test-suite></test-run>",
         "S › N.Setup › (outside of any test) = error: no base", ""},
        {"NUnit 2 counts what was not run in its total, or does not",
         "<test-results name=\"p\" total=\"2\" failures=\"1\" not-run=\"0\"><test-suite "
         "name=\"A\"><test-case name=\"a\" result=\"Ignored\"/><test-case name=\"b\" "
         "result=\"Error\"/></test-suite></test-results>",
         "p › A › a = skipped\np › A › b = error", ""},
        {"promises",
         "<test-results name=\"p\" total=\"7\" failures=\"1\" errors=\"2\" "
         "not-run=\"1\"><test-suite name=\"A\"><test-case name=\"a\" "
         "result=\"Success\"/></test-suite></test-results>",
         "p › A › a = passed",
         "line 1: <test-results> says total=\"7\", but holds 1\nline 1: <test-results> says "
         "failures=\"1\", but holds 0\nline 1: <test-results> says errors=\"2\", but holds 0\n"
         "line 1: <test-results> says not-run=\"1\", but holds 0"},
    };
    check(rows, sizeof rows / sizeof *rows);
}

Test(xml_tests, xunit)
{
    static const struct row rows[] = {
        {"version 1: what broke in a class",
         "<assembly name=\"S.dll\" run-date=\"d\" total=\"1\" passed=\"1\"><class name=\"N.C\">"
         "<test name=\"N.C.a\" method=\"a\" result=\"Pass\"/><failure><message>no fixture"
         "</message></failure></class></assembly>",
         "S › N.C › a = passed\nS › N.C › (outside of any test) = error: no fixture", ""},
        {"errors of several kinds",
         "<assemblies timestamp=\"t\"><assembly name=\"S.dll\" total=\"0\" passed=\"0\" "
         "errors=\"2\"><errors><error type=\"assembly-cleanup\" name=\"S.dll\"><failure><message>"
         "one</message></failure></error><error type=\"fatal\"><failure/></error></errors>"
         "</assembly></assemblies>",
         "S › S.dll › (outside of any test) assembly-cleanup = error: one\nS › (outside of any "
         "test) fatal = error",
         ""},
        {"a pass with a failure in it",
         "<assemblies timestamp=\"t\"><assembly name=\"S.dll\" run-date=\"d\"><collection>"
         "<test type=\"C\" name=\"C.a\" result=\"Pass\"><failure><message>no</message></failure>"
         "</test></collection></assembly></assemblies>",
         "S › C › a = failed: no", ""},
        {"rows of one name",
         "<assemblies timestamp=\"t\"><assembly name=\"S.dll\" run-date=\"d\" total=\"2\">"
         "<test type=\"C\" name=\"C.a(x)\" result=\"Pass\"/><test type=\"C\" name=\"C.a(x)\" "
         "result=\"Fail\"/></assembly></assemblies>",
         "S › C › a(x) = passed\nS › C › a(x) (2) = failed", ""},
    };
    check(rows, sizeof rows / sizeof *rows);
}

#define NG(inside)                                                                                 \
    "<testng-results><suite name=\"s\"><test name=\"t\"><class name=\"C\">" inside                 \
    "</class></test></suite></testng-results>"
#define RUN(status, signature, value)                                                              \
    "<test-method name=\"m\" status=\"" status "\" signature=\"" signature                         \
    "\"><params><param><value><![CDATA[" value "]]></value></param></params></test-method>"

Test(xml_tests, testng)
{
    static const struct row rows[] = {
        {"instances and rows are told apart, repetitions are not",
         NG(RUN("PASS", "m[C@1111]", "1") RUN("FAIL", "m[C@2222]", "1")
                RUN("SKIP\" retried=\"true", "m[C@2222]", "2") RUN("PASS", "m[C@2222]", "2")),
         "s › t › C › m(1) = passed\ns › t › C › m(1) #2 = failed\ns › t › C › m(2) = flaky", ""},
        {"a retried run before the one that counts, and one without",
         NG(RUN("SKIP\" retried=\"true", "m", "1") RUN("FAIL", "m", "1")
                RUN("SKIP\" retried=\"true", "m", "2")),
         "s › t › C › m(1) = failed\ns › t › C › m(2) = failed", ""},
        {"a run that passed and one that failed are no repetition",
         NG(RUN("PASS", "m", "1") RUN("FAIL", "m", "1")),
         "s › t › C › m(1) = passed\ns › t › C › m(1) #2 = failed", ""},
        {"addresses are no part of a name",
         NG(RUN("PASS", "m", "a.Order@6f667ad1[x=a.B@12345]") RUN("PASS", "m", "a@b.example")
                RUN("PASS", "m", "@abc")),
         "s › t › C › m(a.Order[x=a.B]) = passed\ns › t › C › m(a@b.example) = passed\n"
         "s › t › C › m(@abc) = passed",
         ""},
        {"a configuration that failed, and one that did not come to its end",
         NG("<test-method is-config=\"true\" name=\"a\" status=\"FAIL\"><exception class=\"E\"/>"
            "</test-method><test-method is-config=\"true\" name=\"b\" status=\"STARTED\"/>"
            "<test-method is-config=\"true\" name=\"c\" status=\"SKIP\"/>"),
         "s › t › C › a (configuration) = error: E\ns › t › C › b (configuration) = error", ""},
        {"a test that did not come to its end", NG("<test-method name=\"a\" status=\"STARTED\"/>"),
         "s › t › C › a = error", ""},
    };
    check(rows, sizeof rows / sizeof *rows);
}

Test(xml_tests, seconds)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {{"0", 0},
                {"0.148340", 148340},
                {"12", 12000000},
                {"1.0000004", 1000000},
                {"1.0000005", 1000001},
                {"0.00000000001", 0},
                {"1,234.5", 1234500000},
                {"1e-3", 1000},
                {"999999999", 999999999000000},
                {"1e9", 1000000000000000},
                {"9999999999", -1},
                {"-1", -1},
                {"", -1},
                {"<<computed>>", -1},
                {"NaN", -1},
                {".", -1},
                {"1.2.3", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(xml_seconds_us(rows[i].text), rows[i].want, "%s: %lld", rows[i].text,
                     (long long)xml_seconds_us(rows[i].text));
}

Test(xml_tests, a_long_parameter_is_cut_between_characters)
{
    struct arena arena = {0};
    str value = {"", 0};
    for (int i = 0; i < 60; i++)
        value = arena_format(&arena, STR_FMT "é", STR_ARG(value));
    str text = arena_format(&arena, NG(RUN("PASS", "m", "%sx") RUN("PASS", "m", "%sy")), value.data,
                            value.data);
    feed_good(&evidence, "r.xml", text.data);
    cr_assert_eq(evidence.tests.count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(evidence.tests.cases[i].name.len < 100);
        cr_expect(str_is_utf8(evidence.tests.cases[i].name));
    }
    cr_expect(str_ends(evidence.tests.cases[0].name, STR("é…)")));
    cr_expect(str_ends(evidence.tests.cases[1].name, STR("é…) #2")));
    arena_done(&arena);
}

Test(xml_tests, what_is_wrong_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {TRX("<Results><UnitTestResult outcome=\"passed\"/></Results>"), "is none that a test"},
        {"<test-run total=\"1\" testcasecount=\"1\"><test-suite><test-case name=\"a\"/>"
         "</test-suite></test-run>",
         "r.xml:1:51: a <test-case> has no result"},
        {"<test-run total=\"1\" testcasecount=\"1\"><test-suite><test-case name=\"a\" "
         "result=\"Passed\"><test-suite/></test-case></test-suite></test-run>",
         "a <test-suite> stands inside a <test-case>"},
        {"<test-run total=\"1\" testcasecount=\"1\"><test-suite><test-case name=\"a\" "
         "result=\"Passed\"><test-case/></test-case></test-suite></test-run>",
         "a <test-case> stands inside another one"},
        {"<assemblies timestamp=\"t\"><assembly run-date=\"d\"><assembly/></assembly></assemblies>",
         "an <assembly> stands inside another one"},
        {"<assemblies timestamp=\"t\"><assembly run-date=\"d\"><test name=\"a\"/></assembly>"
         "</assemblies>",
         "a <test> has no result"},
        {NG("<test-method name=\"a\" status=\"pass\"/>"), "is none that a test can have"},
        {NG("<test-method name=\"&who;\" status=\"PASS\"/>"), "entity"},
        {NG("<test-method name=\"&#0;\" status=\"PASS\"/>"), "a character that XML does not allow"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char line[1024];
        cr_expect_not(feed(&evidence, "r.xml", rows[i].text, &err), "%s", rows[i].text);
        expect_contains(str_of(error_text(&err, line, sizeof line)), rows[i].want);
        cr_expect_eq(evidence.tests.count, 0);
    }
}

// The same roots in files of other tools are not taken for reports.
Test(xml_tests, roots_alone_do_not_make_a_report)
{
    static const char *const others[] = {
        "<TestRun><Step/></TestRun>",
        "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\" manifestVersion=\"1.0\"/>",
        "<assembly xmlns=\"http://maven.apache.org/ASSEMBLY/2.0.0\"><id>bin</id></assembly>",
        "<assemblies><assembly fullname=\"A\"/></assemblies>",
        "<test-run/>",
        "<test-results/>",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "o.xml", others[i], &err), "%s", others[i]);
        expect_contains(str_of(err.message), "this is no report that is known here");
    }
}
