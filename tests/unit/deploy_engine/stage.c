#include "stage.h"

#include "deploy/engine/codec.h"

#define REQUESTS 2000.0 // per minute and target

static struct plan *plan_new(struct arena *arena)
{
    static uint32_t both[] = {0, 1};
    static uint32_t first[] = {0};
    static struct plan_target targets[STAGE_TARGETS];
    static struct plan_metric metrics[2];
    struct plan *plan = ARENA_NEW(arena, struct plan);
    plan->targets = ARENA_ARRAY(arena, struct plan_target, STAGE_TARGETS);
    plan->metrics = ARENA_ARRAY(arena, struct plan_metric, 2);
    targets[0] = (struct plan_target){.name = STR("web"),
                                      .good = {.release = STR("v6"), .revision = STR("r6")},
                                      .next = {.release = STR("v7"), .commit = STR("abc")}};
    targets[1] = targets[0];
    targets[1].name = STR("workers");
    metrics[0] = (struct plan_metric){.name = STR("errors"),
                                      .judge = JUDGE_RATE,
                                      .every_ms = MS_MINUTE,
                                      .lag_ms = 30 * MS_SECOND,
                                      .max = -1,
                                      .error_limit = 2,
                                      .min_requests = 200,
                                      .targets = both,
                                      .target_count = 2};
    metrics[1] = (struct plan_metric){.name = STR("latency"),
                                      .judge = JUDGE_THRESHOLD,
                                      .every_ms = MS_MINUTE,
                                      .max = 800,
                                      .failure_limit = 2,
                                      .error_limit = 2,
                                      .targets = first,
                                      .target_count = 1};
    memcpy(plan->targets, targets, sizeof targets);
    memcpy(plan->metrics, metrics, sizeof metrics);
    plan->rollout = STR("v7-production-1");
    plan->release = STR("v7");
    plan->commit = STR("abc");
    plan->environment = plan->stage = STR("production");
    plan->target_count = STAGE_TARGETS;
    plan->metric_count = 2;
    plan->steps[0].share_ppm = 50000;
    plan->steps[1].share_ppm = 250000;
    plan->steps[2].share_ppm = SHARE_ALL;
    plan->step_count = 3;
    plan->step_bake_ms = 10 * MS_MINUTE;
    plan->bake_ms = 20 * MS_MINUTE;
    plan->settle_limit_ms = 5 * MS_MINUTE;
    plan->rollback_limit_ms = 12 * MS_MINUTE;
    plan->alpha = 0.01;
    plan->tolerance = 1.2;
    plan->detect_ratio = 5;
    plan->detect_power = 0.95;
    plan->extend = 1;
    plan->rollback_on_cancel = true;
    return plan;
}

void stage_open(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    stage->plan = plan_new(&stage->arena);
    stage->state = rollout_state_new(&stage->arena, stage->plan);
    stage->now_ms = INT64_C(1790000000000);
    stage->bad_share = 0.01;
    stage->value = stage->baseline = 300;
}

void stage_close(struct stage *stage)
{
    arena_done(&stage->arena);
}

static void answer_target(struct stage *stage, const struct rollout_command *command)
{
    if (stage->deaf)
        return;
    uint32_t *served = &stage->served_ppm[command->target];
    if (command->verb == VERB_SHIFT || command->verb == VERB_PROMOTE)
        *served = command->share_ppm;
    else if (command->verb == VERB_REVERT)
        *served = 0;
    stage_send(stage, (struct rollout_event){.type = RE_TARGET_DONE,
                                             .token = command->token,
                                             .target = command->target,
                                             .verb = command->verb,
                                             .share_ppm = command->share_ppm,
                                             .settled = true});
}

static void answer(struct stage *stage, const struct rollout_command *command)
{
    uint32_t served;
    switch (command->type) {
    case RC_RECORD:
        if (command->durable && !stage->offline)
            stage_send(stage, (struct rollout_event){.type = RE_RECORDED, .token = command->token});
        break;
    case RC_TARGET:
        answer_target(stage, command);
        break;
    case RC_OBSERVE:
        if (stage->blind)
            break;
        served = stage->served_ppm[command->target];
        stage_send(stage, (struct rollout_event){.type = RE_OBSERVED,
                                                 .token = command->token,
                                                 .target = command->target,
                                                 .share_ppm = served,
                                                 .on_good_ppm = SHARE_ALL - served,
                                                 .settled = true});
        break;
    case RC_WAKE:
        if (stage->wake_ms > 0 && stage->wake_ms <= stage->now_ms) {
            stage->wake_ms = 0;
            stage_send(stage, (struct rollout_event){.type = RE_TIMER});
        }
        break;
    case RC_END:
        stage->ended = true;
        break;
    case RC_ASK:
    case RC_INCIDENT:
        break;
    }
}

void stage_send_only(struct stage *stage, struct rollout_event event)
{
    enum rollout_phase before = stage->state->phase;
    event.now_ms = stage->now_ms;
    rollout_step(stage->plan, stage->state, &event, &stage->out);
    cr_expect(before == stage->state->phase || phase_legal(before, stage->state->phase) ||
                  before == PHASE_NEW,
              "%s -> %s", phase_name(before), phase_name(stage->state->phase));
    for (uint32_t i = 0; i < stage->out.count; i++) {
        cr_assert_lt(stage->logged, STAGE_LOG);
        stage->log[stage->logged++] = stage->out.items[i];
        if (stage->out.items[i].type == RC_WAKE)
            stage->wake_ms = stage->out.items[i].at_ms;
        if (stage->out.items[i].type == RC_END)
            stage->ended = true;
    }
}

