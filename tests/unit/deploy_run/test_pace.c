// The pace of a stage: its own, a class of risk's, and what the risks themselves demand.
#include "../expect.h"
#include "deploy/run/pace.h"
#include "gate/base/moment.h"
#include "gate/doc/yaml.h"

#define STAGE                                                                                      \
    "targets: {web: {kind: hosts, inventory: [a], path: /srv}}\n"                                  \
    "rollout:\n  - stage: production\n    targets: [web]\n    steps: [50%, 100%]\n"                \
    "    step_bake: 10m\n    bake: 1h\n"
#define PEOPLE "    approval: {from: [alice, bob]}\n"
#define LADDERS                                                                                    \
    "    by_risk:\n      medium: {steps: [10%, 100%], step_bake: 20m}\n"                           \
    "      high: {steps: [1%, 5%, 100%], bake: 4h, approvals: 2}\n"

static struct fraction steps_5_25[] = {{1, 20}, {1, 4}};
static struct release_reason paid_twice[] = {
    {STR_INIT("R-1"), STR_INIT("Paid twice"), STR_INIT("2 approvals, steps at 5%, 25%")}};

static bool made(struct arena *arena, const char *yaml, const struct release_demands *demands,
                 struct pace *ret, struct error *err)
{
    const struct node *root;
    struct deploy_settings settings;
    struct problems problems = {.arena = arena};
    cr_assert(yaml_parse(arena, "s.yml", str_of(yaml), &root, err), "%s", err->message);
    cr_assert(deploy_settings_bind(arena, root, &settings, &problems));
    struct resolve_request request = {
        .settings = &settings, .stage = &settings.stages[0], .demands = demands};
    return pace_resolve(arena, &request, ret, err);
}

static const char *steps_words(struct arena *arena, const struct pace *pace)
{
    str words = STR("");
    const struct step_settings *steps = pace->steps.items;
    for (size_t i = 0; i < pace->steps.count; i++)
        words = arena_format(arena, STR_FMT "%s%lld", STR_ARG(words), i ? " " : "",
                             (long long)(steps[i].to.num * 100 / steps[i].to.den));
    return arena_copy(arena, words);
}

Test(pace, classes_choose_and_risks_add)
{
    static const struct {
        const char *yaml;
        struct release_demands demands;
        const char *steps;
        int64_t step_bake_ms, bake_ms, approvals;
        const char *why;
    } rows[] = {
        {STAGE, {.risk = RELEASE_HIGH, .slower = 1}, "", 10 * MS_MINUTE, MS_HOUR, 0, ""},
        {STAGE PEOPLE LADDERS,
         {.risk = RELEASE_LOW, .slower = 1},
         "",
         10 * MS_MINUTE,
         MS_HOUR,
         0,
         ""},
        {STAGE PEOPLE LADDERS,
         {.risk = RELEASE_MEDIUM, .score = 41, .slower = 1},
         "10 100",
         20 * MS_MINUTE,
         MS_HOUR,
         0,
         "release risk 41: `by_risk` of medium"},
        {STAGE PEOPLE LADDERS,
         {.risk = RELEASE_HIGH, .score = 80, .slower = 2},
         "1 5 100",
         20 * MS_MINUTE,
         8 * MS_HOUR,
         2,
         "release risk 80: `by_risk` of high"},
        {STAGE PEOPLE LADDERS,
         {.risk = RELEASE_NOT_SCORED, .slower = 1},
         "1 5 100",
         10 * MS_MINUTE,
         4 * MS_HOUR,
         2,
         "the release risk is not scored: `by_risk` of high"},
        {STAGE PEOPLE,
         {.risk = RELEASE_LOW,
          .approvals = 2,
          .slower = 1,
          .steps = steps_5_25,
          .step_count = 2,
          .because = paid_twice,
          .because_count = 1},
         "5 25 50 100",
         10 * MS_MINUTE,
         MS_HOUR,
         2,
         "R-1 (Paid twice) demands 2 approvals, steps at 5%, 25%"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct pace pace = {0};
        cr_assert(made(&arena, rows[i].yaml, &rows[i].demands, &pace, &err), "row %zu: %s", i,
                  err.message);
        cr_expect_str_eq(steps_words(&arena, &pace), rows[i].steps, "row %zu", i);
        cr_expect_eq(pace.step_bake_ms, rows[i].step_bake_ms, "row %zu", i);
        cr_expect_eq(pace.bake_ms, rows[i].bake_ms, "row %zu", i);
        cr_expect_eq(pace.approvals, rows[i].approvals, "row %zu", i);
        cr_expect(str_is(pace.risk_why, rows[i].why), "row %zu: " STR_FMT, i,
                  STR_ARG(pace.risk_why));
        arena_done(&arena);
    }
}

Test(pace, more_approvals_than_people_are_refused)
{
    struct arena arena = {0};
    struct error err = {0};
    struct pace pace;
    struct release_demands demands = {
        .approvals = 3, .slower = 1, .because = paid_twice, .because_count = 1};
    cr_assert_not(made(&arena, STAGE PEOPLE, &demands, &pace, &err));
    cr_expect_eq(err.kind, ERROR_DENIED);
    cr_expect_str_eq(
        err.message,
        "the risks of this release demand 3 approvals, and `approval: {from}` of stage "
        "production names 2: add who may give them (R-1 (Paid twice) demands 2 "
        "approvals, steps at 5%, 25%)");
    demands.approvals = 1;
    cr_expect_not(made(&arena, STAGE, &demands, &pace, &err), "nobody is asked there");
    arena_done(&arena);
}
