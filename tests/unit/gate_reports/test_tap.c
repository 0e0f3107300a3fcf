#include "feed.h"

#include "gate/reports/tap_line.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(tap, .fini = done);

// "ok 3 [name] skip(why) 5ms opens @4"
static const char *words(const struct tap_line *line)
{
    static const char *const kinds[] = {"other",   "version", "plan",     "point", "bail",
                                        "comment", "yaml",    "yaml-end", "close"};
    static const char *const directives[] = {"", " todo", " skip"};
    const char *kind = line->kind == TAP_POINT ? line->ok ? "ok" : "not ok" : kinds[line->kind];
    return arena_format(&evidence.arena, "%s %llu [" STR_FMT "]%s(" STR_FMT ") " STR_FMT "%s @%u",
                        kind, (unsigned long long)line->number, STR_ARG(line->name),
                        directives[line->directive], STR_ARG(line->reason), STR_ARG(line->time_ms),
                        line->opens ? " opens" : "", line->indent)
        .data;
}

Test(tap, lines)
{
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"ok", "ok 0 []()  @0"},
        {"ok 1", "ok 1 []()  @0"},
        {"not ok 2 - a name", "not ok 2 [a name]()  @0"},
        {"ok 3 a name", "ok 3 [a name]()  @0"},
        {"ok - a name", "ok 0 [a name]()  @0"},
        {"    ok 4 - in a subtest", "ok 4 [in a subtest]()  @4"},
        {"\tok 4", "ok 4 []()  @4"},
        {"ok 5 - a # SKIP no boat", "ok 5 [a] skip(no boat)  @0"},
        {"ok 5 # skip", "ok 5 [] skip()  @0"},
        {"ok 5 - a # Skipped: no boat", "ok 5 [a] skip(no boat)  @0"},
        {"not ok 6 - a # TODO later", "not ok 6 [a] todo(later)  @0"},
        {"not ok 6 - a #todo", "not ok 6 [a] todo()  @0"},
        {"not ok 6 - a # TODOS", "not ok 6 [a # TODOS]()  @0"},
        {"ok 7 - issue #12", "ok 7 [issue #12]()  @0"},
        {"ok 7 - issue #12 # SKIP see #13", "ok 7 [issue #12] skip(see #13)  @0"},
        {"ok 8 - a \\# TODO", "ok 8 [a \\# TODO]()  @0"},
        {"ok 8 - a \\\\# TODO", "ok 8 [a \\\\] todo()  @0"},
        {"ok 9 - a # time=12.5ms", "ok 9 [a]() 12.5 @0"},
        {"ok 9 - a # time=1ms {", "ok 9 [a]() 1 opens @0"},
        {"ok 9 {", "ok 9 []()  opens @0"},
        {"ok 9 - a{", "ok 9 [a{]()  @0"},
        {"ok 10 pumps in 34ms", "ok 10 [pumps]() 34 @0"},
        {"ok 10 in 34ms", "ok 10 [in 34ms]()  @0"},
        {"ok 11a", "ok 0 [11a]()  @0"},
        {"okay 1", "other 0 []()  @0"},
        {"not okay", "other 0 []()  @0"},
        {"OK 1", "other 0 []()  @0"},
        {"ok 99999999999999999999", "ok 0 [99999999999999999999]()  @0"},
        {"1..5", "plan 5 []()  @0"},
        {"1..0 # SKIP not here", "plan 0 [] skip(not here)  @0"},
        {"1..x", "other 0 []()  @0"},
        {"1..5 and more", "other 0 []()  @0"},
        {"2..5", "other 0 []()  @0"},
        {"TAP version 13", "version 13 []()  @0"},
        {"TAP version 13b", "other 13 []()  @0"},
        {"Bail out! no disk ", "bail 0 [no disk]()  @0"},
        {"# Subtest: a", "comment 0 [Subtest: a]()  @0"},
        {"  ---", "yaml 0 []()  @2"},
        {"  ...", "yaml-end 0 []()  @2"},
        {"}", "close 0 []()  @0"},
        {"", "other 0 []()  @0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tap_line line = tap_line_of(str_of(rows[i].line));
        str want = str_of(rows[i].want);
        const char *have = words(&line);
        if (line.kind == TAP_OTHER)
            cr_expect(str_starts(want, STR("other")), "`%s`: %s", rows[i].line, have);
        else
            cr_expect(str_is(want, have), "`%s`: %s", rows[i].line, have);
    }
}

