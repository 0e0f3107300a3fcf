#include "actions/report/gate_markdown.h"
#include "actions/report/escape.h"
#include "actions/report/gate_text.h"
#include "actions/report/score_text.h"
#include "actions/report/trend.h"
#include "gate/explain.h"
#include "gate/risk/dependencies.h"

#define PLACES 10u
#define DEPENDENCY_ROWS 30u    // more changes than these nobody reads in a summary
#define RESERVE ((size_t)4096) // kept for the sentence that counts what did not fit

static const char *const marks[] = {"✅", "⚠️", "⏸", "⛔"};

static void add_cell(const char *s, struct text *out)
{
    markdown_escape(str_of(s), out);
}

void markdown_verdict(enum verdict verdict, struct text *out)
{
    static const char *const says[] = {"Pass: it may go", "Warn: it may go, with warnings",
                                       "Hold: a person must decide", "Block: it may not go"};
    text_addf(out, "%s %s", marks[verdict], says[verdict]);
}

// The same words as in the first line on a terminal.
bool gate_counts(const struct decision *decision, struct text *out)
{
    size_t blocks = decision_count(decision, VERDICT_BLOCK),
           holds = decision_count(decision, VERDICT_HOLD),
           warns = decision_count(decision, VERDICT_WARN);
    if (blocks)
        text_addf(out, "%zu blocking", blocks);
    if (holds)
        text_addf(out, "%s%zu on hold", blocks ? ", " : "", holds);
    if (warns)
        text_addf(out, "%s%zu %s", blocks || holds ? ", " : "", warns,
                  warns == 1 ? "warning" : "warnings");
    return blocks || holds || warns;
}

static void add_headline(const struct decision *decision, struct text *out)
{
    text_adds(out, "## ");
    markdown_verdict(decision->verdict, out);
    text_adds(out, "\n\n");
    if (gate_counts(decision, out))
        text_adds(out, ". ");
    if (decision->commit)
        text_addf(out, "Commit `%.12s`", decision->commit);
    if (decision->commit && decision->base)
        text_addf(out, " against `%.12s`", decision->base);
    if (decision->commit)
        text_adds(out, ". ");
    text_addf(out, "Policy `%.12s`.\n\n", decision->policy_sha256);
}

static void add_places(const struct finding *finding, struct text *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < finding->where_count && shown < PLACES; i++) {
        const struct place *place = &finding->where[i];
        if (!*place->path)
            continue;
        text_adds(out, shown ? ", <code>" : "<br>at <code>");
        add_cell(place->path, out);
        if (place->line)
            text_addf(out, ":%u", place->line);
        if (place->end_line > place->line)
            text_addf(out, "-%u", place->end_line);
        text_adds(out, "</code>");
        shown++;
    }
    uint64_t more = finding->where_count - shown + finding->where_more;
    if (shown && more)
        text_addf(out, " and %llu more", (unsigned long long)more);
}

static void add_row(const struct finding *finding, struct text *out)
{
    text_addf(out, "| %s&nbsp;%s | ", marks[finding->verdict], verdict_name(finding->verdict));
    add_cell(finding->id, out);
    if (finding->verdict > VERDICT_PASS && finding->scope != SCOPE_YOURS)
        text_addf(out, "<br>%s", scope_name(finding->scope));
    text_adds(out, " | ");
    add_cell(finding->have, out);
    text_adds(out, " | ");
    add_cell(finding->want, out);
    text_adds(out, " | ");
    markdown_words(str_of(finding->message), out);
    if (finding->verdict > VERDICT_PASS)
        add_places(finding, out);
    if (finding->advice) {
        text_adds(out, "<br>→ ");
        markdown_words(str_of(finding->advice), out);
    }
    text_adds(out, " |\n");
}

static enum finding_part part_of(const struct finding *finding)
{
    if (finding_is_aside(finding))
        return PART_ASIDE;
    return finding->verdict > VERDICT_PASS ? PART_STOPS : PART_PASSES;
}

size_t markdown_count(const struct findings *findings, unsigned parts)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += (part_of(&findings->items[i]) & parts) != 0;
    return count;
}

size_t markdown_findings(const struct findings *findings, unsigned parts, size_t max_bytes,
                         struct text *out)
{
    size_t shown = 0;
    if (markdown_count(findings, parts) == 0)
        return 0;
    text_adds(out, "| verdict | finding | have | want | what |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < findings->count; i++) {
        struct text row = text_of(65536);
        if (!(part_of(&findings->items[i]) & parts))
            continue;
        add_row(&findings->items[i], &row);
        bool fits = !text_full(&row) && out->len + row.len < max_bytes;
        if (fits) {
            text_add(out, text_str(&row));
            shown++;
        }
        text_done(&row);
    }
    text_addc(out, '\n');
    return shown;
}

// What passed is folded away when something else is to be read first.
static size_t add_passed(const struct findings *findings, size_t max_bytes, struct text *out)
{
    size_t passed = markdown_count(findings, PART_PASSES), shown;
    if (passed == findings->count || passed == 0)
        return markdown_findings(findings, PART_PASSES, max_bytes, out);
    text_addf(out, "<details><summary>%zu passed</summary>\n\n", passed);
    shown = markdown_findings(findings, PART_PASSES, max_bytes, out);
    text_adds(out, "</details>\n\n");
    return shown;
}

