#include "gcp_mig_scene.h"

#include "../expect.h"

void mig_scene_open(struct mig_scene *scene)
{
    *scene = (struct mig_scene){.good = {.release = STR("v1"), .revision = STR("web-v1")}};
    script_open(&scene->script, "gcp-mig", BUILT);
    scene->next = (struct target_release){
        .release = STR("v2"),
        .commit = STR("c2"),
        .digest = mig_digest_of(&scene->script.arena, STR("web-v2#7")),
        .revision = STR("web-v2"),
    };
}

void mig_scene_close(struct mig_scene *scene)
{
    script_close(&scene->script);
}

struct target_intent mig_intent(const struct mig_scene *scene, enum intent_verb verb,
                                uint32_t share_ppm)
{
    return (struct target_intent){
        .verb = verb, .next = scene->next, .good = scene->good, .share_ppm = share_ppm};
}

void mig_must(struct mig_scene *scene, struct target_intent intent, const struct line *lines)
{
    cr_assert_eq(script_run(&scene->script, &intent, lines, &scene->outcome, &scene->err),
                 PROGRESS_DONE, "%s", scene->err.message);
}

void mig_fails(struct mig_scene *scene, struct target_intent intent, const struct line *lines,
               enum error_kind kind, const char *words)
{
    cr_assert_eq(script_run(&scene->script, &intent, lines, &scene->outcome, &scene->err),
                 PROGRESS_FAILED);
    cr_expect_eq(scene->err.kind, kind, "%s", scene->err.message);
    expect_contains(str_of(scene->err.message), words);
}
