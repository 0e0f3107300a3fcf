// TAP 12, 13 and 14. A test that is TODO is skipped, whatever it did; `ok # SKIP` is skipped, `not
// ok # SKIP` failed. A subtest's own tests count, and its result only where they do not explain it.
// TAP has no second tries: tests of one name are different tests.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"
#include "gate/reports/tap_line.h"
#include "gate/reports/test_draft.h"

enum { DEPTH_MAX = 32, SUBTEST_INDENT = 4 };

struct level {
    bool has_plan;
    uint64_t planned, points;
    uint32_t line;                // of its first line
    size_t first_case;            // in the evidence
    bool buffered;                // its parent's result came before it, with a `{`:
    enum tap_directive directive; // of that
    struct test_case parent;      // strings stand in the evidence
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct lines input;
    struct test_draft draft;
    struct level levels[DEPTH_MAX + 2]; // the last is never open
    unsigned depth;                     // of the innermost level that is open
    struct text buffer;                 // a name without escapes; a suite's name
    size_t last; // the case of the newest result + 1: what follows tells more of it; 0 = none
    unsigned last_indent;
    bool in_yaml, yaml_block; // yaml_block: the message stands in the next line
    unsigned yaml_indent;
    bool after_point; // the line before was a result
    uint64_t out_of_order, said_failed, bad_yaml;
    uint32_t out_of_order_line, bad_yaml_line;
};

static int recognise(const struct report_head *head)
{
    str rest = head->bytes, text;
    uint64_t plans = 0, points = 0, others = 0, empty_plans = 0;
    if (head->is_xml || head->is_json)
        return 0;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    for (int n = 0; n < 1000 && report_head_line(&rest, &text); n++) {
        struct tap_line line = tap_line_of(text);
        if (line.indent)
            continue;
        if (line.kind == TAP_VERSION)
            return line.number >= 12 && line.number <= 99 ? (others ? 85 : 95) : 0;
        plans += line.kind == TAP_PLAN;
        empty_plans += line.kind == TAP_PLAN && line.number == 0;
        points += line.kind == TAP_POINT && line.numbered && line.number == points + 1;
        others += line.kind == TAP_OTHER && str_trim(text).len;
        if ((plans && points) || points > 1)
            return plans ? 85 : 75;
    }
    bool all = empty_plans || points || plans;
    return all && head->whole && others == 0 ? 60 : 0;
}

static struct report *report_of(const struct reading *r)
{
    return &r->evidence->reports[r->report];
}

static void level_open(struct reading *r, unsigned depth)
{
    struct level *level = &r->levels[depth];
    *level = (struct level){.line = r->input.number, .first_case = r->evidence->tests.count};
    r->depth = depth;
}

// "outer" before the suites of the cases from `first` on. Neighbours share one.
static void prefix_suites(struct reading *r, size_t first, str outer)
{
    struct tests *tests = &r->evidence->tests;
    str before = {NULL, 0}, made = {NULL, 0};
    for (size_t i = first; i < tests->count; i++) {
        struct test_case *one = &tests->cases[i];
        if (made.len == 0 || !str_eq(one->suite, before)) {
            before = one->suite;
            made = arena_format(&r->evidence->arena, STR_FMT "%s" STR_FMT, STR_ARG(outer),
                                before.len ? " › " : "", STR_ARG(before));
        }
        one->suite = made;
    }
}

static uint64_t count_bad(const struct reading *r, size_t first, bool forgive)
{
    struct tests *tests = &r->evidence->tests;
    uint64_t bad = 0;
    for (size_t i = first; i < tests->count; i++) {
        struct test_case *one = &tests->cases[i];
        if (one->result != TEST_FAILED && one->result != TEST_ERROR)
            continue;
        bad++;
        if (forgive)
            one->result = TEST_SKIPPED;
    }
    return bad;
}

static void compare_plan(struct reading *r, const struct level *level, const char *what)
{
    if (!level->has_plan)
        report_suspect(r->evidence, report_of(r), "line %u: %s has no plan (1..N)", level->line,
                       what);
    else if (level->planned != level->points)
        report_suspect(r->evidence, report_of(r),
                       "line %u: %s is to have %llu tests, but %llu stand there", level->line, what,
                       (unsigned long long)level->planned, (unsigned long long)level->points);
}

