// The calendar of the configuration: `seasons`, `freezes`, `windows`, `emergency`. It is bound
// apart from the rest of the rollout: a way back needs none of it, and a mistake in it must not
// stop one.
//
// Times without an offset are those of the entry's `timezone`. A date stands for its whole day, so
// that `to` includes it; a time is a moment, and `to` ends there. A time that the clocks jump over
// is the moment at which they do. One that they show twice begins a season or freeze at the first
// and ends it at the second.
//
//     struct calendar_settings calendar;
//     if (!calendar_settings_bind(&arena, root, &settings, &calendar, &problems)) …
//     const struct season_settings *season = season_at(&calendar, now_ms);
#ifndef DEPLOY_RUN_SETTINGS_CALENDAR_H
#define DEPLOY_RUN_SETTINGS_CALENDAR_H

#include "deploy/engine/calendar.h"
#include "deploy/run/settings.h"

#define CALENDAR_SEASONS 64

struct season_settings {
    str name, from, to, timezone; // as written
    struct pace_settings pace;
    struct position at;
    const struct zone *zone;
    int64_t from_ms, to_ms; // to_ms is not included
};

struct emergency_settings {
    struct pace_settings pace;
    int64_t review_within_ms;
};

struct calendar_settings {
    struct calendar calendar;
    struct season_settings *seasons;
    size_t season_count;
    struct emergency_settings emergency;
};

extern const struct shape season_shape, freeze_shape, emergency_shape; // for the JSON schema

// Looks time zones up in the system's database. `settings` are for rules that concern stages; null
// leaves them out. False when it added to `problems`.
bool calendar_settings_bind(struct arena *arena, const struct node *root,
                            const struct deploy_settings *settings, struct calendar_settings *ret,
                            struct problems *problems);

const struct season_settings *season_at(const struct calendar_settings *settings, int64_t now_ms);

// Fills in the zones of a calendar that was read from a ledger, as far as they are known here.
void calendar_zones(struct arena *arena, struct calendar *calendar);

#endif
