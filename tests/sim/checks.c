// What has to hold in every world: the eight invariants of the rollout, by their numbers.
#include "world.h"

#include <stdarg.h>

// How long a process that was fenced out may not know it: a command that was acknowledged under
// the old lease and left within this time is no second writer.
#define FENCE_MS (2 * MS_SECOND)
#define GRACE_MS (30 * MS_SECOND) // see bake.c
// Longer than a command may take to settle, a way back to be verified, or a process to stand still.
#define STILL_MS (20 * MS_MINUTE)

void violated(struct world *world, const char *format, ...)
{
    if (world->violation[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(world->violation, sizeof world->violation, format, args);
    va_end(args);
    history(world, NULL, "VIOLATED %s", world->violation);
}

static uint32_t bits(uint32_t mask)
{
    uint32_t count = 0;
    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

// ---- steps --------------------------------------------------------------------------------------

void check_fed(struct world *world, const struct process *process,
               const struct rollout_event *event, enum rollout_phase before)
{
    if (event->type != RE_SAMPLE || before == PHASE_REVERTING)
        return;
    const struct plan *plan = &world->plans[process->kind];
    struct fed *fed = &world->fed[plan_watch(plan, event->metric, event->nth)];
    int64_t bake_from_ms = process->snapshot.state.bake_from_ms;
    if (event->sample.from_ms >= bake_from_ms)
        fed->watched_ms += event->sample.to_ms - event->sample.from_ms;
    else if (event->sample.to_ms > bake_from_ms)
        fed->watched_ms += event->sample.to_ms - bake_from_ms;
    if (!event->sample.has_value)
        return;
    fed->exposure += event->sample.counts.canary_total;
    fed->values++;
    if (event->sample.to_ms > fed->newest_ms)
        fed->newest_ms = event->sample.to_ms;
}

static bool moves(const struct rollout_command *command)
{
    return command->type == RC_TARGET ||
           (command->type == RC_RECORD && command->record != RECORD_SAMPLE_JUDGED);
}

void check_transition(struct world *world, struct process *process, enum rollout_phase before)
{
    enum rollout_phase after = process->snapshot.state.phase;
    bool moved = process->moved_at == 0; // it begins
    for (uint32_t i = 0; i < world->out.count; i++)
        moved |= moves(&world->out.items[i]);
    if (moved)
        process->moved_at = world->now;
    if (!phase_legal(before, after))
        violated(world, "5: from %s to %s is no way to go", phase_name(before), phase_name(after));
    if (phase_terminal(before) && world->out.count > 0 && world->out.items[0].type != RC_END)
        violated(world, "3: something is done after the end");
}

// It is its own turn to do something: it waits for no person and for no bake.
static bool may_go_on(const struct plan *plan, const struct rollout_state *state)
{
    uint32_t step = 0;
    const struct plan_approval *asked = rollout_question(plan, state, &step);
    switch (state->phase) {
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_REVERTING:
        return true;
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
        return state->passed;
    case PHASE_WAITING:
        return !state->hold && asked && state->answers >= asked->count;
    case PHASE_NEW:
    case PHASE_HELD:
    case PHASE_STUCK:
    case PHASE_DONE:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        break;
    }
    return false;
}

void check_goes_on(struct world *world, const struct process *process)
{
    const struct rollout_state *state = &process->snapshot.state;
    bool kept = process->known_lost || process->told_frozen || world->ledger.down;
    if (process->kind != FORWARD || !process->begun || kept ||
        world->now - process->moved_at < STILL_MS || world->now - world->freed_at < STILL_MS)
        return;
    if (may_go_on(&world->plans[FORWARD], state))
        violated(world, "3: it stays %s, and nothing keeps it there", phase_name(state->phase));
}

// What is plainly worse, so that no chance can hide it, does not pass.
static void check_not_worse(struct world *world, const struct plan_metric *metric)
{
    double rate = world->base_rate * world->ratio;
    if (metric->judge == JUDGE_COMPARE && world->latency > 800)
        violated(world, "1: a step passed with values three times those of the baseline");
    if (metric->judge == JUDGE_BURN && rate / metric->budget > burn_pairs[1].factor)
        violated(world, "1: a step passed that burns its budget too fast");
}

// A step that passed was watched for as long as it was to be, whoever died meanwhile. What a source
// never said, or said twice, would be miscounted here; half a minute of a standstill is not
// noticed.
static void check_watched(struct world *world, const struct plan_metric *metric,
                          const struct fed *fed, uint32_t step)
{
    const struct faults *faults = &world->faults;
    int64_t must_ms = plan_bake_ms(&world->plans[FORWARD], step) - metric->lag_ms -
                      2 * metric->every_ms - 10 * MS_SECOND;
    bool counted = faults->gap == 0 && faults->late_sample == 0 && faults->doubled_sample == 0 &&
                   faults->pause == 0;
    if (counted && !world->clock_jumped && fed->watched_ms < must_ms)
        violated(world, "1: a step passed that was watched for %lld s of %lld",
                 (long long)(fed->watched_ms / MS_SECOND), (long long)(must_ms / MS_SECOND));
}

// A step that passed was really baked, and on figures that really came.
static void check_passed(struct world *world, const struct entry *entry)
{
    const struct plan *plan = &world->plans[FORWARD];
    const struct rollout_state *state = &entry->after.state;
    // Where the next step comes out equal to this one, its bake has begun in the same breath.
    bool exact = !world->clock_jumped && state->step == entry->command.step;
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        const struct plan_metric *metric = &plan->metrics[m];
        for (uint32_t n = 0; n < metric->target_count; n++) {
            const struct fed *fed = &world->fed[plan_watch(plan, m, n)];
            bool enough = metric->judge == JUDGE_RATE
                              ? fed->exposure > 0 && fed->exposure + 0.5 >= metric->min_requests
                          : metric->judge == JUDGE_COMPARE ? fed->values >= COMPARE_LEAST
                                                           : fed->values > 0;
            check_not_worse(world, metric);
            if (state->step == entry->command.step)
                check_watched(world, metric, fed, entry->command.step);
            if (!enough)
                violated(world, "1: a step passed with too few figures of metric %u", (unsigned)m);
            if (exact && fed->newest_ms < state->bake_until_ms - metric->lag_ms - metric->every_ms)
                violated(world, "1: a step passed on figures older than its bake");
        }
    }
    if (exact &&
        state->bake_until_ms - state->bake_from_ms < plan_bake_ms(plan, entry->command.step) - 400)
        violated(world, "1: a step passed before its bake was over");
    for (uint32_t i = 0; i < plan->target_count; i++) {
        uint32_t share = plan_share(plan, i, entry->command.step);
        bool near = world->targets[i].served_ppm + 1000 >= share &&
                    world->targets[i].served_ppm <= share + 1000;
        if (!near && world->now - world->targets[i].strayed_at > GRACE_MS + 10 * MS_SECOND)
            violated(world, "1: a step passed that target %u does not serve", (unsigned)i);
    }
}

// "hold", said while an approval was waited for, until "may go on" is; or "promote", where the
// question ran out meanwhile and it was held for that.
static bool marks_hold(const struct entry *entry, bool held)
{
    if (entry->command.record != RECORD_STEERED)
        return held;
    char said = entry->command.text[0];
    return said == 'h' || (held && said != 'm' && said != 'p');
}

static void mark(const struct entry *entry, bool *passed, uint32_t *approved)
{
    uint32_t step = entry->command.step;
    bool promote = entry->command.record == RECORD_STEERED && entry->command.text[0] == 'p';
    if (entry->command.record == RECORD_STEP_PASSED || promote)
        passed[step] = true;
    if (entry->command.record == RECORD_APPROVAL_GIVEN && entry->person < WORLD_PEOPLE)
        approved[step == STEP_STAGE ? WORLD_STEPS : step] |= 1u << entry->person;
    if (entry->command.record == RECORD_APPROVAL_WITHDRAWN && entry->person < WORLD_PEOPLE)
        approved[step == STEP_STAGE ? WORLD_STEPS : step] &= ~(1u << entry->person);
}

// Before a command on its way forward leaves: its intent is durable, and so is everything that
// allows it.
static void check_gates(struct world *world, const struct process *process,
                        const struct rollout_command *command)
{
    const struct plan *plan = &world->plans[FORWARD];
    bool passed[WORLD_STEPS] = {false};
    uint32_t approved[WORLD_STEPS + 1] = {0};
    const struct entry *intent = NULL;
    bool held = false;
    uint64_t words = 0;
    for (uint32_t i = 0; i < world->ledger.count; i++) {
        const struct entry *entry = &world->entries[world->ledger.entries[i]];
        if (entry->kind != FORWARD || entry->incident)
            continue;
        mark(entry, passed, approved);
        held = marks_hold(entry, held);
        words += entry->command.record == RECORD_STEERED;
        if (entry->command.record == RECORD_INTENDED)
            intent = entry;
    }
    uint32_t step = command->step;
    if (held)
        violated(world, "1: it goes forward though a person holds it");
    if (words > world->steers)
        violated(world, "6: a person's word counted twice");
    if (!intent || intent->command.verb != command->verb || intent->writer != process->id ||
        (command->verb == VERB_SHIFT && intent->command.step != step))
        violated(world, "5: %s of target %u left before its intent was durable",
                 verb_name(command->verb), (unsigned)command->target);
    if (bits(approved[WORLD_STEPS]) < plan->approval.count)
        violated(world, "8: %s without the stage's approval", verb_name(command->verb));
    if (command->verb == VERB_STAGE)
        return;
    uint32_t before = command->verb == VERB_PROMOTE ? step : step - 1;
    if ((command->verb == VERB_PROMOTE || step > 0) && !passed[before])
        violated(world, "1: step %u began though the one before had not passed", (unsigned)step);
    if (bits(approved[step]) < plan->steps[step].approval.count)
        violated(world, "8: step %u began without its approval", (unsigned)step);
}

// ---- commands and records -----------------------------------------------------------------------

static bool revert_is_recorded(const struct world *world, enum rollout_kind kind)
{
    for (uint32_t i = world->entry_count; i-- > 0;) {
        const struct rollout_command *command = &world->entries[i].command;
        if (world->entries[i].kind == kind && command->record == RECORD_INTENDED &&
            command->verb == VERB_REVERT)
            return true;
    }
    return false;
}

// What known good cannot live with is taken back by a person or not at all.
static void check_way_back(struct world *world, const struct process *process)
{
    const struct plan *plan = &world->plans[FORWARD];
    bool forbidden = false, aborted = false;
    for (uint32_t i = 0; i < plan->target_count; i++)
        forbidden |= plan->targets[i].no_return.len && process->snapshot.targets[i].touched;
    for (uint32_t i = 0; i < world->entry_count; i++) {
        const struct rollout_command *command = &world->entries[i].command;
        aborted |= command->record == RECORD_STEERED && command->text[0] == 'a';
    }
    if (process->kind == FORWARD && forbidden && process->snapshot.state.out && !aborted)
        violated(world, "4: taken back past the point of no return, and nobody said so");
}

// In each step the lower ranks are there before the higher ones move.
static void check_order(struct world *world, const struct rollout_command *command)
{
    const struct plan *plan = &world->plans[FORWARD];
    for (uint32_t i = 0; i < plan->target_count; i++) {
        bool before = plan->targets[i].rank < plan->targets[command->target].rank;
        uint32_t share = plan_share(plan, i, command->step);
        if (before && world->targets[i].strayed_at == 0 &&
            world->targets[i].served_ppm + 1000 < share)
            violated(world, "1: target %u moves before target %u is there",
                     (unsigned)command->target, (unsigned)i);
    }
}

void check_command(struct world *world, const struct process *process,
                   const struct rollout_command *command)
{
    if (process->known_lost && command->type != RC_END)
        violated(world, "2: a process that knows it is fenced out acts");
    if (!process->awake)
        violated(world, "6: a process acts before it has resumed what it read");
    if (command->type == RC_RECORD && command->durable && command->verb == VERB_REVERT)
        violated(world, "4: a revert waits for the ledger");
    if (command->type != RC_TARGET)
        return;
    if (command->verb == VERB_REVERT) {
        if (!revert_is_recorded(world, process->kind))
            violated(world, "5: a revert that nobody wrote down");
        check_way_back(world, process);
        return;
    }
    if (process->kind == ROLLBACK)
        violated(world, "8: a rollback goes forward");
    if (process->told_frozen)
        violated(world, "8: %s during a freeze", verb_name(command->verb));
    if (process->lease_number != world->ledger.lease_number &&
        world->now - world->fenced_at > FENCE_MS)
        violated(world, "2: process %u goes forward without the lease", (unsigned)process->id);
    if (command->verb == VERB_SHIFT && process->snapshot.state.phase == PHASE_SHIFTING) {
        memset(world->fed, 0, sizeof world->fed);
        world->fed_step = command->step;
    }
    if (command->verb == VERB_SHIFT)
        check_order(world, command);
    check_gates(world, process, command);
}

static void check_all_back(struct world *world, const struct entry *entry)
{
    const struct plan *plan = &world->plans[entry->kind];
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct simulated_target *target = &world->targets[i];
        if (entry->after.targets[i].touched &&
            (target->served_ppm != 0 || target->desired_ppm != 0))
            violated(world, "4: rolled back, but target %u serves %u ppm of the release",
                     (unsigned)i, (unsigned)target->served_ppm);
    }
}

static void check_all_out(struct world *world)
{
    for (uint32_t i = 0; i < world->plans[FORWARD].target_count; i++)
        if (world->targets[i].served_ppm != SHARE_ALL || !world->targets[i].promoted)
            violated(world, "5: done, but target %u serves %u ppm of the release", (unsigned)i,
                     (unsigned)world->targets[i].served_ppm);
}

// A state that says something happened stands beside the record of just that.
static bool explains(const struct entry *entry, enum rollout_phase phase)
{
    enum record_type record = entry->command.record;
    bool first = entry->after.state.step == 0 && record == RECORD_COMMAND_DONE;
    switch (phase) {
    case PHASE_WAITING:
        return record == RECORD_APPROVAL_ASKED;
    case PHASE_SHIFTING:
        return record == RECORD_STEP_PASSED || record == RECORD_STEERED ||
               record == RECORD_APPROVAL_GIVEN || record == RECORD_INTENDED || first;
    case PHASE_PROMOTING:
        return record == RECORD_STEP_PASSED || record == RECORD_STEERED ||
               record == RECORD_INTENDED;
    case PHASE_HELD:
        return record == RECORD_HELD;
    case PHASE_STUCK:
        return record == RECORD_STUCK;
    case PHASE_DONE:
        return record == RECORD_DONE;
    case PHASE_ROLLED_BACK:
        return record == RECORD_ROLLED_BACK;
    case PHASE_DENIED:
        return record == RECORD_DENIED;
    case PHASE_CANCELLED:
        return record == RECORD_CANCELLED;
    case PHASE_NEW:
    case PHASE_PREPARING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_VERIFYING:
    case PHASE_REVERTING:
        break;
    }
    return true;
}

// The phase that the newest record before entry `first` left behind.
static enum rollout_phase phase_before(const struct world *world, const struct process *process,
                                       uint32_t first)
{
    for (uint32_t i = first; i-- > 0;) {
        const struct entry *before = &world->entries[i];
        if (before->writer == process->id && !before->incident)
            return before->after.state.phase;
    }
    return process->resumed_from;
}

// What is committed together goes from one state of the ledger to the next.
void check_together(struct world *world, const struct process *process, uint32_t first)
{
    enum rollout_phase was = phase_before(world, process, first), after = was;
    const struct entry *last = NULL;
    bool explained = false;
    for (uint32_t i = first; i < world->entry_count; i++) {
        const struct entry *entry = &world->entries[i];
        if (entry->incident)
            continue;
        last = entry;
        after = entry->after.state.phase;
        explained |= explains(entry, after);
    }
    if (!phase_legal(was, after))
        violated(world, "5: the ledger goes from %s to %s", phase_name(was), phase_name(after));
    if (last && was != after && !explained)
        violated(world, "5: %s stands beside a state that is %s", record_name(last->command.record),
                 phase_name(after));
}

void check_record(struct world *world, const struct entry *entry)
{
    if (entry->incident)
        return;
    // Fenced out and not knowing it yet: what it writes never gets into the ledger.
    const struct process *writer = &world->processes[entry->writer];
    if (writer->lease_number != 0 && writer->lease_number != world->ledger.lease_number)
        return;
    uint32_t step = entry->command.step == STEP_STAGE ? WORLD_STEPS : entry->command.step;
    if (entry->command.record == RECORD_STEP_PASSED) {
        check_passed(world, entry);
        world->outcome.passed_first = world->outcome.passed_first || entry->command.step == 0;
    }
    if (entry->command.record == RECORD_BREACHED)
        world->outcome.aborted = true;
    if (entry->command.record == RECORD_ROLLED_BACK)
        check_all_back(world, entry);
    if (entry->command.record == RECORD_DONE)
        check_all_out(world);
    if (entry->command.record == RECORD_APPROVAL_GIVEN &&
        world->questions[step].answers[entry->person] != 1)
        violated(world, "8: an approval that nobody gave");
}

void check_served(struct world *world, uint32_t target)
{
    const struct question *question = &world->questions[WORLD_STEPS];
    uint32_t yes = 0;
    for (uint32_t i = 0; i < WORLD_PEOPLE; i++)
        yes += question->answers[i] == 1;
    if (world->targets[target].served_ppm > 0 && yes < world->plans[FORWARD].approval.count)
        violated(world, "8: target %u serves what nobody approved", (unsigned)target);
}

// ---- the end ------------------------------------------------------------------------------------

static bool written(const struct world *world, enum rollout_kind kind, enum record_type record,
                    const char *incident)
{
    for (uint32_t i = 0; i < world->entry_count; i++) {
        const struct entry *entry = &world->entries[i];
        if (entry->kind != kind || entry->incident != (incident != NULL))
            continue;
        if (incident ? strcmp(entry->command.text, incident) == 0 : entry->command.record == record)
            return true;
    }
    return false;
}

static void check_loud(struct world *world, enum rollout_kind kind, enum rollout_phase phase,
                       bool automatic)
{
    bool loud = true;
    if (phase == PHASE_WAITING)
        loud = written(world, kind, RECORD_APPROVAL_ASKED, NULL);
    else if (phase == PHASE_HELD)
        loud = written(world, kind, RECORD_HELD, NULL);
    else if (phase == PHASE_STUCK)
        loud = written(world, kind, RECORD_STUCK, NULL) && written(world, kind, 0, "P1");
    else if (phase == PHASE_ROLLED_BACK && automatic)
        loud = written(world, kind, 0, "P2");
    if (!loud)
        violated(world, "3: it is %s and nobody was told", phase_name(phase));
}

static void check_share(struct world *world, const struct snapshot *newest)
{
    enum rollout_phase phase = newest->state.phase;
    for (uint32_t i = 0; i < world->plans[FORWARD].target_count; i++) {
        const struct simulated_target *target = &world->targets[i];
        const struct target_state *said = &newest->targets[i];
        bool back = phase == PHASE_ROLLED_BACK || phase == PHASE_CANCELLED || phase == PHASE_DENIED;
        bool sure = (phase == PHASE_HELD || phase == PHASE_WAITING) && said->settled &&
                    said->verb == VERB_SHIFT && target->strayed_at == 0;
        if (back && target->served_ppm != 0)
            violated(world, "5: the ledger says %s, target %u serves %u ppm of the release",
                     phase_name(phase), (unsigned)i, (unsigned)target->served_ppm);
        if (sure && target->served_ppm != said->share_ppm)
            violated(world, "5: the ledger says %u ppm, target %u serves %u",
                     (unsigned)said->share_ppm, (unsigned)i, (unsigned)target->served_ppm);
    }
    if (phase == PHASE_DONE)
        check_all_out(world);
}

void check_end(struct world *world)
{
    enum rollout_kind kind = world->rollback_called ? ROLLBACK : FORWARD;
    const struct snapshot *newest = ledger_newest(world, kind);
    world->outcome.phase = newest ? newest->state.phase : PHASE_NEW;
    if (!newest) {
        violated(world, "3: nothing was ever written down");
        return;
    }
    enum rollout_phase phase = newest->state.phase;
    if (!phase_terminal(phase) && !phase_resumable(phase))
        violated(world, "3: it stops in %s", phase_name(phase));
    check_loud(world, kind, phase, newest->state.automatic);
    check_share(world, newest);
}
