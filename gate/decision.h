// The decision: what the gate says about one commit, and everything that it rests on.
//
// As JSON it has the schema "sluice.decision/1" and is deterministic: the same evidence, policy and
// moment give the same bytes.
//
//     struct text json = text_of(LIMIT_DECISION_BYTES);
//     decision_json(&decision, &json);
#ifndef GATE_DECISION_H
#define GATE_DECISION_H

#include "gate/doc/json.h"
#include "gate/reports/evidence.h"
#include "gate/risk/register.h"
#include "gate/rules/finding.h"

struct dependencies;
struct risk_score;
struct rollout_demands;

struct history;

struct decision {
    enum verdict verdict;
    bool enforced;         // false: `enforce: false`, and the verdict is at most a warning
    enum verdict would_be; // what it would be when enforced
    const char *commit;    // 40 digits; null = not in a repository
    const char *base;      // what the change is measured against; null = none
    bool change;           // judged as a change (--base, a pull request), not as a release
    char policy_sha256[SHA256_HEX];
    const char *policy_path;
    int64_t time_ms;
    struct findings findings; // worst first, within a verdict in the order of the rules
    const struct evidence *evidence;
    bool has_risks;
    struct risk_totals risks;
    const char *register_path; // null = none
    char register_sha256[SHA256_HEX];
    uint64_t register_bytes;
    const struct risk_matrix *matrix;        // that the register is rated by; null = no register
    const struct risk_score *score;          // of this release; null = there is no register
    const struct rollout_demands *rollout;   // what the risks demand of it; with `score`
    const struct dependencies *dependencies; // null = lock files were not asked for
    const struct history *history;           // of the default branch; null = none
};

// Sorts the findings and sets verdict and would_be from them. With `enforce` false nothing holds or
// blocks, and a finding `policy.enforce` says what would have happened.
void decision_settle(struct decision *decision, bool enforce);

void decision_json(const struct decision *decision, struct text *out);

// The members of `totals` that these reports hold: `coverage`, `tests`; into an open map.
void evidence_totals_json(const struct evidence *evidence, struct json_out *out);

// "path" or "archive!entry".
// A warning about what this commit did not cause: inherited, or come from outside.
bool finding_is_aside(const struct finding *finding);

const char *report_shown(struct arena *arena, const struct report *report);

size_t decision_count(const struct decision *decision, enum verdict verdict);

#endif
