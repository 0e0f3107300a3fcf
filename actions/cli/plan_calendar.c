#include "actions/cli/plan_calendar.h"

#include "gate/base/moment.h"

#define AHEAD_MS (14 * MS_DAY)

static void add_now(const struct calendar *calendar, int64_t now_ms, struct text *out)
{
    struct calendar_answer answer;
    calendar_look(calendar, 0, now_ms, &answer);
    if (answer.allowed)
        return;
    text_adds(out, "  would be refused now: ");
    calendar_words(calendar, &answer, out);
    text_addc(out, '\n');
}

static void add_windows(const struct calendar *calendar, struct text *out)
{
    for (uint32_t i = 0; i < calendar->window_count; i++)
        text_addf(out, "%s`" STR_FMT "`", i ? ", " : "  goes forward only within ",
                  STR_ARG(calendar->windows[i].text));
    if (calendar->window_count)
        text_addc(out, '\n');
}

static void add_freezes(const struct calendar *calendar, int64_t now_ms, struct text *out)
{
    for (uint32_t i = 0; i < calendar->freeze_count; i++) {
        const struct calendar_freeze *freeze = &calendar->freezes[i];
        if (freeze->to_ms <= now_ms || freeze->from_ms > now_ms + AHEAD_MS)
            continue;
        text_addf(out, "  freeze `" STR_FMT "` from ", STR_ARG(freeze->name));
        calendar_moment(freeze->zone, freeze->timezone, freeze->from_ms, out);
        text_adds(out, " to ");
        calendar_moment(freeze->zone, freeze->timezone, freeze->to_ms, out);
        const char *comma = "; passed by fixes of ";
        for (unsigned k = 0; k < SEVERITY_COUNT; k++)
            if (freeze->allow >> k & 1) {
                text_addf(out, "%sP%u", comma, k + 1);
                comma = ", ";
            }
        text_addc(out, '\n');
    }
}

// Begun now, or when it may be: when each step would come. The last entry is the old being scaled
// away, after the bake.
static void add_waits(const struct plan *plan, int64_t now_ms, struct text *out)
{
    const struct calendar *calendar = &plan->calendar;
    struct calendar_answer answer;
    int64_t moment_ms = now_ms;
    for (uint32_t i = 0; i <= plan->step_count; i++) {
        calendar_look(calendar, 0, moment_ms, &answer);
        if (!answer.allowed && i > 0) {
            if (i < plan->step_count)
                text_addf(out, "  step %u (%g %%)", i + 1, plan->steps[i].share_ppm / 10000.0);
            else
                text_adds(out, "  scaling the old away");
            text_adds(out, " waits, with what came before it in service: ");
            calendar_words(calendar, &answer, out);
            text_addc(out, '\n');
        }
        if (!answer.allowed)
            moment_ms = answer.until_ms;
        if (moment_ms == ZONE_NEVER || i == plan->step_count)
            return;
        moment_ms += plan_bake_ms(plan, i);
    }
}

void plan_calendar_text(const struct calendar_settings *settings, const struct plan *plan,
                        int64_t now_ms, struct text *out)
{
    const struct calendar *calendar = &settings->calendar;
    if (plan->season.len)
        text_addf(out, "  season `" STR_FMT "`: " STR_FMT "\n", STR_ARG(plan->season),
                  STR_ARG(plan->season_why));
    add_windows(calendar, out);
    add_freezes(calendar, now_ms, out);
    add_now(calendar, now_ms, out);
    add_waits(plan, now_ms, out);
}

bool plan_calendar_waits(struct arena *arena, const struct plan *plan, enum rollout_phase phase,
                         int64_t now_ms, int64_t *ret_until_ms, struct text *out)
{
    struct calendar calendar = plan->calendar;
    struct calendar_answer answer;
    if (plan->mode == PLAN_ROLLBACK || phase_terminal(phase) || phase == PHASE_REVERTING ||
        phase == PHASE_STUCK || phase == PHASE_VERIFYING)
        return false;
    calendar_zones(arena, &calendar);
    calendar_look(&calendar, calendar_severity(plan->emergency.severity), now_ms, &answer);
    if (answer.allowed)
        return false;
    calendar_words(&calendar, &answer, out);
    *ret_until_ms = answer.until_ms;
    return true;
}
