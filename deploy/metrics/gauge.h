// The keys that every source with gauges has, `max` to `tolerance`, and what they may say.
//
//     struct my_config { struct gauge bound; … };
//     static const struct shape_field fields[] = {GAUGE_FIELDS(struct my_config, "…"), …};
//     gauge_check(&config->bound, &(struct gauge_context){.with = "`query`"}, node, problems);
#ifndef DEPLOY_METRICS_GAUGE_H
#define DEPLOY_METRICS_GAUGE_H

#include "gate/doc/shape.h"

struct gauge {
    str max_text;
    double max; // from max_text; < 0 = not given
    int64_t max_failures;
    int compare;                           // 0: with `max`; 1: with the baseline, Mann-Whitney
    struct fraction confidence, tolerance; // of that
    bool confidence_given, tolerance_given;
};

extern const char *const gauge_compare_words[];

// Rows of a field table; `type` is the section's struct, with a member `bound`.
#define GAUGE_FIELDS(type, max_doc)                                                                \
    {.key = "max", .kind = SHAPE_STR, .offset = offsetof(type, bound.max_text), .doc = (max_doc)}, \
        {.key = "max_failures",                                                                    \
         .kind = SHAPE_INT,                                                                        \
         .offset = offsetof(type, bound.max_failures),                                             \
         .min = 0,                                                                                 \
         .max = 1000,                                                                              \
         .fallback = "2",                                                                          \
         .doc = "Values of a stage that may be above `max`; one more aborts."},                    \
        {.key = "compare",                                                                         \
         .kind = SHAPE_CHOICE,                                                                     \
         .offset = offsetof(type, bound.compare),                                                  \
         .choices = gauge_compare_words,                                                           \
         .fallback = "max",                                                                        \
         .doc = "Of a value. max: each is held against `max`. mann-whitney: the values of a bake " \
                "are compared with those of the baseline at the same moments; higher is worse."},  \
        {.key = "confidence",                                                                      \
         .kind = SHAPE_PERCENT,                                                                    \
         .offset = offsetof(type, bound.confidence),                                               \
         .fallback = "98%",                                                                        \
         .given = offsetof(type, bound.confidence_given) + 1,                                      \
         .doc = "Of mann-whitney, two-sided, for all that a stage compares and all its looks "     \
                "together: at 98% a good release is aborted once in a hundred times at most."},    \
    {                                                                                              \
        .key = "tolerance", .kind = SHAPE_PERCENT, .offset = offsetof(type, bound.tolerance),      \
        .fallback = "25%", .given = offsetof(type, bound.tolerance_given) + 1,                     \
        .doc = "Of mann-whitney: the interval of the shift must lie above this share of it, and "  \
               "above what `analysis.max_ratio` accepts."                                          \
    }

struct gauge_context {
    bool is_rate;           // the section has `bad` and `total`
    const char *with;       // the keys of a value, in words: "`query`"
    const char *unselected; // null, or the problem when the release is not told from the baseline,
    const char *at;         // which is shown at this key
};

// That `compare` and what goes with it fit together and to the rest.
void gauge_check(const struct gauge *gauge, const struct gauge_context *context,
                 const struct node *section, struct problems *problems);
// Reads `max` of a source that counts in seconds and shares: of a value a number, a percentage or a
// duration; of a rate a share below 1.
void gauge_check_max(struct gauge *gauge, bool is_rate, const struct node *section,
                     struct problems *problems);

// Of a key of the section, or of the section where it is absent.
struct position gauge_position(const struct node *section, const char *key);

#endif
