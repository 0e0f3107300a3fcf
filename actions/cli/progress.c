#include "actions/cli/progress.h"

#include "actions/report/escape.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BAR = 24, LINE_BYTES = 4096 };

void progress_init(struct progress_display *progress, bool color, bool terminal, bool quiet,
                   bool verbose)
{
    *progress = (struct progress_display){
        .color = color, .terminal = terminal, .quiet = quiet, .verbose = verbose};
}

static const char *paint(const struct progress_display *progress, const char *code)
{
    return progress->color ? code : "";
}

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

void progress_clear(struct progress_display *progress)
{
    if (progress->living)
        (void)fputs("\r\033[K", stderr);
    progress->living = false;
}

static void line(struct progress_display *progress, const char *color, const char *mark,
                 const char *what, const char *text)
{
    if (progress->quiet)
        return;
    // What a host, a person or a name of the configuration says: a runner takes what follows a line
    // end, a carriage return too, for a command.
    struct text words = text_of(8 * strlen(text) + 1);
    terminal_escape(str_of(text), &words);
    progress_clear(progress);
    double seconds = (double)(progress->now_ms - progress->began_ms) / 1000;
    (void)fprintf(stderr, "%s%7.1f s%s  %s%s %-11s%s %s\n", paint(progress, DIM), seconds,
                  paint(progress, PLAIN), paint(progress, color), mark, what,
                  paint(progress, PLAIN), text_c(&words));
    text_done(&words);
}

// ---- words -------------------------------------------------------------------------------------

static void add_share(struct text *out, uint32_t share_ppm)
{
    if (share_ppm % 10000 == 0)
        text_addf(out, "%u %%", share_ppm / 10000);
    else
        text_addf(out, "%.1f %%", share_ppm / 10000.0);
}

static void add_targets(struct text *out, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->target_count && i < 4; i++)
        text_addf(out, "%s" STR_FMT, i ? ", " : "", STR_ARG(plan->targets[i].name));
    if (plan->target_count > 4)
        text_addf(out, " and %u more", plan->target_count - 4);
}

// "courses 0/80 bad on the new release, 2/240 on the old"
static void add_figures(const struct progress_display *progress, struct text *out)
{
    const struct plan *plan = progress->plan;
    bool first = true;
    for (uint32_t i = 0; i < plan->metric_count; i++) {
        const struct progress_metric *m = &progress->metrics[i];
        if (m->samples == 0 && m->blind == 0)
            continue;
        text_addf(out, "%s" STR_FMT " ", first ? "" : "; ", STR_ARG(plan->metrics[i].name));
        first = false;
        if (m->samples == 0)
            text_adds(out, "says nothing");
        else if (plan->metrics[i].judge == JUDGE_RATE && m->baseline_total > 0)
            text_addf(out, "%.0f/%.0f bad new, %.0f/%.0f old", m->canary_bad, m->canary_total,
                      m->baseline_bad, m->baseline_total);
        else if (plan->metrics[i].judge == JUDGE_RATE || plan->metrics[i].judge == JUDGE_BURN)
            text_addf(out, "%.0f/%.0f bad", m->canary_bad, m->canary_total);
        else if (plan->metrics[i].judge == JUDGE_COMPARE && isfinite(m->baseline))
            text_addf(out, "%g new, %g old", m->value, m->baseline);
        else
            text_addf(out, "%g", m->value);
    }
}

static void phase_words(const struct progress_display *progress, const char *why, struct text *out)
{
    const struct plan *plan = progress->plan;
    const struct rollout_state *state = progress->state;
    char duration[32];
    uint32_t at = state->step < plan->step_count ? state->step : plan->step_count - 1;
    switch (state->phase) {
    case PHASE_PREPARING:
        text_addf(out, "bringing " STR_FMT " to ", STR_ARG(plan->release));
        add_targets(out, plan);
        break;
    case PHASE_SHIFTING:
        text_addf(out, "step %u of %u: ", at + 1, plan->step_count);
        add_targets(out, plan);
        text_adds(out, " to ");
        add_share(out, plan->steps[at].share_ppm);
        break;
    case PHASE_STEP_BAKE:
        text_addf(out, "watching for %s", duration_words(plan->step_bake_ms, duration));
        break;
    case PHASE_BAKE:
        text_addf(out, "all of it is out; watching for %s",
                  duration_words(plan->bake_ms, duration));
        break;
    case PHASE_PROMOTING:
        text_adds(out, "taking away what is not needed any more");
        break;
    case PHASE_VERIFYING:
        text_adds(out, "looking whether every target serves it");
        break;
    case PHASE_DONE:
        text_addf(out, STR_FMT " serves all of " STR_FMT, STR_ARG(plan->release),
                  STR_ARG(plan->environment));
        break;
    case PHASE_NEW:
    case PHASE_WAITING:
    case PHASE_REVERTING:
    case PHASE_HELD:
    case PHASE_STUCK:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        text_adds(out, why ? why : "");
        break;
    }
}

