#include "gate/judge/cvss.h"

#include <math.h>

enum { METRICS_MAX = 32 };

// What one version of CVSS knows. Base metrics stand first, in the order of the enums below; the
// number of a value is its place in the list.
struct metric {
    const char *name;
    const char *values; // "N,A,L,P"
};

struct scheme {
    unsigned version;
    const char *words; // for messages
    unsigned base;     // how many of `metrics` have to be there
    const struct metric *metrics;
};

enum { V2_AV, V2_AC, V2_AU, V2_C, V2_I, V2_A, V2_BASE };
static const struct metric metrics_2[] = {{"AV", "L,A,N"},       {"AC", "H,M,L"},
                                          {"Au", "M,S,N"},       {"C", "N,P,C"},
                                          {"I", "N,P,C"},        {"A", "N,P,C"},
                                          {"E", "U,POC,F,H,ND"}, {"RL", "OF,TF,W,U,ND"},
                                          {"RC", "UC,UR,C,ND"},  {"CDP", "N,L,LM,MH,H,ND"},
                                          {"TD", "N,L,M,H,ND"},  {"CR", "L,M,H,ND"},
                                          {"IR", "L,M,H,ND"},    {"AR", "L,M,H,ND"},
                                          {NULL, NULL}};

enum { V3_AV, V3_AC, V3_PR, V3_UI, V3_S, V3_C, V3_I, V3_A, V3_BASE };
static const struct metric metrics_3[] = {
    {"AV", "N,A,L,P"},  {"AC", "L,H"},       {"PR", "N,L,H"},      {"UI", "N,R"},
    {"S", "U,C"},       {"C", "N,L,H"},      {"I", "N,L,H"},       {"A", "N,L,H"},
    {"E", "X,U,P,F,H"}, {"RL", "X,O,T,W,U"}, {"RC", "X,U,R,C"},    {"CR", "X,L,M,H"},
    {"IR", "X,L,M,H"},  {"AR", "X,L,M,H"},   {"MAV", "X,N,A,L,P"}, {"MAC", "X,L,H"},
    {"MPR", "X,N,L,H"}, {"MUI", "X,N,R"},    {"MS", "X,U,C"},      {"MC", "X,N,L,H"},
    {"MI", "X,N,L,H"},  {"MA", "X,N,L,H"},   {NULL, NULL},
};

// In rising distance from the worst: the number of a value is its severity level.
enum { V4_AV, V4_PR, V4_UI, V4_AC, V4_AT, V4_VC, V4_VI, V4_VA, V4_SC, V4_SI, V4_SA, V4_BASE };
static const struct metric metrics_4[] = {
    {"AV", "N,A,L,P"},    {"PR", "N,L,H"},
    {"UI", "N,P,A"},      {"AC", "L,H"},
    {"AT", "N,P"},        {"VC", "H,L,N"},
    {"VI", "H,L,N"},      {"VA", "H,L,N"},
    {"SC", "H,L,N"},      {"SI", "H,L,N"},
    {"SA", "H,L,N"},      {"E", "X,A,P,U"},
    {"CR", "X,H,M,L"},    {"IR", "X,H,M,L"},
    {"AR", "X,H,M,L"},    {"MAV", "X,N,A,L,P"},
    {"MAC", "X,L,H"},     {"MAT", "X,N,P"},
    {"MPR", "X,N,L,H"},   {"MUI", "X,N,P,A"},
    {"MVC", "X,H,L,N"},   {"MVI", "X,H,L,N"},
    {"MVA", "X,H,L,N"},   {"MSC", "X,H,L,N"},
    {"MSI", "X,S,H,L,N"}, {"MSA", "X,S,H,L,N"},
    {"S", "X,N,P"},       {"AU", "X,N,Y"},
    {"R", "X,A,U,I"},     {"V", "X,D,C"},
    {"RE", "X,L,M,H"},    {"U", "X,Clear,Green,Amber,Red"},
    {NULL, NULL},
};

