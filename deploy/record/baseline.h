// What a recorded run of the gate on the default branch leaves behind, for later runs to be judged
// beside. Written next to gate.decided, read back by history.h.
//
//   gate.observed       every such run: findings that did not pass, tests that failed or were
//                       flaky, rows of load tests
//   vulnerability.seen  names of vulnerabilities that no run had recorded before
//   baseline.recorded   a run that passed: coverage, tests by identity, names of vulnerabilities
//
// Each list has a ceiling, so that an event stays below LIMIT_EVENT_BYTES. What is past it is left
// out, and the event says so: a later run then knows less, and never something wrong.
//
//     struct baseline_run run = {.gate = &gate, .branch = "main", .decided = entry.id};
//     if (!baseline_write(ledger, &run, &written, err)) ...
#ifndef DEPLOY_RECORD_BASELINE_H
#define DEPLOY_RECORD_BASELINE_H

#include "deploy/record/ledger.h"
#include "gate/gate.h"

struct baseline_run {
    const struct gate *gate; // judged, with a commit
    const char *branch;      // the default branch
    const char *decided;     // id of its gate.decided
};

struct baseline_written {
    bool passed;    // there is a baseline.recorded
    size_t seen;    // names that are new
    bool cut;       // something was left out
    char text[256]; // of the baseline, for people: "3 of 4 lines, 12 tests"
};

// Appends the events. A run that the policy would block or hold leaves no baseline, also when
// `enforce: false` lets it go.
bool baseline_write(struct ledger *ledger, const struct baseline_run *run,
                    struct baseline_written *ret, struct error *err);

// The bodies, for tests and for `sluice verify`: which decision an event rests on.
struct baseline_basis {
    str decided, commit; // id of gate.decided, and its commit
};
// False for an event of another type. ERROR_INPUT when it is one and does not say.
bool baseline_is(const struct event *event);
bool baseline_basis(const struct event *event, struct baseline_basis *ret, struct error *err);

#endif
