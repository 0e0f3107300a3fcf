#include "deploy/record/ledger.h"

#include "deploy/record/evidence_store.h"
#include "deploy/record/ledger_parts.h"
#include "deploy/record/urgent.h"
#include "deploy/world/git_setup.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FOLDER_MAX = 1000 }; // files: a flat folder gets slower with every event

// A ledger from before there was a remote is taken along; its events are pushed with the first
// ones.
static bool take_along(struct ledger *ledger, struct error *err)
{
    struct object_id none = {0};
    struct remote_job job = {.path = store_path(ledger->store),
                             .url = store_seed(ledger->store),
                             .branch = store_branch(ledger->store)};
    if (!job.url)
        return true;
    remote_fetch(&job);
    if (job.outcome != REMOTE_DONE) {
        *err = job.why;
        return false;
    }
    return object_is_none(&job.seen) ||
           store_swap(ledger->store, STORE_LOCAL, &none, &job.seen, err) != SWAP_FAILED;
}

bool ledger_open(const struct ledger_options *options, struct ledger **ret, struct error *err)
{
    if (!git_setup(NULL, err))
        return false;
    struct store *store;
    struct store_options where = {.folder = options->folder,
                                  .branch = options->branch ? options->branch : "release-ledger",
                                  .remote = options->remote,
                                  .flush = options->flush};
    if (!store_open(&where, &store, err))
        return false;
    // Reading the CA bundle takes longer than all the rest: only where it will be used.
    const char *url = store_url(store);
    if (options->world && url && strncmp(url, "https://", 8) == 0 &&
        !git_setup(world_ca_file(options->world), err)) {
        store_close(store);
        return false;
    }
    struct ledger *ledger = memory_alloc(sizeof *ledger);
    memset(ledger, 0, sizeof *ledger);
    ledger->options = *options;
    ledger->store = store;
    ledger->index = index_open();
    if (!take_along(ledger, err) || !ledger_refresh(ledger, err)) {
        ledger_close(ledger);
        return error_wrap(err, "reading the ledger");
    }
    urgent_recover(ledger);
    *ret = ledger;
    return true;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    if (ledger->exchange.work && !work_done(ledger->exchange.work))
        git_setup_interrupt(); // it is not waited for: what is unpushed is pushed next time
    work_close(ledger->exchange.work);
    index_close(ledger->index);
    store_close(ledger->store);
    free(ledger);
}

struct store *ledger_store(struct ledger *ledger)
{
    return ledger->store;
}

int64_t ledger_now(const struct ledger *ledger)
{
    return ledger->options.clock.now_ms(ledger->options.clock.self);
}

const struct event_actor *ledger_actor(const struct ledger *ledger)
{
    return &ledger->options.actor;
}

bool ledger_is_signed(const struct ledger *ledger)
{
    return ledger->options.key != NULL;
}

struct world *ledger_world(const struct ledger *ledger)
{
    return ledger->options.world;
}

bool ledger_has_remote(const struct ledger *ledger)
{
    return store_url(ledger->store) != NULL;
}

uint64_t ledger_dice(struct ledger *ledger, uint64_t below)
{
    uint64_t number;
    ledger->options.entropy.fill(ledger->options.entropy.self, &number, sizeof number);
    return below ? number % below : 0;
}

