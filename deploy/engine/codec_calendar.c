// The calendar of a plan as JSON: when it may go forward, and whose steps these are.
#include "deploy/engine/codec_parts.h"
#include "deploy/engine/fields.h"

#include <stddef.h>

static const struct field season_fields[] = {
    {"name", FIELD_STR, offsetof(struct plan, season), NULL},
    {"why", FIELD_STR, offsetof(struct plan, season_why), NULL},
    {0}};

#define EMERGENCY(key, kind)                                                                       \
    {                                                                                              \
#key, kind, offsetof(struct plan_emergency, key), NULL                                     \
    }
static const struct field emergency_fields[] = {
    EMERGENCY(severity, FIELD_STR),         EMERGENCY(incident, FIELD_STR),
    EMERGENCY(reason, FIELD_STR),           EMERGENCY(overrides, FIELD_STR),
    EMERGENCY(review_within_ms, FIELD_I64), {0}};

#define FREEZE(key, kind)                                                                          \
    {                                                                                              \
#key, kind, offsetof(struct calendar_freeze, key), NULL                                    \
    }
static const struct field freeze_fields[] = {
    FREEZE(name, FIELD_STR),  FREEZE(timezone, FIELD_STR), FREEZE(from_ms, FIELD_I64),
    FREEZE(to_ms, FIELD_I64), FREEZE(allow, FIELD_U32),    {0}};

void plan_calendar_write(const struct plan *plan, struct json_out *out)
{
    const struct calendar *calendar = &plan->calendar;
    if (plan->season.len) {
        json_open_map(out, "season");
        fields_write(season_fields, plan, out);
        json_close(out);
    }
    if (plan->emergency.severity.len) {
        json_open_map(out, "emergency");
        fields_write(emergency_fields, &plan->emergency, out);
        json_close(out);
    }
    if (calendar->freeze_count)
        json_open_list(out, "freezes");
    for (uint32_t i = 0; i < calendar->freeze_count; i++) {
        json_open_map(out, NULL);
        fields_write(freeze_fields, &calendar->freezes[i], out);
        json_close(out);
    }
    if (calendar->freeze_count)
        json_close(out);
    if (calendar->window_count)
        json_open_list(out, "windows");
    for (uint32_t i = 0; i < calendar->window_count; i++)
        json_add_str(out, NULL, calendar->windows[i].text);
    if (calendar->window_count)
        json_close(out);
}

static bool read_freezes(struct arena *arena, const struct node *map, struct calendar *ret,
                         struct error *err)
{
    const struct node *item = NULL;
    if (!fields_list(map, "freezes", 0, CALENDAR_FREEZES, &item, &ret->freeze_count, err))
        return false;
    ret->freezes = ARENA_ARRAY(arena, struct calendar_freeze, ret->freeze_count);
    for (uint32_t i = 0; item && i < ret->freeze_count; i++, item = item->next)
        if (!fields_read(arena, freeze_fields, item, &ret->freezes[i], err))
            return false;
    return true;
}

static bool read_windows(struct arena *arena, const struct node *map, struct calendar *ret,
                         struct error *err)
{
    const struct node *item = NULL;
    if (!fields_list(map, "windows", 0, CALENDAR_WINDOWS, &item, &ret->window_count, err))
        return false;
    ret->windows = ARENA_ARRAY(arena, struct calendar_window, ret->window_count);
    for (uint32_t i = 0; item && i < ret->window_count; i++, item = item->next)
        if (item->kind != NODE_STRING ||
            !calendar_window_parse(arena_str(arena, item->text), &ret->windows[i], err))
            return error_at(err, ERROR_INPUT, item->at, "`windows` holds what is no window");
    return true;
}

bool plan_calendar_read(struct arena *arena, const struct node *map, struct plan *plan,
                        struct error *err)
{
    const struct node *season = node_get(map, "season"), *emergency = node_get(map, "emergency");
    if ((season && !fields_read(arena, season_fields, season, plan, err)) ||
        (emergency && !fields_read(arena, emergency_fields, emergency, &plan->emergency, err)))
        return false;
    if (plan->emergency.severity.len && !calendar_severity(plan->emergency.severity))
        return error_at(err, ERROR_INPUT, emergency->at, "an emergency of no severity");
    return read_freezes(arena, map, &plan->calendar, err) &&
           read_windows(arena, map, &plan->calendar, err);
}
