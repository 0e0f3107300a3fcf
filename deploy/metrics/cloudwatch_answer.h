// What GetMetricData answers, page by page, as one figure for each period of each query.
//
//     struct cloudwatch_series series[] = {{.id = "canary_bad"}, {.id = "canary_total"}};
//     struct cloudwatch_answer answer;
//     cloudwatch_answer_begin(&arena, &span, series, 2, &answer);
//     cloudwatch_answer_page(&answer, tree, &next);      // once for each page, while next is set
//     if (cloudwatch_answer_why(&answer, &series[0])) …  // why it cannot be used
//     series[0].values[i]                                // NaN: no data point
#ifndef DEPLOY_METRICS_CLOUDWATCH_ANSWER_H
#define DEPLOY_METRICS_CLOUDWATCH_ANSWER_H

#include "deploy/metrics/cloudwatch_form.h"
#include "gate/doc/node.h"

struct cloudwatch_series {
    const char *id;
    double *values; // span.count of them
    size_t points;  // of them that are known
    bool seen, complete;
    str label;
    const char *why; // what is wrong with it; null = nothing so far
};

struct cloudwatch_answer {
    struct arena *arena;
    struct cloudwatch_span span;
    struct cloudwatch_series *series;
    size_t count;
    const char *why; // what is wrong with all of it
};

void cloudwatch_answer_begin(struct arena *arena, const struct cloudwatch_span *span,
                             struct cloudwatch_series *series, size_t count,
                             struct cloudwatch_answer *ret);
// Null: the answer is not of the shape of one. *ret_next is empty on the last page; what it refers
// to lives as long as the tree.
void cloudwatch_answer_page(struct cloudwatch_answer *answer, const struct node *tree,
                            str *ret_next);

// After the last page: why the figures of a series cannot be used. Null: all that CloudWatch has
// was told; a period without a data point has none.
const char *cloudwatch_answer_why(const struct cloudwatch_answer *answer,
                                  const struct cloudwatch_series *series);

#endif
