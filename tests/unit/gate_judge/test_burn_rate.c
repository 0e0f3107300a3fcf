// The alert table of Google's SRE workbook for 99.9 %: 14.4 budgets over an hour are 1.44 % errors.
#include "gate/judge/burn_rate.h"

#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <math.h>

// Shares of errors over 1 h, 5 min, 6 h, 30 min.
static enum verdict3 verdict(double h1, double m5, double h6, double m30, double burns[2])
{
    const double shares[] = {h1, m5, h6, m30};
    struct burn_counts counts[BURN_WINDOWS];
    for (int i = 0; i < BURN_WINDOWS; i++)
        counts[i] = (struct burn_counts){shares[i] * 10000, 10000};
    return burn_rate_verdict(0.001, 200, counts, burns);
}

Test(burn_rate, windows)
{
    cr_expect_eq(burn_window_ms(0), MS_HOUR);
    cr_expect_eq(burn_window_ms(1), 5 * MS_MINUTE);
    cr_expect_eq(burn_window_ms(2), 6 * MS_HOUR);
    cr_expect_eq(burn_window_ms(3), 30 * MS_MINUTE);
    cr_expect_eq(burn_pairs[0].factor, 14.4);
    cr_expect_eq(burn_pairs[1].factor, 6);
}

Test(burn_rate, both_windows_of_a_pair_must_burn)
{
    static const struct {
        double h1, m5, h6, m30;
        enum verdict3 want;
    } rows[] = {
        {0.0005, 0.0005, 0.0005, 0.0005, JUDGED_PASS},
        {0.0150, 0.0150, 0.0001, 0.0001, JUDGED_ABORT},
        {0.0150, 0.0010, 0.0001, 0.0001, JUDGED_PASS},  // it is over
        {0.0010, 0.9000, 0.0001, 0.0010, JUDGED_PASS},  // it has only begun
        {0.0140, 0.0140, 0.0050, 0.0050, JUDGED_PASS},  // not fast enough for either
        {0.0100, 0.0100, 0.0065, 0.0100, JUDGED_ABORT}, // slower, but for long
        {0.0100, 0.0100, 0.0065, 0.0050, JUDGED_PASS},
        {1.0000, 1.0000, 1.0000, 1.0000, JUDGED_ABORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double burns[2];
        cr_expect_eq(verdict(rows[i].h1, rows[i].m5, rows[i].h6, rows[i].m30, burns), rows[i].want,
                     "row %zu: %g, %g", i, burns[0], burns[1]);
    }
}

Test(burn_rate, the_factor_itself_is_not_above_it)
{
    double burns[2];
    struct burn_counts counts[BURN_WINDOWS] = {{6, 1000}, {6, 1000}, {12, 4000}, {12, 4000}};
    cr_expect_eq(burn_rate_verdict(0.0005, 0, counts, burns), JUDGED_PASS);
    cr_expect_float_eq(burns[1], 6, 1e-9);
    counts[2].bad += 1;
    cr_expect_eq(burn_rate_verdict(0.0005, 0, counts, burns), JUDGED_PASS, "only the long one");
    counts[3].bad += 1;
    cr_expect_eq(burn_rate_verdict(0.0005, 0, counts, burns), JUDGED_ABORT);
}

static void spoil(struct burn_counts counts[BURN_WINDOWS])
{
    for (int i = 0; i < BURN_WINDOWS; i++)
        counts[i] = (struct burn_counts){1, 10000};
}

Test(burn_rate, what_is_not_known_is_inconclusive)
{
    static const struct burn_counts useless[] = {{0, 0},     {NAN, 100}, {0, NAN},      {-1, 100},
                                                 {101, 100}, {0, -5},    {0, INFINITY}, {NAN, NAN}};
    struct burn_counts counts[BURN_WINDOWS];
    double burns[2];
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++) {
        for (int window = 0; window < BURN_WINDOWS; window++) {
            spoil(counts);
            counts[window] = useless[i];
            cr_expect_eq(burn_rate_verdict(0.001, 200, counts, burns), JUDGED_INCONCLUSIVE,
                         "row %zu, window %d", i, window);
            cr_expect(isnan(burns[window / 2]));
            cr_expect_not(isnan(burns[1 - window / 2]));
        }
    }
    spoil(counts);
    counts[0].total = 199;
    cr_expect_eq(burn_rate_verdict(0.001, 200, counts, burns), JUDGED_INCONCLUSIVE,
                 "too few events in a long window");
    spoil(counts);
    counts[1].total = 1;
    cr_expect_eq(burn_rate_verdict(0.001, 200, counts, burns), JUDGED_PASS,
                 "a short one may have few");
    cr_expect_eq(burn_rate_verdict(0, 200, counts, burns), JUDGED_INCONCLUSIVE);
    cr_expect_eq(burn_rate_verdict(NAN, 200, counts, burns), JUDGED_INCONCLUSIVE);
}

Test(burn_rate, one_pair_is_enough_to_abort)
{
    struct burn_counts counts[BURN_WINDOWS];
    double burns[2];
    spoil(counts);
    counts[0] = counts[1] = (struct burn_counts){500, 1000};
    counts[2] = (struct burn_counts){NAN, NAN};
    cr_expect_eq(burn_rate_verdict(0.001, 200, counts, burns), JUDGED_ABORT);
}
