// Entries that a risk register could have: files that are often changed, hardly covered, and were
// in releases that ended in incidents. Printed as YAML to paste; a person judges and edits them.
//
//     weight     = commits x uncovered lines x (1 + incidents)
//     likelihood = 1, and 1 more for each: 5 commits or more, 15 commits or more, less than half
//                  covered, an incident
//     impact     = 4 under a critical path of the gate, else 3: the middle, until a person says
//
// Ids are made from the path alone, so that the same file always gets the same one.
//
//     size_t count = suggest_choose(&arena, items, count, 10);
//     suggest_yaml(items, count, 90, &text);
#ifndef GATE_RISK_SUGGEST_H
#define GATE_RISK_SUGGEST_H

#include "gate/base/arena.h"
#include "gate/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct suggestion {
    str path;
    uint32_t commits;
    uint64_t covered, total; // lines
    uint32_t incidents;
    bool critical; // under a critical path
};

uint64_t suggestion_weight(const struct suggestion *one);
unsigned suggestion_likelihood(const struct suggestion *one);
unsigned suggestion_impact(const struct suggestion *one);

#define SUGGESTION_ID 11 // "S-" and eight digits, and NUL
void suggestion_id(str path, char out[SUGGESTION_ID]);

// Those with a weight, heaviest first, at most `most`; returns how many stand at the beginning.
size_t suggest_choose(struct suggestion *items, size_t count, size_t most);

// Entries for the list `risks`, each with a comment that says what it rests on. Without `graded`
// they have neither likelihood nor impact, for registers whose matrix asks for something else.
void suggest_yaml(const struct suggestion *items, size_t count, unsigned window_days, bool graded,
                  struct text *out);

#endif
