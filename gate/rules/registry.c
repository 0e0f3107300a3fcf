#include "gate/rules/registry.h"

#include "gate/rules/scope.h"

const struct rule *const rules[] = {
    &rule_evidence,
    &rule_coverage_total,
    &rule_coverage_changed,
    &rule_coverage_critical,
    &rule_coverage_drop,
    &rule_tests,
    &rule_test_fix,
    &rule_performance,
    &rule_vulnerabilities,
    &rule_incidents,
    &rule_upgrades,
    &rule_risk, // last: a closed risk may rest on a finding of any other rule
    NULL,
};

void rules_judge(const struct rule_input *input, struct findings *out)
{
    int64_t today = input->now_ms / MS_DAY - (input->now_ms % MS_DAY < 0);
    struct arena arena = {0}; // a large coverage has a large scope, and policies are two
    struct rule_context context = {input, scope_make(&arena, input), today};
    for (size_t i = 0; rules[i]; i++)
        rules[i]->judge(&context, out);
    arena_done(&arena);
}
