// The hosts target on folders of this machine: real git, real bundles, real processes as "restart".
#include "deploy/targets/target.h"
#include "deploy/world/files.h"
#include "deploy/world/world.h"
#include "gate/doc/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scene {
    struct arena arena;
    char folder[64];
    struct world *world;
    struct exec_port exec;
    struct http_port http;
    struct clock_port clock;
    const struct target_kind *kind;
    struct target *target;
    char commit[41];
};

static void sh(struct scene *scene, const char *command)
{
    str line = arena_format(&scene->arena, "cd %s && ( %s )", scene->folder, command);
    cr_assert_eq(system(line.data), 0, "%s", command);
}

static const char *slurp(struct scene *scene, const char *name)
{
    str bytes;
    struct error err;
    str path = arena_format(&scene->arena, "%s/%s", scene->folder, name);
    if (!file_read(&scene->arena, path.data, 1 << 20, &bytes, &err))
        return "(absent)";
    return arena_copy(&scene->arena, str_trim(bytes));
}

static void open_scene(struct scene *scene, const char *more)
{
    struct error err;
    *scene = (struct scene){0};
    (void)snprintf(scene->folder, sizeof scene->folder, "/tmp/sluice-hosts-XXXXXX");
    cr_assert_not_null(mkdtemp(scene->folder));
    sh(scene, "git init -q repo && cd repo && git config user.email a@b.c && git config user.name a"
              " && echo one >app && git add -A && git commit -qm one && git rev-parse HEAD >../commit");
    (void)snprintf(scene->commit, sizeof scene->commit, "%s", slurp(scene, "commit"));
    cr_assert(world_open(&(struct world_options){.user_agent = "test"}, &scene->world, &err), "%s",
              err.message);
    scene->exec = world_exec(scene->world);
    scene->http = world_http(scene->world);
    scene->clock = world_clock(scene->world);
    scene->kind = target_kind_of(STR("hosts"));
    str yaml = arena_format(&scene->arena,
                            "inventory: [a, {host: b, port: 7}, c, d]\ntransport: local\n"
                            "path: %s/hosts/${host}\n%s",
                            scene->folder, more);
    const struct node *node;
    cr_assert(yaml_parse(&scene->arena, "test.yml", yaml, &node, &err), "%s", err.message);
    struct problems problems = {.arena = &scene->arena};
    void *config = arena_alloc(&scene->arena, scene->kind->shape->size_bytes);
    (void)shape_bind(&scene->arena, scene->kind->shape, node, config, &problems);
    cr_assert(problems_none(&problems, &err), "%s", err.message);
    struct target_setup setup = {"web", &scene->exec, &scene->http, &scene->clock, NULL};
    cr_assert(scene->kind->open(config, &setup, &scene->target, &err), "%s", err.message);
}

static void close_scene(struct scene *scene)
{
    scene->kind->close(scene->target);
    world_close(scene->world);
    sh(scene, "rm -rf repo hosts cache commit log");
    (void)rmdir(scene->folder);
    arena_done(&scene->arena);
}

static struct target_release pack(struct scene *scene, const char *release)
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

static enum progress run(struct scene *scene, const struct target_intent *intent,
                         struct target_outcome *ret, struct error *err)
{
    struct target_operation *operation;
    if (!scene->kind->start(scene->target, intent, &operation, err))
        return PROGRESS_FAILED;
    enum progress progress;
    while ((progress = scene->kind->poll(operation, &scene->arena, ret, err)) == PROGRESS_PENDING)
        world_wait(scene->world, scene->clock.now_ms(scene->clock.self) + 100);
    scene->kind->drop(operation);
    return progress;
}

static struct target_outcome must(struct scene *scene, struct target_intent intent)
{
    struct target_outcome outcome = {0};
    struct error err = {0};
    cr_assert_eq(run(scene, &intent, &outcome, &err), PROGRESS_DONE, "%s", err.message);
    return outcome;
}

