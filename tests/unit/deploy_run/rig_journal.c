// The rig's record keeper: in memory, with faults.
#include "rig.h"

#include "deploy/engine/codec.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

static bool journal_take(void *self, const struct plan *plan, bool force, int64_t now_ms,
                         struct error *err)
{
    (void)self, (void)plan, (void)force, (void)now_ms, (void)err;
    return true;
}

static enum lease_state journal_lease(void *self, int64_t now_ms, char text[256])
{
    struct rig *rig = self;
    (void)now_ms;
    (void)snprintf(text, 256, "%s", rig->lease_words ? rig->lease_words : "");
    return rig->lease;
}

#define NEVER_COMMITTED INT64_MAX

static void save(struct rig *rig, const struct plan *plan, const struct rollout_state *state,
                 const struct placement *placements)
{
    struct json_out out = json_out_of(&rig->saved, JSON_COMPACT);
    text_clear(&rig->saved);
    json_open_map(&out, NULL);
    rollout_state_write(plan, state, "state", &out);
    json_close(&out);
    for (uint32_t i = 0; i < plan->target_count; i++)
        rig->saved_memory[i] = arena_str(&rig->arena, placements[i].memory);
}

static bool journal_note(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                         struct error *err)
{
    struct rig *rig = self;
    const struct rollout_command *command = record->command;
    bool intended = command->type == RC_RECORD && command->record == RECORD_INTENDED;
    cr_assert_eq(record->now_ms, rig->now_ms);
    if (rig->too_large)
        return error_set(err, ERROR_LIMIT, "a record that is too large");
    if (!rig->refusing) {
        rig_say(rig, "%s %s",
                command->type == RC_INCIDENT ? "incident" : record_name(command->record),
                command->type == RC_INCIDENT ? command->text : verb_name(command->verb));
        rig->reverting |= intended && command->verb == VERB_REVERT;
    }
    *ret_ticket = ++rig->tickets;
    rig->pushed_at[rig->tickets % 256] = NEVER_COMMITTED;
    if (intended && command->durable && !rig->refusing) {
        rig->intended = command->verb;
        rig->intended_ticket = rig->tickets;
    }
    return true;
}

static bool journal_commit(void *self, const struct plan *plan, const struct rollout_state *state,
                           const struct placement *placements, enum journal_haste haste,
                           int64_t now_ms, struct error *err)
{
    struct rig *rig = self;
    if (rig->committed == rig->tickets)
        return true;
    cr_assert_not(rig->unsettled, "the turn before did not settle");
    unsigned first = rig->committed + 1;
    rig->committed = rig->tickets;
    if (rig->refusing || rig_faulty(rig))
        return error_set(err, ERROR_SYSTEM, "the disk is full");
    save(rig, plan, state, placements);
    rig->unsettled = haste == JOURNAL_URGENT;
    rig->hasty += rig->unsettled;
    for (unsigned i = first; i <= rig->tickets; i++)
        rig->pushed_at[i % 256] = now_ms + rig->push_ms;
    return true;
}

static bool journal_settle(void *self, int64_t now_ms, struct error *err)
{
    struct rig *rig = self;
    (void)now_ms, (void)err;
    rig->unsettled = false;
    return true;
}

static enum append_state journal_state(void *self, uint64_t ticket)
{
    struct rig *rig = self;
    cr_assert(ticket > 0 && ticket <= rig->tickets);
    if (rig->losing ||
        (ticket <= rig->committed && rig->pushed_at[ticket % 256] == NEVER_COMMITTED))
        return APPEND_LOST;
    if (!rig->offline && rig->now_ms >= rig->pushed_at[ticket % 256] &&
        ticket > rig->durable_ticket)
        rig->durable_ticket = ticket;
    return ticket <= rig->durable_ticket ? APPEND_DURABLE : APPEND_PENDING;
}

static int64_t journal_turn(void *self, int64_t now_ms)
{
    const struct rig *rig = self;
    return now_ms + (rig->push_ms && rig->push_ms < MS_SECOND ? rig->push_ms : MS_SECOND);
}

static void journal_release(void *self, bool keep_claim, int64_t now_ms)
{
    struct rig *rig = self;
    (void)now_ms;
    rig->released++;
    rig->kept_claim = keep_claim;
    rig_say(rig, "released");
}

struct journal_port rig_journal(struct rig *rig)
{
    return (struct journal_port){rig,           journal_take,   journal_lease,
                                 journal_note,  journal_commit, journal_settle,
                                 journal_state, journal_turn,   journal_release};
}