// Subtests that are open deeper than `depth`, though nothing says how they ended.
static bool close_orphans(struct reading *r, unsigned depth, struct error *err)
{
    for (; r->depth > depth; r->depth--) {
        const struct level *inner = &r->levels[r->depth];
        compare_plan(r, inner, "a subtest");
        report_suspect(r->evidence, report_of(r), "line %u: a subtest begins that does not end",
                       inner->line);
        if (inner->buffered && !tests_add(r->evidence, &inner->parent, err))
            return false;
    }
    return true;
}

// Ends the subtest that belongs to `parent`, if there is one. *ret_own: whether the parent's result
// is a test of its own.
static bool close_subtest(struct reading *r, unsigned depth, const struct test_case *parent,
                          enum tap_directive directive, bool *ret_own, struct error *err)
{
    struct level *inner = &r->levels[depth + 1];
    *ret_own = true;
    if (!close_orphans(r, depth + 1, err))
        return false;
    if (r->depth == depth)
        return true;
    r->depth = depth;
    compare_plan(r, inner, "a subtest");
    bool bad = parent->result == TEST_FAILED;
    uint64_t bad_inside = count_bad(r, inner->first_case, directive == TAP_TODO);
    bool holds = r->evidence->tests.count > inner->first_case;
    prefix_suites(r, inner->first_case, parent->name);
    if (holds && inner->has_plan)
        *ret_own = bad && !bad_inside;
    return true;
}

static enum test_result result_of(const struct tap_line *line)
{
    if (line->directive == TAP_TODO)
        return TEST_SKIPPED;
    if (!line->ok)
        return TEST_FAILED;
    return line->directive == TAP_SKIP ? TEST_SKIPPED : TEST_PASSED;
}

static void check_number(struct reading *r, const struct tap_line *line, uint64_t expected)
{
    if (!line->numbered || line->number == expected)
        return;
    if (r->out_of_order++ == 0)
        r->out_of_order_line = r->input.number;
}

// The name of a result; lives until the next one.
static str name_of(struct reading *r, const struct tap_line *line, uint64_t number)
{
    if (line->name.len && str_find(line->name, '\\') == STR_NONE)
        return line->name; // as it stands
    text_clear(&r->buffer);
    text_add(&r->buffer, line->name);
    if (line->name.len)
        return tap_name(line->name, r->buffer.data);
    text_addf(&r->buffer, "(test %llu)", (unsigned long long)number);
    return text_str(&r->buffer);
}

// A case as it will be kept, but that its strings are still those of the line.
static struct test_case case_of(struct reading *r, const struct tap_line *line, uint64_t number)
{
    r->draft.time_us = -1;
    if (line->time_ms.len)
        test_draft_time(&r->draft, line->time_ms, 1e3);
    return (struct test_case){.name = name_of(r, line, number),
                              .result = result_of(line),
                              .report = r->report,
                              .offset = r->input.offset,
                              .time_us = r->draft.time_us};
}

static bool too_deep(struct error *err)
{
    return error_set(err, ERROR_LIMIT, "subtests are nested more than %d deep", DEPTH_MAX);
}

static bool on_point(struct reading *r, const struct tap_line *line, unsigned depth,
                     struct error *err)
{
    struct level *level = &r->levels[depth];
    struct tests *tests = &r->evidence->tests;
    bool own = true;
    level->points++;
    check_number(r, line, level->points);
    // The subtest's cases come before its result: their suite is named first.
    struct test_case parent = case_of(r, line, level->points);
    if (r->depth > depth && r->levels[depth + 1].buffered && !close_orphans(r, depth, err))
        return false;
    if (!close_subtest(r, depth, &parent, line->directive, &own, err))
        return false;
    r->last = 0;
    r->last_indent = line->indent;
    if (!own)
        return true;
    if (!tests_add(r->evidence, &parent, err))
        return false;
    r->last = tests->count;
    if (!line->opens)
        return true;
    if (depth == DEPTH_MAX)
        return too_deep(err);
    level_open(r, depth + 1); // what follows belongs to it: it is put aside
    r->levels[depth + 1].buffered = true;
    r->levels[depth + 1].directive = line->directive;
    r->levels[depth + 1].parent = tests->cases[--tests->count];
    r->levels[depth + 1].first_case = tests->count;
    r->last = 0;
    return true;
}

