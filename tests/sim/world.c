// Making a world from a seed, and letting its time pass.
#include "world.h"

#include <math.h>

#define END_OF_TIME (7 * MS_DAY)
#define MOST_EVENTS 200000u

// ---- chance -------------------------------------------------------------------------------------

uint64_t world_random(struct world *world) // splitmix64
{
    uint64_t z = (world->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform(struct world *world)
{
    return (double)(world_random(world) >> 11) * 0x1p-53;
}

bool world_chance(struct world *world, double probability)
{
    return probability > 0 && uniform(world) < probability;
}

int64_t world_between(struct world *world, int64_t low, int64_t high)
{
    return low + (int64_t)(world_random(world) % (uint64_t)(high - low + 1));
}

double world_poisson(struct world *world, double mean)
{
    if (mean > 60) { // the sum of two uniform quadruples is near enough to normal here
        double normal = 0;
        for (int i = 0; i < 12; i++)
            normal += uniform(world);
        double value = floor(mean + sqrt(mean) * (normal - 6) + 0.5);
        return value > 0 ? value : 0;
    }
    double p = exp(-mean);
    double sum = p;
    double u = uniform(world);
    int k = 0;
    while (u > sum && k < 400) {
        p *= mean / ++k;
        sum += p;
    }
    return k;
}

// ---- the future ---------------------------------------------------------------------------------

static bool sooner(const struct world *world, uint32_t a, uint32_t b)
{
    const struct happening *first = &world->happenings[a];
    const struct happening *second = &world->happenings[b];
    return first->at < second->at || (first->at == second->at && first->order < second->order);
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t keep = *a;
    *a = *b;
    *b = keep;
}

static void sift_up(struct world *world, uint32_t at)
{
    while (at > 0 && sooner(world, world->heap[at], world->heap[(at - 1) / 2])) {
        swap(&world->heap[at], &world->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct world *world, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < world->heap_count; child++)
            if (sooner(world, world->heap[child], world->heap[least]))
                least = child;
        if (least == at)
            return;
        swap(&world->heap[at], &world->heap[least]);
        at = least;
    }
}

struct happening *world_later(struct world *world, int64_t after_ms, enum happening_kind kind)
{
    static struct happening nowhere;
    if (world->unused_count == 0) {
        violated(world, "3: more is under way than can ever end");
        return &nowhere;
    }
    uint32_t index = world->unused[--world->unused_count];
    struct happening *happening = &world->happenings[index];
    *happening = (struct happening){
        .at = world->now + after_ms, .order = ++world->order, .kind = kind, .process = UINT32_MAX};
    world->heap[world->heap_count++] = index;
    sift_up(world, world->heap_count - 1);
    return happening;
}

static uint32_t next_happening(struct world *world)
{
    uint32_t index = world->heap[0];
    world->heap[0] = world->heap[--world->heap_count];
    sift_down(world, 0);
    return index;
}

int64_t wall_ms(const struct world *world, const struct process *process)
{
    return INT64_C(1790000000000) + world->now + world->clock_offset + process->skew_ms;
}

struct process *living(struct world *world, enum rollout_kind kind)
{
    for (uint32_t i = world->process_count; i-- > 0;)
        if (world->processes[i].alive && world->processes[i].kind == kind)
            return &world->processes[i];
    return NULL;
}

// ---- making it ----------------------------------------------------------------------------------

static bool some(struct world *world) // whether a kind of fault is part of this world
{
    return world_chance(world, 0.18);
}

static double rare(struct world *world)
{
    return some(world) ? uniform(world) * uniform(world) * 0.3 : 0;
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
    for (uint32_t i = 0; i < plan->target_count; i++) {
        world->targets_of_plan[i] =
            (struct plan_target){.name = str_of(names[i]),
                                 .good = {.release = STR("v6"), .revision = STR("r6")},
                                 .next = {.release = STR("v7")}};
        world->targets[i] = (struct simulated_target){.settled = true};
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
        traffic[i] = (struct detect_traffic){world->per_minute, world->base_rate};
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

// Nothing goes wrong but, in half of them, the release: these carry the statistics. Planning their
// bakes takes longer than living through them, so there are only so many kinds of traffic.
enum { TRAFFICS = 16 };

static void draw_bare(struct world *world, struct plan *plan)
{
    static struct {
        int64_t step_bake_ms, bake_ms;
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
    if (planned[traffic].bake_ms == 0) {
        make_bakes(world, plan, 30 * MS_SECOND);
        planned[traffic].step_bake_ms = plan->step_bake_ms;
        planned[traffic].bake_ms = plan->bake_ms;
    }
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
    plan->step_bake_ms = world_between(world, 30, 240) * MS_SECOND;
    plan->bake_ms = world_between(world, 30, 400) * MS_SECOND;
    plan->extend = (uint32_t)world_between(world, 0, 2);
    plan->then = world_chance(world, 0.3) ? INCONCLUSIVE_ABORT : INCONCLUSIVE_HOLD;
    plan->rollback_on_cancel = world_chance(world, 0.7);
    draw_approval(world, &plan->approval, 0.3);
    for (uint32_t s = 0; s < plan->step_count; s++)
        draw_approval(world, &plan->steps[s].approval, 0.12);
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (world_chance(world, 0.1))
            world->targets_of_plan[i].good = (struct placement){0}; // its first deployment
        world->targets_of_plan[i].weighted = world_chance(world, 0.2);
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
}

static void clear(struct world *world, const struct scenario *scenario)
{
    // Everything but the large arrays, of which only what is in use is ever read.
    world->scenario = *scenario;
    world->random = scenario->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    world->now = world->clock_offset = 0;
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

static void make(struct world *world, const struct scenario *scenario)
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

// ---- time passes --------------------------------------------------------------------------------

static void jump(struct world *world, int64_t by_ms)
{
    world->clock_offset += by_ms;
    world->clock_jumped = true;
    history(world, NULL, "the clock jumps by %lld ms", (long long)by_ms);
}

static void freeze(struct world *world, bool frozen)
{
    world->frozen = frozen;
    struct process *process = living(world, FORWARD);
    if (process && process->begun)
        process_deliver(world, process->id, 1,
                        &(struct rollout_event){.type = RE_FROZEN, .granted = frozen});
}

static void remote(struct world *world, bool down)
{
    world->ledger.down = down;
    history(world, NULL, "the ledger's remote is %s", down ? "down" : "up again");
}

static void kill_or_cancel(struct world *world, const struct happening *happening)
{
    struct process *process = happening->process == UINT32_MAX
                                  ? living(world, FORWARD)
                                  : &world->processes[happening->process];
    if (!process || !process->alive)
        return;
    if (happening->kind == H_KILL) {
        history(world, process, "is killed");
        process_kill(world, process);
        return;
    }
    process_deliver(world, process->id, 0, &(struct rollout_event){.type = RE_CANCEL});
    world_later(world, 10 * MS_SECOND, H_KILL)->process = process->id;
}

static void pause_process(struct world *world)
{
    struct process *process = living(world, FORWARD);
    if (!process)
        return;
    process->paused_until = world->now + world_between(world, 1, 300) * MS_SECOND;
    process->overslept = process->paused_until > world->now + 5 * MS_SECOND;
    history(world, process, "stands still");
}

static void call_rollback(struct world *world)
{
    if (living(world, ROLLBACK) || (world->ledger.down && living(world, FORWARD)))
        return; // with the remote down it cannot know of the other one: see rollout.md
    world->rollback_called = true;
    process_start(world, ROLLBACK, 7);
}

// Acknowledgements count only under a lease that still holds: one that may have run out is renewed
// before anything of theirs is acted on.
static void turn(struct world *world, struct process *process)
{
    if (process->begun && !process->known_lost && world->now > process->lease_until) {
        if (world->ledger.down) {
            world_later(world, 5 * MS_SECOND, H_TURN)->process = process->id;
            return;
        }
        ledger_renew(world, process);
    }
    process_turn(world, process);
}

static void postpone(struct world *world, const struct happening *happening, int64_t by_ms)
{
    struct happening *again = world_later(world, by_ms, happening->kind);
    int64_t at = again->at;
    uint64_t order = again->order;
    *again = *happening;
    again->at = at;
    again->order = order;
}

// A process that stood still, or whose lease has run out by its own clock, renews it before it
// acts: another one may have it, or may have finished the rollout. With the remote down it may at
// least watch and revert, unless it stood still for so long that the lease ran out meanwhile: then
// it does nothing at all.
static bool awake(struct world *world, struct process *process, const struct happening *happening)
{
    if (process->paused_until > world->now) {
        postpone(world, happening, process->paused_until - world->now);
        return false;
    }
    if ((process->overslept || world->now > process->lease_until) && process->begun) {
        bool may = happening->kind != H_TURN &&
                   (!process->overslept || world->now <= process->lease_until);
        if (world->ledger.down && may)
            return true;
        if (world->ledger.down) {
            postpone(world, happening, 2 * MS_SECOND);
            return false;
        }
        process->overslept = false;
        ledger_renew(world, process);
        if (process->lease == LEASE_LOST)
            process_turn(world, process);
    }
    return process->alive;
}

// Happenings that have to do with one process and that a pause delays.
static void to_process(struct world *world, struct happening *happening)
{
    struct process *process = &world->processes[happening->process];
    if (!process->alive || !awake(world, process, happening))
        return;
    if (happening->kind == H_DELIVER)
        process_feed(world, process, &happening->event);
    else if (happening->kind == H_TURN)
        turn(world, process);
    else if (happening->kind == H_WAKE && happening->id == process->wake_id)
        process_feed(world, process, &(struct rollout_event){.type = RE_TIMER});
    else if (happening->kind == H_SAMPLE)
        samples_take(world, process);
    else if (happening->kind == H_HEARTBEAT)
        ledger_heartbeat(world, happening);
}

static void happen(struct world *world, struct happening *happening)
{
    switch (happening->kind) {
    case H_DELIVER:
    case H_TURN:
    case H_WAKE:
    case H_SAMPLE:
    case H_HEARTBEAT:
        to_process(world, happening);
        break;
    case H_ARRIVE:
        target_arrive(world, happening);
        break;
    case H_LOOK:
        target_look(world, happening);
        break;
    case H_CONVERGE:
        target_converge(world, happening);
        break;
    case H_TAKE:
        ledger_take(world, happening);
        break;
    case H_PUSH:
        ledger_push(world, happening);
        break;
    case H_ANSWER:
        people_answers(world, happening);
        break;
    case H_STEER:
        people_steers(world, happening);
        break;
    case H_KILL:
    case H_CANCEL:
        kill_or_cancel(world, happening);
        break;
    case H_PAUSE:
        pause_process(world);
        break;
    case H_SUPERVISE:
        process_supervise(world);
        break;
    case H_SECOND:
        if (world->restarts < 20 && !world->rollback_called)
            process_start(world, FORWARD, 1);
        break;
    case H_ROLLBACK:
        call_rollback(world);
        break;
    case H_STRAY:
        target_stray(world);
        break;
    case H_BREAK:
        target_break(world);
        break;
    case H_CLOCK:
        jump(world, happening->amount);
        break;
    case H_REMOTE:
        remote(world, happening->amount != 0);
        break;
    case H_FREEZE:
        freeze(world, happening->amount != 0);
        break;
    }
}

void world_run(struct world *world, const struct scenario *scenario)
{
    make(world, scenario);
    history_plan(world);
    while (world->heap_count > 0 && !world->violation[0]) {
        uint32_t index = next_happening(world);
        struct happening happening = world->happenings[index];
        world->unused[world->unused_count++] = index;
        world->now = happening.at;
        if (world->now > END_OF_TIME || world->events > MOST_EVENTS)
            violated(world, "3: it does not end");
        else
            happen(world, &happening);
    }
    if (!world->violation[0])
        check_end(world);
    arena_done(&world->arena);
    world->outcome.effects = world->effects;
    world->outcome.events = world->events;
    world->outcome.restarts = world->restarts;
    world->outcome.crashes = world->crashes;
}
