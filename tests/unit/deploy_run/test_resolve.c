// From a configuration to a plan: rounding, steps that merge, who approves, which metric judges
// what.
#include "../expect.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"
#include "gate/doc/yaml.h"

#include <stdio.h>

struct made {
    struct arena arena;
    struct deploy_settings settings;
    struct target *targets[4];
    struct plan *plan;
    struct error err;
    bool ok;
};

static int64_t no_time(void *self)
{
    (void)self;
    return 0;
}

// The first stage of the configuration, planned.
static void plan(struct made *made, const char *yaml, enum plan_mode mode, bool round)
{
    static const struct clock_port clock = {NULL, no_time};
    const struct node *root;
    *made = (struct made){0};
    struct problems problems = {.arena = &made->arena};
    cr_assert(yaml_parse(&made->arena, "s.yml", str_of(yaml), &root, &made->err), "%s",
              made->err.message);
    (void)deploy_settings_bind(&made->arena, root, &made->settings, &problems);
    cr_assert(problems_none(&problems, &made->err), "%s", made->err.message);
    const struct stage_settings *stage = &made->settings.stages[0];
    struct cloud *cloud = cloud_open(&(struct cloud_ports){.clock = &clock});
    struct placement *next = ARENA_ARRAY(&made->arena, struct placement, stage->targets.count);
    struct placement *good = ARENA_ARRAY(&made->arena, struct placement, stage->targets.count);
    for (size_t i = 0; i < stage->targets.count; i++) {
        str name = ((const str *)stage->targets.items)[i];
        const struct target_settings *target = target_of(&made->settings, name);
        struct target_setup setup = {
            .name = arena_copy(&made->arena, name), .clock = &clock, .cloud = cloud};
        cr_assert(target->kind->open(target->config, &setup, &made->targets[i], &made->err));
        next[i] = (struct placement){.release = STR("v2"), .revision = STR("v2-r")};
        good[i] = (struct placement){.release = STR("v1"), .revision = STR("v1-r")};
    }
    struct resolve_request request = {
        .settings = &made->settings,
        .stage = stage,
        .mode = mode,
        .rollout = STR("v2-production-1"),
        .release = STR("v2"),
        .commit = STR("c"),
        .next = next,
        .good = good,
        .targets = round ? made->targets : NULL,
    };
    made->ok = plan_resolve(&made->arena, &request, &made->plan, &made->err);
    for (size_t i = 0; i < stage->targets.count; i++)
        target_of(&made->settings, ((const str *)stage->targets.items)[i])
            ->kind->close(made->targets[i]);
    cloud_close(cloud);
}

static void must_plan(struct made *made, const char *yaml)
{
    plan(made, yaml, PLAN_FORWARD, true);
    cr_assert(made->ok, "%s", made->err.message);
}

#define ONE(hosts) "targets: {web: {kind: hosts, inventory: [" hosts "], path: /srv}}\n"
#define STAGE "rollout:\n  - stage: production\n    targets: [web]\n"

