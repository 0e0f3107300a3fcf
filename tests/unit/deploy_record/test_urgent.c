// Records that are committed together, and those that a way back does not wait for.
#include "run.h"

#include "deploy/record/rollouts.h"
#include "deploy/record/verify.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- what there is ------------------------------------------------------------------------------

static unsigned kept_files(struct scene *s, char path[512])
{
    char folder[256];
    unsigned count = 0;
    (void)snprintf(folder, sizeof folder, "%s/.git/sluice/urgent", s->work);
    DIR *files = opendir(folder);
    for (const struct dirent *entry; files && (entry = readdir(files));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, 512, "%s/%.200s", folder, entry->d_name);
        count++;
    }
    if (files)
        (void)closedir(files);
    return count;
}

static size_t count_of(struct scene *s, struct ledger *ledger, const char *type)
{
    size_t count = 0;
    cr_assert(ledger_refresh(ledger, &s->err), "%s", s->err.message);
    for (size_t i = 0; i < ledger_count(ledger); i++)
        count += str_is(ledger_at(ledger, i)->type, type);
    return count;
}

static void verify(struct scene *s)
{
    struct verify_request request = {.where = {.folder = s->work, .branch = "release-ledger"}};
    struct verify_result result;
    cr_assert(ledger_verify(&request, &s->arena, &result, &s->err), "%s", s->err.message);
    cr_expect_null(result.bad, "%s: %s", result.bad, result.why);
}

static void note_breach(struct scene *s, struct run *run, unsigned reverts)
{
    run->state->breach_at_ms = run->state->reverting_since_ms = s->now_ms;
    cr_assert(run_note(s, run, RECORD_BREACHED, PHASE_REVERTING, VERB_NONE, NULL));
    for (unsigned i = 0; i < reverts; i++)
        cr_assert(run_note(s, run, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, NULL));
}

static struct run shifting(struct scene *s, const char *rollout)
{
    struct run run = run_open(s, NULL, scene_plan(s, rollout, "v2"));
    cr_assert(run_take(s, &run, false));
    cr_assert(run_record(s, &run, RECORD_INTENDED, PHASE_PREPARING, VERB_STAGE, NULL));
    cr_assert(run_record(s, &run, RECORD_INTENDED, PHASE_SHIFTING, VERB_SHIFT, NULL));
    return run;
}

// A process that commits a breach in haste and is killed before it settles.
static void killed_in_haste(struct scene *s, unsigned reverts)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct run own = shifting(s, "v2-production-1");
        note_breach(s, &own, reverts);
        _exit(run_commit(s, &own, JOURNAL_URGENT) ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

// ---- together -----------------------------------------------------------------------------------

Test(urgent, what_is_committed_together_has_one_state)
{
    static const unsigned sizes[] = {2, 15, 16, 70, 130};
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        struct scene s;
        scene_open(&s);
        struct run run = shifting(&s, "v2-production-1");
        size_t before = ledger_count(run.ledger);
        note_breach(&s, &run, sizes[n] - 1);
        cr_assert_eq(ledger_count(run.ledger), before, "only noted");
        cr_assert(run_commit(&s, &run, JOURNAL_ORDINARY), "%s", s.err.message);
        cr_assert_eq(ledger_count(run.ledger), before + sizes[n]);
        for (size_t i = before; i < before + sizes[n]; i++) {
            struct event event;
            int64_t since_ms;
            cr_assert(ledger_read(run.ledger, &s.arena, ledger_at(run.ledger, i), &event, &s.err));
            cr_expect(str_is(node_text(event.fields, "phase"), "reverting"));
            cr_expect(record_reverting_since(&event, &since_ms));
            cr_expect_eq(node_get(event.fields, "state") != NULL, i + 1 == before + sizes[n]);
        }
        struct rollout_record record;
        cr_assert(rollout_load(run.ledger, &s.arena, run.plan->rollout, &record, &s.err));
        cr_expect_eq(record.state->phase, PHASE_REVERTING);
        verify(&s);
        run_close(&run);
        scene_close(&s);
    }
}

