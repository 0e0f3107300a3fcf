#include "scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

Test(ledger, two_hundred_events_are_listed_and_read)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    for (int i = 0; i < 200; i++) {
        char rollout[32];
        snprintf(rollout, sizeof rollout, "r%d", i % 3);
        s.now_ms += 60000 * 30; // over several days
        scene_append(&s, ledger, "sample.judged", rollout, "");
    }
    cr_assert_eq(ledger_count(ledger), 200u);
    ledger_close(ledger);

    ledger = scene_ledger(&s, NULL, NULL, NULL); // as another process reads it
    cr_assert_eq(ledger_count(ledger), 200u);
    for (size_t i = 0; i < 200; i++) {
        struct event event;
        const struct ledger_entry *entry = ledger_at(ledger, i);
        cr_assert_eq(entry->sequence, i + 1);
        cr_assert(ledger_read(ledger, &s.arena, entry, &event, &s.err), "%s", s.err.message);
        cr_expect_eq(event.sequence, i + 1);
        cr_expect(str_is(event.actor.local_user, "ada@laptop"));
        cr_expect(str_eq(event.rollout, entry->rollout));
    }
    str out;
    cr_expect_eq(0, scene_shell(&s, &out, "git -C work log --oneline release-ledger | wc -l"));
    cr_expect_eq(atoi(out.data), 200);
    cr_expect_eq(0, scene_shell(&s, &out,
                                "git -C work fsck --strict && git -C work ls-tree -r --name-only "
                                "release-ledger | head -1"));
    cr_expect(str_search(out, STR("events/2026/11/22/rollout/00000001-sample.judged.json")) !=
                  STR_NONE,
              "%s", out.data);
    ledger_close(ledger);
    scene_close(&s);
}

Test(ledger, sequences_count_in_each_stream)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct event event = {.stream = STREAM_GATE, .type = STR("gate.decided")};
    struct ledger_entry entry;
    scene_append(&s, ledger, "sample.judged", "r", "");
    cr_assert(ledger_append(ledger, &event, &entry, &s.err));
    cr_expect_eq(entry.sequence, 1u);
    cr_assert(ledger_append(ledger, &event, &entry, &s.err));
    cr_expect_eq(entry.sequence, 2u);
    ledger_close(ledger);
    scene_close(&s);
}

Test(ledger, the_same_key_is_one_event)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, NULL, NULL);
    struct ledger *two = scene_ledger(&s, NULL, NULL, NULL);
    scene_append(&s, one, "sample.judged", "r", "k1");
    scene_append(&s, one, "sample.judged", "r", "k1");
    scene_append(&s, two, "sample.judged", "r", "k1"); // which has not looked since
    scene_append(&s, two, "sample.judged", "r", "k2");
    cr_assert(ledger_refresh(one, &s.err));
    cr_expect_eq(ledger_count(one), 2u);
    cr_expect_not_null(ledger_by_key(one, STR("k2")));
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

Test(ledger, an_event_is_found_by_what_a_person_types)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    for (int i = 0; i < 5; i++)
        scene_append(&s, ledger, "sample.judged", "r", "");
    const struct ledger_entry *want = ledger_at(ledger, 3), *found;
    char commit[OBJECT_HEX];
    cr_assert(ledger_find(ledger, str_of(want->id), &found, &s.err));
    cr_expect_eq(found, want);
    cr_assert(ledger_find(ledger, str_first(str_of(want->id), 12), &found, &s.err));
    cr_expect_eq(found, want);
    cr_assert(ledger_find(ledger, STR("rollout/4"), &found, &s.err));
    cr_expect_eq(found, want);
    cr_assert(ledger_find(ledger, str_of(object_hex(&want->commit, commit)), &found, &s.err));
    cr_expect_eq(found, want);
    cr_expect_not(ledger_find(ledger, STR("rollout/6"), &found, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT);
    cr_expect_not(ledger_find(ledger, STR("ab"), &found, &s.err));
    cr_expect_eq(s.err.kind, ERROR_INPUT);
    ledger_close(ledger);
    scene_close(&s);
}

