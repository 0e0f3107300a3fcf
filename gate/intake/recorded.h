// Reports that are not in the working tree but were kept when a decision was recorded: `intake_run`
// takes them in place of files, by the same patterns.
//
//     struct recorded_report list[] = {{"coverage.xml", NULL, bytes}};
//     request.recorded = &(struct recorded_reports){list, 1};
#ifndef GATE_INTAKE_RECORDED_H
#define GATE_INTAKE_RECORDED_H

#include "gate/intake/find.h"
#include "gate/reports/evidence.h"

struct recorded_report {
    const char *path;
    const char *entry; // inside of an archive; null otherwise
    str bytes;         // data null = not at hand any more: found, but not read
};

struct recorded_reports {
    const struct recorded_report *items;
    size_t count;
};

// Like files_find.
void recorded_find(struct arena *arena, const struct recorded_reports *recorded,
                   const str *patterns, size_t count, struct found *found);

// Reads what was recorded of `path`: with a pattern, the entries that it matches. Returns how many
// there were, at hand or not.
size_t recorded_read(const struct recorded_reports *recorded, const char *path, str entry,
                     unsigned kinds, struct evidence *evidence);

#endif
