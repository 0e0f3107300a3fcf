// Slower than the baseline? Plainly by the medians of both sides, or by Mann-Whitney's test, which
// needs runs on both sides and says what it cannot see. Where it cannot be judged, that is said and
// never a pass: on hold when runs of this commit are lacking, a warning when the record is too
// short (it grows only with what passes).
#include "gate/judge/mann_whitney.h"
#include "gate/rules/performance_runs.h"

#include <math.h>

#define LEVEL 0.05 // of the one-sided test
#define POWER 0.8  // with which an increase is called visible

struct comparison {
    const struct rule_context *context;
    const struct endpoint_demand *demand;
    struct findings *out;
    const char *shown, *figure, *allowed;
    double *now, *before;
    size_t now_count, before_count;
    double limit; // of the relative increase
};

static const enum timing_figure recorded[] = {FIGURE_P95, FIGURE_P99, FIGURE_P50, FIGURE_MEAN};
#define RECORDED (sizeof recorded / sizeof *recorded)

static double recorded_figure(const struct history_timing *row, enum timing_figure figure)
{
    return figure == FIGURE_P95   ? row->p95_ms
           : figure == FIGURE_P99 ? row->p99_ms
           : figure == FIGURE_P50 ? row->p50_ms
                                  : row->mean_ms;
}

// The first one that is demanded, else the first one that the reports say.
static enum timing_figure choose_figure(const struct endpoint_demand *demand,
                                        const struct runs *runs, struct arena *arena)
{
    double *values;
    for (size_t i = 0; i < RECORDED; i++)
        if (demand->most_ms[recorded[i]])
            return recorded[i];
    for (size_t i = 0; i < RECORDED; i++)
        if (runs_figures(arena, runs, recorded[i], &values))
            return recorded[i];
    return FIGURE_P95;
}

static void take_before(struct comparison *c, const struct baseline *baseline, str name,
                        enum timing_figure figure)
{
    c->before = ARENA_ARRAY(c->out->arena, double, baseline->timing_count + 1);
    for (size_t i = 0; i < baseline->timing_count; i++) {
        double value = recorded_figure(&baseline->timings[i], figure);
        if (str_eq(baseline->timings[i].name, name) && !isnan(value))
            c->before[c->before_count++] = value;
    }
}

static struct finding *say(const struct comparison *c, enum verdict verdict)
{
    struct finding *finding =
        finding_add(c->out, "performance", verdict, "performance.endpoint[%s].increase", c->shown);
    finding->want = c->allowed;
    return finding;
}

// Rounded up: what is just over a limit never looks like it.
static const char *percent(const struct comparison *c, double share)
{
    double tenths = ceil(share * 1000 - 1e-9);
    return finding_text(c->out, "%.1f %%", tenths / 10);
}

static const char *visible_words(const struct comparison *c, double visible)
{
    size_t fewer = c->now_count < c->before_count ? c->now_count : c->before_count;
    if (isinf(visible))
        return finding_text(c->out, "%zu %s cannot tell an increase however large from chance.",
                            fewer, fewer == 1 ? "run" : "runs");
    return finding_text(c->out, "%zu runs %s see %s: the smallest visible increase is %s.", fewer,
                        visible > c->limit ? "cannot" : "can", c->allowed, percent(c, visible));
}

// The noisier side decides what can be seen.
static double visible_increase(const struct comparison *c)
{
    double noise = fmax(relative_noise(c->out->arena, c->now, c->now_count),
                        relative_noise(c->out->arena, c->before, c->before_count));
    return mann_whitney_visible(c->now_count, c->before_count, noise, LEVEL, POWER);
}

static void say_too_few(const struct comparison *c)
{
    bool ours = c->now_count < (size_t)c->demand->min_runs;
    struct finding *finding = say(c, ours ? VERDICT_HOLD : VERDICT_WARN);
    finding->message = finding_text(
        c->out,
        "Whether %s of %s increased cannot be judged: there are %zu runs of this commit and "
        "%zu of the baseline, %lld of each are asked for. %s",
        c->figure, c->shown, c->now_count, c->before_count, (long long)c->demand->min_runs,
        visible_words(c, visible_increase(c)));
    finding->advice = ours ? "Run the load test more often and give all of its reports, one for "
                             "each run."
                           : "Each release that passes adds its runs to the baseline.";
}

