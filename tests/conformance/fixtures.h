// The golden cases of tests/golden/reports: what each reader is given, and what it must make of it.
#ifndef TESTS_CONFORMANCE_FIXTURES_H
#define TESTS_CONFORMANCE_FIXTURES_H

#include "gate/doc/json.h"
#include "gate/reports/reader.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture {
    const char *reader, *name;
    str input;
    const struct node *expected; // the only entry of `files`
    bool good;                   // neither an error nor a suspicion
};

struct fixtures {
    struct arena arena;
    struct fixture *items;
    size_t count, room;
};

static inline str fixture_file(struct arena *arena, const char *path)
{
    char *bytes = arena_alloc(arena, 1 << 20);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t size = fread(bytes, 1, 1 << 20, file);
    cr_assert(size < 1 << 20 && !ferror(file));
    (void)fclose(file);
    return str_make(bytes, size);
}

static inline void fixture_load(struct fixtures *all, const char *root, const char *reader,
                                const char *name)
{
    struct error err = {0};
    const struct node *document;
    struct arena *arena = &all->arena;
    str folder = arena_format(arena, "%s/%s/%s", root, reader, name);
    str input = arena_format(arena, STR_FMT "/input", STR_ARG(folder));
    str expected = arena_format(arena, STR_FMT "/expected.json", STR_ARG(folder));
    all->items = arena_grow(arena, all->items, all->count, &all->room, sizeof *all->items);
    struct fixture *fixture = &all->items[all->count++];
    *fixture = (struct fixture){.reader = arena_copy(arena, str_of(reader)),
                                .name = arena_copy(arena, str_of(name)),
                                .input = fixture_file(arena, input.data)};
    cr_assert(json_parse(arena, expected.data, fixture_file(arena, expected.data), &document, &err),
              "%s: %s", expected.data, err.message);
    fixture->expected = node_get(document, "files")->first;
    fixture->good = node_get(fixture->expected, "error")->kind == NODE_NULL &&
                    node_get(fixture->expected, "suspect")->count == 0;
}

// Calls itself for the folders of the readers, once.
static inline void fixtures_in(struct fixtures *all, const char *root, const char *reader)
{
    str path = arena_format(&all->arena, "%s/%s", root, reader ? reader : "");
    DIR *folder = opendir(path.data);
    cr_assert_not_null(folder, "%s", path.data);
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        if (reader)
            fixture_load(all, root, reader, entry->d_name);
        else
            fixtures_in(all, root, entry->d_name);
    }
    (void)closedir(folder);
}

static inline void fixtures_init(struct fixtures *all)
{
    const char *tests = getenv("SLUICE_TEST_DATA");
    cr_assert_not_null(tests, "SLUICE_TEST_DATA names the folder of the tests");
    str root = arena_format(&all->arena, "%s/golden/reports", tests);
    fixtures_in(all, root.data, NULL);
    cr_assert_gt(all->count, 20);
}

#endif
