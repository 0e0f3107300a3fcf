#include "actions/cli/status_rollout.h"

#include "actions/cli/rollout_flow.h"
#include "actions/cli/steering_desk.h"
#include "gate/base/moment.h"

static bool is_live(const struct deployment *d, const struct rollout_record *fact)
{
    const struct lease *lease = &fact->standing.lease;
    return str_eq(lease->rollout, fact->plan->rollout) && lease_is_live(lease, deployment_now(d)) &&
           !process_is_gone(lease->process);
}

static bool is_over(const struct rollout_record *fact)
{
    return fact->state && phase_terminal(fact->state->phase);
}

static bool bakes(const struct rollout_state *state)
{
    return state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE;
}

static str reason_of(struct deployment *d, const struct rollout_record *fact, bool *ret_pending)
{
    struct error ignored;
    str reason = {NULL, 0};
    *ret_pending = false;
    if (!rollout_reason(d->ledger, d->arena, fact->plan->rollout, &reason, ret_pending, &ignored))
        reason = (str){NULL, 0};
    return reason;
}

static const char thaws[] =
    "It waits for the end of a freeze, or for its window; `sluice resume` goes on with it then.\n";

static bool rests_frozen(const struct deployment *d, const struct rollout_record *fact)
{
    return fact->state && flow_is_only_frozen(fact->plan, fact->state) && !is_live(d, fact);
}

// Left in the middle of a bake, not lost there: its process gave the lease back.
static bool bakes_alone(const struct deployment *d, const struct rollout_record *fact)
{
    return fact->state && bakes(fact->state) && d->settings.watch.every_ms &&
           fact->standing.lease.released;
}

// ---- the line -----------------------------------------------------------------------------------

