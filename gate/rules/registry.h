// The rules of this folder; registry.c lists them in the order in which they judge.
#ifndef GATE_RULES_REGISTRY_H
#define GATE_RULES_REGISTRY_H

#include "gate/base/moment.h"
#include "gate/rules/rule.h"

extern const struct rule rule_evidence;
extern const struct rule rule_coverage_total;
extern const struct rule rule_coverage_changed;
extern const struct rule rule_coverage_critical;
extern const struct rule rule_coverage_drop;
extern const struct rule rule_tests;
extern const struct rule rule_test_fix;
extern const struct rule rule_performance;
extern const struct rule rule_vulnerabilities;
extern const struct rule rule_risk;
extern const struct rule rule_incidents;
extern const struct rule rule_upgrades;

#endif
