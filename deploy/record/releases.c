#include "deploy/record/releases.h"

#include "deploy/record/record_body.h"

// ---- bad releases -------------------------------------------------------------------------------

bool release_is_bad(struct ledger *ledger, str release, bool *ret, size_t *ret_position,
                    struct error *err)
{
    *ret = false;
    for (size_t i = ledger_count(ledger); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        if (entry->stream != STREAM_RELEASE || !str_is(entry->type, "release.marked-bad"))
            continue;
        struct arena arena = {0};
        struct event event;
        bool read = ledger_read(ledger, &arena, entry, &event, err);
        bool same = read && str_eq(node_text(event.fields, "release"), release);
        arena_done(&arena);
        if (!read)
            return false;
        if (same) {
            *ret = true;
            if (ret_position)
                *ret_position = i;
            return true;
        }
    }
    return true;
}

bool release_mark_bad(struct ledger *ledger, str release, str commit, str environment, str why,
                      struct error *err)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    body_of_bad(release, commit, environment, why, &body);
    struct event event = {
        .stream = STREAM_RELEASE, .type = STR("release.marked-bad"), .body = text_str(&body)};
    bool ok = ledger_append(ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

bool releases_bad(struct ledger *ledger, struct arena *arena, size_t most, struct bad_release **ret,
                  size_t *ret_count, struct error *err)
{
    struct bad_release *list = ARENA_ARRAY(arena, struct bad_release, most);
    size_t count = 0;
    for (size_t i = ledger_count(ledger); i-- > 0 && count < most;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct event event;
        if (entry->stream != STREAM_RELEASE || !str_is(entry->type, "release.marked-bad"))
            continue;
        if (!ledger_read(ledger, arena, entry, &event, err))
            return false;
        list[count++] = (struct bad_release){.release = node_text(event.fields, "release"),
                                             .commit = node_text(event.fields, "commit"),
                                             .environment = node_text(event.fields, "environment"),
                                             .why = node_text(event.fields, "why"),
                                             .time_ms = event.time_ms,
                                             .position = i};
    }
    *ret = list;
    *ret_count = count;
    return true;
}

// ---- good ones ----------------------------------------------------------------------------------

static bool says_what_is_served(const struct ledger_entry *entry)
{
    return str_is(entry->type, "rollout.done") || str_is(entry->type, "rollout.rolled-back") ||
           str_is(entry->type, "release.adopted");
}

// What `entry` says that the target of the environment serves; *ret_release empty when nothing.
static bool read_serving(struct ledger *ledger, struct arena *arena,
                         const struct ledger_entry *entry, str environment, str target,
                         struct placement *ret, struct error *err)
{
    struct event event;
    *ret = (struct placement){0};
    if (!ledger_read(ledger, arena, entry, &event, err))
        return false;
    if (event.lease.late || !str_eq(node_text(event.fields, "environment"), environment))
        return true;
    const struct node *serving = node_get(event.fields, "serving");
    for (const struct node *n = serving ? serving->first : NULL; n; n = n->next)
        if (str_eq(n->key, target))
            return placement_read(n, ret, err);
    return true;
}

bool release_known_good(struct ledger *ledger, struct arena *arena, str environment, str target,
                        str except, struct placement *ret, struct error *err)
{
    for (size_t i = ledger_count(ledger); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct placement placement;
        bool bad;
        if (!says_what_is_served(entry))
            continue;
        if (!read_serving(ledger, arena, entry, environment, target, &placement, err))
            return false;
        if (!placement.release.len || str_eq(placement.release, except))
            continue;
        if (!release_is_bad(ledger, placement.release, &bad, NULL, err))
            return false;
        if (bad)
            continue;
        *ret = placement;
        return true;
    }
    return error_set(err, ERROR_ABSENT,
                     "no known-good release of " STR_FMT " in " STR_FMT
                     ": run `sluice adopt` to record what is live now",
                     STR_ARG(target), STR_ARG(environment));
}

bool release_good_since(struct ledger *ledger, str environment, str target, str release,
                        int64_t *ret_ms, struct error *err)
{
    struct arena arena = {0};
    bool found = false, ok = true;
    size_t read = 0;
    for (size_t i = ledger_count(ledger); ok && i-- > 0 && read < GOOD_READ;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct placement placement;
        int64_t time_ms = entry->time_ms;
        if (!says_what_is_served(entry))
            continue;
        read++;
        ok = read_serving(ledger, &arena, entry, environment, target, &placement, err);
        if (ok && str_eq(placement.release, release)) {
            *ret_ms = time_ms;
            found = true;
        }
        arena_done(&arena);
    }
    return ok &&
           (found || error_set(err, ERROR_ABSENT, "release " STR_FMT " was never good on " STR_FMT,
                               STR_ARG(release), STR_ARG(target)));
}

static bool is_listed(const str *names, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

bool release_goods(struct ledger *ledger, struct arena *arena, str environment, str target,
                   size_t most, str **ret, size_t *ret_count, struct error *err)
{
    str *list = ARENA_ARRAY(arena, str, most);
    size_t count = 0, read = 0;
    for (size_t i = ledger_count(ledger); i-- > 0 && count < most && read < GOOD_READ;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct placement placement;
        bool bad;
        if (!says_what_is_served(entry))
            continue;
        read++;
        if (!read_serving(ledger, arena, entry, environment, target, &placement, err) ||
            !release_is_bad(ledger, placement.release, &bad, NULL, err))
            return false;
        if (placement.release.len && !bad && !is_listed(list, count, placement.release))
            list[count++] = placement.release;
    }
    *ret = list;
    *ret_count = count;
    return true;
}

bool release_good_named(struct ledger *ledger, struct arena *arena, str environment, str target,
                        str release, struct placement *ret, struct error *err)
{
    bool bad;
    if (!release_is_bad(ledger, release, &bad, NULL, err))
        return false;
    if (bad)
        return error_set(err, ERROR_DENIED, "release " STR_FMT " is marked bad", STR_ARG(release));
    for (size_t i = ledger_count(ledger); i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct placement placement;
        if (!says_what_is_served(entry))
            continue;
        if (!read_serving(ledger, arena, entry, environment, target, &placement, err))
            return false;
        if (str_eq(placement.release, release)) {
            *ret = placement;
            return true;
        }
    }
    return error_set(err, ERROR_ABSENT,
                     "release " STR_FMT " was never good on " STR_FMT " in " STR_FMT,
                     STR_ARG(release), STR_ARG(target), STR_ARG(environment));
}

bool release_adopt(struct ledger *ledger, str environment, str release, str commit,
                   const str *targets, const struct placement *placements, size_t count,
                   struct ledger_entry *ret, struct error *err)
{
    struct arena arena = {0};
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "release", release);
    json_add_str(&out, "commit", commit);
    json_add_str(&out, "environment", environment);
    json_open_map(&out, "serving");
    for (size_t i = 0; i < count; i++)
        placement_write(&placements[i], arena_copy(&arena, targets[i]), &out);
    json_close(&out);
    json_close(&out);
    struct event event = {
        .stream = STREAM_RELEASE, .type = STR("release.adopted"), .body = text_str(&body)};
    bool ok = ledger_append(ledger, &event, ret, err);
    text_done(&body);
    arena_done(&arena);
    return ok;
}

// ---- the gate -----------------------------------------------------------------------------------

static bool is_decision(const struct ledger_entry *entry)
{
    return entry->stream == STREAM_GATE && str_is(entry->type, "gate.decided");
}

static struct gate_record gate_record_of(const struct event *event, size_t position)
{
    struct gate_record record = {.decision = node_text(event->fields, "decision"),
                                 .commit = node_text(event->fields, "commit"),
                                 .policy_sha256 = node_text(event->fields, "policy_sha256"),
                                 .time_ms = event->time_ms,
                                 .position = position,
                                 .body = event->fields,
                                 .actor = event->actor};
    memcpy(record.id, event->id, sizeof record.id);
    return record;
}

bool gates_decided(struct ledger *ledger, struct arena *arena, const str *commits, size_t count,
                   struct gate_record *ret, struct error *err)
{
    bool ok = true;
    size_t left = count;
    for (size_t i = ledger_count(ledger); ok && left && i-- > 0;) {
        struct arena scratch = {0};
        struct event event;
        if (!is_decision(ledger_at(ledger, i)))
            continue;
        ok = ledger_read(ledger, &scratch, ledger_at(ledger, i), &event, err);
        str commit = ok ? node_text(event.fields, "commit") : (str){NULL, 0};
        size_t at = 0;
        while (ok && at < count && !str_eq(commits[at], commit))
            at++;
        if (ok && at < count && !ret[at].body) {
            ret[at] = gate_record_of(&event, i);
            arena_take(arena, &scratch);
            left--;
        }
        arena_done(&scratch);
    }
    return ok;
}

bool gate_decided(struct ledger *ledger, struct arena *arena, str commit, struct gate_record *ret,
                  struct error *err)
{
    struct gate_record found = {0};
    if (!gates_decided(ledger, arena, &commit, 1, &found, err))
        return false;
    if (!found.body)
        return error_set(err, ERROR_ABSENT,
                         "the gate has not decided about commit " STR_FMT
                         ": run `sluice gate` first",
                         STR_ARG(str_first(commit, 12)));
    *ret = found;
    return true;
}

bool gate_record_write(struct ledger *ledger, str decision_json,
                       const struct event_evidence *evidence, size_t evidence_count,
                       struct ledger_entry *ret, struct error *err)
{
    struct event event = {.stream = STREAM_GATE,
                          .type = STR("gate.decided"),
                          .body = decision_json,
                          .evidence = evidence,
                          .evidence_count = evidence_count};
    return ledger_append(ledger, &event, ret, err);
}
