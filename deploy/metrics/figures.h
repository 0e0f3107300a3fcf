// The figures of one reading of a source that has them one by one: which are asked for, what was
// found, and the sample that they make.
//
//     figures_begin(&reading->figures, question);
//     figures_ask(&reading->figures, &wanted, question, ask, reading, err);   // calls `ask` for
//     each figures_answer(&reading->figures, FIGURE_CANARY_BAD, status, body);
//     figures_sum(&reading->figures, arena, &sample);
//     figures_done(&reading->figures);
#ifndef DEPLOY_METRICS_FIGURES_H
#define DEPLOY_METRICS_FIGURES_H

#include "deploy/metrics/metric.h"
#include "deploy/metrics/prometheus_answer.h"

enum figure {
    FIGURE_CANARY_BAD,
    FIGURE_CANARY_TOTAL,
    FIGURE_BASELINE_BAD,
    FIGURE_BASELINE_TOTAL,
    FIGURE_VALUE,
    FIGURE_BASELINE_VALUE,
    FIGURE_BURN_BAD, // one for each window
    FIGURE_BURN_TOTAL = FIGURE_BURN_BAD + BURN_WINDOWS,
    FIGURES = FIGURE_BURN_TOTAL + BURN_WINDOWS
};

struct figure_found {
    bool is_asked;
    bool usable;
    const char *why; // in the arena, when it is not usable
    struct prometheus_found found;
    double *values; // in the arena: of several intervals, in place of `found`
};

struct figures {
    struct figure_found of[FIGURES];
    uint32_t windows; // above 1: of so many intervals, which end at first_ms, first_ms + step_ms, …
    int64_t first_ms, step_ms, to_ms;
    const char *none_hint; // after "no series" of `bad`: "; if that means none, …"
    struct arena arena;
};

struct figures_wanted {
    bool is_rate;     // `bad` and `total`; else a value
    bool burns;       // of the four windows of a budget
    bool of_baseline; // the two can be told apart
};

// Starts asking for one figure.
typedef bool (*figures_ask_one)(void *self, enum figure figure,
                                const struct metric_question *question, int64_t window_ms,
                                str revision, struct error *err);

void figures_begin(struct figures *figures, const struct metric_question *question);
// ERROR_INPUT: the interval is empty.
bool figures_ask(struct figures *figures, const struct figures_wanted *wanted,
                 const struct metric_question *question, figures_ask_one ask, void *self,
                 struct error *err);
const char *figure_words(enum figure figure); // "`bad` of the release"
bool figure_is_bad(enum figure figure);
bool figure_is_value(enum figure figure);

// What the query API of Prometheus has answered.
void figures_answer(struct figures *figures, enum figure figure, long status, str body);
void figures_sum(const struct figures *figures, struct arena *arena, struct metric_sample *ret);
void figures_done(struct figures *figures);

// The form of a query, for the query API; or query_range, when several intervals are asked for.
bool figures_promql(struct figures *figures, str query, const struct template_value *env,
                    const struct metric_question *question, int64_t window_ms, str revision,
                    struct text *body, struct error *err);
enum { FIGURES_PROMQL_MOST = 65536, FIGURES_FORM_MOST = 4 * FIGURES_PROMQL_MOST };

#endif
