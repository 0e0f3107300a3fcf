#include "gate/git/repository.h"

#include "gate/base/limits.h"
#include "gate/git/handle.h"
#include "gate/git/merge_base.h"

#include <git2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct repository {
    git_repository *git;
};

static void drop_commit(git_commit **commit)
{
    git_commit_free(*commit);
}

static void drop_object(git_object **object)
{
    git_object_free(*object);
}

static void drop_tree(git_tree **tree)
{
    git_tree_free(*tree);
}

struct git_repository *repository_handle(struct repository *repository)
{
    return repository->git;
}

bool repository_failed(struct error *err, const char *doing)
{
    const git_error *last = git_error_last();
    if (last && last->klass == GIT_ERROR_ODB && last->message &&
        strstr(last->message, "object not found"))
        return error_set(err, ERROR_ABSENT,
                         "%s: this clone does not hold all of it, for it is partial or damaged: "
                         "check it out with `fetch-depth: 0`, without `filter` and without "
                         "`sparse-checkout`",
                         doing);
    return error_set(err, ERROR_SYSTEM, "%s: %s", doing,
                     last && last->message ? last->message : "libgit2 gives no reason");
}

// Says so, and the folder that `safe.directory` must name. libgit2 tells a repository of another
// user as GIT_EOWNER or, when no `safe.directory` is set at all, as one that is not there.
static bool owned_by_another(const char *directory, struct error *err)
{
    git_buf found = {0};
    struct stat info;
    if (git_repository_discover(&found, directory, 0, NULL) != 0)
        return false;
    str path = str_make(found.ptr, found.size);
    size_t inner = strlen("/.git/");
    if (path.len > inner && str_is(str_from(path, path.len - inner), "/.git/"))
        path.len -= inner;
    bool another = stat(found.ptr, &info) == 0 && info.st_uid != geteuid();
    if (another)
        (void)error_set(err, ERROR_DENIED,
                        "the repository belongs to another user: run `git config --global --add "
                        "safe.directory " STR_FMT "` first",
                        STR_ARG(path));
    git_buf_dispose(&found);
    return another;
}

static bool cannot_open(const char *directory, int code, struct error *err)
{
    const git_error *last = git_error_last();
    if ((code == GIT_ENOTFOUND || code == GIT_EOWNER) && owned_by_another(directory, err))
        return false;
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT, "`%s` is not in a git repository", directory);
    if (last && last->message && strstr(last->message, "objectformat"))
        return error_set(err, ERROR_INPUT,
                         "the repository names its objects by SHA-256, which is not supported: "
                         "only SHA-1 repositories are");
    return repository_failed(err, "opening the repository");
}

bool repository_open(const char *directory, struct repository **ret, struct error *err)
{
    // What they ask of a reader is done here: no content is fetched, and nothing that git keeps per
    // work tree (which files are checked out) is looked at.
    const char *extensions[] = {"partialclone", "worktreeconfig"};
    git_repository *git = NULL;
    if (git_libgit2_init() < 0)
        return repository_failed(err, "starting libgit2");
    int code = git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions,
                                sizeof extensions / sizeof *extensions);
    if (code == 0)
        code = git_repository_open_ext(&git, directory, 0, NULL);
    if (code != 0) {
        (void)cannot_open(directory, code, err);
        (void)git_libgit2_shutdown();
        return false;
    }
    struct repository *repository = memory_alloc(sizeof *repository);
    repository->git = git;
    *ret = repository;
    return true;
}

void repository_close(struct repository *repository)
{
    if (!repository)
        return;
    git_repository_free(repository->git);
    free(repository);
    (void)git_libgit2_shutdown();
}

const char *repository_common_dir(const struct repository *repository)
{
    return git_repository_commondir(repository->git);
}

const char *repository_root(const struct repository *repository)
{
    return git_repository_workdir(repository->git);
}

bool repository_is_shallow(const struct repository *repository)
{
    return git_repository_is_shallow(repository->git) == 1;
}

static bool lookup(struct repository *repository, const char *commit, git_commit **ret,
                   struct error *err)
{
    git_oid id;
    if (git_oid_fromstr(&id, commit) != 0)
        return error_set(err, ERROR_INPUT, "`%s` is not a commit", commit);
    int code = git_commit_lookup(ret, repository->git, &id);
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT, "commit %.10s is not in this clone%s", commit,
                         repository_is_shallow(repository)
                             ? ", which is shallow: check it out with `fetch-depth: 0`"
                             : "");
    return code == 0 || repository_failed(err, "reading a commit");
}

