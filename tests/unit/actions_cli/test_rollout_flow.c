#include "actions/cli/rollout_flow.h"

#include <criterion/criterion.h>

Test(rollout_flow, waits_for_the_calendar_alone)
{
    static const struct {
        struct rollout_state state;
        bool alone;
    } cases[] = {
        {{.phase = PHASE_PREPARING, .frozen = true}, true},
        {{.phase = PHASE_SHIFTING, .frozen = true}, true},
        {{.phase = PHASE_SHIFTING}, false},
        {{.phase = PHASE_SHIFTING, .frozen = true, .out = true}, false}, // it is watched
        {{.phase = PHASE_PREPARING, .frozen = true, .cancelled = true}, false},
        {{.phase = PHASE_STEP_BAKE, .frozen = true}, false},
        {{.phase = PHASE_REVERTING, .frozen = true}, false}, // a way back asks no calendar
        {{.phase = PHASE_HELD, .frozen = true}, false},
    };
    const struct plan plan = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(flow_is_only_frozen(&plan, &cases[i].state), cases[i].alone, "case %zu", i);
}

// Of a question that was answered nothing is left but the calendar; a hold is a person's.
Test(rollout_flow, an_answered_question_waits_for_the_calendar)
{
    struct plan plan = {.approval = {.count = 2}};
    struct rollout_state state = {.phase = PHASE_WAITING, .frozen = true};
    uint32_t step = 0;
    cr_assert_not_null(rollout_question(&plan, &state, &step));
    state.answers = 1;
    cr_expect_not(flow_is_only_frozen(&plan, &state));
    state.answers = 2;
    cr_expect(flow_is_only_frozen(&plan, &state));
    state.hold = true;
    cr_expect_not(flow_is_only_frozen(&plan, &state));
}
