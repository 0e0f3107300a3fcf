// Gauges of the canary against those of the baseline. Intervals and shifts of five values a side
// are those that Kayenta's judge prints, to the 1e-4 at which its search for a root stops; cases
// that it passes wrongly, as its users have reported, must not pass here.
#include "gate/judge/compare.h"

#include "gate/judge/mann_whitney.h"

#include <criterion/criterion.h>
#include <math.h>

static const struct compare rule = {0.98, 0.25, 1.0, 1, 0, 1};

static uint64_t random_state;

static double uniform(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

Test(compare, intervals_as_in_kayenta)
{
    static const struct {
        double x[5], y[5], low, high, shift;
    } rows[] = {
        {{20, 22, 21, 25, 30}, {1, 2.2, 1.1, 2.5, 3}, 17.8, 27.8, 20},
        {{10, 12.2, 10.1, 12.5, 23}, {20, 22, 21, 25, 30}, -17.8, 1, -10.7812},
        {{2, 2, 2, 2, 3}, {10, 20.2, 10.1, 20.5, 30}, -28, -8, -18.0751},
        {{0, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, -1, 0, 0},
        {{1, 1, 1, 1, 10}, {1, 1, 1, 1, 1}, 0, 9, 0},
        {{10, 10, 10, 10, 10}, {1, 1, 1, 1, 1}, 9, 9, 9},
        {{54.9, 54.5, 55.1, 55.6, 57.4}, {0, 0, 0, 0, 0}, 54.5, 57.4, 55.1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mann_whitney have;
        cr_assert(mann_whitney_small(rows[i].x, 5, rows[i].y, 5, 0.95, &have));
        cr_expect_float_eq(have.low, rows[i].low, 2e-4, "row %zu: low %.9g", i, have.low);
        cr_expect_float_eq(have.high, rows[i].high, 2e-4, "row %zu: high %.9g", i, have.high);
        // Where z is level for a while it takes the first place that its search meets, we the
        // middle.
        cr_expect_float_eq(have.shift, rows[i].shift,
                           i == 1   ? 1
                           : i == 2 ? 0.2
                                    : 2e-4,
                           "row %zu: shift %.9g", i, have.shift);
    }
    struct mann_whitney four;
    cr_assert(
        mann_whitney_small((double[]){10, 20, 30, 40}, 4, (double[]){1, 2, 3, 4}, 4, 0.95, &four));
    cr_expect_float_eq(four.low, 6, 1e-6);
    cr_expect_float_eq(four.high, 39, 1e-6);
    cr_expect_float_eq(four.shift, 22.5, 0.51, "%g", four.shift);
}

static enum verdict3 judge(const double *x, const double *y, uint32_t count,
                           const struct compare *r)
{
    struct compare_series series = {0};
    for (uint32_t i = 0; i < count; i++) {
        compare_add_canary(&series, x[i]);
        compare_add_baseline(&series, y[i]);
    }
    return compare_verdict(r, &series, compare_level(r, &series, true));
}

static void tenfold(const double *five, double *ten)
{
    for (int i = 0; i < 10; i++)
        ten[i] = five[i % 5];
}

Test(compare, verdicts)
{
    static const struct {
        const char *name;
        double x[5], y[5];
        enum verdict3 want;
    } rows[] = {
        {"slower", {20, 22, 21, 25, 30}, {1, 2.2, 1.1, 2.5, 3}, JUDGED_ABORT},
        {"faster", {1, 2.2, 1.1, 2.5, 3}, {20, 22, 21, 25, 30}, JUDGED_PASS},
        {"the same", {1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}, JUDGED_PASS},
        {"all equal", {7, 7, 7, 7, 7}, {7, 7, 7, 7, 7}, JUDGED_PASS},
        {"all nothing", {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, JUDGED_PASS},
        {"each constant", {10, 10, 10, 10, 10}, {1, 1, 1, 1, 1}, JUDGED_ABORT},
        {"out of nothing", {54.9, 54.5, 55.1, 55.6, 57.4}, {0, 0, 0, 0, 0}, JUDGED_ABORT},
        {"mostly tied", {1, 1, 1, 1, 10}, {1, 1, 1, 1, 1}, JUDGED_PASS},
        {"negative", {-1, -2, -1.5, -1.2, -1.1}, {-9, -8, -9.5, -8.2, -8.1}, JUDGED_ABORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double x[10], y[10];
        tenfold(rows[i].x, x);
        tenfold(rows[i].y, y);
        for (double scale = 1e-9; scale < 1e10; scale *= 1e6) { // no scale is too small for it
            double a[10], b[10];
            for (int k = 0; k < 10; k++) {
                a[k] = x[k] * scale;
                b[k] = y[k] * scale;
            }
            cr_expect_eq(judge(a, b, 10, &rule), rows[i].want, "%s, times %g", rows[i].name, scale);
        }
    }
}

// Seventy times the mean, in 7 values of 10, and errors where there were none.
Test(compare, what_kayenta_lets_pass)
{
    static const double ones[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, nothing[10] = {0};
    static const double most[10] = {100, 100, 100, 100, 100, 100, 100, 1, 1, 1};
    static const double sparse[10] = {0, .048, 0, .18, .089, 0, .098, .035, 0, 0};
    double x[32], y[32], z[32];
    for (int i = 0; i < 32; i++) {
        x[i] = most[i % 10];
        y[i] = ones[i % 10];
        z[i] = nothing[i % 10];
    }
    cr_expect_eq(judge(x, y, 32, &rule), JUDGED_ABORT);
    double s[32];
    for (int i = 0; i < 32; i++)
        s[i] = sparse[i % 10];
    // Half of the values are 0 on both sides: the shift is not shown to be above 0, and it says so.
    cr_expect_neq(judge(s, z, 32, &rule), JUDGED_INCONCLUSIVE);
}

Test(compare, too_few_values_are_inconclusive_and_never_a_pass)
{
    double x[10], y[10];
    for (int i = 0; i < 10; i++) {
        x[i] = 100 + i;
        y[i] = 1 + i;
    }
    for (uint32_t count = 0; count < 10; count++)
        cr_expect_eq(judge(x, y, count, &rule), JUDGED_INCONCLUSIVE, "%u", (unsigned)count);
    cr_expect_eq(judge(x, y, 10, &rule), JUDGED_ABORT);
    struct compare_series one_sided = {0};
    struct mann_whitney test = {.p = 42};
    for (int i = 0; i < 10; i++)
        compare_add_canary(&one_sided, x[i]);
    cr_expect_eq(compare_verdict(&rule, &one_sided, 0.01), JUDGED_INCONCLUSIVE);
    cr_expect_not(compare_test(&one_sided, 0.01, &test));
    cr_expect_eq(test.p, 42, "untouched");
}

Test(compare, not_a_number_is_not_added)
{
    struct compare_series series = {0};
    cr_expect_not(compare_add_canary(&series, NAN));
    cr_expect_not(compare_add_canary(&series, INFINITY));
    cr_expect_not(compare_add_baseline(&series, NAN));
    cr_expect_eq(series.canary_count + series.baseline_count + series.seen, 0);
    cr_expect(compare_add_canary(&series, 0));
}

Test(compare, what_is_still_fine_is_not_worse)
{
    struct compare half_more = rule;
    double x[30], y[30];
    for (int i = 0; i < 30; i++) {
        y[i] = 100 + i % 7;
        x[i] = y[i] * 1.3;
    }
    cr_expect_eq(judge(x, y, 30, &half_more), JUDGED_ABORT);
    half_more.max_ratio = 1.5;
    cr_expect_eq(judge(x, y, 30, &half_more), JUDGED_PASS);
    half_more.max_ratio = 1.2;
    cr_expect_eq(judge(x, y, 30, &half_more), JUDGED_ABORT);
}

Test(compare, keeps_the_newest_values)
{
    struct compare_series series = {0};
    for (int i = 0; i < 100; i++)
        compare_add_canary(&series, i);
    cr_expect_eq(series.canary_count, COMPARE_MOST);
    cr_expect_eq(series.seen, 100);
    cr_expect_eq(series.canary[0], 100 - COMPARE_MOST);
    cr_expect_eq(series.canary[COMPARE_MOST - 1], 99);
    compare_add_baseline(&series, 5);
    compare_new_step(&series, false);
    cr_expect_eq(series.canary_count + series.seen, 0);
    cr_expect_eq(series.baseline_count, 1, "a step that leaves none is held against what was");
    compare_new_step(&series, true);
    cr_expect_eq(series.baseline_count, 0);
}

Test(compare, looks_are_few_and_their_error_adds_up_to_what_was_promised)
{
    struct compare three = {0.98, 0.25, 1.2, 3, 1, 1};
    struct compare_series series = {0};
    double spent = 0;
    uint32_t looks = 0;
    for (uint32_t step = 0; step < 3; step++) {
        compare_new_step(&series, true);
        for (int i = 0; i < 100000; i++) {
            compare_add_canary(&series, 1);
            if (!compare_due(&series))
                continue;
            looks++;
            spent += compare_level(&three, &series, false);
        }
        spent += 2 * compare_level(&three, &series, true); // the end, and once more extended
    }
    cr_expect_gt(looks, 9000);
    cr_expect_leq(spent, 0.01 * (1 + 1e-9), "%.9g", spent);
    cr_expect_gt(spent, 0.009);
}

// One stage of a good release after another: of all its looks together at most one in a hundred.
Test(compare, good_releases_are_left_alone)
{
    struct compare strict = {0.98, 0, 1, 3, 0, 1};
    random_state = 5;
    int aborted = 0, runs = 1500;
    for (int run = 0; run < runs; run++) {
        struct compare_series series = {0};
        bool worse = false;
        for (int step = 0; step < 3; step++) {
            compare_new_step(&series, true);
            for (int i = 0; i < 40; i++) {
                compare_add_canary(&series, 100 + 10 * normal());
                compare_add_baseline(&series, 100 + 10 * normal());
                if (compare_due(&series) || i == 39)
                    worse |=
                        compare_verdict(&strict, &series,
                                        compare_level(&strict, &series, i == 39)) == JUDGED_ABORT;
            }
        }
        aborted += worse;
    }
    cr_expect_leq(aborted, 15 + 4 * 4, "%d of %d", aborted, runs);
}

// What the plan says that values can show, they show as often as it says.
Test(compare, visible_is_what_is_seen)
{
    static const uint32_t counts[] = {10, 20, 32};
    struct compare r = {0.98, 0.25, 1.2, 3, 1, 1};
    random_state = 6;
    for (size_t c = 0; c < 3; c++) {
        double ratio = compare_visible(&r, counts[c], 0.1, 0.95);
        int seen = 0, runs = 600;
        cr_assert(isfinite(ratio));
        for (int run = 0; run < runs; run++) {
            struct compare_series series = {0};
            for (uint32_t i = 0; i < counts[c]; i++) {
                compare_add_canary(&series, 100 * ratio + 10 * normal());
                compare_add_baseline(&series, 100 + 10 * normal());
            }
            seen += compare_verdict(&r, &series, compare_level(&r, &series, true)) == JUDGED_ABORT;
        }
        cr_expect_geq(seen, runs * 88 / 100, "%u values, %g: %d of %d", (unsigned)counts[c], ratio,
                      seen, runs);
    }
    cr_expect(isinf(compare_visible(&r, 9, 0.1, 0.95)));
    cr_expect(isinf(compare_visible(&r, 20, NAN, 0.95)));
    struct compare many = {0.98, 0.25, 1.2, 30, 1, 1};
    cr_expect(isinf(compare_visible(&many, 10, 0.1, 0.95)), "too few for so many looks");
    cr_expect_lt(compare_visible(&r, 32, 0.1, 0.95), compare_visible(&r, 10, 0.1, 0.95));
    struct compare two = r;
    struct compare_series series = {0};
    two.watches = 2;
    cr_expect_gt(compare_visible(&two, 32, 0.1, 0.95), compare_visible(&r, 32, 0.1, 0.95));
    cr_expect_float_eq(compare_level(&two, &series, true), compare_level(&r, &series, true) / 2,
                       1e-15, "they share the error");
}
