// Appending: blobs, trees, commits, and packs of many of them.
#include "deploy/record/store_parts.h"

#include "gate/base/limits.h"

#include <dirent.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEMPACK_PRIORITY = 999 };

char *store_copy(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = memory_alloc(size);
    memcpy(copy, s, size);
    return copy;
}

// ---- batches ------------------------------------------------------------------------------------

static void gather(struct store *store, const git_oid *oid)
{
    if (!store->batch)
        return;
    if (store->gathered_count == store->gathered_room) {
        store->gathered_room = store->gathered_room ? 2 * store->gathered_room : 1024;
        store->gathered =
            memory_grow(store->gathered, store->gathered_room * sizeof *store->gathered);
    }
    store->gathered[store->gathered_count++] = *oid;
}

void store_batch_drop(struct store *store)
{
    git_repository_free(store->batch);
    free(store->gathered);
    store->batch = NULL;
    store->gathered = NULL;
    store->gathered_count = store->gathered_room = 0;
    store->repo = store->plain;
}

bool store_batch_begin(struct store *store, struct error *err)
{
    git_odb *odb = NULL;
    git_odb_backend *mempack = NULL;
    int code = git_repository_open(&store->batch, store_path(store));
    if (code == 0)
        code = store_read_loose_safely(store->batch);
    if (code == 0)
        code = git_repository_odb(&odb, store->batch);
    if (code == 0)
        code = git_mempack_new(&mempack);
    if (code == 0)
        code = git_odb_add_backend(odb, mempack, MEMPACK_PRIORITY); // owned by odb from now on
    git_odb_free(odb);
    if (code != 0) {
        store_batch_drop(store);
        return store_failed(err, code, "starting a batch of the ledger");
    }
    store->repo = store->batch;
    return true;
}

bool store_write_pack(git_repository *repo, const git_oid *ids, size_t count, struct error *err)
{
    git_packbuilder *pack = NULL;
    int code = git_packbuilder_new(&pack, repo);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = git_packbuilder_insert(pack, &ids[i], NULL);
    if (code == 0)
        code = git_packbuilder_write(pack, NULL, 0, NULL, NULL);
    git_packbuilder_free(pack);
    return code == 0 ? true : store_failed(err, code, "writing a pack of the ledger");
}

static bool refresh(git_repository *repo, struct error *err)
{
    git_odb *odb = NULL;
    int code = git_repository_odb(&odb, repo);
    if (code == 0)
        code = git_odb_refresh(odb);
    git_odb_free(odb);
    return code == 0 ? true : store_failed(err, code, "looking for new packs");
}

bool store_batch_end(struct store *store, struct error *err)
{
    bool ok = store->gathered_count == 0 ||
              (store_write_pack(store->batch, store->gathered, store->gathered_count, err) &&
               refresh(store->plain, err));
    store_batch_drop(store);
    return ok;
}

// ---- writing ------------------------------------------------------------------------------------

bool store_blob(struct store *store, str bytes, struct object_id *ret, struct error *err)
{
    git_oid oid;
    int code = git_blob_create_from_buffer(&oid, store->repo, bytes.data, bytes.len);
    if (code != 0)
        return store_failed(err, code, "writing an entry of the ledger");
    gather(store, &oid);
    *ret = store_id(&oid);
    return true;
}

// In a batch the trees on the way to a file must be known by name.
static int gather_trees(struct store *store, const git_oid *root, const char *path)
{
    if (!store->batch)
        return 0;
    git_tree *tree = NULL;
    int code = git_tree_lookup(&tree, store->repo, root);
    for (const char *slash = strchr(path, '/'); code == 0 && slash;
         slash = strchr(slash + 1, '/')) {
        char folder[LIMIT_PATH];
        size_t len = (size_t)(slash - path);
        git_tree_entry *entry = NULL;
        if (len >= sizeof folder)
            break;
        memcpy(folder, path, len);
        folder[len] = '\0';
        code = git_tree_entry_bypath(&entry, tree, folder);
        if (code == 0)
            gather(store, git_tree_entry_id(entry));
        git_tree_entry_free(entry);
    }
    git_tree_free(tree);
    return code;
}

enum { COMMIT_FILES = 256 }; // an event, what stands beside, and evidence

