// sluice status: where each rollout stands, and what is known good.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/rollout_flow.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

static void text_rollout(const struct deployment *d, const struct rollout_record *fact,
                         struct text *out)
{
    const struct plan *plan = fact->plan;
    const struct rollout_state *state = fact->state;
    char since[32];
    if (!state) {
        text_addf(out,
                  STR_FMT ": " STR_FMT " in " STR_FMT
                          " is planned, and nothing is touched; `sluice "
                          "resume` begins it\n",
                  STR_ARG(plan->rollout), STR_ARG(plan->release), STR_ARG(plan->environment));
        return;
    }
    text_addf(out, STR_FMT ": " STR_FMT " in " STR_FMT " is %s", STR_ARG(plan->rollout),
              STR_ARG(plan->release), STR_ARG(plan->environment), phase_name(state->phase));
    if (plan->mode == PLAN_FORWARD && state->step < plan->step_count)
        text_addf(out, ", step %u of %u", state->step + 1, plan->step_count);
    text_addf(out, ", for %s%s%s\n",
              duration_words(deployment_now(d) - state->phase_since_ms, since),
              state->why[0] ? ": " : "", state->why);
    text_adds(out, "  ");
    if (!phase_resumable(state->phase) && !lease_is_live(&fact->standing.lease, deployment_now(d)))
        text_adds(out, "No process drives it any more: `sluice resume` goes on with it, `sluice "
                       "rollback` takes it back.\n");
    else if (!phase_resumable(state->phase))
        text_addf(out, "A process drives it: `sluice show " STR_FMT "` says how it goes.\n",
                  STR_ARG(plan->rollout));
    else
        flow_next(plan, state->phase, out);
}

static void json_rollout(const struct rollout_record *fact, struct json_out *json)
{
    char moment[MOMENT_TEXT];
    json_open_map(json, NULL);
    json_add_str(json, "rollout", fact->plan->rollout);
    json_add_str(json, "release", fact->plan->release);
    json_add_str(json, "environment", fact->plan->environment);
    if (!fact->state) {
        json_add_str(json, "phase", str_of(phase_name(PHASE_NEW)));
        json_close(json);
        return;
    }
    json_add_str(json, "phase", str_of(phase_name(fact->state->phase)));
    json_add_u64(json, "step", fact->state->step + 1);
    json_add_u64(json, "steps", fact->plan->step_count);
    json_add_str(json, "since", str_of(moment_format(fact->state->phase_since_ms, moment)));
    json_add_str(json, "why", str_of(fact->state->why));
    json_close(json);
}

static void add_target(str environment, str target, const struct placement *good, bool found,
                       struct text *out, struct json_out *json)
{
    if (json) {
        json_open_map(json, NULL);
        json_add_str(json, "environment", environment);
        json_add_str(json, "target", target);
        json_add_str(json, "known_good", found ? good->release : (str){NULL, 0});
        json_add_str(json, "revision", found ? good->revision : (str){NULL, 0});
        json_close(json);
    } else if (found) {
        text_addf(out, STR_FMT " " STR_FMT ": known good is " STR_FMT " (" STR_FMT ")\n",
                  STR_ARG(environment), STR_ARG(target), STR_ARG(good->release),
                  STR_ARG(good->revision));
    } else {
        text_addf(out,
                  STR_FMT " " STR_FMT ": no known-good release; `sluice adopt` records what runs, "
                          "`sluice rollout RELEASE --first " STR_FMT "` allows a first one\n",
                  STR_ARG(environment), STR_ARG(target), STR_ARG(target));
    }
}

static bool each_target(struct deployment *d, struct text *out, struct json_out *json)
{
    for (size_t s = 0; s < d->settings.stage_count; s++) {
        const struct stage_settings *stage = &d->settings.stages[s];
        for (size_t i = 0; i < stage->targets.count; i++) {
            str target = ((const str *)stage->targets.items)[i];
            struct placement good = {0};
            bool found = false;
            if (!facts_known_good(d, stage_environment(stage), target, (str){NULL, 0}, &good,
                                  &found))
                return false;
            add_target(stage_environment(stage), target, &good, found, out, json);
        }
    }
    return true;
}

static bool status_text(struct deployment *d, const struct rollout_record *open, size_t count,
                        struct text *out)
{
    for (size_t i = 0; i < count; i++)
        text_rollout(d, &open[i], out);
    if (count == 0)
        text_adds(out, "No rollout is under way.\n");
    return each_target(d, out, NULL);
}

static bool status_json(struct deployment *d, const struct rollout_record *open, size_t count,
                        struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.status/1"));
    json_open_list(&json, "rollouts");
    for (size_t i = 0; i < count; i++)
        json_rollout(&open[i], &json);
    json_close(&json);
    json_open_list(&json, "targets");
    bool ok = each_target(d, out, &json);
    json_close(&json);
    json_close(&json);
    text_addc(out, '\n');
    return ok;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct rollout_record *open;
    size_t count = 0;
    struct text out = text_of(4 << 20);
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    bool ok = facts_all_open(&d, &open, &count) &&
              (call->format == FORMAT_JSON ? status_json(&d, open, count, &out)
                                           : status_text(&d, open, count, &out)) &&
              command_print(call, text_str(&out));
    text_done(&out);
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "where each rollout stands, and what is known good",
    .description = "Reads the ledger and touches nothing.",
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
