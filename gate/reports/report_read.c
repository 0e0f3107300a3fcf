// One report from its first byte to its digest. It is read into an evidence of its own, which the
// evidence of the run absorbs when all of it was read.
#include "gate/base/limits.h"
#include "gate/reports/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIRST_BYTES = 64 * 1024, // what a format is recognised by
    CHUNK_BYTES = 256 * 1024,
};

struct report_feed {
    struct evidence *into;
    struct evidence part;
    unsigned kinds;
    struct sha256 sha;
    char *first; // until the format is known
    size_t first_size;
    const struct report_reader *reader;
    struct reading *reading;
    bool failed;
    struct error error;
};

static enum evidence_kind lowest(unsigned kinds)
{
    int kind = 0;
    while (kind + 1 < EVIDENCE_KINDS && !(kinds >> kind & 1))
        kind++;
    return (enum evidence_kind)kind;
}

struct report_feed *report_feed_open(struct evidence *evidence, const char *shown_path,
                                     const char *entry, unsigned kinds)
{
    struct report_feed *feed = memory_alloc(sizeof *feed);
    uint32_t index;
    feed->into = evidence;
    feed->kinds = kinds;
    feed->first = memory_alloc(FIRST_BYTES);
    struct report *report = evidence_report(&feed->part, shown_path, entry, &index);
    report->kind = lowest(kinds);
    sha256_init(&feed->sha);
    return feed;
}

// `whole`: these first bytes are all there are.
static bool start(struct report_feed *feed, bool whole, struct error *err)
{
    struct report *report = &feed->part.reports[0];
    str first = str_make(feed->first, feed->first_size);
    if (!report_recognise(first, whole, &feed->reader, err))
        return false;
    report->format = feed->reader->name;
    unsigned holds = 1u << feed->reader->kind | feed->reader->also;
    if (!(feed->kinds & holds))
        return error_set(err, ERROR_INPUT, "this is %s, which is evidence of %s, not of %s",
                         feed->reader->title, evidence_kind_name(feed->reader->kind),
                         evidence_kind_name(report->kind));
    report->kind = feed->reader->kind;
    if (!feed->reader->open(&feed->part, 0, &feed->reading, err))
        return false;
    return feed->reader->feed(feed->reading, first, err);
}

static bool take(struct report_feed *feed, str bytes, struct error *err)
{
    if (feed->part.reports[0].size_bytes > LIMIT_REPORT_BYTES)
        return error_set(err, ERROR_LIMIT, "the report is larger than %llu MiB",
                         (unsigned long long)(LIMIT_REPORT_BYTES >> 20));
    if (!feed->reading) {
        str head = str_first(bytes, FIRST_BYTES - feed->first_size);
        memcpy(feed->first + feed->first_size, head.data, head.len);
        feed->first_size += head.len;
        bytes = str_from(bytes, head.len);
        if (feed->first_size == FIRST_BYTES && !start(feed, false, err))
            return false;
    }
    return bytes.len == 0 || feed->reader->feed(feed->reading, bytes, err);
}

void report_feed_bytes(struct report_feed *feed, str bytes)
{
    if (bytes.len == 0)
        return;
    sha256_add(&feed->sha, bytes.data, bytes.len);
    feed->part.reports[0].size_bytes += bytes.len;
    if (!feed->failed)
        feed->failed = !take(feed, bytes, &feed->error);
}

