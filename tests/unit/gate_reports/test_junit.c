#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(junit, .fini = done);

Test(junit, dialects)
{
    static const struct {
        const char *name, *text, *want, *suspicions;
    } rows[] = {
        {"surefire",
         "<testsuite name=\"a.B\" tests=\"4\" errors=\"1\" skipped=\"1\" failures=\"1\">"
         "<properties><property name=\"x\" value=\"y\"/></properties>"
         "<testcase name=\"one\" classname=\"a.B\" time=\"0.1\"/>"
         "<testcase name=\"two\" classname=\"a.B\"><failure message=\"no\">at "
         "x</failure></testcase>"
         "<testcase name=\"three\" classname=\"a.B\"><error type=\"E\">at y</error></testcase>"
         "<testcase name=\"four\" classname=\"a.B\"><skipped/></testcase></testsuite>",
         "4 = 1 passed 1 failed 1 errors 1 skipped 0 flaky", ""},
        {"surefire, run again: passed at last",
         "<testsuite name=\"a.B\" tests=\"1\" failures=\"0\"><testcase name=\"one\" "
         "classname=\"a.B\">"
         "<flakyFailure message=\"m\"><stackTrace>s</stackTrace></flakyFailure></testcase>"
         "</testsuite>",
         "1 = 0 passed 0 failed 0 errors 0 skipped 1 flaky", ""},
        {"surefire, run again: failed each time, and each run counted",
         "<testsuite name=\"a.B\" tests=\"3\" failures=\"3\"><testcase name=\"one\" "
         "classname=\"a.B\"><failure/><rerunFailure/><rerunFailure/></testcase></testsuite>",
         "1 = 0 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"nextest",
         "<testsuites name=\"run\" tests=\"2\" failures=\"1\" errors=\"0\"><testsuite "
         "name=\"crate\" "
         "tests=\"2\" disabled=\"0\" errors=\"0\" failures=\"1\">"
         "<testcase name=\"t::a\" classname=\"crate\"><flakyFailure/></testcase>"
         "<testcase name=\"t::b\" classname=\"crate\"><failure type=\"test failure\"/>"
         "<rerunFailure/></testcase></testsuite></testsuites>",
         "2 = 0 passed 1 failed 0 errors 0 skipped 1 flaky", ""},
        {"pytest",
         "<testsuites><testsuite name=\"pytest\" errors=\"0\" failures=\"0\" skipped=\"2\" "
         "tests=\"3\" "
         "hostname=\"h\"><testcase classname=\"t\" name=\"a[1]\"/><testcase classname=\"t\" "
         "name=\"x\"><skipped type=\"pytest.xfail\" message=\"known\"/></testcase>"
         "<testcase classname=\"t\" name=\"s\"><skipped type=\"pytest.skip\"/></testcase>"
         "</testsuite></testsuites>",
         "3 = 2 passed 0 failed 0 errors 1 skipped 0 flaky", ""},
        {"unittest",
         "<testsuites><testsuite name=\"m.T-20261122000203\" tests=\"2\" skipped=\"1\">"
         "<testcase classname=\"m.T\" name=\"a\"><skipped type=\"XFAIL\"/></testcase></testsuite>"
         "<testsuite name=\"m.T-20261122000303\" tests=\"1\"><testcase classname=\"m.T\" "
         "name=\"a\">"
         "<failure/></testcase></testsuite></testsuites>",
         "1 = 0 passed 0 failed 0 errors 0 skipped 1 flaky",
         "line 1: `m.T` says tests=\"2\", but holds 1"},
        {"gotestsum",
         "<testsuites tests=\"2\" failures=\"1\" errors=\"0\"><testsuite tests=\"2\" "
         "failures=\"1\" "
         "name=\"example.org/p\"><testcase classname=\"p\" name=\"TestA\"><failure "
         "message=\"Failed\" type=\"\">=== RUN TestA</failure></testcase><testcase classname=\"p\" "
         "name=\"TestB\"/></testsuite></testsuites>",
         "2 = 1 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"googletest",
         "<testsuites tests=\"3\" disabled=\"1\" failures=\"0\"><testsuite name=\"S\" tests=\"3\" "
         "disabled=\"1\" skipped=\"1\"><testcase name=\"a\" status=\"run\" result=\"completed\" "
         "classname=\"S\"/><testcase name=\"b\" status=\"notrun\" result=\"suppressed\" "
         "classname=\"S\"/><testcase name=\"c\" status=\"run\" result=\"skipped\" classname=\"S\">"
         "<skipped/></testcase></testsuite></testsuites>",
         "3 = 1 passed 0 failed 0 errors 2 skipped 0 flaky", ""},
        {"phpunit: suites in suites",
         "<testsuites><testsuite name=\"all\" tests=\"2\" failures=\"1\"><testsuite name=\"A\" "
         "tests=\"1\"><testcase name=\"t\" class=\"A\"/></testsuite><testsuite name=\"B\" "
         "tests=\"1\" failures=\"1\"><testcase name=\"t\" class=\"B\"><failure/></testcase>"
         "</testsuite></testsuite></testsuites>",
         "2 = 1 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"an outer suite that counts its own cases only",
         "<testsuite name=\"o\" tests=\"1\"><testcase name=\"x\"/><testsuite name=\"i\" "
         "tests=\"1\">"
         "<testcase name=\"x\"/></testsuite></testsuite>",
         "2 = 2 passed 0 failed 0 errors 0 skipped 0 flaky", ""},
        {"a retry as a second case",
         "<testsuite name=\"s\" tests=\"2\" failures=\"1\"><testcase "
         "name=\"x\"><failure/></testcase>"
         "<testcase name=\"x\"/></testsuite>",
         "1 = 0 passed 0 failed 0 errors 0 skipped 1 flaky", ""},
        {"the same name on two machines",
         "<testsuites><testsuite name=\"s\" hostname=\"a\"><testcase "
         "name=\"x\"><failure/></testcase>"
         "</testsuite><testsuite name=\"s\" hostname=\"b\"><testcase name=\"x\"/></testsuite>"
         "</testsuites>",
         "2 = 1 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"a suite that broke outside of its tests",
         "<testsuite name=\"s\" tests=\"1\" errors=\"1\"><error message=\"no class\">x</error>"
         "</testsuite>",
         "1 = 0 passed 0 failed 1 errors 0 skipped 0 flaky", ""},
        {"failures as words of an attribute",
         "<testsuite name=\"s\"><testcase name=\"a\" status=\"fail\"/><testcase name=\"b\" "
         "status=\"errored\"/><testcase name=\"c\" status=\"passed\"/><testcase name=\"d\" "
         "status=\"disabled\"><failure/></testcase></testsuite>",
         "4 = 1 passed 1 failed 1 errors 1 skipped 0 flaky", ""},
        {"skipped and failed",
         "<testsuite name=\"s\"><testcase name=\"a\"><skipped/><failure/>"
         "</testcase></testsuite>",
         "1 = 0 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"a name space and white space first",
         "\n  <?xml version=\"1.0\"?><j:testsuite xmlns:j=\"urn:j\" name=\"s\"><j:testcase "
         "name=\"a\"><j:failure/></j:testcase></j:testsuite>",
         "1 = 0 passed 1 failed 0 errors 0 skipped 0 flaky", ""},
        {"promises more than it holds",
         "<testsuites tests=\"9\" failures=\"2\"><testsuite name=\"s\" tests=\"2\" errors=\"3\" "
         "skipped=\"4\"><testcase name=\"a\"/></testsuite></testsuites>",
         "1 = 1 passed 0 failed 0 errors 0 skipped 0 flaky",
         "line 1: `s` says tests=\"2\", but holds 1\nline 1: `s` says errors=\"3\", but holds 0\n"
         "line 1: `s` says skipped=\"4\", but holds 0\nline 1: `<testsuites>` says tests=\"9\", "
         "but "
         "holds 1\nline 1: `<testsuites>` says failures=\"2\", but holds 0"},
        {"tests without a name are not one",
         "<testsuite name=\"s\"><testcase name=\"\"><failure/></testcase><testcase/></testsuite>",
         "2 = 1 passed 1 failed 0 errors 0 skipped 0 flaky", "2 tests have no name"},
        {"nothing ran", "<testsuite name=\"s\" tests=\"0\"/>",
         "0 = 0 passed 0 failed 0 errors 0 skipped 0 flaky", "the report holds no test"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "j.xml", rows[i].text);
        cr_expect_str_eq(test_words(&evidence), rows[i].want, "%s: %s", rows[i].name,
                         test_words(&evidence));
        cr_expect_str_eq(suspicions(&evidence), rows[i].suspicions, "%s: %s", rows[i].name,
                         suspicions(&evidence));
        cr_expect_eq(evidence.has[EVIDENCE_TESTS], evidence.tests.count > 0);
        evidence_done(&evidence);
    }
}

