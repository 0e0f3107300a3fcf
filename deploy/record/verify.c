#include "deploy/record/verify_parts.h"

#include "deploy/record/evidence_store.h"
#include "deploy/world/git_setup.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <stdlib.h>

bool verify_note_bad(struct audit *audit, const struct step *step, const char *why)
{
    object_hex(&step->commit, audit->result.bad_commit);
    audit->result.bad =
        step->entry.path.len
            ? arena_copy(audit->arena, step->entry.path)
            : arena_format(audit->arena, "commit %s", audit->result.bad_commit).data;
    audit->result.why = why;
    return false;
}

// ---- one commit ---------------------------------------------------------------------------------

static bool check_shape(struct audit *audit, struct step *step)
{
    if (step->info.parent_count > 1)
        return bad(audit, step, "a merge: the ledger has one line of history");
    if (!entry_of_message(&audit->scratch, step->info.message, &step->entry)) {
        step->entry = (struct ledger_entry){0};
        return bad(audit, step, "a commit that is no entry of the ledger");
    }
    return true;
}

const struct store_difference *verify_difference(const struct step *step, const char *path)
{
    for (size_t i = 0; i < step->difference_count; i++)
        if (strcmp(step->differences[i].path, path) == 0)
            return &step->differences[i];
    return NULL;
}

// Exactly one event file more, and nothing else of the events touched.
static bool check_append(struct audit *audit, struct step *step)
{
    for (size_t i = 0; i < step->difference_count; i++) {
        const struct store_difference *d = &step->differences[i];
        if (!d->plain && d->change != STORE_REMOVED)
            return bad(audit, step, "%s is no ordinary file", d->path);
        if (str_starts(str_of(d->path), STR("claims/")) ||
            str_starts(str_of(d->path), STR("leases/"))) {
            if (d->change == STORE_REMOVED)
                return bad(audit, step, "%s was removed", d->path);
            continue;
        }
        if (evidence_path_is(str_of(d->path)) && d->change == STORE_ADDED)
            continue; // what it is, check_kept says
        if (d->change == STORE_CHANGED)
            return bad(audit, step, "changes %s, which was written before", d->path);
        if (d->change == STORE_REMOVED)
            return bad(audit, step, "removes %s", d->path);
        if (!str_eq(step->entry.path, str_of(d->path)))
            return bad(audit, step, "adds %s, of which it says nothing", d->path);
        if (!object_eq(&d->blob, &step->entry.blob))
            return bad(audit, step, "holds another event than it says");
    }
    const char *path = arena_copy(&audit->scratch, step->entry.path);
    return verify_difference(step, path) ? true : bad(audit, step, "adds no event");
}

static bool check_event(struct audit *audit, struct step *step)
{
    struct error why;
    str bytes;
    const struct ledger_entry *entry = &step->entry;
    struct event *event = &step->event;
    if (!store_read_blob(audit->store, &audit->scratch, &entry->blob, &bytes, &why) ||
        !event_read(&audit->scratch, bytes, event, &why))
        return bad(audit, step, "%s", why.message);
    str folder = entry->path;
    char path[EVENT_PATH];
    event_path(event, 1, path);
    size_t day = sizeof "events/2026/11/22" - 1;
    if (strcmp(event->id, entry->id) != 0 || event->stream != entry->stream ||
        event->sequence != entry->sequence || !str_eq(event->type, entry->type) ||
        !str_eq(event->rollout, entry->rollout) || !str_eq(event->key, entry->key) ||
        !str_eq(str_first(folder, day), str_first(str_of(path), day)) ||
        step->info.time_s != event->time_ms / MS_SECOND)
        return bad(audit, step, "commit, path and event do not agree");
    uint64_t *last = &audit->sequences[event->stream];
    if (event->sequence != *last + 1)
        return bad(audit, step, "sequence %llu of %s follows %llu",
                   (unsigned long long)event->sequence, event_stream_name(event->stream),
                   (unsigned long long)*last);
    *last = event->sequence;
    if (!names_put(&audit->ids, str_of(event->id), 1))
        return bad(audit, step, "id %s is there twice", event->id);
    if (event->key.len && !names_put(&audit->keys, event->key, 1))
        return bad(audit, step, "key " STR_FMT " is there twice", STR_ARG(event->key));
    return true;
}

