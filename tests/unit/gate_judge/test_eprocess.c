#include "gate/judge/eprocess.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static void near(double have, double want, double slack, const char *what)
{
    cr_expect(fabs(have - want) <= slack, "%s: %.12g, expected %.12g", what, have, want);
}

// ---- known numbers ------------------------------------------------------------------------------

struct known {
    const char *name;
    double tolerance;
    unsigned count;
    struct counts rows[3];
    double log_e;
};

static const struct known known[] = {
    {"one bad event", 1, 1, {{1, 500, 0, 9500}}, 1.4589447158000262},
    {"3 against 10", 1, 1, {{3, 500, 10, 9500}}, 1.8880273876099245},
    {"10 against 10", 1, 1, {{10, 500, 10, 9500}}, 14.46490133654578},
    {"rising share",
     1,
     3,
     {{2, 500, 20, 9500}, {6, 1000, 22, 9000}, {15, 2500, 20, 7500}},
     3.4331750577127},
    {"rising share, tolerance",
     1.5,
     3,
     {{2, 500, 20, 9500}, {6, 1000, 22, 9000}, {15, 2500, 20, 7500}},
     -0.34259405133085075},
    {"better than the baseline", 1, 1, {{0, 5000, 50, 5000}}, -13.459542913056564},
};

Test(eprocess, known_numbers)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct eprocess process = {0};
        for (unsigned row = 0; row < known[i].count; row++)
            cr_assert(eprocess_add(&process, known[i].tolerance, known[i].rows[row], 1));
        near(eprocess_log(&process), known[i].log_e, 1e-9, known[i].name);
    }
}

Test(eprocess, starts_at_nothing_and_weights_are_a_distribution)
{
    struct eprocess process = {0};
    double sum = 0;
    for (int i = 0; i < EPROCESS_RATIOS; i++)
        sum += eprocess_weight[i];
    near(sum, 1, 1e-12, "weights");
    near(eprocess_log(&process), 0, 1e-12, "log E of nothing");
    for (int i = 0; i < EPROCESS_RATIOS; i++) { // the logarithms that stand in the table
        struct eprocess one = {0};
        eprocess_add_fixed(&one, 1e-9, 1, 1, 1);
        near(one.sum[i], log(eprocess_ratio[i]), 1e-7, "logarithm of a ratio");
    }
    near(eprocess_bound(0.01, 1), log(100), 1e-12, "bound");
    near(eprocess_bound(0.01, 3), log(300), 1e-12, "bound of three");
    near(eprocess_bound(0.01, 0), log(100), 1e-12, "no process counts as one");
}

Test(eprocess, restart_in_the_middle_changes_nothing)
{
    const struct counts rows[] = {{2, 500, 20, 9500}, {6, 1000, 22, 9000}};
    struct eprocess whole = {0};
    struct eprocess first = {0};
    eprocess_add(&whole, 1.2, rows[0], 1);
    eprocess_add(&first, 1.2, rows[0], 1);
    struct eprocess again = first; // what the ledger keeps
    eprocess_add(&whole, 1.2, rows[1], 1);
    eprocess_add(&again, 1.2, rows[1], 1);
    cr_expect(eprocess_log(&whole) == eprocess_log(&again));
}

Test(eprocess, intervals_that_say_nothing_are_not_added)
{
    const struct counts useless[] = {
        {0, 0, 1, 100},     {1, 100, 0, 0},     {-1, 100, 0, 100},   {0, 100, -1, 100},
        {101, 100, 0, 100}, {0, 100, 101, 100}, {NAN, 100, 0, 100},  {0, NAN, 0, 100},
        {0, 100, NAN, 100}, {0, 100, 0, NAN},   {0, INFINITY, 0, 1}, {0, 100, 0, INFINITY},
        {0, 0, 0, 0},
    };
    struct eprocess process = {0};
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++)
        cr_expect_not(eprocess_add(&process, 1, useless[i], 1), "row %zu", i);
    const struct counts good = {1, 100, 1, 100};
    cr_expect_not(eprocess_add(&process, 0.9, good, 1), "a tolerance below 1");
    cr_expect_not(eprocess_add(&process, 1, good, 0.5), "a dispersion below 1");
    cr_expect_not(eprocess_add(&process, NAN, good, 1));
    cr_expect_not(eprocess_add(&process, 1, good, NAN));
    near(eprocess_log(&process), 0, 0, "nothing was added");
}

