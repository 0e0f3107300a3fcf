#include "gate/risk/matrix.h"

#include "gate/base/limits.h"

static const char *const severity_names[] = {"low", "medium", "high", "critical", NULL};

const char *risk_severity_name(enum risk_severity severity)
{
    return severity_names[severity];
}

// ---- one axis ----------------------------------------------------------------------------------

static void check_words(const struct matrix_axis *axis, struct problems *problems)
{
    const str *words = axis->words.items;
    if (axis->to || axis->levels.count || axis->factors.count || axis->instead.count)
        problem_at(problems, axis->at,
                   "the axis `" STR_FMT "` has `words`: `from`, `to`, `factors`, `instead` and "
                   "`levels` are for an axis of numbers",
                   STR_ARG(axis->name));
    if (axis->words.count < 2)
        problem_at(problems, axis->at, "the axis `" STR_FMT "` needs two `words` at least",
                   STR_ARG(axis->name));
    for (size_t i = 0; i < axis->words.count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(words[i], words[k]))
                problem_at(problems, axis->at, "the axis `" STR_FMT "` has `" STR_FMT "` twice",
                           STR_ARG(axis->name), STR_ARG(words[i]));
}

static void check_levels(const struct matrix_axis *axis, struct problems *problems)
{
    const struct matrix_level *levels = axis->levels.items;
    for (size_t i = 0; i < axis->levels.count; i++) {
        if (i == 0 && levels[i].from > (double)axis->from)
            problem_at(problems, levels[i].at,
                       "the first level of `" STR_FMT "` must begin at %lld, where the axis does",
                       STR_ARG(axis->name), (long long)axis->from);
        if (i && levels[i].from <= levels[i - 1].from)
            problem_at(problems, levels[i].at,
                       "the levels of `" STR_FMT "` must rise: `" STR_FMT "` begins no higher than "
                       "the one before",
                       STR_ARG(axis->name), STR_ARG(levels[i].name));
        if (levels[i].from > (double)axis->to)
            problem_at(problems, levels[i].at, "`" STR_FMT "` is past the end of the axis",
                       STR_ARG(levels[i].name));
    }
}

static void check_axis(void *value, const struct node *node, struct problems *problems)
{
    const struct matrix_axis *axis = value;
    (void)node;
    if (axis->words.count) {
        check_words(axis, problems);
        return;
    }
    if (axis->to <= axis->from)
        problem_at(problems, axis->at,
                   "the axis `" STR_FMT "` needs `words`, or numbers `from` and `to` of which `to` "
                   "is the larger",
                   STR_ARG(axis->name));
    if (axis->instead.count && axis->factors.count == 0)
        problem_at(problems, axis->at,
                   "the axis `" STR_FMT "` has `instead` but no `factors` for it to replace",
                   STR_ARG(axis->name));
    check_levels(axis, problems);
}

static const struct shape_field factor_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct matrix_factor, name)},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct matrix_factor, title),
     .required = true,
     .doc = "What it asks, and what its numbers mean."},
    {0},
};
static const struct shape factor_shape = {
    .name = "factor",
    .size_bytes = sizeof(struct matrix_factor),
    .fields = factor_fields,
    .shorthand = "title",
    .position_offset = offsetof(struct matrix_factor, at) + 1,
};

static const struct shape_field level_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct matrix_level, name)},
    {.key = "from",
     .kind = SHAPE_NUMBER,
     .offset = offsetof(struct matrix_level, from),
     .required = true,
     .doc = "The smallest value that has this level."},
    {0},
};
static const struct shape level_shape = {
    .name = "level",
    .size_bytes = sizeof(struct matrix_level),
    .fields = level_fields,
    .shorthand = "from",
    .position_offset = offsetof(struct matrix_level, at) + 1,
};

