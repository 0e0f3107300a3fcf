#include "../expect.h"
#include "sample.h"

static struct arena arena;
static struct sample sample;

static void open_sample(void)
{
    sample_make(&sample);
}

static void close_sample(void)
{
    arena_done(&arena);
}

TestSuite(notice, .init = open_sample, .fini = close_sample);

Test(notice, every_phase_tells_its_own)
{
    static const struct {
        enum rollout_phase phase;
        const char *title, *back; // of a rollout, of a rollback by hand; null = nothing is told
        const char *id;
    } rows[] = {
        {PHASE_NEW, NULL, NULL, NULL},
        {PHASE_WAITING, "v812 waits for an approval in production",
         "v812 waits for an approval in production", "v812-production-1/waiting/17"},
        {PHASE_PREPARING, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_SHIFTING, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_STEP_BAKE, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_BAKE, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_PROMOTING, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_VERIFYING, "v812 is going out to production", NULL, "v812-production-1/started"},
        {PHASE_REVERTING, NULL, NULL, NULL},
        {PHASE_HELD, "v812 is held in production: a person must decide",
         "v812 is held in production: a person must decide",
         "v812-production-1/held/1795331395123"},
        {PHASE_STUCK, "the way back from v812 in production is stuck",
         "the rollback of production to v812 is stuck", "v812-production-1/stuck"},
        {PHASE_DONE, "v812 is out in production", "v812 is out in production",
         "v812-production-1/done"},
        {PHASE_ROLLED_BACK, "v812 was taken back in production",
         "production was rolled back to v812", "v812-production-1/rolled_back"},
        {PHASE_DENIED, "v812 was denied in production", "v812 was denied in production",
         "v812-production-1/denied"},
        {PHASE_CANCELLED, "v812 was cancelled in production", "v812 was cancelled in production",
         "v812-production-1/cancelled"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample.state.phase = rows[i].phase;
        for (int mode = PLAN_FORWARD; mode <= PLAN_ROLLBACK; mode++) {
            const char *want = mode == PLAN_FORWARD ? rows[i].title : rows[i].back;
            enum notice_event event;
            sample.plan.mode = (enum plan_mode)mode;
            bool tells = notice_of_state(&sample.plan, &sample.state, &event);
            cr_expect_eq(tells, want != NULL, "%s", phase_name(rows[i].phase));
            if (!tells || !want)
                continue;
            struct notice notice = sample_notice(&arena, &sample, rows[i].phase);
            expect_str(notice.title, want);
            expect_str(notice.id, rows[i].id);
            expect_str(notice.thread, "sluice/v812-production-1/0123456789ab");
        }
    }
}

Test(notice, what_was_taken_back_goes_the_other_way)
{
    struct notice held = sample_notice(&arena, &sample, PHASE_HELD);
    struct notice back = sample_notice(&arena, &sample, PHASE_ROLLED_BACK);
    cr_assert_eq(held.target_count, 2);
    expect_str(held.targets[0].from, "v811");
    expect_str(held.targets[0].to, "v812");
    expect_str(held.targets[1].from, "");
    expect_str(back.targets[0].from, "v812");
    expect_str(back.targets[0].to, "v811");
    expect_str(held.where, "25 % (step 1 of 2)");
    expect_str(back.where, "");
}

Test(notice, who_is_asked_and_what_is_left_to_answer)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_WAITING);
    cr_assert_eq(notice.asked_count, 2);
    expect_str(notice.asked[1], "bob");
    cr_expect_eq(notice.answers_needed, 1, "one of two has answered");
    expect_str(notice.why, "");
    notice = sample_notice(&arena, &sample, PHASE_HELD);
    cr_expect_eq(notice.asked_count, 0);
}

Test(notice, the_runbook_of_the_metric_that_the_reason_names)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_ROLLED_BACK);
    cr_assert_eq(notice.runbook_count, 1);
    expect_str(notice.runbooks[0], "docs/errors.md");
}

Test(notice, a_title_is_one_line)
{
    sample.plan.environment = STR("prod\r\nBcc: everybody");
    struct notice notice = sample_notice(&arena, &sample, PHASE_DONE);
    expect_str(notice.title, "v812 is out in prod  Bcc: everybody");
}
