// The table of load-test figures.
#include "gate/reports/timing.h"

#include "gate/base/limits.h"
#include "gate/reports/evidence.h"

#include <math.h>

struct timing timing_unknown(str name)
{
    return (struct timing){.name = name,
                           .min_ms = NAN,
                           .mean_ms = NAN,
                           .p50_ms = NAN,
                           .p75_ms = NAN,
                           .p90_ms = NAN,
                           .p95_ms = NAN,
                           .p99_ms = NAN,
                           .max_ms = NAN,
                           .per_second = NAN,
                           .queries = NAN,
                           .duration_s = NAN};
}

static bool is_figure(double value)
{
    return isnan(value) || (value >= 0 && !isinf(value));
}

static bool room_for_more(const struct timings *all, struct error *err)
{
    if (all->count + all->check_count >= LIMIT_TIMINGS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u timings", LIMIT_TIMINGS);
    return true;
}

bool timing_add(struct evidence *evidence, const struct timing *one, struct error *err)
{
    struct timings *all = &evidence->timings;
    const double figures[] = {one->min_ms,  one->mean_ms,    one->p50_ms,    one->p75_ms,
                              one->p90_ms,  one->p95_ms,     one->p99_ms,    one->max_ms,
                              one->queries, one->per_second, one->duration_s};
    str shown = one->name.len ? str_shorten(one->name, 80) : STR("the whole run");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (!is_figure(figures[i]))
            return error_set(err, ERROR_INPUT, "a figure of `" STR_FMT "` is out of range",
                             STR_ARG(shown));
    if (!str_is_utf8(one->name))
        return error_set(err, ERROR_INPUT, "a name of a request is no UTF-8");
    if (one->failures > one->requests)
        return error_set(err, ERROR_INPUT, "`" STR_FMT "` has more failures than requests",
                         STR_ARG(shown));
    if (!room_for_more(all, err))
        return false;
    all->rows = arena_grow(&evidence->arena, all->rows, all->count, &all->room, sizeof *all->rows);
    all->rows[all->count] = *one;
    all->rows[all->count++].name = arena_str(&evidence->arena, one->name);
    return true;
}

bool timing_check_add(struct evidence *evidence, const struct timing_check *one, struct error *err)
{
    struct timings *all = &evidence->timings;
    if (!str_is_utf8(one->name))
        return error_set(err, ERROR_INPUT, "a name of a check is no UTF-8");
    if (!room_for_more(all, err))
        return false;
    all->checks = arena_grow(&evidence->arena, all->checks, all->check_count, &all->check_room,
                             sizeof *all->checks);
    all->checks[all->check_count] = *one;
    all->checks[all->check_count++].name = arena_str(&evidence->arena, one->name);
    return true;
}

void timing_report_end(struct evidence *evidence, uint32_t index, bool cut_short)
{
    struct report *report = &evidence->reports[index];
    const struct timings *all = &evidence->timings;
    bool any = all->check_count > 0;
    for (size_t i = 0; i < all->count; i++)
        any |= !all->rows[i].counted || all->rows[i].requests > 0;
    report->empty = !any;
    if (report->empty)
        report_suspect(evidence, report, "the report holds no timing: nothing was measured");
    else if (cut_short)
        report_suspect(evidence, report,
                       "its last line has no end: the file may have been cut short");
}

// Rows of one report stand together.
static void add_report(const struct timing *rows, size_t count, struct timing_totals *totals)
{
    bool whole = false;
    for (size_t i = 0; i < count; i++)
        whole |= rows[i].counted && rows[i].name.len == 0;
    for (size_t i = 0; i < count; i++) {
        if (whole && rows[i].name.len)
            continue;
        totals->requests += rows[i].requests;
        totals->failures += rows[i].failures;
    }
}

struct timing_totals timings_totals(const struct timings *timings)
{
    struct timing_totals totals = {.rows = timings->count, .checks = timings->check_count};
    for (size_t from = 0, to; from < timings->count; from = to) {
        for (to = from;
             to < timings->count && timings->rows[to].report == timings->rows[from].report;)
            to++;
        add_report(&timings->rows[from], to - from, &totals);
    }
    for (size_t i = 0; i < timings->check_count; i++)
        totals.breached += timings->checks[i].breached;
    return totals;
}
