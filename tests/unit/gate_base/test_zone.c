// Zones made of bytes: what a file may hold, and what the clocks show by its rules. Real zones are
// tested with the database that they come from.
#include "../expect.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"
#include "gate/base/zone.h"

struct made { // a file of version 2: a table of changes and a footer
    struct arena arena;
    struct text bytes;
    const struct zone *zone;
    struct error err;
    bool ok;
};

static void add_number(struct text *out, int64_t value, size_t size)
{
    for (size_t i = size; i-- > 0;)
        text_addc(out, (char)((uint64_t)value >> (8 * i) & 0xFF));
}

static void add_header(struct text *out, char version, const int64_t counts[6])
{
    text_adds(out, "TZif");
    text_addc(out, version);
    for (int i = 0; i < 15; i++)
        text_addc(out, '\0');
    for (int i = 0; i < 6; i++)
        add_number(out, counts[i], 4);
}

#define HOUR_S 3600

// Types: 0 is standard (UTC+1), 1 summer (UTC+2).
static void make(struct made *made, const int64_t *times, size_t count, const char *footer)
{
    static const int64_t none[6] = {0, 0, 0, 0, 1, 1};
    const int64_t counts[6] = {0, 0, 0, (int64_t)count, 2, 4};
    *made = (struct made){.bytes = text_of(1 << 16)};
    add_header(&made->bytes, '2', none);
    add_number(&made->bytes, 0, 6); // its one type
    text_addc(&made->bytes, '\0');
    add_header(&made->bytes, '2', counts);
    for (size_t i = 0; i < count; i++)
        add_number(&made->bytes, times[i], 8);
    for (size_t i = 0; i < count; i++)
        text_addc(&made->bytes, (char)((i + 1) % 2));
    for (int64_t offset = 1; offset <= 2; offset++) {
        add_number(&made->bytes, offset * HOUR_S, 4);
        add_number(&made->bytes, 0, 2);
    }
    text_add(&made->bytes, str_make("CET", 4));
    text_addf(&made->bytes, "\n%s\n", footer);
}

static void parse(struct made *made)
{
    made->ok = zone_parse(&made->arena, text_str(&made->bytes), &made->zone, &made->err);
}

static void done(struct made *made)
{
    text_done(&made->bytes);
    arena_done(&made->arena);
}

static int64_t at(const char *text)
{
    int64_t ms = 0;
    cr_assert(moment_parse(str_of(text), &ms), "%s", text);
    return ms;
}

static void expect_offset(const struct zone *zone, const char *moment, int64_t minutes)
{
    struct zone_reading reading;
    zone_at(zone, at(moment), &reading);
    cr_expect_eq(reading.offset_ms, minutes * MS_MINUTE, "%s: %lld minutes, not %lld", moment,
                 (long long)(reading.offset_ms / MS_MINUTE), (long long)minutes);
    cr_expect_gt(reading.next_ms, at(moment));
}

Test(zone, utc_needs_no_file)
{
    struct zone_reading reading;
    char text[ZONE_TEXT];
    zone_at(zone_utc(), 0, &reading);
    cr_expect_eq(reading.offset_ms, 0);
    cr_expect_eq(reading.next_ms, ZONE_NEVER);
    cr_expect_eq(zone_moment(zone_utc(), 12345, ZONE_FIRST), 12345);
    cr_expect_str_eq(zone_format(zone_utc(), at("2027-02-01T18:00:00Z"), text),
                     "Mon 2027-02-01 18:00");
    cr_expect_str_eq(zone_format(zone_utc(), at("1969-12-31T23:59:30Z"), text),
                     "Wed 1969-12-31 23:59:30");
}

