#include "actions/report/trend.h"

#include "gate/rules/history.h"

enum { MOST = HISTORY_TREND + 1 };

struct row { // one figure, over the runs that have it
    const char *name, *unit;
    double values[MOST];
    size_t count;
};

void trend_blocks(const double *values, size_t count, struct text *out)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { LEVELS = sizeof blocks / sizeof *blocks };
    double low = 0, high = 0;
    for (size_t i = 0; i < count; i++) {
        low = i == 0 || values[i] < low ? values[i] : low;
        high = i == 0 || values[i] > high ? values[i] : high;
    }
    for (size_t i = 0; i < count; i++) {
        double share = high > low ? (values[i] - low) / (high - low) : 0.5;
        text_adds(out, blocks[(size_t)(share * (LEVELS - 1) + 0.5)]);
    }
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void take(struct row rows[], const struct history_figures *one)
{
    if (one->has_coverage)
        rows[0].values[rows[0].count++] = percent(one->lines_covered, one->lines_total);
    if (one->has_tests) {
        rows[1].values[rows[1].count++] = (double)one->failed;
        rows[2].values[rows[2].count++] = (double)one->flaky;
    }
    if (one->has_risks)
        rows[3].values[rows[3].count++] = (double)one->exposure;
}

static struct history_figures own(const struct decision *decision)
{
    const struct evidence *evidence = decision->evidence;
    struct history_figures one = {.has_coverage = evidence->has[EVIDENCE_COVERAGE],
                                  .has_tests = evidence->has[EVIDENCE_TESTS],
                                  .has_risks = decision->has_risks,
                                  .exposure = decision->risks.exposure};
    if (one.has_coverage) {
        struct coverage_totals totals = coverage_totals(&evidence->coverage);
        one.lines_covered = totals.lines_covered;
        one.lines_total = totals.lines_total;
    }
    if (one.has_tests) {
        struct test_totals totals = tests_totals(&evidence->tests);
        one.failed = totals.failed + totals.errors;
        one.flaky = totals.flaky;
    }
    return one;
}

static void add_row(const struct row *row, const char *before, struct text *out)
{
    double first = row->values[0], last = row->values[row->count - 1];
    text_addf(out, "%s%s ", before, row->name);
    trend_blocks(row->values, row->count, out);
    text_addf(out, *row->unit ? " %.1f%s → %.1f%s" : " %.0f%s → %.0f%s", first, row->unit, last,
              row->unit);
}

void trend_markdown(const struct decision *decision, struct text *out)
{
    struct row rows[] = {{.name = "coverage", .unit = " %"},
                         {.name = "failed tests", .unit = ""},
                         {.name = "flaky tests", .unit = ""},
                         {.name = "exposure", .unit = ""}};
    enum { ROWS = sizeof rows / sizeof *rows };
    const struct history *history = decision->history;
    bool any = false;
    if (!history || history->trend_count == 0)
        return;
    for (size_t i = 0; i < history->trend_count; i++)
        take(rows, &history->trend[i]);
    struct history_figures now = own(decision);
    take(rows, &now);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].count < 2)
            continue;
        add_row(&rows[i], any ? "; " : "", out);
        any = true;
    }
    if (any)
        text_addf(out, " (the last %zu %s of the default branch, and this one).  \n",
                  history->trend_count, history->trend_count == 1 ? "run" : "runs");
}
