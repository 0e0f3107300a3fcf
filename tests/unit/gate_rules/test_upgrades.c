#include "world.h"

static struct lifecycle tables[3];
static struct lifecycles lifecycles = {tables, 3};
static struct dependencies locks;

static const char *const documents[] = {
    "product: django\ntitle: Django\nlocked_as: [\"pypi:django\"]\nsource: s\nas_of: 2026-01-01\n"
    "series:\n  - {name: \"3.2\", lts: true, end_of_life: 2024-04-01}\n  - {name: \"4.0\"}\n"
    "  - {name: \"4.2\", lts: true, needs: {python: {from: \"3.8\", to: \"3.12\"}}}\n"
    "  - {name: \"5.0\", needs: {python: {from: \"3.10\", to: \"3.12\"}}}\n"
    "  - {name: \"5.2\", lts: true, needs: {python: \"3.10\"}}\n",
    "product: python\ntitle: Python\nlocked_as: [\"runtime:python\"]\nsource: s\n"
    "as_of: 2026-01-01\nseries:\n  - {name: \"3.8\", end_of_life: 2024-10-07}\n"
    "  - {name: \"3.9\", end_of_life: 2027-01-14}\n  - {name: \"3.10\", end_of_life: 2027-01-15}\n"
    "  - {name: \"3.11\", end_of_life: 2027-10-31}\n  - {name: \"3.13\"}\n",
    "product: redis\ntitle: Redis\nlocked_as: [\"image:redis\"]\nsource: s\nas_of: 2026-01-01\n"
    "series: [\"6.2\", \"7.0\", \"7.2\"]\n",
};

static void init(void)
{
    world_init();
    struct problems problems = {.arena = &world.arena};
    for (size_t i = 0; i < 3; i++)
        cr_assert(lifecycle_bind(&world.arena, world_yaml(documents[i]), &tables[i], &problems),
                  "%s", problems.items[0].message);
    locks = (struct dependencies){.head = {.arena = &world.arena},
                                  .base = {.arena = &world.arena},
                                  .looked_for = "requirements.txt",
                                  .has_base = true};
    world.input.dependencies = &locks;
    world.input.lifecycles = &lifecycles;
}

TestSuite(upgrades, .init = init, .fini = world_done);

static void lock(struct locks *side, const char *path, const char *text)
{
    struct error err = {0};
    cr_assert(locks_read(side, path, str_of(text), &err), "%s", err.message);
}

static void django(const char *before, const char *after)
{
    lock(&locks.base, "requirements.txt", before);
    lock(&locks.head, "requirements.txt", after);
}

static void expect_finding(const char *id, enum verdict verdict, enum scope scope)
{
    const struct finding *finding = world_finding(id);
    cr_expect_eq(finding->verdict, verdict, "%s: %s", id, finding->message);
    cr_expect_eq(finding->scope, scope, "%s", id);
}

Test(upgrades, a_jump_over_a_series_blocks)
{
    static const struct {
        const char *before, *after, *demand;
        enum verdict want;
        const char *have;
    } cases[] = {
        {"django==4.2.1\n", "django==5.2\n", "1 lts", VERDICT_PASS, "1 lts"},
        {"django==3.2.25\n", "django==5.2\n", "1 lts", VERDICT_BLOCK, "2 lts"},
        {"django==3.2.25\n", "django==5.2\n", "2 lts", VERDICT_PASS, "2 lts"},
        {"django==3.2.25\n", "django==5.2\n", "0 major", VERDICT_BLOCK, "2 major"},
        {"django==4.2\n", "django==5.0\n", "5 minor", VERDICT_BLOCK, "another major version"},
        {"django==4.0\n", "django==4.2\n", "2 minor", VERDICT_PASS, "2 minor"},
        {"django==4.2.1\n", "django==4.2.9\n", "3 patch", VERDICT_BLOCK, "8 patch"},
        {"django==4.2.1\n", "django==9.0\n", "1 lts", VERDICT_BLOCK, ""}, // not in the table
        {"django==4.2.1\n", "django==4.2.1\n", "1 lts", VERDICT_PASS, "4.2.1"},
        {"celery==5.0\n", "django==5.2\n", "1 lts", VERDICT_PASS, "5.2"}, // new
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world.findings = (struct findings){.arena = &world.arena};
        locks.head.count = locks.base.count = 0;
        django(cases[i].before, cases[i].after);
        world_demand(
            arena_format(&world.arena, "upgrades: {django: {max_step: %s}}", cases[i].demand).data);
        world_judge();
        const struct finding *finding = world_finding("upgrades.step[django]");
        cr_expect_eq(finding->verdict, cases[i].want, "%zu: %s", i, finding->message);
        cr_expect_str_eq(finding->have, cases[i].have, "%zu", i);
    }
}

