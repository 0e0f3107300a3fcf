#include "actions/cli/rehearsal_halves.h"

#include "actions/cli/rehearsal_left.h"
#include "actions/cli/rollback_plan.h"
#include "actions/cli/rollout_flow.h"
#include "deploy/run/resolve.h"
#include "gate/doc/json.h"

str rehearsal_target(const struct rehearsal *r, size_t index)
{
    return ((const str *)r->stage->targets.items)[index];
}

// ---- beginning ---------------------------------------------------------------------------------

bool rehearsal_begin(struct rehearsal *r)
{
    struct deployment *d = r->d;
    str environment = stage_environment(r->stage);
    if (!ledger_refresh(d->ledger, &d->call->error))
        return false;
    r->back = rollback_name(d, r->before[0].release, environment, "rehearsal");
    r->forth = rollback_name(d, r->live[0].release, environment, "rehearsal");
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", environment);
    json_add_str(&json, "stage", r->stage->stage);
    json_add_str(&json, "back", r->back);
    json_add_str(&json, "forth", r->forth);
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR(REHEARSAL_BEGUN),
                          .rollout = r->back,
                          .key = arena_format(d->arena, STR_FMT "/begun", STR_ARG(r->back)),
                          .body = text_str(&body)};
    struct ledger_entry entry;
    ledger_random(d->ledger, event.id);
    bool ok = ledger_append(d->ledger, &event, &entry, &d->call->error);
    text_done(&body);
    if (ok && memcmp(entry.id, event.id, sizeof entry.id) != 0)
        return error_set(&d->call->error, ERROR_DENIED,
                         "somebody else has begun rehearsal " STR_FMT " at this moment",
                         STR_ARG(r->back));
    return ok;
}

// ---- one half ----------------------------------------------------------------------------------

int rehearsal_half(struct rehearsal *r, enum rehearsal_half half)
{
    struct deployment *d = r->d;
    bool back = half == REHEARSAL_BACK;
    const struct placement *from = back ? r->live : r->before, *to = back ? r->before : r->live;
    struct flow flow = {.d = d, .stage = r->stage, .leave = r->leave, .deaf = !back && !r->leave};
    struct resolve_request request = {
        .settings = &d->settings,
        .stage = r->stage,
        .mode = PLAN_ROLLBACK,
        .rollout = back ? r->back : r->forth,
        .release = to[0].release,
        .commit = to[0].commit,
        .reason = STR("rehearsal"),
        .next = from,
        .good = to,
    };
    if (!plan_resolve(d->arena, &request, &flow.plan, &d->call->error) ||
        !stage_run_open(d->arena, &d->settings, r->stage, PLAN_ROLLBACK, &d->ports, &flow.run,
                        &d->call->error))
        return command_failed(d->call);
    flow.plan->rehearsal = true;
    int code = flow_drive(&flow);
    bool there = flow.phase == PHASE_ROLLED_BACK;
    flow_done(&flow);
    return there ? 0 : code ? code : 3;
}

// ---- the record --------------------------------------------------------------------------------

int64_t rehearsal_took_ms(struct deployment *d, str rollout, str target)
{
    struct arena arena = {0};
    int64_t took = 0;
    for (size_t i = ledger_count(d->ledger); rollout.len && i-- > 0 && took == 0;) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct event event;
        struct error ignored;
        int64_t since_ms = 0;
        if (!str_eq(entry->rollout, rollout) ||
            !str_is(entry->type, record_name(RECORD_COMMAND_DONE)) ||
            !ledger_read(d->ledger, &arena, entry, &event, &ignored))
            continue;
        if (str_eq(node_text(event.fields, "target"), target) &&
            record_reverting_since(&event, &since_ms))
            took = event.time_ms - since_ms;
    }
    arena_done(&arena);
    return took;
}

bool rehearsal_record(const struct rehearsal *r, bool ok)
{
    struct deployment *d = r->d;
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", stage_environment(r->stage));
    json_add_str(&json, "stage", r->stage->stage);
    json_add_bool(&json, "ok", ok);
    json_add_str(&json, "back", r->back);
    json_add_str(&json, "forth", r->forth);
    json_open_list(&json, "targets");
    for (size_t i = 0; i < r->stage->targets.count; i++) {
        str target = rehearsal_target(r, i);
        json_open_map(&json, NULL);
        json_add_str(&json, "target", target);
        json_add_str(&json, "from", r->live[i].release);
        json_add_str(&json, "to", r->before[i].release);
        json_add_double(&json, "back_s", (double)rehearsal_took_ms(d, r->back, target) / 1000);
        json_add_double(&json, "forth_s", (double)rehearsal_took_ms(d, r->forth, target) / 1000);
        json_close(&json);
    }
    json_close(&json);
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR(REHEARSAL_DONE),
                          .rollout = r->back,
                          .key = arena_format(d->arena, STR_FMT "/rehearsed", STR_ARG(r->back)),
                          .body = text_str(&body)};
    bool done = ledger_append(d->ledger, &event, NULL, &d->call->error) &&
                ledger_sync(d->ledger, LEDGER_WAIT_MS, &d->call->error);
    text_done(&body);
    return done;
}
