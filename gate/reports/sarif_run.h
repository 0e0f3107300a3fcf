// One run of a SARIF report. A result points at its rule, at a base of its path and at an artifact,
// and each of these may stand behind it: they are collected here, and the results, which are in the
// evidence already, are completed where the run ends.
//
// SARIF 2.1.0: level 3.27.10, rule lookup 3.52.3, original base ids 3.14.14, artifacts 3.14.15.
#ifndef GATE_REPORTS_SARIF_RUN_H
#define GATE_REPORTS_SARIF_RUN_H

#include "gate/reports/evidence.h"
#include "gate/reports/vulnerability_draft.h"

// The id of a finding until its rule is known, and of one that names none.
#define SARIF_NO_RULE "unnamed"

struct sarif_rule {
    str id, title;
    str *aliases;
    size_t alias_count;
    enum severity level; // of its default configuration; SEVERITY_UNKNOWN = not said
    enum severity rated; // `security-severity` as a word
    double score;        // `security-severity` as a number; SCORE_UNKNOWN
    int component;       // -1 = the driver, else the number of the extension
    int64_t index;       // in its component
};

// Beside the finding that was added for a result.
struct sarif_result {
    int64_t rule_index;  // -1 = not said
    int component;       // as of a rule
    int64_t artifact;    // -1 = not said
    bool rated;          // its severity does not come from its rule
    enum severity level; // as the result says; SEVERITY_UNKNOWN: as the rule says
    str base;            // uriBaseId of its path
};

struct sarif_place { // a base or an artifact
    str name, uri, base;
};

struct sarif_run {
    struct arena arena;
    size_t first; // of the evidence's findings the first one of this run
    struct sarif_result *results;
    size_t result_count, result_room;
    struct sarif_rule *rules;
    size_t rule_count, rule_room;
    struct sarif_place *bases, *artifacts;
    size_t base_count, base_room, artifact_count, artifact_room;
};

void sarif_run_begin(struct sarif_run *run, const struct evidence *evidence);
void sarif_run_done(struct sarif_run *run);

// What `draft` holds as a rule: id, title, aliases, severity (the level), score and `rated`.
// ERROR_LIMIT past LIMIT_SARIF_RULES.
bool sarif_run_rule(struct sarif_run *run, const struct vulnerability_draft *draft,
                    enum severity rated, int component, int64_t index, struct error *err);
void sarif_run_result(struct sarif_run *run, const struct sarif_result *result); // copies `base`
void sarif_run_base(struct sarif_run *run, str name, str uri, str base);
// ERROR_LIMIT past LIMIT_SOURCE_FILES.
bool sarif_run_artifact(struct sarif_run *run, str uri, str base, struct error *err);

// Completes the findings of this run.
void sarif_run_settle(struct sarif_run *run, struct evidence *evidence);

#endif