static const struct scheme schemes[] = {{200, "2.0", V2_BASE, metrics_2},
                                        {300, "3.0", V3_BASE, metrics_3},
                                        {310, "3.1", V3_BASE, metrics_3},
                                        {400, "4.0", V4_BASE, metrics_4}};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

// ---- reading a vector --------------------------------------------------------------------------

static bool refuse(struct error *err, str vector, const char *what, str word)
{
    str shown = str_shorten(vector, 120), part = str_shorten(word, 40);
    if (!str_is_utf8(shown) || !str_is_utf8(part))
        return error_set(err, ERROR_INPUT, "the CVSS vector %s", what);
    return error_set(err, ERROR_INPUT, "the CVSS vector `" STR_FMT "` %s `" STR_FMT "`",
                     STR_ARG(shown), what, STR_ARG(part));
}

static const struct scheme *scheme_of(unsigned version, str words)
{
    for (size_t i = 0; i < SCHEMES; i++)
        if (words.data ? schemes[i].version > 200 && str_is(words, schemes[i].words)
                       : schemes[i].version == version)
            return &schemes[i];
    return NULL;
}

static int place_in(const char *values, str value)
{
    str rest = str_of(values);
    for (int n = 0; rest.len; n++)
        if (str_eq(str_cut(&rest, ','), value))
            return n;
    return -1;
}

static bool read_metric(const struct scheme *scheme, str vector, str part, int *values,
                        struct error *err)
{
    str value = part;
    str name = str_cut(&value, ':');
    for (unsigned i = 0; scheme->metrics[i].name; i++) {
        if (!str_is(name, scheme->metrics[i].name))
            continue;
        if (values[i] >= 0)
            return refuse(err, vector, "says twice:", name);
        values[i] = place_in(scheme->metrics[i].values, value);
        return values[i] >= 0 || refuse(err, vector, "has a value that is unknown:", part);
    }
    return refuse(err, vector, "has a metric that is unknown:", part);
}

static bool read_vector(str vector, unsigned version, int *values, const struct scheme **ret,
                        struct error *err)
{
    const struct scheme *scheme = scheme_of(version ? version : 200, (str){NULL, 0});
    str rest = vector;
    if (str_starts(rest, STR("CVSS:"))) {
        rest = str_from(rest, 5);
        str words = str_cut(&rest, '/');
        scheme = scheme_of(0, words);
        if (!scheme)
            return refuse(err, vector, "is of a version that is unknown:", words);
    } else if (str_starts(rest, STR("(")) && str_ends(rest, STR(")"))) {
        rest = str_make(rest.data + 1, rest.len - 2); // how CVSS 2.0 is often written
    }
    if (!scheme)
        return error_set(err, ERROR_INPUT, "CVSS %u.%u is unknown", version / 100,
                         version / 10 % 10);
    for (int i = 0; i < METRICS_MAX; i++)
        values[i] = -1;
    if (rest.len == 0)
        return refuse(err, vector, "has no metric after", vector);
    while (rest.data)
        if (!read_metric(scheme, vector, str_cut(&rest, '/'), values, err))
            return false;
    for (unsigned i = 0; i < scheme->base; i++)
        if (values[i] < 0)
            return refuse(err, vector, "lacks", str_of(scheme->metrics[i].name));
    *ret = scheme;
    return true;
}

// ---- 2.0 ---------------------------------------------------------------------------------------

static unsigned score_2(const int *v)
{
    static const double vector[] = {0.395, 0.646, 1.0}, complexity[] = {0.35, 0.61, 0.71},
                        authentication[] = {0.45, 0.56, 0.704}, loss[] = {0.0, 0.275, 0.660};
    double impact = 10.41 * (1 - (1 - loss[v[V2_C]]) * (1 - loss[v[V2_I]]) * (1 - loss[v[V2_A]]));
    double ease = 20 * vector[v[V2_AV]] * complexity[v[V2_AC]] * authentication[v[V2_AU]];
    if (v[V2_C] == 0 && v[V2_I] == 0 && v[V2_A] == 0)
        return 0; // f(impact) is 0
    double score = (0.6 * impact + 0.4 * ease - 1.5) * 1.176;
    return score <= 0 ? 0 : (unsigned)floor(score * 10 + 0.5 + 1e-9);
}

