// sluice adopt: observes what is live and records it as known good.
#include "actions/cli/commands.h"
#include "actions/cli/deployment.h"
#include "actions/cli/ledger_facts.h"

static const struct option options[] = {
    {.name = "stage", .argument = "NAME", .help = "Only the targets of this stage."},
    {.name = "commit",
     .argument = "REV",
     .help = "The commit that they serve; needed where a target migrates a database."},
    {0},
};

static bool wanted(const struct invocation *call, str name)
{
    for (size_t i = 0; i < call->options.operand_count; i++)
        if (str_is(name, call->options.operands[i]))
            return true;
    return call->options.operand_count == 0;
}

static bool known_names(const struct deployment *d)
{
    const struct options *given = &d->call->options;
    for (size_t i = 0; i < given->operand_count; i++)
        if (!target_of(&d->settings, str_of(given->operands[i])))
            return error_set(&d->call->error, ERROR_INPUT, "`%s` is not a target",
                             given->operands[i]);
    return true;
}

static bool adopt(struct deployment *d, const struct stage_run *run, size_t index, str commit,
                  struct text *out)
{
    struct error *err = &d->call->error;
    struct target_outcome outcome;
    str name = run->target_settings[index]->name;
    if (!stage_run_observe(run, &d->ports, index, NULL, NULL, d->arena, &outcome, err))
        return false;
    const struct target_observation *seen = &outcome.seen;
    if (seen->revision.len == 0)
        return error_set(err, ERROR_DENIED,
                         "target " STR_FMT " does not serve one revision everywhere: %s",
                         STR_ARG(name), seen->evidence ? seen->evidence : "nothing was seen");
    if (!seen->settled)
        return error_set(err, ERROR_DENIED,
                         "target " STR_FMT " is not settled or not healthy, so what it serves "
                         "cannot be called good: %s",
                         STR_ARG(name), seen->evidence ? seen->evidence : "");
    struct placement placement = {
        .release = seen->release.len ? seen->release : seen->revision,
        .commit = commit,
        .revision = seen->revision,
        .memory = outcome.memory,
    };
    if (!release_adopt(d->ledger, stage_environment(run->stage), placement.release, commit, &name,
                       &placement, 1, NULL, err))
        return false;
    text_addf(out, "%-16.*s %-14.*s serves " STR_FMT "; recorded as known good\n",
              STR_ARG(stage_environment(run->stage)), STR_ARG(name), STR_ARG(seen->revision));
    return true;
}

static bool adopt_stage(struct deployment *d, const struct stage_settings *stage, str commit,
                        struct text *out)
{
    struct stage_run run;
    if (!stage_run_open(d->arena, &d->settings, stage, PLAN_FORWARD, &d->ports, &run,
                        &d->call->error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < run.target_count; i++)
        if (wanted(d->call, run.target_settings[i]->name))
            ok = adopt(d, &run, i, commit, out);
    stage_run_close(&run);
    return ok;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct text out = text_of(1 << 20);
    const char *name = option_text(&call->options, "stage");
    if (!deployment_open(call, false, &d))
        return command_failed(call);
    const struct stage_settings *only = NULL;
    const char *revision = option_text(&call->options, "commit");
    char commit[COMMIT_HEX] = "";
    bool ok = (!revision || repository_resolve(d.repository, revision, commit, &call->error)) &&
              known_names(&d) &&
              ((!name && d.settings.stage_count) || deployment_stage(&d, name, &only));
    for (size_t i = 0; ok && i < d.settings.stage_count; i++)
        if (!only || only == &d.settings.stages[i])
            ok = adopt_stage(&d, &d.settings.stages[i], str_of(commit), &out);
    ok = ok && ledger_sync(d.ledger, LEDGER_WAIT_MS, &call->error) &&
         command_print(call, text_str(&out));
    text_done(&out);
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

const struct command command_adopt = {
    .name = "adopt",
    .operands = "[TARGET…]",
    .operands_max = 256,
    .summary = "observe what is live and record it as known good",
    .description = "The way in for a running system: looks at the targets, changes nothing, and "
                   "records what they serve as\nwhat a rollback returns to.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run,
};
