#include "deploy/run/settings_calendar.h"

#include "deploy/engine/engine.h"
#include "deploy/run/settings_parts.h"
#include "deploy/world/zone_database.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

struct freeze_settings {
    str name, from, to, timezone;
    struct shape_list allow; // of str
    struct position at;
};

struct calendar_section {
    struct shape_list seasons, freezes, windows;
    struct emergency_settings emergency;
};

// ---- fields -------------------------------------------------------------------------------------

#define PERIOD_FIELDS(type)                                                                        \
    {.key = "name",                                                                                \
     .kind = SHAPE_STR,                                                                            \
     .offset = offsetof(type, name),                                                               \
     .required = true,                                                                             \
     .doc = "What people call it."},                                                               \
        {.key = "from",                                                                            \
         .kind = SHAPE_STR,                                                                        \
         .offset = offsetof(type, from),                                                           \
         .required = true,                                                                         \
         .doc = "First day, `2027-01-10`, or moment, `2027-02-01T18:00`."},                        \
        {.key = "to",                                                                              \
         .kind = SHAPE_STR,                                                                        \
         .offset = offsetof(type, to),                                                             \
         .required = true,                                                                         \
         .doc = "Last day, all of it included, or the moment at which it ends."},                  \
    {                                                                                              \
        .key = "timezone", .kind = SHAPE_STR, .offset = offsetof(type, timezone),                  \
        .fallback = "UTC", .doc = "Zone of both, by its name in the time-zone database."           \
    }

static const struct shape_field season_fields[] = {PERIOD_FIELDS(struct season_settings),
                                                   PACE_FIELDS(struct season_settings, pace.),
                                                   {.kind = SHAPE_END}};

static const struct shape_field freeze_fields[] = {
    PERIOD_FIELDS(struct freeze_settings),
    {.key = "allow",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct freeze_settings, allow),
     .shape = &shape_of_str,
     .min = 1,
     .max = SEVERITY_COUNT,
     .doc = "Severities of incidents whose fix may pass: `P1` to `P4`; none when absent."},
    {.kind = SHAPE_END},
};

static const struct shape_field emergency_fields[] = {
    PACE_FIELDS(struct emergency_settings, pace.),
    {.key = "review_within",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct emergency_settings, review_within_ms),
     .fallback = "5d",
     .doc = "How long after an emergency release its review must be written."},
    {.kind = SHAPE_END},
};

static void check_season(void *value, const struct node *node, struct problems *problems)
{
    const struct season_settings *season = value;
    const struct pace_settings *pace = &season->pace;
    settings_check_name_of("season", node, "name", problems);
    settings_check_steps(&pace->steps, problems);
    if (!pace->steps.count && !pace->has_step_bake && !pace->has_bake && !pace->approvals)
        problem_at(problems, node->at,
                   "season `" STR_FMT "` changes nothing: give it `steps`, `step_bake`, `bake` or "
                   "`approvals`",
                   STR_ARG(season->name));
}

static void check_freeze(void *value, const struct node *node, struct problems *problems)
{
    const struct freeze_settings *freeze = value;
    const str *allow = freeze->allow.items;
    settings_check_name_of("freeze", node, "name", problems);
    for (size_t i = 0; i < freeze->allow.count; i++)
        if (!calendar_severity(allow[i]))
            problem_at(problems, settings_item_at(node_get(node, "allow"), i),
                       "`" STR_FMT "` is no severity: `P1` to `P4`", STR_ARG(allow[i]));
}

static void check_emergency(void *value, const struct node *node, struct problems *problems)
{
    const struct emergency_settings *emergency = value;
    settings_check_steps(&emergency->pace.steps, problems);
    if (emergency->review_within_ms < MS_HOUR)
        problem_at(problems, settings_at(node, "review_within"),
                   "`review_within` must be an hour or more, such as `5d`");
}

const struct shape season_shape = {
    .name = "season",
    .size_bytes = sizeof(struct season_settings),
    .fields = season_fields,
    .position_offset = offsetof(struct season_settings, at) + 1,
    .check = check_season,
    .doc = "A period in which releases go out in other steps, with other bakes and approvals.",
};

const struct shape freeze_shape = {
    .name = "freeze",
    .size_bytes = sizeof(struct freeze_settings),
    .fields = freeze_fields,
    .position_offset = offsetof(struct freeze_settings, at) + 1,
    .check = check_freeze,
    .doc = "A period in which nothing goes forward but the fixes that it allows.",
};

const struct shape emergency_shape = {
    .name = "emergency",
    .size_bytes = sizeof(struct emergency_settings),
    .fields = emergency_fields,
    .check = check_emergency,
    .doc = "How a release goes out that `--emergency` asks for.",
};

