// What the calendar means for a plan, in words.
#ifndef ACTIONS_CLI_PLAN_CALENDAR_H
#define ACTIONS_CLI_PLAN_CALENDAR_H

#include "deploy/engine/engine.h"
#include "deploy/run/settings_calendar.h"

// For `sluice plan`: the season that holds, windows, freezes within the next two weeks, and which
// steps would have to wait if it began now and nobody took time to approve.
void plan_calendar_text(const struct calendar_settings *settings, const struct plan *plan,
                        int64_t now_ms, struct text *out);

// True, with why and until when, while the calendar that was planned with forbids forward steps of
// a rollout that stands there. *ret_until_ms may be ZONE_NEVER.
bool plan_calendar_waits(struct arena *arena, const struct plan *plan, enum rollout_phase phase,
                         int64_t now_ms, int64_t *ret_until_ms, struct text *out);

#endif
