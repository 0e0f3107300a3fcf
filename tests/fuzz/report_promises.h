// What every report reader promises of any bytes. A target includes this and names its reader.
#ifndef TESTS_FUZZ_REPORT_PROMISES_H
#define TESTS_FUZZ_REPORT_PROMISES_H

#include "fuzz.h"
#include "gate/base/limits.h"
#include "gate/reports/registry.h"

static inline bool report_try(const struct report_reader *reader, str bytes, size_t piece,
                              struct evidence *evidence, struct error *err)
{
    struct reading *reading;
    uint32_t index;
    (void)evidence_report(evidence, "f", NULL, &index);
    bool ok = reader->open(evidence, index, &reading, err);
    PROMISE(ok, "%s", err->message);
    while (ok && bytes.len) {
        str part = str_first(bytes, piece);
        ok = reader->feed(reading, part, err);
        bytes = str_from(bytes, part.len);
    }
    ok = ok && reader->end(reading, err);
    reader->close(reading);
    return ok;
}

static inline void report_consistent(struct evidence *evidence, size_t size)
{
    const struct report *report = &evidence->reports[0];
    uint64_t entries = 0;
    for (size_t i = 0; i < evidence->coverage.count; i++) {
        const struct covered_file *file = &evidence->coverage.files[i];
        struct coverage_totals totals = {0};
        covered_file_totals(file, &totals);
        entries += totals.lines_total;
        PROMISE(totals.lines_covered <= totals.lines_total, "file %zu", i);
        PROMISE(totals.branches_covered <= totals.branches_total, "file %zu", i);
        PROMISE(file->last_line <= LIMIT_SOURCE_LINE && !line_known(file, 0), "file %zu", i);
        for (size_t k = 1; k < file->branch_count; k++)
            PROMISE(file->branches[k - 1].line < file->branches[k].line, "file %zu", i);
        for (size_t k = 0; k < file->range_count; k++)
            PROMISE(file->ranges[k].from < file->ranges[k].to && file->ranges[k].to <= size + 8,
                    "file %zu", i);
    }
    for (size_t i = 0; i < evidence->tests.count; i++) {
        const struct test_case *one = &evidence->tests.cases[i];
        PROMISE(one->name.len && one->offset < size && one->message.len <= 300, "case %zu", i);
    }
    entries += evidence->tests.count;
    PROMISE(report->empty == (entries == 0), "%llu entries", (unsigned long long)entries);
    PROMISE(!report->empty || report->suspicion_count, "empty, and nothing is said");
    PROMISE(report->suspicion_count <= REPORT_SUSPICIONS + 1, "%zu", report->suspicion_count);
}

static inline int report_promises(const struct report_reader *reader, const uint8_t *data,
                                  size_t size)
{
    str bytes = str_make((const char *)data, size);
    struct evidence whole = {0}, parts = {0}, absorbed = {0};
    struct error err = {0}, part_err = {0};
    struct report_head head;
    report_head_look(bytes, true, &head);
    int score = reader->recognise(&head);
    report_head_done(&head);
    PROMISE(score >= 0 && score <= 100, "%d", score);
    bool ok = report_try(reader, bytes, size ? size : 1, &whole, &err);
    PROMISE(ok || err.message[0], "no sentence");
    bool part_ok = report_try(reader, bytes, 3, &parts, &part_err);
    PROMISE(ok == part_ok, "%s / %s", err.message, part_err.message);
    if (ok) {
        struct coverage_totals a = coverage_totals(&whole.coverage);
        struct coverage_totals b = coverage_totals(&parts.coverage);
        report_consistent(&whole, size);
        PROMISE(memcmp(&a, &b, sizeof a) == 0, "pieces make a difference");
        PROMISE(whole.tests.count == parts.tests.count, "pieces make a difference");
        evidence_absorb(&absorbed, &whole);
        evidence_absorb(&absorbed, &parts);
        tests_settle(&absorbed.tests);
        struct coverage_totals c = coverage_totals(&absorbed.coverage);
        PROMISE(memcmp(&a, &c, sizeof a) == 0, "the same twice is more than once");
    }
    evidence_done(&whole);
    evidence_done(&parts);
    evidence_done(&absorbed);
    return 0;
}

#endif
