#include "deploy/run/driver_parts.h"

#include <stdio.h>

// Without its record a forward command is not sent. A revert is, and so is everything that follows
// from what has happened already: it is said, and the way back goes on.
static void tell_failure(struct driver *driver, const char *what, uint32_t target,
                         struct error *err)
{
    (void)error_wrap(err, "recording %s", what);
    driver_tell(driver, NEWS_TROUBLE, target, err->message);
}

static const char *words_of(const struct rollout_command *command)
{
    return command->type == RC_INCIDENT ? "the incident" : record_name(command->record);
}

void record_note(struct driver *driver, const struct rollout_command *command)
{
    struct journal_port *journal = &driver->setup.journal;
    struct journal_record record = {driver->plan, driver->state, command, driver->placements,
                                    driver_now(driver)};
    struct error err;
    uint64_t ticket = 0;
    if (!journal->note(journal->self, &record, &ticket, &err)) {
        tell_failure(driver, words_of(command), command->target, &err);
        if (!command->durable)
            return;
        (void)snprintf(driver->words, sizeof driver->words, "%.250s", err.message);
        driver_event(driver,
                     &(struct rollout_event){.type = RE_RECORD_LOST, .token = command->token});
        return;
    }
    if (!command->durable)
        return;
    driver->tickets = arena_grow(&driver->arena, driver->tickets, driver->ticket_count,
                                 &driver->ticket_room, sizeof *driver->tickets);
    bool forward = command->record == RECORD_INTENDED && command->verb != VERB_REVERT;
    driver->tickets[driver->ticket_count++] =
        (struct ticket){command->token, ticket, record.now_ms, forward};
}

static void tell_recorded(struct driver *driver)
{
    for (size_t i = 0; i < driver->due.count; i++) {
        const struct rollout_command *command = &driver->due.items[i];
        if (command->type != RC_RECORD && command->type != RC_INCIDENT)
            continue;
        struct run_news news = {.type = NEWS_RECORDED,
                                .plan = driver->plan,
                                .state = driver->state,
                                .record = command,
                                .target = command->target,
                                .now_ms = driver_now(driver)};
        driver->setup.observer.tell(driver->setup.observer.self, &news);
    }
}

static bool has_way_back(const struct command_list *due)
{
    for (size_t i = 0; i < due->count; i++)
        if (due->items[i].type == RC_TARGET && due->items[i].verb == VERB_REVERT)
            return true;
    return false;
}

// What is lost is found by its ticket, at the next poll.
static void tell_lost(struct driver *driver, struct error *err)
{
    tell_failure(driver, "what happened", TARGET_EVERY, err);
    (void)snprintf(driver->words, sizeof driver->words, "%.250s", err->message);
}

void records_commit(struct driver *driver)
{
    struct journal_port *journal = &driver->setup.journal;
    struct error err;
    enum journal_haste haste = has_way_back(&driver->due) ? JOURNAL_URGENT : JOURNAL_ORDINARY;
    if (journal->commit(journal->self, driver->plan, driver->state, driver->placements, haste,
                        driver_now(driver), &err))
        tell_recorded(driver);
    else
        tell_lost(driver, &err);
}

void records_settle(struct driver *driver)
{
    struct journal_port *journal = &driver->setup.journal;
    struct error err;
    if (!journal->settle(journal->self, driver_now(driver), &err))
        tell_lost(driver, &err);
}

enum { CALENDAR_AGAIN_MS = 50 };

// The freezes are read again before each forward step: after it was written down, before it is
// sent.
static bool waits_for_calendar(struct driver *driver, const struct ticket *ticket)
{
    const struct calendar_port *calendar = &driver->setup.calendar;
    return ticket->forward && calendar->look &&
           !calendar->fresh(calendar->self, driver_now(driver), ticket->since_ms);
}

void records_poll(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    struct journal_port *journal = &driver->setup.journal;
    size_t kept = 0;
    for (size_t i = 0; i < driver->ticket_count; i++) {
        struct ticket ticket = driver->tickets[i];
        enum append_state state = journal->state(journal->self, ticket.ticket);
        bool waits = state == APPEND_DURABLE && waits_for_calendar(driver, &ticket);
        if (waits)
            driver_sooner(wake_ms, now_ms + CALENDAR_AGAIN_MS);
        if (state == APPEND_PENDING || waits) {
            driver->tickets[kept++] = ticket;
            continue;
        }
        bool lost = state == APPEND_LOST;
        if (lost && !driver->words[0])
            (void)snprintf(driver->words, sizeof driver->words,
                           "another process wrote to the ledger first");
        driver_event(driver, &(struct rollout_event){
                                 .type = lost ? RE_RECORD_LOST : RE_RECORDED,
                                 .token = ticket.token,
                             });
    }
    driver->ticket_count = kept;
}
