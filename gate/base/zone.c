#include "gate/base/zone.h"

#include "gate/base/moment.h"

#include <stdio.h>

enum {
    HEADER_BYTES = 44,
    TRANSITIONS_MAX = 4096, // the largest of the database has about 250
    TYPES_MAX = 256,
    SEARCHED_MS = 27 * 3600 * 1000, // no clock is further from UTC
    DAYS_OF_YEAR = 365,
};

const char *const zone_weekdays[7] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

#define FAR_S (INT64_C(1) << 40)

enum day_rule { DAY_OF_WEEK, DAY_JULIAN, DAY_OF_YEAR };

struct change_rule { // when the clocks change, every year
    enum day_rule kind;
    int month, week, day; // DAY_OF_WEEK: the week-th `day` (0 = Sunday) of the month, 5 = the last
    int64_t time_ms;      // after midnight, local; may be negative or longer than a day
};

struct footer {
    bool given, changes;
    int64_t standard_ms, summer_ms;
    struct change_rule to_summer, to_standard;
};

struct transition {
    int64_t at_ms, offset_ms; // from then on
};

struct zone {
    struct transition *transitions; // rising
    size_t count;
    int64_t before_ms; // the offset before the first of them
    struct footer footer;
};

static const struct zone utc;

const struct zone *zone_utc(void)
{
    return &utc;
}

// ---- the footer: a POSIX TZ string --------------------------------------------------------------