Test(tap, names_lose_their_escapes)
{
    static const struct {
        const char *name, *want;
    } rows[] = {{"a \\# b", "a # b"},
                {"a \\\\ b", "a \\ b"},
                {"a \\n b", "a \\n b"},
                {"ends \\", "ends \\"},
                {"", ""}};
    char out[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_str(tap_name(str_of(rows[i].name), out), rows[i].want);
}

// "suite|name|result|message" a line
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

Test(tap, what_a_report_says)
{
    static const struct {
        const char *name, *text, *want, *suspicions;
    } rows[] = {
        {"subtests are suites",
         "TAP version 14\n# Subtest: a\n    # Subtest: b\n        ok 1 - c\n        1..1\n"
         "    ok 1 - b\n    ok 2 - d\n    1..2\nok 1 - a\nok 2 - e\n1..2\n",
         "a › b|c|0|\na|d|0|\n|e|0|\n", ""},
        {"a failure that its subtest explains is one",
         "    not ok 1 - c\n    1..1\nnot ok 1 - a\n1..1\n", "a|c|1|\n", ""},
        {"a failure that its subtest does not explain is its own",
         "1..1\n    ok 1 - c\n    1..1\nnot ok 1 - a\n  ---\n  error: 'hook'\n  ...\n",
         "a|c|0|\n|a|1|hook\n", ""},
        {"a subtest of which all was skipped is its parent",
         "1..1\n    1..0 # SKIP no disk\nok 1 - a # SKIP no disk\n", "|a|3|\n", ""},
        {"the message is that of the block",
         "1..2\nnot ok 1 - a\n  ---\n  at: here\n  message: >-\n    over two\n    lines\n  ...\n"
         "not ok 2 - b\n# it is wet\n# really\n",
         "|a|1|over two\n|b|1|it is wet\n", ""},
        {"what looks like a test in a block is none",
         "1..1\nok 1 - a\n  ---\n  out: |\n    ok 2 - b\n    1..7\n  ...\n", "|a|0|\n", ""},
        {"tests of one name are different tests", "1..4\nok 1 - a\nnot ok 2 - a\nok 3\nok 4\n",
         "|a|0|\n|a (2)|1|\n|(test 3)|0|\n|(test 4)|0|\n", ""},
        {"a skip that failed is a failure", "1..1\nnot ok 1 - a # SKIP\n", "|a|1|\n", ""},
        {"output that is set in is no subtest", "1..2\n    ok then\nok 1 - a\n   ok 1\nok 2 - b\n",
         "|a|0|\n|b|0|\n", ""},
        {"a subtest without a plan hides nothing", "1..1\n    not ok 1 - c\nok 1 - a\n",
         "a|c|1|\n|a|0|\n", "line 2: a subtest has no plan (1..N)"},
        {"a subtest with too few tests", "1..1\n    1..3\n    ok 1 - c\nok 1 - a\n", "a|c|0|\n",
         "line 2: a subtest is to have 3 tests, but 1 stand there"},
        {"a buffered subtest that does not end",
         "1..2\nok 1 - a {\n    ok 1 - c\n    1..1\nok 2 - b\n", "|c|0|\n|a|0|\n|b|0|\n",
         "line 2: a subtest begins that does not end"},
        {"a block that does not end", "1..2\nnot ok 1 - a\n  ---\n  message: x\nok 2 - b\n",
         "|a|1|x\n|b|0|\n", "line 5: a block of YAML does not end before it"},
        {"given up in a subtest", "1..1\n    ok 1 - c\n    Bail out!\n",
         "|c|0|\n|(bail out)|2|the run was given up\n",
         "line 2: a subtest has no plan (1..N)\nline 2: a subtest begins that does not end\n"
         "line 1: the run is to have 1 tests, but 0 stand there"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "t.tap", rows[i].text);
        cr_expect_str_eq(cases(), rows[i].want, "%s:\n%s", rows[i].name, cases());
        cr_expect_str_eq(suspicions(&evidence), rows[i].suspicions, "%s: %s", rows[i].name,
                         suspicions(&evidence));
        evidence_done(&evidence);
    }
}

Test(tap, times_and_places)
{
    const char *text = "1..3\nok 1 - a\n  ---\n  duration_ms: 12.5\n  ...\nok 2 - b # time=3ms\n"
                       "ok 3 c in 7ms\n";
    static const int64_t want[] = {12500, 3000, 7000};
    feed_good(&evidence, "t.tap", text);
    cr_assert_eq(evidence.tests.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct test_case *one = &evidence.tests.cases[i];
        cr_expect_eq(one->time_us, want[i]);
        cr_expect_eq(one->name.data[0], "abc"[i]);
        cr_expect_eq(strncmp(text + one->offset, "ok ", 3), 0);
        cr_expect_eq(text[one->offset + 3], "123"[i]);
    }
}

Test(tap, too_deep_is_a_limit)
{
    struct error err = {0};
    char text[32 * 1024] = "TAP version 14\n";
    for (int i = 0; i < 40; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "%*sok 1 - a {\n", i * 4, "");
        strcat(text, line);
    }
    cr_assert_not(feed(&evidence, "t.tap", text, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    expect_contains(str_of(err.message), "nested more than 32 deep");
    cr_expect_eq(evidence.tests.count, 0);
}
