// Reading: commits, files, signatures, and what differs between two commits.
#include "deploy/record/store_parts.h"

#include "gate/base/limits.h"

#include <stdlib.h>

static bool damaged(struct error *err, int code, const struct object_id *id)
{
    char hex[OBJECT_HEX];
    (void)store_failed(err, code, "reading");
    err->kind = ERROR_SYSTEM;
    return strstr(err->message, object_hex(id, hex)) ? false : error_wrap(err, "object %s", hex);
}

bool store_read_commit(struct store *store, struct arena *arena, const struct object_id *id,
                       struct store_commit_info *ret, struct error *err)
{
    git_commit *commit = NULL;
    git_oid oid = store_oid(id);
    int code = git_commit_lookup(&commit, store->repo, &oid);
    if (code != 0)
        return damaged(err, code, id);
    *ret = (struct store_commit_info){
        .tree = store_id(git_commit_tree_id(commit)),
        .parent_count = git_commit_parentcount(commit),
        .time_s = git_commit_time(commit),
        .message = arena_str(arena, str_of(git_commit_message_raw(commit))),
    };
    if (ret->parent_count)
        ret->parent = store_id(git_commit_parent_id(commit, 0));
    git_commit_free(commit);
    return true;
}

bool store_read_blob(struct store *store, struct arena *arena, const struct object_id *id, str *ret,
                     struct error *err)
{
    git_blob *blob = NULL;
    git_oid oid = store_oid(id);
    int code = git_blob_lookup(&blob, store->repo, &oid);
    if (code != 0)
        return damaged(err, code, id);
    git_object_size_t size = git_blob_rawsize(blob);
    bool ok = size <= LIMIT_EVENT_BYTES;
    if (ok)
        *ret = arena_str(arena, str_make(git_blob_rawcontent(blob), (size_t)size));
    git_blob_free(blob);
    return ok ? true
              : error_set(err, ERROR_LIMIT, "a file of the ledger is larger than %u bytes",
                          LIMIT_EVENT_BYTES);
}

static int tree_of(struct store *store, const struct object_id *commit, git_tree **ret)
{
    git_commit *found = NULL;
    git_oid oid = store_oid(commit);
    int code = git_commit_lookup(&found, store->repo, &oid);
    if (code == 0)
        code = git_commit_tree(ret, found);
    git_commit_free(found);
    return code;
}

static bool find_entry(struct store *store, const struct object_id *commit, const char *path,
                       git_tree_entry **ret, struct error *err)
{
    git_tree *tree = NULL;
    int code = tree_of(store, commit, &tree);
    if (code != 0)
        return damaged(err, code, commit);
    code = git_tree_entry_bypath(ret, tree, path);
    git_tree_free(tree);
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT, "the ledger has no %s", path);
    return code == 0 ? true : store_failed(err, code, "reading a folder of the ledger");
}

bool store_read_file(struct store *store, struct arena *arena, const struct object_id *commit,
                     const char *path, str *ret, struct error *err)
{
    git_tree_entry *entry = NULL;
    if (object_is_none(commit))
        return error_set(err, ERROR_ABSENT, "the ledger is empty");
    if (!find_entry(store, commit, path, &entry, err))
        return false;
    struct object_id blob = store_id(git_tree_entry_id(entry));
    git_tree_entry_free(entry);
    return store_read_blob(store, arena, &blob, ret, err);
}

static bool find_folder(struct store *store, const struct object_id *commit, const char *path,
                        git_tree **ret, struct error *err)
{
    git_tree_entry *entry = NULL;
    if (object_is_none(commit))
        return error_set(err, ERROR_ABSENT, "the ledger is empty");
    if (!find_entry(store, commit, path, &entry, err))
        return false;
    int code = git_tree_lookup(ret, store->repo, git_tree_entry_id(entry));
    git_tree_entry_free(entry);
    return code == 0 ? true : store_failed(err, code, "reading a folder of the ledger");
}

bool store_folder_size(struct store *store, const struct object_id *commit, const char *path,
                       size_t *ret, struct error *err)
{
    git_tree *tree = NULL;
    struct error why;
    *ret = 0;
    if (!find_folder(store, commit, path, &tree, &why)) {
        if (why.kind == ERROR_ABSENT)
            return true;
        *err = why;
        return false;
    }
    *ret = git_tree_entrycount(tree);
    git_tree_free(tree);
    return true;
}

