// Reports of an evidence, and one evidence taken over by another.
#include "gate/reports/evidence.h"

#include "gate/base/limits.h"
#include "gate/reports/coverage_table.h"

#include <stdio.h>

// Below this a report is copied out of its own arena, above it the arena itself is taken over.
#define TAKE_BYTES ((size_t)1 << 20)

const char *evidence_kind_name(enum evidence_kind kind)
{
    static const char *const names[EVIDENCE_KINDS] = {"coverage", "tests", "vulnerabilities",
                                                      "timings", "statements"};
    return names[kind];
}

struct report *evidence_report(struct evidence *evidence, const char *path, const char *entry,
                               uint32_t *ret_index)
{
    evidence->reports = arena_grow(&evidence->arena, evidence->reports, evidence->report_count,
                                   &evidence->report_room, sizeof *evidence->reports);
    struct report *report = &evidence->reports[evidence->report_count];
    *report = (struct report){0};
    report->path = arena_copy(&evidence->arena, str_of(path));
    report->entry = entry ? arena_copy(&evidence->arena, str_of(entry)) : NULL;
    *ret_index = (uint32_t)evidence->report_count++;
    return report;
}

void report_suspect(struct evidence *evidence, struct report *report, const char *format, ...)
{
    char sentence[512];
    if (report->suspicion_count > REPORT_SUSPICIONS)
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (n >= (int)sizeof sentence)
        memcpy(sentence + sizeof sentence - sizeof "…", "…", sizeof "…");
    if (report->suspicion_count == REPORT_SUSPICIONS)
        (void)snprintf(sentence, sizeof sentence, "there is more that does not fit");
    report->suspicions = arena_grow(&evidence->arena, report->suspicions, report->suspicion_count,
                                    &report->suspicion_room, sizeof *report->suspicions);
    report->suspicions[report->suspicion_count++] = arena_copy(&evidence->arena, str_of(sentence));
}

static const char *kept_short(struct evidence *evidence, str s)
{
    return arena_copy(&evidence->arena, str_shorten(str_trim(s), 300));
}

void report_scanner_failed(struct evidence *evidence, struct report *report, str sentence)
{
    if (!report->scanner_failed) {
        report->scanner_failed = kept_short(evidence, sentence);
        report_suspect(evidence, report, "the scanner failed: %s", report->scanner_failed);
    }
    report->empty = true;
}

void report_nothing_audited(struct evidence *evidence, struct report *report, const char *sentence)
{
    if (!report->nothing_audited)
        report_suspect(evidence, report, "nothing was scanned: %s", sentence);
    report->nothing_audited = true;
    report->empty = true;
}

void report_tool(struct evidence *evidence, struct report *report, str name, str version)
{
    if (name.len == 0)
        return;
    report->tool =
        kept_short(evidence, version.len ? arena_format(&evidence->arena, STR_FMT " " STR_FMT,
                                                        STR_ARG(name), STR_ARG(version))
                                         : name);
}

void report_source(struct evidence *evidence, struct report *report, str source)
{
    report->sources = arena_grow(&evidence->arena, report->sources, report->source_count,
                                 &report->source_room, sizeof *report->sources);
    report->sources[report->source_count++] = arena_copy(&evidence->arena, source);
}

static bool same_sources(const struct report *a, const struct report *b)
{
    if (a->source_count != b->source_count)
        return false;
    for (size_t i = 0; i < a->source_count; i++)
        if (strcmp(a->sources[i], b->sources[i]) != 0)
            return false;
    return true;
}

// Equal file names mean the same file only when the folders that they are relative to are equal
// too.
static uint32_t origin_of(const struct evidence *evidence, const struct report *report)
{
    if (report->source_count == 0)
        return 0;
    for (size_t i = 0; i < evidence->report_count; i++)
        if (same_sources(&evidence->reports[i], report))
            return (uint32_t)i + 1;
    return (uint32_t)evidence->report_count + 1;
}

static uint32_t absorb_report(struct evidence *evidence, const struct report *from)
{
    uint32_t index;
    struct report *report = evidence_report(evidence, from->path, from->entry, &index);
    struct report copy = *from;
    copy.path = report->path;
    copy.entry = report->entry;
    copy.suspicions = NULL;
    copy.suspicion_count = copy.suspicion_room = 0;
    copy.sources = NULL;
    copy.source_count = copy.source_room = 0;
    copy.tool = from->tool ? arena_copy(&evidence->arena, str_of(from->tool)) : NULL;
    copy.scanner_failed =
        from->scanner_failed ? arena_copy(&evidence->arena, str_of(from->scanner_failed)) : NULL;
    *report = copy;
    if (from->error.at.file) // a position names the report, whose path lives in `from`'s arena
        report->error.at.file = report->path;
    for (size_t i = 0; i < from->suspicion_count; i++)
        report_suspect(evidence, report, "%s", from->suspicions[i]);
    for (size_t i = 0; i < from->source_count; i++)
        report_source(evidence, report, str_of(from->sources[i]));
    return index;
}

