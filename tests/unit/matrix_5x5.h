// The usual risk matrix, for tests of layers that cannot see the one in policies/.
#ifndef TESTS_UNIT_MATRIX_5X5_H
#define TESTS_UNIT_MATRIX_5X5_H

#include "gate/doc/yaml.h"
#include "gate/risk/matrix.h"

#include <criterion/criterion.h>

static inline const struct risk_matrix *matrix_read(struct arena *arena, const char *name,
                                                    const char *yaml)
{
    struct risk_matrix *matrix = ARENA_NEW(arena, struct risk_matrix);
    struct problems problems = {.arena = arena};
    struct error err = {0};
    const struct node *root;
    cr_assert(yaml_parse(arena, "matrix.yml", str_of(yaml), &root, &err), "%s", err.message);
    cr_assert(matrix_bind(arena, root, matrix, &problems), "%s",
              problems.count ? problems.items[0].message : "");
    matrix->name = name;
    return matrix;
}

static inline const struct risk_matrix *matrix_5x5(struct arena *arena)
{
    return matrix_read(arena, "5x5",
                       "version: 1\n"
                       "title: five by five\n"
                       "axes:\n"
                       "  likelihood: {from: 1, to: 5}\n"
                       "  impact: {from: 1, to: 5}\n"
                       "severities: {medium: 5, high: 10, critical: 20}\n");
}

#endif