static int write_tree(struct store *store, git_commit *parent, const struct store_write *write,
                      git_oid *ret)
{
    git_tree_update updates[COMMIT_FILES];
    git_tree *before = NULL;
    int code = 0;
    if (write->file_count > COMMIT_FILES)
        return GIT_EINVALID;
    for (size_t i = 0; i < write->file_count; i++)
        updates[i] = (git_tree_update){.action = GIT_TREE_UPDATE_UPSERT,
                                       .id = store_oid(&write->files[i].blob),
                                       .filemode = GIT_FILEMODE_BLOB,
                                       .path = write->files[i].path};
    if (parent) {
        code = git_commit_tree(&before, parent);
    } else { // libgit2 wants a tree to start from
        git_treebuilder *builder = NULL;
        git_oid empty;
        code = git_treebuilder_new(&builder, store->repo, NULL);
        if (code == 0)
            code = git_treebuilder_write(&empty, builder);
        if (code == 0)
            code = git_tree_lookup(&before, store->repo, &empty);
        git_treebuilder_free(builder);
    }
    if (code == 0)
        code = git_tree_create_updated(ret, store->repo, before, write->file_count, updates);
    git_tree_free(before);
    if (code == 0)
        gather(store, ret);
    for (size_t i = 0; code == 0 && i < write->file_count; i++)
        code = gather_trees(store, ret, write->files[i].path);
    return code;
}

static bool write_signed(struct store *store, const git_buf *buffer, const struct sign_key *key,
                         git_oid *ret, struct error *err)
{
    struct text armored = text_of(SIGN_ARMORED);
    bool ok = !key || sign_bytes(key, str_make(buffer->ptr, buffer->size), &armored, err);
    if (ok) {
        int code = git_commit_create_with_signature(ret, store->repo, buffer->ptr,
                                                    key ? text_c(&armored) : NULL, NULL);
        ok = code == 0 || store_failed(err, code, "writing a commit of the ledger");
    }
    text_done(&armored);
    return ok;
}

bool store_commit(struct store *store, const struct object_id *parent,
                  const struct store_write *write, struct object_id *ret, struct error *err)
{
    git_commit *before = NULL;
    git_tree *tree = NULL;
    git_signature *who = NULL;
    git_buf buffer = {0};
    git_oid oid;
    int code = 0;
    if (!object_is_none(parent)) {
        git_oid parent_oid = store_oid(parent);
        code = git_commit_lookup(&before, store->repo, &parent_oid);
    }
    if (code == 0)
        code = write_tree(store, before, write, &oid);
    if (code == 0)
        code = git_tree_lookup(&tree, store->repo, &oid);
    if (code == 0)
        code = git_signature_new(&who, write->author, write->email, write->time_ms / 1000, 0);
    const git_commit *parents[] = {before};
    if (code == 0)
        code = git_commit_create_buffer(&buffer, store->repo, who, who, NULL, write->message, tree,
                                        before ? 1 : 0, parents);
    bool ok = code == 0 ? write_signed(store, &buffer, write->key, &oid, err)
                        : store_failed(err, code, "writing an entry of the ledger");
    git_buf_dispose(&buffer);
    git_signature_free(who);
    git_tree_free(tree);
    git_commit_free(before);
    if (ok) {
        gather(store, &oid);
        *ret = store_id(&oid);
    }
    return ok;
}

// ---- packs --------------------------------------------------------------------------------------

struct gathering {
    git_oid *ids;
    size_t count, room;
};

static int add_id(struct gathering *list, const git_oid *oid)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 1024;
        list->ids = memory_grow(list->ids, list->room * sizeof *list->ids);
    }
    list->ids[list->count++] = *oid;
    return 0;
}

enum { TREE_DEPTH = 16 };

// The objects of tree `oid` that stand differently, or not at all, in tree `known`.
static int add_tree(git_repository *repo, struct gathering *list, const git_oid *oid,
                    const git_oid *known, unsigned depth)
{
    git_tree *tree = NULL, *other = NULL;
    int code = depth ? git_tree_lookup(&tree, repo, oid) : GIT_EINVALID;
    if (code == 0 && known)
        code = git_tree_lookup(&other, repo, known);
    if (code == 0)
        code = add_id(list, oid);
    for (size_t i = 0; code == 0 && i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const git_tree_entry *was =
            other ? git_tree_entry_byname(other, git_tree_entry_name(entry)) : NULL;
        const git_oid *was_id = was ? git_tree_entry_id(was) : NULL;
        if (was_id && git_oid_equal(was_id, git_tree_entry_id(entry)))
            continue;
        bool folder = git_tree_entry_type(entry) == GIT_OBJECT_TREE;
        if (was && git_tree_entry_type(was) != GIT_OBJECT_TREE)
            was_id = NULL;
        code = folder ? add_tree(repo, list, git_tree_entry_id(entry), was_id, depth - 1)
                      : add_id(list, git_tree_entry_id(entry));
    }
    git_tree_free(other);
    git_tree_free(tree);
    return code;
}

