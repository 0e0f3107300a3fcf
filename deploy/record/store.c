#include "deploy/record/store.h"

#include "deploy/record/remote_url.h"
#include "deploy/record/store_parts.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_TRIES = 200,
    LOCK_STALE_MS = 3000, // a ref's lock is held for microseconds
    LOCK_PAUSE_US = 2000,
};

// ---- names --------------------------------------------------------------------------------------

bool object_is_none(const struct object_id *id)
{
    static const struct object_id none;
    return memcmp(id->bytes, none.bytes, sizeof none.bytes) == 0;
}

bool object_eq(const struct object_id *a, const struct object_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

char *object_hex(const struct object_id *id, char out[OBJECT_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        out[2 * i] = digits[id->bytes[i] >> 4];
        out[2 * i + 1] = digits[id->bytes[i] & 15];
    }
    out[OBJECT_HEX - 1] = '\0';
    return out;
}

bool object_of(str hex, struct object_id *ret)
{
    git_oid oid;
    if (hex.len != OBJECT_HEX - 1 || git_oid_fromstrn(&oid, hex.data, hex.len) != 0)
        return false;
    memcpy(ret->bytes, oid.id, sizeof ret->bytes);
    return true;
}

git_oid store_oid(const struct object_id *id)
{
    git_oid oid;
    memcpy(oid.id, id->bytes, sizeof oid.id);
    return oid;
}

struct object_id store_id(const git_oid *oid)
{
    struct object_id id;
    memcpy(id.bytes, oid->id, sizeof id.bytes);
    return id;
}

// ---- errors -------------------------------------------------------------------------------------

bool store_failed(struct error *err, int code, const char *doing)
{
    const git_error *last = git_error_last();
    const char *words = last && last->message ? last->message : "libgit2 does not say why";
    enum error_kind kind = ERROR_SYSTEM;
    int klass = last ? last->klass : 0;
    if (code == GIT_ENOTFOUND && klass != GIT_ERROR_ODB)
        kind = ERROR_ABSENT;
    else if (code == GIT_EOWNER)
        return error_set(err, ERROR_DENIED,
                         "%s: the repository belongs to another user; allow it with `git config "
                         "--global --add safe.directory PATH`",
                         doing);
    else if (code == GIT_EAUTH || code == GIT_ECERTIFICATE)
        kind = ERROR_DENIED;
    else if (klass == GIT_ERROR_NET || klass == GIT_ERROR_HTTP || klass == GIT_ERROR_SSL ||
             klass == GIT_ERROR_SSH || code == GIT_ELOCKED || code == GIT_EEOF)
        kind = ERROR_TRANSIENT;
    return error_set(err, kind, "%s: %s", doing, words);
}

// ---- opening ------------------------------------------------------------------------------------

// The ledger of a remote has a repository to itself: fetching into and pushing from a shallow clone
// fails, and nothing of it should be in the way of the user's own branches.
static bool open_own(struct store *store, git_repository *base, struct error *err)
{
    struct text path = text_of(LIMIT_PATH);
    text_addf(&path, "%ssluice/ledger.git", git_repository_commondir(base));
    bool ok = !text_full(&path);
    if (!ok) {
        error_set(err, ERROR_LIMIT, "the path of the git directory is too long");
    } else if (git_repository_open_bare(&store->plain, text_c(&path)) != 0) {
        git_repository_init_options options;
        (void)git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
        options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH |
                        GIT_REPOSITORY_INIT_NO_DOTGIT_DIR;
        options.initial_head = store->branch + sizeof "refs/heads/" - 1;
        int code = git_repository_init_ext(&store->plain, text_c(&path), &options);
        ok = code == 0 || store_failed(err, code, "making the ledger's own repository");
        store->fresh = ok;
    }
    text_done(&path);
    return ok;
}

static bool open_repositories(struct store *store, const struct store_options *options,
                              struct error *err)
{
    git_repository *base = NULL;
    int code = git_repository_open_ext(&base, options->folder, 0, NULL);
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT,
                         "%s is not in a git repository, and the ledger is a branch of one",
                         options->folder);
    if (code != 0)
        return store_failed(err, code, "opening the git repository");
    if (!options->remote) {
        store->plain = base;
        return true;
    }
    bool ok = remote_url(base, options->remote, &store->url, err) && open_own(store, base, err);
    if (ok && store->fresh)
        store->seed = store_copy(git_repository_commondir(base));
    git_repository_free(base);
    return ok;
}

