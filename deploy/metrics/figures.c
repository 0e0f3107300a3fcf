#include "deploy/metrics/figures.h"

#include "deploy/metrics/names.h"
#include "gate/base/moment.h"

#include <math.h>

static const char *const figure_names[FIGURES] = {
    [FIGURE_CANARY_BAD] = "`bad` of the release",
    [FIGURE_CANARY_TOTAL] = "`total` of the release",
    [FIGURE_BASELINE_BAD] = "`bad` of the baseline",
    [FIGURE_BASELINE_TOTAL] = "`total` of the baseline",
    [FIGURE_VALUE] = "`query`",
    [FIGURE_BASELINE_VALUE] = "`query` of the baseline",
    [FIGURE_BURN_BAD] = "`bad` over 1h",
    [FIGURE_BURN_BAD + 1] = "`bad` over 5m",
    [FIGURE_BURN_BAD + 2] = "`bad` over 6h",
    [FIGURE_BURN_BAD + 3] = "`bad` over 30m",
    [FIGURE_BURN_TOTAL] = "`total` over 1h",
    [FIGURE_BURN_TOTAL + 1] = "`total` over 5m",
    [FIGURE_BURN_TOTAL + 2] = "`total` over 6h",
    [FIGURE_BURN_TOTAL + 3] = "`total` over 30m",
};

const char *figure_words(enum figure figure)
{
    return figure_names[figure];
}

bool figure_is_bad(enum figure figure)
{
    return figure == FIGURE_CANARY_BAD || figure == FIGURE_BASELINE_BAD ||
           (figure >= FIGURE_BURN_BAD && figure < FIGURE_BURN_TOTAL);
}

bool figure_is_value(enum figure figure)
{
    return figure == FIGURE_VALUE || figure == FIGURE_BASELINE_VALUE;
}

void figures_begin(struct figures *figures, const struct metric_question *question)
{
    int64_t window_ms = question->to_ms - question->from_ms;
    *figures = (struct figures){
        .windows = question->windows, .step_ms = window_ms, .to_ms = question->to_ms};
    if (figures->windows > 1)
        figures->first_ms = question->to_ms - (int64_t)(figures->windows - 1) * window_ms;
}

void figures_done(struct figures *figures)
{
    arena_done(&figures->arena);
}

// ---- asking -----------------------------------------------------------------------------------

static bool ask_one(struct figures *figures, enum figure figure, figures_ask_one ask, void *self,
                    const struct metric_question *question, int64_t window_ms, str revision,
                    struct error *err)
{
    if (!ask(self, figure, question, window_ms, revision, err))
        return error_wrap(err, "%s", figure_names[figure]);
    figures->of[figure].is_asked = true;
    return true;
}

static bool ask_burn(struct figures *figures, figures_ask_one ask, void *self,
                     const struct metric_question *question, struct error *err)
{
    for (int i = 0; i < BURN_WINDOWS; i++)
        if (!ask_one(figures, (enum figure)(FIGURE_BURN_BAD + i), ask, self, question,
                     burn_window_ms(i), question->revision, err) ||
            !ask_one(figures, (enum figure)(FIGURE_BURN_TOTAL + i), ask, self, question,
                     burn_window_ms(i), question->revision, err))
            return false;
    return true;
}

// Of the release; and of the baseline, where the question is one of now and the two can be told
// apart. Two names for one revision (a release again on the same commit) would count it twice.
bool figures_ask(struct figures *figures, const struct figures_wanted *wanted,
                 const struct metric_question *question, figures_ask_one ask, void *self,
                 struct error *err)
{
    static const enum figure of_rate[] = {FIGURE_CANARY_BAD, FIGURE_BASELINE_BAD,
                                          FIGURE_CANARY_TOTAL, FIGURE_BASELINE_TOTAL};
    static const enum figure of_value[] = {FIGURE_VALUE, FIGURE_BASELINE_VALUE};
    const enum figure *all = wanted->is_rate ? of_rate : of_value;
    int64_t window_ms = question->to_ms - question->from_ms;
    bool both = wanted->of_baseline && figures->windows <= 1 && question->baseline.len &&
                !str_eq(question->baseline, question->revision);
    if (window_ms <= 0)
        return error_set(err, ERROR_INPUT, "the interval asked for is empty");
    if (wanted->burns)
        return ask_burn(figures, ask, self, question, err);
    for (size_t i = 0; i < (wanted->is_rate ? 4 : 2); i += both ? 1 : 2)
        if (!ask_one(figures, all[i], ask, self, question, window_ms,
                     i % 2 ? question->baseline : question->revision, err))
            return false;
    return true;
}

static void add_moment(struct text *body, const char *key, int64_t ms)
{
    text_addf(body, "%s=%lld.%03lld&", key, (long long)(ms / 1000), (long long)(ms % 1000));
}

static void add_moments(const struct figures *figures, int64_t to_ms, struct text *body)
{
    if (figures->windows <= 1) {
        add_moment(body, "time", to_ms);
        return;
    }
    add_moment(body, "start", figures->first_ms);
    add_moment(body, "end", to_ms);
    add_moment(body, "step", figures->step_ms);
}

