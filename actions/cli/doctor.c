#include "actions/cli/doctor.h"

#include "actions/cli/preflight.h"
#include "gate/base/limits.h"

#include <stdarg.h>
#include <stdio.h>

enum { SURVEY_MS = 30000 };

void doctor_find(struct doctor *doctor, enum finding_state state, str about, const char *format,
                 ...)
{
    struct arena *arena = doctor->d->arena;
    char words[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    doctor->findings =
        arena_grow(arena, doctor->findings, doctor->count, &doctor->room, sizeof *doctor->findings);
    doctor->findings[doctor->count++] =
        (struct finding){state, arena_str(arena, about), arena_str(arena, str_of(words))};
}

static str named(struct doctor *doctor, const char *what, str name)
{
    return arena_format(doctor->d->arena, "%s " STR_FMT, what, STR_ARG(name));
}

static bool goes_on(struct doctor *doctor)
{
    doctor->interrupted = doctor->interrupted || world_signal(doctor->d->ports.world);
    return !doctor->interrupted;
}

// ---- the ledger and the environment -------------------------------------------------------------

static void look_at_ledger(struct doctor *doctor)
{
    const struct deployment *d = doctor->d;
    const struct error *trouble = ledger_trouble(d->ledger);
    const char *signs = d->key ? ", signed" : "";
    if (d->offline)
        doctor_find(doctor, FINDING_BAD, STR("ledger"), "its remote %s does not answer%s%s",
                    d->remote, trouble ? ": " : "", trouble ? trouble->message : "");
    else
        doctor_find(doctor, FINDING_GOOD, STR("ledger"), "%zu entries on %s of %s%s",
                    ledger_count(d->ledger), d->branch, d->remote ? d->remote : "this repository",
                    signs);
}

static bool is_set(const struct deployment *d, str name)
{
    str variable = arena_format(d->arena, "env." STR_FMT, STR_ARG(name));
    for (const struct template_value *one = d->variables; one->name; one++)
        if (str_is(variable, one->name))
            return true;
    return false;
}

static void look_at_environment(struct doctor *doctor)
{
    const struct node *names = node_get(doctor->d->config, "env");
    bool list = names && names->kind == NODE_LIST;
    size_t set = 0;
    for (const struct node *n = list ? names->first : names; n; n = list ? n->next : NULL) {
        if (is_set(doctor->d, n->text))
            set++;
        else
            doctor_find(
                doctor, FINDING_BAD, named(doctor, "env", n->text),
                "it is named by `env` and not set here: a rollout that needs it is refused");
    }
    if (set)
        doctor_find(doctor, FINDING_GOOD, STR("env"), "%zu of the names of `env` %s set", set,
                    set == 1 ? "is" : "are");
}

// ---- targets ------------------------------------------------------------------------------------

static void look_at_permissions(struct doctor *doctor, str about, const struct run_target *target)
{
    struct deployment *d = doctor->d;
    struct target_permissions needs = {0};
    struct permissions_found found = {0};
    struct error why;
    if (!target->kind->permissions)
        return;
    target->kind->permissions(target->target, d->arena, &needs);
    bool told = needs.aws ? permissions_aws(d->ports.cloud, needs.aws, needs.wanted, needs.count,
                                            d->arena, &found, &why)
                          : permissions_google(d->ports.cloud, needs.google, needs.project,
                                               needs.wanted, needs.count, d->arena, &found, &why);
    if (!told) {
        doctor_find(doctor, FINDING_UNKNOWN, about, "%s", why.message);
        return;
    }
    for (size_t i = 0; i < found.missing_count; i++) {
        const struct permission *one = found.missing[i];
        doctor_find(doctor, FINDING_BAD, about, "%s is missing%s%s: grant it%s" STR_FMT,
                    one->action, one->resource ? " on " : "", one->resource ? one->resource : "",
                    found.caller.len ? " to " : "", STR_ARG(found.caller));
    }
    if (found.missing_count == 0)
        doctor_find(doctor, FINDING_GOOD, about, "all %zu permissions are there%s" STR_FMT,
                    needs.count, found.caller.len ? ", of " : "", STR_ARG(found.caller));
}

static void look_at_stage(struct doctor *doctor, const struct stage_settings *stage)
{
    struct deployment *d = doctor->d;
    struct stage_run run;
    struct stage_trouble *troubles;
    struct error err;
    size_t count;
    if (!stage_run_open(d->arena, &d->settings, stage, PLAN_ROLLBACK, &d->ports, &run, &err)) {
        doctor_find(doctor, FINDING_BAD, named(doctor, "stage", stage->stage), "%s", err.message);
        return;
    }
    if (!stage_run_survey(&run, &d->ports, SURVEY_MS, d->arena, &troubles, &count, &err)) {
        doctor->interrupted = true;
        count = 0;
    }
    for (size_t i = 0; goes_on(doctor) && i < run.target_count; i++) {
        str name = run.target_settings[i]->name, about = named(doctor, "target", name);
        size_t own = 0;
        for (size_t k = 0; k < count; k++)
            if (str_eq(troubles[k].target, name) && ++own)
                doctor_find(doctor, FINDING_BAD, about, STR_FMT,
                            STR_ARG(troubles[k].trouble.words));
        if (own == 0)
            doctor_find(doctor, FINDING_GOOD, about, "%s can be reached and looked at",
                        run.target_settings[i]->kind->name);
        look_at_permissions(doctor, about, &run.targets[i]);
    }
    stage_run_close(&run);
}

// ---- metrics ------------------------------------------------------------------------------------

static str watched_target(const struct deploy_settings *settings, const struct metric_settings *one)
{
    if (one->targets.count)
        return ((const str *)one->targets.items)[0];
    return settings->target_count ? settings->targets[0].name : (str){NULL, 0};
}

// A source that makes its own figures asks the targets, once a release is on them.
static void look_at_metric(struct doctor *doctor, const struct metric_settings *settings)
{
    struct deployment *d = doctor->d;
    str about = named(doctor, "metric", settings->name);
    struct run_metric metric = {.kind = settings->kind};
    struct metric_traits traits = {0};
    struct error err;
    if (settings->implied || settings->kind->own)
        return;
    settings->kind->traits(settings->config, &traits);
    if (!stage_run_open_metric(d->arena, settings, &d->settings, &d->ports, &metric.metric, &err)) {
        doctor_find(doctor, FINDING_BAD, about, "%s", err.message);
        return;
    }
    if (preflight_ask(d, &metric, &traits, watched_target(&d->settings, settings), STR("none"),
                      &err))
        doctor_find(doctor, FINDING_GOOD, about, "%s answers", settings->kind->name);
    else if (goes_on(doctor))
        doctor_find(doctor, FINDING_BAD, about, "%s", err.message);
    metric.kind->close(metric.metric);
}

void doctor_look(struct doctor *doctor)
{
    const struct deploy_settings *settings = &doctor->d->settings;
    look_at_ledger(doctor);
    look_at_environment(doctor);
    for (size_t i = 0; goes_on(doctor) && i < settings->stage_count; i++)
        look_at_stage(doctor, &settings->stages[i]);
    for (size_t i = 0; goes_on(doctor) && i < settings->metric_count; i++)
        look_at_metric(doctor, &settings->metrics[i]);
}
