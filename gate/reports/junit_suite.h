// The suites of a JUnit report that are open while it is read, their names, and what their
// attributes promise beside what they hold.
#ifndef GATE_REPORTS_JUNIT_SUITE_H
#define GATE_REPORTS_JUNIT_SUITE_H

#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/reports/evidence.h"

enum junit_saying { JUNIT_TESTS, JUNIT_FAILURES, JUNIT_ERRORS, JUNIT_SKIPPED, JUNIT_SAYINGS };

struct junit_suite {              // <testsuites> is one too, without a name
    struct text name, host, file; // name: with those of the suites around it
    struct test_totals counts;    // of every case inside
    uint64_t direct;              // cases that stand in no inner suite
    uint64_t expected; // that failed as they were expected to: passed here, "skipped" there
    uint64_t reruns;   // further runs that stand inside a case
    uint64_t withheld; // tests that suites inside promise beyond what they hold
    uint32_t withheld_line;
    uint64_t said[JUNIT_SAYINGS];
    bool has_said[JUNIT_SAYINGS];
    size_t first_case; // in the evidence
    bool named;
    uint32_t line;
};

struct junit_suites {
    struct junit_suite open[LIMIT_DOC_DEPTH];
    unsigned depth;
};

// `named`: a <testsuite>; the name of <testsuites> is no part of an identity.
void junit_suite_open(struct junit_suites *suites, const char **attributes, bool named,
                      size_t first_case, uint32_t line);
// Compares attributes with cases; a difference is a suspicion of the report.
void junit_suite_close(struct junit_suites *suites, struct evidence *evidence,
                       struct report *report);
void junit_rerun(struct junit_suites *suites); // of the open case
void junit_count(struct junit_suites *suites, enum test_result result, bool expected); // one more
const struct junit_suite *junit_suite_now(const struct junit_suites *suites); // null: none is open
void junit_suites_done(struct junit_suites *suites);

#endif