void status_rollout_line(const struct deployment *d, const struct rollout_record *fact,
                         struct text *out)
{
    const struct plan *plan = fact->plan;
    const struct rollout_state *state = fact->state;
    char since[32];
    if (!state) {
        text_addf(out,
                  STR_FMT ": " STR_FMT " in " STR_FMT
                          " is planned, and nothing is touched; `sluice resume` begins it\n",
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
    if (rests_frozen(d, fact))
        text_adds(out, thaws);
    else if (bakes_alone(d, fact))
        flow_bakes(&d->settings.watch, state->bake_until_ms, out);
    else if (!phase_resumable(state->phase) && !is_live(d, fact))
        text_adds(out, "No process drives it any more: `sluice resume` goes on with it, `sluice "
                       "rollback` takes it back.\n");
    else if (!phase_resumable(state->phase))
        text_addf(out, "A process drives it: `sluice status " STR_FMT "` says more.\n",
                  STR_ARG(plan->rollout));
    else
        flow_next(plan, state->phase, out);
}

// ---- in full ------------------------------------------------------------------------------------

static void add_when(const struct deployment *d, int64_t at_ms, struct text *out)
{
    char moment[MOMENT_TEXT], away[32];
    int64_t left_ms = at_ms - deployment_now(d);
    text_addf(out, "%.19sZ (%s%s%s)", moment_format(at_ms, moment), left_ms > 0 ? "in " : "",
              duration_words(left_ms > 0 ? left_ms : -left_ms, away), left_ms > 0 ? "" : " ago");
}

static void add_head(const struct deployment *d, const struct rollout_record *fact,
                     struct text *out)
{
    const struct plan *plan = fact->plan;
    text_addf(out, STR_FMT ": %s " STR_FMT " in " STR_FMT "\n", STR_ARG(plan->rollout),
              plan->rehearsal               ? "rehearsal, to"
              : plan->mode == PLAN_ROLLBACK ? "back to"
                                            : "release",
              STR_ARG(plan->release), STR_ARG(plan->environment));
    text_addf(out, "  planned   by " STR_FMT ", ", STR_ARG(facts_person(&fact->planned_by)));
    add_when(d, fact->planned_ms, out);
    if (plan->commit.len)
        text_addf(out, ", commit " STR_FMT, STR_ARG(str_first(plan->commit, 12)));
    text_addf(out, "\n  phase     %s", phase_name(fact->state ? fact->state->phase : PHASE_NEW));
    if (fact->state) {
        text_adds(out, ", since ");
        add_when(d, fact->state->phase_since_ms, out);
    }
    text_addc(out, '\n');
}

static void add_why(struct deployment *d, const struct rollout_record *fact, struct text *out)
{
    bool pending;
    str reason = reason_of(d, fact, &pending);
    bool same = fact->plan->mode == PLAN_ROLLBACK; // its reason is why
    if (fact->state && fact->state->why[0] && !same)
        text_addf(out, "  why       %s\n", fact->state->why);
    if (pending)
        text_addf(out,
                  "  reason    pending: `sluice rollback --explain " STR_FMT
                  " --reason TEXT` fills it in\n",
                  STR_ARG(fact->plan->rollout));
    else if (reason.len && (same || !(fact->state && str_is(reason, fact->state->why))))
        text_addf(out, "  reason    " STR_FMT "\n", STR_ARG(reason));
}

static void add_step(const struct deployment *d, const struct rollout_record *fact,
                     struct text *out)
{
    const struct plan *plan = fact->plan;
    const struct rollout_state *state = fact->state;
    if (plan->mode != PLAN_FORWARD)
        return;
    uint32_t step = state ? state->step : 0;
    text_addf(out, "  step      %u of %u:", step + 1, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++)
        text_addf(out, i == step ? " [%g%%]" : " %g%%", plan->steps[i].share_ppm / 10000.0);
    text_addc(out, '\n');
    if (state && bakes(state)) {
        text_adds(out, "  until     ");
        add_when(d, state->bake_until_ms, out);
        text_addf(out, state->extended ? ", extended %u times\n" : "\n", (unsigned)state->extended);
    }
    if (state && state->phase == PHASE_REVERTING) {
        text_adds(out, "  until     ");
        add_when(d, state->reverting_since_ms + plan->rollback_limit_ms, out);
        text_adds(out, ", then it is stuck\n");
    }
}

static void add_targets(const struct rollout_record *fact, struct text *out)
{
    const struct plan *plan = fact->plan;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        const struct target_state *state = fact->state ? &fact->state->targets[i] : NULL;
        text_addf(out, "  target    " STR_FMT ": ", STR_ARG(target->name));
        if (!state || state->verb == VERB_NONE)
            text_adds(out, "not touched");
        else if (state->verb == VERB_SHIFT)
            text_addf(out, "%s %g %%, %s", verb_name(state->verb), state->share_ppm / 10000.0,
                      state->settled ? "settled" : "not settled yet");
        else
            text_addf(out, "%s, %s", verb_name(state->verb),
                      state->settled  ? "done"
                      : state->failed ? "failed"
                                      : "not done yet");
        text_addf(out, "; the way back is to " STR_FMT "\n",
                  STR_ARG(target->good.release.len ? target->good.release : STR("nothing")));
    }
}

static void add_watched(const struct rollout_record *fact, struct text *out)
{
    const struct plan *plan = fact->plan;
    bool now = fact->state && rollout_watching(fact->state);
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++) {
            const struct plan_metric *metric = &plan->metrics[m];
            text_addf(out, "  %s " STR_FMT " on " STR_FMT, now ? "watched  " : "judged by",
                      STR_ARG(metric->name), STR_ARG(plan->targets[metric->targets[n]].name));
            const struct watch_state *watch =
                now ? &fact->state->watches[plan_watch(plan, m, n)] : NULL;
            if (watch && watch->blind_in_row)
                text_addf(out, ": %u readings in a row without an answer",
                          (unsigned)watch->blind_in_row);
            else if (watch && watch->step_exposure > 0)
                text_addf(out, ": %.0f requests in this step", watch->step_exposure);
            text_addc(out, '\n');
        }
}

static void add_asked(const struct deployment *d, const struct rollout_record *fact,
                      struct text *out)
{
    const struct rollout_state *state = fact->state;
    uint32_t step = 0;
    const struct plan_approval *rule = state ? rollout_question(fact->plan, state, &step) : NULL;
    if (!rule)
        return;
    text_addf(out, "  asked     %u of:", rule->count);
    for (uint32_t i = 0; i < rule->from_count; i++)
        text_addf(out, " " STR_FMT, STR_ARG(rule->from[i]));
    text_addf(out, "; %u agreed", (unsigned)state->answers);
    if (rule->expires_after_ms && state->answers < rule->count) {
        text_adds(out, "; expires ");
        add_when(d, state->phase_since_ms + rule->expires_after_ms, out);
    }
    text_addc(out, '\n');
}

