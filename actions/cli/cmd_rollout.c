// sluice rollout: brings a release out, stage by stage, or goes on with one that is under way.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/preflight.h"
#include "actions/cli/preflight_calendar.h"
#include "actions/cli/rehearsal_finish.h"
#include "actions/cli/rollout_flow.h"
#include "gate/base/moment.h"

#include <string.h>

enum { INTERRUPTED = 128 }; // and the number of the signal

static const char *const wait_choices[] = {"block", "suspend", NULL};
static const char *const require_choices[] = {"done", NULL};
static const char *const severity_choices[] = {"P1", "P2", "P3", "P4", NULL};

static const struct option options[] = {
    {.name = "commit", .argument = "REV", .help = "The commit that is released; HEAD when absent."},
    {.name = "stage",
     .argument = "NAME",
     .help = "Only this stage; all in their order when absent."},
    {.name = "artifact",
     .argument = "TARGET=WHAT",
     .repeats = true,
     .help = "A digest, a path, an object in a bucket or the tag of an image, instead of what is "
             "configured."},
    {.name = "first",
     .argument = "TARGET",
     .repeats = true,
     .help = "Allow this target's first deployment: there is nothing to go back to."},
    {.name = "no-return",
     .argument = "REASON",
     .help =
         "Accept migrations that known good cannot live with: no breach takes it back by itself "
         "then."},
    {.name = "emergency",
     .argument = "SEVERITY",
     .choices = severity_choices,
     .help =
         "The hotfix lane: in the steps of `emergency`, past windows and the freezes that allow "
         "it. Needs --incident, --reason, and somebody who approves."},
    {.name = "incident", .argument = "ID", .help = "With --emergency: the incident that it mends."},
    {.name = "reason", .argument = "TEXT", .help = "With --emergency: why it cannot wait."},
    {.name = "queue",
     .argument = "TIME",
     .help = "Wait so long for an environment that another rollout has, in the order of coming."},
    {.name = "wait",
     .argument = "HOW",
     .choices = wait_choices,
     .help = "`block` waits for people here; `suspend` ends there and in long bakes, and\n"
             "                               `sluice resume` goes on: with traffic on the release\n"
             "                               only where `watch` in the "
             "configuration names what\n"
             "                               watches it meanwhile."},
    {.name = "require",
     .argument = "STATE",
     .choices = require_choices,
     .help = "`done`: ends with 1 when it is left waiting, for those who want that red."},
    {0},
};

static const char *const *words_of(struct invocation *call, const char *name)
{
    const char **words = ARENA_ARRAY(call->arena, const char *, call->options.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < call->options.count; i++)
        if (strcmp(call->options.values[i].option->name, name) == 0)
            words[count++] = call->options.values[i].text;
    return words;
}

static bool suspends(const struct invocation *call)
{
    const char *wait = option_text(&call->options, "wait");
    return wait ? strcmp(wait, "suspend") == 0 : call->runner.is_actions;
}

// A rehearsal that was left half-way has the release before where known good belongs: that comes
// first. A live one has the environment.
static int end_rehearsal(struct deployment *d, const struct stage_settings *stage)
{
    struct rehearsal_left left;
    bool found = false;
    if (!rehearsal_left_in(d, stage_environment(stage), &left, &found))
        return command_failed(d->call);
    if (found && left.driven) {
        (void)error_set(&d->call->error, ERROR_DENIED,
                        "rehearsal " STR_FMT " of " STR_FMT " is under way: nothing was touched; "
                        "`--queue TIME` waits for its end",
                        STR_ARG(left.back), STR_ARG(left.environment));
        return command_failed(d->call);
    }
    int code = found ? rehearsal_finish(d, &left, false) : 0;
    if (code == 0 && world_signal(d->ports.world))
        return deployment_failed(d);
    return code;
}

