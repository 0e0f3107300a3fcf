// Lines of the last runs, as a summary shows them.
#include "actions/report/trend.h"
#include "gate/rules/history.h"

#include <criterion/criterion.h>

struct blocks_case {
    double values[13];
    size_t count;
    const char *blocks;
};

static const struct blocks_case cases[] = {
    {{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
    {{5, 5, 5}, 3, "▅▅▅"},
    {{100, 0}, 2, "█▁"},
    {{0}, 0, ""},
    {{-3, 1e300}, 2, "▁█"},
    {{84.1, 84.2, 88.3}, 3, "▁▁█"},
};

Test(trend, from_the_lowest_to_the_highest)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text out = text_of(256);
        trend_blocks(cases[i].values, cases[i].count, &out);
        cr_expect_str_eq(text_c(&out), cases[i].blocks, "row %zu: %s", i, text_c(&out));
        text_done(&out);
    }
}

static struct history_figures runs[] = {
    {.has_coverage = true,
     .lines_covered = 841,
     .lines_total = 1000,
     .has_tests = true,
     .failed = 2},
    {.has_tests = true, .failed = 1, .flaky = 3},
    {.has_coverage = true, .lines_covered = 0, .lines_total = 0, .has_risks = true, .exposure = 90},
};

Test(trend, a_figure_that_a_run_does_not_have_is_no_zero)
{
    struct evidence evidence = {0};
    struct history history = {.trend = runs, .trend_count = 3};
    struct decision decision = {
        .evidence = &evidence, .history = &history, .has_risks = true, .risks = {.exposure = 81}};
    struct text out = text_of(4096);
    trend_markdown(&decision, &out);
    cr_expect_str_eq(text_c(&out),
                     "coverage █▁ 84.1 % → 0.0 %; failed tests █▁ 2 → 1; flaky tests ▁█ 0 → 3; "
                     "exposure █▁ 90 → 81 (the last 3 runs of the default branch, and this "
                     "one).  \n",
                     "%s", text_c(&out));
    text_clear(&out);
    history.trend_count = 0;
    trend_markdown(&decision, &out);
    decision.history = NULL;
    trend_markdown(&decision, &out);
    cr_expect_str_eq(text_c(&out), "");
    text_done(&out);
}
