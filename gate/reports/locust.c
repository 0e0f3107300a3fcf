// Locust's statistics as CSV (`--csv`): a row for each request name, and the sum of all as
// "Aggregated" at the end. Its other CSV files are refused by name: the history repeats running
// sums of the same requests, failures and exceptions have no times.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/csv.h"
#include "gate/reports/registry.h"

#include <math.h>

enum column {
    TYPE,
    NAME,
    REQUESTS,
    FAILURES,
    MEDIAN,
    MEAN,
    LEAST,
    MOST,
    RATE,
    P50,
    P75,
    P90,
    P95,
    P99,
    COLUMNS
};
// As they are called since version 1.0, and before.
static const char *const column_names[COLUMNS][2] = {
    [TYPE] = {"Type", "Method"},
    [NAME] = {"Name", "Name"},
    [REQUESTS] = {"Request Count", "# requests"},
    [FAILURES] = {"Failure Count", "# failures"},
    [MEDIAN] = {"Median Response Time", "Median response time"},
    [MEAN] = {"Average Response Time", "Average response time"},
    [LEAST] = {"Min Response Time", "Min response time"},
    [MOST] = {"Max Response Time", "Max response time"},
    [RATE] = {"Requests/s", "Requests/s"},
    [P50] = {"50%", "50%"},
    [P75] = {"75%", "75%"},
    [P90] = {"90%", "90%"},
    [P95] = {"95%", "95%"},
    [P99] = {"99%", "99%"},
};
#define NOT_THERE SIZE_MAX

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct csv csv;
    struct text name;
    size_t at[COLUMNS];
    size_t width; // 0 = the header has not come yet
    uint64_t requests, failures;
    bool summed; // the last row was there
};

static size_t find_name(const str *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(fields[i], name))
            return i;
    return NOT_THERE;
}

static size_t find_column(const str *fields, size_t count, enum column column)
{
    size_t at = find_name(fields, count, column_names[column][0]);
    return at != NOT_THERE ? at : find_name(fields, count, column_names[column][1]);
}