// What people said that the newest state has not counted.
static void add_unheard(struct deployment *d, const struct rollout_record *fact, struct text *out)
{
    struct mailbox box = {.ledger = d->ledger, .rollout = fact->plan->rollout};
    struct event event;
    struct steering word;
    while (fact->state && mailbox_next(&box, STR(STEERING_TYPE), d->arena, &event))
        if (steering_read(&event, &word) && !rollout_heard(fact->state, word.token))
            text_addf(out, "  said      %s by " STR_FMT ": " STR_FMT " (%s)\n",
                      steer_name(word.steer), STR_ARG(word.who), STR_ARG(word.text),
                      is_over(fact) ? "too late" : "not read yet");
    mailbox_done(&box);
}

static void add_driver(const struct deployment *d, const struct rollout_record *fact,
                       struct text *out)
{
    const struct lease *lease = &fact->standing.lease;
    if (is_over(fact))
        return;
    if (is_live(d, fact)) {
        text_addf(out, "  driven    by " STR_FMT ", its lease runs until ", STR_ARG(lease->who));
        add_when(d, lease->expires_ms, out);
        text_addc(out, '\n');
    } else if (bakes_alone(d, fact)) {
        text_adds(out, "  driven    by nobody. ");
        flow_bakes(&d->settings.watch, fact->state->bake_until_ms, out);
    } else {
        text_adds(out, "  driven    by nobody: `sluice resume` goes on with it\n");
    }
}

void status_rollout_text(struct deployment *d, const struct rollout_record *fact, struct text *out)
{
    const struct plan *plan = fact->plan;
    add_head(d, fact, out);
    add_why(d, fact, out);
    add_step(d, fact, out);
    add_targets(fact, out);
    if (!is_over(fact))
        add_watched(fact, out);
    add_asked(d, fact, out);
    add_unheard(d, fact, out);
    add_driver(d, fact, out);
    if (!is_over(fact) && plan->mode == PLAN_FORWARD)
        text_addf(out, "  back      sluice rollback --stage " STR_FMT "\n", STR_ARG(plan->stage));
    bool frozen = rests_frozen(d, fact);
    if (frozen || (fact->state && phase_resumable(fact->state->phase)))
        text_adds(out, "  next      ");
    if (frozen)
        text_adds(out, thaws);
    else if (fact->state && phase_resumable(fact->state->phase))
        flow_next(plan, fact->state->phase, out);
}

// ---- for programs -------------------------------------------------------------------------------

static void json_moment(struct json_out *json, const char *key, int64_t ms)
{
    char moment[MOMENT_TEXT];
    json_add_str(json, key, str_of(moment_format(ms, moment)));
}

static void json_question(const struct rollout_record *fact, struct json_out *json)
{
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(fact->plan, fact->state, &step);
    if (!rule)
        return;
    json_open_map(json, "asked");
    json_add_u64(json, "needed", rule->count);
    json_add_u64(json, "agreed", fact->state->answers);
    json_open_list(json, "from");
    for (uint32_t i = 0; i < rule->from_count; i++)
        json_add_str(json, NULL, rule->from[i]);
    json_close(json);
    if (rule->expires_after_ms)
        json_moment(json, "expires", fact->state->phase_since_ms + rule->expires_after_ms);
    json_close(json);
}

void status_rollout_json(struct deployment *d, const struct rollout_record *fact,
                         struct json_out *json)
{
    const struct plan *plan = fact->plan;
    const struct rollout_state *state = fact->state;
    bool pending;
    str reason = reason_of(d, fact, &pending);
    json_open_map(json, NULL);
    json_add_str(json, "rollout", plan->rollout);
    json_add_str(json, "release", plan->release);
    json_add_str(json, "environment", plan->environment);
    json_add_str(json, "mode", plan->mode == PLAN_ROLLBACK ? STR("rollback") : STR("forward"));
    json_add_bool(json, "driven", is_live(d, fact));
    json_add_str(json, "phase", str_of(phase_name(state ? state->phase : PHASE_NEW)));
    if (state) {
        json_add_u64(json, "step", state->step + 1);
        json_add_u64(json, "steps", plan->step_count);
        json_moment(json, "since", state->phase_since_ms);
        if (bakes(state))
            json_moment(json, "until", state->bake_until_ms);
        json_add_str(json, "why", str_of(state->why));
        json_question(fact, json);
    }
    json_add_str(json, "reason", reason);
    json_add_bool(json, "reason_pending", pending);
    json_close(json);
}