static bool take_char(str *s, char c)
{
    if (s->len == 0 || s->data[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool take_number(str *s, int most, int *ret)
{
    int value = 0;
    size_t digits = 0;
    while (digits < s->len && s->data[digits] >= '0' && s->data[digits] <= '9') {
        value = value * 10 + (s->data[digits++] - '0');
        if (value > most)
            return false;
    }
    *s = str_from(*s, digits);
    *ret = value;
    return digits > 0;
}

static bool take_name(str *s)
{
    size_t len = 0;
    if (take_char(s, '<')) {
        size_t end = str_find(*s, '>');
        if (end == STR_NONE)
            return false;
        *s = str_from(*s, end + 1);
        return end >= 3;
    }
    while (len < s->len && char_lower(s->data[len]) >= 'a' && char_lower(s->data[len]) <= 'z')
        len++;
    *s = str_from(*s, len);
    return len >= 3;
}

// "hh[:mm[:ss]]" with a sign.
static bool take_time(str *s, int hours_max, int64_t *ret_ms)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take_char(s, '-');
    if (!negative)
        (void)take_char(s, '+');
    if (!take_number(s, hours_max, &hours))
        return false;
    if (take_char(s, ':') &&
        (!take_number(s, 59, &minutes) || (take_char(s, ':') && !take_number(s, 59, &seconds))))
        return false;
    int64_t ms = hours * MS_HOUR + minutes * MS_MINUTE + seconds * MS_SECOND;
    *ret_ms = negative ? -ms : ms;
    return true;
}

static bool take_rule(str *s, struct change_rule *ret)
{
    struct change_rule rule = {.time_ms = 2 * MS_HOUR};
    if (take_char(s, 'M')) {
        rule.kind = DAY_OF_WEEK;
        if (!take_number(s, 12, &rule.month) || rule.month < 1 || !take_char(s, '.') ||
            !take_number(s, 5, &rule.week) || rule.week < 1 || !take_char(s, '.') ||
            !take_number(s, 6, &rule.day))
            return false;
    } else if (take_char(s, 'J')) {
        rule.kind = DAY_JULIAN;
        if (!take_number(s, DAYS_OF_YEAR, &rule.day) || rule.day < 1)
            return false;
    } else {
        rule.kind = DAY_OF_YEAR;
        if (!take_number(s, DAYS_OF_YEAR, &rule.day))
            return false;
    }
    if (take_char(s, '/') && !take_time(s, 167, &rule.time_ms))
        return false;
    *ret = rule;
    return true;
}

// West is positive there.
static bool parse_footer(str s, struct footer *ret)
{
    struct footer footer = {.given = true};
    if (!take_name(&s) || !take_time(&s, 24, &footer.standard_ms))
        return false;
    footer.standard_ms = -footer.standard_ms;
    if (s.len == 0) {
        *ret = footer;
        return true;
    }
    footer.changes = true;
    footer.summer_ms = footer.standard_ms + MS_HOUR;
    if (!take_name(&s))
        return false;
    if (s.len && s.data[0] != ',') {
        if (!take_time(&s, 24, &footer.summer_ms))
            return false;
        footer.summer_ms = -footer.summer_ms;
    }
    bool ok = take_char(&s, ',') && take_rule(&s, &footer.to_summer) && take_char(&s, ',') &&
              take_rule(&s, &footer.to_standard) && s.len == 0;
    if (ok)
        *ret = footer;
    return ok;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// The local moment at which it happens in that year.
static int64_t rule_in(const struct change_rule *rule, int year)
{
    int64_t days = civil_to_days(year, 1, 1);
    if (rule->kind == DAY_OF_YEAR) {
        days += rule->day;
    } else if (rule->kind == DAY_JULIAN) { // 29 February is never counted
        days += rule->day - 1 + (is_leap(year) && rule->day >= 60);
    } else {
        int64_t first = civil_to_days(year, rule->month, 1);
        int64_t next = rule->month == 12 ? civil_to_days(year + 1, 1, 1)
                                         : civil_to_days(year, rule->month + 1, 1);
        int64_t weekday = (first + 4) % 7; // 1970-01-01 was a Thursday; 0 = Sunday
        weekday = weekday < 0 ? weekday + 7 : weekday;
        days = first + (rule->day - weekday + 7) % 7 + INT64_C(7) * (rule->week - 1);
        if (days >= next)
            days -= 7;
    }
    return days * MS_DAY + rule->time_ms;
}

static int year_of(int64_t ms)
{
    int year, month, day;
    civil_from_days(ms / MS_DAY - (ms % MS_DAY < 0), &year, &month, &day);
    return year;
}

// The newest change that is not after the moment, and the next one. Of two at the same moment
// summer time counts: so the rule of a zone that never leaves it is written.
static void read_footer(const struct footer *footer, int64_t moment_ms, struct zone_reading *ret)
{
    int64_t newest_ms = INT64_MIN, next_ms = ZONE_NEVER;
    ret->offset_ms = footer->standard_ms;
    ret->next_ms = ZONE_NEVER;
    if (!footer->changes)
        return;
    int year = year_of(moment_ms + footer->standard_ms);
    for (int y = year - 1; y <= year + 1; y++) {
        int64_t to_standard = rule_in(&footer->to_standard, y) - footer->summer_ms;
        int64_t to_summer = rule_in(&footer->to_summer, y) - footer->standard_ms;
        if (to_standard <= moment_ms && to_standard > newest_ms) {
            newest_ms = to_standard;
            ret->offset_ms = footer->standard_ms;
        }
        if (to_summer <= moment_ms && to_summer >= newest_ms) {
            newest_ms = to_summer;
            ret->offset_ms = footer->summer_ms;
        }
        if (to_standard > moment_ms && to_standard < next_ms)
            next_ms = to_standard;
        if (to_summer > moment_ms && to_summer < next_ms)
            next_ms = to_summer;
    }
    ret->next_ms = next_ms;
}

// ---- the file -----------------------------------------------------------------------------------

static int64_t big_endian(const char *at, size_t size)
{
    uint64_t value = (unsigned char)at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)at[i];
    return (int64_t)value;
}

struct counts {
    size_t utc, standard, leaps, transitions, types, chars;
};

static bool read_header(str bytes, struct counts *ret, char *ret_version)
{
    size_t numbers[6];
    if (bytes.len < HEADER_BYTES || !str_eq(str_first(bytes, 4), STR("TZif")))
        return false;
    for (size_t i = 0; i < 6; i++) {
        int64_t value = big_endian(bytes.data + 20 + 4 * i, 4);
        if (value < 0 || value > 1 << 20)
            return false;
        numbers[i] = (size_t)value;
    }
    *ret = (struct counts){numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    *ret_version = bytes.data[4];
    return ret->transitions <= TRANSITIONS_MAX && ret->types >= 1 && ret->types <= TYPES_MAX;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->transitions * (time_bytes + 1) + counts->types * 6 + counts->chars +
           counts->leaps * (time_bytes + 4) + counts->standard + counts->utc;
}

static bool read_block(struct arena *arena, str block, const struct counts *counts,
                       size_t time_bytes, struct zone *ret)
{
    const char *times = block.data;
    const char *kinds = times + counts->transitions * time_bytes;
    const char *types = kinds + counts->transitions;
    int64_t before = INT64_MIN;
    ret->before_ms = big_endian(types, 4) * MS_SECOND;
    ret->transitions = ARENA_ARRAY(arena, struct transition, counts->transitions + 1);
    for (size_t i = 0; i < counts->transitions; i++) {
        size_t kind = (unsigned char)kinds[i];
        int64_t at = big_endian(times + i * time_bytes, time_bytes);
        if (kind >= counts->types || at <= before)
            return false;
        before = at;
        int64_t offset_ms = big_endian(types + kind * 6, 4) * MS_SECOND;
        if (at > FAR_S || at < -FAR_S) { // some writers begin with the Big Bang
            if (at < 0)
                ret->before_ms = offset_ms;
            continue;
        }
        ret->transitions[ret->count++] = (struct transition){at * MS_SECOND, offset_ms};
    }
    for (size_t i = 0; i < counts->types; i++) {
        int64_t offset_ms = big_endian(types + i * 6, 4) * MS_SECOND;
        if (offset_ms < -SEARCHED_MS || offset_ms > SEARCHED_MS)
            return false;
    }
    return true;
}

// "\n…\n"; an empty one says that nothing is known past the table.
static bool read_footer_text(str rest, struct footer *ret)
{
    size_t end;
    if (!take_char(&rest, '\n') || (end = str_find(rest, '\n')) == STR_NONE)
        return false;
    return end == 0 || parse_footer(str_first(rest, end), ret);
}

static bool read_file(struct arena *arena, str bytes, struct zone *ret, bool *ret_leaps)
{
    struct counts counts;
    char version;
    size_t time_bytes = 4;
    if (!read_header(bytes, &counts, &version))
        return false;
    if (version >= '2') { // the first block is for programs that know nothing else
        size_t first = HEADER_BYTES + block_bytes(&counts, 4);
        bytes = str_from(bytes, first);
        time_bytes = 8;
        if (!read_header(bytes, &counts, &version))
            return false;
    }
    str block = str_from(bytes, HEADER_BYTES);
    size_t size = block_bytes(&counts, time_bytes);
    *ret_leaps = counts.leaps > 0;
    if (block.len < size || *ret_leaps || !read_block(arena, block, &counts, time_bytes, ret))
        return false;
    return time_bytes == 4 || read_footer_text(str_from(block, size), &ret->footer);
}

bool zone_parse(struct arena *arena, str bytes, const struct zone **ret, struct error *err)
{
    struct zone *zone = ARENA_NEW(arena, struct zone);
    bool leaps = false;
    if (read_file(arena, bytes, zone, &leaps)) {
        *ret = zone;
        return true;
    }
    if (leaps)
        return error_set(err, ERROR_INPUT,
                         "its rules count leap seconds, which no calendar does: use the zone of "
                         "that name without `right/`");
    return error_set(err, ERROR_INPUT, "it is no time-zone file (TZif), or a damaged one");
}

// ---- reading ------------------------------------------------------------------------------------

void zone_at(const struct zone *zone, int64_t moment_ms, struct zone_reading *ret)
{
    size_t low = 0, high = zone->count; // how many transitions are not after the moment
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].at_ms <= moment_ms)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->footer.given) {
        read_footer(&zone->footer, moment_ms, ret);
        return;
    }
    ret->offset_ms = low == 0 ? zone->before_ms : zone->transitions[low - 1].offset_ms;
    ret->next_ms = low < zone->count ? zone->transitions[low].at_ms : ZONE_NEVER;
}

