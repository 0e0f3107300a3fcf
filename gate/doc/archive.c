#include "gate/doc/archive.h"

#include "gate/base/limits.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

struct archive_reader {
    struct archive *archive;
    int fd;
    locale_t utf8; // libarchive turns names into the locale's charset; 0 when the machine has none
    char *path;
    uint64_t entries;
    uint64_t bytes;    // of the entries before this one
    uint64_t declared; // size of this one by its header
    uint64_t read;     // what came of it so far
    bool in_entry;
    char chunk[CHUNK_BYTES];
};

bool archive_recognise(str first)
{
    static const size_t tar_magic_at = 257;
    return str_starts(first, STR("PK\x03\x04")) || str_starts(first, STR("PK\x05\x06")) ||
           str_starts(first, STR("\x1F\x8B")) || str_starts(first, STR("\x28\xB5\x2F\xFD")) ||
           str_starts(str_from(first, tar_magic_at), STR("ustar"));
}

static bool damaged(const struct archive_reader *reader, struct error *err)
{
    const char *why = archive_error_string(reader->archive);
    if (archive_errno(reader->archive) == ENOMEM)
        return error_set(err, ERROR_SYSTEM, "no memory left to read %s", reader->path);
    if (why && strstr(why, "ncrypt"))
        return error_set(err, ERROR_INPUT, "%s is encrypted: give it without a password",
                         reader->path);
    if (why && strstr(why, "Unrecognized archive format"))
        return error_set(err, ERROR_INPUT,
                         "%s is no whole zip, tar, tar.gz or tar.zst archive: it is truncated, "
                         "damaged or of another format",
                         reader->path);
    return error_set(err, ERROR_INPUT, "the archive %s is truncated or damaged: %s", reader->path,
                     why ? why : "it ends too early");
}

static bool open_file(const char *path, int *ret_fd, struct error *err)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, "opening", path);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)close(fd);
        return error_set(err, ERROR_INPUT, "%s is not a file", path);
    }
    *ret_fd = fd;
    return true;
}

// Only the formats that are promised. A zip is read by its directory at the end: without one it is
// truncated, and its entries are not guessed from what is left.
static int set_up(struct archive *archive, int fd)
{
    int worst = archive_read_support_filter_gzip(archive);
    int zstd = archive_read_support_filter_zstd(archive);
    int tar = archive_read_support_format_tar(archive);
    int zip = archive_read_support_format_zip_seekable(archive);
    worst = zstd < worst ? zstd : worst;
    worst = tar < worst ? tar : worst;
    worst = zip < worst ? zip : worst;
    return worst < ARCHIVE_WARN ? worst : archive_read_open_fd(archive, fd, CHUNK_BYTES);
}

bool archive_open(const char *path, struct archive_reader **ret, struct error *err)
{
    int fd = -1;
    if (!open_file(path, &fd, err))
        return false;
    struct archive_reader *reader = memory_alloc(sizeof *reader);
    reader->fd = fd;
    reader->path = memory_alloc(strlen(path) + 1);
    memcpy(reader->path, path, strlen(path));
    reader->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!reader->utf8)
        reader->utf8 = newlocale(LC_CTYPE_MASK, "en_US.UTF-8", (locale_t)0);
    reader->archive = archive_read_new();
    if (!reader->archive || set_up(reader->archive, fd) != ARCHIVE_OK) {
        if (reader->archive)
            (void)damaged(reader, err);
        else
            (void)error_set(err, ERROR_SYSTEM, "no memory left to read %s", path);
        archive_close(reader);
        return false;
    }
    *ret = reader;
    return true;
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7F)
            return true;
    return false;
}

static bool climbs(str path)
{
    while (path.len)
        if (str_is(str_cut(&path, '/'), ".."))
            return true;
    return false;
}

static bool check_name(const struct archive_reader *reader, str name, struct error *err)
{
    const char *wrong = NULL;
    if (name.len == 0)
        wrong = "has no readable name";
    else if (name.len > LIMIT_PATH)
        wrong = "has a name that is too long";
    else if (!str_is_utf8(name) || has_control(name))
        wrong = "has a name that is not plain UTF-8 text";
    else if (name.data[0] == '/')
        wrong = "has an absolute path";
    else if (climbs(name))
        wrong = "climbs out of the archive with `..`";
    if (!wrong)
        return true;
    bool shown = str_is_utf8(name) && !has_control(name) && name.len;
    return error_set(err, ERROR_INPUT, "entry %llu of the archive %s %s%s" STR_FMT "%s",
                     (unsigned long long)reader->entries, reader->path, wrong, shown ? ": `" : "",
                     STR_ARG(shown ? str_shorten(name, 200) : STR("")), shown ? "`" : "");
}

