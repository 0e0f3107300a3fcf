// The hosts target: what goes where, in which order, and what is seen afterwards.
#include "scene.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const struct target_release nothing;

// ---- out and back ------------------------------------------------------------------------------

Test(hosts, steps_out_and_back)
{
    struct scene scene;
    scene_open(&scene, FOUR "restart: echo $host ${port:-none} $SLUICE_REVISION >>../../log\n");
    struct target_release one = scene_pack(&scene, "v1");
    struct target_outcome out = scene_bring(&scene, one, nothing, 1000000);
    cr_expect_eq(out.seen.next_ppm, 1000000);
    cr_expect(out.seen.settled);
    cr_expect(str_is(out.seen.release, "v1"));

    scene_commit(&scene, "two");
    struct target_release two = scene_pack(&scene, "v2");
    cr_expect_not(str_eq(one.digest, two.digest));
    out = scene_bring(&scene, two, one, 300000);
    cr_expect_eq(out.seen.next_ppm, 500000, "two of four: rounded up");
    cr_expect_eq(out.seen.good_ppm, 500000);
    cr_expect_eq(out.seen.revision.len, 0, "no revision serves all of it");
    cr_expect_str_eq(scene_read(&scene, "hosts/a/current/app"), "two");
    cr_expect_str_eq(scene_read(&scene, "hosts/c/current/app"), "one");
    cr_expect_not_null(strstr(scene_read(&scene, "log"), "b 7 v2-"), "inventory variables arrive");
    cr_assert_eq(out.seen.endpoint_count, 4);
    cr_expect(str_eq(out.seen.endpoints[0].revision, two.revision));
    cr_expect(str_eq(out.seen.endpoints[3].revision, one.revision));
    cr_expect_str_eq(out.seen.endpoints[1].variables[0].name, "port");

    out = scene_revert(&scene, two, one);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    cr_expect_eq(out.seen.next_ppm, 0);
    cr_expect_str_eq(scene_read(&scene, "hosts/a/current/app"), "one");
    scene_close(&scene);
}

Test(hosts, a_change_is_drain_flip_restart_restore_and_only_where_it_is_needed)
{
    struct scene scene;
    scene_open(&scene, FOUR "drain: echo $host drain $(cat current/app) >>../../log\n"
                            "restart: echo $host restart $(cat current/app) >>../../log\n"
                            "restore: echo $host restore $(cat current/app) >>../../log\n");
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_commit(&scene, "two");
    struct target_release two = scene_pack(&scene, "v2");
    scene_sh(&scene, "rm log");
    (void)scene_bring(&scene, two, one, 500000);
    cr_expect_str_eq(scene_read(&scene, "log"), "a drain one\na restart two\na restore two\n"
                                                "b drain one\nb restart two\nb restore two");
    scene_sh(&scene, "rm log");
    (void)scene_bring(&scene, two, one, 500000);
    cr_expect_str_eq(scene_read(&scene, "log"), "(absent)", "the same again changes nothing");
    (void)scene_bring(&scene, two, one, 750000);
    cr_expect_str_eq(scene_read(&scene, "log"), "c drain one\nc restart two\nc restore two");
    scene_close(&scene);
}

Test(hosts, a_smaller_share_brings_hosts_back)
{
    struct scene scene;
    scene_open(&scene, FOUR);
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    (void)scene_bring(&scene, two, one, 1000000);
    struct target_outcome out = scene_bring(&scene, two, one, 250000);
    cr_expect_eq(out.seen.next_ppm, 250000);
    cr_expect_eq(out.seen.good_ppm, 750000);
    scene_close(&scene);
}

// What each host is doing at the same time, as the restart commands see it.
#define COUNT_RESTARTS                                                                             \
    "restart: |\n"                                                                                 \
    "  mkdir -p ../../now && touch ../../now/$host\n"                                              \
    "  sleep 0.2\n"                                                                                \
    "  ls ../../now | wc -l >>../../at_once\n"                                                     \
    "  rm ../../now/$host\n"

static int most_at_once(struct scene *scene)
{
    scene_sh(scene, "sort -n at_once | tail -n 1 >most; rm at_once");
    return atoi(scene_read(scene, "most"));
}

