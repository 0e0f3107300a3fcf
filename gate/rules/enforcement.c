#include "gate/rules/enforcement.h"

#include <stddef.h>

static const char *const names[FAMILIES] = {
    "coverage", "tests", "performance", "vulnerabilities", "risk", "incidents", "upgrades"};

const char *rule_family_name(enum rule_family family)
{
    return names[family];
}

enum rule_family rule_family_of(const char *rule)
{
    int family = 0;
    while (family < FAMILIES && strcmp(names[family], rule) != 0)
        family++;
    return (enum rule_family)family;
}

enum verdict enforcement_cap(enum enforcement enforcement, enum verdict verdict)
{
    static const enum verdict caps[] = {VERDICT_BLOCK, VERDICT_HOLD, VERDICT_WARN, VERDICT_PASS};
    enum verdict cap = caps[enforcement];
    return verdict > cap ? cap : verdict;
}

static const char *const enforcement_words[] = {"block", "hold", "warn", "off", NULL};
static const char *const scope_words[] = {"change", "release", NULL};

#define ENFORCED(family_key, family, sentence)                                                     \
    {                                                                                              \
        .key = (family_key), .kind = SHAPE_CHOICE,                                                 \
        .offset = offsetof(struct family_enforcement, of) + (family) * sizeof(int),                \
        .choices = enforcement_words, .fallback = "block", .doc = (sentence)                       \
    }
#define SCOPED(family_key, family, sentence)                                                       \
    {                                                                                              \
        .key = (family_key), .kind = SHAPE_CHOICE,                                                 \
        .offset = offsetof(struct family_scope, of) + (family) * sizeof(int),                      \
        .choices = scope_words, .fallback = "change", .doc = (sentence)                            \
    }

static const struct shape_field enforcement_fields[] = {
    ENFORCED("coverage", FAMILY_COVERAGE, "The worst that a finding about coverage may do."),
    ENFORCED("tests", FAMILY_TESTS, "The worst that a finding about tests may do."),
    ENFORCED("performance", FAMILY_PERFORMANCE,
             "The worst that a finding about performance may do."),
    ENFORCED("vulnerabilities", FAMILY_VULNERABILITIES,
             "The worst that a finding about vulnerabilities may do."),
    ENFORCED("risk", FAMILY_RISK, "The worst that a finding about risk may do."),
    ENFORCED("incidents", FAMILY_INCIDENTS, "The worst that a finding about incidents may do."),
    ENFORCED("upgrades", FAMILY_UPGRADES, "The worst that a finding about upgrades may do."),
    {0},
};
const struct shape enforcement_shape = {
    .name = "enforcement",
    .size_bytes = sizeof(struct family_enforcement),
    .fields = enforcement_fields,
    .doc = "How strictly each family of rules is enforced: block (default), hold, warn or off.",
};

static const struct shape_field scope_fields[] = {
    SCOPED("coverage", FAMILY_COVERAGE,
           "change: also on pull requests; release: on releases only."),
    SCOPED("tests", FAMILY_TESTS, "change: also on pull requests; release: on releases only."),
    SCOPED("performance", FAMILY_PERFORMANCE,
           "change: also on pull requests; release: on releases only."),
    SCOPED("vulnerabilities", FAMILY_VULNERABILITIES,
           "change: also on pull requests; release: on releases only."),
    SCOPED("risk", FAMILY_RISK, "change: also on pull requests; release: on releases only."),
    SCOPED("incidents", FAMILY_INCIDENTS,
           "change: also on pull requests; release: on releases only."),
    SCOPED("upgrades", FAMILY_UPGRADES,
           "change: also on pull requests; release: on releases only."),
    {0},
};
const struct shape family_scope_shape = {
    .name = "scope",
    .size_bytes = sizeof(struct family_scope),
    .fields = scope_fields,
    .doc = "On what each family of rules is judged: change (default) or release.",
};
