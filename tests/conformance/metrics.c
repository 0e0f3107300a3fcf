// What every source of metrics promises: that no answer is never a good one.
#include "metric_rows.h"
#include "pages.h"

#include "gate/doc/yaml.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { LIMIT_S = 1800, MIXTURES = 400, SEED = 20261122, ANSWERS = 8 };

TestSuite(metrics, .timeout = 120);

struct scene {
    struct hostile world;
    struct arena arena;
    const struct metric_kind *kind;
    struct metric *metric;
    struct metric_traits traits;
    struct hostile_line lines[ANSWERS]; // with figures in place
};

static const void *bind(struct arena *arena, const struct metric_kind *kind, const char *yaml,
                        struct error *ret_first)
{
    struct problems problems = {.arena = arena};
    const struct node *node;
    struct error err = {0};
    cr_assert(yaml_parse(arena, "sluice.yml", str_of(yaml), &node, &err), "%s", err.message);
    void *config = arena_alloc(arena, kind->shape->size_bytes);
    (void)shape_bind(arena, kind->shape, node, config, &problems);
    problems_sort(&problems);
    return problems_none(&problems, ret_first) ? config : NULL;
}

static const char *with_figure(struct arena *arena, const char *answer, const char *figure)
{
    str rest = str_of(answer), made = {NULL, 0};
    while (rest.len) {
        size_t at = str_find(rest, '#');
        str part = str_first(rest, at);
        made = arena_format(arena, STR_FMT STR_FMT "%s", STR_ARG(made), STR_ARG(part),
                            at == STR_NONE ? "" : figure);
        rest = str_from(rest, at == STR_NONE ? rest.len : at + 1);
    }
    return made.data;
}

static void open_scene(struct scene *scene, const struct metric_row *row, const char *figure,
                       enum hostile_identity as)
{
    static const struct template_value env[] = {{"env.TOKEN", STR_INIT(HOSTILE_SECRET ".of.it")},
                                                {NULL, {NULL, 0}}};
    static const struct google_account runner = {
        .workload_identity_provider =
            "projects/1/locations/global/workloadIdentityPools/p/providers/q"};
    struct error err = {0};
    *scene = (struct scene){.kind = metric_kind_of(str_of(row->kind))};
    cr_assert_not_null(scene->kind, "there is no source %s", row->kind);
    for (size_t i = 0; row->lines[i].holds; i++) {
        scene->lines[i] = row->lines[i];
        scene->lines[i].answer = with_figure(&scene->arena, row->lines[i].answer, figure);
    }
    hostile_open(&scene->world, scene->lines);
    scene->world.now_ms += 200000;
    scene->world.as = as;
    const void *config = bind(&scene->arena, scene->kind, row->yaml, &err);
    cr_assert_not_null(config, "%s: %u:%u: %s", row->name, err.at.line, err.at.column, err.message);
    scene->kind->traits(config, &scene->traits);
    struct metric_setup setup = {.name = "errors",
                                 .http = &scene->world.http,
                                 .clock = &scene->world.clock,
                                 .variables = env,
                                 .cloud = scene->world.cloud,
                                 .google = as == IDENTITY_RUNNER ? &runner : NULL};
    cr_assert(scene->kind->open(config, &setup, &scene->metric, &err), "%s: %s", row->name,
              err.message);
}

static void close_scene(struct scene *scene)
{
    scene->kind->close(scene->metric);
    hostile_close(&scene->world);
    arena_done(&scene->arena);
}

// 08:00:30 to 08:01:30 of 2027-01-15.
static struct metric_question question_of(const char *revision, const char *baseline)
{
    static const struct metric_endpoint endpoints[] = {
        {.host = STR_INIT("app1"), .canary = true},
        {.host = STR_INIT("app2"), .canary = false},
    };
    return (struct metric_question){.target = STR("web"),
                                    .revision = str_of(revision),
                                    .baseline = str_of(baseline),
                                    .endpoints = endpoints,
                                    .endpoint_count = 2,
                                    .from_ms = INT64_C(1800000030000),
                                    .to_ms = INT64_C(1800000090000),
                                    .windows = 1};
}

