#include "actions/cli/commands.h"
#include "actions/cli/judgement.h"
#include "actions/report/explain_text.h"
#include "gate/base/limits.h"

#define ITEMS 10u     // of a finding that was asked for by name
#define ITEMS_EACH 3u // of each finding when none was

static const struct option options[] = {
    JUDGEMENT_OPTIONS,
    {0},
};

// One explanation into whichever of the two outputs is used.
static bool add_one(struct invocation *call, const struct judgement *judgement, const char *id,
                    size_t most, struct text *text, struct json_out *json)
{
    struct explanation explanation;
    if (!explain_finding(call->arena, &judgement->gate, judgement->root, id, most, &explanation,
                         &call->error))
        return false;
    if (call->format == FORMAT_JSON)
        explain_json(&explanation, json);
    else
        explain_text(&explanation, text);
    return true;
}

static bool add_all(struct invocation *call, const struct judgement *judgement, struct text *text,
                    struct json_out *json)
{
    const struct decision *decision = &judgement->gate.decision;
    bool any = decision->would_be > VERDICT_PASS;
    size_t most = call->verbose ? SIZE_MAX : ITEMS_EACH;
    for (size_t i = 0; i < decision->findings.count; i++) {
        const struct finding *finding = &decision->findings.items[i];
        if (any && finding->verdict == VERDICT_PASS)
            continue;
        if (!add_one(call, judgement, finding->id, most, text, json))
            return false;
    }
    return true;
}

static bool explain(struct invocation *call, const struct judgement *judgement, struct text *text)
{
    struct json_out json = json_out_of(text, JSON_PRETTY);
    const char *command = explain_command(call->arena, &judgement->gate.decision);
    bool ok;
    if (call->format == FORMAT_JSON) {
        json_open_map(&json, NULL);
        json_add_str(&json, "schema", STR("sluice.explanation/1"));
        json_add_str(&json, "command", str_of(command));
        json_open_list(&json, "findings");
    }
    if (call->options.operand_count)
        ok = add_one(call, judgement, call->options.operands[0], call->verbose ? SIZE_MAX : ITEMS,
                     text, &json);
    else
        ok = add_all(call, judgement, text, &json);
    if (call->format == FORMAT_JSON) {
        json_close(&json);
        json_close(&json);
        text_addc(text, '\n');
    } else {
        text_addf(text, "again: %s\n", command);
    }
    if (ok && text_full(text))
        return error_set(&call->error, ERROR_LIMIT, "the explanation is larger than %u bytes",
                         LIMIT_DECISION_BYTES);
    return ok;
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
        "Judges again and says what a finding is made of: the files or tests, where each stands\n"
        "in which report, and how many more lines of which files would turn it green.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
