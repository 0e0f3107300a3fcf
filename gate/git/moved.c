#include "gate/git/moved.h"

#include <stdlib.h>

#define CANDIDATES 64u // places of one line that are tried; a line more frequent says little

static bool is_letter(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

struct moved_line moved_line(str content, uint32_t file, uint32_t line)
{
    struct moved_line one = {.hash = UINT64_C(14695981039346656037), .file = file, .line = line};
    while (content.len &&
           (content.data[content.len - 1] == '\n' || content.data[content.len - 1] == '\r'))
        content.len--;
    for (size_t i = 0; i < content.len; i++) {
        unsigned char c = (unsigned char)content.data[i];
        one.hash = (one.hash ^ c) * UINT64_C(1099511628211);
        one.letters += is_letter(c);
    }
    return one;
}

static int by_hash(const void *a, const void *b, void *context)
{
    const struct moved_line *lines = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    if (lines[left].hash != lines[right].hash)
        return lines[left].hash < lines[right].hash ? -1 : 1;
    return (left > right) - (left < right);
}

static bool follows(const struct moved_line *lines, size_t i)
{
    return lines[i + 1].file == lines[i].file && lines[i + 1].line == lines[i].line + 1;
}

// How many lines from added[a] on equal those from removed[r] on.
static size_t run_length(const struct moved_line *added, size_t added_count, size_t a,
                         const struct moved_line *removed, size_t removed_count, size_t r)
{
    size_t n = 1;
    while (a + n < added_count && r + n < removed_count && follows(added, a + n - 1) &&
           follows(removed, r + n - 1) && added[a + n].hash == removed[r + n].hash)
        n++;
    return n;
}

static size_t first_of(const struct moved_line *removed, const size_t *order, size_t count,
                       uint64_t hash)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (removed[order[middle]].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void moved_mark(struct arena *arena, struct moved_line *added, size_t added_count,
                const struct moved_line *removed, size_t removed_count)
{
    if (added_count == 0 || removed_count == 0)
        return;
    size_t *order = ARENA_ARRAY(arena, size_t, removed_count);
    // qsort_r hands its context to the comparison as it is, which only reads it.
    struct moved_line *sorted_by = ARENA_ARRAY(arena, struct moved_line, removed_count);
    memcpy(sorted_by, removed, removed_count * sizeof *removed);
    for (size_t i = 0; i < removed_count; i++)
        order[i] = i;
    qsort_r(order, removed_count, sizeof *order, by_hash, sorted_by);
    for (size_t a = 0; a < added_count;) {
        size_t best = 0;
        size_t at = first_of(removed, order, removed_count, added[a].hash);
        for (size_t tried = 0;
             at < removed_count && tried < CANDIDATES && removed[order[at]].hash == added[a].hash;
             at++, tried++) {
            size_t n = run_length(added, added_count, a, removed, removed_count, order[at]);
            best = n > best ? n : best;
        }
        uint64_t letters = 0;
        for (size_t i = 0; i < best; i++)
            letters += added[a + i].letters;
        for (size_t i = 0; i < best && letters >= MOVED_LETTERS; i++)
            added[a + i].moved = true;
        a += best ? best : 1;
    }
}