static enum progress read_in(struct scene *scene, const struct metric_question *question, int polls,
                             struct metric_sample *ret, struct error *err)
{
    struct metric_reading *reading;
    enum progress progress = PROGRESS_PENDING;
    if (!scene->kind->start(scene->metric, question, &reading, err))
        return PROGRESS_FAILED;
    for (int i = 0; i < polls && progress == PROGRESS_PENDING; i++) {
        progress = scene->kind->poll(reading, &scene->arena, ret, err);
        if (progress == PROGRESS_PENDING && scene->world.open == 0) {
            int64_t wake_ms = scene->kind->wake_ms ? scene->kind->wake_ms(reading) : 0;
            cr_expect(wake_ms > 0 && wake_ms < scene->world.now_ms + INT64_C(3600000),
                      "%s waits for nothing, until %lld", scene->kind->name, (long long)wake_ms);
        }
        hostile_turn(&scene->world);
    }
    scene->kind->drop(reading);
    return progress;
}

// ---- the table ---------------------------------------------------------------------------------

Test(metrics, every_source_has_a_row_and_a_section_of_the_page)
{
    struct arena arena = {0};
    str page = page_read(&arena, "deploy/metrics/README.md");
    for (size_t i = 0; metric_kinds[i]; i++) {
        const struct metric_kind *kind = metric_kinds[i];
        bool found = false;
        for (const struct metric_row *row = metric_rows; row->kind; row++)
            found = found || strcmp(row->kind, kind->name) == 0;
        cr_expect(found, "%s has no row in metric_rows.c", kind->name);
        cr_expect(kind->shape && kind->traits && kind->open && kind->start && kind->poll &&
                      kind->drop && kind->close,
                  "%s", kind->name);
        str section = page_section(page, arena_format(&arena, "## `%s`", kind->name).data);
        page_names_fields(section, kind->name, kind->shape);
        page_tables_name_only_fields(section, kind->name, kind->shape);
        size_t examples = page_examples_bind(section, "metrics", "source", kind->name, kind->shape);
        cr_expect_gt(examples, 0, "%s has no example", kind->name);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(metric_kinds[k]->name, kind->name);
    }
    arena_done(&arena);
}

Test(metrics, traits_are_of_one_piece)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++) {
        struct scene scene;
        open_scene(&scene, row, "5", IDENTITY_KEYS);
        const struct metric_traits *traits = &scene.traits;
        cr_expect_gt(traits->every_ms, 0, "%s", row->name);
        cr_expect_geq(traits->lag_ms, 0, "%s", row->name);
        cr_expect_eq(scene.kind->own, traits->expected_per_minute > 0, "%s", row->name);
        cr_expect(!scene.kind->own || (traits->lag_ms == 0 && !traits->has_history), "%s",
                  row->name);
        cr_expect(!(traits->is_rate && (traits->compares || traits->budget > 0)), "%s", row->name);
        cr_expect(traits->is_rate || traits->compares || traits->budget > 0 || traits->max >= 0,
                  "%s: nothing could ever be bad", row->name);
        close_scene(&scene);
    }
}

Test(metrics, mistakes_of_the_section_are_told_by_file_and_line)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++) {
        const struct metric_kind *kind = metric_kind_of(str_of(row->kind));
        for (const struct shape_field *field = kind->shape->fields; field; field++) {
            struct arena arena = {0};
            struct error err = {0};
            bool last = field->kind == SHAPE_END; // by then a key that nobody knows
            const char *key = last ? "nonsense" : field->key;
            str rest = str_of(row->yaml), made = {NULL, 0};
            while (rest.len) {
                str line = str_cut(&rest, '\n'), name = line;
                if (!str_is(str_cut(&name, ':'), key))
                    made = arena_format(&arena, STR_FMT STR_FMT "\n", STR_ARG(made), STR_ARG(line));
            }
            made = arena_format(&arena, STR_FMT "%s: [[{a: {b: 1}}]]\n", STR_ARG(made), key);
            cr_expect_null(bind(&arena, kind, made.data, &err), "%s takes:\n%s", row->name,
                           made.data);
            cr_expect_gt(err.at.line, 0, "%s: %s", row->name, err.message);
            cr_expect_str_eq(err.at.file ? err.at.file : "", "sluice.yml");
            cr_expect_null(hostile_blemish(err.message), "%s: %s", row->name, err.message);
            arena_done(&arena);
            if (last)
                break;
        }
    }
}

// ---- answers -----------------------------------------------------------------------------------

