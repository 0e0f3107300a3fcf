// The release risk score, and what the rules say of touched, demanding and closed risks.
#include "gate/rules/score.h"

#include "world.h"

TestSuite(risk_score, .init = world_init, .fini = world_done);

static struct risk_score make(const struct file_churn *churn, size_t count, const char *unknown)
{
    struct risk_score score;
    struct score_input input = {.rules = &world.input,
                                .churn = churn,
                                .churn_count = count,
                                .churn_unknown = unknown,
                                .window_days = 90};
    risk_score_make(&world.arena, &input, &score);
    unsigned sum = 0;
    for (int i = 0; i < SCORE_ADDENDS; i++) {
        cr_expect_leq(score.addends[i].points, score.addends[i].most);
        sum += score.addends[i].points;
    }
    cr_expect_eq(sum, score.points, "the score is the sum of what it says");
    cr_expect_leq(score.points, 100);
    return score;
}

static const char *const payments =
    "version: 1\nflows: {pay: 5}\nrisks:\n"
    "  - {id: R-1, title: Twice, likelihood: 5, impact: 5, flow: pay, paths: ['pay/**']}\n"
    "  - {id: R-2, title: Gone, likelihood: 5, impact: 5, paths: ['pay/**'], status: closed}\n";

Test(risk_score, nothing_changed_is_nothing)
{
    world_register("version: 1\nrisks: []\n");
    world_file("a.py", 1, 1);
    cr_expect_eq(make(NULL, 0, NULL).points, 0);
}

Test(risk_score, everything_at_once_is_a_hundred)
{
    world_register(payments);
    world_file("pay/migrations/a.py", 0, 500);
    world_file("pay/b.py", 0, 100);
    world_change("pay/b.py", 1, 100);
    world_change("pay/migrations/a.py", 1, 500);
    world_change("pay/migrations/b.sql", 1, 1);
    const struct file_churn churn[] = {{STR("pay/b.py"), 20}, {STR("pay/migrations/a.py"), 30}};
    struct risk_score score = make(churn, 2, NULL);
    cr_expect_eq(score.points, 100);
    cr_assert_eq(score.touched_count, 1, "a closed risk is not touched");
    cr_expect_eq(score.touched[0].file_count, 3);
}

Test(risk_score, lines_under_a_risk_weigh_more)
{
    world_register(payments); // exposure 125: a line weighs 6
    world_file("pay/a.py", 0, 10);
    world_file("other.py", 10, 10);
    world_change("other.py", 1, 10);
    world_change("pay/a.py", 1, 10);
    struct risk_score score = make(NULL, 0, NULL);
    cr_expect_eq(score.addends[SCORE_UNCOVERED].points, 22, "25 x 60/70, rounded up");
}

Test(risk_score, missing_evidence_makes_no_change_look_small)
{
    world_register(payments);
    world_change("other.py", 1, 1);
    struct risk_score score = make(NULL, 0, "the clone is shallow");
    static const int unknown[] = {SCORE_UNCOVERED, SCORE_CHURN, SCORE_HOTSPOTS};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        cr_expect(!score.addends[unknown[i]].known);
        cr_expect_eq(score.addends[unknown[i]].points, score.addends[unknown[i]].most);
    }
    world.input.changed_unknown = "nothing is committed yet";
    cr_expect_eq(make(NULL, 0, NULL).points, 100);
}

Test(risk_score, a_changed_file_that_no_report_knows_is_uncovered)
{
    world_register(payments);
    world_file("a.py", 1, 1);
    world_change("new.py", 1, 4);
    cr_expect_eq(make(NULL, 0, NULL).addends[SCORE_UNCOVERED].points, 25);
}

// ---- rules -------------------------------------------------------------------------------------

Test(risk_score, touched_risks_are_said)
{
    world_register(payments);
    world_change("pay/a.py", 1, 1);
    world_judge();
    const struct finding *finding = world_finding("risk.touched[R-1]");
    cr_expect_eq(finding->verdict, VERDICT_PASS);
    cr_assert_eq(finding->where_count, 1);
    cr_expect_str_eq(finding->where[0].path, "pay/a.py");
    cr_expect_null(finding_find(&world.findings, "risk.touched[R-2]"));
}

static const char *const demanding =
    "version: 1\nrisks:\n"
    "  - {id: R-1, title: t, likelihood: 1, impact: 1, paths: ['pay/**'],\n"
    "     demands: {tests: ['suite::pay*']}}\n";

