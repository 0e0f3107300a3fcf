// What the record knows from before: the baseline, what was found earlier, open reviews. Plain
// data, defined here for the rules, filled by the record. A rule must work without any of it: what
// is unknown is said, never guessed.
#ifndef GATE_RULES_HISTORY_H
#define GATE_RULES_HISTORY_H

#include "gate/reports/evidence.h"
#include "gate/rules/finding.h"

struct history_test {
    str identity; // as test_identity
    enum test_result result;
};

struct history_timing { // one endpoint in one recorded run
    str name;
    double p50_ms, p95_ms, p99_ms, mean_ms; // NaN = not said
    double queries;                         // NaN = not said
    uint64_t requests;
};

// The newest run of the default branch that passed.
struct baseline {
    const char *commit;
    int64_t time_ms;
    bool has_coverage;
    uint64_t lines_covered, lines_total; // of the files that count, as rule coverage.total has them
    bool has_tests;
    struct test_totals test_totals;
    const struct history_test *tests; // by identity, bytewise
    size_t test_count;
    bool tests_cut; // there were more than could be kept: a vanished one cannot be seen
    // Every recorded row of the newest passed runs, newest run first: a sample for each name.
    const struct history_timing *timings;
    size_t timing_count;
};

struct history_finding { // a finding that did not pass
    const char *id;
    enum verdict verdict; // before scope and waivers
    const char *have;
};

struct history_seen { // a vulnerability, under each of its names
    str name;         // id or alias, lower case
    int64_t first_ms; // when a recorded run first had it
};

struct history_flaky { // a test that was flaky in recorded runs
    str identity;
    unsigned flaky, runs; // of the newest `runs`
};

struct history_review { // of an incident that needs one
    str incident;       // "INC-12"
    str severity;       // "P1" to "P4"
    str path;           // of the file in which the review is to be written
    int64_t due_ms;
    bool done;
};

struct history_incident {
    str incident; // "INC-12"
    str commit;   // of the release that it was about, 40 digits; empty = not said
    int64_t opened_ms;
};

enum { HISTORY_TREND = 12 };

struct history_figures { // of one recorded run of the default branch
    bool has_coverage, has_tests, has_risks;
    uint64_t lines_covered, lines_total, failed, flaky, exposure;
};

struct history {
    const struct baseline *baseline; // null = none
    const char *baseline_unknown;    // why there is none: a sentence for a message
    // The newest recorded run of the default branch, whatever its verdict: what is wrong there is
    // inherited by a change.
    const char *before_commit; // null = none
    int64_t before_ms;
    const struct history_finding *before; // by id, bytewise
    size_t before_count;
    const str *failed_before; // tests that failed in that run, by identity, bytewise
    size_t failed_before_count;
    const struct history_seen *seen; // by name, bytewise
    size_t seen_count;
    const struct history_flaky *flaky; // by identity, bytewise
    size_t flaky_count;
    const struct history_figures *trend; // of the newest HISTORY_TREND runs, oldest first
    size_t trend_count;
    const struct history_review *reviews;
    size_t review_count;
    const struct history_incident *incidents; // all of them, by number
    size_t incident_count;
    const char *reviews_unknown; // why they are not known, as a sentence; null = they are
};

// The earlier finding of that id, or null. `history` may be null.
const struct history_finding *history_before(const struct history *history, const char *id);
// Did that test fail in the run of `before_commit`?
bool history_failed_before(const struct history *history, str identity);
// When that vulnerability was first recorded, under any case of its name; 0 = never.
int64_t history_first_seen(const struct history *history, str name);
// Why something of the baseline is not known, as the end of a sentence: there is no ledger, there
// is no baseline, or what `lacking` says.
const char *history_why_not(const struct history *history, const char *lacking);
// How often that test was flaky in recorded runs, or null. `history` may be null.
const struct history_flaky *history_flaky(const struct history *history, str identity);
// The baseline's result of a test, or null.
const struct history_test *history_test(const struct history *history, str identity);

#endif