bool repository_tree(struct repository *repository, const char *commit, struct git_tree **ret,
                     struct error *err)
{
    git_commit *found __attribute__((cleanup(drop_commit))) = NULL;
    if (!lookup(repository, commit, &found, err))
        return false;
    return git_commit_tree(ret, found) == 0 || repository_failed(err, "reading a commit's files");
}

bool repository_resolve(struct repository *repository, const char *revision, char ret[COMMIT_HEX],
                        struct error *err)
{
    git_object *object __attribute__((cleanup(drop_object))) = NULL;
    git_object *commit __attribute__((cleanup(drop_object))) = NULL;
    int code = git_revparse_single(&object, repository->git, revision);
    if (code == 0)
        code = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
    if (code == GIT_EAMBIGUOUS)
        return error_set(err, ERROR_INPUT, "`%s` names more than one commit", revision);
    if (code != 0)
        return error_set(err, ERROR_ABSENT, "`%s` names no commit in this clone%s", revision,
                         repository_is_shallow(repository)
                             ? ", which is shallow: check it out with `fetch-depth: 0`"
                             : "");
    (void)git_oid_tostr(ret, COMMIT_HEX, git_object_id(commit));
    return true;
}

bool repository_first_parent(struct repository *repository, const char *commit,
                             char ret[COMMIT_HEX], bool *ret_has, struct error *err)
{
    git_commit *child __attribute__((cleanup(drop_commit))) = NULL;
    git_commit *parent __attribute__((cleanup(drop_commit))) = NULL;
    char hex[COMMIT_HEX];
    if (!lookup(repository, commit, &child, err))
        return false;
    if (git_commit_parentcount(child) == 0) {
        *ret_has = false;
        return true;
    }
    (void)git_oid_tostr(hex, sizeof hex, git_commit_parent_id(child, 0));
    if (!lookup(repository, hex, &parent, err))
        return false;
    memcpy(ret, hex, sizeof hex);
    *ret_has = true;
    return true;
}

bool repository_merge_base(struct repository *repository, const char *a, const char *b,
                           char ret[COMMIT_HEX], struct error *err)
{
    git_oid one, two, base;
    if (git_oid_fromstr(&one, a) != 0 || git_oid_fromstr(&two, b) != 0)
        return error_set(err, ERROR_INPUT, "`%s` or `%s` is not a commit", a, b);
    switch (merge_base_find(repository->git, &one, &two, &base)) {
    case MERGE_BASE_FOUND:
        (void)git_oid_tostr(ret, COMMIT_HEX, &base);
        return true;
    case MERGE_BASE_NONE:
        return error_set(err, ERROR_ABSENT, "%.10s and %.10s have no commit in common", a, b);
    case MERGE_BASE_CUT_OFF:
        return error_set(err, ERROR_ABSENT,
                         "the clone is shallow and does not hold the merge base of %.10s and "
                         "%.10s: check it out with `fetch-depth: 0`",
                         a, b);
    case MERGE_BASE_FAILED:
        break;
    }
    return repository_failed(err, "looking for the merge base");
}

bool repository_merged_into(struct repository *repository, const char *merge, const char *head,
                            const char *base, char ret[COMMIT_HEX], bool *ret_found,
                            struct error *err)
{
    git_commit *commit __attribute__((cleanup(drop_commit))) = NULL;
    char first[COMMIT_HEX], second[COMMIT_HEX], common[COMMIT_HEX];
    struct error unknown = {0};
    *ret_found = false;
    if (!lookup(repository, merge, &commit, err))
        return false;
    if (git_commit_parentcount(commit) != 2)
        return true;
    (void)git_oid_tostr(first, sizeof first, git_commit_parent_id(commit, 0));
    (void)git_oid_tostr(second, sizeof second, git_commit_parent_id(commit, 1));
    if (strcmp(second, head) != 0 ||
        !repository_merge_base(repository, base, first, common, &unknown) ||
        strcmp(common, base) != 0)
        return true;
    memcpy(ret, first, sizeof first);
    *ret_found = true;
    return true;
}

