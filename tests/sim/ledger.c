// The ledger: a remote with a lease, and in each process a journal that commits at once and
// pushes in its own time. It implements the journal port that the real ledger implements over
// git.
#include "world.h"

#include <stddef.h>

#define LEASE_MS (60 * MS_SECOND)
#define HEARTBEAT_MS (20 * MS_SECOND)
#define ROLLBACK_PATIENCE_MS (10 * MS_SECOND) // then it goes on with the local ledger

static void turn_soon(struct world *world, struct process *process)
{
    world_later(world, world_between(world, 5, 200), H_TURN)->process = process->id;
}

static void lose(struct world *world, struct process *process)
{
    process->lease = LEASE_LOST;
    turn_soon(world, process);
}

// ---- the lease ----------------------------------------------------------------------------------

static void grant(struct world *world, struct process *process)
{
    struct ledger *ledger = &world->ledger;
    if (ledger->lease_holder != UINT32_MAX && ledger->lease_holder != process->id &&
        world->processes[ledger->lease_holder].alive)
        world->fenced_at = world->now;
    ledger->lease_number++;
    ledger->lease_holder = process->id;
    ledger->lease_until = world->now + LEASE_MS;
    process->lease = LEASE_HELD;
    process->lease_number = ledger->lease_number;
    process->lease_until = world->now + LEASE_MS;
    history(world, process, "has lease %llu", (unsigned long long)ledger->lease_number);
}

void ledger_take(struct world *world, const struct happening *happening)
{
    struct process *process = &world->processes[happening->process];
    struct ledger *ledger = &world->ledger;
    bool force = process->kind == ROLLBACK;
    if (!process->alive)
        return;
    // Where another process lives that it cannot fence out, two would write: that is for people
    // to know, and no world of ours.
    bool alone = !living(world, FORWARD);
    if (ledger->down && force && alone && happening->id >= ROLLBACK_PATIENCE_MS) {
        process->lease = LEASE_HELD; // of the local ledger; it is reconciled with the first push
        process->lease_number = 0;
        process->lease_until = INT64_MAX;
        turn_soon(world, process);
        return;
    }
    if (ledger->down) {
        struct happening *again = world_later(world, 2 * MS_SECOND, H_TAKE);
        again->process = process->id;
        again->id = happening->id + 2 * MS_SECOND;
        return;
    }
    bool is_free = ledger->lease_holder == UINT32_MAX || ledger->lease_until < world->now;
    if (is_free || force)
        grant(world, process);
    else
        process->lease = LEASE_REFUSED;
    turn_soon(world, process);
}

void ledger_renew(struct world *world, struct process *process)
{
    if (process->lease != LEASE_HELD || process->lease_number == 0)
        return;
    if (world->ledger.lease_number != process->lease_number) {
        lose(world, process);
        return;
    }
    world->ledger.lease_until = process->lease_until = world->now + LEASE_MS;
}

void ledger_heartbeat(struct world *world, const struct happening *happening)
{
    struct process *process = &world->processes[happening->process];
    if (!world->ledger.down)
        ledger_renew(world, process);
    if (process->lease == LEASE_HELD)
        world_later(world, HEARTBEAT_MS, H_HEARTBEAT)->process = process->id;
}

// ---- pushes -------------------------------------------------------------------------------------

static void push_later(struct world *world, struct process *process, int64_t after_ms)
{
    process->push_under_way = true;
    world_later(world, after_ms, H_PUSH)->process = process->id;
}

static void land(struct world *world, struct process *process)
{
    struct ledger *ledger = &world->ledger;
    for (uint32_t i = 0; i < process->queued; i++) {
        ledger->entries[ledger->count++] = process->queue[i];
        world->entries[process->queue[i]].durable = true;
    }
    process->queued = 0;
    process->base = ledger->count;
}

void ledger_push(struct world *world, const struct happening *happening)
{
    struct process *process = &world->processes[happening->process];
    struct ledger *ledger = &world->ledger;
    process->push_under_way = false;
    if (!process->alive) {
        // It had left before the process died, or it had not.
        if (!ledger->down && ledger->lease_number == process->lease_number &&
            world_chance(world, 0.5))
            land(world, process);
        return;
    }
    if (process->lease != LEASE_HELD)
        return;
    if (ledger->down) {
        push_later(world, process, 2 * MS_SECOND);
        return;
    }
    if (world_chance(world, world->faults.push_loses)) {
        push_later(world, process, world_between(world, 50, 400)); // fetches, and tries again
        return;
    }
    if (process->lease_number == 0)
        grant(world, process);
    if (ledger->lease_number != process->lease_number) {
        lose(world, process);
        return;
    }
    land(world, process);
    turn_soon(world, process);
}

// ---- the port -----------------------------------------------------------------------------------

static bool take(void *self, const struct plan *plan, bool force, int64_t now_ms, struct error *err)
{
    struct process *process = self;
    (void)plan, (void)force, (void)now_ms, (void)err;
    process->lease = LEASE_PENDING;
    world_later(process->world, world_between(process->world, 30, 400), H_TAKE)->process =
        process->id;
    return true;
}

static enum lease_state lease(void *self, int64_t now_ms, char text[256])
{
    struct process *process = self;
    (void)now_ms;
    text[0] = 0;
    return process->lease;
}

