// Whether the evidence can be believed. Missing, empty, unreadable and suspect evidence is a
// finding of its own and never a pass; what it does is `on_missing`.
#include "gate/rules/name_list.h"
#include "gate/rules/registry.h"

#define NAMED 5u // paths or patterns named in one message

static const char *const kind_words[EVIDENCE_KINDS] = {"coverage", "test", "vulnerability",
                                                       "performance", "VEX or catalogue"};
// What `evidence:` calls a kind.
static const char *const kind_keys[EVIDENCE_KINDS] = {"coverage", "tests", "vulnerabilities",
                                                      "performance", "vulnerabilities"};

static const char *report_name(const struct report *report, struct findings *out)
{
    return report->entry ? finding_text(out, "%s!%s", report->path, report->entry) : report->path;
}

static void say_unreadable(const struct rule_context *context, const struct report *report,
                           struct findings *out)
{
    const char *name = report_name(report, out);
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing, "evidence.%s.unreadable[%s]",
                    evidence_kind_name(report->kind), name);
    finding->message =
        finding_text(out, "%s cannot be used as evidence: %s.", name, report->error.message);
    finding->advice = "See that the step which writes it ended well.";
    finding_place(out, finding, report->path, report->error.at.line, 0);
}

static void say_suspect(const struct rule_context *context, const struct report *report,
                        struct findings *out)
{
    const char *name = report_name(report, out);
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing, "evidence.%s.suspect[%s]",
                    evidence_kind_name(report->kind), name);
    struct text text = text_of(4096);
    for (size_t i = 0; i < report->suspicion_count; i++)
        text_addf(&text, "%s%s", i ? "; " : "", report->suspicions[i]);
    finding->have = finding_text(out, "%zu", report->suspicion_count);
    finding->want = "0";
    finding->message = finding_text(out, "%s contradicts itself: %s.", name, text_c(&text));
    finding->advice = finding_text(out, "`sluice read %s` shows what it holds.", report->path);
    finding_place(out, finding, report->path, 0, 0);
    text_done(&text);
}

static void say_duplicate(const struct report *report, struct findings *out)
{
    const char *name = report_name(report, out);
    struct finding *finding =
        finding_add(out, "evidence", VERDICT_WARN, "evidence.%s.duplicate[%s]",
                    evidence_kind_name(report->kind), name);
    finding->message =
        finding_text(out, "%s is the same file as an earlier report; it was counted once.", name);
    finding_place(out, finding, report->path, 0, 0);
}

// A scanner that failed, one that looked at nothing, and one that found nothing are three different
// things; only the last is evidence.
static void say_no_scan(const struct rule_context *context, const struct report *report,
                        struct findings *out)
{
    const char *name = report_name(report, out);
    bool failed = report->scanner_failed != NULL;
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing, "evidence.%s.%s[%s]",
                    evidence_kind_name(report->kind), failed ? "failed" : "nothing", name);
    finding->message =
        failed ? finding_text(out, "The scanner that wrote %s failed: %s.", name,
                              report->scanner_failed)
               : finding_text(out, "The scanner that wrote %s looked at nothing: %s.", name,
                              report->suspicion_count ? report->suspicions[0] : "it says so");
    finding->advice = "Mend the scan: what was not looked at is not known to be well.";
    finding_place(out, finding, report->path, 0, 0);
}

static void say_stale(const struct rule_context *context, const struct report *report,
                      int64_t made_ms, struct findings *out)
{
    int64_t age_ms = context->in->now_ms - made_ms;
    const char *name = report_name(report, out);
    struct finding *finding = finding_add(out, "evidence", context->in->on_missing,
                                          "evidence.vulnerabilities.stale[%s]", name);
    bool future = age_ms < 0;
    finding->have = finding_text(out, "%lld h", (long long)(age_ms / MS_HOUR));
    finding->want =
        finding_text(out, "%lld h", (long long)(context->in->scanner_max_age_ms / MS_HOUR));
    finding->message = future ? finding_text(out, "%s says that it was made in the future.", name)
                              : finding_text(out, "%s was made %s ago; it may be at most %s old.",
                                             name, finding->have, finding->want);
    finding->advice = "Scan again before the gate.";
    finding_place(out, finding, report->path, 0, 0);
}

// Clocks of two machines may differ a little.
#define SKEW_MS (10 * MS_MINUTE)

