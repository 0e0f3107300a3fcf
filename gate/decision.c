#include "gate/decision.h"

#include "gate/base/moment.h"
#include "gate/decision_risk.h"

size_t decision_count(const struct decision *decision, enum verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < decision->findings.count; i++)
        count += decision->findings.items[i].verdict == verdict;
    return count;
}

// Stable, by falling verdict: four passes over the list keep the order of the rules.
static void sort_findings(struct findings *findings)
{
    struct finding *sorted = ARENA_ARRAY(findings->arena, struct finding, findings->count + 1);
    size_t n = 0;
    for (int verdict = VERDICT_BLOCK; verdict >= VERDICT_PASS; verdict--)
        for (size_t i = 0; i < findings->count; i++)
            if ((int)findings->items[i].verdict == verdict)
                sorted[n++] = findings->items[i];
    findings_reorder(findings, sorted);
}

void decision_settle(struct decision *decision, bool enforce)
{
    struct findings *findings = &decision->findings;
    decision->would_be = VERDICT_PASS;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].verdict > decision->would_be)
            decision->would_be = findings->items[i].verdict;
    decision->verdict = decision->would_be;
    decision->enforced = enforce;
    if (!enforce && decision->would_be > VERDICT_WARN) {
        struct finding *finding = finding_add(findings, "policy", VERDICT_WARN, "policy.enforce");
        finding->message = finding_text(findings, "`enforce: false`: the decision would be %s.",
                                        verdict_name(decision->would_be));
        finding->advice = "Set `enforce: true` once the findings are mended.";
        finding->judged = VERDICT_WARN;
        decision->verdict = VERDICT_WARN;
    }
    sort_findings(findings);
}

bool finding_is_aside(const struct finding *finding)
{
    return finding->verdict == VERDICT_WARN && finding->scope != SCOPE_YOURS;
}

const char *report_shown(struct arena *arena, const struct report *report)
{
    return report->entry ? arena_format(arena, "%s!%s", report->path, report->entry).data
                         : report->path;
}

static void add_text(struct json_out *out, const char *key, const char *value)
{
    if (value)
        json_add_str(out, key, str_of(value));
    else
        json_add_null(out, key);
}

static void add_pair(struct json_out *out, const char *key, uint64_t covered, uint64_t total)
{
    json_open_map(out, key);
    json_add_u64(out, "covered", covered);
    json_add_u64(out, "total", total);
    json_close(out);
}

static void add_coverage(struct json_out *out, const struct coverage *coverage)
{
    struct coverage_totals totals = coverage_totals(coverage);
    json_open_map(out, "coverage");
    add_pair(out, "lines", totals.lines_covered, totals.lines_total);
    if (coverage->has_branches)
        add_pair(out, "branches", totals.branches_covered, totals.branches_total);
    json_add_u64(out, "files", totals.files);
    json_close(out);
}

static void add_tests(struct json_out *out, const struct tests *tests)
{
    struct test_totals totals = tests_totals(tests);
    json_open_map(out, "tests");
    json_add_u64(out, "total", totals.total);
    json_add_u64(out, "passed", totals.passed);
    json_add_u64(out, "failed", totals.failed);
    json_add_u64(out, "errors", totals.errors);
    json_add_u64(out, "skipped", totals.skipped);
    json_add_u64(out, "flaky", totals.flaky);
    json_close(out);
}

static void add_vulnerabilities(struct json_out *out, const struct vulnerabilities *all)
{
    struct vulnerability_totals totals = vulnerabilities_totals(all);
    json_open_map(out, "vulnerabilities");
    json_add_u64(out, "total", totals.total);
    json_add_u64(out, "groups", totals.groups);
    json_add_u64(out, "suppressed", totals.suppressed);
    json_close(out);
}

static void add_timings(struct json_out *out, const struct timings *timings)
{
    struct timing_totals totals = timings_totals(timings);
    json_open_map(out, "timings");
    json_add_u64(out, "rows", totals.rows);
    json_add_u64(out, "requests", totals.requests);
    json_add_u64(out, "failures", totals.failures);
    json_add_u64(out, "checks", totals.checks);
    json_add_u64(out, "breached", totals.breached);
    json_close(out);
}

static void add_statements(struct json_out *out, const struct statements *statements)
{
    json_open_map(out, "statements");
    json_add_u64(out, "rows", statements->count);
    json_close(out);
}