int64_t zone_local(const struct zone *zone, int64_t moment_ms)
{
    struct zone_reading reading;
    zone_at(zone, moment_ms, &reading);
    return moment_ms + reading.offset_ms;
}

// Goes through the stretches without a change around that time: in each of them the clocks show it
// at most once.
int64_t zone_moment(const struct zone *zone, int64_t local_ms, enum zone_choice choice)
{
    enum { CHANGES_MAX = 64 }; // within two days
    int64_t from_ms = local_ms - SEARCHED_MS, found_ms = 0, jump_ms = 0;
    bool found = false, jumped = false;
    struct zone_reading reading;
    for (int i = 0; i < CHANGES_MAX && from_ms <= local_ms + SEARCHED_MS; i++) {
        zone_at(zone, from_ms, &reading);
        int64_t moment_ms = local_ms - reading.offset_ms;
        if (moment_ms >= from_ms && moment_ms < reading.next_ms &&
            (!found || choice == ZONE_LAST)) {
            found_ms = moment_ms;
            found = true;
        }
        if (!jumped && moment_ms < from_ms) { // the clocks are past it already
            jump_ms = from_ms;
            jumped = true;
        }
        if (reading.next_ms == ZONE_NEVER)
            break;
        from_ms = reading.next_ms;
    }
    return found ? found_ms : jump_ms;
}

int zone_weekday(int64_t local_ms)
{
    int64_t days = local_ms / MS_DAY - (local_ms % MS_DAY < 0);
    int64_t weekday = (days + 3) % 7; // 1970-01-01 was a Thursday
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

char *zone_format(const struct zone *zone, int64_t moment_ms, char out[ZONE_TEXT])
{
    int64_t local_ms = zone_local(zone, moment_ms);
    int64_t days = local_ms / MS_DAY - (local_ms % MS_DAY < 0);
    int64_t rest_s = (local_ms - days * MS_DAY) / MS_SECOND;
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    int len = snprintf(out, ZONE_TEXT, "%s %04u-%02u-%02u %02u:%02u",
                       zone_weekdays[zone_weekday(local_ms)], (unsigned)year % 10000U,
                       (unsigned)month % 100U, (unsigned)day % 100U,
                       (unsigned)(rest_s / 3600) % 100U, (unsigned)(rest_s / 60 % 60) % 100U);
    if (rest_s % 60 && len > 0)
        (void)snprintf(out + len, ZONE_TEXT - (size_t)len, ":%02u", (unsigned)(rest_s % 60) % 100U);
    return out;
}
