#include "deploy/run/pace.h"

#include "gate/base/moment.h"

struct making {
    struct arena *arena;
    const struct resolve_request *request;
    struct pace pace;
};

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Adds a stop at that share where there is none; `list` rises.
static void add_step(struct arena *arena, struct shape_list *list, const struct step_settings *step)
{
    const struct step_settings *old = list->items;
    struct step_settings *items = ARENA_ARRAY(arena, struct step_settings, list->count + 1);
    size_t count = 0;
    bool placed = false;
    for (size_t i = 0; i < list->count; i++) {
        int order = fraction_cmp(step->to, old[i].to);
        if (!placed && order < 0)
            items[count++] = *step;
        placed = placed || order <= 0;
        items[count++] = old[i];
    }
    if (!placed)
        items[count++] = *step;
    *list = (struct shape_list){items, count};
}

static void add_steps(struct making *m, const struct shape_list *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        add_step(m->arena, &m->pace.steps, &((const struct step_settings *)steps->items)[i]);
}

// In place of the stage's own.
static void replace(struct making *m, const struct pace_settings *by)
{
    const struct stage_settings *stage = m->request->stage;
    m->pace.steps = by->steps;
    m->pace.step_bake_ms = by->has_step_bake ? by->step_bake_ms : stage->step_bake_ms;
    m->pace.bake_ms = by->has_bake ? by->bake_ms : stage->bake_ms;
    m->pace.approvals = by->approvals;
}

static void more_careful(struct making *m, const struct pace_settings *by)
{
    add_steps(m, &by->steps);
    if (by->has_step_bake)
        m->pace.step_bake_ms = longer(m->pace.step_bake_ms, by->step_bake_ms);
    if (by->has_bake)
        m->pace.bake_ms = longer(m->pace.bake_ms, by->bake_ms);
    m->pace.approvals = longer(m->pace.approvals, by->approvals);
}

static void because(struct making *m, str words)
{
    m->pace.risk_why = arena_format(m->arena, STR_FMT "%s" STR_FMT, STR_ARG(m->pace.risk_why),
                                    m->pace.risk_why.len ? "; " : "", STR_ARG(words));
}

// Who cannot say how much is at risk goes as with the most.
static const struct pace_settings *ladder_of(const struct stage_settings *stage,
                                             enum release_risk risk)
{
    if (!stage->by_risk)
        return NULL;
    switch (risk) {
    case RELEASE_LOW:
        return stage->by_risk->low;
    case RELEASE_MEDIUM:
        return stage->by_risk->medium;
    case RELEASE_HIGH:
    case RELEASE_NOT_SCORED:
        break;
    }
    return stage->by_risk->high;
}

// Any steps but the stage's own: they are put beside those that hold so far.
static void begin_with_own_steps(struct making *m)
{
    if (m->pace.steps.count == 0)
        add_steps(m, &m->request->stage->steps);
    if (m->pace.steps.count == 0) {
        static const struct step_settings all_at_once = {.to = {1, 1}};
        add_step(m->arena, &m->pace.steps, &all_at_once);
    }
}

static void choose_ladder(struct making *m, bool in_season)
{
    const struct release_demands *demands = m->request->demands;
    const struct pace_settings *ladder = ladder_of(m->request->stage, demands->risk);
    if (!ladder)
        return;
    if (in_season)
        more_careful(m, ladder);
    else
        replace(m, ladder);
    because(m, demands->risk == RELEASE_NOT_SCORED
                   ? STR("the release risk is not scored: `by_risk` of high")
                   : arena_format(m->arena, "release risk %u: `by_risk` of %s",
                                  (unsigned)demands->score, release_risk_name(demands->risk)));
}

static void follow_demands(struct making *m, bool emergency)
{
    const struct release_demands *demands = m->request->demands;
    m->pace.approvals = longer(m->pace.approvals, demands->approvals);
    if (!emergency) {
        if (demands->step_count)
            begin_with_own_steps(m);
        for (size_t i = 0; i < demands->step_count; i++)
            add_step(m->arena, &m->pace.steps, &(struct step_settings){.to = demands->steps[i]});
        m->pace.step_bake_ms = (int64_t)((double)m->pace.step_bake_ms * demands->slower);
        m->pace.bake_ms = (int64_t)((double)m->pace.bake_ms * demands->slower);
    }
    for (size_t i = 0; i < demands->because_count; i++) {
        const struct release_reason *reason = &demands->because[i];
        because(m,
                arena_format(m->arena, STR_FMT " (" STR_FMT ") demands " STR_FMT "%s",
                             STR_ARG(reason->risk), STR_ARG(reason->title), STR_ARG(reason->what),
                             emergency ? ", of which only approvals count in an emergency" : ""));
    }
    if (demands->because_count && demands->unknown.len)
        because(m, demands->unknown);
}

// More people must agree than the stage asks: there must be as many.
static bool people_suffice(const struct making *m, struct error *err)
{
    const struct stage_settings *stage = m->request->stage;
    size_t have = stage->approval ? stage->approval->from.count : 0;
    if (!m->request->demands || m->request->demands->approvals <= have)
        return true;
    return error_set(err, ERROR_DENIED,
                     "the risks of this release demand %u approvals, and `approval: {from}` of "
                     "stage " STR_FMT " names %zu: add who may give them (" STR_FMT ")",
                     (unsigned)m->request->demands->approvals, STR_ARG(stage->stage), have,
                     STR_ARG(m->pace.risk_why));
}

bool pace_resolve(struct arena *arena, const struct resolve_request *request, struct pace *ret,
                  struct error *err)
{
    static const struct pace_settings own = {0};
    const struct season_settings *season = NULL;
    struct making m = {.arena = arena, .request = request};
    bool emergency = request->calendar && request->emergency.severity.len > 0;
    if (request->calendar && !emergency && request->mode == PLAN_FORWARD)
        season = season_at(request->calendar, request->now_ms);
    replace(&m, request->mode == PLAN_ROLLBACK ? &own
                : emergency                    ? &request->calendar->emergency.pace
                : season                       ? &season->pace
                                               : &own);
    if (request->demands && request->mode == PLAN_FORWARD) {
        if (!emergency)
            choose_ladder(&m, season != NULL);
        follow_demands(&m, emergency);
        if (!people_suffice(&m, err))
            return false;
    }
    if (m.pace.steps.count > LIMIT_STEPS)
        return error_set(err, ERROR_LIMIT, "stage " STR_FMT " comes out with more than %u steps",
                         STR_ARG(request->stage->stage), LIMIT_STEPS);
    *ret = m.pace;
    return true;
}
