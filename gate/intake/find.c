#include "gate/intake/find.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES_MAX = 4 << 20 }; // of one walk

struct walk {
    struct arena *arena;
    const str *patterns;
    size_t pattern_count;
    enum find_where where;
    struct found *found;
    size_t entries;
    char path[LIMIT_PATH];
};

static void drop_folder(DIR **folder)
{
    if (*folder)
        (void)closedir(*folder);
}

static bool names(str pattern, str folder)
{
    while (pattern.data) {
        if (str_eq(str_cut(&pattern, '/'), folder))
            return true;
    }
    return false;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

// Folders whose reports are not this project's, or not of this run.
static bool is_passed_over(const struct walk *walk, const char *name)
{
    static const char *const always[] = {".git", "node_modules", NULL};
    static const char *const usual[] = {
        ".venv", "venv",   ".tox", ".nox",    "__pycache__", "site-packages", "bower_components",
        "_deps", "vendor", "dist", "out",     "build",       "target",        "bin",
        "obj",   ".cache", "tmp",  ".gradle", NULL};
    bool skip = is_one_of(name, always) || (walk->where == FIND_USUAL && is_one_of(name, usual));
    for (size_t i = 0; skip && i < walk->pattern_count; i++)
        skip = !names(walk->patterns[i], str_of(name));
    return skip;
}

// A pattern that does not name a folder which is passed over does not match inside of it, even when
// the walk went there for another one.
static bool matches(const struct walk *walk, str path)
{
    for (size_t i = 0; i < walk->pattern_count; i++) {
        struct walk alone = {
            .patterns = &walk->patterns[i], .pattern_count = 1, .where = walk->where};
        bool inside = false;
        if (!glob_match(walk->patterns[i], path))
            continue;
        for (str rest = path, part; rest.data;) {
            char name[256];
            part = str_cut(&rest, '/');
            (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(part));
            inside |= rest.data && is_passed_over(&alone, name);
        }
        if (!inside)
            return true;
    }
    return false;
}

static void add(struct walk *walk, str path)
{
    struct found *found = walk->found;
    found->items = arena_grow(walk->arena, (void *)found->items, found->count, &found->room,
                              sizeof *found->items);
    found->items[found->count++] = arena_copy(walk->arena, path);
}

static unsigned char type_of(int folder, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    if (S_ISDIR(status.st_mode))
        return DT_DIR;
    if (S_ISLNK(status.st_mode))
        return DT_LNK;
    return S_ISREG(status.st_mode) ? DT_REG : DT_UNKNOWN;
}

static bool is_folder_link(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static bool walk_folder(struct walk *walk, int file, size_t path_len, unsigned depth,
                        struct error *err);

static bool walk_inner(struct walk *walk, int parent, const char *name, size_t path_len,
                       unsigned depth, struct error *err)
{
    if (depth > LIMIT_DOC_DEPTH)
        return error_set(err, ERROR_LIMIT, "folders are nested more than %u deep: %s",
                         LIMIT_DOC_DEPTH, walk->path);
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0)
        return walk_folder(walk, folder, path_len, depth, err);
    // What went away meanwhile is not there, and a link is not followed. Who looks for the usual
    // names passes over what is closed to him; who names a pattern wants to know.
    bool passed = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
                  (errno == EACCES && walk->where == FIND_USUAL);
    return passed || error_errno(err, "listing", walk->path);
}

static bool walk_entry(struct walk *walk, int folder, const struct dirent *entry, size_t path_len,
                       unsigned depth, struct error *err)
{
    size_t size = strlen(entry->d_name), len = path_len + (path_len > 0) + size;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return true;
    if (++walk->entries > ENTRIES_MAX)
        return error_set(err, ERROR_LIMIT, "the workspace has more than %d files", ENTRIES_MAX);
    if (len >= sizeof walk->path)
        return error_set(err, ERROR_LIMIT, "a path below %s is too long", walk->path);
    if (path_len)
        walk->path[path_len] = '/';
    memcpy(walk->path + len - size, entry->d_name, size + 1);
    unsigned char type = type_of(folder, entry);
    if (type == DT_DIR)
        return is_passed_over(walk, entry->d_name) ||
               walk_inner(walk, folder, entry->d_name, len, depth + 1, err);
    bool file = type == DT_REG || (type == DT_LNK && !is_folder_link(folder, entry->d_name));
    if (file && matches(walk, str_make(walk->path, len)))
        add(walk, str_make(walk->path, len));
    return true;
}

// Takes over `file`, an open folder.
static bool walk_folder(struct walk *walk, int file, size_t path_len, unsigned depth,
                        struct error *err)
{
    DIR *folder __attribute__((cleanup(drop_folder))) = fdopendir(file);
    if (!folder) {
        (void)close(file);
        return errno == ENOTDIR || error_errno(err, "listing", walk->path);
    }
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(folder))) {
        if (!walk_entry(walk, file, entry, path_len, depth, err))
            return false;
        walk->path[path_len] = '\0';
    }
    return errno == 0 || error_errno(err, "listing", path_len ? walk->path : "the workspace");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_once(struct found *found)
{
    size_t kept = 0;
    if (found->count)
        qsort((void *)found->items, found->count, sizeof *found->items, by_name);
    for (size_t i = 0; i < found->count; i++)
        if (kept == 0 || strcmp(found->items[kept - 1], found->items[i]) != 0)
            found->items[kept++] = found->items[i];
    found->count = kept;
}

