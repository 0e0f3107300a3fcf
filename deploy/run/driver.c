#include "deploy/run/driver_parts.h"

#include <stdio.h>

int64_t driver_now(const struct driver *driver)
{
    return driver->setup.clock.now_ms(driver->setup.clock.self);
}

void driver_sooner(int64_t *wake_ms, int64_t at_ms)
{
    if (at_ms && at_ms < *wake_ms)
        *wake_ms = at_ms;
}

// Nothing is ever dropped: there is at most one event at a time for each operation, sampling and
// ticket, so the queue stays small.
void driver_event(struct driver *driver, const struct rollout_event *event)
{
    struct event_queue *queue = &driver->queue;
    if (queue->count == queue->room) {
        queue->room = queue->room ? 2 * queue->room : 32;
        queue->items = memory_grow(queue->items, queue->room * sizeof *queue->items);
    }
    struct rollout_event *kept = &queue->items[queue->count++];
    *kept = *event;
    kept->now_ms = driver_now(driver);
    kept->who = arena_str(&queue->texts, event->who);
    kept->text = arena_str(&queue->texts, event->text);
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

int64_t driver_pause(int64_t pause_ms, const struct error *err, int64_t most_ms)
{
    int64_t asked_ms = err->retry_after_ms < most_ms ? err->retry_after_ms : most_ms;
    return asked_ms > pause_ms ? asked_ms : pause_ms;
}

// ---- commands ----------------------------------------------------------------------------------

static void ask(struct driver *driver, const struct rollout_command *command)
{
    const struct plan *plan = driver->plan;
    struct approval_question question = {
        .plan = plan,
        .state = driver->state,
        .rule =
            command->step == STEP_STAGE ? &plan->approval : &plan->steps[command->step].approval,
        .step = command->step,
    };
    driver->polled = false;
    driver->asking = true;
    driver->asked = command->token;
    driver->setup.approver.ask(driver->setup.approver.self, &question, driver_now(driver));
}

static void stop_asking(struct driver *driver)
{
    if (driver->asking)
        driver->setup.approver.withdraw(driver->setup.approver.self);
    driver->asking = false;
}

static void carry_out(struct driver *driver, const struct rollout_command *command)
{
    switch (command->type) {
    case RC_RECORD:
    case RC_INCIDENT: // see records_commit
        break;
    case RC_TARGET:
    case RC_OBSERVE:
        operation_start(driver, command);
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
    if (driver->state->phase != PHASE_WAITING)
        stop_asking(driver);
    if (driver->state->phase != PHASE_HELD)
        driver->found_held = driver->told_alone = false;
    driver_tell(driver, NEWS_PHASE, 0, driver->state->why);
}

// Records are noted as they come; what they allow is carried out once all of them are committed.
static void step(struct driver *driver, const struct rollout_event *event)
{
    struct command_list *due = &driver->due;
    driver->out.count = 0;
    rollout_step(driver->plan, driver->state, event, &driver->out);
    tell_phase(driver);
    for (uint32_t i = 0; i < driver->out.count; i++) {
        const struct rollout_command *command = &driver->out.items[i];
        if (due->count == due->room) {
            due->room = due->room ? 2 * due->room : 32;
            due->items = memory_grow(due->items, due->room * sizeof *due->items);
        }
        due->items[due->count++] = *command;
        if (command->type == RC_RECORD || command->type == RC_INCIDENT)
            record_note(driver, command);
    }
}

static void handle_events(struct driver *driver)
{
    struct event_queue *queue = &driver->queue;
    struct command_list *due = &driver->due;
    driver->ended = false;
    while (queue->first < queue->count) {
        while (queue->first < queue->count) {
            struct rollout_event event = queue->items[queue->first++];
            step(driver, &event);
        }
        records_commit(driver);
        for (size_t i = 0; i < due->count; i++) // may add to the queue
            carry_out(driver, &due->items[i]);
        due->count = 0;
    }
    queue->first = queue->count = 0;
    arena_done(&queue->texts);
}

// ---- the lease ---------------------------------------------------------------------------------

// Whoever has the lease now decides: what is under way here is dropped, and nothing more leaves.
static enum run_status lose(struct driver *driver)
{
    driver->lost = true;
    driver_event(driver, &(struct rollout_event){.type = RE_LEASE_LOST});
    operations_done(driver);
    sampling_done(driver);
    handle_events(driver);
    return RUN_LOST;
}

static void tell_waiting(struct driver *driver, const char *words)
{
    if (strcmp(driver->waiting, words) == 0)
        return;
    (void)snprintf(driver->waiting, sizeof driver->waiting, "%s", words);
    if (*words)
        driver_tell(driver, NEWS_TROUBLE, TARGET_EVERY, words);
}

// RUN_GOING with *ret_held false: it is still being taken.
static enum run_status look_at_lease(struct driver *driver, int64_t now_ms, bool *ret_held)
{
    struct journal_port *journal = &driver->setup.journal;
    char words[256] = "";
    enum lease_state lease = journal->lease(journal->self, now_ms, words);
    *ret_held = lease == LEASE_HELD || driver->begun;
    switch (lease) {
    case LEASE_HELD:
        break;
    case LEASE_NONE:
    case LEASE_PENDING:
        tell_waiting(driver, words);
        break;
    case LEASE_REFUSED:
    case LEASE_LOST:
        (void)snprintf(driver->words, sizeof driver->words, "%s", words);
        if (driver->begun)
            return lose(driver);
        driver->refused = true;
        return lease == LEASE_LOST ? RUN_LOST : RUN_REFUSED;
    }
    return RUN_GOING;
}

// ---- a turn ------------------------------------------------------------------------------------

// Tells the engine when forward steps may not be, and when they may again.
static void poll_calendar(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    const struct calendar_port *calendar = &driver->setup.calendar;
    struct calendar_word word = {.until_ms = INT64_MAX};
    if (!calendar->look)
        return;
    calendar->look(calendar->self, now_ms, &word);
    driver_sooner(wake_ms, word.until_ms);
    if (word.frozen != driver->frozen)
        driver_event(driver, &(struct rollout_event){.type = RE_FROZEN,
                                                     .granted = word.frozen,
                                                     .text = str_of(word.text)});
    driver->frozen = word.frozen;
    if (strcmp(word.trouble, driver->told_calendar) != 0 && word.trouble[0])
        driver_tell(driver, NEWS_TROUBLE, TARGET_EVERY, word.trouble);
    memcpy(driver->told_calendar, word.trouble, sizeof word.trouble);
    if (word.frozen && strcmp(word.text, driver->told_freeze) != 0) {
        char text[sizeof word.text + 32];
        (void)snprintf(text, sizeof text, "forward steps wait: %s", word.text);
        driver_tell(driver, NEWS_TROUBLE, TARGET_EVERY, text);
    }
    memcpy(driver->told_freeze, word.text, sizeof word.text);
}

// A state from the ledger may still say that a freeze holds, or not know of one: the engine hears
// first how that is now.
static void begin(struct driver *driver)
{
    driver->begun = true;
    bool resumed = driver->setup.state != NULL;
    driver->frozen = driver->state->frozen;
    if (driver->setup.calendar.look) {
        int64_t ignored = INT64_MAX;
        poll_calendar(driver, driver_now(driver), &ignored);
    } else if (driver->frozen) {
        driver_event(driver, &(struct rollout_event){.type = RE_FROZEN});
        driver->frozen = false;
    }
    driver_event(driver, &(struct rollout_event){.type = resumed ? RE_RESUMED : RE_BEGIN});
}

static void poll_people(struct driver *driver, int64_t now_ms)
{
    struct approval_answer answer;
    struct approver_port *approver = &driver->setup.approver;
    // All of them: a question must not expire over an answer that is there.
    while (driver->asking && approver->poll(approver->self, now_ms, &answer))
        driver_event(driver,
                     &(struct rollout_event){.type = answer.withdrawn ? RE_WITHDRAWN : RE_ANSWER,
                                             .token = driver->asked,
                                             .word = answer.word,
                                             .granted = answer.granted,
                                             .who = answer.who,
                                             .text = answer.comment});
    driver->polled |= driver->asking;
}

enum { STEER_LOOK_MS = 1000 };

static void poll_steering(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    struct steering_port *port = &driver->setup.steering;
    struct steering word;
    if (!port->poll)
        return;
    while (port->poll(port->self, now_ms, &word))
        driver_event(driver, &(struct rollout_event){.type = RE_STEER,
                                                     .token = word.token,
                                                     .steer = word.steer,
                                                     .share_ppm = word.share_ppm,
                                                     .who = word.who,
                                                     .text = word.text});
    driver_sooner(wake_ms, now_ms + STEER_LOOK_MS);
}

static void collect(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    if (driver->cancel && !driver->told_cancel) {
        driver->told_cancel = true;
        driver_event(driver, &(struct rollout_event){.type = RE_CANCEL});
    }
    poll_calendar(driver, now_ms, wake_ms); // before what it may forbid
    records_poll(driver, now_ms, wake_ms);
    operations_turn(driver, now_ms, wake_ms);
    sampling_turn(driver, now_ms, wake_ms);
    poll_people(driver, now_ms);
    poll_steering(driver, now_ms, wake_ms);
    if (driver->wake_ms && now_ms >= driver->wake_ms) {
        driver->wake_ms = 0;
        driver_event(driver, &(struct rollout_event){.type = RE_TIMER});
    }
}

static bool nothing_under_way(const struct driver *driver)
{
    for (uint32_t i = 0; i < driver->plan->target_count; i++)
        if (driver->commands[i].verb != VERB_NONE || driver->looks[i].verb != VERB_NONE)
            return false;
    return driver->ticket_count == 0;
}

static bool wants_to_leave(const struct driver *driver)
{
    return driver->setup.suspend && !driver->setup.stay;
}

// A bake of hours needs no process that waits for its end: each time that it is woken, every target
// and every metric is looked at once, over all the time since the last look where the source
// allows, and then it is left again. Its last part is not: who wakes it might come too late. That
// part is at least what a new process needs to read fresh figures, by which the engine lets the
// bake last longer then: else it would be put off by each look, for ever.
static int64_t last_part_ms(const struct driver *driver)
{
    int64_t most_ms = driver->setup.woken_ms;
    for (uint32_t i = 0; i < driver->plan->metric_count; i++) {
        const struct plan_metric *metric = &driver->plan->metrics[i];
        if (metric->lag_ms + metric->every_ms > most_ms)
            most_ms = metric->lag_ms + metric->every_ms;
    }
    return most_ms;
}

static bool bakes_alone(const struct driver *driver)
{
    const struct rollout_state *state = driver->state;
    bool bakes = state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE;
    if (!bakes || state->passed || state->frozen || driver->setup.woken_ms == 0 ||
        state->bake_until_ms - driver->last_ms <= last_part_ms(driver))
        return false;
    for (uint32_t i = 0; i < driver->plan->metric_count; i++)
        if (driver->plan->metrics[i].own)
            return false; // of what happens meanwhile it could never tell
    for (uint32_t i = 0; i < driver->plan->target_count; i++)
        if (state->targets[i].unknown || !state->targets[i].settled)
            return false;
    return sampling_told(driver);
}

// The engine says when a process is not needed any more; here it is decided whether it goes. What
// has traffic on the release is not left alone: it is watched, and a breach still takes it back.
// What waits for an approval is left when the caller wants to, and so is what is held for a person:
// who decides that does so elsewhere; with traffic, only where somebody is named who watches it
// meanwhile; a bake that is long enough for that is left to who is named as well. A freeze that
// came before the release had any traffic holds no process either.
static enum run_status standing(const struct driver *driver)
{
    const struct rollout_state *state = driver->state;
    if (state->fenced)
        return RUN_LOST;
    if (phase_terminal(state->phase))
        return RUN_ENDED;
    if (driver->ended && (state->phase == PHASE_STUCK || state->cancelled))
        return RUN_ENDED;
    if (!nothing_under_way(driver))
        return RUN_GOING;
    bool left = wants_to_leave(driver) && (driver->setup.woken_ms > 0 || driver->found_held);
    if (left && bakes_alone(driver))
        return RUN_SUSPENDED;
    if (rollout_watching(state) && !left)
        return RUN_GOING;
    if (state->phase == PHASE_HELD)
        return RUN_SUSPENDED;
    bool quiet = driver->polled || !driver->asking; // nobody's answer is there already
    if (state->phase == PHASE_WAITING && driver->setup.suspend && quiet)
        return RUN_SUSPENDED;
    bool prepares = state->phase == PHASE_PREPARING || state->phase == PHASE_SHIFTING;
    if (prepares && driver->setup.suspend && state->frozen && !state->out)
        return RUN_SUSPENDED;
    return RUN_GOING;
}

static void tell_alone(struct driver *driver, enum run_status status)
{
    static const char stays[] =
        "held with traffic on the release, and no `watch` in the configuration names what would "
        "wake it: this process stays and watches it; with `watch: {by: sluice watch on ops1, "
        "every: 30s}`, or whatever does that, it may end here";
    static const char found[] =
        "held with traffic on the release, and no `watch` in the configuration names what wakes "
        "it: no regression is seen before a person looks, unless `sluice watch` or `sluice resume "
        "--wait watch` stays with it";
    bool alone = driver->state->phase == PHASE_HELD && rollout_watching(driver->state) &&
                 wants_to_leave(driver) && driver->setup.woken_ms == 0;
    bool leaves = status == RUN_SUSPENDED;
    if (!alone || driver->told_alone || driver->found_held != leaves || driver->cancel)
        return;
    driver->told_alone = true;
    driver_tell(driver, NEWS_TROUBLE, TARGET_EVERY, leaves ? found : stays);
}

static int64_t turn_clock(struct driver *driver)
{
    int64_t now = driver_now(driver);
    if (now < driver->last_ms) { // it went back: what is waited for is looked at afresh
        operations_clock_back(driver, now);
        driver->wake_ms = driver->wake_ms ? now : 0;
    }
    driver->last_ms = now;
    return now;
}

enum run_status driver_turn(struct driver *driver, int64_t *ret_wake_ms)
{
    bool held;
    int64_t now = turn_clock(driver), wake = now + DRIVER_IDLE_MS;
    records_settle(driver);
    driver_sooner(&wake, driver->setup.journal.turn(driver->setup.journal.self, now));
    enum run_status status = look_at_lease(driver, now, &held);
    *ret_wake_ms = wake;
    if (status != RUN_GOING)
        return status;
    if (!held)
        return driver->cancel ? RUN_ENDED : RUN_GOING;
    if (!driver->begun)
        begin(driver);
    collect(driver, now, &wake);
    bool moved = driver->queue.count > 0;
    handle_events(driver);
    status = standing(driver);
    tell_alone(driver, status);
    if (status == RUN_LOST)
        driver->lost = true;
    driver_sooner(&wake, driver->wake_ms);
    *ret_wake_ms = moved ? now : wake;
    return status;
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
    driver->found_held = setup->as_found && setup->state && setup->state->phase == PHASE_HELD;
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
    driver->told_looks = arena_alloc(arena, count * sizeof *driver->told_looks);
    sampling_open(driver);
    driver->last_ms = driver_now(driver);
    if (!setup->journal.take(setup->journal.self, setup->plan, setup->force_lease, driver->last_ms,
                             err)) {
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
    stop_asking(driver);
    operations_done(driver);
    sampling_done(driver);
    if (!driver->refused && !driver->lost)
        driver->setup.journal.release(driver->setup.journal.self,
                                      !phase_terminal(driver->state->phase), driver_now(driver));
    for (uint32_t i = 0; i < driver->plan->target_count; i++)
        arena_done(&driver->endpoints[i].arena);
    arena_done(&driver->queue.texts);
    memory_free(driver->queue.items);
    memory_free(driver->due.items);
    arena_done(&driver->arena);
    memory_free(driver);
}
