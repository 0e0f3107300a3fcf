#include "actions/cli/commands.h"
#include "actions/cli/judgement.h"
#include "actions/report/gate_text.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"
#include "gate/doc/yaml.h"
#include "gate/register.h"

static const struct option options[] = {
    {.name = "schema", .help = "Print the JSON schema of the configuration."},
    {.name = "register-schema", .help = "Print the JSON schema of the risk register."},
    {0},
};

static void add_problem(struct problems *problems, const struct error *err)
{
    problem_at(problems, err->at, "%s", err->message);
}

// The register as the working tree has it; nothing is wrong when none is named and none is there.
static void check_register(struct invocation *call, const struct policy *policy, str named,
                           const char **ret_path, struct problems *problems)
{
    struct error err = {0};
    const struct node *root;
    struct risk_register risks;
    struct register_place place;
    if (!register_find(call->arena, &policy->source, named, &place, &err)) {
        err.at = register_named_at(policy);
        add_problem(problems, &err);
        return;
    }
    *ret_path = place.found ? place.path : NULL;
    if (!place.found) {
        if (named.len)
            problem_at(problems, register_named_at(policy), "`risks` names %s, which is not there",
                       place.path);
        return;
    }
    if (!yaml_parse(call->arena, place.path, place.bytes, &root, &err))
        add_problem(problems, &err);
    else
        (void)risk_register_bind(call->arena, root, &risks, problems);
}

static bool check_all(struct invocation *call, struct judgement *judgement,
                      const char **ret_register, struct problems *problems)
{
    struct policy_request request;
    if (!judgement_open_tree(call, judgement, &request))
        return false;
    struct error err = {0};
    if (!policy_load(call->arena, &request, &judgement->policy, &err)) {
        if (err.at.line == 0) { // not about a place in a file: it is not there, or cannot be read
            call->error = err;
            return false;
        }
        add_problem(problems, &err);
        return true;
    }
    (void)config_bind(call->arena, judgement->policy.tree, &judgement->config, problems);
    check_register(call, &judgement->policy, judgement->config.evidence->risks, ret_register,
                   problems);
    return true;
}

// ---- printing
// ------------------------------------------------------------------------------------
static void add_json(const struct problems *problems, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_str(&out, "schema", STR("sluice.check/1"));
    json_open_list(&out, "problems");
    for (size_t i = 0; i < problems->count; i++) {
        const struct error *one = &problems->items[i];
        json_open_map(&out, NULL);
        if (one->at.file)
            json_add_str(&out, "path", str_of(one->at.file));
        else
            json_add_null(&out, "path");
        json_add_u64(&out, "line", one->at.line);
        json_add_u64(&out, "column", one->at.column);
        json_add_str(&out, "message", str_of(one->message));
        json_close(&out);
    }
    json_close(&out);
    json_add_u64(&out, "more", problems->dropped);
    json_close(&out);
    text_addc(text, '\n');
}

static void add_text(const struct judgement *judgement, const char *register_path,
                     const struct problems *problems, struct text *text)
{
    for (size_t i = 0; i < problems->count; i++) {
        char line[1024];
        terminal_escape(str_of(error_text(&problems->items[i], line, sizeof line)), text);
        text_addc(text, '\n');
    }
    size_t count = problems->count + problems->dropped;
    if (problems->dropped)
        text_addf(text, "and %zu more\n", problems->dropped);
    if (count)
        text_addf(text, "%zu %s\n", count, count == 1 ? "error" : "errors");
    else
        text_addf(text, "%s%s%s: no errors\n", judgement->policy.path, register_path ? " and " : "",
                  register_path ? register_path : "");
}

static void annotate(struct invocation *call, const struct problems *problems, struct text *text)
{
    struct annotation *items = ARENA_ARRAY(call->arena, struct annotation, problems->count + 1);
    for (size_t i = 0; i < problems->count; i++)
        items[i] = (struct annotation){
            .level = ANNOTATION_ERROR,
            .path = str_of(problems->items[i].at.file),
            .line = problems->items[i].at.line,
            .title = STR("sluice check"),
            .message = str_of(problems->items[i].message),
        };
    runner_annotations(items, problems->count, text);
}

static int print_schema(struct invocation *call, const struct shape *shape, const char *title)
{
    struct text out = text_of(LIMIT_CONFIG_BYTES);
    shape_schema(shape, title, &out);
    call->format = FORMAT_JSON;
    bool ok = command_print(call, text_str(&out));
    text_done(&out);
    return ok ? 0 : command_failed(call);
}

static int run(struct invocation *call)
{
    if (option_given(&call->options, "schema"))
        return print_schema(call, &config_shape, "The configuration of sluice");
    if (option_given(&call->options, "register-schema"))
        return print_schema(call, &risk_register_shape, "The risk register of sluice");
    struct judgement judgement = {0};
    struct problems problems = {.arena = call->arena};
    struct text out = text_of(LIMIT_CONFIG_BYTES);
    const char *register_path = NULL;
    int status;
    if (check_all(call, &judgement, &register_path, &problems)) {
        problems_sort(&problems);
        if (call->format == FORMAT_JSON)
            add_json(&problems, &out);
        else
            add_text(&judgement, register_path, &problems, &out);
        bool ok = (call->quiet && !problems.count) || command_print(call, text_str(&out));
        if (ok && call->runner.is_actions) {
            text_clear(&out);
            annotate(call, &problems, &out);
            ok = command_print_raw(call, text_str(&out));
        }
        status = !ok ? command_failed(call) : problems.count ? 2 : 0;
    } else {
        status = command_failed(call);
    }
    text_done(&out);
    judgement_done(&judgement);
    return status;
}

const struct command command_check = {
    .name = "check",
    .operands = "",
    .summary = "validates every file that sluice reads, offline; all errors at once",
    .description = "Reads the configuration of the working tree, the policies that it extends and\n"
                   "the risk register, and says everything that is wrong with line and column.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
