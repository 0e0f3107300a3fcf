#include "actions/cli/commands.h"
#include "actions/cli/judgement.h"
#include "actions/report/escape.h"
#include "actions/report/explain_text.h"
#include "gate/base/limits.h"

#define ITEMS 10u     // of a finding that was asked for by name
#define ITEMS_EACH 3u // of each finding when none was
#define FINDINGS 20u  // that are told whole then

static const struct option options[] = {
    JUDGEMENT_OPTIONS,
    {0},
};

static bool explain_one(struct invocation *call, const struct judgement *judgement, const char *id,
                        size_t most, struct explanation *ret)
{
    return explain_finding(call->arena, &judgement->gate, judgement->root, id,
                           call->verbose ? SIZE_MAX : most, ret, &call->error);
}

// Everything that does not pass; of a pass all there is.
static bool explain_all(struct invocation *call, const struct judgement *judgement,
                        struct explanation **ret, size_t *ret_count)
{
    const struct decision *decision = &judgement->gate.decision;
    const struct findings *findings = &decision->findings;
    bool any = decision->would_be > VERDICT_PASS;
    size_t count = 0;
    struct explanation *list = ARENA_ARRAY(call->arena, struct explanation, findings->count + 1);
    for (size_t i = 0; i < findings->count; i++) {
        if (any && findings->items[i].verdict == VERDICT_PASS)
            continue;
        if (!explain_one(call, judgement, findings->items[i].id, ITEMS_EACH, &list[count++]))
            return false;
    }
    *ret = list;
    *ret_count = count;
    return true;
}

// Of a run on CI: all that it takes on a laptop. Reports are not in git.
static void add_again(struct invocation *call, const struct gate *gate, struct text *out)
{
    const struct decision *decision = &gate->decision;
    const char *elsewhere = explain_command_elsewhere(call->arena, decision);
    if (!call->runner.is_actions || !elsewhere) {
        text_addf(out, "again: %s\n", explain_command(call->arena, decision));
        return;
    }
    text_addf(out, "again on a laptop: %s\n", elsewhere);
    text_adds(out, "  with the reports of this run in their places:");
    for (size_t i = 0; i < gate->evidence.report_count && i < ITEMS; i++) {
        text_adds(out, i ? ", " : " ");
        terminal_escape(str_of(gate->evidence.reports[i].path), out);
    }
    if (gate->evidence.report_count > ITEMS)
        text_addf(out, " and %zu more", gate->evidence.report_count - ITEMS);
    if (call->runner.run_url)
        text_addf(out, " (%s)", call->runner.run_url);
    text_addc(out, '\n');
}

static void add_text(struct invocation *call, const struct judgement *judgement,
                     const struct explanation *list, size_t count, struct text *text)
{
    bool named = call->options.operand_count != 0;
    size_t shown = named || call->verbose || count < FINDINGS ? count : FINDINGS;
    if (!named)
        explain_summary(&judgement->gate.decision, list, count, text);
    for (size_t i = 0; i < shown; i++)
        explain_text(&list[i], named, text);
    if (shown < count)
        text_addf(text, "and %zu more findings (--verbose tells all)\n", count - shown);
    add_again(call, &judgement->gate, text);
}

static void add_json(struct invocation *call, const struct judgement *judgement,
                     const struct explanation *list, size_t count, struct text *text)
{
    const struct decision *decision = &judgement->gate.decision;
    const char *elsewhere = explain_command_elsewhere(call->arena, decision);
    struct json_out json = json_out_of(text, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.explanation/1"));
    json_add_str(&json, "decision", str_of(verdict_name(decision->verdict)));
    json_add_str(&json, "command", str_of(explain_command(call->arena, decision)));
    if (elsewhere)
        json_add_str(&json, "elsewhere", str_of(elsewhere));
    json_open_list(&json, "findings");
    for (size_t i = 0; i < count; i++)
        explain_json(&list[i], &json);
    json_close(&json);
    json_close(&json);
    text_addc(text, '\n');
}

static bool explain(struct invocation *call, const struct judgement *judgement, struct text *text)
{
    struct explanation one, *list = &one;
    size_t count = 1;
    bool ok = call->options.operand_count
                  ? explain_one(call, judgement, call->options.operands[0], ITEMS, &one)
                  : explain_all(call, judgement, &list, &count);
    if (!ok)
        return false;
    if (call->format == FORMAT_JSON)
        add_json(call, judgement, list, count, text);
    else
        add_text(call, judgement, list, count, text);
    return !text_full(text) ||
           error_set(&call->error, ERROR_LIMIT, "the explanation is larger than %u bytes",
                     LIMIT_DECISION_BYTES);
}

static int run(struct invocation *call)
{
    struct judgement judgement = {0};
    struct text text = text_of(LIMIT_DECISION_BYTES);
    bool ok = judgement_make(call, &judgement) && explain(call, &judgement, &text) &&
              command_print(call, text_str(&text));
    text_done(&text);
    judgement_done(&judgement);
    return ok ? 0 : command_failed(call);
}

const struct command command_explain = {
    .name = "explain",
    .operands = "[FINDING]",
    .operands_max = 1,
    .summary = "each number back to file, line, byte range and sha256; the cheapest way to green",
    .description =
        "Judges again and says why it is red: what stops it and the cheapest way to green, then "
        "what\n"
        "each finding is made of and where that stands in which report. With FINDING, one of them\n"
        "whole, and a waiver to fill in.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
