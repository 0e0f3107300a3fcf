#include "gate/rules/standing.h"
#include "world.h"

TestSuite(standing, .init = world_init, .fini = world_done);

static struct finding *say(const char *rule, enum verdict verdict, const char *id,
                           enum figure_sense sense, const char *have)
{
    struct finding *finding = finding_add(&world.findings, rule, verdict, "%s", id);
    finding->sense = sense;
    finding->have = have;
    finding->message = "It is so.";
    return finding;
}

Test(standing, what_was_there_before_is_inherited_unless_it_is_worse)
{
    static const struct {
        enum figure_sense sense;
        const char *before, *now;
        enum scope scope;
    } rows[] = {
        {FIGURE_MORE_IS_BETTER, "40/100", "40/100", SCOPE_INHERITED},
        {FIGURE_MORE_IS_BETTER, "40/100", "41/100", SCOPE_INHERITED},
        {FIGURE_MORE_IS_BETTER, "40/100", "80/200", SCOPE_INHERITED},
        {FIGURE_MORE_IS_BETTER, "40/100", "79/200", SCOPE_YOURS},
        {FIGURE_MORE_IS_BETTER, "1/3", "33333333333333/99999999999999", SCOPE_INHERITED},
        {FIGURE_LESS_IS_BETTER, "3/100", "3/90", SCOPE_INHERITED},
        {FIGURE_LESS_IS_BETTER, "3/100", "4/1000", SCOPE_YOURS},
        {FIGURE_LESS_IS_BETTER, "96", "95", SCOPE_INHERITED},
        {FIGURE_LESS_IS_BETTER, "", "95", SCOPE_YOURS},
        {FIGURE_NONE, "96", "96", SCOPE_YOURS},
        {FIGURE_MORE_IS_BETTER, "0/0", "0/0", SCOPE_YOURS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct history_finding before = {"coverage.total", VERDICT_BLOCK, rows[i].before};
        struct history history = {.before = &before, .before_count = 1};
        world_done();
        world_init();
        world.input.history = &history;
        world.input.change = true;
        (void)say("coverage", VERDICT_BLOCK, "coverage.total", rows[i].sense, rows[i].now);
        (void)say("coverage", VERDICT_BLOCK, "coverage.changed", rows[i].sense, rows[i].now);
        findings_stand(&world.input, &world.findings);
        const struct finding *finding = &world.findings.items[0];
        cr_expect_eq(finding->scope, rows[i].scope, "row %zu", i);
        cr_expect_eq(finding->verdict, rows[i].scope == SCOPE_YOURS ? VERDICT_BLOCK : VERDICT_WARN,
                     "row %zu", i);
        cr_expect_eq(finding->judged, VERDICT_BLOCK);
        cr_expect_eq(world.findings.items[1].scope, SCOPE_YOURS, "another id is not inherited");
    }
}

Test(standing, a_release_is_stopped_by_all)
{
    struct finding *finding = say("risk", VERDICT_BLOCK, "risk.exposure", FIGURE_NONE, "");
    finding->scope = SCOPE_ENVIRONMENT;
    findings_stand(&world.input, &world.findings);
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_expect_str_eq(finding->message, "It is so.");
    world.input.change = true;
    findings_stand(&world.input, &world.findings);
    cr_expect_eq(finding->verdict, VERDICT_WARN);
    cr_expect(strstr(finding->message, "a release it would block"));
}

Test(standing, enforcement_caps_a_family_and_says_so)
{
    static const struct {
        const char *word;
        enum verdict verdict;
    } rows[] = {{"block", VERDICT_BLOCK},
                {"hold", VERDICT_HOLD},
                {"warn", VERDICT_WARN},
                {"off", VERDICT_PASS}};
    for (size_t i = 0; i < 4; i++) {
        world_done();
        world_init();
        world_demand(arena_format(&world.arena, "enforcement: {risk: %s}", rows[i].word).data);
        (void)say("risk", VERDICT_BLOCK, "risk.exposure", FIGURE_NONE, "");
        (void)say("coverage", VERDICT_BLOCK, "coverage.total", FIGURE_NONE, "");
        (void)say("evidence", VERDICT_BLOCK, "evidence.risks.missing", FIGURE_NONE, "");
        findings_stand(&world.input, &world.findings);
        cr_expect_eq(world.findings.items[0].verdict, rows[i].verdict, "%s", rows[i].word);
        cr_expect_eq(world.findings.items[1].verdict, VERDICT_BLOCK);
        cr_expect_eq(world.findings.items[2].verdict, VERDICT_BLOCK, "evidence is always enforced");
        if (i)
            cr_expect(strstr(world.findings.items[0].message, "it would block"), "%s",
                      world.findings.items[0].message);
    }
}

Test(standing, scope_release_spares_a_pull_request_only)
{
    world_demand("scope: {risk: release}");
    struct finding *finding = say("risk", VERDICT_BLOCK, "risk.exposure", FIGURE_NONE, "");
    findings_stand(&world.input, &world.findings);
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    world.input.change = true;
    findings_stand(&world.input, &world.findings);
    cr_expect_eq(finding->verdict, VERDICT_WARN);
}

Test(standing, ids_are_found_among_many_and_after_a_new_order)
{
    for (int i = 0; i < 5000; i++)
        (void)finding_add(&world.findings, "tests", VERDICT_WARN, "tests.new[%d]", i);
    cr_expect_str_eq(finding_add(&world.findings, "tests", VERDICT_WARN, "tests.new[7]")->id,
                     "tests.new[7]#2");
    struct finding *turned = ARENA_ARRAY(&world.arena, struct finding, world.findings.count);
    for (size_t i = 0; i < world.findings.count; i++)
        turned[i] = world.findings.items[world.findings.count - 1 - i];
    findings_reorder(&world.findings, turned);
    const struct finding *found = finding_find(&world.findings, "tests.new[4321]");
    cr_assert_not_null(found);
    cr_expect_str_eq(found->id, "tests.new[4321]");
    cr_expect_null(finding_find(&world.findings, "tests.new[5000]"));
}
