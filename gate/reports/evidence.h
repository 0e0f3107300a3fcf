// The evidence model: what every report format becomes. Rules read this and nothing else.
//
// Coverage is kept per source file as bitmaps of known and hit lines, so that shards unite by
// (file, line) and never add up twice. Everything lives in the evidence's arena.
#ifndef GATE_REPORTS_EVIDENCE_H
#define GATE_REPORTS_EVIDENCE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/sha256.h"

#include <stdint.h>

enum evidence_kind { EVIDENCE_COVERAGE, EVIDENCE_TESTS, EVIDENCE_KINDS };

// One report file (or one entry of an archive).
struct report {
    enum evidence_kind kind;
    const char *format;  // "cobertura", "lcov", "junit"; null when it could not be read
    const char *path;    // as found, relative to the repository
    const char *entry;   // inside an archive; null otherwise
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
    int64_t modified_ms;      // 0 = unknown
    const char **suspicions;  // sentences; `suspicion_count` of them
    size_t suspicion_count, suspicion_room;
    bool duplicate;           // same digest as an earlier one: counted once
    struct error error;       // kind ERROR_NONE when it was read
    const char **sources;     // Cobertura <source> prefixes, LCOV none
    size_t source_count, source_room;
};

struct branch_count { // branches of one line
    uint32_t line, covered, total;
};

struct byte_range { // where a file's numbers stand in a report
    uint32_t report; // index
    uint64_t from, to;
};

struct covered_file {
    str reported; // path as the report has it
    str path;     // in the repository, '/'-separated; empty while unmatched
    uint32_t lines_room;       // bits in the maps
    uint64_t *known, *hit;     // bit n = line n
    struct branch_count *branches; // by rising line
    size_t branch_count, branch_room;
    struct byte_range *ranges;
    size_t range_count, range_room;
};

struct coverage {
    struct covered_file *files;
    size_t count, room;
    uint32_t *index; // hash table over `reported`: file number + 1
    size_t index_room;
    bool has_branches;
};

enum test_result { TEST_PASSED, TEST_FAILED, TEST_ERROR, TEST_SKIPPED, TEST_FLAKY };

struct test_case {
    str suite, class_name, name, file; // the identity; empty where the dialect has none
    uint32_t line;
    enum test_result result;
    uint32_t report;
    uint64_t offset;   // byte offset of the case in its report
    int64_t time_us;   // -1 = unknown
    str message;       // of a failure: its first line, bounded
};

struct tests {
    struct test_case *cases; // after evidence_settle: one per identity
    size_t count, room;
};

struct evidence {
    struct arena arena;
    struct report *reports;
    size_t report_count, report_room;
    struct coverage coverage;
    struct tests tests;
    bool has[EVIDENCE_KINDS]; // a usable report of this kind was read
};

// ---- filling it, for readers -----------------------------------------------------------------
struct report *evidence_report(struct evidence *evidence, const char *path, const char *entry,
                               uint32_t *ret_index);
void report_suspect(struct evidence *evidence, struct report *report, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The file of that name, made when absent. The pointer is valid until the next call.
struct covered_file *coverage_file(struct evidence *evidence, str reported);
// Lines count from 1, at most LIMIT_SOURCE_LINE. A line hit in any report is hit.
bool coverage_line(struct evidence *evidence, struct covered_file *file, uint32_t line,
                   uint64_t hits, struct error *err);
// The larger count of a line wins (Cobertura: branches have no identity).
bool coverage_branches(struct evidence *evidence, struct covered_file *file, uint32_t line,
                       uint32_t covered, uint32_t total, struct error *err);
void coverage_range(struct evidence *evidence, struct covered_file *file, uint32_t report,
                    uint64_t from, uint64_t to);
void tests_add(struct evidence *evidence, const struct test_case *one); // copies its strings
// Unites test cases by identity: failure and pass = flaky, all failed = one failure.
void tests_settle(struct evidence *evidence);

// ---- reading it, for rules -------------------------------------------------------------------
struct coverage_totals {
    uint64_t lines_covered, lines_total, branches_covered, branches_total, files;
};
struct test_totals {
    uint64_t total, passed, failed, errors, skipped, flaky;
};

bool line_known(const struct covered_file *file, uint32_t line);
bool line_hit(const struct covered_file *file, uint32_t line);
void covered_file_totals(const struct covered_file *file, struct coverage_totals *add_to);
struct coverage_totals coverage_totals(const struct coverage *coverage);
struct test_totals tests_totals(const struct tests *tests);
const char *test_identity(struct arena *arena, const struct test_case *one); // "suite › class › name"

void evidence_done(struct evidence *evidence);

#endif
