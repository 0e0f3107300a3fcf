#include "gate/doc/yaml.h"
#include "gate/matrices.h"
#include "policies/policies.h"

#include "../expect.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(matrices, .fini = done);

static const struct node *read(const char *yaml)
{
    const struct node *root;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, "r.yml", str_of(yaml), &root, &err), "%s", err.message);
    return root;
}

static struct risk_matrix matrix_called(const char *name)
{
    struct risk_matrix matrix;
    struct problems problems = {.arena = &arena};
    str yaml = arena_format(&arena, "matrix: %s\n", name);
    cr_assert(matrix_of(&arena, NULL, read(yaml.data), &matrix, &problems), "%s: %s", name,
              problems.count ? problems.items[0].message : "");
    return matrix;
}

static struct risk_rating rate(const struct risk_matrix *matrix, const char *risk)
{
    struct risk_rating rating;
    struct problems problems = {.arena = &arena};
    cr_assert(matrix_rate(matrix, read(risk), &rating, &problems), "%s: %s", risk,
              problems.count ? problems.items[0].message : "");
    return rating;
}

Test(matrices, all_that_are_built_in_can_be_used)
{
    size_t count = 0;
    for (const struct policy_file *file = matrix_files; file->name; file++, count++) {
        struct risk_matrix matrix = matrix_called(file->name);
        cr_expect_str_eq(matrix.name, file->name);
        cr_expect_null(matrix.path);
        cr_expect_eq(matrix.most, 25, "%s: exposures of all of them compare", file->name);
    }
    cr_expect_eq(count, 3);
}

Test(matrices, five_by_five_is_the_one_without_a_name)
{
    struct risk_matrix matrix;
    struct problems problems = {.arena = &arena};
    cr_assert(matrix_of(&arena, NULL, read("version: 1\n"), &matrix, &problems));
    cr_expect_str_eq(matrix.name, RISK_MATRIX_DEFAULT);
    cr_expect(matrix_has_grades(&matrix));
    for (int64_t likelihood = 1; likelihood <= 5; likelihood++)
        for (int64_t impact = 1; impact <= 5; impact++) {
            int64_t product = likelihood * impact;
            str risk = arena_format(&arena, "{likelihood: %lld, impact: %lld}",
                                    (long long)likelihood, (long long)impact);
            struct risk_rating rating = rate(&matrix, risk.data);
            cr_expect_eq(rating.points, (uint64_t)product);
            cr_expect_eq(rating.severity, product >= 20   ? RISK_CRITICAL
                                          : product >= 10 ? RISK_HIGH
                                          : product >= 5  ? RISK_MEDIUM
                                                          : RISK_LOW);
        }
}

// The overall severity of the methodology, for each pair of levels.
Test(matrices, owasp_is_the_table_of_the_methodology)
{
    static const int value[] = {2, 3, 6}; // low, medium, high: the last two are where they begin
    static const char *const overall[3][3] = {
        // by impact, then likelihood
        {"note", "low", "medium"},
        {"low", "medium", "high"},
        {"medium", "high", "critical"},
    };
    struct risk_matrix matrix = matrix_called("owasp");
    for (int impact = 0; impact < 3; impact++)
        for (int likelihood = 0; likelihood < 3; likelihood++) {
            int l = value[likelihood], i = value[impact];
            str risk = arena_format(
                &arena,
                "rating: {skill_level: %d, motive: %d, opportunity: %d, size: %d, "
                "ease_of_discovery: %d, ease_of_exploit: %d, awareness: %d, "
                "intrusion_detection: %d, financial_damage: %d, reputation_damage: %d, "
                "non_compliance: %d, privacy_violation: %d}",
                l, l, l, l, l, l, l, l, i, i, i, i);
            expect_str(rate(&matrix, risk.data).outcome, overall[impact][likelihood]);
        }
}

Test(matrices, ssvc_is_the_table_of_the_deployer)
{
    static const struct {
        const char *exploitation, *exposure, *automatable, *human_impact, *outcome;
    } rows[] = {
        {"none", "small", "no", "low", "defer"},
        {"none", "small", "no", "high", "scheduled"},
        {"none", "controlled", "yes", "low", "scheduled"},
        {"none", "open", "yes", "very high", "out-of-cycle"},
        {"poc", "controlled", "no", "medium", "scheduled"},
        {"poc", "controlled", "yes", "very high", "out-of-cycle"},
        {"poc", "open", "yes", "high", "out-of-cycle"},
        {"active", "small", "no", "medium", "scheduled"},
        {"active", "small", "yes", "medium", "out-of-cycle"},
        {"active", "controlled", "yes", "low", "out-of-cycle"},
        {"active", "open", "no", "very high", "immediate"},
        {"active", "open", "yes", "high", "immediate"},
        {"active", "open", "yes", "medium", "out-of-cycle"},
    };
    static const enum risk_severity severities[] = {RISK_LOW, RISK_MEDIUM, RISK_HIGH,
                                                    RISK_CRITICAL};
    struct risk_matrix matrix = matrix_called("ssvc");
    size_t count[4] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str risk = arena_format(&arena,
                                "rating: {exploitation: %s, exposure: %s, automatable: %s, "
                                "human_impact: %s}",
                                rows[i].exploitation, rows[i].exposure, rows[i].automatable,
                                rows[i].human_impact);
        struct risk_rating rating = rate(&matrix, risk.data);
        cr_expect(str_is(rating.outcome, rows[i].outcome), "row %zu: " STR_FMT, i,
                  STR_ARG(rating.outcome));
    }
    for (size_t cell = 0; cell < 72; cell++)
        count[matrix.cells[cell] - 1]++;
    cr_expect_eq(count[0], 7, "defer: %zu", count[0]);
    cr_expect_eq(count[1], 42, "scheduled: %zu", count[1]);
    cr_expect_eq(count[2], 20, "out-of-cycle: %zu", count[2]);
    cr_expect_eq(count[3], 3, "immediate: %zu", count[3]);
    const struct matrix_outcome *outcomes = matrix.outcomes.items;
    for (size_t i = 0; i < matrix.outcomes.count; i++)
        cr_expect_eq(outcomes[i].severity, (int)severities[i]);
}

Test(matrices, one_of_the_repository_needs_a_place_to_be_read_from)
{
    struct risk_matrix matrix;
    struct problems problems = {.arena = &arena};
    cr_assert_not(matrix_of(&arena, NULL, read("matrix: ./m.yml\n"), &matrix, &problems));
    cr_expect_str_eq(problems.items[0].message,
                     "the matrix ./m.yml cannot be read here: use one built in");
}
