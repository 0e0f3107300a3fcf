// Any bytes, as Django's file and as SQL: read or refused with a line. What is told stands in the
// file, and reading it again tells the same.
#include "fuzz.h"
#include "gate/risk/migrations.h"

static void read_as(const char *path, str bytes)
{
    struct arena arena = {0};
    struct migration one = {0}, two = {0};
    struct error err = {0};
    if (!migration_read(&arena, path, bytes, &one, &err)) {
        PROMISE(err.kind == ERROR_INPUT && str_starts(str_of(err.message), str_of(path)), "%s",
                err.message);
    } else {
        PROMISE(migration_read(&arena, path, bytes, &two, &err), "%s", err.message);
        PROMISE(one.kind == two.kind && one.line == two.line && str_eq(one.what, two.what), "%s",
                path);
        PROMISE((one.line == 0) == (one.what.len == 0), "%u", one.line);
        PROMISE(one.line > 0 || one.kind == MIGRATION_ADDITIVE, "%s",
                migration_kind_name(one.kind));
        PROMISE(one.line <= bytes.len + 1, "line %u of %zu bytes", one.line, bytes.len);
        PROMISE(str_is_utf8(one.what) && str_is_utf8(one.since), "%s", path);
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str bytes = str_make((const char *)data, size);
    read_as("shop/migrations/0007_names.py", bytes);
    read_as("migrations/7.sql", bytes);
    return 0;
}