// Another process writes between the note and the commit: all of it stands on top of that.
Test(urgent, what_is_committed_together_survives_a_race)
{
    for (unsigned size = 3; size < 40; size += 30) {
        struct scene s;
        scene_open(&s);
        struct run run = shifting(&s, "v2-production-1");
        struct ledger *other = scene_ledger(&s, NULL, NULL, NULL);
        note_breach(&s, &run, size);
        scene_append(&s, other, "gate.decided", "another", NULL);
        cr_assert(run_commit(&s, &run, JOURNAL_ORDINARY), "%s", s.err.message);
        cr_expect_eq(count_of(&s, other, "command.intended"), 2 + size);
        verify(&s);
        ledger_close(other);
        run_close(&run);
        scene_close(&s);
    }
}

// ---- in haste -----------------------------------------------------------------------------------

Test(urgent, a_commit_in_haste_is_kept_and_then_settled)
{
    struct scene s;
    scene_open(&s);
    char path[512];
    uint64_t ticket;
    struct run run = shifting(&s, "v2-production-1");
    size_t before = ledger_count(run.ledger);
    note_breach(&s, &run, 3);
    cr_assert(run_note(&s, &run, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, &ticket));
    cr_assert(run_commit(&s, &run, JOURNAL_URGENT), "%s", s.err.message);
    cr_expect_eq(ledger_count(run.ledger), before);
    cr_expect_eq(kept_files(&s, path), 1u);
    cr_expect_eq(run.port.state(run.port.self, ticket), APPEND_PENDING);
    struct ledger *other =
        scene_ledger(&s, NULL, NULL, NULL); // its process lives: it is left alone
    cr_expect_eq(ledger_count(other), before);
    ledger_close(other);
    cr_assert(run.port.settle(run.port.self, s.now_ms, &s.err), "%s", s.err.message);
    cr_expect_eq(ledger_count(run.ledger), before + 5);
    cr_expect_eq(kept_files(&s, path), 0u);
    cr_expect_eq(run_settle(&s, &run, ticket), APPEND_DURABLE);
    cr_assert(run.port.settle(run.port.self, s.now_ms, &s.err), "nothing to do");
    cr_expect_eq(ledger_count(run.ledger), before + 5);
    run_close(&run);
    scene_close(&s);
}

Test(urgent, what_comes_before_it_is_settled_follows_it)
{
    struct scene s;
    scene_open(&s);
    char path[512];
    struct run run = shifting(&s, "v2-production-1");
    note_breach(&s, &run, 1);
    cr_assert(run_commit(&s, &run, JOURNAL_URGENT));
    cr_assert(run_record(&s, &run, RECORD_COMMAND_FAILED, PHASE_REVERTING, VERB_REVERT, NULL));
    cr_expect_eq(kept_files(&s, path), 0u);
    const struct ledger_entry *last = ledger_at(run.ledger, ledger_count(run.ledger) - 1);
    cr_expect(str_is(last->type, "command.failed"));
    cr_expect_eq(count_of(&s, run.ledger, "rollout.breached"), 1u);
    verify(&s);
    run_close(&run);
    scene_close(&s);
}

Test(urgent, giving_the_lease_back_settles)
{
    struct scene s;
    scene_open(&s);
    char path[512];
    struct run run = shifting(&s, "v2-production-1");
    note_breach(&s, &run, 1);
    cr_assert(run_commit(&s, &run, JOURNAL_URGENT));
    run.port.release(run.port.self, true, s.now_ms);
    cr_expect_eq(kept_files(&s, path), 0u);
    cr_expect_eq(count_of(&s, run.ledger, "rollout.breached"), 1u);
    verify(&s);
    run_close(&run);
    scene_close(&s);
}

// ---- after a crash ------------------------------------------------------------------------------

