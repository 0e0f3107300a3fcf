// Is the change a fix, and by which sign: the branch's name, a label of the pull request, or a
// commit that says "fixes #12".
#ifndef GATE_FIX_H
#define GATE_FIX_H

#include "gate/git/authors.h"
#include "gate/rules/test_demands.h"

struct fix_question {
    const struct fix_signs *signs;
    const char *branch;        // null = not known
    const char *const *labels; // ends with null; null = none
    const struct authors *commits;
};

// "branch fix/cart", "label bug", "fixes #12"; null = it is none.
const char *fix_sign(struct arena *arena, const struct fix_question *question);

#endif
