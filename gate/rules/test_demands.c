#include "gate/rules/test_demands.h"

#include "gate/rules/demands.h"

static const struct shape_field flaky_fields[] = {
    {.key = "max",
     .kind = SHAPE_INT,
     .offset = offsetof(struct flaky_limits, max),
     .required = true,
     .doc = "Tests that passed only when they were run again, at most."},
    {0},
};
static const struct shape flaky_shape = {.name = "flaky",
                                         .size_bytes = sizeof(struct flaky_limits),
                                         .fields = flaky_fields,
                                         .shorthand = "max"};

static const struct shape_field fix_fields[] = {
    {.key = "branches",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct fix_signs, branches),
     .shape = &shape_of_str,
     .doc = "Patterns of branch names; by default `fix/**`, `bugfix/**` and `hotfix/**`."},
    {.key = "labels",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct fix_signs, labels),
     .shape = &shape_of_str,
     .doc = "Labels of the pull request; by default `bug`."},
    {.key = "issues",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct fix_signs, issues),
     .fallback = "true",
     .doc = "A commit that says `fixes #12` is a fix."},
    {0},
};
static const struct shape fix_shape = {.name = "fix",
                                       .size_bytes = sizeof(struct fix_signs),
                                       .fields = fix_fields,
                                       .doc = "What makes a change a fix."};

static const struct shape_field fields[] = {
    {.key = "failures",
     .kind = SHAPE_INT,
     .offset = offsetof(struct test_demands, failures),
     .fallback = "0",
     .doc = "Tests that may fail; errors count as failures, quarantined tests do not."},
    {.key = "new_failures",
     .kind = SHAPE_INT,
     .offset = offsetof(struct test_demands, new_failures),
     .doc = "Tests that may fail although they did not in the baseline, told apart by identity."},
    {.key = "flaky",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct test_demands, flaky),
     .shape = &flaky_shape,
     .doc = "Limits on tests that pass only when they are run again."},
    {.key = "vanished",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct test_demands, vanished),
     .choices = severity_words,
     .fallback = "warn",
     .doc = "What tests of the baseline that are gone do: block, hold or warn."},
    {.key = "fix_needs_test",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct test_demands, fix_needs_test),
     .fallback = "false",
     .doc = "A fix must come with a test that fails on the base and passes now."},
    {.key = "fix",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct test_demands, fix),
     .shape = &fix_shape,
     .doc = "What makes a change a fix."},
    {0},
};

static void check(void *value, const struct node *node, struct problems *problems)
{
    struct test_demands *demands = value;
    (void)problems;
    if (!node_get(node, "new_failures"))
        demands->new_failures = -1;
}

const struct shape test_demands_shape = {
    .name = "tests",
    .size_bytes = sizeof(struct test_demands),
    .fields = fields,
    .position_offset = offsetof(struct test_demands, at) + 1,
    .check = check,
    .doc = "What the tests must show.",
};
