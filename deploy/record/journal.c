#include "deploy/record/journal.h"

#include "deploy/record/record_body.h"
#include "deploy/record/review_due.h"
#include "gate/base/moment.h"

#include <stdio.h>
#include <stdlib.h>

struct ticket {
    uint64_t number;
    char id[EVENT_ID];
    bool lost; // refused when it was appended
};

struct journal {
    struct ledger *ledger;
    struct arena arena;
    const struct plan *plan;
    char holder[EVENT_ID]; // of the lease
    char taken_id[EVENT_ID];
    enum lease_state lease;
    char words[256];
    bool force, alone; // alone: the remote did not answer, the local ledger counts
    bool proved;       // the lease was seen on the remote
    int64_t force_ms, push_ms;
    int64_t taken_ms, expires_ms, proved_until_ms, now_ms;
    char newest_id[EVENT_ID]; // newest event that renewed the lease, and until when
    int64_t newest_until_ms;
    struct object_id judged_tip; // the tip at which the lease was last looked at
    struct ticket *tickets;      // not answered for good yet
    size_t ticket_count, ticket_room;
    uint64_t next_ticket;
};

struct journal *journal_open(struct ledger *ledger)
{
    struct journal *journal = memory_alloc(sizeof *journal);
    memset(journal, 0, sizeof *journal);
    journal->ledger = ledger;
    journal->next_ticket = 1;
    journal_patience(journal, JOURNAL_FORCE_MS, JOURNAL_PUSH_MS);
    return journal;
}

void journal_patience(struct journal *journal, int64_t force_ms, int64_t push_ms)
{
    journal->force_ms = force_ms;
    journal->push_ms = push_ms;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    arena_done(&journal->arena);
    free(journal->tickets);
    free(journal);
}

static void note_words(struct journal *journal, const char *words)
{
    (void)snprintf(journal->words, sizeof journal->words, "%.255s", words);
}

// ---- taking -------------------------------------------------------------------------------------

static bool append_planned(struct journal *journal, struct arena *arena, struct error *err)
{
    const struct plan *plan = journal->plan;
    struct text body = text_of(LIMIT_EVENT_BYTES);
    body_of_plan(plan, &body);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR("rollout.planned"),
                          .time_ms = journal->now_ms,
                          .rollout = plan->rollout,
                          .lease = {.environment = plan->environment, .force = journal->force},
                          .key = arena_format(arena, STR_FMT "/planned", STR_ARG(plan->rollout)),
                          .body = text_str(&body)};
    struct ledger_entry entry;
    ledger_random(journal->ledger, event.id);
    bool ok = text_full(&body)
                  ? error_set(err, ERROR_LIMIT, "the plan is larger than an event may be")
                  : ledger_append(journal->ledger, &event, &entry, err);
    text_done(&body);
    // Two rollbacks at the same moment: the later one is not to go by the plan of the other.
    if (ok && journal->force && strcmp(entry.id, event.id) != 0)
        return error_set(err, ERROR_DENIED, "there is a rollout " STR_FMT " already",
                         STR_ARG(plan->rollout));
    return ok;
}

// A rollback closes the record of the rollout that it fences out, so that nobody resumes it.
static bool append_superseded(struct journal *journal, struct arena *arena, str rollout,
                              struct error *err)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    bool ok =
        body_of_superseded(journal->ledger, arena, rollout, journal->plan->rollout, &body, err);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR("rollout.cancelled"),
                          .time_ms = journal->now_ms,
                          .rollout = rollout,
                          .lease = {.environment = journal->plan->environment, .force = true},
                          .key =
                              arena_format(arena, STR_FMT "/rollout.cancelled", STR_ARG(rollout)),
                          .body = text_str(&body)};
    ok = ok && ledger_append(journal->ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

static bool append_taken(struct journal *journal, struct arena *arena, const struct lease *before,
                         struct error *err)
{
    const struct plan *plan = journal->plan;
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR("lease.taken"),
                          .time_ms = journal->now_ms,
                          .rollout = plan->rollout,
                          .lease = {.environment = plan->environment,
                                    .holder = str_of(journal->holder),
                                    .expires_ms = journal->now_ms + LEASE_TTL_MS,
                                    .force = journal->force,
                                    .process = process_self(arena)}};
    if (before->holder.len && !before->released) {
        event.lease.over = before->holder;
        event.lease.why = !lease_is_live(before, journal->now_ms) ? STR("expired")
                          : process_is_gone(before->process)      ? STR("gone")
                          : journal->force                        ? STR("forced")
                                                                  : (str){NULL, 0};
        if (!event.lease.why.len)
            event.lease.over = (str){NULL, 0};
    }
    struct ledger_entry entry;
    if (!ledger_append(journal->ledger, &event, &entry, err))
        return false;
    memcpy(journal->taken_id, entry.id, sizeof entry.id);
    memcpy(journal->newest_id, entry.id, sizeof entry.id);
    journal->newest_until_ms = journal->expires_ms = event.lease.expires_ms;
    return true;
}

