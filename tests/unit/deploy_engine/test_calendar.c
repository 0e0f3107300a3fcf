// When a rollout may go forward. The zones are made of their rules: see tests/unit/deploy_world for
// those of the system.
#include "../expect.h"
#include "deploy/engine/calendar.h"
#include "gate/base/moment.h"

static int64_t at(const char *text)
{
    int64_t ms = 0;
    cr_assert(moment_parse(str_of(text), &ms), "%s", text);
    return ms;
}

static const struct zone *zone_of(struct arena *arena, const char *rule)
{
    struct text bytes = text_of(4096);
    const struct zone *zone = NULL;
    struct error err = {0};
    for (int block = 0; block < 2; block++) { // no changes, one type of UTC
        text_adds(&bytes, "TZif2");
        for (int i = 0; i < 15 + 16; i++)
            text_addc(&bytes, '\0');
        text_add(&bytes, str_make("\0\0\0\1\0\0\0\1", 8));
        text_add(&bytes, str_make("\0\0\0\0\0\0\0", 7));
    }
    text_addf(&bytes, "\n%s\n", rule);
    cr_assert(zone_parse(arena, text_str(&bytes), &zone, &err), "%s: %s", rule, err.message);
    text_done(&bytes);
    return zone;
}

#define AMSTERDAM "CET-1CEST,M3.5.0,M10.5.0/3"

static struct calendar calendar_of(struct arena *arena, const struct zone *zone,
                                   const char *const *windows)
{
    struct calendar calendar = {.windows = ARENA_ARRAY(arena, struct calendar_window, 8)};
    for (; *windows; windows++) {
        struct calendar_window *window = &calendar.windows[calendar.window_count++];
        struct error err = {0};
        cr_assert(calendar_window_parse(str_of(*windows), window, &err), "%s", err.message);
        if (!window->zone)
            window->zone = zone;
    }
    return calendar;
}

static void expect_look(const struct calendar *calendar, unsigned severity, const char *now,
                        bool allowed, const char *until)
{
    struct calendar_answer answer;
    char have[MOMENT_TEXT], want[MOMENT_TEXT];
    calendar_look(calendar, severity, at(now), &answer);
    cr_expect_eq(answer.allowed, allowed, "%s", now);
    if (!until)
        cr_expect_eq(answer.until_ms, ZONE_NEVER, "%s: never, not %s", now,
                     moment_format(answer.until_ms, have));
    else
        cr_expect_str_eq(moment_format(answer.until_ms, have), moment_format(at(until), want), "%s",
                         now);
}

Test(calendar, windows_are_read)
{
    static const struct {
        const char *text, *timezone;
        uint32_t days;
        int32_t begin_min, end_min;
    } rows[] = {
        {"Mon-Thu 09:00-16:00 Europe/Amsterdam", "Europe/Amsterdam", 0x0F, 540, 960},
        {"Fri 22:00-02:00", "UTC", 0x10, 1320, 1560},
        {"00:00-24:00", "UTC", 0x7F, 0, 1440},
        {"09:00-16:30 Asia/Kolkata", "Asia/Kolkata", 0x7F, 540, 990},
        {"Sat-Mon 10:00-11:00", "UTC", 0x61, 600, 660},
        {"mon,WED-thu,Sun 10:00-11:00", "UTC", 0x4D, 600, 660},
        {"Mon-Sun 23:59-00:00", "UTC", 0x7F, 1439, 1440},
        {"  Tue   10:00-11:00   UTC  ", "UTC", 0x02, 600, 660},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct calendar_window window = {0};
        struct error err = {0};
        cr_assert(calendar_window_parse(str_of(rows[i].text), &window, &err), "%s: %s",
                  rows[i].text, err.message);
        expect_str(window.timezone, rows[i].timezone);
        cr_expect_eq(window.days, rows[i].days, "%s: %x", rows[i].text, window.days);
        cr_expect_eq(window.begin_s, rows[i].begin_min * 60, "%s", rows[i].text);
        cr_expect_eq(window.end_s, rows[i].end_min * 60, "%s", rows[i].text);
        cr_expect_eq(window.zone != NULL, str_is(window.timezone, "UTC"));
    }
}