Test(zone, a_table_holds_until_its_end_and_the_footer_from_there_on)
{
    // 2020-03-29T01:00Z, 2020-10-25T01:00Z
    static const int64_t times[] = {1585443600, 1603587600};
    struct made made;
    make(&made, times, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
    parse(&made);
    cr_assert(made.ok, "%s", made.err.message);
    expect_offset(made.zone, "1980-07-01T00:00:00Z", 60); // before the table: its first type
    expect_offset(made.zone, "2020-03-29T00:59:59Z", 60);
    expect_offset(made.zone, "2020-03-29T01:00:00Z", 120);
    expect_offset(made.zone, "2020-10-25T00:59:59Z", 120);
    expect_offset(made.zone, "2020-10-25T01:00:00Z", 60);
    expect_offset(made.zone, "2026-10-25T00:59:59Z", 120);
    expect_offset(made.zone, "2026-10-25T01:00:00Z", 60);
    expect_offset(made.zone, "2027-03-28T00:59:59Z", 60);
    expect_offset(made.zone, "2027-03-28T01:00:00Z", 120);
    expect_offset(made.zone, "2096-02-29T00:00:00Z", 60);
    done(&made);
}

Test(zone, a_file_without_a_footer_ends_with_its_last_change)
{
    static const int64_t times[] = {1585443600};
    struct zone_reading reading;
    struct made made;
    make(&made, times, 1, "");
    parse(&made);
    cr_assert(made.ok, "%s", made.err.message);
    zone_at(made.zone, at("2090-01-01T00:00:00Z"), &reading);
    cr_expect_eq(reading.offset_ms, 2 * MS_HOUR);
    cr_expect_eq(reading.next_ms, ZONE_NEVER);
    done(&made);
}

Test(zone, rules_of_every_kind)
{
    static const struct {
        const char *footer, *moment;
        int64_t minutes;
    } rows[] = {
        {"UTC0", "2027-07-01T00:00:00Z", 0},
        {"<+0530>-5:30", "2027-07-01T00:00:00Z", 330},
        {"<-0330>3:30", "2027-07-01T00:00:00Z", -210},
        {"EST5EDT,M3.2.0,M11.1.0", "2027-03-14T06:59:59Z", -300},
        {"EST5EDT,M3.2.0,M11.1.0", "2027-03-14T07:00:00Z", -240},
        {"EST5EDT,M3.2.0,M11.1.0", "2027-11-07T05:59:59Z", -240},
        {"EST5EDT,M3.2.0,M11.1.0", "2027-11-07T06:00:00Z", -300},
        // half an hour, and the year that begins in summer
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2027-01-01T00:00:00Z", 660},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2027-04-03T14:59:59Z", 660},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2027-04-03T15:00:00Z", 630},
        // winter time is the exception
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2027-01-15T00:00:00Z", 0},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2027-07-15T00:00:00Z", 60},
        // at a time of the day before, and of the day after
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2027-03-28T00:59:59Z", -120},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2027-03-28T01:00:00Z", -60},
        {"AAA0BBB,M4.4.4/50,M10.4.4/50", "2027-04-24T01:59:59Z", 0},
        {"AAA0BBB,M4.4.4/50,M10.4.4/50", "2027-04-24T02:00:00Z", 60},
        // days of the year: 60 is 1 March with J, in a leap year too
        {"AAA0BBB,J60/0,J300", "2028-02-29T23:59:59Z", 0},
        {"AAA0BBB,J60/0,J300", "2028-03-01T00:00:00Z", 60},
        {"AAA0BBB,59/0,300", "2028-02-28T23:59:59Z", 0},
        {"AAA0BBB,59/0,300", "2028-02-29T00:00:00Z", 60},
        // never anything but summer time
        {"XXX3EDT4,0/0,J365/23", "2027-12-31T23:00:00Z", -240},
        {"XXX3EDT4,0/0,J365/23", "2028-01-01T03:00:00Z", -240},
        {"XXX3EDT4,0/0,J365/23", "2027-07-01T00:00:00Z", -240},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        make(&made, NULL, 0, rows[i].footer);
        parse(&made);
        cr_assert(made.ok, "%s: %s", rows[i].footer, made.err.message);
        struct zone_reading reading;
        zone_at(made.zone, at(rows[i].moment), &reading);
        cr_expect_eq(reading.offset_ms, rows[i].minutes * MS_MINUTE, "%s at %s: %lld minutes",
                     rows[i].footer, rows[i].moment, (long long)(reading.offset_ms / MS_MINUTE));
        done(&made);
    }
}

Test(zone, what_is_no_rule_is_refused)
{
    static const char *const rows[] = {
        "CE-1",         "CET",
        "CET-25",       "CET-1CEST",
        "CET-1CEST,M3", "CET-1CEST,M3.5.0",
        "<CET-1",       "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1:60",     "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1 ",       "CET-1CEST,M3.5.7,M10.5.0",
        "<>-1",         "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1:",       "CET-1CEST,J0,J300",
        "CET-1CEST-",   "CET-1CEST,366,1",
        "-1",           "CET-1CEST,M3.5.0,M10.5.0,",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        make(&made, NULL, 0, rows[i]);
        parse(&made);
        cr_expect_not(made.ok, "%s", rows[i]);
        done(&made);
    }
}

