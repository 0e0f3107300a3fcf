#include "gate/judge/threshold.h"

#include <criterion/criterion.h>
#include <math.h>

// S a good value, F a bad one, E none.
static struct threshold_state after(const struct threshold *limit, const char *letters)
{
    struct threshold_state state = {0};
    for (const char *c = letters; *c; c++)
        threshold_add(limit, &state, *c != 'E', *c == 'F' ? limit->max + 1 : limit->max - 1);
    return state;
}

Test(threshold, verdicts)
{
    static const struct {
        const char *letters;
        uint32_t failures, errors;
        enum verdict3 want;
    } rows[] = {
        {"", 0, 0, JUDGED_INCONCLUSIVE}, // ended early is not a success
        {"S", 0, 0, JUDGED_PASS},
        {"F", 0, 0, JUDGED_ABORT},
        {"SF", 0, 0, JUDGED_ABORT},
        {"FS", 0, 0, JUDGED_ABORT},
        {"F", 1, 0, JUDGED_PASS},
        {"FF", 1, 0, JUDGED_ABORT},
        {"FSF", 1, 0, JUDGED_ABORT}, // failures add up, in a row or not
        {"FSFSF", 2, 0, JUDGED_ABORT},
        {"E", 0, 0, JUDGED_INCONCLUSIVE},
        {"E", 0, 4, JUDGED_INCONCLUSIVE}, // tolerated, but nothing was measured
        {"SE", 0, 0, JUDGED_INCONCLUSIVE},
        {"SE", 0, 1, JUDGED_PASS},
        {"SEE", 0, 1, JUDGED_INCONCLUSIVE},
        {"SEESES", 0, 1, JUDGED_PASS}, // an answer ends the row
        {"EFE", 1, 1, JUDGED_PASS},
        {"FEF", 1, 9, JUDGED_ABORT}, // errors do not hide failures
        {"FFEEEEE", 1, 0, JUDGED_ABORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct threshold limit = {100, rows[i].failures, rows[i].errors, 0};
        struct threshold_state state = after(&limit, rows[i].letters);
        cr_expect_eq(threshold_verdict(&limit, &state, 1), rows[i].want, "%s", rows[i].letters);
    }
}

Test(threshold, bound_itself_is_good)
{
    struct threshold limit = {800, 0, 0, 0};
    struct threshold_state state = {0};
    threshold_add(&limit, &state, true, 800);
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_PASS);
    threshold_add(&limit, &state, true, nextafter(800, 900));
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_ABORT);
}

Test(threshold, not_a_number_is_no_answer)
{
    struct threshold limit = {800, 0, 0, 0};
    struct threshold_state state = {0};
    threshold_add(&limit, &state, true, NAN);
    cr_expect_eq(state.measured, 0);
    cr_expect_eq(state.errors_in_row, 1);
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_INCONCLUSIVE);
    threshold_add(&limit, &state, true, INFINITY);
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_ABORT);
}

Test(threshold, enough_must_be_measured)
{
    struct threshold limit = {800, 0, 0, 0};
    struct threshold_state state = after(&limit, "SSS");
    cr_expect_eq(threshold_verdict(&limit, &state, 4), JUDGED_INCONCLUSIVE);
    cr_expect_eq(threshold_verdict(&limit, &state, 3), JUDGED_PASS);
    struct threshold_state none = {0};
    cr_expect_eq(threshold_verdict(&limit, &none, 0), JUDGED_INCONCLUSIVE, "no data is no pass");
}

// Argo's cases of errors and inconclusive measurements, letter by letter: what it answers after the
// last of them, and what we do. Where it says "Successful" of a run that measured nothing, or that
// somebody ended early, we are inconclusive.
Test(threshold, argo_rows)
{
    static const struct {
        const char *letters;
        uint32_t failures, errors;
        enum verdict3 want;
    } rows[] = {
        {"SSF", 0, 4, JUDGED_ABORT},         {"SFS", 1, 4, JUDGED_PASS},
        {"FFS", 1, 4, JUDGED_ABORT},         {"SSEE", 0, 4, JUDGED_PASS},
        {"EEEE", 0, 4, JUDGED_INCONCLUSIVE}, {"EE", 0, 1, JUDGED_INCONCLUSIVE},
        {"ESE", 0, 1, JUDGED_PASS},          {"FEF", 1, 1, JUDGED_ABORT},
        {"FFSSS", 2, 4, JUDGED_PASS},        {"FFSSF", 2, 4, JUDGED_ABORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct threshold limit = {100, rows[i].failures, rows[i].errors, 0};
        struct threshold_state state = after(&limit, rows[i].letters);
        cr_expect_eq(threshold_verdict(&limit, &state, 1), rows[i].want, "%s", rows[i].letters);
    }
}

Test(threshold, errors_that_do_not_come_in_a_row_count_too_where_a_limit_says_so)
{
    struct threshold limit = {100, 0, 1, 2};
    struct threshold_state state = after(&limit, "SESES");
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_PASS);
    state = after(&limit, "SESESE");
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_INCONCLUSIVE);
    state = after(&limit, "SESESEFS");
    cr_expect_eq(threshold_verdict(&limit, &state, 1), JUDGED_ABORT, "a failure is a failure");
}
