// What can be judged of a recorded decision without its reports: shares and counts that it states,
// by the other policy's limits. Private to replay*.c.
#ifndef ACTIONS_CLI_REPLAY_FIGURES_H
#define ACTIONS_CLI_REPLAY_FIGURES_H

#include "actions/cli/replay.h"
#include "gate/intake/recorded.h"

struct recorded_run {
    struct arena *arena;
    struct event event;
    struct recorded_reports recorded;
    const char *missing[EVIDENCE_KINDS]; // a report of this kind that is not at hand; null = none
    bool none[EVIDENCE_KINDS]; // nobody asked for reports of this kind then, and none was there
    const char *no_commit;     // why nothing can be judged anew; null = it can
};

bool verdict_of(str name, enum verdict *ret);

// Why this finding cannot be judged from reports; null = it can.
const char *replay_cannot_judge(struct recorded_run *run, str id, str rule);

// Everything recorded for which that is so: by its figure, or as it was.
void replay_figures(struct replay *replay, struct recorded_run *run, struct replayed *ret);

#endif
