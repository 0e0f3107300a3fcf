// Amazon CloudWatch. Each reading is one GetMetricData for all queries of the interval; a further
// one for each page that the answer has beyond the first.
//
// CloudWatch counts in whole periods. A reading takes the periods that begin within its interval,
// so that intervals which meet never count one twice and never leave one out. The last of them may
// end up to a period after the interval, which is why the lag is a period longer than `lag`.
#include "deploy/cloud/aws_call.h"
#include "deploy/metrics/cloudwatch_answer.h"
#include "deploy/metrics/cloudwatch_words.h"
#include "deploy/metrics/metric.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

#include <math.h>

enum { PAGES_MOST = 20 };

extern const struct metric_kind cloudwatch_metric;

struct metric {
    const struct cloudwatch_config *config;
    struct metric_setup setup;
    struct aws_client *client; // of the cloud
};

enum part { CANARY_BAD, CANARY_TOTAL, BASELINE_BAD, BASELINE_TOTAL, GAUGE, BASELINE_GAUGE, PARTS };

static const struct {
    const char *id, *words;
} parts[PARTS] = {
    [CANARY_BAD] = {"canary_bad", "`bad` of the release"},
    [CANARY_TOTAL] = {"canary_total", "`total` of the release"},
    [BASELINE_BAD] = {"baseline_bad", "`bad` of the baseline"},
    [BASELINE_TOTAL] = {"baseline_total", "`total` of the baseline"},
    [GAUGE] = {"canary_gauge", "the value of the release"},
    [BASELINE_GAUGE] = {"baseline_gauge", "the value of the baseline"},
};

struct metric_reading {
    const struct metric *metric;
    struct arena arena;
    str form; // without NextToken
    bool asked[PARTS];
    struct cloudwatch_series series[PARTS];
    struct cloudwatch_answer answer;
    bool history;
    struct aws_call *call;
    str next; // the token of the page that `call` asks for
    unsigned pages;
    int64_t until_ms;
};

static void traits(const void *value, struct metric_traits *ret)
{
    const struct cloudwatch_config *config = value;
    bool rate = cloudwatch_is_rate(config);
    *ret = (struct metric_traits){
        .is_rate = rate,
        .compares = config->bound.compare,
        .confidence = (double)config->bound.confidence.num / (double)config->bound.confidence.den,
        .tolerance = (double)config->bound.tolerance.num / (double)config->bound.tolerance.den,
        .every_ms = config->every_ms,
        .lag_ms = config->settled_ms + cloudwatch_period_ms(config),
        .max = config->bound.max,
        .failure_limit = rate || config->bound.compare ? 0 : (uint32_t)config->bound.max_failures,
        .has_baseline = (rate && cloudwatch_compares(config)) || config->bound.compare,
        .has_history = rate || config->bound.compare,
        .has_identity = true,
    };
}

// ---- opening -----------------------------------------------------------------------------------

static bool reach(const struct metric_setup *setup, const struct cloudwatch_query *query,
                  struct error *err)
{
    static const struct template_value none[] = {{0}};
    const struct template_value *env = setup->variables ? setup->variables : none;
    const struct cloudwatch_dimension *dimensions = query->dimensions.items;
    for (size_t i = 0; i < query->dimensions.count; i++)
        if (!names_open(dimensions[i].value, env, err))
            return false;
    return names_open(query->expression, env, err);
}

static void close(struct metric *metric)
{
    memory_free(metric);
}

static bool open(const void *value, const struct metric_setup *setup, struct metric **ret,
                 struct error *err)
{
    const struct cloudwatch_config *config = value;
    const struct cloudwatch_query *inputs = config->inputs.items;
    struct metric *metric = memory_alloc(sizeof *metric);
    struct arena arena = {0};
    struct aws_account account = setup->aws ? *setup->aws : (struct aws_account){0};
    *metric = (struct metric){.config = config, .setup = *setup};
    if (config->region.len)
        account.region = arena_copy(&arena, config->region);
    if (config->role.len)
        account.role = arena_copy(&arena, config->role);
    bool ok = reach(setup, &config->gauge, err) &&
              (!cloudwatch_is_rate(config) ||
               (reach(setup, config->bad, err) && reach(setup, config->total, err)));
    for (size_t i = 0; ok && i < config->inputs.count; i++)
        ok = reach(setup, &inputs[i], err);
    ok = ok && aws_client_open(setup->cloud, &account, &metric->client, err);
    arena_done(&arena);
    if (!ok) {
        close(metric);
        return error_wrap(err, "metric %s", setup->name);
    }
    *ret = metric;
    return true;
}

