#include "deploy/record/index.h"

#include "gate/base/moment.h"

#include <stdlib.h>

// ---- messages -----------------------------------------------------------------------------------

void entry_message(const struct event *event, str path, const struct object_id *blob,
                   struct text *out)
{
    char hex[OBJECT_HEX];
    text_adds(out, "ledger: ");
    text_add(out, event->type);
    if (event->rollout.len) {
        text_adds(out, " of ");
        text_add(out, event->rollout);
    }
    text_addf(out, "\n\nEvent: %s\nPath: " STR_FMT "\nBlob: %s\n", event->id, STR_ARG(path),
              object_hex(blob, hex));
    if (event->rollout.len)
        text_addf(out, "Rollout: " STR_FMT "\n", STR_ARG(event->rollout));
    if (event->key.len)
        text_addf(out, "Key: " STR_FMT "\n", STR_ARG(event->key));
}

static bool take_line(str line, struct ledger_entry *entry)
{
    str name = str_cut(&line, ':');
    if (!str_starts(line, STR(" ")))
        return true;
    str value = str_from(line, 1);
    if (str_is(name, "Event")) {
        if (value.len != EVENT_ID - 1)
            return false;
        memcpy(entry->id, value.data, value.len);
    } else if (str_is(name, "Path")) {
        entry->path = value;
        return event_path_parse(value, &entry->stream, &entry->sequence, &entry->type);
    } else if (str_is(name, "Blob")) {
        return object_of(value, &entry->blob);
    } else if (str_is(name, "Rollout")) {
        entry->rollout = value;
    } else if (str_is(name, "Key")) {
        entry->key = value;
    }
    return true;
}

bool entry_of_message(struct arena *arena, str message, struct ledger_entry *ret)
{
    struct ledger_entry entry = {0};
    message = arena_str(arena, message);
    (void)str_cut(&message, '\n');
    while (message.len)
        if (!take_line(str_cut(&message, '\n'), &entry))
            return false;
    if (!entry.id[0] || !entry.path.len || object_is_none(&entry.blob))
        return false;
    *ret = entry;
    return true;
}

// ---- tables -------------------------------------------------------------------------------------

// Open addressing; a slot holds a position + 1. Tables only grow; after entries were forgotten they
// are made again.
struct table {
    uint32_t *slots;
    size_t size, used;
};

struct link { // one commit of the branch, of the ledger or not
    struct object_id commit;
    size_t entries; // entries up to and including it
};

struct index {
    struct arena arena;
    struct ledger_entry *entries;
    size_t count, room;
    struct link *links;
    size_t link_count, link_room;
    struct table by_id, by_key, by_commit;
    uint64_t sequences[STREAM_COUNT];
};

static uint64_t hash(const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static str name_of(const struct index *index, const struct table *table, size_t position)
{
    if (table == &index->by_commit)
        return str_make((const char *)index->links[position].commit.bytes,
                        sizeof index->links[position].commit.bytes);
    const struct ledger_entry *entry = &index->entries[position];
    return table == &index->by_id ? str_make(entry->id, EVENT_ID - 1) : entry->key;
}

static uint32_t *find_slot(const struct index *index, const struct table *table, str name)
{
    size_t at = hash(name.data, name.len) & (table->size - 1);
    while (table->slots[at] && !str_eq(name_of(index, table, table->slots[at] - 1), name))
        at = (at + 1) & (table->size - 1);
    return &table->slots[at];
}

static void table_widen(const struct index *index, struct table *table)
{
    struct table wider = {.size = table->size ? 2 * table->size : 1024, .used = table->used};
    wider.slots = memory_alloc(wider.size * sizeof *wider.slots);
    memset(wider.slots, 0, wider.size * sizeof *wider.slots);
    struct table old = *table;
    *table = wider;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i])
            *find_slot(index, table, name_of(index, table, old.slots[i] - 1)) = old.slots[i];
    free(old.slots);
}

static void table_add(const struct index *index, struct table *table, size_t position)
{
    if (2 * (table->used + 1) > table->size)
        table_widen(index, table);
    uint32_t *slot = find_slot(index, table, name_of(index, table, position));
    if (!*slot) { // the first of equal names stays
        *slot = (uint32_t)(position + 1);
        table->used++;
    }
}

static size_t table_find(const struct index *index, const struct table *table, str name)
{
    if (!table->size || !name.len)
        return 0;
    return *find_slot(index, table, name);
}