Test(upgrades, the_message_says_from_where_to_where_and_the_way)
{
    django("Django==3.2.25\n", "asgiref==3.7\nDjango==5.2.1\n");
    world_demand("upgrades: {django: 1 lts}");
    world_judge();
    const struct finding *finding = world_finding("upgrades.step[django]");
    cr_expect_str_eq(finding->message,
                     "Django goes from 3.2.25 to 5.2.1, a big bang: 2 LTS steps, and at most "
                     "1 LTS step may be made in one change.");
    cr_expect(strstr(finding->advice, "by way of 4.2"), "%s", finding->advice);
    cr_expect_str_eq(finding->where[0].path, "requirements.txt");
    cr_expect_eq(finding->where[0].line, 2);
}

Test(upgrades, without_a_word_about_steps_one_long_term_series_is_allowed)
{
    django("django==3.2\n", "django==5.2\n");
    world_demand("upgrades: {django: {}}");
    world_judge();
    expect_finding("upgrades.step[django]", VERDICT_BLOCK, SCOPE_YOURS);
}

Test(upgrades, what_nobody_demands_is_said_and_does_not_block)
{
    django("django==3.2\n", "django==5.2\n");
    world_judge();
    expect_finding("upgrades.step[django]", VERDICT_WARN, SCOPE_YOURS);
}

Test(upgrades, a_downgrade_is_said)
{
    django("django==5.2\n", "django==4.2.1\n");
    world_demand("upgrades: {django: 1 lts}");
    world_judge();
    expect_finding("upgrades.downgrade[django]", VERDICT_WARN, SCOPE_YOURS);
    cr_expect_null(finding_find(&world.findings, "upgrades.step[django]"));
}

Test(upgrades, a_package_without_a_table_is_judged_by_its_numbers)
{
    django("requests==2.1.0\n", "requests==4.0.0\n");
    world_demand("upgrades: {requests: 1 major}");
    world_judge();
    expect_finding("upgrades.step[requests]", VERDICT_BLOCK, SCOPE_YOURS);
}

Test(upgrades, missing_and_unpinned_is_never_a_pass)
{
    django("django==4.2\n", "django>=4.2\n");
    world_demand("upgrades: {django: 1 lts, redis: 1 series}");
    world_judge();
    expect_finding("upgrades.unpinned[django]", VERDICT_BLOCK, SCOPE_YOURS);
    expect_finding("evidence.dependencies.missing[redis]", VERDICT_BLOCK, SCOPE_YOURS);
}

Test(upgrades, no_lock_file_an_unreadable_one_and_no_base)
{
    struct lock_problem problem = {.path = "a.lock", .sentence = "a.lock:3: no.", .line = 3};
    locks.base_unknown = "nothing is committed yet";
    world_judge();
    expect_finding("evidence.dependencies.missing", VERDICT_BLOCK, SCOPE_YOURS);
    expect_finding("upgrades.base", VERDICT_BLOCK, SCOPE_YOURS);
    locks.problems = locks.base_problems = (struct lock_problems){&problem, 1};
    world.findings = (struct findings){.arena = &world.arena};
    world_judge();
    expect_finding("evidence.dependencies.unreadable[a.lock]", VERDICT_BLOCK, SCOPE_YOURS);
    expect_finding("upgrades.base[a.lock]", VERDICT_BLOCK, SCOPE_YOURS);
}