static bool name_refs(struct store *store, const char *branch, struct error *err)
{
    struct text name = text_of(512);
    int valid = 0;
    text_addf(&name, "refs/heads/%s", branch);
    bool ok = !text_full(&name) && git_reference_name_is_valid(&valid, text_c(&name)) == 0 && valid;
    if (ok) {
        store->branch = store_copy(text_c(&name));
        text_clear(&name);
        text_addf(&name, "refs/remotes/ledger/%s", branch);
        store->remote_ref = store_copy(text_c(&name));
    } else {
        error_set(err, ERROR_INPUT, "`%s` is not a name for a branch", branch);
    }
    text_done(&name);
    return ok;
}

bool store_open(const struct store_options *options, struct store **ret, struct error *err)
{
    int code = git_libgit2_init();
    if (code < 0)
        return store_failed(err, code, "starting libgit2");
    // A mode of the whole process; what has it off elsewhere loses nothing by having it on.
    if (options->flush)
        git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    struct store *store = memory_alloc(sizeof *store);
    memset(store, 0, sizeof *store);
    if (!name_refs(store, options->branch, err) || !open_repositories(store, options, err)) {
        store_close(store);
        return false;
    }
    code = store_read_loose_safely(store->plain);
    if (code != 0) {
        store_close(store);
        return store_failed(err, code, "opening the ledger's objects");
    }
    store->repo = store->plain;
    *ret = store;
    return true;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_batch_drop(store);
    git_repository_free(store->plain);
    free(store->url);
    free(store->branch);
    free(store->remote_ref);
    free(store->seed);
    free(store);
    git_libgit2_shutdown();
}

const char *store_path(const struct store *store)
{
    return git_repository_path(store->plain);
}

const char *store_url(const struct store *store)
{
    return store->url;
}

const char *store_branch(const struct store *store)
{
    return store->branch;
}

const char *store_remote_ref(const struct store *store)
{
    return store->remote_ref;
}

const char *store_seed(const struct store *store)
{
    return store->seed;
}

// ---- refs ---------------------------------------------------------------------------------------

static const char *ref_name(const struct store *store, enum store_ref which)
{
    return which == STORE_REMOTE && store->url ? store->remote_ref : store->branch;
}

bool store_tip(struct store *store, enum store_ref which, struct object_id *ret, struct error *err)
{
    git_oid oid;
    int code = git_reference_name_to_id(&oid, store->plain, ref_name(store, which));
    if (code == GIT_ENOTFOUND) {
        *ret = (struct object_id){0};
        return true;
    }
    if (code != 0)
        return store_failed(err, code, "reading the ledger's branch");
    *ret = store_id(&oid);
    return true;
}

// A process that was killed while it moved the ref has left `<ref>.lock`. It is taken away when it
// is older than any living process would hold it.
static void drop_stale_lock(git_repository *repo, const char *ref)
{
    struct text path = text_of(LIMIT_PATH);
    struct stat st;
    struct timespec now;
    text_addf(&path, "%s%s.lock", git_repository_commondir(repo), ref);
    clock_gettime(CLOCK_REALTIME, &now);
    if (!text_full(&path) && stat(text_c(&path), &st) == 0) {
        int64_t age_ms = ((int64_t)now.tv_sec - (int64_t)st.st_mtim.tv_sec) * MS_SECOND +
                         ((int64_t)now.tv_nsec - (int64_t)st.st_mtim.tv_nsec) / 1000000;
        if (age_ms > LOCK_STALE_MS)
            (void)unlink(text_c(&path));
    }
    text_done(&path);
}

enum swap store_swap_in(git_repository *repo, const char *name, const struct object_id *expected,
                        const struct object_id *next, struct error *err)
{
    // Compared while the ref is locked, also the zero that stands for none: without it, libgit2
    // looks whether there is a ref only before it locks.
    git_oid from = store_oid(expected), to = store_oid(next);
    for (unsigned try = 0; try < LOCK_TRIES * 10; try++) {
        git_reference *ref = NULL;
        int code = git_reference_create_matching(&ref, repo, name, &to, 1, &from, "sluice: append");
        git_reference_free(ref);
        switch (code) {
        case 0:
            return SWAP_DONE;
        case GIT_EMODIFIED:
        case GIT_EEXISTS:
        case GIT_ENOTFOUND:
            return SWAP_LOST;
        case GIT_ELOCKED:
            if (try > LOCK_TRIES)
                drop_stale_lock(repo, name);
            (void)usleep(LOCK_PAUSE_US);
            break;
        default:
            (void)store_failed(err, code, "moving the ledger's branch");
            return SWAP_FAILED;
        }
    }
    error_set(err, ERROR_TRANSIENT, "the ledger's branch is locked by another process");
    return SWAP_FAILED;
}

enum swap store_swap(struct store *store, enum store_ref which, const struct object_id *expected,
                     const struct object_id *next, struct error *err)
{
    return store_swap_in(store->plain, ref_name(store, which), expected, next, err);
}