Test(calendar, what_is_no_window_is_refused)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "is no window"},
        {"Mon", "is no window"},
        {"Mon-Thu", "is no window"},
        {"Monday 09:00-16:00", "`Monday` names no days"},
        {"Mon- 09:00-16:00", "names no days"},
        {"Mon,,Tue 09:00-16:00", "names no days"},
        {"Mon 9:00-16:00", "is no window"},
        {"Mon 09:00", "is no window"},
        {"Mon 09:00-25:00", "is no window"},
        {"Mon 09:60-16:00", "is no window"},
        {"Mon 09:00-24:01", "is no window"},
        {"Mon 09:00-09:00", "a window of no time"},
        {"Mon 24:00-09:00", "a window of no time"},
        {"Mon 09:00-16:00 UTC UTC", "more than days, hours and one time zone"},
        {"Mon 09:00 - 16:00", "is no window"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct calendar_window window = {.days = 99};
        struct error err = {0};
        cr_expect_not(calendar_window_parse(str_of(rows[i].text), &window, &err), "%s",
                      rows[i].text);
        cr_expect_eq(err.kind, ERROR_INPUT);
        expect_contains(str_of(err.message), rows[i].why);
        cr_expect_eq(window.days, 99, "untouched on failure");
    }
}

Test(calendar, nothing_forbids_where_nothing_is_said)
{
    struct calendar nothing = {0};
    expect_look(&nothing, 0, "2026-11-22T12:00:00Z", true, NULL);
}

Test(calendar, a_window_of_working_days)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Mon-Thu 09:00-16:00 Europe/Amsterdam", NULL};
    struct calendar calendar = calendar_of(&arena, zone_of(&arena, AMSTERDAM), windows);
    // 26 November 2026 is a Thursday
    expect_look(&calendar, 0, "2026-11-26T07:59:59Z", false, "2026-11-26T08:00:00Z");
    expect_look(&calendar, 0, "2026-11-26T08:00:00Z", true, "2026-11-26T15:00:00Z");
    expect_look(&calendar, 0, "2026-11-26T14:59:59Z", true, "2026-11-26T15:00:00Z");
    expect_look(&calendar, 0, "2026-11-26T15:00:00Z", false, "2026-11-30T08:00:00Z");
    expect_look(&calendar, 0, "2026-11-29T12:00:00Z", false, "2026-11-30T08:00:00Z");
    // over the change of the clocks: 09:00 is 07:00Z before it and 08:00Z after it
    expect_look(&calendar, 0, "2026-10-22T20:00:00Z", false, "2026-10-26T08:00:00Z");
    expect_look(&calendar, 0, "2027-03-25T20:00:00Z", false, "2027-03-29T07:00:00Z");
    arena_done(&arena);
}

Test(calendar, a_window_over_midnight_belongs_to_the_day_on_which_it_opens)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Fri 22:00-02:00 Europe/Amsterdam", NULL};
    struct calendar calendar = calendar_of(&arena, zone_of(&arena, AMSTERDAM), windows);
    expect_look(&calendar, 0, "2026-11-27T20:59:59Z", false, "2026-11-27T21:00:00Z");
    expect_look(&calendar, 0, "2026-11-27T22:59:59Z", true, "2026-11-28T01:00:00Z");
    expect_look(&calendar, 0, "2026-11-27T23:00:00Z", true, "2026-11-28T01:00:00Z");
    expect_look(&calendar, 0, "2026-11-28T01:00:00Z", false, "2026-12-04T21:00:00Z");
    expect_look(&calendar, 0, "2026-11-26T23:30:00Z", false,
                "2026-11-27T21:00:00Z"); // Friday 00:30
    arena_done(&arena);
}

