#include "gate/risk/risk_paths.h"

#include "gate/base/glob.h"

// FNV-1a, one byte after the other, so that the hash of each beginning of a path falls off on the
// way.
#define HASH_START UINT64_C(14695981039346656037)

static uint64_t hash_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(1099511628211);
}

static uint64_t hash_of(str s)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < s.len; i++)
        hash = hash_byte(hash, s.data[i]);
    return hash;
}

static size_t slot(const struct risk_paths *paths, uint64_t hash)
{
    return (size_t)(hash ^ hash >> 32) & paths->mask;
}

static void add(struct risk_paths *paths, str pattern, uint32_t risk)
{
    struct risk_pattern *one = &paths->patterns[paths->count];
    size_t literal = glob_literal(pattern);
    uint32_t *head = &paths->heads[slot(paths, hash_of(str_first(pattern, literal)))];
    *one = (struct risk_pattern){pattern, literal, risk, *head};
    *head = (uint32_t)++paths->count;
    if (literal > paths->longest)
        paths->longest = literal;
}

void risk_paths_make(struct arena *arena, const struct risk_register *risks, struct risk_paths *ret)
{
    size_t count = 0, room = 16;
    for (size_t i = 0; i < risks->risks.count; i++)
        count += risk_register_at(risks, i)->paths.count;
    while (room < count)
        room *= 2;
    struct risk_paths paths = {.mask = room - 1};
    paths.patterns = ARENA_ARRAY(arena, struct risk_pattern, count + 1);
    paths.heads = ARENA_ARRAY(arena, uint32_t, room);
    for (size_t i = 0; i < risks->risks.count; i++) {
        const struct shape_list *list = &risk_register_at(risks, i)->paths;
        const str *patterns = list->items;
        for (size_t k = 0; k < list->count; k++)
            add(&paths, patterns[k], (uint32_t)i);
    }
    *ret = paths;
}

static void try_slot(const struct risk_paths *paths, uint64_t hash, size_t literal, str path,
                     risk_paths_handler *handler, void *context)
{
    for (uint32_t n = paths->heads[slot(paths, hash)]; n; n = paths->patterns[n - 1].next) {
        const struct risk_pattern *one = &paths->patterns[n - 1];
        if (one->literal == literal && glob_match(one->pattern, path))
            handler(context, one->risk);
    }
}

void risk_paths_each(const struct risk_paths *paths, str path, risk_paths_handler *handler,
                     void *context)
{
    uint64_t hash = HASH_START;
    if (paths->count == 0)
        return;
    for (size_t n = 0; n <= path.len && n <= paths->longest; n++) {
        try_slot(paths, hash, n, path, handler, context);
        if (n < path.len)
            hash = hash_byte(hash, path.data[n]);
    }
}
