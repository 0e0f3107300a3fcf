#include "actions/cli/rehearsal_left.h"

#include <criterion/criterion.h>

// Whichever half it stands at, the words name the release before as what may be there.
Test(rehearsal_left, the_words_are_the_same_in_both_halves)
{
    static const char whole[] = "rehearsal v1-p-rehearsal-1 was left half-way: workers may be on "
                                "v1, where v2 belongs, web may be on v1, where v3 belongs";
    struct plan_target back[] = {
        {.name = STR("workers"), .next = {.release = STR("v2")}, .good = {.release = STR("v1")}},
        {.name = STR("web"), .next = {.release = STR("v3")}, .good = {.release = STR("v1")}}};
    struct plan_target forth[] = {
        {.name = STR("workers"), .next = {.release = STR("v1")}, .good = {.release = STR("v2")}},
        {.name = STR("web"), .next = {.release = STR("v1")}, .good = {.release = STR("v3")}}};
    struct plan plans[] = {
        {.rollout = STR("v1-p-rehearsal-1"), .targets = back, .target_count = 2},
        {.rollout = STR("v2-p-rehearsal-1"), .targets = forth, .target_count = 2}};
    for (size_t i = 0; i < 2; i++) {
        struct rehearsal_left left = {.back = STR("v1-p-rehearsal-1"),
                                      .forth = STR("v2-p-rehearsal-1"),
                                      .half = {.plan = &plans[i]}};
        struct text out = text_of(4096);
        rehearsal_left_words(&left, &out);
        cr_expect_str_eq(text_c(&out), whole, "half %zu", i);
        text_done(&out);
    }
}