static void judge_age(const struct rule_context *context, const struct report *report,
                      struct findings *out)
{
    int64_t made_ms = report->made_ms ? report->made_ms : report->modified_ms;
    int64_t age_ms = context->in->now_ms - made_ms;
    if (report->kind != EVIDENCE_VULNERABILITIES || !context->in->scanner_max_age_ms || !made_ms)
        return;
    if (age_ms > context->in->scanner_max_age_ms || (report->made_ms && age_ms < -SKEW_MS))
        say_stale(context, report, made_ms, out);
}

static void judge_report(const struct rule_context *context, const struct report *report,
                         struct findings *out)
{
    if (report->error.kind == ERROR_NONE && !report->duplicate)
        judge_age(context, report, out);
    if (report->error.kind != ERROR_NONE)
        say_unreadable(context, report, out);
    else if (report->duplicate)
        say_duplicate(report, out);
    else if (report->scanner_failed || report->nothing_audited)
        say_no_scan(context, report, out);
    else if (report->suspicion_count)
        say_suspect(context, report, out);
}

// The first few names or patterns that were looked for.
static const char *looked_for(const struct evidence_need *need, struct findings *out)
{
    str rest = str_of(need->looked_for);
    size_t shown = 0, end = 0;
    while (shown < NAMED && end < rest.len) {
        size_t comma = str_find(str_from(rest, end + 1), ',');
        end = comma == STR_NONE ? rest.len : end + 1 + comma;
        shown++;
    }
    if (rest.len == 0)
        return "";
    return finding_text(out, " (looked for: " STR_FMT "%s)", STR_ARG(str_first(rest, end)),
                        end < rest.len ? ", …" : "");
}

static size_t usable_reports(const struct evidence *evidence, enum evidence_kind kind)
{
    size_t usable = 0;
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *report = &evidence->reports[i];
        usable += report->kind == kind && report->error.kind == ERROR_NONE && !report->duplicate;
    }
    return usable;
}

// Each pattern of the configuration must have matched, and there must be as many shards as said.
static void judge_search(const struct rule_context *context, enum evidence_kind kind,
                         struct findings *out)
{
    const struct evidence_need *need = &context->in->needs[kind];
    for (size_t i = 0; i < need->missing_count; i++) {
        struct finding *finding =
            finding_add(out, "evidence", context->in->on_missing, "evidence.%s.missing[%s]",
                        evidence_kind_name(kind), need->missing[i]);
        finding->message = finding_text(out, "No file matches `%s`: that %s evidence is missing.",
                                        need->missing[i], kind_words[kind]);
        finding->advice = "Run the step that writes it before the gate, or correct the pattern.";
    }
    size_t usable = usable_reports(context->in->evidence, kind);
    if (need->shards && usable < need->shards) {
        struct finding *finding = finding_add(out, "evidence", context->in->on_missing,
                                              "evidence.%s.shards", evidence_kind_name(kind));
        finding->have = finding_text(out, "%zu", usable);
        finding->want = finding_text(out, "%u", need->shards);
        finding->message = finding_text(out, "%zu of %u %s shards are there.", usable, need->shards,
                                        kind_words[kind]);
        finding->advice = "See that every shard uploads its report.";
    }
}

static void say_missing(const struct rule_context *context, enum evidence_kind kind,
                        const char *message, struct findings *out)
{
    struct finding *finding = finding_add(out, "evidence", context->in->on_missing,
                                          "evidence.%s.missing", evidence_kind_name(kind));
    finding->message = message;
    finding->advice = finding_text(
        out, "Write a report in the step before the gate, or name it under `evidence: %s:`.",
        kind_keys[kind]);
}

// A report that was read but holds nothing is as good as none, whoever asked for it.
static void judge_content(const struct rule_context *context, enum evidence_kind kind,
                          struct findings *out)
{
    const struct evidence *evidence = context->in->evidence;
    const struct evidence_need *need = &context->in->needs[kind];
    if (!evidence->has[kind]) {
        if (need->asked && need->missing_count == 0)
            say_missing(context, kind,
                        finding_text(out, "There is no usable %s report%s.", kind_words[kind],
                                     looked_for(need, out)),
                        out);
        return;
    }
    if (kind == EVIDENCE_COVERAGE) {
        if (coverage_totals(&evidence->coverage).lines_total == 0)
            say_missing(context, kind, "The coverage reports hold no line.", out);
        return;
    }
    if (kind != EVIDENCE_TESTS)
        return;
    struct test_totals totals = tests_totals(&evidence->tests);
    if (totals.total == 0)
        say_missing(context, kind, "The test reports hold no test.", out);
    else if (totals.total == totals.skipped)
        say_missing(context, kind,
                    finding_text(out, "All %llu tests were skipped: nothing was tested.",
                                 (unsigned long long)totals.total),
                    out);
}

