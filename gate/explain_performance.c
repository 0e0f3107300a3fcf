// Load tests traced back: the runs that have the endpoint, and each run's own figures.
#include "gate/explain_parts.h"

#include <math.h>

static const char *timing_note(struct explaining *e, const struct timing *row)
{
    const double figures[] = {row->p50_ms, row->p90_ms, row->p95_ms, row->p99_ms, row->mean_ms};
    static const char *const names[] = {"p50", "p90", "p95", "p99", "mean"};
    str note = row->counted ? arena_format(e->arena, "%llu of %llu requests failed",
                                           (unsigned long long)row->failures,
                                           (unsigned long long)row->requests)
                            : STR("");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (!isnan(figures[i]))
            note = arena_format(e->arena, STR_FMT "%s%s %.6g ms", STR_ARG(note),
                                note.len ? ", " : "", names[i], figures[i]);
    if (!isnan(row->queries))
        note = arena_format(e->arena, STR_FMT "%s%.6g queries", STR_ARG(note), note.len ? ", " : "",
                            row->queries);
    return note.len ? note.data : NULL;
}

static void take_checks(struct explaining *e, str subject)
{
    const struct evidence *evidence = &e->gate->evidence;
    const struct timings *timings = &evidence->timings;
    for (size_t i = 0; i < timings->check_count; i++) {
        const struct timing_check *one = &timings->checks[i];
        if (!str_eq(one->name, subject))
            continue;
        struct explained_item *item =
            explain_item(e, report_shown(e->arena, &evidence->reports[one->report]));
        item->note = one->breached ? "does not hold" : "holds";
        explain_source(e, item, one->report, one->offset, one->offset);
    }
}

// What the recorded runs had, which an increase is measured against.
static void take_baseline(struct explaining *e, str subject)
{
    const struct history *history = e->context.in->history;
    const struct baseline *baseline = history ? history->baseline : NULL;
    if (!baseline || !strstr(e->finding->id, "].increase"))
        return;
    for (size_t i = 0; i < baseline->timing_count; i++) {
        const struct history_timing *one = &baseline->timings[i];
        struct timing row = timing_unknown(one->name);
        if (!str_eq(one->name, subject))
            continue;
        row.p50_ms = one->p50_ms;
        row.p95_ms = one->p95_ms;
        row.p99_ms = one->p99_ms;
        row.mean_ms = one->mean_ms;
        explain_item(e, "a recorded run of the baseline")->note = timing_note(e, &row);
    }
}

void explain_performance(struct explaining *e)
{
    const struct evidence *evidence = &e->gate->evidence;
    const struct timings *timings = &evidence->timings;
    str subject = explain_subject(e);
    e->out->unit = "runs";
    if (strncmp(e->finding->id, "performance.check[", 18) == 0) {
        take_checks(e, subject);
        return;
    }
    if (subject.len == 0 || str_is(subject, "all requests"))
        subject = (str){"", 0}; // the whole run
    for (size_t i = 0; i < timings->count; i++) {
        const struct timing *row = &timings->rows[i];
        if (!str_eq(row->name, subject))
            continue;
        struct explained_item *item =
            explain_item(e, report_shown(e->arena, &evidence->reports[row->report]));
        item->note = timing_note(e, row);
        explain_source(e, item, row->report, row->offset, row->offset);
    }
    take_baseline(e, subject);
    if (e->out->count == 0)
        explain_reports(e);
}
