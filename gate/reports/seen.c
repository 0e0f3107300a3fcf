#include "gate/reports/seen.h"

static uint64_t hash_of(const str *names, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < names[i].len; k++)
            hash = (hash ^ (unsigned char)names[i].data[k]) * UINT64_C(1099511628211);
        hash = (hash ^ 0xff) * UINT64_C(1099511628211); // where one name ends matters
    }
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

static void grow(struct seen *seen)
{
    size_t room = seen->room ? 2 * seen->room : 256;
    uint64_t *hashes = ARENA_ARRAY(&seen->arena, uint64_t, room);
    for (size_t i = 0; i < seen->room; i++) {
        size_t at = seen->hashes[i] & (room - 1);
        if (!seen->hashes[i])
            continue;
        while (hashes[at])
            at = (at + 1) & (room - 1);
        hashes[at] = seen->hashes[i];
    }
    seen->hashes = hashes;
    seen->room = room;
}

bool seen_first_time(struct seen *seen, const str *names, size_t count)
{
    uint64_t hash = hash_of(names, count);
    if (2 * (seen->count + 1) > seen->room)
        grow(seen);
    size_t at = hash & (seen->room - 1);
    for (; seen->hashes[at]; at = (at + 1) & (seen->room - 1))
        if (seen->hashes[at] == hash)
            return false;
    seen->hashes[at] = hash;
    seen->count++;
    return true;
}

void seen_done(struct seen *seen)
{
    arena_done(&seen->arena);
    *seen = (struct seen){0};
}
