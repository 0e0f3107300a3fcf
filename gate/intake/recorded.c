#include "gate/intake/recorded.h"

#include "gate/base/glob.h"
#include "gate/reports/reader.h"

static bool has(const struct found *found, const char *path)
{
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->items[i], path) == 0)
            return true;
    return false;
}

void recorded_find(struct arena *arena, const struct recorded_reports *recorded,
                   const str *patterns, size_t count, struct found *found)
{
    for (size_t i = 0; i < recorded->count; i++)
        for (size_t k = 0; k < count; k++) {
            const char *path = recorded->items[i].path;
            if (!glob_match(patterns[k], str_of(path)) || has(found, path))
                continue;
            found->items = arena_grow(arena, (void *)found->items, found->count, &found->room,
                                      sizeof *found->items);
            found->items[found->count++] = path;
        }
}

size_t recorded_read(const struct recorded_reports *recorded, const char *path, str entry,
                     unsigned kinds, struct evidence *evidence)
{
    size_t hits = 0;
    for (size_t i = 0; i < recorded->count; i++) {
        const struct recorded_report *one = &recorded->items[i];
        struct error failed;
        if (strcmp(one->path, path) != 0 || (one->entry != NULL) != (entry.len != 0) ||
            (one->entry && !glob_match(entry, str_of(one->entry))))
            continue;
        hits++;
        if (!one->bytes.data)
            continue;
        struct report_feed *feed = report_feed_open(evidence, one->path, one->entry, kinds);
        report_feed_bytes(feed, one->bytes);
        (void)report_feed_end(feed, NULL, &failed); // an unusable one is noted as such
    }
    return hits;
}
