#include "deploy/artifact/bundle.h"

#include "deploy/artifact/tree_archive.h"
#include "deploy/world/files.h"

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

static bool digest_file(const char *path, unsigned char ret[SHA256_BYTES], uint64_t *ret_bytes,
                        struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "opening", path);
    struct sha256 sha;
    char *buffer = memory_alloc(1 << 16);
    ssize_t n;
    uint64_t bytes = 0;
    sha256_init(&sha);
    while ((n = read(fd, buffer, 1 << 16)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        sha256_add(&sha, buffer, (size_t)n);
        bytes += (uint64_t)n;
    }
    bool ok = n == 0 || error_errno(err, "reading", path);
    sha256_done(&sha, ret);
    memory_free(buffer);
    (void)close(fd);
    *ret_bytes = bytes;
    return ok;
}

static bool use_file(struct arena *arena, const char *path, struct bundle *ret, struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    uint64_t bytes = 0;
    if (!digest_file(path, digest, &bytes, err))
        return false;
    *ret = (struct bundle){digest_text(arena, digest), arena_str(arena, str_of(path)), bytes};
    return true;
}

// "sha256:" and 64 digits: nothing else may become part of a path.
static bool is_digest(str s)
{
    str digits = str_from(s, sizeof "sha256:" - 1);
    for (size_t i = 0; i < digits.len; i++)
        if (!memchr("0123456789abcdef", digits.data[i], 16))
            return false;
    return digits.len == 2 * SHA256_BYTES;
}

static bool use_given(struct arena *arena, const struct bundle_request *request, struct bundle *ret,
                      struct error *err)
{
    if (!str_starts(request->given, STR("sha256:")))
        return use_file(arena, arena_copy(arena, request->given), ret, err);
    if (!is_digest(request->given))
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` is not a digest: `sha256:` and 64 digits",
                         STR_ARG(str_first(request->given, 120)));
    struct bundle found;
    str path = cached_path(arena, request, request->given);
    if (!file_exists(path.data))
        return error_set(err, ERROR_ABSENT,
                         "no bundle " STR_FMT " is kept here: give its path with --artifact",
                         STR_ARG(request->given));
    if (!use_file(arena, path.data, &found, err))
        return false;
    if (!str_eq(found.digest, request->given))
        return error_set(err, ERROR_SYSTEM, "%s does not have its digest any more: remove it",
                         path.data);
    *ret = found;
    return true;
}

bool bundle_make(struct arena *arena, const struct bundle_request *request, struct bundle *ret,
                 struct error *err)
{
    if (request->given.len)
        return use_given(arena, request, ret, err);
    if (!folder_make(request->cache_folder, 0700, err))
        return false;
    size_t size = strlen(request->cache_folder) + sizeof "/new-XXXXXX";
    char *fresh = arena_alloc(arena, size);
    (void)snprintf(fresh, size, "%s/new-XXXXXX", request->cache_folder);
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "making a file in", request->cache_folder);
    unsigned char digest[SHA256_BYTES];
    uint64_t bytes = 0;
    bool ok =
        tree_archive(request->repository, request->commit, request->gzip, fd, digest, &bytes, err);
    if (close(fd) != 0 && ok)
        ok = error_errno(err, "writing", fresh);
    if (ok) {
        struct bundle made = {digest_text(arena, digest), {NULL, 0}, bytes};
        made.path = cached_path(arena, request, made.digest);
        ok = rename(fresh, made.path.data) == 0 || error_errno(err, "naming", made.path.data);
        if (ok)
            *ret = made;
    }
    if (!ok)
        (void)unlink(fresh);
    return ok;
}
