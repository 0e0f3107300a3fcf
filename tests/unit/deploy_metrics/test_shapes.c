#include "bind.h"

#include <math.h>

static struct arena arena;

static void clean(void)
{
    arena_done(&arena);
}

TestSuite(metric_shapes, .fini = clean);

Test(metric_shapes, what_is_refused)
{
    static const struct {
        const char *kind, *yaml, *words;
    } rows[] = {
        {"probe", "{every: 5s}", "url"},
        {"probe", "{url: \"http://${host}/\", evry: 5s}", "did you mean `every`"},
        {"probe", "{url: \"http://${Host}/\"}", "`${Host}` is not known in `url`"},
        {"probe", "{url: \"http://${host/\"}", "`${` is not closed in `url`"},
        {"probe", "{url: \"http://${}/\"}", "is not known in `url`"},
        {"probe", "{url: \"http://${host}/\", every: 10ms}", "`every` must be 100ms or more"},
        {"probe", "{url: \"http://${host}/\", requests: 0}", "between 1 and 200"},
        {"probe", "{url: \"http://${host}/\", status: [200, 20x]}", "`20x`"},
        {"probe", "{url: \"http://${host}/\", status: 600}", "between 100 and 599"},
        {"probe", "{url: \"http://${host}/\", max_latency: 6s}", "longer than `timeout`"},
        {"probe", "{url: \"http://${host}/\", timeout: 2m}", "between 10ms and 1m"},
        {"probe", "{url: \"http://${host}/\", max_failures: 3, max: 1%}", "not both"},
        {"probe", "{url: \"http://${host}/\", max: 100%}", "below 100%"},
        {"probe", "{url: \"http://front/\", requests: 5}", "cannot be told from the baseline"},
        {"cloudwatch", "{namespace: L}", "give `bad` and `total` (a rate), or `metric`"},
        {"cloudwatch", "{namespace: L, metric: T, max: 1s}", "`metric` needs a `statistic`"},
        {"cloudwatch", "{metric: T, statistic: p95, max: 1s}", "`namespace` is missing"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p95}", "`metric` needs `max`"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: P95, max: 1}",
         "`P95` is no statistic of CloudWatch"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p101, max: 1}", "is no statistic"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p95, unit: ms, max: 1}",
         "`ms` is no unit of CloudWatch"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p95, unit: Count, max: 1s}",
         "`max` must be a number in the unit of the metric"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p95, unit: Seconds, max: 80%}",
         "`max` must be a number in the unit of the metric"},
        {"cloudwatch", "{namespace: L, metric: T, statistic: p95, max: lots}", "not `lots`"},
        {"cloudwatch", "{namespace: L, metric: T, expression: x, max: 1, statistic: Sum}",
         "not both"},
        {"cloudwatch", "{namespace: L, bad: E}", "`total` is missing"},
        {"cloudwatch", "{namespace: L, bad: E, total: R}", "neither `bad` nor `total` names"},
        {"cloudwatch", "{namespace: L, bad: {metric: E, dimensions: {R: '${revision}'}}, total: R}",
         "only one of `bad` and `total`"},
        {"cloudwatch",
         "{namespace: L, dimensions: {R: '${revision}'}, bad: {metric: E, statistic: Average}, "
         "total: R}",
         "`Average` is no count"},
        {"cloudwatch",
         "{namespace: L, dimensions: {R: '${revision}'}, bad: E, total: {metric: R, sparse: true}}",
         "`sparse` is for `bad`"},
        {"cloudwatch", "{namespace: L, dimensions: {R: '${revison}'}, bad: E, total: R}",
         "`${revison}` is not known in `dimensions`; known are `${revision}`"},
        {"cloudwatch", "{namespace: L, bad: E, total: R, metric: T}", "not both"},
        {"cloudwatch", "{namespace: L, dimensions: {R: '${revision}'}, bad: E, total: R, max: 5}",
         "a share below 100%"},
        {"cloudwatch", "{expression: '${errors} / ${all}', max: 1}",
         "`${errors}` is not known in `expression`"},
        {"cloudwatch", "{expression: 'SELECT SUM(E) FROM L WHERE R = ${revision}', max: 1}",
         "`${revision}` must stand in quotes"},
        {"cloudwatch", "{expression: \"'${revision}' + ${target}\", max: 1}",
         "`${target}` must stand in quotes"},
        {"cloudwatch", "{namespace: L, inputs: {Errors: E}, expression: '1', max: 1}",
         "`Errors` cannot name an input"},
        {"cloudwatch", "{namespace: L, inputs: {target: E}, expression: '1', max: 1}",
         "`target` cannot name an input"},
        {"cloudwatch", "{inputs: {a: {expression: '${a}'}}, expression: '${a}', max: 1}",
         "an input is a metric"},
        {"cloudwatch", "{expression: '1', max: 1, every: 15s}", "`every` must be 1s, 5s"},
        {"cloudwatch", "{expression: '1', max: 1, every: 90s}", "`every` must be 1s, 5s"},
        {"cloudwatch", "{expression: '1', max: 1, every: 2h}", "up to 1h"},
        {"cloudwatch", "{expression: '1', max: 1, timeout: 5m}", "between 1s and 2m"},
        {"cloudwatch", "{expression: '1', max: 1, region: EU}", "`EU` is no AWS region"},
        {"cloudwatch", "{expression: '1', max: 1, role: release}", "must be the ARN of a role"},
        {"cloudwatch", "{expression: '1', compare: mann-whitney}", "nothing names `${revision}`"},
        {"cloudwatch", "{expression: \"'${revision}'\", compare: mann-whitney, max: 1}",
         "give one, or two metrics"},
        {"cloudwatch", "{expression: '1', max: 1, tolerance: 5%}", "`tolerance` says nothing"},
        {"prometheus", "{bad: a, total: b}", "url"},
        {"prometheus", "{url: http://p}", "give `bad` and `total` (a rate), or `query`"},
        {"prometheus", "{url: http://p, bad: 'a{r=\"${revision}\"}'}", "`total` is missing"},
        {"prometheus", "{url: http://p, total: a}", "`bad` is missing"},
        {"prometheus", "{url: http://p, bad: a, total: b}", "neither query names `${revision}`"},
        {"prometheus", "{url: http://p, bad: 'a{r=\"${revision}\"}', total: b}", "only one of"},
        {"prometheus", "{url: http://p, bad: '${revison}', total: '${revision}'}",
         "`${revison}` is not known in `bad`; known are `${revision}`, `${baseline}`, `${window}`, "
         "`${target}`, and `${env.NAME}`"},
        {"prometheus", "{url: http://p, query: q}", "`query` needs `max`"},
        {"prometheus", "{url: http://p, query: q, max: lots}", "not `lots`"},
        {"prometheus", "{url: http://p, query: q, max: -1}", "not `-1`"},
        {"prometheus", "{url: http://p, bad: '${revision}', total: '${revision}', max: 5}",
         "a share below 100%"},
        {"prometheus", "{url: http://p, query: q, max: 1, bad: a, total: b}", "not both"},
        {"prometheus", "{url: 'http://${host}', query: q, max: 1}", "`${host}` is not known"},
        {"prometheus", "{url: http://p, query: q, max: 1, token: abc}",
         "`token` must not stand in a file"},
        {"prometheus", "{url: http://p, query: q, max: 1, every: 500ms}", "1s or more"},
        {"prometheus", "{url: http://p, query: q, compare: mann-whitney}",
         "does not name `${revision}`"},
        {"prometheus", "{url: http://p, query: '${revision}', compare: mann-whitney, max: 1}",
         "give one, or two metrics"},
        {"prometheus", "{url: http://p, query: '${revision}', compare: t-test}",
         "must be `max` or `mann-whitney`"},
        {"prometheus",
         "{url: http://p, query: '${revision}', compare: mann-whitney, confidence: 100%}",
         "`confidence` must be above 0% and below 100%"},
        {"prometheus",
         "{url: http://p, query: '${revision}', compare: mann-whitney, tolerance: 100%}",
         "`tolerance` must be below 100%"},
        {"prometheus", "{url: http://p, query: q, max: 1, confidence: 95%}",
         "`confidence` says nothing without `compare: mann-whitney`"},
        {"prometheus", "{url: http://p, query: q, max: 1, tolerance: 5%}",
         "`tolerance` says nothing"},
        {"prometheus",
         "{url: http://p, bad: '${revision}', total: '${revision}', compare: mann-whitney}",
         "`compare` goes with `query`"},
        {"prometheus", "{url: http://p, query: q, max: 1, burn_rate: {slo: 99.9%}}",
         "`burn_rate` needs `bad` and `total`"},
        {"prometheus", "{url: http://p, bad: 'a[${window}]', total: b, burn_rate: {slo: 99.9%}}",
         "must both name `${window}`"},
        {"prometheus",
         "{url: http://p, bad: 'a[${window}]', total: 'b[${window}]', burn_rate: {slo: 99.9%}, "
         "max: "
         "1%}",
         "`max` says nothing beside `burn_rate`"},
        {"prometheus",
         "{url: http://p, bad: 'a[${window}]', total: 'b[${window}]', burn_rate: {slo: 100%}}",
         "`slo` must be above 0% and below 100%"},
        {"prometheus", "{url: http://p, bad: 'a[${window}]', total: 'b[${window}]', burn_rate: {}}",
         "slo"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_null(bind_yaml(&arena, rows[i].kind, rows[i].yaml, &err), "%s", rows[i].yaml);
        cr_expect(strstr(err.message, rows[i].words), "%s\n  says: %s\n  want: %s", rows[i].yaml,
                  err.message, rows[i].words);
        cr_expect_gt(err.at.line, 0, "%s", rows[i].yaml);
    }
}