bool figures_promql(struct figures *figures, str source, const struct template_value *env,
                    const struct metric_question *question, int64_t window_ms, str revision,
                    struct text *body, struct error *err)
{
    char window[32];
    struct template_value own[] = {{"revision", revision},
                                   {"baseline", question->baseline},
                                   {"target", question->target},
                                   {"window", str_of(duration_format(window_ms, window))},
                                   {0}};
    struct template_value form[] = {{"query", {0}}, {0}};
    struct text query = text_of(FIGURES_PROMQL_MOST);
    bool ok = template_expand(source, names_join(&figures->arena, env, own), TEMPLATE_PROMQL,
                              &query, err);
    form[0].value = text_str(&query);
    add_moments(figures, question->to_ms, body);
    text_adds(body, "query=");
    ok = ok && template_expand(STR("${query}"), form, TEMPLATE_URL, body, err);
    text_done(&query);
    return ok;
}

// ---- what came back ---------------------------------------------------------------------------

void figures_answer(struct figures *figures, enum figure figure, long status, str body)
{
    struct figure_found *at = &figures->of[figure];
    if (figures->windows <= 1) {
        at->usable = prometheus_number(&figures->arena, status, body, &at->found, &at->why);
        return;
    }
    at->values = ARENA_ARRAY(&figures->arena, double, figures->windows);
    at->usable = prometheus_range(&figures->arena, status, body, figures->first_ms,
                                  figures->step_ms, figures->windows, at->values, &at->why);
}

// The first part that has no usable number, in words; null when all have one.
static const char *missing(const struct figures *figures, struct arena *arena)
{
    for (size_t i = 0; i < FIGURES; i++) {
        const struct figure_found *asked = &figures->of[i];
        bool no_baseline = (i == FIGURE_BASELINE_BAD || i == FIGURE_BASELINE_TOTAL) &&
                           figures->of[FIGURE_BASELINE_TOTAL].usable &&
                           figures->of[FIGURE_BASELINE_TOTAL].found.empty;
        if (!asked->is_asked || no_baseline)
            continue;
        if (!asked->usable)
            return arena_format(arena, "%s: %s", figure_names[i], asked->why).data;
        if (asked->values || (i == FIGURE_BASELINE_VALUE && asked->found.empty))
            continue;
        if (asked->found.empty)
            return arena_format(arena, "%s: no series%s", figure_names[i],
                                figure_is_bad((enum figure)i) ? figures->none_hint : "")
                .data;
        if (i != FIGURE_VALUE && i != FIGURE_BASELINE_VALUE && asked->found.number < 0)
            return arena_format(arena, "%s: a negative count", figure_names[i]).data;
    }
    return NULL;
}

// Prometheus extrapolates each series by itself, so that with all requests bad `bad` may come out a
// little above `total`. More than a little means that the queries do not count the same thing.
static bool fit(double *bad, double total)
{
    bool close_by = *bad <= total * 1.1 + 1;
    if (*bad > total && close_by)
        *bad = total;
    return close_by;
}

static const double *kept(const struct figures *figures, enum figure figure, struct arena *arena)
{
    const double *values = figures->of[figure].values;
    double *copy = ARENA_ARRAY(arena, double, figures->windows);
    for (uint32_t i = 0; i < figures->windows; i++)
        copy[i] = values ? values[i] : NAN;
    return copy;
}

static struct metric_history history_of(const struct figures *figures, struct arena *arena)
{
    return (struct metric_history){.count = figures->windows,
                                   .bad = kept(figures, FIGURE_CANARY_BAD, arena),
                                   .total = kept(figures, FIGURE_CANARY_TOTAL, arena),
                                   .value = kept(figures, FIGURE_VALUE, arena)};
}

void figures_sum(const struct figures *figures, struct arena *arena, struct metric_sample *ret)
{
    const struct figure_found *asked = figures->of;
    struct metric_sample sample = {.why = missing(figures, arena)};
    for (size_t i = 0; i < FIGURES; i++)
        sample.unanswered |= asked[i].is_asked && !asked[i].usable;
    if (!sample.why) {
        sample.has_value = true;
        sample.value = asked[FIGURE_VALUE].found.number;
        bool compared =
            asked[FIGURE_BASELINE_VALUE].usable && !asked[FIGURE_BASELINE_VALUE].found.empty;
        sample.baseline = compared ? asked[FIGURE_BASELINE_VALUE].found.number : NAN;
        sample.counts = (struct counts){
            asked[FIGURE_CANARY_BAD].found.number, asked[FIGURE_CANARY_TOTAL].found.number,
            asked[FIGURE_BASELINE_BAD].found.number, asked[FIGURE_BASELINE_TOTAL].found.number};
        bool fits = fit(&sample.counts.canary_bad, sample.counts.canary_total) &&
                    fit(&sample.counts.baseline_bad, sample.counts.baseline_total);
        for (int i = 0; i < BURN_WINDOWS; i++) {
            sample.burn[i] = (struct burn_counts){asked[FIGURE_BURN_BAD + i].found.number,
                                                  asked[FIGURE_BURN_TOTAL + i].found.number};
            fits = fit(&sample.burn[i].bad, sample.burn[i].total) && fits;
        }
        if (!fits)
            sample = (struct metric_sample){
                .why = "`bad` is larger than `total`: they do not count the same requests"};
    }
    if (sample.has_value && figures->windows > 1)
        sample.history = history_of(figures, arena);
    *ret = sample;
}
