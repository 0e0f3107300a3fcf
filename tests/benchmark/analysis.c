// Releases by the ten thousand, judged as the engine judges them and by rules that others have, on
// the same made-up traffic: how many good ones are aborted, and how soon bad ones are seen.
//
//     analysis [RELEASES]        20,000 good ones a row unless told; exits 1 when more are aborted
//                                than alpha allows
//
// Traffic: 2000 requests a minute, of which 1 % fail; the rate of both sides rises and falls
// together by 30 % in four hours. Failures of each side come in bursts (a Poisson count of which
// the mean is drawn from a gamma distribution), so that their variance is phi times their mean. Phi
// is estimated from the baseline: of 120 minutes before the rollout, or of none.
#include "gate/judge/dispersion.h"
#include "gate/judge/eprocess.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUESTS 2000.0 // a minute
#define RATE 0.01
#define ALPHA 0.01

enum {
    HISTORY = 120, // minutes
    LADDER = 80,   // 20 minutes each of 5, 25, 50 and 100 %
    WATCHED = 240, // minutes at 5 %, for regressions
    BAD_RELEASES = 2000,
    NEVER = WATCHED + 1
};

// ---- chance -------------------------------------------------------------------------------------

static uint64_t random_state;

static double uniform(void) // splitmix64, within (0,1)
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

static double poisson(double mean)
{
    if (mean > 60) {
        double value = floor(mean + sqrt(mean) * normal() + 0.5);
        return value > 0 ? value : 0;
    }
    double limit = exp(-mean);
    double product = uniform();
    int count = 0;
    for (; product > limit; count++)
        product *= uniform();
    return count;
}

static double gamma_of_shape(double shape) // Marsaglia and Tsang
{
    double more = shape < 1 ? pow(uniform(), 1 / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal();
        double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v > 0 && log(uniform()) < x * x / 2 + d - d * v + d * log(v))
            return d * v * more;
    }
}

static double failures(double mean, double phi, double of)
{
    double count =
        phi > 1 && mean > 0 ? poisson(gamma_of_shape(mean / (phi - 1)) * (phi - 1)) : poisson(mean);
    return count < of ? count : of;
}

// ---- a release in its traffic -------------------------------------------------------------------

struct traffic {
    double phi, ratio, phase;
};

static double rate_at(const struct traffic *t, int minute)
{
    return RATE * (1 + 0.3 * sin(t->phase + minute * 6.283185307179586 / 240));
}

static struct counts counts_at(const struct traffic *t, int minute, double share)
{
    double rate = rate_at(t, minute);
    double canary = REQUESTS * share;
    double baseline = REQUESTS - canary;
    return (struct counts){failures(canary * fmin(1, rate * t->ratio), t->phi, canary), canary,
                           failures(baseline * rate, t->phi, baseline), baseline};
}

static struct dispersion learn(const struct traffic *t, int minutes)
{
    struct dispersion known = {0};
    for (int i = -minutes; i < 0; i++)
        (void)dispersion_add(&known, failures(REQUESTS * rate_at(t, i), t->phi, REQUESTS),
                             REQUESTS);
    return known;
}

// ---- the rules ----------------------------------------------------------------------------------

enum rule {
    OURS,     // max_ratio 1.2, as configured by default
    OURS_ONE, // max_ratio 1
    GIVEN,    // max_ratio 1.2, and phi taken to be 1
    Z_TEST,   // two proportions, everything since the step began, at 1 %, looked at each minute
    ARGO,     // this minute's failures above 2 %: the first aborts (failureLimit 0)
    ARGO_3,   // likewise the fourth (failureLimit 3)
    FLAGGER,  // likewise the fifth (threshold 5)
    IN_A_ROW, // likewise five one after another
    RULES
};

static const char *const rule_names[RULES] = {"sluice", "at ratio 1", "phi = 1",   "z each min",
                                              "argo 0", "argo 3",     "flagger 5", "5 in a row"};

struct judges {
    struct eprocess process[3]; // OURS, OURS_ONE, GIVEN
    struct dispersion known;
    struct counts all, step; // since the beginning, since the share last changed
    double share;
    unsigned above, in_a_row;
    int aborted_at[RULES]; // NEVER
};

// As the engine does: phi from what was there before this interval; where no baseline is left, a
// bound of what it had.
static bool e_value_says(struct judges *j, enum rule rule, const struct counts *c)
{
    double tolerance = rule == OURS_ONE ? 1 : 1.2;
    double phi = rule == GIVEN ? 1 : dispersion_bound(&j->known);
    if (c->baseline_total > 0)
        (void)eprocess_add(&j->process[rule], tolerance, *c, phi);
    else
        (void)eprocess_add_fixed(&j->process[rule],
                                 tolerance * eprocess_most(j->all.baseline_bad, phi) /
                                     j->all.baseline_total,
                                 c->canary_bad, c->canary_total, phi);
    return eprocess_log(&j->process[rule]) >= eprocess_bound(ALPHA, 1);
}

static bool z_says(const struct counts *c)
{
    double pooled = (c->canary_bad + c->baseline_bad) / (c->canary_total + c->baseline_total);
    double spread = sqrt(pooled * (1 - pooled) * (1 / c->canary_total + 1 / c->baseline_total));
    return spread > 0 &&
           (c->canary_bad / c->canary_total - c->baseline_bad / c->baseline_total) / spread >
               2.3263478740408408;
}

static void add(struct counts *to, const struct counts *c)
{
    to->canary_bad += c->canary_bad;
    to->canary_total += c->canary_total;
    to->baseline_bad += c->baseline_bad;
    to->baseline_total += c->baseline_total;
}

