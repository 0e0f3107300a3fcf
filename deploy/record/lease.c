#include "deploy/record/lease.h"

#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

bool event_is_terminal(str type)
{
    return str_is(type, "rollout.done") || str_is(type, "rollout.rolled-back") ||
           str_is(type, "rollout.denied") || str_is(type, "rollout.cancelled");
}

bool event_is_fact(const struct event *event)
{
    static const char *const facts[] = {"command.done",     "command.failed",      "sample.judged",
                                        "rollout.breached", "rollout.rolled-back", "rollout.stuck",
                                        "incident.opened",  "release.marked-bad"};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (str_is(event->type, facts[i]))
            return true;
    return str_is(event->type, "command.intended") && event->fields &&
           str_is(node_text(event->fields, "verb"), "revert");
}

// ---- files --------------------------------------------------------------------------------------

static const char *beside(struct arena *arena, const char *folder, str environment)
{
    struct text path = text_of(LIMIT_PATH);
    text_addf(&path, "%s/", folder);
    for (size_t i = 0; i < environment.len; i++) {
        unsigned char c = (unsigned char)environment.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_';
        if (plain)
            text_addc(&path, (char)c);
        else
            text_addf(&path, "%%%02X", c);
    }
    text_adds(&path, ".json");
    const char *copy = arena_copy(arena, text_str(&path));
    text_done(&path);
    return copy;
}

const char *claim_path(struct arena *arena, str environment)
{
    return beside(arena, "claims", environment);
}

const char *lease_path(struct arena *arena, str environment)
{
    return beside(arena, "leases", environment);
}

static void add_moment(struct json_out *out, const char *key, int64_t ms)
{
    char moment[MOMENT_TEXT];
    json_add_str(out, key, str_of(moment_format(ms, moment)));
}

void claim_write(const struct standing *standing, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_u64(&out, "schema", EVENT_SCHEMA);
    json_add_str(&out, "environment", standing->environment);
    if (standing->claim.rollout.len)
        json_add_str(&out, "rollout", standing->claim.rollout);
    else
        json_add_null(&out, "rollout");
    add_moment(&out, "since", standing->claim.since_ms);
    json_close(&out);
    text_addc(text, '\n');
}

void lease_write(const struct standing *standing, struct text *text)
{
    const struct lease *lease = &standing->lease;
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_u64(&out, "schema", EVENT_SCHEMA);
    json_add_str(&out, "environment", standing->environment);
    json_add_str(&out, "rollout", lease->rollout);
    json_add_str(&out, "holder", lease->holder);
    json_add_u64(&out, "fence", lease->fence);
    json_add_str(&out, "who", lease->who);
    json_add_str(&out, "process", lease->process);
    add_moment(&out, "taken", lease->taken_ms);
    add_moment(&out, "heartbeat", lease->heartbeat_ms);
    add_moment(&out, "expires", lease->expires_ms);
    json_add_bool(&out, "released", lease->released);
    json_close(&out);
    text_addc(text, '\n');
}

static bool get_moment(const struct node *map, const char *key, int64_t *ret)
{
    str text;
    return json_get_str(map, key, &text) && moment_parse(text, ret);
}

static bool read_claim(struct arena *arena, str bytes, struct claim *ret, struct error *err)
{
    const struct node *map;
    if (!bytes.len)
        return true;
    if (!json_parse(arena, NULL, bytes, &map, err))
        return error_wrap(err, "reading a claim");
    const struct node *rollout = node_get(map, "rollout");
    if (!rollout || !get_moment(map, "since", &ret->since_ms))
        return error_set(err, ERROR_INPUT, "a claim of the ledger is malformed");
    ret->rollout = rollout->kind == NODE_STRING ? rollout->text : (str){NULL, 0};
    return true;
}

static bool read_lease(struct arena *arena, str bytes, struct lease *ret, struct error *err)
{
    const struct node *map;
    if (!bytes.len)
        return true;
    if (!json_parse(arena, NULL, bytes, &map, err))
        return error_wrap(err, "reading a lease");
    if (!json_get_str(map, "rollout", &ret->rollout) ||
        !json_get_str(map, "holder", &ret->holder) || !json_get_u64(map, "fence", &ret->fence) ||
        !json_get_str(map, "who", &ret->who) || !json_get_str(map, "process", &ret->process) ||
        !get_moment(map, "taken", &ret->taken_ms) ||
        !get_moment(map, "heartbeat", &ret->heartbeat_ms) ||
        !get_moment(map, "expires", &ret->expires_ms) ||
        !json_get_bool(map, "released", &ret->released))
        return error_set(err, ERROR_INPUT, "a lease of the ledger is malformed");
    return true;
}

bool standing_read(struct arena *arena, str environment, str claim, str lease, struct standing *ret,
                   struct error *err)
{
    struct standing standing = {.environment = environment};
    if (!read_claim(arena, claim, &standing.claim, err) ||
        !read_lease(arena, lease, &standing.lease, err))
        return false;
    *ret = standing;
    return true;
}

// ---- rules --------------------------------------------------------------------------------------

bool lease_is_live(const struct lease *lease, int64_t now_ms)
{
    return lease->holder.len && !lease->released && now_ms < lease->expires_ms + LEASE_SKEW_MS;
}