// A thousand events of a day fill a folder; the next ones go beside it.
Test(ledger, folders_do_not_grow_without_end)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    cr_assert(ledger_batch_begin(ledger, &s.err), "%s", s.err.message);
    for (int i = 0; i < 1003; i++)
        scene_append(&s, ledger, "sample.judged", "r", "");
    cr_assert(ledger_batch_end(ledger, &s.err), "%s", s.err.message);
    cr_assert_eq(ledger_count(ledger), 1003u);
    cr_expect(str_is(ledger_at(ledger, 1002)->path,
                     "events/2026/11/22/rollout.2/00001003-sample.judged.json"));
    ledger_close(ledger);
    str out;
    cr_expect_eq(
        0, scene_shell(&s, &out, "git -C work fsck --strict && git -C work count-objects -v"));
    cr_expect(str_search(out, STR("packs: 1")) != STR_NONE, "%s", out.data);
    ledger = scene_ledger(&s, NULL, NULL, NULL);
    cr_expect_eq(ledger_count(ledger), 1003u);
    scene_append(&s, ledger, "sample.judged", "r", "");
    ledger_close(ledger);
    scene_close(&s);
}

Test(ledger, a_batch_that_lost_a_race_is_written_again)
{
    struct scene s;
    scene_open(&s);
    struct ledger *one = scene_ledger(&s, NULL, NULL, NULL);
    struct ledger *two = scene_ledger(&s, NULL, NULL, NULL);
    scene_append(&s, one, "sample.judged", "first", "");
    cr_assert(ledger_batch_begin(two, &s.err));
    scene_append(&s, two, "sample.judged", "batch", "b1");
    scene_append(&s, two, "sample.judged", "batch", "b2");
    scene_append(&s, one, "sample.judged", "between", "");
    cr_assert(ledger_batch_end(two, &s.err), "%s", s.err.message);
    cr_assert_eq(ledger_count(two), 4u);
    cr_expect(str_is(ledger_at(two, 1)->rollout, "between"));
    cr_expect_eq(ledger_at(two, 3)->sequence, 4u);
    ledger_close(one);
    ledger_close(two);
    scene_close(&s);
}

// Four processes on one repository: none loses an event.
Test(ledger, processes_race_on_one_branch, .timeout = 120)
{
    struct scene s;
    scene_open(&s);
    pid_t children[4];
    for (int c = 0; c < 4; c++) {
        children[c] = fork();
        cr_assert_geq(children[c], 0);
        if (children[c] == 0) {
            struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
            bool ok = true;
            for (int i = 0; i < 25; i++) {
                struct event event = {.stream = STREAM_ROLLOUT, .type = STR("sample.judged")};
                ok = ok && ledger_append(ledger, &event, NULL, &s.err);
            }
            ledger_close(ledger);
            _exit(ok ? 0 : 1);
        }
    }
    for (int c = 0; c < 4; c++) {
        int status;
        cr_assert_eq(waitpid(children[c], &status, 0), children[c]);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    cr_expect_eq(ledger_count(ledger), 100u);
    for (size_t i = 0; i < ledger_count(ledger); i++)
        cr_assert_eq(ledger_at(ledger, i)->sequence, i + 1);
    ledger_close(ledger);
    scene_close(&s);
}

// A process that was killed while it moved the branch leaves a lock.
Test(ledger, a_lock_left_behind_is_taken_away, .timeout = 60)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    scene_append(&s, ledger, "sample.judged", "r", "");
    cr_assert_eq(0, scene_shell(&s, NULL, "touch work/.git/refs/heads/release-ledger.lock"));
    scene_append(&s, ledger, "sample.judged", "r", "");
    cr_expect_eq(ledger_count(ledger), 2u);
    ledger_close(ledger);
    scene_close(&s);
}

Test(ledger, what_is_missing_is_said)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger;
    struct ledger_options options = {.folder = s.folder};
    cr_expect_not(ledger_open(&options, &ledger, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT, "%s", s.err.message);
    options = (struct ledger_options){.folder = s.work, .remote = "upstream"};
    cr_expect_not(ledger_open(&options, &ledger, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT, "%s", s.err.message);
    options = (struct ledger_options){.folder = s.work, .branch = "a..b"};
    cr_expect_not(ledger_open(&options, &ledger, &s.err));
    cr_expect_eq(s.err.kind, ERROR_INPUT, "%s", s.err.message);
    scene_close(&s);
}
