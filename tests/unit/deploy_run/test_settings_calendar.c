// Seasons, freezes, windows and emergencies of a configuration: when they begin and end, and what
// they make of a plan.
#include "../expect.h"
#include "deploy/run/resolve.h"
#include "deploy/run/settings_calendar.h"
#include "gate/base/moment.h"
#include "gate/doc/yaml.h"

#define STAGES                                                                                     \
    "targets: {web: {kind: hosts, inventory: [a, b, c, d], path: /srv/app}}\n"                     \
    "rollout:\n"                                                                                   \
    "  - stage: production\n"                                                                      \
    "    targets: [web]\n"                                                                         \
    "    approval: {from: [alice, bob, carol], count: 2}\n"                                        \
    "    steps: [25%, {to: 50%, approval: {from: [dave]}}, 100%]\n"                                \
    "    step_bake: 10m\n"                                                                         \
    "    bake: 1h\n"

struct bound {
    struct arena arena;
    struct deploy_settings settings;
    struct calendar_settings calendar;
    struct plan *plan;
    struct error err;
};

static void bind(struct bound *b, const char *yaml)
{
    const struct node *root;
    *b = (struct bound){0};
    struct problems problems = {.arena = &b->arena};
    cr_assert(yaml_parse(&b->arena, "s.yml", str_of(yaml), &root, &b->err), "%s", b->err.message);
    (void)deploy_settings_bind(&b->arena, root, &b->settings, &problems);
    (void)calendar_settings_bind(&b->arena, root, &b->settings, &b->calendar, &problems);
    cr_assert(problems_none(&problems, &b->err), "%s", b->err.message);
}

static int64_t at(const char *text)
{
    int64_t ms = 0;
    cr_assert(moment_parse(str_of(text), &ms), "%s", text);
    return ms;
}

