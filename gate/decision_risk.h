// The members of a decision about the risk of the release: `score` says what the release risk score
// is made of, `rollout` what the rollout reads (deploy/record/risk_demands.h):
//
//     "score": {"points": 34, "most": 100, "class": "medium", "parts": [{"name": "risks",
//               "value": 25, "full": 125, "weight": 35, "points": 7, "because": "…"}, …]},
//     "rollout": {"risk": {"score": 34, "class": "medium"},
//                 "demands": {"approvals": 2, "slower": 2, "steps": ["5%", "25%"], "unknown": null,
//                             "because": [{"risk": "R-1", "title": "Paid twice", "what": "…"}]}}
#ifndef GATE_DECISION_RISK_H
#define GATE_DECISION_RISK_H

#include "gate/decision.h"

// Into the open map of the decision; nothing when there is no score.
void decision_risk_json(const struct decision *decision, struct json_out *out);

#endif
