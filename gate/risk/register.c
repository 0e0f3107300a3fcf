#include "gate/risk/register.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/risk/waivers.h"

#include <assert.h>

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
     .max = 5,
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
    {.key = "approvals", .kind = SHAPE_LATER},
    {.key = "slower", .kind = SHAPE_LATER},
    {.key = "steps", .kind = SHAPE_LATER},
    {0},
};
static const struct shape demands_shape = {
    .name = "demands",
    .size_bytes = sizeof(struct risk_demands),
    .fields = demands_fields,
    .position_offset = offsetof(struct risk_demands, at) + 1,
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
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk, likelihood),
     .min = 1,
     .max = 5,
     .required = true,
     .doc = "1 (rare) to 5 (almost certain)."},
    {.key = "impact",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk, impact),
     .min = 1,
     .max = 5,
     .required = true,
     .doc = "1 (hardly noticed) to 5 (the business stops)."},
    {.key = "flow",
     .kind = SHAPE_STR,
     .offset = offsetof(struct risk, flow),
     .doc = "The business flow it threatens, one of `flows`."},
    {.key = "weight",
     .kind = SHAPE_INT,
     .offset = offsetof(struct risk, weight),
     .min = 1,
     .max = 5,
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
    {.key = "matrix", .kind = SHAPE_LATER},
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

// Names to numbers, by hash, so that a large register is bound in one pass.
struct name_table {
    uint32_t *slots; // number + 1; 0 = free
    size_t mask;
};

static_assert(offsetof(struct risk, id) == 0 && offsetof(struct risk_flow, name) == 0,
              "slot_of takes the name at the beginning");

static struct name_table table_of(struct arena *arena, size_t count)
{
    size_t room = 16;
    while (room < 2 * count)
        room *= 2;
    return (struct name_table){ARENA_ARRAY(arena, uint32_t, room), room - 1};
}

static size_t hash_of(str s) // FNV-1a
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

// The slot of a name: of `items`, each `size` bytes, with the name as a str at their beginning.
static uint32_t *slot_of(const struct name_table *table, const void *items, size_t size, str name)
{
    for (size_t at = hash_of(name) & table->mask;; at = (at + 1) & table->mask) {
        uint32_t *slot = &table->slots[at];
        if (*slot == 0 ||
            str_eq(*(const str *)(const void *)((const char *)items + (*slot - 1) * size), name))
            return slot;
    }
}

static void resolve_flows(struct arena *arena, const struct risk_register *risks,
                          struct problems *problems)
{
    struct name_table table = table_of(arena, risks->flows.count);
    const struct risk_flow *flows = risks->flows.items;
    struct risk *items = risks->risks.items;
    for (size_t i = 0; i < risks->flows.count; i++)
        *slot_of(&table, flows, sizeof *flows, flows[i].name) = (uint32_t)i + 1;
    for (size_t i = 0; i < risks->risks.count; i++) {
        if (items[i].flow.len == 0)
            continue;
        uint32_t number = *slot_of(&table, flows, sizeof *flows, items[i].flow);
        if (number)
            items[i].weight = flows[number - 1].weight;
        else
            problem_at(problems, items[i].at,
                       "risk `" STR_FMT "` names the flow `" STR_FMT
                       "`, which `flows` does not have",
                       STR_ARG(items[i].id), STR_ARG(items[i].flow));
    }
}

static void refuse_twins(struct arena *arena, const struct risk_register *risks,
                         struct problems *problems)
{
    struct name_table table = table_of(arena, risks->risks.count);
    const struct risk *items = risks->risks.items;
    for (size_t i = 0; i < risks->risks.count; i++) {
        uint32_t *slot = slot_of(&table, items, sizeof *items, items[i].id);
        if (*slot == 0)
            *slot = (uint32_t)i + 1;
        else
            problem_at(problems, items[i].at, "risk `" STR_FMT "` stands twice: first in line %u",
                       STR_ARG(items[i].id), items[*slot - 1].at.line);
    }
}

bool risk_register_bind(struct arena *arena, const struct node *root, struct risk_register *ret,
                        struct problems *problems)
{
    size_t before = problems->count + problems->dropped;
    struct risk_register risks;
    (void)shape_bind(arena, &risk_register_shape, root, &risks, problems);
    if (problems->count + problems->dropped > before)
        return false;
    resolve_flows(arena, &risks, problems);
    refuse_twins(arena, &risks, problems);
    if (problems->count + problems->dropped > before)
        return false;
    *ret = risks;
    return true;
}

const struct risk *risk_register_at(const struct risk_register *risks, size_t i)
{
    return (const struct risk *)risks->risks.items + i;
}

uint64_t risk_exposure(const struct risk *risk)
{
    return (uint64_t)(risk->likelihood * risk->impact * risk->weight);
}

enum risk_severity risk_severity(const struct risk *risk)
{
    int64_t score = risk->likelihood * risk->impact;
    if (score >= 20)
        return RISK_CRITICAL;
    if (score >= 10)
        return RISK_HIGH;
    return score >= 5 ? RISK_MEDIUM : RISK_LOW;
}

const char *risk_severity_name(enum risk_severity severity)
{
    static const char *const names[RISK_SEVERITIES] = {"low", "medium", "high", "critical"};
    return names[severity];
}

const char *risk_status_name(int status)
{
    return status_names[status];
}

bool risk_overdue(const struct risk *risk, int64_t today_days)
{
    return risk->status != RISK_CLOSED && risk->due_days != 0 && risk->due_days < today_days;
}

bool risk_counts(const struct risk *risk, int64_t today_days)
{
    if (risk->status == RISK_ACCEPTED)
        return risk_overdue(risk, today_days);
    return risk->status != RISK_CLOSED;
}

struct risk_totals risk_totals(const struct risk_register *risks, int64_t today_days)
{
    struct risk_totals totals = {0};
    for (size_t i = 0; i < risks->risks.count; i++) {
        const struct risk *risk = risk_register_at(risks, i);
        totals.overdue += risk_overdue(risk, today_days);
        totals.closed += risk->status == RISK_CLOSED;
        totals.accepted += risk->status == RISK_ACCEPTED;
        if (risk_counts(risk, today_days)) {
            totals.exposure += risk_exposure(risk);
            totals.open[risk_severity(risk)]++;
        }
    }
    return totals;
}

bool risk_covers(const struct risk *risk, str path)
{
    const str *patterns = risk->paths.items;
    for (size_t i = 0; i < risk->paths.count; i++)
        if (glob_match(patterns[i], path))
            return true;
    return false;
}

// The pattern as it stands, and with each `::` read as the separator of an identity.
bool risk_test_fits(str pattern, str identity)
{
    char words[1024];
    if (waiver_word_fits(pattern, identity))
        return true;
    size_t n = 0, found = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        bool separator = str_starts(str_from(pattern, i), STR("::"));
        str piece = separator ? STR(" \u203a ") : str_make(pattern.data + i, 1);
        if (n + piece.len > sizeof words)
            return false;
        memcpy(words + n, piece.data, piece.len);
        n += piece.len;
        i += separator;
        found += separator;
    }
    return found && waiver_word_fits(str_make(words, n), identity);
}