Test(hosts, so_many_change_at_a_time_and_half_at_most_on_the_way_back)
{
    static const struct {
        const char *yaml;
        int out, back;
    } rows[] = {
        {FOUR COUNT_RESTARTS, 1, 2},
        {FOUR COUNT_RESTARTS "parallel: 2\n", 2, 2},
        {FOUR COUNT_RESTARTS "parallel: 4\n", 4, 2},
        {"inventory: [a]\n" LOCAL COUNT_RESTARTS, 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene;
        scene_open(&scene, rows[i].yaml);
        struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
        (void)scene_bring(&scene, one, nothing, 1000000);
        cr_expect_eq(most_at_once(&scene), rows[i].out, "row %zu", i);
        (void)scene_bring(&scene, two, one, 1000000);
        scene_sh(&scene, "rm at_once");
        (void)scene_revert(&scene, two, one);
        cr_expect_eq(most_at_once(&scene), rows[i].back, "row %zu, back", i);
        scene_close(&scene);
    }
}

// ---- commands ----------------------------------------------------------------------------------

Test(hosts, variables_arrive_as_they_are)
{
    struct scene scene;
    scene_open(&scene,
               "inventory:\n"
               "  - host: a\n"
               "    note: \"it's \\\"$HOME\\\" `id` \\\\ * \\n  two ÿ\"\n"
               "    name: own\n"
               "    new: kept\n"
               "    empty: \"\"\n" LOCAL "prepare: printf %s \"$name $new\" >../../prepared\n"
               "restart: printf '%s|%s' \"$note\" \"$empty\" >note\n");
    (void)scene_bring(&scene, scene_pack(&scene, "v1"), nothing, 1000000);
    cr_expect_str_eq(scene_read(&scene, "hosts/a/note"), "it's \"$HOME\" `id` \\ * \n  two ÿ|");
    cr_expect_str_eq(scene_read(&scene, "hosts/a/prepared"), "own kept");
    scene_close(&scene);
}

Test(hosts, commands_know_what_and_where)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a]\n" LOCAL "prepare: pwd >../../prepared\n"
               "restart: |\n"
               "  echo $SLUICE_HOST $SLUICE_RELEASE $SLUICE_REVISION $SLUICE_COMMIT >known\n"
               "  cat \"$SLUICE_RELEASE_DIR/RELEASE\" >>known\n"
               "  echo \"$SLUICE_PATH\" >>known\n");
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    str want =
        arena_format(&scene.arena, "a v1 " STR_FMT " %s\n" STR_FMT "\n%s/hosts/a",
                     STR_ARG(one.revision), scene.commit, STR_ARG(one.revision), scene.folder);
    cr_expect_str_eq(scene_read(&scene, "hosts/a/known"), want.data);
    want = arena_format(&scene.arena, "%s/hosts/a/releases/" STR_FMT, scene.folder,
                        STR_ARG(one.revision));
    cr_expect_str_eq(scene_read(&scene, "hosts/a/prepared"), want.data);
    scene_close(&scene);
}

Test(hosts, a_command_that_fails_ends_the_change_with_its_last_words)
{
    static const struct {
        const char *yaml, *words;
        enum error_kind kind;
        const char *current;
    } rows[] = {
        {"drain: echo no way; echo really >&2; exit 4\n",
         "a: switching failed (exit status 4): `drain` says: really", ERROR_REMOTE, "(absent)"},
        {"drain: echo it's drained\n",
         "a: switching failed (exit status 2): `drain` says: ", ERROR_REMOTE, "(absent)"},
        {"restart: exit 3\n", "a: switching failed (exit status 3): `restart` says: nothing",
         ERROR_REMOTE, "one"},
        {"restart: \"false\\ntrue\"\n", "a: switching failed (exit status 1)", ERROR_REMOTE, "one"},
        {"restart: echo later; exit 75\n", "`restart` says: later", ERROR_TRANSIENT, "one"},
        {"restore: echo full; exit 1\n",
         "a: restoring failed (exit status 1): `restore` says: full", ERROR_REMOTE, "one"},
        {"restart: sleep 60\ntimeout: 1s\n", "a: ", ERROR_TRANSIENT, "one"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene;
        struct arena arena = {0};
        scene_open(&scene, arena_format(&arena, FOUR "%s", rows[i].yaml).data);
        struct target_release one = scene_pack(&scene, "v1");
        (void)scene_must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one});
        scene_fails(&scene,
                    (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000},
                    rows[i].kind, rows[i].words);
        cr_expect_str_eq(scene_read(&scene, "hosts/a/current/app"), rows[i].current, "row %zu", i);
        cr_expect_str_eq(scene_read(&scene, "hosts/b/current/app"), "(absent)", "the next waits");
        struct target_outcome out = scene_look(&scene, one, nothing);
        cr_expect_eq(out.seen.next_ppm, 0, "row %zu: it does not serve", i);
        scene_close(&scene);
        arena_done(&arena);
    }
}

