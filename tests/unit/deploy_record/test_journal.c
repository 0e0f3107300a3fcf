#include "run.h"

#include "deploy/record/releases.h"
#include "deploy/record/rollouts.h"

#include <criterion/criterion.h>

static void complete_one(struct scene *s, const char *rollout, const char *release)
{
    struct run run = run_open(s, NULL, scene_plan(s, rollout, release));
    uint64_t ticket;
    cr_assert(run_take(s, &run, false));
    cr_assert(run_record(s, &run, RECORD_INTENDED, PHASE_PREPARING, VERB_STAGE, &ticket));
    cr_assert_eq(run_settle(s, &run, ticket), APPEND_DURABLE);
    cr_assert(run_record(s, &run, RECORD_STEP_PASSED, PHASE_SHIFTING, VERB_NONE, NULL));
    cr_assert(run_record(s, &run, RECORD_STEP_PASSED, PHASE_BAKE, VERB_NONE, NULL));
    cr_assert(run_record(s, &run, RECORD_STEP_PASSED, PHASE_PROMOTING, VERB_NONE, NULL));
    cr_assert(run_record(s, &run, RECORD_STEP_PASSED, PHASE_VERIFYING, VERB_NONE, NULL));
    cr_assert(run_record(s, &run, RECORD_DONE, PHASE_DONE, VERB_NONE, NULL));
    run.port.release(run.port.self, false, s->now_ms);
    run_close(&run);
}

