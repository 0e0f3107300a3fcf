#include "gate/base/moment.h"

#include "gate/base/number.h"

#include <stdio.h>

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", MS_DAY}, {"h", MS_HOUR}, {"m", MS_MINUTE}, {"s", MS_SECOND}, {"ms", 1}};
enum { UNITS = sizeof units / sizeof units[0] };

static size_t count_run(str s, bool digits)
{
    size_t n = 0;
    while (n < s.len && (s.data[n] >= '0' && s.data[n] <= '9') == digits)
        n++;
    return n;
}

bool duration_parse(str s, int64_t *ret_ms)
{
    int64_t sum = 0;
    int last = -1;
    if (s.len == 0)
        return false;
    while (s.len) {
        size_t digits = count_run(s, true);
        uint64_t value;
        if (!number_u64(str_first(s, digits), &value) || value > 1000000000)
            return false;
        s = str_from(s, digits);
        size_t letters = count_run(s, false);
        int unit = last + 1;
        while (unit < UNITS && !str_is(str_first(s, letters), units[unit].name))
            unit++;
        if (unit == UNITS)
            return false;
        sum += (int64_t)value * units[unit].ms;
        if (sum > 36500 * MS_DAY)
            return false;
        last = unit;
        s = str_from(s, letters);
    }
    *ret_ms = sum;
    return true;
}

char *duration_format(int64_t ms, char out[32])
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < UNITS; i++) {
        int64_t n = ms / units[i].ms;
        ms %= units[i].ms;
        if (n)
            len += (size_t)snprintf(out + len, 32 - len, "%lld%s", (long long)n, units[i].name);
    }
    if (len == 0)
        (void)snprintf(out, 32, "0s");
    return out;
}

// The two largest units, the smaller one only when it is not zero.
static void write_pair(char out[32], int64_t ms, int64_t large, const char *large_name,
                       int64_t small, const char *small_name)
{
    int n = snprintf(out, 32, "%lld %s", (long long)(ms / large), large_name);
    int64_t rest = ms % large / small;
    if (rest && n > 0 && n < 32)
        (void)snprintf(out + n, 32 - (size_t)n, " %lld %s", (long long)rest, small_name);
}

char *duration_words(int64_t ms, char out[32])
{
    if (ms < MS_MINUTE && ms % MS_SECOND >= 100)
        (void)snprintf(out, 32, "%lld.%lld s", (long long)(ms / MS_SECOND),
                       (long long)(ms % MS_SECOND / 100));
    else if (ms < MS_SECOND && ms > 0)
        (void)snprintf(out, 32, "%lld ms", (long long)ms);
    else if (ms < MS_MINUTE)
        (void)snprintf(out, 32, "%lld s", (long long)(ms / MS_SECOND));
    else if (ms < MS_HOUR)
        write_pair(out, ms, MS_MINUTE, "min", MS_SECOND, "s");
    else if (ms < MS_DAY)
        write_pair(out, ms, MS_HOUR, "h", MS_MINUTE, "min");
    else
        write_pair(out, ms, MS_DAY, "d", MS_HOUR, "h");
    return out;
}

// Days from civil: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t civil_to_days(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool fixed_number(str s, size_t at, size_t digits, int least, int most, int *ret)
{
    uint32_t value;
    if (at + digits > s.len || !number_u32(str_make(s.data + at, digits), &value))
        return false;
    if ((int)value < least || (int)value > most)
        return false;
    *ret = (int)value;
    return true;
}

char *date_format(int64_t days, char out[DATE_TEXT])
{
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    (void)snprintf(out, DATE_TEXT, "%04u-%02u-%02u", (unsigned)year % 10000U,
                   (unsigned)month % 100U, (unsigned)day % 100U);
    return out;
}

bool date_parse(str s, int64_t *ret_days)
{
    int year, month, day, y, m, d;
    if (s.len != 10 || s.data[4] != '-' || s.data[7] != '-' ||
        !fixed_number(s, 0, 4, 1, 9999, &year) || !fixed_number(s, 5, 2, 1, 12, &month) ||
        !fixed_number(s, 8, 2, 1, 31, &day))
        return false;
    int64_t days = civil_to_days(year, month, day);
    civil_from_days(days, &y, &m, &d);
    if (y != year || m != month || d != day)
        return false;
    *ret_days = days;
    return true;
}

// The part after the seconds: ".123", then 'Z' or "+01:00".
static bool parse_tail(str s, int64_t *ret_ms, int64_t *ret_offset_ms)
{
    int64_t fraction = 0, weight = 100;
    if (s.len && s.data[0] == '.') {
        size_t digits = count_run(str_from(s, 1), true);
        if (digits == 0 || digits > 9)
            return false;
        for (size_t i = 1; i <= digits; i++, weight /= 10)
            fraction += (s.data[i] - '0') * weight;
        s = str_from(s, 1 + digits);
    }
    *ret_ms = fraction;
    *ret_offset_ms = 0;
    if (str_is(s, "Z") || str_is(s, "z"))
        return true;
    int hours, minutes;
    if (s.len != 6 || (s.data[0] != '+' && s.data[0] != '-') || s.data[3] != ':' ||
        !fixed_number(s, 1, 2, 0, 23, &hours) || !fixed_number(s, 4, 2, 0, 59, &minutes))
        return false;
    *ret_offset_ms = (hours * MS_HOUR + minutes * MS_MINUTE) * (s.data[0] == '-' ? -1 : 1);
    return true;
}

bool moment_parse(str s, int64_t *ret_ms)
{
    int64_t days, fraction, offset;
    int hour, minute, second;
    if (s.len < 20 || !date_parse(str_first(s, 10), &days) ||
        (s.data[10] != 'T' && s.data[10] != 't') || s.data[13] != ':' || s.data[16] != ':' ||
        !fixed_number(s, 11, 2, 0, 23, &hour) || !fixed_number(s, 14, 2, 0, 59, &minute) ||
        !fixed_number(s, 17, 2, 0, 60, &second) || !parse_tail(str_from(s, 19), &fraction, &offset))
        return false;
    *ret_ms = days * MS_DAY + hour * MS_HOUR + minute * MS_MINUTE + second * MS_SECOND + fraction -
              offset;
    return true;
}

char *moment_format(int64_t ms, char out[MOMENT_TEXT])
{
    int64_t days = ms / MS_DAY - (ms % MS_DAY < 0);
    int64_t rest = ms - days * MS_DAY;
    char date[DATE_TEXT];
    (void)snprintf(out, MOMENT_TEXT, "%sT%02u:%02u:%02u.%03uZ", date_format(days, date),
                   (unsigned)(rest / MS_HOUR) % 100U, (unsigned)(rest / MS_MINUTE % 60) % 100U,
                   (unsigned)(rest / MS_SECOND % 60) % 100U, (unsigned)(rest % 1000) % 1000U);
    return out;
}
