// sluice plan: what a rollout would do, what each step can see, and what it would cost; refuses a
// plan that cannot work.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/preflight.h"
#include "actions/cli/rollout_flow.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"

#include <math.h>

static const struct option options[] = {
    {.name = "stage", .argument = "NAME", .help = "Only this stage."},
    {0},
};

static void add_step(const struct plan *plan, uint32_t index, const struct detect_step *seen,
                     struct text *out)
{
    const struct plan_step *step = &plan->steps[index];
    char bake[32], median[32], p95[32];
    bool last = index + 1 == plan->step_count;
    text_addf(out, "  %u. %6g %%  watched for %s", index + 1, step->share_ppm / 10000.0,
              duration_words(last ? plan->bake_ms : plan->step_bake_ms, bake));
    if (step->approval.count)
        text_addf(out, ", after %u approval%s", step->approval.count,
                  step->approval.count > 1 ? "s" : "");
    text_addc(out, '\n');
    if (seen->metric == UINT32_MAX || seen->median_ms == DETECT_NEVER)
        return;
    text_addf(out,
              "       a release %gx worse is seen in %s (95 %%: %s) by " STR_FMT
              "; about %.0f requests meet it, %.0f of them bad\n",
              plan->detect_ratio, duration_words(seen->median_ms, median),
              seen->p95_ms == DETECT_NEVER ? "never" : duration_words(seen->p95_ms, p95),
              STR_ARG(plan->metrics[seen->metric].name), seen->blast_requests, seen->blast_bad);
    if (isfinite(seen->smallest_ratio))
        text_addf(out, "       the smallest regression that it sees: %.1fx\n",
                  seen->smallest_ratio);
    if (*seen->basis)
        text_addf(out, "       reckoned from %s\n", seen->basis);
}

static void add_plan(const struct plan *plan, const struct preflight *found, struct text *out)
{
    const struct detect_step *steps = found->steps;
    char limit[32], took[32];
    text_addf(out, "Stage " STR_FMT " (claims " STR_FMT ")\n", STR_ARG(plan->stage),
              STR_ARG(plan->environment));
    for (uint32_t i = 0; i < plan->target_count; i++)
        text_addf(
            out, "  target " STR_FMT ", back to " STR_FMT "\n", STR_ARG(plan->targets[i].name),
            STR_ARG(plan->targets[i].good.release.len ? plan->targets[i].good.release
                                                      : STR("nothing: no known-good release; "
                                                            "`sluice adopt` records what runs")));
    if (plan->approval.count)
        text_addf(out, "  begins after %u approval%s\n", plan->approval.count,
                  plan->approval.count > 1 ? "s" : "");
    for (uint32_t i = 0; i < plan->step_count; i++)
        add_step(plan, i, &steps[i], out);
    bool unknown = true;
    for (uint32_t i = 0; i < plan->step_count; i++)
        unknown &= steps[i].metric == UINT32_MAX;
    text_adds(out, "  judged by");
    for (uint32_t i = 0; i < plan->metric_count; i++)
        text_addf(out, "%s " STR_FMT, i ? "," : "", STR_ARG(plan->metrics[i].name));
    text_adds(out, plan->metric_count ? "\n" : " nothing but whether it settles\n");
    if (plan->metric_count && unknown)
        text_adds(out,
                  "  how soon a regression is seen cannot be said: no metric tells today's traffic "
                  "and errors\n");
    text_addf(out, "  the way back is verified within %s, or it is said to be stuck",
              duration_words(plan->rollback_limit_ms, limit));
    if (found->way_back_ms)
        text_addf(out, "; it took %s when it was fastest",
                  duration_words(found->way_back_ms, took));
    text_addc(out, '\n');
}

static bool plan_stage(struct deployment *d, const struct stage_settings *stage, struct text *out)
{
    struct error *err = &d->call->error;
    struct flow flow = {.d = d, .stage = stage};
    size_t count = stage->targets.count;
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, count);
    struct placement *next = ARENA_ARRAY(d->arena, struct placement, count);
    if (!stage_run_open(d->arena, &d->settings, stage, &d->ports, &flow.run, err))
        return false;
    bool ok = true, found;
    for (size_t i = 0; ok && i < count; i++)
        ok = facts_known_good(d, stage_environment(stage), flow.run.target_settings[i]->name,
                              (str){NULL, 0}, &good[i], &found);
    struct resolve_request request = {
        .settings = &d->settings,
        .stage = stage,
        .mode = PLAN_FORWARD,
        .rollout = STR("plan"),
        .release = STR("plan"),
        .commit = STR("plan"),
        .next = next,
        .good = good,
        .targets = flow.run.opened,
    };
    ok = ok && plan_resolve(d->arena, &request, &flow.plan, err);
    if (ok) {
        struct preflight preflight = {0};
        ok = preflight_plan(d, &flow.run, flow.plan, &preflight);
        add_plan(flow.plan, &preflight, out);
    }
    flow_done(&flow);
    return ok;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct text out = text_of(1 << 20);
    const char *name = option_text(&call->options, "stage");
    const struct stage_settings *only = NULL;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    bool ok = (!name && d.settings.stage_count) || deployment_stage(&d, name, &only);
    for (size_t i = 0; ok && i < d.settings.stage_count; i++)
        if (!only || only == &d.settings.stages[i])
            ok = plan_stage(&d, &d.settings.stages[i], &out);
    bool printed = command_print(call, text_str(&out));
    text_done(&out);
    deployment_close(&d);
    return ok && printed ? 0 : command_failed(call);
}

const struct command command_plan = {
    .name = "plan",
    .operands = "",
    .summary = "what a rollout would do, and what each step can see",
    .description = "Prints steps and bakes, how soon a regression would be seen and whom it would "
                   "meet, and where a rollback\nreturns to. Refuses a plan that cannot see the "
                   "regression that `analysis.detect` names, and says what would.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run,
};
