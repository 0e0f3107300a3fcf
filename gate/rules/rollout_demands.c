#include "gate/rules/rollout_demands.h"

#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/rules/score.h"

struct uniting {
    struct arena *arena;
    struct rollout_demands demands;
    struct rollout_reason *because;
    size_t room;
    struct fraction steps[LIMIT_STEPS]; // a register has no more
};

static void add_step(struct uniting *u, struct fraction share)
{
    size_t at = 0;
    struct rollout_demands *demands = &u->demands;
    while (at < demands->step_count && fraction_cmp(u->steps[at], share) < 0)
        at++;
    if (at < demands->step_count && fraction_cmp(u->steps[at], share) == 0)
        return;
    if (demands->step_count == LIMIT_STEPS)
        return;
    memmove(&u->steps[at + 1], &u->steps[at], (demands->step_count - at) * sizeof *u->steps);
    u->steps[at] = share;
    demands->step_count++;
}

static const char *words_of(struct arena *arena, const struct risk_demands *demands)
{
    struct text text = text_of(1024);
    const struct risk_step *steps = demands->steps.items;
    if (demands->approvals)
        text_addf(&text, "%lld approval%s", (long long)demands->approvals,
                  demands->approvals == 1 ? "" : "s");
    if (demands->slower > 1)
        text_addf(&text, "%sbakes %.10g times as long", text.len ? ", " : "", demands->slower);
    for (size_t i = 0; i < demands->steps.count; i++) {
        text_adds(&text, text.len ? ", " : "");
        text_adds(&text, i ? "" : demands->steps.count == 1 ? "a step at " : "steps at ");
        text_add_fraction_percent(&text, steps[i].share);
    }
    const char *words = arena_copy(arena, text_str(&text));
    text_done(&text);
    return words;
}

static void unite(struct uniting *u, const struct risk *risk)
{
    const struct risk_demands *asked = risk->demands;
    const struct risk_step *steps = asked->steps.items;
    struct rollout_demands *demands = &u->demands;
    if (asked->approvals > demands->approvals)
        demands->approvals = asked->approvals;
    if (asked->slower > demands->slower)
        demands->slower = asked->slower;
    for (size_t i = 0; i < asked->steps.count; i++)
        add_step(u, steps[i].share);
    u->because =
        arena_grow(u->arena, u->because, demands->because_count, &u->room, sizeof *u->because);
    u->because[demands->because_count++] = (struct rollout_reason){risk, words_of(u->arena, asked)};
}

void rollout_demands_make(struct arena *arena, const struct rule_input *in,
                          struct rollout_demands *ret)
{
    struct uniting u = {.arena = arena, .demands = {.slower = 1, .unknown = in->changed_unknown}};
    int64_t today = in->now_ms / MS_DAY - (in->now_ms % MS_DAY < 0);
    struct touched_risk *touched;
    size_t touched_count = risks_touched(arena, in, today, &touched);
    size_t count = in->risks ? in->risks->risks.count : 0;
    bool *is_touched = ARENA_ARRAY(arena, bool, count + 1);
    for (size_t i = 0; i < touched_count; i++)
        is_touched[touched[i].risk - risk_register_at(in->risks, 0)] = true;
    for (size_t i = 0; i < count; i++) {
        const struct risk *risk = risk_register_at(in->risks, i);
        if (risk_demands_rollout(risk) && risk_counts(risk, today) &&
            (is_touched[i] || risk->paths.count == 0 || in->changed_unknown))
            unite(&u, risk);
    }
    struct fraction *steps = ARENA_ARRAY(arena, struct fraction, u.demands.step_count + 1);
    memcpy(steps, u.steps, u.demands.step_count * sizeof *steps);
    u.demands.steps = steps;
    u.demands.because = u.because;
    *ret = u.demands;
}
