// The words of CloudWatch: which statistics, units, periods and names it takes, and what stands in
// an expression.
#ifndef DEPLOY_METRICS_CLOUDWATCH_WORDS_H
#define DEPLOY_METRICS_CLOUDWATCH_WORDS_H

#include "deploy/metrics/cloudwatch_config.h"
#include "gate/base/template.h"

enum { CLOUDWATCH_NAME_ROOM = 32 };

bool cloudwatch_is_statistic(str s); // "Sum", "p95", "tm99.9", "TM(10%:90%)", "IQM"
bool cloudwatch_is_unit(str s);      // "Seconds", "Count/Second"
bool cloudwatch_is_period(int64_t ms);
bool cloudwatch_is_name(str s); // of an input: a part of an Id, and no name of ours

// `max` of the section as a number in the unit that the figures have; settles that unit. False when
// it is none.
bool cloudwatch_read_max(struct cloudwatch_config *config);

// The first `${name}` of a value (not of an input, nor `${period}`) that does not stand inside
// quotes in an expression: it would be read as a part of the formula. False when there is none.
bool cloudwatch_unquoted(str expression, const struct cloudwatch_query *inputs, size_t input_count,
                         str *ret);

// ERROR_INPUT when a value has a character that could end a quoted text in an expression, or mean
// something there: CloudWatch has no way to write it that holds in all its languages.
bool cloudwatch_may_quote(str value, struct error *err);

#endif
