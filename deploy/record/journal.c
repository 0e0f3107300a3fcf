#include "deploy/record/journal.h"

#include "deploy/record/journal_parts.h"
#include "deploy/record/record_body.h"
#include "deploy/record/review_due.h"
#include "gate/base/moment.h"

#include <stdio.h>
#include <stdlib.h>

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
    group_clear(journal);
    free(journal->group);
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
void look_at_lease(struct journal *journal)
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

bool is_durable(const struct journal *journal, const char *id, bool *ret_lost)
{
    return ledger_is_durable(journal->ledger, str_of(id), ret_lost);
}

void follow_lease(struct journal *journal)
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

// ---- going on -----------------------------------------------------------------------------------

static void renew(struct journal *journal)
{
    struct error err;
    if (journal->now_ms < journal->expires_ms - LEASE_TTL_MS + LEASE_RENEW_MS)
        return;
    struct event event = under_lease(journal);
    event.type = STR("lease.renewed");
    (void)append_renewing(journal, &event, &err); // tried again in the next turn
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
    (void)journal_settle(journal, now_ms, &err);
    if (journal->plan && (journal->lease == LEASE_HELD || journal->lease == LEASE_PENDING)) {
        struct event event = under_lease(journal);
        event.type = STR("lease.released");
        event.lease.expires_ms = 0;
        event.lease.keep_claim = keep_claim;
        (void)append_renewing(journal, &event, &err); // without it the lease runs out
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
                                 .note = journal_note,
                                 .commit = journal_commit,
                                 .settle = journal_settle,
                                 .state = journal_state,
                                 .turn = journal_turn,
                                 .release = journal_release};
}
