#include "deploy/record/verify.h"

#include "deploy/engine/engine.h"
#include "deploy/record/baseline.h"
#include "deploy/record/evidence_store.h"
#include "deploy/record/index.h"
#include "deploy/record/lease.h"
#include "deploy/record/names.h"
#include "deploy/world/files.h"
#include "deploy/world/git_setup.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <stdlib.h>

struct lease_files { // claim and lease files of an environment, as the newest commit has them
    str environment, claim, lease;
};

struct audit {
    const struct verify_request *request;
    struct store *store;
    struct arena *arena;  // of the results
    struct arena scratch; // of one commit
    struct verify_result result;
    struct names ids, keys, phases;
    struct names decided; // "id commit" of gate.decided: did it pass?
    uint64_t sequences[STREAM_COUNT];
    struct arena places_arena;
    struct lease_files *places;
    size_t place_count, place_room;
    struct sign_public key; // the only one, without a list
    bool signing;           // a signature was seen
    bool expected;          // the expected commit was seen
};

struct step { // the commit that is looked at
    struct object_id commit, parent;
    struct store_commit_info info;
    struct ledger_entry entry;
    struct event event;
    struct store_difference differences[STORE_DIFFERENCES + 1];
    size_t difference_count;
    size_t kept; // of them, evidence
};

static bool note_bad(struct audit *audit, const struct step *step, const char *why)
{
    object_hex(&step->commit, audit->result.bad_commit);
    audit->result.bad =
        step->entry.path.len
            ? arena_copy(audit->arena, step->entry.path)
            : arena_format(audit->arena, "commit %s", audit->result.bad_commit).data;
    audit->result.why = why;
    return false;
}

#define bad(audit, step, ...) note_bad(audit, step, arena_format((audit)->arena, __VA_ARGS__).data)

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

static const struct store_difference *find_difference(const struct step *step, const char *path)
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
    return find_difference(step, path) ? true : bad(audit, step, "adds no event");
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

// ---- leases -------------------------------------------------------------------------------------

static struct lease_files *place_of(struct audit *audit, str environment)
{
    for (size_t i = 0; i < audit->place_count; i++)
        if (str_eq(audit->places[i].environment, environment))
            return &audit->places[i];
    audit->places = arena_grow(&audit->places_arena, audit->places, audit->place_count,
                               &audit->place_room, sizeof *audit->places);
    struct lease_files *place = &audit->places[audit->place_count++];
    *place = (struct lease_files){.environment = arena_str(&audit->places_arena, environment)};
    return place;
}

// The file beside the events must be what the event makes of it, and change with no other event.
static bool check_beside(struct audit *audit, struct step *step, const char *path, str *before,
                         const struct text *after)
{
    const struct store_difference *d = find_difference(step, path);
    struct error why;
    str bytes;
    if (str_eq(*before, text_str(after)))
        return d ? bad(audit, step, "changes %s without a reason", path) : true;
    if (!d)
        return bad(audit, step, "should change %s and does not", path);
    if (!store_read_blob(audit->store, &audit->scratch, &d->blob, &bytes, &why))
        return bad(audit, step, "%s", why.message);
    if (!str_eq(bytes, text_str(after)))
        return bad(audit, step, "%s is not what this event makes of it", path);
    *before = arena_str(&audit->places_arena, bytes); // a few hundred bytes each time
    return true;
}

static bool needs_lease(const struct event *event)
{
    static const char *const prefixes[] = {"command.", "step.", "sample.", "rollout."};
    if (event->stream != STREAM_ROLLOUT || str_is(event->type, "rollout.planned") ||
        (str_is(event->type, "rollout.cancelled") && event->lease.force))
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (str_starts(event->type, str_of(prefixes[i])))
            return true;
    return false;
}

static bool apply_lease(struct audit *audit, struct step *step, struct lease_files *place,
                        struct text *claim, struct text *lease)
{
    struct standing standing;
    struct error why;
    struct event copy = step->event;
    struct arena *scratch = &audit->scratch;
    if (!standing_read(scratch, place->environment, place->claim, place->lease, &standing, &why) ||
        !standing_apply(&standing, &copy, &why))
        return bad(audit, step, "%s", why.message);
    if (copy.lease.fence != step->event.lease.fence)
        return bad(audit, step, "written under fencing number %llu; it should be %llu",
                   (unsigned long long)step->event.lease.fence,
                   (unsigned long long)copy.lease.fence);
    if (copy.lease.late != step->event.lease.late)
        return bad(audit, step, "%s",
                   copy.lease.late ? "its writer had lost the lease"
                                   : "it says that it is late and is not");
    if (place->claim.len || standing.claim_changed)
        claim_write(&standing, claim);
    if (place->lease.len || standing.lease_changed)
        lease_write(&standing, lease);
    return check_beside(audit, step, claim_path(scratch, place->environment), &place->claim,
                        claim) &&
           check_beside(audit, step, lease_path(scratch, place->environment), &place->lease, lease);
}

static bool check_lease(struct audit *audit, struct step *step)
{
    const struct event_lease *lease = &step->event.lease;
    if (needs_lease(&step->event) && (!lease->environment.len || !lease->holder.len))
        return bad(audit, step, "written without a lease");
    size_t beside = step->difference_count - 1 - step->kept, mine = 0;
    if (lease->environment.len) {
        mine += find_difference(step, claim_path(&audit->scratch, lease->environment)) != NULL;
        mine += find_difference(step, lease_path(&audit->scratch, lease->environment)) != NULL;
    }
    if (mine != beside)
        return bad(audit, step, "changes claims or leases that it has nothing to do with");
    if (!lease->environment.len)
        return true;
    struct text claim_out = text_of(LIMIT_EVENT_BYTES), lease_out = text_of(LIMIT_EVENT_BYTES);
    bool ok = apply_lease(audit, step, place_of(audit, lease->environment), &claim_out, &lease_out);
    text_done(&claim_out);
    text_done(&lease_out);
    return ok;
}

