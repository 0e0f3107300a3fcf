// People: they answer questions, once, late or never, and steer when nobody expects it.
#include "world.h"

static const char *const names[WORLD_PEOPLE] = {"alice", "bob", "carol"};

static void deliver_answer(struct world *world, uint32_t step, uint32_t person)
{
    struct process *process = living(world, FORWARD);
    const struct question *question = &world->questions[step];
    if (!process)
        return; // it stands written; whoever asks again is told
    struct rollout_event event = {.type = question->withdrawn[person] ? RE_WITHDRAWN : RE_ANSWER,
                                  .token = process->snapshot.state.asked,
                                  .word = 1 + (uint64_t)step * WORLD_PEOPLE + person,
                                  .granted = question->answers[person] == 1,
                                  .who = str_of(names[person]),
                                  .text = STR("looked at it")};
    const struct rollout_state *state = &process->snapshot.state;
    uint32_t open = state->held_from == PHASE_SHIFTING ? state->step : WORLD_STEPS;
    if (state->phase != PHASE_WAITING || open != step)
        event.token = UINT64_C(1) << 50; // for a question that is no longer open
    process_deliver(world, process->id, world_between(world, 10, 2000), &event);
    // Who reads the ledger passes over an answer that was taken back: it does not come after that.
    if (!question->fickle[person] && world_chance(world, world->faults.doubled))
        process_deliver(world, process->id, world_between(world, 0, 20 * MS_MINUTE), &event);
}

void people_asked(struct world *world, const struct process *process,
                  const struct rollout_command *command)
{
    uint32_t step = command->step == STEP_STAGE ? WORLD_STEPS : command->step;
    struct question *question = &world->questions[step];
    (void)process;
    question->asked = true;
    for (uint32_t person = 0; person < WORLD_PEOPLE; person++) {
        if (question->answers[person]) {
            deliver_answer(world, step, person);
        } else if (!question->drawn[person]) {
            question->drawn[person] = true;
            if (!world->scenario.canonical && world_chance(world, 0.15))
                continue; // on holiday
            bool yes = world->scenario.canonical || world_chance(world, 0.92);
            struct happening *happening =
                world_later(world, world_between(world, 2, 900) * MS_SECOND, H_ANSWER);
            happening->target = step;
            happening->attempt = person;
            happening->amount = yes ? 1 : 2;
        }
    }
}

void people_answers(struct world *world, const struct happening *happening)
{
    struct question *question = &world->questions[happening->target];
    question->answers[happening->attempt] = (uint32_t)happening->amount;
    history(world, NULL, "%s says %s", names[happening->attempt],
            happening->amount == 1 ? "yes" : "no");
    bool yes = happening->amount == 1;
    question->fickle[happening->attempt] =
        yes && !world->scenario.canonical && world_chance(world, 0.1);
    deliver_answer(world, happening->target, happening->attempt);
    world_later(world, 2 * MS_SECOND, H_SUPERVISE); // an event wakes what is suspended
    if (question->fickle[happening->attempt]) {
        struct happening *later =
            world_later(world, world_between(world, 3, 900) * MS_SECOND, H_WITHDRAW);
        later->target = happening->target;
        later->attempt = happening->attempt;
    }
}

// Refused once enough have agreed, as far as the ledger tells.
void people_withdraws(struct world *world, const struct happening *happening)
{
    struct question *question = &world->questions[happening->target];
    const struct snapshot *newest = ledger_newest(world, FORWARD);
    uint32_t step = 0;
    const struct plan_approval *rule =
        newest ? rollout_question(&world->plans[FORWARD], &newest->state, &step) : NULL;
    if (!rule || newest->state.answers >= rule->count ||
        (step == STEP_STAGE ? WORLD_STEPS : step) != happening->target)
        return;
    question->withdrawn[happening->attempt] = true;
    history(world, NULL, "%s takes it back", names[happening->attempt]);
    deliver_answer(world, happening->target, happening->attempt);
}

static void deliver_word(struct world *world, const struct process *process, uint64_t token,
                         int64_t after_ms)
{
    struct rollout_event event = {.type = RE_STEER,
                                  .token = token,
                                  .steer = world->words[token - 1].steer,
                                  .who = STR("alice"),
                                  .text = STR("I say so")};
    process_deliver(world, process->id, after_ms, &event);
}

void people_told_again(struct world *world, const struct process *process)
{
    for (uint64_t token = 1; process->kind == FORWARD && token <= world->steers; token++)
        deliver_word(world, process, token, 300 * (int64_t)token);
}

void people_steers(struct world *world, const struct happening *happening)
{
    struct process *process = living(world, FORWARD);
    enum rollout_steer steer = (enum rollout_steer)happening->amount;
    bool about_hold = happening->attempt == 1;
    if (about_hold)
        world->decision_due = false;
    if (!process || !process->begun) {
        const struct snapshot *newest = ledger_newest(world, FORWARD);
        bool open = newest && !phase_terminal(newest->state.phase) && !world->rollback_called;
        if (open && world->steers < WORLD_WORDS) // it stands written for whoever goes on
            world->words[world->steers++].steer = steer;
        if (about_hold && open && world->restarts < 12) // they call `sluice resume` themselves
            world_later(world, 5 * MS_SECOND, H_SUPERVISE);
        return;
    }
    if (world->steers == WORLD_WORDS)
        return;
    world->words[world->steers++].steer = steer;
    deliver_word(world, process, world->steers, 10);
    if (world_chance(world, world->faults.doubled))
        deliver_word(world, process, world->steers, world_between(world, 10, 600 * MS_SECOND));
}

void people_see(struct world *world, const struct entry *entry)
{
    // Said while an approval is waited for, a hold is a word like others.
    bool held = entry->command.record == RECORD_HELD ||
                (entry->command.record == RECORD_STEERED && entry->command.text[0] == 'h');
    if (entry->incident || !held || world->decision_due ||
        !world_chance(world, world->scenario.canonical ? 1 : 0.7))
        return;
    struct happening *happening =
        world_later(world, world_between(world, 10, 1800) * MS_SECOND, H_STEER);
    happening->amount = world_chance(world, 0.6) ? STEER_PROMOTE : STEER_ABORT;
    happening->attempt = 1;
    world->decision_due = true;
}