static int add_commit(git_repository *repo, struct gathering *list, git_commit *commit)
{
    git_oid parent_tree;
    bool has_parent = git_commit_parentcount(commit) > 0;
    int code = 0;
    if (has_parent) {
        git_commit *parent = NULL;
        code = git_commit_parent(&parent, commit, 0);
        if (code == 0)
            git_oid_cpy(&parent_tree, git_commit_tree_id(parent));
        git_commit_free(parent);
    }
    if (code == 0)
        code = add_id(list, git_commit_id(commit));
    if (code == 0)
        code = add_tree(repo, list, git_commit_tree_id(commit), has_parent ? &parent_tree : NULL,
                        TREE_DEPTH);
    return code;
}

static bool loose_path(git_repository *repo, const git_oid *oid, struct text *out)
{
    char hex[OBJECT_HEX];
    git_oid_tostr(hex, sizeof hex, oid);
    text_clear(out);
    text_addf(out, "%sobjects/%.2s/%s", git_repository_commondir(repo), hex, hex + 2);
    return !text_full(out);
}

static bool is_loose(git_repository *repo, const git_oid *oid)
{
    struct text path = text_of(LIMIT_PATH);
    bool loose = loose_path(repo, oid, &path) && access(text_c(&path), F_OK) == 0;
    text_done(&path);
    return loose;
}

// Along the first parents from `newest`, until `known`, or until a commit that is in a pack
// already.
static int add_history(git_repository *repo, struct gathering *list, const git_oid *newest,
                       const git_oid *known, bool only_loose)
{
    git_oid at = *newest;
    int code = 0;
    while (code == 0 && !(known && git_oid_equal(&at, known)) &&
           !(only_loose && !is_loose(repo, &at))) {
        git_commit *commit = NULL;
        code = git_commit_lookup(&commit, repo, &at);
        if (code == 0)
            code = add_commit(repo, list, commit);
        bool root = code != 0 || git_commit_parentcount(commit) == 0;
        if (!root)
            git_oid_cpy(&at, git_commit_parent_id(commit, 0));
        git_commit_free(commit);
        if (root)
            break;
    }
    return code;
}

bool store_missing(git_repository *repo, const git_oid *newest, const git_oid *known, git_oid **ret,
                   size_t *ret_count, struct error *err)
{
    struct gathering list = {0};
    int code = add_history(repo, &list, newest, known, false);
    if (code != 0) {
        free(list.ids);
        return store_failed(err, code, "listing what the ledger's remote lacks");
    }
    *ret = list.ids;
    *ret_count = list.count;
    return true;
}

enum {
    SAMPLED_FOLDER = 0x17, // as `git gc --auto` does: one of 256 stands for all
    MANY_IN_FOLDER = 16,
};

static bool has_many_loose(git_repository *repo)
{
    struct text path = text_of(LIMIT_PATH);
    size_t count = 0;
    text_addf(&path, "%sobjects/%02x", git_repository_commondir(repo), (unsigned)SAMPLED_FOLDER);
    DIR *folder = text_full(&path) ? NULL : opendir(text_c(&path));
    while (folder && count < MANY_IN_FOLDER + 2 && readdir(folder))
        count++; // "." and ".." as well
    if (folder)
        (void)closedir(folder);
    text_done(&path);
    return count >= MANY_IN_FOLDER + 2;
}

bool store_tidy(struct store *store, size_t *ret_packed, struct error *err)
{
    struct object_id tip;
    struct gathering list = {0};
    if (ret_packed)
        *ret_packed = 0;
    if (!store->url || !has_many_loose(store->plain))
        return true;
    if (!store_tip(store, STORE_LOCAL, &tip, err))
        return false;
    git_oid newest = store_oid(&tip);
    int code = add_history(store->plain, &list, &newest, NULL, true);
    bool ok = code == 0 || store_failed(err, code, "listing loose objects of the ledger");
    if (ok && list.count)
        ok =
            store_write_pack(store->plain, list.ids, list.count, err) && refresh(store->plain, err);
    struct text path = text_of(LIMIT_PATH);
    for (size_t i = 0; ok && i < list.count; i++)
        if (loose_path(store->plain, &list.ids[i], &path))
            (void)unlink(text_c(&path));
    text_done(&path);
    free(list.ids);
    if (ok && ret_packed)
        *ret_packed = list.count;
    return ok;
}
