// The release risk score of a change: a number from 0 (nothing speaks against it) to 100, and what
// it is made of. It is said, not judged: verdicts come from the rules.
//
//     risks      at most 35  exposure of the open risks that the change touches; the most that one
//                            risk can have (125 by the matrix 5x5) is all of it
//     uncovered  at most 25  changed lines that no test runs; a line under a touched risk weighs
//                            1 + exposure/points instead of 1, where `points` are the most that
//                            the matrix gives (25 by 5x5)
//     size       at most 15  changed lines; 400 is all of it
//     churn      at most 10  how often the most-changed of its files was changed lately; 20 commits
//                            are all of it
//     migrations at most 10  changed files that migrate a database; 2 are all of it
//     hotspots   at most 5   changed files with 10 commits or more lately of which less than half
//                            is covered; 2 are all of it
//
// Each addend has a value and the value at which it counts in full, its points are value x most /
// full, rounded up, and never more than `most`. An addend that cannot be known counts in full and
// says why: what nobody measured is not small. The class is the policy's: `gate: {risk:
// {classes}}`.
//
//     struct score_input input = {.rules = &gate.input, .churn = files, .churn_count = n};
//     risk_score_make(&arena, &input, &score);
#ifndef GATE_RULES_SCORE_H
#define GATE_RULES_SCORE_H

#include "gate/rules/rule.h"

struct file_churn {
    str path;
    uint32_t commits;
};

#define SCORE_LINES_FULL 400u // changed lines that are all of the addend `size`

struct score_size { // of the change
    uint64_t lines; // not of generated files
    size_t files;
    bool at_least;       // of some files the lines were not counted
    const char *unknown; // why nobody knows, as a sentence; null = it is known
};

struct score_input {
    const struct rule_input *rules;
    const struct score_size *size;  // null = as rules->changed has it
    const struct file_churn *churn; // by path
    size_t churn_count;
    const char *churn_unknown; // why it is not known, as a sentence; null = it is
    unsigned window_days;      // that the churn was counted over
};

enum {
    SCORE_RISKS,
    SCORE_UNCOVERED,
    SCORE_SIZE,
    SCORE_CHURN,
    SCORE_MIGRATIONS,
    SCORE_HOTSPOTS,
    SCORE_ADDENDS
};

struct score_evidence {
    str path;         // of a changed file; empty = of none
    const char *says; // "R-1 Paid twice, exposure 100"
};

struct score_addend {
    const char *name;
    unsigned points, most;
    uint64_t value, full; // when known
    bool known;
    const char *says; // one sentence
    struct score_evidence *evidence;
    size_t count, room;
};

struct touched_risk {
    const struct risk *risk;
    const str *files; // changed ones under its paths
    size_t file_count;
};

enum score_class { SCORE_LOW, SCORE_MEDIUM, SCORE_HIGH };
const char *score_class_name(enum score_class class); // "low", "medium", "high"

struct risk_score {
    unsigned points;
    enum score_class class;
    struct score_addend addends[SCORE_ADDENDS];
    struct touched_risk *touched; // risks that count today, by falling exposure
    size_t touched_count;
};

// Of the lines that rules->changed has.
struct score_size score_size_of(const struct rule_input *input);

// Needs rules->changed; with rules->changed_unknown everything is unknown.
void risk_score_make(struct arena *arena, const struct score_input *input, struct risk_score *ret);

// The risks that count and have a changed file under their paths.
size_t risks_touched(struct arena *arena, const struct rule_input *input, int64_t today_days,
                     struct touched_risk **ret);

#endif