// ---- 3.0, 3.1 ----------------------------------------------------------------------------------

// The smallest number of tenths that is not less, free of the noise of binary fractions.
static unsigned round_up(double score)
{
    uint64_t parts = (uint64_t)floor(score * 100000 + 0.5);
    return (unsigned)((parts + 9999) / 10000);
}

static unsigned score_3(const int *v)
{
    static const double vector[] = {0.85, 0.62, 0.55, 0.2}, complexity[] = {0.77, 0.44},
                        privileges[2][3] = {{0.85, 0.62, 0.27}, {0.85, 0.68, 0.5}},
                        interaction[] = {0.85, 0.62}, loss[] = {0.0, 0.22, 0.56};
    bool changed = v[V3_S] == 1;
    double iss = 1 - (1 - loss[v[V3_C]]) * (1 - loss[v[V3_I]]) * (1 - loss[v[V3_A]]);
    double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * pow(iss - 0.02, 15) : 6.42 * iss;
    double ease = 8.22 * vector[v[V3_AV]] * complexity[v[V3_AC]] * privileges[changed][v[V3_PR]] *
                  interaction[v[V3_UI]];
    if (impact <= 0)
        return 0;
    return round_up(fmin((changed ? 1.08 : 1.0) * (impact + ease), 10));
}

// ---- 4.0 ---------------------------------------------------------------------------------------

// Scores of the macrovectors in tenths, by EQ1, EQ2, EQ3 with EQ6 (00, 01, 10, 11, 21) and EQ4 (1,
// 2). With base metrics alone EQ5 is 0, for an exploit counts as attacked, and EQ4 is never 0, for
// only environmental metrics speak of safety.
static const unsigned char macro_scores[3][2][5][2] = {
    {{{100, 93}, {96, 90}, {93, 88}, {92, 80}, {79, 69}},
     {{95, 92}, {91, 81}, {92, 84}, {82, 70}, {71, 63}}},
    {{{94, 87}, {89, 75}, {86, 72}, {76, 57}, {65, 53}},
     {{90, 77}, {77, 66}, {74, 61}, {59, 52}, {58, 23}}},
    {{{86, 70}, {74, 54}, {72, 53}, {57, 36}, {47, 24}},
     {{73, 54}, {55, 43}, {61, 46}, {51, 18}, {24, 10}}},
};
enum { EQ36_00, EQ36_01, EQ36_10, EQ36_11, EQ36_21 };

