// What the table entry of a kind says, and what its page says, is the same.
#include "pages.h"
#include "target_scene.h"

#include "gate/doc/json.h"

#include <criterion/criterion.h>

enum { ALL = 1000000 };

TestSuite(target_pages, .timeout = 120);

static str page_of(struct arena *arena, const struct target_row *row)
{
    if (row->section)
        return page_section(page_read(arena, "deploy/targets/README.md"), row->section);
    str path = arena_format(arena, "deploy/targets/%s.md", row->kind);
    return page_read(arena, path.data);
}

Test(target_pages, say_what_the_field_tables_say)
{
    for (const struct target_row *row = target_rows; row->kind; row++) {
        struct arena arena = {0};
        const struct shape *shape = target_kind_of(str_of(row->kind))->shape;
        str page = page_of(&arena, row);
        page_names_fields(page, row->kind, shape);
        page_tables_name_only_fields(page, row->kind, shape);
        cr_expect_gt(page_examples_bind(page, "targets", "kind", row->kind, shape), 0,
                     "%s: its page has no example", row->kind);
        arena_done(&arena);
    }
}

Test(target_pages, have_what_is_promised_of_each)
{
    static const char *const promised[] = {"settled", "revert", "observe",
                                           "stage",   "shift",  "promote"};
    for (const struct target_row *row = target_rows; row->kind; row++) {
        struct arena arena = {0};
        str page = page_of(&arena, row);
        if (row->section) // the verbs of all kinds stand at the beginning
            page = page_read(&arena, "deploy/targets/README.md");
        for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
            cr_expect(page_has_word(page, str_of(promised[i])), "%s: its page does not speak of %s",
                      row->kind, promised[i]);
        arena_done(&arena);
    }
}

// ---- permissions -------------------------------------------------------------------------------

static bool is_asked(const struct target_permissions *asked, str action)
{
    for (size_t i = 0; i < asked->count; i++)
        if (str_is(action, asked->wanted[i].action))
            return true;
    return false;
}

static bool asked_by_some_row(const char *kind, str action)
{
    bool found = false;
    for (const struct target_row *row = target_rows; row->kind && !found; row++) {
        struct target_scene scene;
        struct target_permissions asked = {0};
        if (strcmp(row->kind, kind) != 0)
            continue;
        target_scene_open(&scene, row, IDENTITY_KEYS);
        scene.kind->permissions(scene.target, &scene.arena, &asked);
        found = is_asked(&asked, action);
        target_scene_close(&scene);
    }
    return found;
}

static bool is_listed(const char *const *list, str word)
{
    for (; list && *list; list++)
        if (str_is(word, *list))
            return true;
    return false;
}

// "ecs:UpdateService", "compute.images.get": of those services alone that doctor knows of.
static bool is_permission(str word, bool google)
{
    static const char *const services[] = {
        "ecs:", "ecr:", "iam:", "elasticloadbalancing:", "lambda:", "s3:", NULL};
    static const char *const apis[] = {"run.", "compute.", "iam.", "artifactregistry.", NULL};
    const char *const *all = google ? apis : services;
    if (str_is(word, "iam:PassedToService")) // is a condition
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!((word.data[i] >= 'a' && word.data[i] <= 'z') ||
              (word.data[i] >= 'A' && word.data[i] <= 'Z') || word.data[i] == word.data[0] ||
              strchr(":.0123456789", word.data[i])))
            return false;
    for (; *all; all++)
        if (str_starts(word, str_of(*all)) && word.len > strlen(*all))
            return true;
    return false;
}

// Every permission that the page lists is asked for, but for those that the row names.
static void expect_all_asked(const struct target_row *row, str page, bool google)
{
    str rest = google ? page_section(page, "## Permissions") : page, word;
    while (!google && rest.len) { // in the policies, between two "
        size_t at = str_find(rest, '"');
        if (at == STR_NONE)
            break;
        rest = str_from(rest, at + 1);
        size_t end = str_find(rest, '"');
        word = str_first(rest, end == STR_NONE ? rest.len : end);
        if (is_permission(word, false))
            cr_expect(is_listed(row->unasked, word) != asked_by_some_row(row->kind, word),
                      "%s: its page has " STR_FMT ", which doctor does not ask for", row->kind,
                      STR_ARG(word));
    }
    while (google && rest.len) {
        str line = str_cut(&rest, '\n'), cell = str_from(line, 1);
        cell = str_cut(&cell, '|');
        while (str_starts(line, STR("|")) && page_quoted(&cell, &word))
            if (is_permission(word, true))
                cr_expect(is_listed(row->unasked, word) != asked_by_some_row(row->kind, word),
                          "%s: its page has " STR_FMT ", which doctor does not ask for", row->kind,
                          STR_ARG(word));
    }
}

Test(target_pages, list_the_permissions_that_doctor_asks_for)
{
    for (const struct target_row *row = target_rows; row->kind; row++) {
        struct target_scene scene;
        struct target_permissions asked = {0};
        target_scene_open(&scene, row, IDENTITY_KEYS);
        str page = page_of(&scene.arena, row);
        if (scene.kind->permissions) {
            scene.kind->permissions(scene.target, &scene.arena, &asked);
            cr_expect(!asked.aws != !asked.google, "%s", row->name);
            cr_expect_gt(asked.count, 0, "%s", row->name);
            for (size_t i = 0; i < asked.count; i++)
                cr_expect(page_has_word(page, str_of(asked.wanted[i].action)),
                          "%s: doctor asks for %s, and its page does not have it", row->name,
                          asked.wanted[i].action);
            for (const char *const *word = row->unasked; word && *word; word++)
                cr_expect(page_has_word(page, str_of(*word)), "%s: %s", row->name, *word);
            expect_all_asked(row, page, asked.google != NULL);
        }
        cr_expect_eq(scene.world.asked, 0, "%s: something was asked", row->name);
        target_scene_close(&scene);
    }
}