// Each report keeps the limits by itself; all of them together have to keep them too.
static bool fits(const struct report_feed *feed, struct error *err)
{
    const struct evidence *all = feed->into, *part = &feed->part;
    if (all->arena.used_bytes + part->arena.used_bytes > LIMIT_EVIDENCE_BYTES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u MiB of evidence",
                         LIMIT_EVIDENCE_BYTES >> 20);
    if (all->coverage.count > LIMIT_SOURCE_FILES) // a part mostly names the same ones again
        return error_set(err, ERROR_LIMIT, "the reports name more than %u source files",
                         LIMIT_SOURCE_FILES);
    if (all->tests.count + part->tests.count > LIMIT_TESTS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u tests", LIMIT_TESTS);
    if (all->vulnerabilities.count + part->vulnerabilities.count > LIMIT_VULNERABILITIES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u findings",
                         LIMIT_VULNERABILITIES);
    if (all->statements.count + part->statements.count > LIMIT_STATEMENTS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u statements",
                         LIMIT_STATEMENTS);
    if (all->timings.count + all->timings.check_count + part->timings.count +
            part->timings.check_count >
        LIMIT_TIMINGS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u timings", LIMIT_TIMINGS);
    return true;
}

static bool finish(struct report_feed *feed, struct error *err)
{
    struct report *report = &feed->part.reports[0];
    if (!feed->reading && !start(feed, true, err))
        return false;
    if (!feed->reader->end(feed->reading, err))
        return false;
    feed->part.has[report->kind] |= !report->empty;
    return fits(feed, err);
}

// The same bytes were read before: they count once. What failed before is no evidence to repeat.
static bool seen_before(const struct evidence *evidence, const struct report *report)
{
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *other = &evidence->reports[i];
        if (memcmp(other->sha256, report->sha256, SHA256_HEX) == 0 && other->kind == report->kind &&
            other->error.kind == ERROR_NONE)
            return true;
    }
    return false;
}

static void forget_contents(struct evidence *part)
{
    part->coverage.count = 0;
    part->coverage.has_branches = false;
    part->tests.count = 0;
    part->vulnerabilities.count = 0;
    part->statements.count = 0;
    part->timings.count = part->timings.check_count = 0;
    memset(part->has, 0, sizeof part->has);
}

// What stands before the line number of a failure in the newest report.
static const char *position_name(struct evidence *evidence)
{
    struct report *report = &evidence->reports[evidence->report_count - 1];
    const char *name = report->path;
    if (report->entry)
        name = arena_format(&evidence->arena, "%s!%s", report->path, report->entry).data;
    report->error.at.file = name;
    return name;
}

bool report_feed_end(struct report_feed *feed, const struct error *failed, struct error *err)
{
    struct report *report = &feed->part.reports[0];
    unsigned char digest[SHA256_BYTES];
    if (!feed->failed && failed) {
        feed->failed = true;
        feed->error = *failed;
    }
    if (!feed->failed)
        feed->failed = !finish(feed, &feed->error);
    if (feed->reading)
        feed->reader->close(feed->reading);
    sha256_done(&feed->sha, digest);
    sha256_hex(digest, report->sha256);
    bool ok = !feed->failed;
    if (!ok) {
        report->error = feed->error;
        *err = feed->error;
        report->suspicion_count = 0;
    } else if (seen_before(feed->into, report)) {
        report->duplicate = true;
        report->suspicion_count = 0;
    }
    if (!ok || report->duplicate)
        forget_contents(&feed->part);
    evidence_absorb(feed->into, &feed->part);
    if (!ok && err->at.file) // the part's copy of the name is gone
        err->at.file = position_name(feed->into);
    memory_free(feed->first);
    memory_free(feed);
    return ok;
}

static bool pump(int file, struct report_feed *feed, const char *shown_path, struct error *err)
{
    char *chunk = memory_alloc(CHUNK_BYTES);
    ssize_t got;
    do {
        got = read(file, chunk, CHUNK_BYTES);
        if (got > 0)
            report_feed_bytes(feed, str_make(chunk, (size_t)got));
    } while (got > 0 || (got < 0 && errno == EINTR));
    bool ok = got == 0 || error_errno(err, "reading", shown_path);
    memory_free(chunk);
    return ok;
}

bool report_read_file(struct evidence *evidence, int file, const char *shown_path, unsigned kinds,
                      struct error *err)
{
    struct stat status = {0};
    struct error failed;
    struct report_feed *feed = report_feed_open(evidence, shown_path, NULL, kinds);
    bool ok = fstat(file, &status) == 0 || error_errno(&failed, "reading", shown_path);
    if (ok && !S_ISREG(status.st_mode))
        ok = error_set(&failed, ERROR_INPUT, "%s is not a regular file", shown_path);
    feed->part.reports[0].modified_ms =
        (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    ok = ok && pump(file, feed, shown_path, &failed);
    return report_feed_end(feed, ok ? NULL : &failed, err);
}

bool report_read(struct evidence *evidence, const char *path, const char *shown_path,
                 struct error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0) {
        bool ok = report_read_file(evidence, file, shown_path, REPORT_ANY, err);
        (void)close(file);
        return ok;
    }
    struct error failed;
    (void)error_errno(&failed, "opening", shown_path);
    return report_feed_end(report_feed_open(evidence, shown_path, NULL, REPORT_ANY), &failed, err);
}
