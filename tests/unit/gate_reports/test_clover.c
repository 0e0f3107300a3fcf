#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(clover, .fini = done);

#define HEAD "<coverage generated='1' clover='4.4.1'><project timestamp='1'>"
#define TAIL "</project></coverage>"

static const char *report_of(const char *inside)
{
    return arena_format(&evidence.arena, HEAD "<file path='a.c' name='a.c'>%s</file>" TAIL, inside)
        .data;
}

Test(clover, conditions_in_both_dialects)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        // Clover's: how often it was true and false
        {"<line num='1' type='cond' truecount='7' falsecount='0'/>", "lines 1/1 branches 1/2"},
        {"<line num='1' type='cond' truecount='1' falsecount='1'/>", "lines 1/1 branches 2/2"},
        {"<line num='1' type='cond' truecount='0' falsecount='0'/>", "lines 0/1 branches 0/2"},
        {"<line num='1' type='cond' truecount='99999999999999999999' falsecount='1'/>",
         "lines 1/1 branches 2/2"},
        // Istanbul's: how many branches were covered and missed
        {"<metrics conditionals='2' coveredconditionals='1'/>"
         "<line num='1' type='cond' count='5' truecount='1' falsecount='1'/>",
         "lines 1/1 branches 1/2"},
        {"<line num='1' type='cond' count='5' truecount='3' falsecount='0'/>"
         "<metrics conditionals='3' coveredconditionals='3'/>",
         "lines 1/1 branches 3/3"},
        {"<line num='1' type='cond' count='0' truecount='0' falsecount='2'/>"
         "<metrics conditionals='2' coveredconditionals='0'/>",
         "lines 0/1 branches 0/2"},
        {"<line num='1' type='cond' count='9' truecount='3' falsecount='0'/>"
         "<metrics conditionals='4' coveredconditionals='3' methods='1' coveredmethods='1'/>",
         "lines 1/1 branches 3/3"}, // one that is not listed
        {"<line num='1' type='cond' count='5' truecount='70000' falsecount='0'/>",
         "lines 1/1 branches 1/2"}, // no line has so many
        // what the metrics say decides; where they say nothing it is Clover's
        {"<line num='1' type='cond' count='5' truecount='1' falsecount='1'/>"
         "<metrics conditionals='2' coveredconditionals='2'/>",
         "lines 1/1 branches 2/2"},
        {"<line num='1' type='cond' count='5' truecount='1' falsecount='1'/>",
         "lines 1/1 branches 2/2"},
        {"<metrics conditionals='3' coveredconditionals='2'/>"
         "<line num='1' type='cond' truecount='2' falsecount='1'/>",
         "lines 1/1 branches 2/3"},
        // several on one line add up
        {"<line num='2' type='cond' truecount='1' falsecount='0'/>"
         "<line num='1' type='cond' truecount='0' falsecount='0'/>"
         "<line num='2' type='cond' truecount='1' falsecount='1'/>",
         "lines 1/2 branches 3/6"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "c.xml", report_of(rows[i].inside));
        str words = str_of(coverage_words(&evidence));
        cr_expect(str_starts(words, str_of(rows[i].want)), "%s: " STR_FMT, rows[i].inside,
                  STR_ARG(words));
        cr_expect_str_eq(suspicions(&evidence), "", "%s", rows[i].inside);
        evidence_done(&evidence);
    }
}

Test(clover, every_line_of_a_file_counts)
{
    feed_good(&evidence, "c.xml",
              report_of("<class name='A'><line num='1' type='stmt' count='1'/></class>"
                        "<line num='2' type='method' count='0'/><line num='3' count='1'/>"
                        "<line num='4' type='other' count='1'/>"
                        "<line num='1' type='stmt' count='0'/>"));
    cr_expect_str_eq(coverage_words(&evidence), "lines 3/4 branches 0/0 files 1");
}

