// What the golden cases of coverage.py, Istanbul, gcovr, llvm-cov and SimpleCov cannot show well.
#include "feed.h"
#include "gate/reports/report_head.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(coverage_json, .fini = done);

static const struct covered_file *file_named(const char *name)
{
    for (size_t i = 0; i < evidence.coverage.count; i++)
        if (str_is(evidence.coverage.files[i].reported, name))
            return &evidence.coverage.files[i];
    cr_assert_fail("no file %s", name);
    return NULL;
}

// "1+ 2- 5+": the known lines up to 40, hit or not.
static const char *lines_of_file(const char *name)
{
    const struct covered_file *file = file_named(name);
    str out = {"", 0};
    for (uint32_t n = 1; n <= 40; n++)
        if (line_known(file, n))
            out = arena_format(&evidence.arena, STR_FMT "%s%u%c", STR_ARG(out), out.len ? " " : "",
                               n, line_hit(file, n) ? '+' : '-');
    return out.data;
}

#define ISTANBUL(s, b)                                                                             \
    "{\"/a.js\":{\"path\":\"/"                                                                     \
    "a.js\",\"statementMap\":{\"0\":{\"start\":{\"line\":1,\"column\":0}},"                        \
    "\"1\":{\"start\":{\"line\":3,\"column\":0}}},\"s\":" s ",\"branchMap\":" b "}}"
#define PLACE(line, column)                                                                        \
    "{\"loc\":{\"start\":{\"line\":" line ",\"column\":" column "},\"end\":{\"line\":9,"           \
    "\"column\":1}}}"

// Shards unite, and so does the LCOV file that Istanbul writes of the same run.
Test(coverage_json, istanbul_branches_unite_by_id)
{
    feed_good(&evidence, "1.json",
              ISTANBUL("{\"0\":1,\"1\":0}", "{\"0\":" PLACE("1", "4") "},\"b\":{\"0\":[1,0]}"));
    feed_good(&evidence, "2.json",
              ISTANBUL("{\"1\":2,\"0\":0}", "{\"0\":" PLACE("1", "4") ",\"1\":" PLACE(
                                                "1", "2") "},\"b\":{\"1\":[0],\"0\":[0,0]}"));
    feed_good(
        &evidence, "l.info",
        "SF:/a.js\nDA:1,1\nDA:3,2\nBRDA:1,0,0,1\nBRDA:1,0,1,0\nBRDA:1,1,0,3\nend_of_record\n");
    cr_expect_str_eq(lines_of_file("/a.js"), "1+ 3+");
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/2 branches 2/3 files 1");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(coverage_json, istanbul_what_is_listed_twice_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {ISTANBUL("{\"0\":1,\"1\":0,\"0\":3}", "{}"), "statement 0 is listed twice"},
        {ISTANBUL("{\"0\":1,\"1\":0}", "{\"4\":" PLACE("1", "0") ",\"4\":" PLACE("2", "0") "}"),
         "branch 4 is listed twice"},
        {ISTANBUL("{\"0\":1,\"1\":0}", "{},\"b\":{\"4\":[1],\"4\":[1]}"),
         "branch 4 is counted twice"},
        {"{\"/a.js\":{\"path\":\"/a.js\",\"s\":{}}}", "/a.js has no `statementMap` or no `s`"},
        {"{\"\":{\"path\":\"\",\"s\":{},\"statementMap\":{}}}", "a source file has no name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "c.json", rows[i].text, &err), "%s", rows[i].text);
        cr_expect_str_eq(err.message, rows[i].want);
        cr_expect_str_eq(err.at.file, "c.json");
        cr_expect_eq(err.at.line, 1);
        evidence_done(&evidence);
    }
}

// Ids that are no plain numbers are ids as well, and "00" is another one than "0".
Test(coverage_json, istanbul_ids_are_texts)
{
    feed_good(&evidence, "c.json",
              "{\"a\":{\"s\":{\"00\":1,\"0\":0,\"x\":1,\"99999999999999999999\":0},"
              "\"statementMap\":{\"99999999999999999999\":{\"start\":{\"line\":4}},"
              "\"0\":{\"start\":{\"line\":1}},\"x\":{\"start\":{\"line\":3}},"
              "\"00\":{\"start\":{\"line\":2}}}}}");
    cr_expect_str_eq(lines_of_file("a"), "1- 2+ 3+ 4-");
    cr_expect_str_eq(suspicions(&evidence), "");
}

