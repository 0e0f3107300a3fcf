#include "actions/cli/commands.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/decision.h"
#include "gate/reports/reader.h"

struct read_file { // what one operand came to
    const struct report *report;
    struct evidence evidence;
    struct error error; // of the reading; ERROR_NONE when it was read
};

static bool trusted(const struct read_file *file)
{
    return file->error.kind == ERROR_NONE && file->report->suspicion_count == 0;
}

static void read_one(const char *path, struct read_file *file)
{
    (void)report_read(&file->evidence, path, path, &file->error);
    if (file->evidence.report_count)
        file->report = &file->evidence.reports[0];
    tests_settle(&file->evidence.tests);
    if (file->error.kind == ERROR_INPUT && !file->error.at.file)
        file->error.at = (struct position){path, 1, 1}; // about the content as a whole
}

// A file that could not be opened has no digest, not that of nothing.
static bool has_digest(const struct read_file *file)
{
    bool opened = file->error.kind == ERROR_NONE || file->error.kind == ERROR_INPUT ||
                  file->error.kind == ERROR_LIMIT;
    return opened && file->report && file->report->sha256[0];
}

// ---- JSON ------------------------------------------------------------------------------------
static void add_or_null(struct json_out *out, const char *key, const char *value)
{
    if (value && *value)
        json_add_str(out, key, str_of(value));
    else
        json_add_null(out, key);
}

static void add_file_json(const char *path, const struct read_file *file, struct json_out *out)
{
    const struct report *report = file->report;
    bool failed = file->error.kind != ERROR_NONE;
    json_open_map(out, NULL);
    json_add_str(out, "path", str_of(path));
    add_or_null(out, "sha256", has_digest(file) ? report->sha256 : NULL);
    json_add_u64(out, "bytes", report ? report->size_bytes : 0);
    add_or_null(out, "format", report ? report->format : NULL);
    add_or_null(out, "kind", report && report->format ? evidence_kind_name(report->kind) : NULL);
    json_open_map(out, "totals");
    if (!failed)
        evidence_totals_json(&file->evidence, out);
    json_close(out);
    json_open_list(out, "suspect");
    for (size_t i = 0; report && i < report->suspicion_count; i++)
        json_add_str(out, NULL, str_of(report->suspicions[i]));
    json_close(out);
    if (failed) {
        char text[1024];
        json_add_str(out, "error", str_of(error_text(&file->error, text, sizeof text)));
    } else {
        json_add_null(out, "error");
    }
    json_close(out);
}

static void print_json(const char **paths, const struct read_file *files, size_t count,
                       struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_str(&out, "schema", STR("sluice.reading/1"));
    json_open_list(&out, "files");
    for (size_t i = 0; i < count; i++)
        add_file_json(paths[i], &files[i], &out);
    json_close(&out);
    json_close(&out);
    text_addc(text, '\n');
}

// ---- text ------------------------------------------------------------------------------------
static void add_share(const char *what, uint64_t covered, uint64_t total, struct text *out)
{
    text_addf(out, "  %-9s %llu of %llu", what, (unsigned long long)covered,
              (unsigned long long)total);
    if (total) {
        text_adds(out, " (");
        text_add_percent(out, covered, total, 2);
        text_adds(out, "%)");
    }
    text_addc(out, '\n');
}

static void add_coverage(const struct coverage *coverage, struct text *out)
{
    struct coverage_totals totals = coverage_totals(coverage);
    add_share("lines", totals.lines_covered, totals.lines_total, out);
    if (coverage->has_branches)
        add_share("branches", totals.branches_covered, totals.branches_total, out);
    text_addf(out, "  files     %llu\n", (unsigned long long)totals.files);
}

static void add_tests(const struct tests *tests, struct text *out)
{
    struct test_totals totals = tests_totals(tests);
    text_addf(out,
              "  tests     %llu: %llu passed, %llu failed, %llu errors, %llu skipped, %llu "
              "flaky\n",
              (unsigned long long)totals.total, (unsigned long long)totals.passed,
              (unsigned long long)totals.failed, (unsigned long long)totals.errors,
              (unsigned long long)totals.skipped, (unsigned long long)totals.flaky);
}

static void add_vulnerabilities(const struct vulnerabilities *all, struct text *out)
{
    struct vulnerability_totals totals = vulnerabilities_totals(all);
    text_addf(out, "  findings  %llu in %llu groups, %llu suppressed\n",
              (unsigned long long)totals.total, (unsigned long long)totals.groups,
              (unsigned long long)totals.suppressed);
}