// `}`: the end of a subtest whose result stands before it.
static bool on_close(struct reading *r, unsigned depth, struct error *err)
{
    bool own;
    if (r->depth <= depth || !r->levels[depth + 1].buffered)
        return true;
    struct level inner = r->levels[depth + 1];
    if (!close_subtest(r, depth, &inner.parent, inner.directive, &own, err))
        return false;
    return !own || tests_add(r->evidence, &inner.parent, err);
}

static bool on_plan(struct reading *r, const struct tap_line *line, unsigned depth,
                    struct error *err)
{
    struct level *level = &r->levels[depth];
    if (!close_orphans(r, depth, err))
        return false;
    if (level->has_plan)
        report_suspect(r->evidence, report_of(r), "line %u: a second plan stands here",
                       r->input.number);
    level->has_plan = true;
    level->planned = line->number;
    return true;
}

static bool on_bail(struct reading *r, const struct tap_line *line, struct error *err)
{
    test_draft_clear(&r->draft, r->input.offset);
    test_draft_set(&r->draft, TEST_NAME, STR("(bail out)"));
    test_draft_message(&r->draft, line->name);
    test_draft_message(&r->draft, STR("the run was given up"));
    r->last = 0;
    return test_draft_take(&r->draft, r->evidence, r->report, TEST_ERROR, err);
}

// More about the newest result: the first message of a failure stays.
static void tell(struct reading *r, str message)
{
    if (r->last == 0)
        return;
    struct test_case *one = &r->evidence->tests.cases[r->last - 1];
    if (one->message.len || (one->result != TEST_FAILED && one->result != TEST_ERROR))
        return;
    test_draft_clear(&r->draft, 0);
    test_draft_message(&r->draft, message);
    str kept = str_trim(test_draft_get(&r->draft, TEST_MESSAGE));
    if (kept.len)
        one->message = arena_str(&r->evidence->arena, kept);
}

static str unquoted(str s)
{
    s = str_trim(s);
    bool quoted =
        s.len > 1 && (s.data[0] == '\'' || s.data[0] == '"') && s.data[s.len - 1] == s.data[0];
    return quoted ? str_make(s.data + 1, s.len - 2) : s;
}

static void on_yaml(struct reading *r, str text, unsigned indent)
{
    str line = str_trim(text), value = line;
    if (r->yaml_block && line.len) {
        tell(r, line);
        r->yaml_block = false;
    }
    if (indent != r->yaml_indent)
        return;
    str key = str_cut(&value, ':');
    if (str_is(key, "duration_ms") && r->last) {
        test_draft_clear(&r->draft, 0);
        test_draft_time(&r->draft, str_trim(value), 1e3);
        r->evidence->tests.cases[r->last - 1].time_us = r->draft.time_us;
    } else if (str_is(key, "message") || str_is(key, "error")) {
        str message = unquoted(value);
        r->yaml_block = message.len && memchr("|>", message.data[0], 2) && message.len < 4;
        if (!r->yaml_block)
            tell(r, message);
    }
}

// What a runner says of itself behind its tests.
static void on_comment(struct reading *r, const struct tap_line *line)
{
    static const char *const others[] = {"Subtest",    "tests ",   "pass",    "suites ",
                                         "Looks like", "time=",    "failed ", "skip",
                                         "todo",       "duration", NULL};
    str s = line->name;
    bool failed = str_starts(s, STR("fail ")) || str_starts(s, STR("cancelled "));
    if (failed) {
        uint64_t number;
        s = str_from(s, str_find(s, ' '));
        if (line->indent == 0 && number_u64(str_trim(s), &number))
            r->said_failed = number > r->said_failed ? number : r->said_failed;
        return;
    }
    for (size_t i = 0; others[i]; i++)
        if (str_starts(s, str_of(others[i])))
            return;
    if (line->indent == r->last_indent)
        tell(r, s);
}

static bool on_structure(struct reading *r, const struct tap_line *line, struct error *err)
{
    unsigned depth = line->indent / SUBTEST_INDENT;
    bool begins = line->kind == TAP_PLAN || (line->kind == TAP_POINT && line->numbered);
    if (depth > r->depth && !begins)
        return true; // what a test printed
    if (depth > DEPTH_MAX)
        return too_deep(err);
    while (depth > r->depth)
        level_open(r, r->depth + 1);
    switch (line->kind) {
    case TAP_POINT:
        return on_point(r, line, depth, err);
    case TAP_PLAN:
        return on_plan(r, line, depth, err);
    case TAP_CLOSE:
        return on_close(r, depth, err);
    case TAP_OTHER:
    case TAP_VERSION:
    case TAP_BAIL:
    case TAP_COMMENT:
    case TAP_YAML:
    case TAP_YAML_END:
        break;
    }
    return true;
}

