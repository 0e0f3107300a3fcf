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

// A scanner that found nothing is clean; one that failed, or looked at nothing, is no evidence.
static inline void findings_consistent(const struct evidence *evidence, size_t size)
{
    const struct report *report = &evidence->reports[0];
    const struct vulnerabilities *all = &evidence->vulnerabilities;
    struct vulnerability_totals totals = vulnerabilities_totals(all);
    for (size_t i = 0; i < all->count; i++) {
        const struct vulnerability *one = &all->items[i];
        PROMISE(one->id.len && one->offset < size, "finding %zu", i);
        PROMISE(one->title.len <= 300 && one->suppressed_why.len <= 300, "finding %zu", i);
        PROMISE(one->cvss == SCORE_UNKNOWN || (one->cvss >= 0 && one->cvss <= 10), "finding %zu",
                i);
        PROMISE(one->line <= LIMIT_SOURCE_LINE, "finding %zu", i);
        for (size_t k = 0; k < one->alias_count; k++)
            PROMISE(one->aliases[k].len, "finding %zu", i);
    }
    PROMISE(totals.total + totals.suppressed == all->count, "totals");
    PROMISE(totals.groups <= totals.total && !totals.groups == !totals.total, "groups");
    PROMISE(report->empty == (report->nothing_audited || report->scanner_failed), "empty");
}

// A catalogue or a document of statements without any is no evidence.
static inline void statements_consistent(const struct evidence *evidence, enum evidence_kind kind,
                                         size_t size)
{
    const struct statements *all = &evidence->statements;
    for (size_t i = 0; i < all->count; i++) {
        const struct statement *one = &all->items[i];
        PROMISE(one->id.len && one->offset < size, "statement %zu", i);
        PROMISE(one->justification.len <= 300, "statement %zu", i);
        PROMISE(one->epss >= 0 && one->epss <= 1, "statement %zu", i);
        for (size_t k = 0; k < one->alias_count; k++)
            PROMISE(one->aliases[k].len, "statement %zu", i);
        for (size_t k = 0; k < one->product_count; k++)
            PROMISE(one->products[k].len, "statement %zu", i);
    }
    if (kind == EVIDENCE_STATEMENTS)
        PROMISE(evidence->reports[0].empty == (all->count == 0), "empty");
}

static inline void timings_consistent(struct evidence *evidence, enum evidence_kind kind,
                                      size_t size)
{
    const struct report *report = &evidence->reports[0];
    const struct timings *all = &evidence->timings;
    for (size_t i = 0; i < all->count; i++) {
        const struct timing *one = &all->rows[i];
        PROMISE(one->failures <= one->requests && one->offset < size, "row %zu", i);
        PROMISE(one->counted || one->requests == 0, "row %zu", i);
    }
    for (size_t i = 0; i < all->check_count; i++)
        PROMISE(all->checks[i].name.len && all->checks[i].offset < size, "check %zu", i);
    if (kind == EVIDENCE_TIMINGS && all->count + all->check_count == 0)
        PROMISE(report->empty, "no timing, and not empty");
}

static inline void report_consistent(struct evidence *evidence, enum evidence_kind kind,
                                     size_t size)
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
        struct branch_walk walk = branch_walk_of(&file->branches);
        uint32_t line = 0;
        for (struct branch_count one; branch_next(&walk, &one); line = one.line)
            PROMISE(line < one.line && one.covered <= one.total, "file %zu", i);
        for (size_t k = 0; k < file->range_count; k++) {
            const struct byte_range *range = covered_range(file, k);
            PROMISE(range->size && byte_range_end(range) <= size + 8, "file %zu", i);
        }
    }
    for (size_t i = 0; i < evidence->tests.count; i++) {
        const struct test_case *one = &evidence->tests.cases[i];
        PROMISE(one->name.len && one->offset < size && one->message.len <= 300, "case %zu", i);
    }
    entries += evidence->tests.count;
    if (kind == EVIDENCE_COVERAGE || kind == EVIDENCE_TESTS)
        PROMISE(report->empty == (entries == 0), "%llu entries", (unsigned long long)entries);
    if (kind == EVIDENCE_VULNERABILITIES)
        findings_consistent(evidence, size);
    statements_consistent(evidence, kind, size);
    timings_consistent(evidence, kind, size);
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
        report_consistent(&whole, reader->kind, size);
        PROMISE(memcmp(&a, &b, sizeof a) == 0, "pieces make a difference");
        PROMISE(whole.tests.count == parts.tests.count, "pieces make a difference");
        PROMISE(whole.timings.count == parts.timings.count &&
                    whole.timings.check_count == parts.timings.check_count,
                "pieces make a difference");
        PROMISE(whole.statements.count == parts.statements.count, "pieces make a difference");
        PROMISE(whole.vulnerabilities.count == parts.vulnerabilities.count,
                "pieces make a difference");
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
