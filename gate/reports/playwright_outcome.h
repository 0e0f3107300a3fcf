// What the tries of one Playwright test come to.
//
//     struct playwright_runs runs = {.said = PLAYWRIGHT_UNSAID};
//     if (!playwright_ran(&runs, STR("timedOut"), err)) ...
//     enum playwright_outcome outcome = playwright_outcome(&runs);   // the worse of said and made
#ifndef GATE_REPORTS_PLAYWRIGHT_OUTCOME_H
#define GATE_REPORTS_PLAYWRIGHT_OUTCOME_H

#include "gate/base/error.h"

enum playwright_outcome {
    PLAYWRIGHT_EXPECTED,
    PLAYWRIGHT_UNEXPECTED,
    PLAYWRIGHT_FLAKY,
    PLAYWRIGHT_SKIPPED,
    PLAYWRIGHT_OUTCOMES,
    PLAYWRIGHT_UNSAID,
};
extern const char *const playwright_outcome_names[PLAYWRIGHT_OUTCOMES];

enum playwright_status { // of one try, and what a test is expected to be
    PLAYWRIGHT_PASSED,
    PLAYWRIGHT_FAILED,
    PLAYWRIGHT_TIMED_OUT,
    PLAYWRIGHT_INTERRUPTED,
    PLAYWRIGHT_WAS_SKIPPED,
    PLAYWRIGHT_STATUSES,
};

struct playwright_runs {
    enum playwright_status expected; // passed, unless something else is said
    enum playwright_outcome said;
    uint32_t results[PLAYWRIGHT_STATUSES]; // how many tries ended so
};

// ERROR_INPUT for a word that Playwright does not have.
bool playwright_ran(struct playwright_runs *runs, str status, struct error *err);
bool playwright_expects(struct playwright_runs *runs, str status, struct error *err);
bool playwright_says(struct playwright_runs *runs, str outcome, struct error *err);

enum playwright_outcome playwright_outcome_of(const struct playwright_runs *runs); // of its tries
bool playwright_contradicts(const struct playwright_runs *runs); // what is said fits no reading
enum playwright_outcome playwright_outcome(const struct playwright_runs *runs);

#endif
