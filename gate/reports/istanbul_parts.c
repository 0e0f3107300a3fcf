#include "gate/reports/istanbul_parts.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"

#include <stdio.h>
#include <stdlib.h>

#define ID_HASHED (UINT64_C(1) << 63)

uint64_t istanbul_id(str key)
{
    uint64_t id = 0;
    bool plain = key.len == 1 || (key.len && key.data[0] != '0');
    if (plain && number_u64(key, &id) && id < ID_HASHED)
        return id;
    id = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < key.len; i++)
        id = (id ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
    return id | ID_HASHED;
}

bool istanbul_parts_add(struct istanbul_parts *parts, struct arena *arena,
                        struct istanbul_part part, struct error *err)
{
    if (parts->count == LIMIT_FILE_PLACES)
        return error_set(err, ERROR_LIMIT,
                         "a source file has more than %u statements, or more branches",
                         LIMIT_FILE_PLACES);
    parts->items =
        arena_grow(arena, parts->items, parts->count, &parts->room, sizeof *parts->items);
    parts->items[parts->count++] = part;
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct istanbul_part *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void sort(struct istanbul_parts *parts)
{
    for (size_t i = 1; i < parts->count; i++) {
        if (by_id(&parts->items[i - 1], &parts->items[i]) > 0) {
            qsort(parts->items, parts->count, sizeof *parts->items, by_id);
            return;
        }
    }
}

static bool no_id_twice(const struct istanbul_parts *parts, const char *what, struct error *err)
{
    for (size_t i = 1; i < parts->count; i++)
        if (parts->items[i - 1].id == parts->items[i].id)
            return error_set(err, ERROR_INPUT, "%s %llu is listed twice", what,
                             (unsigned long long)parts->items[i].id);
    return true;
}

bool istanbul_statements(struct source_record *record, struct istanbul_parts *places,
                         struct istanbul_parts *counts, size_t *ret_odd, struct error *err)
{
    size_t k = 0, odd = 0;
    sort(places);
    sort(counts);
    if (!no_id_twice(places, "statement", err) || !no_id_twice(counts, "statement", err))
        return false;
    for (size_t i = 0; i < places->count; i++) {
        const struct istanbul_part *place = &places->items[i];
        for (; k < counts->count && counts->items[k].id < place->id; k++)
            odd++;
        bool counted = k < counts->count && counts->items[k].id == place->id;
        if (!counted || place->number == 0)
            odd++;
        else if (!source_record_line(record, place->number, counts->items[k].taken, err))
            return false;
        k += counted;
    }
    *ret_odd = odd + (counts->count - k);
    return true;
}

static bool no_arm_twice(const struct istanbul_parts *counts, struct error *err)
{
    for (size_t i = 1; i < counts->count; i++)
        if (by_id(&counts->items[i - 1], &counts->items[i]) == 0)
            return error_set(err, ERROR_INPUT, "branch %llu is counted twice",
                             (unsigned long long)counts->items[i].id);
    return true;
}

// Past the counts of one branch.
static size_t after_branch(const struct istanbul_parts *counts, size_t k)
{
    uint64_t id = counts->items[k].id;
    while (k < counts->count && counts->items[k].id == id)
        k++;
    return k;
}

bool istanbul_branches(struct source_record *record, struct istanbul_parts *places,
                       struct istanbul_parts *counts, size_t *ret_odd, struct error *err)
{
    size_t k = 0, odd = 0;
    sort(places);
    sort(counts);
    if (!no_id_twice(places, "branch", err) || !no_arm_twice(counts, err))
        return false;
    for (size_t i = 0; i < places->count; i++) {
        const struct istanbul_part *place = &places->items[i];
        for (; k < counts->count && counts->items[k].id < place->id; odd++)
            k = after_branch(counts, k);
        bool counted = k < counts->count && counts->items[k].id == place->id;
        size_t end = counted ? after_branch(counts, k) : k;
        if (!counted || place->number == 0) {
            odd++;
            k = end;
            continue;
        }
        for (; k < end; k++) {
            char name[48]; // as Istanbul's LCOV names it
            int size = snprintf(name, sizeof name, "%llu,%u", (unsigned long long)place->id,
                                counts->items[k].number);
            if (!source_record_arm(record, place->number, str_make(name, (size_t)size),
                                   counts->items[k].taken, err))
                return false;
        }
    }
    for (; k < counts->count; odd++)
        k = after_branch(counts, k);
    *ret_odd = odd;
    return true;
}
