#include "gate/rules/upgrade_steps.h"

bool upgrade_is(const struct upgrade_subject *subject, const struct locked *one)
{
    if (one->nested)
        return false;
    if (subject->table)
        return lifecycle_has(subject->table, one);
    return str_eq(one->name, subject->product);
}

// How many steps lie between two versions, in the unit of the demand.
static void count_steps(struct arena *arena, const struct upgrade_subject *subject,
                        struct upgrade_step *step)
{
    const struct lifecycle *table = subject->table;
    const struct upgrade_demand *demand = subject->demand;
    bool both = table && lifecycle_series(table, &step->from) && lifecycle_series(table, &step->to);
    if (demand && demand->max_step.len) {
        step->limited = true;
        step->most = demand->most;
        step->unit = demand->unit;
    } else if (table) {
        step->limited = true;
        step->most = 1;
        step->unit = lifecycle_has_lts(table) ? STEP_LTS : STEP_SERIES;
    }
    bool by_table = step->unit == STEP_LTS || step->unit == STEP_SERIES;
    size_t parts = step->unit == STEP_MAJOR ? 1 : step->unit == STEP_MINOR ? 2 : 3;
    step->countable = by_table ? both : step->from.count >= parts && step->to.count >= parts;
    step->count = lifecycle_steps(arena, table, step->unit, &step->from, &step->to, &step->rungs);
    while (both && step->rungs[step->rung_count])
        step->rung_count++;
    step->another_series =
        both ? lifecycle_series(table, &step->from) != lifecycle_series(table, &step->to)
             : step->from.parts[0] != step->to.parts[0] || step->from.parts[1] != step->to.parts[1];
}

static struct upgrade_step step_between(struct arena *arena, const struct rule_input *input,
                                        const struct upgrade_subject *subject,
                                        const struct locked *after)
{
    const struct locks *base = &input->dependencies->base;
    struct upgrade_step step = {.kind = UPGRADE_UNPINNED, .after = after};
    if (after->pin != PIN_EXACT || !version_parse(after->version, &step.to))
        return step;
    step.before = locks_find(base, after->ecosystem, after->name, after->path);
    if (!step.before)
        step.before = locks_find(base, after->ecosystem, after->name, NULL);
    step.kind = UPGRADE_NEW;
    if (!step.before || step.before->pin == PIN_NONE ||
        !version_parse(step.before->version, &step.from))
        return step;
    int order = version_cmp(&step.from, &step.to);
    step.kind = order < 0 ? UPGRADE_UP : order > 0 ? UPGRADE_DOWN : UPGRADE_SAME;
    if (order < 0)
        count_steps(arena, subject, &step);
    return step;
}

static bool worse(const struct upgrade_step *a, const struct upgrade_step *b)
{
    static const int rank[] = {[UPGRADE_ABSENT] = 0, [UPGRADE_UNPINNED] = 1, [UPGRADE_NEW] = 2,
                               [UPGRADE_SAME] = 3,   [UPGRADE_DOWN] = 4,     [UPGRADE_UP] = 5};
    if (rank[a->kind] != rank[b->kind])
        return rank[a->kind] > rank[b->kind];
    if (a->kind == UPGRADE_UP && a->countable != b->countable)
        return !a->countable;
    return a->kind == UPGRADE_UP && a->count > b->count;
}

struct upgrade_step upgrade_step_of(struct arena *arena, const struct rule_input *input,
                                    const struct upgrade_subject *subject)
{
    const struct locks *head = &input->dependencies->head;
    struct upgrade_step worst = {.kind = UPGRADE_ABSENT};
    for (size_t i = 0; i < head->count; i++) {
        const struct locked *one = &head->items[i];
        // Of several entries of one file the highest is what is compared.
        if (!upgrade_is(subject, one) ||
            locks_find(head, one->ecosystem, one->name, one->path) != one)
            continue;
        struct upgrade_step step = step_between(arena, input, subject, one);
        if (worse(&step, &worst))
            worst = step;
    }
    return worst;
}

size_t upgrade_subjects(struct arena *arena, const struct rule_input *input,
                        struct upgrade_subject **ret)
{
    const struct shape_list *demands = &input->demands->upgrades;
    const struct upgrade_demand *items = demands->items;
    size_t tables = input->lifecycles ? input->lifecycles->count : 0, count = 0;
    struct upgrade_subject *subjects =
        ARENA_ARRAY(arena, struct upgrade_subject, demands->count + tables + 1);
    for (size_t i = 0; i < demands->count; i++) {
        const struct lifecycle *table = lifecycle_of(input->lifecycles, items[i].product);
        subjects[count++] =
            (struct upgrade_subject){.product = items[i].product,
                                     .title = table ? table->title : items[i].product,
                                     .table = table,
                                     .demand = &items[i]};
    }
    for (size_t i = 0; i < tables; i++) {
        const struct lifecycle *table = &input->lifecycles->items[i];
        bool named = false;
        for (size_t k = 0; k < demands->count; k++)
            named |= str_eq(items[k].product, table->product);
        if (!named)
            subjects[count++] = (struct upgrade_subject){
                .product = table->product, .title = table->title, .table = table};
    }
    *ret = subjects;
    return count;
}