static bool take_here(struct journal *journal, struct arena *arena, struct error *err)
{
    const struct plan *plan = journal->plan;
    struct standing standing;
    if (!ledger_refresh(journal->ledger, err) ||
        !ledger_standing(journal->ledger, arena, plan->environment, &standing, err))
        return false;
    str claimed = standing.claim.rollout;
    if (!append_planned(journal, arena, err) ||
        !review_due_append(journal->ledger, arena, plan, journal->now_ms, err) ||
        !append_taken(journal, arena, &standing.lease, err))
        return false;
    // Only now: what the fenced writer still writes is late, and says nothing of a closed rollout.
    bool fences = journal->force && claimed.len && !str_eq(claimed, plan->rollout);
    return !fences || append_superseded(journal, arena, claimed, err);
}

static bool journal_take(void *self, const struct plan *plan, bool force, int64_t now_ms,
                         struct error *err)
{
    struct journal *journal = self;
    struct error why;
    journal->plan = plan;
    journal->force = force;
    journal->alone = journal->proved = false;
    journal->taken_ms = journal->now_ms = now_ms;
    journal->proved_until_ms = 0;
    journal->words[0] = '\0';
    ledger_random(journal->ledger, journal->holder);
    struct arena arena = {0};
    bool ok = take_here(journal, &arena, &why);
    arena_done(&arena);
    journal->lease = ok ? LEASE_PENDING : LEASE_REFUSED;
    if (ok) {
        if (ledger_has_remote(journal->ledger))
            ledger_want_fetch(journal->ledger, JOURNAL_FETCH_MS);
        return true;
    }
    if (why.kind != ERROR_DENIED) {
        journal->lease = LEASE_NONE;
        *err = why;
        return false;
    }
    note_words(journal, why.message);
    return true;
}

// ---- the lease ----------------------------------------------------------------------------------

// Who has it now, in words.
static void lose(struct journal *journal, const struct standing *standing)
{
    journal->lease = journal->proved ? LEASE_LOST : LEASE_REFUSED;
    if (str_eq(standing->claim.rollout, journal->plan->rollout) || !standing->claim.rollout.len)
        (void)snprintf(journal->words, sizeof journal->words,
                       STR_FMT " works on " STR_FMT " now (rollout " STR_FMT ", fence %llu)",
                       STR_ARG(str_first(standing->lease.who, 60)),
                       STR_ARG(str_first(standing->environment, 60)),
                       STR_ARG(str_first(standing->lease.rollout, 60)),
                       (unsigned long long)standing->lease.fence);
    else
        (void)snprintf(journal->words, sizeof journal->words,
                       STR_FMT " is claimed by rollout " STR_FMT,
                       STR_ARG(str_first(standing->environment, 80)),
                       STR_ARG(str_first(standing->claim.rollout, 80)));
}

// Looks at the lease's file whenever the branch has moved.
static void look_at_lease(struct journal *journal)
{
    size_t count = ledger_count(journal->ledger);
    const struct ledger_entry *newest = count ? ledger_at(journal->ledger, count - 1) : NULL;
    if (!newest || object_eq(&newest->commit, &journal->judged_tip))
        return;
    struct arena arena = {0};
    struct standing standing;
    struct error err;
    struct object_id tip = newest->commit;
    if (ledger_standing(journal->ledger, &arena, journal->plan->environment, &standing, &err)) {
        journal->judged_tip = tip;
        if (!str_is(standing.lease.holder, journal->holder) || standing.lease.released)
            lose(journal, &standing);
    }
    arena_done(&arena);
}

static bool is_durable(const struct journal *journal, const char *id, bool *ret_lost)
{
    return ledger_is_durable(journal->ledger, str_of(id), ret_lost);
}

static void follow_lease(struct journal *journal)
{
    bool lost;
    if (journal->lease != LEASE_PENDING && journal->lease != LEASE_HELD)
        return;
    look_at_lease(journal);
    if (journal->lease != LEASE_PENDING && journal->lease != LEASE_HELD)
        return;
    if (is_durable(journal, journal->newest_id, &lost))
        journal->proved_until_ms = journal->newest_until_ms;
    if (is_durable(journal, journal->taken_id, &lost)) {
        journal->lease = LEASE_HELD;
        journal->proved = true;
        journal->alone = false;
    } else if (journal->force && journal->now_ms >= journal->taken_ms + journal->force_ms) {
        journal->lease = LEASE_HELD;
        journal->alone = true;
    }
    const struct error *trouble = ledger_trouble(journal->ledger);
    if (trouble)
        (void)snprintf(journal->words, sizeof journal->words, "%s: %.180s",
                       journal->alone ? "going on with the local ledger alone"
                                      : "waiting for the ledger's remote",
                       trouble->message);
}