static const struct shape_field section_fields[] = {
    {.key = "seasons",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct calendar_section, seasons),
     .shape = &season_shape,
     .max = CALENDAR_SEASONS},
    {.key = "freezes",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct calendar_section, freezes),
     .shape = &freeze_shape,
     .max = CALENDAR_FREEZES},
    {.key = "windows",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct calendar_section, windows),
     .shape = &shape_of_str,
     .max = CALENDAR_WINDOWS},
    {.key = "emergency",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct calendar_section, emergency),
     .shape = &emergency_shape},
    {.kind = SHAPE_END},
};
static const struct shape section_shape = {.name = "configuration",
                                           .size_bytes = sizeof(struct calendar_section),
                                           .fields = section_fields};

// ---- zones --------------------------------------------------------------------------------------

struct zones { // those that were looked up already
    struct arena *arena;
    struct known_zone {
        str name;
        const struct zone *zone;
    } * items;
    size_t count, room;
};

static const struct zone *zone_of(struct zones *zones, str name, struct error *err)
{
    const struct zone *zone = NULL;
    for (size_t i = 0; i < zones->count; i++)
        if (str_eq(zones->items[i].name, name))
            return zones->items[i].zone;
    if (!zone_find(zones->arena, name, &zone, err))
        return NULL;
    zones->items =
        arena_grow(zones->arena, zones->items, zones->count, &zones->room, sizeof *zones->items);
    zones->items[zones->count++] = (struct known_zone){name, zone};
    return zone;
}

void calendar_zones(struct arena *arena, struct calendar *calendar)
{
    struct zones zones = {.arena = arena};
    struct error ignored;
    for (uint32_t i = 0; i < calendar->freeze_count; i++)
        calendar->freezes[i].zone = zone_of(&zones, calendar->freezes[i].timezone, &ignored);
    for (uint32_t i = 0; i < calendar->window_count; i++)
        calendar->windows[i].zone = zone_of(&zones, calendar->windows[i].timezone, &ignored);
}

// ---- periods ------------------------------------------------------------------------------------

struct wall_time {
    int64_t local_ms;
    bool whole_day;
};

static bool two_digits(str s, size_t at, uint32_t most, uint32_t *ret)
{
    return at + 2 <= s.len && number_u32(str_make(s.data + at, 2), ret) && *ret <= most;
}

// "2027-01-10", "2027-02-01T18:00", "2027-02-01 18:00:30"
static bool parse_wall(str s, struct wall_time *ret)
{
    uint32_t hours, minutes, seconds = 0;
    int64_t days;
    if (!date_parse(str_first(s, 10), &days))
        return false;
    *ret = (struct wall_time){.local_ms = days * MS_DAY, .whole_day = s.len == 10};
    if (s.len == 10)
        return true;
    bool long_one = s.len == 19 && s.data[16] == ':';
    if ((s.len != 16 && !long_one) || (s.data[10] != 'T' && s.data[10] != ' ') ||
        s.data[13] != ':' || !two_digits(s, 11, 23, &hours) || !two_digits(s, 14, 59, &minutes) ||
        (long_one && !two_digits(s, 17, 59, &seconds)))
        return false;
    ret->local_ms += hours * MS_HOUR + minutes * MS_MINUTE + seconds * MS_SECOND;
    return true;
}

struct period {
    str from, to, timezone;
    const struct zone *zone;
    int64_t from_ms, to_ms;
};

static bool read_wall(const struct node *node, const char *key, str text, struct problems *problems,
                      struct wall_time *ret)
{
    if (parse_wall(text, ret))
        return true;
    problem_at(problems, settings_at(node, key),
               "`%s` must be a day such as `2027-01-10`, or a time such as `2027-02-01T18:00` in "
               "`timezone`, not `" STR_FMT "`",
               key, STR_ARG(str_first(text, 80)));
    return false;
}

static bool read_period(struct zones *zones, const struct node *node, struct problems *problems,
                        struct period *period)
{
    struct wall_time from, to;
    struct error err;
    bool ok = read_wall(node, "from", period->from, problems, &from);
    ok &= read_wall(node, "to", period->to, problems, &to);
    period->zone = zone_of(zones, period->timezone, &err);
    if (!period->zone)
        problem_at(problems, settings_at(node, "timezone"), "%s", err.message);
    if (!ok || !period->zone)
        return false;
    period->from_ms = zone_moment(period->zone, from.local_ms, ZONE_FIRST);
    period->to_ms = to.whole_day ? zone_moment(period->zone, to.local_ms + MS_DAY, ZONE_FIRST)
                                 : zone_moment(period->zone, to.local_ms, ZONE_LAST);
    if (period->to_ms > period->from_ms)
        return true;
    problem_at(problems, settings_at(node, "to"), "`to` must be after `from`");
    return false;
}

static const struct node *first_of(const struct node *root, const char *key)
{
    const struct node *node = node_get(root, key);
    return node && node->kind == NODE_LIST ? node->first : node;
}

