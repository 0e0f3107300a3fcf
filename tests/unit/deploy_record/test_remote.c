#include "scene.h"

#include "deploy/record/known_hosts.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ledger *second(struct scene *s, const char *remote)
{
    str folder = arena_format(&s->arena, "%s/two", s->folder);
    cr_assert_eq(0, scene_shell(s, NULL,
                                "test -d two || { git init -q two && git -C two commit -q "
                                "--allow-empty -m x && git -C two remote add origin '%s'; }",
                                s->remote));
    return scene_ledger(s, folder.data, remote, NULL);
}

static void meet(struct scene *s, struct ledger *ledger)
{
    cr_assert(ledger_sync(ledger, 60 * MS_SECOND, &s->err), "%s", s->err.message);
}

Test(remote, events_reach_the_other_side)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL), *two = second(&s, s.remote);
    for (int i = 0; i < 10; i++)
        scene_append(&s, one, "sample.judged", "r", "");
    cr_expect(ledger_unpushed(one));
    bool lost;
    char id[EVENT_ID];
    memcpy(id, ledger_at(one, 9)->id, sizeof id);
    cr_expect_not(ledger_is_durable(one, str_of(id), &lost));
    meet(&s, one);
    cr_expect(ledger_is_durable(one, str_of(id), &lost));
    meet(&s, two);
    cr_assert_eq(ledger_count(two), 10u);
    cr_expect_str_eq(ledger_at(two, 9)->id, id);
    cr_expect_eq(0, scene_shell(&s, NULL, "git -C remote.git fsck --strict"));
    // A branch of the ledger is nowhere in the user's own repository.
    cr_expect_neq(0, scene_shell(&s, NULL, "git -C work rev-parse -q --verify release-ledger"));
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

Test(remote, the_loser_of_a_race_writes_again_on_top)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL), *two = second(&s, "origin");
    scene_append(&s, one, "sample.judged", "one", "k");
    scene_append(&s, two, "sample.judged", "two", "k2");
    scene_append(&s, two, "sample.judged", "twice", "k"); // the same thing, by both
    char id[EVENT_ID];
    memcpy(id, ledger_at(two, 0)->id, sizeof id);
    meet(&s, one);
    meet(&s, two);
    cr_assert_eq(ledger_count(two), 2u);
    cr_expect(str_is(ledger_at(two, 0)->rollout, "one"));
    cr_expect_eq(ledger_at(two, 1)->sequence, 2u);
    cr_expect_str_eq(ledger_at(two, 1)->id, id);
    meet(&s, one);
    cr_expect_eq(ledger_count(one), 2u);
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

// A process that was killed had noted what the remote has, and not yet written our own on top.
Test(remote, what_the_remote_has_is_not_pushed_over)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL), *two = second(&s, "origin");
    scene_append(&s, one, "sample.judged", "zero", "");
    meet(&s, one);
    meet(&s, two);
    scene_append(&s, two, "sample.judged", "two", "");
    meet(&s, two);
    scene_append(&s, one, "sample.judged", "one", "");
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "cd work/.git/sluice/*.git && ref=$(git for-each-ref "
                                "--format='%%(refname)' refs/remotes) && git fetch -q '%s' "
                                "+release-ledger:$ref",
                                s.remote));
    meet(&s, one);
    meet(&s, two);
    cr_assert_eq(ledger_count(two), 3u);
    cr_expect(str_is(ledger_at(two, 1)->rollout, "two"));
    cr_expect(str_is(ledger_at(two, 2)->rollout, "one"));
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

Test(remote, what_a_dead_process_did_not_push_is_pushed_by_the_next)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL);
    scene_append(&s, one, "sample.judged", "r", "");
    ledger_close(one);
    one = scene_ledger(&s, NULL, "origin", NULL);
    meet(&s, one);
    struct ledger *two = second(&s, "origin");
    meet(&s, two);
    cr_expect_eq(ledger_count(two), 1u);
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

