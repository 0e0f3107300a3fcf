// Making a world: its plan, its traffic, and what goes wrong in it, all from the seed.
#include "world.h"

static bool some(struct world *world) // whether a kind of fault is part of this world
{
    return world_chance(world, 0.18);
}

static double rare(struct world *world)
{
    return some(world) ? world_uniform(world) * world_uniform(world) * 0.3 : 0;
}

static void draw_faults(struct world *world)
{
    struct faults *faults = &world->faults;
    faults->error_before = rare(world);
    faults->error_after = rare(world);
    faults->throttled = rare(world);
    faults->lost = rare(world);
    faults->doubled = rare(world);
    faults->late = rare(world);
    faults->slow = rare(world);
    faults->partial = rare(world);
    faults->taken_back = rare(world);
    faults->gap = rare(world);
    faults->no_value = rare(world);
    faults->no_traffic = rare(world);
    faults->late_sample = rare(world);
    faults->doubled_sample = rare(world);
    faults->push_loses = rare(world);
    faults->broken = some(world) && world_chance(world, 0.3);
    faults->crash = some(world);
    faults->disk_lost = some(world);
    faults->stray = some(world);
    faults->clock = some(world);
    faults->remote_down = some(world);
    faults->cancel = some(world);
    faults->second_runner = some(world);
    faults->rollback = some(world);
    faults->steer = some(world);
    faults->freeze = some(world);
    faults->pause = some(world);
}

static void draw_approval(struct world *world, struct plan_approval *approval, double probability)
{
    static str names[] = {STR_INIT("alice"), STR_INIT("bob"), STR_INIT("carol")};
    if (!world_chance(world, probability))
        return;
    approval->count = (uint32_t)world_between(world, 1, 2);
    approval->from = names;
    approval->from_count = WORLD_PEOPLE;
    if (world_chance(world, 0.5))
        approval->expires_after_ms = world_between(world, 1, 240) * MS_MINUTE;
}

static void make_targets(struct world *world, struct plan *plan)
{
    static const char *const names[WORLD_TARGETS] = {"web", "workers", "search"};
    plan->targets = world->targets_of_plan;
    for (uint32_t i = 0; i < plan->target_count && i < WORLD_TARGETS; i++) {
        world->targets_of_plan[i] =
            (struct plan_target){.name = str_of(names[i]),
                                 .good = {.release = STR("v6"), .revision = STR("r6")},
                                 .next = {.release = STR("v7")}};
        world->targets[i] = (struct simulated_target){
            .settled = true,
            .provider = world_chance(world, 0.5) ? PROVIDER_WEIGHTS : PROVIDER_INSTANCES};
    }
}

static void make_metrics(struct world *world, struct plan *plan, bool rate, bool threshold)
{
    plan->metrics = world->metrics;
    plan->metric_count = 0;
    if (rate) {
        uint32_t m = plan->metric_count++;
        world->metrics[m] = (struct plan_metric){.name = STR("errors"),
                                                 .judge = JUDGE_RATE,
                                                 .every_ms = 15 * MS_SECOND,
                                                 .own = true,
                                                 .lag_ms = 10 * MS_SECOND,
                                                 .max = 0.03,
                                                 .error_limit = 3,
                                                 .min_requests = 30,
                                                 .targets = world->watched[m],
                                                 .target_count = plan->target_count};
    }
    if (threshold) {
        uint32_t m = plan->metric_count++;
        world->metrics[m] = (struct plan_metric){.name = STR("latency"),
                                                 .judge = JUDGE_THRESHOLD,
                                                 .every_ms = 20 * MS_SECOND,
                                                 .own = true,
                                                 .max = 800,
                                                 .failure_limit = 1,
                                                 .error_limit = 3,
                                                 .targets = world->watched[m],
                                                 .target_count = 1};
    }
    for (uint32_t m = 0; m < WORLD_METRICS; m++)
        for (uint32_t i = 0; i < WORLD_TARGETS; i++)
            world->watched[m][i] = i;
}

// One that compares gauges, or one that guards an error budget.
static void add_judge(struct world *world, struct plan *plan)
{
    uint32_t m = plan->metric_count++;
    struct plan_metric *metric = &world->metrics[m];
    *metric = (struct plan_metric){.name = STR("budget"),
                                   .judge = JUDGE_BURN,
                                   .every_ms = 20 * MS_SECOND,
                                   .own = true,
                                   .error_limit = 3,
                                   .min_requests = 30,
                                   .budget = 0.05,
                                   .targets = world->watched[m],
                                   .target_count = plan->target_count};
    if (plan->step_count == 1 || world_chance(world, 0.4))
        return;
    metric->name = STR("duration");
    metric->judge = JUDGE_COMPARE;
    metric->every_ms = 5 * MS_SECOND;
    metric->error_limit = 20;
    metric->confidence = 0.98;
    metric->slack = 0.25;
}

