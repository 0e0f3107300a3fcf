#include "world.h"

#include "gate/rules/figure.h"

TestSuite(coverage, .init = world_init, .fini = world_done);

Test(coverage, total_is_exact)
{
    static const struct {
        const char *demand;
        uint32_t covered, total;
        enum verdict verdict;
        const char *have, *want;
    } rows[] = {
        {"coverage: {total: 80%}", 80, 100, VERDICT_PASS, "80/100", "80%"},
        {"coverage: {total: 80%}", 7999, 10000, VERDICT_BLOCK, "7999/10000", "80%"},
        {"coverage: {total: 43.95%}", 31582, 71846, VERDICT_PASS, "31582/71846", "43.95%"},
        {"coverage: {total: 43.96%}", 31582, 71846, VERDICT_BLOCK, "31582/71846", "43.96%"},
        {"coverage: {total: 100%}", 32847, 32848, VERDICT_BLOCK, "32847/32848", "100%"},
        {"coverage: {total: 0%}", 0, 3, VERDICT_PASS, "0/3", "0%"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand(rows[i].demand);
        world_file("app/a.py", rows[i].covered, rows[i].total);
        world_judge();
        const struct finding *finding = world_finding("coverage.total");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu", i);
        cr_expect_str_eq(finding->have, rows[i].have);
        cr_expect_str_eq(finding->want, rows[i].want);
        cr_expect_eq(world.findings.count, 1, "row %zu", i);
    }
}

Test(coverage, a_shown_figure_is_cut_and_says_what_is_missing)
{
    world_demand("coverage: {total: 100%}");
    world_file("app/a.py", 32847, 32848);
    world_judge();
    const struct finding *finding = world_finding("coverage.total");
    cr_expect(strstr(finding->message, "99.99%"), "%s", finding->message);
    cr_expect(strstr(finding->message, "1 more of 32848"), "%s", finding->message);
}

Test(coverage, needed_lines_meet_the_limit_and_one_less_does_not)
{
    static const struct fraction limits[] = {{4396, 10000}, {1, 3}, {80, 100}, {1, 1}, {0, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (uint64_t total = 1; total < 400; total += 7) {
            uint64_t needed = share_needed(total, limits[i]);
            cr_expect(fraction_at_least(needed, total, limits[i]));
            cr_expect(needed == 0 || !fraction_at_least(needed - 1, total, limits[i]));
        }
}

Test(coverage, ignored_files_do_not_count)
{
    world_demand("coverage: {total: 90%, ignore: ['**/migrations/**', generated]}");
    bool generated[] = {false, false, true};
    world_file("app/a.py", 9, 10);
    world_file("app/migrations/0001.py", 0, 50);
    world_file("app/client_pb2.py", 0, 50);
    world.input.generated = generated;
    world_judge();
    cr_expect_eq(world_finding("coverage.total")->verdict, VERDICT_PASS);
    cr_expect_str_eq(world_finding("coverage.total")->have, "9/10");
}

Test(coverage, the_longest_literal_prefix_wins)
{
    world_demand("coverage: {critical: {'payments/**': 90%, 'payments/cards/**': {lines: 50%}, "
                 "'**/*.py': 10%}}");
    world_file("payments/a.py", 9, 10);
    world_file("payments/cards/b.py", 5, 10);
    world_file("other/c.py", 1, 10);
    world_judge();
    cr_expect_str_eq(world_finding("coverage.critical[payments/**].lines")->have, "9/10");
    cr_expect_str_eq(world_finding("coverage.critical[payments/cards/**].lines")->have, "5/10");
    cr_expect_str_eq(world_finding("coverage.critical[**/*.py].lines")->have, "1/10");
    cr_expect_eq(world_verdict(), VERDICT_PASS);
}

Test(coverage, a_pattern_without_files_is_missing_evidence)
{
    world_demand("coverage: {critical: {'paymnets/**': 90%}}");
    world_file("payments/a.py", 10, 10);
    world.input.on_missing = VERDICT_HOLD;
    world_judge();
    const struct finding *finding = world_finding("evidence.coverage.missing[paymnets/**]");
    cr_expect_eq(finding->verdict, VERDICT_HOLD);
    cr_expect_eq(world.findings.count, 1);
}

Test(coverage, branches_of_a_critical_path)
{
    world_demand("coverage: {critical: {'payments/**': {branches: 75%}}}");
    world_file("payments/a.py", 1, 10);
    world_branches("payments/a.py", 2, 4);
    world_judge();
    cr_expect_eq(world_finding("coverage.critical[payments/**].branches")->verdict, VERDICT_BLOCK);
    cr_expect_str_eq(world_finding("coverage.critical[payments/**].branches")->have, "2/4");
}

Test(coverage, branches_that_no_report_has_are_missing)
{
    world_demand("coverage: {critical: {'payments/**': {branches: 75%}}}");
    world_file("payments/a.py", 10, 10);
    world_judge();
    cr_expect_eq(world_finding("evidence.coverage.missing[payments/**].branches")->verdict,
                 VERDICT_BLOCK);
}

Test(coverage, changed_lines)
{
    static const struct {
        const char *name;
        uint32_t covered, total, from, to;
        enum verdict verdict;
        const char *have;
    } rows[] = {
        {"enough", 18, 20, 11, 20, VERDICT_PASS, "8/10"},
        {"too few", 17, 20, 11, 20, VERDICT_BLOCK, "7/10"},
        {"four lines, one uncovered", 19, 20, 17, 20, VERDICT_PASS, "3/4"},
        {"four lines, two uncovered", 18, 20, 17, 20, VERDICT_BLOCK, "2/4"},
        {"one line, uncovered", 19, 20, 20, 20, VERDICT_PASS, "0/1"},
        {"five lines, two uncovered", 18, 20, 16, 20, VERDICT_BLOCK, "3/5"},
        {"no coverable line", 20, 20, 30, 40, VERDICT_PASS, "0/0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand("coverage: {changed: 80%}");
        world_file("app/a.py", rows[i].covered, rows[i].total);
        world_change("app/a.py", rows[i].from, rows[i].to);
        world_judge();
        const struct finding *finding = world_finding("coverage.changed");
        cr_expect_eq(finding->verdict, rows[i].verdict, "%s", rows[i].name);
        cr_expect_str_eq(finding->have, rows[i].have, "%s: %s", rows[i].name, finding->have);
    }
}

Test(coverage, a_changed_file_that_no_report_knows_is_uncovered)
{
    world_demand("coverage: {changed: 80%}");
    world_file("app/a.py", 10, 10);
    world_change("app/new.py", 1, 9);
    world_change("README.md", 1, 100);
    world_change("Makefile", 1, 100);
    world_judge();
    const struct finding *finding = world_finding("coverage.changed");
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_expect_str_eq(finding->have, "0/9");
    cr_assert_eq(finding->where_count, 1);
    cr_expect_str_eq(finding->where[0].path, "app/new.py");
    cr_expect_eq(finding->where[0].line, 1);
    cr_expect_eq(finding->where[0].end_line, 9);
}

Test(coverage, uncovered_changed_lines_are_listed_as_runs)
{
    world_demand("coverage: {changed: 100%, critical: {'app/**': {changed: 100%}}}");
    world_file("app/a.py", 2, 6);
    world_change("app/a.py", 1, 4);
    world_judge();
    const struct finding *finding = world_finding("coverage.critical[app/**].changed");
    cr_expect_eq(finding->verdict, VERDICT_BLOCK);
    cr_assert_eq(finding->where_count, 1);
    cr_expect_eq(finding->where[0].line, 3);
    cr_expect_eq(finding->where[0].end_line, 4);
}

Test(coverage, a_change_that_is_not_known_is_missing_evidence)
{
    world_demand("coverage: {changed: 80%}");
    world_file("app/a.py", 10, 10);
    world.input.changed_unknown = "this is not a git repository";
    world_judge();
    cr_expect_eq(world_finding("evidence.changes.missing")->verdict, VERDICT_BLOCK);
    cr_expect_null(finding_find(&world.findings, "coverage.changed"));
}

Test(coverage, generated_changes_are_not_charged)
{
    world_demand("coverage: {changed: 80%, ignore: generated}");
    world_file("app/a.py", 10, 10);
    world_change("app/client_pb2.py", 1, 100);
    struct changed_file copy = world.input.changed[0];
    copy.generated = true;
    world.input.changed = &copy;
    world_judge();
    cr_expect_str_eq(world_finding("coverage.changed")->have, "0/0");
}
