// Chance, the future, and time that passes.
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

double world_uniform(struct world *world)
{
    return (double)(world_random(world) >> 11) * 0x1p-53;
}

bool world_chance(struct world *world, double probability)
{
    return probability > 0 && world_uniform(world) < probability;
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
            normal += world_uniform(world);
        double value = floor(mean + sqrt(mean) * (normal - 6) + 0.5);
        return value > 0 ? value : 0;
    }
    double p = exp(-mean);
    double sum = p;
    double u = world_uniform(world);
    int k = 0;
    while (u > sum && k < 400) {
        p *= mean / ++k;
        sum += p;
    }
    return k;
}

double world_failures(struct world *world, double mean, double of)
{
    double bad = world->bursts * world_poisson(world, mean / world->bursts);
    return bad < of ? bad : of;
}

// ---- the future ---------------------------------------------------------------------------------

static bool sooner(const struct coming *a, const struct coming *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void sift_up(struct world *world, uint32_t at)
{
    struct coming *heap = world->heap, moved = heap[at];
    for (; at > 0 && sooner(&moved, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = moved;
}

static void sift_down(struct world *world, uint32_t at)
{
    struct coming *heap = world->heap, moved = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < world->heap_count; at = child) {
        if (child + 1 < world->heap_count && sooner(&heap[child + 1], &heap[child]))
            child++;
        if (!sooner(&heap[child], &moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
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
    happening->at = world->now + after_ms;
    happening->order = ++world->order;
    happening->kind = kind;
    happening->process = UINT32_MAX;
    happening->target = happening->attempt = 0;
    happening->id = 0;
    happening->amount = 0;
    world->heap[world->heap_count++] = (struct coming){happening->at, happening->order, index};
    sift_up(world, world->heap_count - 1);
    return happening;
}

static uint32_t next_happening(struct world *world)
{
    uint32_t index = world->heap[0].index;
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

// ---- time passes --------------------------------------------------------------------------------

static void jump(struct world *world, int64_t by_ms)
{
    world->clock_offset += by_ms;
    world->clock_jumped = true;
    world->freed_at = world->now; // what is waited for is waited for anew
    history(world, NULL, "the clock jumps by %lld ms", (long long)by_ms);
}

static void freeze(struct world *world, bool frozen)
{
    world->frozen = frozen;
    world->freed_at = world->now;
    struct process *process = living(world, FORWARD);
    if (process && process->begun)
        process_deliver(world, process->id, 1,
                        &(struct rollout_event){.type = RE_FROZEN, .granted = frozen});
}

static void remote(struct world *world, bool down)
{
    world->ledger.down = down;
    world->freed_at = world->now;
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
    world->freed_at = process->paused_until;
    history(world, process, "stands still");
}

static void call_rollback(struct world *world)
{
    if (living(world, ROLLBACK) || (world->ledger.down && living(world, FORWARD)))
        return; // with the remote down it cannot know of the other one: see rollout.md
    world->rollback_called = true;
    process_start(world, ROLLBACK, 7);
}

// Acknowledgements count only under a lease that still holds: one that may have run out is
// renewed before anything of theirs is acted on.
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
// acts: another one may have it, or may have finished the rollout. With the remote down it may
// at least watch and revert, unless it stood still for so long that the lease ran out meanwhile:
// then it does nothing at all.
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
    else if (happening->kind == H_SAMPLE) {
        check_goes_on(world, process);
        samples_take(world, process);
    } else if (happening->kind == H_HEARTBEAT)
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
    case H_WITHDRAW:
        people_withdraws(world, happening);
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
    world_make(world, scenario);
    history_plan(world);
    while (world->heap_count > 0 && !world->violation[0]) {
        uint32_t index = next_happening(world);
        world->now = world->happenings[index].at;
        if (world->now > END_OF_TIME || world->events > MOST_EVENTS)
            violated(world, "3: it does not end");
        else
            happen(world, &world->happenings[index]);
        world->unused[world->unused_count++] = index;
    }
    if (!world->violation[0])
        check_end(world);
    arena_done(&world->arena);
    world->outcome.effects = world->effects;
    world->outcome.events = world->events;
    world->outcome.restarts = world->restarts;
    world->outcome.crashes = world->crashes;
}