static void judge_tested(const struct comparison *c)
{
    struct mann_whitney test;
    double base = median_of(c->out->arena, c->before, c->before_count);
    if (!(base > 0) || !mann_whitney(c->out->arena, c->now, c->now_count, c->before,
                                     c->before_count, 0.95, &test)) {
        say(c, VERDICT_WARN)->message =
            finding_text(c->out,
                         "The baseline of %s of %s is 0: nothing can be said of an "
                         "increase.",
                         c->figure, c->shown);
        return;
    }
    double increase = test.shift / base, visible = visible_increase(c);
    bool slower = increase > c->limit, proven = test.p_greater < LEVEL;
    enum verdict verdict = slower && proven               ? VERDICT_BLOCK
                           : slower || visible > c->limit ? VERDICT_WARN
                                                          : VERDICT_PASS;
    struct finding *finding = say(c, verdict);
    finding->have = percent(c, increase);
    finding->message = finding_text(
        c->out,
        "%s of %s changed by %s (95 %% interval %s to %s, p = %.2g, Mann-Whitney with %zu "
        "and %zu runs), %s allowed. %s",
        c->figure, c->shown, finding->have, percent(c, test.low / base),
        percent(c, test.high / base), test.p_greater, c->now_count, c->before_count, c->allowed,
        visible_words(c, visible));
    if (verdict == VERDICT_BLOCK)
        finding->advice = "Find what became slow since the baseline.";
    else if (verdict == VERDICT_WARN)
        finding->advice = "More runs, or a quieter machine, show smaller increases.";
}

static void judge_medians(const struct comparison *c)
{
    struct arena *arena = c->out->arena;
    double now = median_of(arena, c->now, c->now_count);
    double before = median_of(arena, c->before, c->before_count);
    bool pass = now <= before * (1 + c->limit) || (now - before) / before <= c->limit;
    struct finding *finding = say(c, pass ? VERDICT_PASS : VERDICT_BLOCK);
    finding->have = before > 0 ? percent(c, (now - before) / before) : runs_ms(c->out, now);
    finding->message = finding_text(
        c->out, "%s of %s is %s%s, and was %s%s: %s, %s allowed.", c->figure, c->shown,
        runs_ms(c->out, now), runs_where(c->out, c->now_count), runs_ms(c->out, before),
        runs_where(c->out, c->before_count),
        before > 0 ? finding_text(c->out, "a change of %s", finding->have) : "from nothing",
        c->allowed);
    if (!pass)
        finding->advice = "Find what became slow since the baseline; `compare: mann-whitney` with "
                          "several runs tells it from chance.";
}

// There is nothing to compare with: said, and never guessed.
static bool say_absent(const struct comparison *c)
{
    const struct history *history = c->context->in->history;
    const char *why = NULL;
    if (!history || !history->baseline)
        why = finding_text(c->out, "There is no baseline to compare with%s%s",
                           history && history->baseline_unknown ? ": " : ".",
                           history && history->baseline_unknown ? history->baseline_unknown : "");
    else if (c->before_count == 0)
        why = finding_text(c->out, "The baseline does not have %s of %s: it is new.", c->figure,
                           c->shown);
    if (!why)
        return false;
    struct finding *finding = say(c, VERDICT_WARN);
    finding->message = finding_text(c->out, "%s Whether %s of %s increased cannot be judged.", why,
                                    c->figure, c->shown);
    finding->advice = "A recorded run of the default branch that passed becomes the baseline.";
    return true;
}

void performance_judge_increase(const struct rule_context *context,
                                const struct endpoint_demand *demand, const struct runs *runs,
                                struct findings *out)
{
    const struct history *history = context->in->history;
    enum timing_figure figure = choose_figure(demand, runs, out->arena);
    struct text allowed = text_of(64);
    text_add_fraction_percent(&allowed, demand->max_increase);
    struct comparison c = {.context = context,
                           .demand = demand,
                           .out = out,
                           .shown = runs_shown(out, runs->name),
                           .figure = timing_figure_name(figure),
                           .allowed = finding_text(out, "%s", text_c(&allowed)),
                           .limit =
                               (double)demand->max_increase.num / (double)demand->max_increase.den};
    text_done(&allowed);
    c.now_count = runs_figures(out->arena, runs, figure, &c.now);
    if (history && history->baseline)
        take_before(&c, history->baseline, runs->name, figure);
    if (c.now_count == 0) {
        struct finding *finding = say(&c, context->in->on_missing);
        finding->message = finding_text(out,
                                        "No report says `%s` of %s: an increase cannot be "
                                        "judged.",
                                        c.figure, c.shown);
        return;
    }
    if (say_absent(&c))
        return;
    if (demand->compare == COMPARE_MEDIANS)
        judge_medians(&c);
    else if (c.now_count < (size_t)demand->min_runs || c.before_count < (size_t)demand->min_runs)
        say_too_few(&c);
    else
        judge_tested(&c);
}