// What one of Locust's other files is called; null = it is none of them.
static const char *other_file(const str *fields, size_t count)
{
    static const struct {
        const char *columns[4];
        const char *name;
    } others[] = {
        {{"Timestamp", "User Count", "Name", "Total Request Count"}, "statistics over time"},
        {{"Method", "Name", "Error", "Occurrences"}, "list of failures"},
        {{"Count", "Message", "Traceback", "Nodes"}, "list of exceptions"},
        {{"Name", "# requests", "50%", "100%"}, "distribution of response times"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        unsigned known = 0;
        for (size_t k = 0; k < 4; k++)
            known += find_name(fields, count, others[i].columns[k]) != NOT_THERE;
        if (known == 4)
            return others[i].name;
    }
    return NULL;
}

static bool is_header(const str *fields, size_t count)
{
    return find_column(fields, count, NAME) != NOT_THERE &&
           find_column(fields, count, REQUESTS) != NOT_THERE &&
           find_column(fields, count, FAILURES) != NOT_THERE &&
           find_column(fields, count, MEDIAN) != NOT_THERE;
}

static int recognise(const struct report_head *head)
{
    char copy[4096];
    str fields[CSV_FIELDS], rest = head->bytes, line;
    if (head->is_xml || head->is_json)
        return 0;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    if (!report_head_line(&rest, &line) || line.len == 0 || line.len > sizeof copy)
        return 0;
    memcpy(copy, line.data, line.len);
    size_t count = csv_split(copy, line.len, ',', fields, CSV_FIELDS);
    return is_header(fields, count) || other_file(fields, count) ? 90 : 0;
}

static bool read_header(struct reading *r, const str *fields, size_t count, struct error *err)
{
    const char *other = other_file(fields, count);
    if (!is_header(fields, count) && other)
        return error_set(err, ERROR_INPUT,
                         "this is Locust's %s, which is not read: give the file that ends in "
                         "_stats.csv",
                         other);
    if (!is_header(fields, count))
        return error_set(err, ERROR_INPUT, "this is no header of Locust's statistics");
    for (int i = 0; i < COLUMNS; i++)
        r->at[i] = find_column(fields, count, (enum column)i);
    r->width = count;
    return true;
}

static bool refuse(enum column column, str value, struct error *err)
{
    return error_set(err, ERROR_INPUT, "`%s` is no number that it can be: `" STR_FMT "`",
                     column_names[column][0], STR_ARG(str_shorten(value, 40)));
}

static bool read_count(const struct reading *r, enum column column, const str *fields,
                       uint64_t *ret, struct error *err)
{
    str value = fields[r->at[column]];
    return number_u64(value, ret) || refuse(column, value, err);
}

// A row without requests has "N/A" or nothing for what cannot be said.
static bool read_figure(const struct reading *r, enum column column, const str *fields, double *ret,
                        struct error *err)
{
    str value = r->at[column] == NOT_THERE ? STR("") : fields[r->at[column]];
    if (value.len == 0 || str_is(value, "N/A"))
        return true;
    return (number_double(value, ret) && *ret >= 0) || refuse(column, value, err);
}

static bool read_figures(const struct reading *r, const str *fields, struct timing *row,
                         struct error *err)
{
    double median = NAN;
    struct {
        enum column column;
        double *to;
    } figures[] = {{MEDIAN, &median},    {MEAN, &row->mean_ms},    {LEAST, &row->min_ms},
                   {MOST, &row->max_ms}, {RATE, &row->per_second}, {P50, &row->p50_ms},
                   {P75, &row->p75_ms},  {P90, &row->p90_ms},      {P95, &row->p95_ms},
                   {P99, &row->p99_ms}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (!read_figure(r, figures[i].column, fields, figures[i].to, err))
            return false;
    if (isnan(row->p50_ms))
        row->p50_ms = median;
    if (row->requests == 0) // zeros that nothing was measured for
        row->min_ms = row->mean_ms = row->max_ms = row->p50_ms = NAN;
    return true;
}

static void compare(struct reading *r, const char *what, uint64_t said, uint64_t counted)
{
    if (said != counted)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "its last row says %llu %s, and its other rows add up to %llu",
                       (unsigned long long)said, what, (unsigned long long)counted);
}

static bool read_row(struct reading *r, const str *fields, struct error *err)
{
    struct timing row = timing_unknown((str){"", 0});
    str type = r->at[TYPE] == NOT_THERE ? STR("") : fields[r->at[TYPE]], name = fields[r->at[NAME]];
    bool sum = (type.len == 0 || str_is(type, "None")) &&
               (str_is(name, "Aggregated") || str_is(name, "Total"));
    if (!read_count(r, REQUESTS, fields, &row.requests, err) ||
        !read_count(r, FAILURES, fields, &row.failures, err) || !read_figures(r, fields, &row, err))
        return false;
    text_clear(&r->name);
    text_addf(&r->name, STR_FMT "%s" STR_FMT, STR_ARG(type), type.len ? " " : "", STR_ARG(name));
    if (!sum)
        row.name = text_str(&r->name);
    if (sum && row.per_second > 0) // the rate is the requests by the duration
        row.duration_s = (double)row.requests / row.per_second;
    row.counted = true;
    row.report = r->report;
    row.offset = r->csv.offset;
    if (sum) {
        compare(r, "requests", row.requests, r->requests);
        compare(r, "failures", row.failures, r->failures);
    } else {
        if (__builtin_add_overflow(r->requests, row.requests, &r->requests) ||
            __builtin_add_overflow(r->failures, row.failures, &r->failures))
            return error_set(err, ERROR_INPUT, "the requests do not fit into 64 bits");
    }
    r->summed = sum;
    return timing_add(r->evidence, &row, err);
}

static bool on_record(void *context, const str *fields, size_t count, struct error *err)
{
    struct reading *r = context;
    if (r->width == 0)
        return read_header(r, fields, count, err);
    if (count != r->width)
        return error_set(err, ERROR_INPUT, "this row has %zu fields, not %zu", count, r->width);
    if (r->summed)
        return error_set(err, ERROR_INPUT, "a row stands behind the sum of all");
    return read_row(r, fields, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->name = text_of((size_t)LIMIT_TOKEN_BYTES * 2);
    r->csv = csv_of(evidence->reports[report].path, ',', on_record, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return csv_feed(&r->csv, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!csv_end(&r->csv, err))
        return false;
    if (r->evidence->timings.count && !r->summed)
        report_suspect(r->evidence, &r->evidence->reports[r->report],
                       "the sum of all (`Aggregated`) is missing at its end");
    timing_report_end(r->evidence, r->report, !r->csv.lines.ended_whole);
    return true;
}

static void close_reading(struct reading *r)
{
    csv_done(&r->csv);
    text_done(&r->name);
    memory_free(r);
}

const struct report_reader locust_reader = {
    .name = "locust",
    .title = "Locust CSV",
    .form = REPORT_LINES,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