Test(metric_shapes, traits)
{
    static const struct {
        const char *kind, *yaml;
        struct metric_traits traits;
    } rows[] = {
        {"probe",
         "{url: \"http://${host}/health\"}",
         {.every_ms = 5000, .failure_limit = 3, .has_baseline = true, .expected_per_minute = 12}},
        {"probe",
         "{url: \"http://${host}:${port}/\", every: 1s, requests: 20}",
         {.is_rate = true,
          .every_ms = 1000,
          .max = -1,
          .has_baseline = true,
          .expected_per_minute = 1200}},
        {"probe",
         "{url: \"http://${host}/\", requests: 2, max_failures: 7, every: 2s}",
         {.every_ms = 2000, .failure_limit = 7, .has_baseline = true, .expected_per_minute = 60}},
        {"probe",
         "{url: \"${env.FRONT}/health\", max_failures: 2}",
         {.every_ms = 5000, .failure_limit = 2, .expected_per_minute = 12}},
        {"probe",
         "{url: \"http://front/\", requests: 4, max: 2%}",
         {.is_rate = true, .every_ms = 5000, .max = 0.02, .expected_per_minute = 48}},
        {"prometheus",
         "{url: http://p, bad: '${revision}', total: '${revision}'}",
         {.is_rate = true,
          .every_ms = 60000,
          .lag_ms = 30000,
          .max = -1,
          .has_baseline = true,
          .has_history = true}},
        {"prometheus",
         "{url: http://p, bad: a, total: b, max: 0.5%, lag: 2m}",
         {.is_rate = true, .every_ms = 60000, .lag_ms = 120000, .max = 0.005, .has_history = true}},
        {"prometheus",
         "{url: http://p, query: q, max: 800ms, every: 1m, max_failures: 0}",
         {.every_ms = 60000, .lag_ms = 30000, .max = 0.8}},
        {"prometheus",
         "{url: http://p, query: q, max: 12.5}",
         {.every_ms = 60000, .lag_ms = 30000, .max = 12.5, .failure_limit = 2}},
        {"prometheus",
         "{url: http://p, query: 'q{r=\"${revision}\"}', compare: mann-whitney, tolerance: 10%}",
         {.compares = true,
          .confidence = 0.98,
          .tolerance = 0.1,
          .every_ms = 60000,
          .lag_ms = 30000,
          .max = -1,
          .has_baseline = true,
          .has_history = true}},
        {"prometheus",
         "{url: http://p, bad: 'a[${window}]', total: 'b[${window}]', burn_rate: 99.9%}",
         {.every_ms = 60000, .lag_ms = 30000, .max = -1, .budget = 0.001}},
        {"prometheus",
         "{url: http://p, query: q, max: 30%}",
         {.every_ms = 60000, .lag_ms = 30000, .max = 0.3, .failure_limit = 2}},
        {"cloudwatch", // the figures of a moment are known a period and `lag` later
         "{namespace: L, dimensions: {R: '${revision}'}, bad: E, total: R}",
         {.is_rate = true,
          .every_ms = 60000,
          .lag_ms = 180000,
          .max = -1,
          .has_baseline = true,
          .has_history = true}},
        {"cloudwatch", // counts are asked for by the minute
         "{namespace: L, bad: E, total: R, max: 0.5%, every: 5m, lag: 4m}",
         {.is_rate = true,
          .every_ms = 300000,
          .lag_ms = 300000,
          .max = 0.005,
          .has_history = true}},
        {"cloudwatch",
         "{namespace: L, metric: T, statistic: p95, max: 800ms, every: 5m, max_failures: 0}",
         {.every_ms = 300000, .lag_ms = 420000, .max = 0.8}},
        {"cloudwatch",
         "{namespace: L, metric: T, statistic: p99.9, unit: Milliseconds, max: 800ms, every: 10s}",
         {.every_ms = 10000, .lag_ms = 130000, .max = 800, .failure_limit = 2}},
        {"cloudwatch",
         "{namespace: L, metric: C, statistic: TM(10%:90%), max: 80%}",
         {.every_ms = 60000, .lag_ms = 180000, .max = 80, .failure_limit = 2}},
        {"cloudwatch",
         "{namespace: L, inputs: {t: {metric: T, statistic: p95, dimensions: {R: '${revision}'}}}, "
         "expression: '${t} * 1000', compare: mann-whitney}",
         {.compares = true,
          .confidence = 0.98,
          .tolerance = 0.25,
          .every_ms = 60000,
          .lag_ms = 180000,
          .max = -1,
          .has_baseline = true,
          .has_history = true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct metric_traits have;
        const struct metric_traits *want = &rows[i].traits;
        const void *config = bind_yaml(&arena, rows[i].kind, rows[i].yaml, &err);
        cr_assert(config, "%s: %s", rows[i].yaml, err.message);
        metric_kind_of(str_of(rows[i].kind))->traits(config, &have);
        cr_expect_eq(have.is_rate, want->is_rate, "%s", rows[i].yaml);
        cr_expect_eq(have.has_baseline, want->has_baseline, "%s", rows[i].yaml);
        cr_expect_eq(have.has_history, want->has_history, "%s", rows[i].yaml);
        cr_expect_eq(have.compares, want->compares, "%s", rows[i].yaml);
        cr_expect(!want->compares || (fabs(have.confidence - want->confidence) < 1e-12 &&
                                      fabs(have.tolerance - want->tolerance) < 1e-12),
                  "%s", rows[i].yaml);
        cr_expect_float_eq(have.budget, want->budget, 1e-12, "%s: %g", rows[i].yaml, have.budget);
        cr_expect_eq(have.every_ms, want->every_ms, "%s", rows[i].yaml);
        cr_expect_eq(have.lag_ms, want->lag_ms, "%s", rows[i].yaml);
        cr_expect_eq(have.failure_limit, want->failure_limit, "%s", rows[i].yaml);
        cr_expect_float_eq(have.max, want->max, 1e-12, "%s: %g", rows[i].yaml, have.max);
        cr_expect_float_eq(have.expected_per_minute, want->expected_per_minute, 1e-9, "%s",
                           rows[i].yaml);
    }
}

Test(metric_shapes, kinds_are_found_by_name)
{
    cr_expect_null(metric_kind_of(STR("datadog")));
    cr_expect_null(metric_kind_of(STR("")));
    for (size_t i = 0; metric_kinds[i]; i++)
        cr_expect_eq(metric_kind_of(str_of(metric_kinds[i]->name)), metric_kinds[i]);
}

Test(metric_shapes, environment_names_are_checked_before_anything_is_touched)
{
    static const struct {
        const char *kind, *yaml;
    } rows[] = {{"probe", "{url: \"${env.FRONT}/${host}\"}"},
                {"prometheus", "{url: \"${env.FRONT}\", query: q, max: 1}"},
                {"prometheus", "{url: http://p, query: q, max: 1, token: \"${env.FRONT}\"}"},
                {"prometheus", "{url: http://p, query: 'q{a=\"${env.FRONT}\"}', max: 1}"}};
    static const struct template_value env[] = {{"env.FRONT", STR_INIT("http://127.0.0.1:1")}, {0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct metric *metric = NULL;
        struct metric_setup setup = {.name = "m"};
        const struct metric_kind *kind = metric_kind_of(str_of(rows[i].kind));
        const void *config = bind_yaml(&arena, rows[i].kind, rows[i].yaml, &err);
        cr_assert(config, "%s", err.message);
        cr_expect_not(kind->open(config, &setup, &metric, &err));
        cr_expect(strstr(err.message, "list FRONT under `env:`"), "%s", err.message);
        setup.variables = env;
        cr_assert(kind->open(config, &setup, &metric, &err), "%s", err.message);
        kind->close(metric);
    }
}
