// Whether the calendar lets a new rollout begin. A rollout that is under way waits instead, and a
// way back is never asked.
//
//     struct calendar_settings calendar;
//     if (!preflight_calendar(d, &emergency, &calendar)) …            // call->error says why
//     resolve.calendar = &calendar;
#ifndef ACTIONS_CLI_PREFLIGHT_CALENDAR_H
#define ACTIONS_CLI_PREFLIGHT_CALENDAR_H

#include "actions/cli/deployment.h"
#include "deploy/engine/plan.h"
#include "deploy/run/settings_calendar.h"

// The calendar of the configuration, with the freezes as the default branch has them now where they
// can be read. ERROR_INPUT.
bool calendar_now(struct deployment *d, struct calendar_settings *ret);

// An emergency as the options of `sluice rollout` ask for it; severity empty when they do not.
// ERROR_INPUT: one without the others, or words that cannot be.
bool emergency_of_options(struct invocation *call, struct plan_emergency *ret);

// Refuses what a freeze or a closed window forbids (ERROR_DENIED). `emergency` is what people ask
// for; what it goes past is filled in.
bool preflight_calendar(struct deployment *d, struct plan_emergency *emergency,
                        struct calendar_settings *ret);

#endif