// ---- asking ------------------------------------------------------------------------------------

static void drop(struct metric_reading *reading)
{
    aws_call_drop(reading->call);
    arena_done(&reading->arena);
    memory_free(reading);
}

static int64_t now_ms(const struct metric *metric)
{
    return metric->setup.clock->now_ms(metric->setup.clock->self);
}

static bool ask(struct metric_reading *reading, struct error *err)
{
    struct text body = text_of((size_t)2 * CLOUDWATCH_FORM_MOST);
    text_add(&body, reading->form);
    if (reading->next.len)
        aws_form_add(&body, reading->next, "NextToken");
    int64_t left_ms = reading->until_ms - now_ms(reading->metric);
    struct aws_request request = {.service = &aws_cloudwatch,
                                  .action = "GetMetricData",
                                  .body = text_str(&body),
                                  .repeatable = true,
                                  .timeout_ms = left_ms > 1 ? left_ms : 1};
    bool ok = !text_full(&body) || error_set(err, ERROR_LIMIT, "the queries are too long");
    ok = ok && aws_call_start(reading->metric->client, &request, &reading->call, err);
    text_done(&body);
    return ok;
}

static bool add_part(struct metric_reading *reading, struct cloudwatch_form *form,
                     const struct cloudwatch_side *side, enum part part, struct text *body,
                     struct error *err)
{
    const struct cloudwatch_config *config = reading->metric->config;
    const struct cloudwatch_query *query = part == GAUGE || part == BASELINE_GAUGE ? &config->gauge
                                           : part == CANARY_BAD || part == BASELINE_BAD
                                               ? config->bad
                                               : config->total;
    reading->asked[part] = true;
    return cloudwatch_form_query(form, side, parts[part].id, query, body, err) ||
           error_wrap(err, "%s", parts[part].words);
}

static bool add_side(struct metric_reading *reading, struct cloudwatch_form *form,
                     const struct cloudwatch_side *side, bool canary, struct text *body,
                     struct error *err)
{
    if (!cloudwatch_form_side(form, side, body, err))
        return false;
    if (!cloudwatch_is_rate(reading->metric->config))
        return add_part(reading, form, side, canary ? GAUGE : BASELINE_GAUGE, body, err);
    return add_part(reading, form, side, canary ? CANARY_BAD : BASELINE_BAD, body, err) &&
           add_part(reading, form, side, canary ? CANARY_TOTAL : BASELINE_TOTAL, body, err);
}

// Two names for one revision (a release again on the same commit) would count it twice.
static bool has_baseline(const struct cloudwatch_config *config,
                         const struct metric_question *question)
{
    bool can = config->bound.compare || (cloudwatch_is_rate(config) && cloudwatch_compares(config));
    return can && question->windows <= 1 && question->baseline.len &&
           !str_eq(question->baseline, question->revision);
}

static bool write_form(struct metric_reading *reading, const struct metric_question *question,
                       struct error *err)
{
    const struct metric *metric = reading->metric;
    struct cloudwatch_form form = {.config = metric->config,
                                   .variables = metric->setup.variables,
                                   .arena = &reading->arena,
                                   .target = question->target,
                                   .baseline = question->baseline};
    struct cloudwatch_side canary = {"canary", question->revision};
    struct cloudwatch_side baseline = {"baseline", question->baseline};
    struct text body = text_of(CLOUDWATCH_FORM_MOST);
    cloudwatch_form_begin(&reading->answer.span, &body);
    bool ok = add_side(reading, &form, &canary, true, &body, err) &&
              (!has_baseline(metric->config, question) ||
               add_side(reading, &form, &baseline, false, &body, err));
    if (ok)
        reading->form = arena_str(&reading->arena, text_str(&body));
    text_done(&body);
    return ok;
}

