#include "actions/cli/preflight.h"

#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"
#include "gate/judge/mann_whitney.h"

#include <math.h>

enum {
    ASK_MS = 30000,  // for the metrics' answers
    LOOK_MS = 30000, // for one target
    SAID_MOST = 20,  // troubles that are said one by one
};

// ---- what each step can see --------------------------------------------------------------------

// What is called today's traffic. A release that has been live for less than the longer span has
// answered in a part of it only: of the two rates the higher one counts.
static const int spans_min[] = {10, 1};
enum { SPANS = sizeof spans_min / sizeof spans_min[0] };
// And how it comes: so many intervals of the metric's own length. Two hours at one a minute.
enum { HISTORY_WINDOWS = 120, HISTORY = SPANS, QUESTIONS };

struct asked { // one question about one watch
    const struct run_metric *metric;
    int span_min;                   // of a span; 0: of the history
    struct metric_reading *reading; // null = not asked, or answered
};

struct found { // about one watch
    struct detect_traffic traffic;
    struct dispersion known;
};

// What a metric counts in ordinary times, for the release that is live. Sources that make their own
// requests say how many.
static void ask(const struct deployment *d, const struct stage_run *run,
                const struct metric_settings *settings, size_t metric,
                const struct plan_target *target, int question_index, struct asked *ret)
{
    bool history = question_index == HISTORY;
    struct metric_traits traits = {0};
    struct error ignored;
    settings->kind->traits(settings->config, &traits);
    ret->metric = &run->metrics[metric];
    ret->span_min = history ? 0 : spans_min[question_index];
    bool answers = history ? traits.has_history : traits.is_rate && traits.expected_per_minute <= 0;
    if (!answers || target->good.revision.len == 0)
        return;
    int64_t now = deployment_now(d);
    int64_t span_ms = history ? traits.every_ms : ret->span_min * MS_MINUTE;
    struct metric_question question = {
        .target = target->name,
        .revision = target->good.revision,
        .from_ms = now - span_ms - traits.lag_ms,
        .to_ms = now - traits.lag_ms,
        .windows = history ? HISTORY_WINDOWS : 1,
    };
    if (!ret->metric->kind->start(ret->metric->metric, &question, &ret->reading, &ignored))
        ret->reading = NULL;
}

static void drop(struct asked *one)
{
    if (one->reading)
        one->metric->kind->drop(one->reading);
    one->reading = NULL;
}

static void learn_history(const struct metric_history *history, struct arena *arena,
                          struct found *ret)
{
    double *values = ARENA_ARRAY(arena, double, history->count);
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++) {
        (void)dispersion_add(&ret->known, history->bad[i], history->total[i]);
        if (isfinite(history->value[i]))
            values[count++] = history->value[i];
    }
    if (count >= COMPARE_LEAST)
        ret->traffic.noise = relative_noise(arena, values, count);
}

static void learn_span(double bad, double total, int span_min, struct detect_traffic *ret)
{
    if (!(total > 0))
        return;
    if (total / span_min > ret->per_minute)
        ret->per_minute = total / span_min;
    if (total > ret->seen) { // the share is known best where most were counted
        ret->bad_share = bad / total;
        ret->seen = total;
    }
}

// True while no answer is there. A source that gives none leaves the traffic unknown.
static bool answers_later(struct asked *one, struct arena *arena, struct found *ret)
{
    struct metric_sample sample = {0};
    struct error ignored;
    if (!one->reading)
        return false;
    enum progress progress = one->metric->kind->poll(one->reading, arena, &sample, &ignored);
    if (progress == PROGRESS_PENDING)
        return true;
    if (progress == PROGRESS_DONE && sample.has_value && one->span_min == 0)
        learn_history(&sample.history, arena, ret);
    else if (progress == PROGRESS_DONE && sample.has_value)
        learn_span(sample.counts.canary_bad, sample.counts.canary_total, one->span_min,
                   &ret->traffic);
    drop(one);
    return false;
}

// What was found goes into the plan, with which the engine begins, and into what it can see.
static const struct detect_traffic *note_found(struct arena *arena, const struct found *found,
                                               const struct metric_settings *const *metrics,
                                               struct plan *plan)
{
    struct detect_traffic *traffic =
        ARENA_ARRAY(arena, struct detect_traffic, plan_watch_count(plan));
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        struct plan_metric *metric = &plan->metrics[m];
        struct dispersion *known = ARENA_ARRAY(arena, struct dispersion, metric->target_count);
        for (uint32_t n = 0; n < metric->target_count; n++) // without the four that are half full
            dispersion_join(&known[n], &found[plan_watch(plan, m, n)].known);
        struct metric_traits traits = {0};
        metrics[m]->kind->traits(metrics[m]->config, &traits);
        if (metric->judge == JUDGE_RATE && traits.has_history)
            metric->known = known;
        for (uint32_t n = 0; n < metric->target_count; n++) {
            struct detect_traffic *of = &traffic[plan_watch(plan, m, n)];
            *of = found[plan_watch(plan, m, n)].traffic;
            of->dispersion = plan_dispersion(metric, n);
        }
    }
    return traffic;
}

