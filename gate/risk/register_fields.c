// What a register may hold: its keys, and what is wrong with their values.
#include "gate/risk/register.h"

#include "gate/base/limits.h"
#include "gate/risk/register_parts.h"

#define RISK_APPROVALS_MOST 16
#define RISK_SLOWER_DEFAULT 2
#define RISK_SLOWER_MOST 100

static const char *const status_names[] = {"open", "mitigating", "accepted", "closed", NULL};

static void check_share(struct fraction f, const char *what, const struct node *node,
                        struct problems *problems)
{
    if (f.den && f.num > f.den)
        problem_at(problems, node->at, "%s: a share cannot be more than 100%%", what);
}

static void check_coverage(void *value, const struct node *node, struct problems *problems)
{
    const struct risk_coverage *coverage = value;
    check_share(coverage->lines, "lines", node, problems);
    check_share(coverage->branches, "branches", node, problems);
}

static const struct shape_field flow_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct risk_flow, name)},
    {.key = "weight",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_flow, weight),
     .min = 1,
     .max = RISK_WEIGHT_MOST,
     .required = true,
     .doc = "How much the business depends on it: 1 (little) to 5 (everything)."},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk_flow, title),
     .doc = "What the flow is, in words."},
    {0},
};
static const struct shape flow_shape = {.name = "flow",
                                        .size_bytes = sizeof(struct risk_flow),
                                        .fields = flow_fields,
                                        .shorthand = "weight"};

static const struct shape_field coverage_fields[] = {
    {.key = "lines",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct risk_coverage, lines),
     .doc = "Lines covered, of the files under the risk's paths."},
    {.key = "branches",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct risk_coverage, branches),
     .doc = "Branches covered, of the files under the risk's paths."},
    {0},
};
static const struct shape coverage_shape = {.name = "demanded coverage",
                                            .size_bytes = sizeof(struct risk_coverage),
                                            .fields = coverage_fields,
                                            .shorthand = "lines",
                                            .check = check_coverage};

static const struct shape_field step_fields[] = {
    {.key = "to",
     .kind = SHAPE_PERCENT,
     .offset = offsetof(struct risk_step, share),
     .required = true,
     .doc = "The share that the new release has at this step."},
    {0},
};
static const struct shape step_shape = {
    .name = "step",
    .size_bytes = sizeof(struct risk_step),
    .fields = step_fields,
    .shorthand = "to",
    .position_offset = offsetof(struct risk_step, at) + 1,
};

static void check_slower(struct risk_demands *demands, struct problems *problems)
{
    const struct node *slow = demands->slow;
    demands->slower = 1;
    if (!slow)
        return;
    if (slow->kind == NODE_BOOL && char_lower(slow->text.data[0]) == 't')
        demands->slower = RISK_SLOWER_DEFAULT;
    else if (slow->kind != NODE_NUMBER || !number_double(slow->text, &demands->slower) ||
             demands->slower <= 1 || demands->slower > RISK_SLOWER_MOST)
        problem_at(problems, slow->at,
                   "`slower` must be true (twice as long) or a factor above 1, such as 1.5, and at "
                   "most %d",
                   RISK_SLOWER_MOST);
}

static void check_demands(void *value, const struct node *node, struct problems *problems)
{
    struct risk_demands *demands = value;
    const struct risk_step *steps = demands->steps.items;
    (void)node;
    check_slower(demands, problems);
    for (size_t i = 0; i < demands->steps.count; i++) {
        if (steps[i].share.num == 0 || steps[i].share.num > steps[i].share.den)
            problem_at(problems, steps[i].at, "a step is a share above 0%% and at most 100%%");
        else if (i && fraction_cmp(steps[i].share, steps[i - 1].share) <= 0)
            problem_at(problems, steps[i].at,
                       "steps must rise: this share is not above the one before");
    }
}

static const struct shape_field demands_fields[] = {
    {.key = "coverage",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk_demands, coverage),
     .shape = &coverage_shape,
     .doc = "Coverage that a release needs while the risk is open."},
    {.key = "tests",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct risk_demands, tests),
     .shape = &shape_of_str,
     .doc = "Patterns of tests that must be there and pass; `payments::*` are all of that suite."},
    {.key = "approvals",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_demands, approvals),
     .min = 1,
     .max = RISK_APPROVALS_MOST,
     .doc = "People who must approve the rollout of a release that touches the risk, at least."},
    {.key = "slower",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct risk_demands, slow),
     .doc = "Such a rollout bakes longer: `true` is twice as long, or a factor such as 3."},
    {.key = "steps",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct risk_demands, steps),
     .shape = &step_shape,
     .min = 1,
     .max = LIMIT_STEPS,
     .doc = "Shares at which such a rollout stops, beside those of its stage."},
    {0},
};
static const struct shape demands_shape = {
    .name = "demands",
    .size_bytes = sizeof(struct risk_demands),
    .fields = demands_fields,
    .position_offset = offsetof(struct risk_demands, at) + 1,
    .check = check_demands,
};

static void check_closing(void *value, const struct node *node, struct problems *problems)
{
    const struct risk_closing *closing = value;
    if (!closing->coverage && closing->tests.count == 0 && closing->finding.len == 0)
        problem_at(problems, node->at,
                   "`closes_when` says nothing: it takes `coverage`, `tests` or `finding`");
}

