#include "deploy/world/files.h"

#include "gate/base/limits.h"
#include "gate/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REMOVE_DEPTH = 128 };

// ---- reading ----------------------------------------------------------------------------------

static bool read_all(int fd, const char *path, struct text *bytes, struct error *err)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "reading", path);
        text_add(bytes, str_make(chunk, (size_t)n));
        if (text_full(bytes))
            return error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, bytes->max);
    }
}

bool file_read(struct arena *arena, const char *path, size_t max_bytes, str *ret, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "reading", path);
    struct text bytes = text_of(max_bytes);
    bool ok = read_all(fd, path, &bytes, err);
    if (ok)
        *ret = arena_str(arena, text_str(&bytes));
    text_done(&bytes);
    close(fd);
    return ok;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

// ---- writing ----------------------------------------------------------------------------------

static bool write_all(int fd, str bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(fd, bytes.data + done, bytes.len - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

// A rename is on disk only once its folder is.
static bool flush_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL); // some file systems have no such call
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool write_beside(const char *beside, str bytes, unsigned mode)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        code = errno;
    }
    errno = code;
    return ok;
}

bool file_write(const char *path, str bytes, unsigned mode, struct error *err)
{
    size_t slash = str_find_last(str_of(path), '/');
    size_t folder_len = slash == STR_NONE ? 0 : slash + 1;
    unsigned long random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_errno(err, "reading", "random bytes");
    struct text folder = text_of(LIMIT_PATH), beside = text_of(LIMIT_PATH);
    text_add(&folder, folder_len ? str_make(path, folder_len) : STR("."));
    text_addf(&beside, "%.*s.%s.%lx", (int)folder_len, path, path + folder_len, random);
    bool ok = !text_full(&beside) && !text_full(&folder);
    if (!ok)
        errno = ENAMETOOLONG;
    ok = ok && write_beside(text_c(&beside), bytes, mode);
    ok = ok && rename(text_c(&beside), path) == 0 && flush_folder(text_c(&folder));
    if (!ok) {
        (void)error_errno(err, "writing", path);
        (void)unlink(text_c(&beside));
    }
    text_done(&folder);
    text_done(&beside);
    return ok;
}

// ---- folders ----------------------------------------------------------------------------------

static bool make_one(const char *path, unsigned mode)
{
    struct stat status;
    if (mkdir(path, (mode_t)mode) == 0)
        return true;
    if (errno != EEXIST)
        return false;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    errno = ENOTDIR;
    return false;
}

bool folder_make(const char *path, unsigned mode, struct error *err)
{
    char part[LIMIT_PATH];
    size_t len = strlen(path);
    bool ok = len > 0 && len < sizeof part;
    if (!ok)
        errno = len ? ENAMETOOLONG : ENOENT;
    for (size_t i = 1; ok && i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        ok = make_one(part, mode);
    }
    return ok || error_errno(err, "making the folder", path);
}

// Takes over fd. Entries are reached through their folder's descriptor, so a link put there in the
// meantime is removed, never followed.
static bool empty_folder(int fd, unsigned depth)
{
    DIR *folder = depth < REMOVE_DEPTH ? fdopendir(fd) : NULL;
    if (!folder) {
        if (depth >= REMOVE_DEPTH)
            errno = ELOOP;
        int code = errno;
        close(fd);
        errno = code;
        return false;
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (errno = 0, entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        ok = errno == EISDIR || errno == EPERM;
        int inner = ok ? openat(dirfd(folder), entry->d_name,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                       : -1;
        ok = inner >= 0 && empty_folder(inner, depth + 1) &&
             (unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT);
    }
    ok = ok && errno == 0;
    int code = errno;
    closedir(folder);
    errno = code;
    return ok;
}

bool folder_remove(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0 || !empty_folder(fd, 0) || rmdir(path) != 0)
        return error_errno(err, "removing", path);
    return true;
}
