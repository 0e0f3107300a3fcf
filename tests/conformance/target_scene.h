// A target of a row in a hostile world.
//
//     struct target_scene scene;
//     target_scene_open(&scene, row);
//     scene.world.always = &hostile_answers[i];
//     progress = target_scene_run(&scene, &intent, &outcome, &err);
//     target_scene_close(&scene);
#ifndef TESTS_CONFORMANCE_TARGET_SCENE_H
#define TESTS_CONFORMANCE_TARGET_SCENE_H

#include "target_rows.h"

// Longer than any call, with all its tries, may take; a verb that waits for something to come about
// waits longer, until the driver drops it.
enum { SCENE_LIMIT_S = 2400 };

struct target_scene {
    struct hostile world;
    struct arena arena;
    const struct target_kind *kind;
    const void *config;
    struct target *target;
    int64_t took_s;
};

// The bound section; null after a problem, and *ret_first is what was wrong. Lives in the arena.
const void *target_bind(struct arena *arena, const struct target_kind *kind, const char *yaml,
                        struct error *ret_first, size_t *ret_count);

void target_scene_open(struct target_scene *scene, const struct target_row *row,
                       enum hostile_identity as);
void target_scene_close(struct target_scene *scene);

struct target_intent target_row_intent(const struct target_row *row, enum intent_verb verb);

// Polls the intent to its end, or to the limit (PENDING).
enum progress target_scene_run(struct target_scene *scene, const struct target_intent *intent,
                               struct target_outcome *ret, struct error *err);

const char *intent_verb_word(enum intent_verb verb);

#endif