// ---- evidence that is kept ----------------------------------------------------------------------

static const struct event_evidence *evidence_named(const struct event *event, const char *sha256)
{
    for (size_t i = 0; i < event->evidence_count; i++)
        if (strcmp(event->evidence[i].sha256, sha256) == 0)
            return &event->evidence[i];
    return NULL;
}

// Every file of evidence that comes with an event is named by it, and has the content that its
// own name says.
static bool check_kept(struct audit *audit, struct step *step)
{
    for (size_t i = 0; i < step->difference_count; i++) {
        const struct store_difference *d = &step->differences[i];
        struct arena arena = {0};
        struct error why;
        char sha[SHA256_HEX];
        str bytes;
        if (!evidence_path_is(str_of(d->path)))
            continue;
        bool there = store_read_blob(audit->store, &arena, &d->blob, &bytes, &why);
        const struct event_evidence *named =
            there ? evidence_named(&step->event, sha256_of(bytes, sha)) : NULL;
        bool same = named && named->size_bytes == bytes.len &&
                    strcmp(evidence_path(&audit->scratch, sha), d->path) == 0;
        arena_done(&arena);
        if (!there)
            return bad(audit, step, "%s", why.message);
        if (!same)
            return bad(audit, step,
                       "adds %s, which is no evidence of its event or has another content",
                       d->path);
        step->kept++;
    }
    audit->result.kept += step->kept;
    return true;
}

// ---- phases and evidence ------------------------------------------------------------------------

static bool follow_phase(struct audit *audit, struct step *step, str name)
{
    str rollout = step->event.rollout;
    enum rollout_phase phase;
    if (!phase_of(name, &phase))
        return bad(audit, step, "it has no phase that exists");
    uint64_t *known = names_find(&audit->phases, rollout);
    enum rollout_phase before = known ? (enum rollout_phase) * known : PHASE_NEW;
    if (!phase_legal(before, phase))
        return known ? bad(audit, step, "rollout " STR_FMT " goes from %s to %s", STR_ARG(rollout),
                           phase_name(before), phase_name(phase))
                     : bad(audit, step, "rollout " STR_FMT " begins in phase %s", STR_ARG(rollout),
                           phase_name(phase));
    if (known)
        *known = phase;
    else
        names_put(&audit->phases, rollout, phase);
    return true;
}

// Of the record, and of the state after all that was committed with it.
static bool check_phase(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    const struct node *phase = node_get(event->fields, "phase"),
                      *state = node_get(event->fields, "state");
    if (event->stream != STREAM_ROLLOUT || !event->rollout.len || event->lease.late)
        return true;
    return (!phase || follow_phase(audit, step, node_text(event->fields, "phase"))) &&
           (!state || follow_phase(audit, step, node_text(state, "phase")));
}

static bool check_evidence(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    for (size_t i = 0; audit->request->evidence && i < event->evidence_count; i++) {
        const struct event_evidence *e = &event->evidence[i];
        struct error why;
        struct arena arena = {0};
        str bytes;
        char sha[SHA256_HEX];
        const char *path =
            arena_format(&arena, "%s/" STR_FMT, audit->request->evidence, STR_ARG(e->path)).data;
        bool there = file_read(&arena, path, LIMIT_REPORT_BYTES, &bytes, &why);
        bool same =
            there && bytes.len == e->size_bytes && strcmp(sha256_of(bytes, sha), e->sha256) == 0;
        arena_done(&arena);
        if (!there && why.kind == ERROR_ABSENT) {
            audit->result.evidence_absent++;
            continue;
        }
        if (!there)
            return bad(audit, step, "%s", why.message);
        if (!same)
            return bad(audit, step, "its evidence " STR_FMT " is another file now",
                       STR_ARG(e->path));
        audit->result.evidence++;
    }
    return true;
}

// ---- baselines ----------------------------------------------------------------------------------

// What later runs are judged beside rests on a decision of the gate about the same commit; a
// baseline on one that let it go.
static bool check_baseline(struct audit *audit, struct step *step)
{
    const struct event *event = &step->event;
    struct baseline_basis basis;
    struct error why;
    if (str_is(event->type, "gate.decided")) {
        str decision = node_text(event->fields, "decision");
        bool passed = str_is(decision, "pass") || str_is(decision, "warn");
        str name = arena_format(&audit->scratch, "%s " STR_FMT, event->id,
                                STR_ARG(node_text(event->fields, "commit")));
        (void)names_put(&audit->decided, name, passed);
        return true;
    }
    if (!baseline_is(event))
        return true;
    if (!baseline_basis(event, &basis, &why))
        return bad(audit, step, "%s", why.message);
    str name = arena_format(&audit->scratch, STR_FMT " " STR_FMT, STR_ARG(basis.decided),
                            STR_ARG(basis.commit));
    const uint64_t *passed = names_find(&audit->decided, name);
    if (!passed)
        return bad(audit, step, "it rests on a decision of the gate that is not before it");
    return *passed || !str_is(event->type, "baseline.recorded") ||
           bad(audit, step, "a baseline of a run that did not pass");
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
              check_signature(audit, step) && check_kept(audit, step) && check_lease(audit, step) &&
              check_phase(audit, step) && check_evidence(audit, step) &&
              check_baseline(audit, step);
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
