#include "world.h"

TestSuite(incidents, .init = world_init, .fini = world_done);

#define NOW_MS (civil_to_days(2027, 1, 15) * MS_DAY)

static struct history_review review(const char *id, int64_t due_ms, bool done)
{
    return (struct history_review){.incident = str_of(id),
                                   .severity = STR("P1"),
                                   .path = STR("docs/incidents/INC-1.md"),
                                   .due_ms = due_ms,
                                   .done = done};
}

Test(incidents, an_overdue_review_is_a_finding_from_the_moment_it_is_due)
{
    static const struct {
        int64_t late_ms;
        bool done, overdue;
    } rows[] = {{0, false, false},
                {1, false, true},
                {1, true, false},
                {-MS_DAY, false, false},
                {3 * MS_DAY, false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct history_review one = review("INC-1", NOW_MS - rows[i].late_ms, rows[i].done);
        struct history history = {.reviews = &one, .review_count = 1};
        world_done();
        world_init();
        world_demand("incidents: {review_overdue: hold}");
        world.input.history = &history;
        world_judge();
        const struct finding *finding = finding_find(&world.findings, "incidents.review[INC-1]");
        cr_expect_eq(finding != NULL, rows[i].overdue, "row %zu", i);
        cr_expect_eq(finding_find(&world.findings, "incidents.reviews") != NULL, !rows[i].overdue);
        if (finding) {
            cr_expect_eq(finding->verdict, VERDICT_HOLD);
            cr_expect_eq(finding->scope, SCOPE_ENVIRONMENT, "a change has not caused it");
            cr_expect(strstr(finding->advice, "docs/incidents/INC-1.md"));
        }
    }
}

Test(incidents, without_a_record_nothing_is_taken_for_well)
{
    world_demand("incidents: {review_overdue: block}");
    world_judge();
    const struct finding *finding = finding_find(&world.findings, "incidents.unknown");
    cr_assert_not_null(finding);
    cr_expect_eq(finding->verdict, VERDICT_WARN);
}

Test(incidents, a_record_that_does_not_answer_is_missing_evidence)
{
    struct history history = {.reviews_unknown = "the ledger cannot be read"};
    world_demand("incidents: {review_overdue: warn}");
    world.input.history = &history;
    world_judge();
    const struct finding *finding = finding_find(&world.findings, "incidents.unknown");
    cr_assert_not_null(finding);
    cr_expect_eq(finding->verdict, world.input.on_missing);
    cr_expect(strstr(finding->message, "the ledger cannot be read"));
    cr_expect_null(finding_find(&world.findings, "incidents.reviews"));
}

Test(incidents, not_asked_for_is_not_judged)
{
    struct history_review one = review("INC-1", 1, false);
    struct history history = {.reviews = &one, .review_count = 1};
    world.input.history = &history;
    world_judge();
    cr_expect_eq(world.findings.count, 0);
}