static void table_done(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

// ---- the index ----------------------------------------------------------------------------------

struct index *index_open(void)
{
    struct index *index = memory_alloc(sizeof *index);
    memset(index, 0, sizeof *index);
    return index;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    table_done(&index->by_id);
    table_done(&index->by_key);
    table_done(&index->by_commit);
    arena_done(&index->arena);
    free(index->entries);
    free(index->links);
    free(index);
}

static void *room_for(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? 2 * *room : 256;
    return memory_grow(items, *room * size);
}

static void add_entry(struct index *index, const struct ledger_entry *entry)
{
    index->entries = room_for(index->entries, index->count, &index->room, sizeof *index->entries);
    index->entries[index->count++] = *entry;
    table_add(index, &index->by_id, index->count - 1);
    if (entry->key.len)
        table_add(index, &index->by_key, index->count - 1);
    if (entry->sequence > index->sequences[entry->stream])
        index->sequences[entry->stream] = entry->sequence;
}

static void add_link(struct index *index, const struct object_id *commit)
{
    index->links =
        room_for(index->links, index->link_count, &index->link_room, sizeof *index->links);
    index->links[index->link_count++] = (struct link){*commit, index->count};
    table_add(index, &index->by_commit, index->link_count - 1);
}

// Keeps the first `keep` commits. Rare: a lost race, or a branch that somebody moved.
static void forget_after(struct index *index, size_t keep)
{
    if (keep == index->link_count)
        return;
    index->count = keep ? index->links[keep - 1].entries : 0;
    index->link_count = keep;
    table_done(&index->by_id);
    table_done(&index->by_key);
    table_done(&index->by_commit);
    memset(index->sequences, 0, sizeof index->sequences);
    for (size_t i = 0; i < index->count; i++) {
        const struct ledger_entry *entry = &index->entries[i];
        table_add(index, &index->by_id, i);
        if (entry->key.len)
            table_add(index, &index->by_key, i);
        if (entry->sequence > index->sequences[entry->stream])
            index->sequences[entry->stream] = entry->sequence;
    }
    for (size_t i = 0; i < index->link_count; i++)
        table_add(index, &index->by_commit, i);
}

struct found { // a commit on the way back from the tip
    struct object_id commit;
    struct ledger_entry entry;
    bool is_entry;
};

struct way {
    struct found *items;
    size_t count, room;
};

static bool walk_back(struct index *index, struct store *store, struct object_id at,
                      struct way *way, size_t *ret_keep, struct error *err)
{
    struct arena scratch = {0};
    bool ok = true;
    *ret_keep = 0;
    while (!object_is_none(&at)) {
        str name = str_make((const char *)at.bytes, sizeof at.bytes);
        if ((*ret_keep = table_find(index, &index->by_commit, name)))
            break;
        if (way->count >= LIMIT_LEDGER_EVENTS) {
            ok = error_set(err, ERROR_LIMIT, "a ledger of more than %u entries",
                           LIMIT_LEDGER_EVENTS);
            break;
        }
        struct store_commit_info info;
        ok = store_read_commit(store, &scratch, &at, &info, err);
        if (!ok)
            break;
        struct found found = {.commit = at};
        found.is_entry = entry_of_message(&index->arena, info.message, &found.entry);
        found.entry.commit = at;
        found.entry.time_ms = info.time_s * MS_SECOND;
        way->items = room_for(way->items, way->count, &way->room, sizeof *way->items);
        way->items[way->count++] = found;
        at = info.parent;
        if (way->count % 256 == 0)
            arena_done(&scratch);
    }
    arena_done(&scratch);
    return ok;
}

bool index_follow(struct index *index, struct store *store, const struct object_id *tip,
                  struct error *err)
{
    struct object_id known = index_tip(index);
    if (object_eq(&known, tip))
        return true;
    struct way way = {0};
    size_t keep;
    bool ok = walk_back(index, store, *tip, &way, &keep, err);
    if (ok) {
        forget_after(index, keep);
        for (size_t i = way.count; i-- > 0;) {
            if (way.items[i].is_entry)
                add_entry(index, &way.items[i].entry);
            add_link(index, &way.items[i].commit);
        }
    }
    free(way.items);
    return ok;
}

size_t index_count(const struct index *index)
{
    return index->count;
}

const struct ledger_entry *index_at(const struct index *index, size_t position)
{
    return position < index->count ? &index->entries[position] : NULL;
}

struct object_id index_tip(const struct index *index)
{
    return index->link_count ? index->links[index->link_count - 1].commit : (struct object_id){0};
}

uint64_t index_sequence(const struct index *index, enum event_stream stream)
{
    return index->sequences[stream];
}

const struct ledger_entry *index_by_id(const struct index *index, str id)
{
    size_t found = table_find(index, &index->by_id, id);
    return found ? &index->entries[found - 1] : NULL;
}

const struct ledger_entry *index_by_key(const struct index *index, str key)
{
    size_t found = table_find(index, &index->by_key, key);
    return found ? &index->entries[found - 1] : NULL;
}

size_t index_place(const struct index *index, const struct ledger_entry *entry)
{
    return (size_t)(entry - index->entries);
}

bool index_knows(const struct index *index, const struct object_id *commit)
{
    return table_find(index, &index->by_commit,
                      str_make((const char *)commit->bytes, sizeof commit->bytes)) != 0;
}

size_t index_position(const struct index *index, const struct object_id *commit)
{
    size_t found = table_find(index, &index->by_commit,
                              str_make((const char *)commit->bytes, sizeof commit->bytes));
    return found ? index->links[found - 1].entries : 0;
}
