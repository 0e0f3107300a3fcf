// What a person is asked to decide on, out of the ledger: what the gate said of the release, the
// open risks that it and the commits since known good touch, what migrates, and when the way back
// was last taken. For words alone: nothing is decided by it, and what cannot be read is left out
// and said to be unknown.
//
//     struct release_brief brief;
//     release_brief(d, plan, &brief);
#ifndef ACTIONS_CLI_RELEASE_BRIEF_H
#define ACTIONS_CLI_RELEASE_BRIEF_H

#include "actions/cli/ledger_facts.h"
#include "deploy/record/risk_demands.h"

enum { BRIEF_RISKS = 20, BRIEF_FILES = 100 };

struct brief_risk {
    str id, exposure;  // "R-1", "20"
    str says;          // the gate's sentence about it
    str *files;        // changed ones under its paths, each once
    size_t file_count; // at most BRIEF_FILES
};

struct release_brief {
    bool known;  // the decision on the release's commit was read
    str verdict; // "pass", "warn"
    int64_t decided_ms;
    size_t warnings;
    enum release_risk risk;   // the worst of all decisions
    uint32_t score;           // 0 to 100, when it is scored
    str risk_unknown;         // why it is not known what changed; empty = it is
    struct brief_risk *risks; // largest first, within one decision
    size_t risk_count, risks_more;
    bool migrations_known;
    uint64_t migrations; // changed files that migrate a database
    bool partial;        // not all commits since known good could be looked at
    struct way_back way; // all 0: never taken, or not known
};

// Of a rollback only the way back is read. In d->arena. Leaves call->error as it was.
void release_brief(struct deployment *d, const struct plan *plan, struct release_brief *ret);

#endif
