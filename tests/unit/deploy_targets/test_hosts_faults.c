// The hosts target when things go wrong: cut off anywhere, failing hosts, what was there before.
#include "scene.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct target_release nothing;

// ---- cut off -----------------------------------------------------------------------------------

static void wait_a_bit(struct scene *scene, int64_t ms)
{
    int64_t until = scene->clock.now_ms(scene->clock.self) + ms;
    while (scene->clock.now_ms(scene->clock.self) < until)
        world_wait(scene->world, until);
}

// Every log line is "<host> <word>"; a host ends up in the balancer when "restore" is its last.
#define LOGGED                                                                                     \
    "drain: echo $host drain >>../../log; sleep 0.03\n"                                            \
    "restart: sleep 0.03; echo $host restart $SLUICE_RELEASE >>../../log\n"                        \
    "restore: sleep 0.03; echo $host restore >>../../log\n"

// Drops the operation after `ms`; false when it was over by then.
static bool cut_off(struct scene *scene, const struct target_intent *intent, int64_t ms)
{
    struct target_operation *operation = scene_start(scene, intent);
    int64_t until = scene->clock.now_ms(scene->clock.self) + ms;
    enum progress progress = PROGRESS_PENDING;
    struct target_outcome outcome;
    struct error err;
    while (progress == PROGRESS_PENDING && scene->clock.now_ms(scene->clock.self) < until) {
        progress = scene->kind->poll(operation, &scene->arena, &outcome, &err);
        if (progress == PROGRESS_PENDING)
            world_wait(scene->world, scene->clock.now_ms(scene->clock.self) + 5);
    }
    scene->kind->drop(operation);
    return progress == PROGRESS_PENDING;
}

static void check_whole(struct scene *scene, const struct target_release *want)
{
    const char *const hosts[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        str serving = arena_format(&scene->arena, "hosts/%s/.serving", hosts[i]);
        str release = arena_format(&scene->arena, "hosts/%s/current/RELEASE", hosts[i]);
        str words = arena_format(&scene->arena, "grep '^%s ' log | tail -n 1 >last", hosts[i]);
        str restored = arena_format(&scene->arena, "%s restore", hosts[i]);
        cr_expect(str_is(want->revision, scene_read(scene, serving.data)), "%s", serving.data);
        cr_expect(str_is(want->revision, scene_read(scene, release.data)), "%s", release.data);
        scene_sh(scene, words.data);
        cr_expect_str_eq(scene_read(scene, "last"), restored.data);
    }
}

Test(hosts_faults, a_shift_cut_off_anywhere_is_done_by_the_same_shift)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a, b]\nparallel: 2\n" LOCAL LOGGED);
    struct target_release old = scene_pack(&scene, "v0");
    (void)scene_bring(&scene, old, nothing, 1000000);
    bool cut = true;
    for (int64_t ms = 0; cut && ms < 2000; ms += 37) {
        str name = arena_format(&scene.arena, "v%lld", (long long)ms + 1);
        struct target_release next = scene_pack(&scene, name.data);
        struct target_intent shift = {
            .verb = INTENT_SHIFT, .next = next, .good = old, .share_ppm = 1000000};
        (void)scene_must(&scene,
                         (struct target_intent){.verb = INTENT_STAGE, .next = next, .good = old});
        cut = cut_off(&scene, &shift, ms);
        struct target_outcome out = scene_must(&scene, shift);
        cr_expect_eq(out.seen.next_ppm, 1000000);
        cr_expect(out.seen.settled);
        check_whole(&scene, &next);
        old = next;
    }
    cr_expect_not(cut, "the sweep reached the end");
    scene_close(&scene);
}

Test(hosts_faults, a_shift_cut_off_anywhere_can_be_reverted)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a, b]\nparallel: 2\n" LOCAL LOGGED);
    struct target_release good = scene_pack(&scene, "v0");
    (void)scene_bring(&scene, good, nothing, 1000000);
    bool cut = true;
    for (int64_t ms = 0; cut && ms < 2000; ms += 37) {
        str name = arena_format(&scene.arena, "v%lld", (long long)ms + 1);
        struct target_release next = scene_pack(&scene, name.data);
        struct target_intent shift = {
            .verb = INTENT_SHIFT, .next = next, .good = good, .share_ppm = 1000000};
        (void)scene_must(&scene,
                         (struct target_intent){.verb = INTENT_STAGE, .next = next, .good = good});
        cut = cut_off(&scene, &shift, ms);
        struct target_outcome out = scene_revert(&scene, next, good);
        cr_expect_eq(out.seen.good_ppm, 1000000);
        cr_expect_eq(out.seen.next_ppm, 0);
        check_whole(&scene, &good);
    }
    cr_expect_not(cut, "the sweep reached the end");
    scene_close(&scene);
}

