// The evidence model: what every report format becomes. Rules read this and nothing else.
//
// Coverage is kept per source file as known and hit lines, so that shards unite by (file, line) and
// never add up twice. Everything lives in the evidence's arena, but for the
// tables of files, tests and statements, which evidence_done releases too. A report is read
// into an evidence of its own and absorbed when it was read to its end: what fails half way leaves
// nothing behind.
//
//     struct evidence evidence = {0};
//     if (!report_read(&evidence, "coverage.xml", "coverage.xml", &err)) ...
//     struct coverage_totals totals = coverage_totals(&evidence.coverage);
//     evidence_done(&evidence);
#ifndef GATE_REPORTS_EVIDENCE_H
#define GATE_REPORTS_EVIDENCE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/sha256.h"
#include "gate/reports/branches.h"
#include "gate/reports/statement.h"
#include "gate/reports/timing.h"
#include "gate/reports/vulnerability.h"

#include <stdint.h>

enum evidence_kind {
    EVIDENCE_COVERAGE,
    EVIDENCE_TESTS,
    EVIDENCE_VULNERABILITIES,
    EVIDENCE_TIMINGS,
    EVIDENCE_STATEMENTS,
    EVIDENCE_KINDS,
};
const char *evidence_kind_name(enum evidence_kind kind); // "coverage", "tests", …: as in totals

// One report file (or one entry of an archive).
struct report {
    enum evidence_kind kind;
    const char *format; // "cobertura", "lcov", "junit"; null when it could not be read
    const char *path;   // as found, relative to the repository
    const char *entry;  // inside an archive; null otherwise
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
    int64_t modified_ms;     // 0 = unknown
    const char **suspicions; // sentences; `suspicion_count` of them
    size_t suspicion_count, suspicion_room;
    bool duplicate;       // same digest as an earlier one: counted once
    bool empty;           // read, but holds nothing where there must be something: unusable, and
                          // a suspicion. A scanner that found nothing is not empty.
    bool nothing_audited; // see report_nothing_audited
    const char *scanner_failed; // its sentence; null = it did not
    int64_t made_ms;            // when the report says that it was made; 0 = it does not
    const char *tool;           // "pip-audit 2.7.3", as the report says; null = it does not
    struct error error;         // kind ERROR_NONE when it was read
    const char **sources;       // Cobertura <source> prefixes, LCOV none
    size_t source_count, source_room;
};

struct byte_range { // where a file's numbers stand in a report; a large report has many
    uint64_t from;
    uint32_t size;   // at most 4 GiB - 1, though one may be a byte longer
    uint32_t report; // index
};
static inline uint64_t byte_range_end(const struct byte_range *range) // behind it
{
    return range->from + range->size;
}

struct covered_file {
    str reported;    // path as the report has it
    str path;        // in the repository, '/'-separated; empty while unmatched
    uint32_t origin; // the first report with these <source> prefixes + 1; 0 = a report without any
    uint32_t lines_room : 31; // that there is memory for
    uint32_t in_fives : 1;
    uint32_t last_line;   // the highest known line
    uint32_t range_count; // see covered_range
    union {
        uint64_t *known; // of a stage: bit n = line n; as many words of hit lines follow
        uint8_t *fives;  // of a file in the table: see line_fives.h
    };
    struct branches branches;
    union {
        struct byte_range only_range;   // mostly there is one
        struct byte_range *more_ranges; // of several; room for them is the next power of two
    };
};

static inline struct byte_range *covered_ranges(struct covered_file *file)
{
    return file->range_count > 1 ? file->more_ranges : &file->only_range;
}

static inline const struct byte_range *covered_range(const struct covered_file *file, size_t n)
{
    return file->range_count > 1 ? &file->more_ranges[n] : &file->only_range;
}

static inline uint64_t *covered_hit(const struct covered_file *stage)
{
    return stage->known ? stage->known + stage->lines_room / 64 : NULL;
}

struct coverage {
    struct covered_file *files;
    size_t count, room;
    uint32_t *index; // hash table over `reported` and `origin`: file number + 1
    size_t index_room;
    bool has_branches;
};

enum test_result { TEST_PASSED, TEST_FAILED, TEST_ERROR, TEST_SKIPPED, TEST_FLAKY };

struct test_case {
    // The identity; empty where the dialect has none. Nested suites are "outer › inner"; a time
    // stamp at the end of a suite's name ("-20261122000203") is left out.
    str suite, host, class_name, name, file;
    uint32_t line;
    enum test_result result;
    uint32_t report;
    uint64_t offset; // byte offset of the case in its report
    int64_t time_us; // -1 = unknown
    str message;     // of a failure: its first line, bounded
};

struct test_totals {
    uint64_t total, passed, failed, errors, skipped, flaky;
};

struct tests {
    struct test_case *cases; // after tests_settle: one per identity
    size_t count, room;
    bool apart;   // no two cases have one identity: see tests_tell_apart
    bool settled; // and these are the totals; a case that is put in makes both false again
    struct test_totals totals;
};

