#include "deploy/metrics/cloud_monitoring_series.h"

#include "deploy/cloud/google_call.h"
#include "deploy/metrics/names.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"

#include <math.h>

enum { FILTER_MOST = 8192 };

int64_t monitoring_series_period_ms(const struct figures *figures)
{
    return figures->step_ms / MS_SECOND * MS_SECOND;
}

static void add_parameter(struct text *path, const char *name, str value)
{
    text_addf(path, "&%s=", name);
    google_path_add(path, value);
}

// The filter language knows no other escapes within double quotes.
static const struct template_value *escaped(struct arena *arena,
                                            const struct template_value *values)
{
    size_t count = 0;
    while (values[count].name)
        count++;
    struct template_value *all = ARENA_ARRAY(arena, struct template_value, count + 1);
    for (size_t i = 0; i < count; i++) {
        str value = values[i].value;
        struct text out = text_of(2 * value.len + 1);
        for (size_t k = 0; k < value.len; k++) {
            if (value.data[k] == '"' || value.data[k] == '\\')
                text_addc(&out, '\\');
            text_addc(&out, value.data[k]);
        }
        all[i] = (struct template_value){values[i].name, arena_str(arena, text_str(&out))};
        text_done(&out);
    }
    return all;
}

bool monitoring_series_path(struct figures *figures, str project,
                            const struct monitoring_query *query, const struct template_value *env,
                            const struct metric_question *question, str revision, struct text *path,
                            struct error *err)
{
    char start[MOMENT_TEXT], end[MOMENT_TEXT];
    int64_t period_ms = monitoring_series_period_ms(figures);
    int64_t count = figures->windows > 1 ? figures->windows : 1;
    struct template_value own[] = {{"revision", revision},
                                   {"baseline", question->baseline},
                                   {"target", question->target},
                                   {0}};
    struct text filter = text_of(FILTER_MOST);
    const struct template_value *values =
        escaped(&figures->arena, names_join(&figures->arena, env, own));
    bool ok = template_expand(query->filter, values, TEMPLATE_PLAIN, &filter, err);
    text_adds(path, "/v3/projects/");
    google_path_add(path, project);
    text_adds(path, "/timeSeries?filter=");
    google_path_add(path, text_str(&filter));
    add_parameter(path, "interval.startTime",
                  str_of(moment_format(figures->to_ms - count * period_ms, start)));
    add_parameter(path, "interval.endTime", str_of(moment_format(figures->to_ms, end)));
    text_addf(path, "&aggregation.alignmentPeriod=%llds", (long long)(period_ms / MS_SECOND));
    add_parameter(path, "aggregation.perSeriesAligner", query->aligner);
    if (query->reducer.len)
        add_parameter(path, "aggregation.crossSeriesReducer", query->reducer);
    text_done(&filter);
    return ok && (!text_full(path) || error_set(err, ERROR_LIMIT, "the filter is too long"));
}

static bool read_value(const struct node *value, double *ret)
{
    static const char *const kinds[] = {"doubleValue", "int64Value"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct node *node = node_get(value, kinds[i]);
        if (node)
            return number_double(node->text, ret);
    }
    return false;
}

// Windows of alignment end with the interval and go back from there.
static const char *add_points(const struct figures *figures, const struct node *series,
                              double *values, size_t count)
{
    int64_t period_ms = monitoring_series_period_ms(figures);
    const struct node *points = node_get(series, "points");
    for (const struct node *n = points ? points->first : NULL; n; n = n->next) {
        int64_t end_ms;
        double number;
        if (!moment_parse(node_text(node_get(n, "interval"), "endTime"), &end_ms))
            return "a point without a time";
        if (!read_value(node_get(n, "value"), &number))
            return "a point that is no number: a distribution needs an aligner such as "
                   "`ALIGN_PERCENTILE_95`";
        int64_t back_ms = figures->to_ms - end_ms + period_ms / 2;
        int64_t back = back_ms >= 0 ? back_ms / period_ms : (int64_t)count;
        if (back >= (int64_t)count)
            continue; // a window that begins before what was asked for
        double *at = &values[count - 1 - (size_t)back];
        if (!isnan(*at))
            return "two points of one moment";
        *at = number;
    }
    return NULL;
}

static const char *read_answer(struct figures *figures, const struct node *tree, double *values,
                               size_t count)
{
    const struct node *all = node_get(tree, "timeSeries");
    const struct node *errors = node_get(tree, "executionErrors");
    if (!tree || tree->kind != NODE_MAP)
        return "not an answer of timeSeries.list";
    if (errors && errors->first)
        return arena_format(&figures->arena, "only a part of the data was told: " STR_FMT,
                            STR_ARG(str_shorten(node_text(errors->first, "message"), 200)))
            .data;
    if (all && all->count > 1)
        return arena_format(&figures->arena,
                            "the filter gives %zu series, not one: give a `reducer`", all->count)
            .data;
    if (node_text(tree, "nextPageToken").len)
        return "only a part of the data was told: it has a further page";
    return all && all->first ? add_points(figures, all->first, values, count) : NULL;
}

void monitoring_series_answer(struct figures *figures, enum figure figure, const struct node *tree)
{
    struct figure_found *at = &figures->of[figure];
    size_t count = figures->windows > 1 ? figures->windows : 1;
    double *values = ARENA_ARRAY(&figures->arena, double, count);
    for (size_t i = 0; i < count; i++)
        values[i] = NAN;
    at->why = read_answer(figures, tree, values, count);
    at->usable = !at->why;
    if (figures->windows > 1)
        at->values = values;
    else
        at->found = (struct prometheus_found){.empty = isnan(values[0]),
                                              .number = isnan(values[0]) ? 0 : values[0]};
}

static void settle(struct figures *figures, enum figure bad, enum figure total)
{
    struct figure_found *of_bad = &figures->of[bad], *of_total = &figures->of[total];
    if (!of_bad->usable || !of_total->usable)
        return;
    if (!of_bad->values && of_bad->found.empty && !of_total->found.empty)
        of_bad->found = (struct prometheus_found){0};
    for (uint32_t i = 0; of_bad->values && of_total->values && i < figures->windows; i++)
        if (isnan(of_bad->values[i]) && !isnan(of_total->values[i]))
            of_bad->values[i] = 0;
}

void monitoring_series_settle(struct figures *figures, bool sparse)
{
    if (!sparse)
        return;
    settle(figures, FIGURE_CANARY_BAD, FIGURE_CANARY_TOTAL);
    settle(figures, FIGURE_BASELINE_BAD, FIGURE_BASELINE_TOTAL);
}
