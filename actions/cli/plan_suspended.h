// What `sluice plan` says about the time in which no process drives a rollout.
#ifndef ACTIONS_CLI_PLAN_SUSPENDED_H
#define ACTIONS_CLI_PLAN_SUSPENDED_H

#include "deploy/engine/detect.h"
#include "deploy/run/settings.h"

// The worst time until a release that is `detect: {ratio}` times worse is seen while the rollout is
// suspended: until something wakes it (`every` + `late`), and until the slowest step sees it from
// then on. `steps` are those of detect_plan. That later tries of `sluice watch` come up to five
// minutes apart is not in it: they come so only where what was woken has failed, and then no time
// can be promised. Where nothing is named that would wake it, says what follows and what would mend
// that.
void plan_suspended_text(const struct watch_settings *watch, const struct plan *plan,
                         const struct detect_step *steps, struct text *out);

#endif