static bool on_version(struct reading *r, const struct tap_line *line, str text, struct error *err)
{
    if (line->number < 12 || line->number > 14)
        return lines_refuse(&r->input, text, err, "TAP is known here in its versions 12 to 14");
    return true;
}

// True when the line belongs to a block of YAML.
static bool in_yaml(struct reading *r, const struct tap_line *line, str text)
{
    if (!r->in_yaml) {
        bool begins = r->after_point && line->kind == TAP_YAML && line->indent > r->last_indent &&
                      line->indent < r->last_indent + SUBTEST_INDENT;
        r->in_yaml = begins;
        r->yaml_indent = line->indent;
        r->yaml_block = false;
        return begins;
    }
    if (line->kind == TAP_YAML_END && line->indent == r->yaml_indent) {
        r->in_yaml = false;
        return true;
    }
    if (str_trim(text).len == 0 || line->indent >= r->yaml_indent) {
        on_yaml(r, text, line->indent);
        return true;
    }
    r->in_yaml = false; // it does not end: what follows is TAP again
    if (r->bad_yaml++ == 0)
        r->bad_yaml_line = r->input.number;
    return false;
}

static bool on_line(void *context, str text, struct error *err)
{
    struct reading *r = context;
    struct tap_line line = tap_line_of(text);
    if (line.kind != TAP_OTHER || r->in_yaml)
        if (!str_is_utf8(text))
            return lines_refuse(&r->input, text, err, "this line is not UTF-8");
    bool of_yaml = in_yaml(r, &line, text);
    r->after_point = line.kind == TAP_POINT && !of_yaml;
    if (of_yaml)
        return true;
    if (line.kind == TAP_COMMENT)
        on_comment(r, &line);
    else if (line.kind == TAP_VERSION && line.indent == 0)
        return on_version(r, &line, text, err);
    else if (line.kind == TAP_BAIL && line.indent % SUBTEST_INDENT == 0)
        return on_bail(r, &line, err);
    else if (line.kind != TAP_OTHER && line.indent % SUBTEST_INDENT == 0)
        return on_structure(r, &line, err);
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->buffer = text_of(LIMIT_TOKEN_BYTES);
    r->input = lines_of(evidence->reports[report].path, on_line, r);
    r->levels[0].line = 1;
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return lines_feed(&r->input, bytes, err);
}

static void say_what_is_odd(struct reading *r)
{
    struct report *report = report_of(r);
    if (r->in_yaml)
        report_suspect(r->evidence, report, "the file ends inside a block of YAML");
    if (r->bad_yaml)
        report_suspect(r->evidence, report, "line %u: a block of YAML does not end before it",
                       r->bad_yaml_line);
    if (r->after_point && !r->input.ended_whole)
        report_suspect(r->evidence, report,
                       "the file ends with a test and without a line end: it may be cut");
    if (r->out_of_order)
        report_suspect(r->evidence, report, "line %u: the number of this test is not the next one",
                       r->out_of_order_line);
    if (r->said_failed && count_bad(r, 0, false) == 0)
        report_suspect(r->evidence, report, "`# fail` says %llu, but no test in the report failed",
                       (unsigned long long)r->said_failed);
}

static bool end(struct reading *r, struct error *err)
{
    if (!lines_end(&r->input, err))
        return false;
    if (!close_orphans(r, 0, err))
        return false;
    compare_plan(r, &r->levels[0], "the run");
    say_what_is_odd(r);
    tests_tell_apart(r->evidence, false);
    test_draft_end(&r->draft, r->evidence, r->report);
    return true;
}

static void close_reading(struct reading *r)
{
    lines_done(&r->input);
    test_draft_done(&r->draft);
    text_done(&r->buffer);
    memory_free(r);
}

const struct report_reader tap_reader = {
    .name = "tap",
    .title = "TAP",
    .form = REPORT_LINES,
    .kind = EVIDENCE_TESTS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
