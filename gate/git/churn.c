#include "gate/git/churn.h"

#include "gate/base/limits.h"
#include "gate/git/handle.h"

#include <git2.h>
#include <stdlib.h>

// Clocks of committers differ: a commit that looks too old does not end the walk, so many in a row
// do.
#define OLD_IN_A_ROW 100u
#define FOLDERS_DEEP 256u

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

struct counting {
    struct arena *arena;
    git_repository *repository;
    const struct churn_paths *only;
    struct churn *churn;
    char path[LIMIT_PATH]; // of the entry at hand
};

static void add(struct counting *c, str path)
{
    struct churn *churn = c->churn;
    churn->items =
        arena_grow(c->arena, churn->items, churn->count, &churn->room, sizeof *churn->items);
    churn->items[churn->count++] = (struct churned_file){arena_str(c->arena, path), 1};
}

// Is it one of the files that are asked for, or a folder (with '/' at its end) that has some?
static bool is_wanted(const struct churn_paths *only, str path)
{
    size_t low = 0, high = only ? only->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(only->items[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!only || low == only->count)
        return !only;
    bool folder = path.len && path.data[path.len - 1] == '/';
    return folder ? str_starts(only->items[low], path) : str_eq(only->items[low], path);
}

static bool count_entry(struct counting *c, const git_tree_entry *old, const git_tree_entry *new,
                        size_t length, unsigned depth);

// What differs between two folders, of which one may be null. libgit2's own diff would look at
// every file of both, which is too much for thousands of commits: folders that are equal are passed
// over here. `length`: of the path before their entries.
static bool count_trees(struct counting *c, git_tree *old, git_tree *new, size_t length,
                        unsigned depth)
{
    size_t old_count = old ? git_tree_entrycount(old) : 0;
    size_t new_count = new ? git_tree_entrycount(new) : 0;
    for (size_t i = 0, k = 0; i < old_count || k < new_count;) {
        const git_tree_entry *a = i < old_count ? git_tree_entry_byindex(old, i) : NULL;
        const git_tree_entry *b = k < new_count ? git_tree_entry_byindex(new, k) : NULL;
        int order = !a ? 1 : !b ? -1 : git_tree_entry_cmp(a, b);
        i += order <= 0;
        k += order >= 0;
        if (order == 0 && git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
            git_tree_entry_filemode(a) == git_tree_entry_filemode(b))
            continue;
        if (!count_entry(c, order <= 0 ? a : NULL, order >= 0 ? b : NULL, length, depth))
            return false;
    }
    return true;
}

// One of them may be null; both are folders, or none is.
static bool count_entry(struct counting *c, const git_tree_entry *old, const git_tree_entry *new,
                        size_t length, unsigned depth)
{
    const git_tree_entry *one = new ? new : old;
    str name = str_of(git_tree_entry_name(one));
    if (name.len + 2 > sizeof c->path - length)
        return false;
    memcpy(c->path + length, name.data, name.len);
    length += name.len;
    if (git_tree_entry_type(one) != GIT_OBJECT_TREE) {
        str path = str_make(c->path, length);
        if (is_wanted(c->only, path))
            add(c, path);
        return true;
    }
    c->path[length++] = '/';
    if (!is_wanted(c->only, str_make(c->path, length)))
        return true;
    git_tree *before __attribute__((cleanup(drop_tree))) = NULL;
    git_tree *after __attribute__((cleanup(drop_tree))) = NULL;
    if (depth == FOLDERS_DEEP ||
        (old && git_tree_lookup(&before, c->repository, git_tree_entry_id(old)) != 0) ||
        (new &&git_tree_lookup(&after, c->repository, git_tree_entry_id(new)) != 0))
        return false;
    return count_trees(c, before, after, length, depth + 1);
}

// A commit whose parent is not in this clone says nothing about what it changed.
static bool add_commit(struct counting *c, git_commit *commit)
{
    git_commit *parent __attribute__((cleanup(drop_commit))) = NULL;
    git_tree *old __attribute__((cleanup(drop_tree))) = NULL;
    git_tree *new __attribute__((cleanup(drop_tree))) = NULL;
    if (git_commit_parentcount(commit) == 1 &&
        (git_commit_parent(&parent, commit, 0) != 0 || git_commit_tree(&old, parent) != 0))
        return false;
    if (git_commit_tree(&new, commit) != 0 || !count_trees(c, old, new, 0, 0))
        return false;
    c->churn->commits++;
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

static bool take(struct counting *c, const git_oid *id, int64_t since_ms, unsigned *old_in_a_row)
{
    git_commit *commit __attribute__((cleanup(drop_commit))) = NULL;
    if (git_commit_lookup(&commit, c->repository, id) != 0)
        return false;
    if ((int64_t)git_commit_time(commit) * 1000 < since_ms) {
        ++*old_in_a_row;
        return true;
    }
    *old_in_a_row = 0;
    return git_commit_parentcount(commit) > 1 || add_commit(c, commit);
}

bool churn_read(struct arena *arena, struct repository *repository, const char *head,
                int64_t since_ms, const struct churn_paths *only, struct churn *ret,
                struct error *err)
{
    git_revwalk *walk __attribute__((cleanup(drop_walk))) = NULL;
    git_repository *git = repository_handle(repository);
    struct churn churn = {0};
    struct counting counting = {.arena = arena, .repository = git, .only = only, .churn = &churn};
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
        if (code != 0 || n >= CHURN_COMMITS || !take(&counting, &id, since_ms, &old_in_a_row)) {
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
