// What the configuration demands under `gate: tests:`.
#ifndef GATE_RULES_TEST_DEMANDS_H
#define GATE_RULES_TEST_DEMANDS_H

#include "gate/doc/shape.h"

struct flaky_limits {
    int64_t max; // tests of this run that passed only when they were run again
};

// What makes a change a fix.
struct fix_signs {
    struct shape_list branches; // str: patterns of branch names
    struct shape_list labels;   // str: labels of the pull request
    bool issues;                // a commit's message says "fixes #12"
};

struct test_demands {
    int64_t failures;           // at most so many tests may fail or end in an error
    int64_t new_failures;       // of those that did not fail in the baseline; -1 = not asked
    struct flaky_limits *flaky; // null = no limit
    int vanished;               // index: block, hold, warn
    bool fix_needs_test;
    struct fix_signs fix;
    struct position at;
};

extern const struct shape test_demands_shape;

#endif
