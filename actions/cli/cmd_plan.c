// sluice plan: what a rollout would do, what each step can see, and what it would cost; refuses a
// plan that cannot work.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/plan_calendar.h"
#include "actions/cli/plan_suspended.h"
#include "actions/cli/preflight.h"
#include "actions/cli/preflight_calendar.h"
#include "actions/cli/rehearsal_overdue.h"
#include "actions/cli/release_risk.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/way_back.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"

#include <math.h>

static const struct option options[] = {
    {.name = "stage", .argument = "NAME", .help = "Only this stage."},
    {0},
};

static void add_seen(const struct plan *plan, const struct detect_step *seen, struct text *out)
{
    char median[32], p95[32];
    if (seen->metric == UINT32_MAX || seen->median_ms == DETECT_NEVER)
        return;
    text_addf(out, "       a release %gx worse is seen in %s (95 %%: %s) by " STR_FMT,
              plan->detect_ratio, duration_words(seen->median_ms, median),
              seen->p95_ms == DETECT_NEVER ? "never" : duration_words(seen->p95_ms, p95),
              STR_ARG(plan->metrics[seen->metric].name));
    if (plan->metrics[seen->metric].judge == JUDGE_RATE)
        text_addf(out, "; about %.0f requests meet it, %.0f of them bad", seen->blast_requests,
                  seen->blast_bad);
    else if (seen->blast_requests > 0)
        text_addf(out, "; about %.0f requests meet it", seen->blast_requests);
    text_addc(out, '\n');
    if (isfinite(seen->smallest_ratio))
        text_addf(out, "       the smallest regression that it sees: %.1fx\n",
                  seen->smallest_ratio);
    if (*seen->basis)
        text_addf(out, "       reckoned from %s\n", seen->basis);
}

// Gauges that are compared: what so many values can show, each by itself.
static void add_gauges(const struct plan *plan, uint32_t step, const struct detect_traffic *traffic,
                       struct text *out)
{
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        for (uint32_t n = 0; metric->judge == JUDGE_COMPARE && n < metric->target_count; n++) {
            struct detect_gauge gauge = detect_compared(plan, m, n, step, traffic);
            text_addf(out, "       " STR_FMT " on " STR_FMT ": ", STR_ARG(metric->name),
                      STR_ARG(plan->targets[metric->targets[n]].name));
            if (!(traffic[plan_watch(plan, m, n)].noise > 0))
                text_addf(out, "%u values of each side; what they can show is not known\n",
                          (unsigned)gauge.values);
            else if (isfinite(gauge.smallest_ratio))
                text_addf(out, "%u values of each side cannot show less than %+.0f %%\n",
                          (unsigned)gauge.values, (gauge.smallest_ratio - 1) * 100);
            else
                text_addf(out, "%u values of each side can show nothing at all\n",
                          (unsigned)gauge.values);
        }
    }
}

static void add_bursts(const struct plan *plan, struct text *out)
{
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
            if (plan->metrics[m].known && plan->metrics[m].known[n].freedom > 0)
                text_addf(out,
                          "  failures of " STR_FMT " on " STR_FMT
                          " come with a variance of at most %.2g of their mean\n",
                          STR_ARG(plan->metrics[m].name),
                          STR_ARG(plan->targets[plan->metrics[m].targets[n]].name),
                          plan_dispersion(&plan->metrics[m], n));
}

static void add_step(const struct plan *plan, uint32_t index, const struct preflight *found,
                     struct text *out)
{
    const struct plan_step *step = &plan->steps[index];
    char bake[32];
    bool last = index + 1 == plan->step_count;
    text_addf(out, "  %u. %6g %%  watched for %s", index + 1, step->share_ppm / 10000.0,
              duration_words(last ? plan->bake_ms : plan->step_bake_ms, bake));
    if (step->approval.count)
        text_addf(out, ", after %u approval%s", step->approval.count,
                  step->approval.count > 1 ? "s" : "");
    text_addc(out, '\n');
    add_seen(plan, &found->steps[index], out);
    if (found->traffic)
        add_gauges(plan, index, found->traffic, out);
}

