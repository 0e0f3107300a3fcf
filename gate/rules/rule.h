// A rule looks at the evidence and adds findings. Rules are pure: no clock, file, socket or
// environment; "now" and everything else arrives in struct rule_input. One file for each rule, one
// row for each in registry.c.
//
//     struct findings findings = {.arena = &arena};
//     rules_judge(&input, &findings);
#ifndef GATE_RULES_RULE_H
#define GATE_RULES_RULE_H

#include "gate/reports/evidence.h"
#include "gate/risk/dependencies.h"
#include "gate/risk/register.h"
#include "gate/risk/waivers.h"
#include "gate/rules/demands.h"
#include "gate/rules/history.h"

// Whether a kind of evidence was asked for, and how the search for it went.
struct evidence_need {
    bool asked;           // by the configuration's own words: missing is a finding
    const char **missing; // patterns that no file matched
    size_t missing_count;
    const char *looked_for; // names or patterns, for a message; null = none
    uint32_t shards;        // reports that there must be; 0 = one at least
};

struct line_range {
    uint32_t from, to; // both included
};

struct changed_file { // added and changed lines; deleted ones and blank ones are not among them
    str path;
    bool generated;
    struct line_range *ranges; // rising, apart from each other
    size_t range_count;
};

struct change_author { // of a commit of the change; committers and co-authors too
    str name, email;
};

struct rule_input {
    const struct evidence *evidence;
    struct evidence_need needs[EVIDENCE_KINDS];
    const struct gate_demands *demands;
    enum verdict on_missing; // what missing or unusable evidence does

    const struct risk_register *risks; // null = there is none
    bool risks_asked;
    const char *risks_path; // where it was read or looked for

    const struct changed_file *changed; // by path
    size_t changed_count;
    const struct change_author *authors; // of all commits of the change
    size_t author_count;
    const str *submodules; // folders of the commit whose files are another repository's
    size_t submodule_count;
    const char *changed_unknown; // why the change is not known; null = it is
    const char *changed_advice;

    const char *fix_why;                  // by which sign the change is a fix; null = it is none
    const struct evidence *base_evidence; // of tests run on the base's code; null = not asked
    struct fraction tests_at_least;       // of the baseline's number; den 0 = not asked
    int64_t scanner_max_age_ms; // a scanner's report made longer ago is stale; 0 = no limit
    const bool *generated;      // for each file of the coverage; null = none is

    const struct waivers *waivers; // null = there are none
    const char *waivers_path;
    const struct quarantine *quarantine; // null = there is none
    const char *quarantine_path;

    const struct dependencies *dependencies; // null = not asked for
    const struct lifecycles *lifecycles;     // likewise

    bool change;                   // a pull request is judged, not a release
    const struct history *history; // null = there is no record at hand
    int64_t now_ms;
};

// Which files count, and to which critical path each belongs. Made once for all rules.
#define CRITICAL_NONE ((size_t)-1)
struct coverage_scope {
    bool *ignored;    // for each file of the coverage
    size_t *critical; // index into demands->coverage->critical, or CRITICAL_NONE; null: none is
    const uint32_t *by_path; // file numbers, sorted by path
};

struct rule_context {
    const struct rule_input *in;
    struct coverage_scope scope;
    int64_t today_days;
};

struct rule {
    const char *name;  // "coverage.total": what its findings' ids start with
    const char *title; // for people
    void (*judge)(const struct rule_context *context, struct findings *out);
};

extern const struct rule *const rules[]; // ends with null

void rules_judge(const struct rule_input *input, struct findings *out);

#endif