// The worst vectors of each class, as levels of its metrics, and how many steps the class is deep.
struct worst {
    unsigned depth;
    int levels[3][3]; // at most three of them; ended by -1
};
static const struct worst worst_eq1[] = {{1, {{0, 0, 0}, {-1}}},
                                         {4, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
                                         {5, {{3, 0, 0}, {1, 1, 1}, {-1}}}};
static const struct worst worst_eq2[] = {{1, {{0, 0, 0}, {-1}}}, {2, {{1, 0, 0}, {0, 1, 0}, {-1}}}};
static const struct worst worst_eq36[] = {[EQ36_00] = {7, {{0, 0, 0}, {-1}}},
                                          [EQ36_10] = {8, {{1, 0, 0}, {0, 1, 0}, {-1}}},
                                          [EQ36_21] = {10, {{1, 1, 1}, {-1}}}};
static const struct worst worst_eq4[] = {{5, {{0, 0, 0}, {-1}}}, {4, {{1, 1, 1}, {-1}}}};

// How many steps these levels stand below the first worst vector of their class that is not below
// them in any metric.
static int steps_below(const struct worst *worst, const int *levels, int count)
{
    for (int i = 0; i < 3 && worst->levels[i][0] >= 0; i++) {
        int sum = 0;
        bool fits = true;
        for (int k = 0; k < count; k++) {
            fits = fits && levels[k] >= worst->levels[i][k];
            sum += levels[k] - worst->levels[i][k];
        }
        if (fits)
            return sum;
    }
    return 0;
}

enum { FINE = 280 }; // all depths divide it: shares of a step stay whole numbers

struct mean {
    int sum,
        count; // of what the classes take off, in 1/FINE tenths; how many have a next lower one
};

static void take_off(struct mean *mean, int score, int lower, int steps, const struct worst *worst)
{
    mean->sum += (score - lower) * steps * (FINE / (int)worst->depth);
    mean->count++;
}

static unsigned score_4(const int *v)
{
    bool all = v[V4_AV] == 0 && v[V4_PR] == 0 && v[V4_UI] == 0;
    bool any = v[V4_AV] == 0 || v[V4_PR] == 0 || v[V4_UI] == 0;
    int eq1 = all ? 0 : any && v[V4_AV] != 3 ? 1 : 2;
    int eq2 = v[V4_AC] || v[V4_AT];
    bool high = !v[V4_VC] || !v[V4_VI] || !v[V4_VA];
    int eq36 = !v[V4_VC] && !v[V4_VI] ? EQ36_00 : high ? EQ36_10 : EQ36_21;
    int eq4 = v[V4_SC] && v[V4_SI] && v[V4_SA]; // 0 is EQ4 = 1
    int harm = 0;
    for (int i = V4_VC; i <= V4_SA; i++)
        harm += v[i] < 2;
    if (harm == 0)
        return 0;
    int score = macro_scores[eq1][eq2][eq36][eq4];
    // EQ5 always has a lower one, of which nothing is taken off.
    struct mean mean = {.count = 1};
    if (eq1 < 2)
        take_off(&mean, score, macro_scores[eq1 + 1][eq2][eq36][eq4],
                 steps_below(&worst_eq1[eq1], &v[V4_AV], 3), &worst_eq1[eq1]);
    if (eq2 < 1)
        take_off(&mean, score, macro_scores[eq1][eq2 + 1][eq36][eq4],
                 steps_below(&worst_eq2[eq2], &v[V4_AC], 2), &worst_eq2[eq2]);
    if (eq36 != EQ36_21) {
        const unsigned char(*row)[2] = macro_scores[eq1][eq2];
        int lower = eq36 == EQ36_10                         ? row[EQ36_11][eq4]
                    : row[EQ36_01][eq4] > row[EQ36_10][eq4] ? row[EQ36_01][eq4]
                                                            : row[EQ36_10][eq4];
        take_off(&mean, score, lower, steps_below(&worst_eq36[eq36], &v[V4_VC], 3),
                 &worst_eq36[eq36]);
    }
    if (eq4 < 1)
        take_off(&mean, score, macro_scores[eq1][eq2][eq36][eq4 + 1],
                 steps_below(&worst_eq4[eq4], &v[V4_SC], 3), &worst_eq4[eq4]);
    int unit = FINE * mean.count;
    int parts = score * unit - mean.sum;
    return parts <= 0 ? 0 : (unsigned)((2 * parts + unit) / (2 * unit)); // halves go up
}

bool cvss_base(str vector, unsigned version, struct cvss *ret, struct error *err)
{
    int values[METRICS_MAX];
    const struct scheme *scheme = NULL;
    if (!read_vector(vector, version, values, &scheme, err))
        return false;
    unsigned tenths = scheme->version == 200   ? score_2(values)
                      : scheme->version == 400 ? score_4(values)
                                               : score_3(values);
    *ret = (struct cvss){scheme->version, tenths, tenths / 10.0};
    return true;
}
