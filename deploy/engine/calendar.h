// When a rollout may go forward: outside of freezes and inside of windows. Pure: zones and "now"
// are given. A way back asks no calendar.
//
// A freeze is the time from one moment to another, the second one not included. A window opens
// every week, by what the clocks of its zone show: an hour that does not exist on the day when they
// go forward is not there, and one that exists twice is there twice.
//
//     struct calendar_answer answer;
//     calendar_look(&plan->calendar, severity, now_ms, &answer);
//     if (!answer.allowed) wait_until(answer.until_ms);
#ifndef DEPLOY_ENGINE_CALENDAR_H
#define DEPLOY_ENGINE_CALENDAR_H

#include "gate/base/arena.h"
#include "gate/base/text.h"
#include "gate/base/zone.h"

#define CALENDAR_FREEZES 256u
#define CALENDAR_WINDOWS 32u

struct calendar_freeze {
    str name, timezone;
    const struct zone *zone; // of `timezone`; null = not known here: UTC is said
    int64_t from_ms, to_ms;
    uint32_t allow; // bit n: an emergency of severity Pn+1 passes
};

struct calendar_window {
    str text, timezone;      // as it is written; its zone, "UTC" when it names none
    const struct zone *zone; // null: not known here, and it is never open
    uint32_t days;           // bit 0 = Monday
    int32_t begin_s, end_s;  // after midnight; an end above 24 h is on the day after
};

struct calendar {
    struct calendar_freeze *freezes;
    uint32_t freeze_count;
    struct calendar_window *windows; // none = always open
    uint32_t window_count;
};

// "Mon-Thu 09:00-16:00 Europe/Amsterdam": days (one, several with commas, ranges; every day when
// left out), hours, zone (UTC when left out). "Fri 22:00-02:00" ends on the day after. The parts
// are slices of `text`; `zone` is set only for UTC. ERROR_INPUT.
bool calendar_window_parse(str text, struct calendar_window *ret, struct error *err);

struct calendar_answer {
    bool allowed;
    const struct calendar_freeze *freeze; // that forbids it; null: no window is open
    // Allowed: until when, for all that is known now. Else: from when on again. ZONE_NEVER: for
    // ever, or not within a year.
    int64_t until_ms;
};

// `severity`: 1 to 4 of an emergency (it passes windows, and the freezes that allow it); 0 = none.
void calendar_look(const struct calendar *calendar, unsigned severity, int64_t now_ms,
                   struct calendar_answer *ret);

// The moment in the zone and in UTC: "Tue 2027-02-02 06:00 Europe/Amsterdam (05:00 UTC)".
void calendar_moment(const struct zone *zone, str name, int64_t moment_ms, struct text *out);
// Why it is not allowed, and until when: "freeze enrolment night, until …" or "outside of the
// windows (…), until …".
void calendar_words(const struct calendar *calendar, const struct calendar_answer *answer,
                    struct text *out);

// "P1" is 1; 0 when it is no severity.
unsigned calendar_severity(str name);

#endif
