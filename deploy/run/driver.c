#include "deploy/run/driver_parts.h"

#include <stdio.h>

int64_t driver_now(const struct driver *driver)
{
    return driver->setup.clock.now_ms(driver->setup.clock.self);
}

static void sooner(int64_t *wake_ms, int64_t at_ms)
{
    if (at_ms && at_ms < *wake_ms)
        *wake_ms = at_ms;
}

// The texts of an event must outlive it: they go into the driver's arena.
void driver_event(struct driver *driver, const struct rollout_event *event)
{
    if (driver->event_count == DRIVER_EVENTS)
        return; // every source repeats itself: an observation or a timer follows
    uint32_t at = (driver->event_first + driver->event_count++) % DRIVER_EVENTS;
    driver->events[at] = *event;
    driver->events[at].now_ms = driver_now(driver);
    if (event->who.len)
        driver->events[at].who = arena_str(&driver->arena, event->who);
    if (event->text.len)
        driver->events[at].text = arena_str(&driver->arena, event->text);
}

void driver_tell(struct driver *driver, enum news_type type, uint32_t target, const char *text)
{
    struct run_news news = {.type = type,
                            .plan = driver->plan,
                            .state = driver->state,
                            .target = target,
                            .text = text,
                            .now_ms = driver_now(driver)};
    driver->setup.observer.tell(driver->setup.observer.self, &news);
}

// ---- records -----------------------------------------------------------------------------------

static void append_record(struct driver *driver, const struct rollout_command *command)
{
    struct journal_port *journal = &driver->setup.journal;
    struct journal_record record = {driver->plan, driver->state, command, driver->placements,
                                    driver_now(driver)};
    struct error err;
    uint64_t ticket = 0;
    if (!journal->append(journal->self, &record, &ticket, &err)) {
        (void)error_wrap(&err, "recording %s", record_name(command->record));
        driver_tell(driver, NEWS_TROUBLE, 0, err.message);
        if (command->durable)
            driver_event(driver, &(struct rollout_event){.type = RE_RECORD_LOST,
                                                         .token = command->token,
                                                         .text = str_of(err.message)});
        return;
    }
    struct run_news news = {.type = NEWS_RECORDED,
                            .plan = driver->plan,
                            .state = driver->state,
                            .record = command,
                            .target = command->target,
                            .now_ms = record.now_ms};
    driver->setup.observer.tell(driver->setup.observer.self, &news);
    if (!command->durable)
        return;
    driver->tickets = arena_grow(&driver->arena, driver->tickets, driver->ticket_count,
                                 &driver->ticket_room, sizeof *driver->tickets);
    driver->tickets[driver->ticket_count++] = (struct ticket){command->token, ticket};
}

static void poll_tickets(struct driver *driver)
{
    struct journal_port *journal = &driver->setup.journal;
    size_t kept = 0;
    for (size_t i = 0; i < driver->ticket_count; i++) {
        struct ticket ticket = driver->tickets[i];
        enum append_state state = journal->state(journal->self, ticket.ticket);
        if (state == APPEND_PENDING)
            driver->tickets[kept++] = ticket;
        else
            driver_event(driver,
                         &(struct rollout_event){
                             .type = state == APPEND_DURABLE ? RE_RECORDED : RE_RECORD_LOST,
                             .token = ticket.token,
                         });
    }
    driver->ticket_count = kept;
}

// ---- commands ----------------------------------------------------------------------------------

static void ask(struct driver *driver, const struct rollout_command *command)
{
    const struct plan *plan = driver->plan;
    struct approval_question question = {
        .plan = plan,
        .state = driver->state,
        .rule = command->step == UINT32_MAX ? &plan->approval : &plan->steps[command->step].approval,
        .step = command->step,
    };
    driver->asking = true;
    driver->setup.approver.ask(driver->setup.approver.self, &question, driver_now(driver));
}

static void carry_out(struct driver *driver, const struct rollout_command *command)
{
    switch (command->type) {
    case RC_RECORD:
    case RC_INCIDENT:
        append_record(driver, command);
        break;
    case RC_TARGET:
        operation_start(driver, command->target, command->verb, command->share_ppm);
        break;
    case RC_OBSERVE:
        operation_start(driver, command->target, VERB_OBSERVE, 0);
        break;
    case RC_ASK:
        ask(driver, command);
        break;
    case RC_WAKE:
        driver->wake_ms = command->at_ms;
        break;
    case RC_END:
        driver->ended = true;
        break;
    }
}

static void tell_phase(struct driver *driver)
{
    if (driver->told_phase == driver->state->phase)
        return;
    driver->told_phase = driver->state->phase;
    if (driver->asking && driver->state->phase != PHASE_WAITING) {
        driver->setup.approver.withdraw(driver->setup.approver.self);
        driver->asking = false;
    }
    driver_tell(driver, NEWS_PHASE, 0, driver->state->why);
}

static void step(struct driver *driver, const struct rollout_event *event)
{
    driver->out.count = 0;
    rollout_step(driver->plan, driver->state, event, &driver->out);
    tell_phase(driver);
    for (uint32_t i = 0; i < driver->out.count; i++)
        carry_out(driver, &driver->out.items[i]);
}

static void drain_events(struct driver *driver)
{
    while (driver->event_count) {
        struct rollout_event event = driver->events[driver->event_first];
        driver->event_first = (driver->event_first + 1) % DRIVER_EVENTS;
        driver->event_count--;
        step(driver, &event);
    }
}

// ---- a turn ------------------------------------------------------------------------------------

