// sluice verify: checks the record from its first entry on.
#include "actions/cli/commands.h"
#include "actions/cli/deployment.h"
#include "deploy/record/verify.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

static const struct option options[] = {
    {.name = "expect",
     .argument = "COMMIT",
     .help = "A commit that must be in the ledger, kept somewhere else: finds a rewritten branch."},
    {.name = "allowed-signers",
     .argument = "FILE",
     .help = "Who may sign, as in `ssh-keygen -Y`; `ledger.allowed_signers` when absent."},
    {.name = "evidence",
     .argument = "DIR",
     .help = "Compare the files of evidence that are still there, by their paths in DIR."},
    {0},
};

static bool read_signers(struct deployment *d, struct signers *ret, const struct signers **used)
{
    const char *given = option_text(&d->call->options, "allowed-signers");
    str named = node_text(node_get(d->config, "ledger"), "allowed_signers");
    const char *path = given;
    str bytes;
    if (!given && named.len)
        path = arena_format(d->arena, "%s" STR_FMT, d->root, STR_ARG(named)).data;
    if (!path)
        return true;
    if (!file_read(d->arena, path, LIMIT_CONFIG_BYTES, &bytes, &d->call->error) ||
        !signers_parse(d->arena, path, bytes, ret, &d->call->error))
        return false;
    *used = ret;
    return true;
}

static void add_text(const struct verify_result *result, struct text *out)
{
    if (result->bad)
        text_addf(out, "BAD  %s: %s\n     %zu entries before it are whole; commit %s\n",
                  result->bad, result->why, result->entries, result->bad_commit);
    else
        text_addf(out, "whole  %zu entries, %zu of them signed%s%s; newest %s\n", result->entries,
                  result->signatures, result->key ? " by " : "", result->key ? result->key : "",
                  result->tip);
    if (result->kept)
        text_addf(out, "       evidence: %zu %s kept in the ledger\n", result->kept,
                  result->kept == 1 ? "file is" : "files are");
    if (result->evidence || result->evidence_absent)
        text_addf(out, "       evidence: %zu files are as recorded, %zu are not here\n",
                  result->evidence, result->evidence_absent);
}

static void add_json(const struct verify_result *result, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.verify/1"));
    json_add_bool(&json, "whole", result->bad == NULL);
    json_add_u64(&json, "entries", result->entries);
    json_add_u64(&json, "signatures", result->signatures);
    json_add_u64(&json, "evidence_kept", result->kept);
    json_add_str(&json, "tip", str_of(result->tip));
    if (result->bad) {
        json_add_str(&json, "bad", str_of(result->bad));
        json_add_str(&json, "why", str_of(result->why));
        json_add_str(&json, "commit", str_of(result->bad_commit));
    }
    json_close(&json);
    text_addc(out, '\n');
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct signers signers;
    struct verify_result result;
    struct verify_request request = {
        .expect = str_of(option_text(&call->options, "expect")),
        .evidence = option_text(&call->options, "evidence"),
    };
    struct text out = text_of(1 << 20);
    // A ledger that is too damaged to be opened is what this command is for.
    bool opened = deployment_open(call, true, &d);
    if (!opened && !d.branch)
        return command_failed(call);
    call->error = (struct error){0};
    request.where = deployment_store(&d);
    int code = 0;
    if (read_signers(&d, &signers, &request.signers) &&
        ledger_verify(&request, call->arena, &result, &call->error)) {
        if (opened && !result.bad && ledger_was_rewritten(d.ledger)) {
            result.bad = d.remote;
            result.why = "the branch on the remote has lost entries that it had: it was rewritten";
            memcpy(result.bad_commit, result.tip, sizeof result.tip);
        }
        if (call->format == FORMAT_JSON)
            add_json(&result, &out);
        else
            add_text(&result, &out);
        code = !command_print(call, text_str(&out)) ? command_failed(call) : result.bad ? 1 : 0;
    } else {
        code = command_failed(call);
    }
    text_done(&out);
    if (opened)
        deployment_close(&d);
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .operands = "",
    .summary = "check the record from its first entry on",
    .description =
        "Every entry once and unchanged, sequences without gaps, signatures, leases, and "
        "that each rollout went as\nrollouts can go. Names the first bad entry. Exit code "
        "1: the record is not whole.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
