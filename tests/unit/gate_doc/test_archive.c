#include "../expect.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Archives are made here byte by byte: what is wrong about each is then plain to see.
static char path[64];
static struct text bytes;

static void init(void)
{
    (void)snprintf(path, sizeof path, "%s/archive-test-XXXXXX", P_tmpdir);
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    (void)close(fd);
    bytes = text_of(8 << 20);
}

static void done(void)
{
    (void)unlink(path);
    text_done(&bytes);
}

TestSuite(archive, .init = init, .fini = done);

static void add_zeros(size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_addc(&bytes, '\0');
}

// One ustar entry: header, data, padding.
static void add_tar(const char *name, char type, unsigned long long size, str data)
{
    char header[512] = {0};
    unsigned sum = 0;
    strncpy(header, name, 100);
    memcpy(header + 100, "0000644", 8);
    memcpy(header + 108, "0000000", 8);
    memcpy(header + 116, "0000000", 8);
    (void)snprintf(header + 124, 12, "%011llo", size);
    memcpy(header + 136, "00000000000", 12);
    memset(header + 148, ' ', 8);
    header[156] = type;
    if (type == '1' || type == '2')
        memcpy(header + 157, "target", 6);
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    (void)snprintf(header + 148, 8, "%06o", sum);
    text_add(&bytes, str_make(header, sizeof header));
    text_add(&bytes, data);
    add_zeros((512 - data.len % 512) % 512);
}

static void add_u16(unsigned value)
{
    text_addc(&bytes, (char)(value & 0xFF));
    text_addc(&bytes, (char)(value >> 8 & 0xFF));
}

static void add_u32(unsigned value)
{
    add_u16(value & 0xFFFF);
    add_u16(value >> 16);
}

// A stored zip of one entry. `flags`: 1 encrypted, 0x800 a UTF-8 name.
static void add_zip(str name, unsigned flags, unsigned crc, str data)
{
    for (int directory = 0; directory < 2; directory++) {
        static size_t directory_at;
        if (directory)
            directory_at = bytes.len;
        text_add(&bytes, directory ? STR("PK\x01\x02\x14\x03\x14\0") : STR("PK\x03\x04\x14\0"));
        add_u16(flags);
        add_u16(0); // stored
        add_u32(0); // time
        add_u32(crc);
        add_u32((unsigned)data.len);
        add_u32((unsigned)data.len);
        add_u16((unsigned)name.len);
        add_u16(0);
        if (directory) {
            add_zeros(6);
            add_u32(0x81A40000); // a file
            add_u32(0);
        }
        text_add(&bytes, name);
        if (!directory) {
            text_add(&bytes, data);
            continue;
        }
        size_t size = bytes.len - directory_at;
        text_add(&bytes, STR("PK\x05\x06\0\0\0\0\x01\0\x01\0"));
        add_u32((unsigned)size);
        add_u32((unsigned)directory_at);
        add_u16(0);
    }
}

static const unsigned hello_crc = 0x3610A686; // of "hello"

// All entries as "path:size:content\n".
static bool list(struct text *out, struct error *err)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    cr_assert(fwrite(text_c(&bytes), 1, bytes.len, file) == bytes.len);
    cr_assert(fclose(file) == 0);
    struct archive_reader *reader;
    struct archive_member member;
    bool more = true;
    if (!archive_open(path, &reader, err))
        return false;
    bool ok = archive_next(reader, &member, &more, err);
    for (; ok && more; ok = archive_next(reader, &member, &more, err)) {
        text_addf(out, STR_FMT ":%llu:", STR_ARG(member.path),
                  (unsigned long long)member.size_bytes);
        str chunk;
        while ((ok = archive_read(reader, &chunk, err)) && chunk.len)
            text_add(out, chunk);
        if (!ok)
            break;
        text_addc(out, '\n');
    }
    archive_close(reader);
    return ok;
}

static void lists(const char *want)
{
    struct text out = text_of(1 << 20);
    struct error err = {0};
    cr_expect(list(&out, &err), "%s", err.message);
    expect_str(text_str(&out), want);
    text_done(&out);
}

static void refuses(enum error_kind kind, const char *want)
{
    struct text out = text_of(1 << 20);
    struct error err = {0};
    cr_expect_not(list(&out, &err), "accepted; it holds:\n%s", text_c(&out));
    cr_expect(err.kind == kind, "%s", err.message);
    expect_contains(str_of(err.message), want);
    expect_contains(str_of(err.message), path);
    text_done(&out);
}

