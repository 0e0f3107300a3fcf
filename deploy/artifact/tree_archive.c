#include "deploy/artifact/tree_archive.h"

#include "gate/base/arena.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <git2.h>
#include <git2/sys/repository.h>
#include <locale.h>
#include <unistd.h>

struct writer {
    struct archive *archive;
    git_repository *repository; // the objects and the commit's own attributes, nothing else
    int64_t time_s;
    int fd;
    struct sha256 sha;
    uint64_t bytes;
    struct error *err;
    bool failed; // *err says why
};

static bool from_git(struct error *err, const char *doing)
{
    const git_error *last = git_error_last();
    return error_set(err, ERROR_SYSTEM, "%s: %s", doing, last ? last->message : "unknown reason");
}

static la_ssize_t write_bytes(struct archive *archive, void *context, const void *bytes,
                              size_t size)
{
    struct writer *writer = context;
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(writer->fd, (const char *)bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            archive_set_error(archive, errno, "writing the bundle failed");
            return -1;
        }
        done += (size_t)n;
    }
    sha256_add(&writer->sha, bytes, size);
    writer->bytes += size;
    return (la_ssize_t)size;
}

// What the commit's .gitattributes say about a path. False with *writer->err on failure.
static bool attributes_of(struct writer *writer, const char *path, bool *ret_ignored, bool *ret_lfs)
{
    enum { IGNORE, FILTER, COUNT };
    static const char *names[COUNT] = {"export-ignore", "filter"};
    const char *values[COUNT];
    uint32_t flags = GIT_ATTR_CHECK_INDEX_ONLY | GIT_ATTR_CHECK_NO_SYSTEM;
    if (git_attr_get_many(values, writer->repository, flags, path, COUNT, names) < 0)
        return from_git(writer->err, "reading .gitattributes");
    *ret_ignored = git_attr_value(values[IGNORE]) == GIT_ATTR_VALUE_TRUE;
    *ret_lfs = git_attr_value(values[FILTER]) == GIT_ATTR_VALUE_STRING &&
               strcmp(values[FILTER], "lfs") == 0;
    return true;
}

static bool add_blob(struct writer *writer, const char *path, const git_tree_entry *entry)
{
    git_blob *blob = NULL;
    if (git_blob_lookup(&blob, writer->repository, git_tree_entry_id(entry)) < 0)
        return from_git(writer->err, path);
    git_filemode_t mode = git_tree_entry_filemode(entry);
    const char *bytes = git_blob_rawcontent(blob);
    size_t size = (size_t)git_blob_rawsize(blob);
    struct archive_entry *header = archive_entry_new();
    archive_entry_set_pathname(header, path);
    archive_entry_set_mtime(header, writer->time_s, 0);
    struct arena arena = {0};
    if (mode == GIT_FILEMODE_LINK) {
        archive_entry_set_filetype(header, AE_IFLNK);
        archive_entry_set_symlink(header, arena_copy(&arena, str_make(bytes, size)));
        archive_entry_set_perm(header, 0777);
        size = 0;
    } else {
        archive_entry_set_filetype(header, AE_IFREG);
        archive_entry_set_perm(header, mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644);
        archive_entry_set_size(header, (la_int64_t)size);
    }
    // A warning: the name is not UTF-8. It is then written as it is, and marked as such.
    int written = archive_write_header(writer->archive, header);
    bool ok = written == ARCHIVE_OK || written == ARCHIVE_WARN;
    while (ok && size) {
        la_ssize_t n = archive_write_data(writer->archive, bytes, size);
        ok = n > 0;
        bytes += ok ? n : 0;
        size -= ok ? (size_t)n : 0;
    }
    if (!ok)
        (void)error_set(writer->err, ERROR_SYSTEM, "packing %s: %s", path,
                        archive_error_string(writer->archive));
    archive_entry_free(header);
    git_blob_free(blob);
    arena_done(&arena);
    return ok;
}

static bool add_entry(struct writer *writer, const char *path, const git_tree_entry *entry,
                      bool *ret_descend)
{
    static const char remedy[] = "build a bundle yourself and give it with --artifact";
    bool ignored = false, lfs = false;
    git_object_t type = git_tree_entry_type(entry);
    *ret_descend = true;
    if (!attributes_of(writer, path, &ignored, &lfs))
        return false;
    *ret_descend = !ignored;
    if (ignored || type == GIT_OBJECT_TREE)
        return true;
    if (type == GIT_OBJECT_COMMIT)
        return error_set(writer->err, ERROR_INPUT,
                         "%s is a submodule: its files are not in the commit; %s", path, remedy);
    if (lfs)
        return error_set(writer->err, ERROR_INPUT,
                         "%s is kept by Git LFS: its content is not in the commit; %s", path,
                         remedy);
    return add_blob(writer, path, entry);
}

