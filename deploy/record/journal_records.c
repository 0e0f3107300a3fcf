// Records of a rollout: noted one by one, committed as one.
#include "deploy/record/journal_parts.h"
#include "deploy/record/record_body.h"
#include "deploy/record/urgent.h"

#include <stdio.h>

struct event under_lease(struct journal *journal)
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

static void note_renewal(struct journal *journal, const struct event *event, const char *id)
{
    if (!event->lease.expires_ms)
        return;
    journal->expires_ms = journal->newest_until_ms = event->lease.expires_ms;
    memcpy(journal->newest_id, id, EVENT_ID);
}

bool append_renewing(struct journal *journal, const struct event *event, struct error *err)
{
    struct ledger_entry entry;
    if (!ledger_append(journal->ledger, event, &entry, err)) {
        if (err->kind == ERROR_DENIED)
            look_at_lease(journal);
        return false;
    }
    note_renewal(journal, event, entry.id);
    return true;
}

// ---- noting -------------------------------------------------------------------------------------

void group_clear(struct journal *journal)
{
    arena_done(&journal->group_arena);
    journal->group_count = 0;
    journal->kept = false;
}

// The body is taken over, and the event gets its id: it may be kept aside before it is appended.
static void note_event(struct journal *journal, struct event event, const struct text *body,
                       uint64_t ticket)
{
    if (journal->group_count == journal->group_room) {
        journal->group_room = journal->group_room ? 2 * journal->group_room : 16;
        journal->group = memory_grow(journal->group, journal->group_room * sizeof *journal->group);
    }
    event.lease.expires_ms = 0; // the first of a commit renews the lease
    event.body = arena_str(&journal->group_arena, text_str(body));
    event.actor = *ledger_actor(journal->ledger);
    ledger_random(journal->ledger, event.id);
    journal->group[journal->group_count++] = (struct noted){ticket, event};
}

static str key_of(struct journal *journal, const struct rollout_command *command)
{
    struct arena *arena = &journal->group_arena;
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

static void mark_bad(struct journal *journal, str key, str release, str commit, const char *why)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct event event = under_lease(journal);
    body_of_bad(release, commit, journal->plan->environment, str_of(why), &body);
    event.stream = STREAM_RELEASE;
    event.type = STR("release.marked-bad");
    event.key = key;
    note_event(journal, event, &body, 0);
    text_done(&body);
}

static bool is_end_of(const struct journal_record *record, enum plan_mode mode)
{
    return record->command->type == RC_RECORD && record->command->record == RECORD_ROLLED_BACK &&
           record->plan->mode == mode;
}

static void mark_left(struct journal *journal, const struct journal_record *record)
{
    struct arena *arena = &journal->group_arena;
    const struct plan *plan = journal->plan;
    const char *why = record->state->why;
    if (is_end_of(record, PLAN_FORWARD) && record->state->breach_at_ms != 0)
        mark_bad(journal, arena_format(arena, STR_FMT "/marked-bad", STR_ARG(plan->rollout)),
                 plan->release, plan->commit, why);
    if (!is_end_of(record, PLAN_ROLLBACK) || plan->rehearsal)
        return;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct placement *left = &plan->targets[i].next;
        if (!left->release.len || str_eq(left->release, plan->targets[i].good.release))
            continue;
        str key = arena_format(arena, STR_FMT "/marked-bad/" STR_FMT, STR_ARG(plan->rollout),
                               STR_ARG(left->release)); // once, however many targets it is left on
        mark_bad(journal, key, left->release, left->commit, why);
    }
}

static uint64_t add_ticket(struct journal *journal, bool durable)
{
    if (durable) { // only those are asked for
        if (journal->ticket_count == journal->ticket_room) {
            journal->ticket_room = journal->ticket_room ? 2 * journal->ticket_room : 16;
            journal->tickets =
                memory_grow(journal->tickets, journal->ticket_room * sizeof *journal->tickets);
        }
        journal->tickets[journal->ticket_count++] = (struct ticket){.number = journal->next_ticket};
    }
    return journal->next_ticket++;
}

bool journal_note(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                  struct error *err)
{
    struct journal *journal = self;
    const struct rollout_command *command = record->command;
    bool incident = command->type == RC_INCIDENT;
    struct text body = text_of(LIMIT_EVENT_BYTES);
    if (!journal->plan)
        return error_set(err, ERROR_DENIED, "no lease was taken");
    journal->now_ms = record->now_ms;
    if (incident)
        body_of_incident(record, &body);
    else
        body_of_record(record, &body);
    if (text_full(&body)) {
        text_done(&body);
        return error_set(err, ERROR_LIMIT, "a record larger than %u bytes", LIMIT_EVENT_BYTES);
    }
    mark_left(journal, record);
    struct event event = under_lease(journal);
    event.stream = incident ? STREAM_INCIDENT : STREAM_ROLLOUT;
    event.type = incident ? STR("incident.opened") : str_of(record_name(command->record));
    event.key = key_of(journal, command);
    *ret_ticket = add_ticket(journal, command->durable);
    note_event(journal, event, &body, command->durable ? *ret_ticket : 0);
    text_done(&body);
    return true;
}