Test(settings_calendar, when_periods_begin_and_end)
{
    static const struct {
        const char *period, *from, *to;
    } rows[] = {
        {"from: 2027-01-10, to: 2027-01-31, timezone: Europe/Amsterdam", "2027-01-09T23:00:00Z",
         "2027-01-31T23:00:00Z"},
        {"from: 2027-01-10, to: 2027-01-10", "2027-01-10T00:00:00Z", "2027-01-11T00:00:00Z"},
        {"from: \"2027-02-01T18:00\", to: \"2027-02-02T06:00\", timezone: Europe/Amsterdam",
         "2027-02-01T17:00:00Z", "2027-02-02T05:00:00Z"},
        // over a change of the clocks, and on the day itself
        {"from: 2027-03-28, to: 2027-03-28, timezone: Europe/Amsterdam", "2027-03-27T23:00:00Z",
         "2027-03-28T22:00:00Z"},
        {"from: 2026-10-25, to: 2026-10-25, timezone: Europe/Amsterdam", "2026-10-24T22:00:00Z",
         "2026-10-25T23:00:00Z"},
        // jumped over: when they jump. Shown twice: the first to begin, the second to end
        {"from: \"2027-03-28T02:30\", to: \"2027-03-28T04:00\", timezone: Europe/Amsterdam",
         "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z"},
        {"from: \"2026-10-25T02:30\", to: \"2026-10-25T02:30\", timezone: Europe/Amsterdam",
         "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
        {"from: \"2027-04-04T01:45\", to: \"2027-04-04T01:50\", timezone: Australia/Lord_Howe",
         "2027-04-03T14:45:00Z", "2027-04-03T15:20:00Z"},
        {"from: \"2026-11-01 01:30:15\", to: 2026-11-01, timezone: America/New_York",
         "2026-11-01T05:30:15Z", "2026-11-02T05:00:00Z"},
        {"from: 2027-01-10, to: 2027-01-10, timezone: Asia/Kolkata", "2027-01-09T18:30:00Z",
         "2027-01-10T18:30:00Z"},
        // the day that Samoa left out: it ends when the next one begins
        {"from: 2011-12-29, to: 2011-12-30, timezone: Pacific/Apia", "2011-12-29T10:00:00Z",
         "2011-12-30T10:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bound b;
        char have[MOMENT_TEXT], want[MOMENT_TEXT];
        struct text yaml = text_of(4096);
        text_addf(&yaml,
                  "freezes: [{name: a, %s, allow: [P1, P3]}]\nseasons: {name: a, %s, bake: 1h}\n",
                  rows[i].period, rows[i].period);
        bind(&b, text_c(&yaml));
        cr_assert_eq(b.calendar.calendar.freeze_count, 1);
        const struct calendar_freeze *freeze = &b.calendar.calendar.freezes[0];
        cr_expect_str_eq(moment_format(freeze->from_ms, have),
                         moment_format(at(rows[i].from), want), "from of %s", rows[i].period);
        cr_expect_str_eq(moment_format(freeze->to_ms, have), moment_format(at(rows[i].to), want),
                         "to of %s", rows[i].period);
        cr_expect_eq(freeze->allow, 5);
        cr_expect_null(season_at(&b.calendar, at(rows[i].from) - 1));
        cr_expect_not_null(season_at(&b.calendar, at(rows[i].from)));
        cr_expect_not_null(season_at(&b.calendar, at(rows[i].to) - 1));
        cr_expect_null(season_at(&b.calendar, at(rows[i].to)));
        text_done(&yaml);
        arena_done(&b.arena);
    }
}

Test(settings_calendar, nothing_of_it_is_needed)
{
    struct bound b;
    bind(&b, STAGES);
    cr_expect_eq(b.calendar.calendar.freeze_count, 0);
    cr_expect_eq(b.calendar.calendar.window_count, 0);
    cr_expect_eq(b.calendar.season_count, 0);
    cr_expect_eq(b.calendar.emergency.review_within_ms, 5 * MS_DAY);
    cr_expect_null(season_at(&b.calendar, 0));
    arena_done(&b.arena);
}

static void resolve(struct bound *b, const char *now, const char *severity)
{
    static struct placement next = {.release = STR_INIT("v2")}, good = {.release = STR_INIT("v1")};
    struct resolve_request request = {
        .settings = &b->settings,
        .stage = &b->settings.stages[0],
        .rollout = STR("v2-production-1"),
        .release = STR("v2"),
        .commit = STR("c"),
        .next = &next,
        .good = &good,
        .calendar = &b->calendar,
        .now_ms = at(now),
    };
    if (severity)
        request.emergency =
            (struct plan_emergency){str_of(severity), STR("INC-7"), STR("fire"), {NULL, 0}, 0};
    cr_assert(plan_resolve(&b->arena, &request, &b->plan, &b->err), "%s", b->err.message);
}

Test(settings_calendar, a_season_replaces_steps_bakes_and_approvals)
{
    struct bound b;
    bind(&b,
         STAGES "seasons:\n"
                "  - {name: exams, from: 2027-01-10, to: 2027-01-31, timezone: Europe/Amsterdam,\n"
                "     steps: [1%, 10%, 75%, 100%], step_bake: 30m, approvals: 1}\n");
    resolve(&b, "2027-01-09T22:59:59Z", NULL);
    cr_expect_eq(b.plan->step_count, 3, "not yet");
    cr_expect_eq(b.plan->season.len, 0);
    resolve(&b, "2027-01-31T22:59:59Z", NULL);
    cr_expect_eq(b.plan->step_count, 4);
    cr_expect_eq(b.plan->steps[0].share_ppm, 10000);
    cr_expect_eq(b.plan->step_bake_ms, 30 * MS_MINUTE);
    cr_expect_eq(b.plan->bake_ms, MS_HOUR, "the season says nothing of it");
    cr_expect_eq(b.plan->approval.count, 1);
    cr_expect_eq(b.plan->approval.from_count, 3);
    // dave is asked before half of it: now that is in the step to three quarters
    cr_expect_eq(b.plan->steps[1].approval.count, 0);
    cr_expect_eq(b.plan->steps[2].approval.count, 1);
    cr_expect(str_is(b.plan->steps[2].approval.from[0], "dave"));
    expect_str(b.plan->season, "exams");
    expect_str(
        b.plan->season_why,
        "planned on Sun 2027-01-31 23:59:59; from 2027-01-10 to 2027-01-31 (Europe/Amsterdam) "
        "the season's own are steps, step_bake, approvals");
    arena_done(&b.arena);
}

Test(settings_calendar, an_emergency_has_its_own_pace_also_in_a_season)
{
    struct bound b;
    bind(&b, STAGES "seasons: {name: exams, from: 2027-01-10, to: 2027-01-31, bake: 5h}\n"
                    "freezes: {name: night, from: 2027-01-12, to: 2027-01-12, allow: P1}\n"
                    "windows: Mon-Thu 09:00-16:00 Europe/Amsterdam\n"
                    "emergency: {steps: [50%, 100%], step_bake: 2m, bake: 15m, approvals: 1, "
                    "review_within: 2d}\n");
    resolve(&b, "2027-01-12T12:00:00Z", "P1");
    cr_expect_eq(b.plan->step_count, 2);
    cr_expect_eq(b.plan->step_bake_ms, 2 * MS_MINUTE);
    cr_expect_eq(b.plan->bake_ms, 15 * MS_MINUTE);
    cr_expect_eq(b.plan->approval.count, 1);
    cr_expect_eq(b.plan->steps[0].approval.count, 1, "dave keeps his say");
    cr_expect_eq(b.plan->season.len, 0);
    expect_str(b.plan->emergency.incident, "INC-7");
    cr_expect_eq(b.plan->emergency.review_within_ms, 2 * MS_DAY);
    cr_expect_eq(b.plan->calendar.freeze_count, 1);
    cr_expect_eq(b.plan->calendar.window_count, 1);
    resolve(&b, "2027-01-12T12:00:00Z", NULL);
    cr_expect_eq(b.plan->bake_ms, 5 * MS_HOUR);
    cr_expect_eq(b.plan->emergency.severity.len, 0);
    arena_done(&b.arena);
}
