#include "gate/risk/migrations.h"

#include <criterion/criterion.h>

struct expected {
    const char *path, *text;
    enum migration_kind kind;
    uint32_t line;
    const char *what;
};

static void check(const struct expected *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena = {0};
        struct migration found = {0};
        struct error err = {0};
        cr_expect(migration_read(&arena, cases[i].path, str_of(cases[i].text), &found, &err),
                  "%s: %s", cases[i].text, err.message);
        cr_expect_eq(found.kind, cases[i].kind, "%s: %s", cases[i].text,
                     migration_kind_name(found.kind));
        cr_expect_eq(found.line, cases[i].line, "%s: line %u", cases[i].text, found.line);
        cr_expect(str_is(found.what, cases[i].what), "%s: " STR_FMT, cases[i].text,
                  STR_ARG(found.what));
        arena_done(&arena);
    }
}

#define DJANGO(list, kind, line, what)                                                             \
    {                                                                                              \
        "shop/migrations/0007_names.py",                                                           \
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):" \
            "\n    operations = [" list "]\n",                                                     \
            kind, line, what                                                                       \
    }

Test(migrations, django_operation_by_operation)
{
    static const struct expected cases[] = {
        DJANGO("", MIGRATION_ADDITIVE, 0, ""),
        DJANGO("migrations.CreateModel(name='Note', fields=[('id', models.BigAutoField())])",
               MIGRATION_ADDITIVE, 5, "CreateModel"),
        DJANGO("migrations.AddField('order', 'note', models.TextField(null=True))",
               MIGRATION_ADDITIVE, 5, "AddField"),
        DJANGO("migrations.AddField('order', 'note', models.TextField(default=''))",
               MIGRATION_REVERSIBLE, 5, "AddField"),
        DJANGO("migrations.AddField('order', 'note', models.TextField(help_text='null=True'))",
               MIGRATION_REVERSIBLE, 5, "AddField"),
        DJANGO("migrations.AddField('o', 'n', field=models.IntegerField(db_default=0))",
               MIGRATION_ADDITIVE, 5, "AddField"),
        DJANGO("migrations.AddField('o', 'tags', models.ManyToManyField('shop.Tag'))",
               MIGRATION_ADDITIVE, 5, "AddField"),
        DJANGO("\n        # dropped: migrations.RemoveField('a', 'b')\n        "
               "migrations.AddIndex('o', models.Index(fields=['a', 'b']), ),\n    ",
               MIGRATION_ADDITIVE, 7, "AddIndex"),
        DJANGO("\n        migrations.AddIndex('o', i),\n        migrations.RemoveField('o', 'b'),"
               "\n        migrations.RenameField('o', 'c', 'd'),\n    ",
               MIGRATION_IRREVERSIBLE, 7, "RemoveField"),
        DJANGO("migrations.RunPython(fill)", MIGRATION_IRREVERSIBLE, 5, "RunPython"),
        DJANGO("migrations.RunPython(fill, None)", MIGRATION_IRREVERSIBLE, 5, "RunPython"),
        DJANGO("migrations.RunPython(fill, migrations.RunPython.noop)", MIGRATION_REVERSIBLE, 5,
               "RunPython"),
        DJANGO("migrations.RunPython(code=fill, reverse_code=empty)", MIGRATION_REVERSIBLE, 5,
               "RunPython"),
        DJANGO("migrations.RunSQL('''\nCREATE TABLE a ();\nDROP TABLE b''')",
               MIGRATION_IRREVERSIBLE, 7, "RunSQL: DROP TABLE"),
        DJANGO("migrations.RunSQL('DROP TABLE b', 'CREATE TABLE b ()')", MIGRATION_REVERSIBLE, 5,
               "RunSQL: DROP TABLE"),
        DJANGO("migrations.RunSQL(sql)", MIGRATION_IRREVERSIBLE, 5, "RunSQL"),
        DJANGO("migrations.SeparateDatabaseAndState(state_operations=["
               "migrations.DeleteModel('A')])",
               MIGRATION_ADDITIVE, 0, ""),
        DJANGO("migrations.SeparateDatabaseAndState(database_operations=["
               "migrations.DeleteModel('A')], state_operations=[])",
               MIGRATION_IRREVERSIBLE, 5, "DeleteModel"),
        DJANGO("Sharding('orders')", MIGRATION_IRREVERSIBLE, 5, "Sharding"),
        DJANGO("*shared", MIGRATION_IRREVERSIBLE, 5, "what is no call"),
        DJANGO("migrations.AddIndex('o', i) if POSTGRES else nothing", MIGRATION_IRREVERSIBLE, 5,
               "AddIndex"),
        {"a/migrations/1.py", "operations = common() + []", MIGRATION_IRREVERSIBLE, 1,
         "operations that are no list"},
        {"a/migrations/1.py", "operations = []\noperations += [migrations.DeleteModel('A')]\n",
         MIGRATION_IRREVERSIBLE, 2, "DeleteModel"},
        {"a/migrations/__init__.py", "", MIGRATION_ADDITIVE, 0, ""},
    };
    check(cases, sizeof cases / sizeof cases[0]);
}

#define SQL(text, kind, line, what)                                                                \
    {                                                                                              \
        "migrations/7.sql", text, kind, line, what                                                 \
    }

