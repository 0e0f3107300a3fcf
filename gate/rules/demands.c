#include "gate/rules/demands.h"

const char *const severity_words[] = {"block", "hold", "warn", NULL};

enum verdict severity_verdict(int index)
{
    static const enum verdict verdicts[] = {VERDICT_BLOCK, VERDICT_HOLD, VERDICT_WARN};
    return verdicts[index];
}

static void check_share(struct fraction f, const struct node *node, const char *key,
                        struct problems *problems)
{
    const struct node *value = node_get(node, key);
    if (f.den && f.num > f.den)
        problem_at(problems, value ? value->at : node->at,
                   "`%s`: coverage cannot be more than 100%%", key);
}

static void check_critical(void *value, const struct node *node, struct problems *problems)
{
    const struct critical_path *critical = value;
    check_share(critical->lines, node, "lines", problems);
    check_share(critical->branches, node, "branches", problems);
    check_share(critical->changed, node, "changed", problems);
    if (!critical->lines.den && !critical->branches.den && !critical->changed.den)
        problem_at(problems, node->at,
                   "the critical path `" STR_FMT "` demands nothing: give `lines`, `branches` or "
                   "`changed`",
                   STR_ARG(critical->pattern));
}

static void check_coverage(void *value, const struct node *node, struct problems *problems)
{
    const struct coverage_demands *coverage = value;
    check_share(coverage->total, node, "total", problems);
    check_share(coverage->changed, node, "changed", problems);
}

// An absent limit is -1, which nobody can write: whole numbers here are not negative.
static void absent_limit(const struct node *node, const char *key, int64_t *limit)
{
    if (!node_get(node, key))
        *limit = -1;
}

static void check_open(void *value, const struct node *node, struct problems *problems)
{
    struct risk_open_limits *limits = value;
    (void)problems;
    absent_limit(node, "critical", &limits->critical);
    absent_limit(node, "high", &limits->high);
    absent_limit(node, "medium", &limits->medium);
    absent_limit(node, "low", &limits->low);
}

static void check_risk(void *value, const struct node *node, struct problems *problems)
{
    struct risk_limits *limits = value;
    (void)problems;
    absent_limit(node, "max_exposure", &limits->max_exposure);
}

static const struct shape_field critical_fields[] = {
    {.key = "pattern", .kind = SHAPE_KEY, .offset = offsetof(struct critical_path, pattern)},
    {.key = "lines",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct critical_path, lines),
     .doc = "Lines covered, at least."},
    {.key = "branches",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct critical_path, branches),
     .doc = "Branches covered, at least."},
    {.key = "changed",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct critical_path, changed),
     .doc = "Changed lines covered, at least."},
    {0},
};
static const struct shape critical_shape = {
    .name = "critical path",
    .size_bytes = sizeof(struct critical_path),
    .fields = critical_fields,
    .shorthand = "lines",
    .position_offset = offsetof(struct critical_path, at) + 1,
    .check = check_critical,
};

static const struct shape_field coverage_fields[] = {
    {.key = "total",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct coverage_demands, total),
     .doc = "Lines covered of all lines, at least; compared exactly."},
    {.key = "changed",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct coverage_demands, changed),
     .doc = "Lines covered of those changed since the merge base, at least; of fewer than five, "
            "one may be uncovered."},
    {.key = "critical",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct coverage_demands, critical),
     .shape = &critical_shape,
     .doc = "Critical paths: a pattern and what it demands; the longest literal prefix wins."},
    {.key = "ignore",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct coverage_demands, ignore),
     .shape = &shape_of_str,
     .doc = "Patterns of files that do not count; `generated` is linguist-generated in "
            ".gitattributes."},
    {.key = "max_drop",
     .kind = SHAPE_POINTS,
     .offset = offsetof(struct coverage_demands, max_drop),
     .doc = "Percentage points that coverage may fall below the baseline's."},
    {0},
};
static const struct shape coverage_shape = {
    .name = "coverage",
    .size_bytes = sizeof(struct coverage_demands),
    .fields = coverage_fields,
    .position_offset = offsetof(struct coverage_demands, at) + 1,
    .check = check_coverage,
};

