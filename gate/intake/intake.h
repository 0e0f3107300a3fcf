// Evidence from the working tree: finds the reports that the configuration names (or, without a
// word from it, the usual ones), reads them all, and maps their paths to the repository's.
//
// Nothing outside of the workspace is opened: no absolute path, no "..", no link that leads out.
//
//     struct intake_request request = {.root = ".", .config = NULL, .paths = &paths};
//     struct evidence evidence = {0};
//     struct intake intake;
//     if (!intake_run(&request, &evidence, &intake, err)) ...
//     for (size_t i = 0; i < evidence.report_count; i++) ...    // some may hold an error
//     evidence_done(&evidence);
#ifndef GATE_INTAKE_INTAKE_H
#define GATE_INTAKE_INTAKE_H

#include "gate/doc/shape.h"
#include "gate/git/repository.h"
#include "gate/intake/path_map.h"
#include "gate/intake/recorded.h"

// ---- `evidence:` of the configuration -----------------------------------------------------------

// Patterns of one kind: "coverage.xml", "reports/**/*.xml", "artifacts/*.zip!**/coverage.xml".
struct evidence_coverage {
    struct shape_list reports; // of str
    int64_t shards;            // reports that there must be; 0 = one at least
    struct shape_list strip;   // of str: prefixes that reported paths may have
    struct position at;
};

struct evidence_tests {
    struct shape_list reports;      // of str
    struct shape_list base_reports; // of str: of the same tests, run on the base's code
    struct fraction at_least; // of the baseline's number of tests that were run; den 0 = not asked
    struct position at;
};

struct evidence_vulnerabilities {
    struct shape_list reports;    // of str
    int64_t max_age_ms;           // a report made longer ago is stale; 0 = no limit
    struct shape_list vex;        // of str: VEX documents
    struct shape_list catalogues; // of str: KEV and EPSS
    struct position at;
};

struct evidence_performance {
    struct shape_list reports; // of str
    struct position at;
};

struct evidence_dependencies {
    struct shape_list locks; // of str: files of the repository
    struct position at;
};

enum evidence_on_missing { ON_MISSING_BLOCK, ON_MISSING_HOLD, ON_MISSING_WARN };

struct evidence_config {
    const struct evidence_coverage *coverage;               // null = not said
    const struct evidence_tests *tests;                     // null = not said
    const struct evidence_vulnerabilities *vulnerabilities; // null = not said
    const struct evidence_performance *performance;         // null = not said
    const struct evidence_dependencies *dependencies;       // null = not said
    str risks, waivers, quarantine;                         // empty = not said
    int on_missing;                                         // enum evidence_on_missing
    struct position at;
};

extern const struct shape evidence_shape; // of struct evidence_config

// ---- reading ------------------------------------------------------------------------------------

struct intake_request {
    const char *root;                        // the workspace: patterns are relative to it
    const struct evidence_config *config;    // null = there is no `evidence:`
    const struct repository_paths *paths;    // of the commit that is judged; null = no repository
    const struct recorded_reports *recorded; // taken in place of files; null = the working tree
};

// How the search for one kind went. Lives in the evidence's arena.
struct intake_search {
    bool asked;           // by the configuration; else the usual names were looked for
    const char **missing; // patterns that no file matched
    size_t missing_count, missing_room;
    const char *looked_for; // all names and patterns, for a message
    uint32_t shards;        // as configured
    uint32_t usable;        // reports read without an error, each once
};

struct intake {
    struct intake_search search[EVIDENCE_KINDS];
    struct unmatched unmatched; // covered files that are not in the repository
};

// False only when nothing can be said at all: the workspace cannot be listed (ERROR_ABSENT,
// ERROR_SYSTEM), or there are too many files (ERROR_LIMIT). A report that cannot be used is an
// entry of evidence->reports with its error. Tests come back settled.
bool intake_run(const struct intake_request *request, struct evidence *evidence, struct intake *ret,
                struct error *err);

#endif
