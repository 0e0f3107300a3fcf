#include "gate/source.h"

#include "gate/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

bool source_path_stays(const char *path)
{
    str rest = str_of(path);
    if (rest.len == 0 || rest.data[0] == '/')
        return false;
    while (rest.len)
        if (str_is(str_cut(&rest, '/'), ".."))
            return false;
    return true;
}

bool source_read_file(struct arena *arena, const char *path, size_t max_bytes, str *ret,
                      bool *ret_found, struct error *err)
{
    struct stat info;
    FILE *file = fopen(path, "rbe");
    if (!file && (errno == ENOENT || errno == ENOTDIR)) {
        *ret_found = false;
        return true;
    }
    if (!file)
        return error_errno(err, "reading", path);
    struct text bytes = text_of(max_bytes);
    bool regular = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
    char chunk[16384];
    size_t n = 0;
    while (regular && !text_full(&bytes) && (n = fread(chunk, 1, sizeof chunk, file)) > 0)
        text_add(&bytes, str_make(chunk, n));
    bool ok = true;
    if (!regular)
        ok = error_set(err, ERROR_INPUT, "%s is not a regular file", path);
    else if (ferror(file))
        ok = error_set(err, ERROR_SYSTEM, "reading %s failed", path);
    else if (text_full(&bytes))
        ok = error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
    if (ok) {
        *ret = arena_str(arena, text_str(&bytes));
        *ret_found = true;
    }
    (void)fclose(file);
    text_done(&bytes);
    return ok;
}

bool source_read(struct arena *arena, const struct source *source, const char *path,
                 size_t max_bytes, str *ret, bool *ret_found, struct error *err)
{
    if (!source_path_stays(path))
        return error_set(err, ERROR_INPUT, "`%s` is not a path inside the repository", path);
    if (source->commit)
        return repository_file(arena, source->repository, source->commit, path, max_bytes, ret,
                               ret_found, err);
    const char *full = arena_format(arena, "%s%s", source->root, path).data;
    return source_read_file(arena, full, max_bytes, ret, ret_found, err);
}