static void expect_words(const struct metric_row *row, const char *case_, const char *words)
{
    bool names = false;
    const char *blemish = hostile_blemish(words);
    cr_expect_null(blemish, "%s, %s: %s: %s", row->name, case_, blemish, words ? words : "");
    for (size_t i = 0; words && row->calls[i]; i++)
        names = names || strstr(words, row->calls[i]);
    cr_expect(names, "%s, %s: it does not say what was being asked: %s", row->name, case_,
              words ? words : "");
}

static bool is_fine(double value)
{
    return isfinite(value) && value >= 0;
}

// Whatever has a value has one that can be reckoned with.
static void expect_sample(const struct metric_row *row, const char *case_,
                          const struct metric_sample *sample)
{
    const struct counts *c = &sample->counts;
    cr_expect(!sample->has_value || isfinite(sample->value), "%s, %s", row->name, case_);
    cr_expect(is_fine(c->canary_bad) && is_fine(c->canary_total) && is_fine(c->baseline_bad) &&
                  is_fine(c->baseline_total),
              "%s, %s", row->name, case_);
    cr_expect(c->canary_bad <= c->canary_total && c->baseline_bad <= c->baseline_total, "%s, %s",
              row->name, case_);
    for (int i = 0; i < BURN_WINDOWS && sample->has_value; i++)
        cr_expect(is_fine(sample->burn[i].bad) && is_fine(sample->burn[i].total), "%s, %s",
                  row->name, case_);
}

Test(metrics, a_world_in_order_is_read)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++)
        for (int as = 0; as < 2; as++) {
            struct scene scene;
            struct metric_sample sample = {0};
            struct error err = {0};
            open_scene(&scene, row, "5", (enum hostile_identity)as);
            scene.world.good_percent = 100;
            struct metric_question question = question_of("v2", "v1");
            enum progress progress = read_in(&scene, &question, LIMIT_S, &sample, &err);
            cr_expect_eq(progress, PROGRESS_DONE, "%s: %s", row->name, err.message);
            cr_expect(sample.has_value, "%s: %s", row->name, sample.why);
            cr_expect_null(scene.world.unknown, "%s: %s", row->name, scene.world.unknown);
            expect_sample(row, "in order", &sample);
            close_scene(&scene);
        }
}

static void meet(const struct metric_row *row, int as, bool suspects,
                 const struct hostile_answer *answer)
{
    struct scene scene;
    struct metric_sample sample = {0};
    struct error err = {0};
    open_scene(&scene, row, "5", (enum hostile_identity)as);
    scene.world.always = answer;
    scene.world.suspects_identity = suspects;
    struct metric_question question = question_of("v2", "v1");
    enum progress progress = read_in(&scene, &question, LIMIT_S, &sample, &err);
    bool says = answer->manner == HOSTILE_SAYS && answer->status >= 200 && answer->status < 300;
    cr_expect_neq(progress, PROGRESS_PENDING, "%s, %s: it does not end", row->name, answer->name);
    if (progress == PROGRESS_FAILED)
        expect_words(row, answer->name, err.message);
    expect_sample(row, answer->name, &sample);
    if (progress == PROGRESS_DONE && scene.kind->own) { // a failure is its figure
        bool good = answer->manner == HOSTILE_CUT || (says && answer->status == 200);
        cr_expect_gt(sample.counts.canary_total, 0, "%s, %s", row->name, answer->name);
        cr_expect_eq(sample.counts.canary_bad, good ? 0 : sample.counts.canary_total, "%s, %s",
                     row->name, answer->name);
    } else if (progress == PROGRESS_DONE) {
        cr_expect_not(sample.has_value, "%s, %s: it has a value", row->name, answer->name);
        cr_expect(says || answer->manner == HOSTILE_CUT || sample.unanswered,
                  "%s, %s: that counts as an answer", row->name, answer->name);
    }
    if (progress == PROGRESS_DONE && (sample.why || !sample.has_value))
        expect_words(row, answer->name, sample.why);
    cr_expect_not(scene.world.told_secret, "%s, %s: a secret was told", row->name, answer->name);
    close_scene(&scene);
}

Test(metrics, what_is_no_answer_is_no_value)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++)
        for (size_t i = 0; i < hostile_answer_count; i++)
            for (int as = 0; as < 2; as++)
                for (int suspects = 0; suspects < 2; suspects++)
                    if (!suspects || strncmp(row->kind, "cloud", 5) == 0)
                        meet(row, as, suspects, &hostile_answers[i]);
}

