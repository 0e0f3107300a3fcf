// Migrations of a database: whether the release before one can live with what it leaves behind.
//
// A rollback brings back code, never data. So what counts is not whether a migration could be
// undone by somebody with time, but whether the code of known good still works on the new schema.
//
//     struct migration migration;
//     if (!migration_read(&arena, "shop/migrations/0007_names.py", bytes, &migration, err)) ...
//     if (migration.kind != MIGRATION_ADDITIVE) say(migration.line, migration.what);
//
// Nothing is run: Django's files are read as text, operation by operation, and SQL statement by
// statement. What is not known here counts as irreversible.
#ifndef GATE_RISK_MIGRATIONS_H
#define GATE_RISK_MIGRATIONS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

enum migration_kind {
    MIGRATION_ADDITIVE,     // older code works on: a new table, a column that may be null
    MIGRATION_REVERSIBLE,   // older code may not work, nothing is lost: a renamed column
    MIGRATION_IRREVERSIBLE, // data is lost or changed for good: a dropped column, an UPDATE
};

struct migration {
    const char *path;
    enum migration_kind kind; // of its worst change
    str what;                 // that change: "RemoveField", "ALTER TABLE … DROP"; in the arena
    uint32_t line;            // where it stands; 0 when nothing is changed
    // The author's word, in a comment of its own line: `# sluice: compatible since v812`. The code
    // of that release, and of later ones, works on the new schema. Empty: nobody says so.
    str since;
};

// By the name's end: `.py` as Django's, `.sql` as SQL. ERROR_INPUT, with file and line, for another
// file, and for one that ends within a string or a bracket.
bool migration_read(struct arena *arena, const char *path, str bytes, struct migration *ret,
                    struct error *err);

const char *migration_kind_name(enum migration_kind kind); // "additive"

#endif
