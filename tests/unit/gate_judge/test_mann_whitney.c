// The p-values are SciPy's mannwhitneyu (exact, or asymptotic with continuity), the exact intervals
// were counted out over all orders.
#include "gate/judge/mann_whitney.h"

#include <criterion/criterion.h>
#include <math.h>

#define MOST 12u

static bool near(double have, double want)
{
    return fabs(have - want) <= 1e-9 * fmax(1, fabs(want));
}

Test(mann_whitney, answers_as_others_do)
{
    static const struct {
        const char *name;
        size_t n, m;
        double x[MOST], y[MOST];
        bool exact;
        double p, greater, less, shift, low, high;
    } rows[] = {
        {"apart",
         5,
         5,
         {1.1, 2.2, 3.3, 4.4, 5.5},
         {6.1, 7.2, 8.3, 9.4, 10.5},
         true,
         0.00793650793650794,
         1,
         0.00396825396825397,
         -5,
         -8.3,
         -1.7},
        {"interleaved",
         10,
         5,
         {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46},
         {1.15, 0.88, 0.90, 0.74, 1.21},
         true,
         0.254412254412254,
         0.127206127206127,
         0.896769896769897,
         0.305,
         -0.15,
         0.76},
        {"eight runs",
         8,
         8,
         {312, 305.5, 298.25, 330, 341.75, 307, 315.5, 322},
         {290, 301, 285.5, 296, 310, 289.25, 299.5, 303},
         true,
         0.00466200466200466,
         0.00233100233100233,
         0.998523698523698,
         18.375,
         6,
         32},
        {"ties",
         7,
         8,
         {1, 2, 2, 3, 4, 4, 5},
         {2, 3, 3, 4, 5, 6, 6, 7},
         false,
         0.127602789181467,
         0.949583158430261,
         0.0638013945907337,
         -1.5,
         -4,
         1},
        {"few and tied",
         4,
         4,
         {10, 10, 10, 12},
         {10, 11, 11, 13},
         false,
         0.352896701476889,
         0.892261886657647,
         0.176448350738445,
         -1,
         -3,
         2},
        {"one against three", 1, 3, {5}, {1, 2, 3}, true, 0.5, 0.25, 1, 3, 2, 4},
        {"all equal", 2, 3, {7, 7}, {7, 7, 7}, false, 1, 1, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct mann_whitney have;
        cr_assert(mann_whitney(&arena, rows[i].x, rows[i].n, rows[i].y, rows[i].m, 0.95, &have));
        cr_expect(have.exact == rows[i].exact, "%s", rows[i].name);
        cr_expect(near(have.p, rows[i].p), "%s: p %.15g", rows[i].name, have.p);
        cr_expect(near(have.p_greater, rows[i].greater), "%s: %.15g", rows[i].name, have.p_greater);
        cr_expect(near(have.p_less, rows[i].less), "%s: %.15g", rows[i].name, have.p_less);
        cr_expect(near(have.shift, rows[i].shift), "%s: shift %.15g", rows[i].name, have.shift);
        cr_expect(near(have.low, rows[i].low) && near(have.high, rows[i].high),
                  "%s: %.15g to %.15g", rows[i].name, have.low, have.high);
        arena_done(&arena);
    }
}

// Past 49 values a side the distribution is approximated, ties or not: SciPy's asymptotic p.
Test(mann_whitney, many_values)
{
    double x[60], y[55];
    struct arena arena = {0};
    struct mann_whitney have;
    for (int i = 0; i < 60; i++)
        x[i] = i * i % 97 + 0.01 * i;
    for (int i = 0; i < 55; i++)
        y[i] = i * i % 89 + 5 + 0.013 * i;
    cr_assert(mann_whitney(&arena, x, 60, y, 55, 0.95, &have));
    cr_expect(!have.exact && near(have.u, 1628));
    cr_expect(near(have.p, 0.904184597489604) && near(have.p_greater, 0.550124465550776) &&
              near(have.p_less, 0.452092298744802));
    arena_done(&arena);
}

// The same answer, scaled, however small the figures are: no bound stops at an absolute 1e-4.
Test(mann_whitney, knows_no_scale)
{
    static const double x[] = {1, 2, 3, 3, 5, 8}, y[] = {4, 5, 6, 6, 9};
    struct arena arena = {0};
    struct mann_whitney one;
    cr_assert(mann_whitney(&arena, x, 6, y, 5, 0.98, &one));
    for (double scale = 1e-9; scale < 1e10; scale *= 1e3) {
        double a[6], b[5];
        struct mann_whitney have;
        for (int i = 0; i < 6; i++)
            a[i] = x[i] * scale;
        for (int i = 0; i < 5; i++)
            b[i] = y[i] * scale;
        cr_assert(mann_whitney(&arena, a, 6, b, 5, 0.98, &have));
        cr_expect(fabs(have.low - one.low * scale) <= 1e-9 * scale, "%g: %g", scale, have.low);
        cr_expect(fabs(have.high - one.high * scale) <= 1e-9 * scale, "%g: %g", scale, have.high);
        cr_expect(fabs(have.shift - one.shift * scale) <= 1e-9 * scale, "%g", scale);
    }
    arena_done(&arena);
}

Test(mann_whitney, one_side_is_the_other_turned)
{
    static const double x[] = {3, 7, 7.5, 11, 12, 30}, y[] = {2, 7, 8, 9};
    struct arena arena = {0};
    struct mann_whitney a, b;
    cr_assert(mann_whitney(&arena, x, 6, y, 4, 0.9, &a));
    cr_assert(mann_whitney(&arena, y, 4, x, 6, 0.9, &b));
    cr_expect(near(a.p, b.p) && near(a.p_greater, b.p_less) && near(a.p_less, b.p_greater));
    cr_expect(near(a.shift, -b.shift) && near(a.low, -b.high) && near(a.high, -b.low));
    arena_done(&arena);
}

Test(mann_whitney, of_few_values_greater_is_that_of_the_whole_test)
{
    static const double x[] = {1, 2, 3, 3, 5, 8, 1e300, -4}, y[] = {4, 5, 6, 6, 9, -1e300};
    static const double same[] = {7, 7, 7}, nan_in[] = {1, NAN};
    struct mann_whitney test;
    double p = 42, long_side[MANN_WHITNEY_SMALL + 1] = {0};
    for (size_t n = 1; n <= sizeof x / sizeof *x; n++) {
        for (size_t m = 1; m <= sizeof y / sizeof *y; m++) {
            cr_assert(mann_whitney_small(x, n, y, m, 0.9, &test));
            cr_assert(mann_whitney_small_greater(x, n, y, m, &p));
            cr_expect(near(p, test.p_greater), "%zu and %zu: %g, %g", n, m, p, test.p_greater);
        }
    }
    cr_assert(mann_whitney_small_greater(same, 3, same, 2, &p));
    cr_expect(near(p, 1), "all are equal: %g", p);
    p = 42;
    cr_expect_not(mann_whitney_small_greater(x, 0, y, 2, &p));
    cr_expect_not(mann_whitney_small_greater(x, 2, nan_in, 2, &p));
    cr_expect_not(mann_whitney_small_greater(long_side, MANN_WHITNEY_SMALL + 1, y, 2, &p));
    cr_expect(near(p, 42));
}

// Every mean rank of values that are shared by both sides, counted one by one.
Test(mann_whitney, ties_over_both_sides)
{
    static const double x[] = {1, 2, 2, 3, 3, 3, 9}, y[] = {2, 2, 3, 4, 4, 9, 9, 10};
    struct mann_whitney have;
    double u = 0;
    for (size_t i = 0; i < 7; i++)
        for (size_t k = 0; k < 8; k++)
            u += x[i] > y[k] ? 1 : x[i] < y[k] ? 0 : 0.5;
    cr_assert(mann_whitney_small(x, 7, y, 8, 0.95, &have));
    cr_expect(near(have.u, u), "%g, counted %g", have.u, u);
}

Test(mann_whitney, refuses_what_says_nothing)
{
    static const double fine[] = {1, 2}, nan_in[] = {1, NAN}, endless[] = {1, INFINITY};
    struct arena arena = {0};
    struct mann_whitney test = {.p = 42};
    cr_expect(!mann_whitney(&arena, fine, 0, fine, 2, 0.95, &test));
    cr_expect(!mann_whitney(&arena, fine, 2, fine, 0, 0.95, &test));
    cr_expect(!mann_whitney(&arena, nan_in, 2, fine, 2, 0.95, &test));
    cr_expect(!mann_whitney(&arena, fine, 2, endless, 2, 0.95, &test));
    cr_expect(!mann_whitney(&arena, fine, 2, fine, 2, 1, &test));
    cr_expect(!mann_whitney(&arena, fine, 2, fine, 2, 0, &test));
    cr_expect(near(test.p, 42));
    arena_done(&arena);
}

Test(mann_whitney, what_so_many_runs_can_see)
{
    cr_expect(near(mann_whitney_least_p(3, 3), 1.0 / 20));
    cr_expect(near(mann_whitney_least_p(8, 8), 1.0 / 12870));
    cr_expect(near(mann_whitney_least_p(5, 3), 1.0 / 56));
    cr_expect(isinf(mann_whitney_visible(3, 3, 0.05, 0.05, 0.8)), "no p below 0.05 exists");
    double few = mann_whitney_visible(8, 8, 0.05, 0.05, 0.8);
    double many = mann_whitney_visible(80, 80, 0.05, 0.05, 0.8);
    cr_expect(few > 0.05 && few < 0.10, "%g", few); // "8 runs cannot see 5 %"
    cr_expect(many > 0.01 && many < 0.025, "%g", many);
    cr_expect(near(mann_whitney_visible(8, 8, 0.10, 0.05, 0.8), 2 * few),
              "it grows with the noise");
    cr_expect(near(mann_whitney_visible(8, 8, 0, 0.05, 0.8), 0));
    cr_expect(isinf(mann_whitney_visible(8, 8, NAN, 0.05, 0.8)));
}

Test(mann_whitney, noise_by_the_median)
{
    static const double odd[] = {10, 11, 9, 10, 50}, even[] = {2, 4}, none[] = {0, 0};
    struct arena arena = {0};
    cr_expect(near(relative_noise(&arena, odd, 5), 0.14826), "one outlier changes little");
    cr_expect(near(relative_noise(&arena, even, 2), 1.4826 / 3));
    cr_expect(isnan(relative_noise(&arena, odd, 1)) && isnan(relative_noise(&arena, none, 2)));
    cr_expect(near(median_of(&arena, odd, 5), 10) && near(median_of(&arena, even, 2), 3));
    arena_done(&arena);
}