Test(remote, a_ledger_from_before_there_was_a_remote_goes_along)
{
    struct scene s;
    scene_open(&s);
    struct ledger *local = scene_ledger(&s, NULL, NULL, NULL);
    scene_append(&s, local, "sample.judged", "before", "");
    ledger_close(local);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL);
    scene_append(&s, one, "sample.judged", "after", "");
    meet(&s, one);
    cr_assert_eq(ledger_count(one), 2u);
    cr_expect(str_is(ledger_at(one, 0)->rollout, "before"));
    ledger_close(one);
    scene_close(&s);
}

Test(remote, many_events_travel_as_a_pack)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL), *two = second(&s, "origin");
    cr_assert(ledger_batch_begin(one, &s.err));
    for (int i = 0; i < 500; i++)
        scene_append(&s, one, "sample.judged", "r", "");
    cr_assert(ledger_batch_end(one, &s.err));
    scene_append(&s, two, "sample.judged", "two", "");
    meet(&s, two);
    meet(&s, one); // five hundred are written again on top of one
    meet(&s, two);
    cr_expect_eq(ledger_count(two), 501u);
    cr_expect(str_is(ledger_at(two, 0)->rollout, "two"));
    cr_expect_eq(0, scene_shell(&s, NULL, "git -C remote.git fsck --strict"));
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

// A ledger of many small appends does not stay a heap of small files.
Test(remote, loose_objects_become_a_pack, .timeout = 120)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL);
    str out;
    for (int i = 0; i < 900; i++)
        scene_append(&s, one, "sample.judged", "r", "");
    meet(&s, one);
    (void)ledger_turn(one, s.now_ms);
    scene_append(&s, one, "sample.judged", "r", ""); // on top of what is packed
    struct event event;
    cr_assert(ledger_read(one, &s.arena, ledger_at(one, 0), &event, &s.err), "%s", s.err.message);
    ledger_close(one);
    cr_assert_eq(0, scene_shell(&s, &out,
                                "cd work/.git/sluice/ledger.git && git fsck --strict && git "
                                "count-objects -v"));
    cr_expect(str_search(out, STR("packs: 1\n")) != STR_NONE, "%s", out.data);
    cr_expect(str_search(out, STR("count: 9\n")) != STR_NONE, "%s", out.data);
    one = scene_ledger(&s, NULL, "origin", NULL);
    cr_expect_eq(ledger_count(one), 901u);
    ledger_close(one);
    scene_close(&s);
}

Test(remote, a_rewritten_remote_is_told)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "origin", NULL);
    for (int i = 0; i < 3; i++)
        scene_append(&s, one, "sample.judged", "r", "");
    meet(&s, one);
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "git -C remote.git update-ref refs/heads/release-ledger "
                                "release-ledger~1"));
    cr_expect_not(ledger_sync(one, 10 * MS_SECOND, &s.err));
    cr_expect_eq(s.err.kind, ERROR_DENIED, "%s", s.err.message);
    cr_expect(str_search(str_of(s.err.message), STR("rewritten")) != STR_NONE);
    ledger_close(one);
    scene_close(&s);
}

Test(remote, one_that_is_away_is_transient_and_nothing_is_lost, .timeout = 60)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, "http://127.0.0.1:1/x.git", NULL);
    scene_append(&s, one, "sample.judged", "r", "");
    s.now_ms += 1;
    int64_t now = s.now_ms;
    (void)ledger_turn(one, now);
    (void)ledger_turn(one, now + 1);
    cr_assert_not_null(ledger_trouble(one));
    cr_expect_eq(ledger_trouble(one)->kind, ERROR_TRANSIENT, "%s", ledger_trouble(one)->message);
    cr_expect(ledger_unpushed(one));
    cr_expect_eq(ledger_count(one), 1u);
    ledger_close(one);
    scene_close(&s);
}

