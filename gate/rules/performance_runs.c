#include "gate/rules/performance_runs.h"

#include <math.h>
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    const struct timing *const *x = a, *const *y = b;
    int order = str_cmp((*x)->name, (*y)->name);
    return order ? order : (*x > *y) - (*x < *y); // rows of one array: in their order
}

struct runs_list runs_of(struct arena *arena, const struct timings *timings)
{
    struct runs_list list = {0};
    const struct timing **rows = ARENA_ARRAY(arena, const struct timing *, timings->count + 1);
    list.items = ARENA_ARRAY(arena, struct runs, timings->count + 1);
    for (size_t i = 0; i < timings->count; i++)
        rows[i] = &timings->rows[i];
    qsort(rows, timings->count, sizeof *rows, by_name);
    for (size_t i = 0; i < timings->count; i++) {
        if (i == 0 || !str_eq(rows[i]->name, rows[i - 1]->name))
            list.items[list.count++] = (struct runs){rows[i]->name, &rows[i], 0};
        list.items[list.count - 1].count++;
    }
    return list;
}

double runs_figure(const struct timing *row, enum timing_figure figure)
{
    switch (figure) {
    case FIGURE_P50:
        return row->p50_ms;
    case FIGURE_P90:
        return row->p90_ms;
    case FIGURE_P95:
        return row->p95_ms;
    case FIGURE_P99:
        return row->p99_ms;
    case FIGURE_MEAN:
        return row->mean_ms;
    case FIGURE_MAX:
        return row->max_ms;
    case TIMING_FIGURES:
        break;
    }
    return NAN;
}

size_t runs_figures(struct arena *arena, const struct runs *runs, enum timing_figure figure,
                    double **ret)
{
    size_t count = 0;
    *ret = ARENA_ARRAY(arena, double, runs->count + 1);
    for (size_t i = 0; i < runs->count; i++) {
        double value = runs_figure(runs->rows[i], figure);
        if (!isnan(value))
            (*ret)[count++] = value;
    }
    return count;
}

const char *runs_shown(struct findings *out, str name)
{
    return name.len ? finding_text(out, STR_FMT, STR_ARG(name)) : "all requests";
}

const char *runs_ms(struct findings *out, double ms)
{
    double shown = ceil(ms * 1e3) / 1e3;
    if (!(shown >= ms) || shown - ms > 1e-3 || shown > 1e12)
        shown = ms;
    return finding_text(out, "%.12g ms", shown);
}

const char *runs_where(struct findings *out, size_t runs)
{
    return runs > 1 ? finding_text(out, " (median of %zu runs)", runs) : "";
}
