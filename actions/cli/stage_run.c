#include "actions/cli/stage_run.h"

#include "deploy/run/resolve.h"
#include "gate/base/moment.h"

static bool open_target(struct arena *arena, const struct target_settings *settings,
                        const struct deploy_settings *accounts, const struct stage_ports *ports,
                        struct target **ret, struct error *err)
{
    struct target_setup setup = {
        .name = arena_copy(arena, settings->name),
        .exec = &ports->exec,
        .http = &ports->http,
        .clock = &ports->clock,
        .variables = ports->variables,
        .cloud = ports->cloud,
        .aws = &accounts->aws,
        .google = &accounts->google,
    };
    if (!settings->kind->open(settings->config, &setup, ret, err))
        return error_wrap(err, "opening target " STR_FMT, STR_ARG(settings->name));
    return true;
}

bool stage_run_open_metric(struct arena *arena, const struct metric_settings *settings,
                           const struct deploy_settings *accounts, const struct stage_ports *ports,
                           struct metric **ret, struct error *err)
{
    struct metric_setup setup = {
        .name = arena_copy(arena, settings->name),
        .http = &ports->http,
        .clock = &ports->clock,
        .variables = ports->variables,
        .cloud = ports->cloud,
        .aws = &accounts->aws,
        .google = &accounts->google,
    };
    if (!settings->kind->open(settings->config, &setup, ret, err))
        return error_wrap(err, "opening metric " STR_FMT, STR_ARG(settings->name));
    return true;
}

bool stage_run_open(struct arena *arena, const struct deploy_settings *settings,
                    const struct stage_settings *stage, enum plan_mode mode,
                    const struct stage_ports *ports, struct stage_run *ret, struct error *err)
{
    struct stage_run run = {.stage = stage};
    size_t wanted = stage->targets.count, metric_count;
    const struct metric_settings *const *metrics =
        plan_metrics(arena, settings, stage, &metric_count);
    run.target_settings = ARENA_ARRAY(arena, const struct target_settings *, wanted);
    run.opened = ARENA_ARRAY(arena, struct target *, wanted);
    run.targets = ARENA_ARRAY(arena, struct run_target, wanted);
    run.metrics = ARENA_ARRAY(arena, struct run_metric, metric_count);
    bool ok = true;
    for (size_t i = 0; ok && i < wanted; i++) {
        run.target_settings[i] = target_of(settings, ((const str *)stage->targets.items)[i]);
        ok = open_target(arena, run.target_settings[i], settings, ports, &run.opened[i], err);
        if (ok)
            run.targets[run.target_count++] =
                (struct run_target){.kind = run.target_settings[i]->kind, .target = run.opened[i]};
    }
    for (size_t i = 0; ok && i < metric_count; i++) {
        struct run_metric *metric = &run.metrics[i];
        if (mode == PLAN_FORWARD)
            ok = stage_run_open_metric(arena, metrics[i], settings, ports, &metric->metric, err);
        metric->kind = metrics[i]->kind;
        run.metric_count += ok;
    }
    if (!ok) {
        stage_run_close(&run);
        return false;
    }
    *ret = run;
    return true;
}

void stage_run_close(struct stage_run *run)
{
    for (size_t i = 0; i < run->metric_count; i++)
        if (run->metrics[i].metric)
            run->metrics[i].kind->close(run->metrics[i].metric);
    for (size_t i = 0; i < run->target_count; i++)
        run->targets[i].kind->close(run->targets[i].target);
    run->metric_count = run->target_count = 0;
}

bool stage_run_observe(const struct stage_run *run, const struct stage_ports *ports, size_t target,
                       const struct target_release *next, const struct target_release *good,
                       struct arena *arena, struct target_outcome *ret, struct error *err)
{
    static const struct target_release nothing;
    const struct run_target *one = &run->targets[target];
    struct target_intent intent = {
        .verb = INTENT_OBSERVE, .next = next ? *next : nothing, .good = good ? *good : nothing};
    struct target_operation *operation;
    enum progress progress = PROGRESS_PENDING;
    bool ok = one->kind->start(one->target, &intent, &operation, err);
    while (ok && progress == PROGRESS_PENDING) {
        progress = one->kind->poll(operation, arena, ret, err);
        if (progress == PROGRESS_PENDING && world_signal(ports->world)) {
            (void)error_set(err, ERROR_TRANSIENT, "interrupted");
            progress = PROGRESS_FAILED;
        }
        if (progress == PROGRESS_PENDING)
            world_wait(ports->world, ports->clock.now_ms(ports->clock.self) + MS_SECOND);
    }
    if (ok)
        one->kind->drop(operation);
    if (!ok || progress != PROGRESS_DONE)
        return error_wrap(err, "looking at target " STR_FMT,
                          STR_ARG(run->target_settings[target]->name));
    return true;
}