static enum lease_state journal_lease(void *self, int64_t now_ms, char text[256])
{
    struct journal *journal = self;
    journal->now_ms = now_ms;
    if (journal->plan)
        follow_lease(journal);
    (void)snprintf(text, 256, "%s", journal->words);
    return journal->lease;
}

// ---- appending ----------------------------------------------------------------------------------

static struct event under_lease(struct journal *journal)
{
    struct event event = {
        .stream = STREAM_ROLLOUT,
        .time_ms = journal->now_ms,
        .rollout = journal->plan->rollout,
        .lease = {.environment = journal->plan->environment, .holder = str_of(journal->holder)}};
    if (journal->now_ms >= journal->expires_ms - LEASE_TTL_MS + LEASE_RENEW_MS)
        event.lease.expires_ms = journal->now_ms + LEASE_TTL_MS;
    return event;
}

static bool append_event(struct journal *journal, const struct event *event, char ret_id[EVENT_ID],
                         struct error *err)
{
    struct ledger_entry entry;
    if (!ledger_append(journal->ledger, event, &entry, err)) {
        if (err->kind == ERROR_DENIED)
            look_at_lease(journal);
        return false;
    }
    if (event->lease.expires_ms) {
        journal->expires_ms = journal->newest_until_ms = event->lease.expires_ms;
        memcpy(journal->newest_id, entry.id, sizeof entry.id);
    }
    if (ret_id)
        memcpy(ret_id, entry.id, sizeof entry.id);
    return true;
}

static str key_of(struct journal *journal, struct arena *arena,
                  const struct rollout_command *command)
{
    const struct plan *plan = journal->plan;
    const char *name = record_name(command->record);
    if (command->type == RC_INCIDENT) // one for each rollout, however often it is resumed
        return arena_format(arena, STR_FMT "/incident", STR_ARG(plan->rollout));
    if (event_is_terminal(str_of(name)))
        return arena_format(arena, STR_FMT "/%s", STR_ARG(plan->rollout), name);
    if (command->durable)
        return arena_format(arena, "%s/%llu", journal->holder, (unsigned long long)command->token);
    return (str){NULL, 0};
}

static bool mark_bad(struct journal *journal, str key, str release, str commit, const char *why,
                     struct error *err)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct event event = under_lease(journal);
    body_of_bad(release, commit, journal->plan->environment, str_of(why), &body);
    event.stream = STREAM_RELEASE;
    event.type = STR("release.marked-bad");
    event.key = key;
    event.body = text_str(&body);
    bool ok = append_event(journal, &event, NULL, err);
    text_done(&body);
    return ok;
}

static bool is_end_of(const struct journal_record *record, enum plan_mode mode)
{
    return record->command->type == RC_RECORD && record->command->record == RECORD_ROLLED_BACK &&
           record->plan->mode == mode;
}

// Written before the end of the rollout, like an incident: a crash between the two writes the same
// again, and never loses it.
static bool mark_left(struct journal *journal, struct arena *arena,
                      const struct journal_record *record, struct error *err)
{
    const struct plan *plan = journal->plan;
    const char *why = record->state->why;
    if (is_end_of(record, PLAN_FORWARD) && record->state->breach_at_ms != 0)
        return mark_bad(journal, arena_format(arena, STR_FMT "/marked-bad", STR_ARG(plan->rollout)),
                        plan->release, plan->commit, why, err);
    if (!is_end_of(record, PLAN_ROLLBACK) || plan->rehearsal)
        return true;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct placement *left = &plan->targets[i].next;
        if (!left->release.len || str_eq(left->release, plan->targets[i].good.release))
            continue;
        str key = arena_format(arena, STR_FMT "/marked-bad/" STR_FMT, STR_ARG(plan->rollout),
                               STR_ARG(left->release)); // once, however many targets it is left on
        if (!mark_bad(journal, key, left->release, left->commit, why, err))
            return false;
    }
    return true;
}

