#include "feed.h"

#include "gate/base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct evidence evidence;
static char path[64];

static void init(void)
{
    (void)snprintf(path, sizeof path, "/tmp/sluice-report-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    (void)close(file);
}

static void done(void)
{
    (void)unlink(path);
    evidence_done(&evidence);
}

TestSuite(report_read, .init = init, .fini = done);

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fputs(text, file) >= 0, true);
    cr_assert_eq(fclose(file), 0);
}

#define LCOV_A "SF:a.c\nDA:1,1\nDA:2,0\nend_of_record\n"

Test(report_read, a_file_with_its_digest_and_time)
{
    struct error err = {0};
    char want[SHA256_HEX];
    write_file(LCOV_A);
    cr_assert(report_read(&evidence, path, "shown.info", &err), "%s", err.message);
    const struct report *report = &evidence.reports[0];
    cr_expect_str_eq(report->path, "shown.info");
    cr_expect_str_eq(report->format, "lcov");
    cr_expect_str_eq(report->sha256, sha256_of(STR(LCOV_A), want));
    cr_expect_eq(report->size_bytes, strlen(LCOV_A));
    cr_expect_gt(report->modified_ms, INT64_C(1500000000000));
    cr_expect_eq(byte_range_end(covered_range(&evidence.coverage.files[0], 0)), strlen(LCOV_A) - 1);
}

Test(report_read, files_that_are_not_there_or_no_files)
{
    struct error err = {0};
    (void)unlink(path);
    cr_expect_not(report_read(&evidence, path, "gone.xml", &err));
    expect_error(&err, ERROR_ABSENT, "opening gone.xml: No such file or directory");
    cr_expect_not(report_read(&evidence, "/", "/", &err));
    expect_contains(str_of(err.message), "is not a regular file");
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_not(report_read(&evidence, path, "fifo", &err)); // and does not wait for a writer
    cr_expect_eq(evidence.report_count, 3);
    cr_expect_eq(evidence.reports[0].error.kind, ERROR_ABSENT);
}

Test(report_read, unknown_content_is_named)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "it is an empty file"},
        {" \n\t ", "it is white space only"},
        {"{\"a\": 1}", "it is JSON"},
        {"[1]", "it is JSON"},
        {"hello\nworld\n", "it is plain text"},
        {"<html><body/></html>", "it is XML with the root element <html>"},
        {"<coverage/>", "it is XML with the root element <coverage>"},
        {"<coverage generated=\"1\"><total/></coverage>", "root element <coverage>"},
        {"<!-- cut", "a piece of XML without a root element"},
        {"PK\x03\x04zip", "an archive, whose contents are named as `ARCHIVE!PATTERN`"},
        {"mode: fast\n", "it is plain text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "x", rows[i].text, &err));
        cr_expect_eq(err.kind, ERROR_INPUT);
        expect_contains(str_of(err.message), rows[i].want);
        cr_expect_null(evidence.reports[i].format);
    }
    struct error err = {0};
    struct report_feed *binary = report_feed_open(&evidence, "x", NULL, REPORT_ANY);
    report_feed_bytes(binary, STR("\x7f"
                                  "ELF\0\0\0"));
    cr_expect_not(report_feed_end(binary, NULL, &err));
    expect_contains(str_of(err.message), "it is binary data");
}

Test(report_read, the_same_bytes_count_once)
{
    feed_good(&evidence, "a.info", LCOV_A);
    feed_good(&evidence, "copy.info", LCOV_A);
    cr_expect_not(evidence.reports[0].duplicate);
    cr_expect(evidence.reports[1].duplicate);
    cr_expect_eq(evidence.coverage.files[0].range_count, 1);
    const char *suite =
        "<testsuite name=\"s\"><testcase name=\"a\"><failure/></testcase></testsuite>";
    feed_good(&evidence, "a.xml", suite);
    feed_good(&evidence, "b.xml", suite);
    cr_expect(evidence.reports[3].duplicate);
    cr_expect_eq(evidence.tests.count, 1);
}

Test(report_read, what_failed_half_way_leaves_nothing_behind)
{
    struct error err = {0};
    feed_good(&evidence, "a.info", LCOV_A);
    cr_expect_not(feed(&evidence, "b.info",
                       "SF:a.c\nDA:2,9\nend_of_record\nSF:b.c\nDA:1,1\nend_of_record\nSF:c.c\n",
                       &err));
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/2 branches 0/0 files 1");
    cr_expect_str_eq(evidence.reports[1].error.at.file, "b.info");
    cr_expect_str_eq(err.at.file, "b.info");
    cr_expect_eq(evidence.reports[1].suspicion_count, 0);
    // The very same bytes again are as broken as before, not a duplicate.
    cr_expect_not(feed(&evidence, "c.info",
                       "SF:a.c\nDA:2,9\nend_of_record\nSF:b.c\nDA:1,1\nend_of_record\nSF:c.c\n",
                       &err));
    cr_expect_not(evidence.reports[2].duplicate);
}