Test(archive, tar_files_only_are_given)
{
    add_tar("reports/", '5', 0, STR(""));
    add_tar("./reports/a.xml", '0', 5, STR("hello"));
    add_tar(".//b", '0', 0, STR(""));
    add_tar("link", '2', 0, STR(""));
    add_tar("hard", '1', 0, STR(""));
    add_tar("empty", '0', 0, STR(""));
    add_tar("caf\xC3\xA9", '0', 1, STR("x"));
    add_zeros(1024);
    lists("reports/a.xml:5:hello\nb:0:\nempty:0:\ncaf\xC3\xA9:1:x\n");
}

Test(archive, an_entry_may_be_passed_over)
{
    add_tar("a", '0', 5, STR("hello"));
    add_tar("b", '0', 1, STR("x"));
    add_zeros(1024);
    struct text out = text_of(1000);
    struct error err = {0};
    cr_assert(list(&out, &err));
    struct archive_reader *reader;
    struct archive_member member;
    bool more;
    str chunk;
    cr_assert(archive_open(path, &reader, &err));
    cr_assert(archive_read(reader, &chunk, &err) && chunk.len == 0, "before the first entry");
    cr_assert(archive_next(reader, &member, &more, &err) && more);
    cr_assert(archive_next(reader, &member, &more, &err) && more);
    expect_str(member.path, "b");
    cr_assert(archive_read(reader, &chunk, &err));
    expect_str(chunk, "x");
    cr_assert(archive_read(reader, &chunk, &err) && chunk.len == 0);
    cr_assert(archive_read(reader, &chunk, &err) && chunk.len == 0, "and again");
    cr_assert(archive_next(reader, &member, &more, &err) && !more);
    archive_close(reader);
    archive_close(NULL);
    text_done(&out);
}

Test(archive, zip)
{
    add_zip(STR("reports/caf\xC3\xA9.xml"), 0x800, hello_crc, STR("hello"));
    lists("reports/caf\xC3\xA9.xml:5:hello\n");
}

Test(archive, compressed_tar)
{
    add_tar("a", '0', 5, STR("hello"));
    add_zeros(1024);
    struct text tar = bytes;
    bytes = text_of(1 << 16);
    // gzip and zstd with stored blocks: no compressor is needed to make them.
    text_add(&bytes, STR("\x1F\x8B\x08\0\0\0\0\0\0\x03\x01"));
    add_u16((unsigned)tar.len);
    add_u16(~(unsigned)tar.len & 0xFFFF);
    text_add(&bytes, text_str(&tar));
    add_u32(0); // libarchive does not look at the checksum
    add_u32((unsigned)tar.len);
    lists("a:5:hello\n");
    bytes.len -= 8 + 1500;
    refuses(ERROR_INPUT, "truncated");
    text_clear(&bytes);
    text_add(&bytes, STR("\x28\xB5\x2F\xFD\0\x58")); // no content size, window of 2 MiB
    unsigned header = (unsigned)tar.len << 3 | 1;
    text_addc(&bytes, (char)(header & 0xFF));
    add_u16(header >> 8);
    text_add(&bytes, text_str(&tar));
    lists("a:5:hello\n");
    bytes.len -= 1500;
    refuses(ERROR_INPUT, "truncated");
    text_done(&tar);
}