static bool start(struct metric *metric, const struct metric_question *question,
                  struct metric_reading **ret, struct error *err)
{
    const struct cloudwatch_config *config = metric->config;
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    int64_t period_ms = cloudwatch_period_ms(config), from_ms = question->from_ms;
    *reading = (struct metric_reading){.metric = metric,
                                       .history = question->windows > 1,
                                       .until_ms = now_ms(metric) + config->timeout_ms};
    if (reading->history)
        from_ms -= (int64_t)(question->windows - 1) * (question->to_ms - question->from_ms);
    struct cloudwatch_span span = cloudwatch_span_of(from_ms, question->to_ms, period_ms);
    for (size_t i = 0; i < PARTS; i++)
        reading->series[i].id = parts[i].id;
    cloudwatch_answer_begin(&reading->arena, &span, reading->series, PARTS, &reading->answer);
    // An interval that a bake's begin has cut short may hold the begin of no period: nothing is
    // asked, and there is no value.
    bool ok = span.count == 0 || (write_form(reading, question, err) && ask(reading, err));
    if (!ok) {
        drop(reading);
        return false;
    }
    *ret = reading;
    return true;
}

// ---- what came back ----------------------------------------------------------------------------

struct tally {
    double bad, total;
    size_t periods; // of which both are known
    const char *why;
};

// A period counts when both figures of it are known. Neither: nobody came, or nobody published;
// it adds nothing. One without the other is not zero, but unknown.
static struct tally tally(const struct metric_reading *reading, enum part bad, enum part total,
                          bool sparse)
{
    const double *bads = reading->series[bad].values, *totals = reading->series[total].values;
    struct tally sum = {0};
    for (size_t i = 0; i < reading->answer.span.count && !sum.why; i++) {
        double b = isnan(bads[i]) && sparse && !isnan(totals[i]) ? 0 : bads[i];
        if (isnan(b) && isnan(totals[i]))
            continue;
        if (isnan(b))
            sum.why = "no data point beside one of `total`; if that means none, say `sparse: true`";
        else if (isnan(totals[i]))
            sum.why = "a data point beside none of `total`";
        else if (b < 0 || totals[i] < 0)
            sum.why = "a negative count";
        sum.bad += b;
        sum.total += totals[i];
        sum.periods++;
    }
    return sum;
}

// Published by two clocks, a few of `bad` may fall into the period after that of their `total`.
static bool fits(double *bad, double total)
{
    bool close_by = *bad <= total * 1.1 + 1;
    if (*bad > total && close_by)
        *bad = total;
    return close_by;
}

static const char *nothing_known(const struct metric_reading *reading, struct arena *arena,
                                 enum part part)
{
    const struct cloudwatch_config *config = reading->metric->config;
    const struct cloudwatch_query *query = part == GAUGE ? &config->gauge : config->total;
    if (query->unit.len)
        return arena_format(arena, "%s: no data point with the unit " STR_FMT, parts[part].words,
                            STR_ARG(query->unit))
            .data;
    return arena_format(arena, "%s: no data point", parts[part].words).data;
}

static void sum_rate(const struct metric_reading *reading, struct arena *arena,
                     struct metric_sample *ret)
{
    bool sparse = reading->metric->config->bad->sparse;
    struct tally canary = tally(reading, CANARY_BAD, CANARY_TOTAL, sparse);
    struct tally baseline = tally(reading, BASELINE_BAD, BASELINE_TOTAL, sparse);
    enum part guilty = canary.why ? CANARY_BAD : BASELINE_BAD;
    const char *why = canary.why ? canary.why : baseline.why;
    if (why)
        ret->why = arena_format(arena, "%s: %s", parts[guilty].words, why).data;
    else if (canary.periods == 0)
        ret->why = nothing_known(reading, arena, CANARY_TOTAL);
    else if (!fits(&canary.bad, canary.total) || !fits(&baseline.bad, baseline.total))
        ret->why = "`bad` is larger than `total`: they do not count the same requests";
    else
        *ret = (struct metric_sample){
            .has_value = true, .counts = {canary.bad, canary.total, baseline.bad, baseline.total}};
}

