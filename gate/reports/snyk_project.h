// The projects of a Snyk report: what each says of itself, compared with what it lists. A project
// may hold others (the applications of an image), and its name may stand behind its entries.
#ifndef GATE_REPORTS_SNYK_PROJECT_H
#define GATE_REPORTS_SNYK_PROJECT_H

#include "gate/doc/json_stream.h"
#include "gate/reports/evidence.h"
#include "gate/reports/vulnerability_draft.h"

enum { SNYK_DEPTH = 4 }; // projects in projects

struct snyk_project {
    struct text target, path;     // displayTargetFile; path
    int64_t unique, dependencies; // as it says; -1 = it does not
    bool not_ok, failed, has_list;
    bool is_known;   // it, or an entry of it, has a member that nobody else's has
    size_t first;    // entry
    uint64_t number; // of this project in the report
    uint64_t listed; // entries
};

struct snyk_projects {
    struct evidence *evidence;
    uint32_t report;
    struct snyk_project open[SNYK_DEPTH];
    int depth;
    uint64_t count;
    bool tested; // some project has dependencies, does not say how many, or has entries
    size_t base; // entries before this report
    struct arena arena;
    uint64_t *owners; // of each entry the number of its project
    size_t owner_count, owner_room;
};

void snyk_projects_init(struct snyk_projects *projects, struct evidence *evidence, uint32_t report);
void snyk_projects_done(struct snyk_projects *projects);

bool snyk_project_begin(struct snyk_projects *projects, struct error *err);
struct snyk_project *snyk_project(struct snyk_projects *projects); // the innermost open one
void snyk_project_failed(struct snyk_projects *projects, str sentence);
void snyk_project_entry(struct snyk_projects *projects); // one was added for it
// Names its entries' paths. ERROR_INPUT: it is none, or its counts make no sense.
bool snyk_project_end(struct snyk_projects *projects, struct error *err);
// After the last one. ERROR_INPUT: there was none.
bool snyk_projects_end(struct snyk_projects *projects, struct error *err);

bool snyk_count(const struct json_event *event, const char *what, int64_t *ret, struct error *err);

#endif
