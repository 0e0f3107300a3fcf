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
        {"a|b", "a\\|b"},
        {"<b>&</b>", "&lt;b&gt;&amp;&lt;/b&gt;"},
        {"@alice #12", "&#64;alice &#35;12"},
        {"[x](http://y)", "\\[x\\]\\(http&#58;//y\\)"},
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
    struct explained_item item = {.name = "a.py", .covered = 1, .total = 9};
    struct explanation explanation = {.finding = decision.findings.items,
                                      .unit = "lines",
                                      .needed = 1,
                                      .enough = 1,
                                      .items = &item,
                                      .count = 1,
                                      .all = 3};
    explain_text(&explanation, &out);
    cr_expect(strstr(text_c(&out), "cover 1 more line; the first of these files has enough"));
    cr_expect(strstr(text_c(&out), "a.py: 8 of 9 uncovered"));
    cr_expect(strstr(text_c(&out), "and 2 more"));
}
