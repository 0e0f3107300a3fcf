#include "gate/rules/upgrade_demands.h"

#include "gate/rules/demands.h"

static bool step_parse(str text, uint32_t *ret_most, enum step_unit *ret_unit)
{
    str unit = str_trim(text), number = str_cut(&unit, ' ');
    unit = str_trim(unit);
    for (int i = 0; i < STEP_UNITS; i++) {
        if (!str_is(unit, step_unit_name((enum step_unit)i)) || !number_u32(number, ret_most) ||
            *ret_most > 1000)
            continue;
        *ret_unit = (enum step_unit)i;
        return true;
    }
    return false;
}

static void check_demand(void *item, const struct node *node, struct problems *problems)
{
    struct upgrade_demand *demand = item;
    const struct node *step = node_get(node, "max_step");
    if (demand->max_step.len && !step_parse(demand->max_step, &demand->most, &demand->unit))
        problem_at(problems, step ? step->at : node->at,
                   "`max_step`: `" STR_FMT "` is no step: write a number and one of lts, series, "
                   "major, minor, patch, as in `1 lts`",
                   STR_ARG(str_shorten(demand->max_step, 80)));
}

static void check_requirements(void *item, const struct node *node, struct problems *problems)
{
    const struct upgrade_requirements *requirements = item;
    const struct node *share = node_get(node, "critical_coverage");
    if (share && requirements->critical_coverage.num > requirements->critical_coverage.den)
        problem_at(problems, share->at, "`critical_coverage`: coverage cannot be more than 100%%");
    if (!requirements->critical_coverage.den && !requirements->soak_test)
        problem_at(problems, node->at,
                   "`requires` requires nothing: give `critical_coverage` or `soak_test: true`");
}

static const struct shape_field requirement_fields[] = {
    {.key = "critical_coverage",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct upgrade_requirements, critical_coverage),
     .doc = "Lines covered in each critical path, at least; compared exactly."},
    {.key = "soak_test",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct upgrade_requirements, soak_test),
     .doc = "A load test must be there, and `performance: soak_test` hold where it is demanded."},
    {0},
};
static const struct shape requirement_shape = {
    .name = "requirements of an upgrade",
    .size_bytes = sizeof(struct upgrade_requirements),
    .fields = requirement_fields,
    .position_offset = offsetof(struct upgrade_requirements, at) + 1,
    .check = check_requirements,
};

static const struct shape_field fields[] = {
    {.key = "product", .kind = SHAPE_KEY, .offset = offsetof(struct upgrade_demand, product)},
    {.key = "max_step",
     .kind = SHAPE_STR,
     .offset = offsetof(struct upgrade_demand, max_step),
     .doc = "The largest step of one change: a number and lts, series, major, minor or patch. "
            "Without it 1 lts where there are long-term series, else 1 series."},
    {.key = "end_of_life",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct upgrade_demand, end_of_life),
     .choices = severity_words,
     .fallback = "block",
     .doc = "What a series past its end of life does: block, hold or warn."},
    {.key = "requires",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct upgrade_demand, requirements),
     .shape = &requirement_shape,
     .doc = "What must be there before a change upgrades it to another series."},
    {0},
};
const struct shape upgrade_demand_shape = {
    .name = "upgrade",
    .size_bytes = sizeof(struct upgrade_demand),
    .fields = fields,
    .shorthand = "max_step",
    .position_offset = offsetof(struct upgrade_demand, at) + 1,
    .check = check_demand,
};
