// What the decision says about what judges it: where policy, register, waivers and quarantine were
// read, and what the change loosens in them.
#ifndef GATE_POLICY_FINDINGS_H
#define GATE_POLICY_FINDINGS_H

#include "gate/gate.h"

// Adds findings of rule "policy". Loosening holds a pull request: someone who is not its author has
// to agree. On a release, whose change is merged, it is listed as a warning.
// ERROR_SYSTEM when the working tree's documents cannot be read.
bool policy_findings(struct arena *arena, const struct gate_request *request,
                     const struct gate *gate, struct findings *findings, struct error *err);

#endif
