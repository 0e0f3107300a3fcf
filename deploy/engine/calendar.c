#include "deploy/engine/calendar.h"

#include "gate/base/moment.h"
#include "gate/base/number.h"

#define DAY_S (24 * 3600)
#define EVERY_DAY 127u
#define HORIZON_MS (366 * MS_DAY)
#define SEVERITIES 4u

// ---- reading a window ---------------------------------------------------------------------------

static bool day_of(str name, unsigned *ret)
{
    for (unsigned i = 0; i < 7; i++)
        if (name.len == 3 && str_cmp_any_case(name, str_of(zone_weekdays[i])) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

// "Mon-Thu,Sat": a range may go over Sunday.
static bool parse_days(str days, uint32_t *ret)
{
    uint32_t found = 0;
    while (days.len) {
        str range = str_cut(&days, ',');
        bool is_range = str_find(range, '-') != STR_NONE;
        str name = str_cut(&range, '-');
        unsigned first, last;
        if (!day_of(name, &first))
            return false;
        last = first;
        if (is_range && !day_of(range, &last))
            return false;
        for (unsigned day = first;; day = (day + 1) % 7) {
            found |= 1u << day;
            if (day == last)
                break;
        }
    }
    *ret = found;
    return found != 0;
}

static bool parse_clock(str clock, int32_t *ret_s)
{
    uint32_t hours, minutes;
    if (clock.len != 5 || clock.data[2] != ':' || !number_u32(str_first(clock, 2), &hours) ||
        !number_u32(str_from(clock, 3), &minutes) || hours > 24 || minutes > 59 ||
        (hours == 24 && minutes > 0))
        return false;
    *ret_s = (int32_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool parse_hours(str hours, struct calendar_window *ret)
{
    str begin = str_cut(&hours, '-');
    return parse_clock(begin, &ret->begin_s) && parse_clock(hours, &ret->end_s);
}

static str next_word(str *rest)
{
    *rest = str_trim(*rest);
    size_t end = str_find(*rest, ' ');
    str word = end == STR_NONE ? *rest : str_first(*rest, end);
    *rest = str_trim(str_from(*rest, word.len));
    return word;
}

bool calendar_window_parse(str text, struct calendar_window *ret, struct error *err)
{
    struct calendar_window window = {.text = text, .timezone = STR("UTC"), .days = EVERY_DAY};
    str rest = text, word = next_word(&rest);
    bool has_days = word.len && (word.data[0] < '0' || word.data[0] > '9');
    if (has_days && !parse_days(word, &window.days))
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` names no days: write `Mon`, `Mon-Thu` or `Mon,Wed-Fri`",
                         STR_ARG(str_first(word, 80)));
    if (has_days)
        word = next_word(&rest);
    if (!parse_hours(word, &window))
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is no window: write days, hours and a time zone, such as "
                         "`Mon-Thu 09:00-16:00 Europe/Amsterdam`",
                         STR_ARG(str_first(text, 80)));
    if (window.begin_s == window.end_s || window.begin_s == DAY_S)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is a window of no time: all of a day is `00:00-24:00`",
                         STR_ARG(str_first(text, 80)));
    if (window.end_s < window.begin_s)
        window.end_s += DAY_S;
    if (rest.len)
        window.timezone = next_word(&rest);
    if (rest.len)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` has more than days, hours and one time zone",
                         STR_ARG(str_first(text, 80)));
    if (str_is(window.timezone, "UTC"))
        window.zone = zone_utc();
    *ret = window;
    return true;
}

// ---- windows ------------------------------------------------------------------------------------

// Open at the moment? *ret_next_ms: until when that is known not to change.
static bool is_open(const struct calendar_window *window, int64_t moment_ms, int64_t *ret_next_ms)
{
    struct zone_reading reading;
    if (!window->zone) {
        *ret_next_ms = ZONE_NEVER;
        return false;
    }
    zone_at(window->zone, moment_ms, &reading);
    int64_t local_ms = moment_ms + reading.offset_ms;
    int64_t days = local_ms / MS_DAY - (local_ms % MS_DAY < 0);
    int64_t since_ms = local_ms - days * MS_DAY; // midnight
    unsigned today = (unsigned)zone_weekday(local_ms), yesterday = (today + 6) % 7;
    int64_t begin_ms = window->begin_s * MS_SECOND, end_ms = window->end_s * MS_SECOND;
    bool open = (window->days >> today & 1) && since_ms >= begin_ms && since_ms < end_ms;
    open |= (window->days >> yesterday & 1) && since_ms < end_ms - MS_DAY;
    int64_t next_ms = MS_DAY; // after midnight
    const int64_t edges[] = {begin_ms, end_ms, end_ms - MS_DAY};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        if (edges[i] > since_ms && edges[i] < next_ms)
            next_ms = edges[i];
    next_ms = moment_ms + next_ms - since_ms;
    *ret_next_ms = next_ms < reading.next_ms ? next_ms : reading.next_ms;
    return open;
}

static bool any_open(const struct calendar *calendar, int64_t moment_ms, int64_t *ret_next_ms)
{
    bool open = calendar->window_count == 0;
    *ret_next_ms = ZONE_NEVER;
    for (uint32_t i = 0; i < calendar->window_count; i++) {
        int64_t next_ms;
        open |= is_open(&calendar->windows[i], moment_ms, &next_ms);
        if (next_ms < *ret_next_ms)
            *ret_next_ms = next_ms;
    }
    return open;
}

// From a moment on: when the windows are first open, or closed.
static int64_t next_time(const struct calendar *calendar, int64_t from_ms, bool open)
{
    int64_t next_ms = from_ms, moment_ms;
    do {
        moment_ms = next_ms;
        if (any_open(calendar, moment_ms, &next_ms) == open)
            return moment_ms;
    } while (next_ms < from_ms + HORIZON_MS);
    return ZONE_NEVER;
}

// ---- freezes ------------------------------------------------------------------------------------

static bool forbids(const struct calendar_freeze *freeze, unsigned severity)
{
    return severity == 0 || !(freeze->allow >> (severity - 1) & 1);
}

// The freeze that holds then; of several the one that ends last.
static const struct calendar_freeze *freeze_at(const struct calendar *calendar, unsigned severity,
                                               int64_t moment_ms)
{
    const struct calendar_freeze *found = NULL;
    for (uint32_t i = 0; i < calendar->freeze_count; i++) {
        const struct calendar_freeze *freeze = &calendar->freezes[i];
        if (forbids(freeze, severity) && moment_ms >= freeze->from_ms &&
            moment_ms < freeze->to_ms && (!found || freeze->to_ms > found->to_ms))
            found = freeze;
    }
    return found;
}

static int64_t next_freeze(const struct calendar *calendar, unsigned severity, int64_t after_ms)
{
    int64_t next_ms = ZONE_NEVER;
    for (uint32_t i = 0; i < calendar->freeze_count; i++) {
        const struct calendar_freeze *freeze = &calendar->freezes[i];
        if (forbids(freeze, severity) && freeze->from_ms > after_ms && freeze->from_ms < next_ms &&
            freeze->to_ms > freeze->from_ms)
            next_ms = freeze->from_ms;
    }
    return next_ms;
}

// ---- both ---------------------------------------------------------------------------------------

// From a moment on: when neither a freeze nor a closed window forbids it.
static int64_t next_allowed(const struct calendar *calendar, unsigned severity, int64_t from_ms)
{
    int64_t moment_ms = from_ms;
    for (uint32_t i = 0; i <= calendar->freeze_count && moment_ms != ZONE_NEVER; i++) {
        if (severity == 0)
            moment_ms = next_time(calendar, moment_ms, true);
        const struct calendar_freeze *freeze =
            moment_ms == ZONE_NEVER ? NULL : freeze_at(calendar, severity, moment_ms);
        if (!freeze)
            return moment_ms;
        moment_ms = freeze->to_ms; // each freeze is met once at most
    }
    if (severity == 0 && moment_ms != ZONE_NEVER)
        moment_ms = next_time(calendar, moment_ms, true);
    return moment_ms;
}

void calendar_look(const struct calendar *calendar, unsigned severity, int64_t now_ms,
                   struct calendar_answer *ret)
{
    int64_t ignored;
    const struct calendar_freeze *freeze = freeze_at(calendar, severity, now_ms);
    bool open = severity > 0 || any_open(calendar, now_ms, &ignored);
    *ret = (struct calendar_answer){.allowed = !freeze && open, .freeze = freeze};
    if (!ret->allowed) {
        ret->until_ms = next_allowed(calendar, severity, now_ms);
        return;
    }
    ret->until_ms = next_freeze(calendar, severity, now_ms);
    int64_t closed_ms = severity > 0 ? ZONE_NEVER : next_time(calendar, now_ms, false);
    if (closed_ms < ret->until_ms)
        ret->until_ms = closed_ms;
}

// ---- words --------------------------------------------------------------------------------------

void calendar_moment(const struct zone *zone, str name, int64_t moment_ms, struct text *out)
{
    char local[ZONE_TEXT], utc[ZONE_TEXT];
    zone_format(zone_utc(), moment_ms, utc);
    if (!zone || str_is(name, "UTC")) {
        text_addf(out, "%s UTC", utc);
        return;
    }
    zone_format(zone, moment_ms, local);
    bool same_day = strncmp(local, utc, strlen("Mon 2027-02-01")) == 0;
    text_addf(out, "%s " STR_FMT " (%s UTC)", local, STR_ARG(name),
              same_day ? utc + strlen("Mon 2027-02-01 ") : utc);
}

void calendar_words(const struct calendar *calendar, const struct calendar_answer *answer,
                    struct text *out)
{
    const struct zone *zone = NULL;
    str name = STR("UTC");
    if (answer->freeze) {
        zone = answer->freeze->zone;
        name = answer->freeze->timezone;
        text_addf(out, "freeze `" STR_FMT "`", STR_ARG(answer->freeze->name));
    } else {
        text_addf(out, "outside of the window%s", calendar->window_count == 1 ? "" : "s");
        for (uint32_t i = 0; i < calendar->window_count; i++) {
            const struct calendar_window *window = &calendar->windows[i];
            text_addf(out, "%s`" STR_FMT "`", i ? ", " : " ", STR_ARG(window->text));
            if (!window->zone)
                text_addf(out, " (time zone " STR_FMT " cannot be looked up here)",
                          STR_ARG(window->timezone));
            else if (!zone) {
                zone = window->zone;
                name = window->timezone;
            }
        }
    }
    if (answer->until_ms == ZONE_NEVER) {
        text_adds(out, ", with no end in sight");
        return;
    }
    text_adds(out, ", until ");
    calendar_moment(zone, name, answer->until_ms, out);
}

unsigned calendar_severity(str name)
{
    bool known = name.len == 2 && name.data[0] == 'P' && name.data[1] >= '1' &&
                 (unsigned)(name.data[1] - '0') <= SEVERITIES;
    return known ? (unsigned)(name.data[1] - '0') : 0;
}