Test(hosts_faults, staging_cut_off_anywhere_is_done_by_the_same_staging)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a, b]\n" LOCAL
                       "prepare: sleep 0.05; echo $SLUICE_RELEASE >made; sleep 0.05\n");
    bool cut = true;
    for (int64_t ms = 0; cut && ms < 2000; ms += 27) {
        str name = arena_format(&scene.arena, "v%lld", (long long)ms);
        struct target_release next = scene_pack(&scene, name.data);
        struct target_intent stage = {.verb = INTENT_STAGE, .next = next};
        cut = cut_off(&scene, &stage, ms);
        (void)scene_must(&scene, stage);
        str made =
            arena_format(&scene.arena, "hosts/b/releases/" STR_FMT "/made", STR_ARG(next.revision));
        cr_expect_str_eq(scene_read(&scene, made.data), name.data);
        scene_sh(&scene, "test -z \"$(ls hosts/*/releases/*/.incomplete 2>/dev/null)\"");
    }
    cr_expect_not(cut, "the sweep reached the end");
    scene_close(&scene);
}

// The process that drives it is killed outright, so that nobody ends its scripts: they go on, and
// what comes next has to wait for them, or the new release would come back after the revert.
static void kill_in_the_middle(struct scene *scene, const struct target_intent *intent,
                               const char *until)
{
    pid_t pid = fork();
    if (pid == 0) {
        scene_connect(scene);
        struct target_operation *operation = scene_start(scene, intent);
        struct target_outcome outcome;
        struct error err;
        while (scene->kind->poll(operation, &scene->arena, &outcome, &err) == PROGRESS_PENDING)
            world_wait(scene->world, scene->clock.now_ms(scene->clock.self) + 5);
        _exit(9);
    }
    for (int i = 0; strcmp(scene_read(scene, until), "(absent)") == 0; i++) {
        cr_assert_lt(i, 1000, "%s does not come", until);
        wait_a_bit(scene, 10);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, WNOHANG), 0, "it is over already");
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
}

Test(hosts_faults, what_a_killed_process_left_running_is_waited_for)
{
    static const char *const slow[] = {"drain", "restart", "restore"};
    for (size_t i = 0; i < 3; i++) {
        struct scene scene;
        struct arena arena = {0};
        scene_open(&scene, arena_format(&arena,
                                        "inventory: [a]\n" LOCAL
                                        "%s: if [ -e go ]; then touch ../../begun; sleep 1.5; fi; "
                                        "touch ../../ended\n",
                                        slow[i])
                               .data);
        struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
        (void)scene_bring(&scene, one, nothing, 1000000);
        (void)scene_must(&scene,
                         (struct target_intent){.verb = INTENT_STAGE, .next = two, .good = one});
        scene_sh(&scene, "touch hosts/a/go; rm ended");
        kill_in_the_middle(
            &scene,
            &(struct target_intent){
                .verb = INTENT_SHIFT, .next = two, .good = one, .share_ppm = 1000000},
            "begun");
        scene_sh(&scene, "rm hosts/a/go");
        struct target_outcome out = scene_revert(&scene, two, one);
        cr_expect_eq(out.seen.good_ppm, 1000000, "%s", slow[i]);
        cr_expect_str_neq(scene_read(&scene, "ended"), "(absent)", "%s was waited for", slow[i]);
        wait_a_bit(&scene, 1800);
        out = scene_look(&scene, two, one);
        cr_expect_eq(out.seen.good_ppm, 1000000, "%s: and it stays so", slow[i]);
        cr_expect(out.seen.settled);
        scene_close(&scene);
        arena_done(&arena);
    }
}

// A script that hangs does not keep the way back: it is ended after a while.
Test(hosts_faults, what_hangs_is_ended)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a]\n" LOCAL
               "restart: if [ -e hang ]; then rm hang; echo $$ >../../begun; sleep 100; fi\n");
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    (void)scene_must(&scene,
                     (struct target_intent){.verb = INTENT_STAGE, .next = two, .good = one});
    scene_sh(&scene, "touch hosts/a/hang");
    kill_in_the_middle(&scene,
                       &(struct target_intent){
                           .verb = INTENT_SHIFT, .next = two, .good = one, .share_ppm = 1000000},
                       "begun");
    struct target_outcome out = scene_revert(&scene, two, one);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    scene_sh(&scene, "p=$(cat begun); test ! -e /proc/$p || grep -q ') Z ' /proc/$p/stat");
    scene_close(&scene);
}

