// Evidence made by hand for the tests of the rules.
#ifndef TESTS_UNIT_GATE_RULES_WORLD_H
#define TESTS_UNIT_GATE_RULES_WORLD_H

#include "gate/base/moment.h"
#include "gate/doc/yaml.h"
#include "gate/rules/rule.h"

#include "../matrix_5x5.h"

#include <criterion/criterion.h>

struct world {
    struct arena arena;
    struct evidence evidence;
    struct gate_demands demands;
    struct risk_register risks;
    struct rule_input input;
    struct findings findings;
};

static struct world world;

static inline void world_init(void)
{
    world = (struct world){0};
    world.input.evidence = &world.evidence;
    world.input.demands = &world.demands;
    world.input.on_missing = VERDICT_BLOCK;
    world.input.now_ms = civil_to_days(2027, 1, 15) * MS_DAY;
    world.findings.arena = &world.arena;
}

static inline void world_done(void)
{
    evidence_done(&world.evidence);
    arena_done(&world.arena);
}

static inline const struct node *world_yaml(const char *yaml)
{
    const struct node *root;
    struct error err = {0};
    cr_assert(yaml_parse(&world.arena, "test.yml", str_of(yaml), &root, &err), "%s", err.message);
    return root;
}

static inline void world_demand(const char *yaml)
{
    struct problems problems = {.arena = &world.arena};
    cr_assert(
        shape_bind(&world.arena, &gate_demands_shape, world_yaml(yaml), &world.demands, &problems),
        "%s", problems.count ? problems.items[0].message : "");
}

static inline void world_register(const char *yaml)
{
    struct problems problems = {.arena = &world.arena};
    cr_assert(risk_register_bind(&world.arena, world_yaml(yaml), matrix_5x5(&world.arena),
                                 &world.risks, &problems),
              "%s", problems.count ? problems.items[0].message : "");
    world.input.risks = &world.risks;
}

static inline struct report *world_report(enum evidence_kind kind, const char *path)
{
    uint32_t index;
    struct report *report = evidence_report(&world.evidence, path, NULL, &index);
    report->kind = kind;
    report->format = kind == EVIDENCE_COVERAGE ? "cobertura" : "junit";
    world.evidence.has[kind] = true;
    return report;
}

// A file of `total` lines from 1 on, of which the first `covered` are hit.
static inline void world_file(const char *path, uint32_t covered, uint32_t total)
{
    struct error err = {0};
    struct arena arena = {0};
    struct covered_file stage = {0};
    if (!world.evidence.has[EVIDENCE_COVERAGE])
        (void)world_report(EVIDENCE_COVERAGE, "coverage.xml");
    struct covered_file *file = coverage_file(&world.evidence, str_of(path));
    for (uint32_t line = 1; line <= total; line++)
        cr_assert(covered_line(&arena, &stage, line, line <= covered, &err));
    cr_assert(coverage_unite(&world.evidence, file, &stage, &err));
    file->path = file->reported;
    arena_done(&arena);
}

static inline void world_branches(const char *path, uint32_t covered, uint32_t total)
{
    struct error err = {0};
    struct covered_file *file = coverage_file(&world.evidence, str_of(path));
    cr_assert(coverage_branches(&world.evidence, file, 1, covered, total, &err));
}

static inline void world_test(const char *name, enum test_result result)
{
    if (!world.evidence.has[EVIDENCE_TESTS])
        (void)world_report(EVIDENCE_TESTS, "junit.xml");
    struct test_case one = {
        .suite = STR("suite"), .name = str_of(name), .result = result, .time_us = -1};
    struct error err = {0};
    cr_assert(tests_add(&world.evidence, &one, &err));
}

static inline void world_change(const char *path, uint32_t from, uint32_t to)
{
    struct changed_file *files = ARENA_ARRAY(&world.arena, struct changed_file, 16);
    cr_assert_lt(world.input.changed_count, 16);
    if (world.input.changed_count)
        memcpy(files, world.input.changed, world.input.changed_count * sizeof *files);
    struct line_range *range = ARENA_NEW(&world.arena, struct line_range);
    *range = (struct line_range){from, to};
    files[world.input.changed_count++] =
        (struct changed_file){.path = str_of(path), .ranges = range, .range_count = 1};
    world.input.changed = files;
}

static inline void world_judge(void)
{
    tests_settle(&world.evidence.tests);
    rules_judge(&world.input, &world.findings);
}

static inline const struct finding *world_finding(const char *id)
{
    const struct finding *finding = finding_find(&world.findings, id);
    cr_assert_not_null(finding, "no finding %s", id);
    return finding;
}

static inline enum verdict world_verdict(void)
{
    enum verdict worst = VERDICT_PASS;
    for (size_t i = 0; i < world.findings.count; i++)
        if (world.findings.items[i].verdict > worst)
            worst = world.findings.items[i].verdict;
    return worst;
}

#endif
