#include "deploy/artifact/tree_archive.h"

#include "gate/base/arena.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <git2.h>
#include <locale.h>
#include <unistd.h>

struct writer {
    struct archive *archive;
    git_repository *repository;
    git_oid commit;
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

static bool is_ignored(struct writer *writer, const char *path)
{
    git_attr_options options = {.version = GIT_ATTR_OPTIONS_VERSION};
    options.flags = GIT_ATTR_CHECK_INCLUDE_COMMIT | GIT_ATTR_CHECK_NO_SYSTEM;
    options.attr_commit_id = writer->commit;
    const char *value = NULL;
    return git_attr_get_ext(&value, writer->repository, &options, path, "export-ignore") == 0 &&
           git_attr_value(value) == GIT_ATTR_VALUE_TRUE;
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

// Walks before descending: > 0 passes a folder over, < 0 stops.
static int visit(const char *folder, const git_tree_entry *entry, void *context)
{
    struct writer *writer = context;
    struct arena arena = {0};
    const char *path =
        arena_format(&arena, "%s%s", folder, git_tree_entry_name(entry)).data;
    int answer = 0;
    if (git_tree_entry_type(entry) == GIT_OBJECT_COMMIT) {
        (void)error_set(writer->err, ERROR_INPUT,
                        "%s is a submodule: its files are not in the commit; build a bundle "
                        "yourself and give it with --artifact",
                        path);
        answer = -1;
    } else if (is_ignored(writer, path)) {
        answer = 1;
    } else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB && !add_blob(writer, path, entry)) {
        answer = -1;
    }
    writer->failed |= answer < 0;
    arena_done(&arena);
    return answer;
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

static bool write_tree(struct writer *writer, const git_commit *commit)
{
    git_tree *tree = NULL;
    if (git_commit_tree(&tree, commit) < 0)
        return from_git(writer->err, "reading the commit");
    int walked = git_tree_walk(tree, GIT_TREEWALK_PRE, visit, writer);
    git_tree_free(tree);
    if (writer->failed)
        return false;
    if (walked < 0)
        return from_git(writer->err, "walking the commit");
    if (archive_write_close(writer->archive) != ARCHIVE_OK)
        return error_set(writer->err, ERROR_SYSTEM, "ending the bundle: %s",
                         archive_error_string(writer->archive));
    return true;
}

bool tree_archive(const char *repository, str commit, bool gzip, int fd,
                  unsigned char ret_digest[SHA256_BYTES], uint64_t *ret_bytes, struct error *err)
{
    struct writer writer = {.fd = fd, .err = err};
    git_commit *object = NULL;
    bool ok = true;
    (void)git_libgit2_init();
    if (git_repository_open_ext(&writer.repository, repository, 0, NULL) < 0)
        ok = from_git(err, "opening the repository");
    else if (git_oid_fromstrn(&writer.commit, commit.data, commit.len) < 0 ||
             git_commit_lookup(&object, writer.repository, &writer.commit) < 0)
        ok = error_set(err, ERROR_ABSENT, "commit " STR_FMT " is not in this repository",
                       STR_ARG(commit));
    sha256_init(&writer.sha);
    if (ok) {
        writer.time_s = git_commit_time(object);
        // libarchive takes names to be in the locale's character set; git's are UTF-8.
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
        ok = open_archive(&writer, gzip) && write_tree(&writer, object);
        if (utf8) {
            (void)uselocale(before);
            freelocale(utf8);
        }
    }
    if (writer.archive)
        archive_write_free(writer.archive);
    unsigned char digest[SHA256_BYTES];
    sha256_done(&writer.sha, digest);
    if (ok) {
        memcpy(ret_digest, digest, sizeof digest);
        *ret_bytes = writer.bytes;
    }
    git_commit_free(object);
    git_repository_free(writer.repository);
    (void)git_libgit2_shutdown();
    return ok;
}
