// How fast the engine is: events a second, and whole rollouts of three steps a second, on one
// core.
#include "sim.h"

#include <time.h>

#define EVENTS 20000000u
#define ROLLOUTS 200000u

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); // of this core: others may be busy
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct bench {
    struct plan plan;
    struct plan_target target;
    struct plan_metric metric;
    uint32_t watched;
    struct rollout_state *state;
    struct rollout_commands out;
    int64_t now_ms, wake_ms;
    uint64_t events;
};

static void make(struct bench *bench, struct arena *arena)
{
    struct plan *plan = &bench->plan;
    bench->target = (struct plan_target){.name = STR("web"), .good = {.release = STR("v6")}};
    bench->metric = (struct plan_metric){.name = STR("errors"),
                                         .every_ms = MS_MINUTE,
                                         .max = -1,
                                         .error_limit = 2,
                                         .min_requests = 100,
                                         .targets = &bench->watched,
                                         .target_count = 1};
    *plan = (struct plan){
        .release = STR("v7"),
        .stage = STR("production"),
        .targets = &bench->target,
        .target_count = 1,
        .metrics = &bench->metric,
        .metric_count = 1,
        .steps = {{.share_ppm = 50000}, {.share_ppm = 250000}, {.share_ppm = SHARE_ALL}},
        .step_count = 3,
        .step_bake_ms = 10 * MS_MINUTE,
        .bake_ms = 10 * MS_MINUTE,
        .settle_limit_ms = 5 * MS_MINUTE,
        .rollback_limit_ms = 5 * MS_MINUTE,
        .alpha = 0.01,
        .tolerance = 1.2,
        .detect_ratio = 5,
        .detect_power = 0.95};
    bench->state = rollout_state_new(arena, plan);
    bench->now_ms = INT64_C(1790000000000);
}

static void send(struct bench *bench, struct rollout_event event)
{
    struct rollout_event queue[8]; // answers to the newest event; never more than a few
    uint32_t count = 0;
    queue[count++] = event;
    for (uint32_t next = 0; next < count; next++) {
        queue[next].now_ms = bench->now_ms;
        rollout_step(&bench->plan, bench->state, &queue[next], &bench->out);
        bench->events++;
        for (uint32_t i = 0; i < bench->out.count && count < 8; i++) {
            const struct rollout_command *command = &bench->out.items[i];
            if (command->type == RC_RECORD && command->durable)
                queue[count++] =
                    (struct rollout_event){.type = RE_RECORDED, .token = command->token};
            else if (command->type == RC_TARGET)
                queue[count++] = (struct rollout_event){.type = RE_TARGET_DONE,
                                                        .token = command->token,
                                                        .verb = command->verb,
                                                        .share_ppm = command->share_ppm};
            else if (command->type == RC_OBSERVE)
                queue[count++] =
                    (struct rollout_event){.type = RE_OBSERVED,
                                           .token = command->token,
                                           .share_ppm = bench->state->targets[0].share_ppm,
                                           .settled = true};
            else if (command->type == RC_WAKE)
                bench->wake_ms = command->at_ms;
        }
        if (count == 8 && next > 3) { // make room: what was handled is over
            memmove(queue, queue + next + 1, (count - next - 1) * sizeof queue[0]);
            count -= next + 1;
            next = UINT32_MAX;
        }
    }
}

static struct rollout_event sample_of(const struct bench *bench, int64_t from_ms)
{
    double share = bench->state->targets[0].share_ppm / 1e6;
    return (struct rollout_event){
        .type = RE_SAMPLE,
        .sample = {.has_value = true,
                   .counts = {20 * share, 2000 * share, 20 * (1 - share), 2000 * (1 - share)},
                   .from_ms = from_ms,
                   .to_ms = bench->now_ms}};
}

// A whole rollout: begin, three steps with a sample a minute, done.
static bool roll_out(struct bench *bench)
{
    rollout_state_reset(&bench->plan, bench->state);
    bench->wake_ms = 0;
    send(bench, (struct rollout_event){.type = RE_BEGIN});
    for (int minute = 0; minute < 60 && !phase_terminal(bench->state->phase); minute++) {
        int64_t next_ms = bench->now_ms + MS_MINUTE;
        while (bench->wake_ms > 0 && bench->wake_ms < next_ms) {
            bench->now_ms = bench->wake_ms > bench->now_ms ? bench->wake_ms : bench->now_ms + 1;
            bench->wake_ms = 0;
            send(bench, (struct rollout_event){.type = RE_TIMER});
        }
        bench->now_ms = next_ms;
        send(bench, sample_of(bench, next_ms - MS_MINUTE));
    }
    return bench->state->phase == PHASE_DONE;
}

int sim_bench(void)
{
    static struct bench bench;
    struct arena arena = {0};
    make(&bench, &arena);
    double from = seconds();
    for (uint32_t i = 0; i < ROLLOUTS; i++)
        if (!roll_out(&bench)) {
            printf("a rollout ended %s: %s\n", phase_name(bench.state->phase), bench.state->why);
            arena_done(&arena);
            return 1;
        }
    double took = seconds() - from;
    printf("%.0f three-step rollouts/s, %.2f M events/s in them (%.0f events each)\n",
           ROLLOUTS / took, (double)bench.events / took / 1e6, (double)bench.events / ROLLOUTS);

    // Samples and early timers in an endless bake: what most of the events of a real rollout are.
    rollout_state_reset(&bench.plan, bench.state);
    bench.plan.step_bake_ms = INT64_C(1) << 60;
    send(&bench, (struct rollout_event){.type = RE_BEGIN});
    bench.events = 0;
    from = seconds();
    while (bench.events < EVENTS) {
        bench.now_ms += MS_SECOND;
        send(&bench, sample_of(&bench, bench.now_ms - MS_SECOND));
        send(&bench, (struct rollout_event){.type = RE_TIMER});
    }
    took = seconds() - from;
    printf("%.2f M events/s in a bake (a sample and a timer every second)\n",
           (double)bench.events / took / 1e6);
    arena_done(&arena);
    return 0;
}