// A process that was fenced out while its host became healthy must not put it back.
Test(hosts_faults, a_change_that_came_between_is_noticed)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a]\n" LOCAL "restart: echo $SLUICE_RELEASE >'@/state/a'\n"
               "restore: echo restored >>../../log\n"
               "health: {url: \"http://127.0.0.1:PORT/a\", contains: ready, timeout: 20s}\n");
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
    struct target_intent shift = {.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000};
    struct target_operation *operation = scene_start(&scene, &shift);
    struct target_outcome outcome;
    struct error err;
    for (int i = 0; strcmp(scene_read(&scene, "state/a"), "v1") != 0 && i < 1000; i++) {
        cr_assert_eq(scene.kind->poll(operation, &scene.arena, &outcome, &err), PROGRESS_PENDING);
        wait_a_bit(&scene, 10);
    }
    scene_sh(&scene, "cd hosts/a && mkdir releases/other && ln -sfn releases/other current && "
                     "echo ready >../../state/a");
    enum progress progress;
    while ((progress = scene.kind->poll(operation, &scene.arena, &outcome, &err)) ==
           PROGRESS_PENDING)
        wait_a_bit(&scene, 20);
    cr_expect_eq(progress, PROGRESS_FAILED);
    cr_expect_not_null(strstr(err.message, "another change came between"), "%s", err.message);
    cr_expect_str_eq(scene_read(&scene, "log"), "(absent)");
    scene.kind->drop(operation);
    scene_close(&scene);
}

// ---- hosts that fail ---------------------------------------------------------------------------

Test(hosts_faults, one_that_fails_does_not_keep_the_others_from_going_back)
{
    struct scene scene;
    scene_open(&scene, FOUR "restart: if [ -e stop ]; then echo broken; exit 1; fi\n");
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    (void)scene_bring(&scene, two, one, 1000000);
    scene_sh(&scene, "touch hosts/a/stop");
    struct target_intent revert = {.verb = INTENT_REVERT, .next = two, .good = one};
    scene_fails(&scene, revert, ERROR_REMOTE,
                "a: switching failed (exit status 1): `restart` says: broken");
    struct target_outcome out = scene_look(&scene, two, one);
    cr_expect_eq(out.seen.good_ppm, 750000);
    cr_expect_not(out.seen.settled);
    scene_sh(&scene, "rm hosts/a/stop");
    out = scene_must(&scene, revert);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    scene_close(&scene);
}

Test(hosts_faults, a_host_that_cannot_be_looked_at_is_not_settled)
{
    struct scene scene;
    scene_open(&scene, FOUR);
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_sh(&scene, "cd hosts/b && rm current && mkdir current");
    struct target_outcome out = scene_look(&scene, one, nothing);
    cr_expect_not(out.seen.settled);
    cr_expect_eq(out.seen.next_ppm, 750000);
    cr_expect_eq(out.seen.revision.len, 0);
    cr_expect_not_null(strstr(out.seen.evidence, "current is not a link"), "%s", out.seen.evidence);
    cr_expect_not_null(out.note);
    scene_sh(&scene, "for h in a c d; do rm hosts/$h/current && mkdir hosts/$h/current; done");
    scene_fails(&scene, (struct target_intent){.verb = INTENT_OBSERVE, .next = one}, ERROR_REMOTE,
                "a: looking failed (exit status 68)");
    scene_close(&scene);
}

// Before a rollout begins, all that would stop it is told at once, and nothing is changed by
// asking.
Test(hosts_faults, a_survey_tells_of_every_host_what_would_stop_a_release)
{
    struct scene scene;
    scene_open(&scene, FOUR);
    (void)scene_bring(&scene, scene_pack(&scene, "v1"), nothing, 1000000);
    struct target_intent survey = {.verb = INTENT_OBSERVE, .survey = true};
    struct target_outcome out = scene_must(&scene, survey);
    cr_expect_eq(out.seen.trouble_count, 0);
    cr_expect(out.seen.settled);
    scene_sh(&scene, "rm hosts/b/current && mkdir hosts/b/current && "
                     "rm -r hosts/c && touch hosts/c && rm -r hosts/d");
    out = scene_must(&scene, survey);
    cr_assert_eq(out.seen.trouble_count, 2, "where nothing is yet, it can be made");
    const struct target_trouble *troubles = out.seen.troubles;
    cr_expect(str_starts(troubles[0].words, STR("b: looking failed (exit status 68): ")), STR_FMT,
              STR_ARG(troubles[0].words));
    cr_expect(str_starts(troubles[1].words, STR("c: ")), STR_FMT, STR_ARG(troubles[1].words));
    scene_sh(&scene, "rm hosts/c && for h in a d; do rm -rf hosts/$h; mkdir -p hosts/$h/current; "
                     "done && mkdir -p hosts/c/current");
    out = scene_must(&scene, survey);
    cr_expect_eq(out.seen.trouble_count, 4, "also when it is all of them");
    scene_close(&scene);
}

// ---- what was there before ---------------------------------------------------------------------

#define ADOPTED                                                                                    \
    "for h in a b; do mkdir -p hosts/$h/releases/2024-01-05 && "                                   \
    "echo before >hosts/$h/releases/2024-01-05/app && "                                            \
    "ln -s releases/2024-01-05 hosts/$h/current; done"