static const struct shape_field axis_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct matrix_axis, name)},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct matrix_axis, title),
     .doc = "What it asks."},
    {.key = "words",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct matrix_axis, words),
     .shape = &shape_of_str,
     .max = 16,
     .doc = "The words of an axis without numbers, mildest first."},
    {.key = "from",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_axis, from),
     .max = 100,
     .doc = "The smallest number that may be given."},
    {.key = "to",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_axis, to),
     .max = 100,
     .doc = "The largest one."},
    {.key = "factors",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct matrix_axis, factors),
     .shape = &factor_shape,
     .max = 16,
     .doc = "Numbers whose average is the value of the axis."},
    {.key = "instead",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct matrix_axis, instead),
     .shape = &factor_shape,
     .max = 16,
     .doc = "Numbers that count in place of `factors` in a risk that gives them."},
    {.key = "levels",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct matrix_axis, levels),
     .shape = &level_shape,
     .max = 16,
     .doc = "Names of ranges, for the table: each begins at its number."},
    {0},
};
static const struct shape axis_shape = {
    .name = "axis",
    .size_bytes = sizeof(struct matrix_axis),
    .fields = axis_fields,
    .position_offset = offsetof(struct matrix_axis, at) + 1,
    .check = check_axis,
};

// ---- outcomes ----------------------------------------------------------------------------------

static const struct shape_field outcome_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct matrix_outcome, name)},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct matrix_outcome, title),
     .doc = "What is to be done."},
    {.key = "severity",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct matrix_outcome, severity),
     .choices = severity_names,
     .required = true,
     .doc = "What it is for limits such as `max_open`."},
    {.key = "points",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_outcome, points),
     .min = 1,
     .max = 1000,
     .required = true,
     .doc = "What is multiplied by the business weight to the exposure."},
    {0},
};
static const struct shape outcome_shape = {
    .name = "outcome",
    .size_bytes = sizeof(struct matrix_outcome),
    .fields = outcome_fields,
    .position_offset = offsetof(struct matrix_outcome, at) + 1,
};

static void check_severities(void *value, const struct node *node, struct problems *problems)
{
    const struct matrix_severities *s = value;
    if (s->medium >= s->high || s->high >= s->critical)
        problem_at(problems, node->at, "`severities` must rise: medium, high, critical");
}

static const struct shape_field severities_fields[] = {
    {.key = "medium",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_severities, medium),
     .min = 1,
     .required = true,
     .doc = "The smallest product that is medium; less is low."},
    {.key = "high",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_severities, high),
     .min = 1,
     .required = true,
     .doc = "The smallest one that is high."},
    {.key = "critical",
     .kind = SHAPE_INT,
     .offset = offsetof(struct matrix_severities, critical),
     .min = 1,
     .required = true,
     .doc = "The smallest one that is critical."},
    {0},
};
static const struct shape severities_shape = {
    .name = "severities",
    .size_bytes = sizeof(struct matrix_severities),
    .fields = severities_fields,
    .position_offset = offsetof(struct matrix_severities, at) + 1,
    .check = check_severities,
};

static const struct shape_field matrix_fields[] = {
    {.key = "version",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_matrix, version),
     .min = 1,
     .max = 1,
     .required = true,
     .doc = "The version of this format: 1."},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk_matrix, title),
     .required = true,
     .doc = "The name for people."},
    {.key = "source",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk_matrix, source),
     .doc = "Where its facts stand."},
    {.key = "as_of",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct risk_matrix, as_of),
     .doc = "The day of which they are."},
    {.key = "axes",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct risk_matrix, axes),
     .shape = &axis_shape,
     .min = 1,
     .max = LIMIT_MATRIX_AXES,
     .required = true,
     .doc = "What a risk is judged by, in the order of the table's columns."},
    {.key = "severities",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk_matrix, severities),
     .shape = &severities_shape,
     .doc = "Where the product of the axes counts: the severity that it has."},
    {.key = "outcomes",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct risk_matrix, outcomes),
     .shape = &outcome_shape,
     .max = 32,
     .doc = "Where a table decides: what may come out, mildest first."},
    {.key = "table",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct risk_matrix, table),
     .doc = "Rows such as [low, high, medium]: the level of each axis and the outcome; `*` is any "
            "level, and the first row that fits decides."},
    {0},
};
const struct shape risk_matrix_shape = {
    .name = "risk matrix",
    .size_bytes = sizeof(struct risk_matrix),
    .fields = matrix_fields,
    .position_offset = offsetof(struct risk_matrix, at) + 1,
    .doc = "How the inputs of a risk become its severity.",
};