Test(junit, what_a_case_says_of_itself)
{
    const char *text =
        "<testsuites name=\"run 17\"><testsuite name=\"outer\" file=\"o.py\" hostname=\"h\">"
        "<testsuite name=\"inner-20261122000203\"><testcase classname=\"C\" name=\"n\" "
        "time=\"1,234.5\" line=\"12\"><failure><![CDATA[\n  first <line>\nsecond]]></failure>"
        "<failure message=\"later\"/></testcase></testsuite></testsuite></testsuites>";
    feed_good(&evidence, "j.xml", text);
    cr_assert_eq(evidence.tests.count, 1);
    const struct test_case *one = &evidence.tests.cases[0];
    expect_str(one->suite, "outer › inner");
    expect_str(one->host, "h");
    expect_str(one->class_name, "C");
    expect_str(one->name, "n");
    expect_str(one->file, "o.py");
    expect_str(one->message, "first <line>");
    cr_expect_eq(one->line, 12);
    cr_expect_eq(one->time_us, 1234500000);
    cr_expect_eq(strncmp(text + one->offset, "<testcase ", 10), 0);
}

Test(junit, a_long_message_is_cut_between_characters)
{
    char text[4096] = "<testsuite name=\"s\"><testcase name=\"a\"><failure message=\"x";
    for (int i = 0; i < 400; i++)
        strcat(text, "é");
    strcat(text, "\"/></testcase></testsuite>");
    feed_good(&evidence, "j.xml", text);
    str message = evidence.tests.cases[0].message;
    cr_expect(message.len > 290 && message.len <= 300);
    cr_expect(str_is_utf8(message));
}

Test(junit, what_is_wrong_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"<testsuite name=\"s\"><testcase name=\"a\">",
         "j.xml:1:40: the file ends inside <testcase>"},
        {"<testsuite><testcase name=\"a\"><testcase name=\"b\"/></testcase></testsuite>",
         "a <testcase> stands inside another one"},
        {"<testsuite><testcase name=\"a\"><testsuite/></testcase></testsuite>",
         "a <testsuite> stands inside a <testcase>"},
        {"<!DOCTYPE testsuite [<!ENTITY x SYSTEM "
         "\"file:///etc/passwd\">]><testsuite>&x;</testsuite>",
         "DOCTYPE"},
        {"<testsuite><testcase name=\"\x01\"/></testsuite>", "j.xml:1:"},
        {"<testsuite></testsuite><testsuite/>", "something follows the end of the root element"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char line[1024];
        cr_expect_not(feed(&evidence, "j.xml", rows[i].text, &err), "%s", rows[i].text);
        expect_contains(str_of(error_text(&err, line, sizeof line)), rows[i].want);
        cr_expect_eq(evidence.tests.count, 0);
        cr_expect_not(evidence.has[EVIDENCE_TESTS]);
    }
}
