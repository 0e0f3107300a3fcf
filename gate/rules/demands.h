// What the configuration demands under `gate:`, and the table that binds it. A section that is
// absent is a null pointer: that rule was not asked for.
//
//     struct gate_demands demands;
//     shape_bind(&arena, &gate_demands_shape, node, &demands, &problems);
//     if (demands.coverage && demands.coverage->total.den) ...
#ifndef GATE_RULES_DEMANDS_H
#define GATE_RULES_DEMANDS_H

#include "gate/doc/shape.h"
#include "gate/rules/enforcement.h"
#include "gate/rules/finding.h"
#include "gate/rules/performance_demands.h"
#include "gate/rules/test_demands.h"
#include "gate/rules/upgrade_demands.h"
#include "gate/rules/vulnerability_demands.h"

// Shares: den 0 = not demanded.
struct critical_path {
    str pattern;
    struct fraction lines, branches, changed;
    struct position at;
};

struct coverage_demands {
    struct fraction total;
    struct fraction changed;
    struct fraction max_drop;   // percentage points below the baseline
    struct shape_list critical; // struct critical_path
    struct shape_list ignore;   // str: patterns, and the word "generated"
    struct position at;
};

struct risk_open_limits { // -1 = no limit
    int64_t critical, high, medium, low;
};

struct score_classes { // points of the release risk score from which on it has the class
    int64_t medium, high;
    struct position at;
};

struct risk_limits {
    int64_t max_exposure;              // of all risks that count, summed; -1 = no limit
    struct risk_open_limits *max_open; // null = no limits
    int overdue;                       // index: block, hold, warn
    struct score_classes *classes;     // null = 30 and 60
    struct position at;
};

struct incident_demands {
    int review_overdue; // index: block, hold, warn
    struct position at;
};
extern const struct shape incident_demands_shape;

struct gate_demands {
    struct coverage_demands *coverage;
    struct test_demands *tests;
    struct performance_demands *performance;
    struct vulnerability_demands *vulnerabilities;
    struct risk_limits *risk;
    struct incident_demands *incidents;
    struct shape_list upgrades; // struct upgrade_demand
    struct family_enforcement enforcement;
    struct family_scope scope;
    struct position at;
};

extern const struct shape gate_demands_shape;

// `block`, `hold`, `warn`: the words of `on_missing` and `overdue`, null-terminated, and what each
// index means.
extern const char *const severity_words[];
enum verdict severity_verdict(int index);

bool coverage_ignores_generated(const struct coverage_demands *demands);

#endif
