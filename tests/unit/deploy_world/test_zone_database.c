// The system's own zones on days on which their clocks change.
#include "../expect.h"
#include "deploy/world/zone_database.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t at(const char *text)
{
    int64_t ms = 0;
    cr_assert(moment_parse(str_of(text), &ms), "%s", text);
    return ms;
}

static const struct zone *must_find(struct arena *arena, const char *name)
{
    const struct zone *zone = NULL;
    struct error err = {0};
    cr_assert(zone_find(arena, str_of(name), &zone, &err), "%s: %s", name, err.message);
    return zone;
}

Test(zone_database, wall_times_and_their_moments)
{
    static const struct {
        const char *zone, *local, *first, *last;
    } rows[] = {
        {"Europe/Amsterdam", "2026-10-25T02:59:59Z", "2026-10-25T00:59:59Z",
         "2026-10-25T01:59:59Z"},
        {"Europe/Amsterdam", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z",
         "2026-10-25T02:00:00Z"},
        {"Europe/Amsterdam", "2027-03-28T01:59:59Z", "2027-03-28T00:59:59Z",
         "2027-03-28T00:59:59Z"},
        {"Europe/Amsterdam", "2027-03-28T02:00:00Z", "2027-03-28T01:00:00Z",
         "2027-03-28T01:00:00Z"},
        {"Europe/Amsterdam", "2027-03-28T02:59:59Z", "2027-03-28T01:00:00Z",
         "2027-03-28T01:00:00Z"},
        {"Europe/Amsterdam", "2027-03-28T03:00:00Z", "2027-03-28T01:00:00Z",
         "2027-03-28T01:00:00Z"},
        {"Europe/Amsterdam", "2060-07-01T12:00:00Z", "2060-07-01T10:00:00Z",
         "2060-07-01T10:00:00Z"}, // past every table
        {"America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z",
         "2026-11-01T06:30:00Z"},
        {"America/New_York", "2027-03-14T02:30:00Z", "2027-03-14T07:00:00Z",
         "2027-03-14T07:00:00Z"},
        {"Asia/Kolkata", "2027-03-28T02:30:00Z", "2027-03-27T21:00:00Z", "2027-03-27T21:00:00Z"},
        {"Australia/Lord_Howe", "2027-04-04T01:45:00Z", "2027-04-03T14:45:00Z",
         "2027-04-03T15:15:00Z"}, // half an hour, twice
        {"Australia/Lord_Howe", "2026-10-04T02:15:00Z", "2026-10-03T15:30:00Z",
         "2026-10-03T15:30:00Z"}, // half an hour, never
        {"Pacific/Apia", "2011-12-29T23:59:59Z", "2011-12-30T09:59:59Z", "2011-12-30T09:59:59Z"},
        {"Pacific/Apia", "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
        {"Pacific/Apia", "2011-12-30T15:00:00Z", "2011-12-30T10:00:00Z",
         "2011-12-30T10:00:00Z"}, // a day that was not
        {"Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
        {"UTC", "2027-03-28T02:30:00Z", "2027-03-28T02:30:00Z", "2027-03-28T02:30:00Z"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct zone *zone = must_find(&arena, rows[i].zone);
        char have[MOMENT_TEXT], want[MOMENT_TEXT];
        int64_t local = at(rows[i].local);
        cr_expect_str_eq(moment_format(zone_moment(zone, local, ZONE_FIRST), have),
                         moment_format(at(rows[i].first), want), "%s %s, first", rows[i].zone,
                         rows[i].local);
        cr_expect_str_eq(moment_format(zone_moment(zone, local, ZONE_LAST), have),
                         moment_format(at(rows[i].last), want), "%s %s, last", rows[i].zone,
                         rows[i].local);
    }
    arena_done(&arena);
}

static void must_fail(const char *name, enum error_kind kind, const char *words)
{
    struct arena arena = {0};
    const struct zone *zone = NULL;
    struct error err = {0};
    cr_expect_not(zone_find(&arena, str_of(name), &zone, &err), "%s", name);
    cr_expect_eq(err.kind, kind, "%s: %s", name, err.message);
    expect_contains(str_of(err.message), words);
    cr_expect_null(zone);
    arena_done(&arena);
}

Test(zone_database, names_that_are_none)
{
    must_fail("Europe/Amsterdm", ERROR_INPUT, "did you mean `Europe/Amsterdam`?");
    must_fail("Mars/Olympus", ERROR_INPUT, "is no time zone of the database in");
    must_fail("../../etc/passwd", ERROR_INPUT, "write one such as `Europe/Amsterdam`");
    must_fail("/etc/passwd", ERROR_INPUT, "write one such as `Europe/Amsterdam`");
    must_fail("Europe//Amsterdam", ERROR_INPUT, "write one such as");
    must_fail("", ERROR_INPUT, "write one such as");
    must_fail("Europe", ERROR_INPUT, "time zone `Europe`");      // a folder
    must_fail("zone1970.tab", ERROR_INPUT, "write one such as"); // a file that is no zone
}

Test(zone_database, another_database_and_none)
{
    char folder[] = "/tmp/sluice-zones-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(setenv("TZDIR", folder, 1), 0);
    must_fail("Europe/Amsterdam", ERROR_INPUT, "no time zone of the database in /tmp/sluice-zones");
    char path[128];
    (void)snprintf(path, sizeof path, "%s/Broken", folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs("TZif", file);
    (void)fclose(file);
    must_fail("Broken", ERROR_INPUT, "time zone `Broken`: it is no time-zone file");
    (void)unlink(path);
    (void)rmdir(folder);
    must_fail("Europe/Amsterdam", ERROR_ABSENT, "there is no time-zone database in");
    struct arena arena = {0};
    cr_expect_eq(must_find(&arena, "UTC"), zone_utc(), "needs no database");
    arena_done(&arena);
}
