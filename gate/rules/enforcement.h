// How strictly each family of rules is enforced, and on what it is judged: `gate: enforcement:` and
// `gate: scope:` of the configuration.
//
//     enforcement: {performance: warn}     # block (default), hold, warn, off
//     scope: {vulnerabilities: release}    # change = pull requests and releases (default); release
//
// Evidence and policy findings are of no family here: they are always enforced.
#ifndef GATE_RULES_ENFORCEMENT_H
#define GATE_RULES_ENFORCEMENT_H

#include "gate/doc/shape.h"
#include "gate/rules/finding.h"

enum rule_family {
    FAMILY_COVERAGE,
    FAMILY_TESTS,
    FAMILY_PERFORMANCE,
    FAMILY_VULNERABILITIES,
    FAMILY_RISK,
    FAMILY_INCIDENTS,
    FAMILY_UPGRADES,
    FAMILIES,
};

enum enforcement { ENFORCE_BLOCK, ENFORCE_HOLD, ENFORCE_WARN, ENFORCE_OFF };
enum judged_on { JUDGED_ON_CHANGE, JUDGED_ON_RELEASE };

struct family_enforcement { // all zero is the default: everything blocks, on changes too
    int of[FAMILIES];       // enum enforcement
};
struct family_scope {
    int of[FAMILIES]; // enum judged_on
};

extern const struct shape enforcement_shape;  // of struct family_enforcement
extern const struct shape family_scope_shape; // of struct family_scope

// "coverage", "tests", …: what `rule` of a finding says. FAMILIES when it is none of them.
enum rule_family rule_family_of(const char *rule);
const char *rule_family_name(enum rule_family family);

// The worst that this enforcement lets a verdict be. ENFORCE_OFF: VERDICT_PASS.
enum verdict enforcement_cap(enum enforcement enforcement, enum verdict verdict);

#endif