// Of several periods the worst counts against a bound, and their mean where values are compared.
static double value_of(const struct metric_reading *reading, enum part part)
{
    const struct cloudwatch_series *series = &reading->series[part];
    double worst = -INFINITY, sum = 0;
    for (size_t i = 0; i < reading->answer.span.count; i++)
        if (!isnan(series->values[i])) {
            sum += series->values[i];
            worst = fmax(worst, series->values[i]);
        }
    if (series->points == 0)
        return NAN;
    return reading->metric->config->bound.compare ? sum / (double)series->points : worst;
}

static void sum_gauge(const struct metric_reading *reading, struct arena *arena,
                      struct metric_sample *ret)
{
    double value = value_of(reading, GAUGE);
    if (isnan(value))
        ret->why = nothing_known(reading, arena, GAUGE);
    else
        *ret = (struct metric_sample){
            .has_value = true, .value = value, .baseline = value_of(reading, BASELINE_GAUGE)};
}

static const double *kept(const struct metric_reading *reading, enum part part, enum part beside,
                          struct arena *arena)
{
    bool sparse =
        part == CANARY_BAD && reading->metric->config->bad && reading->metric->config->bad->sparse;
    size_t count = reading->answer.span.count;
    double *copy = ARENA_ARRAY(arena, double, count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = reading->series[part].values[i];
        if (sparse && isnan(copy[i]) && !isnan(reading->series[beside].values[i]))
            copy[i] = 0;
    }
    return copy;
}

static void sum_up(const struct metric_reading *reading, struct arena *arena,
                   struct metric_sample *ret)
{
    struct metric_sample sample = {0};
    if (reading->answer.span.count == 0)
        sample.why = "the interval is shorter than a period of CloudWatch";
    for (size_t i = 0; i < PARTS && !sample.why; i++) {
        const char *why =
            reading->asked[i] ? cloudwatch_answer_why(&reading->answer, &reading->series[i]) : NULL;
        if (why)
            sample.why = arena_format(arena, "%s: %s", parts[i].words, why).data;
    }
    if (!sample.why && cloudwatch_is_rate(reading->metric->config))
        sum_rate(reading, arena, &sample);
    else if (!sample.why)
        sum_gauge(reading, arena, &sample);
    if (sample.has_value && reading->history)
        sample.history =
            (struct metric_history){.count = reading->answer.span.count,
                                    .bad = kept(reading, CANARY_BAD, CANARY_TOTAL, arena),
                                    .total = kept(reading, CANARY_TOTAL, CANARY_TOTAL, arena),
                                    .value = kept(reading, GAUGE, GAUGE, arena)};
    *ret = sample;
}

// True when there is a further page, which is then asked for.
static enum progress turn_page(struct metric_reading *reading, const struct aws_answer *answer,
                               struct error *err)
{
    str next, before = reading->next;
    cloudwatch_answer_page(&reading->answer, answer->tree, &next);
    next = arena_str(&reading->arena, next); // the answer goes with its call
    aws_call_drop(reading->call);
    reading->call = NULL;
    if (!next.len)
        return PROGRESS_DONE;
    if (str_eq(next, before) || ++reading->pages >= PAGES_MOST) {
        (void)error_set(err, ERROR_REMOTE, "the answer of GetMetricData has no end");
        return PROGRESS_FAILED;
    }
    reading->next = next;
    return ask(reading, err) ? PROGRESS_PENDING : PROGRESS_FAILED;
}

static enum progress poll(struct metric_reading *reading, struct arena *arena,
                          struct metric_sample *ret, struct error *err)
{
    while (reading->call) {
        struct aws_answer answer;
        enum progress progress = aws_call_poll(reading->call, &answer, err);
        if (progress == PROGRESS_DONE)
            progress = turn_page(reading, &answer, err);
        else if (progress == PROGRESS_PENDING)
            return PROGRESS_PENDING;
        if (progress == PROGRESS_FAILED)
            return PROGRESS_FAILED;
    }
    sum_up(reading, arena, ret);
    return PROGRESS_DONE;
}

static int64_t wake_ms(const struct metric_reading *reading)
{
    return reading->call ? aws_call_wake_ms(reading->call) : 0;
}

const struct metric_kind cloudwatch_metric = {
    .name = "cloudwatch",
    .shape = &cloudwatch_shape,
    .traits = traits,
    .open = open,
    .start = start,
    .poll = poll,
    .wake_ms = wake_ms,
    .drop = drop,
    .close = close,
};
