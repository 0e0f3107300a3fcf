// Any bytes: entries or an error. No name leaves the archive, and the limits hold.
#include "fuzz.h"
#include "gate/base/limits.h"
#include "gate/doc/archive.h"

#include <sys/mman.h>
#include <unistd.h>

static void check_path(str path)
{
    PROMISE(path.len && path.len <= LIMIT_PATH && str_is_utf8(path), "%zu bytes", path.len);
    PROMISE(path.data[0] != '/', STR_FMT, STR_ARG(path));
    while (path.len)
        PROMISE(!str_is(str_cut(&path, '/'), ".."), "it climbs");
}

static bool read_all(struct archive_reader *reader, struct error *err)
{
    struct archive_member member;
    bool more;
    uint64_t total = 0, entries = 0;
    while (archive_next(reader, &member, &more, err)) {
        if (!more)
            return true;
        check_path(member.path);
        PROMISE(++entries <= LIMIT_ARCHIVE_ENTRIES, "entries");
        str chunk = {NULL, 0};
        bool ok =
            entries % 3 == 0 || archive_read(reader, &chunk, err); // every third is passed over
        for (; ok && chunk.len; ok = archive_read(reader, &chunk, err)) {
            total += chunk.len;
            PROMISE(total <= LIMIT_ARCHIVE_BYTES, "bytes");
            if (total > 8 << 20) // enough for one run of the fuzzer
                return true;
        }
        if (!ok)
            return false;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    char path[64];
    struct archive_reader *reader;
    struct error err = {0};
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool ok = archive_open(path, &reader, &err);
    if (ok) {
        ok = read_all(reader, &err);
        archive_close(reader);
    }
    PROMISE(ok || (err.kind != ERROR_NONE && err.message[0]), "an error says something");
    (void)close(fd);
    return 0;
}