// ---- committing ---------------------------------------------------------------------------------

static struct noted *last_record(struct journal *journal)
{
    for (size_t i = journal->group_count; i-- > 0;)
        if (journal->group[i].event.stream == STREAM_ROLLOUT)
            return &journal->group[i];
    return NULL;
}

static bool add_state(struct journal *journal, const struct plan *plan,
                      const struct rollout_state *state, const struct placement *placements,
                      struct error *err)
{
    struct noted *last = last_record(journal);
    struct text body = text_of(LIMIT_EVENT_BYTES);
    if (!last)
        return true;
    text_add(&body, last->event.body);
    body_add_state(plan, state, placements, &body);
    bool ok = text_full(&body)
                  ? error_set(err, ERROR_LIMIT, "a record larger than %u bytes", LIMIT_EVENT_BYTES)
                  : true;
    if (ok)
        last->event.body = arena_str(&journal->group_arena, text_str(&body));
    text_done(&body);
    return ok;
}

static void settle_ticket(struct journal *journal, uint64_t number, const char *id)
{
    for (size_t i = journal->ticket_count; i-- > 0;)
        if (journal->tickets[i].number == number) {
            memcpy(journal->tickets[i].id, id, EVENT_ID);
            journal->tickets[i].lost = !id[0];
            return;
        }
}

static struct event *group_events(const struct journal *journal)
{
    struct event *events = memory_alloc((journal->group_count + 1) * sizeof *events);
    for (size_t i = 0; i < journal->group_count; i++)
        events[i] = journal->group[i].event;
    return events;
}

// On the branch, whole. What is denied there or cannot be written is lost, and so are the tickets.
static bool put_group(struct journal *journal, struct error *err)
{
    size_t count = journal->group_count, denied = 0;
    if (!count)
        return true;
    struct event *events = group_events(journal);
    struct ledger_entry *entries = memory_alloc(count * sizeof *entries);
    memset(entries, 0, count * sizeof *entries);
    bool ok = ledger_append_all(journal->ledger, events, count, entries, &denied, err);
    for (size_t i = 0; i < count; i++) {
        const char *id = entries[i].id; // none: it is lost
        if (journal->group[i].ticket)
            settle_ticket(journal, journal->group[i].ticket, id);
        if (id[0])
            note_renewal(journal, &events[i], id);
    }
    if (journal->kept && ok)
        urgent_drop(journal->ledger, journal->kept_name);
    journal->kept_count += journal->kept; // otherwise it stays, for who opens the ledger next
    memory_free(events);
    memory_free(entries);
    group_clear(journal);
    if (denied)
        look_at_lease(journal);
    return ok && denied == 0;
}

static bool keep_group(struct journal *journal)
{
    struct error why; // then it is committed at once, slowly
    struct event *events = group_events(journal);
    (void)snprintf(journal->kept_name, sizeof journal->kept_name, "%s-%u", journal->holder,
                   journal->kept_count);
    journal->kept =
        urgent_keep(journal->ledger, journal->kept_name, events, journal->group_count, &why);
    memory_free(events);
    return journal->kept;
}

bool journal_commit(void *self, const struct plan *plan, const struct rollout_state *state,
                    const struct placement *placements, enum journal_haste haste, int64_t now_ms,
                    struct error *err)
{
    struct journal *journal = self;
    journal->now_ms = now_ms;
    if (!journal->group_count)
        return true;
    struct error why = {0};
    bool whole = add_state(journal, plan, state, placements, &why);
    journal->group[0].event.lease.expires_ms = under_lease(journal).lease.expires_ms;
    if (haste == JOURNAL_URGENT && keep_group(journal))
        return whole || (*err = why, false);
    bool put = put_group(journal, err);
    if (!whole)
        *err = why;
    return put && whole;
}

bool journal_settle(void *self, int64_t now_ms, struct error *err)
{
    struct journal *journal = self;
    journal->now_ms = now_ms;
    return !journal->kept || put_group(journal, err);
}

// ---- becoming durable ---------------------------------------------------------------------------

enum append_state journal_state(void *self, uint64_t number)
{
    struct journal *journal = self;
    for (size_t i = 0; i < journal->ticket_count; i++) {
        struct ticket *ticket = &journal->tickets[i];
        bool lost = ticket->lost, durable = false;
        if (ticket->number != number)
            continue;
        if (ticket->id[0])
            durable = is_durable(journal, ticket->id, &lost) || (journal->alone && !lost);
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