Test(hosts, prepare_runs_once_and_a_half_made_release_is_made_again)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a]\n" LOCAL "prepare: echo made >>../../made; test ! -e ../../stop\n");
    struct target_release one = scene_pack(&scene, "v1");
    scene_sh(&scene, "mkdir -p hosts/a && touch hosts/a/stop");
    struct target_intent stage = {.verb = INTENT_STAGE, .next = one};
    scene_fails(&scene, stage, ERROR_REMOTE, "a: preparing the release failed (exit status 1)");
    scene_fails(&scene,
                (struct target_intent){.verb = INTENT_SHIFT, .next = one, .share_ppm = 1000000},
                ERROR_REMOTE, "is not complete on this host");
    scene_sh(&scene, "rm hosts/a/stop");
    (void)scene_must(&scene, stage);
    (void)scene_must(&scene, stage);
    cr_expect_str_eq(scene_read(&scene, "hosts/a/made"), "made\nmade");
    scene_close(&scene);
}

// A server that a command leaves running: the change is over when the command is, the server lives
// on, holds no lock, and can write where its output went.
Test(hosts, what_a_restart_leaves_running_is_left_alone)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a]\n" LOCAL "restart: |\n"
                       "  if [ -e pid ]; then kill $(cat pid); fi\n"
                       "  ( while :; do echo working; sleep 0.05; done ) &\n"
                       "  echo $! >pid\n"
                       "timeout: 20s\n");
    int64_t began = scene.clock.now_ms(scene.clock.self);
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    pid_t first = atoi(scene_read(&scene, "hosts/a/pid"));
    (void)scene_bring(&scene, two, one, 1000000);
    cr_expect_lt(scene.clock.now_ms(scene.clock.self) - began, 10000, "nobody waits for it");
    pid_t second = atoi(scene_read(&scene, "hosts/a/pid"));
    cr_expect_neq(first, second);
    usleep(300000);
    cr_expect_eq(kill(second, 0), 0, "it lives");
    cr_expect_eq(kill(second, SIGTERM), 0);
    scene_close(&scene);
}

// ---- health ------------------------------------------------------------------------------------

// The restart takes a moment after its command has ended, as a real one does.
Test(hosts, is_put_back_only_when_it_says_the_new_revision)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a, b]\n" LOCAL
               "restart: ( sleep 0.6; cd '@/state'; echo $SLUICE_REVISION >$host.new; mv "
               "$host.new $host ) &\n"
               "restore: cat '@/state'/$host >>../../log\n"
               "health: {url: \"http://127.0.0.1:PORT/${host}\", contains: \"${revision}\", "
               "timeout: 20s}\n");
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_sh(&scene, "rm log");
    struct target_outcome out = scene_bring(&scene, two, one, 500000);
    cr_expect(out.seen.settled);
    str want = arena_str(&scene.arena, two.revision);
    cr_expect_str_eq(scene_read(&scene, "log"), want.data,
                     "the old process answers meanwhile, and is not taken for the new one");
    (void)scene_revert(&scene, two, one);
    scene_close(&scene);
}

