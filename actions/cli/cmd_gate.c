#include "actions/cli/commands.h"
#include "actions/cli/gate_ledger.h"
#include "actions/cli/github_session.h"
#include "actions/cli/judgement.h"
#include "actions/cli/say.h"
#include "actions/github/check_run.h"
#include "actions/report/gate_text.h"
#include "gate/base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { CHECK_SUMMARY_MOST = 60000 }; // GitHub takes 65,535 characters

static const struct option options[] = {
    JUDGEMENT_OPTIONS,
    {.name = "record", .help = "Write the decision to the ledger, for `sluice rollout`."},
    {.name = "branch",
     .argument = "NAME",
     .help = "With --record: the default branch, whose runs are the baseline."},
    {.name = "check",
     .help = "Put a check run with every annotation on the commit (`checks: write`)."},
    {.name = "decision-file", .argument = "FILE", .help = "Write the decision as JSON there too."},
    {.name = "summary-file", .argument = "FILE", .help = "Write it as markdown there too."},
    {0},
};

static bool write_file(const char *path, str bytes, struct error *err)
{
    FILE *file = fopen(path, "wbe");
    if (!file)
        return error_errno(err, "writing", path);
    bool ok = fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    ok = fclose(file) == 0 && ok;
    return ok || error_set(err, ERROR_SYSTEM, "writing %s failed", path);
}

// On a runner both files are always written, so that later steps find them through the outputs.
static const char *output_path(struct invocation *call, const char *option, const char *name)
{
    const char *path = option_text(&call->options, option);
    if (path || !call->runner.is_actions || !call->runner.temp_path)
        return path;
    const char *folder = arena_format(call->arena, "%s/sluice", call->runner.temp_path).data;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return NULL;
    return arena_format(call->arena, "%s/%s", folder, name).data;
}

// ---- on a runner -------------------------------------------------------------------------------
static struct annotation annotation_of(const struct finding *finding, size_t place)
{
    struct annotation one = {
        .level = finding->verdict == VERDICT_WARN ? ANNOTATION_WARNING : ANNOTATION_ERROR,
        .title = str_of(finding->id),
        .message = str_of(finding->message),
    };
    if (place < finding->where_count) {
        one.path = str_of(finding->where[place].path);
        one.line = finding->where[place].line;
        one.end_line = finding->where[place].end_line;
    }
    return one;
}

// Every finding once, then the further places of each: the runner takes ten of a level.
static struct annotation *annotations_of(struct invocation *call, const struct decision *decision,
                                         size_t *ret_count)
{
    const struct findings *findings = &decision->findings;
    struct annotation *items = NULL;
    size_t count = 0, room = 0;
    for (size_t place = 0; place < FINDING_PLACES; place++)
        for (size_t i = 0; i < findings->count; i++) {
            const struct finding *finding = &findings->items[i];
            if (finding->verdict == VERDICT_PASS || (place && place >= finding->where_count))
                continue;
            items = arena_grow(call->arena, items, count, &room, sizeof *items);
            items[count] = annotation_of(finding, place);
            if (!decision->enforced)
                items[count].level = ANNOTATION_WARNING;
            count++;
        }
    *ret_count = count;
    return items;
}

static void annotate(struct invocation *call, const struct decision *decision, struct text *out)
{
    size_t count;
    const struct annotation *items = annotations_of(call, decision, &count);
    runner_annotations(items, count, out);
}

// In the log, folded: everything that --verbose says. With RUNNER_DEBUG=1 it was said already.
static bool print_details(struct invocation *call, const struct decision *decision)
{
    struct gate_text_style style = {.verbose = true};
    struct text text = text_of(LIMIT_DECISION_BYTES);
    if (call->quiet || call->verbose || call->format != FORMAT_TEXT)
        return true;
    gate_text(decision, &style, &text);
    bool ok = command_print_raw(call, STR("::group::What passed, every place, every report\n")) &&
              command_print(call, text_str(&text)) &&
              command_print_raw(call, STR("::endgroup::\n"));
    text_done(&text);
    return ok;
}

static bool tell_runner(struct invocation *call, const struct decision *decision, str markdown,
                        const char *decision_file, const char *summary_file)
{
    const struct runner *runner = &call->runner;
    const char *verdict = verdict_name(decision->verdict);
    struct text lines = text_of(LIMIT_SUMMARY_BYTES);
    annotate(call, decision, &lines);
    bool ok = command_print_raw(call, text_str(&lines));
    text_done(&lines);
    return ok && print_details(call, decision) && runner_summary(runner, markdown, &call->error) &&
           runner_output(runner, "decision", str_of(verdict), &call->error) &&
           runner_output(runner, "decision-file", str_of(decision_file), &call->error) &&
           runner_output(runner, "summary-file", str_of(summary_file), &call->error);
}

// ---- as a check ---------------------------------------------------------------------------------