Test(hosts_faults, a_layout_that_was_there_before_is_seen_and_gone_back_to)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a, b]\n" LOCAL "restart: echo $host $SLUICE_REVISION >>../../log\n");
    scene_sh(&scene, ADOPTED);
    struct target_outcome out = scene_look(&scene, nothing, nothing);
    cr_expect(out.seen.settled);
    cr_expect(str_is(out.seen.revision, "2024-01-05"), STR_FMT, STR_ARG(out.seen.revision));
    cr_expect(str_is(out.seen.release, "2024-01-05"), STR_FMT, STR_ARG(out.seen.release));
    struct target_release before = {.release = STR("2024-01-05"), .revision = STR("2024-01-05")};
    struct target_release one = scene_pack(&scene, "v1");
    out = scene_bring(&scene, one, before, 500000);
    cr_expect_eq(out.seen.next_ppm, 500000);
    cr_expect_eq(out.seen.good_ppm, 500000);
    cr_expect_null(strstr(scene_read(&scene, "log"), "2024"), "b was not touched");
    out = scene_revert(&scene, one, before);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    cr_expect_str_eq(scene_read(&scene, "hosts/a/current/app"), "before");
    scene_close(&scene);
}

Test(hosts_faults, what_runs_but_is_not_recorded_is_not_overwritten)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a, b]\n" LOCAL);
    scene_sh(&scene, ADOPTED);
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
    scene_fails(&scene,
                (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000},
                ERROR_REMOTE, "2024-01-05 runs here and is not recorded: see `sluice adopt`");
    cr_expect_str_eq(scene_read(&scene, "hosts/a/current/app"), "before");
    scene_close(&scene);
}

Test(hosts_faults, current_must_lead_into_releases)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a]\n" LOCAL);
    scene_sh(&scene, "mkdir -p hosts/a/elsewhere/v1 hosts/a/releases && "
                     "ln -s elsewhere/v1 hosts/a/current");
    scene_fails(&scene, (struct target_intent){.verb = INTENT_OBSERVE}, ERROR_REMOTE,
                "current leads to elsewhere/v1, which is not a folder in releases/");
    scene_close(&scene);
}

Test(hosts_faults, a_change_under_way_is_not_settled)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a]\n" LOCAL);
    struct target_outcome out = scene_look(&scene, nothing, nothing);
    cr_expect(out.seen.settled, "nothing is there, and nothing should be");
    cr_expect_eq(out.seen.revision.len, 0);
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_sh(&scene, ": >hosts/a/.serving");
    out = scene_look(&scene, one, nothing);
    cr_expect_not(out.seen.settled);
    cr_expect_eq(out.seen.next_ppm, 0);
    cr_expect_eq(out.seen.revision.len, 0);
    scene_close(&scene);
}

// ---- a first deployment ------------------------------------------------------------------------

Test(hosts_faults, a_first_deployment_is_taken_away_again)
{
    struct scene scene;
    scene_open(&scene, FOUR "drain: echo $host drain >>../../log\n");
    struct target_release one = scene_pack(&scene, "v1");
    struct target_outcome out = scene_bring(&scene, one, nothing, 500000);
    cr_expect_eq(out.seen.next_ppm, 500000);
    cr_expect(out.seen.settled, "the others have nothing, as they should");
    scene_sh(&scene, "rm log");
    out = scene_revert(&scene, one, nothing);
    cr_expect_eq(out.seen.next_ppm, 0);
    cr_expect(out.seen.settled);
    cr_assert_not_null(out.note);
    cr_expect_not_null(strstr(out.note, "no release is left"), "%s", out.note);
    scene_sh(&scene, "sort -o log log; test ! -e hosts/a/current; test ! -e hosts/a/.serving");
    cr_expect_str_eq(scene_read(&scene, "log"), "a drain\nb drain", "only those that had it");
    (void)scene_revert(&scene, one, nothing);
    out = scene_bring(&scene, one, nothing, 1000000);
    cr_expect_eq(out.seen.next_ppm, 1000000, "and it can be tried again");
    scene_close(&scene);
}

Test(hosts_faults, a_first_deployment_that_nothing_stops_is_not_called_gone)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a]\n" LOCAL "restart: echo up >'@/state/a'\n"
                       "health: \"http://127.0.0.1:PORT/a\"\n");
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    struct target_intent revert = {.verb = INTENT_REVERT, .next = one};
    scene_fails(&scene, revert, ERROR_REMOTE, "its health check still answers");
    scene_sh(&scene, "rm state/a");
    struct target_outcome out = scene_must(&scene, revert);
    cr_expect_eq(out.seen.next_ppm, 0);
    cr_expect(out.seen.settled);
    scene_close(&scene);
}