Test(clover, metrics_are_compared)
{
#define LINES                                                                                      \
    "<line num='1' type='method' count='2'/><line num='2' type='stmt' count='1'/>"                 \
    "<line num='3' type='stmt' count='0'/>"
    static const struct {
        const char *metrics, *want;
    } rows[] = {
        {"statements='2' coveredstatements='1' methods='1' coveredmethods='1'", ""},
        {"statements='3' coveredstatements='2' methods='1' coveredmethods='0'", ""}, // PHPUnit
        {"statements='' coveredstatements='NaN'", ""},
        {"statements='9'", ""}, // half a saying
        {"statements='4' coveredstatements='1'",
         "`statements` of a.c says 1 of 4, but it holds 1 of 2"},
        {"statements='2' coveredstatements='2'", ""}, // the method hides a statement that ran
        {"statements='2' coveredstatements='0'",
         "`statements` of a.c says 0 of 2, but it holds 1 of 2"},
        {"methods='0' coveredmethods='0'", "`methods` of a.c says 0 of 0, but it holds 1 of 1"},
        {"methods='3' coveredmethods='2'", "`methods` of a.c says 2 of 3, but it holds 1 of 1"},
        {"conditionals='2' coveredconditionals='1'",
         "`conditionals` of a.c says 1 of 2, but it holds 0 of 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char inside[512];
        (void)snprintf(inside, sizeof inside, LINES "<metrics %s/>", rows[i].metrics);
        feed_good(&evidence, "c.xml", report_of(inside));
        cr_expect_str_eq(suspicions(&evidence), rows[i].want, "%s: %s", rows[i].metrics,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(clover, istanbul_counts_statements_and_lists_lines)
{
    static const struct {
        const char *project, *file, *want;
    } rows[] = {
        {"loc='2'", "statements='3' coveredstatements='2' methods='1' coveredmethods='1'", ""},
        {"loc='3'", "statements='3' coveredstatements='2' methods='1' coveredmethods='1'",
         "`loc` of the project says 3, but it holds 2"},
        {"loc='2'", "statements='1' coveredstatements='1' methods='1' coveredmethods='1'",
         "`statements` of a.js says 1 of 1, but it holds 1 of 2"},
        {"loc='2'", "statements='2' coveredstatements='0' methods='1' coveredmethods='0'",
         "`statements` of a.js says 0 of 2, but it holds 1 of 2"},
        // a branch on a line without a statement is not listed
        {"loc='2'", "conditionals='4' coveredconditionals='1' statements='2' coveredstatements='1'",
         ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text,
                       "<coverage generated='1' clover='3.2.0'><project name='All files'>"
                       "<metrics %s><file name='a.js' path='/x/a.js'><metrics %s/>"
                       "<line num='1' count='1' type='stmt'/><line num='2' count='0' type='stmt'/>"
                       "</file></metrics></project></coverage>",
                       rows[i].project, rows[i].file);
        feed_good(&evidence, "c.xml", text);
        str have = str_of(suspicions(&evidence));
        str want = str_of(rows[i].want);
        if (str_search(want, STR("a.js")) != STR_NONE)
            expect_contains(have, "`statements` of /x/a.js says");
        else
            expect_str(have, rows[i].want);
        evidence_done(&evidence);
    }
}

Test(clover, names_without_a_path_lie_in_their_package)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        {"<package name='org.x'><file name='A.java'/></package>", "org/x/A.java"},
        {"<package name='Org\\X'><file name='A.php'/></package>", "Org/X/A.php"},
        {"<package name='a'><package name='b'><file name='A'/></package></package>", "a/b/A"},
        {"<package name='a'><package name='a.b'><file name='A'/></package></package>", "a/b/A"},
        {"<package name='a'><package name='ab'><file name='A'/></package></package>", "a/ab/A"},
        {"<package name='a'><package name='b'/><file name='A'/></package>", "a/A"},
        {"<package name='a'/><file name='A'/>", "A"},
        {"<package name=''><file name='A'/></package>", "A"},
        {"<package name='a'><file name='/x/A'/></package>", "/x/A"},
        {"<package name='a'><file name='C:\\A'/></package>", "C:\\A"},
        {"<package name='a'><file name='A' path='x/A'/></package>", "x/A"},
        {"<package name='a'><file name='A' path=''/></package>", "a/A"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str text = arena_format(&evidence.arena, HEAD "%s" TAIL, rows[i].inside);
        feed_good(&evidence, "c.xml", text.data);
        expect_str(evidence.coverage.files[0].reported, rows[i].want);
        evidence_done(&evidence);
    }
}

Test(clover, the_tests_own_sources_are_passed_over)
{
    feed_good(&evidence, "c.xml",
              "<coverage generated='1' clover='4'><project><file name='a'><line num='1' count='0'/>"
              "</file></project><testproject><package name='x'><metrics statements='9' "
              "coveredstatements='9'/><file name='t'><line num='1' count='1'/></file></package>"
              "</testproject></coverage>");
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/1 branches 0/0 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(clover, what_is_wrong_is_refused)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        {"<line num='x' count='1'/>", "a <line> has no usable `num`: x"},
        {"<line count='1'/>", "a <line> has no usable `num`"},
        {"<line num='1' count='-1'/>", "a <line> has no usable `count`: -1"},
        {"<line num='0' count='1'/>", "line number 0 is out of range"},
        {"<line num='1' type='cond' truecount='' falsecount='0'/>",
         "a <line> has no usable `truecount`"},
        {"<file name='b'/>", "a <file> stands inside another one"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "c.xml", report_of(rows[i].inside), &err), "%s",
                      rows[i].inside);
        expect_contains(str_of(err.message), rows[i].want);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
}

Test(clover, cobertura_is_not_taken_for_it)
{
    feed_good(&evidence, "c.xml",
              "<coverage line-rate='1' generated='1'><packages><package><classes>"
              "<class filename='a'><lines><line number='1' hits='1'/></lines></class></classes>"
              "</package></packages></coverage>");
    cr_expect_str_eq(evidence.reports[0].format, "cobertura");
}
