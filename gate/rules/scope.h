// Which files of a coverage count, and to which critical path each of them belongs.
#ifndef GATE_RULES_SCOPE_H
#define GATE_RULES_SCOPE_H

#include "gate/rules/rule.h"

// The path that patterns are matched against: the repository's, or the report's while unmatched.
str scope_path(const struct covered_file *file);

struct coverage_scope scope_make(struct arena *arena, const struct rule_input *input);

// Is this path left out by `ignore`? generated = linguist-generated.
bool scope_ignores(const struct coverage_demands *demands, str path, bool generated);

// The critical path with the longest literal prefix that matches, or CRITICAL_NONE. Of two equally
// long ones the longer pattern wins, then the first.
size_t scope_critical(const struct coverage_demands *demands, str path);

// The covered file of that path in the repository; null when the coverage has none.
const struct covered_file *scope_find(const struct rule_context *context, str path);

// Fewer coverable changed lines than this are judged by count: one of them may be uncovered.
#define FEW_CHANGED_LINES 5u

// Do the changed lines of this file count, under that critical path (CRITICAL_NONE = under any)?
// *ret is what the coverage knows of it; null when no report has the file although reports have
// others of its kind: all its changed lines are uncovered then.
bool scope_changed(const struct rule_context *context, size_t critical,
                   const struct changed_file *file, const struct covered_file **ret);

#endif