// Today is 2027-01-15: the last day of support is still supported.
Test(upgrades, an_end_of_life_is_a_finding_with_its_date)
{
    lock(&locks.base, ".python-version", "3.9.1\n");
    lock(&locks.head, ".python-version", "3.9.1\n3.10.2\n3.8.1\n3.11.0\n");
    world_demand("upgrades: {python: {max_step: 3 minor, end_of_life: hold}}");
    world_judge();
    expect_finding("upgrades.end_of_life[python 3.9]", VERDICT_HOLD, SCOPE_ENVIRONMENT);
    expect_finding("upgrades.end_of_life[python 3.8]", VERDICT_HOLD, SCOPE_YOURS); // brought along
    expect_finding("upgrades.ending_soon[python 3.10]", VERDICT_WARN, SCOPE_YOURS);
    cr_expect_str_eq(world_finding("upgrades.end_of_life[python 3.9]")->want, "2027-01-14");
    cr_expect_null(finding_find(&world.findings, "upgrades.ending_soon[python 3.11]"));
}

Test(upgrades, a_series_that_the_table_does_not_know_is_said)
{
    lock(&locks.head, ".python-version", "3.99\n3\n");
    world_judge();
    expect_finding("upgrades.unknown[python 3.99]", VERDICT_WARN, SCOPE_ENVIRONMENT);
    expect_finding("upgrades.unknown[python 3]", VERDICT_WARN, SCOPE_ENVIRONMENT);
}

Test(upgrades, versions_that_do_not_go_together)
{
    django("django==4.2\n", "django==5.0\n");
    lock(&locks.head, ".python-version", "3.9.1\n");
    lock(&locks.head, "runtime.txt", "3.13\n");
    world_judge();
    expect_finding("upgrades.conflict[django 5.0, python 3.9.1]", VERDICT_BLOCK, SCOPE_YOURS);
    expect_finding("upgrades.conflict[django 5.0, python 3.13]", VERDICT_WARN, SCOPE_YOURS);
}

Test(upgrades, a_conflict_that_was_there_is_inherited)
{
    django("django==5.0\n", "django==5.0.1\n");
    lock(&locks.base, ".python-version", "3.9.1\n");
    lock(&locks.head, ".python-version", "3.9.1\n");
    world_judge();
    expect_finding("upgrades.conflict[django 5.0, python 3.9.1]", VERDICT_BLOCK, SCOPE_INHERITED);
}

#define REQUIRES "upgrades: {django: {requires: {critical_coverage: 60%, soak_test: true}}}\n"
#define CRITICAL "coverage: {critical: {\"pay/**\": 1%, \"enrol/**\": 1%}}\n"

Test(upgrades, regression_coverage_comes_before_the_upgrade)
{
    static const struct {
        uint32_t covered;
        enum verdict want;
    } cases[] = {{59, VERDICT_BLOCK}, {60, VERDICT_PASS}};
    for (size_t i = 0; i < 2; i++) {
        world_done();
        init();
        world_file("pay/card.py", cases[i].covered, 100);
        world_file("enrol/a.py", 90, 100);
        (void)world_report(EVIDENCE_TIMINGS, "k6.json");
        django("django==4.2\n", "django==5.2\n");
        world_demand(REQUIRES CRITICAL);
        world_judge();
        expect_finding("upgrades.requires[django].critical_coverage", cases[i].want, SCOPE_YOURS);
        expect_finding("upgrades.requires[django].soak_test", VERDICT_PASS, SCOPE_YOURS);
    }
}

Test(upgrades, what_an_upgrade_requires_and_nobody_measured_is_missing)
{
    django("django==4.2\n", "django==5.2\n");
    world_demand(REQUIRES CRITICAL);
    world_judge();
    expect_finding("upgrades.requires[django].critical_coverage", VERDICT_BLOCK, SCOPE_YOURS);
    expect_finding("upgrades.requires[django].soak_test", VERDICT_BLOCK, SCOPE_YOURS);
}

Test(upgrades, no_critical_path_is_no_coverage_of_critical_paths)
{
    world_file("pay/card.py", 100, 100);
    django("django==4.2\n", "django==5.2\n");
    world_demand(REQUIRES);
    world_judge();
    expect_finding("upgrades.requires[django].critical_coverage", VERDICT_BLOCK, SCOPE_YOURS);
}

Test(upgrades, a_patch_requires_nothing)
{
    django("django==4.2\n", "django==4.2.9\n");
    world_demand(REQUIRES CRITICAL);
    world_judge();
    expect_finding("upgrades.step[django]", VERDICT_PASS, SCOPE_YOURS);
    cr_expect_null(finding_find(&world.findings, "upgrades.requires[django].soak_test"));
}