Test(hosts, what_does_not_become_healthy_is_not_put_back)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a, b]\n" LOCAL "restart: echo $SLUICE_RELEASE >'@/state'/$host\n"
               "restore: echo $host >>../../log\n"
               "health: {url: \"http://127.0.0.1:PORT/${host}\", contains: v1, timeout: 1s}\n");
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_sh(&scene, "rm log");
    (void)scene_must(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = two});
    struct target_intent shift = {
        .verb = INTENT_SHIFT, .next = two, .good = one, .share_ppm = 500000};
    scene_fails(&scene, shift, ERROR_REMOTE, "a: its health check does not say `v1`");
    cr_expect_str_eq(scene_read(&scene, "log"), "(absent)");
    struct target_outcome out = scene_look(&scene, two, one);
    cr_expect_eq(out.seen.next_ppm, 0);
    cr_expect_not(out.seen.settled);
    out = scene_revert(&scene, two, one);
    cr_expect_eq(out.seen.good_ppm, 1000000);
    cr_expect(out.seen.settled);
    scene_close(&scene);
}

Test(hosts, what_stops_answering_is_seen)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a, b]\n" LOCAL "restart: echo up >'@/state'/$host\n"
                       "health: \"http://127.0.0.1:PORT/${host}\"\n");
    struct target_release one = scene_pack(&scene, "v1");
    struct target_outcome out = scene_bring(&scene, one, nothing, 1000000);
    cr_expect(out.seen.settled);
    scene_sh(&scene, "rm \"state/b\"");
    out = scene_look(&scene, one, nothing);
    cr_expect_not(out.seen.settled);
    cr_expect_eq(out.seen.next_ppm, 1000000, "which release is on it is another question");
    cr_expect_not_null(strstr(out.seen.evidence, "\"b\":{\"current\":\"v1-"), "%s",
                       out.seen.evidence);
    cr_expect_not_null(strstr(out.seen.evidence, "\"healthy\":false"), "%s", out.seen.evidence);
    scene_close(&scene);
}

// ---- what is kept ------------------------------------------------------------------------------

Test(hosts, old_releases_go_and_what_is_needed_stays)
{
    struct scene scene;
    scene_open(&scene, "inventory: [a]\nkeep: 3\n" LOCAL);
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    (void)scene_bring(&scene, two, one, 1000000);
    scene_sh(&scene, "cd hosts/a/releases && mkdir 'old one' old2 old3 old half &&"
                     " touch half/.incomplete && mkdir .incoming-x &&"
                     " touch -d '2 days ago' 'old one' && touch -d '3 days ago' old2 &&"
                     " touch -d '4 days ago' old3 && touch -d '5 days ago' old &&"
                     " touch -d '9 days ago' v1-*");
    (void)scene_must(&scene,
                     (struct target_intent){.verb = INTENT_PROMOTE, .next = two, .good = one});
    scene_sh(&scene, "cd hosts/a/releases && ls -A | sed 's/-.*//' >../../../left");
    cr_expect_str_eq(scene_read(&scene, "left"), "old one\nold2\nv1\nv2",
                     "live, known good, and two more");
    scene_close(&scene);
}

Test(hosts, nothing_is_cleaned_up_before_all_of_it_is_out)
{
    struct scene scene;
    scene_open(&scene, FOUR);
    struct target_release one = scene_pack(&scene, "v1"), two = scene_pack(&scene, "v2");
    (void)scene_bring(&scene, one, nothing, 1000000);
    (void)scene_bring(&scene, two, one, 500000);
    scene_fails(&scene, (struct target_intent){.verb = INTENT_PROMOTE, .next = two, .good = one},
                ERROR_TRANSIENT, "2 of 4 hosts serve the release, not 4");
    scene_close(&scene);
}

// ---- names and digests -------------------------------------------------------------------------

Test(hosts, a_bundle_that_is_not_its_digest_is_refused)
{
    struct scene scene;
    scene_open(&scene, FOUR);
    struct target_release one = scene_pack(&scene, "v1");
    one.digest = STR("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    scene_fails(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one}, ERROR_REMOTE,
                "the bundle arrived as sha256:");
    scene_sh(&scene, "test -z \"$(ls -A hosts/a/releases)\"");
    scene_close(&scene);
}