// True when `from` itself is used from now on, and not a copy.
static bool absorb_file(struct evidence *evidence, struct covered_file *from, uint32_t origin,
                        bool take)
{
    struct error ignored; // limits were kept when `from` was read
    bool fresh;
    struct covered_file *file =
        coverage_file_of(evidence, from->reported, origin, take ? NULL : &evidence->arena, &fresh);
    if (fresh && take) {
        *file = *from;
        file->origin = origin;
        return true;
    }
    (void)coverage_unite(evidence, file, from, &ignored);
    return false;
}

static bool absorb_coverage(struct evidence *evidence, struct evidence *part, uint32_t report,
                            uint32_t origin, bool take)
{
    struct coverage *from = &part->coverage;
    for (size_t i = 0; i < from->count; i++)
        for (size_t k = 0; k < from->files[i].range_count; k++)
            covered_ranges(&from->files[i])[k].report = report;
    evidence->coverage.has_branches |= from->has_branches;
    if (take && from->count && evidence->coverage.count == 0) {
        coverage_take(evidence, from, origin);
        return true;
    }
    bool used = false;
    for (size_t i = 0; i < from->count; i++)
        used |= absorb_file(evidence, &from->files[i], origin, take);
    return used;
}

static void absorb_tests(struct evidence *evidence, struct evidence *part, uint32_t report,
                         bool take)
{
    struct error ignored;
    for (size_t i = 0; report != 0 && i < part->tests.count; i++) // 0 is what a part has
        part->tests.cases[i].report = report;
    if (take && evidence->tests.count == 0) { // the first report: the table itself is taken over
        struct tests empty = evidence->tests;
        evidence->tests = part->tests;
        part->tests = empty;
        return;
    }
    for (size_t i = 0; i < part->tests.count; i++) {
        if (take)
            tests_put(evidence, &part->tests.cases[i]);
        else
            (void)tests_add(evidence, &part->tests.cases[i], &ignored);
    }
}

// A catalogue has hundreds of thousands of entries: the table itself is taken over where it can be.
static bool absorb_statements(struct evidence *evidence, struct evidence *part, uint32_t report,
                              bool take)
{
    struct error ignored;
    struct statements *from = &part->statements;
    for (size_t i = 0; report != 0 && i < from->count; i++)
        from->items[i].report = report;
    if (take && from->count && evidence->statements.count == 0) {
        memory_free(evidence->statements.items);
        evidence->statements = *from;
        *from = (struct statements){0};
        return true;
    }
    for (size_t i = 0; i < from->count; i++)
        (void)statement_add(evidence, &from->items[i], &ignored);
    return false;
}

// Limits were kept when the part was read, and again by all parts together before this.
static bool absorb_findings(struct evidence *evidence, struct evidence *part, uint32_t report,
                            bool take)
{
    struct error ignored;
    struct vulnerabilities *from = &part->vulnerabilities;
    for (size_t i = 0; i < from->count; i++)
        from->items[i].report = report;
    if (take && from->count && evidence->vulnerabilities.count == 0) {
        evidence->vulnerabilities = *from;
        return true;
    }
    for (size_t i = 0; i < from->count; i++)
        (void)vulnerability_add(evidence, &from->items[i], &ignored);
    return false;
}

static bool absorb_timings(struct evidence *evidence, struct evidence *part, uint32_t report,
                           bool take)
{
    struct error ignored;
    struct timings *from = &part->timings, *all = &evidence->timings;
    for (size_t i = 0; i < from->count; i++)
        from->rows[i].report = report;
    for (size_t i = 0; i < from->check_count; i++)
        from->checks[i].report = report;
    if (take && from->count + from->check_count && all->count + all->check_count == 0) {
        *all = *from;
        return true;
    }
    for (size_t i = 0; i < from->count; i++)
        (void)timing_add(evidence, &from->rows[i], &ignored);
    for (size_t i = 0; i < from->check_count; i++)
        (void)timing_check_add(evidence, &from->checks[i], &ignored);
    return false;
}

void evidence_absorb(struct evidence *evidence, struct evidence *part)
{
    const struct report *from = &part->reports[0];
    uint32_t origin = origin_of(evidence, from);
    uint32_t report = absorb_report(evidence, from);
    bool take = part->arena.used_bytes > TAKE_BYTES;
    bool used = absorb_coverage(evidence, part, report, origin, take);
    used |= take && part->tests.count;
    absorb_tests(evidence, part, report, take);
    used |= absorb_findings(evidence, part, report, take);
    used |= absorb_timings(evidence, part, report, take);
    used |= absorb_statements(evidence, part, report, take);
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        evidence->has[kind] |= part->has[kind];
    if (used)
        arena_take(&evidence->arena, &part->arena);
    evidence_done(part);
}

void evidence_done(struct evidence *evidence)
{
    memory_free(evidence->coverage.files);
    memory_free(evidence->coverage.index);
    memory_free(evidence->tests.cases);
    memory_free(evidence->statements.items);
    arena_done(&evidence->arena);
    *evidence = (struct evidence){0};
}
