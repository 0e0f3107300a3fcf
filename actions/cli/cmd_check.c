#include "actions/cli/commands.h"
#include "actions/cli/judgement.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/companion.h"
#include "gate/doc/json.h"
#include "gate/matrices.h"
#include "gate/risk/waivers.h"

static const struct option options[] = {
    {.name = "schema", .help = "Print the JSON schema of the configuration."},
    {.name = "register-schema", .help = "Print the JSON schema of the risk register."},
    {.name = "matrix-schema", .help = "Print the JSON schema of a risk matrix."},
    {.name = "waivers-schema", .help = "Print the JSON schema of the waivers."},
    {.name = "quarantine-schema", .help = "Print the JSON schema of the quarantine."},
    {0},
};

static void add_problem(struct problems *problems, const struct error *err)
{
    problem_at(problems, err->at, "%s", err->message);
}

static void bind_companion(struct invocation *call, enum companion_kind kind,
                           const struct source *source, const struct node *root,
                           struct text *checked, struct problems *problems)
{
    struct risk_register risks;
    struct waivers waivers;
    struct quarantine quarantine;
    switch (kind) {
    case COMPANION_RISKS:
        if (register_bind(call->arena, source, root, &risks, problems) && risks.matrix->path)
            text_addf(checked, " and %s", risks.matrix->path);
        return;
    case COMPANION_WAIVERS:
        (void)waivers_bind(call->arena, root, &waivers, problems);
        return;
    case COMPANION_QUARANTINE:
        (void)quarantine_bind(call->arena, root, &quarantine, problems);
        return;
    case COMPANIONS:
        return;
    }
}

// As the working tree has it; nothing is wrong when none is named and none is there.
static void check_companion(struct invocation *call, enum companion_kind kind,
                            const struct policy *policy, str named, struct text *checked,
                            struct problems *problems)
{
    struct error err = {0};
    const struct node *root;
    struct companion file;
    struct position at = companion_named_at(kind, policy);
    if (!companion_find(call->arena, kind, &policy->source, named, &file, &err)) {
        err.at = at;
        add_problem(problems, &err);
        return;
    }
    if (!file.found) {
        if (named.len)
            problem_at(problems, at, "`%s` names %s, which is not there", companion_key(kind),
                       file.path);
        return;
    }
    text_addf(checked, " and %s", file.path);
    if (!companion_parse(call->arena, kind, &file, &root, &err))
        add_problem(problems, &err);
    else
        bind_companion(call, kind, &policy->source, root, checked, problems);
}

static bool check_all(struct invocation *call, struct judgement *judgement, struct text *checked,
                      struct problems *problems)
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
    const struct evidence_config *evidence = judgement->config.evidence;
    const str named[COMPANIONS] = {[COMPANION_RISKS] = evidence->risks,
                                   [COMPANION_WAIVERS] = evidence->waivers,
                                   [COMPANION_QUARANTINE] = evidence->quarantine};
    for (int kind = 0; kind < COMPANIONS; kind++)
        check_companion(call, (enum companion_kind)kind, &judgement->policy, named[kind], checked,
                        problems);
    return true;
}

// ---- printing -----------------------------------------------------------------------------------
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

static void add_text(const struct judgement *judgement, const struct text *checked,
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
        text_addf(text, "%s%s: no errors\n", judgement->policy.path, text_c(checked));
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
    if (option_given(&call->options, "matrix-schema"))
        return print_schema(call, &risk_matrix_shape, "A risk matrix of sluice");
    if (option_given(&call->options, "waivers-schema"))
        return print_schema(call, &waivers_shape, "The waivers of sluice");
    if (option_given(&call->options, "quarantine-schema"))
        return print_schema(call, &quarantine_shape, "The quarantine of sluice");
    struct judgement judgement = {0};
    struct problems problems = {.arena = call->arena};
    struct text out = text_of(LIMIT_CONFIG_BYTES);
    struct text checked = text_of((size_t)LIMIT_PATH * (COMPANIONS + 1)); // and a matrix
    int status;
    if (check_all(call, &judgement, &checked, &problems)) {
        problems_sort(&problems);
        if (call->format == FORMAT_JSON)
            add_json(&problems, &out);
        else
            add_text(&judgement, &checked, &problems, &out);
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
    text_done(&checked);
    judgement_done(&judgement);
    return status;
}

const struct command command_check = {
    .name = "check",
    .operands = "",
    .summary = "validates every file that sluice reads, offline; all errors at once",
    .description =
        "Reads the configuration of the working tree, the policies that it extends and\n"
        "the risk register, waivers and quarantine beside it, and says everything that is wrong\n"
        "with line and column.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
