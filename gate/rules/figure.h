// Shares as findings show them: the exact fraction beside its limit, and how much is missing.
#ifndef GATE_RULES_FIGURE_H
#define GATE_RULES_FIGURE_H

#include "gate/base/number.h"
#include "gate/rules/finding.h"

struct share {
    uint64_t covered, total;
};

bool share_meets(struct share share, struct fraction limit); // exact; total may be 0

// The least x with x/total >= limit.
uint64_t share_needed(uint64_t total, struct fraction limit);

// Fills have ("31582/71846"), want ("44%") and the message: "43.95 % of lines are covered, 44 % are
// asked for: 31 more of 71846." Percentages are cut, never rounded up, with enough decimals to
// differ from a limit that they miss.
void figure_judge(struct findings *out, struct finding *finding, struct share share,
                  struct fraction limit, const char *of_what);

// "43.95 %", cut; "0 of 0" when there is nothing.
const char *figure_percent(struct findings *out, struct share share, struct fraction limit);

#endif