// Waits for its turn, and once more when somebody who does not queue was faster. Everything is
// looked at when its turn has come.
static int drive_in_turn(struct flow *flow, const struct flow_request *request)
{
    struct deployment *d = flow->d;
    struct queue_place place = {.environment = stage_environment(flow->stage),
                                .release = request->release};
    int64_t limit_ms = 0;
    const char *limit = option_text(&d->call->options, "queue");
    int code = 0;
    if (!duration_parse(str_of(limit), &limit_ms) || limit_ms == 0) {
        (void)error_set(&d->call->error, ERROR_INPUT, "--queue takes a time such as 2h, not `%s`",
                        limit);
        return command_failed(d->call);
    }
    do {
        if (flow->refused)
            d->call->error = (struct error){0};
        flow_done(flow);
        flow->refused = false;
        flow->place = &place;
        code =
            queue_wait(d, &place, limit_ms) ? end_rehearsal(d, flow->stage) : deployment_failed(d);
        if (code == 0)
            code = flow_prepare(flow, request) ? flow_drive(flow) : deployment_failed(d);
    } while (flow->refused && !world_signal(d->ports.world));
    queue_leave(d, &place, "it did not begin");
    flow->place = NULL;
    return code;
}

// One stage: goes on with a rollout of this release that is under way, or begins one.
static int run_stage(struct deployment *d, const struct stage_settings *stage,
                     const struct flow_request *request, enum rollout_phase *ret_phase)
{
    struct flow flow = {.d = d, .stage = stage, .suspend = suspends(d->call)};
    struct rollout_record found;
    bool is_open = false;
    int code = 0;
    if (!facts_find_open(d, request->release, stage_environment(stage), &found, &is_open))
        return command_failed(d->call);
    if (is_open) {
        flow.plan = found.plan;
        flow.state = found.state;
        flow.placements = found.placements;
    }
    bool queues = !is_open && option_given(&d->call->options, "queue");
    if (queues)
        code = drive_in_turn(&flow, request);
    else if (is_open ? flow_prepare_again(&flow) : flow_prepare(&flow, request))
        code = flow_drive(&flow);
    else
        code = deployment_failed(d);
    *ret_phase = flow.phase;
    flow_done(&flow);
    return code;
}

// Is the release under way in a stage already? Then it goes on there, whatever is ahead.
static bool is_under_way(struct deployment *d, const struct flow_request *request, bool *ret)
{
    bool any = false;
    for (size_t i = 0; i < d->settings.stage_count; i++) {
        struct rollout_record record;
        bool found = false;
        if (!facts_find_open(d, request->release, stage_environment(&d->settings.stages[i]),
                             &record, &found))
            return false;
        any |= found;
    }
    *ret = any;
    return true;
}

// All stages that follow are looked at before the first one is touched: a release is not to be
// stopped halfway by what could have been known. Each is looked at again when its turn comes.
static bool look_ahead(struct deployment *d, const struct flow_request *request)
{
    bool under_way;
    if (!is_under_way(d, request, &under_way))
        return false;
    for (size_t i = 0; !under_way && i < d->settings.stage_count; i++) {
        const struct stage_settings *stage = &d->settings.stages[i];
        struct stage_run stage_run;
        bool done;
        if (!facts_is_done(d, stage, request->release, str_of(request->commit), &done))
            return false;
        if (done)
            continue;
        if (!stage_run_open(d->arena, &d->settings, stage, PLAN_FORWARD, &d->ports, &stage_run,
                            &d->call->error))
            return false;
        bool ok = preflight_look(d, &stage_run);
        stage_run_close(&stage_run);
        if (!ok)
            return error_wrap(&d->call->error, "stage " STR_FMT, STR_ARG(stage->stage));
    }
    return true;
}

// What has to be out before this stage is. False, with the reason, when it is not.
static bool comes_in_turn(struct deployment *d, const struct stage_settings *stage,
                          const struct flow_request *request)
{
    bool done = false;
    if (stage->after.len == 0)
        return true;
    if (!facts_is_done(d, stage_of(&d->settings, stage->after), request->release,
                       str_of(request->commit), &done))
        return false;
    return done ||
           error_set(&d->call->error, ERROR_DENIED,
                     "stage " STR_FMT " comes after " STR_FMT ", where release " STR_FMT
                     " is not done yet",
                     STR_ARG(stage->stage), STR_ARG(stage->after), STR_ARG(request->release));
}