static bool check_sizes(const struct archive_reader *reader, struct error *err)
{
    uint64_t entry = reader->declared > reader->read ? reader->declared : reader->read;
    if (reader->entries > LIMIT_ARCHIVE_ENTRIES)
        return error_set(err, ERROR_LIMIT, "the archive %s has more than %u entries", reader->path,
                         LIMIT_ARCHIVE_ENTRIES);
    if (entry > LIMIT_ARCHIVE_BYTES || reader->bytes + entry > LIMIT_ARCHIVE_BYTES)
        return error_set(err, ERROR_LIMIT, "the archive %s expands to more than %llu bytes",
                         reader->path, (unsigned long long)LIMIT_ARCHIVE_BYTES);
    return true;
}

// A tar ends with a block of zeros. Without one it was cut off between two entries.
static bool check_end(const struct archive_reader *reader, struct error *err)
{
    bool tar = (archive_format(reader->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    int64_t end = archive_filter_bytes(reader->archive, 0);
    if (tar && end - archive_read_header_position(reader->archive) < 512)
        return error_set(err, ERROR_INPUT, "the archive %s is truncated: its end mark is missing",
                         reader->path);
    return true;
}

// Reads headers until one is a file. *ret_header is null at the end.
static bool next_file(struct archive_reader *reader, struct archive_entry **ret_header,
                      struct error *err)
{
    for (;;) {
        struct archive_entry *header;
        int result = archive_read_next_header(reader->archive, &header);
        if (result == ARCHIVE_EOF) {
            *ret_header = NULL;
            return check_end(reader, err);
        }
        if (result == ARCHIVE_WARN && !reader->utf8)
            return error_set(err, ERROR_SYSTEM,
                             "a name in the archive %s needs a UTF-8 locale, and this machine has "
                             "none: install C.UTF-8",
                             reader->path);
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return damaged(reader, err);
        reader->entries++;
        reader->bytes += reader->declared > reader->read ? reader->declared : reader->read;
        int64_t size = archive_entry_size_is_set(header) ? archive_entry_size(header) : 0;
        reader->declared = size > 0 ? (uint64_t)size : 0;
        reader->read = 0;
        if (!check_sizes(reader, err))
            return false;
        if (archive_entry_filetype(header) == AE_IFREG && !archive_entry_hardlink(header)) {
            *ret_header = header;
            return true;
        }
    }
}

// "./a" and ".//a" are how `tar c .` writes "a".
static str without_dot(str name)
{
    while (str_starts(name, STR("./")))
        for (name = str_from(name, 1); str_starts(name, STR("/"));)
            name = str_from(name, 1);
    return name;
}

static bool advance(struct archive_reader *reader, struct archive_member *ret, bool *ret_more,
                    struct error *err)
{
    struct archive_entry *header = NULL;
    reader->in_entry = false;
    if (!next_file(reader, &header, err))
        return false;
    if (!header) {
        *ret_more = false;
        return true;
    }
    str name = without_dot(str_of(archive_entry_pathname(header)));
    if (!check_name(reader, name, err))
        return false;
    if (archive_entry_is_encrypted(header))
        return error_set(err, ERROR_INPUT, "%s is encrypted: give it without a password",
                         reader->path);
    reader->in_entry = true;
    *ret = (struct archive_member){name, reader->declared};
    *ret_more = true;
    return true;
}

bool archive_next(struct archive_reader *reader, struct archive_member *ret, bool *ret_more,
                  struct error *err)
{
    locale_t before = reader->utf8 ? uselocale(reader->utf8) : (locale_t)0;
    bool ok = advance(reader, ret, ret_more, err);
    if (before)
        (void)uselocale(before);
    return ok;
}

bool archive_read(struct archive_reader *reader, str *ret_chunk, struct error *err)
{
    if (!reader->in_entry) {
        *ret_chunk = (str){NULL, 0};
        return true;
    }
    la_ssize_t n = archive_read_data(reader->archive, reader->chunk, CHUNK_BYTES);
    if (n < 0)
        return damaged(reader, err);
    reader->read += (uint64_t)n;
    if (n == 0)
        reader->in_entry = false;
    if (!check_sizes(reader, err))
        return false;
    *ret_chunk = str_make(reader->chunk, (size_t)n);
    return true;
}

void archive_close(struct archive_reader *reader)
{
    if (!reader)
        return;
    if (reader->archive)
        (void)archive_read_free(reader->archive);
    if (reader->utf8)
        freelocale(reader->utf8);
    (void)close(reader->fd);
    memory_free(reader->path);
    memory_free(reader);
}
