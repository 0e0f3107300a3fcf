// Loose objects, read by ourselves. libgit2 1.5 trusts the size that an object's header states and
// writes past the end of its buffer when the content is longer, so a damaged object ends the
// process instead of being found; and it does not look at what follows the compressed content.
#include "deploy/record/store_parts.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"

#include <fcntl.h>
#include <git2/sys/odb_backend.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    LOOSE_PRIORITY = 10, // before libgit2's own two (1 and 2), behind a batch in memory
    HEADER_MAX = 32,     // "commit 4294967296" and NUL
};

struct loose {
    git_odb_backend parent;
    char *objects; // ".git/objects/"
};

static int refuse(const git_oid *oid, const char *why)
{
    char hex[OBJECT_HEX];
    struct text words = text_of(256);
    text_addf(&words, "object %s is damaged: %s", git_oid_tostr(hex, sizeof hex, oid), why);
    git_error_set_str(GIT_ERROR_ODB, text_c(&words));
    text_done(&words);
    return GIT_EINVALID;
}

// The whole file; *ret is on the heap.
static int read_file(const struct loose *loose, const git_oid *oid, unsigned char **ret,
                     size_t *ret_size)
{
    struct text path = text_of(LIMIT_PATH);
    char hex[OBJECT_HEX];
    struct stat st;
    git_oid_tostr(hex, sizeof hex, oid);
    text_addf(&path, "%s%.2s/%s", loose->objects, hex, hex + 2);
    int fd = text_full(&path) ? -1 : open(text_c(&path), O_RDONLY | O_CLOEXEC);
    text_done(&path);
    if (fd < 0)
        return GIT_ENOTFOUND;
    if (fstat(fd, &st) != 0 || st.st_size > (off_t)LIMIT_JSON_TREE_BYTES) {
        (void)close(fd);
        return refuse(oid, "its file is too large or cannot be read");
    }
    size_t size = (size_t)st.st_size, done = 0;
    unsigned char *bytes = memory_alloc(size + 1);
    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    (void)close(fd);
    *ret = bytes;
    *ret_size = done;
    return 0;
}

static bool parse_header(str header, git_object_t *ret_type, uint64_t *ret_size)
{
    str kind = str_cut(&header, ' ');
    *ret_type = str_is(kind, "blob")     ? GIT_OBJECT_BLOB
                : str_is(kind, "tree")   ? GIT_OBJECT_TREE
                : str_is(kind, "commit") ? GIT_OBJECT_COMMIT
                : str_is(kind, "tag")    ? GIT_OBJECT_TAG
                                         : GIT_OBJECT_INVALID;
    return *ret_type != GIT_OBJECT_INVALID && number_u64(header, ret_size);
}

// git writes zlib streams with one of four headers, of which the levels 1, 6 (and none) and 9 are
// in use; what a stream says of its level has no bearing on its content, so it must at least be
// one.
static bool is_zlib(const unsigned char *bytes, size_t size)
{
    return size >= 6 && bytes[0] == 0x78 &&
           (bytes[1] == 0x01 || bytes[1] == 0x5e || bytes[1] == 0x9c || bytes[1] == 0xda);
}

// The header, then room for exactly what it states, then the end: nothing more and nothing less.
static int inflate_all(struct loose *loose, const git_oid *oid, z_stream *stream, void **ret,
                       size_t *ret_size, git_object_t *ret_type)
{
    unsigned char header[HEADER_MAX], beyond;
    uint64_t size = 0;
    size_t len = 0;
    int code = Z_OK;
    do { // a byte at a time: what follows belongs to the content
        stream->next_out = header + len;
        stream->avail_out = 1;
        code = inflate(stream, Z_SYNC_FLUSH);
    } while (code == Z_OK && !stream->avail_out && header[len] && ++len < sizeof header);
    if ((code != Z_OK && code != Z_STREAM_END) || stream->avail_out || len == sizeof header ||
        header[len] || !parse_header(str_make((const char *)header, len), ret_type, &size) ||
        size > LIMIT_JSON_TREE_BYTES)
        return refuse(oid, "its header is malformed");
    unsigned char *content = git_odb_backend_data_alloc(&loose->parent, (size_t)size + 1);
    if (!content)
        return GIT_ERROR;
    stream->next_out = content;
    stream->avail_out = (uInt)size;
    if (code == Z_OK && size)
        code = inflate(stream, Z_FINISH);
    bool full = stream->avail_out == 0;
    if (code != Z_STREAM_END) { // the check sum is still to be read, and no byte more may come
        stream->next_out = &beyond;
        stream->avail_out = 1;
        code = inflate(stream, Z_FINISH);
        full = full && stream->avail_out == 1;
    }
    if (code != Z_STREAM_END || !full || stream->avail_in) {
        git_odb_backend_data_free(&loose->parent, content);
        return refuse(oid, "its content is not what its header and check sum say");
    }
    content[size] = '\0';
    *ret = content;
    *ret_size = (size_t)size;
    return 0;
}

static int loose_read(void **ret, size_t *ret_size, git_object_t *ret_type,
                      git_odb_backend *backend, const git_oid *oid)
{
    struct loose *loose = (struct loose *)backend;
    unsigned char *bytes = NULL;
    size_t size = 0;
    int code = read_file(loose, oid, &bytes, &size);
    if (code != 0)
        return code;
    z_stream stream = {.next_in = bytes, .avail_in = (uInt)size};
    if (!is_zlib(bytes, size) || inflateInit(&stream) != Z_OK) {
        code = refuse(oid, "it is not compressed as git does it");
    } else {
        code = inflate_all(loose, oid, &stream, ret, ret_size, ret_type);
        (void)inflateEnd(&stream);
    }
    free(bytes);
    return code;
}

static int loose_read_header(size_t *ret_size, git_object_t *ret_type, git_odb_backend *backend,
                             const git_oid *oid)
{
    void *content;
    int code = loose_read(&content, ret_size, ret_type, backend, oid);
    if (code == 0)
        git_odb_backend_data_free(backend, content);
    return code;
}

static int loose_exists(git_odb_backend *backend, const git_oid *oid)
{
    struct loose *loose = (struct loose *)backend;
    struct text path = text_of(LIMIT_PATH);
    char hex[OBJECT_HEX];
    git_oid_tostr(hex, sizeof hex, oid);
    text_addf(&path, "%s%.2s/%s", loose->objects, hex, hex + 2);
    bool there = !text_full(&path) && access(text_c(&path), F_OK) == 0;
    text_done(&path);
    return there;
}

static void loose_free(git_odb_backend *backend)
{
    struct loose *loose = (struct loose *)backend;
    free(loose->objects);
    free(loose);
}

int store_read_loose_safely(git_repository *repo)
{
    git_odb *odb = NULL;
    int code = git_repository_odb(&odb, repo);
    if (code != 0)
        return code;
    struct loose *loose = memory_alloc(sizeof *loose);
    memset(loose, 0, sizeof *loose);
    code = git_odb_init_backend(&loose->parent, GIT_ODB_BACKEND_VERSION);
    struct text path = text_of(LIMIT_PATH);
    text_addf(&path, "%sobjects/", git_repository_commondir(repo));
    loose->objects = store_copy(text_c(&path));
    text_done(&path);
    loose->parent.read = loose_read;
    loose->parent.read_header = loose_read_header;
    loose->parent.exists = loose_exists;
    loose->parent.free = loose_free;
    if (code == 0)
        code = git_odb_add_backend(odb, &loose->parent, LOOSE_PRIORITY); // owns it from now on
    if (code != 0)
        loose_free(&loose->parent);
    git_odb_free(odb);
    return code;
}