Test(migrations, sql_statement_by_statement)
{
    static const struct expected cases[] = {
        SQL("", MIGRATION_ADDITIVE, 0, ""),
        SQL("-- DROP TABLE a;\n/* DROP\n */ CREATE TABLE b (c int NOT NULL);", MIGRATION_ADDITIVE,
            3, "CREATE TABLE"),
        SQL("alter table a add column b int", MIGRATION_ADDITIVE, 1, "alter table"),
        SQL("ALTER TABLE a ADD b numeric(4, 2) NOT NULL", MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ADD b int NOT NULL DEFAULT 0", MIGRATION_ADDITIVE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ADD b int, ADD c int NOT NULL, ADD d int DEFAULT 1",
            MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ADD CONSTRAINT k UNIQUE (b)", MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a DROP COLUMN b", MIGRATION_IRREVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ALTER b DROP NOT NULL", MIGRATION_ADDITIVE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ALTER b SET NOT NULL", MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a ALTER b TYPE text", MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("ALTER TABLE a RENAME b TO c", MIGRATION_REVERSIBLE, 1, "ALTER TABLE"),
        SQL("CREATE UNIQUE INDEX i ON a (b)", MIGRATION_REVERSIBLE, 1, "CREATE UNIQUE"),
        SQL("DROP INDEX i", MIGRATION_ADDITIVE, 1, "DROP INDEX"),
        SQL("INSERT INTO a VALUES ('; DROP TABLE b')", MIGRATION_ADDITIVE, 1, "INSERT INTO"),
        SQL("INSERT INTO a VALUES ('it''s; DROP'); UPDATE a SET b = 1", MIGRATION_IRREVERSIBLE, 1,
            "UPDATE a"),
        SQL("CREATE FUNCTION f() AS $body$ DROP TABLE b; $body$;\nDELETE FROM a",
            MIGRATION_IRREVERSIBLE, 2, "DELETE FROM"),
        SQL("TRUNCATE a", MIGRATION_IRREVERSIBLE, 1, "TRUNCATE a"),
        SQL("DO $$ BEGIN END $$", MIGRATION_IRREVERSIBLE, 1, "DO"),
    };
    check(cases, sizeof cases / sizeof cases[0]);
}

Test(migrations, the_authors_word)
{
    static const struct {
        const char *path, *text, *since;
    } cases[] = {
        {"m/migrations/1.py", "# sluice: compatible since v812\noperations = []", "v812"},
        {"m/migrations/1.py", "x = '# sluice: compatible since v812'\n", ""},
        {"m/migrations/1.py", "# sluice: compatible since v8\n#  sluice: compatible since v9 now\n",
         "v9"},
        {"m/1.sql", "  -- sluice: compatible since v812\r\nDROP TABLE a", "v812"},
        {"m/1.sql", "# sluice: compatible since v812\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct migration found;
        struct error err;
        cr_assert(migration_read(&arena, cases[i].path, str_of(cases[i].text), &found, &err));
        cr_expect(str_is(found.since, cases[i].since), "%s", cases[i].text);
        arena_done(&arena);
    }
}

Test(migrations, what_is_cut_off_is_refused_with_its_line)
{
    static const struct {
        const char *path, *text, *words;
    } cases[] = {
        {"1.py", "a = 1\nb = 'x\n", "1.py:2: the file ends within a string that begins here"},
        {"1.py", "operations = [\n a(\n", "1.py:2: the file ends within a call that begins here"},
        {"1.py", "operations = [\n", "1.py:1: the file ends within a list that begins here"},
        {"1.py", "\"\"\"\n", "1.py:1: the file ends within a string that begins here"},
        {"1.sql", "\n'x", "1.sql:2: the file ends within a string that begins here"},
        {"1.sql", "/* ", "1.sql:1: the file ends within a comment that begins here"},
        {"1.rb", "",
         "1.rb: migrations are read from .py (Django) and .sql files: leave this one "
         "out of `migrate: {files}`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct migration found;
        struct error err = {0};
        cr_expect_not(migration_read(&arena, cases[i].path, str_of(cases[i].text), &found, &err));
        cr_expect_str_eq(err.message, cases[i].words);
        cr_expect_eq(err.kind, ERROR_INPUT);
        arena_done(&arena);
    }
}

// No file of Python has a zero byte, but one that was cut by a full disk may.
Test(migrations, a_zero_byte_stops_no_one)
{
    static const struct {
        str text;
        bool ok;
        const char *words; // what, or the message
    } cases[] = {
        {STR_INIT("operations = [migrations.AddFie\0order\"]\n"), false,
         "m/migrations/1.py:1: the file ends within a string that begins here"},
        {STR_INIT("operations = [migrations.AddField\0]\n"), true, "AddField"},
        {STR_INIT("operations = [\0, \0]\n"), true, "what is no call"},
        {STR_INIT("operations = [RemoveField(\0, \"a\")]\n"), true, "RemoveField"},
        {STR_INIT("operations = [AddField(\"a\", \"b\", F(\0)\0)"), false,
         "m/migrations/1.py:1: the file ends within a bracket that begins here"},
        {STR_INIT("\0operations = []\0"), true, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct migration found;
        struct error err = {0};
        bool ok = migration_read(&arena, "m/migrations/1.py", cases[i].text, &found, &err);
        cr_expect_eq(ok, cases[i].ok, "%zu: %s", i, err.message);
        if (ok)
            cr_expect(str_is(found.what, cases[i].words), "%zu: " STR_FMT, i, STR_ARG(found.what));
        else
            cr_expect_str_eq(err.message, cases[i].words, "%zu", i);
        arena_done(&arena);
    }
}

Test(migrations, statements_without_words_cost_nothing)
{
    static char semicolons[1 << 20];
    struct arena arena = {0};
    struct migration found;
    struct error err;
    memset(semicolons, ';', sizeof semicolons);
    cr_assert(
        migration_read(&arena, "1.sql", str_make(semicolons, sizeof semicolons), &found, &err));
    cr_expect_eq(found.kind, MIGRATION_ADDITIVE);
    cr_expect_eq(found.line, 0);
    cr_expect_lt(arena.used_bytes, 1 << 10);
    arena_done(&arena);
}