struct evidence {
    struct arena arena;
    struct report *reports;
    size_t report_count, report_room;
    struct coverage coverage;
    struct tests tests;
    struct vulnerabilities vulnerabilities;
    struct timings timings;
    struct statements statements;
    bool has[EVIDENCE_KINDS]; // a usable report of this kind was read
};

// ---- filling it, for readers -----------------------------------------------------------------

// A new report; the pointer is valid until the next call. `path` and `entry` are copied.
struct report *evidence_report(struct evidence *evidence, const char *path, const char *entry,
                               uint32_t *ret_index);
// One sentence. Past REPORT_SUSPICIONS the last one says that there are more.
#define REPORT_SUSPICIONS 50u
void report_suspect(struct evidence *evidence, struct report *report, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_source(struct evidence *evidence, struct report *report, str source); // copies
// "The scanner failed", "nothing was scanned" and "clean" are three different things. The first two
// are suspicions, and make the report empty: it is no evidence. Sentences are copied, bounded to
// 300 bytes; the first one stays.
void report_scanner_failed(struct evidence *evidence, struct report *report, str sentence);
void report_nothing_audited(struct evidence *evidence, struct report *report, const char *sentence);
void report_tool(struct evidence *evidence, struct report *report, str name, str version);

// The file of that name, made when absent. The pointer is valid until the next call.
struct covered_file *coverage_file(struct evidence *evidence, str reported);
// Lines count from 1, at most LIMIT_SOURCE_LINE. A line hit in any report is hit. ERROR_INPUT for a
// line out of range, ERROR_LIMIT past LIMIT_EVIDENCE_BYTES.
bool coverage_line(struct evidence *evidence, struct covered_file *file, uint32_t line,
                   uint64_t hits, struct error *err);
// The larger count of a line wins (Cobertura: branches have no identity).
bool coverage_branches(struct evidence *evidence, struct covered_file *file, uint32_t line,
                       uint32_t covered, uint32_t total, struct error *err);
void coverage_range(struct evidence *evidence, struct covered_file *file, uint32_t report,
                    uint64_t from, uint64_t to);

// Make the branches of `stage` of all that a report says of one file, which is sorted in place.
void covered_arms(struct arena *arena, struct covered_file *stage, struct branch_arm *arms,
                  size_t count);
void covered_counts(struct arena *arena, struct covered_file *stage, struct branch_count *counts,
                    size_t count);

// A stage: one source file of one report before it is united with what is known of that file. A
// reader clears and fills the same one again and again; its memory is `arena`, not the evidence's.
bool covered_line(struct arena *arena, struct covered_file *stage, uint32_t line, uint64_t hits,
                  struct error *err);
// The same for all lines between two, both included. ERROR_INPUT when they are in the wrong order.
bool covered_lines(struct arena *arena, struct covered_file *stage, uint32_t first, uint32_t last,
                   uint64_t hits, struct error *err);
void covered_clear(struct covered_file *stage);
// Lines, branches and ranges of `from` become those of `file` too, as small as they can be stored.
bool coverage_unite(struct evidence *evidence, struct covered_file *file,
                    const struct covered_file *from, struct error *err);

// Files with equal names in `names` (one for each file, in order) turn out to be one and the same:
// they unite in the first of them. Null names: all files are different ones. ERROR_LIMIT as above;
// the table is whole in any case.
bool coverage_regroup(struct evidence *evidence, const str *names, struct error *err);

bool tests_add(struct evidence *evidence, const struct test_case *one, struct error *err); // copies
// The same for a case whose texts live in the evidence's arena already.
bool tests_take(struct evidence *evidence, const struct test_case *one, struct error *err);
// A text of the next case, copied: where the case before has the same one, that is shared.
str tests_text(struct evidence *evidence, str wanted, str before);
// Unites test cases by identity: failure and pass = flaky, all failed = one failure.
void tests_settle(struct tests *tests);
// For formats in which several tests of one report bear one name: the second becomes "name (2)",
// in the order of the report. `by_line`: those that stand on one line of the source are one test.
void tests_tell_apart(struct evidence *evidence, bool by_line);

// Takes over the only report of `part` and all it holds, under a new index; `part` is empty
// afterwards.
void evidence_absorb(struct evidence *evidence, struct evidence *part);

// ---- reading it, for rules -------------------------------------------------------------------
struct coverage_totals {
    uint64_t lines_covered, lines_total, branches_covered, branches_total, files;
};
bool line_known(const struct covered_file *file, uint32_t line);
bool line_hit(const struct covered_file *file, uint32_t line);
void covered_file_totals(const struct covered_file *file, struct coverage_totals *add_to);
struct coverage_totals coverage_totals(const struct coverage *coverage);
struct test_totals tests_totals(const struct tests *tests);
// "suite › class › name", for people and finding ids. Without the host, which is another one in
// every run, and without a class that says the same as the suite.
const char *test_identity(struct arena *arena, const struct test_case *one);

void evidence_done(struct evidence *evidence);

#endif
