#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(jacoco, .fini = done);

#define DOCTYPE "<!DOCTYPE report PUBLIC \"-//JACOCO//DTD Report 1.1//EN\" \"report.dtd\">"

// One source file with these lines and counters, in the package a/b.
static const char *report_of(const char *inside)
{
    return arena_format(&evidence.arena,
                        DOCTYPE "<report name=\"r\"><package name=\"a/b\">"
                                "<sourcefile name=\"C.kt\">%s</sourcefile></package></report>",
                        inside)
        .data;
}

Test(jacoco, a_line_ran_when_any_instruction_did)
{
    static const struct {
        const char *lines, *want;
    } rows[] = {
        {"<line nr='1' mi='0' ci='1' mb='0' cb='0'/>", "lines 1/1 branches 0/0 files 1"},
        {"<line nr='1' mi='9' ci='1' mb='2' cb='0'/>", "lines 1/1 branches 0/2 files 1"},
        {"<line nr='1' mi='9' ci='0' mb='1' cb='1'/>", "lines 0/1 branches 1/2 files 1"},
        {"<line nr='1' mi='0' ci='0' mb='0' cb='0'/>", "lines 0/1 branches 0/0 files 1"},
        {"<line nr='1' cb='1' mb='0'/>", "lines 1/1 branches 1/1 files 1"}, // taken: it ran
        {"<line nr='1' ci='1'/><line nr='1' ci='0'/>", "lines 1/1 branches 0/0 files 1"},
        {"<line nr='1' ci='1' mb='1' cb='1'/><line nr='1' ci='1' mb='2' cb='0'/>",
         "lines 1/1 branches 1/2 files 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "j.xml", report_of(rows[i].lines));
        cr_expect_str_eq(coverage_words(&evidence), rows[i].want, "%s", rows[i].lines);
        cr_expect_str_eq(suspicions(&evidence), "", "%s", rows[i].lines);
        expect_str(evidence.coverage.files[0].reported, "a/b/C.kt");
        evidence_done(&evidence);
    }
}

Test(jacoco, counters_are_compared_where_they_stand)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        {"<counter type='LINE' missed='1' covered='1'/>", ""},
        {"<counter type='INSTRUCTION' missed='7' covered='7'/>", ""},
        {"<counter type='BRANCH' missed='0' covered='0'/>", ""},
        {"<counter type='LINE' missed='0' covered='2'/>",
         "`LINE` of a/b/C.kt says 2 of 2, but it holds 1 of 2"},
        {"<counter type='BRANCH' missed='18446744073709551615' covered='9'/>",
         "`BRANCH` of a/b/C.kt says 9 of 18446744073709551615, but it holds 0 of 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char lines[256];
        (void)snprintf(lines, sizeof lines, "<line nr='1' ci='1'/><line nr='2' ci='0'/>%s",
                       rows[i].inside);
        feed_good(&evidence, "j.xml", report_of(lines));
        cr_expect_str_eq(suspicions(&evidence), rows[i].want);
        evidence_done(&evidence);
    }
}

Test(jacoco, counters_of_classes_and_methods_are_not_those_of_the_package)
{
    feed_good(&evidence, "j.xml",
              DOCTYPE "<report name='r'><package name='a'><class name='a/A'><method name='f'>"
                      "<counter type='LINE' missed='9' covered='9'/></method>"
                      "<counter type='LINE' missed='8' covered='8'/></class>"
                      "<sourcefile name='A.java'><line nr='1' ci='1'/></sourcefile>"
                      "<counter type='LINE' missed='0' covered='1'/></package></report>");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(jacoco, lines_outside_of_files_are_said)
{
    feed_good(&evidence, "j.xml",
              DOCTYPE "<report name='r'><line nr='1' ci='1'/><sourcefile name='A.java'>"
                      "<line nr='1' ci='1'/></sourcefile></report>");
    cr_expect_str_eq(suspicions(&evidence), "lines stand outside of any <sourcefile>: not counted");
    expect_str(evidence.coverage.files[0].reported, "A.java");
}

Test(jacoco, bytes_are_those_of_the_source_file)
{
    const char *text = report_of("<line nr='1' ci='1'/>");
    feed_good(&evidence, "j.xml", text);
    struct byte_range range = *covered_range(&evidence.coverage.files[0], 0);
    str part = str_make(text + range.from, range.size);
    cr_expect(str_starts(part, STR("<sourcefile ")) && str_ends(part, STR("</sourcefile>")),
              STR_FMT, STR_ARG(part));
}

Test(jacoco, what_is_wrong_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"<package><sourcefile name='A'/></package>", "a <package> has no `name`"},
        {"<package name='a'><package name='b'/></package>",
         "a <package> stands inside another one"},
        {"<package name='a'><sourcefile/></package>", "a <sourcefile> has no `name`"},
        {"<package name='a'><sourcefile name='A'><sourcefile name='B'/></sourcefile></package>",
         "a <sourcefile> stands inside another one"},
        {"<package name='a'><sourcefile name='A'><line ci='1'/></sourcefile></package>",
         "a <line> has no usable `nr`"},
        {"<package name='a'><sourcefile name='A'><line nr='1' mi='x'/></sourcefile></package>",
         "a <line> has no usable `mi`: x"},
        {"<package name='a'><sourcefile name='A'><line nr='1' cb='1.5'/></sourcefile></package>",
         "a <line> has no usable `cb`: 1.5"},
        {"<package name='a'><counter type='LINE' missed='1'/></package>",
         "a <counter> has no usable `covered`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        str text =
            arena_format(&evidence.arena, DOCTYPE "<report name='r'>%s</report>", rows[i].text);
        cr_expect_not(feed(&evidence, "j.xml", text.data, &err), "%s", rows[i].text);
        expect_contains(str_of(err.message), rows[i].want);
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect_eq(evidence.coverage.count, 0);
    }
}

Test(jacoco, a_report_of_another_kind_is_not_taken_for_one)
{
    static const char *const texts[] = {
        "<report/>",
        "<report name='r'/>",
        "<report><stats/><data><all name='all classes'/></data></report>",
        "<html><!-- //JACOCO//DTD --></html>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "x.xml", texts[i], &err), "%s", texts[i]);
        expect_contains(str_of(err.message), "no report that is known here");
    }
}