static void bind_seasons(struct zones *zones, const struct node *root, struct shape_list *list,
                         struct calendar_settings *ret, struct problems *problems)
{
    const struct node *node = first_of(root, "seasons");
    ret->seasons = list->items;
    ret->season_count = list->count;
    for (size_t i = 0; i < list->count; i++, node = node->next) {
        struct season_settings *season = &ret->seasons[i];
        struct period period = {
            .from = season->from, .to = season->to, .timezone = season->timezone};
        if (!read_period(zones, node, problems, &period))
            continue;
        season->zone = period.zone;
        season->from_ms = period.from_ms;
        season->to_ms = period.to_ms;
        for (size_t k = 0; k < i; k++)
            if (ret->seasons[k].to_ms > season->from_ms && ret->seasons[k].from_ms < season->to_ms)
                problem_at(problems, season->at,
                           "season `" STR_FMT "` overlaps season `" STR_FMT
                           "`: only one can hold at a time",
                           STR_ARG(season->name), STR_ARG(ret->seasons[k].name));
    }
}

static void bind_freezes(struct zones *zones, const struct node *root,
                         const struct shape_list *list, struct calendar *ret,
                         struct problems *problems)
{
    const struct node *node = first_of(root, "freezes");
    const struct freeze_settings *settings = list->items;
    ret->freezes = ARENA_ARRAY(zones->arena, struct calendar_freeze, list->count);
    for (size_t i = 0; i < list->count; i++, node = node->next) {
        struct period period = {
            .from = settings[i].from, .to = settings[i].to, .timezone = settings[i].timezone};
        if (!read_period(zones, node, problems, &period))
            continue;
        struct calendar_freeze *freeze = &ret->freezes[ret->freeze_count++];
        *freeze = (struct calendar_freeze){.name = settings[i].name,
                                           .timezone = period.timezone,
                                           .zone = period.zone,
                                           .from_ms = period.from_ms,
                                           .to_ms = period.to_ms};
        for (size_t k = 0; k < settings[i].allow.count; k++) {
            unsigned severity = calendar_severity(((const str *)settings[i].allow.items)[k]);
            freeze->allow |= severity ? 1u << (severity - 1) : 0;
        }
    }
}

static void bind_windows(struct zones *zones, const struct node *root,
                         const struct shape_list *list, struct calendar *ret,
                         struct problems *problems)
{
    const struct node *node = node_get(root, "windows");
    ret->windows = ARENA_ARRAY(zones->arena, struct calendar_window, list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct calendar_window *window = &ret->windows[ret->window_count];
        struct error err;
        bool ok = calendar_window_parse(((const str *)list->items)[i], window, &err) &&
                  (window->zone = zone_of(zones, window->timezone, &err)) != NULL;
        if (ok)
            ret->window_count++;
        else
            problem_at(problems, settings_item_at(node, i), "%s", err.message);
    }
}

// ---- rules with stages --------------------------------------------------------------------------

static void check_approvals(const struct pace_settings *pace, struct position at,
                            const struct deploy_settings *settings, struct problems *problems)
{
    for (size_t i = 0; settings && pace->approvals && i < settings->stage_count; i++) {
        const struct stage_settings *stage = &settings->stages[i];
        if (stage->approval && (size_t)pace->approvals > stage->approval->from.count)
            problem_at(problems, at,
                       "`approvals` asks for %lld, but stage `" STR_FMT "` names only %zu who may "
                       "approve",
                       (long long)pace->approvals, STR_ARG(stage->stage),
                       stage->approval->from.count);
    }
}

static void check_with_stages(const struct node *root, const struct deploy_settings *settings,
                              const struct calendar_settings *calendar, struct problems *problems)
{
    const struct node *node = first_of(root, "seasons");
    const struct node *emergency = node_get(root, "emergency");
    for (size_t i = 0; i < calendar->season_count; i++, node = node->next)
        check_approvals(&calendar->seasons[i].pace, settings_at(node, "approvals"), settings,
                        problems);
    if (emergency)
        check_approvals(&calendar->emergency.pace, settings_at(emergency, "approvals"), settings,
                        problems);
}

bool calendar_settings_bind(struct arena *arena, const struct node *root,
                            const struct deploy_settings *settings, struct calendar_settings *ret,
                            struct problems *problems)
{
    static const char *const keys[] = {"seasons", "freezes", "windows", "emergency", NULL};
    size_t before = problems->count + problems->dropped;
    struct zones zones = {.arena = arena};
    struct calendar_section section;
    struct calendar_settings calendar = {0};
    if (shape_bind(arena, &section_shape, settings_part(arena, root, keys, true), &section,
                   problems)) {
        calendar.emergency = section.emergency;
        bind_seasons(&zones, root, &section.seasons, &calendar, problems);
        bind_freezes(&zones, root, &section.freezes, &calendar.calendar, problems);
        bind_windows(&zones, root, &section.windows, &calendar.calendar, problems);
        check_with_stages(root, settings, &calendar, problems);
    }
    *ret = calendar;
    return problems->count + problems->dropped == before;
}

const struct season_settings *season_at(const struct calendar_settings *settings, int64_t now_ms)
{
    for (size_t i = 0; i < settings->season_count; i++)
        if (now_ms >= settings->seasons[i].from_ms && now_ms < settings->seasons[i].to_ms)
            return &settings->seasons[i];
    return NULL;
}
