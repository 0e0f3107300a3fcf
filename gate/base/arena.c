#include "gate/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_FIRST = 4 * 1024, BLOCK_NEXT = 16 * 1024, BLOCK_SIZE = 64 * 1024, LARGE = 256 * 1024 };

// Blocks grow with what an arena holds: there may be thousands that hold a few hundred bytes each.
static size_t block_size(const struct arena *arena)
{
    return arena->used_bytes < BLOCK_NEXT ? BLOCK_FIRST
           : arena->used_bytes < LARGE    ? BLOCK_NEXT
                                          : BLOCK_SIZE;
}

static _Noreturn void out_of_memory(void)
{
    static const char message[] = "sluice: this machine is out of memory\n";
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(3);
}

void *memory_alloc(size_t size)
{
    void *at = calloc(1, size ? size : 1);
    if (!at)
        out_of_memory();
    return at;
}

void *memory_grow(void *at, size_t size)
{
    void *grown = realloc(at, size ? size : 1);
    if (!grown)
        out_of_memory();
    return grown;
}

void memory_free(void *at)
{
    free(at);
}

static void *give(struct arena *arena, size_t size, size_t step)
{
    if (size > SIZE_MAX / 2)
        out_of_memory();
    struct arena_block *block = arena->blocks;
    size_t from = block ? (block->used + step - 1) / step * step : 0;
    if (!block || from > block->size || block->size - from < size) {
        size_t usual = block_size(arena), room = size > usual / 4 ? size : usual;
        struct arena_block *fresh = memory_alloc(sizeof *fresh + room);
        fresh->size = room;
        if (block && room == size) { // a large one of its own: keep filling the current block
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
        from = 0;
    }
    arena->used_bytes += from + size - block->used;
    block->used = from + size;
    return block->bytes + from;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return give(arena, size, alignof(max_align_t));
}

void *arena_bytes(struct arena *arena, size_t size)
{
    return give(arena, size, 1);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        out_of_memory();
    return arena_alloc(arena, count * size);
}

str arena_str(struct arena *arena, str s)
{
    return str_make(arena_copy(arena, s), s.len);
}

const char *arena_copy(struct arena *arena, str s)
{
    char *copy = arena_bytes(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.data, s.len);
    return copy;
}

str arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t len = n > 0 ? (size_t)n : 0;
    char *out = arena_alloc(arena, len + 1);
    (void)vsnprintf(out, len + 1, format, again);
    va_end(again);
    return str_make(out, len);
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t wider = *room ? *room * 2 : 8;
    void *grown = arena_array(arena, wider, size);
    if (count)
        memcpy(grown, items, count * size);
    *room = wider;
    return grown;
}

void arena_take(struct arena *arena, struct arena *from)
{
    struct arena_block *last = from->blocks;
    if (!last)
        return;
    while (last->next)
        last = last->next;
    if (arena->blocks) { // the block that is being filled stays first
        last->next = arena->blocks->next;
        arena->blocks->next = from->blocks;
    } else {
        arena->blocks = from->blocks;
    }
    arena->used_bytes += from->used_bytes;
    *from = (struct arena){0};
}

void arena_done(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){0};
}
