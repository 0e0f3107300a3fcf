// Moments and durations. A moment is milliseconds since 1970-01-01T00:00:00Z; a duration is
// milliseconds. Nothing here asks the machine what time it is: "now" is always an argument.
#ifndef GATE_BASE_MOMENT_H
#define GATE_BASE_MOMENT_H

#include "gate/base/str.h"

#include <stdint.h>

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

#define MOMENT_TEXT 25 // room for "2026-11-22T07:09:55.123Z" and NUL

// "500ms", "30s", "10m", "48h", "7d", or several in falling order as in "1h30m". Not negative.
bool duration_parse(str s, int64_t *ret_ms);
// The shortest exact writing of a duration in the same syntax; 0 is "0s". Returns out.
char *duration_format(int64_t ms, char out[32]);
// For people, rounded down: "2 d 3 h", "1 h 30 min", "5 min 20 s", "12.4 s", "30 ms". Returns out.
char *duration_words(int64_t ms, char out[32]);

// RFC 3339: date, 'T', time with optional fraction, 'Z' or an offset.
bool moment_parse(str s, int64_t *ret_ms);
char *moment_format(int64_t ms, char out[MOMENT_TEXT]); // with milliseconds, in UTC

// Days since 1970-01-01 of a civil date, and back; valid for the years 1 to 9999.
int64_t civil_to_days(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
#define DATE_TEXT 11 // room for "2027-01-31" and NUL
char *date_format(int64_t days, char out[DATE_TEXT]);
// "2027-01-31" -> days; refuses a date that does not exist.
bool date_parse(str s, int64_t *ret_days);

#endif