static const struct detect_traffic *traffic_of(struct deployment *d, const struct stage_run *run,
                                               struct plan *plan)
{
    size_t metric_count, count = plan_watch_count(plan);
    const struct metric_settings *const *metrics =
        plan_metrics(d->arena, &d->settings, run->stage, &metric_count);
    struct asked *asked = ARENA_ARRAY(d->arena, struct asked, count * QUESTIONS);
    struct found *found = ARENA_ARRAY(d->arena, struct found, count);
    for (uint32_t m = 0; m < plan->metric_count; m++)
        for (uint32_t n = 0; n < plan->metrics[m].target_count; n++)
            for (int q = 0; q < QUESTIONS; q++)
                ask(d, run, metrics[m], m, &plan->targets[plan->metrics[m].targets[n]], q,
                    &asked[plan_watch(plan, m, n) * QUESTIONS + (uint32_t)q]);
    int64_t until = deployment_now(d) + ASK_MS;
    bool pending = true;
    while (pending) {
        pending = false;
        for (size_t i = 0; i < count * QUESTIONS; i++)
            pending |= answers_later(&asked[i], d->arena, &found[i / QUESTIONS]);
        if (deployment_now(d) >= until || world_signal(d->ports.world))
            break;
        if (pending)
            world_wait(d->ports.world, deployment_now(d) + MS_SECOND);
    }
    for (size_t i = 0; i < count * QUESTIONS; i++)
        drop(&asked[i]);
    return note_found(d->arena, found, metrics, plan);
}

// ---- whether the sources may be asked ----------------------------------------------------------

// True while no answer is there; why there is none is kept in *err.
static bool refuses_later(struct asked *one, struct arena *arena, struct error *err)
{
    struct metric_sample sample = {0};
    struct error why;
    if (!one->reading)
        return false;
    enum progress progress = one->metric->kind->poll(one->reading, arena, &sample, &why);
    if (progress == PROGRESS_PENDING)
        return true;
    if (progress == PROGRESS_FAILED)
        *err = why;
    else if (sample.unanswered)
        (void)error_set(err, ERROR_TRANSIENT, "%s", sample.why);
    drop(one);
    return false;
}

bool preflight_ask(struct deployment *d, const struct run_metric *metric,
                   const struct metric_traits *traits, str target, str revision, struct error *err)
{
    struct asked one = {.metric = metric};
    int64_t to_ms = deployment_now(d) - traits->lag_ms, until_ms = deployment_now(d) + ASK_MS;
    struct metric_question question = {.target = target,
                                       .revision = revision,
                                       .baseline = revision,
                                       .from_ms = to_ms - traits->every_ms,
                                       .to_ms = to_ms,
                                       .windows = 1};
    struct error why = {0};
    if (!metric->kind->start(metric->metric, &question, &one.reading, &why))
        one.reading = NULL;
    while (refuses_later(&one, d->arena, &why) && deployment_now(d) < until_ms &&
           !world_signal(d->ports.world))
        world_wait(d->ports.world, deployment_now(d) + MS_SECOND);
    if (one.reading)
        (void)error_set(&why, ERROR_TRANSIENT, "no answer within %d s", ASK_MS / 1000);
    drop(&one);
    if (why.kind == ERROR_NONE)
        return true;
    *err = why;
    return false;
}

// Who may not ask, or has no credentials, learns it here; what may pass does not refuse.
static bool may_ask(struct deployment *d, const struct run_metric *metric,
                    const struct metric_traits *traits, const struct plan_target *target,
                    struct error *err)
{
    str known = target->good.revision.len ? target->good.revision : STR("none");
    struct error why;
    if (preflight_ask(d, metric, traits, target->name, known, &why) || why.kind == ERROR_TRANSIENT)
        return true;
    *err = why;
    return false;
}

