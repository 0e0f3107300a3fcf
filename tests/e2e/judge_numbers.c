// The arithmetic of gate/judge for test_analysis.py: reads questions, one a line, and answers each
// with numbers on a line of its own; "none" where it says nothing.
//
//     mann_whitney CONFIDENCE N M X… Y…     p, greater, less, shift, low, high, exact
//     small CONFIDENCE N M X… Y…            likewise, by the approximation alone
//     eprocess TOLERANCE PHI ROWS (XC NC XB NB)…      log E
//     share NC NB SHARE                     p
//     dispersion N (BAD TOTAL)…             sum, degrees of freedom, bound
//     quantile P
#include "gate/judge/dispersion.h"
#include "gate/judge/eprocess.h"
#include "gate/judge/mann_whitney.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static double numbers[MOST];

static bool read_numbers(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char word[64];
        char *end = word;
        if (i >= MOST || scanf("%63s", word) != 1)
            return false;
        numbers[i] = strtod(word, &end);
        if (end == word || *end)
            return false;
    }
    return true;
}

static bool answer_mann_whitney(bool small)
{
    struct arena arena = {0};
    struct mann_whitney have;
    if (!read_numbers(3))
        return false;
    double confidence = numbers[0];
    size_t n = (size_t)numbers[1];
    size_t m = (size_t)numbers[2];
    if (!read_numbers(n + m))
        return false;
    bool says = small ? mann_whitney_small(numbers, n, numbers + n, m, confidence, &have)
                      : mann_whitney(&arena, numbers, n, numbers + n, m, confidence, &have);
    if (says)
        printf("%.17g %.17g %.17g %.17g %.17g %.17g %d\n", have.p, have.p_greater, have.p_less,
               have.shift, have.low, have.high, have.exact);
    else
        printf("none\n");
    arena_done(&arena);
    return true;
}

static bool answer_eprocess(void)
{
    struct eprocess process = {0};
    if (!read_numbers(3))
        return false;
    double tolerance = numbers[0];
    double phi = numbers[1];
    size_t rows = (size_t)numbers[2];
    if (!read_numbers(4 * rows))
        return false;
    for (size_t i = 0; i < rows; i++) {
        const double *row = &numbers[4 * i];
        (void)eprocess_add(&process, tolerance, (struct counts){row[0], row[1], row[2], row[3]},
                           phi);
    }
    printf("%.17g\n", eprocess_log(&process));
    return true;
}

static bool answer_dispersion(void)
{
    struct dispersion dispersion = {0};
    if (!read_numbers(1))
        return false;
    size_t count = (size_t)numbers[0];
    if (!read_numbers(2 * count))
        return false;
    for (size_t i = 0; i < count; i++)
        (void)dispersion_add(&dispersion, numbers[2 * i], numbers[2 * i + 1]);
    printf("%.17g %.17g %.17g\n", dispersion.sum, dispersion.freedom,
           dispersion_bound(&dispersion));
    return true;
}

static bool answer(const char *what)
{
    if (strcmp(what, "mann_whitney") == 0)
        return answer_mann_whitney(false);
    if (strcmp(what, "small") == 0)
        return answer_mann_whitney(true);
    if (strcmp(what, "eprocess") == 0)
        return answer_eprocess();
    if (strcmp(what, "dispersion") == 0)
        return answer_dispersion();
    if (strcmp(what, "share") == 0 && read_numbers(3))
        printf("%.17g\n", share_mismatch_p(numbers[0], numbers[1], numbers[2]));
    else if (strcmp(what, "quantile") == 0 && read_numbers(1))
        printf("%.17g\n", normal_quantile(numbers[0]));
    else
        return false;
    return true;
}

int main(void)
{
    char what[32];
    while (scanf("%31s", what) == 1)
        if (!answer(what)) {
            fprintf(stderr, "judge_numbers: not understood: %s\n", what);
            return 2;
        }
    return 0;
}
