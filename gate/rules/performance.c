// Load tests: what is demanded of endpoints, the verdicts that the tools gave themselves, endpoints
// that have vanished, and the soak test. Several reports are several runs.
#include "gate/base/moment.h"
#include "gate/rules/name_list.h"
#include "gate/rules/performance_runs.h"
#include "gate/rules/registry.h"

#include <math.h>
#include <stdlib.h>

// ---- endpoints ----------------------------------------------------------------------------------

static void say_missing(const struct rule_context *context, const struct endpoint_demand *demand,
                        const struct runs_list *list, struct findings *out)
{
    struct finding *finding =
        finding_add(out, "performance", context->in->on_missing,
                    "performance.endpoint[" STR_FMT "].missing", STR_ARG(demand->pattern));
    struct name_list names = name_list_of(5);
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].name.len)
            name_list_add(&names, str_shorten(list->items[i].name, 80));
    finding->message = finding_text(out, "No load test has requests named `" STR_FMT "`%s%s.",
                                    STR_ARG(demand->pattern), names.count ? "; there are: " : "",
                                    name_list_words(&names, out));
    finding->advice = "Test this endpoint, or name it as the report does.";
    name_list_done(&names);
}

static void judge_endpoints(const struct rule_context *context,
                            const struct performance_demands *demands, const struct runs_list *list,
                            struct findings *out)
{
    const struct endpoint_demand *items = demands->endpoints.items;
    bool *matched = ARENA_ARRAY(out->arena, bool, demands->endpoints.count + 1);
    for (size_t i = 0; i < list->count; i++) {
        const struct endpoint_demand *demand = endpoint_demand_of(demands, list->items[i].name);
        if (!demand)
            continue;
        matched[demand - items] = true;
        performance_judge_endpoint(context, demand, &list->items[i], out);
    }
    for (size_t i = 0; i < demands->endpoints.count; i++)
        if (!matched[i])
            say_missing(context, &items[i], list, out);
}

// ---- what was there before ----------------------------------------------------------------------

