#include "gate/rules/rollout_demands.h"

#include "world.h"

TestSuite(rollout_demands, .init = world_init, .fini = world_done);

static const char *const risks =
    "version: 1\n"
    "risks:\n"
    "  - {id: R-1, title: a, likelihood: 4, impact: 5, paths: ['pay/**'],\n"
    "     demands: {approvals: 2, slower: true, steps: [5%, 25%]}}\n"
    "  - {id: R-2, title: b, likelihood: 1, impact: 1, paths: [pay/card.py],\n"
    "     demands: {slower: 1.5, steps: [1%, 25%]}}\n"
    "  - {id: R-3, title: c, likelihood: 1, impact: 1, paths: ['search/**'],\n"
    "     demands: {approvals: 5}}\n"
    "  - {id: R-4, title: d, likelihood: 1, impact: 1, status: closed, paths: ['pay/**'],\n"
    "     demands: {approvals: 7}}\n"
    "  - {id: R-5, title: e, likelihood: 1, impact: 1, paths: ['pay/**'],\n"
    "     demands: {tests: [x]}}\n"
    "  - {id: R-6, title: f, likelihood: 1, impact: 1, status: accepted, owner: o,\n"
    "     due: 2027-03-01, paths: ['pay/**'], demands: {approvals: 9}}\n";

Test(rollout_demands, of_the_touched_risks_that_are_open)
{
    struct rollout_demands demands;
    static const int64_t percents[] = {1, 5, 25};
    world_register(risks);
    world_change("pay/card.py", 1, 2);
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.approvals, 2);
    cr_expect_eq(demands.slower, 2);
    cr_assert_eq(demands.step_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(fraction_cmp(demands.steps[i], (struct fraction){percents[i], 100}), 0);
    cr_assert_eq(demands.because_count, 2);
    cr_expect(str_is(demands.because[0].risk->id, "R-1"));
    cr_expect_str_eq(demands.because[0].what,
                     "2 approvals, bakes 2 times as long, steps at 5%, 25%");
    cr_expect_str_eq(demands.because[1].what, "bakes 1.5 times as long, steps at 1%, 25%");
    cr_expect_null(demands.unknown);
}

Test(rollout_demands, an_acceptance_that_has_ended_counts)
{
    struct rollout_demands demands;
    world_register(risks);
    world_change("pay/till.py", 1, 2);
    world.input.now_ms = civil_to_days(2027, 3, 2) * MS_DAY;
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.approvals, 9);
    cr_expect_eq(demands.because_count, 2);
}

Test(rollout_demands, nothing_touched_is_nothing_demanded)
{
    struct rollout_demands demands;
    world_register(risks);
    world_change("docs/page.md", 1, 2);
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.approvals, 0);
    cr_expect_eq(demands.slower, 1);
    cr_expect_eq(demands.step_count, 0);
    cr_expect_eq(demands.because_count, 0);
}

Test(rollout_demands, where_nobody_knows_what_changed_all_open_ones_count)
{
    struct rollout_demands demands;
    world_register(risks);
    world.input.changed_unknown = "nothing is committed yet";
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.approvals, 5);
    cr_expect_eq(demands.because_count, 3);
    cr_expect_str_eq(demands.unknown, "nothing is committed yet");
}

Test(rollout_demands, a_risk_without_paths_counts_for_every_release)
{
    struct rollout_demands demands;
    world_register("version: 1\nrisks: {id: R-1, title: a, likelihood: 1, impact: 1, "
                   "demands: {steps: 10%}}\n");
    world_change("docs/page.md", 1, 2);
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.step_count, 1);
    cr_expect_str_eq(demands.because[0].what, "a step at 10%");
}

Test(rollout_demands, without_a_register_there_are_none)
{
    struct rollout_demands demands;
    world_change("pay/card.py", 1, 2);
    rollout_demands_make(&world.arena, &world.input, &demands);
    cr_expect_eq(demands.because_count, 0);
    cr_expect_eq(demands.slower, 1);
}
