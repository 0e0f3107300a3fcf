#include "actions/cli/commands.h"
#include "actions/cli/github_session.h"
#include "actions/cli/say.h"
#include "actions/github/sticky_comment.h"
#include "actions/report/told_decision.h"
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/source.h"

#include <stdio.h>

enum { COMMENT_MOST = 65000 }; // GitHub takes 65,536 characters

static const struct option options[] = {
    {.name = "head",
     .argument = "COMMIT",
     .help = "What was judged; of a `workflow_run`, what GitHub says."},
    {.name = "run", .argument = "URL", .help = "The run that judged it; likewise."},
    {.name = "post",
     .help = "Write it to the pull request, in place of the one that was written before."},
    {.name = "pull",
     .argument = "NUMBER",
     .help = "With --post: this one; of a `workflow_run`, the open one of its branch."},
    {.name = "output", .argument = "FILE", .help = "Write it there instead of printing it."},
    {0},
};

// A link cannot be left by what stands in it.
static bool is_link(str s)
{
    bool ok = str_starts(s, STR("https://")) || str_starts(s, STR("http://"));
    for (size_t i = 0; ok && i < s.len; i++)
        ok = s.data[i] > ' ' && s.data[i] < 0x7f && !strchr("()<>[]\"`\\", s.data[i]);
    return ok;
}

static bool find_source(struct invocation *call, struct told_source *ret)
{
    const struct runner_finished *finished = call->runner.finished;
    const char *head = option_text(&call->options, "head");
    const char *run = option_text(&call->options, "run");
    *ret = (struct told_source){
        .head_sha = str_of(head       ? head
                           : finished ? finished->head_sha
                                      : NULL),
        .run_url = str_of(run        ? run
                          : finished ? finished->run_url
                                     : NULL),
    };
    if (!str_is_hex(ret->head_sha, 40))
        return error_set(&call->error, ERROR_INPUT,
                         "say with --head which commit was judged, in 40 digits: only the event of "
                         "a `workflow_run` says it by itself");
    if (!is_link(ret->run_url))
        return error_set(&call->error, ERROR_INPUT,
                         "say with --run the address of the run that judged it");
    return true;
}

static bool put(struct invocation *call, str markdown)
{
    const char *path = option_text(&call->options, "output");
    if (!path)
        return command_print(call, markdown);
    FILE *file = fopen(path, "wbe");
    if (!file)
        return error_errno(&call->error, "writing", path);
    bool ok = fwrite(markdown.data, 1, markdown.len, file) == markdown.len;
    ok = fclose(file) == 0 && ok;
    return ok || error_set(&call->error, ERROR_SYSTEM, "writing %s failed", path);
}

// ---- on the pull request ------------------------------------------------------------------------

static bool find_pull(struct invocation *call, struct sticky_comment *sticky)
{
    const struct runner_finished *finished = call->runner.finished;
    const char *pull = option_text(&call->options, "pull");
    if (pull && (!number_i64(str_of(pull), &sticky->number) || sticky->number < 1))
        return error_set(&call->error, ERROR_INPUT, "--pull takes a number, not `%s`", pull);
    if (!pull && !finished)
        return error_set(&call->error, ERROR_INPUT,
                         "say with --pull on which pull request: only the event of a "
                         "`workflow_run` says where the commit comes from");
    if (!pull) {
        sticky->owner = str_of(finished->head_owner);
        sticky->branch = str_of(finished->head_branch);
    }
    return true;
}

static void tell(struct invocation *call, const struct sticky_comment *sticky)
{
    if (call->quiet)
        return;
    if (sticky->outdated)
        say_line("sluice: pull request %lld has gone on since: nothing is written",
                 (long long)sticky->number);
    else if (!sticky->number)
        say_line("sluice: no open pull request comes from " STR_FMT ":" STR_FMT,
                 STR_ARG(sticky->owner), STR_ARG(sticky->branch));
    else
        say_line("sluice: the comment is at " STR_FMT, STR_ARG(sticky->url));
}

static bool post(struct invocation *call, const struct told_source *source, str markdown)
{
    struct github_session session;
    struct sticky_comment sticky = {.key = "gate", .sha = source->head_sha, .words = markdown};
    if (!find_pull(call, &sticky))
        return false;
    bool ok = github_session_open(call, &session);
    if (ok) {
        sticky.github = session.github;
        github_session_begin(&session, &sticky);
        sticky_comment_begin(&sticky, &session.chain);
        ok = github_session_finish(&session);
    }
    if (ok)
        tell(call, &sticky);
    sticky_comment_done(&sticky);
    github_session_close(&session);
    return ok;
}

static bool comment(struct invocation *call, struct text *out)
{
    const char *path = call->options.operands[0];
    struct told_source source;
    struct told_decision told;
    str bytes;
    bool found = false;
    if (!find_source(call, &source) ||
        !source_read_file(call->arena, path, LIMIT_JSON_TREE_BYTES, &bytes, &found, &call->error))
        return false;
    if (!found)
        return error_set(&call->error, ERROR_INPUT, "there is no file %s", path);
    if (!told_decision_read(call->arena, path, bytes, &told, &call->error))
        return false;
    told_decision_markdown(&told, &source, COMMENT_MOST, out);
    if (option_given(&call->options, "post"))
        return post(call, &source, text_str(out));
    return put(call, text_str(out));
}

static int run(struct invocation *call)
{
    struct text out = text_of(LIMIT_SUMMARY_BYTES);
    bool ok = comment(call, &out);
    text_done(&out);
    return ok ? 0 : command_failed(call);
}

const struct command command_comment = {
    .name = "comment",
    .operands = "DECISION",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "a decision that another run has told -> the comment on the pull request",
    .description =
        "Reads the JSON of `sluice gate --decision-file` and makes the comment of it, as "
        "markdown.\n"
        "Nothing in the file is trusted: it may be a stranger's, so that all of it stays text, "
        "and\n"
        "it is said to be what that run has told. For a workflow on `workflow_run`, which may\n"
        "write comments and runs nothing of the pull request.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run,
};
