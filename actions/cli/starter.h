// The files that `sluice init` proposes for a project, as text.
#ifndef ACTIONS_CLI_STARTER_H
#define ACTIONS_CLI_STARTER_H

#include "actions/cli/project.h"
#include "gate/base/text.h"
#include "gate/reports/evidence.h"

struct starter {
    const struct project *project;
    const struct evidence *measured; // what its reports say today; null = there are none
    const char *branch;              // the default branch
};

void starter_configuration(const struct starter *starter, struct text *out);
void starter_register(const struct starter *starter, struct text *out);
void starter_workflow(const struct starter *starter, struct text *out);
// The workflow that shows on a pull request what the gate said of it: it calls ours.
void starter_comment(struct text *out);
// The workflows that release, go on, and go back: they call ours.
void starter_release(struct text *out);
void starter_resume(struct text *out);
void starter_rollback(struct text *out);
// What to type next, a command a line.
void starter_next(const struct starter *starter, struct text *out);

// The whole percent that the measured coverage holds, to be a floor; -1 = nothing was measured.
int starter_floor(const struct evidence *measured);

#endif