void stage_send(struct stage *stage, struct rollout_event event)
{
    stage_send_only(stage, event);
    uint32_t count = stage->out.count;
    uint32_t from = stage->logged - count;
    for (uint32_t i = 0; i < count; i++) {
        struct rollout_command command = stage->log[from + i];
        answer(stage, &command);
    }
}

void stage_begin(struct stage *stage)
{
    stage_send(stage, (struct rollout_event){.type = RE_BEGIN});
}

static void sample(struct stage *stage, uint32_t metric, uint32_t nth)
{
    const struct plan_metric *m = &stage->plan->metrics[metric];
    double share = stage->served_ppm[m->targets[nth]] / 1e6;
    double canary = REQUESTS * share;
    double baseline = REQUESTS - canary;
    stage_send(stage,
               (struct rollout_event){.type = RE_SAMPLE,
                                      .metric = metric,
                                      .nth = nth,
                                      .sample = {.has_value = !stage->silent,
                                                 .counts = {canary * stage->bad_share, canary,
                                                            baseline * 0.01, baseline},
                                                 .value = stage->value,
                                                 .baseline = stage->baseline,
                                                 .burn = {{stage->burn * 1e4, 1e4},
                                                          {stage->burn * 1e4, 1e4},
                                                          {stage->burn * 1e4, 1e4},
                                                          {stage->burn * 1e4, 1e4}},
                                                 .from_ms = stage->now_ms - m->lag_ms - m->every_ms,
                                                 .to_ms = stage->now_ms - m->lag_ms}});
}

static void tick(struct stage *stage)
{
    stage->now_ms += MS_SECOND;
    if (stage->wake_ms && stage->now_ms >= stage->wake_ms) {
        stage->wake_ms = 0;
        stage_send(stage, (struct rollout_event){.type = RE_TIMER});
    }
    if (stage->mute || stage->now_ms % MS_MINUTE != 0)
        return;
    for (uint32_t m = 0; m < stage->plan->metric_count; m++)
        for (uint32_t n = 0; n < stage->plan->metrics[m].target_count; n++)
            if (rollout_watching(stage->state))
                sample(stage, m, n);
}

void stage_play(struct stage *stage, int64_t for_ms)
{
    for (int64_t until_ms = stage->now_ms + for_ms; stage->now_ms < until_ms;)
        tick(stage);
}

bool stage_reach(struct stage *stage, enum rollout_phase phase)
{
    for (int64_t until_ms = stage->now_ms + MS_DAY;
         stage->now_ms < until_ms && stage->state->phase != phase;)
        tick(stage);
    return stage->state->phase == phase;
}

void stage_restart(struct stage *stage)
{
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    struct error err;
    const struct node *root;
    json_open_map(&out, NULL);
    plan_write(stage->plan, "plan", &out);
    rollout_state_write(stage->plan, stage->state, "state", &out);
    json_close(&out);
    struct plan *plan;
    cr_assert(json_parse(&stage->arena, "state", text_str(&text), &root, &err), "%s", err.message);
    cr_assert(plan_read(&stage->arena, node_get(root, "plan"), &plan, &err), "%s", err.message);
    cr_assert(rollout_state_read(&stage->arena, plan, node_get(root, "state"), &stage->state, &err),
              "%s", err.message);
    text_done(&text);
    stage->plan = plan;
    stage->wake_ms = 0;
    stage->ended = false;
    stage_send(stage, (struct rollout_event){.type = RE_RESUMED});
}

void stage_answer(struct stage *stage, bool granted, const char *who)
{
    stage_send(stage, (struct rollout_event){.type = RE_ANSWER,
                                             .token = stage->state->asked,
                                             .granted = granted,
                                             .who = str_of(who),
                                             .text = STR("looked at it")});
}

void stage_steer(struct stage *stage, enum rollout_steer steer)
{
    stage_send(stage, (struct rollout_event){.type = RE_STEER,
                                             .token = (uint64_t)stage->logged + 1,
                                             .steer = steer,
                                             .who = STR("alice"),
                                             .text = STR("because")});
}

uint32_t stage_emitted(const struct stage *stage, enum rollout_command_type type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stage->out.count; i++)
        count += stage->out.items[i].type == type;
    return count;
}

uint32_t stage_sent(const struct stage *stage, enum target_verb verb)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stage->logged; i++)
        count += stage->log[i].type == RC_TARGET && stage->log[i].verb == verb;
    return count;
}

const struct rollout_command *stage_newest(const struct stage *stage, enum record_type type)
{
    for (uint32_t i = stage->logged; i-- > 0;)
        if (stage->log[i].type == RC_RECORD && stage->log[i].record == type)
            return &stage->log[i];
    return NULL;
}

uint32_t stage_records(const struct stage *stage, enum record_type type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stage->logged; i++)
        count += stage->log[i].type == RC_RECORD && stage->log[i].record == type;
    return count;
}