bool repository_file(struct arena *arena, struct repository *repository, const char *commit,
                     const char *path, size_t max_bytes, str *ret, bool *ret_found,
                     struct error *err)
{
    git_tree *tree __attribute__((cleanup(drop_tree))) = NULL;
    git_tree_entry *entry = NULL;
    git_blob *blob = NULL;
    if (!repository_tree(repository, commit, &tree, err))
        return false;
    int code = git_tree_entry_bypath(&entry, tree, path);
    if (code != 0 || (git_tree_entry_filemode(entry) != GIT_FILEMODE_BLOB &&
                      git_tree_entry_filemode(entry) != GIT_FILEMODE_BLOB_EXECUTABLE)) {
        git_tree_entry_free(entry);
        *ret_found = false;
        return code == 0 || code == GIT_ENOTFOUND ||
               repository_failed(err, "looking for a file of a commit");
    }
    code = git_blob_lookup(&blob, repository->git, git_tree_entry_id(entry));
    git_tree_entry_free(entry);
    if (code != 0)
        return repository_failed(err, "reading a file of a commit");
    bool fits = (uint64_t)git_blob_rawsize(blob) <= max_bytes;
    if (fits) {
        *ret =
            arena_str(arena, str_make(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)));
        *ret_found = true;
    }
    git_blob_free(blob);
    return fits || error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
}

struct listing {
    struct arena *arena;
    git_object_t kind;
    struct repository_paths paths;
};

static void add_path(struct listing *listing, str path)
{
    struct repository_paths *paths = &listing->paths;
    paths->items =
        arena_grow(listing->arena, paths->items, paths->count, &paths->room, sizeof *paths->items);
    paths->items[paths->count++] = path;
}

static int on_entry(const char *root, const git_tree_entry *entry, void *payload)
{
    struct listing *listing = payload;
    if (git_tree_entry_type(entry) != listing->kind)
        return 0;
    if (listing->paths.count >= LIMIT_SOURCE_FILES)
        return GIT_EUSER;
    add_path(listing, arena_format(listing->arena, "%s%s", root, git_tree_entry_name(entry)));
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void sort_paths(struct repository_paths *paths)
{
    if (paths->count)
        qsort(paths->items, paths->count, sizeof *paths->items, by_bytes);
}

static bool list(struct arena *arena, struct repository *repository, const char *commit,
                 git_object_t kind, struct repository_paths *ret, struct error *err)
{
    git_tree *tree __attribute__((cleanup(drop_tree))) = NULL;
    struct listing listing = {.arena = arena, .kind = kind};
    if (!repository_tree(repository, commit, &tree, err))
        return false;
    if (git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, &listing) != 0) {
        if (listing.paths.count >= LIMIT_SOURCE_FILES)
            return error_set(err, ERROR_LIMIT, "the repository has more than %u files",
                             LIMIT_SOURCE_FILES);
        return repository_failed(err, "listing the files of a commit");
    }
    sort_paths(&listing.paths);
    *ret = listing.paths;
    return true;
}

bool repository_paths(struct arena *arena, struct repository *repository, const char *commit,
                      struct repository_paths *ret, struct error *err)
{
    return list(arena, repository, commit, GIT_OBJECT_BLOB, ret, err);
}

bool repository_submodules(struct arena *arena, struct repository *repository, const char *commit,
                           struct repository_paths *ret, struct error *err)
{
    return list(arena, repository, commit, GIT_OBJECT_COMMIT, ret, err);
}

bool repository_tracked(struct arena *arena, struct repository *repository,
                        struct repository_paths *ret, struct error *err)
{
    git_index *index = NULL;
    struct listing listing = {.arena = arena};
    if (git_repository_index(&index, repository->git) != 0)
        return repository_failed(err, "reading the index");
    size_t count = git_index_entrycount(index);
    for (size_t i = 0; i < count && i < LIMIT_SOURCE_FILES; i++)
        add_path(&listing, arena_str(arena, str_of(git_index_get_byindex(index, i)->path)));
    git_index_free(index);
    if (count > LIMIT_SOURCE_FILES)
        return error_set(err, ERROR_LIMIT, "the repository has more than %u files",
                         LIMIT_SOURCE_FILES);
    sort_paths(&listing.paths);
    *ret = listing.paths;
    return true;
}

bool repository_people(struct arena *arena, struct repository *repository, const char *commit,
                       struct commit_people *ret, struct error *err)
{
    git_oid id;
    git_commit *object __attribute__((cleanup(drop_commit))) = NULL;
    if (git_oid_fromstr(&id, commit) != 0 || git_commit_lookup(&object, repository->git, &id) != 0)
        return error_set(err, ERROR_ABSENT, "commit %s is not in this repository", commit);
    const git_signature *author = git_commit_author(object);
    const git_signature *committer = git_commit_committer(object);
    *ret = (struct commit_people){
        arena_str(arena, str_of(author->name)), arena_str(arena, str_of(author->email)),
        arena_str(arena, str_of(committer->name)), arena_str(arena, str_of(committer->email))};
    return true;
}
