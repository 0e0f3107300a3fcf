// A finding traced back: which files, tests or entries its number is made of, where each of them
// stands in which report, and the cheapest way to green.
//
//     struct explanation explanation;
//     if (!explain_finding(&arena, &gate, root, "coverage.total", 20, &explanation, err)) ...
//     for (size_t i = 0; i < explanation.count; i++) print(explanation.items[i].name);
#ifndef GATE_EXPLAIN_H
#define GATE_EXPLAIN_H

#include "gate/gate.h"

struct explained_source {
    const char *report; // "coverage.xml", "all.zip!a/coverage.xml", "risk-register.yml"
    const char *sha256; // of the file as it was judged; "" = not known
    uint64_t from, to;  // bytes: from included, to not; both 0 = not known
    uint32_t line;      // of `from`; 0 inside of an archive
    bool changed;       // the file is no longer the one that was judged
};

struct explained_item {
    const char *name;             // a path, a test, a package, a risk
    const char *note;             // of a failed test its message; null = none
    uint64_t covered, total;      // lines or branches; 0/0 for what is not a share
    struct line_range *uncovered; // runs of lines, rising; the longest files have too many to say
    size_t uncovered_count;
    bool uncovered_more;
    uint64_t take;           // of the unit: so many of these on the cheapest way to green
    struct line_range *pick; // and which
    size_t pick_count;
    struct place where; // of a test its source; path null = not known
    struct explained_source *sources;
    size_t source_count;
    const struct covered_file *file;    // coverage: what is known of it; null = nothing
    const struct changed_file *changed; // of changed lines only
};

struct explanation {
    const struct finding *finding;
    const char *unit;             // "lines", "branches", "changed lines", "failed tests", …
    uint64_t needed;              // so many of the unit, and the finding passes
    size_t enough;                // the first `enough` items hold that many; 0 = not so counted
    const char *way;              // the cheapest way to green in words; null = it is green
    const char *waiver, *scope;   // what a waiver of it names; null = it cannot be waived
    int64_t waiver_until_days;    // a proposal: 30 days
    const char *waivers_path;     // where it goes
    struct explained_item *items; // what gives most comes first; at most `most`
    size_t count;
    size_t all; // how many there are altogether
};

// ERROR_ABSENT for an id that this decision does not have (says which there are); ERROR_SYSTEM when
// a report cannot be read again.
bool explain_finding(struct arena *arena, const struct gate *gate, const char *root, const char *id,
                     size_t most, struct explanation *ret, struct error *err);

// The command that gives the same decision again.
const char *explain_command(struct arena *arena, const struct decision *decision);
// The same from nothing, on another machine: fetch, check out, judge. Null without a commit.
const char *explain_command_elsewhere(struct arena *arena, const struct decision *decision);

#endif
