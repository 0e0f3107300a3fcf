#include "deploy/metrics/cloudwatch_answer.h"

#include "gate/base/moment.h"
#include "gate/base/number.h"

#include <math.h>

enum { WORDS_MOST = 200 };

void cloudwatch_answer_begin(struct arena *arena, const struct cloudwatch_span *span,
                             struct cloudwatch_series *series, size_t count,
                             struct cloudwatch_answer *ret)
{
    *ret =
        (struct cloudwatch_answer){.arena = arena, .span = *span, .series = series, .count = count};
    for (size_t i = 0; i < count; i++) {
        series[i].values = ARENA_ARRAY(arena, double, span->count);
        for (size_t k = 0; k < span->count; k++)
            series[i].values[k] = NAN;
    }
}

// A provider's text on one line.
static str words(struct arena *arena, str s)
{
    str copy = arena_str(arena, str_shorten(str_trim(s), WORDS_MOST));
    char *at = (char *)(uintptr_t)copy.data; // an arena's memory is never const
    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
            at[i] = ' ';
    return copy;
}

// A message means that something was left out: the figures may be of a part only.
static const char *message_of(struct arena *arena, const struct node *messages)
{
    const struct node *first = messages ? messages->first : NULL;
    if (!first)
        return NULL;
    return arena_format(arena, STR_FMT ": " STR_FMT,
                        STR_ARG(words(arena, node_text(first, "Code"))),
                        STR_ARG(words(arena, node_text(first, "Value"))))
        .data;
}

static const char *add_point(const struct cloudwatch_span *span, struct cloudwatch_series *series,
                             str timestamp, str value)
{
    int64_t at_ms;
    double number;
    if (!moment_parse(timestamp, &at_ms))
        return "a data point without a time";
    if (!number_double(value, &number))
        return "a data point that is no number";
    int64_t since_ms = at_ms - span->first_ms;
    if (since_ms < 0 || since_ms >= (int64_t)span->count * span->period_ms)
        return NULL; // rounding of the service may tell of more than was asked for
    if (since_ms % span->period_ms != 0)
        return "a data point beside the periods that were asked for";
    double *at = &series->values[since_ms / span->period_ms];
    if (!isnan(*at))
        return "two data points of one moment";
    *at = number;
    series->points++;
    return NULL;
}

static const char *add_points(const struct cloudwatch_span *span, struct cloudwatch_series *series,
                              const struct node *result)
{
    const struct node *times = node_get(result, "Timestamps"), *values = node_get(result, "Values");
    const struct node *time = times ? times->first : NULL, *value = values ? values->first : NULL;
    const char *why = NULL;
    for (; !why && time && value; time = time->next, value = value->next)
        why = add_point(span, series, time->text, value->text);
    if (!why && (time || value))
        why = "not as many times as values";
    return why;
}

static struct cloudwatch_series *series_of(const struct cloudwatch_answer *answer, str id)
{
    for (size_t i = 0; i < answer->count; i++)
        if (str_is(id, answer->series[i].id))
            return &answer->series[i];
    return NULL;
}

// PartialData on a page says that another one follows; what the last page says, counts.
static void add_result(struct cloudwatch_answer *answer, const struct node *result)
{
    struct cloudwatch_series *series = series_of(answer, node_text(result, "Id"));
    str status = node_text(result, "StatusCode"), label = node_text(result, "Label");
    if (!series || series->why)
        return;
    if (series->seen && !str_eq(series->label, label)) {
        series->why = "more than one series: it must give exactly one";
        return;
    }
    series->seen = true;
    series->label = arena_str(answer->arena, label);
    series->complete = str_is(status, "Complete");
    series->why = message_of(answer->arena, node_get(result, "Messages"));
    if (!series->why && str_is(status, "Forbidden"))
        series->why = "this identity may not read it (Forbidden)";
    else if (!series->why && !series->complete && !str_is(status, "PartialData"))
        series->why = arena_format(answer->arena, "CloudWatch could not read it (" STR_FMT ")",
                                   STR_ARG(words(answer->arena, status)))
                          .data;
    if (!series->why)
        series->why = add_points(&answer->span, series, result);
}

void cloudwatch_answer_page(struct cloudwatch_answer *answer, const struct node *tree,
                            str *ret_next)
{
    const struct node *results = node_get(tree, "MetricDataResults");
    *ret_next = node_text(tree, "NextToken");
    if (!results && !answer->why)
        answer->why = "not an answer of GetMetricData";
    if (!answer->why)
        answer->why = message_of(answer->arena, node_get(tree, "Messages"));
    for (const struct node *n = results ? results->first : NULL; n; n = n->next)
        add_result(answer, n);
}

const char *cloudwatch_answer_why(const struct cloudwatch_answer *answer,
                                  const struct cloudwatch_series *series)
{
    if (answer->why)
        return answer->why;
    if (series->why)
        return series->why;
    if (!series->seen)
        return "no series";
    return series->complete ? NULL : "only a part of the data was told (PartialData)";
}