Test(eprocess, dispersion_divides_counts)
{
    struct eprocess plain = {0};
    struct eprocess halved = {0};
    eprocess_add(&plain, 1, (struct counts){5, 500, 10, 9500}, 1);
    eprocess_add(&halved, 1, (struct counts){10, 500, 20, 9500}, 2);
    near(eprocess_log(&halved), eprocess_log(&plain), 1e-12, "20 events at phi 2 are 10 at phi 1");
}

Test(eprocess, fixed_reference)
{
    struct eprocess process = {0};
    cr_assert(eprocess_add_fixed(&process, 0.01, 5, 100, 1));
    for (int i = 0; i < EPROCESS_RATIOS; i++)
        near(process.sum[i], 5 * log(eprocess_ratio[i]) - (eprocess_ratio[i] - 1), 1e-12, "sum");
    struct eprocess good = {0};
    for (int minute = 0; minute < 60; minute++)
        cr_assert(eprocess_add_fixed(&good, 0.012, 10, 1000, 1));
    cr_expect(eprocess_log(&good) < 0, "a canary below the reference is never a breach");
    const double bad[][4] = {
        {0, 1, 10, 1},   {1, 1, 10, 1},     {0.1, 11, 10, 1}, {0.1, 1, 0, 1},    {0.1, -1, 10, 1},
        {NAN, 1, 10, 1}, {0.1, NAN, 10, 1}, {0.1, 1, NAN, 1}, {0.1, 1, 10, 0.5}, {-0.1, 1, 10, 1}};
    struct eprocess untouched = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(eprocess_add_fixed(&untouched, bad[i][0], bad[i][1], bad[i][2], bad[i][3]),
                      "row %zu", i);
    near(eprocess_log(&untouched), 0, 0, "nothing was added");
}

Test(eprocess, share_mismatch)
{
    near(share_mismatch_p(500, 9500, 0.05), 1, 1e-12, "exactly the share");
    near(share_mismatch_p(550, 9450, 0.05), 0.0217818, 1e-6, "2.29 standard deviations");
    cr_expect(share_mismatch_p(1000, 9000, 0.05) < 1e-100);
    near(share_mismatch_p(0, 0, 0.05), 1, 0, "no exposure says nothing");
    near(share_mismatch_p(10, 10, 0), 1, 0, "no share says nothing");
    near(share_mismatch_p(10, 10, 1), 1, 0, "all of it says nothing");
    near(share_mismatch_p(NAN, 10, 0.5), 1, 0, "not a number says nothing");
}

// ---- planning -----------------------------------------------------------------------------------

// Both sides together, per minute, with a canary `ratio` times worse on 5 % of 2000 requests at 1
// %.
static double bad_per_minute(double ratio)
{
    return 20 * (0.05 * ratio + 0.95);
}

Test(eprocess, expected_minutes)
{
    static const double want[][2] = {{2, 17.1816}, {3, 4.9970}, {5, 1.6927}};
    for (size_t i = 0; i < 3; i++)
        near(eprocess_minutes(want[i][0], 1, 0.01, 1, bad_per_minute(want[i][0]), 0.05), want[i][1],
             1e-3, "expected minutes");
    cr_expect(isinf(eprocess_minutes(1, 1, 0.01, 1, 20, 0.05)), "a good release is never seen");
    cr_expect(isinf(eprocess_minutes(1.1, 1.2, 0.01, 1, 20, 0.05)), "nor one within tolerance");
    cr_expect(isinf(eprocess_minutes(2, 1, 0.01, 1, 0, 0.05)), "no bad events, no evidence");
    cr_expect(isinf(eprocess_minutes(2, 1, 0.01, 1, 20, 1)), "no baseline, no comparison");
    double median = eprocess_minutes_at(0.5, 3, 1.2, 0.01, 3, bad_per_minute(3), 0.05);
    double p95 = eprocess_minutes_at(0.95, 3, 1.2, 0.01, 3, bad_per_minute(3), 0.05);
    near(median, 6.80, 0.01, "median");
    near(p95, 17.04, 0.01, "p95");
    cr_expect(eprocess_minutes_fixed(0.5, 5, 1.2, 0.01, 1, 20) <
              eprocess_minutes_fixed(0.5, 3, 1.2, 0.01, 1, 20));
    cr_expect(isinf(eprocess_minutes_fixed(0.5, 1.1, 1.2, 0.01, 1, 20)));
}