static void add_targets(const struct plan *plan, struct text *out)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < plan->target_count; i++)
        last = plan->targets[i].rank > last ? plan->targets[i].rank : last;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        text_addf(out, "  target " STR_FMT ", back to " STR_FMT, STR_ARG(target->name),
                  STR_ARG(target->good.release.len ? target->good.release
                                                   : STR("nothing: no known-good release; "
                                                         "`sluice adopt` records what runs")));
        if (last > 0)
            text_addf(out,
                      target->rank == last ? ", moves last in each step"
                                           : ", moves in place %u of each step",
                      (unsigned)target->rank + 1);
        text_addc(out, '\n');
        if (target->no_return.len)
            text_addf(out,
                      "    no way back once it is staged: " STR_FMT
                      "; `sluice rollout` asks for `--no-return REASON`\n",
                      STR_ARG(target->no_return));
    }
}

static void add_plan(const struct plan *plan, const struct preflight *found, struct text *out)
{
    const struct detect_step *steps = found->steps;
    char limit[32], took[32];
    text_addf(out, "Stage " STR_FMT " (claims " STR_FMT ")\n", STR_ARG(plan->stage),
              STR_ARG(plan->environment));
    add_targets(plan, out);
    if (plan->risk_why.len)
        text_addf(out, "  risk: " STR_FMT "\n", STR_ARG(plan->risk_why));
    if (plan->approval.count)
        text_addf(out, "  begins after %u approval%s\n", plan->approval.count,
                  plan->approval.count > 1 ? "s" : "");
    for (uint32_t i = 0; i < plan->step_count; i++)
        add_step(plan, i, found, out);
    bool unknown = true;
    for (uint32_t i = 0; i < plan->step_count; i++)
        unknown &= steps[i].metric == UINT32_MAX;
    text_adds(out, "  judged by");
    for (uint32_t i = 0; i < plan->metric_count; i++)
        text_addf(out, "%s " STR_FMT, i ? "," : "", STR_ARG(plan->metrics[i].name));
    text_adds(out, plan->metric_count ? "\n" : " nothing but whether it settles\n");
    add_bursts(plan, out);
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

static void add_overdue(struct deployment *d, const struct plan *plan, struct text *out)
{
    struct text words = text_of(4096);
    if (rehearsal_is_overdue(d, plan->environment, &words))
        text_addf(out, "  Warning: %s\n", text_c(&words));
    text_done(&words);
}

static bool plan_stage(struct deployment *d, const struct stage_settings *stage,
                       const struct calendar_settings *calendar, struct text *out)
{
    struct error *err = &d->call->error;
    struct flow flow = {.d = d, .stage = stage};
    size_t count = stage->targets.count;
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, count);
    struct placement *next = ARENA_ARRAY(d->arena, struct placement, count);
    if (!stage_run_open(d->arena, &d->settings, stage, PLAN_FORWARD, &d->ports, &flow.run, err))
        return false;
    bool ok = true, found;
    for (size_t i = 0; ok && i < count; i++)
        ok = facts_known_good(d, stage_environment(stage), flow.run.target_settings[i]->name,
                              (str){NULL, 0}, &good[i], &found);
    str *no_return = NULL;
    struct release_demands demands;
    char commit[COMMIT_HEX];
    ok = ok && repository_resolve(d->repository, "HEAD", commit, err) &&
         way_back_look(d, &flow.run, good, commit, &no_return) &&
         release_risk(d, good, count, commit, &demands);
    struct resolve_request request = {
        .settings = &d->settings,
        .stage = stage,
        .mode = PLAN_FORWARD,
        .rollout = STR("plan"),
        .release = STR("plan"),
        .commit = STR("plan"),
        .next = next,
        .good = good,
        .no_return = no_return,
        .demands = &demands,
        .targets = flow.run.opened,
        .calendar = calendar,
        .now_ms = deployment_now(d),
    };
    ok = ok && plan_resolve(d->arena, &request, &flow.plan, err);
    if (ok) {
        struct preflight preflight = {0};
        ok = preflight_plan(d, &flow.run, flow.plan, &preflight);
        add_plan(flow.plan, &preflight, out);
        plan_suspended_text(&d->settings.watch, flow.plan, preflight.steps, out);
        plan_calendar_text(calendar, flow.plan, request.now_ms, out);
        add_overdue(d, flow.plan, out);
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
    struct calendar_settings calendar;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    bool ok = (!name && d.settings.stage_count) || deployment_stage(&d, name, &only);
    ok = ok && calendar_now(&d, &calendar);
    for (size_t i = 0; ok && i < d.settings.stage_count; i++)
        if (!only || only == &d.settings.stages[i])
            ok = plan_stage(&d, &d.settings.stages[i], &calendar, &out);
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