static void say_phase(struct progress_display *progress)
{
    if (!progress->phase.waits)
        return;
    progress->phase.waits = false;
    line(progress, progress->phase.color, progress->phase.mark, progress->phase.name,
         progress->phase.text);
    if (progress->state->phase == PHASE_STEP_BAKE || progress->state->phase == PHASE_BAKE)
        memset(progress->metrics, 0, sizeof progress->metrics);
}

static void phase_news(struct progress_display *progress, const char *why)
{
    struct text text = text_of(LINE_BYTES);
    enum rollout_phase phase = progress->state->phase;
    const char *color = PLAIN, *mark = "·";
    switch (phase) {
    case PHASE_DONE:
        color = GREEN, mark = "✓";
        break;
    case PHASE_REVERTING:
    case PHASE_STUCK:
    case PHASE_DENIED:
        color = RED, mark = "✗";
        break;
    case PHASE_ROLLED_BACK:
    case PHASE_HELD:
    case PHASE_WAITING:
    case PHASE_CANCELLED:
        color = YELLOW, mark = phase == PHASE_ROLLED_BACK ? "↩" : "⏸";
        break;
    case PHASE_NEW:
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
        break;
    }
    phase_words(progress, why, &text);
    progress->phase.color = color;
    progress->phase.mark = mark;
    progress->phase.name = phase_name(phase);
    (void)snprintf(progress->phase.text, sizeof progress->phase.text, "%s", text_c(&text));
    progress->phase.waits = true;
    text_done(&text);
}

static void record_news(struct progress_display *progress, const struct rollout_command *record)
{
    struct text text = text_of(LINE_BYTES);
    if (record->type == RC_INCIDENT) {
        text_addf(&text, "%s opened", record->text);
        line(progress, YELLOW, "!", "incident", text_c(&text));
    } else if (record->record == RECORD_STEP_PASSED) {
        add_figures(progress, &text);
        line(progress, GREEN, "✓", "passed", text_c(&text));
    } else if (record->record == RECORD_BREACHED) {
        add_figures(progress, &text);
        if (text.len)
            line(progress, RED, "✗", "breach", text_c(&text));
    } else if (progress->verbose) {
        line(progress, DIM, " ", "recorded", record_name(record->record));
    }
    text_done(&text);
}

// The same trouble again, as a source that does not answer gives it every few seconds, is said
// once.
static void trouble(struct progress_display *progress, const struct text *words)
{
    if (!str_eq(str_of(progress->trouble), str_first(text_str(words), 255)))
        line(progress, YELLOW, "!", "trouble", text_c(words));
    (void)snprintf(progress->trouble, sizeof progress->trouble, "%s", text_c(words));
}

static void sample_news(struct progress_display *progress, const struct run_news *news)
{
    struct progress_metric *m = &progress->metrics[news->metric];
    const struct metric_sample *sample = news->sample;
    if (!sample->has_value && m->blind++ == 0)
        return; // there is nothing about a release that has only just begun to answer
    if (!sample->has_value) {
        struct text text = text_of(LINE_BYTES);
        text_addf(&text, "metric " STR_FMT " says nothing: %s",
                  STR_ARG(news->plan->metrics[news->metric].name), sample->why ? sample->why : "");
        trouble(progress, &text);
        text_done(&text);
        return;
    }
    m->samples++;
    m->canary_bad += sample->counts.canary_bad;
    m->canary_total += sample->counts.canary_total;
    m->baseline_bad += sample->counts.baseline_bad;
    m->baseline_total += sample->counts.baseline_total;
    m->value = sample->value;
    m->baseline = sample->baseline;
    if (news->plan->metrics[news->metric].judge != JUDGE_BURN)
        return;
    m->canary_bad = sample->burn[0].bad; // of the last hour
    m->canary_total = sample->burn[0].total;
}

