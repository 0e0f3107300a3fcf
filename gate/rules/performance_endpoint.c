// What is demanded of one endpoint: times, queries, failures. Of several runs the median is judged,
// so that one slow run neither blocks nor hides anything; queries by the worst run, because they do
// not depend on luck; failures over all runs together.
#include "gate/judge/mann_whitney.h"
#include "gate/rules/performance_runs.h"

#include <math.h>

static void say_unsaid(const struct rule_context *context, const struct runs *runs,
                       const char *what, const char *advice, struct findings *out)
{
    struct finding *finding =
        finding_add(out, "performance", context->in->on_missing, "performance.endpoint[%s].%s",
                    runs_shown(out, runs->name), what);
    finding->message = finding_text(out, "No report says `%s` of %s, which is demanded.", what,
                                    runs_shown(out, runs->name));
    finding->advice = advice;
}

static const char *const figure_advice =
    "Let the load test report it (k6: summaryTrendStats; JMeter and Gatling have it; wrk: "
    "--latency).";

static void judge_time(const struct rule_context *context, const struct runs *runs,
                       enum timing_figure figure, int64_t most_ms, struct findings *out)
{
    const char *name = timing_figure_name(figure), *shown = runs_shown(out, runs->name);
    double *values;
    size_t count = runs_figures(out->arena, runs, figure, &values);
    if (count == 0) {
        say_unsaid(context, runs, name, figure_advice, out);
        return;
    }
    double have = median_of(out->arena, values, count);
    bool pass = have <= (double)most_ms;
    struct finding *finding = finding_add(out, "performance", pass ? VERDICT_PASS : VERDICT_BLOCK,
                                          "performance.endpoint[%s].%s", shown, name);
    finding->have = runs_ms(out, have);
    finding->want = finding_text(out, "%lld ms", (long long)most_ms);
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->message = finding_text(out, "%s of %s is %s%s, %lld ms allowed.", name, shown,
                                    finding->have, runs_where(out, count), (long long)most_ms);
    if (!pass)
        finding->advice = "Find what became slow, or set a limit that it can keep.";
}

// The most that the newest recorded runs had; NaN = not said.
static double queries_before(const struct rule_context *context, str name)
{
    const struct history *history = context->in->history;
    const struct baseline *baseline = history ? history->baseline : NULL;
    double most = NAN;
    for (size_t i = 0; baseline && i < baseline->timing_count; i++)
        if (str_eq(baseline->timings[i].name, name))
            most = fmax(most, baseline->timings[i].queries); // fmax passes NaN over
    return most;
}

static void judge_queries(const struct rule_context *context, const struct runs *runs,
                          int64_t allowed, struct findings *out)
{
    const char *shown = runs_shown(out, runs->name);
    double most = NAN;
    for (size_t i = 0; i < runs->count; i++)
        most = fmax(most, runs->rows[i]->queries);
    if (isnan(most)) {
        say_unsaid(context, runs, "queries",
                   "Count the queries of each request in a k6 trend `queries` with the tags of "
                   "the requests.",
                   out);
        return;
    }
    bool pass = most <= (double)allowed;
    double before = queries_before(context, runs->name);
    struct finding *finding = finding_add(out, "performance", pass ? VERDICT_PASS : VERDICT_BLOCK,
                                          "performance.endpoint[%s].queries", shown);
    finding->have = finding_text(out, "%.12g", most);
    finding->want = finding_text(out, "%lld", (long long)allowed);
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->message = finding_text(
        out, "One request of %s made %s database queries, %s allowed%s.", shown, finding->have,
        finding->want, isnan(before) ? "" : finding_text(out, "; the baseline had %.12g", before));
    if (!pass)
        finding->advice = "Look for a query in a loop: load what belongs together in one query.";
}

static void judge_errors(const struct rule_context *context, const struct runs *runs,
                         struct fraction most, struct findings *out)
{
    const char *shown = runs_shown(out, runs->name);
    uint64_t failures = 0, requests = 0;
    struct text percent = text_of(64);
    for (size_t i = 0; i < runs->count; i++) {
        if (!runs->rows[i]->counted ||
            __builtin_add_overflow(requests, runs->rows[i]->requests, &requests))
            continue;
        failures += runs->rows[i]->failures;
    }
    if (requests == 0) {
        say_unsaid(context, runs, "error_rate", "Let the load test count what failed.", out);
        return;
    }
    // At most so many failed: at least the rest did not.
    struct fraction least = {most.den - most.num, most.den};
    bool pass = fraction_at_least(requests - failures, requests, least);
    struct finding *finding = finding_add(out, "performance", pass ? VERDICT_PASS : VERDICT_BLOCK,
                                          "performance.endpoint[%s].error_rate", shown);
    text_add_fraction_percent(&percent, most);
    finding->have =
        finding_text(out, "%llu/%llu", (unsigned long long)failures, (unsigned long long)requests);
    finding->want = finding_text(out, "%s", text_c(&percent));
    finding->sense = FIGURE_SMALLER_SHARE_IS_BETTER;
    finding->message =
        finding_text(out, "%llu of %llu requests%s failed, %s allowed.",
                     (unsigned long long)failures, (unsigned long long)requests,
                     runs->name.len ? finding_text(out, " of %s", shown) : "", finding->want);
    if (!pass)
        finding->advice = "Look at what failed in the load test before its times.";
    text_done(&percent);
}

void performance_judge_endpoint(const struct rule_context *context,
                                const struct endpoint_demand *demand, const struct runs *runs,
                                struct findings *out)
{
    for (int i = 0; i < TIMING_FIGURES; i++)
        if (demand->most_ms[i])
            judge_time(context, runs, (enum timing_figure)i, demand->most_ms[i], out);
    if (demand->max_increase.den)
        performance_judge_increase(context, demand, runs, out);
    if (demand->queries_given)
        judge_queries(context, runs, demand->queries, out);
    if (demand->error_rate.den)
        judge_errors(context, runs, demand->error_rate, out);
}