// Walks before descending: > 0 passes a folder over, < 0 stops.
static int visit(const char *folder, const git_tree_entry *entry, void *context)
{
    struct writer *writer = context;
    struct arena arena = {0};
    const char *path = arena_format(&arena, "%s%s", folder, git_tree_entry_name(entry)).data;
    bool descend;
    writer->failed = !add_entry(writer, path, entry, &descend);
    arena_done(&arena);
    return writer->failed ? -1 : !descend;
}

static bool open_archive(struct writer *writer, bool gzip)
{
    struct archive *archive = writer->archive = archive_write_new();
    int bad = archive_write_set_format_pax_restricted(archive);
    if (gzip) {
        bad |= archive_write_add_filter_gzip(archive);
        bad |= archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
    } else {
        bad |= archive_write_add_filter_zstd(archive);
    }
    bad |= archive_write_set_bytes_in_last_block(archive, 1);
    bad |= archive_write_open(archive, writer, NULL, write_bytes, NULL);
    if (bad != ARCHIVE_OK)
        return error_set(writer->err, ERROR_SYSTEM, "starting the bundle: %s",
                         archive_error_string(archive));
    return true;
}

static bool write_tree(struct writer *writer, const git_tree *tree)
{
    int walked = git_tree_walk(tree, GIT_TREEWALK_PRE, visit, writer);
    if (writer->failed)
        return false;
    if (walked < 0)
        return from_git(writer->err, "walking the commit");
    if (archive_write_close(writer->archive) != ARCHIVE_OK)
        return error_set(writer->err, ERROR_SYSTEM, "ending the bundle: %s",
                         archive_error_string(writer->archive));
    return true;
}

// libarchive takes names to be in the locale's character set; git's are UTF-8.
static bool write_archive(struct writer *writer, const git_tree *tree, bool gzip)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    bool ok = open_archive(writer, gzip) && write_tree(writer, tree);
    if (writer->archive)
        archive_write_free(writer->archive);
    if (utf8) {
        (void)uselocale(before);
        freelocale(utf8);
    }
    return ok;
}

// A repository in memory over the objects of the real one, with the commit's files as its index:
// what the working tree or the user's own settings say about attributes cannot reach the bundle.
static bool wrap(git_repository *real, const git_tree *tree, git_repository **ret,
                 struct error *err)
{
    git_odb *objects = NULL;
    git_index *index = NULL;
    git_repository *made = NULL;
    bool ok = git_repository_odb(&objects, real) == 0 &&
              git_repository_wrap_odb(&made, objects) == 0 && git_index_new(&index) == 0 &&
              git_index_read_tree(index, tree) == 0 && git_repository_set_index(made, index) == 0;
    if (!ok) {
        (void)from_git(err, "reading the commit");
        git_repository_free(made);
        made = NULL;
    }
    git_index_free(index);
    git_odb_free(objects);
    *ret = made;
    return ok;
}

static bool find_tree(git_repository *real, str commit, git_tree **ret, int64_t *ret_time_s,
                      struct error *err)
{
    git_oid id;
    git_commit *object = NULL;
    bool ok = commit.len == GIT_OID_HEXSZ && git_oid_fromstrn(&id, commit.data, commit.len) == 0 &&
              git_commit_lookup(&object, real, &id) == 0;
    if (!ok)
        return error_set(err, ERROR_ABSENT, "commit " STR_FMT " is not in this repository",
                         STR_ARG(str_first(commit, 120)));
    ok = git_commit_tree(ret, object) == 0 || from_git(err, "reading the commit");
    *ret_time_s = git_commit_time(object);
    git_commit_free(object);
    return ok;
}

bool tree_archive(const char *repository, str commit, bool gzip, int fd,
                  unsigned char ret_digest[SHA256_BYTES], uint64_t *ret_bytes, struct error *err)
{
    struct writer writer = {.fd = fd, .err = err};
    git_repository *real = NULL;
    git_tree *tree = NULL;
    unsigned char digest[SHA256_BYTES];
    (void)git_libgit2_init();
    sha256_init(&writer.sha);
    bool ok = git_repository_open_ext(&real, repository, 0, NULL) == 0 ||
              from_git(err, "opening the repository");
    ok = ok && find_tree(real, commit, &tree, &writer.time_s, err) &&
         wrap(real, tree, &writer.repository, err) && write_archive(&writer, tree, gzip);
    sha256_done(&writer.sha, digest);
    if (ok) {
        memcpy(ret_digest, digest, sizeof digest);
        *ret_bytes = writer.bytes;
    }
    git_repository_free(writer.repository);
    git_tree_free(tree);
    git_repository_free(real);
    (void)git_libgit2_shutdown();
    return ok;
}
