// How bursty traffic is, estimated from what the baseline counts.
#include "gate/judge/dispersion.h"

#include <criterion/criterion.h>
#include <math.h>

static uint64_t random_state;

static double uniform(void) // splitmix64, within (0,1)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double poisson(double mean) // of small means
{
    double p = uniform(), limit = exp(-mean);
    int k = 0;
    for (; p > limit; k++)
        p *= uniform();
    return k;
}

// Bursts of `phi` failures each: their variance is phi times their mean.
static struct dispersion traffic(double phi, double mean, int intervals)
{
    struct dispersion d = {0};
    for (int i = 0; i < intervals; i++)
        cr_assert(dispersion_add(&d, phi * poisson(mean / phi), 1e6));
    return d;
}

static bool near(double have, double want, double slack)
{
    return fabs(have - want) <= slack;
}

Test(dispersion, what_is_used_before_anything_was_seen)
{
    struct dispersion nothing = {0};
    // 6 over the 5 % point of chi-square with 6 degrees of freedom, 1.635
    cr_expect(near(dispersion_bound(&nothing), 6 / 1.635, 0.05), "%g", dispersion_bound(&nothing));
}

// Eight intervals, worked out by hand: 3 + 5 + 4 + 8 of 20, then 1 + 1 + 1 + 1 of 4.
Test(dispersion, known_numbers)
{
    static const double bad[] = {3, 5, 4, 8, 1, 1, 1, 1};
    struct dispersion d = {0};
    for (int i = 0; i < 3; i++)
        cr_assert(dispersion_add(&d, bad[i], 100));
    cr_expect_eq(d.freedom, 0, "four at a time");
    for (int i = 3; i < 8; i++)
        cr_assert(dispersion_add(&d, bad[i], 100));
    cr_expect(near(d.sum, (4 + 0 + 1 + 9) / 5.0, 1e-12), "%g", d.sum);
    cr_expect_eq(d.freedom, 6);
    cr_expect_eq(d.filled, 0);
    // (2.8 + 6) over the 5 % point of chi-square with 12 degrees of freedom, 5.226
    cr_expect(near(dispersion_bound(&d), 8.8 / 5.226, 0.01), "%g", dispersion_bound(&d));
}

Test(dispersion, exposures_weigh)
{
    struct dispersion d = {0};
    static const double total[] = {100, 200, 300, 400};
    for (int i = 0; i < 4; i++)
        cr_assert(dispersion_add(&d, total[i] / 10, total[i]));
    cr_expect(near(d.sum, 0, 1e-12), "the same rate in each, whatever the traffic");
    cr_expect_eq(d.freedom, 3);
}

Test(dispersion, the_bound_lies_above_the_truth_and_comes_close_to_it)
{
    random_state = 20261122;
    for (int phi = 1; phi <= 5; phi++) {
        int below = 0;
        double mean = 0;
        for (int run = 0; run < 400; run++) {
            struct dispersion d = traffic(phi, 20, 120);
            double bound = dispersion_bound(&d);
            below += bound < phi;
            mean += bound / 400;
        }
        cr_expect_lt(below, 60, "phi %d: %d of 400 below", phi, below);
        cr_expect(mean > phi && mean < 1.45 * phi, "phi %d: on average %g", phi, mean);
    }
}

Test(dispersion, a_rate_that_changes_slowly_is_no_burst)
{
    struct dispersion steady = {0}, rising = {0};
    random_state = 7;
    for (int i = 0; i < 240; i++) {
        dispersion_add(&steady, poisson(20), 2000);
        dispersion_add(&rising, poisson(10 + i / 12.0), 2000); // three times as much in the end
    }
    cr_expect_lt(dispersion_bound(&rising), 1.25 * dispersion_bound(&steady));
}

Test(dispersion, one_outage_does_not_make_it_blind)
{
    random_state = 8;
    struct dispersion calm = traffic(1, 20, 120), hit = calm;
    for (int i = 0; i < 4; i++)
        dispersion_add(&hit, i == 1 ? 1e6 : 20, 1e6);
    cr_expect_gt(dispersion_bound(&hit), dispersion_bound(&calm));
    cr_expect_lt(dispersion_bound(&hit), 2.2, "%g", dispersion_bound(&hit));
    struct dispersion often = calm; // what comes again and again is how the traffic is
    for (int i = 0; i < 400; i++)
        dispersion_add(&often, i % 4 == 1 ? 1000 : 20, 1e6);
    cr_expect_gt(dispersion_bound(&often), 20);
}

Test(dispersion, what_says_nothing_is_not_added)
{
    static const double useless[][2] = {
        {1, 0},   {-1, 10}, {11, 10},      {NAN, 10},  {1, NAN},
        {1, -10}, {0, 0},   {1, INFINITY}, {NAN, NAN}, {INFINITY, INFINITY}};
    struct dispersion d = {0};
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++)
        cr_expect_not(dispersion_add(&d, useless[i][0], useless[i][1]), "row %zu", i);
    cr_expect_eq(d.filled, 0);
    for (int i = 0; i < 400; i++)
        cr_expect(dispersion_add(&d, 0, 100));
    cr_expect_eq(d.freedom, 0, "no failure tells nothing of how failures come");
}

Test(dispersion, joined_as_if_seen_together)
{
    random_state = 9;
    struct dispersion a = traffic(2, 20, 40), b = traffic(2, 20, 42), both = a;
    dispersion_join(&both, &b);
    cr_expect_eq(both.freedom, a.freedom + b.freedom);
    cr_expect_eq(both.sum, a.sum + b.sum);
    cr_expect_eq(both.filled, a.filled, "what is half full stays where it is");
}

Test(dispersion, a_state_made_by_hand_does_no_harm)
{
    struct dispersion d = {.filled = 4000000000u};
    cr_expect(dispersion_add(&d, 1, 10));
    cr_expect_eq(d.filled, 1);
}
