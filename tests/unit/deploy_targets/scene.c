#include "scene.h"

#include "deploy/world/files.h"
#include "gate/doc/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void scene_sh(struct scene *scene, const char *command)
{
    str line = arena_format(&scene->arena, "cd '%s' && { %s\n}", scene->folder, command);
    cr_assert_eq(system(line.data), 0, "%s", command);
}

const char *scene_read(struct scene *scene, const char *name)
{
    str bytes;
    struct error err;
    str path = arena_format(&scene->arena, "%s/%s", scene->folder, name);
    if (!file_read(&scene->arena, path.data, 1 << 20, &bytes, &err))
        return "(absent)";
    return arena_copy(&scene->arena, str_trim(bytes));
}

void scene_commit(struct scene *scene, const char *app)
{
    scene_sh(scene,
             arena_format(&scene->arena,
                          "cd repo && echo %s >app && git add -A && git commit -qm change && "
                          "git rev-parse HEAD >../commit",
                          app)
                 .data);
    (void)snprintf(scene->commit, sizeof scene->commit, "%s", scene_read(scene, "commit"));
}

static str with_places(struct scene *scene, str yaml)
{
    struct text text = text_of(1 << 16);
    while (yaml.len) {
        if (str_starts(yaml, STR("@")))
            text_adds(&text, scene->folder);
        else if (str_starts(yaml, STR("PORT")))
            text_addf(&text, "%ld", bench_number(&scene->server, "port"));
        else
            text_addc(&text, yaml.data[0]);
        yaml = str_from(yaml, str_starts(yaml, STR("PORT")) ? 4 : 1);
    }
    str made = arena_str(&scene->arena, text_str(&text));
    text_done(&text);
    return made;
}

void scene_connect(struct scene *scene)
{
    struct error err = {0};
    const struct node *node;
    struct problems problems = {.arena = &scene->arena};
    cr_assert(world_open(&(struct world_options){.user_agent = "test"}, &scene->world, &err), "%s",
              err.message);
    scene->exec = world_exec(scene->world);
    scene->http = world_http(scene->world);
    scene->clock = world_clock(scene->world);
    scene->kind = target_kind_of(STR("hosts"));
    str yaml = with_places(scene, str_of(scene->yaml));
    cr_assert(yaml_parse(&scene->arena, "test.yml", yaml, &node, &err), "%s", err.message);
    void *config = arena_alloc(&scene->arena, scene->kind->shape->size_bytes);
    (void)shape_bind(&scene->arena, scene->kind->shape, node, config, &problems);
    cr_assert(problems_none(&problems, &err), "%u:%u: %s", err.at.line, err.at.column, err.message);
    struct target_setup setup = {
        .name = "web", .exec = &scene->exec, .http = &scene->http, .clock = &scene->clock};
    cr_assert(scene->kind->open(config, &setup, &scene->target, &err), "%s", err.message);
}

void scene_open(struct scene *scene, const char *yaml)
{
    alarm(120);
    *scene = (struct scene){.yaml = yaml};
    (void)snprintf(scene->folder, sizeof scene->folder, "/tmp/sluice hosts-XXXXXX");
    cr_assert_not_null(mkdtemp(scene->folder));
    scene_sh(scene, "git init -q repo && cd repo && git config user.email a@example.org && "
                    "git config user.name a");
    scene_commit(scene, "one");
    if (strstr(yaml, "PORT")) {
        scene_sh(scene, "mkdir state");
        scene->server =
            bench_start("file_server", arena_format(&scene->arena, "%s/state", scene->folder).data);
        cr_assert_gt(bench_number(&scene->server, "port"), 0);
    }
    scene_connect(scene);
}

void scene_disconnect(struct scene *scene)
{
    scene->kind->close(scene->target);
    world_close(scene->world);
}

void scene_close(struct scene *scene)
{
    struct error err;
    scene_disconnect(scene);
    if (scene->server.pid)
        bench_stop(&scene->server);
    cr_expect(folder_remove(scene->folder, &err), "%s", err.message);
    arena_done(&scene->arena);
}

struct target_release scene_pack(struct scene *scene, const char *release)
{
    struct target_pack request = {
        .repository = arena_format(&scene->arena, "%s/repo", scene->folder).data,
        .commit = str_of(scene->commit),
        .release = str_of(release),
        .cache_folder = arena_format(&scene->arena, "%s/cache", scene->folder).data,
    };
    struct target_release made;
    struct error err;
    cr_assert(scene->kind->pack(scene->target, &request, &scene->arena, &made, &err), "%s",
              err.message);
    return made;
}

struct target_operation *scene_start(struct scene *scene, const struct target_intent *intent)
{
    struct target_operation *operation;
    struct error err;
    cr_assert(scene->kind->start(scene->target, intent, &operation, &err), "%s", err.message);
    return operation;
}

enum progress scene_run(struct scene *scene, struct target_intent intent,
                        struct target_outcome *ret, struct error *err)
{
    struct target_operation *operation;
    if (!scene->kind->start(scene->target, &intent, &operation, err))
        return PROGRESS_FAILED;
    enum progress progress;
    while ((progress = scene->kind->poll(operation, &scene->arena, ret, err)) == PROGRESS_PENDING)
        world_wait(scene->world, scene->clock.now_ms(scene->clock.self) + 50);
    scene->kind->drop(operation);
    return progress;
}

struct target_outcome scene_must(struct scene *scene, struct target_intent intent)
{
    struct target_outcome outcome = {0};
    struct error err = {0};
    cr_assert_eq(scene_run(scene, intent, &outcome, &err), PROGRESS_DONE, "%s", err.message);
    return outcome;
}

void scene_fails(struct scene *scene, struct target_intent intent, enum error_kind kind,
                 const char *words)
{
    struct target_outcome outcome;
    struct error err = {0};
    cr_assert_eq(scene_run(scene, intent, &outcome, &err), PROGRESS_FAILED, "it does not fail: %s",
                 words);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" is not in: %s", words, err.message);
    cr_expect_eq(err.kind, kind, "%s: %s", error_kind_name(err.kind), err.message);
}

struct target_outcome scene_look(struct scene *scene, struct target_release next,
                                 struct target_release good)
{
    return scene_must(scene,
                      (struct target_intent){.verb = INTENT_OBSERVE, .next = next, .good = good});
}

struct target_outcome scene_bring(struct scene *scene, struct target_release next,
                                  struct target_release good, uint32_t share_ppm)
{
    (void)scene_must(scene,
                     (struct target_intent){.verb = INTENT_STAGE, .next = next, .good = good});
    return scene_must(
        scene, (struct target_intent){
                   .verb = INTENT_SHIFT, .next = next, .good = good, .share_ppm = share_ppm});
}

struct target_outcome scene_revert(struct scene *scene, struct target_release next,
                                   struct target_release good)
{
    return scene_must(scene,
                      (struct target_intent){.verb = INTENT_REVERT, .next = next, .good = good});
}
