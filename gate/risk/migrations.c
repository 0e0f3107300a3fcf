#include "gate/risk/migration_parts.h"

static const char *const kind_names[] = {"additive", "reversible", "irreversible"};

const char *migration_kind_name(enum migration_kind kind)
{
    return kind_names[kind];
}

void migration_add(struct arena *arena, struct migration *migration, enum migration_kind kind,
                   uint32_t line, str what)
{
    if (migration->line != 0 && kind <= migration->kind)
        return;
    migration->kind = kind;
    migration->line = line;
    migration->what =
        str_is_utf8(what) ? arena_str(arena, what) : STR("what is not written in UTF-8");
}

// The newest word counts: the last comment of that form.
static str said_since(str bytes, const char *comment)
{
    static const str phrase = STR_INIT("sluice: compatible since ");
    str since = {NULL, 0};
    while (bytes.len) {
        str line = str_trim(str_cut(&bytes, '\n'));
        if (!str_starts(line, str_of(comment)))
            continue;
        line = str_trim(str_from(line, strlen(comment)));
        if (str_starts(line, phrase)) {
            str rest = str_trim(str_from(line, phrase.len));
            since = str_cut(&rest, ' ');
        }
    }
    return since;
}

bool migration_read(struct arena *arena, const char *path, str bytes, struct migration *ret,
                    struct error *err)
{
    struct migration migration = {.path = arena_copy(arena, str_of(path))};
    bool django = str_ends(str_of(path), STR(".py")), sql = str_ends(str_of(path), STR(".sql"));
    struct error inner = {0};
    if (!django && !sql)
        return error_set(err, ERROR_INPUT,
                         "%s: migrations are read from .py (Django) and .sql files: leave this one "
                         "out of `migrate: {files}`",
                         path);
    bool ok = django ? migration_read_django(arena, &migration, bytes, &inner)
                     : migration_read_sql(arena, &migration, bytes, 1, &inner);
    if (!ok)
        return error_set(err, inner.kind, "%s:%s", path, inner.message);
    str since = said_since(bytes, django ? "#" : "--");
    if (str_is_utf8(since))
        migration.since = arena_str(arena, since);
    *ret = migration;
    return true;
}
