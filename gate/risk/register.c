#include "gate/risk/register.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/risk/register_parts.h"
#include "gate/risk/waivers.h"

#include <assert.h>

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

// A rollout takes the steps of all risks that it touches; more than it can have could not be met.
static void count_steps(const struct risk_register *risks, struct problems *problems)
{
    struct fraction shares[LIMIT_STEPS];
    size_t count = 0;
    for (size_t i = 0; i < risks->risks.count; i++) {
        const struct risk_demands *demands = risk_register_at(risks, i)->demands;
        const struct risk_step *steps = demands ? demands->steps.items : NULL;
        for (size_t k = 0; demands && k < demands->steps.count; k++) {
            size_t at = 0;
            while (at < count && fraction_cmp(shares[at], steps[k].share) != 0)
                at++;
            if (at < count)
                continue;
            if (count == LIMIT_STEPS) {
                problem_at(problems, steps[k].at,
                           "the risks demand more than %u different steps together, and a rollout "
                           "has no more",
                           LIMIT_STEPS);
                return;
            }
            shares[count++] = steps[k].share;
        }
    }
}

// Rates each risk of the document; `items` is null when the document could not be bound, and what
// is wrong with its ratings is then said all the same.
static void rate(const struct risk_matrix *matrix, const struct node *root, struct risk *items,
                 struct problems *problems)
{
    const struct node *list = node_get(root, "risks");
    const struct node *node = list && list->kind == NODE_LIST ? list->first : list;
    for (size_t i = 0; node; node = node->next, i++) {
        struct risk_rating rating = {0};
        bool ok = node->kind == NODE_MAP && matrix_rate(matrix, node, &rating, problems);
        if (ok && items) {
            struct risk *risk = &items[i];
            risk->rating = rating;
            if (risk->likelihood_given)
                (void)number_i64(risk->likelihood_given->text, &risk->likelihood);
            if (risk->impact_given)
                (void)number_i64(risk->impact_given->text, &risk->impact);
        }
        if (list->kind != NODE_LIST)
            return; // one alone is a list of one, and its sibling is another key
    }
}

bool risk_register_bind(struct arena *arena, const struct node *root,
                        const struct risk_matrix *matrix, struct risk_register *ret,
                        struct problems *problems)
{
    size_t before = problems->count + problems->dropped;
    struct risk_register risks;
    bool ok = shape_bind(arena, &risk_register_shape, root, &risks, problems);
    rate(matrix, root, ok ? risks.risks.items : NULL, problems);
    if (problems->count + problems->dropped > before)
        return false;
    risks.matrix = matrix;
    resolve_flows(arena, &risks, problems);
    refuse_twins(arena, &risks, problems);
    count_steps(&risks, problems);
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
    return risk->rating.points * (uint64_t)risk->weight;
}

uint64_t risk_exposure_most(const struct risk_register *risks)
{
    return risks->matrix->most * RISK_WEIGHT_MOST;
}

enum risk_severity risk_severity(const struct risk *risk)
{
    return risk->rating.severity;
}

bool risk_demands_rollout(const struct risk *risk)
{
    const struct risk_demands *demands = risk->demands;
    return demands && (demands->approvals || demands->slow || demands->steps.count);
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