Test(urgent, what_a_killed_process_kept_is_recovered_once)
{
    struct scene s;
    scene_open(&s);
    char path[512];
    killed_in_haste(&s, 2);
    cr_assert_eq(kept_files(&s, path), 1u);
    for (int again = 0; again < 2; again++) {
        struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
        cr_expect_eq(kept_files(&s, path), 0u);
        cr_expect_eq(count_of(&s, ledger, "rollout.breached"), 1u);
        cr_expect_eq(count_of(&s, ledger, "command.intended"), 4u);
        struct rollout_record record;
        cr_assert(rollout_load(ledger, &s.arena, STR("v2-production-1"), &record, &s.err));
        cr_expect_eq(record.state->phase, PHASE_REVERTING);
        verify(&s);
        ledger_close(ledger);
    }
    scene_close(&s);
}

// However much of the file was written: what is whole is taken, nothing else, and nothing crashes.
Test(urgent, what_was_half_written_is_dropped)
{
    for (unsigned tenth = 0; tenth < 10; tenth++) {
        struct scene s;
        scene_open(&s);
        char path[512];
        killed_in_haste(&s, 1);
        cr_assert_eq(kept_files(&s, path), 1u);
        (void)scene_shell(&s, NULL,
                          "truncate -s $(( $(stat -c %%s %s) * %u / 10 )) %s && touch -d @%lld %s",
                          path, tenth, path, (long long)(s.now_ms / MS_SECOND - 3600), path);
        struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
        cr_expect_eq(kept_files(&s, path), 0u);
        cr_expect_leq(count_of(&s, ledger, "rollout.breached"), 1u);
        cr_expect_eq(count_of(&s, ledger, "command.intended"), 2u, "the last one was not whole");
        verify(&s);
        ledger_close(ledger);
        scene_close(&s);
    }
}

// Whoever has the lease now has decided: a fact is kept as late, and the file has done its service.
Test(urgent, after_a_takeover_only_facts_remain)
{
    struct scene s;
    scene_open(&s);
    char path[512], kept[512], aside[600];
    killed_in_haste(&s, 1);
    cr_assert_eq(kept_files(&s, path), 1u);
    (void)snprintf(kept, sizeof kept, "%s", path);
    (void)snprintf(aside, sizeof aside, "%s/aside", s.folder);
    cr_assert_eq(rename(kept, aside), 0);
    struct run two = run_open(&s, NULL, scene_plan(&s, "v2-production-1", "v2"));
    s.now_ms += 10 * LEASE_TTL_MS;
    cr_assert(run_take(&s, &two, false));
    cr_assert_eq(rename(aside, kept), 0);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    cr_expect_eq(kept_files(&s, path), 0u);
    cr_expect_eq(count_of(&s, ledger, "rollout.breached"), 1u);
    for (size_t i = 0; i < ledger_count(ledger); i++) {
        struct event event;
        if (!str_is(ledger_at(ledger, i)->type, "rollout.breached"))
            continue;
        cr_assert(ledger_read(ledger, &s.arena, ledger_at(ledger, i), &event, &s.err));
        cr_expect(event.lease.late);
    }
    verify(&s);
    ledger_close(ledger);
    run_close(&two);
    scene_close(&s);
}

Test(urgent, what_is_to_be_signed_waits_for_a_key)
{
    struct scene s;
    scene_open(&s);
    char path[512];
    struct sign_key *key = scene_key(&s, "key");
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct run own = {.ledger = scene_ledger(&s, NULL, NULL, key),
                          .plan = scene_plan(&s, "v2-production-1", "v2")};
        own.journal = journal_open(own.ledger);
        own.port = journal_port(own.journal);
        own.state = rollout_state_new(&s.arena, own.plan);
        bool ok = run_take(&s, &own, false);
        note_breach(&s, &own, 1);
        _exit(ok && run_commit(&s, &own, JOURNAL_URGENT) ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    struct ledger *without = scene_ledger(&s, NULL, NULL, NULL);
    cr_expect_eq(kept_files(&s, path), 1u);
    cr_expect_eq(count_of(&s, without, "rollout.breached"), 0u);
    ledger_close(without);
    struct ledger *with = scene_ledger(&s, NULL, NULL, key);
    cr_expect_eq(kept_files(&s, path), 0u);
    cr_expect_eq(count_of(&s, with, "rollout.breached"), 1u);
    ledger_close(with);
    sign_key_close(key);
    scene_close(&s);
}
