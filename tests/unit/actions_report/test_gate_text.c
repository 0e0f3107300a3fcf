#include "actions/report/escape.h"
#include "actions/report/explain_text.h"
#include "actions/report/gate_text.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct evidence evidence;
static struct decision decision;
static struct text out;

static void start(void)
{
    decision = (struct decision){.evidence = &evidence, .policy_path = "sluice.yml"};
    decision.findings.arena = &arena;
    out = text_of(2 * LIMIT_SUMMARY_BYTES);
}

static void done(void)
{
    text_done(&out);
    evidence_done(&evidence);
    arena_done(&arena);
}

TestSuite(gate_text, .init = start, .fini = done);

Test(gate_text, markdown_stays_text)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain words.", "plain words."},
        {"a|b", "a&#124;b"},
        {"<b>&</b>", "&lt;b&gt;&amp;&lt;/b&gt;"},
        {"@alice #12", "&#64;&#8203;alice &#35;&#8203;12"},
        {"[x](http://y)", "\\[x\\]\\(http:&#8203;//y\\)"},
        {"www.y GH-1 awww.y", "www&#8203;.y GH&#8203;-1 awww.y"},
        {"deadbeef deadbe 01234567x", "deadbe&#8203;ef deadbe 01234567x"},
        {"0123456789abcdef", "012345&#8203;6789ab&#8203;cdef"},
        {":+1: a:1:", ":&#8203;+1: a:&#8203;1:"},
        {"$x$", "<span>$</span>x<span>$</span>"},
        {"a\xe2\x80\xae"
         "b\xe2\x80\x8b",
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd"},
        {"\xc0\xbc \xed\xa0\x80 \xe9",
         "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
         "\xef\xbf\xbd"},
        {"\xd8\xa7\xe2\x80\x8c\xd8\xa8", "\xd8\xa7\xe2\x80\x8c\xd8\xa8"},
        {"a\nb\r\tc", "a b  c"},
        {"`*_~", "\\`\\*\\_\\~"},
        {"back\\slash", "back\\\\slash"},
        {"\x1b[31m", "\xef\xbf\xbd\\[31m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_clear(&out);
        markdown_escape(str_of(rows[i].in), &out);
        cr_expect_str_eq(text_c(&out), rows[i].out, "%s", text_c(&out));
    }
}

Test(gate_text, words_between_backticks_are_code)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"run `a*b` now", "run <code>a\\*b</code> now"},
        {"`a` `b", "<code>a</code> \\`b"},
        {"``x``", "\\`\\`x\\`\\`"},
        {"`</code><b>`", "<code>&lt;/code&gt;&lt;b&gt;</code>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_clear(&out);
        markdown_words(str_of(rows[i].in), &out);
        cr_expect_str_eq(text_c(&out), rows[i].out, "%s", text_c(&out));
    }
}

Test(gate_text, a_report_cannot_steer_the_terminal)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"\x1b[2J", "?[2J"},
        {"a\nb\tc", "a b c"},
        {"\x07\x7f", "??"},
        {"\xc2\x9b"
         "2J",
         "?2J"},
        {"\x9b"
         "2J \xe9",
         "?2J ?"},
        {"##[group]x", "## [group]x"},
        {"a\xe2\x80\xaez", "a?z"},
        {"caf\xc3\xa9 \xe2\x80\xba", "caf\xc3\xa9 \xe2\x80\xba"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_clear(&out);
        terminal_escape(str_of(rows[i].in), &out);
        cr_expect_str_eq(text_c(&out), rows[i].out, "row %zu: %s", i, text_c(&out));
    }
}

static void add_findings(size_t count, enum verdict verdict)
{
    for (size_t i = 0; i < count; i++) {
        struct finding *finding =
            finding_add(&decision.findings, "rule", verdict, "rule.id[%zu]", i);
        finding->message = "what is wrong, in a sentence of some length so that rows add up";
        finding_place(&decision.findings, finding, "some/path/of/a/file.py", 12, 14);
    }
}

