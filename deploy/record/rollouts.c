#include "deploy/record/rollouts.h"

#include "deploy/engine/codec.h"
#include "deploy/record/record_body.h"

#include <assert.h>

static bool read_placements(struct arena *arena, const struct plan *plan, const struct node *list,
                            struct placement **ret, struct error *err)
{
    if (list->kind != NODE_LIST || list->count != plan->target_count)
        return error_set(err, ERROR_INPUT, "the placements of a record do not fit its plan");
    struct placement *items = ARENA_ARRAY(arena, struct placement, list->count + 1);
    size_t i = 0;
    for (const struct node *n = list->first; n; n = n->next)
        if (!placement_read(n, &items[i++], err))
            return false;
    *ret = items;
    return true;
}

static bool read_plan(struct ledger *ledger, struct arena *arena, str rollout,
                      struct rollout_record *record, struct error *err)
{
    str key = arena_format(arena, STR_FMT "/planned", STR_ARG(rollout));
    const struct ledger_entry *entry = ledger_by_key(ledger, key);
    if (!entry)
        return error_set(err, ERROR_ABSENT, "the ledger has no rollout " STR_FMT, STR_ARG(rollout));
    struct event event;
    if (!ledger_read(ledger, arena, entry, &event, err))
        return false;
    const struct node *plan = node_get(event.fields, "plan");
    if (!plan)
        return error_set(err, ERROR_INPUT, "the record of rollout " STR_FMT " has no plan",
                         STR_ARG(rollout));
    record->planned_by = event.actor;
    record->planned_ms = record->newest_ms = event.time_ms;
    return plan_read(arena, plan, &record->plan, err);
}

// The newest state; late records are facts of a writer that no longer led the rollout.
static bool read_state(struct ledger *ledger, struct arena *arena, str rollout,
                       struct rollout_record *record, struct error *err)
{
    bool newest = true;
    for (size_t i = ledger_count(ledger); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        if (!str_eq(entry->rollout, rollout))
            continue;
        if (newest)
            record->newest_position = i;
        newest = false;
        if (entry->stream != STREAM_ROLLOUT || str_starts(entry->type, STR("lease.")))
            continue;
        if (str_is(entry->type, "rollout.planned"))
            break;
        struct event event;
        if (!ledger_read(ledger, arena, entry, &event, err))
            return false;
        const struct node *state = node_get(event.fields, "state"),
                          *placements = node_get(event.fields, "placements");
        if (!state || event.lease.late)
            continue;
        record->newest_ms = event.time_ms;
        record->newest_type = event.type;
        return rollout_state_read(arena, record->plan, state, &record->state, err) &&
               (!placements ||
                read_placements(arena, record->plan, placements, &record->placements, err));
    }
    return true;
}

bool rollout_load(struct ledger *ledger, struct arena *arena, str rollout,
                  struct rollout_record *ret, struct error *err)
{
    struct rollout_record record = {0};
    rollout = arena_str(arena, rollout);
    if (!read_plan(ledger, arena, rollout, &record, err))
        return false;
    assert(record.plan);
    if (!read_state(ledger, arena, rollout, &record, err) ||
        !ledger_standing(ledger, arena, record.plan->environment, &record.standing, err))
        return false;
    *ret = record;
    return true;
}

bool record_reverting_since(const struct event *event, int64_t *ret_ms)
{
    const struct node *state = node_get(event->fields, "state"); // of older ledgers
    int64_t since_ms = 0;
    if ((!json_get_i64(event->fields, "reverting_since_ms", &since_ms) &&
         !(state && json_get_i64(state, "reverting_since_ms", &since_ms))) ||
        since_ms == 0)
        return false;
    *ret_ms = since_ms;
    return true;
}

// "aborted by ada: pending" is an abort that nobody has explained.
static bool is_pending(str why)
{
    str end = STR(": " REASON_PENDING);
    return str_is(why, REASON_PENDING) ||
           (why.len > end.len && str_eq(str_from(why, why.len - end.len), end));
}

bool rollout_reason(struct ledger *ledger, struct arena *arena, str rollout, str *ret,
                    bool *ret_pending, struct error *err)
{
    struct rollout_record record;
    if (!rollout_load(ledger, arena, rollout, &record, err))
        return false;
    str reason = record.plan->mode == PLAN_ROLLBACK ? record.plan->reason
                 : record.state                     ? str_of(record.state->why)
                                                    : (str){NULL, 0};
    *ret_pending = is_pending(reason);
    for (size_t i = ledger_count(ledger); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct event event;
        if (!str_eq(entry->rollout, rollout) || !str_is(entry->type, REASON_TYPE))
            continue;
        if (!ledger_read(ledger, arena, entry, &event, err))
            return false;
        reason = node_text(event.fields, "reason");
        *ret_pending = false;
        break;
    }
    *ret = reason;
    return true;
}

bool rollout_explain(struct ledger *ledger, str rollout, str reason, struct error *err)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "reason", reason);
    json_close(&out);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR(REASON_TYPE),
                          .rollout = rollout,
                          .body = text_str(&body)};
    bool ok = ledger_append(ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

bool rollouts_open(struct ledger *ledger, struct arena *arena, str **ret, size_t *ret_count,
                   struct error *err)
{
    struct standing *claims;
    size_t count, open = 0;
    if (!ledger_claims(ledger, arena, &claims, &count, err))
        return false;
    str *list = ARENA_ARRAY(arena, str, count + 1);
    for (size_t i = 0; i < count; i++)
        if (claims[i].claim.rollout.len)
            list[open++] = claims[i].claim.rollout;
    *ret = list;
    *ret_count = open;
    return true;
}

bool rollouts_newest(struct ledger *ledger, struct arena *arena, size_t most, str **ret,
                     size_t *ret_count, struct error *err)
{
    (void)err;
    str *list = NULL;
    size_t count = 0, room = 0;
    for (size_t i = ledger_count(ledger); i-- > 0 && count < most;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        if (!str_is(entry->type, "rollout.planned"))
            continue;
        list = arena_grow(arena, list, count, &room, sizeof *list);
        list[count++] = arena_str(arena, entry->rollout);
    }
    *ret = list;
    *ret_count = count;
    return true;
}
