#include "gate/risk/ranking.h"

#include <stdlib.h>

static bool lets_through(const struct risk_filter *filter, const struct risk *risk)
{
    if (filter->status == RISK_NOT_CLOSED ? risk->status == RISK_CLOSED
                                          : filter->status >= 0 && risk->status != filter->status)
        return false;
    if (filter->severity >= 0 && (int)risk_severity(risk) != filter->severity)
        return false;
    return filter->flow.len == 0 || str_eq(filter->flow, risk->flow);
}

size_t risk_select(struct arena *arena, const struct risk_register *risks,
                   const struct risk_filter *filter, const struct risk ***ret)
{
    const struct risk **items = ARENA_ARRAY(arena, const struct risk *, risks->risks.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < risks->risks.count; i++)
        if (lets_through(filter, risk_register_at(risks, i)))
            items[count++] = risk_register_at(risks, i);
    *ret = items;
    return count;
}

// Risks of one register lie in one array, in the order of the file.
static int by_place(const struct risk *a, const struct risk *b)
{
    return (a > b) - (a < b);
}

static int by_exposure(const void *left, const void *right)
{
    const struct risk *a = *(const struct risk *const *)left;
    const struct risk *b = *(const struct risk *const *)right;
    uint64_t one = risk_exposure(a), other = risk_exposure(b);
    if (one != other)
        return one < other ? 1 : -1;
    if (risk_severity(a) != risk_severity(b))
        return risk_severity(a) < risk_severity(b) ? 1 : -1;
    return by_place(a, b);
}

void risk_sort_by_exposure(const struct risk **items, size_t count)
{
    if (count)
        qsort(items, count, sizeof *items, by_exposure);
}

static int by_gain(const void *left, const void *right)
{
    const struct risk *a = *(const struct risk *const *)left;
    const struct risk *b = *(const struct risk *const *)right;
    bool a_known = a->effort_days > 0, b_known = b->effort_days > 0;
    if (a_known != b_known)
        return a_known ? -1 : 1;
    if (a_known) { // a/x > b/y, without dividing
        double one = (double)risk_exposure(a) * b->effort_days;
        double other = (double)risk_exposure(b) * a->effort_days;
        if (one != other)
            return one < other ? 1 : -1;
    }
    return by_exposure(left, right);
}

void roadmap_make(struct arena *arena, const struct risk_register *risks, int64_t today_days,
                  struct roadmap *ret)
{
    const struct risk **items = ARENA_ARRAY(arena, const struct risk *, risks->risks.count + 1);
    struct roadmap roadmap = {0};
    for (size_t i = 0; i < risks->risks.count; i++)
        if (risk_counts(risk_register_at(risks, i), today_days)) {
            items[roadmap.count++] = risk_register_at(risks, i);
            roadmap.exposure += risk_exposure(risk_register_at(risks, i));
        }
    if (roadmap.count)
        qsort(items, roadmap.count, sizeof *items, by_gain);
    roadmap.steps = ARENA_ARRAY(arena, struct roadmap_step, roadmap.count + 1);
    double effort = 0;
    uint64_t left = roadmap.exposure;
    for (size_t i = 0; i < roadmap.count; i++) {
        effort += items[i]->effort_days;
        left -= risk_exposure(items[i]);
        roadmap.estimated += items[i]->effort_days > 0;
        roadmap.steps[i] = (struct roadmap_step){items[i], effort, left};
    }
    *ret = roadmap;
}
