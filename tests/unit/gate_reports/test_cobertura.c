#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(cobertura, .fini = done);

#define HEAD "<?xml version=\"1.0\"?>\n<coverage line-rate=\"0.5\">"
#define CLASS(file, inner) "<class filename=\"" file "\">" inner "</class>"
#define REPORT(classes)                                                                            \
    HEAD "<packages><package><classes>" classes "</classes></package></packages></coverage>"
#define LINE(n, h) "<line number=\"" #n "\" hits=\"" #h "\"/>"

Test(cobertura, classes_of_one_file_unite)
{
    feed_good(&evidence, "c.xml",
              REPORT(CLASS("a.py", "<lines>" LINE(1, 0) LINE(2, 0) "</lines>")
                         CLASS("a.py", "<lines>" LINE(2, 5) "</lines>")
                             CLASS("b.py", "<lines>" LINE(7, 1) LINE(8, 0) "</lines>")));
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/4 branches 0/0 files 2");
    cr_expect_str_eq(suspicions(&evidence), "");
    cr_expect(evidence.has[EVIDENCE_COVERAGE]);
    cr_expect_str_eq(evidence.reports[0].format, "cobertura");
}

Test(cobertura, lines_of_methods_count_only_where_a_class_has_none)
{
    feed_good(
        &evidence, "c.xml",
        REPORT(CLASS("a.py", "<methods><method><lines>" LINE(1, 1) LINE(
                                 9, 1) "</lines></method></methods><lines>" LINE(1, 0) "</lines>")
                   CLASS("b.py", "<methods><method><lines>" LINE(
                                     3, 1) "</lines></method></methods><lines/>")));
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/2 branches 0/0 files 2");
}

Test(cobertura, branches_are_the_numbers_in_parentheses)
{
    feed_good(
        &evidence, "c.xml",
        REPORT(CLASS(
            "a.py",
            "<lines>"
            "<line number=\"1\" hits=\"1\" branch=\"true\" condition-coverage=\"50% (1/2)\"/>"
            "<line number=\"2\" hits=\"1\" branch=\"True\" condition-coverage=\"25.5% (1/4)\"/>"
            "<line number=\"3\" hits=\"0\" branch=\"false\" condition-coverage=\"0% (0/9)\"/>"
            "<line number=\"4\" hits=\"0\" branch=\"true\" condition-coverage=\"0%\"/>"
            "<line number=\"5\" hits=\"0\" branch=\"true\"/>"
            "</lines>") CLASS("a.py", "<lines><line number=\"1\" hits=\"1\" branch=\"true\" "
                                      "condition-coverage=\"100% (2/2)\"/></lines>")));
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/5 branches 3/6 files 1");
}

Test(cobertura, sources_are_kept_and_a_range_is_known)
{
    const char *text =
        HEAD "<sources><source> /srv/app </source><source/><source>/x&amp;y</source>"
             "</sources><packages><package><classes>" CLASS(
                 "a.py", "<lines>" LINE(1, 1)
                             LINE(2, 0) "</lines>") "</classes></package></packages></coverage>";
    feed_good(&evidence, "c.xml", text);
    const struct report *report = &evidence.reports[0];
    cr_assert_eq(report->source_count, 2);
    cr_expect_str_eq(report->sources[0], "/srv/app");
    cr_expect_str_eq(report->sources[1], "/x&y");
    const struct covered_file *file = &evidence.coverage.files[0];
    cr_assert_eq(file->range_count, 1);
    cr_expect_eq(strncmp(text + covered_range(file, 0)->from, "<class ", 7), 0);
    cr_expect_eq(strncmp(text + byte_range_end(covered_range(file, 0)) - 8, "</class>", 8), 0);
    cr_expect_eq(file->origin, 1);
}