static void free_claim(struct standing *standing, const struct event *event)
{
    if (!str_eq(standing->claim.rollout, event->rollout))
        return;
    standing->claim = (struct claim){.since_ms = event->time_ms};
    standing->claim_changed = true;
}

static bool apply_planned(struct standing *standing, const struct event *event, struct error *err)
{
    struct claim *claim = &standing->claim;
    if (claim->rollout.len && !str_eq(claim->rollout, event->rollout) && !event->lease.force) {
        char since[MOMENT_TEXT];
        return error_set(err, ERROR_DENIED, STR_FMT " is claimed by rollout " STR_FMT " since %s",
                         STR_ARG(standing->environment), STR_ARG(claim->rollout),
                         moment_format(claim->since_ms, since));
    }
    if (str_eq(claim->rollout, event->rollout))
        return true;
    *claim = (struct claim){event->rollout, event->time_ms};
    standing->claim_changed = true;
    return true;
}

static str who_of(const struct event_actor *actor)
{
    return actor->login.len        ? actor->login
           : actor->local_user.len ? actor->local_user
           : actor->subject.len    ? actor->subject
                                   : STR("somebody");
}

static bool may_take(const struct standing *standing, const struct event *event, struct error *err)
{
    const struct lease *lease = &standing->lease;
    char until[MOMENT_TEXT];
    if (!str_eq(standing->claim.rollout, event->rollout)) {
        if (standing->claim.rollout.len)
            return error_set(err, ERROR_DENIED, STR_FMT " is claimed by rollout " STR_FMT,
                             STR_ARG(standing->environment), STR_ARG(standing->claim.rollout));
        return error_set(err, ERROR_DENIED,
                         "rollout " STR_FMT " is over: it no longer claims " STR_FMT,
                         STR_ARG(event->rollout), STR_ARG(standing->environment));
    }
    if (!lease_is_live(lease, event->time_ms) || event->lease.force)
        return true;
    if (str_is(event->lease.why, "gone") && str_eq(event->lease.over, lease->holder))
        return true;
    return error_set(err, ERROR_DENIED,
                     "another process works on " STR_FMT ": " STR_FMT ", rollout " STR_FMT
                     ", its lease runs until %s",
                     STR_ARG(standing->environment), STR_ARG(lease->who), STR_ARG(lease->rollout),
                     moment_format(lease->expires_ms, until));
}

static bool apply_taken(struct standing *standing, struct event *event, struct error *err)
{
    if (!event->lease.holder.len || !event->lease.expires_ms)
        return error_set(err, ERROR_INPUT, "a lease without holder or end");
    if (!may_take(standing, event, err))
        return false;
    event->lease.fence = standing->lease.fence + 1;
    standing->lease = (struct lease){
        .holder = event->lease.holder,
        .rollout = event->rollout,
        .process = event->lease.process,
        .who = who_of(&event->actor),
        .fence = event->lease.fence,
        .taken_ms = event->time_ms,
        .heartbeat_ms = event->time_ms,
        .expires_ms = event->lease.expires_ms,
    };
    standing->lease_changed = true;
    return true;
}

static bool is_holder(const struct standing *standing, const struct event *event)
{
    return event->lease.holder.len && !standing->lease.released &&
           str_eq(standing->lease.holder, event->lease.holder);
}

static bool apply_written(struct standing *standing, struct event *event, struct error *err)
{
    if (!is_holder(standing, event)) {
        if (event_is_fact(event) && event->lease.holder.len) {
            event->lease.late = true;
            event->lease.expires_ms = 0;
            return true;
        }
        return error_set(err, ERROR_DENIED,
                         "the lease of " STR_FMT " is lost: it is with " STR_FMT
                         " now (rollout " STR_FMT ", fence %llu)",
                         STR_ARG(standing->environment), STR_ARG(standing->lease.who),
                         STR_ARG(standing->lease.rollout),
                         (unsigned long long)standing->lease.fence);
    }
    event->lease.fence = standing->lease.fence;
    event->lease.late = false;
    if (event->lease.expires_ms) {
        standing->lease.heartbeat_ms = event->time_ms;
        standing->lease.expires_ms = event->lease.expires_ms;
        standing->lease_changed = true;
    }
    if (event_is_terminal(event->type))
        free_claim(standing, event);
    return true;
}

bool standing_apply(struct standing *standing, struct event *event, struct error *err)
{
    if (!event->lease.environment.len || str_is(event->type, "lease.lost"))
        return true;
    if (str_is(event->type, "rollout.planned"))
        return apply_planned(standing, event, err);
    if (str_is(event->type, "lease.taken"))
        return apply_taken(standing, event, err);
    if (str_is(event->type, "rollout.cancelled") && event->lease.force) {
        free_claim(standing, event); // superseded by a rollback, which is what writes this
        return true;
    }
    if (!apply_written(standing, event, err))
        return false;
    if (str_is(event->type, "lease.released")) {
        standing->lease.released = true;
        standing->lease_changed = true;
        if (!event->lease.keep_claim)
            free_claim(standing, event);
    }
    return true;
}