static bool check_identities(struct deployment *d, const struct stage_run *run,
                             const struct plan *plan, struct error *err)
{
    size_t metric_count;
    const struct metric_settings *const *metrics =
        plan_metrics(d->arena, &d->settings, run->stage, &metric_count);
    for (uint32_t m = 0; m < plan->metric_count; m++) {
        struct metric_traits traits = {0};
        const struct plan_target *target = &plan->targets[plan->metrics[m].targets[0]];
        metrics[m]->kind->traits(metrics[m]->config, &traits);
        if (traits.has_identity && !may_ask(d, &run->metrics[m], &traits, target, err))
            return error_wrap(err, "nothing was touched: metric " STR_FMT,
                              STR_ARG(metrics[m]->name));
    }
    return true;
}

// ---- the way back ------------------------------------------------------------------------------

static bool check_way_back(const struct plan *plan, int64_t took_ms, struct error *err)
{
    char took[32], limit[32], enough[32];
    if (took_ms <= plan->rollback_limit_ms)
        return true;
    int64_t whole_ms = (took_ms * 3 / 2 + MS_SECOND - 1) / MS_SECOND * MS_SECOND;
    return error_set(err, ERROR_INPUT,
                     "the way back takes longer than it may: in " STR_FMT " it took %s when it was "
                     "fastest, and `rollback: {time_limit: %s}` would call it stuck before. Set "
                     "`time_limit: %s` or more",
                     STR_ARG(plan->environment), duration_words(took_ms, took),
                     duration_format(plan->rollback_limit_ms, limit),
                     duration_format(whole_ms, enough));
}

// A fix that cannot wait goes out also where its short bakes cannot see what they should: it is
// said, and whoever approves it knows.
static bool check_seen(const struct plan *plan, const struct detect_traffic *traffic,
                       const struct detect_step *steps, struct error *err)
{
    if (detect_check(plan, traffic, steps, err))
        return true;
    if (plan->emergency.severity.len == 0)
        return false;
    say_line("sluice: in an emergency it goes out all the same: %s", err->message);
    *err = (struct error){0};
    return true;
}

bool preflight_plan(struct deployment *d, const struct stage_run *run, struct plan *plan,
                    struct preflight *ret)
{
    struct error *err = &d->call->error;
    struct way_back way;
    if (!facts_way_back(d, plan->environment, &way) || !check_identities(d, run, plan, err))
        return false;
    const struct detect_traffic *traffic = traffic_of(d, run, plan);
    ret->traffic = traffic;
    ret->way_back_ms = way.shortest_ms;
    detect_plan(plan, traffic, ret->steps);
    if (world_signal(d->ports.world))
        return error_set(err, ERROR_TRANSIENT, "interrupted: nothing was touched");
    return check_seen(plan, traffic, ret->steps, err) && check_way_back(plan, way.shortest_ms, err);
}

// ---- whether everything can be reached ---------------------------------------------------------

static bool is_of_configuration(enum error_kind kind)
{
    return kind == ERROR_INPUT || kind == ERROR_ABSENT || kind == ERROR_LIMIT;
}

// What refuses says itself what to do about it; what is silent does not.
static const char *remedy(const struct stage_trouble *one)
{
    return one->trouble.kind == ERROR_TRANSIENT
               ? ": see that it is up and can be reached from here, or take it out of the "
                 "configuration"
               : "";
}

bool preflight_look(struct deployment *d, const struct stage_run *run)
{
    struct error *err = &d->call->error;
    struct stage_trouble *troubles;
    size_t count;
    if (!stage_run_survey(run, &d->ports, LOOK_MS, d->arena, &troubles, &count, err))
        return error_wrap(err, "nothing was touched");
    enum error_kind kind = ERROR_INPUT;
    for (size_t i = 0; i < count; i++)
        if (!is_of_configuration(troubles[i].trouble.kind))
            kind = ERROR_REMOTE;
    if (count == 0)
        return true;
    if (count == 1)
        return error_set(err, kind, "nothing was touched: target " STR_FMT ": " STR_FMT "%s",
                         STR_ARG(troubles[0].target), STR_ARG(troubles[0].trouble.words),
                         remedy(&troubles[0]));
    for (size_t i = 0; i < count && i < SAID_MOST; i++)
        say_line("sluice: target " STR_FMT ": " STR_FMT "%s", STR_ARG(troubles[i].target),
                 STR_ARG(troubles[i].trouble.words), remedy(&troubles[i]));
    return error_set(err, kind,
                     "nothing was touched: %zu parts of stage " STR_FMT " cannot be looked at or "
                     "changed; %s said above, one a line",
                     count, STR_ARG(run->stage->stage),
                     count > SAID_MOST ? "the first of them are" : "each is");
}
