// A repository in a temporary folder, made commit by commit from file names and contents.
#ifndef TESTS_UNIT_GATE_GIT_WORLD_H
#define TESTS_UNIT_GATE_GIT_WORLD_H

#include "gate/git/attributes.h"
#include "gate/git/changes.h"
#include "gate/git/repository.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct arena arena;
static char folder[64];
static git_repository *made;
static struct repository *repository;

static inline void world_init(void)
{
    struct error err = {0};
    (void)snprintf(folder, sizeof folder, "/tmp/sluice-git-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_geq(git_libgit2_init(), 0);
    cr_assert_eq(git_repository_init(&made, folder, 0), 0);
    cr_assert(repository_open(folder, &repository, &err), "%s", err.message);
}

static inline int world_remove(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void world_done(void)
{
    repository_close(repository);
    git_repository_free(made);
    (void)git_libgit2_shutdown();
    (void)nftw(folder, world_remove, 16, FTW_DEPTH | FTW_PHYS);
    arena_done(&arena);
}

struct world_file {
    const char *path, *content;
};

// A commit of exactly these files (the list ends with a null path); parents are commits or null.
// Moves HEAD's branch when `move` is set.
static inline const char *world_commit(const struct world_file *files, const char *parent,
                                       const char *second, bool move)
{
    git_index *index;
    git_oid tree_id, id;
    git_tree *tree;
    git_signature *who;
    git_commit *parents[2];
    const git_commit *given[2];
    size_t count = 0;
    cr_assert_eq(git_index_new(&index), 0);
    for (; files->path; files++) {
        git_index_entry entry = {.path = files->path, .mode = GIT_FILEMODE_BLOB};
        cr_assert_eq(
            git_blob_create_from_buffer(&entry.id, made, files->content, strlen(files->content)),
            0);
        cr_assert_eq(git_index_add(index, &entry), 0);
    }
    cr_assert_eq(git_index_write_tree_to(&tree_id, index, made), 0);
    cr_assert_eq(git_tree_lookup(&tree, made, &tree_id), 0);
    cr_assert_eq(git_signature_new(&who, "A", "a@example.org", 1800000000, 0), 0);
    const char *const named[] = {parent, second};
    for (size_t i = 0; i < 2; i++) {
        git_oid oid;
        if (!named[i])
            continue;
        cr_assert_eq(git_oid_fromstr(&oid, named[i]), 0);
        cr_assert_eq(git_commit_lookup(&parents[count], made, &oid), 0);
        given[count] = parents[count];
        count++;
    }
    cr_assert_eq(git_commit_create(&id, made, NULL, who, who, NULL, "m", tree, count, given), 0);
    if (move) {
        git_reference *reference;
        cr_assert_eq(git_reference_create(&reference, made, "refs/heads/main", &id, 1, NULL), 0);
        git_reference_free(reference);
        cr_assert_eq(git_repository_set_head(made, "refs/heads/main"), 0);
    }
    for (size_t i = 0; i < count; i++)
        git_commit_free(parents[i]);
    git_signature_free(who);
    git_tree_free(tree);
    git_index_free(index);
    char *hex = arena_alloc(&arena, COMMIT_HEX);
    return git_oid_tostr(hex, COMMIT_HEX, &id);
}

#define FILES(...) ((const struct world_file[]){__VA_ARGS__, {0}})

#endif
