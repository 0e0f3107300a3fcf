// A process: a small driver around the engine, as the real one is, and how it begins and dies.
#include "world.h"

#include "deploy/engine/codec.h"

#define MOST_RESTARTS 40u
#define JOB_LIMIT_MS (6 * MS_HOUR) // then the runner cancels it

void process_deliver(struct world *world, uint32_t process, int64_t after_ms,
                     const struct rollout_event *event)
{
    struct happening *happening = world_later(world, after_ms, H_DELIVER);
    happening->process = process;
    happening->event = *event;
}

bool process_effect(struct world *world, struct process *process)
{
    if (!process->alive)
        return false;
    world->effects++;
    if (world->crashes_left == 0 || world->effects != world->crash_at)
        return true;
    world->crashes_left--;
    world->crash_at = world->effects + (uint32_t)world_between(world, 1, 60);
    history(world, process, "dies before effect %u", (unsigned)world->effects);
    process_kill(world, process);
    return false;
}

static void supervise_later(struct world *world)
{
    world_later(world, world_between(world, 2, 60) * MS_SECOND, H_SUPERVISE);
}

void process_kill(struct world *world, struct process *process)
{
    process->alive = false;
    supervise_later(world);
    if (process->known_lost)
        return; // it ends
    process->disk_lost =
        world->faults.disk_lost && (world->scenario.canonical || world_chance(world, 0.5));
    world->crashes++;
}

void process_end(struct world *world, struct process *process)
{
    const struct rollout_state *state = &process->snapshot.state;
    process->journal.release(process->journal.self, !phase_terminal(state->phase), 0);
    process->alive = false;
    history(world, process, "ends: %s", phase_name(state->phase));
    if (process->kind == FORWARD && world->rollback_called)
        return;
    if (!phase_terminal(state->phase) && state->phase != PHASE_WAITING &&
        state->phase != PHASE_HELD)
        supervise_later(world);
    else if (process->queued) // the remote was down: somebody pushes it later
        world_later(world, 2 * MS_MINUTE, H_SUPERVISE);
}

// ---- commands -----------------------------------------------------------------------------------

void process_send(struct world *world, struct process *process, uint32_t target, int64_t after_ms,
                  uint32_t attempt)
{
    struct operation *operation = &process->operations[target];
    int64_t at = world->now + after_ms;
    if (at <= operation->last_arrival)
        at = operation->last_arrival + 1; // one caller's requests are served in their order
    operation->last_arrival = at;
    struct happening *happening = world_later(world, at - world->now, H_ARRIVE);
    happening->process = process->id;
    happening->target = target;
    happening->id = operation->id;
    happening->attempt = attempt;
    happening->event.verb = operation->verb;
    happening->event.share_ppm = operation->share_ppm;
}

static void note(struct world *world, struct process *process,
                 const struct rollout_command *command)
{
    struct journal_record record = {&world->plans[process->kind], &process->snapshot.state, command,
                                    NULL, wall_ms(world, process)};
    uint64_t entry;
    struct error err;
    if (!process->journal.note(process->journal.self, &record, &entry, &err) || !command->durable)
        return;
    if (process->ticket_count < WORLD_TICKETS)
        process->tickets[process->ticket_count++] = (struct ticket){command->token, entry};
    else
        violated(world, "3: more durable records are asked for than are waited for");
}

static bool is_record(const struct rollout_command *command)
{
    return command->type == RC_RECORD || command->type == RC_INCIDENT;
}

// The records of a step, as one effect. False when the process dies before it.
static bool write_records(struct world *world, struct process *process)
{
    struct error err;
    bool any = false;
    for (uint32_t i = 0; i < world->out.count; i++)
        any |= is_record(&world->out.items[i]);
    if (any && !process_effect(world, process))
        return false;
    for (uint32_t i = 0; i < world->out.count && !world->violation[0]; i++) {
        const struct rollout_command *command = &world->out.items[i];
        if (!is_record(command))
            continue;
        history_command(world, process, command);
        check_command(world, process, command);
        note(world, process, command);
    }
    return !any || process->journal.commit(process->journal.self, &world->plans[process->kind],
                                           &process->snapshot.state, NULL, JOURNAL_ORDINARY,
                                           wall_ms(world, process), &err);
}