Test(gate_text, markdown_keeps_its_limit_and_counts_the_rest)
{
    add_findings(2000, VERDICT_BLOCK);
    decision_settle(&decision, true);
    gate_markdown(&decision, 100000, &out);
    cr_expect_lt(out.len, 100000);
    cr_expect_not(text_full(&out));
    cr_expect(strstr(text_c(&out), "more findings"), "what does not fit is counted");
}

Test(gate_text, the_first_line_is_the_verdict)
{
    static const struct {
        enum verdict verdict;
        const char *says;
    } rows[] = {{VERDICT_PASS, "PASS  it may go"},
                {VERDICT_WARN, "WARN  it may go, with warnings; 2 warnings"},
                {VERDICT_HOLD, "HOLD  a person must decide; 2 on hold"},
                {VERDICT_BLOCK, "BLOCK  it may not go; 2 blocking"}};
    for (size_t i = 0; i < 4; i++) {
        done();
        start();
        add_findings(2, rows[i].verdict);
        decision_settle(&decision, true);
        struct gate_text_style style = {0};
        gate_text(&decision, &style, &out);
        str text = text_str(&out);
        str first = str_cut(&text, '\n');
        cr_expect(str_is(first, rows[i].says), STR_FMT, STR_ARG(first));
        cr_expect_eq(str_find(text_str(&out), '\x1b'), STR_NONE, "colour only when asked");
    }
}

Test(gate_text, colour_when_asked)
{
    add_findings(1, VERDICT_BLOCK);
    decision_settle(&decision, true);
    struct gate_text_style style = {.color = true};
    gate_text(&decision, &style, &out);
    cr_expect(str_starts(text_str(&out), STR("\033[31mBLOCK\033[0m")));
}

Test(gate_text, one_line_is_said_as_one)
{
    add_findings(1, VERDICT_BLOCK);
    struct line_range line = {7, 7};
    struct explained_item item = {
        .name = "a.py", .covered = 1, .total = 9, .take = 1, .pick = &line, .pick_count = 1};
    struct explanation explanation = {.finding = decision.findings.items,
                                      .unit = "lines",
                                      .needed = 1,
                                      .enough = 1,
                                      .way = "cover 1 more line: a.py line 7",
                                      .items = &item,
                                      .count = 1,
                                      .all = 3};
    explain_text(&explanation, false, &out);
    cr_expect(strstr(text_c(&out), "cheapest way to green: cover 1 more line: a.py line 7\n"));
    cr_expect(strstr(text_c(&out), "a.py: 8 of 9 lines uncovered\n      cover: 7\n"));
    cr_expect(strstr(text_c(&out), "and 2 more"));
}

Test(gate_text, a_proposed_waiver_says_what_is_left_to_fill_in)
{
    add_findings(1, VERDICT_BLOCK);
    struct explanation explanation = {.finding = decision.findings.items,
                                      .unit = "lines",
                                      .waiver = "it's[a]\x1b",
                                      .scope = "**",
                                      .waiver_until_days = 20817,
                                      .waivers_path = "waivers.yml"};
    explain_text(&explanation, true, &out);
    cr_expect(strstr(text_c(&out), "- finding: 'it''s[a]?'\n        scope: '**'\n"), "%s",
              text_c(&out));
    cr_expect(strstr(text_c(&out), "approved_by:  #"));
    cr_expect(strstr(text_c(&out), "until: 2026-12-30\n"), "%s", text_c(&out));
}

Test(gate_text, what_is_not_the_changes_own_comes_after_what_is)
{
    add_findings(2, VERDICT_WARN);
    decision.change = true;
    decision.findings.items[0].scope = SCOPE_INHERITED;
    decision_settle(&decision, true);
    gate_text(&decision, &(struct gate_text_style){0}, &out);
    const char *own = strstr(text_c(&out), decision.findings.items[1].id);
    const char *heading = strstr(text_c(&out), "not caused by this change");
    const char *other = heading ? strstr(heading, decision.findings.items[0].id) : NULL;
    cr_expect(own && heading && other && own < heading, "%s", text_c(&out));
    cr_expect(strstr(text_c(&out), "(inherited)"));
    text_clear(&out);
    gate_markdown(&decision, LIMIT_SUMMARY_BYTES, &out);
    cr_expect(strstr(text_c(&out), "Not caused by this change"), "%s", text_c(&out));
}
