// A finding traced back: which files, tests or entries its number is made of, where each of them
// stands in which report, and for coverage the cheapest way to green.
//
//     struct explanation explanation;
//     if (!explain_finding(&arena, &gate, root, "coverage.total", 20, &explanation, err)) ...
//     for (size_t i = 0; i < explanation.count; i++) print(explanation.items[i].name);
#ifndef GATE_EXPLAIN_H
#define GATE_EXPLAIN_H

#include "gate/gate.h"

struct explained_source {
    const char *report; // "coverage.xml", "all.zip!a/coverage.xml"
    const char *sha256; // of the file as it was judged
    uint64_t from, to;  // bytes: from included, to not
    uint32_t line;      // of `from`; 0 inside of an archive
    bool changed;       // the file is no longer the one that was judged
};

struct explained_item {
    const char *name;             // a path, a test, a risk
    const char *note;             // of a failed test its message; null = none
    uint64_t covered, total;      // lines or branches; 0/0 for what is not a share
    struct line_range *uncovered; // runs of lines, rising
    size_t uncovered_count, uncovered_room;
    struct explained_source *sources;
    size_t source_count;
};

struct explanation {
    const struct finding *finding;
    const char *unit;             // "lines", "branches", "changed lines", "tests", …
    uint64_t needed;              // so many more of the unit, and the finding passes
    size_t enough;                // the first `enough` items hold that many; 0 = not a share
    struct explained_item *items; // what gives most comes first; at most `most`
    size_t count;
    size_t all; // how many there are altogether
};

// ERROR_ABSENT for an id that this decision does not have (says the nearest); ERROR_SYSTEM when a
// report cannot be read again.
bool explain_finding(struct arena *arena, const struct gate *gate, const char *root, const char *id,
                     size_t most, struct explanation *ret, struct error *err);

// The command that gives the same decision again.
const char *explain_command(struct arena *arena, const struct decision *decision);

#endif