// What two hours of today's traffic tell of how failures come.
static void learn(struct world *world, struct plan *plan)
{
    double minute = world->per_minute;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        world->known[i] = (struct dispersion){0};
        for (int n = 0; n < 60; n++)
            dispersion_add(&world->known[i],
                           world_failures(world, minute * world->base_rate, minute), minute);
    }
    if (plan->metric_count > 0 && world->metrics[0].judge == JUDGE_RATE)
        world->metrics[0].known = world->known;
}

static void make_steps(struct plan *plan, uint32_t count)
{
    static const uint32_t ladders[WORLD_STEPS][WORLD_STEPS] = {{SHARE_ALL},
                                                               {500000, SHARE_ALL},
                                                               {50000, 250000, SHARE_ALL},
                                                               {10000, 100000, 500000, SHARE_ALL}};
    plan->step_count = count;
    for (uint32_t i = 0; i < count; i++)
        plan->steps[i].share_ppm = ladders[count - 1][i];
}

// Long enough for the plan to see the regression that it is to see, and for its other checks.
static void make_bakes(struct world *world, struct plan *plan, int64_t at_least_ms)
{
    struct detect_traffic traffic[WORLD_WATCHES];
    struct detect_step found[WORLD_STEPS];
    for (uint32_t i = 0; i < WORLD_WATCHES; i++)
        traffic[i] = (struct detect_traffic){.per_minute = world->per_minute,
                                             .bad_share = world->base_rate,
                                             .dispersion = plan_dispersion(&plan->metrics[0], 0)};
    plan->step_bake_ms = plan->bake_ms = at_least_ms;
    for (int round = 0; round < 3; round++) { // the last step's time hangs on the bakes before it
        detect_plan(plan, traffic, found);
        for (uint32_t s = 0; s < plan->step_count; s++) {
            int64_t *bake_ms = s + 1 < plan->step_count ? &plan->step_bake_ms : &plan->bake_ms;
            if (found[s].metric != UINT32_MAX && found[s].needed_ms > *bake_ms &&
                found[s].needed_ms < MS_DAY)
                *bake_ms = found[s].needed_ms;
        }
    }
}

static void make_plan(struct plan *plan)
{
    *plan = (struct plan){.rollout = STR("v7-production-1"),
                          .release = STR("v7"),
                          .environment = STR("production"),
                          .stage = STR("production"),
                          .settle_limit_ms = 4 * MS_MINUTE,
                          .rollback_limit_ms = 10 * MS_MINUTE,
                          .alpha = 0.01,
                          .tolerance = 1.2,
                          .detect_ratio = 5,
                          .detect_power = 0.95,
                          .extend = 1,
                          .rollback_on_cancel = true};
}

// Nothing goes wrong but, in half of them, the release: these carry the statistics. Planning
// their bakes takes longer than living through them, so there are only so many kinds of traffic.
enum { TRAFFICS = 16 };

static void draw_bare(struct world *world, struct plan *plan)
{
    static struct {
        int64_t step_bake_ms, bake_ms;
        struct dispersion known;
    } planned[TRAFFICS];
    uint32_t traffic = (uint32_t)world_between(world, 0, TRAFFICS - 1);
    world->outcome.bare = true;
    world->per_minute = 600 + 226 * (double)traffic;
    world->base_rate = 0.005 + 0.001 * (double)(traffic * 7 % TRAFFICS);
    world->bad = world_chance(world, 0.5);
    world->outcome.regression = world->bad;
    world->ratio = world->bad ? plan->detect_ratio : 1;
    plan->target_count = 1;
    make_targets(world, plan);
    make_metrics(world, plan, true, false);
    make_steps(plan, 3);
    world->bursts = 1 + traffic % 3;
    if (planned[traffic].bake_ms == 0) {
        uint64_t random = world->random; // what is planned is the same from whichever seed
        world->random = traffic + 1;
        learn(world, plan);
        world->random = random;
        make_bakes(world, plan, 30 * MS_SECOND);
        planned[traffic].known = world->known[0];
        planned[traffic].step_bake_ms = plan->step_bake_ms;
        planned[traffic].bake_ms = plan->bake_ms;
    }
    world->known[0] = planned[traffic].known;
    world->metrics[0].known = world->known;
    plan->step_bake_ms = planned[traffic].step_bake_ms;
    plan->bake_ms = planned[traffic].bake_ms;
}

