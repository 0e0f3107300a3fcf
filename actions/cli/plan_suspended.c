#include "actions/cli/plan_suspended.h"

#include "gate/base/moment.h"

enum seen { SEEN, SEEN_NEVER, SEEN_UNKNOWN };

// By the step that takes longest. A hold may come in any of them.
static enum seen slowest_of(const struct plan *plan, const struct detect_step *steps,
                            int64_t *ret_ms)
{
    *ret_ms = 0;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (steps[i].metric == UINT32_MAX)
            return SEEN_UNKNOWN;
        if (steps[i].p95_ms == DETECT_NEVER)
            return SEEN_NEVER;
        if (steps[i].p95_ms > *ret_ms)
            *ret_ms = steps[i].p95_ms;
    }
    return SEEN;
}

static void add_watched(const struct watch_settings *watch, const struct plan *plan,
                        const struct detect_step *steps, struct text *out)
{
    char wake[32], worst[32], more[32];
    int64_t seen_ms, wake_ms = watch_wakes_ms(watch);
    enum seen seen = slowest_of(plan, steps, &seen_ms);
    (void)duration_words(wake_ms, wake);
    if (seen == SEEN)
        text_addf(out,
                  "  suspended, a release %gx worse is seen in %s at worst: " STR_FMT
                  " wakes it within %s, and sees it in %s (95 %%)\n",
                  plan->detect_ratio, duration_words(wake_ms + seen_ms, worst), STR_ARG(watch->by),
                  wake, duration_words(seen_ms, more));
    else
        text_addf(out,
                  "  suspended, it is woken by " STR_FMT " within %s; in what time after that a "
                  "release %gx worse is seen %s\n",
                  STR_ARG(watch->by), wake, plan->detect_ratio,
                  seen == SEEN_NEVER ? "has no bound: a step does not see it with 95 %"
                                     : "cannot be said");
}

void plan_suspended_text(const struct watch_settings *watch, const struct plan *plan,
                         const struct detect_step *steps, struct text *out)
{
    if (watch->every_ms > 0)
        add_watched(watch, plan, steps, out);
    else
        text_adds(out, "  Warning: no `watch` names what wakes it when it is suspended: held with "
                       "traffic on the release, its process stays until a person decides. Name "
                       "it, such as `watch: {by: sluice watch on ops1, every: 30s}`\n");
}
