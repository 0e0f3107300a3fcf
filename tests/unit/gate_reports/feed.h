// Reads a report from a string, as if it were a file of that name.
#ifndef TESTS_UNIT_GATE_REPORTS_FEED_H
#define TESTS_UNIT_GATE_REPORTS_FEED_H

#include "gate/reports/reader.h"

#include "../expect.h"

#include <stdio.h>

static inline bool feed(struct evidence *evidence, const char *name, const char *text,
                        struct error *err)
{
    struct report_feed *feed = report_feed_open(evidence, name, NULL, REPORT_ANY);
    report_feed_bytes(feed, str_of(text));
    return report_feed_end(feed, NULL, err);
}

static inline void feed_good(struct evidence *evidence, const char *name, const char *text)
{
    struct error err = {0};
    char line[1024];
    bool ok = feed(evidence, name, text, &err);
    cr_assert(ok, "%s", error_text(&err, line, sizeof line));
}

// The suspicions of the newest report, one a line.
static inline const char *suspicions(struct evidence *evidence)
{
    const struct report *report = &evidence->reports[evidence->report_count - 1];
    str all = {"", 0};
    for (size_t i = 0; i < report->suspicion_count; i++)
        all = arena_format(&evidence->arena, STR_FMT "%s%s", STR_ARG(all), i ? "\n" : "",
                           report->suspicions[i]);
    return all.data;
}

// "lines 3/4 branches 1/2 files 1"
static inline const char *coverage_words(struct evidence *evidence)
{
    struct coverage_totals t = coverage_totals(&evidence->coverage);
    return arena_format(&evidence->arena, "lines %llu/%llu branches %llu/%llu files %llu",
                        (unsigned long long)t.lines_covered, (unsigned long long)t.lines_total,
                        (unsigned long long)t.branches_covered,
                        (unsigned long long)t.branches_total, (unsigned long long)t.files)
        .data;
}

// "3 = 1 passed 1 failed 0 errors 1 skipped 0 flaky", once settled
static inline const char *test_words(struct evidence *evidence)
{
    tests_settle(&evidence->tests);
    struct test_totals t = tests_totals(&evidence->tests);
    return arena_format(&evidence->arena,
                        "%llu = %llu passed %llu failed %llu errors %llu skipped %llu flaky",
                        (unsigned long long)t.total, (unsigned long long)t.passed,
                        (unsigned long long)t.failed, (unsigned long long)t.errors,
                        (unsigned long long)t.skipped, (unsigned long long)t.flaky)
        .data;
}

#endif