#define LLVM(segments)                                                                             \
    "{\"data\":[{\"files\":[{\"filename\":\"a.c\",\"segments\":[" segments                         \
    "]}]}],\"type\":\"llvm.coverage.json.export\",\"version\":\"2.0.1\"}"

// LLVM's rule for the lines of a file, segment by segment.
Test(coverage_json, llvm_lines_of_segments)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {LLVM("[2,1,1,true,true,false],[4,2,0,false,false,false]"), "2+ 3+ 4+"},
        // the end of a region before the next line does not reach into it
        {LLVM("[2,1,1,true,true,false],[3,9,0,false,false,false],[6,1,0,true,true,false],"
              "[6,9,0,false,false,false]"),
         "2+ 3+ 6-"},
        // the larger of what reaches into a line and what begins on it
        {LLVM("[1,1,0,true,true,false],[2,5,7,true,true,false],[2,9,0,true,false,false],"
              "[4,1,0,false,false,false]"),
         "1- 2+ 3- 4-"},
        // a gap begins nothing, but reaches on
        {LLVM("[1,1,5,true,true,false],[1,9,0,true,false,true],[3,1,0,true,true,false],"
              "[3,9,5,true,false,false],[4,1,0,false,false,false]"),
         "1+ 2- 3- 4+"},
        // a skipped region takes its lines out, one that begins later on the line does not
        {LLVM("[1,1,1,true,true,false],[2,1,0,false,true,false],[4,1,1,true,false,false],"
              "[6,1,0,false,false,false]"),
         "1+ 5+ 6+"},
        {LLVM("[1,1,1,true,true,false],[2,3,2,true,true,false],[2,5,0,false,true,false],"
              "[3,1,0,false,false,false]"),
         "1+ 2+"},
        // a skipped region first and then counted code: the code counts
        {LLVM("[1,1,0,false,true,false],[1,5,3,true,true,false],[2,1,0,false,false,false]"),
         "1+ 2+"},
        {LLVM("[3,1,4,1,1],[3,8,0,0,0]"), "3+"},
        {LLVM("[1,1,1,true,true,false],[40,1,0,false,false,false]"),
         "1+ 2+ 3+ 4+ 5+ 6+ 7+ 8+ 9+ 10+ 11+ 12+ 13+ 14+ 15+ 16+ 17+ 18+ 19+ 20+ 21+ 22+ 23+ 24+ "
         "25+ 26+ 27+ 28+ 29+ 30+ 31+ 32+ 33+ 34+ 35+ 36+ 37+ 38+ 39+ 40+"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "l.json", rows[i].text);
        cr_expect_str_eq(lines_of_file("a.c"), rows[i].want, "%s: %s", rows[i].text,
                         lines_of_file("a.c"));
        evidence_done(&evidence);
    }
}

Test(coverage_json, llvm_what_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {LLVM("[0,1,1,true,true,false]"), "line number 0 is out of range (1 to 16777216)"},
        {LLVM("[16777217,1,1,true,true,false]"),
         "line number 16777217 is out of range (1 to 16777216)"},
        {LLVM("[1,1,1]"), "a segment is not [LINE, COLUMN, COUNT, …]: it is too short"},
        {LLVM("[1,1,-1,true,true,false]"),
         "a number of a region must be a whole number that is not negative, but is -1"},
        {LLVM("[1,1,1,\"true\",true,false]"), "an element of a list is text, not a number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "l.json", rows[i].text, &err), "%s", rows[i].text);
        cr_expect_str_eq(err.message, rows[i].want);
        evidence_done(&evidence);
    }
}