// ---- all of them -------------------------------------------------------------------------------

struct survey {
    const struct stage_run *run;
    struct arena *arena;
    struct target_operation **operations; // null = over
    struct stage_trouble *troubles;
    size_t count, room;
};

static void add_trouble(struct survey *survey, size_t target, enum error_kind kind, str words)
{
    survey->troubles = arena_grow(survey->arena, survey->troubles, survey->count, &survey->room,
                                  sizeof *survey->troubles);
    survey->troubles[survey->count++] = (struct stage_trouble){
        survey->run->target_settings[target]->name, {kind, arena_str(survey->arena, words)}};
}

static void survey_start(struct survey *survey, size_t i)
{
    const struct run_target *one = &survey->run->targets[i];
    struct target_intent intent = {.verb = INTENT_OBSERVE, .survey = true};
    struct error err;
    if (survey->run->good) {
        const struct placement *good = &survey->run->good[i];
        intent.good = (struct target_release){.release = good->release,
                                              .commit = good->commit,
                                              .digest = good->digest,
                                              .revision = good->revision};
    }
    if (one->kind->start(one->target, &intent, &survey->operations[i], &err))
        return;
    survey->operations[i] = NULL;
    add_trouble(survey, i, err.kind, str_of(err.message));
}

static void survey_drop(struct survey *survey, size_t i)
{
    if (survey->operations[i])
        survey->run->targets[i].kind->drop(survey->operations[i]);
    survey->operations[i] = NULL;
}

// True while it has not answered.
static bool survey_poll(struct survey *survey, size_t i)
{
    struct target_outcome outcome = {0};
    struct error err;
    if (!survey->operations[i])
        return false;
    enum progress progress =
        survey->run->targets[i].kind->poll(survey->operations[i], survey->arena, &outcome, &err);
    if (progress == PROGRESS_PENDING)
        return true;
    if (progress == PROGRESS_FAILED)
        add_trouble(survey, i, err.kind, str_of(err.message));
    else
        for (size_t k = 0; k < outcome.seen.trouble_count; k++)
            add_trouble(survey, i, outcome.seen.troubles[k].kind, outcome.seen.troubles[k].words);
    survey_drop(survey, i);
    return false;
}

bool stage_run_survey(const struct stage_run *run, const struct stage_ports *ports,
                      int64_t limit_ms, struct arena *arena, struct stage_trouble **ret,
                      size_t *ret_count, struct error *err)
{
    struct survey survey = {
        .run = run,
        .arena = arena,
        .operations = ARENA_ARRAY(arena, struct target_operation *, run->target_count),
    };
    int64_t until_ms = ports->clock.now_ms(ports->clock.self) + limit_ms;
    size_t pending = run->target_count, before = pending;
    bool interrupted = false;
    for (size_t i = 0; i < run->target_count; i++)
        survey_start(&survey, i);
    while (pending && !interrupted) {
        int64_t now_ms = ports->clock.now_ms(ports->clock.self);
        pending = 0;
        for (size_t i = 0; i < run->target_count; i++)
            pending += survey_poll(&survey, i);
        if (pending < before) // many of one cloud wait for their turns
            until_ms = now_ms + limit_ms;
        before = pending;
        interrupted = pending && world_signal(ports->world);
        if (now_ms >= until_ms)
            break;
        if (pending && !interrupted)
            world_wait(ports->world, now_ms + MS_SECOND);
    }
    for (size_t i = 0; i < run->target_count; i++) {
        if (survey.operations[i])
            add_trouble(&survey, i, ERROR_TRANSIENT, STR("it has not answered in time"));
        survey_drop(&survey, i);
    }
    if (interrupted)
        return error_set(err, ERROR_TRANSIENT, "interrupted");
    *ret = survey.troubles;
    *ret_count = survey.count;
    return true;
}
