#include "deploy/record/names.h"

#include <stdlib.h>

static size_t hash(str text)
{
    uint64_t h = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 29);
}

// A slot with a null text is free.
static struct name *slot_of(const struct names *names, str text)
{
    size_t at = hash(text) & (names->size - 1);
    while (names->slots[at].text.data && !str_eq(names->slots[at].text, text))
        at = (at + 1) & (names->size - 1);
    return &names->slots[at];
}

static void widen(struct names *names)
{
    struct name *old = names->slots;
    size_t old_size = names->size;
    names->size = old_size ? 2 * old_size : 256;
    names->slots = memory_alloc(names->size * sizeof *names->slots);
    for (size_t i = 0; i < old_size; i++)
        if (old[i].text.data)
            *slot_of(names, old[i].text) = old[i];
    free(old);
}

bool names_put(struct names *names, str text, uint64_t number)
{
    if (2 * (names->used + 1) > names->size)
        widen(names);
    struct name *slot = slot_of(names, text);
    if (slot->text.data)
        return false;
    *slot = (struct name){arena_str(&names->arena, text), number};
    names->used++;
    return true;
}

uint64_t *names_find(const struct names *names, str text)
{
    if (!names->size)
        return NULL;
    struct name *slot = slot_of(names, text);
    return slot->text.data ? &slot->number : NULL;
}

void names_done(struct names *names)
{
    free(names->slots);
    arena_done(&names->arena);
    *names = (struct names){0};
}
