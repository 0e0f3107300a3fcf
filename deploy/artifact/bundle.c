#include "deploy/artifact/bundle.h"

#include "deploy/artifact/object_store.h"
#include "deploy/artifact/tree_archive.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static str digest_text(struct arena *arena, const unsigned char digest[SHA256_BYTES])
{
    char hex[SHA256_HEX];
    return arena_format(arena, "sha256:%s", sha256_hex(digest, hex));
}

static str cached_path(struct arena *arena, const struct bundle_request *request, str digest)
{
    return arena_format(arena, "%s/" STR_FMT ".tar", request->cache_folder,
                        STR_ARG(str_from(digest, sizeof "sha256:" - 1)));
}

// ---- files -------------------------------------------------------------------------------------

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

// The digest of a file, which is copied to `copy_fd` on the way when that is one.
static bool read_file(const char *path, int copy_fd, unsigned char ret[SHA256_BYTES],
                      uint64_t *ret_bytes, struct error *err)
{
    enum { CHUNK = 1 << 16 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "opening", path);
    struct sha256 sha;
    char *chunk = memory_alloc(CHUNK);
    uint64_t bytes = 0;
    bool ok = true;
    ssize_t n;
    sha256_init(&sha);
    while (ok && ((n = read(fd, chunk, CHUNK)) != 0)) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            ok = error_errno(err, "reading", path);
        } else {
            sha256_add(&sha, chunk, (size_t)n);
            bytes += (uint64_t)n;
            ok = copy_fd < 0 || write_all(copy_fd, chunk, (size_t)n) ||
                 error_errno(err, "copying", path);
        }
    }
    sha256_done(&sha, ret);
    memory_free(chunk);
    (void)close(fd);
    *ret_bytes = bytes;
    return ok;
}

// A file under a name of its own in the cache; named by its digest once it is whole.
static bool cache_begin(struct arena *arena, const struct bundle_request *request, char **ret_path,
                        int *ret_fd, struct error *err)
{
    size_t size = strlen(request->cache_folder) + sizeof "/new-XXXXXX";
    char *path = arena_alloc(arena, size);
    if (!folder_make(request->cache_folder, 0700, err))
        return false;
    (void)snprintf(path, size, "%s/new-XXXXXX", request->cache_folder);
    *ret_fd = mkostemp(path, O_CLOEXEC);
    if (*ret_fd < 0) {
        (void)error_errno(err, "making a file in", request->cache_folder);
        return false;
    }
    *ret_path = path;
    return true;
}

// `ok`: whether it was written. Nothing is left behind when it was not.
static bool cache_end(struct arena *arena, const struct bundle_request *request, const char *path,
                      int fd, bool ok, const unsigned char digest[SHA256_BYTES], uint64_t bytes,
                      struct bundle *ret, struct error *err)
{
    if (close(fd) != 0 && ok)
        ok = error_errno(err, "writing", path);
    if (ok) {
        struct bundle made = {digest_text(arena, digest), {NULL, 0}, bytes};
        made.path = cached_path(arena, request, made.digest);
        ok = rename(path, made.path.data) == 0 || error_errno(err, "naming", made.path.data);
        if (ok)
            *ret = made;
    }
    if (!ok)
        (void)unlink(path);
    return ok;
}

// ---- bundles -----------------------------------------------------------------------------------

// An object of a bucket. `want`: the digest that it must have; empty = any.
static bool use_object(struct arena *arena, const struct bundle_request *request, str url, str want,
                       struct bundle *ret, struct error *err)
{
    char *fresh = NULL;
    int fd = -1;
    struct object object = {0};
    unsigned char digest[SHA256_BYTES] = {0};
    uint64_t bytes = 0;
    if (!cache_begin(arena, request, &fresh, &fd, err))
        return false;
    bool ok = object_read(request->access, url, fd, LIMIT_ARCHIVE_BYTES, arena, &object, err) &&
              ((object.size_bytes > 0 || error_set(err, ERROR_INPUT, STR_FMT " is empty",
                                                   STR_ARG(str_shorten(url, 300))))) &&
              (!want.len || str_eq(object.digest, want) ||
               error_set(err, ERROR_INPUT, STR_FMT " is " STR_FMT ", not " STR_FMT,
                         STR_ARG(str_shorten(url, 200)), STR_ARG(object.digest), STR_ARG(want))) &&
              read_file(fresh, -1, digest, &bytes, err);
    return cache_end(arena, request, fresh, fd, ok, digest, bytes, ret, err);
}

static bool use_digest(struct arena *arena, const struct bundle_request *request,
                       struct bundle *ret, struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    uint64_t bytes = 0;
    if (!sha256_is_named(request->given))
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` is not a digest: `sha256:` and 64 digits",
                         STR_ARG(str_first(request->given, 120)));
    str path = cached_path(arena, request, request->given);
    if (!file_exists(path.data) && request->source.len)
        return use_object(arena, request, request->source, request->given, ret, err);
    if (!file_exists(path.data))
        return error_set(err, ERROR_ABSENT,
                         "no bundle " STR_FMT " is kept here: give its path with --artifact",
                         STR_ARG(request->given));
    if (!read_file(path.data, -1, digest, &bytes, err))
        return false;
    struct bundle found = {digest_text(arena, digest), path, bytes};
    if (!str_eq(found.digest, request->given))
        return error_set(err, ERROR_SYSTEM, "%s does not have its digest any more: remove it",
                         path.data);
    *ret = found;
    return true;
}

// Kept in the cache as well: what is given may change or go before the rollout is over.
static bool use_path(struct arena *arena, const struct bundle_request *request, struct bundle *ret,
                     struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    uint64_t bytes = 0;
    char *fresh = NULL;
    int fd = -1;
    if (!cache_begin(arena, request, &fresh, &fd, err))
        return false;
    bool ok = read_file(arena_copy(arena, request->given), fd, digest, &bytes, err);
    return cache_end(arena, request, fresh, fd, ok, digest, bytes, ret, err);
}

bool bundle_make(struct arena *arena, const struct bundle_request *request, struct bundle *ret,
                 struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    uint64_t bytes = 0;
    char *fresh = NULL;
    int fd = -1;
    if (str_starts(request->given, STR("sha256:")))
        return use_digest(arena, request, ret, err);
    if (object_is_url(request->given))
        return use_object(arena, request, request->given, (str){NULL, 0}, ret, err);
    if (request->given.len)
        return use_path(arena, request, ret, err);
    if (request->source.len)
        return use_object(arena, request, request->source, (str){NULL, 0}, ret, err);
    if (!cache_begin(arena, request, &fresh, &fd, err))
        return false;
    bool ok =
        tree_archive(request->repository, request->commit, request->gzip, fd, digest, &bytes, err);
    return cache_end(arena, request, fresh, fd, ok, digest, bytes, ret, err);
}
