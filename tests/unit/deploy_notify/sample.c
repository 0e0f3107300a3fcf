#include "sample.h"

#include <criterion/criterion.h>
#include <stdio.h>

void sample_make(struct sample *sample)
{
    static str from[] = {STR_INIT("alice"), STR_INIT("bob")};
    *sample = (struct sample){
        .plan = {.rollout = STR("v812-production-1"),
                 .release = STR("v812"),
                 .commit = STR("0123456789abcdef0123456789abcdef01234567"),
                 .environment = STR("production"),
                 .stage = STR("production"),
                 .target_count = 2,
                 .steps = {{.share_ppm = 250000,
                            .approval = {.count = 2, .from = from, .from_count = 2}},
                           {.share_ppm = SHARE_ALL}},
                 .step_count = 2},
        .targets = {{.name = STR("web"),
                     .good = {.release = STR("v811")},
                     .next = {.release = STR("v812")}},
                    {.name = STR("worker"), .next = {.release = STR("v812")}}},
        .state = {.asked = 17, .phase_since_ms = 1795331395123, .answers = 1},
    };
    sample->plan.targets = sample->targets;
    (void)snprintf(sample->state.why, sizeof sample->state.why,
                   "errors on web: 12 of 80 bad & 2 of 240 before");
}

struct notice sample_notice(struct arena *arena, struct sample *sample, enum rollout_phase phase)
{
    static const char *const commands[] = {"sluice show v812-production-1", NULL};
    static const struct notice_runbook runbooks[] = {
        {STR_INIT("latency"), STR_INIT("docs/latency.md")},
        {STR_INIT("errors"), STR_INIT("docs/errors.md")},
    };
    struct notice notice;
    struct notice_source source = {
        .plan = &sample->plan,
        .state = &sample->state,
        .time_ms = 1795331395123,
        .steps = commands,
        .runbooks = runbooks,
        .runbook_count = 2,
        .link = STR("https://github.example/acme/learn/actions/runs/7"),
    };
    sample->state.phase = phase;
    sample->state.held_from = phase == PHASE_WAITING ? PHASE_SHIFTING : PHASE_NEW;
    cr_assert(notice_of_state(&sample->plan, &sample->state, &source.event));
    notice_make(arena, &source, &notice);
    return notice;
}
