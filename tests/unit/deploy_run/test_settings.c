// The rollout half of a configuration: what it becomes, and what is said about what is wrong in it.
#include "../expect.h"
#include "deploy/run/settings.h"
#include "gate/base/moment.h"
#include "gate/doc/yaml.h"

struct bound {
    struct arena arena;
    struct deploy_settings settings;
    struct problems problems;
    bool ok;
};

static void bind(struct bound *bound, const char *yaml)
{
    const struct node *root;
    struct error err;
    *bound = (struct bound){0};
    bound->problems.arena = &bound->arena;
    cr_assert(yaml_parse(&bound->arena, "s.yml", str_of(yaml), &root, &err), "%s", err.message);
    bound->ok = deploy_settings_bind(&bound->arena, root, &bound->settings, &bound->problems);
}

static void must_bind(struct bound *bound, const char *yaml)
{
    struct error err = {0};
    bind(bound, yaml);
    cr_assert(problems_none(&bound->problems, &err), "%u: %s", err.at.line, err.message);
    cr_assert(bound->ok);
}

#define WEB "targets:\n  web: {kind: hosts, inventory: [a, b], path: /srv/app"
#define STAGE "}\nrollout:\n  - stage: production\n    targets: [web]\n"

Test(settings, the_ten_lines_of_a_newcomer)
{
    struct bound b;
    must_bind(&b, "version: 1\n"
                  "gate:\n"
                  "  coverage: {total: 55%, changed: 80%}\n"
                  "targets:\n"
                  "  web: {kind: hosts, inventory: [app1, app2], user: deploy, path: /srv/app, "
                  "health: \"http://${host}:8000/health\"}\n"
                  "rollout:\n"
                  "  - stage: production\n"
                  "    targets: [web]\n"
                  "    steps: [50%, 100%]\n"
                  "    approval: {from: [alice, bob]}\n");
    cr_assert_eq(b.settings.stage_count, 1);
    const struct stage_settings *stage = stage_of(&b.settings, STR("production"));
    cr_assert_not_null(stage);
    cr_expect_eq(stage->steps.count, 2);
    cr_expect_eq(stage->step_bake_ms, 10 * MS_MINUTE);
    cr_expect_eq(stage->bake_ms, 30 * MS_MINUTE);
    cr_expect_eq(stage->approval->count, 1);
    cr_expect_eq(stage->approval->expires_after_ms, 2 * MS_DAY);
    cr_expect_eq(b.settings.analysis.min_requests, 200);
    cr_expect_eq(b.settings.rollback.time_limit_ms, 12 * MS_MINUTE);
    cr_expect_eq(b.settings.incidents.on_rollback, 1, "P2");
    cr_expect_null(stage_of(&b.settings, STR("staging")));
    cr_expect_null(target_of(&b.settings, STR("jobs")));
    arena_done(&b.arena);
}

Test(settings, health_implies_a_probe)
{
    struct bound b;
    must_bind(&b,
              WEB ", health: {url: \"http://${host}/health\", status: 204, contains: fine}" STAGE);
    cr_assert_eq(b.settings.metric_count, 1);
    const struct metric_settings *probe = &b.settings.metrics[0];
    expect_str(probe->name, "health of web");
    cr_expect_str_eq(probe->kind->name, "probe");
    cr_expect(probe->implied);
    cr_assert_eq(probe->targets.count, 1);
    expect_str(((const str *)probe->targets.items)[0], "web");
    struct metric_traits traits;
    probe->kind->traits(probe->config, &traits);
    cr_expect_not(traits.is_rate);
    cr_expect_eq(traits.failure_limit, 3);
    arena_done(&b.arena);
}