// ---- capabilities ------------------------------------------------------------------------------

static void expect_rounding(const struct target_row *row, const struct target_scene *scene)
{
    uint32_t before = 0;
    unsigned can = scene->kind->capabilities(scene->config);
    cr_expect_eq(scene->kind->round_share(scene->target, 0), 0, "%s", row->name);
    cr_expect_eq(scene->kind->round_share(scene->target, ALL), ALL, "%s", row->name);
    for (uint32_t wish = 1; wish < ALL; wish += wish < 5000 ? 7 : 997) {
        uint32_t share = scene->kind->round_share(scene->target, wish);
        uint32_t off = share > wish ? share - wish : wish - share;
        cr_expect(share > 0 && share <= ALL, "%s: %u becomes %u", row->name, wish, share);
        cr_expect_geq(share, before, "%s: %u becomes %u, less than a smaller wish", row->name, wish,
                      share);
        cr_expect_eq(scene->kind->round_share(scene->target, share), share, "%s: %u, twice",
                     row->name, wish);
        cr_expect_leq(off, row->grain_ppm, "%s: %u becomes %u", row->name, wish, share);
        // a part of a third is counted in whole millionths
        cr_expect(!(can & TARGET_INSTANCES) || share + 1 >= wish, "%s: %u becomes only %u",
                  row->name, wish, share);
        cr_expect(row->grain_ppm != 1 || share == wish, "%s: %u", row->name, wish);
        before = share;
    }
}

Test(target_pages, capabilities_are_kept_by_the_shares)
{
    for (const struct target_row *row = target_rows; row->kind; row++) {
        struct target_scene scene;
        struct target_outcome outcome = {0};
        struct error err = {0};
        target_scene_open(&scene, row, IDENTITY_KEYS);
        unsigned can = scene.kind->capabilities(scene.config);
        cr_expect_not((can & TARGET_WEIGHTS) && (can & TARGET_INSTANCES), "%s", row->name);
        cr_expect(row->grain_ppm == ALL || (can & (TARGET_WEIGHTS | TARGET_INSTANCES)),
                  "%s cannot have any share, and its row says so", row->name);
        cr_expect(!(can & TARGET_INSTANT_REVERT) || (can & TARGET_STAGING),
                  "%s: nothing runs that one could go back to at once", row->name);
        scene.world.good_percent = 100;
        struct target_intent look = target_row_intent(row, INTENT_OBSERVE);
        cr_assert_eq(target_scene_run(&scene, &look, &outcome, &err), PROGRESS_DONE);
        expect_rounding(row, &scene); // once it was looked at: how many instances there are
        target_scene_close(&scene);
    }
}

// ---- configuration -----------------------------------------------------------------------------

// `yaml` without the line of `key`, and with `line` behind it.
static const char *edited(struct arena *arena, const char *yaml, const char *key, const char *line)
{
    str rest = str_of(yaml), made = {NULL, 0};
    str begins = arena_format(arena, "%s:", key);
    while (rest.len) {
        str one = str_cut(&rest, '\n');
        if (!str_starts(one, begins))
            made = arena_format(arena, STR_FMT STR_FMT "\n", STR_ARG(made), STR_ARG(one));
    }
    return arena_format(arena, STR_FMT "%s", STR_ARG(made), line).data;
}

static void expect_refused(const struct target_row *row, const char *yaml, const char *word)
{
    struct arena arena = {0};
    struct error first = {0};
    size_t count = 0;
    const void *config =
        target_bind(&arena, target_kind_of(str_of(row->kind)), yaml, &first, &count);
    cr_expect_null(config, "%s takes this:\n%s", row->kind, yaml);
    cr_expect_gt(first.at.line, 0, "%s: %s", row->kind, first.message);
    cr_expect_str_eq(first.at.file ? first.at.file : "", "sluice.yml");
    cr_expect_null(hostile_blemish(first.message), "%s: %s", row->kind, first.message);
    cr_expect_not_null(strstr(first.message, word), "%s: `%s` is not in: %s", row->kind, word,
                       first.message);
    arena_done(&arena);
}

Test(target_pages, mistakes_of_the_section_are_told_by_file_and_line)
{
    for (const struct target_row *row = target_rows; row->kind; row++) {
        struct arena arena = {0};
        const struct shape *shape = target_kind_of(str_of(row->kind))->shape;
        expect_refused(row, edited(&arena, row->yaml, "-", "nonsense: 1\n"), "nonsense");
        for (const struct shape_field *field = shape->fields; field->kind != SHAPE_END; field++) {
            const char *wrong = arena_format(&arena, "%s: [[{a: {b: 1}}]]\n", field->key).data;
            const char *empty = arena_format(&arena, "%s:\n", field->key).data;
            if (field->required)
                expect_refused(row, edited(&arena, row->yaml, field->key, ""), field->key);
            expect_refused(row, edited(&arena, row->yaml, field->key, wrong), "");
            expect_refused(row, edited(&arena, row->yaml, field->key, empty), field->key);
        }
        arena_done(&arena);
    }
}
