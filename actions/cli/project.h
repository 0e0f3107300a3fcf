// What kind of project a folder holds, seen from its files: for `sluice init`.
//
//     struct project project;
//     if (!project_look(&arena, root, &project, err)) ...
//     for (size_t i = 0; i < project.part_count; i++) use(project.parts[i].kind->name);
#ifndef ACTIONS_CLI_PROJECT_H
#define ACTIONS_CLI_PROJECT_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

// One ecosystem: how it is recognised, how its tests are run so that they leave reports.
struct project_kind {
    const char *name;   // "Python with pytest"
    const char *family; // "python": of one family the first kind that fits a folder counts
    const char *const *manifests; // patterns of files that mark it; ends with null
    const char *word;             // that one of those files must hold; null = any content
    const char *setup;            // steps of the workflow before the tests, YAML at 6 spaces
    const char
        *after; // what has to be run after the tests, whether they passed or not; may be null
    const char *tests;    // the command line that tests and writes both reports
    const char *prepare;  // what the command needs once on a laptop; null = nothing
    const char *coverage; // the coverage report's pattern, in the part's folder
    const char *results;  // the test report's
    bool whole;           // one run covers nested manifests too: only the outermost counts
};

struct project_part {
    const struct project_kind *kind;
    const char *folder; // "", "frontend/"
};

struct project {
    struct project_part *parts;
    size_t part_count, part_room;
    const char **critical; // folders whose names speak of money, sign-in or data, at most six
    size_t critical_count, critical_room;
};

// ERROR_ABSENT: no such folder. A folder with nothing known in it has no parts.
bool project_look(struct arena *arena, const char *root, struct project *ret, struct error *err);

#endif
