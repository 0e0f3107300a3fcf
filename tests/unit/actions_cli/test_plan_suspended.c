#include "actions/cli/plan_suspended.h"

#include "gate/base/moment.h"

#include <criterion/criterion.h>

static const struct watch_settings ops = {
    .by = STR("sluice watch on ops1"), .every_ms = 30 * MS_SECOND, .late_ms = 2 * MS_MINUTE};

static const char *said(const struct watch_settings *watch, const struct detect_step *steps,
                        uint32_t count, struct text *out)
{
    const struct plan plan = {.step_count = count, .detect_ratio = 5};
    plan_suspended_text(watch, &plan, steps, out);
    return text_c(out);
}

// Who waits longest to be woken, in the step that sees least.
Test(plan_suspended, counts_the_slowest_step_and_the_latest_wake)
{
    const struct detect_step steps[] = {
        {.p95_ms = 20 * MS_SECOND}, {.p95_ms = 3 * MS_MINUTE}, {.p95_ms = 10 * MS_SECOND}};
    struct text out = text_of(1024);
    cr_expect_str_eq(said(&ops, steps, 3, &out),
                     "  suspended, a release 5x worse is seen in 5 min 30 s at worst: sluice watch "
                     "on ops1 wakes it within 2 min 30 s, and sees it in 3 min (95 %)\n");
    text_done(&out);
    out = text_of(1024);
    const struct watch_settings prompt = {.by = STR("alarm 7"), .every_ms = MS_SECOND};
    cr_expect_str_eq(said(&prompt, steps, 1, &out),
                     "  suspended, a release 5x worse is seen in 21 s at worst: alarm 7 wakes it "
                     "within 1 s, and sees it in 20 s (95 %)\n");
    text_done(&out);
}

Test(plan_suspended, says_no_number_where_there_is_none)
{
    static const struct {
        struct detect_step steps[2];
        const char *end;
    } cases[] = {
        {{{.p95_ms = MS_MINUTE}, {.metric = UINT32_MAX}}, "is seen cannot be said\n"},
        {{{.metric = UINT32_MAX}, {.p95_ms = DETECT_NEVER}}, "is seen cannot be said\n"},
        {{{.p95_ms = MS_MINUTE}, {.p95_ms = DETECT_NEVER}},
         "is seen has no bound: a step does not see it with 95 %\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text out = text_of(1024);
        const char *words = said(&ops, cases[i].steps, 2, &out);
        cr_expect_not_null(strstr(words, "woken by sluice watch on ops1 within 2 min 30 s;"), "%s",
                           words);
        cr_expect_not_null(strstr(words, cases[i].end), "%zu: %s", i, words);
        cr_expect_null(strstr(words, "at worst"), "%zu: %s", i, words);
        text_done(&out);
    }
}

Test(plan_suspended, warns_where_nothing_is_named_and_says_what_to_name)
{
    const struct watch_settings none = {0};
    const struct detect_step step = {.p95_ms = MS_MINUTE};
    struct text out = text_of(1024);
    const char *words = said(&none, &step, 1, &out);
    cr_expect_eq(strncmp(words, "  Warning: no `watch` names", 27), 0, "%s", words);
    cr_expect_not_null(strstr(words, "its process stays until a person decides"), "%s", words);
    cr_expect_not_null(strstr(words, "`watch: {by: sluice watch on ops1, every: 30s}`"), "%s",
                       words);
    cr_expect_null(strstr(words, "is seen"), "%s", words);
    text_done(&out);
}