static const char *conclusion_of(const struct decision *decision)
{
    if (decision->verdict >= VERDICT_HOLD)
        return "failure";
    return decision->verdict == VERDICT_WARN ? "neutral" : "success";
}

// The same decision of the same job of the same attempt is the same check.
static str external_id(struct invocation *call, const struct decision *decision)
{
    const struct runner *runner = &call->runner;
    return arena_format(call->arena, "%s %s %s %s", decision->commit,
                        runner->run_url ? runner->run_url : "", runner->job ? runner->job : "",
                        runner->attempt ? runner->attempt : "");
}

static bool send_check(struct invocation *call, const struct decision *decision)
{
    struct github_session session;
    struct text title = text_of(1024), summary = text_of(LIMIT_SUMMARY_BYTES);
    struct check_run check = {
        .name = "sluice",
        .head_sha = str_of(call->runner.head_sha ? call->runner.head_sha : decision->commit),
        .external_id = external_id(call, decision),
        .conclusion = conclusion_of(decision),
        .details_url = str_of(call->runner.run_url),
    };
    check.annotations = annotations_of(call, decision, &check.annotation_count);
    text_addf(&title, "%s: ", verdict_name(decision->verdict));
    if (!gate_counts(decision, &title))
        text_adds(&title, "nothing speaks against it");
    gate_markdown(decision, CHECK_SUMMARY_MOST, &summary);
    check.title = text_str(&title);
    check.summary = text_str(&summary);
    bool ok = github_session_open(call, &session);
    if (ok) {
        check.github = session.github;
        github_session_begin(&session, &check);
        check_run_begin(&check, &session.chain);
        ok = github_session_finish(&session);
    }
    check_run_done(&check);
    github_session_close(&session);
    text_done(&title);
    text_done(&summary);
    return ok;
}

// What was decided stands, whether it can be shown there or not.
static void check(struct invocation *call, const struct decision *decision)
{
    struct error before = call->error;
    if (!send_check(call, decision))
        say_line("sluice: the check is not there: %s", call->error.message);
    call->error = before;
}

// ---- the command --------------------------------------------------------------------------------
static bool say(struct invocation *call, const struct decision *decision)
{
    struct text json = text_of(LIMIT_DECISION_BYTES), markdown = text_of(LIMIT_SUMMARY_BYTES);
    struct text text = text_of(LIMIT_DECISION_BYTES);
    struct gate_text_style style = {.color = call->color, .verbose = call->verbose};
    const char *decision_file = output_path(call, "decision-file", "decision.json");
    const char *summary_file = output_path(call, "summary-file", "summary.md");
    decision_json(decision, &json);
    gate_markdown(decision, LIMIT_SUMMARY_BYTES, &markdown);
    gate_text(decision, &style, &text);
    bool ok = true;
    if (text_full(&json) || text_full(&text))
        ok = error_set(&call->error, ERROR_LIMIT, "the decision is larger than %u bytes",
                       LIMIT_DECISION_BYTES);
    if (ok && !call->quiet) {
        const struct text *shown = call->format == FORMAT_JSON       ? &json
                                   : call->format == FORMAT_MARKDOWN ? &markdown
                                                                     : &text;
        ok = command_print(call, text_str(shown));
    }
    if (ok && decision_file)
        ok = write_file(decision_file, text_str(&json), &call->error);
    if (ok && summary_file)
        ok = write_file(summary_file, text_str(&markdown), &call->error);
    if (ok && call->runner.is_actions)
        ok = tell_runner(call, decision, text_str(&markdown), decision_file, summary_file);
    text_done(&json);
    text_done(&markdown);
    text_done(&text);
    return ok;
}

static int run(struct invocation *call)
{
    struct judgement judgement = {0};
    int status = 0;
    bool record = option_given(&call->options, "record");
    if (!record && option_given(&call->options, "branch")) {
        (void)error_set(&call->error, ERROR_INPUT, "--branch goes with --record");
        return command_failed(call);
    }
    if (!judgement_make(call, &judgement) || !say(call, &judgement.gate.decision) ||
        (record && !gate_ledger_record(call, &judgement, option_text(&call->options, "branch"))))
        status = command_failed(call);
    else if (judgement.gate.decision.verdict >= VERDICT_HOLD)
        status = 1;
    if (option_given(&call->options, "check") && judgement.gate.decision.commit)
        check(call, &judgement.gate.decision);
    judgement_done(&judgement);
    return status;
}

const struct command command_gate = {
    .name = "gate",
    .operands = "",
    .summary = "evidence + policy -> decision; text, JSON and markdown",
    .description =
        "Reads the reports, judges them by the policy as it stands on the base commit, and says\n"
        "pass, warn, hold or block. Ends with 0 when the release may go and with 1 when not.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON | 1U << FORMAT_MARKDOWN,
    .run = run,
};