Test(journal, a_rollout_is_known_good_afterwards)
{
    struct scene s;
    scene_open(&s);
    complete_one(&s, "v2-production-1", "v2");
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct placement good;
    str *open;
    size_t count;
    bool bad;
    cr_assert(rollouts_open(ledger, &s.arena, &open, &count, &s.err), "%s", s.err.message);
    cr_expect_eq(count, 0u);
    cr_assert(release_known_good(ledger, &s.arena, STR("production"), STR("web"), (str){0}, &good,
                                 &s.err),
              "%s", s.err.message);
    cr_expect(str_is(good.release, "v2") && str_is(good.revision, "r2"));
    cr_expect_not(
        release_known_good(ledger, &s.arena, STR("staging"), STR("web"), (str){0}, &good, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT);
    cr_expect_not(release_known_good(ledger, &s.arena, STR("production"), STR("web"), STR("v2"),
                                     &good, &s.err));
    cr_assert(
        release_mark_bad(ledger, STR("v2"), STR("c2"), STR("production"), STR("slow"), &s.err));
    cr_assert(release_is_bad(ledger, STR("v2"), &bad, NULL, &s.err));
    cr_expect(bad);
    cr_expect_not(release_known_good(ledger, &s.arena, STR("production"), STR("web"), (str){0},
                                     &good, &s.err));
    cr_expect_not(release_good_named(ledger, &s.arena, STR("production"), STR("web"), STR("v2"),
                                     &good, &s.err));
    cr_expect_eq(s.err.kind, ERROR_DENIED);
    ledger_close(ledger);
    scene_close(&s);
}

Test(journal, known_good_goes_past_the_release_to_get_away_from)
{
    struct scene s;
    scene_open(&s);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    str web = STR("web");
    struct placement v1 = {STR("v1"), STR("c1"), STR("d1"), STR("r1"), STR("{\"a\":1}")}, good;
    cr_assert(
        release_adopt(ledger, STR("production"), STR("v1"), STR("c1"), &web, &v1, 1, NULL, &s.err));
    ledger_close(ledger);
    complete_one(&s, "v2-production-1", "v2");
    complete_one(&s, "v3-production-1", "v3");
    ledger = scene_ledger(&s, NULL, NULL, NULL);
    cr_assert(release_mark_bad(ledger, STR("v2"), STR("c2"), STR("production"), STR(""), &s.err));
    cr_assert(release_known_good(ledger, &s.arena, STR("production"), STR("web"), STR("v3"), &good,
                                 &s.err));
    cr_expect(str_is(good.release, "v1") && str_is(good.memory, "{\"a\":1}"));
    cr_assert(release_good_named(ledger, &s.arena, STR("production"), STR("web"), STR("v3"), &good,
                                 &s.err));
    ledger_close(ledger);
    scene_close(&s);
}

Test(journal, two_at_once_are_refused_and_a_dead_one_is_followed)
{
    struct scene s;
    scene_open(&s);
    const struct plan *plan = scene_plan(&s, "v2-production-1", "v2");
    struct run one = run_open(&s, NULL, plan), two = run_open(&s, NULL, plan);
    struct run other = run_open(&s, NULL, scene_plan(&s, "v3-production-1", "v3"));
    uint64_t ticket;
    cr_assert(run_take(&s, &one, false));
    cr_assert(run_record(&s, &one, RECORD_INTENDED, PHASE_PREPARING, VERB_STAGE, NULL));
    cr_expect_not(run_take(&s, &two, false));
    cr_expect_eq(run_lease(&s, &two), LEASE_REFUSED);
    cr_expect_not(run_take(&s, &other, false));
    s.now_ms += LEASE_TTL_MS + LEASE_SKEW_MS + 1; // `one` was stopped meanwhile
    cr_assert(run_take(&s, &two, false));
    // `one` wakes up: it issues nothing more, but what it saw happen is kept.
    cr_expect_not(run_record(&s, &one, RECORD_INTENDED, PHASE_SHIFTING, VERB_SHIFT, &ticket));
    cr_expect_eq(s.err.kind, ERROR_DENIED, "%s", s.err.message);
    cr_expect_eq(run_lease(&s, &one), LEASE_LOST);
    cr_expect(run_record(&s, &one, RECORD_COMMAND_DONE, PHASE_PREPARING, VERB_STAGE, NULL));
    struct event event;
    cr_assert(ledger_refresh(two.ledger, &s.err));
    cr_assert(ledger_read(two.ledger, &s.arena, ledger_at(two.ledger, ledger_count(two.ledger) - 1),
                          &event, &s.err));
    cr_expect(event.lease.late);
    struct rollout_record loaded;
    cr_assert(rollout_load(two.ledger, &s.arena, plan->rollout, &loaded, &s.err), "%s",
              s.err.message);
    cr_assert_not_null(loaded.state);
    cr_expect_eq(loaded.state->phase, PHASE_PREPARING);
    cr_assert_not_null(loaded.placements);
    cr_expect(str_is(loaded.placements[0].revision, "r2"));
    cr_expect_eq(loaded.standing.lease.fence, 2u);
    run_close(&one);
    run_close(&two);
    run_close(&other);
    scene_close(&s);
}

Test(journal, a_rollback_fences_out_and_closes_what_ran)
{
    struct scene s;
    scene_open(&s);
    struct plan *back = scene_plan(&s, "v1-production-2", "v1");
    back->mode = PLAN_ROLLBACK;
    struct run one = run_open(&s, NULL, scene_plan(&s, "v2-production-1", "v2"));
    struct run two = run_open(&s, NULL, back);
    cr_assert(run_take(&s, &one, false));
    cr_assert(run_record(&s, &one, RECORD_INTENDED, PHASE_PREPARING, VERB_STAGE, NULL));
    cr_assert(run_take(&s, &two, true));
    cr_expect_eq(run_lease(&s, &one), LEASE_LOST);
    struct rollout_record loaded;
    cr_assert(rollout_load(two.ledger, &s.arena, STR("v2-production-1"), &loaded, &s.err));
    cr_expect_eq(loaded.state->phase, PHASE_CANCELLED);
    str *open;
    size_t count;
    cr_assert(rollouts_open(two.ledger, &s.arena, &open, &count, &s.err));
    cr_assert_eq(count, 1u);
    cr_expect(str_is(open[0], "v1-production-2"));
    cr_assert(run_record(&s, &two, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, NULL));
    cr_assert(run_record(&s, &two, RECORD_ROLLED_BACK, PHASE_ROLLED_BACK, VERB_NONE, NULL));
    two.port.release(two.port.self, false, s.now_ms);
    // Nobody resumes what was fenced out.
    cr_expect_not(run_take(&s, &one, false));
    cr_expect_eq(run_lease(&s, &one), LEASE_REFUSED);
    run_close(&one);
    run_close(&two);
    scene_close(&s);
}

Test(journal, a_breach_that_was_rolled_back_marks_the_release)
{
    struct scene s;
    scene_open(&s);
    struct run run = run_open(&s, NULL, scene_plan(&s, "v2-production-1", "v2"));
    bool bad;
    cr_assert(run_take(&s, &run, false));
    run.state->breach_at_ms = s.now_ms;
    cr_assert(run_record(&s, &run, RECORD_BREACHED, PHASE_REVERTING, VERB_NONE, NULL));
    struct rollout_command incident = {.type = RC_INCIDENT, .text = "P2"};
    struct journal_record opened = {
        .plan = run.plan, .state = run.state, .command = &incident, .now_ms = s.now_ms};
    uint64_t ticket;
    cr_assert(run.port.note(run.port.self, &opened, &ticket, &s.err), "%s", s.err.message);
    cr_assert(run_record(&s, &run, RECORD_ROLLED_BACK, PHASE_ROLLED_BACK, VERB_NONE, NULL));
    run.port.release(run.port.self, false, s.now_ms);
    cr_assert(release_is_bad(run.ledger, STR("v2"), &bad, NULL, &s.err));
    cr_expect(bad);
    size_t incidents = 0;
    for (size_t i = 0; i < ledger_count(run.ledger); i++) {
        struct event event;
        if (ledger_at(run.ledger, i)->stream != STREAM_INCIDENT)
            continue;
        incidents++;
        cr_assert(ledger_read(run.ledger, &s.arena, ledger_at(run.ledger, i), &event, &s.err));
        cr_expect(str_is(node_text(event.fields, "severity"), "P2"));
    }
    cr_expect_eq(incidents, 1u);
    run_close(&run);
    scene_close(&s);
}

// What is left by hand is bad, too; what is left for a rehearsal is not.
Test(journal, a_rollback_by_hand_marks_what_it_leaves)
{
    for (int rehearsal = 0; rehearsal < 2; rehearsal++) {
        struct scene s;
        scene_open(&s);
        struct plan *plan = scene_plan(&s, "v1-production-rollback-1", "v1");
        plan->mode = PLAN_ROLLBACK;
        plan->rehearsal = rehearsal;
        for (uint32_t i = 0; i < plan->target_count; i++) {
            plan->targets[i].next = (struct placement){.release = STR("v2"), .commit = STR("c2")};
            plan->targets[i].good.release = STR("v1");
        }
        struct run run = run_open(&s, NULL, plan);
        bool bad;
        size_t marks = 0;
        cr_assert(run_take(&s, &run, true));
        cr_assert(run_record(&s, &run, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, NULL));
        cr_assert(run_record(&s, &run, RECORD_ROLLED_BACK, PHASE_ROLLED_BACK, VERB_NONE, NULL));
        run.port.release(run.port.self, false, s.now_ms);
        cr_assert(release_is_bad(run.ledger, STR("v2"), &bad, NULL, &s.err));
        cr_expect_eq(bad, !rehearsal);
        for (size_t i = 0; i < ledger_count(run.ledger); i++)
            marks += str_is(ledger_at(run.ledger, i)->type, "release.marked-bad");
        cr_expect_eq(marks, rehearsal ? 0u : 1u, "once, on however many targets");
        // The name is taken: another rollback of the same moment takes the next one.
        cr_expect_not(run_take(&s, &run, true));
        run_close(&run);
        scene_close(&s);
    }
}

// Whoever wrote it, in whatever version: it is closed unread.
Test(journal, a_record_that_cannot_be_read_stops_no_rollback)
{
    struct scene s;
    scene_open(&s);
    struct run run = run_open(&s, NULL, scene_plan(&s, "v1-production-rollback-1", "v1"));
    struct event odd = {.stream = STREAM_ROLLOUT,
                        .type = STR("rollout.planned"),
                        .rollout = STR("odd-1"),
                        .key = STR("odd-1/planned"),
                        .lease = {.environment = run.plan->environment},
                        .body = STR("{}")};
    cr_assert(ledger_append(run.ledger, &odd, NULL, &s.err), "%s", s.err.message);
    cr_assert(run_take(&s, &run, true));
    cr_expect_eq(run_lease(&s, &run), LEASE_HELD);
    str *open;
    size_t count;
    cr_assert(rollouts_open(run.ledger, &s.arena, &open, &count, &s.err));
    cr_assert_eq(count, 1u);
    cr_expect(str_is(open[0], "v1-production-rollback-1"));
    run_close(&run);
    scene_close(&s);
}

Test(journal, a_reason_is_pending_until_somebody_says_it)
{
    struct scene s;
    scene_open(&s);
    struct plan *plan = scene_plan(&s, "v1-production-rollback-1", "v1");
    plan->mode = PLAN_ROLLBACK;
    plan->reason = STR("pending");
    struct run run = run_open(&s, NULL, plan);
    str reason = {NULL, 0};
    bool pending = false;
    cr_assert(run_take(&s, &run, true));
    cr_assert(rollout_reason(run.ledger, &s.arena, plan->rollout, &reason, &pending, &s.err));
    cr_expect(pending);
    cr_assert(rollout_explain(run.ledger, plan->rollout, STR("parents call"), &s.err));
    cr_assert(rollout_reason(run.ledger, &s.arena, plan->rollout, &reason, &pending, &s.err));
    cr_expect_not(pending);
    cr_expect(str_is(reason, "parents call"));
    cr_expect_not(rollout_reason(run.ledger, &s.arena, STR("nothing"), &reason, &pending, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT);
    run_close(&run);
    scene_close(&s);
}

// With a remote a record counts once it is there.
Test(journal, durable_means_on_the_remote)
{
    struct scene s;
    scene_open(&s);
    struct run run = run_open(&s, "origin", scene_plan(&s, "v2-production-1", "v2"));
    uint64_t ticket;
    cr_assert(run_take(&s, &run, false));
    cr_assert(run_record(&s, &run, RECORD_INTENDED, PHASE_PREPARING, VERB_STAGE, &ticket));
    cr_expect_eq(run.port.state(run.port.self, ticket), APPEND_PENDING);
    cr_expect_eq(run_settle(&s, &run, ticket), APPEND_DURABLE);
    str out;
    cr_expect_eq(0, scene_shell(&s, &out, "git -C remote.git log --oneline release-ledger"));
    cr_expect(str_search(out, STR("command.intended")) != STR_NONE, "%s", out.data);
    run_close(&run);
    scene_close(&s);
}

// The remote is away: a forward record waits, the lease of a rollback does not wait for ever.
Test(journal, a_rollback_goes_on_without_the_remote)
{
    struct scene s;
    scene_open(&s);
    struct plan *back = scene_plan(&s, "v1-production-2", "v1");
    back->mode = PLAN_ROLLBACK;
    struct run run = run_open(&s, "origin", back);
    cr_assert_eq(0, scene_shell(&s, NULL, "mv remote.git away.git"));
    cr_assert_not(run_take(&s, &run, true));
    cr_expect_eq(run_lease(&s, &run), LEASE_PENDING);
    s.now_ms += JOURNAL_FORCE_MS;
    cr_expect_eq(run_lease(&s, &run), LEASE_HELD);
    cr_assert(run_record(&s, &run, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, NULL));
    cr_assert_eq(0, scene_shell(&s, NULL, "mv away.git remote.git"));
    uint64_t ticket;
    cr_assert(run_record(&s, &run, RECORD_INTENDED, PHASE_REVERTING, VERB_REVERT, &ticket));
    for (int i = 0; i < 60; i++) {
        s.now_ms += 1000;
        (void)run.port.turn(run.port.self, s.now_ms);
    }
    cr_expect_not(ledger_unpushed(run.ledger));
    run_close(&run);
    scene_close(&s);
}

// Somebody else's remote history that claims the environment: the lease is refused, not taken.
Test(journal, a_claim_that_is_on_the_remote_already_wins)
{
    struct scene s;
    scene_open(&s);
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "git clone -q work two && git -C two remote set-url "
                                "origin '%s'",
                                s.remote));
    struct run one = run_open(&s, "origin", scene_plan(&s, "v2-production-1", "v2"));
    cr_assert(run_take(&s, &one, false));
    struct run two = {.plan = scene_plan(&s, "v3-production-1", "v3")};
    str folder = arena_format(&s.arena, "%s/two", s.folder);
    two.ledger = scene_ledger(&s, folder.data, "origin", NULL);
    two.journal = journal_open(two.ledger);
    two.port = journal_port(two.journal);
    two.state = rollout_state_new(&s.arena, two.plan);
    cr_expect_not(run_take(&s, &two, false));
    char text[256];
    cr_expect_eq(two.port.lease(two.port.self, s.now_ms, text), LEASE_REFUSED);
    cr_expect(str_search(str_of(text), STR("v2-production-1")) != STR_NONE, "%s", text);
    run_close(&one);
    run_close(&two);
    scene_close(&s);
}
