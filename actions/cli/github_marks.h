// What of this program's is where on GitHub, as the ledger knows it (`github.deployment`,
// `github.issue`, …), for whichever process comes next; and waiting for it.
#ifndef ACTIONS_CLI_GITHUB_MARKS_H
#define ACTIONS_CLI_GITHUB_MARKS_H

#include "actions/cli/deployment.h"
#include "actions/github/mirror_run.h"

struct github_marks {
    struct deployment *d;
    str name; // of a rollout, of an incident
};

// The number that was recorded of this kind ("deployment"); 0 = none.
int64_t github_mark(const struct github_marks *marks, const char *kind);
// Its page, in that arena; empty where none is known.
str github_mark_url(const struct github_marks *marks, struct arena *arena, const char *kind);
// Once; a failure is said.
void github_set_mark(const struct github_marks *marks, const char *kind, int64_t number, str url);

// The deployment by which GitHub shows as live what this rollback takes off all its targets: that
// of the rollout, or of the rollback before, that brought it there last. 0 = none.
int64_t github_live_deployment(struct deployment *d, const struct plan *back);

// Was what this comment says recorded: as an answer, as steering, as what a rollback was asked by?
bool github_comment_known(struct deployment *d, int64_t comment);

struct github_asked { // a rollback, by a comment
    str rollback, who, url;
    int64_t comment;
};
void github_set_asked(struct deployment *d, const struct github_asked *asked); // `github.asked`

// Turns it until nothing is left to do, a signal comes, or that moment.
void github_run_until(struct deployment *d, struct mirror_run *run, int64_t until_ms);

#endif
