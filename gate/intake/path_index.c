#include "gate/intake/path_index.h"

#include <stdlib.h>

static int cmp_backwards(str a, str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 1; i <= n; i++) {
        unsigned char x = (unsigned char)a.data[a.len - i], y = (unsigned char)b.data[b.len - i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int by_end(const void *a, const void *b)
{
    return cmp_backwards(**(const str *const *)a, **(const str *const *)b);
}

void path_index_init(struct path_index *index, struct arena *arena, const str *paths, size_t count)
{
    *index = (struct path_index){.paths = paths, .count = count};
    index->by_end = ARENA_ARRAY(arena, const str *, count + 1);
    for (size_t i = 0; i < count; i++)
        index->by_end[i] = &paths[i];
    qsort(index->by_end, count, sizeof *index->by_end, by_end);
}

const str *path_index_find(const struct path_index *index, str path)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(index->paths[middle], path);
        if (order == 0)
            return &index->paths[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

// Read backwards, a path comes before all that end with it.
size_t path_index_ending(const struct path_index *index, str end, const str **ret)
{
    size_t low = 0, high = index->count, hits = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cmp_backwards(*index->by_end[middle], end) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->count && hits < 2 && str_ends(*index->by_end[low], end); low++) {
        str path = *index->by_end[low];
        if (path.len > end.len && path.data[path.len - end.len - 1] != '/')
            continue;
        if (hits++ == 0)
            *ret = index->by_end[low];
    }
    return hits;
}