Test(calendar, windows_that_touch_or_overlap_are_one)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Mon-Thu 09:00-12:00", "Mon-Thu 12:00-16:00",
                                          "Thu 15:00-18:00", NULL};
    struct calendar calendar = calendar_of(&arena, NULL, windows);
    expect_look(&calendar, 0, "2026-11-25T10:00:00Z", true, "2026-11-25T16:00:00Z");
    expect_look(&calendar, 0, "2026-11-26T10:00:00Z", true, "2026-11-26T18:00:00Z");
    static const char *const always[] = {"00:00-24:00", NULL};
    calendar = calendar_of(&arena, NULL, always);
    expect_look(&calendar, 0, "2026-11-26T23:59:59Z", true, NULL);
    arena_done(&arena);
}

Test(calendar, hours_that_do_not_exist_and_hours_that_exist_twice)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Sun 02:15-02:45 Europe/Amsterdam", NULL};
    struct calendar calendar = calendar_of(&arena, zone_of(&arena, AMSTERDAM), windows);
    // forward, on 28 March 2027: there is no such half hour that Sunday
    expect_look(&calendar, 0, "2027-03-28T00:30:00Z", false, "2027-04-04T00:15:00Z");
    // back, on 25 October 2026: it is there twice, closed in between
    expect_look(&calendar, 0, "2026-10-25T00:00:00Z", false, "2026-10-25T00:15:00Z");
    expect_look(&calendar, 0, "2026-10-25T00:15:00Z", true, "2026-10-25T00:45:00Z");
    expect_look(&calendar, 0, "2026-10-25T00:45:00Z", false, "2026-10-25T01:15:00Z");
    expect_look(&calendar, 0, "2026-10-25T01:15:00Z", true, "2026-10-25T01:45:00Z");
    // a window over the change is an hour shorter or longer
    static const char *const night[] = {"Sun 01:00-04:00 Europe/Amsterdam", NULL};
    calendar = calendar_of(&arena, zone_of(&arena, AMSTERDAM), night);
    expect_look(&calendar, 0, "2027-03-28T00:00:00Z", true, "2027-03-28T02:00:00Z");
    expect_look(&calendar, 0, "2026-10-24T23:00:00Z", true, "2026-10-25T03:00:00Z");
    // half an hour, on Lord Howe: 4 April 2027, 02:00 becomes 01:30
    static const char *const howe[] = {"Sun 01:30-02:00 Australia/Lord_Howe", NULL};
    calendar = calendar_of(&arena, zone_of(&arena, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"), howe);
    expect_look(&calendar, 0, "2027-04-03T14:30:00Z", true, "2027-04-03T15:30:00Z");
    arena_done(&arena);
}

static struct calendar_freeze freeze_of(const char *name, const char *from, const char *to,
                                        uint32_t allow)
{
    return (struct calendar_freeze){.name = str_of(name),
                                    .timezone = STR("UTC"),
                                    .zone = zone_utc(),
                                    .from_ms = at(from),
                                    .to_ms = at(to),
                                    .allow = allow};
}

Test(calendar, freezes_and_what_passes_them)
{
    struct calendar_freeze freezes[] = {
        freeze_of("night", "2027-02-01T18:00:00Z", "2027-02-02T06:00:00Z", 3), // P1, P2
        freeze_of("move", "2027-02-02T05:00:00Z", "2027-02-03T00:00:00Z", 1),  // P1
        freeze_of("over", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z", 0),
        freeze_of("empty", "2027-01-15T00:00:00Z", "2027-01-15T00:00:00Z", 0),
    };
    struct calendar calendar = {.freezes = freezes, .freeze_count = 4};
    expect_look(&calendar, 0, "2027-01-01T00:00:00Z", true, "2027-02-01T18:00:00Z");
    expect_look(&calendar, 0, "2027-02-01T18:00:00Z", false, "2027-02-03T00:00:00Z");
    expect_look(&calendar, 0, "2027-02-03T00:00:00Z", true, NULL);
    expect_look(&calendar, 2, "2027-02-01T18:00:00Z", true, "2027-02-02T05:00:00Z");
    expect_look(&calendar, 2, "2027-02-02T05:00:00Z", false, "2027-02-03T00:00:00Z");
    expect_look(&calendar, 1, "2027-02-02T05:30:00Z", true, NULL);
    expect_look(&calendar, 3, "2027-02-01T18:00:00Z", false, "2027-02-03T00:00:00Z");
}

Test(calendar, a_freeze_inside_of_windows)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Mon-Thu 09:00-16:00", NULL};
    struct calendar calendar = calendar_of(&arena, NULL, windows);
    struct calendar_freeze freezes[] = {
        freeze_of("exams", "2026-11-25T12:00:00Z", "2026-11-26T17:00:00Z", 1)};
    calendar.freezes = freezes;
    calendar.freeze_count = 1;
    expect_look(&calendar, 0, "2026-11-25T10:00:00Z", true, "2026-11-25T12:00:00Z");
    // its end is outside of the window: Monday comes first
    expect_look(&calendar, 0, "2026-11-25T13:00:00Z", false, "2026-11-30T09:00:00Z");
    // the window that opens is frozen
    expect_look(&calendar, 0, "2026-11-25T17:00:00Z", false, "2026-11-30T09:00:00Z");
    expect_look(&calendar, 1, "2026-11-25T23:00:00Z", true, NULL);
    expect_look(&calendar, 2, "2026-11-25T23:00:00Z", false, "2026-11-26T17:00:00Z");
    arena_done(&arena);
}

Test(calendar, a_zone_that_is_not_known_here_is_never_open)
{
    struct arena arena = {0};
    static const char *const windows[] = {"Mon-Thu 09:00-16:00 Europe/Amsterdam", NULL};
    struct calendar calendar = calendar_of(&arena, NULL, windows);
    struct calendar_answer answer;
    struct text words = text_of(1000);
    expect_look(&calendar, 0, "2026-11-25T10:00:00Z", false, NULL);
    calendar_look(&calendar, 0, at("2026-11-25T10:00:00Z"), &answer);
    calendar_words(&calendar, &answer, &words);
    expect_str(text_str(&words),
               "outside of the window `Mon-Thu 09:00-16:00 Europe/Amsterdam` (time zone "
               "Europe/Amsterdam cannot be looked up here), with no end in sight");
    text_done(&words);
    arena_done(&arena);
}

Test(calendar, words_name_the_freeze_and_its_end_in_its_zone_and_in_utc)
{
    struct arena arena = {0};
    struct calendar_freeze freezes[] = {
        freeze_of("enrolment night", "2027-02-01T17:00:00Z", "2027-02-02T05:00:00Z", 0)};
    freezes[0].zone = zone_of(&arena, AMSTERDAM);
    freezes[0].timezone = STR("Europe/Amsterdam");
    static const char *const windows[] = {"Mon-Thu 09:00-16:00 Europe/Amsterdam",
                                          "Fri 09:00-12:00 Europe/Amsterdam", NULL};
    struct calendar calendar = calendar_of(&arena, freezes[0].zone, windows);
    struct calendar_answer answer;
    struct text words = text_of(1000);
    calendar.freezes = freezes;
    calendar.freeze_count = 1;
    calendar_look(&calendar, 1, at("2027-02-01T18:00:00Z"), &answer);
    calendar_words(&calendar, &answer, &words);
    expect_str(text_str(&words), "freeze `enrolment night`, until Tue 2027-02-02 06:00 "
                                 "Europe/Amsterdam (05:00 UTC)");
    text_clear(&words);
    calendar.freeze_count = 0;
    calendar_look(&calendar, 0, at("2027-02-01T23:30:00Z"), &answer);
    calendar_words(&calendar, &answer, &words);
    expect_str(text_str(&words),
               "outside of the windows `Mon-Thu 09:00-16:00 Europe/Amsterdam`, `Fri 09:00-12:00 "
               "Europe/Amsterdam`, until Tue 2027-02-02 09:00 Europe/Amsterdam (08:00 UTC)");
    text_clear(&words);
    calendar_moment(freezes[0].zone, STR("Europe/Amsterdam"), at("2027-02-01T23:30:00Z"), &words);
    expect_str(text_str(&words),
               "Tue 2027-02-02 00:30 Europe/Amsterdam (Mon 2027-02-01 23:30 UTC)");
    text_done(&words);
    arena_done(&arena);
}