static bool append_record(struct journal *journal, const struct journal_record *record,
                          char ret_id[EVENT_ID], struct error *err)
{
    const struct rollout_command *command = record->command;
    struct arena arena = {0};
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct event event = under_lease(journal);
    bool incident = command->type == RC_INCIDENT;
    if (incident)
        body_of_incident(record, &body);
    else
        body_of_record(record, &body);
    event.stream = incident ? STREAM_INCIDENT : STREAM_ROLLOUT;
    event.type = incident ? STR("incident.opened") : str_of(record_name(command->record));
    event.key = key_of(journal, &arena, command);
    event.body = text_str(&body);
    bool ok =
        text_full(&body)
            ? error_set(err, ERROR_LIMIT, "a record larger than %u bytes", LIMIT_EVENT_BYTES)
            : mark_left(journal, &arena, record, err) && append_event(journal, &event, ret_id, err);
    text_done(&body);
    arena_done(&arena);
    return ok;
}

static bool journal_append(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                           struct error *err)
{
    struct journal *journal = self;
    struct ticket ticket = {.number = journal->next_ticket};
    journal->now_ms = record->now_ms;
    if (!journal->plan)
        return error_set(err, ERROR_DENIED, "no lease was taken");
    if (!append_record(journal, record, ticket.id, err))
        return false;
    if (record->command->durable) { // only those are asked for
        if (journal->ticket_count == journal->ticket_room) {
            journal->ticket_room = journal->ticket_room ? 2 * journal->ticket_room : 16;
            journal->tickets =
                memory_grow(journal->tickets, journal->ticket_room * sizeof *journal->tickets);
        }
        journal->tickets[journal->ticket_count++] = ticket;
    }
    journal->next_ticket++;
    *ret_ticket = ticket.number;
    return true;
}

static enum append_state journal_state(void *self, uint64_t number)
{
    struct journal *journal = self;
    for (size_t i = 0; i < journal->ticket_count; i++) {
        struct ticket *ticket = &journal->tickets[i];
        bool lost;
        if (ticket->number != number)
            continue;
        bool durable = is_durable(journal, ticket->id, &lost) || (journal->alone && !lost);
        follow_lease(journal);
        lost = lost || journal->lease == LEASE_LOST || journal->lease == LEASE_REFUSED;
        // After a long sleep the lease may have been taken over: it is renewed first.
        if (!lost && (!durable || (!journal->alone && journal->now_ms >= journal->proved_until_ms)))
            return APPEND_PENDING;
        *ticket = journal->tickets[--journal->ticket_count];
        return lost ? APPEND_LOST : APPEND_DURABLE;
    }
    return number && number < journal->next_ticket ? APPEND_DURABLE : APPEND_LOST;
}

// ---- going on -----------------------------------------------------------------------------------

static void renew(struct journal *journal)
{
    struct error err;
    if (journal->now_ms < journal->expires_ms - LEASE_TTL_MS + LEASE_RENEW_MS)
        return;
    struct event event = under_lease(journal);
    event.type = STR("lease.renewed");
    (void)append_event(journal, &event, NULL, &err); // tried again in the next turn
}

static int64_t journal_turn(void *self, int64_t now_ms)
{
    struct journal *journal = self;
    journal->now_ms = now_ms;
    if (!ledger_has_remote(journal->ledger)) {
        struct error err;
        (void)ledger_refresh(journal->ledger, &err);
    }
    int64_t wake_ms = ledger_turn(journal->ledger, now_ms);
    if (!journal->plan)
        return wake_ms;
    follow_lease(journal);
    if (journal->lease != LEASE_HELD && journal->lease != LEASE_PENDING)
        return wake_ms;
    renew(journal);
    int64_t renew_ms = journal->expires_ms - LEASE_TTL_MS + LEASE_RENEW_MS;
    if (renew_ms < wake_ms)
        wake_ms = renew_ms;
    if (!ledger_has_remote(journal->ledger) && now_ms + MS_SECOND < wake_ms)
        wake_ms = now_ms + MS_SECOND; // others write to the same branch
    return wake_ms > now_ms ? wake_ms : now_ms + 1;
}

static void journal_release(void *self, bool keep_claim, int64_t now_ms)
{
    struct journal *journal = self;
    struct error err;
    journal->now_ms = now_ms;
    if (journal->plan && (journal->lease == LEASE_HELD || journal->lease == LEASE_PENDING)) {
        struct event event = under_lease(journal);
        event.type = STR("lease.released");
        event.lease.expires_ms = 0;
        event.lease.keep_claim = keep_claim;
        (void)append_event(journal, &event, NULL, &err); // without it the lease runs out
    }
    if (journal->plan && ledger_has_remote(journal->ledger))
        (void)ledger_sync(journal->ledger, journal->push_ms, &err); // what is left is pushed later
    journal->lease = LEASE_NONE;
    journal->plan = NULL;
}

struct journal_port journal_port(struct journal *journal)
{
    return (struct journal_port){.self = journal,
                                 .take = journal_take,
                                 .lease = journal_lease,
                                 .append = journal_append,
                                 .state = journal_state,
                                 .turn = journal_turn,
                                 .release = journal_release};
}
