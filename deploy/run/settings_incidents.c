// The section `incidents`: severities and their clocks.
#include "deploy/run/settings_parts.h"

#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/source.h"

#define CLOCK_FIELDS(days)                                                                         \
    {                                                                                              \
        {.key = "review_within",                                                                   \
         .kind = SHAPE_DURATION,                                                                   \
         .offset = offsetof(struct severity_settings, review_within_ms),                           \
         .fallback = (days),                                                                       \
         .doc = "How long after it was opened its review must be written; without one it needs "   \
                "none."},                                                                          \
            {.key = "acknowledge",                                                                 \
             .kind = SHAPE_DURATION,                                                               \
             .offset = offsetof(struct severity_settings, acknowledge_ms),                         \
             .doc = "How long until a person takes it: told in its issue."},                       \
            {.key = "resolve",                                                                     \
             .kind = SHAPE_DURATION,                                                               \
             .offset = offsetof(struct severity_settings, resolve_ms),                             \
             .doc = "How long until it is over: told in its issue."},                              \
            {.key = "escalate", .kind = SHAPE_LATER, .doc = "Who is called when it is not."},      \
            {.kind = SHAPE_END},                                                                   \
    }

static const struct shape_field p1_fields[] = CLOCK_FIELDS("5d");
static const struct shape_field p2_fields[] = CLOCK_FIELDS("10d");
static const struct shape_field other_fields[] = CLOCK_FIELDS(NULL);

static void check_severity(void *value, const struct node *node, struct problems *problems)
{
    const struct severity_settings *severity = value;
    if (node_get(node, "review_within") && severity->review_within_ms < MS_HOUR)
        problem_at(problems, settings_at(node, "review_within"),
                   "`review_within` must be an hour or more, such as `5d`");
}

#define SEVERITY_SHAPE(table)                                                                      \
    {                                                                                              \
        .name = "severity", .size_bytes = sizeof(struct severity_settings), .fields = (table),     \
        .check = check_severity, .doc = "Clocks of incidents of one severity."                     \
    }

static const struct shape p1_shape = SEVERITY_SHAPE(p1_fields);
static const struct shape p2_shape = SEVERITY_SHAPE(p2_fields);
static const struct shape other_shape = SEVERITY_SHAPE(other_fields);

#define SEVERITY(number, table)                                                                    \
    {                                                                                              \
        .key = "P" #number, .kind = SHAPE_STRUCT,                                                  \
        .offset = offsetof(struct incident_settings, severity) +                                   \
                  ((number)-1) * sizeof(struct severity_settings),                                 \
        .shape = &(table), .doc = "Clocks of incidents of severity P" #number "."                  \
    }

static const struct shape_field incident_fields[] = {
    {.key = "on_rollback",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct incident_settings, on_rollback),
     .choices = severity_names,
     .fallback = "P2",
     .doc = "Severity of the incident that a rollback by itself opens."},
    SEVERITY(1, p1_shape),
    SEVERITY(2, p2_shape),
    SEVERITY(3, other_shape),
    SEVERITY(4, other_shape),
    {.key = "reviews",
     .kind = SHAPE_STR,
     .offset = offsetof(struct incident_settings, reviews),
     .fallback = "docs/incidents",
     .doc = "Folder of the reviews: `INC-7.md` with the headings Root cause, Timeline and "
            "Prevention."},
    {.kind = SHAPE_END},
};

static void check(void *value, const struct node *node, struct problems *problems)
{
    struct incident_settings *settings = value;
    struct text path = text_of(LIMIT_PATH);
    if (str_starts(settings->reviews, STR("./")))
        settings->reviews = str_from(settings->reviews, 2);
    while (settings->reviews.len > 1 && str_ends(settings->reviews, STR("/")))
        settings->reviews.len--;
    text_add(&path, settings->reviews);
    if (!source_path_stays(text_c(&path)))
        problem_at(problems, settings_at(node, "reviews"),
                   "`reviews` must be a folder of this repository, such as `docs/incidents`");
    text_done(&path);
}

const struct shape incidents_shape = {.name = "incidents",
                                      .size_bytes = sizeof(struct incident_settings),
                                      .fields = incident_fields,
                                      .check = check,
                                      .doc = "Severities of incidents, their clocks and reviews."};