static int by_str(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool has_name(const struct runs_list *list, str name)
{
    for (size_t low = 0, high = list->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(list->items[middle].name, name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

// An endpoint that nobody measures any more gets slow unseen. One that the policy speaks of is
// missing evidence; of the rest it is said.
static void judge_vanished(const struct rule_context *context,
                           const struct performance_demands *demands, const struct runs_list *list,
                           struct findings *out)
{
    const struct history *history = context->in->history;
    const struct baseline *baseline = history ? history->baseline : NULL;
    size_t count = baseline ? baseline->timing_count : 0;
    str *names = ARENA_ARRAY(out->arena, str, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = baseline->timings[i].name;
    if (count)
        qsort(names, count, sizeof *names, by_str);
    for (size_t i = 0; i < count; i++) {
        if (names[i].len == 0 || (i && str_eq(names[i], names[i - 1])) || has_name(list, names[i]))
            continue;
        const struct endpoint_demand *demand = endpoint_demand_of(demands, names[i]);
        if (demand && str_eq(demand->pattern, names[i]))
            continue; // said as missing already
        struct finding *finding =
            finding_add(out, "performance", demand ? context->in->on_missing : VERDICT_WARN,
                        "performance.vanished[" STR_FMT "]", STR_ARG(names[i]));
        finding->message =
            finding_text(out, STR_FMT " is in the baseline%s, but no load test has it any more.",
                         STR_ARG(names[i]),
                         demand ? finding_text(out, " and the policy asks for it (`" STR_FMT "`)",
                                               STR_ARG(demand->pattern))
                                : "");
        finding->advice = "See that the load test still covers it.";
    }
}

// ---- the tools' own verdicts --------------------------------------------------------------------

static int by_check(const void *a, const void *b)
{
    const struct timing_check *const *x = a, *const *y = b;
    int order = str_cmp((*x)->name, (*y)->name);
    return order ? order : (*x > *y) - (*x < *y);
}

static const char *report_shown_of(const struct rule_context *context, uint32_t report,
                                   struct findings *out)
{
    const struct report *one = &context->in->evidence->reports[report];
    return one->entry ? finding_text(out, "%s!%s", one->path, one->entry) : one->path;
}

static void say_check(const struct rule_context *context, const struct timing_check *const *same,
                      size_t count, struct findings *out)
{
    const struct timing_check *first = NULL;
    size_t breached = 0;
    for (size_t i = 0; i < count; i++)
        if (same[i]->breached && breached++ == 0)
            first = same[i];
    struct finding *finding =
        finding_add(out, "performance", breached ? VERDICT_BLOCK : VERDICT_PASS,
                    "performance.check[" STR_FMT "]", STR_ARG(same[0]->name));
    finding->have = finding_text(out, "%zu", breached);
    finding->want = "0";
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->message =
        breached
            ? finding_text(out,
                           "The load test says itself that `" STR_FMT "` does not hold, "
                           "in %s%s.",
                           STR_ARG(same[0]->name), report_shown_of(context, first->report, out),
                           breached > 1 ? finding_text(out, " and %zu more", breached - 1) : "")
            : finding_text(out, "The load test says that `" STR_FMT "` holds.",
                           STR_ARG(same[0]->name));
    if (first)
        finding_place(out, finding, context->in->evidence->reports[first->report].path, 0, 0);
}

static void judge_checks(const struct rule_context *context, struct findings *out)
{
    const struct timings *timings = &context->in->evidence->timings;
    size_t count = timings->check_count;
    const struct timing_check **checks =
        ARENA_ARRAY(out->arena, const struct timing_check *, count + 1);
    for (size_t i = 0; i < count; i++)
        checks[i] = &timings->checks[i];
    qsort(checks, count, sizeof *checks, by_check);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && str_eq(checks[to]->name, checks[from]->name);)
            to++;
        say_check(context, &checks[from], to - from, out);
    }
}

// ---- the soak test ------------------------------------------------------------------------------

static void say_soak_rate(const struct rule_context *context, const struct soak_demand *soak,
                          const struct timing *row, struct findings *out)
{
    struct text percent = text_of(64);
    struct fraction least = {soak->error_rate.den - soak->error_rate.num, soak->error_rate.den};
    bool counted = row->counted && row->requests;
    bool pass = counted && fraction_at_least(row->requests - row->failures, row->requests, least);
    struct finding *finding = finding_add(out, "performance",
                                          pass      ? VERDICT_PASS
                                          : counted ? VERDICT_BLOCK
                                                    : context->in->on_missing,
                                          "performance.soak.error_rate");
    text_add_fraction_percent(&percent, soak->error_rate);
    finding->want = finding_text(out, "%s", text_c(&percent));
    text_done(&percent);
    if (!counted) {
        finding->message = finding_text(out,
                                        "The soak test in %s does not say how many requests "
                                        "failed.",
                                        report_shown_of(context, row->report, out));
        return;
    }
    finding->have = finding_text(out, "%llu/%llu", (unsigned long long)row->failures,
                                 (unsigned long long)row->requests);
    finding->sense = FIGURE_SMALLER_SHARE_IS_BETTER;
    finding->message = finding_text(out,
                                    "%llu of %llu requests of the soak test failed, %s "
                                    "allowed.",
                                    (unsigned long long)row->failures,
                                    (unsigned long long)row->requests, finding->want);
    if (!pass)
        finding->advice = "Look for what fails only after a while: leaks, pools that run dry.";
}

// The longest run is the soak test.
static void judge_soak(const struct rule_context *context, const struct soak_demand *soak,
                       struct findings *out)
{
    const struct timings *timings = &context->in->evidence->timings;
    const struct timing *longest = NULL;
    char have[32], want[32];
    for (size_t i = 0; i < timings->count; i++) {
        const struct timing *row = &timings->rows[i];
        if (row->name.len == 0 && !isnan(row->duration_s) &&
            (!longest || row->duration_s > longest->duration_s))
            longest = row;
    }
    (void)duration_words(soak->duration_ms, want);
    if (!longest) {
        struct finding *finding =
            finding_add(out, "performance", context->in->on_missing, "performance.soak.duration");
        finding->want = finding_text(out, "%s", want);
        finding->message = finding_text(out,
                                        "No load test says how long it ran: whether there was "
                                        "a soak test of %s is not known.",
                                        want);
        finding->advice =
            "Give the report of the soak test, as k6, JMeter, Locust or wrk write it.";
        return;
    }
    // A millisecond is what the tools themselves round to.
    double lasted_ms = fmin(round(longest->duration_s * 1e3), 9e15);
    bool pass = lasted_ms >= (double)soak->duration_ms;
    (void)duration_words((int64_t)lasted_ms, have);
    struct finding *finding = finding_add(out, "performance", pass ? VERDICT_PASS : VERDICT_BLOCK,
                                          "performance.soak.duration");
    finding->have = finding_text(out, "%s", have);
    finding->want = finding_text(out, "%s", want);
    finding->message = finding_text(out, "The longest load test ran for %s (%s), %s are asked for.",
                                    have, report_shown_of(context, longest->report, out), want);
    if (!pass)
        finding->advice = "Run the soak test to its end before the release.";
    if (soak->error_rate.den)
        say_soak_rate(context, soak, longest, out);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct performance_demands *demands = context->in->demands->performance;
    if (!demands || !context->in->evidence->has[EVIDENCE_TIMINGS])
        return; // that there is no evidence says rule `evidence`
    struct runs_list list = runs_of(out->arena, &context->in->evidence->timings);
    judge_endpoints(context, demands, &list, out);
    judge_vanished(context, demands, &list, out);
    judge_checks(context, out);
    if (demands->soak)
        judge_soak(context, demands->soak, out);
}

const struct rule rule_performance = {"performance", "Performance", judge};