// Every process pushes to one repository, by path, each from a clone of its own.
Test(remote, processes_race_by_path, .timeout = 240)
{
    enum { PROCESSES = 3, EVENTS = 20 };
    struct scene s;
    scene_open(&s);
    pid_t children[PROCESSES];
    for (int c = 0; c < PROCESSES; c++) {
        cr_assert_eq(0, scene_shell(&s, NULL, "git clone -q work c%d", c));
        children[c] = fork();
        cr_assert_geq(children[c], 0);
        if (children[c])
            continue;
        str folder = arena_format(&s.arena, "%s/c%d", s.folder, c);
        bool ok = true;
        for (int i = 0; ok && i < EVENTS; i++) {
            s.now_ms += 60000;
            struct ledger *ledger = scene_ledger(&s, folder.data, s.remote, NULL);
            for (int k = 0; k < 2; k++) {
                struct event event = {.stream = STREAM_ROLLOUT, .type = STR("sample.judged")};
                ok = ok && ledger_append(ledger, &event, NULL, &s.err);
            }
            while (ok && ledger_turn(ledger, s.now_ms) && (ledger_unpushed(ledger)))
                s.now_ms += 20;
            ledger_close(ledger);
        }
        _exit(ok ? 0 : 1);
    }
    for (int c = 0; c < PROCESSES; c++) {
        int status;
        cr_assert_eq(waitpid(children[c], &status, 0), children[c]);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    struct ledger *ledger = scene_ledger(&s, NULL, "origin", NULL);
    meet(&s, ledger);
    cr_expect_eq(ledger_count(ledger), (size_t)PROCESSES * EVENTS * 2);
    for (size_t i = 0; i < ledger_count(ledger); i++)
        cr_assert_eq(ledger_at(ledger, i)->sequence, i + 1);
    ledger_close(ledger);
    scene_close(&s);
}

Test(remote, known_hosts_are_read_as_ssh_reads_them)
{
    struct scene s;
    scene_open(&s);
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "for k in a b c; do ssh-keygen -q -t ed25519 -N '' -f $k; done && "
                                "{ echo '# hosts'; echo \"git.example.org,10.0.0.1 $(cat a.pub)\"; "
                                "echo \"[local]:2222 $(cat b.pub)\"; "
                                "echo \"*.wild.org,!not.wild.org $(cat a.pub)\"; "
                                "echo \"@revoked * $(cat c.pub)\"; "
                                "echo \"hidden.org $(cat b.pub)\" > h; ssh-keygen -q -H -f h; "
                                "cat h; } > known 2>/dev/null; cut -d' ' -f2 a.pub | base64 -d > "
                                "a.raw; cut -d' ' -f2 b.pub | base64 -d > b.raw; cut -d' ' -f2 "
                                "c.pub | base64 -d > c.raw"));
    static const struct {
        const char *host, *url, *key;
        bool known;
    } rows[] = {
        {"git.example.org", "git@git.example.org:x.git", "a.raw", true},
        {"git.example.org", "ssh://git@git.example.org/x.git", "a.raw", true},
        {"10.0.0.1", "ssh://10.0.0.1:22/x", "a.raw", true},
        {"git.example.org", "ssh://git@git.example.org:2222/x.git", "a.raw", false},
        {"git.example.org", "git@git.example.org:x.git", "b.raw", false},
        {"local", "ssh://local:2222/x", "b.raw", true},
        {"local", "ssh://local/x", "b.raw", false},
        {"a.wild.org", "a.wild.org:x", "a.raw", true},
        {"not.wild.org", "not.wild.org:x", "a.raw", false},
        {"hidden.org", "hidden.org:x", "b.raw", true},
        {"hidden.org", "hidden.org:x", "a.raw", false},
        {"git.example.org", "git.example.org:x", "c.raw", false},
    };
    str file = arena_format(&s.arena, "%s/known", s.folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str key;
        cr_assert_eq(0, scene_shell(&s, &key, "cat %s", rows[i].key));
        cr_expect_eq(known_hosts_check(file.data, rows[i].host, rows[i].url, key, &s.err),
                     rows[i].known, "row %zu: %s", i, s.err.message);
    }
    cr_expect_not(known_hosts_check("/nowhere/known", "a", "a:x", STR("k"), &s.err));
    cr_expect_eq(s.err.kind, ERROR_DENIED);
    scene_close(&s);
}