Test(zone, a_file_cut_anywhere_is_refused)
{
    static const int64_t times[] = {1585443600, 1603587600};
    struct made made;
    make(&made, times, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
    str whole = text_str(&made.bytes);
    for (size_t len = 0; len < whole.len; len++) {
        char *exact = memory_alloc(len + 1); // a reader that goes too far is seen
        memcpy(exact, whole.data, len);
        exact = memory_grow(exact, len ? len : 1);
        struct arena arena = {0};
        const struct zone *zone = NULL;
        struct error err = {0};
        cr_expect_not(zone_parse(&arena, str_make(exact, len), &zone, &err), "%zu bytes", len);
        cr_expect_null(zone);
        expect_error(&err, ERROR_INPUT, "it is no time-zone file (TZif), or a damaged one");
        arena_done(&arena);
        memory_free(exact);
    }
    done(&made);
}

Test(zone, damage_in_the_table_is_refused)
{
    static const int64_t falling[] = {1603587600, 1585443600};
    struct made made;
    make(&made, falling, 2, "CET-1");
    parse(&made);
    cr_expect_not(made.ok, "times that fall");
    done(&made);

    static const int64_t rising[] = {1585443600, 1603587600};
    make(&made, rising, 2, "CET-1");
    size_t kinds = 44 + 7 + 44 + 16;
    made.bytes.data[kinds] = 2;
    parse(&made);
    cr_expect_not(made.ok, "a kind that there is not");
    done(&made);

    make(&made, rising, 2, "CET-1");
    made.bytes.data[kinds + 2] = 0x70; // an offset of 60 years
    parse(&made);
    cr_expect_not(made.ok, "an offset that cannot be");
    done(&made);

    make(&made, rising, 2, "CET-1");
    made.bytes.data[44 + 7 + 20 + 11] = 1; // of the second block: one leap second
    parse(&made);
    cr_expect_not(made.ok);
    expect_contains(str_of(made.err.message), "leap seconds");
    done(&made);
}

Test(zone, a_wall_time_in_a_gap_or_a_fold)
{
    struct made made;
    make(&made, NULL, 0, "CET-1CEST,M3.5.0,M10.5.0/3");
    parse(&made);
    cr_assert(made.ok);
    // 02:30 on 28 March 2027 is jumped over at 01:00Z, by both readings
    int64_t gap = at("2027-03-28T02:30:00Z");
    cr_expect_eq(zone_moment(made.zone, gap, ZONE_FIRST), at("2027-03-28T01:00:00Z"));
    cr_expect_eq(zone_moment(made.zone, gap, ZONE_LAST), at("2027-03-28T01:00:00Z"));
    cr_expect_eq(zone_moment(made.zone, gap - 31 * MS_MINUTE, ZONE_FIRST),
                 at("2027-03-28T00:59:00Z"));
    cr_expect_eq(zone_moment(made.zone, gap + 30 * MS_MINUTE, ZONE_FIRST),
                 at("2027-03-28T01:00:00Z"));
    // 02:30 on 25 October 2026 is there twice
    int64_t fold = at("2026-10-25T02:30:00Z");
    cr_expect_eq(zone_moment(made.zone, fold, ZONE_FIRST), at("2026-10-25T00:30:00Z"));
    cr_expect_eq(zone_moment(made.zone, fold, ZONE_LAST), at("2026-10-25T01:30:00Z"));
    cr_expect_eq(zone_moment(made.zone, fold - 31 * MS_MINUTE, ZONE_LAST),
                 at("2026-10-24T23:59:00Z"));
    cr_expect_eq(zone_moment(made.zone, fold + 30 * MS_MINUTE, ZONE_FIRST),
                 at("2026-10-25T02:00:00Z"));
    done(&made);
}

Test(zone, every_moment_of_a_year_is_found_again)
{
    struct made made;
    make(&made, NULL, 0, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    parse(&made);
    cr_assert(made.ok);
    int64_t begin = at("2027-01-01T00:00:00Z");
    for (int64_t ms = begin; ms < begin + 365 * MS_DAY; ms += 7 * MS_MINUTE) {
        int64_t local = zone_local(made.zone, ms);
        int64_t first = zone_moment(made.zone, local, ZONE_FIRST);
        int64_t last = zone_moment(made.zone, local, ZONE_LAST);
        cr_assert(first == ms || last == ms, "%lld", (long long)ms);
        cr_assert(last == first || last == first + 30 * MS_MINUTE);
    }
    done(&made);
}
