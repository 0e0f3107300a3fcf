// What becomes of findings after the rules have judged: whose they are, what the policy enforces,
// and what of it may hold or block. Pure, like the rules.
//
// In this order: a finding that was there before, and is no better now, is inherited; a rule that
// the policy enforces less strictly is capped; on a pull request what is not the change's own is at
// most a warning. `judged` keeps what the rule said.
#ifndef GATE_RULES_STANDING_H
#define GATE_RULES_STANDING_H

#include "gate/rules/rule.h"

void findings_stand(const struct rule_input *input, struct findings *findings);

#endif
