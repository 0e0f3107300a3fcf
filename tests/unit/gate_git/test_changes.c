#include "world.h"

TestSuite(changes, .init = world_init, .fini = world_done);

// "a.py:2-3,7 b.py:1" for comparison
static const char *of_kinds(const char *base, const char *head, const struct file_kinds *kinds)
{
    struct changes changes;
    struct error err = {0};
    str out = STR("");
    cr_assert(changes_between(&arena, repository, base, head, kinds, &changes, &err), "%s",
              err.message);
    for (size_t i = 0; i < changes.count; i++) {
        const struct change *change = &changes.items[i];
        out = arena_format(&arena, STR_FMT "%s" STR_FMT ":", STR_ARG(out), i ? " " : "",
                           STR_ARG(change->path));
        for (size_t k = 0; k < change->range_count; k++)
            out = arena_format(&arena, STR_FMT "%s%u-%u", STR_ARG(out), k ? "," : "",
                               change->ranges[k].from, change->ranges[k].to);
    }
    return out.data;
}

static const char *between(const char *base, const char *head)
{
    return of_kinds(base, head, NULL);
}

Test(changes, added_and_modified_lines)
{
    const char *base = world_commit(FILES({"a.py", "one\ntwo\nthree\nfour\n"}, {"same", "x\n"}),
                                    NULL, NULL, false);
    const char *head = world_commit(
        FILES({"a.py", "one\nTWO\nthree\nfour\nfive\nsix\n"}, {"same", "x\n"}, {"new.py", "n\n"}),
        base, NULL, false);
    cr_expect_str_eq(between(base, head), "a.py:2-2,5-6 new.py:1-1");
    struct file_kinds kinds = {0};
    file_kinds_add(&arena, &kinds, STR("x/other.js"));
    cr_expect_str_eq(of_kinds(base, head, &kinds), "a.py: new.py:");
}

Test(changes, deleted_and_blank_lines_do_not_count)
{
    const char *base =
        world_commit(FILES({"a.py", "one\ntwo\nthree\n"}, {"gone.py", "x\n"}), NULL, NULL, false);
    const char *head =
        world_commit(FILES({"a.py", "one\n\n  \t\nthree\n\nfour\n"}), base, NULL, false);
    cr_expect_str_eq(between(base, head), "a.py:6-6");
}

Test(changes, a_renamed_file_is_not_new)
{
    const char *text = "def first():\n    return 1\n\ndef second():\n    return 2\n";
    const char *longer = "def first():\n    return 1\n\ndef second():\n    return 3\n";
    const char *base = world_commit(FILES({"old.py", text}), NULL, NULL, false);
    const char *head = world_commit(FILES({"dir/new.py", longer}), base, NULL, false);
    cr_expect_str_eq(between(base, head), "dir/new.py:5-5");
}

Test(changes, a_block_that_moved_is_not_new)
{
    const char *base = world_commit(
        FILES({"a.py", "start = 1\ndef moved_function(argument):\n    return argument * 42\nend\n"},
              {"b.py", "other = 1\n"}),
        NULL, NULL, false);
    const char *head = world_commit(
        FILES(
            {"a.py", "start = 1\nend\n"},
            {"b.py", "other = 1\ndef moved_function(argument):\n    return argument * 42\nnew\n"}),
        base, NULL, false);
    cr_expect_str_eq(between(base, head), "a.py: b.py:4-4");
}

Test(changes, a_short_line_is_not_a_move)
{
    const char *base =
        world_commit(FILES({"a.py", "one\npass\nend\n"}, {"b.py", "other\n"}), NULL, NULL, false);
    const char *head =
        world_commit(FILES({"a.py", "one\nend\n"}, {"b.py", "other\npass\n"}), base, NULL, false);
    cr_expect_str_eq(between(base, head), "a.py: b.py:2-2");
}

Test(changes, without_a_base_everything_is_new)
{
    const char *head = world_commit(FILES({"a.py", "1\n2\n"}), NULL, NULL, false);
    cr_expect_str_eq(between(NULL, head), "a.py:1-2");
}

Test(changes, an_unknown_commit_is_absent)
{
    struct changes changes;
    struct error err = {0};
    const char *head = world_commit(FILES({"a.py", "1\n"}), NULL, NULL, false);
    cr_expect_not(changes_between(&arena, repository, "0123456789012345678901234567890123456789",
                                  head, NULL, &changes, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(changes, kinds_are_endings_or_whole_names)
{
    struct file_kinds kinds = {0};
    static const char *const added[] = {"a/b.py",   "z.py", "src/Makefile",
                                        "x.d/tool", ".env", "b.c"};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        file_kinds_add(&arena, &kinds, str_of(added[i]));
    cr_expect_eq(kinds.count, 5);
    static const struct {
        const char *path;
        bool has;
    } rows[] = {
        {"other.py", true}, {"py", false},       {"a.pyc", false},   {"deep/Makefile", true},
        {"tool", true},     {"x.d/else", false}, {"sub/.env", true}, {"b.c", true},
        {"b.h", false},     {"", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(file_kinds_has(&kinds, str_of(rows[i].path)), rows[i].has, "%s", rows[i].path);
}

Test(changes, generated_files)
{
    struct attributes attributes;
    struct error err = {0};
    const char *head = world_commit(
        FILES({".gitattributes", "*_pb2.py linguist-generated\n/api/** linguist-generated=true\n"
                                 "# no.py linguist-generated\nkept_pb2.py -linguist-generated\n"},
              {"sub/.gitattributes", "x.py text linguist-generated\n\"y z.py\" linguist-generated\n"
                                     "own_pb2.py linguist-generated=false\n"}),
        NULL, NULL, false);
    cr_assert(attributes_read(&arena, repository, head, &attributes, &err), "%s", err.message);
    static const struct {
        const char *path;
        bool generated;
    } rows[] = {{"a_pb2.py", true},    {"deep/er/a_pb2.py", true}, {"kept_pb2.py", false},
                {"api/v1/c.py", true}, {"sub/api/c.py", false},    {"no.py", false},
                {"x.py", false},       {"sub/x.py", true},         {"sub/deep/x.py", true},
                {"sub/y z.py", true},  {"sub/own_pb2.py", false},  {"sub/a_pb2.py", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(attributes_generated(&attributes, str_of(rows[i].path)), rows[i].generated,
                     "%s", rows[i].path);
}
