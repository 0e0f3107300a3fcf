#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(opencover, .fini = done);

#define FILES "<Files><File uid='1' fullPath='C:\\a.cs'/><File uid='2' fullPath='/b.cs'/></Files>"

// One method of the file 1 with that in it.
static const char *report_of(const char *inside)
{
    return arena_format(&evidence.arena,
                        "<CoverageSession><Modules><Module>" FILES
                        "<Classes><Class><Methods><Method><Name>m</Name><FileRef uid='1'/>%s"
                        "</Method></Methods></Class></Classes></Module></Modules>"
                        "</CoverageSession>",
                        inside)
        .data;
}

Test(opencover, points)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        // the first line of a point
        {"<SequencePoint vc='1' sl='5' el='9' fileid='1'/>", "lines 1/1 branches 0/0 files 1"},
        {"<SequencePoint vc='0' sl='5'/>", "lines 0/1 branches 0/0 files 1"}, // FileRef's file
        {"<SequencePoint vc='0' sl='5' fileid='0'/>", "lines 0/1 branches 0/0 files 1"},
        {"<SequencePoint vc='0' sl='5'/><SequencePoint vc='1' sl='5'/>",
         "lines 1/1 branches 0/0 files 1"},
        {"<SequencePoint vc='0' sl='5'/><SequencePoint vc='1' sl='5' fileid='2'/>"
         "<SequencePoint vc='1' sl='6'/>",
         "lines 2/3 branches 0/0 files 2"},
        {"<SequencePoint vc='1' sl='16707566'/><SequencePoint vc='1' sl='1'/>",
         "lines 1/1 branches 0/0 files 1"}, // hidden
        {"<MethodPoint vc='1' sl='1'/><SequencePoint vc='1' sl='2'/>",
         "lines 1/1 branches 0/0 files 1"},
        // branches by line
        {"<SequencePoint vc='1' sl='5'/><BranchPoint vc='1' sl='5' path='0' ordinal='0'/>"
         "<BranchPoint vc='0' sl='5' path='1' ordinal='1'/>",
         "lines 1/1 branches 1/2 files 1"},
        {"<SequencePoint vc='1' sl='5'/><BranchPoint vc='1' sl='5'/><BranchPoint vc='0' sl='5'/>",
         "lines 1/1 branches 1/2 files 1"}, // without names they are told apart by their order
        // by offset, where the line is not said
        {"<SequencePoint vc='1' sl='5' offset='0'/><SequencePoint vc='1' sl='6' offset='9'/>"
         "<BranchPoint vc='1' offset='4' path='0'/><BranchPoint vc='0' offset='9' path='1'/>",
         "lines 2/2 branches 1/2 files 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "o.xml", report_of(rows[i].inside));
        cr_expect_str_eq(coverage_words(&evidence), rows[i].want, "%s: %s", rows[i].inside,
                         coverage_words(&evidence));
        cr_expect_str_eq(suspicions(&evidence), "", "%s", rows[i].inside);
        expect_str(evidence.coverage.files[0].reported, "C:\\a.cs");
        evidence_done(&evidence);
    }
}

Test(opencover, shards_of_one_program_unite_by_branch)
{
    static const char *const points[] = {
        "<SequencePoint vc='1' sl='5'/><BranchPoint vc='1' sl='5' path='0' ordinal='0' offset='3'/>"
        "<BranchPoint vc='0' sl='5' path='1' ordinal='1' offset='3'/>",
        "<SequencePoint vc='1' sl='5'/><BranchPoint vc='0' sl='5' path='0' ordinal='0' offset='7'/>"
        "<BranchPoint vc='1' sl='5' path='1' ordinal='1' offset='7'/>",
    };
    feed_good(&evidence, "a.xml", report_of(points[0]));
    feed_good(&evidence, "b.xml", report_of(points[1]));
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/1 branches 2/2 files 1");
}

