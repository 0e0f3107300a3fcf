// Waivers applied to what the rules found. A waived finding passes and says who let it; what judges
// (policy, waivers) cannot be waived. A waiver whose approver is an author of the change, or that
// has expired, does not apply; one that nothing needs is listed.
#ifndef GATE_RULES_WAIVING_H
#define GATE_RULES_WAIVING_H

#include "gate/rules/rule.h"

// After findings_stand. Adds findings of rule "waivers".
void findings_waive(const struct rule_input *input, struct findings *findings);

#endif