// Before anything else, in every stage that is meant. Who queues waits for a live one in its turn.
static int end_rehearsals(struct deployment *d, const struct stage_settings *only)
{
    bool queues = option_given(&d->call->options, "queue");
    for (size_t i = 0; i < d->settings.stage_count; i++) {
        const struct stage_settings *stage = &d->settings.stages[i];
        int code = (only && stage != only) || queues ? 0 : end_rehearsal(d, stage);
        if (code != 0)
            return code;
    }
    return 0;
}

static int run_stages(struct deployment *d, const struct flow_request *request)
{
    const char *name = option_text(&d->call->options, "stage");
    const struct stage_settings *only = NULL;
    int code = 0;
    size_t ran = 0;
    if ((name || d->settings.stage_count == 0) && !deployment_stage(d, name, &only))
        return command_failed(d->call);
    code = end_rehearsals(d, only);
    if (code != 0)
        return code;
    if (!only && d->settings.stage_count > 1 && !look_ahead(d, request))
        return deployment_failed(d);
    bool stopped = false; // by independent stages alone
    for (size_t i = 0; i < d->settings.stage_count; i++) {
        const struct stage_settings *stage = &d->settings.stages[i];
        enum rollout_phase phase = PHASE_NEW;
        bool done = false;
        if (only && stage != only)
            continue;
        if (stopped && !stage->independent)
            break;
        if (!comes_in_turn(d, stage, request))
            return command_failed(d->call);
        if (!facts_is_done(d, stage, request->release, str_of(request->commit), &done))
            return command_failed(d->call);
        if (done && !only)
            continue;
        int stage_code = run_stage(d, stage, request, &phase);
        code = code ? code : stage_code;
        ran++;
        stopped = stopped || phase != PHASE_DONE;
        if (stopped && (!stage->independent || stage_code >= INTERRUPTED))
            break;
    }
    if (code == 0 && ran == 0) {
        (void)error_set(&d->call->error, ERROR_DENIED,
                        "release " STR_FMT
                        " is out in every stage already; name one with --stage to "
                        "bring it out again",
                        STR_ARG(request->release));
        return command_failed(d->call);
    }
    return code;
}

static int run(struct invocation *call)
{
    struct deployment d;
    char commit[COMMIT_HEX];
    const char *revision = option_text(&call->options, "commit");
    struct plan_emergency emergency;
    if (!facts_release_name(str_of(call->options.operands[0]), &call->error) ||
        !emergency_of_options(call, &emergency) || !deployment_open(call, false, &d))
        return command_failed(call);
    int code;
    if (repository_resolve(d.repository, revision ? revision : "HEAD", commit, &call->error)) {
        struct flow_request request = {
            .release = str_of(call->options.operands[0]),
            .commit = commit,
            .artifacts = words_of(call, "artifact"),
            .first = words_of(call, "first"),
            .emergency = emergency,
            .no_return = option_text(&call->options, "no-return"),
        };
        code = run_stages(&d, &request);
    } else {
        code = command_failed(call);
    }
    deployment_close(&d);
    return code;
}

const struct command command_rollout = {
    .name = "rollout",
    .operands = "RELEASE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "bring a release out in steps, judged by its figures; taken back by itself",
    .description =
        "Runs or continues the rollout of a release. Refused before anything is recorded or "
        "touched: a commit that\nthe gate has not let pass, a target without a known-good release "
        "to return to or that cannot be reached or\nchanged, a step that cannot see the regression "
        "that `analysis.detect` names (see `sluice plan`).\n\n"
        "Exit code 0: done, or it waits for a person (see --require); 1: rolled back by itself, "
        "denied or refused; "
        "2: the configuration\ncannot work; 3: something could not be reached, or the way back is "
        "stuck; 130, 143: interrupted, safe to resume.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