// The commands of a result set and the shards of a run are the same thing.
Test(coverage_json, simplecov_branches_unite_by_name)
{
    static const char *const shards[] = {
        "{\"A\":{\"coverage\":{\"a.rb\":{\"lines\":[1],\"branches\":{\"[:if, 0, 1, 0, 1, 9]\":"
        "{\"[:then, 1, 1, 3, 1, 4]\":1,\"[:else, 2, 1, 6, 1, 7]\":0}}}}}}",
        "{\"B\":{\"coverage\":{\"a.rb\":{\"branches\":{\"[:if, 0, 1, 0, 1, 9]\":"
        "{\"[:then, 1, 1, 3, 1, 4]\":0,\"[:else, 2, 1, 6, 1, 7]\":null}},\"lines\":[0,3]}}}}",
    };
    feed_good(&evidence, "a.json", shards[0]);
    feed_good(&evidence, "b.json", shards[1]);
    cr_expect_str_eq(lines_of_file("a.rb"), "1+ 2+");
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/2 branches 1/2 files 1");
}

// Every file keeps where its numbers stand.
Test(coverage_json, byte_ranges)
{
    static const char text[] = "{\"meta\": {\"show_contexts\": false}, \"files\": {\"a.py\": "
                               "{\"executed_lines\": [1], \"missing_lines\": []}, \"b.py\": "
                               "{\"missing_lines\": [2], \"executed_lines\": [1]}}}";
    feed_good(&evidence, "c.json", text);
    for (size_t i = 0; i < 2; i++) {
        const struct byte_range *range = covered_range(file_named(i ? "b.py" : "a.py"), 0);
        const char *want = i ? "{\"missing_lines\": [2], \"executed_lines\": [1]}"
                             : "{\"executed_lines\": [1], \"missing_lines\": []}";
        expect_str(str_make(text + range->from, range->size), want);
        cr_expect_eq(range->report, 0);
    }
}

Test(coverage_json, coveragepy_what_is_refused)
{
    static const struct {
        const char *members, *want;
    } rows[] = {
        {"\"executed_lines\":[0],\"missing_lines\":[]",
         "line number 0 is out of range (1 to 16777216)"},
        {"\"executed_lines\":[1.5],\"missing_lines\":[]",
         "a line number must be a whole number that is not negative, but is 1.5"},
        {"\"executed_lines\":[null],\"missing_lines\":[]",
         "a line number must be a whole number that is not negative, but is something else"},
        {"\"executed_lines\":[],\"missing_lines\":[],\"excluded_lines\":[99999999999]",
         "line number 4294967295 is out of range (1 to 16777216)"},
        {"\"executed_lines\":[],\"missing_lines\":[],\"missing_branches\":[[0,1]]",
         "a branch begins at line 0"},
        {"\"executed_lines\":[],\"missing_lines\":[],\"missing_branches\":[[1]]",
         "a branch is not [FROM, TO]"},
        {"\"executed_lines\":[],\"missing_lines\":[],\"missing_branches\":[[1,2,3]]",
         "a branch is not [FROM, TO]"},
        {"\"executed_lines\":[1],\"missing_lines\":[],\"summary\":{\"covered_lines\":\"1\"}",
         "covered_lines must be a whole number that is not negative, but is something else"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        char text[512];
        (void)snprintf(text, sizeof text,
                       "{\"meta\":{\"show_contexts\":false},\"files\":{\"a\":{%s}}}",
                       rows[i].members);
        cr_expect_not(feed(&evidence, "c.json", text, &err), "%s", text);
        cr_expect_str_eq(err.message, rows[i].want);
        evidence_done(&evidence);
    }
}

// gcov's own JSON looks alike; so do summaries and results of other tools.
Test(coverage_json, look_alikes_are_not_taken)
{
    static const char *const texts[] = {
        "{\"format_version\":\"1\",\"gcc_version\":\"12.2.0\",\"files\":[{\"file\":\"a.c\","
        "\"lines\":[{\"line_number\":1,\"count\":1,\"unexecuted_block\":false,\"branches\":[]}]}]}",
        "{\"files\":{\"a\":{\"lines\":[1]}}}",
        "{\"statementMap\":{},\"s\":{},\"branchMap\":{}}",
        "{\"result\":{\"line\":91.2}}",
        "{\"type\":\"other.json\",\"data\":[{\"files\":[{\"filename\":\"a\"}]}]}",
        "{\"coverage\":{\"a.rb\":[1,null]}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error err = {0};
        cr_expect_not(feed(&evidence, "c.json", texts[i], &err), "%s", texts[i]);
        cr_expect_null(evidence.reports[0].format, "%s", texts[i]);
        evidence_done(&evidence);
    }
}