static bool check_signature(struct audit *audit, struct step *step)
{
    str signature, payload;
    struct sign_public key;
    struct error why;
    const struct signers *signers = audit->request->signers;
    if (!store_signature(audit->store, &audit->scratch, &step->commit, &signature, &payload,
                         &why)) {
        if (why.kind != ERROR_ABSENT)
            return bad(audit, step, "%s", why.message);
        if (signers)
            return bad(audit, step, "it is not signed");
        return audit->signing ? bad(audit, step, "it is not signed, and those before it are")
                              : true;
    }
    if (!sign_check(payload, signature, &key, &why))
        return bad(audit, step, "%s", why.message);
    char fingerprint[SIGN_FINGERPRINT];
    sign_fingerprint(&key, fingerprint);
    if (signers && !signers_find(signers, &key))
        return bad(audit, step, "signed by %s, which is not an allowed key", fingerprint);
    if (!signers && audit->signing && memcmp(&audit->key, &key, sizeof key) != 0)
        return bad(audit, step,
                   "signed by another key (%s) than those before it; name the allowed ones with "
                   "`allowed_signers`",
                   fingerprint);
    if (!signers)
        audit->result.key = arena_copy(audit->arena, str_of(fingerprint));
    audit->key = key;
    audit->signing = true;
    audit->result.signatures++;
    return true;
}

// ---- the whole ----------------------------------------------------------------------------------

static bool check_commit(struct audit *audit, struct step *step)
{
    struct error why;
    if (!store_read_commit(audit->store, &audit->scratch, &step->commit, &step->info, &why) ||
        !store_differences(audit->store, &audit->scratch, &step->parent, &step->commit,
                           step->differences, &step->difference_count, &why))
        return bad(audit, step, "%s", why.message);
    bool ok = check_shape(audit, step) && check_append(audit, step) && check_event(audit, step) &&
              check_signature(audit, step) && verify_kept(audit, step) &&
              verify_lease(audit, step) && verify_phase(audit, step) &&
              verify_evidence(audit, step) && verify_baseline(audit, step);
    if (!ok)
        return false;
    char hex[OBJECT_HEX];
    if (str_is(audit->request->expect, object_hex(&step->commit, hex)))
        audit->expected = true;
    audit->result.entries++;
    return true;
}

// The commits from the tip to the root, newest first; heap.
static bool walk(struct audit *audit, const struct object_id *tip, struct object_id **ret,
                 size_t *ret_count)
{
    struct object_id *list = NULL, at = *tip;
    size_t count = 0, room = 0;
    while (!object_is_none(&at)) {
        struct step step = {.commit = at};
        struct error why;
        if (count == LIMIT_LEDGER_EVENTS ||
            !store_read_commit(audit->store, &audit->scratch, &at, &step.info, &why)) {
            free(list);
            return bad(audit, &step, "%s",
                       count == LIMIT_LEDGER_EVENTS ? "too many entries" : why.message);
        }
        if (count == room) {
            room = room ? 2 * room : 1024;
            list = memory_grow(list, room * sizeof *list);
        }
        list[count++] = at;
        at = step.info.parent;
        if (count % 256 == 0)
            arena_done(&audit->scratch);
    }
    *ret = list;
    *ret_count = count;
    return true;
}

static void audit_all(struct audit *audit, const struct object_id *tip)
{
    struct object_id *commits = NULL;
    size_t count = 0;
    if (!walk(audit, tip, &commits, &count))
        return;
    for (size_t i = count; i-- > 0;) {
        struct step step = {.commit = commits[i]};
        if (i + 1 < count)
            step.parent = commits[i + 1];
        bool ok = check_commit(audit, &step);
        arena_done(&audit->scratch);
        if (!ok)
            break;
    }
    free(commits);
    if (!audit->result.bad && audit->request->expect.len && !audit->expected) {
        audit->result.bad =
            arena_format(audit->arena, "commit " STR_FMT, STR_ARG(audit->request->expect)).data;
        audit->result.why = "it is expected and is not in the ledger: entries were cut off, or the "
                            "history was written anew";
        memcpy(audit->result.bad_commit, audit->request->expect.data, OBJECT_HEX - 1);
    }
}

bool ledger_verify(const struct verify_request *request, struct arena *arena,
                   struct verify_result *ret, struct error *err)
{
    struct object_id tip, expect;
    if (request->expect.len && !object_of(request->expect, &expect))
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` is not a commit: want all 40 digits",
                         STR_ARG(request->expect));
    struct audit *audit = ARENA_NEW(arena, struct audit);
    *audit = (struct audit){.request = request, .arena = arena};
    if (!git_setup(NULL, err) || !store_open(&request->where, &audit->store, err))
        return false;
    bool ok = store_tip(audit->store, STORE_LOCAL, &tip, err);
    if (ok && object_is_none(&tip))
        ok = error_set(err, ERROR_ABSENT, "there is no ledger yet: no branch %s",
                       store_branch(audit->store));
    if (ok) {
        object_hex(&tip, audit->result.tip);
        audit_all(audit, &tip);
        *ret = audit->result;
    }
    names_done(&audit->ids);
    names_done(&audit->keys);
    names_done(&audit->phases);
    names_done(&audit->decided);
    arena_done(&audit->places_arena);
    arena_done(&audit->scratch);
    store_close(audit->store);
    return ok;
}