static void target_news(struct progress_display *progress, const struct run_news *news)
{
    struct text text = text_of(LINE_BYTES);
    if (news->target < news->plan->target_count) // else it is about none of them
        text_addf(&text, STR_FMT ": ", STR_ARG(news->plan->targets[news->target].name));
    text_adds(&text, news->text);
    if (news->type == NEWS_TROUBLE)
        trouble(progress, &text);
    else
        line(progress, DIM, " ", "target", text_c(&text));
    text_done(&text);
}

static void tell(void *self, const struct run_news *news)
{
    struct progress_display *progress = self;
    progress->plan = news->plan;
    progress->state = news->state;
    progress->now_ms = news->now_ms;
    if (progress->began_ms == 0)
        progress->began_ms = news->now_ms;
    switch (news->type) {
    case NEWS_PHASE:
        say_phase(progress);
        phase_news(progress, news->text);
        break;
    case NEWS_RECORDED:
        record_news(progress, news->record);
        say_phase(progress);
        break;
    case NEWS_SAMPLE:
        say_phase(progress);
        sample_news(progress, news);
        break;
    case NEWS_TARGET:
    case NEWS_TROUBLE:
        say_phase(progress);
        target_news(progress, news);
        break;
    }
}

struct observer_port progress_observer(struct progress_display *progress)
{
    return (struct observer_port){progress, tell};
}

// ---- the living line ----------------------------------------------------------------------------

static void add_bar(const struct progress_display *progress, uint32_t share_ppm, struct text *out)
{
    unsigned full = (unsigned)((uint64_t)share_ppm * BAR / SHARE_ALL);
    text_adds(out, paint(progress, GREEN));
    for (unsigned i = 0; i < BAR; i++) {
        if (i == full)
            text_adds(out, paint(progress, DIM));
        text_adds(out, i < full ? "█" : "░");
    }
    text_adds(out, paint(progress, PLAIN));
}

static bool is_out(const struct rollout_state *state)
{
    switch (state->phase) {
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
    case PHASE_DONE:
        return true;
    case PHASE_NEW:
    case PHASE_WAITING:
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_REVERTING:
    case PHASE_HELD:
    case PHASE_STUCK:
    case PHASE_ROLLED_BACK:
    case PHASE_DENIED:
    case PHASE_CANCELLED:
        return false;
    }
    return false;
}

static uint32_t share_now(const struct progress_display *progress)
{
    const struct rollout_state *state = progress->state;
    uint32_t step = state->step + (is_out(state) ? 1 : 0);
    if (state->phase == PHASE_REVERTING || state->phase == PHASE_ROLLED_BACK || step == 0)
        return 0;
    return progress->plan
        ->steps[(step < progress->plan->step_count ? step : progress->plan->step_count) - 1]
        .share_ppm;
}

void progress_refresh(struct progress_display *progress, int64_t now_ms)
{
    static const char *const wheel[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    if (!progress->terminal || progress->quiet || !progress->plan)
        return;
    progress->now_ms = now_ms;
    say_phase(progress);
    const struct rollout_state *state = progress->state;
    struct text text = text_of(LINE_BYTES);
    text_addf(&text, "\r\033[K  %s ", wheel[progress->turn++ % 10]);
    add_bar(progress, share_now(progress), &text);
    text_addf(&text, " %s%s%s", paint(progress, BOLD), phase_name(state->phase),
              paint(progress, PLAIN));
    if ((state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE) &&
        state->bake_until_ms > now_ms)
        text_addf(&text, " %lld s left", (long long)((state->bake_until_ms - now_ms + 999) / 1000));
    struct text figures = text_of(LINE_BYTES);
    add_figures(progress, &figures);
    if (figures.len)
        text_addf(&text, "  %s" STR_FMT "%s", paint(progress, DIM),
                  STR_ARG(str_first(text_str(&figures), 100)), paint(progress, PLAIN));
    (void)fputs(text_c(&text), stderr);
    (void)fflush(stderr);
    progress->living = true;
    text_done(&figures);
    text_done(&text);
}

void progress_done(struct progress_display *progress)
{
    say_phase(progress);
    progress_clear(progress);
}
