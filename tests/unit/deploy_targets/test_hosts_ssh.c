// The hosts target over SSH, to two throw-away servers on this machine: the same verbs, the same
// layout, other wires.
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct target_release nothing;

struct far {
    struct scene scene;
    struct bench servers[2];
    struct arena arena;
};

static bool no_sshd(void)
{
    if (access("/usr/sbin/sshd", X_OK) == 0 || access("/usr/bin/sshd", X_OK) == 0)
        return false;
    (void)fprintf(stderr, "skipped: OpenSSH's server is not installed here\n");
    return true;
}

static const char *value(struct far *far, int server, const char *key)
{
    char out[512];
    return arena_copy(&far->arena, str_of(bench_text(&far->servers[server], key, out, sizeof out)));
}

// Two hosts, each reached through a server of its own; the keys of both are known.
static void open_far(struct far *far, const char *more)
{
    memset(far, 0, sizeof *far);
    unsetenv("SSH_AUTH_SOCK");
    for (int i = 0; i < 2; i++) {
        far->servers[i] = bench_start("sshd", NULL);
        cr_assert_gt(bench_number(&far->servers[i], "port"), 0, "no sshd: %s",
                     far->servers[i].line);
    }
    const char *directory = value(far, 0, "directory");
    str merge =
        arena_format(&far->arena, "cat '%s' '%s' >'%s/both_hosts' && cat '%s.pub' >>'%s/%s'",
                     value(far, 0, "known_hosts"), value(far, 1, "known_hosts"), directory,
                     value(far, 0, "key"), value(far, 1, "directory"), "authorized_keys");
    cr_assert_eq(system(merge.data), 0);
    scene_open(&far->scene,
               arena_format(&far->arena,
                            "inventory:\n"
                            "  - {host: near, address: 127.0.0.1, ssh_port: %ld}\n"
                            "  - {host: far, address: 127.0.0.1, ssh_port: %ld}\n"
                            "path: \"@/hosts/${host}\"\nuser: %s\nkey_file: \"%s\"\n"
                            "known_hosts: \"%s/both_hosts\"\n%s",
                            bench_number(&far->servers[0], "port"),
                            bench_number(&far->servers[1], "port"), value(far, 0, "user"),
                            value(far, 0, "key"), directory, more)
                   .data);
}

static void close_far(struct far *far)
{
    scene_close(&far->scene);
    bench_stop(&far->servers[0]);
    bench_stop(&far->servers[1]);
    arena_done(&far->arena);
}

Test(hosts_ssh, out_in_steps_and_back)
{
    struct far far;
    if (no_sshd())
        return;
    open_far(&far, "prepare: echo prepared on $host >made\n"
                   "restart: echo $host $SLUICE_RELEASE >>../../log\n");
    struct scene *scene = &far.scene;
    struct target_release one = scene_pack(scene, "v1");
    struct target_outcome out = scene_bring(scene, one, nothing, 1000000);
    cr_expect_eq(out.seen.next_ppm, 1000000);
    cr_expect_str_eq(scene_read(scene, "hosts/far/current/made"), "prepared on far");
    scene_commit(scene, "two");
    struct target_release two = scene_pack(scene, "v2");
    out = scene_bring(scene, two, one, 500000);
    cr_expect_eq(out.seen.next_ppm, 500000);
    cr_expect_eq(out.seen.good_ppm, 500000);
    cr_expect(out.seen.settled);
    cr_expect_str_eq(scene_read(scene, "hosts/near/current/app"), "two");
    cr_expect_str_eq(scene_read(scene, "hosts/far/current/app"), "one");
    out = scene_revert(scene, two, one);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    (void)scene_bring(scene, two, one, 1000000);
    (void)scene_must(scene,
                     (struct target_intent){.verb = INTENT_PROMOTE, .next = two, .good = one});
    cr_expect_str_eq(scene_read(scene, "hosts/far/current/app"), "two");
    cr_expect_str_eq(scene_read(scene, "log"),
                     "near v1\nfar v1\nnear v2\nnear v1\nnear v2\nfar v2");
    close_far(&far);
}

Test(hosts_ssh, what_a_restart_leaves_running_does_not_hold_the_connection)
{
    struct far far;
    if (no_sshd())
        return;
    open_far(&far, "restart: sleep 100 & echo $! >pid\ntimeout: 20s\n");
    struct scene *scene = &far.scene;
    int64_t began = scene->clock.now_ms(scene->clock.self);
    (void)scene_bring(scene, scene_pack(scene, "v1"), nothing, 1000000);
    cr_expect_lt(scene->clock.now_ms(scene->clock.self) - began, 10000);
    scene_sh(scene, "kill $(cat hosts/near/pid) && kill $(cat hosts/far/pid)");
    close_far(&far);
}

Test(hosts_ssh, a_failing_command_says_its_last_words)
{
    struct far far;
    if (no_sshd())
        return;
    open_far(&far, "restart: echo it\\'s broken >&2; exit 3\n");
    struct scene *scene = &far.scene;
    struct target_release one = scene_pack(scene, "v1");
    (void)scene_must(scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
    scene_fails(
        scene, (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000},
        ERROR_REMOTE, "near: switching failed (exit status 3): `restart` says: it's broken");
    close_far(&far);
}

Test(hosts_ssh, one_host_that_is_gone_is_seen_and_the_other_still_goes_back)
{
    struct far far;
    if (no_sshd())
        return;
    open_far(&far, "");
    struct scene *scene = &far.scene;
    struct target_release one = scene_pack(scene, "v1"), two = scene_pack(scene, "v2");
    (void)scene_bring(scene, one, nothing, 1000000);
    (void)scene_bring(scene, two, one, 1000000);
    bench_stop(&far.servers[0]);
    struct target_outcome outcome;
    struct error err = {0};
    cr_expect_eq(scene_run(scene,
                           (struct target_intent){.verb = INTENT_REVERT, .next = two, .good = one},
                           &outcome, &err),
                 PROGRESS_FAILED);
    cr_expect_not_null(strstr(err.message, "near: "), "%s", err.message);
    outcome = scene_look(scene, two, one);
    cr_expect_eq(outcome.seen.good_ppm, 500000, "%s", outcome.seen.evidence);
    cr_expect_not(outcome.seen.settled);
    cr_expect_str_eq(scene_read(scene, "hosts/far/current/app"), "one");
    far.servers[0] = far.servers[1];
    scene_close(scene);
    bench_stop(&far.servers[1]);
    arena_done(&far.arena);
}

Test(hosts_ssh, a_host_key_that_is_not_known_is_refused)
{
    struct far far;
    if (no_sshd())
        return;
    open_far(&far, "");
    struct scene *scene = &far.scene;
    struct target_release one = scene_pack(scene, "v1");
    scene_sh(scene,
             arena_format(&far.arena, ": >'%s/both_hosts'", value(&far, 0, "directory")).data);
    scene_fails(scene, (struct target_intent){.verb = INTENT_STAGE, .next = one}, ERROR_DENIED,
                "near: ");
    struct target_intent survey = {.verb = INTENT_OBSERVE, .survey = true};
    struct target_outcome out = scene_must(scene, survey);
    cr_assert_eq(out.seen.trouble_count, 2);
    cr_expect_eq(out.seen.troubles[1].kind, ERROR_DENIED);
    cr_expect(str_starts(out.seen.troubles[1].words, STR("far: the host 127.0.0.1 is not in")),
              STR_FMT, STR_ARG(out.seen.troubles[1].words));
    close_far(&far);
}
