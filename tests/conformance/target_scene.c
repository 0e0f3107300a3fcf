#include "target_scene.h"

#include "gate/base/template.h"
#include "gate/doc/yaml.h"

#include <criterion/criterion.h>

const void *target_bind(struct arena *arena, const struct target_kind *kind, const char *yaml,
                        struct error *ret_first, size_t *ret_count)
{
    struct problems problems = {.arena = arena};
    const struct node *node;
    struct error err = {0};
    cr_assert(yaml_parse(arena, "sluice.yml", str_of(yaml), &node, &err), "%s in:\n%s", err.message,
              yaml);
    void *config = arena_alloc(arena, kind->shape->size_bytes);
    (void)shape_bind(arena, kind->shape, node, config, &problems);
    *ret_count = problems.count + problems.dropped;
    problems_sort(&problems);
    if (!problems.count)
        return config;
    *ret_first = problems.items[0];
    return NULL;
}

void target_scene_open(struct target_scene *scene, const struct target_row *row,
                       enum hostile_identity as)
{
    static const struct template_value variables[] = {
        {"env.TOKEN", STR_INIT(HOSTILE_SECRET ".of.the.environment")}, {NULL, {NULL, 0}}};
    static const struct google_account runner = {
        .workload_identity_provider =
            "projects/1/locations/global/workloadIdentityPools/p/providers/q"};
    struct error err = {0};
    size_t count = 0;
    *scene = (struct target_scene){.kind = target_kind_of(str_of(row->kind))};
    hostile_open(&scene->world, row->lines);
    scene->world.as = as;
    cr_assert_not_null(scene->kind, "there is no kind %s", row->kind);
    scene->config = target_bind(&scene->arena, scene->kind, row->yaml, &err, &count);
    cr_assert_not_null(scene->config, "%s: %u:%u: %s", row->name, err.at.line, err.at.column,
                       err.message);
    struct target_setup setup = {.name = "web",
                                 .exec = &scene->world.exec,
                                 .http = &scene->world.http,
                                 .clock = &scene->world.clock,
                                 .variables = variables,
                                 .cloud = scene->world.cloud,
                                 .google = as == IDENTITY_RUNNER ? &runner : NULL};
    cr_assert(scene->kind->open(scene->config, &setup, &scene->target, &err), "%s: %s", row->name,
              err.message);
}

void target_scene_close(struct target_scene *scene)
{
    scene->kind->close(scene->target);
    hostile_close(&scene->world);
    arena_done(&scene->arena);
}

struct target_intent target_row_intent(const struct target_row *row, enum intent_verb verb)
{
    bool whole = row->grain_ppm == 1000000;
    struct target_intent intent = {.verb = verb,
                                   .next = row->next,
                                   .good = row->good,
                                   .share_ppm = whole ? 1000000 : 500000,
                                   .key = STR("01J00000000000000000000000")};
    if (verb == INTENT_STAGE)
        intent.next.revision = str_of(row->packed);
    return intent;
}

enum progress target_scene_run(struct target_scene *scene, const struct target_intent *intent,
                               struct target_outcome *ret, struct error *err)
{
    struct target_operation *operation;
    enum progress progress = PROGRESS_PENDING;
    int64_t began_ms = scene->world.now_ms;
    scene->took_s = 0;
    if (!scene->kind->start(scene->target, intent, &operation, err))
        return PROGRESS_FAILED;
    while (progress == PROGRESS_PENDING && scene->took_s < SCENE_LIMIT_S) {
        progress = scene->kind->poll(operation, &scene->arena, ret, err);
        hostile_turn(&scene->world);
        scene->took_s = (scene->world.now_ms - began_ms) / 1000;
    }
    scene->kind->drop(operation);
    return progress;
}

const char *intent_verb_word(enum intent_verb verb)
{
    static const char *const words[] = {[INTENT_OBSERVE] = "observe",
                                        [INTENT_STAGE] = "stage",
                                        [INTENT_SHIFT] = "shift",
                                        [INTENT_PROMOTE] = "promote",
                                        [INTENT_REVERT] = "revert"};
    return words[verb];
}
