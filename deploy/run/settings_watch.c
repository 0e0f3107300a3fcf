// `watch`: who wakes what is suspended, and how often.
#include "deploy/run/settings.h"
#include "deploy/run/settings_parts.h"
#include "gate/base/moment.h"

static const struct shape_field watch_fields[] = {
    {.key = "by",
     .kind = SHAPE_STR,
     .offset = offsetof(struct watch_settings, by),
     .required = true,
     .doc = "What it is, for people: `sluice watch on ops1`, a timer or scheduled workflow that "
            "calls `sluice resume --wait watch`, an alarm of the provider that rolls back by "
            "itself."},
    {.key = "every",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct watch_settings, every_ms),
     .required = true,
     .doc = "The time between two looks. A bake that lasts longer than this and `late` together "
            "holds no process: it is looked at so often, over all the time in between."},
    {.key = "late",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct watch_settings, late_ms),
     .doc = "How much later than that it may come. Schedules on GitHub fire late and unevenly: an "
            "hour is not rare."},
    {.kind = SHAPE_END},
};

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct watch_settings *watch = value;
    if (node_get(node, "every") && (watch->every_ms < MS_SECOND || watch->every_ms > MS_DAY))
        problem_at(problems, settings_at(node, "every"),
                   "`every` must be from a second to a day, such as `30s`");
    if (watch->late_ms > MS_DAY)
        problem_at(problems, settings_at(node, "late"), "`late` must be a day or less");
}

const struct shape watch_shape = {
    .name = "watch",
    .size_bytes = sizeof(struct watch_settings),
    .fields = watch_fields,
    .check = check,
    .doc = "What looks after a rollout that no process drives. Without it, `--wait suspend` leaves "
           "none that has traffic: its process stays. `sluice plan` reckons with it.",
};

int64_t watch_wakes_ms(const struct watch_settings *watch)
{
    return watch->every_ms ? watch->every_ms + watch->late_ms : 0;
}
