#include "actions/cli/rollback_github.h"

#include "actions/cli/deployment.h"
#include "actions/github/workflow_dispatch.h"
#include "deploy/record/rollouts.h"

#include <stdio.h>

static bool agreed(struct deployment *d, const char *file)
{
    char question[512];
    if (option_given(&d->call->options, "yes"))
        return true;
    if (!deployment_interactive(d))
        return error_set(&d->call->error, ERROR_INPUT,
                         "nobody can answer here: add --yes to roll back without a question");
    (void)snprintf(question, sizeof question, "Start %s in %s? ", file,
                   github_repository(d->github));
    return deployment_confirm(d, question, "nothing was started");
}

static bool start(struct deployment *d, struct workflow_dispatch *dispatch)
{
    struct chain chain;
    chain_begin(&chain, d->ports.cloud, dispatch);
    workflow_dispatch_begin(dispatch, &chain);
    bool ok = chain_finish(&chain, &d->call->error);
    chain_drop(&chain);
    return ok;
}

static bool say(struct deployment *d, const struct workflow_dispatch *dispatch)
{
    struct text out = text_of(4096);
    if (dispatch->run_url.len)
        text_addf(&out, "Started: " STR_FMT "\n", STR_ARG(dispatch->run_url));
    else
        text_addf(&out, "Started; its run is not listed yet: look at the runs of %s.\n",
                  dispatch->file);
    bool ok = command_print(d->call, text_str(&out));
    text_done(&out);
    return ok;
}

static bool roll_back(struct deployment *d)
{
    const struct options *given = &d->call->options;
    const char *file = option_text(given, "workflow"), *reason = option_text(given, "reason");
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    struct github_client *github;
    const struct dispatch_input inputs[] = {
        {"reason", reason ? str_of(reason) : STR(REASON_PENDING)},
        {"to", str_of(option_text(given, "to"))},
        {"stage", str_of(option_text(given, "stage"))},
        {0},
    };
    if (!github_settings_bind(d->arena, d->config, &settings, &problems))
        return problems_none(&problems, &d->call->error);
    settings.app = NULL; // a person asks, under a name of their own
    if (!deployment_github(d, &settings, &github, &d->call->error))
        return false;
    struct workflow_dispatch dispatch = {
        .github = github, .file = file ? file : ROLLBACK_WORKFLOW, .inputs = inputs};
    bool ok = agreed(d, dispatch.file) && start(d, &dispatch) && say(d, &dispatch);
    workflow_dispatch_done(&dispatch);
    return ok;
}

int rollback_by_github(struct invocation *call)
{
    struct deployment d;
    if (call->options.operand_count) {
        (void)error_set(
            &call->error, ERROR_INPUT,
            "--via github takes a whole stage back: its workflow decides which targets");
        return command_failed(call);
    }
    if (!deployment_open_here(call, &d))
        return command_failed(call);
    int code = roll_back(&d) ? 0 : deployment_failed(&d);
    deployment_close(&d);
    return code;
}
