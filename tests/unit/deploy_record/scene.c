#include "scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t now_ms(void *self)
{
    return ++((struct scene *)self)->now_ms; // whoever waits for a moment sees it come
}

static void fill(void *self, void *bytes, size_t size)
{
    (void)self;
    cr_assert(getrandom(bytes, size, 0) == (ssize_t)size);
}

int scene_shell(struct scene *scene, str *ret, const char *format, ...)
{
    char script[2048], line[3000];
    va_list args;
    va_start(args, format);
    vsnprintf(script, sizeof script, format, args);
    va_end(args);
    // The libraries of the sanitizers must not get into other programs' way.
    snprintf(line, sizeof line,
             "cd '%s' && { HOME='%s' GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
             "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; export HOME GIT_CONFIG_NOSYSTEM "
             "GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL; %s; } 2>&1",
             scene->folder, scene->folder, script);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    struct text out = text_of(1u << 24);
    char buffer[4096];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, pipe)) > 0)
        text_add(&out, str_make(buffer, size));
    int status = pclose(pipe);
    if (ret)
        *ret = arena_str(&scene->arena, text_str(&out));
    text_done(&out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void scene_open(struct scene *scene)
{
    *scene = (struct scene){.now_ms = NOW_MS};
    strcpy(scene->folder, "/tmp/sluice-record-XXXXXX");
    cr_assert_not_null(mkdtemp(scene->folder));
    snprintf(scene->work, sizeof scene->work, "%s/work", scene->folder);
    snprintf(scene->remote, sizeof scene->remote, "%s/remote.git", scene->folder);
    cr_assert_eq(0, scene_shell(scene, NULL,
                                "git init -q -b main work && git init -q --bare remote.git && "
                                "git -C work commit -q --allow-empty -m first && "
                                "git -C work remote add origin '%s'",
                                scene->remote));
}

void scene_close(struct scene *scene)
{
    scene_shell(scene, NULL, "cd / && rm -rf '%s'", scene->folder);
    arena_done(&scene->arena);
}

struct ledger *scene_ledger(struct scene *scene, const char *folder, const char *remote,
                            const struct sign_key *key)
{
    struct ledger_options options = {
        .folder = folder ? folder : scene->work,
        .remote = remote,
        .key = key,
        .actor = {.local_user = STR("ada@laptop")},
        .clock = {scene, now_ms},
        .entropy = {scene, fill},
    };
    struct ledger *ledger;
    cr_assert(ledger_open(&options, &ledger, &scene->err), "%s", scene->err.message);
    return ledger;
}

struct sign_key *scene_key(struct scene *scene, const char *name)
{
    struct sign_key *key;
    cr_assert_eq(
        0, scene_shell(scene, NULL, "ssh-keygen -q -t ed25519 -N '' -C %s -f %s", name, name));
    str path = arena_format(&scene->arena, "%s/%s", scene->folder, name);
    cr_assert(sign_key_open(path, &key, &scene->err), "%s", scene->err.message);
    return key;
}

void scene_append(struct scene *scene, struct ledger *ledger, const char *type, const char *rollout,
                  const char *key)
{
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = str_of(type),
                          .rollout = str_of(rollout),
                          .key = str_of(key),
                          .body = STR("{\"note\": 1}")};
    cr_assert(ledger_append(ledger, &event, NULL, &scene->err), "%s", scene->err.message);
}

struct plan *scene_plan(struct scene *scene, const char *rollout, const char *release)
{
    struct plan *plan = ARENA_NEW(&scene->arena, struct plan);
    struct plan_target *target = ARENA_NEW(&scene->arena, struct plan_target);
    *target = (struct plan_target){
        .name = STR("web"),
        .good = {.release = STR("v1"),
                 .commit = STR("c1"),
                 .digest = STR("sha256:1"),
                 .revision = STR("r1"),
                 .memory = STR("{}")},
        .next = {.release = str_of(release), .commit = STR("c2"), .digest = STR("sha256:2")}};
    *plan = (struct plan){.mode = PLAN_FORWARD,
                          .rollout = str_of(rollout),
                          .release = str_of(release),
                          .commit = STR("c2"),
                          .environment = STR("production"),
                          .stage = STR("production"),
                          .targets = target,
                          .target_count = 1,
                          .step_count = 1,
                          .steps = {{.share_ppm = SHARE_ALL}},
                          .settle_limit_ms = 60000,
                          .rollback_limit_ms = 60000,
                          .alpha = 0.01,
                          .tolerance = 1,
                          .detect_ratio = 5,
                          .detect_power = 0.95};
    return plan;
}