Test(cobertura, attributes_are_compared_with_the_lines)
{
    static const struct {
        const char *attributes, *want;
    } rows[] = {
        {"lines-valid=\"3\" lines-covered=\"2\" line-rate=\"0.9\"", ""},
        {"lines-valid=\"4\" lines-covered=\"2\"", ""}, // every line as listed, not united
        {"lines-valid=\"5\" lines-covered=\"2\"", "`lines-valid` says 5, but the file holds 3"},
        {"lines-covered=\"1\" lines-valid=\"3\"", "`lines-covered` says 1, but the file holds 2"},
        {"branches-valid=\"2\" line-rate=\"0.67\"",
         "`branches-valid` says 2, but the file holds 0"},
        {"line-rate=\"0.67\"", ""},
        {"line-rate=\"0.6667\"", ""},
        {"line-rate=\"0.6\"", ""},
        {"line-rate=\"1\"", "`line-rate` says 1, but the file holds 2 of 3"},
        {"line-rate=\"0.65\"", "`line-rate` says 0.65, but the file holds 2 of 3"},
        {"line-rate=\"NaN\" lines-valid=\"NaN\"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text,
                       "<coverage %s><packages><package><classes>%s%s</classes></package>"
                       "</packages></coverage>",
                       rows[i].attributes,
                       CLASS("a", "<lines>" LINE(1, 1) LINE(2, 0) LINE(3, 1) "</lines>"),
                       CLASS("a", "<lines>" LINE(2, 0) "</lines>"));
        feed_good(&evidence, "c.xml", text);
        cr_expect_str_eq(suspicions(&evidence), rows[i].want, "%s: %s", rows[i].attributes,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(cobertura, nothing_measured_is_suspect)
{
    feed_good(&evidence, "c.xml", REPORT(""));
    cr_expect_str_eq(suspicions(&evidence), "the report holds no line");
    cr_expect(evidence.reports[0].empty);
    cr_expect_not(evidence.has[EVIDENCE_COVERAGE]);
    feed_good(&evidence, "d.xml", HEAD "<packages>" LINE(1, 1) "</packages></coverage>");
    expect_contains(str_of(suspicions(&evidence)), "outside of any <class>");
}

Test(cobertura, hits_past_64_bits_saturate)
{
    feed_good(&evidence, "c.xml",
              REPORT(CLASS("a", "<lines>" LINE(1, 99999999999999999999999999)
                                    LINE(2, 18446744073709551616) "</lines>")));
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/2 branches 0/0 files 1");
}

Test(cobertura, what_is_wrong_is_refused_with_its_place)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {REPORT("<class><lines/></class>"), "c.xml:2:55: a <class> has no `filename`"},
        {REPORT(CLASS("a", LINE(0, 1))), "line number 0 is out of range (1 to 16777216)"},
        {REPORT(CLASS("a", LINE(16777217, 1))), "line number 16777217 is out of range"},
        {REPORT(CLASS("a", LINE(99999999999999999999, 1))), "is out of range"},
        {REPORT(CLASS("a", LINE(-1, 1))), "no usable `number`: -1"},
        {REPORT(CLASS("a", LINE(1, -1))), "line 1 has no usable `hits`: -1"},
        {REPORT(CLASS("a", LINE(1, 1.5))), "line 1 has no usable `hits`: 1.5"},
        {REPORT(CLASS("a", "<line number=\"1\"/>")), "line 1 has no usable `hits`"},
        {REPORT(CLASS("a", "<line hits=\"1\"/>")), "a <line> has no usable `number`"},
        {REPORT(CLASS("a", "<line number=\"1\" hits=\"1\" branch=\"true\" "
                           "condition-coverage=\"150% (3/2)\"/>")),
         "`condition-coverage=\"150% (3/2)\"` is not \"50% (1/2)\""},
        {REPORT(CLASS("a", "<line number=\"1\" hits=\"1\" branch=\"true\" "
                           "condition-coverage=\"(1/\"/>")),
         "is not \"50% (1/2)\""},
        {REPORT(CLASS("a", CLASS("b", ""))), "a <class> stands inside another one"},
        {HEAD "<packages>", "the file ends inside <packages>"},
        {"<!DOCTYPE coverage [<!ENTITY a \"b\">]><coverage line-rate=\"1\"/>", "DOCTYPE"},
        {HEAD "<packages>&unknown;</packages></coverage>", "c.xml:2:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char line[1024];
        cr_expect_not(feed(&evidence, "c.xml", rows[i].text, &err), "%s", rows[i].text);
        cr_expect_eq(err.kind, ERROR_INPUT);
        expect_contains(str_of(error_text(&err, line, sizeof line)), rows[i].want);
        cr_expect_eq(evidence.reports[i].error.kind, ERROR_INPUT);
        cr_expect_eq(evidence.coverage.count, 0);
        cr_expect_not(evidence.has[EVIDENCE_COVERAGE]);
    }
}

Test(cobertura, an_external_doctype_is_passed_over)
{
    feed_good(
        &evidence, "c.xml",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE coverage SYSTEM "
        "\"http://cobertura.example.org/xml/coverage-04.dtd\">\n"
        "<!-- made by a test --><coverage line-rate=\"1\"><packages><package><classes>" CLASS(
            "a", "<lines>" LINE(1, 1) "</lines>") "</classes></package></packages></coverage>");
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/1 branches 0/0 files 1");
}