Test(hosts, steps_out_and_back)
{
    struct scene scene;
    open_scene(&scene, "restart: echo $host ${port:-none} $SLUICE_REVISION >>../../log\n");
    struct target_release one = pack(&scene, "v1");
    (void)must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
    struct target_outcome out =
        must(&scene, (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000});
    cr_expect_eq(out.seen.next_ppm, 1000000);
    cr_expect(out.seen.settled);
    cr_expect(str_is(out.seen.release, "v1"));

    sh(&scene, "cd repo && echo two >app && git commit -qam two && git rev-parse HEAD >../commit");
    (void)snprintf(scene.commit, sizeof scene.commit, "%s", slurp(&scene, "commit"));
    struct target_release two = pack(&scene, "v2");
    cr_expect_not(str_eq(one.digest, two.digest));
    (void)must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = two, .good = one});
    out = must(&scene, (struct target_intent){
                           .verb = INTENT_SHIFT, .next = two, .good = one, .share_ppm = 300000});
    cr_expect_eq(out.seen.next_ppm, 500000, "two of four: rounded up");
    cr_expect_eq(out.seen.good_ppm, 500000);
    cr_expect_str_eq(slurp(&scene, "hosts/a/current/app"), "two");
    cr_expect_str_eq(slurp(&scene, "hosts/c/current/app"), "one");
    cr_expect(strstr(slurp(&scene, "log"), "b 7 v2-") != NULL, "inventory variables arrive");

    out = must(&scene, (struct target_intent){.verb = INTENT_REVERT, .next = two, .good = one});
    cr_expect_eq(out.seen.good_ppm, 1000000);
    cr_expect_str_eq(slurp(&scene, "hosts/a/current/app"), "one");
    close_scene(&scene);
}

Test(hosts, the_same_commit_gives_the_same_bundle)
{
    struct scene scene;
    open_scene(&scene, "");
    cr_expect(str_eq(pack(&scene, "v1").digest, pack(&scene, "v1").digest));
    close_scene(&scene);
}

Test(hosts, a_restart_that_fails_is_not_serving_and_can_be_reverted)
{
    struct scene scene;
    open_scene(&scene, "restart: |\n  case $SLUICE_RELEASE in v2) echo broken >&2; exit 3;; esac\n");
    struct target_release one = pack(&scene, "v1"), two;
    struct target_outcome out;
    struct error err;
    (void)must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
    (void)must(&scene,
               (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000});
    two = pack(&scene, "v2");
    (void)must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = two, .good = one});
    struct target_intent shift = {
        .verb = INTENT_SHIFT, .next = two, .good = one, .share_ppm = 250000};
    cr_expect_eq(run(&scene, &shift, &out, &err), PROGRESS_FAILED);
    cr_expect_not_null(strstr(err.message, "a: switching failed (exit status 3): `restart` says: broken"), "%s",
                       err.message);
    out = must(&scene, (struct target_intent){.verb = INTENT_OBSERVE, .next = two, .good = one});
    cr_expect_eq(out.seen.next_ppm, 0, "flipped but not restarted is not serving");
    cr_expect_not(out.seen.settled);
    out = must(&scene, (struct target_intent){.verb = INTENT_REVERT, .next = two, .good = one});
    cr_expect_eq(out.seen.good_ppm, 1000000);
    close_scene(&scene);
}

Test(hosts, a_bundle_that_is_not_its_digest_is_refused)
{
    struct scene scene;
    open_scene(&scene, "");
    struct target_release one = pack(&scene, "v1");
    struct target_outcome out;
    struct error err;
    one.digest = STR("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    struct target_intent stage = {.verb = INTENT_STAGE, .next = one};
    cr_expect_eq(run(&scene, &stage, &out, &err), PROGRESS_FAILED);
    cr_expect_not_null(strstr(err.message, "the bundle arrived as sha256:"), "%s", err.message);
    close_scene(&scene);
}

Test(hosts, half_made_releases_are_made_again_and_old_ones_go)
{
    struct scene scene;
    open_scene(&scene, "keep: 2\nprepare: test ! -e ../../stop\n");
    struct target_release one = pack(&scene, "v1");
    sh(&scene, "mkdir -p hosts/a && touch hosts/a/stop");
    struct target_outcome out;
    struct error err;
    struct target_intent stage = {.verb = INTENT_STAGE, .next = one};
    cr_expect_eq(run(&scene, &stage, &out, &err), PROGRESS_FAILED);
    sh(&scene, "rm hosts/a/stop");
    (void)must(&scene, stage);
    (void)must(&scene,
               (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000});
    sh(&scene, "cd hosts/a/releases && mkdir old1 old2 old3 && touch -d '2 days ago' old1 &&"
               " touch -d '3 days ago' old2 && touch -d '4 days ago' old3");
    (void)must(&scene, (struct target_intent){.verb = INTENT_PROMOTE, .next = one});
    sh(&scene, "cd hosts/a/releases && test -d old1 && test ! -e old2 && test ! -e old3");
    close_scene(&scene);
}
