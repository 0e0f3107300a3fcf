#include "world.h"

TestSuite(test_code, .init = world_init, .fini = world_done);

Test(test_code, that_no_report_knows_is_not_charged)
{
    static const struct {
        const char *path;
        bool charged;
    } rows[] = {
        {"pkg/new.go", true},     {"pkg/new_test.go", false}, {"new_test.go", false},
        {"pkg/latest.go", true},  {"tests/helper.go", false}, {"pkg/testing/x.go", true},
        {"web/a.spec.go", false}, {"contest/x.go", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand("coverage: {changed: 80%}");
        world_file("pkg/known.go", 10, 10);
        world_change(rows[i].path, 1, 10);
        world_judge();
        const struct finding *finding = finding_find(&world.findings, "coverage.changed");
        cr_assert_not_null(finding);
        cr_expect_eq(finding->verdict, rows[i].charged ? VERDICT_BLOCK : VERDICT_PASS, "%s",
                     rows[i].path);
    }
}

Test(test_code, that_a_report_measures_is_charged)
{
    world_demand("coverage: {changed: 80%}");
    world_file("tests/test_a.py", 0, 10);
    world_change("tests/test_a.py", 1, 10);
    world_judge();
    cr_expect_eq(finding_find(&world.findings, "coverage.changed")->verdict, VERDICT_BLOCK);
}