static void draw_plan(struct world *world, struct plan *plan)
{
    static const double ratios[] = {2, 3, 5, 10, 30};
    world->per_minute = (double)world_between(world, 100, 4000);
    world->base_rate = (double)world_between(world, 2, 20) / 1000;
    world->bad = world_chance(world, 0.4);
    world->ratio = world->bad ? ratios[world_between(world, 0, 4)] : 1;
    world->latency = world_chance(world, 0.1) ? 900 : 300;
    plan->target_count = (uint32_t)world_between(world, 1, WORLD_TARGETS);
    make_targets(world, plan);
    make_metrics(world, plan, world_chance(world, 0.85), world_chance(world, 0.4));
    make_steps(plan, (uint32_t)world_between(world, 1, WORLD_STEPS));
    world->bursts = (double)world_between(world, 1, 3);
    if (world_chance(world, 0.5))
        learn(world, plan);
    if (world_chance(world, 0.4))
        add_judge(world, plan);
    plan->step_bake_ms = world_between(world, 30, 240) * MS_SECOND;
    plan->bake_ms = world_between(world, 30, 400) * MS_SECOND;
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        int64_t least_ms = plan_answer_ms(&world->metrics[m]);
        plan->step_bake_ms = plan->step_bake_ms > least_ms ? plan->step_bake_ms : least_ms;
        plan->bake_ms = plan->bake_ms > least_ms ? plan->bake_ms : least_ms;
    }
    plan->extend = (uint32_t)world_between(world, 0, 2);
    plan->then = world_chance(world, 0.3) ? INCONCLUSIVE_ABORT : INCONCLUSIVE_HOLD;
    plan->rollback_on_cancel = world_chance(world, 0.7);
    draw_approval(world, &plan->approval, 0.3);
    for (uint32_t s = 0; s < plan->step_count; s++)
        draw_approval(world, &plan->steps[s].approval, 0.12);
    bool ordered = world_chance(world, 0.3);
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (world_chance(world, 0.1))
            world->targets_of_plan[i].good = (struct placement){0}; // its first deployment
        world->targets_of_plan[i].weighted = world_chance(world, 0.2);
        if (ordered)
            world->targets_of_plan[i].rank = plan->target_count - i;
        if (world_chance(world, 0.05))
            world->targets_of_plan[i].no_return = STR("0007_names.py drops a column");
        if (!world_chance(world, 0.2))
            continue;
        for (uint32_t s = 0; s < plan->step_count; s++) { // three hosts: rounded up
            uint32_t hosts =
                (uint32_t)(((uint64_t)plan->steps[s].share_ppm * 3 + SHARE_ALL - 1) / SHARE_ALL);
            world->shares[i][s] = hosts == 3 ? SHARE_ALL : hosts * 333333;
        }
        world->targets_of_plan[i].shares = world->shares[i];
    }
}

static void make_canonical(struct world *world, struct plan *plan)
{
    world->per_minute = 2000;
    world->base_rate = 0.01;
    world->bad = world->scenario.bad;
    world->ratio = world->bad ? 10 : 1;
    world->latency = 300;
    world->bursts = 1;
    plan->target_count = 2;
    make_targets(world, plan);
    make_metrics(world, plan, true, true);
    make_steps(plan, 3);
    plan->step_bake_ms = plan->bake_ms = 2 * MS_MINUTE;
    if (world->scenario.approvals) {
        draw_approval(world, &plan->approval, 1);
        draw_approval(world, &plan->steps[1].approval, 1);
        plan->approval.expires_after_ms = plan->steps[1].approval.expires_after_ms = 0;
    }
    world->crash_at = world->scenario.crash_at;
    world->crashes_left = world->crash_at > 0;
    world->faults.disk_lost = world->scenario.disk_lost;
}

// Windows: what goes forward may do so for a while, again and again.
static void make_windows(struct world *world)
{
    int64_t at_ms = world_between(world, 0, 600) * MS_SECOND;
    int64_t open_ms = world_between(world, 60, 900) * MS_SECOND;
    int64_t closed_ms = world_between(world, 60, 900) * MS_SECOND;
    for (int i = 0; i < 6; i++, at_ms += open_ms + closed_ms) {
        world_later(world, at_ms, H_FREEZE)->amount = 1;
        world_later(world, at_ms + closed_ms, H_FREEZE);
    }
}

