// Targets: requests arrive, have an effect or not, converge in their own time, and are observed.
#include "world.h"

static int64_t latency(struct world *world)
{
    return world_between(world, 20, 400);
}

static struct operation *operation_of(struct world *world, uint32_t process, uint32_t target,
                                      uint64_t id)
{
    struct process *owner = &world->processes[process];
    struct operation *operation = &owner->operations[target];
    return owner->alive && operation->id == id ? operation : NULL;
}

static void answer(struct world *world, uint32_t process, uint32_t target, uint64_t id, bool done)
{
    struct operation *operation = operation_of(world, process, target, id);
    if (!operation || world_chance(world, world->faults.lost))
        return;
    struct rollout_event event = {.type = done ? RE_TARGET_DONE : RE_TARGET_FAILED,
                                  .token = operation->token,
                                  .target = target,
                                  .verb = operation->verb,
                                  .share_ppm = operation->share_ppm,
                                  .settled = done,
                                  .text = done ? STR("") : STR("simulated failure")};
    int64_t after_ms = latency(world);
    if (world_chance(world, world->faults.late))
        after_ms += world_between(world, 1, 200) * MS_SECOND;
    process_deliver(world, process, after_ms, &event);
    if (world_chance(world, world->faults.doubled))
        process_deliver(world, process, after_ms + world_between(world, 0, 300 * MS_SECOND),
                        &event);
}

static void take_effect(struct world *world, uint32_t index, enum target_verb verb,
                        uint32_t share_ppm)
{
    struct simulated_target *target = &world->targets[index];
    bool forward = verb == VERB_STAGE || verb == VERB_SHIFT || verb == VERB_PROMOTE;
    target->verb = verb;
    target->before_ppm = target->served_ppm;
    target->taken_back = forward && world_chance(world, world->faults.taken_back);
    target->generation++;
    target->settled = false;
    if (verb == VERB_SHIFT)
        target->desired_ppm = share_ppm;
    else if (verb == VERB_PROMOTE)
        target->desired_ppm = SHARE_ALL;
    else if (verb == VERB_REVERT)
        target->desired_ppm = 0;
    target->promoted = verb == VERB_PROMOTE;
    target->halfway = world_chance(world, world->faults.partial);
    int64_t takes_ms = world_between(world, 50, target->provider == PROVIDER_WEIGHTS ? 800 : 4000);
    if (world_chance(world, world->faults.slow))
        takes_ms = world_between(world, 5, 280) * MS_SECOND;
    for (int half = 1; half <= 2; half++) {
        struct happening *happening = world_later(world, takes_ms * half / 2, H_CONVERGE);
        happening->target = index;
        happening->id = target->generation;
        happening->attempt = (uint32_t)half;
    }
}

void target_arrive(struct world *world, const struct happening *happening)
{
    uint32_t index = happening->target;
    struct process *process = &world->processes[happening->process];
    const struct rollout_event *request = &happening->event;
    bool leads = process->alive && !process->known_lost &&
                 process->lease_number == world->ledger.lease_number;
    if (happening->attempt > 0 && !leads)
        return; // a forward command is sent again only under a lease renewed since
    bool throttled = world_chance(world, world->faults.throttled) ||
                     world->targets[index].broken_until > world->now;
    if (throttled || world_chance(world, world->faults.error_before)) {
        bool again = operation_of(world, process->id, index, happening->id) && leads &&
                     !world->ledger.down && happening->attempt < 3 && request->verb != VERB_REVERT;
        if (again) // the driver tries again, and asks for the same
            process_send(world, process, index, world_between(world, 500, 5000),
                         happening->attempt + 1);
        else
            answer(world, process->id, index, happening->id, false);
        return;
    }
    history(world, process, "%s %u ppm reaches target %u", verb_name(request->verb),
            (unsigned)request->share_ppm, (unsigned)index);
    take_effect(world, index, request->verb, request->share_ppm);
    struct simulated_target *target = &world->targets[index];
    target->waits_process = process->id;
    target->waits_operation = happening->id;
    if (world_chance(world, world->faults.error_after)) {
        target->waits_operation = 0;
        answer(world, process->id, index, happening->id, false);
    }
}

// Stable again, and not deployed: it serves what it did before, and says so.
static void take_back(struct world *world, uint32_t index)
{
    struct simulated_target *target = &world->targets[index];
    history(world, NULL, "target %u takes the %s back", (unsigned)index, verb_name(target->verb));
    target->desired_ppm = target->served_ppm = target->before_ppm;
    target->settled = true;
    target->promoted = false;
    target->strayed_at = world->now;
    check_served(world, index);
    if (target->waits_operation)
        answer(world, target->waits_process, index, target->waits_operation, false);
    target->waits_operation = 0;
}

void target_converge(struct world *world, const struct happening *happening)
{
    struct simulated_target *target = &world->targets[happening->target];
    if (target->generation != happening->id)
        return;
    if (happening->attempt == 1 && target->provider == PROVIDER_WEIGHTS)
        return;
    if (happening->attempt == 1) {
        target->served_ppm = (uint32_t)(((uint64_t)target->served_ppm + target->desired_ppm) / 2);
        check_served(world, happening->target);
        return;
    }
    if (target->taken_back) {
        take_back(world, happening->target);
        return;
    }
    if (target->halfway)
        return; // stays there until it is told once more
    target->served_ppm = target->desired_ppm;
    target->settled = true;
    target->staged = target->staged || target->verb == VERB_STAGE;
    check_served(world, happening->target);
    if (target->waits_operation)
        answer(world, target->waits_process, happening->target, target->waits_operation, true);
    target->waits_operation = 0;
}

void target_look(struct world *world, const struct happening *happening)
{
    const struct simulated_target *target = &world->targets[happening->target];
    if (!world->processes[happening->process].alive || world_chance(world, world->faults.lost) ||
        world_chance(world, world->faults.throttled))
        return;
    struct rollout_event event = {.type = RE_OBSERVED,
                                  .token = happening->id,
                                  .target = happening->target,
                                  .share_ppm = target->served_ppm,
                                  .on_good_ppm = SHARE_ALL - target->served_ppm,
                                  .settled = target->settled};
    int64_t after_ms = latency(world);
    process_deliver(world, happening->process, after_ms, &event);
    if (world_chance(world, world->faults.doubled))
        process_deliver(world, happening->process,
                        after_ms + world_between(world, 0, 300 * MS_SECOND), &event);
}

void target_stray(struct world *world)
{
    uint32_t index = (uint32_t)world_between(world, 0, world->plans[FORWARD].target_count - 1);
    struct simulated_target *target = &world->targets[index];
    if (target->served_ppm == 0 || target->promoted) {
        if (world->now < MS_HOUR)
            world_later(world, world_between(world, 10, 300) * MS_SECOND, H_STRAY);
        return;
    }
    history(world, NULL, "target %u goes back on its own", (unsigned)index);
    target->generation++;
    target->desired_ppm = target->served_ppm = 0;
    target->settled = true;
    target->waits_operation = 0;
    target->strayed_at = world->last_stray_at = world->now;
}

void target_break(struct world *world)
{
    uint32_t index = (uint32_t)world_between(world, 0, world->plans[FORWARD].target_count - 1);
    int64_t for_ms =
        world_chance(world, 0.5) ? 8 * MS_DAY : world_between(world, 1, 90) * MS_MINUTE;
    world->targets[index].broken_until = world->now + for_ms;
    history(world, NULL, "target %u is out of order for %.0f s", (unsigned)index,
            (double)for_ms / 1000);
}
