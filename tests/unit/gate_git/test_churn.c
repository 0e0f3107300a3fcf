#include "gate/git/churn.h"

#include "world.h"

TestSuite(churn, .init = world_init, .fini = world_done);

static struct churn read_from(const char *head, int64_t since_ms)
{
    struct churn churn;
    struct error err = {0};
    cr_assert(churn_read(&arena, repository, head, since_ms, NULL, &churn, &err), "%s",
              err.message);
    return churn;
}

Test(churn, commits_that_touch_a_file_are_counted)
{
    const char *one = world_commit(FILES({"a.py", "1\n"}, {"b.py", "1\n"}), NULL, NULL, false);
    const char *two = world_commit(FILES({"a.py", "2\n"}, {"b.py", "1\n"}), one, NULL, false);
    const char *three = world_commit(FILES({"a.py", "3\n"}), two, NULL, false);
    struct churn churn = read_from(three, 0);
    cr_expect_eq(churn.commits, 3);
    cr_expect_eq(churn_of(&churn, STR("a.py")), 3);
    cr_expect_eq(churn_of(&churn, STR("b.py")), 2, "written once, deleted once");
    cr_expect_eq(churn_of(&churn, STR("c.py")), 0);
    cr_expect(!churn.cut_off);
}

Test(churn, merges_do_not_count_what_was_counted_where_it_was_written)
{
    const char *base = world_commit(FILES({"a.py", "1\n"}), NULL, NULL, false);
    const char *left = world_commit(FILES({"a.py", "1\n"}, {"l.py", "1\n"}), base, NULL, false);
    const char *right = world_commit(FILES({"a.py", "1\n"}, {"r.py", "1\n"}), base, NULL, false);
    const char *merge =
        world_commit(FILES({"a.py", "1\n"}, {"l.py", "1\n"}, {"r.py", "1\n"}), left, right, false);
    struct churn churn = read_from(merge, 0);
    cr_expect_eq(churn.commits, 3);
    cr_expect_eq(churn_of(&churn, STR("r.py")), 1);
    cr_expect_eq(churn_of(&churn, STR("l.py")), 1);
}

Test(churn, folders_are_compared_by_their_files)
{
    const char *one = world_commit(FILES({"a", "1\n"}, {"b/c.py", "1\n"}, {"b/d/e.py", "1\n"}),
                                   NULL, NULL, false);
    const char *two = world_commit(
        FILES({"a/f.py", "1\n"}, {"b.py", "1\n"}, {"b/c.py", "1\n"}, {"b/d/e.py", "2\n"}), one,
        NULL, false);
    const char *three = world_commit(FILES({"a", "1\n"}, {"b/d", "1\n"}), two, NULL, false);
    static const struct {
        str path;
        uint32_t commits;
    } rows[] = {{STR_INIT("a"), 3},      {STR_INIT("a/f.py"), 2}, {STR_INIT("b.py"), 2},
                {STR_INIT("b/c.py"), 2}, {STR_INIT("b/d"), 1},    {STR_INIT("b/d/e.py"), 3}};
    struct churn all = read_from(three, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct churn_paths only = {&rows[i].path, 1};
        struct churn one_file;
        struct error err = {0};
        cr_expect_eq(churn_of(&all, rows[i].path), rows[i].commits, "%s", rows[i].path.data);
        cr_assert(churn_read(&arena, repository, three, 0, &only, &one_file, &err));
        cr_expect_eq(one_file.count, 1);
        cr_expect_eq(churn_of(&one_file, rows[i].path), rows[i].commits, "%s", rows[i].path.data);
        cr_expect_eq(one_file.commits, 3);
    }
    cr_expect_eq(all.count, sizeof rows / sizeof *rows);
}

Test(churn, what_is_older_than_the_window_does_not_count)
{
    const char *one = world_commit(FILES({"a.py", "1\n"}), NULL, NULL, false);
    struct churn churn = read_from(one, INT64_MAX / 2);
    cr_expect_eq(churn.commits, 0);
    cr_expect_eq(churn.count, 0);
}

Test(churn, a_commit_that_is_not_here_is_absent)
{
    struct churn churn;
    struct error err = {0};
    (void)world_commit(FILES({"a.py", "1\n"}), NULL, NULL, false);
    cr_expect(!churn_read(&arena, repository, "0123456789012345678901234567890123456789", 0, NULL,
                          &churn, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect(!churn_read(&arena, repository, "no commit", 0, NULL, &churn, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
}