static void judge(struct judges *j, const struct counts *c, int minute)
{
    bool says[RULES] = {false};
    for (enum rule rule = OURS; rule <= GIVEN; rule++)
        says[rule] = e_value_says(j, rule, c);
    if (fabs(c->canary_total - j->share) > 0)
        j->step = (struct counts){0};
    j->share = c->canary_total;
    add(&j->all, c);
    add(&j->step, c);
    (void)dispersion_add(&j->known, c->baseline_bad, c->baseline_total);
    bool above = c->canary_bad / c->canary_total > 2 * RATE;
    j->above += above;
    j->in_a_row = above ? j->in_a_row + 1 : 0;
    says[Z_TEST] = z_says(&j->step);
    says[ARGO] = j->above > 0;
    says[ARGO_3] = j->above > 3;
    says[FLAGGER] = j->above >= 5;
    says[IN_A_ROW] = j->in_a_row >= 5;
    for (int rule = 0; rule < RULES; rule++)
        if (says[rule] && j->aborted_at[rule] == NEVER)
            j->aborted_at[rule] = minute + 1;
}

static struct judges begin(const struct traffic *t, int history)
{
    struct judges j = {.known = learn(t, history)};
    for (int rule = 0; rule < RULES; rule++)
        j.aborted_at[rule] = NEVER;
    return j;
}

// ---- good releases ------------------------------------------------------------------------------

static void head(const char *first)
{
    printf("  %-30s", first);
    for (int rule = 0; rule < RULES; rule++)
        printf(" %10s", rule_names[rule]);
    printf("\n");
}

// False when more were aborted than alpha allows.
static bool good_row(double phi, int history, int releases)
{
    int aborted[RULES] = {0};
    random_state = 20261122;
    for (int i = 0; i < releases; i++) {
        struct traffic t = {phi, 1, 6.283185307179586 * uniform()};
        struct judges j = begin(&t, history);
        for (int minute = 0; minute < LADDER; minute++) {
            static const double shares[] = {0.05, 0.25, 0.5, 1};
            struct counts c = counts_at(&t, minute, shares[minute / (LADDER / 4)]);
            judge(&j, &c, minute);
        }
        for (int rule = 0; rule < RULES; rule++)
            aborted[rule] += j.aborted_at[rule] != NEVER;
    }
    char first[64];
    snprintf(first, sizeof first, "variance/mean %.0f, %s", phi,
             history ? "learned before" : "nothing known");
    printf("  %-30s", first);
    for (int rule = 0; rule < RULES; rule++)
        printf(" %9.2f%%", 100.0 * aborted[rule] / releases);
    bool held = aborted[OURS] <= ALPHA * releases && aborted[OURS_ONE] <= ALPHA * releases;
    printf("%s\n", held ? "" : "  MISSED");
    return held;
}

// ---- bad releases -------------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void print_minutes(int minutes)
{
    if (minutes == NEVER)
        printf(" %10s", "-");
    else
        printf(" %10d", minutes);
}

static void bad_rows(double phi, double ratio)
{
    static int at[RULES][BAD_RELEASES];
    random_state = 4711;
    for (int i = 0; i < BAD_RELEASES; i++) {
        struct traffic t = {phi, ratio, 6.283185307179586 * uniform()};
        struct judges j = begin(&t, HISTORY);
        for (int minute = 0; minute < WATCHED; minute++) {
            struct counts c = counts_at(&t, minute, 0.05);
            judge(&j, &c, minute);
        }
        for (int rule = 0; rule < RULES; rule++)
            at[rule][i] = j.aborted_at[rule];
    }
    for (int rule = 0; rule < RULES; rule++)
        qsort(at[rule], BAD_RELEASES, sizeof at[rule][0], by_size);
    char first[64];
    snprintf(first, sizeof first, "%.0f times, variance/mean %.0f", ratio, phi);
    printf("  %-30s", first);
    for (int rule = 0; rule < RULES; rule++)
        print_minutes(at[rule][BAD_RELEASES / 2]);
    printf("\n  %-30s", "    19 of 20");
    for (int rule = 0; rule < RULES; rule++)
        print_minutes(at[rule][BAD_RELEASES * 19 / 20]);
    printf("\n");
}

int main(int argc, char **argv)
{
    int releases = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000;
    bool held = true;
    if (releases <= 0) {
        fprintf(stderr, "analysis [RELEASES]\n");
        return 2;
    }
    printf("Good releases that are aborted, of %d, on a ladder of 5, 25, 50, 100 %% in 80 minutes "
           "(limit for sluice: %.0f %%)\n",
           releases, ALPHA * 100);
    head("");
    for (int phi = 1; phi <= 3; phi++) {
        held &= good_row(phi, HISTORY, releases);
        held &= good_row(phi, 0, releases);
    }
    printf("\nMinutes until a bad release is seen, half of the time and 19 times of 20, at 5 %% of "
           "the traffic\n");
    head("times as many failures");
    for (int phi = 1; phi <= 3; phi++)
        for (int ratio = 2; ratio <= 5; ratio += ratio == 2 ? 1 : 2)
            bad_rows(phi, ratio);
    printf("\nsluice: max_ratio 1.2; at ratio 1: without that tolerance; phi = 1: bursts left out "
           "of account.\nz each min: a test for one look, looked at every minute. argo N, flagger "
           "5: minutes with more than twice\nthe ordinary share of failures, more than N of them, "
           "or five.\n");
    return held ? 0 : 1;
}
