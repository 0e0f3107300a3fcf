#include "deploy/metrics/cloudwatch_form.h"

#include "deploy/cloud/aws_call.h"
#include "deploy/metrics/cloudwatch_words.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

enum { VALUE_MOST = 1024, EXPRESSION_MOST = 2048 }; // of CloudWatch

static int64_t up_to_period(int64_t ms, int64_t period_ms)
{
    return (ms + period_ms - 1) / period_ms * period_ms;
}

struct cloudwatch_span cloudwatch_span_of(int64_t from_ms, int64_t to_ms, int64_t period_ms)
{
    int64_t first = up_to_period(from_ms, period_ms), end = up_to_period(to_ms, period_ms);
    return (struct cloudwatch_span){first, period_ms,
                                    end > first ? (size_t)((end - first) / period_ms) : 0};
}

void cloudwatch_form_begin(const struct cloudwatch_span *span, struct text *body)
{
    char start[MOMENT_TEXT], end[MOMENT_TEXT];
    int64_t end_ms = span->first_ms + (int64_t)span->count * span->period_ms;
    aws_form_add(body, str_of(moment_format(span->first_ms, start)), "StartTime");
    aws_form_add(body, str_of(moment_format(end_ms, end)), "EndTime");
    aws_form_add(body, STR("TimestampAscending"), "ScanBy");
}

static const struct template_value *values_of(struct cloudwatch_form *form,
                                              const struct cloudwatch_side *side,
                                              const struct template_value *more)
{
    struct template_value own[] = {
        {"revision", side->revision}, {"baseline", form->baseline}, {"target", form->target}, {0}};
    return names_join(form->arena, more, names_join(form->arena, form->variables, own));
}

static bool add_dimensions(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                           const struct cloudwatch_query *query, unsigned n, struct text *body,
                           struct error *err)
{
    const struct cloudwatch_dimension *dimensions = query->dimensions.items;
    for (size_t i = 0; i < query->dimensions.count; i++) {
        struct text value = text_of(VALUE_MOST);
        bool ok = template_expand(dimensions[i].value, values_of(form, side, NULL), TEMPLATE_PLAIN,
                                  &value, err);
        if (ok && value.len == 0)
            ok = error_set(err, ERROR_INPUT, "its value is empty");
        unsigned d = (unsigned)i + 1;
        aws_form_add(body, dimensions[i].name,
                     "MetricDataQueries.member.%u.MetricStat.Metric.Dimensions.member.%u.Name", n,
                     d);
        aws_form_add(body, text_str(&value),
                     "MetricDataQueries.member.%u.MetricStat.Metric.Dimensions.member.%u.Value", n,
                     d);
        text_done(&value);
        if (!ok)
            return error_wrap(err, "dimension " STR_FMT, STR_ARG(dimensions[i].name));
    }
    return true;
}

static bool add_metric(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                       const struct cloudwatch_query *query, unsigned n, struct text *body,
                       struct error *err)
{
    str period = arena_format(form->arena, "%lld",
                              (long long)(cloudwatch_period_ms(form->config) / MS_SECOND));
    aws_form_add(body, query->space, "MetricDataQueries.member.%u.MetricStat.Metric.Namespace", n);
    aws_form_add(body, query->metric, "MetricDataQueries.member.%u.MetricStat.Metric.MetricName",
                 n);
    aws_form_add(body, period, "MetricDataQueries.member.%u.MetricStat.Period", n);
    aws_form_add(body, query->statistic, "MetricDataQueries.member.%u.MetricStat.Stat", n);
    if (query->unit.len)
        aws_form_add(body, query->unit, "MetricDataQueries.member.%u.MetricStat.Unit", n);
    return add_dimensions(form, side, query, n, body, err);
}

static str input_id(struct cloudwatch_form *form, const struct cloudwatch_side *side, str name)
{
    return arena_format(form->arena, "%s_in_" STR_FMT, side->name, STR_ARG(name));
}

static bool add_expression(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                           str expression, unsigned n, struct text *body, struct error *err)
{
    const struct cloudwatch_query *inputs = form->config->inputs.items;
    size_t count = form->config->inputs.count;
    struct template_value *more = ARENA_ARRAY(form->arena, struct template_value, count + 2);
    str period = arena_format(form->arena, "%lld",
                              (long long)(cloudwatch_period_ms(form->config) / MS_SECOND));
    more[0] = (struct template_value){"period", period};
    for (size_t i = 0; i < count; i++)
        more[i + 1] = (struct template_value){arena_copy(form->arena, inputs[i].name),
                                              input_id(form, side, inputs[i].name)};
    const struct template_value *values = values_of(form, side, more);
    for (const struct template_value *v = values; v->name; v++)
        if (names_has(expression, v->name) && !cloudwatch_may_quote(v->value, err))
            return error_wrap(err, "`${%s}`", v->name);
    struct text out = text_of(EXPRESSION_MOST);
    bool ok = template_expand(expression, values, TEMPLATE_PLAIN, &out, err);
    aws_form_add(body, text_str(&out), "MetricDataQueries.member.%u.Expression", n);
    aws_form_add(body, period, "MetricDataQueries.member.%u.Period", n);
    text_done(&out);
    return ok;
}

static bool add(struct cloudwatch_form *form, const struct cloudwatch_side *side, str id,
                bool returned, const struct cloudwatch_query *query, struct text *body,
                struct error *err)
{
    unsigned n = ++form->count;
    aws_form_add(body, id, "MetricDataQueries.member.%u.Id", n);
    aws_form_add(body, returned ? STR("true") : STR("false"),
                 "MetricDataQueries.member.%u.ReturnData", n);
    if (query->expression.len ? !add_expression(form, side, query->expression, n, body, err)
                              : !add_metric(form, side, query, n, body, err))
        return false;
    return !text_full(body) || error_set(err, ERROR_LIMIT, "the queries are too long");
}

bool cloudwatch_form_side(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                          struct text *body, struct error *err)
{
    const struct cloudwatch_query *inputs = form->config->inputs.items;
    for (size_t i = 0; i < form->config->inputs.count; i++)
        if (!add(form, side, input_id(form, side, inputs[i].name), false, &inputs[i], body, err))
            return error_wrap(err, "input " STR_FMT, STR_ARG(inputs[i].name));
    return true;
}

bool cloudwatch_form_query(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                           const char *id, const struct cloudwatch_query *query, struct text *body,
                           struct error *err)
{
    return add(form, side, str_of(id), true, query, body, err);
}
