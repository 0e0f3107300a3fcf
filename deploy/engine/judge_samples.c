// Samples as they arrive: each is judged at once, in every phase in which the release may have
// traffic.
#include "deploy/engine/turn.h"

#include <stdio.h>

#define CLOCK_SLACK_MS MS_SECOND // an interval may end this much after now

bool rollout_watching(const struct rollout_state *state)
{
    switch (state->phase) {
    case PHASE_WAITING:
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_HELD:
        return state->out && !state->fenced;
    case PHASE_NEW:
    case PHASE_PREPARING:
    case PHASE_REVERTING:
    case PHASE_STUCK:
    case PHASE_DONE:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        break;
    }
    return false;
}

void judge_new_step(struct turn *turn)
{
    const struct plan *plan = turn->plan;
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            struct watch_state *watch = &turn->state->watches[plan_watch(plan, m, n)];
            watch->step_exposure = watch->step_baseline = 0;
            watch->threshold.measured = watch->threshold.errors = 0;
            watch->blind_in_row = 0;
            if (metric->judge != JUDGE_COMPARE)
                continue;
            watch->worse = false;
            compare_new_step(&watch->series,
                             plan_share(plan, metric->targets[n], turn->state->step) < SHARE_ALL);
        }
    }
}

void judge_extended(struct turn *turn)
{
    for (uint32_t i = 0; i < plan_watch_count(turn->plan); i++)
        turn->state->watches[i].threshold.errors = 0;
}

// Old, overlapping or from a time that has not come: says nothing, and is no sign of blindness
// either.
static bool is_news(const struct turn *turn, const struct watch_state *watch)
{
    const struct rollout_sample *sample = &turn->event->sample;
    return sample->to_ms > sample->from_ms && sample->from_ms >= watch->newest_ms &&
           sample->to_ms <= turn->now_ms + CLOCK_SLACK_MS;
}

void judge_sample(struct turn *turn)
{
    const struct rollout_event *event = turn->event;
    struct rollout_state *state = turn->state;
    if (!rollout_watching(state) || event->metric >= turn->plan->metric_count ||
        event->nth >= turn->plan->metrics[event->metric].target_count)
        return;
    const struct plan_metric *metric = &turn->plan->metrics[event->metric];
    uint32_t target = metric->targets[event->nth];
    struct watch_state *watch = &state->watches[plan_watch(turn->plan, event->metric, event->nth)];
    if (!is_news(turn, watch))
        return;
    bool of_step = event->sample.from_ms >= state->bake_from_ms;
    if (!watch_add(turn, metric, watch, of_step)) {
        if (watch->blind_in_row < UINT32_MAX)
            watch->blind_in_row++;
        bake_go_on(turn);
        return;
    }
    watch->blind_in_row = 0;
    watch->newest_ms = event->sample.to_ms;
    char words[288];
    if (!state->accepted && !revert_told(turn) && watch_breached(turn, metric, watch)) {
        watch_words(turn, event->metric, event->nth, words);
        turn_why(turn, "%s", words);
        revert_breach(turn, event->metric, true);
        return;
    }
    if (state->judged_ms == 0 || turn->now_ms - state->judged_ms >= JUDGED_EVERY_MS) {
        watch_words(turn, event->metric, event->nth, words);
        struct rollout_command *command = turn_record(turn, RECORD_SAMPLE_JUDGED, "%s", words);
        command->metric = event->metric;
        command->target = target;
        state->judged_ms = turn->now_ms;
    }
    bake_go_on(turn);
}

// ---- the verdict on a step ----------------------------------------------------------------------

bool judge_step(const struct turn *turn, char why[200], bool *ret_late)
{
    bool passes = true;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            bool late;
            const char *reason = watch_lacking(
                turn, metric, &turn->state->watches[plan_watch(turn->plan, m, n)], &late);
            if (!reason || (!passes && late))
                continue;
            passes = false;
            *ret_late = late;
            snprintf(why, 200, "metric " STR_FMT " %s on target " STR_FMT, STR_ARG(metric->name),
                     reason, STR_ARG(turn->plan->targets[metric->targets[n]].name));
            if (!late)
                return false;
        }
    }
    return passes;
}

bool judge_end(struct turn *turn, char why[288], uint32_t *ret_metric)
{
    bool worse = false;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            struct watch_state *watch = &turn->state->watches[plan_watch(turn->plan, m, n)];
            if (!watch_ends_worse(turn, metric, watch) || worse)
                continue;
            worse = true;
            *ret_metric = m;
            watch_words(turn, m, n, why);
        }
    }
    return worse;
}

bool judge_ratio(const struct turn *turn, char why[200])
{
    double alpha = plan_ratio_alpha(turn->plan);
    if (!(alpha > 0))
        return false;
    for (uint32_t m = 0; m < turn->plan->metric_count; m++) {
        const struct plan_metric *metric = &turn->plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            uint32_t target = metric->targets[n];
            uint32_t share = turn->state->targets[target].share_ppm;
            const struct watch_state *watch = &turn->state->watches[plan_watch(turn->plan, m, n)];
            if (metric->judge != JUDGE_RATE || !turn->plan->targets[target].weighted ||
                share == SHARE_ALL || !(watch->step_baseline > 0) ||
                share_mismatch_p(watch->step_exposure, watch->step_baseline, share / 1e6) >= alpha)
                continue;
            char words[24];
            snprintf(why, 200,
                     "sample ratio: metric " STR_FMT
                     " saw %.6g requests of %.6g on the release where "
                     "target " STR_FMT " was to send it %s",
                     STR_ARG(metric->name), watch->step_exposure,
                     watch->step_exposure + watch->step_baseline,
                     STR_ARG(turn->plan->targets[target].name), share_words(share, words));
            return true;
        }
    }
    return false;
}
