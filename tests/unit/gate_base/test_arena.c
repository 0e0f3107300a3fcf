#include "../expect.h"
#include "gate/base/arena.h"

#include <stdint.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(arena, .fini = done);

Test(arena, memory_is_zeroed_aligned_and_apart)
{
    unsigned char *before = NULL;
    size_t before_size = 0, sum = 0;
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *at = arena_alloc(&arena, size);
        cr_assert((uintptr_t)at % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < size; i++)
            cr_assert(at[i] == 0, "byte %zu of %zu", i, size);
        memset(at, 0xAA, size);
        cr_assert(!before || at >= before + before_size || at + size <= before);
        before = at;
        before_size = size;
        sum += size;
    }
    cr_expect(arena.used_bytes >= sum);
}

Test(arena, a_large_piece_leaves_the_block_in_use)
{
    char *small = arena_alloc(&arena, 16);
    char *large = arena_alloc(&arena, 1 << 20);
    char *next = arena_alloc(&arena, 16);
    cr_expect(next == small + 16, "filling goes on where it was");
    memset(large, 1, 1 << 20);
    cr_expect(next[0] == 0);
}

Test(arena, bytes_lie_close_and_what_follows_is_aligned)
{
    unsigned char *one = arena_bytes(&arena, 3), *two = arena_bytes(&arena, 2);
    cr_expect(two == one + 3);
    memset(one, 0xAA, 5);
    unsigned char *next = arena_alloc(&arena, 8);
    cr_expect((uintptr_t)next % _Alignof(max_align_t) == 0);
    cr_expect(next >= two + 2 && next[0] == 0);
    cr_expect(arena.used_bytes == (size_t)(next + 8 - one), "gaps count: %zu", arena.used_bytes);
    for (size_t i = 0; i < 20000; i++) { // over the ends of blocks, of which some are nearly full
        size_t size = i % 61;
        unsigned char *at = i % 7 ? arena_bytes(&arena, size) : arena_alloc(&arena, size);
        cr_assert(i % 7 || (uintptr_t)at % _Alignof(max_align_t) == 0);
        for (size_t k = 0; k < size; k++)
            cr_assert(at[k] == 0, "byte %zu of %zu", k, size);
        memset(at, 0xAA, size);
    }
}

Test(arena, nothing_at_all_may_be_asked_for)
{
    cr_expect_not_null(arena_bytes(&arena, 0));
    cr_expect_not_null(arena_alloc(&arena, 0));
    cr_expect_not_null(arena_array(&arena, 0, 100));
    cr_expect_not_null(arena_array(&arena, 100, 0));
    expect_str(arena_str(&arena, (str){NULL, 0}), "");
}

Test(arena, copies_end_with_nul)
{
    char source[] = "abcdef";
    str copy = arena_str(&arena, str_make(source, 3));
    const char *c_string = arena_copy(&arena, str_make(source, 3));
    source[0] = 'x';
    expect_str(copy, "abc");
    cr_expect(copy.data[3] == '\0');
    cr_expect_str_eq(c_string, "abc");
    expect_str(arena_format(&arena, "%s-%d", "x", 7), "x-7");
    cr_expect(arena_format(&arena, "%070000d", 1).len == 70000);
}

Test(arena, arrays_grow_and_keep_their_items)
{
    int *items = NULL;
    size_t room = 0;
    for (size_t i = 0; i < 5000; i++) {
        items = arena_grow(&arena, items, i, &room, sizeof *items);
        cr_assert(room > i);
        items[i] = (int)i;
    }
    for (size_t i = 0; i < 5000; i++)
        cr_assert(items[i] == (int)i);
}

Test(arena, done_empties_and_the_arena_is_usable_again)
{
    (void)arena_alloc(&arena, 100);
    (void)arena_alloc(&arena, 1 << 20);
    arena_done(&arena);
    cr_expect(arena.used_bytes == 0 && arena.blocks == NULL);
    cr_expect_not_null(arena_alloc(&arena, 100));
    arena_done(&arena);
    arena_done(&arena);
}

Test(arena, takes_the_memory_of_another)
{
    struct arena other = {0};
    char *mine = arena_alloc(&arena, 16);
    char *theirs = arena_copy(&other, STR("kept")) == NULL ? NULL : arena_alloc(&other, 16);
    const char *large = arena_copy(&other, arena_format(&other, "%0100000d", 7));
    size_t used = arena.used_bytes + other.used_bytes;
    arena_take(&arena, &other);
    cr_expect(other.blocks == NULL && other.used_bytes == 0);
    cr_expect(arena.used_bytes == used);
    theirs[0] = mine[0] = 'x';
    cr_expect(strlen(large) == 100000 && large[99999] == '7');
    cr_expect(arena_alloc(&arena, 16) == mine + 16, "filling goes on where it was");
    arena_take(&arena, &other);
    arena_take(&other, &arena);
    cr_expect(other.used_bytes == used + 16);
    arena_done(&other);
}

Test(arena, heap_memory)
{
    char *at = memory_alloc(4);
    cr_expect(at[0] == 0 && at[3] == 0);
    at[3] = 'x';
    at = memory_grow(at, 4000);
    cr_expect(at[3] == 'x');
    memory_free(at);
    memory_free(memory_alloc(0));
    memory_free(NULL);
}

// An absurd size ends the process with 3; it never returns null or a short block.
Test(arena, a_product_that_overflows_ends_the_process, .exit_code = 3)
{
    (void)arena_array(&arena, SIZE_MAX / 8, 16);
    cr_assert_fail("it came back");
}