// Is this path of a report inside of that folder, whatever stands before it?
static bool lies_in(str reported, str folder)
{
    for (size_t at = str_search(reported, folder); at != STR_NONE;) {
        str rest = str_from(reported, at + folder.len);
        if ((at == 0 || reported.data[at - 1] == '/') && str_starts(rest, STR("/")))
            return true;
        size_t next = str_search(str_from(reported, at + 1), folder);
        at = next == STR_NONE ? STR_NONE : at + 1 + next;
    }
    return false;
}

// The submodule that an unmatched file belongs to; null when it belongs to none.
static const str *submodule_of(const struct rule_input *in, const struct covered_file *file)
{
    for (size_t i = 0; i < in->submodule_count; i++)
        if (lies_in(file->reported, in->submodules[i]))
            return &in->submodules[i];
    return NULL;
}

static void judge_submodules(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct coverage *coverage = &in->evidence->coverage;
    const str *first = NULL;
    size_t inside = 0;
    for (size_t i = 0; in->submodule_count && i < coverage->count; i++) {
        if (coverage->files[i].path.len || context->scope.ignored[i])
            continue;
        const str *folder = submodule_of(in, &coverage->files[i]);
        first = first ? first : folder;
        inside += folder != NULL;
    }
    if (!first)
        return;
    bool all = inside == coverage->count;
    struct finding *finding = finding_add(out, "evidence", all ? in->on_missing : VERDICT_WARN,
                                          "evidence.coverage.submodules");
    finding->have = finding_text(out, "%zu/%zu", inside, coverage->count);
    finding->want = "0";
    finding->message = finding_text(out,
                                    "%zu of %zu covered files lie in a submodule (" STR_FMT
                                    "%s): a change of it is no changed line here.",
                                    inside, coverage->count, STR_ARG(*first),
                                    in->submodule_count > 1 ? ", …" : "");
    finding->advice = "Judge the submodule in its own repository, and `ignore` its paths here.";
}

// Paths that are not in the repository: a wrong prefix would make changed files vanish.
static void judge_unmatched(const struct rule_context *context, struct findings *out)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < coverage->count; i++) {
        if (coverage->files[i].path.len || context->scope.ignored[i] ||
            submodule_of(context->in, &coverage->files[i]))
            continue;
        name_list_add(&names, coverage->files[i].reported);
    }
    size_t unmatched = names.count;
    if (unmatched) {
        bool all = unmatched == coverage->count;
        struct finding *finding =
            finding_add(out, "evidence", all ? context->in->on_missing : VERDICT_WARN,
                        "evidence.coverage.unmatched");
        finding->have = finding_text(out, "%zu/%zu", unmatched, coverage->count);
        finding->want = "0";
        finding->message = finding_text(out,
                                        "%zu of %zu covered files are not in the repository: "
                                        "%s.",
                                        unmatched, coverage->count, name_list_words(&names, out));
        finding->advice = "Name the prefix under `evidence: coverage: strip:`, or `ignore` these "
                          "paths.";
    }
    name_list_done(&names);
}

static void judge_register(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    if (in->risks || !in->risks_asked)
        return;
    struct finding *finding =
        finding_add(out, "evidence", in->on_missing, "evidence.risks.missing");
    finding->message =
        finding_text(out, "There is no risk register%s%s.", in->risks_path ? " at " : "",
                     in->risks_path ? in->risks_path : "");
    finding->advice = "Name it under `evidence: risks:`.";
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct evidence *evidence = context->in->evidence;
    for (size_t i = 0; i < evidence->report_count; i++)
        judge_report(context, &evidence->reports[i], out);
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        judge_search(context, (enum evidence_kind)kind, out);
        judge_content(context, (enum evidence_kind)kind, out);
    }
    judge_unmatched(context, out);
    judge_submodules(context, out);
    judge_register(context, out);
}

const struct rule rule_evidence = {"evidence", "Evidence", judge};