bool store_list(struct store *store, struct arena *arena, const struct object_id *commit,
                const char *folder, str **ret, size_t *ret_count, struct error *err)
{
    git_tree *tree = NULL;
    struct error why;
    if (!find_folder(store, commit, folder, &tree, &why)) {
        if (why.kind != ERROR_ABSENT) {
            *err = why;
            return false;
        }
        *ret = NULL;
        *ret_count = 0;
        return true;
    }
    size_t count = git_tree_entrycount(tree);
    str *names = ARENA_ARRAY(arena, str, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = arena_str(arena, str_of(git_tree_entry_name(git_tree_entry_byindex(tree, i))));
    git_tree_free(tree);
    *ret = names;
    *ret_count = count;
    return true;
}

bool store_signature(struct store *store, struct arena *arena, const struct object_id *commit,
                     str *ret_signature, str *ret_payload, struct error *err)
{
    git_buf signature = {0}, payload = {0};
    git_oid oid = store_oid(commit);
    int code = git_commit_extract_signature(&signature, &payload, store->repo, &oid, NULL);
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT, "the commit is not signed");
    if (code != 0)
        return damaged(err, code, commit);
    *ret_signature = arena_str(arena, str_make(signature.ptr, signature.size));
    *ret_payload = arena_str(arena, str_make(payload.ptr, payload.size));
    git_buf_dispose(&signature);
    git_buf_dispose(&payload);
    return true;
}

// ---- differences --------------------------------------------------------------------------------

enum { DIFFERENCE_DEPTH = 16 };

struct comparison {
    git_repository *repo;
    struct arena *arena;
    struct store_difference *items;
    size_t count;
};

static int compare(struct comparison *c, const char *folder, const git_oid *before,
                   const git_oid *after, unsigned depth);

static bool is_folder(const git_tree_entry *entry)
{
    return entry && git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

// One name: as it was and as it is; either may be null.
static int compare_entry(struct comparison *c, const char *folder, const git_tree_entry *was,
                         const git_tree_entry *is, unsigned depth)
{
    if (was && is && git_oid_equal(git_tree_entry_id(was), git_tree_entry_id(is)) &&
        git_tree_entry_filemode_raw(was) == git_tree_entry_filemode_raw(is))
        return 0;
    const char *name = git_tree_entry_name(is ? is : was);
    const char *path = arena_format(c->arena, "%s%s", folder, name).data;
    if (is_folder(was) || is_folder(is)) {
        const char *inner = arena_format(c->arena, "%s/", path).data;
        int code = compare(c, inner, is_folder(was) ? git_tree_entry_id(was) : NULL,
                           is_folder(is) ? git_tree_entry_id(is) : NULL, depth - 1);
        if (code != 0 || (is_folder(was) && is_folder(is)))
            return code;
        was = is_folder(was) ? NULL : was;
        is = is_folder(is) ? NULL : is;
        if (!was && !is)
            return 0;
    }
    if (c->count > STORE_DIFFERENCES)
        return 0;
    struct store_difference *d = &c->items[c->count++];
    *d = (struct store_difference){.change = !was ? STORE_ADDED
                                             : is ? STORE_CHANGED
                                                  : STORE_REMOVED,
                                   .path = path};
    if (is) {
        d->blob = store_id(git_tree_entry_id(is));
        d->plain = git_tree_entry_filemode_raw(is) == GIT_FILEMODE_BLOB;
    }
    return 0;
}

static int compare(struct comparison *c, const char *folder, const git_oid *before,
                   const git_oid *after, unsigned depth)
{
    git_tree *old = NULL, *new = NULL;
    if (depth == 0) {
        git_error_set_str(GIT_ERROR_TREE, "folders are nested too deeply");
        return GIT_EINVALID;
    }
    int code = before ? git_tree_lookup(&old, c->repo, before) : 0;
    if (code == 0 && after)
        code = git_tree_lookup(&new, c->repo, after);
    size_t i = 0, j = 0;
    size_t old_count = old ? git_tree_entrycount(old) : 0;
    size_t new_count = new ? git_tree_entrycount(new) : 0;
    while (code == 0 && (i < old_count || j < new_count) && c->count <= STORE_DIFFERENCES) {
        const git_tree_entry *was = i < old_count ? git_tree_entry_byindex(old, i) : NULL;
        const git_tree_entry *is = j < new_count ? git_tree_entry_byindex(new, j) : NULL;
        int order = !was ? 1 : !is ? -1 : git_tree_entry_cmp(was, is);
        if (order <= 0)
            i++;
        if (order >= 0)
            j++;
        code = compare_entry(c, folder, order <= 0 ? was : NULL, order >= 0 ? is : NULL, depth);
    }
    git_tree_free(old);
    git_tree_free(new);
    return code;
}

bool store_differences(struct store *store, struct arena *arena, const struct object_id *before,
                       const struct object_id *after,
                       struct store_difference ret[STORE_DIFFERENCES + 1], size_t *ret_count,
                       struct error *err)
{
    struct comparison c = {store->repo, arena, ret, 0};
    git_tree *old = NULL, *new = NULL;
    int code = object_is_none(before) ? 0 : tree_of(store, before, &old);
    if (code == 0)
        code = tree_of(store, after, &new);
    if (code == 0 && !(old && git_oid_equal(git_tree_id(old), git_tree_id(new))))
        code = compare(&c, "", old ? git_tree_id(old) : NULL, git_tree_id(new), DIFFERENCE_DEPTH);
    git_tree_free(old);
    git_tree_free(new);
    if (code != 0)
        return damaged(err, code, after);
    *ret_count = c.count;
    return true;
}