Test(hosts, the_same_commit_is_the_same_revision_and_gzip_is_another)
{
    struct scene scene, other;
    scene_open(&scene, FOUR);
    cr_expect(str_eq(scene_pack(&scene, "v1").revision, scene_pack(&scene, "v1").revision));
    scene_open(&other, FOUR "artifact: {compression: gzip}\n");
    struct target_release one = scene_pack(&other, "v1");
    (void)scene_bring(&other, one, nothing, 1000000);
    cr_expect_str_eq(scene_read(&other, "hosts/d/current/app"), "one");
    scene_close(&other);
    scene_close(&scene);
}

Test(hosts, a_release_that_cannot_be_a_folder_is_refused)
{
    static const char *const names[] = {"",        "../x", "feature/x", "-rf",
                                        ".hidden", "a b",  "é",         "v\n1"};
    struct scene scene;
    scene_open(&scene, FOUR);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct target_pack pack = {
            .repository = arena_format(&scene.arena, "%s/repo", scene.folder).data,
            .commit = str_of(scene.commit),
            .release = str_of(names[i]),
            .cache_folder = arena_format(&scene.arena, "%s/cache", scene.folder).data,
        };
        struct target_release made;
        struct error err = {0};
        cr_expect_not(scene.kind->pack(scene.target, &pack, &scene.arena, &made, &err), "%s",
                      names[i]);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
    scene_close(&scene);
}

Test(hosts, without_a_bundle_nothing_starts)
{
    struct scene scene;
    struct target_operation *operation;
    struct error err;
    scene_open(&scene, FOUR);
    struct target_intent stage = {.verb = INTENT_STAGE};
    cr_expect_not(scene.kind->start(scene.target, &stage, &operation, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    scene_close(&scene);
}

// ---- the database ------------------------------------------------------------------------------

Test(hosts, the_first_host_migrates_once_the_release_is_everywhere)
{
    struct scene scene;
    scene_open(&scene, FOUR "prepare: echo $host prepare >>../../../../log\n"
                            "migrate: echo $host migrate $(cat app) >>../../../../log\n");
    struct target_release one = scene_pack(&scene, "v1");
    (void)scene_bring(&scene, one, nothing, 1000000);
    scene_sh(&scene, "sort log | uniq -c | sed 's/^ *//' >counted; tail -n 1 log >>counted");
    cr_expect_str_eq(scene_read(&scene, "counted"),
                     "1 a migrate one\n1 a prepare\n1 b prepare\n1 c prepare\n1 d prepare\n"
                     "a migrate one");
    scene_close(&scene);
}

Test(hosts, a_migration_that_fails_fails_the_staging_and_says_why)
{
    struct scene scene;
    scene_open(&scene, FOUR "migrate: {run: 'echo no such table >&2; exit 3'}\n");
    struct target_release one = scene_pack(&scene, "v1");
    scene_fails(&scene, (struct target_intent){.verb = INTENT_STAGE, .next = one}, ERROR_REMOTE,
                "a: migrating the database failed (exit status 3): `migrate` says: no such table");
    scene_close(&scene);
}

// Sent twice, as after a lost answer: the second waits for the first, and never ends it.
Test(hosts, a_migration_is_never_ended_halfway)
{
    struct scene scene;
    scene_open(&scene,
               "inventory: [a]\n" LOCAL
               "migrate: echo begins >>../../../../log; sleep 2; echo ends >>../../../../log\n");
    struct target_release one = scene_pack(&scene, "v1");
    struct target_intent stage = {.verb = INTENT_STAGE, .next = one};
    struct target_operation *first = scene_start(&scene, &stage);
    struct target_outcome outcome;
    struct error err;
    while (strcmp(scene_read(&scene, "log"), "begins") != 0) {
        cr_assert_eq(scene.kind->poll(first, &scene.arena, &outcome, &err), PROGRESS_PENDING);
        world_wait(scene.world, scene.clock.now_ms(scene.clock.self) + 20);
    }
    (void)scene_must(&scene, stage);
    cr_expect_str_eq(scene_read(&scene, "log"), "begins\nends\nbegins\nends");
    scene.kind->drop(first);
    scene_close(&scene);
}