static void add_timings(const struct timings *timings, struct text *out)
{
    struct timing_totals totals = timings_totals(timings);
    text_addf(out, "  timings   %llu rows, %llu requests, %llu failed\n",
              (unsigned long long)totals.rows, (unsigned long long)totals.requests,
              (unsigned long long)totals.failures);
    if (totals.checks)
        text_addf(out, "  checks    %llu, %llu breached\n", (unsigned long long)totals.checks,
                  (unsigned long long)totals.breached);
}

static void add_totals(const struct evidence *evidence, struct text *out)
{
    const bool *has = evidence->has;
    if (has[EVIDENCE_COVERAGE])
        add_coverage(&evidence->coverage, out);
    if (has[EVIDENCE_TESTS])
        add_tests(&evidence->tests, out);
    if (has[EVIDENCE_VULNERABILITIES])
        add_vulnerabilities(&evidence->vulnerabilities, out);
    if (has[EVIDENCE_TIMINGS])
        add_timings(&evidence->timings, out);
    if (has[EVIDENCE_STATEMENTS])
        text_addf(out, "  statements %zu\n", evidence->statements.count);
}

static void add_file_text(const char *path, const struct read_file *file, struct text *out)
{
    const struct report *report = file->report;
    bool failed = file->error.kind != ERROR_NONE;
    terminal_escape(str_of(path), out);
    if (report && report->format)
        text_addf(out, ": %s (%s)", report->format, evidence_kind_name(report->kind));
    if (has_digest(file))
        text_addf(out, ", %llu bytes", (unsigned long long)report->size_bytes);
    text_addc(out, '\n');
    if (has_digest(file))
        text_addf(out, "  sha256    %s\n", report->sha256);
    if (!failed)
        add_totals(&file->evidence, out);
    for (size_t i = 0; report && i < report->suspicion_count; i++) {
        text_adds(out, "  suspect   ");
        terminal_escape(str_of(report->suspicions[i]), out);
        text_addc(out, '\n');
    }
    if (failed) {
        char text[1024];
        text_adds(out, "  unusable  ");
        terminal_escape(str_of(error_text(&file->error, text, sizeof text)), out);
        text_addc(out, '\n');
    }
}

static void add_file_markdown(const char *path, const struct read_file *file, struct text *out)
{
    struct text totals = text_of(1024);
    bool failed = file->error.kind != ERROR_NONE;
    text_adds(out, "| ");
    markdown_escape(str_of(path), out);
    text_addf(out, " | %s | ", file->report && file->report->format ? file->report->format : "");
    if (failed) {
        markdown_escape(str_of(file->error.message), out);
    } else {
        add_totals(&file->evidence, &totals);
        markdown_escape(str_trim(text_str(&totals)), out);
    }
    text_adds(out, " | ");
    for (size_t i = 0; file->report && i < file->report->suspicion_count; i++) {
        text_adds(out, i ? "<br>" : "");
        markdown_escape(str_of(file->report->suspicions[i]), out);
    }
    text_adds(out, " |\n");
    text_done(&totals);
}

static int run(struct invocation *call)
{
    size_t count = call->options.operand_count;
    const char **paths = call->options.operands;
    struct read_file *files = ARENA_ARRAY(call->arena, struct read_file, count);
    struct text out = text_of(LIMIT_DECISION_BYTES);
    bool all_trusted = true;
    for (size_t i = 0; i < count; i++) {
        read_one(paths[i], &files[i]);
        all_trusted &= trusted(&files[i]);
    }
    if (call->format == FORMAT_JSON)
        print_json(paths, files, count, &out);
    if (call->format == FORMAT_MARKDOWN)
        text_adds(&out, "| file | format | holds | suspect |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        if (call->format == FORMAT_TEXT)
            add_file_text(paths[i], &files[i], &out);
        else if (call->format == FORMAT_MARKDOWN)
            add_file_markdown(paths[i], &files[i], &out);
    }
    bool printed = call->quiet || command_print(call, text_str(&out));
    text_done(&out);
    for (size_t i = 0; i < count; i++)
        evidence_done(&files[i].evidence);
    if (!printed)
        return command_failed(call);
    return all_trusted ? 0 : 2;
}

const struct command command_read = {
    .name = "read",
    .operands = "FILE…",
    .operands_min = 1,
    .operands_max = LIMIT_REPORT_FILES,
    .summary = "what a report holds: format recognised, totals, suspicions",
    .description = "Reads reports as the gate would and says what they hold. The format is\n"
                   "recognised from the content. Ends with 2 when a file cannot be trusted as "
                   "evidence.",
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON | 1U << FORMAT_MARKDOWN,
    .run = run,
};