Test(opencover, summaries_are_compared)
{
    static const struct {
        const char *summary, *want;
    } rows[] = {
        {"numSequencePoints='2' visitedSequencePoints='1' numBranchPoints='2' "
         "visitedBranchPoints='1'",
         ""},
        {"numSequencePoints='2' visitedSequencePoints='1' numBranchPoints='3' "
         "visitedBranchPoints='2'",
         ""}, // a method's entry is a branch
        {"numSequencePoints='2' visitedSequencePoints='2'",
         "`numSequencePoints` of the <Method> at line 1 says 2, 2 of them visited, but it holds 2, "
         "1 of them visited"},
        {"numBranchPoints='4' visitedBranchPoints='1'",
         "`numBranchPoints` of the <Method> at line 1 says 4, 1 of them visited, but it holds 2, 1 "
         "of them visited"},
        {"numSequencePoints='NaN' visitedSequencePoints='2'", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char inside[512];
        (void)snprintf(inside, sizeof inside,
                       "<Summary %s/><SequencePoint vc='1' sl='5'/><SequencePoint vc='0' sl='6'/>"
                       "<BranchPoint vc='1' sl='5'/><BranchPoint vc='0' sl='5'/>",
                       rows[i].summary);
        feed_good(&evidence, "o.xml", report_of(inside));
        cr_expect_str_eq(suspicions(&evidence), rows[i].want, "%s", suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(opencover, what_was_skipped_is_passed_over)
{
    feed_good(
        &evidence, "o.xml",
        "<CoverageSession><Summary numSequencePoints='1' visitedSequencePoints='1' "
        "numBranchPoints='0' visitedBranchPoints='0'/><Modules>"
        "<Module skippedDueTo='Filter'><Classes><Class><Methods><Method><SequencePoint vc='x'/>"
        "</Method></Methods></Class></Classes></Module><Module>" FILES "<Classes>"
        "<Class skippedDueTo='Attribute'><Summary numSequencePoints='9' visitedSequencePoints='9'/>"
        "<Methods><Method><SequencePoint vc='1' sl='9' fileid='1'/></Method></Methods></Class>"
        "<Class><Methods><Method skippedDueTo='Attribute'><SequencePoint vc='1' sl='8' "
        "fileid='1'/></Method><Method><SequencePoint vc='1' sl='7' fileid='1'/></Method></Methods>"
        "</Class></Classes></Module></Modules></CoverageSession>");
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/1 branches 0/0 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
    cr_expect(line_known(&evidence.coverage.files[0], 7));
}

Test(opencover, a_file_is_one_of_its_module)
{
    feed_good(&evidence, "o.xml",
              "<CoverageSession><Modules><Module><Files><File uid='2' fullPath='b'/><File uid='1' "
              "fullPath='a'/></Files><Classes><Class><Methods><Method><SequencePoint vc='1' sl='1' "
              "fileid='1'/></Method></Methods></Class></Classes></Module><Module><Files><File "
              "uid='1' fullPath='c'/></Files><Classes><Class><Methods><Method><SequencePoint "
              "vc='1' sl='1' fileid='1'/><SequencePoint vc='1' sl='1' fileid='2'/></Method>"
              "</Methods></Class></Classes></Module></Modules></CoverageSession>");
    cr_assert_eq(evidence.coverage.count, 2);
    expect_str(evidence.coverage.files[0].reported, "a");
    expect_str(evidence.coverage.files[1].reported, "c");
    cr_expect_str_eq(suspicions(&evidence), "1 points belong to no <File>: not counted");
}

Test(opencover, what_is_wrong_is_refused)
{
    static const struct {
        const char *inside, *want;
    } rows[] = {
        {"<SequencePoint sl='1'/>", "a <SequencePoint> has no usable `vc`"},
        {"<SequencePoint vc='1'/>", "a <SequencePoint> has no usable `sl`"},
        {"<SequencePoint vc='1' sl='0'/>", "line number 0 is out of range"},
        {"<SequencePoint vc='1' sl='1' fileid='x'/>", "has no usable `fileid`: x"},
        {"<SequencePoint vc='1' sl='1' offset='-2'/>", "has no usable `offset`: -2"},
        {"<BranchPoint vc='' sl='1'/>", "a <BranchPoint> has no usable `vc`"},
        {"<BranchPoint vc='1' sl='99999999'/>", "line number 99999999 is out of range"},
        {"<File fullPath='x'/>", "a <File> has no usable `uid`"},
        {"<File uid='1'/>", "a <File> has no `fullPath`"},
        {"<FileRef/>", "a <FileRef> has no usable `uid`"},
        {"<Module/>", "a <Module> stands where none can be"},
        {"<Method/>", "a <Method> stands where none can be"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "o.xml", report_of(rows[i].inside), &err), "%s",
                      rows[i].inside);
        expect_contains(str_of(err.message), rows[i].want);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
}