void ledger_random(struct ledger *ledger, char out[EVENT_ID])
{
    unsigned char bytes[(EVENT_ID - 1) / 2];
    ledger->options.entropy.fill(ledger->options.entropy.self, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

// ---- reading ------------------------------------------------------------------------------------

bool ledger_refresh(struct ledger *ledger, struct error *err)
{
    struct object_id tip;
    return ledger->batch || (store_tip(ledger->store, STORE_LOCAL, &tip, err) &&
                             index_follow(ledger->index, ledger->store, &tip, err));
}

size_t ledger_count(const struct ledger *ledger)
{
    return index_count(ledger->index);
}

const struct ledger_entry *ledger_at(const struct ledger *ledger, size_t position)
{
    return index_at(ledger->index, position);
}

const struct ledger_entry *ledger_by_id(const struct ledger *ledger, str id)
{
    return index_by_id(ledger->index, id);
}

const struct ledger_entry *ledger_by_key(const struct ledger *ledger, str key)
{
    return index_by_key(ledger->index, key);
}

static bool is_named(const struct ledger_entry *entry, str name, str stream, uint64_t sequence)
{
    char commit[OBJECT_HEX];
    if (sequence)
        return entry->sequence == sequence && str_is(stream, event_stream_name(entry->stream));
    return str_starts(str_of(entry->id), name) ||
           (name.len >= 7 && str_starts(str_of(object_hex(&entry->commit, commit)), name));
}

bool ledger_find(const struct ledger *ledger, str name, const struct ledger_entry **ret,
                 struct error *err)
{
    str rest = name, stream = str_cut(&rest, '/');
    uint64_t sequence = 0;
    if (rest.data ? !number_u64(rest, &sequence) || !sequence : name.len < 4)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` names no entry: give at least four digits of its id, or "
                         "stream/sequence such as rollout/42",
                         STR_ARG(name));
    const struct ledger_entry *found = NULL;
    for (size_t i = index_count(ledger->index); i-- > 0;) {
        const struct ledger_entry *entry = index_at(ledger->index, i);
        if (!is_named(entry, name, stream, sequence))
            continue;
        if (found)
            return error_set(err, ERROR_INPUT,
                             "several entries are called " STR_FMT "…: give more digits",
                             STR_ARG(name));
        found = entry;
    }
    if (!found)
        return error_set(err, ERROR_ABSENT, "the ledger has no entry " STR_FMT, STR_ARG(name));
    *ret = found;
    return true;
}

bool ledger_read(struct ledger *ledger, struct arena *arena, const struct ledger_entry *entry,
                 struct event *ret, struct error *err)
{
    str bytes;
    struct ledger_entry copy = *entry;
    return (store_read_blob(ledger->store, arena, &copy.blob, &bytes, err) &&
            event_read(arena, bytes, ret, err)) ||
           error_wrap(err, "entry %s of the ledger", copy.id);
}

static bool read_beside(struct ledger *ledger, struct arena *arena, const char *path, str *ret,
                        struct error *err)
{
    struct object_id tip = index_tip(ledger->index);
    struct error why;
    *ret = (str){NULL, 0};
    if (store_read_file(ledger->store, arena, &tip, path, ret, &why) || why.kind == ERROR_ABSENT)
        return true;
    *err = why;
    return false;
}

bool ledger_standing(struct ledger *ledger, struct arena *arena, str environment,
                     struct standing *ret, struct error *err)
{
    str claim, lease;
    return read_beside(ledger, arena, claim_path(arena, environment), &claim, err) &&
           read_beside(ledger, arena, lease_path(arena, environment), &lease, err) &&
           standing_read(arena, environment, claim, lease, ret, err);
}

bool ledger_claims(struct ledger *ledger, struct arena *arena, struct standing **ret,
                   size_t *ret_count, struct error *err)
{
    str *names;
    size_t count;
    struct object_id tip = index_tip(ledger->index);
    if (!store_list(ledger->store, arena, &tip, "claims", &names, &count, err))
        return false;
    struct standing *items = ARENA_ARRAY(arena, struct standing, count + 1);
    for (size_t i = 0; i < count; i++) {
        str bytes;
        const struct node *map;
        str environment;
        const char *path = arena_format(arena, "claims/" STR_FMT, STR_ARG(names[i])).data;
        if (!read_beside(ledger, arena, path, &bytes, err) ||
            !json_parse(arena, NULL, bytes, &map, err))
            return false;
        if (!json_get_str(map, "environment", &environment))
            return error_set(err, ERROR_INPUT, "%s of the ledger is malformed", path);
        if (!ledger_standing(ledger, arena, environment, &items[i], err))
            return false;
    }
    *ret = items;
    *ret_count = count;
    return true;
}

// ---- writing ------------------------------------------------------------------------------------

// A folder of the day with room. Only the parts that are full are passed by.
static bool find_place(struct ledger *ledger, const struct event *event, char path[EVENT_PATH],
                       struct error *err)
{
    struct object_id tip = index_tip(ledger->index);
    char folder[EVENT_PATH];
    event_path(event, 1, folder);
    *strrchr(folder, '/') = '\0';
    unsigned part = strcmp(folder, ledger->place_folder) == 0 ? ledger->place_part : 1;
    memcpy(ledger->place_folder, folder, sizeof folder);
    for (;; part++) {
        size_t size;
        event_path(event, part, path);
        memcpy(folder, path, EVENT_PATH);
        *strrchr(folder, '/') = '\0';
        if (!store_folder_size(ledger->store, &tip, folder, &size, err))
            return false;
        if (size < FOLDER_MAX)
            break;
    }
    ledger->place_part = part;
    return true;
}

static bool actor_is_empty(const struct event_actor *actor)
{
    return !actor->login.len && !actor->subject.len && !actor->run_url.len &&
           !actor->local_user.len;
}

static bool complete(struct ledger *ledger, struct arena *arena, struct event *event,
                     struct error *err)
{
    if (!event->id[0])
        ledger_random(ledger, event->id);
    if (!event->time_ms)
        event->time_ms = ledger_now(ledger);
    if (actor_is_empty(&event->actor))
        event->actor = ledger->options.actor;
    event->sequence = index_sequence(ledger->index, event->stream) + 1;
    if (event->body.len) {
        if (!json_parse(arena, NULL, event->body, &event->fields, err))
            return error_wrap(err, "the body of %s", event->id);
        if (event->fields->kind != NODE_MAP)
            return error_set(err, ERROR_INPUT, "the body of an event must be a JSON map");
    }
    return true;
}

static bool add_blob(struct ledger *ledger, struct store_file *files, size_t *count,
                     const char *path, const struct text *bytes, struct error *err)
{
    files[*count].path = path;
    return store_blob(ledger->store, text_str(bytes), &files[(*count)++].blob, err);
}

static bool write_beside(struct ledger *ledger, struct arena *arena,
                         const struct standing *standing, struct store_file *files, size_t *count,
                         struct error *err)
{
    struct text out = text_of(LIMIT_EVENT_BYTES);
    bool ok = true;
    if (standing->claim_changed) {
        claim_write(standing, &out);
        ok = add_blob(ledger, files, count, claim_path(arena, standing->environment), &out, err);
    }
    if (ok && standing->lease_changed) {
        text_clear(&out);
        lease_write(standing, &out);
        ok = add_blob(ledger, files, count, lease_path(arena, standing->environment), &out, err);
    }
    text_done(&out);
    return ok;
}

static str author_of(const struct event_actor *actor)
{
    str name = actor->login.len        ? actor->login
               : actor->local_user.len ? actor->local_user
                                       : actor->subject;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '<' || name.data[i] == '>' || (unsigned char)name.data[i] < 0x20)
            return STR("sluice");
    return str_trim(name).len ? name : STR("sluice");
}

// What the event rests on, as far as it is to be kept. The same content twice is one file.
static bool write_evidence(struct ledger *ledger, struct arena *arena, const struct event *event,
                           struct store_file *files, size_t *count, struct error *err)
{
    for (size_t i = 0; i < event->evidence_count; i++) {
        const struct event_evidence *one = &event->evidence[i];
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again =
                event->evidence[k].kept.data && strcmp(event->evidence[k].sha256, one->sha256) == 0;
        if (!one->kept.data || again)
            continue;
        files[*count].path = evidence_path(arena, one->sha256);
        if (!store_blob(ledger->store, one->kept, &files[(*count)++].blob, err))
            return false;
    }
    return true;
}

static bool write_commit(struct ledger *ledger, struct arena *arena, const struct event *event,
                         const struct standing *standing, struct error *err)
{
    struct text out = text_of(LIMIT_EVENT_BYTES), message = text_of(LIMIT_PATH);
    struct store_file *files = ARENA_ARRAY(arena, struct store_file, 3 + event->evidence_count);
    size_t count = 0;
    char path[EVENT_PATH];
    struct object_id tip = index_tip(ledger->index), next;
    bool ok = find_place(ledger, event, path, err) && event_write(event, &out, err) &&
              add_blob(ledger, files, &count, path, &out, err) &&
              write_beside(ledger, arena, standing, files, &count, err) &&
              write_evidence(ledger, arena, event, files, &count, err);
    if (ok) {
        entry_message(event, str_of(path), &files[0].blob, &message);
        struct store_write write = {.files = files,
                                    .file_count = count,
                                    .message = text_c(&message),
                                    .author = arena_copy(arena, author_of(&event->actor)),
                                    .email = "sluice@localhost",
                                    .time_ms = event->time_ms,
                                    .key = ledger->options.key};
        ok = store_commit(ledger->store, &tip, &write, &next, err) &&
             index_follow(ledger->index, ledger->store, &next, err);
    }
    text_done(&out);
    text_done(&message);
    return ok;
}

static const struct ledger_entry *find_known(const struct ledger *ledger, const struct event *event)
{
    const struct ledger_entry *known = index_by_id(ledger->index, str_of(event->id));
    return known ? known : index_by_key(ledger->index, event->key);
}

enum put ledger_put(struct ledger *ledger, const struct event *event, struct ledger_entry *ret,
                    struct error *err)
{
    const struct ledger_entry *known = find_known(ledger, event);
    if (known) {
        *ret = *known;
        return PUT_KNOWN;
    }
    struct arena arena = {0};
    struct event copy = *event;
    struct standing standing = {0};
    struct error why = {0};
    bool ok = complete(ledger, &arena, &copy, &why) &&
              (!copy.lease.environment.len ||
               ledger_standing(ledger, &arena, copy.lease.environment, &standing, &why));
    enum put result = PUT_FAILED;
    if (ok && !standing_apply(&standing, &copy, &why)) {
        ok = false;
        result = why.kind == ERROR_DENIED ? PUT_DENIED : PUT_FAILED;
    }
    if (ok && write_commit(ledger, &arena, &copy, &standing, &why)) {
        *ret = *index_at(ledger->index, index_count(ledger->index) - 1);
        result = PUT_DONE;
    }
    if (result != PUT_DONE)
        *err = why;
    arena_done(&arena);
    return result;
}