static const struct shape_field open_fields[] = {
    {.key = "critical",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_open_limits, critical),
     .doc = "By the register's matrix; in 5x5 likelihood x impact of 20 and more."},
    {.key = "high",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_open_limits, high),
     .doc = "In 5x5: 10 and more."},
    {.key = "medium",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_open_limits, medium),
     .doc = "In 5x5: 5 and more."},
    {.key = "low",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_open_limits, low),
     .doc = "In 5x5: less than 5."},
    {0},
};
static const struct shape open_shape = {.name = "max_open",
                                        .size_bytes = sizeof(struct risk_open_limits),
                                        .fields = open_fields,
                                        .check = check_open};

static void check_classes(void *value, const struct node *node, struct problems *problems)
{
    const struct score_classes *classes = value;
    if (classes->medium >= classes->high)
        problem_at(problems, node->at, "`high` must begin above `medium`");
}

static const struct shape_field classes_fields[] = {
    {.key = "medium",
     .kind = SHAPE_INT,
     .offset = offsetof(struct score_classes, medium),
     .min = 1,
     .max = 100,
     .fallback = "30",
     .doc = "Points of 100 from which on a release is of medium risk; below it is low."},
    {.key = "high",
     .kind = SHAPE_INT,
     .offset = offsetof(struct score_classes, high),
     .min = 1,
     .max = 100,
     .fallback = "60",
     .doc = "Points from which on it is of high risk."},
    {0},
};
static const struct shape classes_shape = {
    .name = "classes",
    .size_bytes = sizeof(struct score_classes),
    .fields = classes_fields,
    .position_offset = offsetof(struct score_classes, at) + 1,
    .check = check_classes,
};

static const struct shape_field risk_fields[] = {
    {.key = "max_exposure",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_limits, max_exposure),
     .doc = "The most that the exposures (in 5x5 likelihood x impact x weight) of all open risks "
            "may add up to."},
    {.key = "max_open",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk_limits, max_open),
     .shape = &open_shape,
     .doc = "The most open risks of each severity."},
    {.key = "overdue",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct risk_limits, overdue),
     .choices = severity_words,
     .fallback = "warn",
     .doc = "What a risk past its due date does: block, hold or warn."},
    {.key = "classes",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk_limits, classes),
     .shape = &classes_shape,
     .doc = "Where the classes of the release risk score begin."},
    {0},
};
static const struct shape risk_shape = {
    .name = "risk",
    .size_bytes = sizeof(struct risk_limits),
    .fields = risk_fields,
    .position_offset = offsetof(struct risk_limits, at) + 1,
    .check = check_risk,
};

static const struct shape_field gate_fields[] = {
    {.key = "coverage",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, coverage),
     .shape = &coverage_shape,
     .doc = "How much of the code the tests must have run."},
    {.key = "tests",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, tests),
     .shape = &test_demands_shape,
     .doc = "What the tests must show."},
    {.key = "risk",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, risk),
     .shape = &risk_shape,
     .doc = "Limits on the risk register."},
    {.key = "performance",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, performance),
     .shape = &performance_demands_shape,
     .doc = "What load tests must show."},
    {.key = "vulnerabilities",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, vulnerabilities),
     .shape = &vulnerability_demands_shape,
     .doc = "What scanners may find."},
    {.key = "incidents",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct gate_demands, incidents),
     .shape = &incident_demands_shape,
     .doc = "Reviews of incidents."},
    {.key = "upgrades",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct gate_demands, upgrades),
     .shape = &upgrade_demand_shape,
     .doc = "Products, and how far one change may go with each: no big bang."},
    {.key = "enforcement",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct gate_demands, enforcement),
     .shape = &enforcement_shape,
     .doc = "The worst that each family of rules may do."},
    {.key = "scope",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct gate_demands, scope),
     .shape = &family_scope_shape,
     .doc = "Whether a family of rules is judged on pull requests too, or on releases only."},
    {0},
};
const struct shape gate_demands_shape = {
    .name = "gate",
    .size_bytes = sizeof(struct gate_demands),
    .fields = gate_fields,
    .position_offset = offsetof(struct gate_demands, at) + 1,
};

bool coverage_ignores_generated(const struct coverage_demands *demands)
{
    const str *ignore = demands->ignore.items;
    for (size_t i = 0; i < demands->ignore.count; i++)
        if (str_is(ignore[i], "generated"))
            return true;
    return false;
}
