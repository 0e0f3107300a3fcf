#include "gate/git/churn.h"

#include "gate/git/handle.h"

#include <git2.h>
#include <stdlib.h>

// Clocks of committers differ: a commit that looks too old does not end the walk, so many in a row
// do.
#define OLD_IN_A_ROW 100u

static void drop_walk(git_revwalk **walk)
{
    git_revwalk_free(*walk);
}

static void drop_commit(git_commit **commit)
{
    git_commit_free(*commit);
}

static void drop_tree(git_tree **tree)
{
    git_tree_free(*tree);
}

static void drop_diff(git_diff **diff)
{
    git_diff_free(*diff);
}

static void add(struct arena *arena, struct churn *churn, const char *path)
{
    churn->items =
        arena_grow(arena, churn->items, churn->count, &churn->room, sizeof *churn->items);
    churn->items[churn->count++] = (struct churned_file){arena_str(arena, str_of(path)), 1};
}

// A commit whose parent is not in this clone says nothing about what it changed.
static bool add_commit(struct arena *arena, git_repository *repository, git_commit *commit,
                       struct churn *churn)
{
    git_commit *parent __attribute__((cleanup(drop_commit))) = NULL;
    git_tree *old __attribute__((cleanup(drop_tree))) = NULL;
    git_tree *new __attribute__((cleanup(drop_tree))) = NULL;
    git_diff *diff __attribute__((cleanup(drop_diff))) = NULL;
    if (git_commit_parentcount(commit) == 1 &&
        (git_commit_parent(&parent, commit, 0) != 0 || git_commit_tree(&old, parent) != 0))
        return false;
    if (git_commit_tree(&new, commit) != 0 ||
        git_diff_tree_to_tree(&diff, repository, old, new, NULL) != 0)
        return false;
    for (size_t i = 0; i < git_diff_num_deltas(diff); i++)
        add(arena, churn, git_diff_get_delta(diff, i)->new_file.path);
    churn->commits++;
    return true;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct churned_file *)a)->path, ((const struct churned_file *)b)->path);
}

static void unite(struct churn *churn)
{
    size_t n = 0;
    if (churn->count)
        qsort(churn->items, churn->count, sizeof *churn->items, by_path);
    for (size_t i = 0; i < churn->count; i++) {
        if (n && str_eq(churn->items[n - 1].path, churn->items[i].path))
            churn->items[n - 1].commits++;
        else
            churn->items[n++] = churn->items[i];
    }
    churn->count = n;
}

static bool take(struct arena *arena, git_repository *repository, const git_oid *id,
                 int64_t since_ms, unsigned *old_in_a_row, struct churn *churn)
{
    git_commit *commit __attribute__((cleanup(drop_commit))) = NULL;
    if (git_commit_lookup(&commit, repository, id) != 0)
        return false;
    if ((int64_t)git_commit_time(commit) * 1000 < since_ms) {
        ++*old_in_a_row;
        return true;
    }
    *old_in_a_row = 0;
    return git_commit_parentcount(commit) > 1 || add_commit(arena, repository, commit, churn);
}

bool churn_read(struct arena *arena, struct repository *repository, const char *head,
                int64_t since_ms, struct churn *ret, struct error *err)
{
    git_revwalk *walk __attribute__((cleanup(drop_walk))) = NULL;
    git_repository *git = repository_handle(repository);
    struct churn churn = {0};
    unsigned old_in_a_row = 0;
    git_oid id;
    if (git_oid_fromstr(&id, head) != 0)
        return error_set(err, ERROR_INPUT, "`%s` is not a commit", head);
    int code = git_revwalk_new(&walk, git);
    if (code == 0)
        code = git_revwalk_push(walk, &id);
    if (code != 0)
        return error_set(err, ERROR_ABSENT, "commit %.10s is not in this clone", head);
    for (unsigned n = 0; old_in_a_row < OLD_IN_A_ROW; n++) {
        code = git_revwalk_next(&id, walk);
        if (code == GIT_ITEROVER)
            break;
        if (code != 0 || n >= CHURN_COMMITS ||
            !take(arena, git, &id, since_ms, &old_in_a_row, &churn)) {
            churn.cut_off = true;
            break;
        }
    }
    unite(&churn);
    *ret = churn;
    return true;
}

uint32_t churn_of(const struct churn *churn, str path)
{
    size_t low = 0, high = churn->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(churn->items[middle].path, path);
        if (order == 0)
            return churn->items[middle].commits;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}
