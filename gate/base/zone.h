// Time zones: from a moment to what the clocks on the wall show, and back. The rules come as the
// bytes of a TZif file (RFC 8536: versions 1 to 4, with the footer for moments past the table);
// who reads the file stands elsewhere. Nothing here asks the machine anything.
//
// Local time is milliseconds too: those since 1970-01-01 00:00 on the wall. A local time may not
// exist (the clocks went forward over it: a gap) or exist twice (they went back: a fold).
//
//     const struct zone *zone;
//     if (!zone_parse(&arena, bytes, &zone, err)) …
//     int64_t from_ms = zone_moment(zone, days * MS_DAY, ZONE_FIRST);
#ifndef GATE_BASE_ZONE_H
#define GATE_BASE_ZONE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

#define ZONE_NEVER INT64_MAX
#define ZONE_TEXT 32 // room for "Mon 2027-02-01 18:00:30" and NUL

struct zone;

const struct zone *zone_utc(void); // without any rules

// The zone keeps nothing of `bytes` and lives in the arena. ERROR_INPUT: it is damaged, or counts
// leap seconds.
bool zone_parse(struct arena *arena, str bytes, const struct zone **ret, struct error *err);

struct zone_reading {
    int64_t offset_ms; // local time = moment + offset
    int64_t next_ms;   // the next moment at which it may change; ZONE_NEVER = it will not
};

void zone_at(const struct zone *zone, int64_t moment_ms, struct zone_reading *ret);
int64_t zone_local(const struct zone *zone, int64_t moment_ms);

enum zone_choice { ZONE_FIRST, ZONE_LAST };

// The moment at which the clocks show `local_ms`. Where they show it twice, `choice` says which one
// is meant; where they never do, it is the moment at which they jump over it.
int64_t zone_moment(const struct zone *zone, int64_t local_ms, enum zone_choice choice);

// "Mon 2027-02-01 18:00", with seconds where they are not 0. Returns out.
char *zone_format(const struct zone *zone, int64_t moment_ms, char out[ZONE_TEXT]);

// 0 = Monday to 6 = Sunday, of a local time.
int zone_weekday(int64_t local_ms);
extern const char *const zone_weekdays[7]; // "Mon", …

#endif