Test(risk_score, demanded_tests_must_be_there_and_pass)
{
    static const struct {
        const char *name;
        enum test_result result;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {"pay_a", TEST_PASSED, VERDICT_PASS, "passed"},
        {"pay_a", TEST_FAILED, VERDICT_BLOCK, "`suite › pay_a` failed"},
        {"pay_a", TEST_ERROR, VERDICT_BLOCK, "error"},
        {"pay_a", TEST_FLAKY, VERDICT_BLOCK, "flaky"},
        {"pay_a", TEST_SKIPPED, VERDICT_BLOCK, "skipped"},
        {"other", TEST_PASSED, VERDICT_BLOCK, "means no test"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_register(demanding);
        world_test(rows[i].name, rows[i].result);
        world_judge();
        const struct finding *finding = world_finding("risk.tests[R-1]");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu", i);
        cr_expect(strstr(finding->message, rows[i].says), "row %zu: %s", i, finding->message);
    }
}

Test(risk_score, demands_are_judged_where_the_change_touches_them_and_always_for_a_release)
{
    world_register(demanding);
    world.input.change = true;
    world_change("other.py", 1, 1);
    world_judge();
    cr_expect_null(finding_find(&world.findings, "evidence.tests.missing[R-1]"));
    world.input.changed_unknown = "the clone is shallow";
    world_judge();
    cr_expect_eq(world_finding("evidence.tests.missing[R-1]")->verdict, VERDICT_BLOCK);
}

Test(risk_score, missing_tests_are_missing_evidence)
{
    world_register(demanding);
    world.input.on_missing = VERDICT_HOLD;
    world_judge();
    cr_expect_eq(world_finding("evidence.tests.missing[R-1]")->verdict, VERDICT_HOLD);
}

Test(risk_score, a_closed_risk_stays_closed_while_its_evidence_holds)
{
    static const struct {
        const char *closes_when;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {"{coverage: 80%}", VERDICT_PASS, "stays closed"},
        {"{coverage: 81%}", VERDICT_BLOCK, "80.00"},
        {"{coverage: {branches: 50%}}", VERDICT_BLOCK, "no branches"},
        {"{tests: ['suite::ok']}", VERDICT_PASS, "stays closed"},
        {"{tests: ['suite::gone']}", VERDICT_BLOCK, "means no test"},
        {"{finding: tests.failures}", VERDICT_PASS, "stays closed"},
        {"{finding: coverage.total}", VERDICT_BLOCK, "does not pass (block)"},
        {"{finding: nothing.such}", VERDICT_BLOCK, "no finding"},
        {"{coverage: 80%, tests: ['suite::ok'], finding: coverage.total}", VERDICT_BLOCK, "pass"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand("risk: {overdue: block}\ntests: {failures: 0}\ncoverage: {total: 90%}\n");
        world_register(arena_format(&world.arena,
                                    "version: 1\nrisks:\n  - {id: R-1, title: t, likelihood: 1, "
                                    "impact: 1, paths: ['pay/**'], status: closed, closes_when: "
                                    "%s}\n",
                                    rows[i].closes_when)
                           .data);
        world_file("pay/a.py", 8, 10);
        world_test("ok", TEST_PASSED);
        world_judge();
        const struct finding *finding = world_finding("risk.reopened[R-1]");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu: %s", i, finding->message);
        cr_expect(strstr(finding->message, rows[i].says), "row %zu: %s", i, finding->message);
    }
}

Test(risk_score, a_closed_risk_without_reports_is_reopened)
{
    world_register("version: 1\nrisks:\n  - {id: R-1, title: t, likelihood: 1, impact: 1, paths: "
                   "['pay/**'], status: closed, closes_when: {coverage: 1%}}\n"
                   "  - {id: R-2, title: t, likelihood: 1, impact: 1, status: closed, closes_when: "
                   "{tests: ['*']}}\n");
    world_judge();
    cr_expect_eq(world_finding("risk.reopened[R-1]")->verdict, VERDICT_WARN);
    cr_expect_eq(world_finding("risk.reopened[R-2]")->verdict, VERDICT_WARN);
}

Test(risk_score, points_follow_from_value_and_full)
{
    world_register(payments);
    world_file("pay/a.py", 0, 10);
    world_change("pay/a.py", 1, 10);
    world_change("db/migrate/1.rb", 1, 3);
    const struct file_churn churn[] = {{STR("pay/a.py"), 11}};
    struct risk_score score = make(churn, 1, NULL);
    static const struct {
        uint64_t value, full;
        unsigned points;
    } rows[SCORE_ADDENDS] = {
        [SCORE_RISKS] = {125, 125, 35}, [SCORE_UNCOVERED] = {1500, 1500, 25},
        [SCORE_SIZE] = {13, 400, 1},    [SCORE_CHURN] = {11, 20, 6},
        [SCORE_MIGRATIONS] = {1, 2, 5}, [SCORE_HOTSPOTS] = {1, 2, 3},
    };
    for (int i = 0; i < SCORE_ADDENDS; i++) {
        cr_expect_eq(score.addends[i].value, rows[i].value, "%s", score.addends[i].name);
        cr_expect_eq(score.addends[i].full, rows[i].full, "%s", score.addends[i].name);
        cr_expect_eq(score.addends[i].points, rows[i].points, "%s: %u", score.addends[i].name,
                     score.addends[i].points);
    }
}

Test(risk_score, the_class_is_the_policys)
{
    static const struct {
        const char *policy;
        enum score_class class;
    } rows[] = {
        {"{}", SCORE_MEDIUM}, // 36 points: 30 and 60 without more words
        {"risk: {overdue: warn}", SCORE_MEDIUM},
        {"risk: {classes: {medium: 36, high: 37}}", SCORE_MEDIUM},
        {"risk: {classes: {medium: 37}}", SCORE_LOW},
        {"risk: {classes: {medium: 10, high: 36}}", SCORE_HIGH},
    };
    world_register(
        "version: 1\nflows: {pay: 5}\nrisks:\n"
        "  - {id: R-1, title: Twice, likelihood: 5, impact: 5, flow: pay, paths: ['**']}\n");
    world_file("pay/a.py", 10, 10);
    world_change("pay/a.py", 1, 10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_demand(rows[i].policy);
        struct risk_score score = make(NULL, 0, NULL);
        cr_expect_eq(score.points, 36, "row %zu: %u", i, score.points);
        cr_expect_eq(score.class, rows[i].class, "row %zu: %s", i, score_class_name(score.class));
    }
}

Test(risk_score, the_scale_is_that_of_the_matrix)
{
    struct problems problems = {.arena = &world.arena};
    const struct risk_matrix *tens =
        matrix_read(&world.arena, "tens",
                    "version: 1\ntitle: t\naxes: {likelihood: {from: 1, to: 10}, impact: {from: 1, "
                    "to: 10}}\nseverities: {medium: 10, high: 40, critical: 80}\n");
    cr_assert(risk_register_bind(&world.arena,
                                 world_yaml("version: 1\nrisks: {id: R-1, title: t, likelihood: "
                                            "10, impact: 5, paths: 'pay/**'}\n"),
                                 tens, &world.risks, &problems));
    world.input.risks = &world.risks;
    world_file("pay/a.py", 5, 10);
    world_file("b.py", 10, 10);
    world_change("b.py", 1, 10);
    world_change("pay/a.py", 1, 10);
    struct risk_score score = make(NULL, 0, NULL);
    cr_expect_eq(score.addends[SCORE_RISKS].value, 50);
    cr_expect_eq(score.addends[SCORE_RISKS].full, 500, "100 points at the weight of 5");
    cr_expect_eq(score.addends[SCORE_RISKS].points, 4, "35 x 50/500, rounded up");
    cr_expect_eq(score.addends[SCORE_UNCOVERED].value, 5 * 150);
    cr_expect_eq(score.addends[SCORE_UNCOVERED].full, 10 * 150 + 10 * 100);
}

Test(risk_score, a_size_that_was_counted_elsewhere_is_taken)
{
    struct risk_score score;
    struct score_size size = {.lines = 200, .files = 7};
    struct score_input input = {.rules = &world.input, .size = &size, .window_days = 90};
    world_change("a.py", 1, 10);
    risk_score_make(&world.arena, &input, &score);
    cr_expect_eq(score.addends[SCORE_SIZE].points, 8);
    cr_expect_str_eq(score.addends[SCORE_SIZE].says, "200 lines changed in 7 files");
    size = (struct score_size){.lines = 500, .files = 7, .at_least = true};
    risk_score_make(&world.arena, &input, &score);
    cr_expect_str_eq(score.addends[SCORE_SIZE].says, "at least 500 lines changed in 7 files");
    size.unknown = "the change has more lines than can be counted";
    risk_score_make(&world.arena, &input, &score);
    cr_expect_not(score.addends[SCORE_SIZE].known);
    cr_expect_eq(score.addends[SCORE_SIZE].points, 15);
}