Test(archive, dangerous_names_are_refused)
{
    static const struct {
        str name;
        const char *want;
    } rows[] = {{STR_INIT("/etc/passwd"), "has an absolute path: `/etc/passwd`"},
                {STR_INIT("../up"), "climbs out of the archive with `..`: `../up`"},
                {STR_INIT("a/../../up"), "climbs out of the archive with `..`: `a/../../up`"},
                {STR_INIT("a/.."), "climbs out of the archive with `..`"},
                {STR_INIT("a\xFF"), "has a name that is not plain UTF-8 text"},
                {STR_INIT("a\nb"), "has a name that is not plain UTF-8 text"},
                {STR_INIT(""), "has no readable name"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_clear(&bytes);
        add_tar(rows[i].name.data, '0', 1, STR("x"));
        add_zeros(1024);
        refuses(ERROR_INPUT, rows[i].want);
        if (rows[i].name.len == 0)
            continue;
        text_clear(&bytes);
        add_zip(rows[i].name, 0, hello_crc, STR("hello"));
        refuses(ERROR_INPUT, rows[i].want);
    }
    text_clear(&bytes);
    add_tar("a..b/..c", '0', 1, STR("x"));
    add_zeros(1024);
    lists("a..b/..c:1:x\n");
}

Test(archive, encrypted)
{
    add_zip(STR("secret"), 1, hello_crc,
            STR("0123456789ab"
                "hello"));
    refuses(ERROR_INPUT, "is encrypted: give it without a password");
}

Test(archive, every_truncation_is_an_error)
{
    add_tar("a", '0', 600, STR("hello"));
    bytes.len -= 507; // exact data
    for (size_t i = 0; i < 595; i++)
        text_addc(&bytes, 'x');
    add_zeros(1024 - 600);
    add_tar("b", '0', 1, STR("x"));
    add_zeros(1024);
    size_t whole = bytes.len;
    struct text out = text_of(1 << 16);
    struct error err = {0};
    cr_assert(list(&out, &err), "%s", err.message);
    for (size_t len = 0; len < whole - 1024; len += 53) {
        bytes.len = len;
        text_clear(&out);
        cr_expect_not(list(&out, &err), "%zu of %zu bytes were accepted", len, whole);
        cr_expect(err.kind == ERROR_INPUT);
    }
    bytes.len = whole - 1024; // between two entries
    refuses(ERROR_INPUT, "is truncated: its end mark is missing");
    text_done(&out);
}

Test(archive, every_truncated_zip_is_an_error)
{
    add_zip(STR("a"), 0, hello_crc, STR("hello"));
    struct text out = text_of(1 << 16);
    struct error err = {0};
    size_t whole = bytes.len;
    for (size_t len = 0; len < whole; len++) {
        bytes.len = len;
        text_clear(&out);
        cr_expect_not(list(&out, &err), "%zu of %zu bytes were accepted", len, whole);
        cr_expect(err.kind == ERROR_INPUT);
    }
    text_done(&out);
}

Test(archive, a_changed_byte_in_a_zip_is_an_error)
{
    add_zip(STR("a"), 0, hello_crc, STR("hellO"));
    refuses(ERROR_INPUT, "truncated or damaged");
}

Test(archive, what_it_expands_to_is_bounded)
{
    add_tar("bomb", '0', LIMIT_ARCHIVE_BYTES + 1, STR(""));
    refuses(ERROR_LIMIT, "expands to more than");
}

Test(archive, the_number_of_entries_is_bounded)
{
    bytes.max = 64 << 20;
    for (unsigned i = 0; i <= LIMIT_ARCHIVE_ENTRIES; i++)
        add_tar("folder/", '5', 0, STR(""));
    add_zeros(1024);
    refuses(ERROR_LIMIT, "more than 65536 entries");
}

Test(archive, no_archive_no_file)
{
    struct archive_reader *reader;
    struct error err = {0};
    text_adds(&bytes, "<coverage/>");
    refuses(ERROR_INPUT, "is no whole zip, tar, tar.gz or tar.zst archive");
    (void)unlink(path);
    cr_expect_not(archive_open(path, &reader, &err));
    cr_expect(err.kind == ERROR_ABSENT);
    cr_expect_not(archive_open("/", &reader, &err));
    cr_expect(err.kind == ERROR_INPUT);
    cr_assert(mkfifo(path, 0600) == 0);
    cr_expect_not(archive_open(path, &reader, &err), "a pipe must not hang the run");
    cr_expect(err.kind == ERROR_INPUT);
}

Test(archive, recognised_by_magic)
{
    cr_expect(archive_recognise(STR("PK\x03\x04...")));
    cr_expect(archive_recognise(STR("PK\x05\x06...")));
    cr_expect(archive_recognise(STR("\x1F\x8B\x08")));
    cr_expect(archive_recognise(STR("\x28\xB5\x2F\xFD")));
    add_tar("a", '0', 1, STR("x"));
    cr_expect(archive_recognise(text_str(&bytes)));
    cr_expect_not(archive_recognise(str_first(text_str(&bytes), 260)));
    cr_expect_not(archive_recognise(STR("")));
    cr_expect_not(archive_recognise(STR("<xml/>")));
    cr_expect_not(archive_recognise(STR("PK")));
}
