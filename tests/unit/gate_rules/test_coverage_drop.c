// How far coverage may fall below the baseline: exactly so far, and no line further.
#include "world.h"

static struct baseline baseline;
static struct history history;

static void start(void)
{
    world_init();
    baseline = (struct baseline){.commit = "0123456789abcdef", .has_coverage = true};
    history = (struct history){.baseline = &baseline};
    world.input.history = &history;
}

TestSuite(coverage_drop, .init = start, .fini = world_done);

Test(coverage_drop, borders_are_exact)
{
    static const struct {
        const char *drop;
        uint64_t covered, total; // of the baseline
        uint32_t now, now_total;
        enum verdict verdict;
    } rows[] = {
        {"0.2pp", 500, 1000, 500, 1000, VERDICT_PASS},
        {"0.2pp", 500, 1000, 498, 1000, VERDICT_PASS},  // exactly 0.2 points
        {"0.2pp", 500, 1000, 497, 1000, VERDICT_BLOCK}, // one line more
        {"0.2pp", 1, 3, 333, 1000, VERDICT_PASS},       // 33.3 % is above 33.33 % - 0.2
        {"0.2pp", 1, 3, 331, 1000, VERDICT_BLOCK},      // 33.1 % is below 33.13 %
        {"0.2pp", 1, 3, 332, 1000, VERDICT_PASS},
        {"0pp", 1, 3, 333, 1000, VERDICT_BLOCK}, // 33.3 % is less than a third
        {"0pp", 1, 3, 2, 6, VERDICT_PASS},
        {"0pp", 999, 1000, 1000, 1000, VERDICT_PASS},
        {"5pp", 3, 100, 0, 100, VERDICT_PASS}, // the floor lies below nothing
        {"0.2pp", UINT64_C(4000000000), UINT64_C(8000000000), 498, 1000, VERDICT_PASS},
        {"0.2pp", UINT64_C(4000000000), UINT64_C(8000000000), 497, 1000, VERDICT_BLOCK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand(arena_format(&world.arena, "coverage: {max_drop: %s}", rows[i].drop).data);
        baseline.lines_covered = rows[i].covered;
        baseline.lines_total = rows[i].total;
        world_file("a.py", rows[i].now, rows[i].now_total);
        world_judge();
        const struct finding *finding = world_finding("coverage.drop");
        cr_expect_eq(finding->verdict, rows[i].verdict, "row %zu: %s", i, finding->message);
        cr_expect_eq(finding->scope, SCOPE_YOURS);
    }
}

Test(coverage_drop, what_is_ignored_does_not_count)
{
    world_demand("coverage: {max_drop: 0pp, ignore: ['generated/**']}");
    baseline.lines_covered = 9;
    baseline.lines_total = 10;
    world_file("a.py", 9, 10);
    world_file("generated/b.py", 0, 1000);
    world_judge();
    cr_expect_eq(world_finding("coverage.drop")->verdict, VERDICT_PASS);
}

Test(coverage_drop, without_a_baseline_it_is_said_and_is_no_pass)
{
    static const struct {
        bool history, baseline, coverage;
        const char *unknown, *words;
    } rows[] = {
        {false, false, false, NULL, "no ledger at hand"},
        {true, false, false, "the ledger is away", "the ledger is away"},
        {true, true, false, NULL, "no coverage of one"},
        {true, true, true, NULL, "no coverage of one"}, // of no line at all
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        start();
        world_demand("coverage: {max_drop: 0.2pp}");
        world.input.history = rows[i].history ? &history : NULL;
        history.baseline = rows[i].baseline ? &baseline : NULL;
        history.baseline_unknown = rows[i].unknown;
        baseline.has_coverage = rows[i].coverage;
        world_file("a.py", 1, 2);
        world_judge();
        const struct finding *finding = world_finding("coverage.drop");
        cr_expect_eq(finding->verdict, VERDICT_WARN, "row %zu", i);
        cr_expect(strstr(finding->message, rows[i].words), "row %zu: %s", i, finding->message);
    }
}

Test(coverage_drop, not_asked_for_is_not_judged)
{
    world_demand("coverage: {total: 10%}");
    baseline.lines_covered = baseline.lines_total = 10;
    world_file("a.py", 1, 2);
    world_judge();
    cr_expect_null(finding_find(&world.findings, "coverage.drop"));
}
