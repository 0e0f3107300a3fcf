// Memory for one stage of a run: allocate freely, release all at once.
//
// arena_alloc never returns null. Input is bounded by limits.h long before an arena is; when the
// machine itself is out of memory the process says so and ends with exit code 3, which is as safe
// as being killed: everything that matters is in the ledger.
//
//     struct arena arena = {0};
//     char *copy = arena_copy(&arena, name);
//     arena_done(&arena);
#ifndef GATE_BASE_ARENA_H
#define GATE_BASE_ARENA_H

#include "gate/base/str.h"

#include <stdarg.h>

struct arena_block;

struct arena { // all zero is a valid empty arena
    struct arena_block *blocks;
    size_t used_bytes; // given out, of all blocks
};

void *arena_alloc(struct arena *arena, size_t size);               // zeroed, aligned for any type
void *arena_bytes(struct arena *arena, size_t size);               // the same, not aligned
void *arena_array(struct arena *arena, size_t count, size_t size); // the product is checked
str arena_str(struct arena *arena, str s);          // a copy; its data is NUL-terminated as well
const char *arena_copy(struct arena *arena, str s); // a NUL-terminated copy
str arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_take(struct arena *arena,
                struct arena *from);  // all memory of `from`, which is then empty
void arena_done(struct arena *arena); // releases all; the arena is empty and usable again

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

// Grows an array that lives in an arena: *items has room for *room, `count` are in use. The old
// place is left behind, so growth doubles. Returns the (new) array.
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *room, size_t size);

// Heap memory with the same promise, for what outlives a stage. Zeroed.
void *memory_alloc(size_t size);
void *memory_grow(void *at, size_t size);
void memory_free(void *at); // null is fine

#endif