static void add_findings(const struct decision *decision, size_t max_bytes, struct text *out)
{
    const struct findings *findings = &decision->findings;
    size_t shown = markdown_findings(findings, PART_STOPS, max_bytes, out);
    if (markdown_count(findings, PART_ASIDE)) {
        text_addf(out, "Not caused by this %s, and it does not stop it:\n\n",
                  decision->change ? "change" : "release");
        shown += markdown_findings(findings, PART_ASIDE, max_bytes, out);
    }
    shown += add_passed(findings, max_bytes, out);
    if (shown < findings->count)
        text_addf(out, "**%zu more findings** do not fit here; the decision file lists them.\n\n",
                  findings->count - shown);
}

void markdown_totals(const struct markdown_totals *totals, struct text *out)
{
    const struct coverage_totals *coverage = &totals->coverage;
    const struct test_totals *tests = &totals->tests;
    const struct risk_totals *risks = &totals->risks;
    if (totals->has_coverage) {
        text_addf(out, "Lines covered: %llu of %llu", (unsigned long long)coverage->lines_covered,
                  (unsigned long long)coverage->lines_total);
        if (totals->has_branches)
            text_addf(out, "; branches: %llu of %llu",
                      (unsigned long long)coverage->branches_covered,
                      (unsigned long long)coverage->branches_total);
        text_addf(out, "; files: %llu.  \n", (unsigned long long)coverage->files);
    }
    if (totals->has_tests)
        text_addf(out,
                  "Tests: %llu, passed %llu, failed %llu, errors %llu, skipped %llu, flaky "
                  "%llu.  \n",
                  (unsigned long long)tests->total, (unsigned long long)tests->passed,
                  (unsigned long long)tests->failed, (unsigned long long)tests->errors,
                  (unsigned long long)tests->skipped, (unsigned long long)tests->flaky);
    if (totals->has_risks)
        text_addf(out,
                  "Risk: exposure %llu; open: %llu critical, %llu high, %llu medium, %llu "
                  "low.  \n",
                  (unsigned long long)risks->exposure,
                  (unsigned long long)risks->open[RISK_CRITICAL],
                  (unsigned long long)risks->open[RISK_HIGH],
                  (unsigned long long)risks->open[RISK_MEDIUM],
                  (unsigned long long)risks->open[RISK_LOW]);
}

static void add_totals(const struct decision *decision, struct text *out)
{
    const struct evidence *evidence = decision->evidence;
    struct markdown_totals totals = {.has_coverage = evidence->has[EVIDENCE_COVERAGE],
                                     .has_branches = evidence->coverage.has_branches,
                                     .has_tests = evidence->has[EVIDENCE_TESTS],
                                     .has_risks = decision->has_risks,
                                     .risks = decision->risks};
    if (totals.has_coverage)
        totals.coverage = coverage_totals(&evidence->coverage);
    if (totals.has_tests)
        totals.tests = tests_totals(&evidence->tests);
    markdown_totals(&totals, out);
    score_lines_markdown(decision, out);
    trend_markdown(decision, out);
}

static void add_version(const struct locked *one, struct text *out)
{
    if (one)
        markdown_escape(one->written.len ? one->written : STR("any"), out);
    else
        text_adds(out, "—");
}

// What reviewers of an upgrade look for first.
static void add_dependencies(const struct decision *decision, struct text *out)
{
    const struct dependencies *locks = decision->dependencies;
    if (!locks || locks->change_count == 0)
        return;
    if (locks->change_count > DEPENDENCY_ROWS) {
        text_addf(out, "Locked versions changed: %zu.  \n", locks->change_count);
        return;
    }
    text_addf(out,
              "\n<details><summary>Locked versions changed: %zu</summary>\n\n| what | before | "
              "after | where |\n|---|---|---|---|\n",
              locks->change_count);
    for (size_t i = 0; i < locks->change_count; i++) {
        const struct dependency_change *change = &locks->changes[i];
        const struct locked *any = change->after ? change->after : change->before;
        text_adds(out, "| ");
        markdown_escape(any->name, out);
        text_adds(out, " | ");
        add_version(change->before, out);
        text_adds(out, " | ");
        add_version(change->after, out);
        text_adds(out, " | ");
        add_cell(any->path, out);
        text_adds(out, " |\n");
    }
    text_adds(out, "\n</details>\n\n");
}

// As code: text that comes from the configuration's path stays text.
static void add_again(const struct decision *decision, struct text *out)
{
    const char *command = explain_command_elsewhere(decision->findings.arena, decision);
    if (decision->verdict == VERDICT_PASS || !command || strpbrk(command, "`\r\n"))
        return;
    text_addf(out,
              "\nWhy, and the cheapest way to green: `sluice explain`. Again on a laptop, with the "
              "same reports:\n\n```\n%s\n```\n",
              command);
}

static void add_evidence(const struct decision *decision, size_t max_bytes, struct text *out)
{
    const struct evidence *evidence = decision->evidence;
    text_adds(out, "\n<details><summary>Evidence</summary>\n\n| report | format | bytes | sha256 "
                   "|\n|---|---|---|---|\n");
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *report = &evidence->reports[i];
        if (out->len + RESERVE >= max_bytes) {
            text_addf(out, "| and %zu more | | | |\n", evidence->report_count - i);
            break;
        }
        text_adds(out, "| ");
        add_cell(report_shown(decision->findings.arena, report), out);
        text_addf(out, " | %s | %llu | `%s` |\n", report->format ? report->format : "not readable",
                  (unsigned long long)report->size_bytes, report->sha256);
    }
    text_adds(out, "\n</details>\n");
}

void gate_markdown(const struct decision *decision, size_t max_bytes, struct text *out)
{
    add_headline(decision, out);
    add_findings(decision, max_bytes - 2 * RESERVE, out);
    add_totals(decision, out);
    if (out->len + 2 * RESERVE < max_bytes)
        add_dependencies(decision, out);
    add_again(decision, out);
    add_evidence(decision, max_bytes, out);
}