Test(resolve, shares_are_rounded_up_to_whole_hosts_and_equal_steps_merge)
{
    static const struct {
        const char *hosts, *steps;
        uint32_t count, shares[4];
    } rows[] = {
        {"a", "25%, 50%, 100%", 1, {1000000}},
        {"a, b", "25%, 50%, 100%", 2, {500000, 1000000}},
        {"a, b, c", "5%, 25%, 50%, 100%", 3, {333333, 666666, 1000000}},
        {"a, b, c, d", "25%, 50%, 100%", 3, {250000, 500000, 1000000}},
        {"a, b, c, d", "26%, 50%, 75.1%, 100%", 2, {500000, 1000000}},
        {"a, b, c, d", "100%", 1, {1000000}},
        {"a, b, c, d", "0.00001%, 100%", 2, {250000, 1000000}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        struct arena arena = {0};
        must_plan(&made,
                  arena_format(&arena,
                               "targets: {web: {kind: hosts, inventory: [%s], path: /srv}}\n" STAGE
                               "    steps: [%s]\n",
                               rows[i].hosts, rows[i].steps)
                      .data);
        cr_expect_eq(made.plan->step_count, rows[i].count, "row %zu: %u steps", i,
                     (unsigned)made.plan->step_count);
        for (uint32_t s = 0; s < rows[i].count && s < made.plan->step_count; s++) {
            cr_expect_eq(plan_share(made.plan, 0, s), rows[i].shares[s], "row %zu step %u: %u", i,
                         (unsigned)s, (unsigned)plan_share(made.plan, 0, s));
            cr_expect_eq(made.plan->steps[s].share_ppm, rows[i].shares[s], "row %zu step %u", i,
                         (unsigned)s);
        }
        arena_done(&arena);
        arena_done(&made.arena);
    }
}

#define ROLLING                                                                                    \
    "targets: {web: {kind: aws-ecs, service: web, region: eu-west-1, artifact: "                   \
    "\"app:${release}\"}}\n"

Test(resolve, what_changes_all_at_once_has_no_steps)
{
    struct made made;
    plan(&made, ROLLING STAGE "    steps: [5%, 100%]\n", PLAN_FORWARD, true);
    cr_assert_not(made.ok);
    cr_assert_eq(made.err.kind, ERROR_INPUT);
    cr_assert(strstr(made.err.message, "no step below 100 % is possible"), "%s", made.err.message);
    arena_done(&made.arena);
    plan(&made, ROLLING STAGE "    steps: [5%, 100%]\n", PLAN_ROLLBACK, true);
    cr_assert(made.ok, "a rollback has no steps: %s", made.err.message);
    arena_done(&made.arena);
    must_plan(&made, ROLLING STAGE "    steps: [100%]\n");
    arena_done(&made.arena);
    must_plan(&made, ROLLING STAGE);
    cr_assert_eq(made.plan->step_count, 1);
    cr_assert_not(made.plan->targets[0].weighted);
    arena_done(&made.arena);
}

Test(resolve, without_steps_there_is_one)
{
    struct made made;
    must_plan(&made, ONE("a, b") STAGE);
    cr_expect_eq(made.plan->step_count, 1);
    cr_expect_eq(made.plan->steps[0].share_ppm, SHARE_ALL);
    arena_done(&made.arena);
}

Test(resolve, a_step_stays_when_one_target_moves_in_it)
{
    struct made made;
    must_plan(&made, "targets:\n  web: {kind: hosts, inventory: [a], path: /srv}\n"
                     "  jobs: {kind: hosts, inventory: [b, c, d, e], path: /srv}\n"
                     "rollout:\n  - stage: production\n    targets: [web, jobs]\n"
                     "    steps: [10%, 20%, 50%, 100%]\n");
    cr_assert_eq(made.plan->step_count, 3, "10%% and 20%% are the same on both");
    static const uint32_t jobs[] = {250000, 500000, 1000000};
    for (uint32_t s = 0; s < 3; s++) {
        cr_expect_eq(plan_share(made.plan, 0, s), SHARE_ALL, "the only host is all of them");
        cr_expect_eq(plan_share(made.plan, 1, s), jobs[s]);
        cr_expect_eq(made.plan->steps[s].share_ppm, (SHARE_ALL + jobs[s]) / 2);
        cr_expect_not(made.plan->targets[1].weighted, "hosts are not shares of requests");
    }
    arena_done(&made.arena);
}

Test(resolve, shares_stand_as_they_are_where_no_target_is_open)
{
    struct made made;
    plan(&made, ONE("a, b") STAGE "    steps: [1%, 33.333333%, 100%]\n", PLAN_FORWARD, false);
    cr_assert(made.ok, "%s", made.err.message);
    cr_expect_eq(made.plan->step_count, 3);
    cr_expect_eq(made.plan->steps[0].share_ppm, 10000);
    cr_expect_eq(made.plan->steps[1].share_ppm, 333334, "rounded up");
    arena_done(&made.arena);
}

Test(resolve, merged_steps_keep_an_approval)
{
    static const struct {
        const char *steps, *from;
    } rows[] = {
        {"[{to: 10%, approval: {from: [alice]}}, 20%, 100%]", "alice"},
        {"[10%, {to: 20%, approval: {from: [bob]}}, 100%]", "bob"},
        {"[{to: 10%, approval: {from: [alice]}}, {to: 20%, approval: {from: [bob]}}, 100%]", "bob"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        struct arena arena = {0};
        must_plan(&made,
                  arena_format(&arena, ONE("a, b") STAGE "    steps: %s\n", rows[i].steps).data);
        cr_assert_eq(made.plan->step_count, 2);
        const struct plan_approval *approval = &made.plan->steps[0].approval;
        cr_assert_eq(approval->count, 1, "row %zu", i);
        expect_str(approval->from[0], rows[i].from);
        cr_expect_eq(made.plan->steps[1].approval.count, 0);
        arena_done(&arena);
        arena_done(&made.arena);
    }
}

Test(resolve, everything_of_the_settings_arrives)
{
    struct made made;
    must_plan(
        &made,
        ONE("a, b") "metrics: {latency: {source: prometheus, url: \"http://p\", query: q, "
                    "max: 100, every: 15s, lag: 30s}}\n" STAGE "    environment: eu\n"
                    "    approval: {from: [alice, bob], count: 2, prevent_self_review: true, "
                    "expires_after: 1h}\n"
                    "    steps: [50%, 100%]\n    step_bake: 5m\n    bake: 20m\n"
                    "analysis: {false_positive_rate: 2%, max_ratio: 1.5, min_requests: 40, "
                    "detect: {ratio: 4, power: 90%}, inconclusive: {extend: 2, then: abort}}\n"
                    "rollback: {time_limit: 3m, on_cancel: hold}\n"
                    "incidents: {on_rollback: P1}\n");
    const struct plan *p = made.plan;
    expect_str(p->environment, "eu");
    expect_str(p->stage, "production");
    expect_str(p->incident, "P1");
    cr_expect_eq(p->approval.count, 2);
    cr_expect(p->approval.prevent_self_review);
    cr_expect_eq(p->approval.expires_after_ms, MS_HOUR);
    cr_expect_eq(p->step_bake_ms, 5 * MS_MINUTE);
    cr_expect_eq(p->bake_ms, 20 * MS_MINUTE);
    cr_expect_eq(p->rollback_limit_ms, 3 * MS_MINUTE);
    cr_expect_eq(p->settle_limit_ms, 10 * MS_MINUTE,
                 "a quick way back asks nothing of the way out");
    cr_expect_float_eq(p->alpha, 0.02, 1e-12);
    cr_expect_float_eq(p->tolerance, 1.5, 1e-12);
    cr_expect_float_eq(p->detect_ratio, 4, 1e-12);
    cr_expect_float_eq(p->detect_power, 0.9, 1e-12);
    cr_expect_eq(p->extend, 2);
    cr_expect_eq(p->then, INCONCLUSIVE_ABORT);
    cr_expect_not(p->rollback_on_cancel);
    cr_assert_eq(p->metric_count, 1);
    cr_expect_eq(p->metrics[0].judge, JUDGE_THRESHOLD);
    cr_expect_eq(p->metrics[0].every_ms, 15 * MS_SECOND);
    cr_expect_eq(p->metrics[0].lag_ms, 30 * MS_SECOND);
    cr_expect_float_eq(p->metrics[0].min_requests, 40, 1e-12);
    expect_str(p->targets[0].good.revision, "v1-r");
    expect_str(p->targets[0].next.revision, "v2-r");
    arena_done(&made.arena);
}

Test(resolve, each_metric_is_judged_in_its_own_way)
{
    static const struct {
        const char *metric;
        enum judge_kind judge;
    } rows[] = {
        {"{source: prometheus, url: \"http://p\", query: q, max: 1}", JUDGE_THRESHOLD},
        {"{source: prometheus, url: \"http://p\", bad: \"${revision}\", total: \"${revision}\"}",
         JUDGE_RATE},
        {"{source: prometheus, url: \"http://p\", query: \"${revision}\", compare: mann-whitney, "
         "confidence: 95%, tolerance: 10%, max_errors: 7, max_inconclusive: 9}",
         JUDGE_COMPARE},
        {"{source: prometheus, url: \"http://p\", bad: \"a[${window}]\", total: \"b[${window}]\", "
         "burn_rate: {slo: 99.5%}}",
         JUDGE_BURN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        struct arena arena = {0};
        must_plan(&made, arena_format(&arena,
                                      ONE("a, b") "metrics: {m: %s}\n" STAGE
                                                  "    steps: [50%%, 100%%]\n    step_bake: 30m\n",
                                      rows[i].metric)
                             .data);
        const struct plan_metric *metric = &made.plan->metrics[0];
        cr_expect_eq(metric->judge, rows[i].judge, "row %zu", i);
        bool compares = rows[i].judge == JUDGE_COMPARE;
        cr_expect_float_eq(metric->confidence, compares ? 0.95 : 0, 1e-12);
        cr_expect_float_eq(metric->slack, compares ? 0.1 : 0, 1e-12);
        cr_expect_eq(metric->error_limit, compares ? 7 : 5);
        cr_expect_eq(metric->inconclusive_limit, compares ? 9 : 0);
        cr_expect_float_eq(metric->budget, rows[i].judge == JUDGE_BURN ? 0.005 : 0, 1e-12);
        cr_expect_null(metric->known, "of what was before nobody has told yet");
        arena_done(&arena);
        arena_done(&made.arena);
    }
}

Test(resolve, how_long_a_change_may_take_to_settle)
{
    static const struct {
        const char *more;
        int64_t limit_ms;
    } rows[] = {
        {"", 12 * MS_MINUTE}, // the default of `time_limit`
        {"rollback: {time_limit: 5s}\n", 10 * MS_MINUTE},
        {"rollback: {time_limit: 40m}\n", 40 * MS_MINUTE},
        {"    settle_limit: 2m\nrollback: {time_limit: 40m}\n", 2 * MS_MINUTE},
        {"    settle_limit: 1h\n", MS_HOUR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        char yaml[512];
        snprintf(yaml, sizeof yaml, "%s%s", ONE("a") STAGE, rows[i].more);
        must_plan(&made, yaml);
        cr_expect_eq(made.plan->settle_limit_ms, rows[i].limit_ms, "%s", rows[i].more);
        arena_done(&made.arena);
    }
}

// up: named by no stage; jobs_up: of jobs alone; the health of web: implied.
#define WATCHED                                                                                    \
    "targets:\n  web: {kind: hosts, inventory: [a], path: /srv, health: \"http://${host}/h\"}\n"   \
    "  jobs: {kind: hosts, inventory: [b], path: /srv}\n"                                          \
    "metrics:\n  up: {source: probe, url: \"http://${host}/\"}\n"                                  \
    "  jobs_up: {source: probe, url: \"http://${host}/j\", targets: [jobs]}\n"

Test(resolve, metrics_judge_the_targets_that_they_watch)
{
    static const struct {
        const char *stage, *names[4];
        uint32_t counts[4];
    } rows[] = {
        {"{stage: s, targets: [web, jobs]}", {"up", "jobs_up", "health of web"}, {2, 1, 1}},
        {"{stage: s, targets: [web]}", {"up", "health of web"}, {1, 1}},
        {"{stage: s, targets: [jobs]}", {"up", "jobs_up"}, {1, 1}},
        {"{stage: s, targets: [web], metrics: [up]}", {"up", "health of web"}, {1, 1}},
        {"{stage: s, targets: [jobs, web], metrics: [jobs_up]}",
         {"jobs_up", "health of web"},
         {1, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        struct arena arena = {0};
        must_plan(&made, arena_format(&arena, WATCHED "rollout: [%s]\n", rows[i].stage).data);
        uint32_t count = 0;
        while (count < 4 && rows[i].names[count])
            count++;
        cr_assert_eq(made.plan->metric_count, count, "row %zu: %u metrics", i,
                     (unsigned)made.plan->metric_count);
        for (uint32_t m = 0; m < count; m++) {
            expect_str(made.plan->metrics[m].name, rows[i].names[m]);
            cr_expect_eq(made.plan->metrics[m].target_count, rows[i].counts[m]);
        }
        size_t settings_count;
        const struct metric_settings *const *settings =
            plan_metrics(&made.arena, &made.settings, &made.settings.stages[0], &settings_count);
        cr_assert_eq(settings_count, count);
        for (uint32_t m = 0; m < count; m++)
            cr_expect(str_eq(settings[m]->name, made.plan->metrics[m].name), "same order");
        arena_done(&arena);
        arena_done(&made.arena);
    }
}

Test(resolve, the_index_of_a_watched_target_is_its_place_in_the_stage)
{
    struct made made;
    must_plan(&made, WATCHED "rollout: [{stage: s, targets: [jobs, web]}]\n");
    cr_assert_eq(made.plan->metric_count, 3);
    cr_expect_eq(made.plan->metrics[1].targets[0], 0, "jobs_up: jobs");
    cr_expect_eq(made.plan->metrics[2].targets[0], 1, "health of web: web");
    arena_done(&made.arena);
}

// What only the whole plan can tell, with the change that mends it.
Test(resolve, a_plan_that_cannot_work_is_refused)
{
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {ONE("a, b") "metrics: {up: {source: probe, url: \"http://${host}/\", every: 30s}}\n" STAGE
                     "    steps: [50%, 100%]\n    step_bake: 10s\n",
         "set `step_bake: 30s` or more"},
        {ONE("a") "metrics: {up: {source: probe, url: \"http://${host}/\", every: 30s}}\n" STAGE
                  "    bake: 10s\n",
         "set `bake: 30s` or more"},
        {ONE("a") "metrics: {up: {source: probe, url: \"http://${host}/\", requests: 20}}\n" STAGE
                  "    steps: [50%, 100%]\n",
         "nothing to compare with"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        plan(&made, rows[i].yaml, PLAN_FORWARD, true);
        cr_expect_not(made.ok, "row %zu", i);
        cr_expect_eq(made.err.kind, ERROR_INPUT);
        expect_contains(str_of(made.err.message), rows[i].words);
        arena_done(&made.arena);
        plan(&made, rows[i].yaml, PLAN_ROLLBACK, true);
        cr_expect(made.ok, "a rollback is never refused: %s", made.err.message);
        arena_done(&made.arena);
    }
}
