// A `hosts` target on folders of this machine (or over SSH to it), with real git, real bundles and
// real processes. The folder's name has a blank in it, so that every test is one about blanks too.
//
//     struct scene scene;
//     scene_open(&scene, "inventory: [a, b]\ntransport: local\npath: \"@/hosts/${host}\"\n");
//     struct target_release one = scene_pack(&scene, "v1");
//     scene_bring(&scene, one, (struct target_release){0}, 1000000);
//     scene_close(&scene);
#ifndef TESTS_UNIT_DEPLOY_TARGETS_SCENE_H
#define TESTS_UNIT_DEPLOY_TARGETS_SCENE_H

#include "../../bench/bench.h"
#include "deploy/targets/target.h"
#include "deploy/world/world.h"

#include <criterion/criterion.h>

#define LOCAL "transport: local\npath: \"@/hosts/${host}\"\n"
#define FOUR "inventory: [a, {host: b, port: 7}, c, d]\n" LOCAL

struct scene {
    struct arena arena;
    char folder[64];
    struct world *world;
    struct exec_port exec;
    struct http_port http;
    struct clock_port clock;
    const struct target_kind *kind;
    struct target *target;
    const char *yaml; // `@` stands for the folder, `PORT` for that of a server of `@/state`
    struct bench server;
    char commit[41];
};

void scene_open(struct scene *scene, const char *yaml);
void scene_close(struct scene *scene);
void scene_connect(struct scene *scene); // opens world and target: in a child that forked off
void scene_disconnect(struct scene *scene);

void scene_sh(struct scene *scene, const char *command);       // in the folder; must succeed
const char *scene_read(struct scene *scene, const char *name); // trimmed; "(absent)"
void scene_commit(struct scene *scene, const char *app);       // the file `app` of a new commit
struct target_release scene_pack(struct scene *scene, const char *release);

struct target_operation *scene_start(struct scene *scene, const struct target_intent *intent);
enum progress scene_run(struct scene *scene, struct target_intent intent,
                        struct target_outcome *ret, struct error *err);
struct target_outcome scene_must(struct scene *scene, struct target_intent intent);
// The intent fails, with these words in its message and of this kind.
void scene_fails(struct scene *scene, struct target_intent intent, enum error_kind kind,
                 const char *words);
struct target_outcome scene_look(struct scene *scene, struct target_release next,
                                 struct target_release good);
// Stages `next` and shifts to it.
struct target_outcome scene_bring(struct scene *scene, struct target_release next,
                                  struct target_release good, uint32_t share_ppm);
struct target_outcome scene_revert(struct scene *scene, struct target_release next,
                                   struct target_release good);

#endif
