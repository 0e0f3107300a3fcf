// The configuration of a CloudWatch metric: its field table, and what it means.
#ifndef DEPLOY_METRICS_CLOUDWATCH_CONFIG_H
#define DEPLOY_METRICS_CLOUDWATCH_CONFIG_H

#include "deploy/metrics/gauge.h"

enum { CLOUDWATCH_DIMENSIONS_MOST = 30, CLOUDWATCH_INPUTS_MOST = 20 };

struct cloudwatch_dimension {
    str name, value; // the value is a template
};

struct cloudwatch_query { // a metric's statistic, or an expression over inputs
    str name;             // of an input: `${name}` in expressions
    str space, metric, statistic;
    struct shape_list dimensions; // of struct cloudwatch_dimension
    str unit;                     // only data of this unit; empty = any
    str expression;               // then all of the above is empty
    bool sparse;                  // of `bad`: no data point beside one of `total` is none
};

struct cloudwatch_config {
    str region, role; // in place of those of `aws`
    // As they stand in the section; cloudwatch_shape's check moves them into the queries.
    str space, metric, statistic, unit, expression;
    struct shape_list dimensions;
    struct shape_list inputs;             // of struct cloudwatch_query
    struct cloudwatch_query *bad, *total; // of a rate; else null
    struct cloudwatch_query gauge;
    struct gauge bound; // `max` in the unit of the metric
    int64_t every_ms, settled_ms, timeout_ms;
};

extern const struct shape cloudwatch_shape;

bool cloudwatch_is_rate(const struct cloudwatch_config *config);
// The release is told from the baseline: some query names `${revision}`.
bool cloudwatch_compares(const struct cloudwatch_config *config);
// Of the data points that are asked for. Counts of whole minutes add up; other statistics do not.
int64_t cloudwatch_period_ms(const struct cloudwatch_config *config);

#endif