// ---- the reference line of the design, simulated ------------------------------------------------

static uint64_t random_state;

static double uniform(void) // splitmix64
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double poisson(double mean) // by inversion; means here are at most 20
{
    double p = exp(-mean);
    double sum = p;
    double u = uniform();
    int k = 0;
    while (u > sum && k < 200) {
        p *= mean / ++k;
        sum += p;
    }
    return k;
}

enum { LOOKS = 240, NEVER = LOOKS + 1 };

// The minute at which the release is aborted; NEVER when it is not within `looks`.
static int abort_minute(double ratio, double tolerance, unsigned processes, int looks)
{
    struct eprocess process = {0};
    double bound = eprocess_bound(0.01, processes);
    for (int minute = 1; minute <= looks; minute++) {
        struct counts counts = {poisson(ratio), 100, poisson(19), 1900};
        eprocess_add(&process, tolerance, counts, 1);
        if (eprocess_log(&process) >= bound)
            return minute;
    }
    return NEVER;
}

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

enum { RELEASES = 2000 };

static void minutes_of(double ratio, double tolerance, unsigned processes, int *median, int *p95)
{
    static int minutes[RELEASES];
    for (int i = 0; i < RELEASES; i++)
        minutes[i] = abort_minute(ratio, tolerance, processes, LOOKS);
    qsort(minutes, RELEASES, sizeof minutes[0], by_size);
    *median = minutes[RELEASES / 2];
    *p95 = minutes[RELEASES * 95 / 100];
}

Test(eprocess, reference_line)
{
    static const struct {
        double tolerance;
        unsigned processes;
        double ratio;
        int median_from, median_to, p95_from, p95_to;
    } rows[] = {
        {1, 1, 2, 13, 17, 30, 44},   {1, 1, 3, 4, 6, 10, 14},    {1, 1, 5, 2, 3, 3, 6},
        {1.2, 3, 2, 29, 37, 66, 86}, {1.2, 3, 3, 7, 10, 15, 21}, {1.2, 3, 5, 2, 4, 5, 7},
    };
    random_state = 20261122;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int median;
        int p95;
        minutes_of(rows[i].ratio, rows[i].tolerance, rows[i].processes, &median, &p95);
        cr_expect(median >= rows[i].median_from && median <= rows[i].median_to,
                  "row %zu: median %d", i, median);
        cr_expect(p95 >= rows[i].p95_from && p95 <= rows[i].p95_to, "row %zu: p95 %d", i, p95);
    }
}

Test(eprocess, good_releases_are_left_alone)
{
    random_state = 7;
    int aborted = 0;
    for (int i = 0; i < RELEASES; i++)
        aborted += abort_minute(1, 1, 1, 60) != NEVER;
    // At most alpha = 20 of 2000 by Ville; .002 = 4 by the reference.
    cr_expect(aborted <= 12, "%d of %d good releases aborted", aborted, RELEASES);
    aborted = 0;
    for (int i = 0; i < RELEASES; i++) { // against a reference that is an upper bound
        struct eprocess process = {0};
        for (int minute = 0; minute < 60 && eprocess_log(&process) < eprocess_bound(0.01, 1);
             minute++)
            eprocess_add_fixed(&process, 0.01, poisson(10), 1000, 1);
        aborted += eprocess_log(&process) >= eprocess_bound(0.01, 1);
    }
    cr_expect(aborted <= 20, "%d of %d good releases aborted at 100 %%", aborted, RELEASES);
}