void evidence_totals_json(const struct evidence *evidence, struct json_out *out)
{
    if (evidence->has[EVIDENCE_COVERAGE])
        add_coverage(out, &evidence->coverage);
    if (evidence->has[EVIDENCE_TESTS])
        add_tests(out, &evidence->tests);
    if (evidence->has[EVIDENCE_VULNERABILITIES])
        add_vulnerabilities(out, &evidence->vulnerabilities);
    if (evidence->has[EVIDENCE_TIMINGS])
        add_timings(out, &evidence->timings);
    if (evidence->has[EVIDENCE_STATEMENTS])
        add_statements(out, &evidence->statements);
}

static void add_risk(struct json_out *out, const struct decision *decision)
{
    const struct risk_totals *totals = &decision->risks;
    json_open_map(out, "risk");
    add_text(out, "matrix", decision->matrix ? decision->matrix->name : NULL);
    json_add_u64(out, "exposure", totals->exposure);
    json_open_map(out, "open");
    for (int i = RISK_SEVERITIES - 1; i >= 0; i--)
        json_add_u64(out, risk_severity_name((enum risk_severity)i), totals->open[i]);
    json_close(out);
    json_close(out);
}

static void add_finding(struct json_out *out, const struct finding *finding)
{
    json_open_map(out, NULL);
    add_text(out, "id", finding->id);
    add_text(out, "rule", finding->rule);
    add_text(out, "verdict", verdict_name(finding->verdict));
    add_text(out, "judged", verdict_name(finding->judged));
    add_text(out, "scope", scope_name(finding->scope));
    add_text(out, "have", finding->have);
    add_text(out, "want", finding->want);
    add_text(out, "message", finding->message);
    add_text(out, "advice", finding->advice);
    json_open_list(out, "where");
    for (size_t i = 0; i < finding->where_count; i++) {
        json_open_map(out, NULL);
        add_text(out, "path", finding->where[i].path);
        json_add_u64(out, "line", finding->where[i].line);
        if (finding->where[i].end_line > finding->where[i].line)
            json_add_u64(out, "end_line", finding->where[i].end_line);
        json_close(out);
    }
    json_close(out);
    add_text(out, "waived_by", finding->waived_by);
    json_close(out);
}

static void add_row(struct json_out *out, const char *kind, const char *format, const char *path,
                    const char *sha256, uint64_t bytes)
{
    json_open_map(out, NULL);
    add_text(out, "kind", kind);
    add_text(out, "format", format);
    add_text(out, "path", path);
    add_text(out, "sha256", sha256[0] ? sha256 : NULL);
    json_add_u64(out, "bytes", bytes);
    json_open_list(out, "suspect");
}

static void add_evidence(struct json_out *out, const struct decision *decision)
{
    const struct evidence *evidence = decision->evidence;
    json_open_list(out, "evidence");
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *report = &evidence->reports[i];
        add_row(out, evidence_kind_name(report->kind), report->format,
                report_shown(decision->findings.arena, report), report->sha256, report->size_bytes);
        for (size_t k = 0; k < report->suspicion_count; k++)
            add_text(out, NULL, report->suspicions[k]);
        if (report->error.kind != ERROR_NONE)
            add_text(out, NULL, report->error.message);
        json_close(out);
        json_close(out);
    }
    if (decision->register_path) {
        add_row(out, "risks", "risk-register", decision->register_path, decision->register_sha256,
                decision->register_bytes);
        json_close(out);
        json_close(out);
    }
    if (decision->matrix && decision->matrix->path) {
        add_row(out, "risks", "risk-matrix", decision->matrix->path, decision->matrix->sha256,
                decision->matrix->size_bytes);
        json_close(out);
        json_close(out);
    }
    json_close(out);
}

void decision_json(const struct decision *decision, struct text *text)
{
    char time[MOMENT_TEXT];
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    add_text(&out, "schema", "sluice.decision/1");
    add_text(&out, "decision", verdict_name(decision->verdict));
    add_text(&out, "commit", decision->commit);
    add_text(&out, "base", decision->base);
    add_text(&out, "policy_sha256", decision->policy_sha256);
    add_text(&out, "time", moment_format(decision->time_ms, time));
    json_open_map(&out, "totals");
    evidence_totals_json(decision->evidence, &out);
    if (decision->has_risks)
        add_risk(&out, decision);
    json_close(&out);
    decision_risk_json(decision, &out);
    json_open_list(&out, "findings");
    for (size_t i = 0; i < decision->findings.count; i++)
        add_finding(&out, &decision->findings.items[i]);
    json_close(&out);
    add_evidence(&out, decision);
    json_close(&out);
    text_addc(text, '\n');
}