// The folder that all matches of a pattern lie in: no need to walk anything else.
static str start_of(str pattern)
{
    str literal = str_first(pattern, glob_literal(pattern));
    size_t slash = str_find_last(literal, '/');
    return slash == STR_NONE ? (str){NULL, 0} : str_first(literal, slash);
}

bool files_find(struct arena *arena, int root, const str *patterns, size_t count,
                enum find_where where, struct found *found, struct error *err)
{
    struct walk walk = {.arena = arena,
                        .patterns = patterns,
                        .pattern_count = count,
                        .where = where,
                        .found = found};
    struct stat status;
    str start = count == 1 ? start_of(patterns[0]) : (str){NULL, 0};
    if (count == 1 && !glob_is_pattern(patterns[0])) {
        const char *path = arena_copy(arena, patterns[0]);
        if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) == 0)
            add(&walk, patterns[0]);
        sort_once(found);
        return true;
    }
    if (start.len >= sizeof walk.path)
        return error_set(err, ERROR_LIMIT, "a pattern is longer than %u bytes", LIMIT_PATH);
    if (start.len)
        memcpy(walk.path, start.data, start.len);
    int folder;
    struct error absent; // a folder that is not there, or not here, holds nothing
    if (!file_open(root, start.len ? arena_copy(arena, start) : ".", &folder, &absent))
        return true;
    if (!walk_folder(&walk, folder, start.len, 0, err))
        return false;
    sort_once(found);
    return true;
}

// For kernels and sandboxes without openat2: one folder after the other, and no link at all.
static int open_by_steps(int root, const char *path)
{
    int at = dup(root);
    for (str rest = str_of(path); at >= 0 && rest.data;) {
        char name[256];
        str part = str_cut(&rest, '/');
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        if (part.len == 0 || str_is(part, "."))
            continue;
        if (part.len >= sizeof name || str_is(part, "..")) {
            (void)close(at);
            errno = EXDEV;
            return -1;
        }
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(part));
        int next = openat(at, name, rest.data ? flags | O_DIRECTORY : flags);
        int why = errno;
        (void)close(at);
        errno = why;
        at = next;
    }
    return at;
}

bool file_open(int root, const char *path, int *ret, struct error *err)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long file = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (file < 0 && (errno == ENOSYS || errno == EPERM))
        file = open_by_steps(root, path);
    if (file < 0 && (errno == EXDEV || errno == ELOOP))
        return error_set(err, ERROR_DENIED,
                         "%s is a link that leads out of the workspace: it is not followed", path);
    if (file < 0)
        return error_errno(err, "opening", path);
    *ret = (int)file;
    return true;
}
