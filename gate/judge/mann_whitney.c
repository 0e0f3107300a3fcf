#include "gate/judge/mann_whitney.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_BELOW 50u // values a side, as in R

struct samples {
    const double *x, *y; // sorted
    size_t n, m;
};

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double *sorted(struct arena *arena, const double *values, size_t count)
{
    double *copy = ARENA_ARRAY(arena, double, count);
    memcpy(copy, values, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, by_value);
    return copy;
}

static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static double median_sorted(const double *values, size_t count)
{
    double high = values[count / 2];
    return count % 2 ? high : values[count / 2 - 1] / 2 + high / 2;
}

double median_of(struct arena *arena, const double *values, size_t count)
{
    return median_sorted(sorted(arena, values, count), count);
}

double relative_noise(struct arena *arena, const double *values, size_t count)
{
    if (count < 2)
        return NAN;
    double median = median_of(arena, values, count);
    double *deviations = ARENA_ARRAY(arena, double, count);
    for (size_t i = 0; i < count; i++)
        deviations[i] = fabs(values[i] - median);
    return median > 0 ? 1.4826 * median_of(arena, deviations, count) / median : NAN;
}

// The quantile of the normal distribution, by bisection of its own distribution function: exact to
// the last digits, and asked for only a few times.
double normal_quantile(double p)
{
    double low = -40, high = 40;
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = (low + high) / 2;
        if (middle <= low || middle >= high)
            break;
        if (erfc(-middle / sqrt(2)) / 2 < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static double normal_above(double z)
{
    return erfc(z / sqrt(2)) / 2;
}

// ---- the exact distribution ---------------------------------------------------------------------

// ways[u] of n*m + 1: in how many orders of n and m values u pairs have the first one larger.
// F(n, m, u) = F(n - 1, m, u - m) + F(n, m - 1, u): sums only, so small counts stay exact.
static double *count_orders(struct arena *arena, size_t n, size_t m)
{
    size_t width = n * m + 1;
    double *ways = ARENA_ARRAY(arena, double, (n + 1) * width); // of 0 to n values and j others
    for (size_t i = 0; i <= n; i++)
        ways[i * width] = 1;
    for (size_t j = 1; j <= m; j++)
        for (size_t i = 1; i <= n; i++)
            for (size_t u = width; u-- > j;)
                ways[i * width + u] += ways[(i - 1) * width + u - j];
    return ways + n * width;
}

struct exact {
    double *up_to; // probability of at most u
    size_t last;
};

static struct exact exact_of(struct arena *arena, size_t n, size_t m)
{
    struct exact exact = {count_orders(arena, n, m), n * m};
    double all = 0;
    for (size_t u = 0; u <= exact.last; u++)
        all += exact.up_to[u];
    for (size_t u = 0; u <= exact.last; u++)
        exact.up_to[u] = exact.up_to[u] / all + (u ? exact.up_to[u - 1] : 0);
    return exact;
}

// The smallest u of which at least p is at or below.
static size_t exact_quantile(const struct exact *exact, double p)
{
    size_t u = 0;
    while (u < exact->last && exact->up_to[u] < p * (1 - 1e-12))
        u++;
    return u;
}

static void judge_exactly(struct arena *arena, const struct samples *s, double confidence,
                          struct mann_whitney *test)
{
    struct exact exact = exact_of(arena, s->n, s->m);
    size_t pairs = s->n * s->m, u = (size_t)test->u, k = 0;
    double *differences = ARENA_ARRAY(arena, double, pairs);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->m; j++)
            differences[k++] = s->x[i] - s->y[j];
    qsort(differences, pairs, sizeof *differences, by_value);
    test->exact = true;
    // The distribution is the same from both ends: the small tail loses no digits.
    test->p_less = exact.up_to[u];
    test->p_greater = exact.up_to[pairs - u];
    test->p = fmin(1, 2 * fmin(test->p_less, test->p_greater));
    size_t rank = exact_quantile(&exact, (1 - confidence) / 2);
    if (rank == 0)
        rank = 1;
    test->shift = median_sorted(differences, pairs);
    test->low = differences[rank - 1];
    test->high = differences[pairs - rank];
}

// ---- the normal approximation -------------------------------------------------------------------

struct spread {
    double excess; // of u over its mean
    double sigma;  // corrected for ties; 0 when all values are equal
};

// With x moved down by `shift`.
static struct spread spread_at(const struct samples *s, double shift)
{
    const size_t all = s->n + s->m;
    const double n = (double)s->n, m = (double)s->m, both = n + m;
    size_t ranks = 0, ties = 0; // twice the sum of ranks: whole numbers are exact, and fast
    for (size_t i = 0, j = 0; i + j < all;) {
        size_t before = i + j, first = i;
        bool x_next = j == s->m || (i < s->n && s->x[i] - shift <= s->y[j]);
        double value = x_next ? s->x[i] - shift : s->y[j];
        while (i < s->n && s->x[i] - shift <= value)
            i++;
        while (j < s->m && s->y[j] <= value)
            j++;
        size_t tied = i + j - before;
        ranks += (i - first) * (2 * before + tied + 1);
        ties += tied * (tied * tied - 1);
    }
    double variance = n * m / 12 * (both + 1 - (double)ties / (both * (both - 1)));
    return (struct spread){(double)ranks / 2 - n * (n + 1) / 2 - n * m / 2,
                           variance > 0 ? sqrt(variance) : 0};
}

// z of the excess, moved towards 0 by `correction` (of its sign when two-sided). It falls, in
// steps, as the shift grows.
static double z_at(const struct samples *s, double shift, bool corrected)
{
    struct spread spread = spread_at(s, shift);
    double correction = !corrected || spread.excess == 0 ? 0 : spread.excess > 0 ? 0.5 : -0.5;
    return spread.sigma > 0 ? (spread.excess - correction) / spread.sigma : 0;
}

// The shift at which z falls through `level`: where it is a step, the place of that step; where z
// stays on the level for a while, the middle of that while.
static double shift_at(const struct samples *s, double low, double high, double level,
                       bool corrected)
{
    double ends[2], enough = (high - low) * 1e-15;
    bool met = false; // z was just on the level: only then do the two ways part
    for (int upper = 0; upper < 2; upper++) {
        double left = low, right = high;
        if (upper && !met) {
            ends[upper] = ends[0];
            break;
        }
        for (int i = 0; i < 64 && right - left > enough; i++) {
            double middle = left / 2 + right / 2;
            if (middle <= left || middle >= right)
                break;
            double z = z_at(s, middle, corrected);
            met |= !(z < level) && !(z > level);
            if (upper ? z >= level : z > level)
                left = middle;
            else
                right = middle;
        }
        ends[upper] = left / 2 + right / 2;
    }
    return ends[0] / 2 + ends[1] / 2;
}

static double greater_p(struct spread spread)
{
    return spread.sigma > 0 ? normal_above((spread.excess - 0.5) / spread.sigma) : 1;
}

static void judge_nearly(const struct samples *s, double confidence, struct mann_whitney *test)
{
    struct spread spread = spread_at(s, 0);
    double least = s->x[0] - s->y[s->m - 1], most = s->x[s->n - 1] - s->y[0];
    double level = normal_quantile((1 + confidence) / 2);
    test->exact = false;
    test->shift = test->low = test->high = least;
    test->p = test->p_less = 1;
    test->p_greater = greater_p(spread);
    if (spread.sigma > 0) {
        test->p_less = normal_above(-(spread.excess + 0.5) / spread.sigma);
        test->p = fmin(1, 2 * normal_above(fabs(z_at(s, 0, true))));
    }
    if (!(least < most))
        return;
    test->low = z_at(s, least, true) <= level ? least : shift_at(s, least, most, level, true);
    test->high = z_at(s, most, true) >= -level ? most : shift_at(s, least, most, -level, true);
    test->shift = shift_at(s, least, most, 0, false);
}

static bool has_ties(const struct samples *s)
{
    size_t i = 0, j = 0;
    while (i < s->n && j < s->m) {
        if (!(s->x[i] < s->y[j]) && !(s->y[j] < s->x[i]))
            return true;
        s->x[i] < s->y[j] ? i++ : j++;
    }
    for (i = 1; i < s->n; i++)
        if (!(s->x[i - 1] < s->x[i]))
            return true;
    for (j = 1; j < s->m; j++)
        if (!(s->y[j - 1] < s->y[j]))
            return true;
    return false;
}

bool mann_whitney(struct arena *arena, const double *x, size_t x_count, const double *y,
                  size_t y_count, double confidence, struct mann_whitney *ret)
{
    struct mann_whitney test = {0};
    if (x_count == 0 || y_count == 0 || x_count > MANN_WHITNEY_MAX || y_count > MANN_WHITNEY_MAX ||
        !all_finite(x, x_count) || !all_finite(y, y_count) || !(confidence > 0 && confidence < 1))
        return false;
    struct samples s = {
        .x = sorted(arena, x, x_count), .y = sorted(arena, y, y_count), .n = x_count, .m = y_count};
    test.u = spread_at(&s, 0).excess + (double)s.n * (double)s.m / 2;
    if (s.n < EXACT_BELOW && s.m < EXACT_BELOW && !has_ties(&s))
        judge_exactly(arena, &s, confidence, &test);
    else
        judge_nearly(&s, confidence, &test);
    *ret = test;
    return true;
}

// Sorted copies of few values, in `values`.
static bool few_samples(const double *x, size_t x_count, const double *y, size_t y_count,
                        double values[2][MANN_WHITNEY_SMALL], struct samples *ret)
{
    if (x_count == 0 || y_count == 0 || x_count > MANN_WHITNEY_SMALL ||
        y_count > MANN_WHITNEY_SMALL || !all_finite(x, x_count) || !all_finite(y, y_count))
        return false;
    memcpy(values[0], x, x_count * sizeof *x);
    memcpy(values[1], y, y_count * sizeof *y);
    qsort(values[0], x_count, sizeof *x, by_value);
    qsort(values[1], y_count, sizeof *y, by_value);
    *ret = (struct samples){values[0], values[1], x_count, y_count};
    return true;
}

bool mann_whitney_small(const double *x, size_t x_count, const double *y, size_t y_count,
                        double confidence, struct mann_whitney *ret)
{
    double values[2][MANN_WHITNEY_SMALL];
    struct samples s;
    struct mann_whitney test = {0};
    if (!(confidence > 0 && confidence < 1) || !few_samples(x, x_count, y, y_count, values, &s))
        return false;
    test.u = spread_at(&s, 0).excess + (double)s.n * (double)s.m / 2;
    judge_nearly(&s, confidence, &test);
    *ret = test;
    return true;
}

bool mann_whitney_small_greater(const double *x, size_t x_count, const double *y, size_t y_count,
                                double *ret_p)
{
    double values[2][MANN_WHITNEY_SMALL];
    struct samples s;
    if (!few_samples(x, x_count, y, y_count, values, &s))
        return false;
    *ret_p = greater_p(spread_at(&s, 0));
    return true;
}

double mann_whitney_least_p(size_t x_count, size_t y_count)
{
    double orders = 1;
    size_t few = x_count < y_count ? x_count : y_count, all = x_count + y_count;
    for (size_t i = 1; i <= few && orders < 1e300; i++)
        orders *= (double)(all - few + i) / (double)i;
    return 1 / orders;
}

// Noether: N = (z_alpha + z_power)^2 / (12 c (1 - c) (P(x > y) - 1/2)^2), c being the share of x.
// For two normal distributions that lie d standard deviations apart, P(x > y) = Phi(d / sqrt(2)).
double mann_whitney_visible(size_t x_count, size_t y_count, double noise, double alpha,
                            double power)
{
    if (x_count == 0 || y_count == 0 || mann_whitney_least_p(x_count, y_count) >= alpha ||
        !isfinite(noise))
        return INFINITY;
    double n = (double)x_count, m = (double)y_count, all = n + m, share = n / all;
    double z = normal_quantile(1 - alpha) + normal_quantile(power);
    double needed = 0.5 + z / sqrt(12 * share * (1 - share) * all);
    // Beyond certainty the approximation ends: all of x must lie above all of y.
    if (needed > 1 - 1e-3)
        needed = 1 - 1e-3;
    return sqrt(2) * normal_quantile(needed) * noise;
}
