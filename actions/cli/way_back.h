// Whether the code of known good can live with what a release's migrations leave behind: a rollback
// brings back code, never data.
//
//     str *no_return;
//     if (!way_back_check(d, &run, good, commit, accepted, &no_return)) ...
//     resolve.no_return = no_return;
#ifndef ACTIONS_CLI_WAY_BACK_H
#define ACTIONS_CLI_WAY_BACK_H

#include "actions/cli/deployment.h"
#include "deploy/engine/plan.h"

// For each target of the run: the migrations that came between the commit of `good` and `commit`,
// and that known good may not live with. (*ret)[i] is empty where there are none, else one sentence
// of what they change. With call->error set:
//   ERROR_DENIED  there are some, and `accepted` (why that is fine, by a person) is null
//   ERROR_ABSENT  the commit of known good is not in this clone
//   ERROR_INPUT   a migration cannot be read
// A first deployment has no known good, and nothing to hurt.
bool way_back_check(struct deployment *d, const struct stage_run *run, const struct placement *good,
                    const char *commit, const char *accepted, str **ret);

// The same without refusing: (*ret)[i] says what would be refused.
bool way_back_look(struct deployment *d, const struct stage_run *run, const struct placement *good,
                   const char *commit, str **ret);

#endif