static bool lease_is_held(struct driver *driver, int64_t now_ms, enum run_status *ret)
{
    struct journal_port *journal = &driver->setup.journal;
    enum lease_state lease = journal->lease(journal->self, now_ms, driver->words);
    switch (lease) {
    case LEASE_HELD:
        return true;
    case LEASE_NONE:
    case LEASE_PENDING:
        *ret = RUN_GOING;
        return driver->begun;
    case LEASE_REFUSED:
        *ret = RUN_REFUSED;
        return driver->begun;
    case LEASE_LOST:
        if (driver->begun && !driver->told_lost)
            driver_event(driver, &(struct rollout_event){.type = RE_LEASE_LOST});
        driver->told_lost = true;
        *ret = RUN_LOST;
        return driver->begun;
    }
    return false;
}

static void begin(struct driver *driver)
{
    driver->begun = true;
    bool resumed = driver->setup.placements != NULL;
    driver_event(driver, &(struct rollout_event){.type = resumed ? RE_RESUMED : RE_BEGIN});
}

static void poll_people(struct driver *driver, int64_t now_ms)
{
    struct approval_answer answer;
    struct approver_port *approver = &driver->setup.approver;
    if (driver->asking && approver->poll(approver->self, now_ms, &answer))
        driver_event(driver, &(struct rollout_event){.type = RE_ANSWER,
                                                     .granted = answer.granted,
                                                     .who = answer.who,
                                                     .text = answer.comment});
}

static bool nothing_under_way(const struct driver *driver)
{
    for (uint32_t i = 0; i < driver->plan->target_count; i++)
        if (driver->commands[i].verb != VERB_NONE || driver->looks[i].verb != VERB_NONE)
            return false;
    return driver->ticket_count == 0 && driver->event_count == 0;
}

// Suspended are only states that no process needs to hold: an approval or a person's decision, and
// nothing is out between 0 and 100 % that somebody would have to watch.
static bool may_suspend(const struct driver *driver)
{
    return driver->setup.suspend && phase_resumable(driver->state->phase) &&
           !rollout_watching(driver->state) && nothing_under_way(driver);
}

enum run_status driver_turn(struct driver *driver, int64_t *ret_wake_ms)
{
    int64_t now = driver_now(driver);
    *ret_wake_ms = now + DRIVER_IDLE_MS;
    sooner(ret_wake_ms, driver->setup.journal.turn(driver->setup.journal.self, now));
    enum run_status status = RUN_GOING;
    if (!lease_is_held(driver, now, &status))
        return status;
    if (!driver->begun)
        begin(driver);
    if (driver->cancel && !driver->told_cancel) {
        driver->told_cancel = true;
        driver_event(driver, &(struct rollout_event){.type = RE_CANCEL});
    }
    poll_tickets(driver);
    operations_turn(driver, now, ret_wake_ms);
    sampling_turn(driver, now, ret_wake_ms);
    poll_people(driver, now);
    if (driver->wake_ms && now >= driver->wake_ms) {
        driver->wake_ms = 0;
        driver_event(driver, &(struct rollout_event){.type = RE_TIMER});
    }
    bool moved = driver->event_count > 0;
    drain_events(driver);
    if (driver->ended)
        return driver->state->fenced ? RUN_LOST : RUN_ENDED;
    if (may_suspend(driver))
        return RUN_SUSPENDED;
    sooner(ret_wake_ms, driver->wake_ms);
    if (moved)
        *ret_wake_ms = now;
    return RUN_GOING;
}

void driver_cancel(struct driver *driver)
{
    driver->cancel = true;
}

const struct rollout_state *driver_state(const struct driver *driver)
{
    return driver->state;
}

const char *driver_words(const struct driver *driver)
{
    return driver->words;
}

bool driver_open(const struct driver_setup *setup, struct driver **ret, struct error *err)
{
    struct driver *driver = memory_alloc(sizeof *driver);
    driver->setup = *setup;
    driver->plan = setup->plan;
    driver->told_phase = PHASE_NEW;
    uint32_t count = setup->plan->target_count;
    struct arena *arena = &driver->arena;
    driver->state = setup->state ? setup->state : rollout_state_new(arena, setup->plan);
    driver->placements = ARENA_ARRAY(arena, struct placement, count);
    for (uint32_t i = 0; i < count; i++)
        driver->placements[i] =
            setup->placements ? setup->placements[i] : setup->plan->targets[i].next;
    driver->commands = ARENA_ARRAY(arena, struct operation, count);
    driver->looks = ARENA_ARRAY(arena, struct operation, count);
    driver->endpoints = ARENA_ARRAY(arena, struct endpoints, count);
    driver->events = ARENA_ARRAY(arena, struct rollout_event, DRIVER_EVENTS);
    sampling_open(driver);
    int64_t now = driver_now(driver);
    if (!setup->journal.take(setup->journal.self, setup->plan, setup->force_lease, now, err)) {
        arena_done(&driver->arena);
        memory_free(driver);
        return false;
    }
    *ret = driver;
    return true;
}

void driver_close(struct driver *driver)
{
    if (!driver)
        return;
    if (driver->asking)
        driver->setup.approver.withdraw(driver->setup.approver.self);
    operations_done(driver);
    sampling_done(driver);
    if (driver->begun && !driver->told_lost)
        driver->setup.journal.release(driver->setup.journal.self,
                                      !phase_terminal(driver->state->phase), driver_now(driver));
    for (uint32_t i = 0; i < driver->plan->target_count; i++)
        arena_done(&driver->endpoints[i].arena);
    arena_done(&driver->arena);
    memory_free(driver);
}
