#include "../expect.h"
#include "gate/base/moment.h"

Test(moment, durations)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},          {"500ms", 500},
                {"30s", 30000},     {"10m", 600000},
                {"48h", 172800000}, {"7d", 604800000},
                {"1h30m", 5400000}, {"1d2h3m4s5ms", 93784005},
                {"1m5ms", 60005},   {"36500d", 36500 * MS_DAY}};
    static const char *const bad[] = {
        "",     "5",  "s",  "1.5h",  "-1s",    "+1s",          "1 s",          "1s ",  "30m1h",
        "1m1m", "1w", "1S", "1ms1s", "36501d", "99999999999d", "1000000001ms", "1h30", "36500d1ms"};
    int64_t ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(duration_parse(str_of(bad[i]), &ms), "%s", bad[i]);
    cr_expect(ms == 42, "untouched on failure");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(duration_parse(str_of(good[i].text), &ms) && ms == good[i].ms, "%s gives %lld",
                  good[i].text, (long long)ms);
}

Test(moment, durations_are_written_as_they_are_read)
{
    static const struct {
        int64_t ms;
        const char *exact, *words;
    } rows[] = {{0, "0s", "0 s"},
                {30, "30ms", "30 ms"},
                {1000, "1s", "1 s"},
                {12400, "12s400ms", "12.4 s"},
                {12499, "12s499ms", "12.4 s"},
                {59999, "59s999ms", "59.9 s"},
                {60000, "1m", "1 min"},
                {90000, "1m30s", "1 min 30 s"},
                {5400000, "1h30m", "1 h 30 min"},
                {3600000, "1h", "1 h"},
                {86399999, "23h59m59s999ms", "23 h 59 min"},
                {172800000, "2d", "2 d"},
                {183600000, "2d3h", "2 d 3 h"},
                {INT64_MAX, "106751991167d7h12m55s807ms", "106751991167 d 7 h"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[32];
        int64_t back;
        cr_expect_str_eq(duration_format(rows[i].ms, out), rows[i].exact);
        if (rows[i].ms < 36500 * MS_DAY)
            cr_expect(duration_parse(str_of(out), &back) && back == rows[i].ms);
        cr_expect_str_eq(duration_words(rows[i].ms, out), rows[i].words);
    }
}

Test(moment, moments)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *back;
    } good[] = {{"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
                {"2026-11-22T07:09:55.123Z", 1795331395123, "2026-11-22T07:09:55.123Z"},
                {"2026-11-22t07:09:55.123999z", 1795331395123, "2026-11-22T07:09:55.123Z"},
                {"2026-11-22T08:09:55.1+01:00", 1795331395100, "2026-11-22T07:09:55.100Z"},
                {"2026-11-21T23:39:55-07:30", 1795331395000, "2026-11-22T07:09:55.000Z"},
                {"1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"},
                {"0001-01-01T00:00:00Z", -62135596800000, "0001-01-01T00:00:00.000Z"},
                {"9999-12-31T23:59:59Z", 253402300799000, "9999-12-31T23:59:59.000Z"},
                {"2000-02-29T00:00:00Z", 951782400000, "2000-02-29T00:00:00.000Z"},
                {"2016-12-31T23:59:60Z", 1483228800000, "2017-01-01T00:00:00.000Z"}};
    static const char *const bad[] = {"",
                                      "2026-11-22",
                                      "2026-11-22T07:09:55",
                                      "2026-11-22 07:09:55Z",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T07:60:00Z",
                                      "2026-11-22T07:09:61Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-22T07:09:55.Z",
                                      "2026-11-22T07:09:55+0100",
                                      "2026-11-22T07:09:55+24:00",
                                      "2026-11-22T07:09:55.1234567890Z",
                                      "2026-11-22T07:09:55Zx",
                                      "2026-1-22T07:09:55Z0",
                                      "+026-11-22T07:09:55Z"};
    int64_t ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(moment_parse(str_of(bad[i]), &ms), "%s", bad[i]);
    cr_expect(ms == 42);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char out[MOMENT_TEXT];
        cr_expect(moment_parse(str_of(good[i].text), &ms) && ms == good[i].ms, "%s gives %lld",
                  good[i].text, (long long)ms);
        cr_expect_str_eq(moment_format(good[i].ms, out), good[i].back);
    }
}

Test(moment, days_and_dates_agree_over_ten_thousand_years)
{
    int year = 1, month = 1, day = 1;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int64_t days = civil_to_days(1, 1, 1); year <= 9999; days++) {
        int y, m, d;
        civil_from_days(days, &y, &m, &d);
        cr_assert(y == year && m == month && d == day, "%d-%d-%d", year, month, day);
        cr_assert(civil_to_days(year, month, day) == days);
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (++day > lengths[month - 1] + (month == 2 && leap)) {
            day = 1;
            year += month == 12;
            month = month % 12 + 1;
        }
    }
}

Test(moment, dates)
{
    int64_t days = 42;
    static const char *const bad[] = {"",           "2027-02-29", "2027-13-01",  "2027-00-01",
                                      "2027-01-00", "2027-04-31", "27-01-01",    "2027/01/01",
                                      "2027-1-01",  "0000-01-01", "2027-01-01 ", "2027-01-0x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(date_parse(str_of(bad[i]), &days), "%s", bad[i]);
    cr_expect(days == 42);
    cr_expect(date_parse(STR("2027-01-10"), &days) && days == 20828);
    cr_expect(date_parse(STR("2028-02-29"), &days));
    cr_expect(date_parse(STR("1970-01-01"), &days) && days == 0);
}

Test(moment, dates_are_written_as_they_are_read)
{
    static const char *const dates[] = {"0001-01-01", "1969-12-31", "1970-01-01",
                                        "2027-02-28", "2028-02-29", "9999-12-31"};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int64_t days;
        char out[DATE_TEXT];
        cr_assert(date_parse(str_of(dates[i]), &days));
        cr_expect_str_eq(date_format(days, out), dates[i]);
    }
}