static void carry_out(struct world *world, struct process *process,
                      const struct rollout_command *command)
{
    struct operation *operation;
    struct happening *happening;
    int64_t wait_ms;
    switch (command->type) {
    case RC_RECORD:
    case RC_INCIDENT: // see write_records
        break;
    case RC_TARGET:
        operation = &process->operations[command->target];
        operation->id = ++world->operations;
        operation->verb = command->verb;
        operation->share_ppm = command->share_ppm;
        operation->token = command->token;
        process_send(world, process, command->target, world_between(world, 20, 1000), 0);
        break;
    case RC_OBSERVE:
        happening = world_later(world, world_between(world, 20, 400), H_LOOK);
        happening->process = process->id;
        happening->target = command->target;
        happening->id = command->token;
        break;
    case RC_ASK:
        people_asked(world, process, command);
        break;
    case RC_WAKE:
        wait_ms = command->at_ms - wall_ms(world, process);
        happening = world_later(world, wait_ms > 0 ? wait_ms : 0, H_WAKE);
        happening->process = process->id;
        happening->id = ++process->wake_id;
        break;
    case RC_END:
        process->ended = true;
        break;
    }
}

void process_feed(struct world *world, struct process *process, const struct rollout_event *given)
{
    struct rollout_event event = *given;
    struct rollout_state *state = &process->snapshot.state;
    enum rollout_phase before = state->phase;
    if (!process->alive || !process->begun)
        return;
    event.now_ms = wall_ms(world, process);
    if (event.type == RE_FROZEN)
        process->told_frozen = event.granted;
    world->events++;
    history_event(world, process, &event);
    rollout_step(&world->plans[process->kind], state, &event, &world->out);
    check_fed(world, process, &event, before);
    check_transition(world, process, before);
    if (!write_records(world, process))
        return;
    for (uint32_t i = 0; i < world->out.count && !world->violation[0]; i++) {
        const struct rollout_command *command = &world->out.items[i];
        if (is_record(command))
            continue;
        bool has_effect = command->type != RC_WAKE && command->type != RC_END;
        if (has_effect && !process_effect(world, process))
            return;
        history_command(world, process, command);
        check_command(world, process, command);
        carry_out(world, process, command);
    }
    bool suspend = process->suspends && phase_resumable(state->phase) && !rollout_watching(state) &&
                   process->ticket_count == 0;
    if ((process->ended || suspend) && !process->known_lost)
        process_end(world, process);
}

// ---- beginning ----------------------------------------------------------------------------------

static void take_over(struct world *world, struct process *process, const struct snapshot *from)
{
    struct snapshot *own = &process->snapshot;
    *own = *from;
    own->state.targets = own->targets;
    own->state.watches = own->watches;
    own->state.asleep = own->state.phase != PHASE_NEW;
    if (!world->scenario.codec)
        return;
    // What was read from the ledger must be what was written there.
    const struct plan *plan = &world->plans[process->kind];
    struct text text = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    struct rollout_state *again = NULL;
    const struct node *node = NULL;
    struct error err = {0};
    rollout_state_write(plan, &own->state, NULL, &out);
    if (!json_parse(&world->arena, "state", text_str(&text), &node, &err) ||
        !rollout_state_read(&world->arena, plan, node, &again, &err)) {
        violated(world, "5: a state cannot be read back: %s", err.message);
    } else {
        memcpy(own->targets, again->targets, plan->target_count * sizeof *again->targets);
        memcpy(own->watches, again->watches, plan_watch_count(plan) * sizeof *again->watches);
        own->state = *again;
        own->state.targets = own->targets;
        own->state.watches = own->watches;
    }
    text_done(&text);
}

