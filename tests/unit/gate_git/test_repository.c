#include "world.h"

TestSuite(repository, .init = world_init, .fini = world_done);

Test(repository, names_become_commits)
{
    char hex[COMMIT_HEX];
    struct error err = {0};
    cr_expect_not(repository_resolve(repository, "HEAD", hex, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    const char *one = world_commit(FILES({"a", "1\n"}), NULL, NULL, true);
    cr_assert(repository_resolve(repository, "HEAD", hex, &err), "%s", err.message);
    cr_expect_str_eq(hex, one);
    cr_expect_not(repository_resolve(repository, "no-such", hex, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(repository, parents_and_merge_bases)
{
    char hex[COMMIT_HEX];
    bool has;
    struct error err = {0};
    const char *root = world_commit(FILES({"a", "1\n"}), NULL, NULL, false);
    const char *left = world_commit(FILES({"a", "2\n"}), root, NULL, false);
    const char *right = world_commit(FILES({"a", "3\n"}), root, NULL, false);
    const char *other = world_commit(FILES({"b", "3\n"}), NULL, NULL, false);
    cr_assert(repository_first_parent(repository, root, hex, &has, &err));
    cr_expect_not(has);
    cr_assert(repository_first_parent(repository, left, hex, &has, &err));
    cr_expect(has);
    cr_expect_str_eq(hex, root);
    cr_assert(repository_merge_base(repository, left, right, hex, &err));
    cr_expect_str_eq(hex, root);
    cr_expect_not(repository_merge_base(repository, left, other, hex, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

// Random histories, compared with libgit2's own answer: it must be one of the best ones.
Test(repository, merge_bases_agree_with_libgit2)
{
    const char *commits[40];
    struct error err = {0};
    unsigned random = 12345;
    for (size_t i = 0; i < 40; i++) {
        char content[16];
        size_t from = i > 6 ? i - 6 : 0;
        random = random * 1103515245U + 12345U;
        const char *parent = i ? commits[from + (random >> 16) % (i - from)] : NULL;
        const char *second =
            i > 2 && random % 3 == 0 ? commits[from + (random >> 8) % (i - from)] : NULL;
        if (second && strcmp(second, parent) == 0)
            second = NULL;
        (void)snprintf(content, sizeof content, "%zu", i);
        commits[i] = world_commit(FILES({"a", content}), parent, second, false);
    }
    for (size_t a = 0; a < 40; a++)
        for (size_t b = 0; b < 40; b++) {
            char hex[COMMIT_HEX];
            git_oid one, two;
            git_oidarray bases;
            bool found = false;
            cr_assert_eq(git_oid_fromstr(&one, commits[a]), 0);
            cr_assert_eq(git_oid_fromstr(&two, commits[b]), 0);
            cr_assert_eq(git_merge_bases(&bases, made, &one, &two), 0);
            cr_assert(repository_merge_base(repository, commits[a], commits[b], hex, &err), "%s",
                      err.message);
            for (size_t i = 0; i < bases.count; i++)
                found |= strcmp(git_oid_tostr_s(&bases.ids[i]), hex) == 0;
            cr_expect(found, "%zu and %zu", a, b);
            git_oidarray_dispose(&bases);
        }
}

Test(repository, a_shallow_clone_says_fetch_depth)
{
    char hex[COMMIT_HEX], path[128];
    bool has;
    struct error err = {0};
    // a commit whose parent is not here, as a clone of depth 1 has it
    const char *root = world_commit(FILES({"a", "1\n"}), NULL, NULL, false);
    const char *tip = world_commit(FILES({"a", "2\n"}), root, NULL, true);
    const char *side = world_commit(FILES({"a", "3\n"}), NULL, NULL, false);
    (void)snprintf(path, sizeof path, "%s/.git/objects/%.2s/%s", folder, root, root + 2);
    cr_assert_eq(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/.git/shallow", folder);
    FILE *file = fopen(path, "w");
    (void)fprintf(file, "%s\n", tip);
    (void)fclose(file);
    repository_close(repository);
    repository = NULL;
    cr_assert(repository_open(folder, &repository, &err));
    cr_expect(repository_is_shallow(repository));
    cr_expect_not(repository_first_parent(repository, tip, hex, &has, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect(strstr(err.message, "fetch-depth: 0"), "%s", err.message);
    cr_expect_not(repository_merge_base(repository, tip, side, hex, &err));
    cr_expect(strstr(err.message, "fetch-depth: 0"), "%s", err.message);
}

Test(repository, files_and_paths_of_a_commit)
{
    str bytes;
    bool found;
    struct error err = {0};
    struct repository_paths paths;
    const char *one =
        world_commit(FILES({"b/c.txt", "hello"}, {"a", "x"}, {"b.txt", "y"}), NULL, NULL, false);
    cr_assert(repository_file(&arena, repository, one, "b/c.txt", 100, &bytes, &found, &err));
    cr_expect(found);
    cr_expect(str_is(bytes, "hello"));
    cr_assert(repository_file(&arena, repository, one, "b/d.txt", 100, &bytes, &found, &err));
    cr_expect_not(found);
    cr_assert(repository_file(&arena, repository, one, "b", 100, &bytes, &found, &err));
    cr_expect_not(found, "a folder is no file");
    cr_expect_not(repository_file(&arena, repository, one, "b/c.txt", 4, &bytes, &found, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_assert(repository_paths(&arena, repository, one, &paths, &err));
    cr_assert_eq(paths.count, 3);
    cr_expect(str_is(paths.items[0], "a"));
    cr_expect(str_is(paths.items[1], "b.txt"));
    cr_expect(str_is(paths.items[2], "b/c.txt"));
}

Test(repository, a_folder_outside_is_absent)
{
    struct repository *none = NULL;
    struct error err = {0};
    cr_expect_not(repository_open("/", &none, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect_null(none);
}