Test(metrics, what_is_no_number_is_no_value)
{
    static const char *const figures[] = {"NaN",  "nan",     "Inf",  "+Inf", "-Inf", "1e999",
                                          "five", "-1e9999", "0x10", "5 5",  "5,0",  "",
                                          "true", "null",    "--5",  "1e",   "-5"};
    for (const struct metric_row *row = metric_rows; row->kind; row++)
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
            struct scene scene;
            struct metric_sample sample = {0};
            struct error err = {0};
            if (metric_kind_of(str_of(row->kind))->own ||
                (row->negative && strcmp(figures[i], "-5") == 0))
                continue;
            open_scene(&scene, row, figures[i], IDENTITY_KEYS);
            scene.world.good_percent = 100;
            struct metric_question question = question_of("v2", "v1");
            enum progress progress = read_in(&scene, &question, LIMIT_S, &sample, &err);
            cr_expect_neq(progress, PROGRESS_PENDING, "%s, %s", row->name, figures[i]);
            cr_expect(progress == PROGRESS_FAILED || !sample.has_value, "%s: %s is taken for %g",
                      row->name, figures[i], sample.value);
            expect_words(row, figures[i], progress == PROGRESS_FAILED ? err.message : sample.why);
            close_scene(&scene);
        }
}

Test(metrics, nothing_breaks_in_mixtures)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++)
        for (uint64_t seed = SEED; seed < SEED + MIXTURES; seed++) {
            struct scene scene;
            struct metric_sample sample = {0};
            struct error err = {0};
            char name[64];
            (void)snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
            open_scene(&scene, row, "5", (enum hostile_identity)(seed % 2));
            scene.world.random = seed;
            scene.world.good_percent = hostile_chance(&scene.world, 100);
            scene.world.suspects_identity = hostile_chance(&scene.world, 4) == 0;
            struct metric_question question = question_of("v2", seed % 3 ? "v1" : "");
            int polls =
                hostile_chance(&scene.world, 4) ? LIMIT_S : (int)hostile_chance(&scene.world, 12);
            enum progress progress = read_in(&scene, &question, polls, &sample, &err);
            if (progress == PROGRESS_FAILED)
                expect_words(row, name, err.message);
            if (progress == PROGRESS_DONE)
                expect_sample(row, name, &sample);
            if (progress == PROGRESS_DONE && !sample.has_value)
                cr_expect_null(hostile_blemish(sample.why), "%s, %s: %s", row->name, name,
                               sample.why);
            cr_expect(progress != PROGRESS_PENDING || polls < LIMIT_S, "%s, %s", row->name, name);
            close_scene(&scene);
        }
}

// ---- what is asked -----------------------------------------------------------------------------

Test(metrics, a_silent_source_is_waited_for_and_can_be_dropped)
{
    static const struct hostile_answer silence = {.name = "silence", .manner = HOSTILE_SILENT};
    for (const struct metric_row *row = metric_rows; row->kind; row++)
        for (int polls = 0; polls < 20; polls++) {
            struct scene scene;
            struct metric_sample sample = {0};
            struct error err = {0};
            open_scene(&scene, row, "5", IDENTITY_KEYS);
            scene.world.always = &silence;
            struct metric_question question = question_of("v2", "v1");
            enum progress progress = read_in(&scene, &question, polls, &sample, &err);
            cr_expect_eq(progress, PROGRESS_PENDING, "%s: %s", row->name, err.message);
            close_scene(&scene);
        }
}

Test(metrics, a_revision_cannot_end_the_text_that_it_stands_in)
{
    for (const struct metric_row *row = metric_rows; row->kind; row++) {
        struct scene scene;
        struct metric_sample sample = {0};
        struct error err = {0};
        open_scene(&scene, row, "5", IDENTITY_KEYS);
        scene.world.good_percent = 100;
        struct metric_question question = question_of(ROWS_EVIL, "v1");
        enum progress progress = read_in(&scene, &question, LIMIT_S, &sample, &err);
        str log = text_str(&scene.world.log);
        if (row->escaped) {
            cr_expect(str_search(log, str_of(row->escaped)) != STR_NONE,
                      "%s: %s is not in " STR_FMT, row->name, row->escaped,
                      STR_ARG(str_first(log, 4000)));
        } else {
            cr_expect_eq(log.len, 0, "%s: " STR_FMT, row->name, STR_ARG(log));
            cr_expect(progress == PROGRESS_FAILED || !sample.has_value, "%s", row->name);
        }
        close_scene(&scene);
    }
}