static const struct shape_field closing_fields[] = {
    {.key = "coverage",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk_closing, coverage),
     .shape = &coverage_shape,
     .doc = "Coverage of the files under the risk's paths, at least."},
    {.key = "tests",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct risk_closing, tests),
     .shape = &shape_of_str,
     .doc = "Patterns of tests that must be there and pass."},
    {.key = "finding",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk_closing, finding),
     .doc = "Id of a finding of the gate that must pass."},
    {0},
};
static const struct shape closing_shape = {
    .name = "closes_when",
    .size_bytes = sizeof(struct risk_closing),
    .fields = closing_fields,
    .position_offset = offsetof(struct risk_closing, at) + 1,
    .check = check_closing,
};

static void check_risk(void *value, const struct node *node, struct problems *problems)
{
    const struct risk *risk = value;
    const struct node *weight = node_get(node, "weight");
    if (weight && risk->flow.len)
        problem_at(problems, weight->key_at,
                   "`weight` is that of the flow `" STR_FMT "`: give one or the other",
                   STR_ARG(risk->flow));
    if (risk->status == RISK_ACCEPTED && (risk->due_days == 0 || risk->owner.len == 0))
        problem_at(problems, node->at,
                   "risk `" STR_FMT "` is accepted: it needs an `owner` and a `due` date on which "
                   "the acceptance ends",
                   STR_ARG(risk->id));
    if (risk->demands && risk->demands->coverage && risk->paths.count == 0)
        problem_at(problems, risk->demands->at,
                   "risk `" STR_FMT "` demands coverage but has no `paths`", STR_ARG(risk->id));
    if (risk->closes_when && risk->closes_when->coverage && risk->paths.count == 0)
        problem_at(problems, risk->closes_when->at,
                   "risk `" STR_FMT "` closes with coverage but has no `paths`", STR_ARG(risk->id));
}

// For the schema: which numbers are good is for the matrix to say.
static const struct shape_field grade_field[] = {{.key = "", .kind = SHAPE_INT, .max = 100}};
static const struct shape grade_shape = {
    .name = "grade", .size_bytes = sizeof(int64_t), .fields = grade_field};

static const struct shape_field risk_fields[] = {
    {.key = "id",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, id),
     .required = true,
     .doc = "A name that stays: findings are called after it."},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, title),
     .required = true,
     .doc = "What may go wrong, in one sentence."},
    {.key = "likelihood",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct risk, likelihood_given),
     .shape = &grade_shape,
     .doc = "For a matrix that takes it as a number; in 5x5: 1 (rare) to 5 (almost certain)."},
    {.key = "impact",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct risk, impact_given),
     .shape = &grade_shape,
     .doc = "For such a matrix; in 5x5: 1 (hardly noticed) to 5 (the business stops)."},
    {.key = "rating",
     .kind = SHAPE_NODE,
     .offset = offsetof(struct risk, inputs),
     .doc = "What the register's matrix asks of each risk, by name."},
    {.key = "flow",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, flow),
     .doc = "The business flow it threatens, one of `flows`."},
    {.key = "weight",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk, weight),
     .min = 1,
     .max = RISK_WEIGHT_MOST,
     .fallback = "1",
     .doc = "Business weight, when no flow is named."},
    {.key = "paths",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct risk, paths),
     .shape = &shape_of_str,
     .doc = "Patterns of the files that it lives in."},
    {.key = "owner",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, owner),
     .doc = "Who sees to it."},
    {.key = "status",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct risk, status),
     .choices = status_names,
     .fallback = "open",
     .doc = "open, mitigating, accepted (until `due`), closed."},
    {.key = "due",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct risk, due_days),
     .doc = "The last day, in UTC, on which it may stand as it does."},
    {.key = "effort",
     .kind = SHAPE_NUMBER,
     .offset = offsetof(struct risk, effort_days),
     .doc = "Person days that the treatment takes."},
    {.key = "treatment",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, treatment),
     .doc = "What is done about it."},
    {.key = "link",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, link),
     .doc = "Where it is discussed."},
    {.key = "demands",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk, demands),
     .shape = &demands_shape,
     .doc = "What a release must show while the risk is open."},
    {.key = "closes_when",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct risk, closes_when),
     .shape = &closing_shape,
     .doc = "Evidence that must hold for as long as the risk is closed."},
    {0},
};
static const struct shape risk_shape = {
    .name = "risk",
    .size_bytes = sizeof(struct risk),
    .fields = risk_fields,
    .position_offset = offsetof(struct risk, at) + 1,
    .check = check_risk,
};

static const struct shape_field register_fields[] = {
    {.key = "version",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk_register, version),
     .min = 1,
     .max = 1,
     .required = true,
     .doc = "The version of this format: 1."},
    {.key = "matrix",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk_register, matrix_name),
     .doc = "What rates the risks: 5x5 (the default), owasp, ssvc, or a path such as "
            "./risk-matrix.yml."},
    {.key = "flows",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct risk_register, flows),
     .shape = &flow_shape,
     .doc = "Business flows and their weights."},
    {.key = "risks",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct risk_register, risks),
     .shape = &risk_shape,
     .max = LIMIT_RISKS,
     .required = true,
     .doc = "The risks."},
    {0},
};
const struct shape risk_register_shape = {
    .name = "risk register", .size_bytes = sizeof(struct risk_register), .fields = register_fields};

const char *risk_status_name(int status)
{
    return status_names[status];
}