// Both are large, and mostly empty: only what is in use is copied.
static void keep_command(const struct rollout_command *from, struct rollout_command *to)
{
    size_t length = strlen(from->text);
    memcpy(to, from, offsetof(struct rollout_command, text) + length + 1);
}

static void keep_snapshot(const struct plan *plan, const struct snapshot *from, struct snapshot *to)
{
    to->state = from->state;
    memcpy(to->targets, from->targets, plan->target_count * sizeof from->targets[0]);
    memcpy(to->watches, from->watches, plan_watch_count(plan) * sizeof from->watches[0]);
}

// The small driver has no effect between the notes of a step and their commit: a crash leaves all
// of them or none, and each has the state that the last one has.
static bool note(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                 struct error *err)
{
    struct process *process = self;
    struct world *world = process->world;
    if (world->entry_count == WORLD_ENTRIES) {
        violated(world, "3: it writes more than can ever be read");
        return error_set(err, ERROR_LIMIT, "the simulated ledger is full");
    }
    if (!process->has_noted)
        process->first_noted = world->entry_count;
    process->has_noted = true;
    struct entry *entry = &world->entries[world->entry_count];
    entry->kind = process->kind;
    entry->incident = record->command->type == RC_INCIDENT;
    keep_command(record->command, &entry->command);
    entry->person = UINT32_MAX;
    entry->writer = process->id;
    entry->durable = false;
    keep_snapshot(record->plan, &process->snapshot, &entry->after);
    if (record->command->who.len)
        entry->person = (uint32_t)(record->command->who.data[0] - 'a');
    entry->command.who = (str){NULL, 0};
    process->queue[process->queued++] = (uint16_t)world->entry_count;
    *ret_ticket = world->entry_count++;
    check_record(world, entry);
    people_see(world, entry);
    return true;
}

// What a way back commits in haste is on this machine's disk as the rest is.
static bool commit(void *self, const struct plan *plan, const struct rollout_state *state,
                   const struct placement *placements, enum journal_haste haste, int64_t now_ms,
                   struct error *err)
{
    struct process *process = self;
    struct world *world = process->world;
    (void)plan, (void)state, (void)placements, (void)haste, (void)now_ms, (void)err;
    check_together(world, process, process->first_noted);
    process->has_noted = false;
    if (process->queued && !process->push_under_way)
        push_later(world, process, world_between(world, 30, 500));
    return true;
}

static bool settle(void *self, int64_t now_ms, struct error *err)
{
    (void)self, (void)now_ms, (void)err;
    return true;
}

static enum append_state state(void *self, uint64_t ticket)
{
    struct process *process = self;
    if (process->world->entries[ticket].durable)
        return APPEND_DURABLE;
    return process->lease == LEASE_LOST ? APPEND_LOST : APPEND_PENDING;
}

static int64_t turn(void *self, int64_t now_ms)
{
    (void)self;
    return now_ms + MS_MINUTE;
}

static void release(void *self, bool keep_claim, int64_t now_ms)
{
    struct process *process = self;
    struct ledger *ledger = &process->world->ledger;
    (void)keep_claim, (void)now_ms;
    if (ledger->down || process->lease != LEASE_HELD)
        return;
    if (process->lease_number == 0)
        grant(process->world, process);
    if (ledger->lease_number != process->lease_number)
        return;
    land(process->world, process);
    ledger->lease_holder = UINT32_MAX;
}

void journal_open(struct world *world, struct process *process)
{
    (void)world;
    process->journal =
        (struct journal_port){process, take, lease, note, commit, settle, state, turn, release};
}

// ---- reading ------------------------------------------------------------------------------------

static uint32_t newest_at_remote(const struct world *world, enum rollout_kind kind)
{
    for (uint32_t i = world->ledger.count; i-- > 0;) {
        const struct entry *entry = &world->entries[world->ledger.entries[i]];
        if (entry->kind == kind && !entry->incident)
            return i;
    }
    return UINT32_MAX;
}

const struct snapshot *ledger_newest(const struct world *world, enum rollout_kind kind)
{
    uint32_t at = newest_at_remote(world, kind);
    return at == UINT32_MAX ? NULL : &world->entries[world->ledger.entries[at]].after;
}

static void inherit(struct process *heir, struct process *dead)
{
    memcpy(heir->queue, dead->queue, dead->queued * sizeof dead->queue[0]);
    heir->queued = dead->queued;
    dead->queued = 0;
}

const struct snapshot *ledger_read(struct world *world, struct process *process)
{
    uint32_t at = newest_at_remote(world, process->kind);
    for (uint32_t i = process->id; i-- > 0;) {
        struct process *dead = &world->processes[i];
        if (dead->kind != process->kind || dead->alive || dead->queued == 0 || dead->disk_lost ||
            dead->machine != process->machine)
            continue;
        // Somebody else has written since: what is on this disk makes no sense any more.
        if (at != UINT32_MAX && at >= dead->base)
            break;
        inherit(process, dead);
        break;
    }
    process->base = world->ledger.count;
    if (process->queued)
        push_later(world, process, 10);
    for (uint32_t i = process->queued; i-- > 0;)
        if (!world->entries[process->queue[i]].incident)
            return &world->entries[process->queue[i]].after;
    return ledger_newest(world, process->kind);
}
