#include "deploy/world/files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct arena arena;

static void make(void)
{
    strcpy(folder, "/tmp/sluice-test-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void clean(void)
{
    struct error err;
    cr_expect(folder_remove(folder, &err));
    cr_expect_not(file_exists(folder));
    arena_done(&arena);
}

TestSuite(files, .init = make, .fini = clean);

static const char *in(const char *name)
{
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

Test(files, writes_whole_and_reads_back)
{
    struct error err;
    struct stat status;
    str bytes;
    cr_assert(file_write(in("a"), STR("one\0two"), 0640, &err), "%s", err.message);
    cr_assert(stat(in("a"), &status) == 0);
    cr_expect_eq(status.st_mode & 07777, 0640);
    cr_assert(file_read(&arena, in("a"), 100, &bytes, &err));
    cr_expect(str_eq(bytes, STR("one\0two")));
    cr_assert(file_write(in("a"), STR(""), 0600, &err));
    cr_assert(file_read(&arena, in("a"), 100, &bytes, &err));
    cr_expect_eq(bytes.len, 0);
    cr_expect(file_exists(in("a")));
}

Test(files, limits_and_absence)
{
    struct error err;
    str bytes = STR("untouched");
    cr_assert(file_write(in("a"), STR("12345"), 0644, &err));
    cr_expect(file_read(&arena, in("a"), 5, &bytes, &err));
    bytes = STR("untouched");
    cr_expect_not(file_read(&arena, in("a"), 4, &bytes, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_expect_not(file_read(&arena, in("none"), 4, &bytes, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect_not(file_read(&arena, folder, 4, &bytes, &err));
    cr_expect_eq(err.kind, ERROR_SYSTEM);
    cr_expect(str_is(bytes, "untouched"));
    cr_expect_not(file_exists(in("none")));
}

Test(files, a_write_that_fails_leaves_the_old_file_and_nothing_beside)
{
    struct error err;
    str bytes;
    cr_assert(folder_make(in("d/file"), 0755, &err)); // a folder where the file should go
    cr_expect_not(file_write(in("d/file"), STR("x"), 0644, &err));
    cr_expect_eq(rmdir(in("d/file")), 0);
    cr_expect_eq(rmdir(in("d")), 0, "nothing was left beside it");
    cr_expect_not(file_write(in("no/such/folder"), STR("x"), 0644, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_assert(file_write(in("b"), STR("old"), 0644, &err));
    cr_expect_not(file_write(in("b/c"), STR("new"), 0644, &err));
    cr_assert(file_read(&arena, in("b"), 10, &bytes, &err));
    cr_expect(str_is(bytes, "old"));
}

Test(files, folders_with_parents)
{
    struct error err;
    cr_expect(folder_make(in("x/y/z"), 0755, &err));
    cr_expect(folder_make(in("x/y/z"), 0755, &err), "it may exist");
    cr_expect(folder_make(in("x//y/w/"), 0755, &err));
    cr_expect(file_exists(in("x/y/w")));
    cr_assert(file_write(in("x/file"), STR("x"), 0644, &err));
    cr_expect_not(folder_make(in("x/file/deeper"), 0755, &err));
    cr_expect_not(folder_make("", 0755, &err));
}

Test(files, removing_follows_no_link)
{
    struct error err;
    cr_assert(folder_make(in("kept"), 0755, &err));
    cr_assert(file_write(in("kept/file"), STR("x"), 0644, &err));
    cr_assert(folder_make(in("gone/a/b"), 0755, &err));
    cr_assert(file_write(in("gone/a/b/file"), STR("x"), 0400, &err));
    cr_assert_eq(symlink(in("kept"), in("gone/a/link")), 0);
    cr_expect(folder_remove(in("gone"), &err), "%s", err.message);
    cr_expect_not(file_exists(in("gone")));
    cr_expect(file_exists(in("kept/file")));
    cr_assert_eq(symlink(in("kept"), in("link")), 0);
    cr_expect_not(folder_remove(in("link"), &err), "a link is no folder");
    cr_expect(file_exists(in("kept/file")));
    cr_expect(folder_remove(in("never-was"), &err));
}