static void begin(struct world *world, struct process *process)
{
    const struct snapshot *newest = ledger_read(world, process);
    process->begun = true;
    world_later(world, world_between(world, 1, 5000), H_SAMPLE)->process = process->id;
    world_later(world, 10 * MS_SECOND, H_HEARTBEAT)->process = process->id;
    if (newest)
        take_over(world, process, newest);
    process->resumed_from = process->snapshot.state.phase;
    process->told_frozen = process->snapshot.state.frozen;
    if (process->kind == FORWARD && process->snapshot.state.frozen != world->frozen)
        process_feed(world, process,
                     &(struct rollout_event){.type = RE_FROZEN, .granted = world->frozen});
    process->awake = true;
    process_feed(world, process, &(struct rollout_event){.type = newest ? RE_RESUMED : RE_BEGIN});
    people_told_again(world, process);
}

static void recorded(struct world *world, struct process *process, uint64_t token, bool durable)
{
    struct rollout_event event = {.type = durable ? RE_RECORDED : RE_RECORD_LOST, .token = token};
    process_deliver(world, process->id, 0, &event);
    if (world_chance(world, world->faults.doubled))
        process_deliver(world, process->id, world_between(world, 0, 600 * MS_SECOND), &event);
}

static void poll_tickets(struct world *world, struct process *process)
{
    uint32_t count = process->ticket_count;
    struct ticket tickets[WORLD_TICKETS];
    memcpy(tickets, process->tickets, sizeof tickets);
    process->ticket_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        enum append_state state = process->journal.state(process->journal.self, tickets[i].entry);
        if (state == APPEND_PENDING)
            process->tickets[process->ticket_count++] = tickets[i];
        else
            recorded(world, process, tickets[i].token, state == APPEND_DURABLE);
    }
}

void process_turn(struct world *world, struct process *process)
{
    char text[256];
    switch (process->journal.lease(process->journal.self, wall_ms(world, process), text)) {
    case LEASE_HELD:
        if (!process->begun)
            begin(world, process);
        else
            poll_tickets(world, process);
        break;
    case LEASE_REFUSED:
        process->alive = false;
        world->restarts--;
        world_later(world, MS_MINUTE, H_SUPERVISE); // it is called again and again
        break;
    case LEASE_LOST:
        if (!process->begun) {
            process->alive = false;
        } else if (!process->known_lost) {
            process->known_lost = true;
            process_feed(world, process, &(struct rollout_event){.type = RE_LEASE_LOST});
            // It takes a moment to end, and what was on its way still reaches it.
            world_later(world, world_between(world, 0, 5000), H_KILL)->process = process->id;
        }
        break;
    case LEASE_NONE:
    case LEASE_PENDING:
        break;
    }
}

struct process *process_start(struct world *world, enum rollout_kind kind, uint32_t machine)
{
    if (world->process_count == WORLD_PROCESSES)
        return NULL;
    struct process *process = &world->processes[world->process_count];
    // All but the long queue, whose length is 0.
    memset(process, 0, offsetof(struct process, queue));
    process->queued = process->ticket_count = process->base = 0;
    process->has_noted = false;
    process->push_under_way = false;
    process->world = world;
    process->id = world->process_count++;
    process->kind = kind;
    process->alive = true;
    process->machine = machine;
    process->skew_ms = world->outcome.bare ? 0 : world_between(world, -200, 200);
    process->suspends = !world->scenario.canonical && world_chance(world, 0.3);
    process->snapshot.state.targets = process->snapshot.targets;
    process->snapshot.state.watches = process->snapshot.watches;
    journal_open(world, process);
    world->restarts++;
    history(world, process, "starts");
    struct error err;
    (void)process->journal.take(process->journal.self, &world->plans[kind], kind == ROLLBACK,
                                wall_ms(world, process), &err);
    world_later(world, JOB_LIMIT_MS, H_CANCEL)->process = process->id;
    return process;
}

// What `sluice resume` does when it is called: starts whatever is due and has no living process.
void process_supervise(struct world *world)
{
    enum rollout_kind kind = world->rollback_called ? ROLLBACK : FORWARD;
    const struct snapshot *newest = ledger_newest(world, kind);
    if (living(world, kind) || world->restarts >= MOST_RESTARTS)
        return;
    if (world->ledger.down) {
        world_later(world, MS_MINUTE, H_SUPERVISE);
        return;
    }
    if (newest && phase_terminal(newest->state.phase))
        return;
    process_start(world, kind, kind == ROLLBACK ? 7 : 0);
}
