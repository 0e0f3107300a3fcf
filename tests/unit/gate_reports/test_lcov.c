#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(lcov, .fini = done);

Test(lcov, records_of_one_file_unite)
{
    feed_good(
        &evidence, "l.info",
        "TN:one\nSF:a.c\nFN:1,f\nFNDA:1,f\nFNF:1\nFNH:1\nDA:1,1\nDA:2,0\nLF:2\nLH:1\n"
        "end_of_record\nTN:two\nSF:a.c\nDA:2,3,checksum\nDA:3,0\nLF:2\nLH:1\nend_of_record\n");
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/3 branches 0/0 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(lcov, branches_unite_by_block_and_branch)
{
    feed_good(
        &evidence, "l.info",
        "SF:a.c\nDA:5,1\nBRDA:5,0,0,1\nBRDA:5,0,1,0\nBRDA:5,0,jump to 7, or 9,-\nBRF:3\nBRH:1\n"
        "end_of_record\n"
        "SF:a.c\nBRDA:5,0,0,-\nBRDA:5,0,1,2\nBRDA:5,e0,1,0\nend_of_record\n");
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/1 branches 2/4 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(lcov, forms_that_tools_write)
{
    feed_good(
        &evidence, "l.info",
        "\xef\xbb\xbf# made by a tool\r\n\r\nTN:\r\nSF:C:\\temp\\a.c\r\nVER:2\r\nFNL:0,14,16\r\n"
        "FNA:0,2,name\r\nMCDC:1,2,t,1,0,x\r\nMCF:1\r\nMCH:0\r\nDA:1,2874063630\r\n"
        "DA:2,99999999999999999999999\r\nend_of_record \r\n\r\n");
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/2 branches 0/0 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
    expect_str(evidence.coverage.files[0].reported, "C:\\temp\\a.c");
}

Test(lcov, summaries_are_compared)
{
    static const struct {
        const char *lines, *want;
    } rows[] = {
        {"LF:2\nLH:1\nBRF:1\nBRH:1", ""},
        {"LF:3\nLH:1", ""}, // as listed
        {"LF:4", "line 7: LF of a.c says 4, but the record holds 2"},
        {"LH:2\nLF:2", "line 8: LH of a.c says 2, but the record holds 1"},
        {"BRF:9", "line 7: BRF of a.c says 9, but the record holds 1"},
        {"BRH:0", "line 7: BRH of a.c says 0, but the record holds 1"},
        {"XYZ:1", "line 6 is unknown: `XYZ:1`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "SF:a.c\nDA:1,1\nDA:2,0\nDA:2,0\nBRDA:1,0,0,1\n%s\nend_of_record\n",
                       rows[i].lines);
        feed_good(&evidence, "l.info", text);
        cr_expect_str_eq(suspicions(&evidence), rows[i].want, "%s: %s", rows[i].lines,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(lcov, nothing_measured_is_suspect)
{
    static const char *const texts[] = {"TN:\n", "SF:a.c\nend_of_record\n"};
    for (size_t i = 0; i < 2; i++) {
        feed_good(&evidence, "l.info", texts[i]);
        cr_expect_str_eq(suspicions(&evidence), "the report holds no line");
        cr_expect_not(evidence.has[EVIDENCE_COVERAGE]);
    }
}

Test(lcov, what_follows_the_records_is_suspect)
{
    feed_good(&evidence, "l.info", "SF:a.c\nDA:1,1\nend_of_record\nEOF\n");
    cr_expect_str_eq(suspicions(&evidence), "line 4 is unknown: `EOF`");
    feed_good(&evidence, "m.info", "TN:a\nSF:a.c\nDA:1,1\nend_of_record\nTN:b\n");
    cr_expect_str_eq(suspicions(&evidence),
                     "the file ends with a test name (TN) whose record is missing");
}

Test(lcov, what_is_wrong_is_refused_with_its_place)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"SF:a.c\nDA:1,1\n", "l.info:2: the file ends inside the record of a.c: end_of_record is "
                             "missing"},
        {"SF:a.c\nDA:1,1\nend_of_rec", "l.info:3:1: this line is not LCOV: `end_of_rec`"},
        {"SF:a.c\nDA:1\nend_of_record\n", "l.info:2:1: this is not `DA:LINE,HITS`: `DA:1`"},
        {"SF:a.c\nDA:1,\nend_of_record\n", "l.info:2:1: this is not `DA:LINE,HITS`: `DA:1,`"},
        {"SF:a.c\nDA:1,-1\nend_of_record\n", "l.info:2:1: this is not `DA:LINE,HITS`: `DA:1,-1`"},
        {"SF:a.c\nDA:1,1x\nend_of_record\n", "l.info:2:1: this is not `DA:LINE,HITS`: `DA:1,1x`"},
        {"SF:a.c\nDA:0,1\nend_of_record\n",
         "l.info:2:1: the line number is out of range: `DA:0,1`"},
        {"SF:a.c\nDA:16777217,1\nend_of_record\n",
         "l.info:2:1: the line number is out of range: `DA:16777217,1`"},
        {"SF:a.c\nBRDA:1,0,1\nend_of_record\n",
         "l.info:2:1: this is not `BRDA:LINE,BLOCK,BRANCH,TAKEN`: `BRDA:1,0,1`"},
        {"SF:a.c\nBRDA:1,0,0,x\nend_of_record\n",
         "l.info:2:1: this is not `BRDA:LINE,BLOCK,BRANCH,TAKEN`: `BRDA:1,0,0,x`"},
        {"SF:a.c\nBRDA:0,0,0,1\nend_of_record\n",
         "l.info:2:1: the line number is out of range: `BRDA:0,0,0,1`"},
        {"SF:a.c\nLF:many\nend_of_record\n", "l.info:2:1: a number is expected here: `LF:many`"},
        {"SF:a.c\nSF:b.c\nend_of_record\n", "l.info:2:1: a record begins before the end_of_record "
                                            "of the one before: `SF:b.c`"},
        {"TN:\nSF:a\nend_of_record\nDA:1,1\n", "l.info:4:1: this line stands outside of a record "
                                               "(SF: is missing): `DA:1,1`"},
        {"TN:\nSF:a\nend_of_record\nend_of_record\n",
         "l.info:4:1: a record ends that did not begin: `end_of_record`"},
        {"SF:a.c\nrubbish\nend_of_record\n", "l.info:2:1: this line is not LCOV: `rubbish`"},
        {"SF:a.c\n\xff\xfe: x\nend_of_record\n", "l.info:2:1: this line is not LCOV"},
        {"SF:\nend_of_record\n", "l.info:1:1: SF: names no file: `SF:`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "l.info", rows[i].text, &err), "%s", rows[i].text);
        expect_error(&err, ERROR_INPUT, rows[i].want);
        cr_expect_eq(evidence.coverage.count, 0);
    }
}

Test(lcov, a_nul_byte_is_refused)
{
    struct error err = {0};
    struct report_feed *feed = report_feed_open(&evidence, "l.info", NULL, REPORT_ANY);
    report_feed_bytes(feed, STR("SF:a.c\nDA:1,1\0\nend_of_record\n"));
    cr_expect_not(report_feed_end(feed, NULL, &err));
    expect_contains(str_of(err.message), "NUL");
}

Test(lcov, a_line_without_end_is_refused)
{
    struct error err = {0};
    char chunk[65536];
    struct report_feed *feed = report_feed_open(&evidence, "l.info", NULL, REPORT_ANY);
    report_feed_bytes(feed, STR("SF:a.c\nDA:1,1\n#"));
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 20; i++)
        report_feed_bytes(feed, str_make(chunk, sizeof chunk));
    cr_expect_not(report_feed_end(feed, NULL, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_expect_eq(err.at.line, 3);
    cr_expect_eq(evidence.reports[0].size_bytes, 20 * sizeof chunk + 15);
}

// Lines far from the end of a piece are read where they stand, those near to it one by one: both
// must say the same, of odd lines too.
Test(lcov, a_line_means_the_same_wherever_a_piece_ends)
{
    static const char *const odd[] = {
        "DA:7,1",
        "DA:7,0",
        "DA:7,",
        "DA:,7",
        "DA:7",
        "DA:7 ,1",
        "DA:7,1 ",
        "DA:7,1\r",
        "DA:0,1",
        "DA:16777217,1",
        "DA:007,01",
        "DA:7,18446744073709551616",
        "DA:7,-1",
        "DA:7,1,abc",
        "DA:99999999999999999999,1",
        "BRDA:7,0,0,1",
        "BRDA:7,0,0,-",
        "BRDA:7,0,0,",
        "BRDA:7,0,0,--",
        "BRDA:7,,,1",
        "BRDA:7,0,1",
        "BRDA:0,0,0,1",
        "BRDA:7,e0,1,1",
        "BRDA:7,0,a, b,1",
        "BRDA:7,0,0,1 ",
        "BRDA:7,0,0,2,",
        "BRDA:7,12345678901234567890,1,1",
        "FN:1,f",
        "FNDA:1,f",
        "FNDX:1,f",
        "FNX:1",
        "FN",
        "FNL:1,2",
        "FNA:1,2,f",
        "FN:",
        "",
        " DA:7,1",
        "D",
        "BRDA",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[1024], words[2][2048];
        (void)snprintf(text, sizeof text,
                       "TN:\nSF:a.c\nDA:9,1\nBRDA:9,0,0,1\nBRDA:9,0,1,-\n%s\nDA:8,0\n# %0200d\n"
                       "end_of_record\n",
                       odd[i], 0);
        for (int piece = 0; piece < 2; piece++) {
            struct evidence one = {0};
            struct error err = {0};
            struct report_feed *feed = report_feed_open(&one, "l.info", NULL, REPORT_ANY);
            for (size_t at = 0, all = strlen(text), size = piece ? 1 : all; at < all; at += size)
                report_feed_bytes(feed, str_first(str_of(text + at), size));
            (void)report_feed_end(feed, NULL, &err);
            (void)snprintf(words[piece], sizeof words[piece], "%s | %s | %s | %u",
                           coverage_words(&one), suspicions(&one), err.message, err.at.line);
            evidence_done(&one);
        }
        cr_expect_str_eq(words[0], words[1], "%s: %s, in pieces %s", odd[i], words[0], words[1]);
    }
}

Test(lcov, plain_lines_are_counted)
{
    char text[4096] = "SF:a.c\nDA:300,1\nBRDA:300,0,0,1\n";
    size_t n = strlen(text);
    for (int i = 1; i <= 120; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "DA:%d,%d\nFN:%d,f\n", i, i % 3, i);
    (void)snprintf(text + n, sizeof text - n, "LF:121\nLH:81\nLH:80\nend_of_record\n");
    feed_good(&evidence, "l.info", text);
    cr_expect_str_eq(coverage_words(&evidence), "lines 81/121 branches 1/1 files 1");
    cr_expect_str_eq(suspicions(&evidence), "line 247: LH of a.c says 80, but the record holds 81");
}