Test(settings, a_probe_of_ones_own_takes_the_place_of_the_implied_one)
{
    static const struct {
        const char *metric;
        size_t metrics;
    } rows[] = {
        {"{source: probe, url: \"http://${host}/health\", every: 1s, max_failures: 5}", 1},
        {"{source: probe, url: \"http://${host}/health\", max_failures: 5, targets: [web]}", 1},
        {"{source: probe, url: \"http://${host}/health\", max_failures: 5, targets: web}", 1},
        {"{source: probe, url: \"http://${host}/health\", max_failures: 5, targets: [jobs]}", 2},
        {"{source: probe, url: \"http://${host}/other\", max_failures: 5}", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bound b;
        struct arena arena = {0};
        must_bind(&b, arena_format(&arena,
                                   "metrics: {up: %s}\ntargets:\n"
                                   "  web: {kind: hosts, inventory: [a], path: /srv, health: "
                                   "\"http://${host}/health\"}\n"
                                   "  jobs: {kind: hosts, inventory: [b], path: /srv}\n",
                                   rows[i].metric)
                          .data);
        cr_expect_eq(b.settings.metric_count, rows[i].metrics, "row %zu: %zu", i,
                     b.settings.metric_count);
        arena_done(&arena);
        arena_done(&b.arena);
    }
}

Test(settings, metrics_keep_their_targets_and_runbook)
{
    struct bound b;
    must_bind(&b,
              "targets:\n"
              "  web: {kind: hosts, inventory: [a], path: /srv}\n"
              "  jobs: {kind: hosts, inventory: [b], path: /srv}\n"
              "metrics:\n"
              "  up: {source: probe, url: \"http://${host}/\", targets: [jobs], runbook: r.md}\n"
              "  all: {source: probe, url: \"http://${host}/\"}\n");
    cr_assert_eq(b.settings.metric_count, 2);
    cr_assert_eq(b.settings.metrics[0].targets.count, 1);
    expect_str(((const str *)b.settings.metrics[0].targets.items)[0], "jobs");
    expect_str(b.settings.metrics[0].runbook, "r.md");
    cr_expect_eq(b.settings.metrics[1].targets.count, 0, "all of the stage");
    arena_done(&b.arena);
}

Test(settings, two_stages_may_share_a_target_under_one_environment)
{
    struct bound b;
    must_bind(&b, WEB "}\nrollout:\n"
                      "  - {stage: canary, environment: production, targets: [web]}\n"
                      "  - {stage: all, environment: production, after: canary, targets: [web]}\n");
    cr_expect_eq(b.settings.stage_count, 2);
    arena_done(&b.arena);
}

// Each with one clear sentence and its place.
static const struct {
    const char *yaml, *problem;
} bad[] = {
    // sections
    {"targets: [web]\n", "s.yml:1:10: `targets` must be a map of names, not a list"},
    {"metrics: soon\n", "s.yml:1:10: `metrics` must be a map of names, not a text"},
    {"rollout: []\n", "s.yml:1:10: `rollout` must have between 1 and 16 entries, not 0"},
    // targets
    {"targets:\n  web: {path: /srv}\n",
     "s.yml:2:8: target `web` needs a `kind`, one of `hosts`, …"},
    {"targets:\n  web:\n", "s.yml:2:3: target `web` needs a `kind`, one of `hosts`, …"},
    {"targets:\n  web: hosts\n", "s.yml:2:8: target `web` needs a `kind`, one of `hosts`, …"},
    {"targets:\n  web: {kind: kubernetes}\n",
     "s.yml:2:15: `kubernetes` is not a kind of target in this version of sluice; built are "
     "`hosts`, …"},
    {"targets:\n  web: {kind: [hosts]}\n",
     "s.yml:2:8: target `web` needs a `kind`, one of `hosts`, …"},
    {WEB ", pth: /x" STAGE, "s.yml:2:57: `pth` is not a key of `hosts`; did you mean `path`?"},
    {WEB ", runtime: now" STAGE,
     "s.yml:2:57: `runtime` is not built yet in this version of sluice: remove it"},
    {WEB ", migrate: {files: [a]}" STAGE, "s.yml:2:66: `run` is missing from `migrate`: add it"},
    // metrics
    {"metrics:\n  up: {url: \"http://a/\"}\n",
     "s.yml:2:7: metric `up` needs a `source`, one of `probe`, `prometheus`, …"},
    {"metrics:\n  up: {source: datadog}\n",
     "s.yml:2:16: `datadog` is not a metric source in this "
     "version of sluice; built are `probe`, `prometheus`, …"},
    {"metrics:\n  up: {source: probe}\n", "s.yml:2:7: `url` is missing from `probe`: add it"},
    {"metrics:\n  up: {source: probe, url: \"http://${host}/\", targets: [wep]}\n" WEB "}\n",
     "s.yml:2:57: `wep` is not one of `targets`; did you mean `web`?"},
    {"metrics:\n  up: {source: probe, url: \"http://${host}/\", targets: [jobs]}\n",
     "s.yml:2:57: `jobs` is not one of `targets` of this configuration"},
    {"metrics:\n  up: {source: probe, url: \"http://${host}/\", max_errors: 0}\n",
     "s.yml:2:59: `max_errors` must be between 1 and 1000, not `0`"},
    {"metrics:\n  up: {source: probe, url: \"http://${host}/\", max_inconclusive: none}\n",
     "s.yml:2:65: `max_inconclusive` must be a whole number between 1 and 100000, not `none`"},
    {"metrics:\n  up: {source: probe, url: \"http://${host}/\", runbook: }\n",
     "s.yml:2:56: `runbook` has no value: give it one, or remove the key"},
    {"targets:\n  \"a\\tb\": {kind: hosts, inventory: [a], path: /srv}\n",
     "s.yml:2:3: target `a\tb`: a name is 1 to 100 bytes in one line, …"},
    {"metrics:\n  \"::up\": {source: probe, url: \"http://${host}/\"}\n",
     "s.yml:2:3: metric `::up`: a name is 1 to 100 bytes in one line, …"},
    // stages
    {WEB "}\nrollout:\n  - {stage: \"a\\u00a0\", targets: [web]}\n",
     "s.yml:4:13: stage `a\xC2\xA0`: a name is 1 to 100 bytes in one line, …"},
    {WEB "}\nrollout:\n  - {stage: a, environment: \"a##[b]\", targets: [web]}\n",
     "s.yml:4:29: environment `a##[b]`: a name is 1 to 100 bytes in one line, …"},
    {WEB "}\nrollout:\n  - targets: [web]\n", "s.yml:4:5: `stage` is missing from `stage`: add it"},
    {WEB "}\nrollout:\n  - stage: production\n",
     "s.yml:4:5: `targets` is missing from `stage`: add it"},
    {WEB "}\nrollout:\n  - {stage: production, targets: [wbe]}\n",
     "s.yml:4:35: `wbe` is not one of `targets`; did you mean `web`?"},
    {WEB "}\nrollout:\n  - {stage: production, targets: wbe}\n",
     "s.yml:4:34: `wbe` is not one of `targets`; did you mean `web`?"},
    {WEB "}\nrollout:\n  - {stage: production, targets: [web, web]}\n",
     "s.yml:4:40: target `web` stands twice"},
    {WEB STAGE "    metrics: [errors]\n",
     "s.yml:6:15: `errors` is not one of `metrics` of this configuration"},
    {WEB "}\nmetrics:\n  up: {source: probe, url: \"http://${host}/\"}\nrollout:\n"
         "  - {stage: production, targets: [web], metrics: [up, up]}\n",
     "s.yml:6:55: metric `up` stands twice"},
    {WEB "}\n  jobs: {kind: hosts, inventory: [c], path: /srv}\n"
         "metrics: {up: {source: probe, url: \"http://${host}/\", targets: [jobs]}}\nrollout:\n"
         "  - {stage: production, targets: [web], metrics: [up]}\n",
     "s.yml:6:51: metric `up` watches none of the targets of stage `production`: see its "
     "`targets`"},
    {WEB STAGE "  - {stage: production, targets: [web]}\n",
     "s.yml:6:13: stage `production` stands twice"},
    {WEB STAGE "  - {stage: late, targets: [web]}\n",
     "s.yml:6:29: target `web` is in two environments, `production` and `late`: give both stages "
     "the same `environment`"},
    {WEB STAGE "    after: staging\n",
     "s.yml:6:12: `after: staging` names no stage that stands before this one"},
    {WEB STAGE "    after: production\n",
     "s.yml:6:12: `after: production` names no stage that stands before this one"},
    // steps
    {WEB STAGE "    steps: [50%, 25%, 100%]\n",
     "s.yml:6:18: steps must rise: this share is not above the one before"},
    {WEB STAGE "    steps: [50%, 50%, 100%]\n",
     "s.yml:6:18: steps must rise: this share is not above the one before"},
    {WEB STAGE "    steps: [0%, 100%]\n", "s.yml:6:13: the first step must be above 0%"},
    {WEB STAGE "    steps: [10%, 50%]\n", "s.yml:6:18: the last step must be `100%`"},
    {WEB STAGE "    steps: [50%, 150%]\n", "s.yml:6:18: a step cannot be above `100%`"},
    {WEB STAGE "    steps: []\n", "s.yml:6:12: `steps` must have between 1 and 32 entries, not 0"},
    {WEB STAGE "    steps: [half, 100%]\n",
     "s.yml:6:13: `to` must be a percentage such as `55%`, not `half`"},
    {WEB STAGE "    bake: soon\n",
     "s.yml:6:11: `bake` must be a duration such as `30m` or `1h30m`, not `soon`"},
    // approvals
    {WEB STAGE "    approval: {count: 1}\n",
     "s.yml:6:15: `from` is missing from `approval`: add it"},
    {WEB STAGE "    approval: {from: [alice], count: 2}\n",
     "s.yml:6:38: `count` asks for 2 approvals, but `from` names only 1"},
    {WEB STAGE "    approval: {from: [alice, alice]}\n", "s.yml:6:30: login `alice` stands twice"},
    {WEB STAGE "    approval: [alice, \"@acme/\"]\n",
     "s.yml:6:23: `@acme/` is neither a login, as `ada`, nor a team, as `@acme/release`"},
    {WEB STAGE "    approval: {from: [alice], expires_after: 0s}\n",
     "s.yml:6:46: `expires_after` must be longer than nothing: nobody could answer"},
    {WEB STAGE "    steps: [{to: 50%, approval: {from: [bob], count: 0}}, 100%]\n",
     "s.yml:6:54: `count` must be between 1 and 16, not `0`"},
    {WEB STAGE "    settle_limit: 0s\n",
     "s.yml:6:19: `settle_limit` must be a second or more, such as `10m`"},
    // analysis, rollback, incidents
    {"analysis: {max_ratio: 0.5}\n",
     "s.yml:1:23: `max_ratio` must be at least 1: the canary may be "
     "this many times worse before it counts"},
    {"analysis: {max_ratio: 6}\n", "s.yml:1:23: `ratio` of `detect` must be greater than "
                                   "`max_ratio`"},
    {"analysis: {detect: {ratio: 1}}\n",
     "s.yml:1:28: `ratio` of `detect` must be greater than `max_ratio`"},
    {"analysis: {detect: {power: 100%}}\n",
     "s.yml:1:28: `power` must be above 0% and below 100%, such as `95%`"},
    {"analysis: {false_positive_rate: 60%}\n",
     "s.yml:1:33: `false_positive_rate` must be above 0% and at most 50%, such as `1%`"},
    {"analysis: {inconclusive: {then: pass}}\n",
     "s.yml:1:33: `then` must be `hold` or `abort`, not `pass`"},
    {"analysis: {inconclusive: {extend: 11}}\n",
     "s.yml:1:35: `extend` must be between 0 and 10, not `11`"},
    {"rollback: {time_limit: 0s}\n",
     "s.yml:1:24: `time_limit` must be a second or more, such as `12m`"},
    {"rollback: {rehearse_every: 30m}\n",
     "s.yml:1:28: `rehearse_every` must be an hour or more, such as `30d`"},
    {"watch: {by: sluice watch on ops1, every: 0s}\n",
     "s.yml:1:42: `every` must be from a second to a day, such as `30s`"},
    {"watch: {by: timer, every: 5m, late: 2d}\n", "s.yml:1:37: `late` must be a day or less"},
    {"watch: {every: 5m}\n", "s.yml:1:8: `by` is missing from `watch`: add it"},
    {"incidents: {on_rollback: P9}\n",
     "s.yml:1:26: `on_rollback` must be `P1`, `P2`, `P3` or `P4`, not `P9`; did you mean `P1`?"},
    {"incidents: {P1: {escalate: 15m}}\n",
     "s.yml:1:18: `escalate` is not built yet in this version of sluice: remove it"},
    {"incidents: {P2: {review_within: 0d}}\n",
     "s.yml:1:33: `review_within` must be an hour or more, such as `5d`"},
    {"incidents: {P2: {review_within: soon}}\n",
     "s.yml:1:33: `review_within` must be a duration such as `30m` or `1h30m`, not "
     "`soon`"},
    {"incidents: {reviews: ../elsewhere}\n",
     "s.yml:1:22: `reviews` must be a folder of this repository, such as `docs/incidents`"},
    {"incidents: {reviews: /elsewhere}\n",
     "s.yml:1:22: `reviews` must be a folder of this repository, such as `docs/incidents`"},
};

Test(settings, which_incidents_need_a_review)
{
    static const struct {
        const char *yaml;
        int64_t days[SEVERITY_COUNT];
        const char *reviews;
    } rows[] = {
        {"version: 1\n", {5, 10, 0, 0}, "docs/incidents"},
        {"incidents: {P1: {review_within: 2d}}\n", {2, 10, 0, 0}, "docs/incidents"},
        {"incidents: {P3: {review_within: 30d}, reviews: ./reviews//}\n",
         {5, 10, 30, 0},
         "reviews"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bound b;
        bind(&b, rows[i].yaml);
        for (int k = 0; k < SEVERITY_COUNT; k++)
            cr_expect_eq(b.settings.incidents.severity[k].review_within_ms,
                         rows[i].days[k] * MS_DAY, "row %zu, P%d", i, k + 1);
        cr_expect(str_is(b.settings.incidents.reviews, rows[i].reviews), "row %zu", i);
        arena_done(&b.arena);
    }
}

// What ends in "…" is a list that grows.
static void expect_words(const char *words, const char *wanted)
{
    const char *more = strstr(wanted, "…");
    if (more)
        cr_expect_eq(strncmp(words, wanted, (size_t)(more - wanted)), 0, "%s", words);
    else
        cr_expect_str_eq(words, wanted);
}

Test(settings, what_is_wrong_is_said_once_with_its_place)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bound b;
        char text[1024];
        bind(&b, bad[i].yaml);
        cr_expect_not(b.ok, "row %zu", i);
        cr_expect_eq(b.problems.count, 1, "row %zu: %zu problems for %s", i, b.problems.count,
                     bad[i].problem);
        if (b.problems.count)
            expect_words(error_text(&b.problems.items[0], text, sizeof text), bad[i].problem);
        arena_done(&b.arena);
    }
}

// A target that cannot be read does not make its name unknown.
Test(settings, one_mistake_is_one_problem)
{
    struct bound b;
    bind(&b, "targets:\n  web: {kind: kubernetes}\nmetrics:\n"
             "  up: {source: prometheus, targets: [web]}\n"
             "rollout:\n  - {stage: production, targets: [web], metrics: [up]}\n");
    for (size_t i = 0; i < b.problems.count; i++)
        cr_expect_null(strstr(b.problems.items[i].message, "is not one of"), "%s",
                       b.problems.items[i].message);
    cr_expect_not(b.ok);
    arena_done(&b.arena);
}