static void schedule_faults(struct world *world)
{
    const struct faults *faults = &world->faults;
    if (faults->crash) {
        world->crashes_left = (uint32_t)world_between(world, 1, 4);
        world->crash_at = (uint32_t)world_between(world, 1, 60);
    }
    if (faults->broken)
        world_later(world, world_between(world, 0, 900) * MS_SECOND, H_BREAK);
    if (faults->stray)
        world_later(world, world_between(world, 10, 900) * MS_SECOND, H_STRAY);
    if (faults->cancel)
        world_later(world, world_between(world, 1, 900) * MS_SECOND, H_CANCEL);
    if (faults->second_runner)
        for (int i = 0; i < 3; i++)
            world_later(world, world_between(world, 0, 900) * MS_SECOND, H_SECOND);
    if (faults->rollback && world_chance(world, 0.5))
        world_later(world, world_between(world, 5, 1200) * MS_SECOND, H_ROLLBACK);
    if (faults->pause)
        world_later(world, world_between(world, 1, 900) * MS_SECOND, H_PAUSE);
    for (int i = 0; faults->clock && i < 3; i++) {
        int64_t most = world_chance(world, 0.5) ? 5 * MS_SECOND : 2 * MS_HOUR;
        world_later(world, world_between(world, 1, 900) * MS_SECOND, H_CLOCK)->amount =
            world_between(world, -most, most);
    }
    for (int i = 0; faults->remote_down && i < 2; i++) {
        int64_t from_ms = world_between(world, 0, 900) * MS_SECOND;
        world_later(world, from_ms, H_REMOTE)->amount = 1;
        world_later(world, from_ms + world_between(world, 1, 600) * MS_SECOND, H_REMOTE);
    }
    for (int i = 0; faults->freeze && i < 2; i++) {
        int64_t from_ms = world_between(world, 0, 900) * MS_SECOND;
        world_later(world, from_ms, H_FREEZE)->amount = 1;
        world_later(world, from_ms + world_between(world, 1, 1200) * MS_SECOND, H_FREEZE);
    }
    for (int i = 0; faults->steer && i < 3; i++)
        world_later(world, world_between(world, 1, 1500) * MS_SECOND, H_STEER)->amount =
            world_between(world, STEER_HOLD, STEER_ABORT);
    if (faults->freeze && world_chance(world, 0.5))
        make_windows(world);
}

static void clear(struct world *world, const struct scenario *scenario)
{
    // Everything but the large arrays, of which only what is in use is ever read.
    world->scenario = *scenario;
    world->random = scenario->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    world->now = world->clock_offset = world->freed_at = 0;
    world->clock_jumped = false;
    world->faults = (struct faults){0};
    memset(world->targets_of_plan, 0, sizeof world->targets_of_plan);
    memset(world->metrics, 0, sizeof world->metrics);
    memset(world->questions, 0, sizeof world->questions);
    memset(world->fed, 0, sizeof world->fed);
    world->latency = 300;
    world->ledger.count = 0;
    world->ledger.lease_number = 0;
    world->ledger.lease_holder = UINT32_MAX;
    world->ledger.lease_until = 0;
    world->ledger.down = false;
    world->entry_count = world->process_count = world->fed_step = 0;
    world->frozen = world->rollback_called = world->decision_due = false;
    world->steers = world->operations = 0;
    world->restarts = world->crashes = world->crashes_left = world->crash_at = 0;
    world->fenced_at = world->last_stray_at = INT64_MIN / 2;
    world->effects = world->events = 0;
    world->heap_count = 0;
    world->unused_count = WORLD_HAPPENINGS;
    for (uint32_t i = 0; i < WORLD_HAPPENINGS; i++)
        world->unused[i] = i;
    world->order = 0;
    world->outcome = (struct outcome){0};
    world->violation[0] = 0;
}

void world_make(struct world *world, const struct scenario *scenario)
{
    clear(world, scenario);
    struct plan *plan = &world->plans[FORWARD];
    make_plan(plan);
    if (scenario->canonical) {
        make_canonical(world, plan);
    } else if (scenario->seed % 8 == 0) {
        draw_bare(world, plan);
    } else {
        draw_faults(world);
        draw_plan(world, plan);
    }
    struct error err = {0};
    if (!plan_check(plan, &err))
        violated(world, "a plan that does not hold: %s", err.message);
    world->plans[ROLLBACK] = *plan;
    world->plans[ROLLBACK].mode = PLAN_ROLLBACK;
    world->plans[ROLLBACK].rollout = STR("rollback-1");
    world->plans[ROLLBACK].reason = STR("customers complain");
    schedule_faults(world);
    if (scenario->rollback)
        world_later(world, 3 * MS_MINUTE, H_ROLLBACK);
    world_later(world, 0, H_SUPERVISE);
}
