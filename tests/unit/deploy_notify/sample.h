// A plan and a state to tell of: release v812 of web and worker in production, held at 25 %.
#ifndef TESTS_UNIT_DEPLOY_NOTIFY_SAMPLE_H
#define TESTS_UNIT_DEPLOY_NOTIFY_SAMPLE_H

#include "deploy/notify/notice.h"

struct sample {
    struct plan plan;
    struct plan_target targets[2];
    struct rollout_state state;
};

void sample_make(struct sample *sample);
// The notice of it as it stands in `phase`, with commands, a runbook and a link.
struct notice sample_notice(struct arena *arena, struct sample *sample, enum rollout_phase phase);

#endif