Test(report_read, another_kind_than_wanted_is_refused)
{
    struct error err = {0};
    struct report_feed *feed =
        report_feed_open(&evidence, "all.zip", "in/a.info", 1u << EVIDENCE_TESTS);
    report_feed_bytes(feed, STR(LCOV_A));
    cr_expect_not(report_feed_end(feed, NULL, &err));
    expect_contains(str_of(err.message),
                    "this is LCOV, which is evidence of coverage, not of tests");
    cr_expect_eq(evidence.reports[0].kind, EVIDENCE_TESTS);
    cr_expect_str_eq(evidence.reports[0].entry, "in/a.info");
    cr_expect_eq(strlen(evidence.reports[0].sha256), 64);
}

Test(report_read, a_place_in_an_archive_is_named_with_both_names)
{
    struct error err = {0};
    struct report_feed *feed = report_feed_open(&evidence, "all.zip", "in/a.info", REPORT_ANY);
    report_feed_bytes(feed, STR("SF:a\nDA:x\n"));
    cr_expect_not(report_feed_end(feed, NULL, &err));
    cr_expect_str_eq(err.at.file, "all.zip!in/a.info");
    cr_expect_str_eq(evidence.reports[0].error.at.file, "all.zip!in/a.info");
}

Test(report_read, a_source_of_bytes_that_breaks_off_is_an_error)
{
    struct error err = {0}, failed = {0};
    struct report_feed *feed = report_feed_open(&evidence, "a.zip", "b", REPORT_ANY);
    report_feed_bytes(feed, STR(LCOV_A));
    (void)error_set(&failed, ERROR_INPUT, "the archive is damaged");
    cr_expect_not(report_feed_end(feed, &failed, &err));
    expect_error(&err, ERROR_INPUT, "the archive is damaged");
    cr_expect_eq(evidence.coverage.count, 0);
}

// Equal file names below different <source> prefixes are different files.
Test(report_read, names_are_relative_to_their_sources)
{
    static const char *const format =
        "<coverage line-rate=\"1\"><sources><source>/srv/%s</source></sources><packages><package>"
        "<classes><class filename=\"index.js\"><lines><line number=\"%d\" "
        "hits=\"1\"/></lines></class>"
        "</classes></package></packages></coverage>";
    static const char *const folders[] = {"front", "back", "front"};
    for (int i = 0; i < 3; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, format, folders[i], i + 1);
        feed_good(&evidence, folders[i], text);
    }
    cr_expect_str_eq(coverage_words(&evidence), "lines 3/3 branches 0/0 files 2");
    cr_expect_eq(evidence.coverage.files[0].origin, 1);
    cr_expect_eq(evidence.coverage.files[1].origin, 2);
    cr_expect_eq(evidence.coverage.files[0].range_count, 2);
}

// Large parts are taken over with their memory, small ones are copied: the sums are the same.
Test(report_read, large_and_small_reports_unite)
{
    for (int round = 0; round < 3; round++) {
        struct error err = {0};
        struct report_feed *feed = report_feed_open(&evidence, "big.info", NULL, REPORT_ANY);
        for (int file = 0; file < (round == 1 ? 40 : 4000); file++) {
            char text[256];
            (void)snprintf(
                text, sizeof text,
                "SF:dir/file_%d.c\nDA:1,1\nDA:%d,0\nDA:900,%d\nBRDA:1,0,0,%d\nBRDA:1,0,1,%d\n"
                "end_of_record\n",
                file, 2 + round, round, round == 0, round == 2);
            report_feed_bytes(feed, str_of(text));
        }
        cr_assert(report_feed_end(feed, NULL, &err), "%s", err.message);
    }
    cr_expect_str_eq(coverage_words(&evidence), "lines 8000/16040 branches 8000/8000 files 4000");
    cr_expect_eq(evidence.coverage.files[0].range_count, 3);
    cr_expect_eq(covered_range(&evidence.coverage.files[0], 2)->report, 2);
}

Test(report_read, too_many_suspicions_end_with_a_word)
{
    struct text text = text_of(1 << 20);
    for (int i = 0; i < 200; i++)
        text_addf(&text, "SF:f%d\nDA:1,1\nLF:9\nend_of_record\n", i);
    feed_good(&evidence, "a.info", text_c(&text));
    text_done(&text);
    cr_expect_eq(evidence.reports[0].suspicion_count, REPORT_SUSPICIONS + 1);
    cr_expect_str_eq(evidence.reports[0].suspicions[REPORT_SUSPICIONS],
                     "there is more that does not fit");
}
